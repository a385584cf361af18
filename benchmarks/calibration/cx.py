"""What CX teams measure, as the summaries that abcx's own metric types compare: answers, tickets, quantiles.

- nps: passives are .3 (1 - (NPS / 100)^2) of the answers; promoters and detractors share the rest to give the NPS.
- ces: 5 % answer 1, whatever happens; the other answers fall off geometrically from 7 to 1, to give the mean.
- rmst: a unit enters at any moment of a fortnight and opens 1 to 5 tickets at any moment from then to its end, when the
  data are cut. Times are lognormal (sigma 1.2, median 12 h) or exponential (mean 24 h), watched for 72 h; the variant's
  are those times a factor that gives the lift of the restricted mean.
- churn: times to leaving are exponential, with the share that leaves by the horizon; units are watched for a time that
  is uniform in horizons.
- retention: units enter evenly over two windows; those whose window is not over are left out.
- quantile: lognormal values (sigma 1) of units, or of the 1 to 5 events of each unit. On a grid both arms are alike and
  the quantile falls exactly between two of its values: lognormal times in whole seconds (with a share q up to 5) or
  minutes (up to 1), or Poisson numbers of orders (up to 1, for the 90th percentile up to 2).

Tickets, and events, of one unit resemble each other: their normal scores have a correlation of .3.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq  # type: ignore[import-untyped,unused-ignore]
from scipy.special import log_ndtr, ndtr, ndtri, pdtr  # type: ignore[import-untyped,unused-ignore]

from abcx.metrics import MetricSpec
from abcx.metrics.ces import Ces
from abcx.metrics.churn import Churn
from abcx.metrics.nps import Nps
from abcx.metrics.quantile import Quantile
from abcx.metrics.resolution_time import ResolutionTime
from abcx.metrics.retention import Retention
from abcx.stats import mean_scores, mid_distribution
from abcx.stats.records import Answers, Categories, Contrast, Lifetimes, Proportion, Summary
from benchmarks.calibration.cells import FOLLOWED, Cell

Array = NDArray[np.float64]

FAMILIES = ("nps", "ces", "rmst", "quantile", "churn", "retention")
"""Families whose samples are summaries."""
PASSIVES, GAVE_UP = 0.3, 0.05
MEDIAN, SIGMA, MEAN = 12.0, 1.2, 24.0
HORIZON, FORTNIGHT = 72.0, 336.0
ALIKE = 0.3
"""Correlation of the normal scores of two tickets, or events, of one unit."""
MOST = 5
"""A unit has 1 to so many tickets or events, all equally likely."""


def summaries(cell: Cell, samples: int, rng: np.random.Generator) -> Iterator[tuple[Summary, Summary]]:
    """`samples` independent pairs of control and variant."""
    draws: dict[str, Callable[..., Summary]] = {"nps": _nps, "ces": _ces, "rmst": _rmst, "quantile": _quantile}
    draws |= {"churn": _churn, "retention": _retention}
    draw, (of_control, of_variant) = draws[cell.family], parameters(cell)
    for _ in range(samples):
        yield draw(cell, cell.sizes[0], of_control, rng), draw(cell, cell.sizes[1], of_variant, rng)


def contrast(cell: Cell, control: Summary, variant: Summary, draws: int, seed: int) -> Contrast:
    """As a readout compares them: by the metric type itself, which may relabel answers of ces and tickets."""
    metric = _metric(cell)
    if isinstance(metric, (Ces, ResolutionTime)):
        return metric.compared(control, variant, draws=draws, seed=seed)
    return metric.contrast(control, variant)


def warned(cell: Cell, control: Summary, variant: Summary, method: str) -> bool:
    """Whether the check `skewness` says that the interval cannot be trusted."""
    if not isinstance(control, Categories) or not isinstance(variant, Categories):
        return False
    return method.startswith("permutation") and not mean_scores.enough(control, variant)


def truth(cell: Cell) -> float:
    """The true difference, variant less control."""
    if cell.family == "rmst":
        return cell.lift * _restricted_mean(cell.times, 1.0)
    if cell.family in ("churn", "retention"):
        return cell.share * cell.lift
    return cell.points + cell.lift * math.exp(ndtri(cell.q))


def expected(cell: Cell) -> float:
    """What the arm with the fewest expects of what judge.ENOUGH counts (events of a unit taken as independent)."""
    arms = zip(cell.sizes, parameters(cell), strict=True)
    if cell.family == "nps":
        return float(min(n * min(kinds[0], kinds[2]) for n, kinds in arms))
    if cell.family == "ces":
        return float(min(n * (1.0 - max(answers)) for n, answers in arms))
    if cell.family == "rmst":
        return float(min(cell.sizes))
    if cell.family in ("churn", "retention"):
        part = 0.5 if cell.family == "retention" else 1.0
        return float(min(part * n * min(share, 1.0 - share) for n, share in arms))
    level = max(cell.q, 1.0 - cell.q)
    beyond = 1.0 - sum(level**k for k in range(1, MOST + 1)) / MOST if cell.of == "events" else 1.0 - level
    return round(min(cell.sizes) * beyond, 9)


@functools.cache
def _metric(cell: Cell) -> MetricSpec:
    common: dict[str, Any] = {"role": "secondary", "goal": "increase"}
    if cell.family == "nps":
        return Nps(type="nps", event="survey", value="answer", scale=(0, 10), **common)
    if cell.family == "ces":
        return Ces(type="ces", event="survey", value="answer", scale=(1, 7), **common)
    if cell.family == "rmst":
        horizon: Any = f"{HORIZON:g}h"
        return ResolutionTime(type="resolution_time", start="open", end="close", key="key", horizon=horizon, **common)
    if cell.family == "churn":
        return Churn.model_validate({"type": "churn", "event": "leave", "horizon": f"{HORIZON:g}h", **common})
    if cell.family == "retention":
        return Retention(type="retention", event="visit", day=7, **common)
    assert cell.of
    return Quantile(type="quantile", q=cell.q, of=cell.of, event="event", value="value", **common)


@functools.cache
def parameters(cell: Cell) -> tuple[Any, Any]:
    """What makes the arms' populations: probabilities of answers, or the factor of all times or values."""
    if cell.family == "nps":
        return kinds(cell.level), kinds(cell.level + cell.points)
    if cell.family == "ces":
        return answers(cell.level), answers(cell.level + cell.points)
    if cell.family == "rmst" and cell.lift:
        wanted = cell.ratio * _restricted_mean(cell.times, 1.0)
        return 1.0, brentq(lambda factor: _restricted_mean(cell.times, factor) - wanted, 1e-3, 1e3, xtol=1e-13)
    if cell.family in ("churn", "retention"):
        return cell.share, cell.share * cell.ratio
    return 1.0, cell.ratio


