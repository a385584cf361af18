"""Covariates: what was known of the units before the test takes its share out of the variance.

Both arms have one least-squares slope theta of the outcome y on the covariates x, pooled within the arms (analysis of
covariance); their values are read at the covariates' mean over all units (Deng, Xu, Kohavi, Walker 2013, "CUPED"):

    theta = (S_xx,c + S_xx,t)^-1 (S_xy,c + S_xy,t),    m_a = mean_a(y) - theta' (mean_a(x) - mean(x))

Difference, lift and p come from Welch's test of the adjusted values and Fieller's form of it, with the covariance of
the two (slopes.py has the formulas), at n_a - 1 - k degrees of freedom. The lift is m_t / m_c - 1: both means are
adjusted, never only their difference. Slopes of each arm's own (Lin 2013) save as much, and are not used: a few units
far off fit themselves in the smaller arm. With a lognormal covariate (sigma 2.5), 900 v 100 units and a classical
error, 6.7 % of A/A tests are beyond the one limit and 1.5 % beyond the other (2.5 % nominal; 2.8 and 2.2 % with one
slope, docs/methods.md, "Leverage in covariates"). Ratios of sums: numerator and denominator are adjusted each in its
turn, R_a = m_num / m_den, linearized (delta method; Deng et al. 2013, appendix B; Deng, Knoblich, Lu 2018).

Shares are means of 0 and 1. The score test cannot be adjusted from moments: where events are few, or fewer than the
split calls for, the unadjusted test of shares is used instead, and the note says so.

A covariate must be settled before exposure; one that the variant can move takes part of the effect away. Missing values
are the caller's: any constant in their place (say the mean of the others), and a 0/1 column that says where.
Columns that do not vary in one of the arms, or repeat earlier ones, are left out. So are columns of 0 and 1 where an
arm expects fewer than 10 units with the rarer value. Covariates that together cost variance instead of saving it are
left out, all of them, and the note says so.
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

METHOD = Method.WELCH_ADJUSTED
_NEW = 1e-8
"""A covariate of whose variance in an arm less than this fraction is new beside the earlier ones is left out."""
_CONSTANT = 1e-14
"""A standard deviation below this fraction of the mean is the rounding of equal values, not a spread."""
EXPECTED = 10.0
"""Fewest units with the rarer value of a 0/1 covariate that an arm expects. At a correlation of .9 and 20 % missing,
95 % intervals of 180 v 20 units cover 93.0 % with the column that says where, 95.3 % without (2,000 samples); from 10
missing ones on it makes no difference."""
_WHOLE = 1e-9
"""A column whose variance is that of a share at its mean, to this fraction, is one of 0 and 1."""
_SKEWED = 0.13
"""A difference of shares with more skewness than this is not adjusted: in A/A tests at 90:10 one tail of Welch's test
has 3.5 % at .12 (the smaller arm expects 40 events), 4.2 % at .15 (30 events), 5.1 % at .24 (12 events)."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Both adjusted estimates with the errors of their contrasts, from the covariates in the columns `used`."""

    control: welch.Estimate
    variant: welch.Estimate
    errors: welch.Errors
    used: tuple[int, ...]


def contrast(control: CrossMoments, variant: CrossMoments, kind: Kind, nonnegative: bool) -> Contrast:
    """Variant against control at the same covariates; where that is not possible, unadjusted with a note.

    `nonnegative` says that no outcome of a unit is below 0 (for a ratio: neither of the two).
    """
    found = fitted(control, variant, kind, nonnegative)
    if isinstance(found, Fitted):
        return welch.contrast(found.control, found.variant, METHOD, found.errors)
    return not_adjusted(_unadjusted(control, variant, kind, nonnegative), found)


def not_adjusted(plain: Contrast, reason: Note) -> Contrast:
    """The unadjusted comparison, with a note that says why it is that."""
    return replace(plain, notes=(*plain.notes, reason))


def _why(reason: str, covariates: int = 0) -> Note:
    return Note("not_adjusted", {"reason": reason, "covariates": covariates})


def saved(control: CrossMoments, variant: CrossMoments, kind: Kind, nonnegative: bool) -> float | None:
    """The fraction of the difference's variance that the covariates take away; None where `contrast` is not adjusted.

    0.3 is worth as much as 1 / (1 - 0.3) times the units.
    """
    found = fitted(control, variant, kind, nonnegative)
    return _saved(control, variant, kind, found) if isinstance(found, Fitted) else None


