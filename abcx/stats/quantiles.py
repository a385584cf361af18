"""Quantiles of values per unit, or of events clustered in units: their error from the ranks around them.

How far the rank of the true quantile may lie from q is known without any density: the share of values at or below it
has standard error sqrt(q (1 - q) / n). The order statistics z such errors below and above enclose it (Woodruff 1952),
and half their distance over z is the error of the quantile: the "outer" interval of Deng, Knoblich, Lu (2018, section
4.3). For events the error of that share is the delta method's for a ratio of sums over units, with the same section's
indicator per event: (events at or below the quantile) / (events).

What has to be counted, per arm, before `ranks` can say which order statistics to fetch:

    of units    how many values there are (n), the quantile (type 7), the smallest value
    of events   the same of all events, and per unit that has events the pair (events at or below the quantile, events):
                its RatioMoments, so n, both means, both variances and the covariance (`clustered_rank_error`)

The quantile is type 7 of Hyndman and Fan (1996), as in numpy, pandas, spreadsheets, SQL's quantile_cont and `cap`; the
ends are single observed values. Ranks are rounded outwards after half a rank of continuity, alike from above and below,
so that the mirrored data give the mirrored interval: floor(n (q - z s) + 1/2) and ceil(n (q + z s) + 1/2) for the error
s of the share.

Two arms are compared with ranks at REACH errors by Welch's t on the units. Nominal 95 %, lognormal, 2,500 samples: 95
to 97 % for medians (30 to 4,000 units, 60 against 600), 96 to 97 % for the 90th percentile from 200 units on, 99 % and
more where fewer than 15 values lie beyond the quantile. Ranks at one error would cover 92.5 % of 60 against 600 there.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from abcx.stats import ratios, welch
from abcx.stats.records import Contrast, Interval, Moments, Ranked, RatioMoments
from abcx.stats.tails import normal_quantile, t_quantile

Array = NDArray[np.float64]

METHOD = "quantile"
REACH = 1.959963984540054
"""Standard errors of the rank between the quantile and the order statistics from which two arms are compared."""


def reach(alpha: float, clusters: int | None = None) -> float:
    """The `z` whose order statistics are the ends of one arm's interval at 1 - alpha.

    `clusters` is the number of units where values are events clustered in them: the spread of few units is itself
    uncertain (with 10 units and z of the normal the interval of a median covered 92 %, with that of t 95.5 %).
    """
    if clusters is None:
        return normal_quantile(1.0 - alpha / 2.0)
    return t_quantile(1.0 - alpha / 2.0, max(clusters - 1.0, 1.0))


def rank_error(q: float, n: int) -> float:
    """The standard error of the share of `n` >= 1 independent values that lie at or below their quantile q."""
    return math.sqrt(q * (1.0 - q) / n)


def clustered_rank_error(q: float, pairs: RatioMoments) -> float | None:
    """The same of events clustered in units; None for fewer than two units.

    `pairs` are the moments over the units with at least one event of (events at or below the quantile, events). They
    give the design effect, the variance of that ratio over the binomial one, at the share F that is actually at or
    below (above q where values are tied); q (1 - q) then takes the place of F (1 - F). Where F is 1 the design effect
    is that of units whose events are all alike, sum events^2 / sum events. It is never taken below 1: three units that
    happen to have the same make-up do not make a quantile certain.
    """
    if pairs.n < 2:
        return None
    per_unit = pairs.denominator
    events = pairs.n * per_unit.mean
    below = ratios.estimate(pairs)
    if below is not None and 0.0 < below.value < 1.0:
        design = below.error**2 * events / (below.value * (1.0 - below.value))
    else:
        design = per_unit.mean + per_unit.variance * (pairs.n - 1) / events
    return math.sqrt(max(design, 1.0) * q * (1.0 - q) / events)


def ranks(q: float, n: int, error: float | None, z: float) -> tuple[int | None, int | None]:
    """Which of `n` ordered values (1 is the smallest) enclose the quantile q at `z` standard errors of the rank.

    None on a side where there are too few values, on both where the error is unknown.
    """
    if error is None or n < 1:
        return None, None
    centre, away = n * q + 0.5, z * n * error
    position = (n - 1) * q + 1.0  # of the quantile itself (type 7), which has to lie between them
    low = min(math.floor(centre - away), math.floor(position))
    high = max(math.ceil(centre + away), math.ceil(position))
    return (low if low >= 1 else None), (high if high <= n else None)


def fraction(rank: int, n: int) -> float:
    """The q at which a discrete quantile (quantile_disc) is the value of this rank among `n`, safe from rounding."""
    return (rank - 0.5) / n


def contrast(control: Ranked, variant: Ranked) -> Contrast:
    """Variant against control, in the values' own unit; records with ranks at `REACH`."""
    for arm, one in (("control", control), ("variant", variant)):
        if one.value is None:
            note = f"The {arm} arm has no values."
            return Contrast(METHOD, None, None, None, None, None, note, note)
    found = welch.contrast(_estimate(control), _estimate(variant), METHOD)
    for arm, one in (("control", control), ("variant", variant)):
        if one.low is None or one.high is None:
            note = f"The {arm} arm has too few values beyond the quantile to tell how well it is known."
            return Contrast(METHOD, found.difference, found.lift, None, None, None, note, found.lift_note)
    if found.difference_pivot is not None:
        return found
    if found.p_value is not None:
        return replace(found, note="Around the quantile all values of both arms are the same: nothing is to be tested.")
    return replace(found, note="Around the quantile all values of an arm are the same, so its error is not measurable.")


def interval(ranked: Ranked) -> Interval:
    """The arm's interval, at the level that `z` stands for (`reach`); None at an end with too few values beyond it."""
    return ranked.low, ranked.high


def value(ranked: Ranked) -> float | None:
    """The arm's quantile; None without values."""
    return ranked.value


def ranked(values: Array, q: float, z: float, clusters: NDArray[np.int64] | None = None) -> Ranked:
    """The record of one arm from its `values` (k,), 0 < q < 1, with the order statistics at `z` errors of the rank.

    `clusters` (k,) are the units of the values where these are events; without it each value is a unit.
    """
    if not values.size:
        return Ranked(0, None, None, None, z)
    ordered = np.sort(values)
    at = float(np.quantile(ordered, q))
    n, error = (values.size, rank_error(q, values.size)) if clusters is None else _clustered(values <= at, clusters, q)
    low, high = (None if rank is None else float(ordered[rank - 1]) for rank in ranks(q, values.size, error, z))
    return Ranked(n, at, low, high, z, float(ordered[0]))


def _clustered(below: NDArray[np.bool_], clusters: NDArray[np.int64], q: float) -> tuple[int, float | None]:
    """How many units there are, and the error of the rank, from every event's indicator and unit."""
    different, unit = np.unique(clusters, return_inverse=True)
    counts = np.bincount(unit, below), np.bincount(unit).astype(float)
    if different.size < 2:
        return different.size, None
    top, bottom = (Moments(one.size, float(one.mean()), float(one.var(ddof=1))) for one in counts)
    return different.size, clustered_rank_error(q, RatioMoments(top, bottom, float(np.cov(*counts)[0, 1])))


def _estimate(one: Ranked) -> welch.Estimate:
    assert one.value is not None
    error = 0.0 if one.low is None or one.high is None else (one.high - one.low) / (2.0 * one.z)
    return welch.Estimate(one.value, error, one.n, one.minimum is not None and one.minimum >= 0.0)
