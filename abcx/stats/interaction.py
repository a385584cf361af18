"""Whether several effects differ by more than chance: Cochran's (1954) Q over independent estimates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from abcx.stats.distributions import chi_square_tail, normal_quantile
from abcx.stats.inversion import interval
from abcx.stats.records import Contrast, Pivot

_ALPHA = 0.05
"""Level of the intervals that standard errors are taken from."""


def heterogeneity(estimates: Sequence[float], errors: Sequence[float]) -> float | None:
    """The p-value of "all estimates have the same true value", by Cochran's Q; None for fewer than two estimates or an
    error that is not positive and finite.

    `errors` are the standard errors of the `estimates`. Q = sum w (x - mean)^2 with w = 1 / error^2 and the mean
    weighted by w, chi-square with one degree of freedom less than there are estimates.
    """
    if len(estimates) < 2 or any(not 0.0 < error < math.inf for error in errors):
        return None
    weights = [error**-2 for error in errors]
    mean = math.fsum(w * x for w, x in zip(weights, estimates, strict=True)) / math.fsum(weights)
    q = math.fsum(w * (x - mean) ** 2 for w, x in zip(weights, estimates, strict=True))
    return chi_square_tail(q, len(estimates) - 1)


def of_contrasts(contrasts: Sequence[Contrast]) -> float | None:
    """The p-value of "the effect is the same in all contrasts", which compare disjoint units; None where an estimate is
    missing or its interval is open.

    On the logarithm of the ratio where all contrasts have one with an interval of two positive ends, so that an equal
    lift in all of them is no interaction; else on the difference. The standard error of an estimate is that of its
    pivot; where that has none (shares, quantiles) half the width of its 95 % interval over 1.96.
    """
    scales: tuple[tuple[list[Pivot | None], Callable[[float], float]], ...] = (
        ([contrast.ratio_pivot for contrast in contrasts], math.log),
        ([contrast.difference_pivot for contrast in contrasts], float),
    )
    for pivots, scale in scales:
        known = [estimate for pivot in pivots if (estimate := _estimated(pivot, scale)) is not None]
        if len(known) == len(contrasts):
            return heterogeneity([estimate for estimate, _ in known], [error for _, error in known])
    return None


def _estimated(pivot: Pivot | None, scale: Callable[[float], float]) -> tuple[float, float] | None:
    """The estimate of a pivot and its standard error on a `scale`; None where either does not exist."""
    if pivot is None or pivot.estimate is None:
        return None
    if scale is math.log and pivot.estimate <= 0.0:
        return None
    if pivot.error is not None:
        return scale(pivot.estimate), pivot.error / (pivot.estimate if scale is math.log else 1.0)
    low, high = interval(pivot, _ALPHA)
    if low is None or high is None or (scale is math.log and low <= 0.0):
        return None
    return scale(pivot.estimate), (scale(high) - scale(low)) / (2.0 * normal_quantile(1.0 - _ALPHA / 2.0))
