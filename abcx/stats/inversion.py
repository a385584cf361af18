"""Inversion of tests: one family of tests gives the p-value, the interval of the difference and that of the lift.

The order is that of docs/methods.md, "One inversion": p at the null first; if it is below alpha, the end on the null's
side is searched between the null (rejected) and the estimate (accepted), otherwise both ends are searched from the null
and the estimate outward. So an end never crosses the null, and "p < alpha" and "the interval excludes the null" cannot
disagree, even where the acceptance set of an exact test has a gap.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Literal

from abcx.notes import Note
from abcx.stats.distributions import normal_quantile
from abcx.stats.records import Contrast, Effect, Interval, Pivot

_RELATIVE = 1e-11
"""An end is accurate to this fraction of its distance from the null (of itself, if it is a ratio below one half) ..."""
_OF_SCALE = 1e-15
"""... but never finer than this fraction of the standard error."""
_EPSILON = math.ulp(1.0)
_SMALLEST = 1e-300
"""Smaller p-values count as this value in the search, where only their order matters."""
_DRAWN = 0.001
"""How far the secant is drawn toward the middle of the bracket; Oliveira and Takahashi's kappa 1."""
_CLOSING = 0.75
"""A test keeps this fraction of the tolerance from the ends of the bracket: below 1, so that it can close it."""
_FAR_DOUBLINGS = 64
"""Maximum doublings of the first step of a search on the whole line (2e19 standard errors)."""
_UNBOUNDED = Note("unbounded")
"""The note of a difference whose interval is open."""
_FAR_LOG = 300.0
"""A search among positive numbers gives up after a factor of exp(300)."""


def two_sided(pivot: Pivot, at: float) -> float:
    """The two-sided p-value of "the parameter is `at`", min(1, 2 min(P(T* <= t), P(T* >= t))), in [0, 1]."""
    return min(1.0, 2.0 * min(pivot.tails(at)))


def one_sided(pivot: Pivot, at: float, harm: Literal["above", "below"]) -> float:
    """The one-sided p-value of "the harm is at least the margin `at`": small where harm beyond the margin is excluded.

    `at` is on the pivot's scale (a difference, or 1 + lift), and `harm` says on which side of it the harm lies. The
    tails are those of the two-sided test, so the p-value is below alpha / 2 where the two-sided interval at alpha ends
    before the margin. (An exact test whose acceptance set has a gap can disagree within that gap, which is narrower
    than the effect of one event: verdicts read the interval.)
    """
    if at < pivot.low:
        return 1.0 if harm == "above" else 0.0
    if at > pivot.high:
        return 0.0 if harm == "above" else 1.0
    below, above = pivot.tails(at)
    return min(1.0, below if harm == "above" else above)


def interval(pivot: Pivot, alpha: float) -> Interval:
    """The closed interval of values that the test at two-sided level `alpha` accepts, with its ends inside [low, high].

    An end that is not reached is the domain's bound where that is finite, else None. Every end returned was accepted by
    the test, except that the estimate is accepted without a test. The ends are searched by the ITP method (Oliveira,
    Takahashi 2020).
    """
    line = _Line(pivot, alpha)
    null, estimate = pivot.null, pivot.estimate
    if line.accepts(null):
        center = null if estimate is None else estimate
        low = line.outward(min(null, center), -1)
        return low, (None if estimate is None else line.outward(max(null, center), +1))
    if estimate is None:  # infinite: nothing bounds it above
        return line.inward(None, +1), None
    if estimate > null:
        return line.inward(estimate, +1), line.outward(estimate, +1)
    return line.outward(estimate, -1), line.inward(estimate, -1)


def effect(contrast: Contrast, alpha: float) -> Effect:
    """The effect at two-sided level `alpha` (0 < alpha < 1): p and the intervals of difference and lift, from the same
    tests.

    The lift is a fraction. Notes are added where an interval is open, and the lift is None where the control mean's own
    interval contains 0 and values can be negative (Fieller's set is then unbounded).
    """
    difference = interval(contrast.difference_pivot, alpha) if contrast.difference_pivot is not None else None
    lift, note, pivot = contrast.lift, contrast.lift_note, contrast.ratio_pivot
    ratio = interval(pivot, alpha) if pivot is not None else None
    notes = contrast.notes
    if difference is not None and None in difference:
        notes = (_UNBOUNDED, *notes)
    if pivot is not None and ratio is not None and None in ratio and lift is not None:
        if math.isinf(pivot.low):
            # Fieller's set on the whole line is bounded exactly when the control mean's own interval excludes 0.
            lift = ratio = None
            note = note or Note("no_lift_control_open")
        else:
            note = note or Note("lift_unbounded")
    return Effect(
        method=contrast.method,
        difference=contrast.difference,
        difference_interval=difference,
        lift=lift,
        lift_interval=None if ratio is None else (_less_one(ratio[0]), _less_one(ratio[1])),
        p_value=contrast.p_value,
        alpha=alpha,
        notes=notes,
        lift_note=note,
    )


def _less_one(ratio: float | None) -> float | None:
    return None if ratio is None else ratio - 1.0


