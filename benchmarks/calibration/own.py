"""abcx: its own choice of method for each sample, judged by the tests of the true values.

An interval covers the truth when the test that it inverts accepts the truth (up to the gaps of exact tests), so one
test of the true lift and one of the true difference replace the search for the ends.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr  # type: ignore[import-untyped,unused-ignore]
from scipy.stats import binom, skew  # type: ignore[import-untyped,unused-ignore]

from abcx.notes import Note
from abcx.stats import (
    adjusted_permutation,
    covariates,
    means,
    miettinen_nurminen,
    permutation,
    permutation_draws,
    ratios,
    shares,
)
from abcx.stats.records import Contrast, Moments, Pivot, Proportion, RatioMoments, Sample
from benchmarks.calibration.cells import Cell
from benchmarks.calibration.samples import Arm, truth

Array = NDArray[Any]
ALPHA = 0.05
CUT = 1e-9
"""Outcomes of two counts that are left out have this probability together."""


@dataclass(frozen=True)
class Judged:
    """One sample's intervals against the truth: -1 wholly below it, 0 covers, +1 above it, None where there is none."""

    lift: int | None
    difference: int | None
    rejected: bool
    warned: bool = False
    """abcx prints an interval, and says beside it that it cannot be trusted."""


def judged(contrast: Contrast, ratio: float, difference: float, warned: bool = False) -> Judged:
    p = contrast.p_value
    return Judged(
        _side(contrast.ratio_pivot, ratio),
        _side(contrast.difference_pivot, difference),
        p is not None and p < ALPHA,
        warned,
    )


def _side(pivot: Pivot | None, at: float) -> int | None:
    if pivot is None:
        return None
    below, above = pivot.tails(at)
    return -1 if 2.0 * below < ALPHA else 1 if 2.0 * above < ALPHA else 0


# ---------------------------------------------------------------------------------------- units


def compare(cell: Cell, control: Arm, variant: Arm, draws: int, seed: int) -> Judged:
    contrast, warned = chosen(control, variant, draws, seed)
    return judged(contrast, cell.ratio, truth(cell), warned)


def chosen(control: Arm, variant: Arm, draws: int, seed: int) -> tuple[Contrast, bool]:
    """As analysis/comparing.py: permutation where needed, adjusted where there are covariates, else Welch; and whether
    the check `skewness` warns."""
    one, other = described(control.sample), described(variant.sample)
    reason = permutation.needed(one, other)
    if control.covariate is not None:
        return _adjusted(control, variant, reason, draws, seed), False
    if reason is not None:
        contrast = permutation.contrast(control.sample, variant.sample, draws, seed)
        return contrast, not permutation.enough(one, other)
    if isinstance(one, RatioMoments) and isinstance(other, RatioMoments):
        return ratios.contrast(one, other), False
    assert isinstance(one, Moments) and isinstance(other, Moments)
    return means.contrast(one, other), False


def _adjusted(control: Arm, variant: Arm, reason: Note | None, draws: int, seed: int) -> Contrast:
    """With covariates; by permutation for the `reason` that outcomes give, or for one that the covariate gives."""
    arms, nonnegative = (
        _with_covariates(control, variant),
        min(a.sample.values.min() for a in (control, variant)) >= 0.0,
    )
    moments = adjusted_permutation.crossed(arms[0]), adjusted_permutation.crossed(arms[1])
    found = covariates.contrast(*moments, "mean", bool(nonnegative))
    if reason is None and found.method == covariates.METHOD:
        known = np.concatenate(
            [a.covariate[~np.isnan(a.covariate)] for a in (control, variant) if a.covariate is not None]
        )
        reason = adjusted_permutation.needed(float(skew(known)), control.sample.n, variant.sample.n)
    if reason is None:
        return found
    return adjusted_permutation.contrast(*arms, "mean", bool(nonnegative), draws, seed)


