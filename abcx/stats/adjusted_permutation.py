"""Permutation of the adjusted comparison: relabelings of units together with their covariates, slopes fitted anew.

The statistic is that of covariates.py, Welch's and Fieller's of values adjusted by one slope for both arms, and its
critical values are those of the relabeled units, as in permutation.py. A unit keeps its covariates, and the slope is
fitted to every relabeling: a unit far off in its covariates moves the slope as much there as it does here (Freedman
and Lane 1983 and Winkler et al. 2014 compare this with other ways to permute with covariates; under randomization the
pairs (x, y) are what is exchangeable). The treatment leaves covariates alone, so a hypothesis aligns y only: under
"the ratio is r" the pool is {(x, y_c), (x, y_t / r)}. It is dealt, units named variant get their effect back (times r),
and the statistic of "the ratio is r" is taken of the result; a difference d likewise, by factors 1 + d / mu_d as in
permutation.py. At d = 0 and r = 1 all are the same, so p and both intervals are one inversion, exact where the arms are
alike. For a ratio of sums the effect is put back on the distance from the pool's value, not on the denominator's part
of the slope; that differs away from r = 1 only.
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
"""Control's and variant's."""


def needed(skewness: float | None, n: int, m: int) -> Note | None:
    """Why a covariate of this skewness needs permutation with arms of n and m units; None where it does not.

    With equal arms none does: 2.0 to 3.2 % in each tail at 500 v 500 units, lognormal covariates of sigma 1 to 2.5.
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
    """Variant against control at the same covariates; unadjusted, by permutation, with a note where that is not
    possible. Both samples carry covariates; `relabeled` are relabelings of them that were drawn before."""
    moments = crossed(control), crossed(variant)
    fitted = covariates.fitted(*moments, kind, nonnegative)
    found = draw(control, variant, draws, seed) if relabeled is None and control.n and variant.n else relabeled
    if isinstance(fitted, Note) or found is None:
        plain = permutation.contrast(control, variant, draws, seed, found)
        return covariates.not_adjusted(plain, fitted) if isinstance(fitted, Note) else plain
    base = welch.contrast(fitted.control, fitted.variant, METHOD, fitted.errors)
    if base.difference_pivot is None:
        return base
    used = [column - (2 if kind == "ratio" else 1) for column in fitted.used]
    deals, distance, error = _deals(found, used), _distance(found, used), math.hypot(*fitted.errors(1.0))

    def of_ratio(r: float) -> Pair:
        size = max(1.0, abs(r))
        raw = found.variant.value - r * found.control.value
        spread = deals.statistics(
            Alignment((r / size, 1.0 / size), raw / size, (1.0 / size, r / size)), weights=(r / size, 1.0 / size)
        )
        apart = distance + (1.0 - r) * fitted.control.value
        return permutation.tails(found, apart, math.hypot(*fitted.errors(r)), spread)

    difference = permutation.difference_pivot(
        found,
        base.difference_pivot,
        nonnegative,
        False,
        lambda d, hypothesis: permutation.tails(found, distance - d, error, deals.statistics(hypothesis)),
    )
    at_null = deals.statistics(permutation.null(found))
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
    """Share of A/A comparisons of these units that the adjusted `method` calls significant, with its 95 % interval;
    as `permutation.false_alarms`, with slopes fitted to each. None where these units are not adjusted."""
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
    """The moments of all units of a sample with covariates."""
    assert sample.covariates is not None
    n, values = sample.n, sample.values if sample.values.ndim == 2 else sample.values[:, None]
    columns = np.hstack([values, sample.covariates])
    if n == 0:
        width = columns.shape[1]
        return CrossMoments(0, (0.0,) * width, ((0.0,) * width,) * width)
    zeros = n - len(columns)
    means = columns.sum(axis=0) / n
    # Two passes: the second takes out what rounding left of the mean.
    means = means + ((columns - means).sum(axis=0) - zeros * means) / n
    away = columns - means
    covariance = (away.T @ away + zeros * np.outer(means, means)) / max(1, n - 1)
    return CrossMoments(n, tuple(means.tolist()), tuple(tuple(row) for row in covariance.tolist()))


