"""Always-valid monitoring: an asymptotic confidence sequence, which may be looked at whenever one likes.

Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas (2021, theorem 2.2): with a normal mixture of scale rho, the standardized
estimate after n units stays inside sqrt((n rho^2 + 1) / (n rho^2) log((n rho^2 + 1) / alpha^2)) at all times together
with probability 1 - alpha (Robbins 1970), in large samples for any distribution with a variance. The boundary is as
tight as possible at the size where n rho^2 = -W(-alpha^2 / e) - 1, W the lower branch of Lambert's function.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import lambertw  # type: ignore[import-untyped,unused-ignore]

from abcx.stats.distributions import normal_quantile, normal_tails
from abcx.stats.records import Lifetimes, Moments, Proportion, RatioMoments, Summary
from abcx.stats.sequential import SMALLEST

EVENTS = 20
"""Events, and units without one, that each arm must have before the large-sample argument is trusted."""
NONZERO = 30
"""The same for others: units whose value is not 0 (units, where that is not known or means nothing)."""


@dataclass(frozen=True, slots=True)
class AlwaysValid:
    """Tuned to be tightest when `planned` units are in, for the overall level `tuned_for`; valid at any size and level.

    `n` is the units so far and `planned` the planned ones, both over the same arms (only n / planned matters). The
    tuning is fixed before the data and the same for all alpha, so that the p-value is the Bayes factor in closed form.
    """

    n: float
    planned: float
    tuned_for: float = 0.05

    def __post_init__(self) -> None:
        if not (0.0 < self.n < math.inf and 0.0 < self.planned < math.inf and 0.0 < self.tuned_for < 1.0):
            raise ValueError(f"no confidence sequence for {self}")

    @property
    def time(self) -> float:
        """n rho^2, the intrinsic time of the mixture."""
        return self.n / self.planned * tightest(self.tuned_for)

    def level(self, alpha: float) -> float:
        """2 (1 - Phi(z)) with the boundary z at this size."""
        if alpha <= 0.0:
            return 0.0
        time = self.time
        z = math.sqrt((time + 1.0) / time * (math.log1p(time) - 2.0 * math.log(alpha)))
        level = 2.0 * normal_tails(z)[1]
        return level if level >= SMALLEST else 0.0

    def p_value(self, nominal: float) -> float:
        """The least alpha whose sequence excludes the null now: sqrt(n rho^2 + 1) exp(-z^2/2 n rho^2 / (n rho^2 + 1)).

        It refers to this look alone; the smallest of all looks so far is valid too.
        """
        time = self.time
        z = normal_quantile(max(nominal, SMALLEST) / 2.0)
        return min(1.0, math.exp(0.5 * (math.log1p(time) - z * z * time / (time + 1.0))))


def tightest(alpha: float) -> float:
    """n rho^2 at which the boundary of level `alpha` is lowest: the root of x = log(x + 1) - 2 log(alpha)."""
    return -float(lambertw(-alpha * alpha / math.e, -1).real) - 1.0


def ready(control: Summary, variant: Summary) -> bool:
    """Whether both arms have enough for a confidence sequence to speak (docs/methods.md, "Sequential monitoring");
    until then it is NoDecisionYet."""
    return all(_enough(arm) for arm in (control, variant))


def _enough(arm: Summary) -> bool:
    if isinstance(arm, Proportion):
        return min(arm.successes, arm.n - arm.successes) >= EVENTS
    if isinstance(arm, Lifetimes):
        return int(arm.observed.sum()) >= EVENTS
    part = arm.numerator if isinstance(arm, RatioMoments) else arm
    nonzero = part.nonzero if isinstance(part, Moments) else None
    return (part.n if nonzero is None else nonzero) >= NONZERO