def described(sample: Sample) -> Moments | RatioMoments:
    """The moments of an arm with their skewness, as a readout has them."""
    found = permutation_draws.moments(sample)
    if isinstance(found, Moments):
        return _with_skewness(found, sample.values)
    top, bottom = sample.values[:, 0], sample.values[:, 1]
    return RatioMoments(
        _with_skewness(found.numerator, top), _with_skewness(found.denominator, bottom), found.covariance
    )


def _with_skewness(moments: Moments, values: Array) -> Moments:
    if moments.variance == 0.0:
        return moments
    cubes = float(((values - moments.mean) ** 3).sum()) - (moments.n - len(values)) * moments.mean**3
    return dataclasses.replace(moments, skewness=cubes / moments.n / moments.variance**1.5)


def _with_covariates(control: Arm, variant: Arm) -> tuple[Sample, Sample]:
    """As data/summaries/covariates.py: a missing covariate is the mean of the others, and a 0/1 column says where."""
    known = np.concatenate([arm.covariate for arm in (control, variant) if arm.covariate is not None])
    mean = float(np.nanmean(known)) if np.isfinite(known).any() else 0.0
    found = []
    for arm in (control, variant):
        assert arm.covariate is not None
        missing = np.isnan(arm.covariate)
        columns = [np.where(missing, mean, arm.covariate)]
        if np.isnan(known).any():
            columns.append(missing.astype(float))
        found.append(Sample(arm.sample.n, arm.sample.values, np.column_stack(columns)))
    return found[0], found[1]


# ---------------------------------------------------------------------------------------- shares, enumerated


@dataclass(frozen=True)
class Outcomes:
    """All pairs of counts but for a mass of 1e-9, most likely first, with their probabilities."""

    control: Array
    variant: Array
    mass: Array


def outcomes(cell: Cell) -> Outcomes:
    counts, masses = [], []
    for n, share in zip(cell.sizes, (cell.share, cell.share * cell.ratio), strict=True):
        low, high = (int(q) for q in binom.ppf([CUT / 100, 1.0 - CUT / 100], n, share))
        counts.append(np.arange(max(0, low - 1), min(n, high + 1) + 1))
        masses.append(binom.pmf(counts[-1], n, share))
    joint = np.outer(*masses).ravel()
    control, variant = (grid.ravel() for grid in np.meshgrid(*counts, indexing="ij"))
    order = np.argsort(-joint)
    kept = order[: int(np.searchsorted(np.cumsum(joint[order]), joint.sum() - CUT)) + 1]
    return Outcomes(control[kept], variant[kept], joint[kept])


def enumerate_shares(cell: Cell, found: Outcomes) -> tuple[Array, Array, Array]:
    """(sides of the lift, sides of the difference, rejected) of every outcome; nan where there is no interval."""
    n0, n1 = cell.sizes
    events = found.control + found.variant
    few_at = {
        e: shares.few_events(Proportion(min(e, n0), n0), Proportion(max(e - n0, 0), n1)) for e in set(events.tolist())
    }
    few = np.array([few_at[e] for e in events.tolist()])
    lift, difference, rejected = np.empty(len(few)), np.empty(len(few)), np.empty(len(few))
    many = ~few
    x0, x1 = found.control[many], found.variant[many]
    lift[many] = _sides(miettinen_nurminen.score_ratio(x0, n0, x1, n1, cell.ratio))
    difference[many] = _sides(miettinen_nurminen.score_difference(x0, n0, x1, n1, truth(cell)))
    rejected[many] = _sides(miettinen_nurminen.score_difference(x0, n0, x1, n1, 0.0)) != 0
    for i in np.flatnonzero(few).tolist():
        counts = Proportion(int(found.control[i]), n0), Proportion(int(found.variant[i]), n1)
        contrast = shares.contrast(*counts)
        one = judged(contrast, cell.ratio, truth(cell))
        lift[i], difference[i] = (np.nan if side is None else side for side in (one.lift, one.difference))
        rejected[i] = one.rejected
    return lift, difference, rejected


def _sides(statistic: Array) -> Array:
    below, above = 2.0 * ndtr(statistic) < ALPHA, 2.0 * ndtr(-statistic) < ALPHA
    return np.where(below, -1.0, np.where(above, 1.0, 0.0))
