"""One cell: its samples, every tool's intervals of them, and how often those cover."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast, get_args

import numpy as np
from numpy.typing import NDArray

from benchmarks.calibration import cx, own, peers, samples
from benchmarks.calibration.cells import ENUMERATED, LIFTLESS, Cell

OWN = "abcx"


@dataclass(frozen=True)
class Size:
    """How much is run: samples of a cell (a third of them at 10,000 units), relabelings, counts for peers."""

    samples: int
    draws: int
    seed: int
    peers: bool = True

    def of(self, cell: Cell) -> int:
        return max(2, self.samples // 3) if cell.n >= 10_000 else self.samples


@dataclass(frozen=True)
class Coverage:
    """Shares of the samples with an interval: wholly below the truth, wholly above it; and of samples without one."""

    below: float
    above: float
    refused: float

    @property
    def covered(self) -> float:
        return 1.0 - self.below - self.above


@dataclass(frozen=True)
class Tally:
    """One tool in one cell. `samples` is 0 where outcomes were enumerated; `alarms` is None unless the arms are alike.

    Families without a lift have it refused throughout.
    """

    lift: Coverage
    difference: Coverage
    alarms: float | None
    samples: int
    warned: float = 0.0
    """Share of samples whose interval abcx prints with a warning: they are among the refused."""
    with_warned: Coverage | None = None
    """What is promised (of the lift, or of the difference) where intervals with a warning count like others."""


@dataclass(frozen=True)
class Row:
    """One cell of the table, with what its arms expect: the fewest events of an arm (judge.ENOUGH says which)."""

    cell: Cell
    expected: float
    tallies: dict[str, Tally]
    seconds: float
    size: Size


def measure(cell: Cell, size: Size) -> Row:
    started = time.process_time()
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([size.seed, cell.entropy])))
    of_units = _summaries if cell.family in cx.FAMILIES else _units
    expected, tallies = (_shares if cell.family in ENUMERATED else of_units)(cell, size, rng)
    return Row(cell, expected, tallies, time.process_time() - started, size)


# ---------------------------------------------------------------------------------------- shares


def _shares(cell: Cell, size: Size, rng: np.random.Generator) -> tuple[float, dict[str, Tally]]:
    """abcx by enumeration; peers too where there are no more outcomes than samples, else by as many samples."""
    found = own.outcomes(cell)
    tallies = {OWN: _tally(cell, own.enumerate_shares(cell, found), found.mass, 0)}
    few = len(found.mass) <= size.samples
    if few:
        pairs, weights = np.column_stack([found.control, found.variant]), found.mass
    else:
        picked = rng.choice(len(found.mass), size.samples, p=found.mass / found.mass.sum())
        kept, times = np.unique(picked, return_counts=True)
        pairs, weights = np.column_stack([found.control[kept], found.variant[kept]]), times / size.samples
    n0, n1 = cell.sizes
    told = [(samples.cross(n0, np.ones((x0, 1))), samples.cross(n1, np.ones((x1, 1)))) for x0, x1 in pairs.tolist()]
    tallies |= _peers(cell, size, told, weights, 0 if few else size.samples)
    parts = [(n, share) for n, share in zip(cell.sizes, (cell.share, cell.share * cell.ratio), strict=True)]
    return min(n * min(share, 1.0 - share) for n, share in parts), tallies


# ---------------------------------------------------------------------------------------- units


def _units(cell: Cell, size: Size, rng: np.random.Generator) -> tuple[float, dict[str, Tally]]:
    judged, told, nonzero = [], [], []
    count = size.of(cell)
    for seed, (control, variant) in enumerate(samples.arms(cell, count, rng)):
        judged.append(own.compare(cell, control, variant, size.draws, seed))
        told.append((samples.plain(control), samples.plain(variant)))
        nonzero.append([_nonzero(arm.sample.values) for arm in (control, variant)])
    tallies = {OWN: _own(cell, judged), **_peers(cell, size, told, np.ones(count), count)}
    return _expected(cell, np.mean(nonzero, axis=0)), tallies


def _expected(cell: Cell, counted: NDArray[np.float64]) -> float:
    """Fewest non-zero units an arm expects: known for revenue, where 100 units at 30 % are exactly at the limit."""
    if cell.family != "revenue":
        return float(counted.min())
    shares = cell.share, cell.share * (cell.ratio if cell.by == "buyers" else 1.0)
    return min(n * share for n, share in zip(cell.sizes, shares, strict=True))


def _nonzero(values: NDArray[np.float64]) -> int:
    return int(np.count_nonzero(values if values.ndim == 1 else values[:, 0]))


def _summaries(cell: Cell, size: Size, rng: np.random.Generator) -> tuple[float, dict[str, Tally]]:
    """abcx alone: peers have no such metrics."""
    count, true = size.of(cell), samples.truth(cell)
    judged = []
    for seed, arms in enumerate(cx.summaries(cell, count, rng)):
        contrast = cx.contrast(cell, *arms, size.draws, seed)
        judged.append(own.judged(contrast, cell.ratio, true, cx.warned(cell, *arms, contrast.method)))
    return cx.expected(cell), {OWN: _own(cell, judged)}


# ---------------------------------------------------------------------------------------- tallies


def _own(cell: Cell, judged: Sequence[own.Judged]) -> Tally:
    """abcx itself: intervals with a warning count as refused."""
    lift, difference, rejected = _sides(judged)
    warned, weights = np.array([one.warned for one in judged]), np.ones(len(judged))
    every = _coverage(lift if cell.family not in LIFTLESS else difference, weights)
    lift[warned] = difference[warned] = np.nan
    tally = _tally(cell, (lift, difference, rejected), weights, len(judged))
    return Tally(tally.lift, tally.difference, tally.alarms, len(judged), float(warned.mean()), every)


def _sides(judged: Sequence[own.Judged]) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Sides of the lift and of the difference, nan where there is no interval; whether p < alpha."""
    lift, difference = np.array([(one.lift, one.difference) for one in judged], float).T.copy()
    return lift, difference, np.array([one.rejected for one in judged], float)


