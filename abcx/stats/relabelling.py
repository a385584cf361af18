"""Random relabellings of two arms' units, drawn once and kept as sums, so that every hypothesis is closed form.

A relabelling gives control's and variant's names to the pooled units at random, with the arms' sizes kept. What a
test needs of it are the sums, over the units named variant, of the denominator x, the residual e = y - m x (m: the
value of the unit's own arm) and their products, separately for the units that came from each arm. A mean is the ratio
whose denominator is 1 for every unit. Residuals are centred per arm, so that values near 1e9 keep their digits; a
unit of value 0 then has the same residual -m as every other zero of its arm, and zeros are a number times one row.

Every relabelling is equally likely: the number of non-zero units in the arm is hypergeometric, the set of them is a
uniformly random subset of that size, and so is the origin of the zeros. Units are sorted and the smaller arm is drawn,
so neither the order of the units nor the names of the arms matter: swapping the arms gives the mirrored relabellings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from abcx.stats.means import RESOLUTION, nearest
from abcx.stats.records import Moments, RatioMoments, Sample

Array = NDArray[np.float64]

_MEAN, _RATIO = (0, 1, 2, 1, 0), (0, 1, 2, 3, 4)
"""Which column holds the sums of x, e, ee, ex, xx: three are enough where x is 1."""
_CELLS = 1 << 20
"""Memberships (relabellings x units) that are held at a time: 9 MB."""
_GROUP_COST = 16
"""A group of equal values costs about as much as so many units drawn one by one."""
_WIDE = 5_000
"""Relabellings of up to so many units are brought to size at once, wider ones row by row: the same draws, faster."""
_ROUNDING = 1e-13
"""A sum of squares below this fraction of its terms is their rounding."""


class Sums(NamedTuple):
    """Sums over some units, one number or one per relabelling: denominators, residuals and their products."""

    x: Array
    e: Array
    ee: Array
    ex: Array
    xx: Array


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """An arm as it was: its value (mean or ratio; `low`: less its rounding), standard error, sums over its units."""

    n: int
    value: float
    error: float
    sums: Sums
    low: float


@dataclass(frozen=True, slots=True, eq=False)
class Relabellings:
    """The two arms, and per relabelling the sums over the units named variant that came from each of them."""

    control: Arm
    variant: Arm
    from_control: Sums
    from_variant: Sums


@dataclass(frozen=True, slots=True)
class Alignment:
    """A hypothesis: factors that give control's and variant's units one value, up to `shift` between the arms' own.

    The statistic is (weights[1] m_t - weights[0] m_c) over its standard error.
    """

    factors: tuple[float, float]
    shift: float
    weights: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class _Pool:
    """One arm's units: distinct non-zero values in order with how often they occur, and the row of a zero."""

    sample: Sample
    distinct: Array
    times: NDArray[np.int64]
    value: float
    rows: Array
    zero: Array

    @property
    def nonzero(self) -> int:
        return len(self.sample.values)


def draw(control: Sample, variant: Sample, draws: int, seed: int) -> Relabellings:
    """`draws` relabellings of the pooled units; both arms need units, ratios a positive sum of denominators."""
    pools = _pool(control), _pool(variant)
    arms = _arm(pools[0]), _arm(pools[1])
    first = 0 if _before(*pools) else 1
    sums = _drawn(pools[first], pools[1 - first], draws, np.random.Generator(np.random.PCG64(seed)))
    fields = _MEAN if control.values.ndim == 1 else _RATIO
    of_first, of_second = (Sums(*np.ascontiguousarray(one[:, fields].T)) for one in sums)
    if first == 1:
        return Relabellings(arms[0], arms[1], of_second, of_first)
    return Relabellings(arms[0], arms[1], _rest(arms[0].sums, of_first), _rest(arms[1].sums, of_second))