class _Line:
    """The domain of a pivot with the test's decision at one level.

    A domain without negative numbers around a positive null (a ratio) is searched by factors instead of steps: swapping
    the arms then visits the reciprocals, and the lift of the swapped comparison is the mirror image.
    """

    def __init__(self, pivot: Pivot, alpha: float) -> None:
        self.pivot = pivot
        self.alpha = alpha
        self.positive = pivot.low >= 0.0 < pivot.null
        reference = pivot.estimate if self.positive and pivot.estimate else pivot.null
        self.first = pivot.scale / reference if self.positive else pivot.scale
        self.critical = -normal_quantile(0.5 * alpha)
        self.excess = cache(self._excess)

    def accepts(self, at: float) -> bool:
        return self.excess(at) >= 0.0

    def outward(self, start: float, side: int) -> float | None:
        """The last accepted point from the accepted `start` toward `side` (-1 down, +1 up)."""
        bound = self.pivot.low if side < 0 else self.pivot.high
        inside, outside = self._march(start, side, bound, lambda at: not self.accepts(at))
        if outside is None:
            if math.isinf(bound):
                return None
            if inside == bound or self.accepts(bound):
                return bound
            outside = bound
        return self._bisect(inside, outside)

    def inward(self, estimate: float | None, side: int) -> float:
        """The accepted point next to the rejected null, on the side of the accepted `estimate` (None: infinite)."""
        null = self.pivot.null
        if estimate is not None and not (self.positive and estimate == 0.0):
            return self._bisect(estimate, null)
        # The estimate is 0 or infinite: out of reach of halving factors, so march there until a test accepts.
        bound = math.inf if estimate is None else estimate
        outside, inside = self._march(null, side, bound, self.accepts)
        if inside is None:
            return outside if estimate is None else estimate
        return self._bisect(inside, outside)

    def _march(
        self, start: float, side: int, bound: float, stops: Callable[[float], bool]
    ) -> tuple[float, float | None]:
        """Doubling steps from `start` strictly inside `bound`: (last point before `stops` is true, first point where it
        is, or None).
        """
        # A standard error below the resolution of the estimate must not use up the doublings without moving.
        last, step = start, max(self.first, 4.0 * (_EPSILON if self.positive else math.ulp(start)))
        for _ in range(_FAR_DOUBLINGS):
            at = last * math.exp(side * min(step, _FAR_LOG)) if self.positive else last + side * step
            if (at - bound) * side >= 0 or math.isinf(at):
                break
            if stops(at):
                return last, at
            if self.positive and abs(math.log(at / start)) >= _FAR_LOG:
                return at, None
            last, step = at, 2.0 * step
        return last, None

    def _bisect(self, inside: float, outside: float) -> float:
        """Narrows down the end between an accepted and a rejected point; returns the accepted side of it.

        By the ITP method (Oliveira, Takahashi 2020, ACM TOMS 47:5): the secant, drawn toward the middle and never far
        from it, so that a smooth p takes about half a dozen tests and a p with steps hardly more than halving. No test
        is nearer to an end than most of the tolerance: where the secant has come that close, the next test closes the
        bracket. Ratios are narrowed on their logarithm: swapped arms visit the reciprocals.
        """
        logs = self.positive and inside > 0.0 and outside > 0.0
        a, b = (math.log(inside), math.log(outside)) if logs else (inside, outside)
        above, below = max(self.excess(inside), 0.0), min(self.excess(outside), 0.0)
        first = abs(b - a)
        goal = 0.5 * self._tolerance(inside) / (inside if logs else 1.0)
        left = math.ceil(math.log2(max(first / (2.0 * goal), 1.0))) + 1
        while abs(inside - outside) > self._tolerance(inside):
            middle, half = a + 0.5 * (b - a), 0.5 * abs(b - a)
            secant = a + (b - a) * above / (above - below) if above > below else middle
            near = _CLOSING * self._tolerance(inside) / (inside if logs else 1.0)
            reach = min(max(goal * 2.0**left - half, 0.0), max(half - near, 0.0))
            at = min(max(self._toward(secant, middle, b - a, first), middle - reach), middle + reach)
            left -= 1
            point = math.exp(at) if logs else at
            if not min(inside, outside) < point < max(inside, outside):
                point = math.sqrt(inside) * math.sqrt(outside) if logs else inside + 0.5 * (outside - inside)
                at = math.log(point) if logs else point
                if not min(inside, outside) < point < max(inside, outside):  # neighbors: nothing lies between
                    break
            excess = self.excess(point)
            if excess >= 0.0:
                inside, a, above = point, at, excess
            else:
                outside, b, below = point, at, excess
        return inside

    @staticmethod
    def _toward(secant: float, middle: float, width: float, first: float) -> float:
        """The secant's root moved toward the middle by kappa width^2 / first width."""
        step = _DRAWN * width * width / first
        if step >= abs(middle - secant):
            return middle
        return secant + math.copysign(step, middle - secant)

    def _excess(self, at: float) -> float:
        """By how much |z| of the p-value falls short of the critical value: nearly a straight line where p is smooth.

        At least 0 where the test accepts and below 0 where it rejects, whatever rounding does.
        """
        p = two_sided(self.pivot, at)
        excess = self.critical + normal_quantile(0.5 * max(p, _SMALLEST))
        return max(excess, 0.0) if p >= self.alpha else min(excess, -_EPSILON)

    def _tolerance(self, at: float) -> float:
        away = abs(at - self.pivot.null)
        if self.positive:
            return _RELATIVE * min(at, away) + _OF_SCALE * min(at, self.pivot.scale)
        return _RELATIVE * away + _OF_SCALE * self.pivot.scale
