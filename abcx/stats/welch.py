"""Welch's test of two estimates with their own variances, for a difference and, in Fieller's form, for a ratio.

With estimates m and variances of the estimates v: T(d) = (m_t - m_c - d) / sqrt(v_t + v_c) and T(r) = (m_t - r m_c) /
sqrt(v_t + r^2 v_c), each referred to Student's t with Satterthwaite's degrees of freedom, df(r) = (v_t + r^2 v_c)^2 /
(v_t^2 / (n_t - 1) + r^4 v_c^2 / (n_c - 1)), computed at each r (Welch 1947; Fieller 1954; docs/methods.md, "Means and
ratios"). At d = 0 and r = 1 the two are the same numbers, so p and both intervals are one inversion.

Units of one arm may also move the other arm's estimate, as in covariate adjustment (covariates.py). Then v_t(r) and
v_c(r), the contributions of each arm's units to the variance of m_t - r m_c, are given as a function of r.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from abcx.notes import Note
from abcx.stats.distributions import t_quantile, t_tails
from abcx.stats.inversion import two_sided
from abcx.stats.methods import Method
from abcx.stats.records import Contrast, Interval, Pivot, no_comparison

Errors = Callable[[float], tuple[float, float]]
"""At a ratio r: the standard errors that control's and variant's units contribute to variant - r x control."""

_SAME = 8.0 * math.ulp(1.0)
"""Two constant arms count as equal when their values differ by less than this fraction: the rounding of two sums."""
_FINEST = 64.0 * math.ulp(1.0)
"""A relative standard error below this is lost to rounding when it is added to 1."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """An arm's mean-like value with its standard error, from `n` units (`n` - 1 degrees of freedom).

    `positive_only` says that no unit's value can be below 0. An error of 0 means that the units do not vary.
    `low` is what the rounding of `value` left out.
    """

    value: float
    error: float
    n: int
    positive_only: bool
    low: float = 0.0


def contrast(control: Estimate, variant: Estimate, method: Method, errors: Errors | None = None) -> Contrast:
    """Variant against control in the estimates' own unit; a degenerate case gets a note instead of a number.

    `errors` is for estimates that are not independent; at r = 1 it gives the estimates' own errors.
    """
    errors = errors or (lambda ratio: (abs(ratio) * control.error, variant.error))
    difference = _distance(control, variant, 1.0, 0.0)
    lift, lift_note = _lift(control, variant)
    if not math.isfinite(difference):
        return no_comparison(method, Note("too_large"))

    def without_test(code: str, p_value: float | None = None) -> Contrast:
        return Contrast(method, difference, lift, None, None, p_value, (Note(code),), lift_note)

    if min(control.n, variant.n) < 2:
        return without_test("one_unit")
    if control.error == 0.0 and variant.error == 0.0:
        if abs(difference) <= _SAME * max(abs(control.value), abs(variant.value)):
            return without_test("same_value", 1.0)
        return without_test("no_spread")
    difference_pivot = Pivot(
        estimate=difference,
        null=0.0,
        low=-math.inf,
        high=math.inf,
        scale=math.hypot(*errors(1.0)),
        error=math.hypot(*errors(1.0)),
        tails=lambda d: _tails(control, variant, errors, 1.0, d),
    )
    ratio_pivot, lift_note = _ratio_pivot(control, variant, errors, lift, lift_note)
    return Contrast(
        method=method,
        difference=difference,
        lift=lift,
        difference_pivot=difference_pivot,
        ratio_pivot=ratio_pivot,
        p_value=two_sided(difference_pivot, 0.0),
        lift_note=lift_note,
    )


def interval(estimate: Estimate, alpha: float) -> Interval:
    """Student's interval at 1 - `alpha` of one arm's value; (None, None) below two units or where the units do not
    vary.
    """
    if estimate.n < 2 or estimate.error == 0.0:
        return None, None
    reach = t_quantile(1.0 - alpha / 2.0, estimate.n - 1.0) * estimate.error
    return estimate.value - reach, estimate.value + reach


def _lift(control: Estimate, variant: Estimate) -> tuple[float | None, Note | None]:
    if control.value <= 0.0:
        return None, Note("no_lift_at_zero" if control.value == 0.0 else "no_lift_below_zero")
    ratio = variant.value / control.value
    if math.isinf(ratio):
        return None, Note("no_lift_near_zero")
    return ratio - 1.0, None


def _ratio_pivot(
    control: Estimate, variant: Estimate, errors: Errors, lift: float | None, lift_note: Note | None
) -> tuple[Pivot | None, Note | None]:
    """Fieller's family of tests where a lift exists, else None; and the note of the lift."""
    if lift is None:
        return None, lift_note
    positive_only = control.positive_only and variant.positive_only
    if positive_only and variant.value == 0.0:
        # T(r) would be the same for every r > 0: the interval would be the point -100 % or everything.
        return None, Note("no_lift_interval_all_zero")
    ratio = variant.value / control.value
    scale = math.hypot(*errors(ratio)) / control.value
    if not 0.0 < scale < math.inf:
        return None, Note("no_lift_interval_near_zero")
    if scale < _FINEST:
        return None, Note("no_lift_interval_fine")
    pivot = Pivot(
        estimate=ratio,
        null=1.0,
        low=0.0 if positive_only else -math.inf,
        high=math.inf,
        scale=scale,
        error=scale,
        tails=lambda r: _tails(control, variant, errors, r, 0.0),
    )
    return pivot, lift_note


def _distance(control: Estimate, variant: Estimate, ratio: float, difference: float) -> float:
    """variant - ratio x control - difference."""
    return (variant.value - ratio * control.value - difference) + (variant.low - ratio * control.low)


def _tails(
    control: Estimate, variant: Estimate, errors: Errors, ratio: float, difference: float
) -> tuple[float, float]:
    """Both tails of the test of "variant = ratio x control + difference"."""
    distance = _distance(control, variant, ratio, difference)
    from_control, from_variant = errors(ratio)
    error = math.hypot(from_control, from_variant)
    if error == 0.0:  # ratio 0 and a variant that does not vary
        return t_tails(math.copysign(math.inf, distance), 1.0) if distance else (1.0, 1.0)
    return t_tails(distance / error, degrees(from_control / error, from_variant / error, control.n, variant.n))


def degrees(of_control: float, of_variant: float, n: int, m: int) -> float:
    """Satterthwaite's degrees of freedom from the arms' parts of the standard error, with arms of `n` (control) and `m`
    units.

    The parts are fractions whose squares sum to 1, so neither large nor small values overflow.
    """
    return 1.0 / (of_variant**4 / (m - 1) + of_control**4 / (n - 1))