def shares_of_pool(found: Relabellings) -> tuple[float, float]:
    """Control's and variant's parts of the pool: of its units, or of its sum of denominators."""
    control, variant = float(found.control.sums.x), float(found.variant.sums.x)
    return control / (control + variant), variant / (control + variant)


def statistics(found: Relabellings, hypothesis: Alignment) -> Array:
    """The studentised statistic of every relabelling of the aligned pool; nan where it does not exist."""
    (of_control, v_control), (of_variant, v_variant) = estimates(found, hypothesis)
    on_control, on_variant = hypothesis.weights
    with np.errstate(all="ignore"):
        error = np.sqrt(on_control * on_control * v_control + on_variant * on_variant * v_variant)
        return (on_variant * of_variant - on_control * of_control) / error


def estimates(found: Relabellings, hypothesis: Alignment) -> tuple[tuple[Array, Array], tuple[Array, Array]]:
    """Value (less the pool's) and variance of the value of the arms named control and variant, per relabelling."""
    control, variant = found.control, found.variant
    of_pool = shares_of_pool(found)
    # The pool's own value is 0: control's units are below it by variant's part of the shift, variant's are above it.
    shifts = -hypothesis.shift * of_pool[1], hypothesis.shift * of_pool[0]
    with np.errstate(all="ignore"):  # a hypothesis out of all proportion may overflow: no statistic, counted as beyond
        pool = _aligned(control.sums, variant.sums, hypothesis.factors, shifts)
        named_variant = _aligned(found.from_control, found.from_variant, hypothesis.factors, shifts)
        named_control = Sums(*(whole - some for whole, some in zip(pool, named_variant, strict=True)))
        return _of_arm(named_control, control.n), _of_arm(named_variant, variant.n)


def _aligned(control: Sums, variant: Sums, factors: tuple[float, float], shifts: tuple[float, float]) -> Sums:
    """The sums of u = factor e + shift x over units of both arms."""
    parts = []
    for part, a, h in ((control, factors[0], shifts[0]), (variant, factors[1], shifts[1])):
        e = a * part.e + h * part.x
        ee = a * a * part.ee + 2.0 * a * h * part.ex + h * h * part.xx
        parts.append(Sums(part.x, e, ee, a * part.ex + h * part.xx, part.xx))
    return Sums(*(one + other for one, other in zip(*parts, strict=True)))


def _of_arm(sums: Sums, n: int) -> tuple[Array, Array]:
    """An arm's value q = sum u / sum x and the variance of q: that of the residual u - q x (delta method)."""
    value = sums.e / sums.x
    terms = sums.ee + value * value * sums.xx
    squares = terms - 2.0 * value * sums.ex
    squares = np.where(squares <= _ROUNDING * terms, 0.0, squares)
    # A sum of denominators that is not above 0 gives no statistic.
    return np.where(sums.x > 0.0, value, np.nan), squares * (n / (n - 1.0)) / (sums.x * sums.x)


def moments(sample: Sample) -> Moments | RatioMoments:
    """What means.py and ratios.py ask for, of the units themselves."""
    if sample.values.ndim == 1:
        return _moments(sample.n, sample.values)
    top, bottom = sample.values[:, 0], sample.values[:, 1]
    one, other = _moments(sample.n, top), _moments(sample.n, bottom)
    zeros = sample.n - len(top)
    products = float(((top - one.mean) * (bottom - other.mean)).sum()) + zeros * one.mean * other.mean
    return RatioMoments(one, other, products / (sample.n - 1) if sample.n > 1 else 0.0)


def _moments(n: int, values: Array) -> Moments:
    k = int(np.count_nonzero(values))
    if n == 0:
        return Moments(0, 0.0, 0.0, 0)
    mean = float(values.sum()) / n
    away = values - mean
    square = float((away * away).sum()) + (n - len(values)) * mean * mean
    # Two passes: the second takes out what rounding left of the mean.
    left = float(away.sum()) - (n - len(values)) * mean
    ends = [*([0.0] if len(values) < n else []), *([float(values.min()), float(values.max())] if len(values) else [])]
    variance = max(0.0, square - left * left / n) / (n - 1) if n > 1 else 0.0
    mean, low = nearest(mean, left / n)
    return Moments(n, mean, variance, k, min(ends), max(ends), low=low)


