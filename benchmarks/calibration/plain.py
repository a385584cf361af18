"""The samples of one cell as p-values of every tool: abcx's own choice, the peers, and a plain test of the same data.

A p-value is told as the evidence that the variant's value is larger: half of the two-sided p where it looks larger,
else 1 less that half. So each side has its own error rate.

Plain tests are what an analyst computes by hand: Welch's t of means, the same of linearized ratios of sums, and the
pooled z of two shares. Of quantiles: the share of values above the pooled quantile. Of lifetimes: complete cases
(watched to the horizon), and what has been seen so far, which is another number than the one asked for (it depends on
how long units were watched) but is the same in both arms where they are alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtr  # type: ignore[import-untyped,unused-ignore]

from abcx.stats import mid_distribution, shares
from abcx.stats.records import Answers, Categories, Contrast, CrossMoments, Lifetimes, Proportion
from benchmarks.calibration import cx, own, peers, samples
from benchmarks.calibration.cells import ENUMERATED, Cell, Family

Array = NDArray[np.float64]
KINDS: dict[Family, peers.Kind] = {
    "shares": "shares",
    "csat": "shares",
    "retention": "shares",
    "revenue": "revenue",
    "refunds": "revenue",
    "orders": "revenue",
    "clicks": "clicks",
    "heavy": "clicks",
    "adjusted": "adjusted",
}
"""As what a family's data are told to the peers, who have shares, means, ratios of sums and adjusted means."""
ANOTHER_NUMBER = ("left so far, z", "closed tickets, Welch")
"""Plain tests of a number that depends on how long units were watched, not of the one asked for."""
LATER = 1.6
"""Weibull shape of times that lie late in the window; 1 is exponential."""


@dataclass(frozen=True)
class Trial:
    """One sample: abcx's comparison, what peers are told (None where they have no such metric), plain tests."""

    own: Contrast
    told: peers.Pair | None
    plain: dict[str, float]


def larger(p_value: float | None, difference: float | None) -> float:
    """The evidence that the variant is larger; a half where there is no test."""
    if p_value is None or difference is None or difference == 0.0 or math.isnan(p_value):
        return 0.5
    return p_value / 2.0 if difference > 0.0 else 1.0 - p_value / 2.0


def trials(cell: Cell, count: int, draws: int, rng: np.random.Generator) -> Iterator[Trial]:
    """`count` independent samples."""
    if cell.family in (*ENUMERATED, "retention"):
        yield from _shares(cell, count, rng)
    elif cell.family in KINDS:
        yield from _units(cell, count, draws, rng)
    else:
        of_family: dict[str, Callable[..., Trial]] = {"rmst": _rmst, "quantile": _quantile, "churn": _churn}
        draw = of_family.get(cell.family, _answers)
        for seed in range(count):
            yield draw(cell, draws, seed, rng)


# ---------------------------------------------------------------------------------------- plain tests


def welch(one: tuple[float, float, float], other: tuple[float, float, float]) -> float:
    """By the mean, the variance of the mean and the degrees of freedom of each arm."""
    (m0, v0, df0), (m1, v1, df1) = one, other
    variance = v0 + v1
    if not variance > 0.0:
        return 0.5
    df = variance**2 / (v0**2 / df0 + v1**2 / df1)
    return float(stdtr(df, (m0 - m1) / math.sqrt(variance)))


def two_shares(x0: int, n0: int, x1: int, n1: int) -> float:
    """The z-test with pooled variance."""
    pooled = (x0 + x1) / (n0 + n1)
    variance = pooled * (1.0 - pooled) * (1.0 / n0 + 1.0 / n1)
    return float(ndtr((x0 / n0 - x1 / n1) / math.sqrt(variance))) if variance > 0.0 else 0.5


def mean(arm: CrossMoments) -> tuple[float, float, float]:
    return arm.means[0], arm.covariance[0][0] / arm.n, arm.n - 1.0


def ratio(arm: CrossMoments) -> tuple[float, float, float]:
    """The ratio of the sums of two columns, linearized (delta method)."""
    (y, x), ((yy, xy), (_, xx)) = arm.means, arm.covariance
    value = y / x
    return value, (yy - 2.0 * value * xy + value**2 * xx) / x**2 / arm.n, arm.n - 1.0


def of_units(top: Array, bottom: Array, unit: NDArray[np.int64], n: int) -> CrossMoments:
    """Moments of the sums of two columns over the rows of each of `n` units."""
    return samples.cross(n, np.column_stack([np.bincount(unit, column, n) for column in (top, bottom)]))


# ---------------------------------------------------------------------------------------- shares, units


def _shares(cell: Cell, count: int, rng: np.random.Generator) -> Iterator[Trial]:
    if cell.family == "retention":
        drawn = (pair for pair in cx.summaries(cell, count, rng))
    else:
        (n0, n1), (p0, p1) = cell.sizes, (cell.share, cell.share * cell.ratio)
        drawn = (
            (Proportion(int(rng.binomial(n0, p0)), n0), Proportion(int(rng.binomial(n1, p1)), n1)) for _ in range(count)
        )
    for one, other in drawn:
        assert isinstance(one, Proportion) and isinstance(other, Proportion)
        test = {"two-proportion z": two_shares(one.successes, one.n, other.successes, other.n)}
        yield Trial(shares.contrast(one, other), (_told(one), _told(other)), test)


