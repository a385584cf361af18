"""Adjustment for covariates known before exposure (CUPED), which removes the variance that they explain.

Both arms have one least-squares slope theta of the outcome y on the covariates x, pooled within the arms (analysis of
covariance); their values are read at the covariates' mean over all units (Deng, Xu, Kohavi, Walker 2013, "CUPED"):

    theta = (S_xx,c + S_xx,t)^-1 (S_xy,c + S_xy,t),    m_a = mean_a(y) - theta' (mean_a(x) - mean(x))

Difference, lift and p come from Welch's test of the adjusted values and Fieller's form of it, with the covariance of
the two (slopes.py has the formulas), at n_a - 1 - k degrees of freedom. The lift is m_t / m_c - 1: both means are
adjusted, never only their difference. A slope for each arm (Lin 2013) saves as much variance and is not used: a few
outlying units determine the slope of the smaller arm. With a lognormal covariate (sigma 2.5), 900 v 100 units and a
classical error, 6.7 % of A/A tests are beyond one limit and 1.5 % beyond the other (2.5 % nominal; 2.8 and 2.2 % with
one slope, docs/methods.md, "Leverage in covariates"). For ratios of sums numerator and denominator are adjusted
separately, R_a = m_num / m_den, and linearized (delta method; Deng et al. 2013, appendix B; Deng, Knoblich, Lu 2018).

Shares are means of 0 and 1. The score test cannot be adjusted from moments: where events are few, or fewer than the
split requires, the unadjusted test of shares is used instead, and a note says so.

A covariate must be known before exposure; adjusting for one that the variant can change removes part of the effect. The
caller replaces missing values: by any constant (say the mean of the others), with a 0/1 column that marks them. Columns
that do not vary in one of the arms, or repeat earlier ones, are left out, and so are columns of 0 and 1 where an arm
expects fewer than 10 units with the rarer value. If the covariates together increase the variance, all of them are left
out, and a note says so.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from abcx.notes import Note
from abcx.stats import means, ratios, shares, slopes, welch
from abcx.stats.methods import Method
from abcx.stats.records import Contrast, CrossMoments, Moments, Proportion, RatioMoments

Kind = Literal["mean", "share", "ratio"]
"""What the outcome is: a mean, a share (values 0 and 1), or a ratio of sums (two outcome columns)."""

METHOD = Method.WELCH_ADJUSTED
_NEW = 1e-8
"""A covariate is left out if less than this fraction of its variance in an arm is independent of the earlier ones."""
_CONSTANT = 1e-14
"""A standard deviation below this fraction of the mean is the rounding of equal values, not a spread."""
EXPECTED = 10.0
"""A 0/1 covariate is left out if an arm expects fewer units than this with its rarer value. At a correlation of .9 and
20 % missing, 95 % intervals of 180 v 20 units cover 93.0 % with the column that marks missing values, 95.3 % without it
(2,000 samples); from 10 missing values on it makes no difference.
"""
_WHOLE = 1e-9
"""A column whose variance is that of a share at its mean, to this fraction, consists of 0 and 1."""
_SKEWED = 0.13
"""A difference of shares with more skewness than this is not adjusted: in A/A tests at 90:10 one tail of Welch's test
has 3.5 % at .12 (the smaller arm expects 40 events), 4.2 % at .15 (30 events), 5.1 % at .24 (12 events)."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Both adjusted estimates with the errors of their contrasts, from the covariates in the columns `used`.

    `used` counts columns of `CrossMoments`, outcomes included. The estimates' `n` is units less covariates.
    """

    control: welch.Estimate
    variant: welch.Estimate
    errors: welch.Errors
    used: tuple[int, ...]


def contrast(control: CrossMoments, variant: CrossMoments, kind: Kind, nonnegative: bool) -> Contrast:
    """Variant against control at the same covariates, in the outcome's own unit; where that is not possible, the
    unadjusted comparison with a note.

    Both arms have the same columns: the outcome (two for a ratio), then the covariates. `nonnegative` says that no
    outcome of a unit is below 0 (for a ratio: neither of the two).
    """
    estimates = fitted(control, variant, kind, nonnegative)
    if isinstance(estimates, Fitted):
        return welch.contrast(estimates.control, estimates.variant, METHOD, estimates.errors)
    return not_adjusted(_unadjusted(control, variant, kind, nonnegative), estimates)


def not_adjusted(plain: Contrast, reason: Note) -> Contrast:
    """The unadjusted comparison `plain` with a note that gives the `reason`."""
    return replace(plain, notes=(*plain.notes, reason))


def _not_adjusted_note(reason: str, covariates: int = 0) -> Note:
    return Note("not_adjusted", {"reason": reason, "covariates": covariates})


def saved(control: CrossMoments, variant: CrossMoments, kind: Kind, nonnegative: bool) -> float | None:
    """The fraction of the difference's variance that the covariates remove, below 1; None where `contrast` is not
    adjusted.

    0.3 is worth as much as 1 / (1 - 0.3) times the units.
    """
    estimates = fitted(control, variant, kind, nonnegative)
    return _saved(control, variant, kind, estimates) if isinstance(estimates, Fitted) else None


def _saved(control: CrossMoments, variant: CrossMoments, kind: Kind, estimates: Fitted) -> float | None:
    before = _estimates(control, variant, kind, False, ())
    if isinstance(before, Note) or not (without := math.hypot(*before.errors(1.0))) > 0.0:
        return None
    return 1.0 - (math.hypot(*estimates.errors(1.0)) / without) ** 2


def fitted(control: CrossMoments, variant: CrossMoments, kind: Kind, nonnegative: bool) -> Fitted | Note:
    """Both adjusted estimates, or the reason why there are none."""
    used = _usable(control, variant, 2 if kind == "ratio" else 1)
    if not used:
        return _not_adjusted_note("nothing_varies")
    if min(control.n, variant.n) <= len(used) + 2:
        return _not_adjusted_note("few_units", len(used))
    if kind == "share" and _few_events(_proportion(control), _proportion(variant)):
        return _not_adjusted_note("few_events")
    estimates = _estimates(control, variant, kind, nonnegative or kind == "share", used)
    if isinstance(estimates, Note):
        return estimates
    arms = estimates.control, estimates.variant
    if all(arm.error == 0.0 for arm in arms):
        return _not_adjusted_note("no_error")
    if any((arm.positive_only and arm.value < 0.0) or (kind == "share" and arm.value > 1.0) for arm in arms):
        return _not_adjusted_note("impossible_value")
    gain = _saved(control, variant, kind, estimates)
    if gain is not None and gain <= 0.0:
        return _not_adjusted_note("no_gain", len(used))
    return estimates


def _few_events(control: Proportion, variant: Proportion) -> bool:
    """Whether the difference of shares is far from normal: few events in an arm, or a skewness that the arms' sizes do
    not cancel, (1 - 2p) / sqrt(p (1 - p)) (1 / n - 1 / m) / sqrt(1 / n + 1 / m) at the pooled share p."""
    if shares.few_events(control, variant):
        return True
    share = (control.successes + variant.successes) / (control.n + variant.n)
    of_split = abs(1.0 / control.n - 1.0 / variant.n) / math.sqrt(1.0 / control.n + 1.0 / variant.n)
    return abs(1.0 - 2.0 * share) * of_split > _SKEWED * math.sqrt(share * (1.0 - share))


def _usable(control: CrossMoments, variant: CrossMoments, outcomes: int) -> tuple[int, ...]:
    """The columns of covariates that are new in both arms, given the earlier ones (elimination in order)."""
    left = [np.array(arm.covariance, float) for arm in (control, variant)]
    own = [np.diag(matrix).copy() for matrix in left]
    used = []
    for j in range(outcomes, len(control.means)):
        floor = max((_CONSTANT * arm.means[j]) ** 2 for arm in (control, variant))
        new = all(matrix[j, j] > max(_NEW * diagonal[j], floor) for matrix, diagonal in zip(left, own, strict=True))
        if new and not _rare(control, variant, j):
            used.append(j)
            left = [matrix - np.outer(matrix[:, j] / matrix[j, j], matrix[j]) for matrix in left]
    return tuple(used)


def _rare(control: CrossMoments, variant: CrossMoments, column: int) -> bool:
    """Whether the column is 0 or 1 for every unit and few units have the rarer value, by the number that the smaller
    arm expects at the share in both arms (as with strata).
    """
    arms, whole = (control, variant), control.n + variant.n
    shares = [arm.means[column] for arm in arms]
    for arm, share in zip(arms, shares, strict=True):
        of_share = share * (1.0 - share)
        if abs(arm.covariance[column][column] * (arm.n - 1) / arm.n - of_share) > _WHOLE * of_share:
            return False
    share = sum(arm.n * arm_share for arm, arm_share in zip(arms, shares, strict=True)) / whole
    return min(control.n, variant.n) * min(share, 1.0 - share) < EXPECTED * (1.0 - _WHOLE)


def _estimates(
    control: CrossMoments, variant: CrossMoments, kind: Kind, nonnegative: bool, used: tuple[int, ...]
) -> Fitted | Note:
    """Both estimates and their errors, from the covariates in columns `used` (none: the unadjusted ones)."""
    arms = control, variant
    total = control.n + variant.n
    center = np.array(control.means) + variant.n / total * np.subtract(variant.means, control.means)
    squares = sum((arm.n - 1) * np.diag(np.array(arm.covariance)) for arm in arms) / total
    unit = np.where(squares > 0.0, np.sqrt(squares), 1.0)
    sides = [_side(arm, kind, list(used), center, unit) for arm in arms]
    inverted = slopes.inverse(*sides)
    at_null = slopes.compare(sides[0], sides[1], inverted)
    if not all(math.isfinite(float(value[0])) for value in at_null.values):
        return _not_adjusted_note("denominator")

    def errors(ratio: float) -> tuple[float, float]:
        size = max(1.0, abs(ratio))
        variances = slopes.compare(sides[0], sides[1], inverted, (ratio / size, 1.0 / size)).variances
        return size * math.sqrt(float(variances[0][0])), size * math.sqrt(float(variances[1][0]))

    estimates = [
        # n less the number of slopes, because a Welch estimate has n - 1 degrees of freedom.
        welch.Estimate(value, 0.0 if error <= _CONSTANT * abs(value) else error, arm.n - len(used), nonnegative)
        for value, error, arm in zip(
            (float(estimate[0]) for estimate in at_null.values), errors(1.0), arms, strict=True
        )
    ]
    return Fitted(estimates[0], estimates[1], errors, used)


def _side(arm: CrossMoments, kind: Kind, used: list[int], center: slopes.Array, unit: slopes.Array) -> slopes.Side:
    """The arm's moments, with covariates measured from `center` in units of `unit`; a mean's bottom is 1."""
    squares = (arm.n - 1) * np.array(arm.covariance)
    with_x = squares[:, used] / unit[used]
    zero, blank = np.zeros(1), np.zeros((1, len(used)))
    ratio = kind == "ratio"
    return slopes.Side(
        n=arm.n,
        x=((np.array(arm.means) - center)[used] / unit[used])[None],
        xx=(with_x[used] / unit[used][:, None])[None],
        top=np.array([arm.means[0]]),
        bottom=np.array([arm.means[1] if ratio else 1.0]),
        top_top=squares[0, :1],
        top_bottom=squares[0, 1:2] if ratio else zero,
        bottom_bottom=squares[1, 1:2] if ratio else zero,
        x_top=with_x[:1],
        x_bottom=with_x[1:2] if ratio else blank,
    )


def _unadjusted(control: CrossMoments, variant: CrossMoments, kind: Kind, nonnegative: bool) -> Contrast:
    if kind == "share":
        return shares.contrast(_proportion(control), _proportion(variant))
    if kind == "mean":
        return means.contrast(_moments(control, 0, nonnegative), _moments(variant, 0, nonnegative))
    of_control, of_variant = (
        RatioMoments(_moments(arm, 0, nonnegative), _moments(arm, 1, nonnegative), arm.covariance[0][1])
        for arm in (control, variant)
    )
    return ratios.contrast(of_control, of_variant)


def _proportion(arm: CrossMoments) -> Proportion:
    return Proportion(round(arm.means[0] * arm.n), arm.n)


def _moments(arm: CrossMoments, column: int, nonnegative: bool) -> Moments:
    return Moments(
        arm.n, arm.means[column], arm.covariance[column][column], minimum=0.0 if nonnegative and arm.n else None
    )