def _saved(control: CrossMoments, variant: CrossMoments, kind: Kind, found: Fitted) -> float | None:
    before = _estimates(control, variant, kind, False, ())
    if isinstance(before, Note) or not (without := math.hypot(*before.errors(1.0))) > 0.0:
        return None
    return 1.0 - (math.hypot(*found.errors(1.0)) / without) ** 2


def fitted(control: CrossMoments, variant: CrossMoments, kind: Kind, nonnegative: bool) -> Fitted | Note:
    """Both adjusted estimates, or why there are none."""
    used = _usable(control, variant, 2 if kind == "ratio" else 1)
    if not used:
        return _why("nothing_varies")
    if min(control.n, variant.n) <= len(used) + 2:
        return _why("few_units", len(used))
    if kind == "share" and _few_events(_proportion(control), _proportion(variant)):
        return _why("few_events")
    found = _estimates(control, variant, kind, nonnegative or kind == "share", used)
    if isinstance(found, Note):
        return found
    arms = found.control, found.variant
    if all(arm.error == 0.0 for arm in arms):
        return _why("no_error")
    if any((arm.positive_only and arm.value < 0.0) or (kind == "share" and arm.value > 1.0) for arm in arms):
        return _why("impossible_value")
    gain = _saved(control, variant, kind, found)
    if gain is not None and gain <= 0.0:
        return _why("no_gain", len(used))
    return found


def _few_events(control: Proportion, variant: Proportion) -> bool:
    """Whether the difference of shares is far from normal: few events in an arm, or a skewness that the arms' sizes do
    not cancel, (1 - 2p) / sqrt(p (1 - p)) (1 / n - 1 / m) / sqrt(1 / n + 1 / m) at the pooled share p."""
    if shares.few_events(control, variant):
        return True
    share = (control.successes + variant.successes) / (control.n + variant.n)
    of_split = abs(1.0 / control.n - 1.0 / variant.n) / math.sqrt(1.0 / control.n + 1.0 / variant.n)
    return abs(1.0 - 2.0 * share) * of_split > _SKEWED * math.sqrt(share * (1.0 - share))


def _usable(control: CrossMoments, variant: CrossMoments, outcomes: int) -> tuple[int, ...]:
    """The columns of covariates that add something in both arms beside the earlier ones (elimination in order)."""
    left = [np.array(arm.covariance, float) for arm in (control, variant)]
    own = [np.diag(one).copy() for one in left]
    used = []
    for j in range(outcomes, len(control.means)):
        floor = max((_CONSTANT * arm.means[j]) ** 2 for arm in (control, variant))
        new = all(one[j, j] > max(_NEW * of[j], floor) for one, of in zip(left, own, strict=True))
        if new and not _rare(control, variant, j):
            used.append(j)
            left = [one - np.outer(one[:, j] / one[j, j], one[j]) for one in left]
    return tuple(used)


def _rare(control: CrossMoments, variant: CrossMoments, column: int) -> bool:
    """Whether the column is 0 or 1 for every unit, and one of the two for few: as with strata, by the number that the
    smaller arm expects at the share in both."""
    arms, whole = (control, variant), control.n + variant.n
    shares = [arm.means[column] for arm in arms]
    for arm, share in zip(arms, shares, strict=True):
        of_share = share * (1.0 - share)
        if abs(arm.covariance[column][column] * (arm.n - 1) / arm.n - of_share) > _WHOLE * of_share:
            return False
    share = sum(arm.n * one for arm, one in zip(arms, shares, strict=True)) / whole
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
        return _why("denominator")

    def errors(ratio: float) -> tuple[float, float]:
        size = max(1.0, abs(ratio))
        found = slopes.compare(sides[0], sides[1], inverted, (ratio / size, 1.0 / size)).variances
        return size * math.sqrt(float(found[0][0])), size * math.sqrt(float(found[1][0]))

    estimates = [
        # n less the slopes: a Welch estimate has n - 1 degrees of freedom.
        welch.Estimate(value, 0.0 if error <= _CONSTANT * abs(value) else error, arm.n - len(used), nonnegative)
        for value, error, arm in zip((float(one[0]) for one in at_null.values), errors(1.0), arms, strict=True)
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