def _pool(sample: Sample) -> _Pool:
    if sample.values.ndim == 1:
        distinct, times = np.unique(sample.values, return_counts=True)
        value = float((distinct * times).sum()) / sample.n
        value += (float(((distinct - value) * times).sum()) - (sample.n - len(sample.values)) * value) / sample.n
        residual = distinct - value
        rows = np.column_stack([np.ones_like(distinct), residual, residual * residual])
        return _Pool(sample, distinct, times, value, rows, np.array([1.0, -value, value * value]))
    # Complex numbers sort by their real part, then by the imaginary one, much faster than rows do.
    pairs, times = np.unique(sample.values[:, 0] + 1j * sample.values[:, 1], return_counts=True)
    top, bottom = pairs.real, pairs.imag
    value = float((top * times).sum()) / float((bottom * times).sum())
    residual = top - value * bottom
    rows = np.column_stack([bottom, residual, residual * residual, residual * bottom, bottom * bottom])
    return _Pool(sample, np.concatenate([top, bottom]), times, value, rows, np.zeros(5))


def _arm(pool: _Pool) -> Arm:
    n, zeros = pool.sample.n, pool.sample.n - pool.nonzero
    fields = _MEAN if pool.sample.values.ndim == 1 else _RATIO
    sums = Sums(*((pool.rows * pool.times[:, None]).sum(axis=0) + zeros * pool.zero)[list(fields)])
    size = float(sums.x)
    deviation = math.sqrt(float(sums.ee) / (n - 1)) * n / size if n > 1 else 0.0
    error = 0.0 if deviation <= RESOLUTION * abs(pool.value) else deviation / math.sqrt(n)
    return Arm(n, pool.value, error, sums, float(sums.e) / size)


def _rest(all_units: Sums, part: Sums) -> Sums:
    return Sums(*(whole - some for whole, some in zip(all_units, part, strict=True)))


def _before(one: _Pool, other: _Pool) -> bool:
    """Whether `one` is the arm to draw: an order of arms that depends on their units alone, the smaller first."""
    a, b = (one.sample.n, one.nonzero, len(one.distinct)), (other.sample.n, other.nonzero, len(other.distinct))
    if a != b:
        return a < b
    for mine, theirs in ((one.distinct, other.distinct), (one.times, other.times)):
        differs = np.flatnonzero(mine != theirs)
        if differs.size:
            return bool(mine[differs[0]] < theirs[differs[0]])
    return True


def _drawn(first: _Pool, second: _Pool, draws: int, generator: np.random.Generator) -> tuple[Array, Array]:
    """Per relabelling the summed rows of the units that the first arm gets: from itself, from the second."""
    zeros = first.sample.n - first.nonzero, second.sample.n - second.nonzero
    nonzero = first.nonzero + second.nonzero
    taken = generator.hypergeometric(nonzero, sum(zeros), first.sample.n, draws)
    blank = generator.hypergeometric(zeros[0], zeros[1], first.sample.n - taken)
    groups = len(first.times) + len(second.times)
    sums = (_by_group if _GROUP_COST * groups < nonzero else _by_unit)(first, second, taken, generator)
    sums[0][:] += blank[:, None] * first.zero
    sums[1][:] += (first.sample.n - taken - blank)[:, None] * second.zero
    return sums


def _by_group(
    first: _Pool, second: _Pool, taken: NDArray[np.int64], generator: np.random.Generator
) -> tuple[Array, Array]:
    """Few distinct values: how many units of each value are taken is multivariate hypergeometric, value by value."""
    sums = [np.zeros((len(taken), pool.rows.shape[1])) for pool in (first, second)]
    wanted, left = taken.copy(), first.nonzero + second.nonzero
    for pool, into in zip((first, second), sums, strict=True):
        for times, row in zip(pool.times.tolist(), pool.rows, strict=True):
            left -= times
            here = generator.hypergeometric(times, left, wanted)
            wanted -= here
            into += here[:, None] * row
    return sums[0], sums[1]


