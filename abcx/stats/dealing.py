"""Random relabelings of two arms: which units each of them assigns to an arm, and the sums of those units' rows.

Every relabeling is equally likely: the number of non-zero units in the arm is hypergeometric, the set of them is a
uniformly random subset of that size, and so is the origin of the zeros.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from abcx.stats.records import Sample

Array = NDArray[np.float64]

_CELLS = 1 << 20
"""Memberships (relabelings x units) that are held at a time: 9 MB."""
_GROUP_COST = 16
"""Cost of drawing a group of equal values, in units drawn individually."""
_WIDE = 5_000
"""Units up to which all subsets are resized in one call; with more, each row is resized in turn,
which is faster there.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """One arm's units: its g distinct non-zero units in order, how often each occurs, and the rows that are summed.

    `distinct` holds the columns of the distinct units end to end, `times` (g,) their numbers, `value` the arm's mean or
    ratio, `rows` (g, r) a row of summands for each distinct unit and `zero` (r,) that of a unit of value 0.
    """

    sample: Sample
    distinct: Array
    times: NDArray[np.int64]
    value: float
    rows: Array
    zero: Array

    @property
    def nonzero(self) -> int:
        """Units whose value is not 0."""
        return len(self.sample.values)


def before(one: Pool, other: Pool) -> bool:
    """Whether `one` is the arm to draw: the smaller one, in an order that depends on the units alone and not on the
    arms' names.
    """
    a, b = (one.sample.n, one.nonzero, len(one.distinct)), (other.sample.n, other.nonzero, len(other.distinct))
    if a != b:
        return a < b
    for mine, theirs in ((one.distinct, other.distinct), (one.times, other.times)):
        differs = np.flatnonzero(mine != theirs)
        if differs.size:
            return bool(mine[differs[0]] < theirs[differs[0]])
    return True


def drawn(first: Pool, second: Pool, draws: int, generator: np.random.Generator) -> tuple[Array, Array]:
    """Per relabeling the summed rows of the units that the first arm gets: (those from itself, those from the second).

    Both have shape (draws, r).
    """
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
    first: Pool, second: Pool, taken: NDArray[np.int64], generator: np.random.Generator
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
    first: Pool, second: Pool, taken: NDArray[np.int64], generator: np.random.Generator
) -> tuple[Array, Array]:
    """Many values: a 0/1 matrix marks the units that are taken, a matrix product adds up their rows."""
    columns = [np.ascontiguousarray(np.repeat(pool.rows, pool.times, axis=0).T) for pool in (first, second)]
    split, units = columns[0].shape[1], columns[0].shape[1] + columns[1].shape[1]
    sums = np.empty((len(taken), len(columns[0]))), np.empty((len(taken), len(columns[1])))
    share = first.sample.n / (first.sample.n + second.sample.n)
    at_once = max(1, min(len(taken), _CELLS // max(units, 1)))
    weights = np.empty((at_once, units))
    for start in range(0, len(taken), at_once):
        sizes = taken[start : start + at_once]
        block = weights[: len(sizes)]
        block[:] = subsets(sizes, units, share, generator)
        # Few rows times a tall matrix: BLAS is ten times as fast in this orientation.
        sums[0][start : start + at_once] = (columns[0] @ block[:, :split].T).T
        sums[1][start : start + at_once] = (columns[1] @ block[:, split:].T).T
    return sums


def subsets(sizes: NDArray[np.int64], units: int, share: float, generator: np.random.Generator) -> NDArray[np.bool_]:
    """One uniformly random subset of `units` units for each size in `sizes` (B,), as a membership matrix (B, units).

    Each unit is taken independently with a probability near `share`; then units chosen at random are removed or added
    until the size is right. Given its size, the set of independently taken units is uniform, and adding to or removing
    from a uniform set at random leaves it uniform, so the result is exact whatever the probability is. Each unit uses
    one random byte.
    """
    random_words = generator.integers(0, 2**64, -(-len(sizes) * units // 8), np.uint64)
    coins = random_words.view(np.uint8)[: len(sizes) * units].reshape(len(sizes), units)
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
    """Adds random units to the rows that are too short and removes random units from those that are too long, in place.

    By Floyd's sampling (Communications of the ACM 30, 1987), as `choice` without replacement does it: the k-th of K
    picks among n units is one of the first n - K + k, or the last of these if that one is taken. Here the picks are
    drawn for all rows in one call, then processed together: the first pick of every row, the second, and so on.
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
