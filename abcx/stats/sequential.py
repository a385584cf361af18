"""Monitoring: the map between an overall level and the level of the ordinary test at this look.

However often an experiment is looked at, its numbers come from the same fixed test as without looks; only the level
changes. At this look an overall two-sided alpha becomes a nominal `level(alpha)`: the repeated confidence interval
(Jennison, Turnbull 1989; 2000, chapter 9) is the ordinary interval at that level, and the repeated p-value is the
smallest overall alpha at which the ordinary p would be significant. So p_value(p) < alpha exactly when p < level(alpha)
exactly when the interval excludes the null, for every metric and method, and multiplicity is corrected on the overall
scale as always. `Sided` judges harm and win by different rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from abcx.stats.distributions import normal_tails
from abcx.stats.inversion import effect
from abcx.stats.records import Contrast, Effect, Interval
from abcx.stats.spending import Spending, alpha_spending, boundaries, check_information

SMALLEST = 1e-290
"""A level below this counts as 0, which nothing can reach, and a p-value below it counts as this."""
_PRECISION = 1e-13
"""Repeated p-values are known to this fraction of themselves."""


class Monitoring(Protocol):
    """How looks during the run are paid for. Levels and p-values are two-sided."""

    def level(self, alpha: float) -> float:
        """The level of the ordinary test at this look, increasing with the overall `alpha` (0 < alpha < 1).

        0.0 where nothing could be significant.
        """
        ...

    def p_value(self, nominal: float) -> float:
        """The overall p for an ordinary p of `nominal`: below alpha exactly when `nominal` is below level(alpha)."""
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """One look, or looks that are not paid for: the ordinary test."""

    def level(self, alpha: float) -> float:
        return alpha

    def p_value(self, nominal: float) -> float:
        return nominal


@dataclass(frozen=True, slots=True)
class NoDecisionYet:
    """Nothing is judged at this look, and no alpha is used: too few events, or a win that is judged at the end only."""

    def level(self, alpha: float) -> float:
        return 0.0

    def p_value(self, nominal: float) -> float:
        return 1.0


@dataclass(frozen=True, slots=True)
class GroupSequential:
    """Planned or unplanned looks with Lan-DeMets spending (1983): valid as long as nobody times a look by its result.

    `information` holds units / planned units at every look so far, this one last; it must increase. Only this look may
    have reached 1 (above 1 is fine, and better than capping it): it is then the final one and gets all alpha that is
    left. Looks that were planned and not made are not in it. `gamma` is for hwang_shih_decani alone.
    """

    information: tuple[float, ...]
    spending: Spending = "obrien_fleming"
    gamma: float = -4.0

    def __post_init__(self) -> None:
        check_information(self.information)
        if not abs(self.gamma) <= 100.0:
            raise ValueError(f"gamma must lie between -100 and 100, not {self.gamma}")

    @property
    def final(self) -> bool:
        """Whether the planned size is reached, so that no alpha is left for another look."""
        return self.information[-1] >= 1.0

    def level(self, alpha: float) -> float:
        nominal = min(alpha, self._tails(alpha)) if alpha > 0.0 else 0.0
        return nominal if nominal >= SMALLEST else 0.0

    def p_value(self, nominal: float) -> float:
        """The alpha whose boundary at this look is the ordinary result, found on the scale of logarithms.

        A look's level lies between what is newly spent on it and all that is spent so far. So the alpha that would have
        spent `nominal` by now is a lower end of the search, and the upper end is not far.
        """
        nominal = max(nominal, SMALLEST)
        if nominal >= self.level(1.0):
            return 1.0
        goal = math.log(nominal)

        def excess(log_alpha: float) -> float:
            return math.log(max(self._tails(min(1.0, math.exp(log_alpha))), 1e-307)) - goal

        low = min(0.0, math.log(alpha_spending(nominal, self.information[-1], self.spending, self.gamma)) - 1e-12)
        step, high = 0.25, min(0.0, low + 0.25)
        while high < 0.0 and excess(high) < 0.0:
            step *= 2.0
            low, high = high, min(0.0, high + step)
        return min(1.0, max(nominal, math.exp(rising_root(excess, low, high))))

    def _tails(self, alpha: float) -> float:
        """P(|Z| >= the boundary of this look)."""
        return 2.0 * normal_tails(boundaries(self.information, alpha, self.spending, self.gamma)[-1])[1]


@dataclass(frozen=True, slots=True)
class TwoSidedRule:
    """One rule for claims that the variant is above the control, another for claims that it is below.

    Each rule keeps its own side's error at half of alpha, so both together keep alpha. Hybrid monitoring (harm at any
    time, win at the end) of a metric that should increase is TwoSidedRule(above=<win>, below=<harm>), of one that
    should decrease TwoSidedRule(above=<harm>, below=<win>), where <harm> is an AlwaysValid and <win> is Fixed() once
    the planned end is reached and NoDecisionYet() before. Any other monitoring m is TwoSidedRule(m, m).

    A claim of "above" is made by the lower end of the interval, so `above` rules the lower end and `below` the upper.
    """

    above: Monitoring
    below: Monitoring

    def levels(self, alpha: float) -> tuple[float, float]:
        """Two-sided nominal levels of the lower and of the upper end of an interval; 0.0 is an end that stays open."""
        return self.above.level(alpha), self.below.level(alpha)

    def p_value(self, contrast: Contrast) -> float | None:
        """The overall two-sided p, by the rule of the side on which the estimate lies; None where there is no test."""
        if contrast.p_value is None:
            return None
        rule = self.below if contrast.difference is not None and contrast.difference < 0.0 else self.above
        return rule.p_value(contrast.p_value)

    def one_sided(self, p: float, claim: Literal["above", "below"]) -> float:
        """The overall p of a one-sided test whose small p claims `claim`, such as that of a guardrail's margin."""
        rule = self.above if claim == "above" else self.below
        return max(p, 0.5 * rule.p_value(min(1.0, 2.0 * p)))

    def effect(self, contrast: Contrast, alpha: float) -> Effect:
        """`inversion.effect` under monitoring: repeated p and repeated intervals at the overall level `alpha`.

        Each end is that of the ordinary interval at its own side's level, and None where that level is 0. The repeated
        p is below alpha exactly when the interval of the difference excludes 0, and that of the lift where it exists.
        """
        lower, upper = self.levels(alpha)
        at_lower, at_upper = lower or upper or alpha, upper or lower or alpha
        from_lower = effect(contrast, at_lower)
        from_upper = from_lower if at_upper == at_lower else effect(contrast, at_upper)

        def ends(low: Interval | None, high: Interval | None) -> Interval | None:
            if low is None or high is None:
                return None
            return low[0] if lower else None, high[1] if upper else None

        return replace(
            from_lower,
            difference_interval=ends(from_lower.difference_interval, from_upper.difference_interval),
            lift=None if from_upper.lift is None else from_lower.lift,
            lift_interval=ends(from_lower.lift_interval, from_upper.lift_interval),
            p_value=self.p_value(contrast),
            alpha=alpha,
            lift_note=from_lower.lift_note or from_upper.lift_note,
        )


def sided(monitoring: Monitoring | TwoSidedRule) -> TwoSidedRule:
    """Every kind of monitoring in the shape that has a rule for each side."""
    return monitoring if isinstance(monitoring, TwoSidedRule) else TwoSidedRule(monitoring, monitoring)


def rising_root(f: Callable[[float], float], low: float, high: float) -> float:
    """Where an increasing function passes 0 between f(low) <= 0 and f(high) >= 0: false position, Illinois variant."""
    f_low, f_high, side = f(low), f(high), 0
    if f_low >= 0.0:
        return low
    if f_high <= 0.0:
        return high
    for _ in range(200):
        at = (low * f_high - high * f_low) / (f_high - f_low)
        if not low < at < high:
            at = 0.5 * (low + high)
        value = f(at)
        if value == 0.0 or high - low <= _PRECISION:
            return at
        if value > 0.0:
            high, f_high, f_low, side = at, value, f_low * (0.5 if side == 1 else 1.0), 1
        else:
            low, f_low, f_high, side = at, value, f_high * (0.5 if side == -1 else 1.0), -1
        if abs(value) <= _PRECISION:
            return at
    return 0.5 * (low + high)
