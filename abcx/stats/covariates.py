"""Covariates: what was known of the units before the test takes its share out of the variance.

Each arm a has its own least-squares slopes b_a of the outcome y on the covariates x; both are read at the covariates'
mean over all N units of the two arms (Deng, Xu, Kohavi, Walker 2013, "CUPED", with the arms' own slopes: Lin 2013, the
regression on arm, centred covariates and their products):

    m_a = mean_a(y) - b_a' (mean_a(x) - mean(x))
    var m_a = s2_a (1 / n_a + (mean_a(x) - mean(x))' Q_a^-1 (mean_a(x) - mean(x))) + b_a' S b_a / N
    cov(m_c, m_t) = b_c' S b_t / N

s2_a is the arm's residual variance (divisor n_a - 1 - k), Q_a its centred cross products of x, S the covariance of x
over all units. The bracket is the classical variance of the arm's intercept; at a fixed mean(x) the arms are
independent. The terms in S are there because mean(x) is itself an estimate: conclusions are about customers like
these, not about these units (Negi, Wooldridge 2021; Miratrix, Sekhon, Yu 2013 for strata). Difference, lift and p then
come from Welch's test and Fieller's form with that covariance: T(r) = (m_t - r m_c) / sqrt(v_t + r^2 v_c - 2 r cov), at
n_a - 1 - k degrees of freedom. The lift is m_t / m_c - 1: both means are adjusted, never only their difference.

Ratios of sums: numerator and denominator are adjusted each in its turn and R_a = m_num / m_den; the variance is that
of the linearised residual (num - R_a den) / m_den regressed on x (delta method; Deng et al. 2013, appendix B; Deng,
Knoblich, Lu 2018). So m_t and m_c are consistent for what the unadjusted comparison estimates, whatever the
true shape of y given x.

Shares are means of 0 and 1. The score test cannot be adjusted from moments: where events are few, or fewer than the
split calls for, the unadjusted test of shares is used instead, and the note says so.

A covariate must be settled before exposure; one that the variant can move takes part of the effect away. Missing values
are the caller's: any constant in their place (say the mean of the others), and a 0/1 column that says where.
Columns that do not vary in one of the arms, or repeat earlier ones, are left out. So are columns of 0 and 1 where an
arm expects fewer than 10 units with the rarer value: the few fit themselves, and the residual variance does not see how
far they scatter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from abcx.stats import means, ratios, shares, welch
from abcx.stats.records import Contrast, CrossMoments, Moments, Proportion, RatioMoments

Kind = Literal["mean", "share", "ratio"]

METHOD = "Welch, adjusted"
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
_RESOLUTION = 1e-12
"""A residual variance below this fraction of the outcome's is what is left of rounding: the fit is perfect."""
_SKEWED = 0.13
"""A difference of shares with more skewness than this is not adjusted: in A/A tests at 90:10 one tail of Welch's test
has 3.5 % at .12 (the smaller arm expects 40 events), 4.2 % at .15 (30 events), 5.1 % at .24 (12 events)."""

Array = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class _Fit:
    """One arm's regression of p outcomes on k covariates, read at the covariates' mean over both arms."""

    n: int
    values: Array  # p: the adjusted means
    slopes: Array  # k x p, per standard deviation of the covariate
    raw: Array  # p x p: the outcomes' covariance
    residual: Array  # p x p: what is left of it, divisor n - 1 - k
    per_unit: float  # the bracket of the variance: 1 / n and the distance to the common mean


def contrast(control: CrossMoments, variant: CrossMoments, kind: Kind, nonnegative: bool) -> Contrast:
    """Variant against control at the same covariates; where that is not possible, unadjusted with a note.

    `nonnegative` says that no outcome of a unit is below 0 (for a ratio: neither of the two).
    """
    found = _adjusted(control, variant, kind, nonnegative)
    if not isinstance(found, str):
        return welch.contrast(*found, METHOD)
    plain = _unadjusted(control, variant, kind, nonnegative)
    note = f"Not adjusted for covariates: {found}."
    return replace(plain, note=note if plain.note is None else f"{plain.note} {note}")


def adjusted_values(
    control: CrossMoments, variant: CrossMoments, kind: Kind, nonnegative: bool
) -> tuple[float, float] | None:
    """The adjusted values of control and variant; None where `contrast` is not adjusted."""
    found = _adjusted(control, variant, kind, nonnegative)
    return None if isinstance(found, str) else (found[0].value, found[1].value)


def saved(control: CrossMoments, variant: CrossMoments, kind: Kind, nonnegative: bool) -> float | None:
    """The fraction of the difference's variance that the covariates take away; None where `contrast` is not adjusted.

    0.3 is worth as much as 1 / (1 - 0.3) times the units. Useless covariates can cost a little: then it is below 0.
    """
    found = _adjusted(control, variant, kind, nonnegative)
    if isinstance(found, str):
        return None
    before = _estimates(control, variant, kind, nonnegative, [])
    if isinstance(before, str) or not (without := welch.spread(*before, 1.0)) > 0.0:
        return None
    return 1.0 - (welch.spread(*found, 1.0) / without) ** 2