# ---------------------------------------------------------------------------------------- answers


def kinds(score: float) -> Array:
    """Shares of promoters, passives and detractors at this NPS."""
    net = score / 100.0
    passives = PASSIVES * (1.0 - net**2)
    return np.array([(1.0 - passives + net) / 2.0, passives, (1.0 - passives - net) / 2.0])


def answers(mean: float) -> Array:
    """Shares of the answers 1 to 7 with this mean."""
    scale = np.arange(1.0, 8.0)

    def at(fall: float) -> Array:
        weights = np.exp(fall * (scale - 7.0))
        shares: Array = (1.0 - GAVE_UP) * weights / weights.sum()
        shares[0] += GAVE_UP
        return shares

    return at(brentq(lambda fall: float(at(fall) @ scale) - mean, 0.0, 20.0, xtol=1e-14))


def _nps(cell: Cell, n: int, shares: Array, rng: np.random.Generator) -> Answers:
    return Answers(*rng.multinomial(n, shares).tolist())


def _ces(cell: Cell, n: int, shares: Array, rng: np.random.Generator) -> Categories:
    return Categories(1, tuple(rng.multinomial(n, shares).tolist()))


# ---------------------------------------------------------------------------------------- tickets and events


def _restricted_mean(times: str, factor: float) -> float:
    """The mean of min(time, horizon) of times that are `factor` times those of control."""
    if times == "exponential":
        mean = MEAN * factor
        return -mean * math.expm1(-HORIZON / mean)
    score = math.log(HORIZON / (MEDIAN * factor)) / SIGMA
    whole = MEDIAN * factor * math.exp(SIGMA**2 / 2.0)
    return float(whole * ndtr(score - SIGMA) + HORIZON * ndtr(-score))


