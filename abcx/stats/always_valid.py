"""Always-valid monitoring by an asymptotic confidence sequence, whose level holds however often the data are analyzed.

Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2021, theorem 2.2): with a normal mixture of scale rho, the standardized
estimate after n units stays inside sqrt((n rho^2 + 1) / (n rho^2) log((n rho^2 + 1) / alpha^2)) at all times together
with probability 1 - alpha (Robbins 1970), in large samples for any distribution with a variance. The boundary is as
tight as possible at the size where n rho^2 = -W(-alpha^2 / e) - 1, W the lower branch of Lambert's function.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from abcx.stats.distributions import normal_quantile, normal_tails
from abcx.stats.records import Lifetimes, Moments, Proportion, RatioMoments, Summary
from abcx.stats.sequential import SMALLEST
from abcx.stats.special import lambertw

EVENTS = 20
"""Events, and for shares units without an event, that each arm needs before the large-sample approximation is used."""
NONZERO = 30
"""The same limit for metrics other than shares and lifetimes: units whose value is not 0, or all units where that
number is unknown or has no meaning.
"""


@dataclass(frozen=True, slots=True)
class AlwaysValid:
    """A confidence sequence at the present size, tightest at `planned` units and the overall level `tuned_for`.

    It is valid at any size and level. `n` > 0 is the units so far and `planned` > 0 the planned ones, both over the
    same arms (only n / planned matters); 0 < `tuned_for` < 1. The tuning is fixed before the data and is the same for
    all alpha, so the p-value is a Bayes factor in closed form. Raises ValueError for values outside these ranges.
    """

    n: float
    planned: float
    tuned_for: float = 0.05

    def __post_init__(self) -> None:
        if not (0.0 < self.n < math.inf and 0.0 < self.planned < math.inf and 0.0 < self.tuned_for < 1.0):
            raise ValueError(f"no confidence sequence for {self}")

    @property
    def time(self) -> float:
        """n rho^2 > 0, the intrinsic time of the mixture."""
        return self.n / self.planned * tightest(self.tuned_for)

    def level(self, alpha: float) -> float:
        """The nominal two-sided level at this size, 2 (1 - Phi(z)) with the boundary z of the overall level `alpha`.

        0.0 where `alpha` <= 0 or the level is below `SMALLEST`.
        """
        if alpha <= 0.0:
            return 0.0
        time = self.time
        z = math.sqrt((time + 1.0) / time * (math.log1p(time) - 2.0 * math.log(alpha)))
        level = 2.0 * normal_tails(z)[1]
        return level if level >= SMALLEST else 0.0

    def p_value(self, nominal: float) -> float:
        """The smallest overall alpha whose sequence excludes the null at this size, for an ordinary two-sided p of
        `nominal`.

        It is sqrt(n rho^2 + 1) exp(-z^2/2 n rho^2 / (n rho^2 + 1)), at most 1, with z the normal score of `nominal`. It
        refers to this analysis alone; the minimum over all analyses so far is valid, too.
        """
        time = self.time
        z = normal_quantile(max(nominal, SMALLEST) / 2.0)
        return min(1.0, math.exp(0.5 * (math.log1p(time) - z * z * time / (time + 1.0))))


def tightest(alpha: float) -> float:
    """n rho^2 at which the boundary of level 0 < `alpha` < 1 is lowest: the root of x = log(x + 1) - 2 log(alpha)."""
    return -float(lambertw(-alpha * alpha / math.e, -1).real) - 1.0


def ready(control: Summary, variant: Summary) -> bool:
    """Whether both arms have enough events or non-zero units for a confidence sequence (`EVENTS`, `NONZERO`).

    Until then the rule is `NoDecisionYet` (docs/methods.md, "Sequential monitoring").
    """
    return all(_enough(arm) for arm in (control, variant))


def _enough(arm: Summary) -> bool:
    if isinstance(arm, Proportion):
        return min(arm.successes, arm.n - arm.successes) >= EVENTS
    if isinstance(arm, Lifetimes):
        return int(arm.observed.sum()) >= EVENTS
    part = arm.numerator if isinstance(arm, RatioMoments) else arm
    nonzero = part.nonzero if isinstance(part, Moments) else None
    return (part.n if nonzero is None else nonzero) >= NONZERO
