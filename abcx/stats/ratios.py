"""Ratios of two sums, with the unit as the cluster and the variance of the linearized ratio (delta method).

Per arm R = mean(num) / mean(den) and v = var(num - R den) / (n mean(den)^2), with the arm's own R (Deng, Knoblich, Lu
2018; docs/methods.md, "Means and ratios"). Two such estimates are compared as two means are: by Welch's test, and by
Fieller's form of it for the lift.
"""

from __future__ import annotations

import math
from fractions import Fraction

from abcx.notes import Note
from abcx.stats import welch
from abcx.stats.methods import Method
from abcx.stats.records import Contrast, Interval, RatioMoments, no_comparison

METHOD = Method.RATIO
_RESOLUTION = 1e-13
"""A residual variance below this fraction of its terms is their rounding: the ratio is constant."""


def contrast(control: RatioMoments, variant: RatioMoments) -> Contrast:
    """Variant against control, in the unit of the ratio; the lift is a fraction. A note gives the reason where an arm
    has no ratio.
    """
    if control.n == 0 or variant.n == 0:
        return no_comparison(METHOD, Note("no_units"))
    of_control, of_variant = estimate(control), estimate(variant)
    if of_control is None or of_variant is None:
        return no_comparison(METHOD, Note("no_ratio", {"arm": "control" if of_control is None else "variant"}))
    return welch.contrast(of_control, of_variant, METHOD)


def interval(moments: RatioMoments, alpha: float) -> Interval:
    """Student's interval at 1 - `alpha` of the arm's ratio; (None, None) where it does not exist or
    units do not vary.
    """
    arm_estimate = estimate(moments)
    return (None, None) if arm_estimate is None else welch.interval(arm_estimate, alpha)


def value(moments: RatioMoments) -> float | None:
    """The arm's ratio of sums; None without units or where the denominator's mean is not above 0."""
    arm_estimate = estimate(moments)
    return None if arm_estimate is None else arm_estimate.value


def estimate(moments: RatioMoments) -> welch.Estimate | None:
    """The arm's ratio with its linearized standard error; None without units or where the denominator's mean is not
    above 0.
    """
    top, bottom, n = moments.numerator, moments.denominator, moments.n
    if n == 0 or bottom.mean <= 0.0:
        return None
    ratio = top.mean / bottom.mean
    if math.isinf(ratio):
        return None
    terms = (top.variance, ratio * ratio * bottom.variance, -2.0 * ratio * moments.covariance)
    residual = math.fsum(terms)
    if n < 2 or not residual > _RESOLUTION * math.fsum(abs(term) for term in terms):
        residual = 0.0
    error = math.sqrt(residual / n) / bottom.mean
    positive_only = all(low is not None and low >= 0.0 for low in (top.minimum, bottom.minimum))
    # The exact remainder of the division, and those of the means.
    left = float(Fraction(top.mean) - Fraction(ratio) * Fraction(bottom.mean)) + top.low - ratio * bottom.low
    return welch.Estimate(ratio, error, n, positive_only, low=left / bottom.mean)