def _peers(
    cell: Cell, size: Size, told: Sequence[peers.Pair], weights: NDArray[np.float64], count: int
) -> dict[str, Tally]:
    found = {}
    for name, peer in (peers.installed() if size.peers and cell.family in get_args(peers.Kind) else {}).items():
        answers = peers.quietly(peer, cast(peers.Kind, cell.family), told)
        if answers:
            true = samples.truth(cell)
            lift = np.array([_side(answer.lift, cell.lift) for answer in answers])
            difference = np.array([_side(answer.difference, true) for answer in answers])
            rejected = np.array(
                [answer.p_value is not None and answer.p_value < own.ALPHA for answer in answers], float
            )
            found[name] = _tally(cell, (lift, difference, rejected), weights, count)
    return found


def _side(bounds: peers.Bounds, at: float) -> float:
    """-1 where the interval is wholly below the truth, +1 where above, 0 where it covers (nearly touching included)."""
    if bounds is None:
        return math.nan
    slack = 1e-12 * (1.0 + abs(at))
    return -1.0 if bounds[1] < at - slack else 1.0 if bounds[0] > at + slack else 0.0


def _tally(
    cell: Cell,
    sides: tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]],
    weights: NDArray[np.float64],
    count: int,
) -> Tally:
    lift, difference, rejected = sides
    alarms = float(weights @ rejected / weights.sum()) if cell.null else None
    return Tally(_coverage(lift, weights), _coverage(difference, weights), alarms, count)


def _coverage(sides: NDArray[np.float64], weights: NDArray[np.float64]) -> Coverage:
    given = ~np.isnan(sides)
    total, all_of_it = float(weights[given].sum()), float(weights.sum())
    if total == 0.0:
        return Coverage(0.0, 0.0, 1.0)
    below, above = (float(weights[sides == side].sum()) / total for side in (-1.0, 1.0))
    return Coverage(below, above, 1.0 - total / all_of_it)
