"""Random relabelings of two arms' units, drawn once and kept as sums, so that every hypothesis has a closed form.

A relabeling assigns the pooled units to control and variant at random, with the arms' sizes kept. A test needs from it
only the sums, over the units labeled variant, of the denominator x, the residual e = y - m x (m: the value of the
unit's own arm) and their products, separately for the units that came from each arm. A mean is the ratio whose
denominator is 1 for every unit. Residuals are centered per arm, so that values near 1e9 keep their digits; a unit of
value 0 then has the same residual -m as every other zero of its arm, and zeros are a count times one row.

Every relabeling is equally likely (dealing.py). Units are sorted and the smaller arm is drawn, so neither the order of
the units nor the names of the arms matter: swapping the arms gives the mirrored relabelings.

Covariates stay with their units: a relabeling then also has the sums of their products, centered over all units and in
units of their standard deviations (for one covariate and a mean: count, e, ee, x, ex and xx).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from abcx.stats.dealing import Pool, before, drawn
from abcx.stats.means import RESOLUTION, nearest
from abcx.stats.records import Moments, RatioMoments, Sample

Array = NDArray[np.float64]

_MEAN, _RATIO = (0, 1, 2, 1, 0), (0, 1, 2, 3, 4)
"""Which column holds the sums of x, e, ee, ex, xx: three are enough where x is 1."""
_ROUNDING = 1e-13
"""A sum of squares below this fraction of its terms is rounding."""


class Sums(NamedTuple):
    """Sums over some units of denominators x, residuals e and their products; each a number or, per
    relabeling, (B,).
    """

    x: Array
    e: Array
    ee: Array
    ex: Array
    xx: Array


class Products(NamedTuple):
    """Sums over some units of their k covariates z and of products with them, for B relabelings or without that axis.

    `n` (B,) counts the units; `z`, `ez` and `xz` (B, k) sum the covariates and their products with residuals and
    denominators; `zz` (B, k, k) sums their products with each other.
    """

    n: Array
    z: Array
    ez: Array
    xz: Array
    zz: Array


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """An observed arm of `n` units: its value (mean or ratio), standard error, and the sums over all its units.

    `low` is what the rounding of `value` left out.
    """

    n: int
    value: float
    error: float
    sums: Sums
    low: float
    products: Products | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Relabelings:
    """The two observed arms, and per relabeling (B,) the sums over the units labeled variant, by the arm they came
    from.
    """

    control: Arm
    variant: Arm
    from_control: Sums
    from_variant: Sums
    products: tuple[Products, Products] | None = None
    """With covariates: (sums of products of the units from control, of those from variant)."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """A hypothesis as an alignment of the pool: control's and variant's values are multiplied by `factors`, and `shift`
    is the difference between the arms' values that is left.

    The statistic is (weights[1] m_t - weights[0] m_c) over its standard error. Pairs are (control, variant).
    """

    factors: tuple[float, float]
    shift: float
    weights: tuple[float, float]


def draw(control: Sample, variant: Sample, draws: int, seed: int) -> Relabelings:
    """`draws` random relabelings of the pooled units, reproducible by `seed`.

    Both arms need units, and ratios a positive sum of denominators.
    """
    scale = _scale(control, variant)
    pools = _pool(control, scale), _pool(variant, scale)
    arms = _arm(pools[0]), _arm(pools[1])
    first = 0 if before(*pools) else 1
    row_sums = drawn(pools[first], pools[1 - first], draws, np.random.Generator(np.random.PCG64(seed)))
    of_control, of_variant = row_sums[::-1] if first == 1 else row_sums
    sums, products = [], []
    for arm, rows in zip(arms, (of_control, of_variant), strict=True):
        part_sums = _sums(rows, control.values.ndim)
        sums.append(part_sums if first == 1 else Sums(*_complement(arm.sums, part_sums)))
        if arm.products is not None:
            part_products = _products(rows, control.values.ndim)
            products.append(part_products if first == 1 else Products(*_complement(arm.products, part_products)))
    return Relabelings(arms[0], arms[1], sums[0], sums[1], (products[0], products[1]) if products else None)


def _sums(rows: Array, dimensions: int) -> Sums:
    return Sums(*np.ascontiguousarray(rows[..., _MEAN if dimensions == 1 else _RATIO].T))


def _products(rows: Array, dimensions: int) -> Products:
    """The columns after those of `Sums`: the count of a ratio (a mean's is its sum of denominators), then products."""
    ratio = dimensions == 2
    columns = rows[..., 6 if ratio else 3 :]
    k = next(
        k for k in range(1, columns.shape[-1] + 1) if (3 if ratio else 2) * k + k * (k + 1) // 2 == columns.shape[-1]
    )
    z, ez, xz = columns[..., :k], columns[..., k : 2 * k], columns[..., 2 * k : 3 * k] if ratio else columns[..., :k]
    zz = np.empty((*columns.shape[:-1], k, k))
    upper = np.triu_indices(k)
    zz[..., upper[0], upper[1]] = zz[..., upper[1], upper[0]] = columns[..., (3 if ratio else 2) * k :]
    return Products(rows[..., 5 if ratio else 0], z, ez, xz, zz)


def _scale(control: Sample, variant: Sample) -> tuple[Array, Array] | None:
    """Mean and standard deviation of each covariate over all units of both arms; None without covariates."""
    if control.covariates is None or variant.covariates is None or not control.covariates.shape[1]:
        return None
    both, n = (control.covariates, variant.covariates), control.n + variant.n
    center = sum(covariates.sum(axis=0) for covariates in both) / n
    center = (
        center
        + (sum((covariates - center).sum(axis=0) for covariates in both) - (n - sum(map(len, both))) * center) / n
    )
    squares = (
        sum(((covariates - center) ** 2).sum(axis=0) for covariates in both) + (n - sum(map(len, both))) * center**2
    )
    deviation = np.sqrt(squares / n)
    return center, np.where(deviation > RESOLUTION * np.abs(center), deviation, 1.0)


def shares_of_pool(found: Relabelings) -> tuple[float, float]:
    """(control's, variant's) share of the pool, by units or for ratios by the sum of denominators; they sum to 1."""
    control, variant = float(found.control.sums.x), float(found.variant.sums.x)
    return control / (control + variant), variant / (control + variant)


def statistics(found: Relabelings, hypothesis: Alignment) -> Array:
    """The studentized statistic of every relabeling of the aligned pool (B,); nan where it does not exist."""
    (of_control, v_control), (of_variant, v_variant) = estimates(found, hypothesis)
    on_control, on_variant = hypothesis.weights
    with np.errstate(all="ignore"):
        error = np.sqrt(on_control * on_control * v_control + on_variant * on_variant * v_variant)
        return (on_variant * of_variant - on_control * of_control) / error


def estimates(found: Relabelings, hypothesis: Alignment) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """(value less the pool's, variance of the value), each (B,), of the arms labeled control and variant in every
    relabeling.
    """
    with np.errstate(all="ignore"):  # an extreme hypothesis may overflow: no statistic, counted as beyond
        named_control, named_variant = named(found, hypothesis)
        return _of_arm(named_control, found.control.n), _of_arm(named_variant, found.variant.n)


def shifts(found: Relabelings, hypothesis: Alignment) -> tuple[float, float]:
    """The amounts added to control's and to variant's units, so that the pool's own value is 0.

    Control's units are below it by variant's share of the shift, variant's units are above it by control's.
    """
    of_control, of_variant = shares_of_pool(found)
    return -hypothesis.shift * of_variant, hypothesis.shift * of_control


def named(found: Relabelings, hypothesis: Alignment) -> tuple[Sums, Sums]:
    """The sums of the aligned values over the units labeled (control, variant), per relabeling."""
    shift = shifts(found, hypothesis)
    pool = _aligned(found.control.sums, found.variant.sums, hypothesis.factors, shift)
    named_variant = _aligned(found.from_control, found.from_variant, hypothesis.factors, shift)
    return Sums(*_complement(pool, named_variant)), named_variant


def _aligned(control: Sums, variant: Sums, factors: tuple[float, float], shifts: tuple[float, float]) -> Sums:
    """The sums of u = factor e + shift x over units of both arms."""
    parts = []
    for part, a, h in ((control, factors[0], shifts[0]), (variant, factors[1], shifts[1])):
        e = a * part.e + h * part.x
        ee = a * a * part.ee + 2.0 * a * h * part.ex + h * h * part.xx
        parts.append(Sums(part.x, e, ee, a * part.ex + h * part.xx, part.xx))
    return Sums(*(from_control + from_variant for from_control, from_variant in zip(*parts, strict=True)))


def _of_arm(sums: Sums, n: int) -> tuple[Array, Array]:
    """An arm's value q = sum u / sum x and the variance of q, that of the residual u - q x (delta method)."""
    value = sums.e / sums.x
    terms = sums.ee + value * value * sums.xx
    squares = terms - 2.0 * value * sums.ex
    squares = np.where(squares <= _ROUNDING * terms, 0.0, squares)
    # A sum of denominators that is not above 0 gives no statistic.
    return np.where(sums.x > 0.0, value, np.nan), squares * (n / (n - 1.0)) / (sums.x * sums.x)


def moments(sample: Sample) -> Moments | RatioMoments:
    """The moments of a sample's units, as means.py and ratios.py take them; `skewness` is not computed."""
    if sample.values.ndim == 1:
        return _moments(sample.n, sample.values)
    top, bottom = sample.values[:, 0], sample.values[:, 1]
    top_moments, bottom_moments = _moments(sample.n, top), _moments(sample.n, bottom)
    zeros = sample.n - len(top)
    products = (
        float(((top - top_moments.mean) * (bottom - bottom_moments.mean)).sum())
        + zeros * top_moments.mean * bottom_moments.mean
    )
    return RatioMoments(top_moments, bottom_moments, products / (sample.n - 1) if sample.n > 1 else 0.0)


def _moments(n: int, values: Array) -> Moments:
    k = int(np.count_nonzero(values))
    if n == 0:
        return Moments(0, 0.0, 0.0, 0)
    mean = float(values.sum()) / n
    away = values - mean
    square = float((away * away).sum()) + (n - len(values)) * mean * mean
    # Two passes: the second removes the rounding error of the mean.
    left = float(away.sum()) - (n - len(values)) * mean
    ends = [*([0.0] if len(values) < n else []), *([float(values.min()), float(values.max())] if len(values) else [])]
    variance = max(0.0, square - left * left / n) / (n - 1) if n > 1 else 0.0
    mean, low = nearest(mean, left / n)
    return Moments(n, mean, variance, k, min(ends), max(ends), low=low)


def _pool(sample: Sample, scale: tuple[Array, Array] | None) -> Pool:
    """The rows that are summed: for a mean 1, e, ee; for a ratio x, e, ee, ex, xx; with covariates the count of a
    ratio, then z, ez, a ratio's xz, zz.
    """
    columns = [sample.values] if sample.values.ndim == 1 else [sample.values[:, 0], sample.values[:, 1]]
    outcomes = len(columns)
    if scale is not None and sample.covariates is not None:
        columns += list(sample.covariates.T)
    places, times = _distinct(columns)
    distinct = [column[places] for column in columns]
    # The last row is a zero.
    top, bottom = (np.append(distinct[i], 0.0) if i < outcomes else None for i in (0, 1))
    assert top is not None
    if bottom is None:
        value = float((top[:-1] * times).sum()) / sample.n
        value += (float(((top[:-1] - value) * times).sum()) - (sample.n - len(sample.values)) * value) / sample.n
        residual = top - value
        rows = [np.ones_like(top), residual, residual * residual]
    else:
        value = float((top[:-1] * times).sum()) / float((bottom[:-1] * times).sum())
        residual = top - value * bottom
        rows = [bottom, residual, residual * residual, residual * bottom, bottom * bottom]
    if scale is not None:
        z = [
            (np.append(covariate, 0.0) - center) / deviation
            for covariate, center, deviation in zip(distinct[outcomes:], *scale, strict=True)
        ]
        rows += [] if bottom is None else [np.ones_like(top)]
        rows += [
            *z,
            *(residual * covariate for covariate in z),
            *([] if bottom is None else [bottom * covariate for covariate in z]),
        ]
        rows += [covariate * partner for i, covariate in enumerate(z) for partner in z[i:]]
    table = np.column_stack(rows)
    return Pool(sample, np.concatenate(distinct), times, value, table[:-1], table[-1])


def _distinct(columns: list[Array]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the distinct rows, in order of the first column, then of the next, and how often each occurs."""
    if len(columns) == 1:
        order = np.argsort(columns[0], kind="stable")
    else:
        order = np.lexsort(columns[::-1])
    new = np.zeros(len(order), np.bool_)
    new[:1] = True
    for column in columns:
        ordered = column[order]
        new[1:] |= ordered[1:] != ordered[:-1]
    starts = np.flatnonzero(new)
    return order[starts], np.diff(np.append(starts, len(order)))


def _arm(pool: Pool) -> Arm:
    n, zeros = pool.sample.n, pool.sample.n - pool.nonzero
    whole, dimensions = (pool.rows * pool.times[:, None]).sum(axis=0) + zeros * pool.zero, pool.sample.values.ndim
    sums = _sums(whole, dimensions)
    products = _products(whole, dimensions) if len(whole) > (3 if dimensions == 1 else 5) else None
    size = float(sums.x)
    deviation = math.sqrt(float(sums.ee) / (n - 1)) * n / size if n > 1 else 0.0
    error = 0.0 if deviation <= RESOLUTION * abs(pool.value) else deviation / math.sqrt(n)
    return Arm(n, pool.value, error, sums, float(sums.e) / size, products)


def _complement(all_units: tuple[Array, ...], part: tuple[Array, ...]) -> list[Array]:
    return [of_all - of_part for of_all, of_part in zip(all_units, part, strict=True)]