def _adjusted(
    control: CrossMoments, variant: CrossMoments, kind: Kind, nonnegative: bool
) -> tuple[welch.Estimate, welch.Estimate] | str:
    """Both adjusted estimates, or why there are none."""
    used = _usable(control, variant, 2 if kind == "ratio" else 1)
    if not used:
        return "no covariate varies in both arms"
    if min(control.n, variant.n) <= len(used) + 2:
        return f"an arm has too few units for {len(used)} covariate{'s'[: len(used) > 1]}"
    if kind == "share" and _few_events(_proportion(control), _proportion(variant)):
        return "events are few, and the score test of shares has no adjusted form"
    found = _estimates(control, variant, kind, nonnegative or kind == "share", used)
    if isinstance(found, str):
        return found
    if all(arm.error == 0.0 for arm in found):
        return "nothing is left to chance within the arms once the covariates are known"
    if any((arm.positive_only and arm.value < 0.0) or (kind == "share" and arm.value > 1.0) for arm in found):
        return "an adjusted value would lie outside the possible ones"
    return found


def _few_events(control: Proportion, variant: Proportion) -> bool:
    """Whether the difference of shares is far from normal: few events in an arm, or a skewness that the arms' sizes do
    not cancel, (1 - 2p) / sqrt(p (1 - p)) (1 / n - 1 / m) / sqrt(1 / n + 1 / m) at the pooled share p."""
    if shares.few_events(control, variant):
        return True
    share = (control.successes + variant.successes) / (control.n + variant.n)
    of_split = abs(1.0 / control.n - 1.0 / variant.n) / math.sqrt(1.0 / control.n + 1.0 / variant.n)
    return abs(1.0 - 2.0 * share) * of_split > _SKEWED * math.sqrt(share * (1.0 - share))


def _usable(control: CrossMoments, variant: CrossMoments, outcomes: int) -> list[int]:
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
    return used


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
    control: CrossMoments, variant: CrossMoments, kind: Kind, nonnegative: bool, used: list[int]
) -> tuple[welch.Estimate, welch.Estimate] | str:
    """Both estimates with their own and their shared error, from the covariates in columns `used`."""
    total = control.n + variant.n
    apart = np.subtract(variant.means, control.means)
    # The covariance over all units: within the arms, and between them.
    pooled = (control.n - 1) * np.array(control.covariance) + (variant.n - 1) * np.array(variant.covariance)
    pooled = (pooled + (control.n * variant.n / total) * np.outer(apart, apart)) / (total - 1)
    unit = np.sqrt(np.diag(pooled))[used]
    correlation = pooled[np.ix_(used, used)] / np.outer(unit, unit)
    # b' S b / N = |L' b|^2 / N with S = L L': what both arms share, as loadings on independent errors.
    root = np.linalg.cholesky(correlation) / math.sqrt(total)
    found = []
    for arm, other in ((control, variant), (variant, control)):
        away = (other.n / total) * np.subtract(other.means, arm.means)[used] / unit
        fit = _fit(arm, 2 if kind == "ratio" else 1, used, unit, away)
        weighted = _weighted(fit, kind)
        if weighted is None:
            return "the adjusted denominator of an arm is not above 0"
        value, weights = weighted
        error = _error(fit, weights, value)
        shared = tuple(float(s) for s in root.T @ (fit.slopes @ weights))
        # n less the slopes: a Welch estimate has n - 1 degrees of freedom.
        found.append(welch.Estimate(value, error, arm.n - len(used), nonnegative, shared))
    return found[0], found[1]


def _fit(arm: CrossMoments, outcomes: int, used: list[int], unit: Array, away: Array) -> _Fit:
    """Regression of the outcomes on the columns `used`, in units of `unit`, read `away` from the arm's own mean."""
    covariance: Array = np.array(arm.covariance)
    y = slice(0, outcomes)
    within = covariance[np.ix_(used, used)] / np.outer(unit, unit)
    cross = covariance[used, y] / unit[:, None]
    solved: Array = np.linalg.solve(within, np.column_stack([cross, away]))
    slopes, reach, raw = solved[:, :-1], solved[:, -1], covariance[y, y]
    return _Fit(
        n=arm.n,
        values=np.array(arm.means[y]) + away @ slopes,
        slopes=slopes,
        raw=raw,
        residual=(raw - cross.T @ slopes) * ((arm.n - 1) / (arm.n - 1 - len(used))),
        per_unit=1.0 / arm.n + max(0.0, float(away @ reach)) / (arm.n - 1),
    )


def _weighted(fit: _Fit, kind: Kind) -> tuple[float, Array] | None:
    """The arm's value and the weights that linearise it in the outcomes; None for a denominator that is not above 0."""
    if kind != "ratio":
        return float(fit.values[0]), np.ones(1)
    top, bottom = (float(value) for value in fit.values)
    ratio = top / bottom if bottom > 0.0 else math.inf
    return None if math.isinf(ratio) else (ratio, np.array([1.0, -ratio]) / bottom)


def _error(fit: _Fit, weights: Array, value: float) -> float:
    """The arm's own standard error; 0.0 where the residual variance is rounding."""
    pairs = np.outer(weights, weights)
    residual = math.fsum((pairs * fit.residual).flat)
    floor = _RESOLUTION * math.fsum(np.abs(pairs * fit.raw).flat)
    if weights.size == 1:
        floor = max(floor, (_CONSTANT * value) ** 2)
    return math.sqrt(residual * fit.per_unit) if residual > floor else 0.0


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
