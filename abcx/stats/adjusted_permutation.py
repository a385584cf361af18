"""Permutation test of the covariate-adjusted comparison: units keep their covariates, the slope is refitted each time.

The statistic is that of covariates.py, Welch's and Fieller's of values adjusted by one slope for both arms. Its
critical values come from relabeled units, as in permutation.py. Because the slope is refitted to every relabeling, a
unit with outlying covariates moves the slope there as much as it does in the data. (Freedman and Lane 1983 and Winkler
et al. 2014 compare the ways to permute with covariates; under randomization the pairs (x, y) are what is exchangeable.)

The treatment does not change covariates, so a hypothesis aligns y only: under "the ratio is r" the pool is {(x, y_c),
(x, y_t / r)}. The pool is relabeled, the units labeled variant get their effect back (times r), and the statistic of
"the ratio is r" is computed from the result. A difference d is treated alike, by the factors 1 + d / mu_d of
permutation.py. At d = 0 and r = 1 all of these coincide, so p and both intervals are one inversion, which is exact
where the arms have the same distribution. For a ratio of sums the effect is put back on the distance from the pool's
value, not on the denominator's part of the slope; this makes a difference away from r = 1 only.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from abcx.notes import Note
from abcx.stats import covariates, permutation, slopes, welch
from abcx.stats.drawn_tails import tail_serves
from abcx.stats.inversion import two_sided
from abcx.stats.methods import Method
from abcx.stats.permutation_draws import Alignment, Array, Products, Relabelings, Sums, draw, named, shifts
from abcx.stats.records import Contrast, CrossMoments, Sample

METHOD, METHOD_TAIL = Method.PERMUTATION_ADJUSTED, Method.PERMUTATION_TAIL_ADJUSTED
Pair = tuple[float, float]
"""(control, variant)."""


def needed(skewness: float | None, n: int, m: int) -> Note | None:
    """Why a covariate calls for permutation with arms of `n` and `m` units; None where it does not.

    `skewness` is that of the covariate over all units, of either sign, None where unknown. With equal arms no covariate
    calls for it: Welch's tails are 2.0 to 3.2 % at 500 v 500 units with lognormal covariates of sigma 1 to 2.5
    (docs/methods.md, "Permutation with covariates").
    """
    if skewness is None or permutation.few_relabelings(n, m) or not permutation.lopsided(abs(skewness), n, m):
        return None
    return Note("permuted_skewed_covariate", {"skewness": abs(skewness), "control": n, "variant": m})


def contrast(
    control: Sample,
    variant: Sample,
    kind: covariates.Kind,
    nonnegative: bool,
    draws: int = 4000,
    seed: int = 0,
    relabeled: Relabelings | None = None,
) -> Contrast:
    """Variant against control, adjusted for covariates, with critical values from relabelings.

    Both samples carry `covariates` with the same k columns. `nonnegative` says that no outcome of a unit is below 0
    (for a ratio: neither part). `relabeled` are relabelings of these samples that were drawn before; otherwise `draws`
    are drawn with `seed`. Where the data cannot be adjusted, the unadjusted permutation test is returned with a note
    that says why.
    """
    moments = crossed(control), crossed(variant)
    fitted = covariates.fitted(*moments, kind, nonnegative)
    relabelings = draw(control, variant, draws, seed) if relabeled is None and control.n and variant.n else relabeled
    if isinstance(fitted, Note) or relabelings is None:
        unadjusted = permutation.contrast(control, variant, draws, seed, relabelings)
        return covariates.not_adjusted(unadjusted, fitted) if isinstance(fitted, Note) else unadjusted
    base = welch.contrast(fitted.control, fitted.variant, METHOD, fitted.errors)
    if base.difference_pivot is None:
        return base
    used = [column - (2 if kind == "ratio" else 1) for column in fitted.used]
    deals, distance, error = _deals(relabelings, used), _distance(relabelings, used), math.hypot(*fitted.errors(1.0))

    def of_ratio(r: float) -> Pair:
        size = max(1.0, abs(r))
        raw = relabelings.variant.value - r * relabelings.control.value
        spread = deals.statistics(
            Alignment((r / size, 1.0 / size), raw / size, (1.0 / size, r / size)), weights=(r / size, 1.0 / size)
        )
        apart = distance + (1.0 - r) * fitted.control.value
        return permutation.tails(relabelings, apart, math.hypot(*fitted.errors(r)), spread)

    difference = permutation.difference_pivot(
        relabelings,
        base.difference_pivot,
        nonnegative,
        False,
        lambda d, hypothesis: permutation.tails(relabelings, distance - d, error, deals.statistics(hypothesis)),
    )
    at_null = deals.statistics(permutation.null(relabelings))
    return replace(
        base,
        method=METHOD_TAIL if tail_serves(at_null, distance / error) else METHOD,
        difference_pivot=difference,
        ratio_pivot=None if base.ratio_pivot is None else replace(base.ratio_pivot, tails=of_ratio),
        p_value=two_sided(difference, 0.0),
    )


def false_alarms(
    control: Sample,
    variant: Sample,
    kind: covariates.Kind,
    nonnegative: bool,
    alpha: float,
    method: Literal["Welch", "permutation"],
    relabeled: Relabelings,
) -> tuple[float, float, float] | None:
    """Share of A/A comparisons of these units that the adjusted `method` calls significant at two-sided `alpha`, as
    (share, low, high) with its 95 % interval.

    As `permutation.false_alarms`, with the slope refitted to every relabeling. None where these units cannot be
    adjusted.
    """
    fitted = covariates.fitted(crossed(control), crossed(variant), kind, nonnegative)
    if isinstance(fitted, Note):
        return None
    used = [column - (2 if kind == "ratio" else 1) for column in fitted.used]
    deals, null = _deals(relabeled, used), permutation.null(relabeled)
    if method == "permutation":
        alarms = permutation.alarms_of_halves(deals.statistics(null), alpha)
    else:
        compared, sizes = deals.compared(null), (fitted.control.n, fitted.variant.n)
        p_values = permutation.welch_p(compared.distance((1.0, 1.0)), compared.variances, sizes)
        alarms = sum(p < alpha for p in p_values)
    return permutation.wilson(alarms, len(relabeled.from_control.x))


def crossed(sample: Sample) -> CrossMoments:
    """Moments of all units of a sample with covariates: first the outcome (one column, two for a ratio), then the
    covariates.
    """
    assert sample.covariates is not None
    n, values = sample.n, sample.values if sample.values.ndim == 2 else sample.values[:, None]
    columns = np.hstack([values, sample.covariates])
    if n == 0:
        width = columns.shape[1]
        return CrossMoments(0, (0.0,) * width, ((0.0,) * width,) * width)
    zeros = n - len(columns)
    means = columns.sum(axis=0) / n
    # Two passes: the second removes the rounding error of the mean.
    means = means + ((columns - means).sum(axis=0) - zeros * means) / n
    away = columns - means
    covariance = (away.T @ away + zeros * np.outer(means, means)) / max(1, n - 1)
    return CrossMoments(n, tuple(means.tolist()), tuple(tuple(row) for row in covariance.tolist()))


@dataclass(frozen=True, slots=True, eq=False)
class _Deals:
    """Relabelings with everything that does not depend on the hypothesis: the covariates of the relabeled arms.

    Outcomes are filled in for each hypothesis (`compared`).
    """

    found: Relabelings
    products: tuple[tuple[Products, Products], tuple[Products, Products]]
    """For the units labeled control and for those labeled variant: (sums of those from control, of
    those from variant).
    """
    sides: tuple[slopes.Side, slopes.Side]
    inverted: Array

    def compared(self, hypothesis: Alignment, weights: Pair = (1.0, 1.0)) -> slopes.Compared:
        """Both arms of every relabeling of the aligned pool, with the effects (the hypothesis's weights) put back."""
        shift = shifts(self.found, hypothesis)
        sides = [
            _filled(
                side,
                sums,
                _aligned(origins, hypothesis.factors, shift),
            )
            for side, sums, origins in zip(self.sides, named(self.found, hypothesis), self.products, strict=True)
        ]
        return slopes.compare(sides[0], sides[1], self.inverted, weights, hypothesis.weights)

    def statistics(self, hypothesis: Alignment, weights: Pair = (1.0, 1.0)) -> Array:
        """The studentized statistic of every relabeling (B,); nan where it does not exist."""
        with np.errstate(all="ignore"):  # an extreme hypothesis may overflow: counted as beyond
            compared = self.compared(hypothesis, weights)
            statistics: Array = compared.distance(weights) / np.sqrt(compared.variances[0] + compared.variances[1])
        return statistics


def _aligned(origins: tuple[Products, Products], factors: Pair, shift: Pair) -> Array:
    """The products of aligned values with the covariates."""
    control, variant = origins
    return factors[0] * control.ez + shift[0] * control.xz + factors[1] * variant.ez + shift[1] * variant.xz


def _deals(relabelings: Relabelings, used: Sequence[int]) -> _Deals:
    """The relabelings with the covariates in the columns `used`, counted among the covariates."""
    assert (
        relabelings.products is not None
        and relabelings.control.products is not None
        and relabelings.variant.products is not None
    )
    to_variant = _columns(relabelings.products[0], used), _columns(relabelings.products[1], used)
    whole = _columns(relabelings.control.products, used), _columns(relabelings.variant.products, used)
    to_control = _difference(whole[0], to_variant[0]), _difference(whole[1], to_variant[1])
    null = named(relabelings, permutation.null(relabelings))
    sides = (
        _side(relabelings.control.n, null[0], _sum(to_control)),
        _side(relabelings.variant.n, null[1], _sum(to_variant)),
    )
    return _Deals(relabelings, (to_control, to_variant), sides, slopes.inverse(*sides))


def _distance(relabelings: Relabelings, used: Sequence[int]) -> float:
    """The adjusted difference of the observed arms, from residuals: values near 1e9 keep their digits."""
    null = permutation.null(relabelings)
    sides = []
    for arm, shift in zip((relabelings.control, relabelings.variant), shifts(relabelings, null), strict=True):
        assert arm.products is not None
        products = _columns(Products(*(np.asarray(part)[None] for part in arm.products)), used)
        x, e, ee, ex, xx = (np.atleast_1d(part) for part in arm.sums)
        sums = Sums(x, e + shift * x, ee + 2.0 * shift * ex + shift * shift * xx, ex + shift * xx, xx)
        sides.append(_filled(_side(arm.n, sums, products), sums, products.ez + shift * products.xz))
    compared = slopes.compare(sides[0], sides[1], slopes.inverse(*sides))
    return float(compared.distance((1.0, 1.0))[0])


def _columns(products: Products, used: Sequence[int]) -> Products:
    columns = list(used)
    z, ez, xz = (part[..., columns] for part in (products.z, products.ez, products.xz))
    return Products(products.n, z, ez, xz, products.zz[..., columns, :][..., columns])


def _difference(whole: Products, part: Products) -> Products:
    return Products(*(of_whole - of_part for of_whole, of_part in zip(whole, part, strict=True)))


def _sum(pair: tuple[Products, Products]) -> Products:
    return Products(*(from_control + from_variant for from_control, from_variant in zip(*pair, strict=True)))


def _side(n: int, sums: Sums, products: Products) -> slopes.Side:
    """An arm with its covariates and denominators; the moments of its outcomes are left at 0."""
    mean = products.z / n
    blank = np.zeros_like(sums.x)
    return slopes.Side(
        n=n,
        x=mean,
        xx=products.zz - n * mean[:, :, None] * mean[:, None, :],
        top=blank,
        bottom=sums.x / n,
        top_top=blank,
        top_bottom=blank,
        bottom_bottom=sums.xx - sums.x * sums.x / n,
        x_top=np.zeros_like(mean),
        x_bottom=products.xz - mean * sums.x[:, None],
    )


def _filled(side: slopes.Side, sums: Sums, ez: Array) -> slopes.Side:
    """The side with the outcomes that have these `sums` and these sums of products `ez` with the covariates."""
    return replace(
        side,
        top=sums.e / side.n,
        top_top=sums.ee - sums.e * sums.e / side.n,
        top_bottom=sums.ex - sums.e * sums.x / side.n,
        x_top=ez - side.x * sums.e[:, None],
    )