def _scores(n: int, rng: np.random.Generator) -> tuple[Array, NDArray[np.int64]]:
    """A normal score of each ticket or event of `n` units, and its unit."""
    unit = np.repeat(np.arange(n), rng.integers(1, MOST + 1, n))
    own = rng.standard_normal(len(unit))
    return math.sqrt(ALIKE) * rng.standard_normal(n)[unit] + math.sqrt(1.0 - ALIKE) * own, unit


def tickets(cell: Cell, n: int, factor: float, rng: np.random.Generator) -> tuple[Array, Array, NDArray[np.int64]]:
    """The time of each ticket, how long it can be watched, and its unit."""
    score, unit = _scores(n, rng)
    times = factor * (MEDIAN * np.exp(SIGMA * score) if cell.times == "lognormal" else -MEAN * log_ndtr(-score))
    return times, FORTNIGHT * rng.random(n)[unit] * rng.random(len(unit)), unit


def _rmst(cell: Cell, n: int, factor: float, rng: np.random.Generator) -> Lifetimes:
    times, followed, unit = tickets(cell, n, factor, rng)
    return Lifetimes(n, np.minimum(times, followed), times <= followed, unit)


def values(cell: Cell, n: int, factor: float, rng: np.random.Generator) -> tuple[Array, NDArray[np.int64] | None]:
    """Values and, of events, the unit of each. On a grid the factor moves the normal scores."""
    score, unit = _scores(n, rng) if cell.of == "events" else (rng.standard_normal(n), None)
    return (_on_grid(cell, score + math.log(factor)) if cell.grid else factor * np.exp(score)), unit


def _quantile(cell: Cell, n: int, factor: float, rng: np.random.Generator) -> Summary:
    found, unit = values(cell, n, factor, rng)
    return mid_distribution.summary(found, cell.q, unit)


def _on_grid(cell: Cell, score: Array) -> Array:
    """Values by their normal scores."""
    if cell.grid == "orders":
        share, most = ndtr(score), 1.0 if cell.q < 0.9 else 2.0
        mean = float(brentq(lambda mean: pdtr(most, mean) - cell.q, 1e-3, 10.0, xtol=1e-14))
        orders: Array = np.searchsorted(pdtr(np.arange(40.0), mean), share).astype(float)
        return orders
    between = {"seconds": 5.5, "minutes": 1.5}[cell.grid]
    found: Array = np.floor(between * np.exp(score - ndtri(cell.q)) + 0.5)
    return found


def customers(cell: Cell, n: int, share: float, rng: np.random.Generator, shape: float = 1.0) -> tuple[Array, Array]:
    """When each customer leaves (Weibull: a larger `shape` is later, with the same share by the horizon), and how long
    it is watched."""
    times: Array = HORIZON * (np.log(rng.random(n)) / math.log1p(-share)) ** (1.0 / shape)
    return times, HORIZON * rng.uniform(*FOLLOWED[cell.followed], n)


def _churn(cell: Cell, n: int, share: float, rng: np.random.Generator) -> Lifetimes:
    times, watched = customers(cell, n, share, rng)
    return Lifetimes(n, np.minimum(times, watched), times <= watched, np.arange(n))


def _retention(cell: Cell, n: int, share: float, rng: np.random.Generator) -> Proportion:
    followed = int(rng.binomial(n, 0.5))
    return Proportion(int(rng.binomial(followed, share)), followed)
