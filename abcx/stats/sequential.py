"""Sequential monitoring: the map between an overall level and the level of the ordinary test at the current analysis.

However often an experiment is analyzed, its numbers come from the same fixed test; only the level changes. At this
analysis an overall two-sided alpha becomes a nominal `level(alpha)`: the repeated confidence interval (Jennison,
Turnbull 1989; 2000, chapter 9) is the ordinary interval at that level, and the repeated p-value is the smallest overall
alpha at which the ordinary p would be significant. So p_value(p) < alpha exactly when p < level(alpha) exactly when the
interval excludes the null, for every metric and method, and multiplicity is corrected on the overall scale as always.
`TwoSidedRule` judges harm and win by different rules.
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
"""A level below this counts as 0, which no p-value is below, and a smaller p-value counts as this value."""
_PRECISION = 1e-13
"""Relative accuracy of repeated p-values."""


class Monitoring(Protocol):
    """A rule that corrects for repeated analyses. Levels and p-values are two-sided."""

    def level(self, alpha: float) -> float:
        """The level of the ordinary test at this analysis, increasing with the overall `alpha` (0 < alpha < 1).

        0.0 where no result could be significant.
        """
        ...

    def p_value(self, nominal: float) -> float:
        """The overall p-value for an ordinary p of `nominal`: below alpha exactly when `nominal` is
        below level(alpha).
        """
        ...


@dataclass(frozen=True, slots=True)
class Fixed:
    """A single analysis, or several without correction: the ordinary test."""

    def level(self, alpha: float) -> float:
        """`alpha` itself."""
        return alpha

    def p_value(self, nominal: float) -> float:
        """`nominal` itself."""
        return nominal


@dataclass(frozen=True, slots=True)
class NoDecisionYet:
    """Nothing is judged at this analysis and no alpha is spent: too few events, or a win that is judged at the end
    only.
    """

    def level(self, alpha: float) -> float:
        """0.0: no result is significant."""
        return 0.0

    def p_value(self, nominal: float) -> float:
        """1.0 for every result."""
        return 1.0


@dataclass(frozen=True, slots=True)
class GroupSequential:
    """Group sequential monitoring with Lan-DeMets spending (1983): valid unless the times of analyses depend on the
    results.

    `information` holds units / planned units at every analysis so far, this one last; it must be positive and increase.
    Only this analysis may have reached 1 (above 1 is allowed, and better than capping it): it is then the final one and
    gets all alpha that is left. Analyses that were planned and not made are not in it. `gamma` in [-100, 100] is for
    hwang_shih_decani alone. Raises ValueError outside these ranges.
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
        """Whether the planned size is reached, so that no alpha is left for another analysis."""
        return self.information[-1] >= 1.0

    def level(self, alpha: float) -> float:
        """The nominal level of this analysis: P(|Z| >= its boundary) for the overall `alpha`; 0.0 below `SMALLEST`."""
        nominal = min(alpha, self._tails(alpha)) if alpha > 0.0 else 0.0
        return nominal if nominal >= SMALLEST else 0.0

    def p_value(self, nominal: float) -> float:
        """The overall alpha whose boundary at this analysis is the ordinary result, searched on the logarithmic scale.

        The level of an analysis lies between the alpha newly spent on it and all that is spent so far. So the alpha
        that would have spent `nominal` by now is a lower end of the search, and the upper end is not far above.
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
        """P(|Z| >= the boundary of this analysis)."""
        return 2.0 * normal_tails(boundaries(self.information, alpha, self.spending, self.gamma)[-1])[1]


@dataclass(frozen=True, slots=True)
class TwoSidedRule:
    """One rule for claims that the variant is above the control, and one for claims that it is below.

    Each rule keeps its own side's error at half of alpha, so both together keep alpha. Hybrid monitoring (harm at any
    time, win at the end) of a metric that should increase is TwoSidedRule(above=<win>, below=<harm>), of one that
    should decrease TwoSidedRule(above=<harm>, below=<win>), where <harm> is an AlwaysValid and <win> is Fixed() once
    the planned end is reached and NoDecisionYet() before. Any other monitoring m is TwoSidedRule(m, m).

    A claim of "above" is made by the lower end of the interval, so `above` gives the level of the lower end and `below`
    that of the upper end.
    """

    above: Monitoring
    below: Monitoring

    def levels(self, alpha: float) -> tuple[float, float]:
        """Two-sided nominal levels of the lower and of the upper end of an interval; an end with level 0.0 is open."""
        return self.above.level(alpha), self.below.level(alpha)

    def p_value(self, contrast: Contrast) -> float | None:
        """The overall two-sided p, by the rule of the side on which the estimate lies; None where there is no test."""
        if contrast.p_value is None:
            return None
        rule = self.below if contrast.difference is not None and contrast.difference < 0.0 else self.above
        return rule.p_value(contrast.p_value)

    def one_sided(self, p: float, claim: Literal["above", "below"]) -> float:
        """The overall p-value of a one-sided test whose small `p` supports `claim`, such as that of a guardrail's
        margin.
        """
        rule = self.above if claim == "above" else self.below
        return max(p, 0.5 * rule.p_value(min(1.0, 2.0 * p)))

    def effect(self, contrast: Contrast, alpha: float) -> Effect:
        """`inversion.effect` under monitoring: the repeated p-value and repeated intervals at the overall level
        `alpha`.

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
    """The monitoring as a `TwoSidedRule`, with the same rule on both sides unless it already has two."""
    return monitoring if isinstance(monitoring, TwoSidedRule) else TwoSidedRule(monitoring, monitoring)


def rising_root(f: Callable[[float], float], low: float, high: float) -> float:
    """Where an increasing function passes 0 between f(low) <= 0 and f(high) >= 0, by false position
    (Illinois variant).
    """
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
