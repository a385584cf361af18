"""Simulated samples: units of both arms, and what is true of the populations that they come from."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from abcx.stats.records import CrossMoments, Sample
from benchmarks.calibration import cx
from benchmarks.calibration.cells import ENUMERATED, Cell

Array = NDArray[np.float64]

VIEWS = 10.0
"""Mean views of a unit."""
FAVORITE = 0.5
"""Clicks per view grow with activity to this power: views and clicks per view are correlated."""
SPEND, DEVIATION, NEW = 10.0, 3.0, -0.5
"""Adjusted means: mean and deviation of the outcome; units without a covariate are new and lie half one lower."""


REFUNDED = (0.1, 0.05)
"""Shares of buyers whose order is sent back, and who send back an earlier one of the same value instead of buying."""
AGAIN = 0.2
"""Share of buyers who order twice."""
ALIKE = 50.0
"""Success rates of units are beta-distributed with this sum of parameters."""


@dataclass(frozen=True)
class Arm:
    """One arm of a sample: the units themselves, or their moments (outcome, covariates), as a method asks for them."""

    sample: Sample
    covariate: Array | None = None
    """Of every unit, in the order of `sample`, nan where missing; None in families without covariates."""


def truth(cell: Cell) -> float:
    """The true difference, variant less control."""
    if cell.family in ENUMERATED:
        control = cell.share
    elif cell.family == "revenue":
        control = cell.share * math.exp(cell.sigma**2 / 2.0)
    elif cell.family == "clicks":
        control = cell.rate
    elif cell.family == "adjusted":
        control = SPEND
    elif cell.family == "refunds":
        control = cell.share * math.exp(cell.sigma**2 / 2.0) * (1.0 - REFUNDED[0] - 2.0 * REFUNDED[1])
    elif cell.family == "orders":
        control = cell.share * (1.0 + AGAIN)
    elif cell.family == "heavy":
        control = cell.rate
    else:
        return cx.truth(cell)
    return control * cell.lift


def arms(cell: Cell, samples: int, rng: np.random.Generator) -> Iterator[tuple[Arm, Arm]]:
    """`samples` independent pairs of control and variant."""
    draws = {
        "revenue": _revenue,
        "clicks": _clicks,
        "adjusted": _adjusted,
        "refunds": _refunds,
        "orders": _orders,
        "heavy": _heavy,
    }
    draw = draws[cell.family]
    for _ in range(samples):
        yield draw(cell, cell.sizes[0], 1.0, rng), draw(cell, cell.sizes[1], cell.ratio, rng)


def _revenue(cell: Cell, n: int, ratio: float, rng: np.random.Generator) -> Arm:
    by_buyers = cell.by == "buyers"
    buyers = rng.binomial(n, cell.share * (ratio if by_buyers else 1.0))
    return Arm(Sample(n, rng.lognormal(0.0, cell.sigma, buyers) * (1.0 if by_buyers else ratio)))


def _clicks(cell: Cell, n: int, ratio: float, rng: np.random.Generator) -> Arm:
    """Activity g is gamma with mean 1; views are Poisson(10 g), clicks Poisson(10 rate g^1.5 / E g^1.5)."""
    k = cell.shape
    activity = rng.gamma(k, 1.0 / k, n)
    moment = math.exp(math.lgamma(k + 1.0 + FAVORITE) - math.lgamma(k)) / k ** (1.0 + FAVORITE)
    views = rng.poisson(VIEWS * activity)
    clicks = rng.poisson(VIEWS * cell.rate * ratio / moment * activity ** (1.0 + FAVORITE))
    pairs = np.column_stack([clicks, views]).astype(float)
    return Arm(Sample(n, pairs[pairs.any(axis=1)]))


def _adjusted(cell: Cell, n: int, ratio: float, rng: np.random.Generator) -> Arm:
    """Outcome and covariate are normal with the cell's correlation; new units have no covariate and spend less. With
    `sigma` (and `heavy`) the covariate (and the outcome) is lognormal instead: exp(sigma z)."""
    covariate = rng.standard_normal(n)
    left = math.sqrt(1.0 - cell.correlation**2)
    outcome = cell.correlation * covariate + left * rng.standard_normal(n)
    if cell.sigma:
        values = (
            SPEND * np.exp(cell.heavy * outcome - cell.heavy**2 / 2.0) if cell.heavy else SPEND + DEVIATION * outcome
        )
        return Arm(Sample(n, values * ratio), np.exp(cell.sigma * covariate))
    new = rng.random(n) < cell.missing
    outcome += NEW * (new - cell.missing)
    values = (SPEND + DEVIATION * outcome) * ratio
    return Arm(Sample(n, values), np.where(new, np.nan, 5.0 + covariate))


def _refunds(cell: Cell, n: int, ratio: float, rng: np.random.Generator) -> Arm:
    values = rng.lognormal(0.0, cell.sigma, rng.binomial(n, cell.share)) * ratio
    values *= rng.choice([1.0, 0.0, -1.0], len(values), p=[1.0 - sum(REFUNDED), *REFUNDED])
    return Arm(Sample(n, values[values != 0.0]))


def _orders(cell: Cell, n: int, ratio: float, rng: np.random.Generator) -> Arm:
    again: Array = (rng.random(rng.binomial(n, cell.share * ratio)) < AGAIN).astype(float)
    return Arm(Sample(n, 1.0 + again))


def _heavy(cell: Cell, n: int, ratio: float, rng: np.random.Generator) -> Arm:
    """Events of a unit are 1 + Poisson of a lognormal number: at sigma 2 the top 1 % of units hold a third of them."""
    events = 1 + rng.poisson(rng.lognormal(1.0, cell.sigma, n))
    rate = cell.rate * ratio
    successes = rng.binomial(events, rng.beta(ALIKE * rate, ALIKE * (1.0 - rate), n))
    return Arm(Sample(n, np.column_stack([successes, events]).astype(float)))


def cross(n: int, columns: Array) -> CrossMoments:
    """Moments of all n units; those beyond the rows of `columns` are 0 in every column."""
    means = columns.sum(axis=0) / n
    away = columns - means
    squares = away.T @ away + (n - len(columns)) * np.outer(means, means)
    covariance = squares / (n - 1)
    return CrossMoments(n, tuple(means.tolist()), tuple(tuple(row) for row in covariance.tolist()))


def plain(arm: Arm) -> CrossMoments:
    """What a peer is told: moments of the outcome (numerator, denominator), and of the covariate, 0 where missing."""
    values = arm.sample.values if arm.sample.values.ndim == 2 else arm.sample.values[:, None]
    if arm.covariate is None:
        return cross(arm.sample.n, values)
    return cross(arm.sample.n, np.column_stack([values, np.nan_to_num(arm.covariate)]))