def _by_unit(
    first: _Pool, second: _Pool, taken: NDArray[np.int64], generator: np.random.Generator
) -> tuple[Array, Array]:
    """Many values: a 0/1 matrix says who is taken, a matrix product adds up the rows."""
    columns = [np.ascontiguousarray(np.repeat(pool.rows, pool.times, axis=0).T) for pool in (first, second)]
    split, units = columns[0].shape[1], columns[0].shape[1] + columns[1].shape[1]
    sums = np.empty((len(taken), len(columns[0]))), np.empty((len(taken), len(columns[1])))
    share = first.sample.n / (first.sample.n + second.sample.n)
    at_once = max(1, min(len(taken), _CELLS // max(units, 1)))
    weights = np.empty((at_once, units))
    for start in range(0, len(taken), at_once):
        sizes = taken[start : start + at_once]
        block = weights[: len(sizes)]
        block[:] = _subsets(sizes, units, share, generator)
        # Few rows times a tall matrix: BLAS is ten times as fast this way round.
        sums[0][start : start + at_once] = (columns[0] @ block[:, :split].T).T
        sums[1][start : start + at_once] = (columns[1] @ block[:, split:].T).T
    return sums


def _subsets(sizes: NDArray[np.int64], units: int, share: float, generator: np.random.Generator) -> NDArray[np.bool_]:
    """One uniformly random subset of `units` units for each size, as rows of a membership matrix.

    Each unit is taken by a coin of about the probability `share`; then units chosen at random are put back or added
    until the size is right. Given its size a set of coins is uniform, and adding to or removing from a uniform set
    uniformly leaves it uniform, so the result is exact whatever the coin's probability is. The coins are single bytes.
    """
    words = generator.integers(0, 2**64, -(-len(sizes) * units // 8), np.uint64)
    coins = words.view(np.uint8)[: len(sizes) * units].reshape(len(sizes), units)
    members = coins < round(256 * share)
    if units <= _WIDE:
        _resize(members, sizes, generator)
        return members
    missing = sizes - np.count_nonzero(members, axis=1)
    for row, short in zip(members, missing.tolist(), strict=True):
        if short:
            candidates = np.flatnonzero(row != (short > 0))
            row[generator.choice(candidates, abs(short), replace=False, shuffle=False)] = short > 0
    return members


def _resize(members: NDArray[np.bool_], sizes: NDArray[np.int64], generator: np.random.Generator) -> None:
    """Adds random units to the rows that are too short, puts random ones back in those that are too long.

    By Floyd's sampling (Communications of the ACM 30, 1987), as `choice` without replacement does it: the k-th of K
    picks among n units is one of the first n - K + k, or the last of these if that one is taken. Here the picks are
    drawn for all rows in one call, then gone through at once: the first pick of every row, the second, and so on.
    """
    counts = np.count_nonzero(members, axis=1)
    add, times = sizes > counts, np.abs(sizes - counts)
    places = np.flatnonzero(members != add[:, None])
    have = np.where(add, members.shape[1] - counts, counts)
    first_place, first_pick = np.cumsum(have) - have, np.cumsum(times) - times
    last = np.repeat(have - times - first_pick, times) + np.arange(times.sum())
    picks = generator.integers(0, last, endpoint=True)
    taken = np.zeros(len(places), np.bool_)
    for k in range(times.max(initial=0)):
        rows = np.flatnonzero(times > k)
        pick = first_pick[rows] + k
        at = first_place[rows] + picks[pick]
        taken[np.where(taken[at], first_place[rows] + last[pick], at)] = True
    members.reshape(-1)[places[taken]] ^= True