def _told(arm: Proportion) -> CrossMoments:
    share = arm.successes / arm.n
    return CrossMoments(arm.n, (share,), ((share * (1.0 - share) * arm.n / (arm.n - 1),),))


def _units(cell: Cell, count: int, draws: int, rng: np.random.Generator) -> Iterator[Trial]:
    for seed, pair in enumerate(samples.arms(cell, count, rng)):
        told = samples.plain(pair[0]), samples.plain(pair[1])
        if KINDS[cell.family] == "clicks":
            plain = {"Welch, linearized ratio": welch(ratio(told[0]), ratio(told[1]))}
        else:
            name = "Welch, not adjusted" if cell.family == "adjusted" else "Welch"
            plain = {name: welch(mean(told[0]), mean(told[1]))}
        yield Trial(own.chosen(*pair, draws, seed)[0], told, plain)


# ---------------------------------------------------------------------------------------- answers, times


def _answers(cell: Cell, draws: int, seed: int, rng: np.random.Generator) -> Trial:
    pair = next(cx.summaries(cell, 1, rng))
    return Trial(cx.contrast(cell, *pair, draws, seed), None, {"Welch": welch(_scored(pair[0]), _scored(pair[1]))})


def _scored(arm: object) -> tuple[float, float, float]:
    if isinstance(arm, Answers):
        values, counts = np.array([100.0, 0.0, -100.0]), np.array([arm.promoters, arm.passives, arm.detractors])
    else:
        assert isinstance(arm, Categories)
        values, counts = arm.low + np.arange(float(len(arm.counts))), np.array(arm.counts)
    n = int(counts.sum())
    average = float(counts @ values) / n
    return average, float(counts @ (values - average) ** 2) / (n - 1) / n, n - 1.0


def _rmst(cell: Cell, draws: int, seed: int, rng: np.random.Generator) -> Trial:
    records: list[Lifetimes] = []
    whole: list[tuple[float, float, float]] = []
    closed: list[tuple[float, float, float]] = []
    for n, factor in zip(cell.sizes, cx.parameters(cell), strict=True):
        times, followed, unit = cx.tickets(cell, n, factor, rng)
        records.append(Lifetimes(n, np.minimum(times, followed), times <= followed, unit))
        restricted = np.minimum(times, cx.HORIZON)
        for kept, parts in ((followed >= cx.HORIZON, whole), (times <= followed, closed)):
            parts.append(ratio(of_units(restricted * kept, kept.astype(float), unit, n)))
    plain = {"complete cases, Welch": welch(whole[0], whole[1]), "closed tickets, Welch": welch(closed[0], closed[1])}
    return Trial(cx.contrast(cell, records[0], records[1], draws, seed), None, plain)


def _quantile(cell: Cell, draws: int, seed: int, rng: np.random.Generator) -> Trial:
    drawn = [cx.values(cell, n, factor, rng) for n, factor in zip(cell.sizes, cx.parameters(cell), strict=True)]
    records = [mid_distribution.summary(values, cell.q, unit) for values, unit in drawn]
    cut = np.quantile(np.concatenate([values for values, _ in drawn]), cell.q)
    parts = []
    for n, (values, unit) in zip(cell.sizes, drawn, strict=True):
        above = (values > cut).astype(float)
        parts.append(ratio(of_units(above, np.ones(len(above)), np.arange(n) if unit is None else unit, n)))
    plain = {"share above the pooled quantile, Welch": welch(parts[0], parts[1])}
    return Trial(cx.contrast(cell, records[0], records[1], draws, seed), None, plain)


def later(cell: Cell, count: int, rng: np.random.Generator) -> Iterator[Trial]:
    """Samples of churn in which as many leave by the horizon in both arms, those of the variant later."""
    for seed in range(count):
        yield _churn(cell, 0, seed, rng, LATER)


def _churn(cell: Cell, draws: int, seed: int, rng: np.random.Generator, shape: float = 1.0) -> Trial:
    records, whole, left = [], [], []
    for n, share, of_arm in zip(cell.sizes, cx.parameters(cell), (1.0, shape), strict=True):
        times, watched = cx.customers(cell, n, share, rng, of_arm)
        records.append(Lifetimes(n, np.minimum(times, watched), times <= watched, np.arange(n)))
        complete = watched >= cx.HORIZON
        whole += [int((times[complete] <= cx.HORIZON).sum()), int(complete.sum())]
        left += [int((times <= np.minimum(watched, cx.HORIZON)).sum()), n]
    plain = {"complete cases, z": two_shares(*whole), "left so far, z": two_shares(*left)}
    return Trial(cx.contrast(cell, records[0], records[1], draws, seed), None, plain)