@dataclass(frozen=True, slots=True, eq=False)
class _Deals:
    """Relabelings with what hangs on no hypothesis: the named arms' covariates (outcomes are filled in later)."""

    found: Relabelings
    products: tuple[tuple[Products, Products], tuple[Products, Products]]
    """Of the units named control, and of those named variant: those that came from control and from variant."""
    sides: tuple[slopes.Side, slopes.Side]
    inverted: Array

    def compared(self, hypothesis: Alignment, weights: Pair = (1.0, 1.0)) -> slopes.Compared:
        """The arms of every relabeling of the aligned pool, the effects (the hypothesis's weights) put back."""
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
        """The studentized statistic of every relabeling; nan where it does not exist."""
        with np.errstate(all="ignore"):  # a hypothesis out of all proportion may overflow: counted as beyond
            compared = self.compared(hypothesis, weights)
            found: Array = compared.distance(weights) / np.sqrt(compared.variances[0] + compared.variances[1])
        return found


def _aligned(origins: tuple[Products, Products], factors: Pair, shift: Pair) -> Array:
    """The products of aligned values with the covariates."""
    control, variant = origins
    return factors[0] * control.ez + shift[0] * control.xz + factors[1] * variant.ez + shift[1] * variant.xz


def _deals(found: Relabelings, used: Sequence[int]) -> _Deals:
    """The relabelings with the covariates `used`, by their place among all."""
    assert found.products is not None and found.control.products is not None and found.variant.products is not None
    to_variant = _kept(found.products[0], used), _kept(found.products[1], used)
    whole = _kept(found.control.products, used), _kept(found.variant.products, used)
    to_control = _less(whole[0], to_variant[0]), _less(whole[1], to_variant[1])
    null = named(found, permutation.null(found))
    sides = (
        _side(found.control.n, null[0], _sum(to_control)),
        _side(found.variant.n, null[1], _sum(to_variant)),
    )
    return _Deals(found, (to_control, to_variant), sides, slopes.inverse(*sides))


def _distance(found: Relabelings, used: Sequence[int]) -> float:
    """The adjusted difference of the arms as they are, from residuals: values near 1e9 keep their digits."""
    null = permutation.null(found)
    sides = []
    for arm, shift in zip((found.control, found.variant), shifts(found, null), strict=True):
        assert arm.products is not None
        products = _kept(Products(*(np.asarray(part)[None] for part in arm.products)), used)
        x, e, ee, ex, xx = (np.atleast_1d(part) for part in arm.sums)
        sums = Sums(x, e + shift * x, ee + 2.0 * shift * ex + shift * shift * xx, ex + shift * xx, xx)
        sides.append(_filled(_side(arm.n, sums, products), sums, products.ez + shift * products.xz))
    compared = slopes.compare(sides[0], sides[1], slopes.inverse(*sides))
    return float(compared.distance((1.0, 1.0))[0])


def _kept(products: Products, used: Sequence[int]) -> Products:
    columns = list(used)
    z, ez, xz = (part[..., columns] for part in (products.z, products.ez, products.xz))
    return Products(products.n, z, ez, xz, products.zz[..., columns, :][..., columns])


def _less(whole: Products, part: Products) -> Products:
    return Products(*(one - other for one, other in zip(whole, part, strict=True)))


def _sum(pair: tuple[Products, Products]) -> Products:
    return Products(*(one + other for one, other in zip(*pair, strict=True)))


def _side(n: int, sums: Sums, products: Products) -> slopes.Side:
    """The covariates and denominators of an arm; nothing of its outcomes."""
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
    """The side with outcomes whose sums, and whose products `ez` with the covariates, these are."""
    return replace(
        side,
        top=sums.e / side.n,
        top_top=sums.ee - sums.e * sums.e / side.n,
        top_bottom=sums.ex - sums.e * sums.x / side.n,
        x_top=ez - side.x * sums.e[:, None],
    )
