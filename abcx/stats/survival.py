"""The Kaplan-Meier curve of right-censored lifetimes, and the estimates that are read from it at one time.

S(t) is the product over event times t_j <= t of 1 - d_j / Y_j, with d_j events among the Y_j lifetimes that last at
least t_j (Kaplan, Meier 1958); a lifetime censored at t_j is still at risk there. S is 1 before the first event.

Errors come from the influence of each lifetime on the estimate (the infinitesimal jackknife: the derivative by its
weight),

    -sum_j gain_j (dN_ij - Y_ij d_j / Y_j) / (Y_j - d_j),

where gain_j is the change of the estimate per relative change of S from t_j on. They are added up within units before
they are squared, so tickets of one customer may be correlated (Lin, Wei 1989 take the same sums). With one lifetime per
unit the sum of squares is sum_j gain_j^2 d_j / (Y_j (Y_j - d_j)): Greenwood's formula (1926) for any gain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from abcx.notes import Note
from abcx.stats import shares
from abcx.stats.records import Interval, Lifetimes

Array = NDArray[np.float64]

_TIE = 1e-12
"""A survival this close to one half has reached it: products of many fractions are rounded."""
_RESOLUTION = 1e-13
"""Sums within units below this fraction of their terms are rounding: the units do not vary."""


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Survival of `n` lifetimes: at the distinct event `times` (m,), rising, it falls to `survival` (m,) in [0, 1].

    `at_risk` (m,) lifetimes last at least that long, `events` (m,) of them end at that time. Times are in the unit of
    the durations.
    """

    n: int
    times: Array
    at_risk: Array
    events: Array
    survival: Array

    def at(self, time: float) -> float:
        """S(time), the share that lasts longer than `time`; valid only up to `largest_horizon`."""
        before = self.upto(time)
        return float(self.survival[before - 1]) if before else 1.0

    def upto(self, time: float) -> int:
        """The number of event times up to and including `time`."""
        return int(np.searchsorted(self.times, time, side="right"))


@dataclass(frozen=True, slots=True)
class Ended:
    """The `share` of lifetimes that have ended by some time, as precise as a share of `effective_n` uncensored ones."""

    share: float
    effective_n: float


def curve(lifetimes: Lifetimes) -> Curve:
    """The Kaplan-Meier curve of the lifetimes (Kaplan, Meier 1958), by two sorts without a loop."""
    lasting = np.sort(lifetimes.durations)
    ends = np.sort(lifetimes.durations[lifetimes.observed])
    first = np.flatnonzero(np.diff(ends, prepend=-1.0))
    times = ends[first]
    events = np.diff(first, append=ends.size).astype(float)
    at_risk = (lasting.size - np.searchsorted(lasting, times, side="left")).astype(float)
    return Curve(lasting.size, times, at_risk, events, np.cumprod(1.0 - events / at_risk))


def largest_horizon(*arms: Lifetimes) -> float:
    """The last time up to which the curves of all arms are known, in the unit of the durations.

    Infinite where every arm's curve falls to 0, which it does where all longest lifetimes ended in an event; otherwise
    a curve is known up to the longest duration. Arms without lifetimes set no limit.
    """
    usable = math.inf
    for arm in arms:
        if arm.durations.size:
            last = float(arm.durations.max())
            if not arm.observed[arm.durations == last].all():
                usable = min(usable, last)
    return usable


def refusal(control: Lifetimes, variant: Lifetimes, horizon: float) -> Note | None:
    """Why the arms cannot be compared at `horizon`; None where they can."""
    for arm, lifetimes in (("control", control), ("variant", variant)):
        if not lifetimes.durations.size:
            return Note("no_lifetimes", {"arm": arm})
    usable = largest_horizon(control, variant)
    if horizon <= usable:
        return None
    arm = "control" if largest_horizon(control) == usable else "variant"
    return Note("horizon_not_reached", {"arm": arm, "usable": usable})


def rounded_down(x: float) -> str:
    """x >= 0 with four digits, or all before the point, never above x: a horizon that is named must be usable."""
    if x == 0.0 or x >= 1e4:
        return f"{math.floor(x)}"
    near = float(f"{x:.4g}")
    return f"{near if near <= x else near - 10.0 ** (math.floor(math.log10(x)) - 3):.4g}"


def median(lifetimes: Lifetimes) -> float | None:
    """The first time at which at least half have ended, in the unit of the durations; None where the curve stays above
    one half.
    """
    kaplan_meier = curve(lifetimes)
    reached = np.flatnonzero(kaplan_meier.survival <= 0.5 + _TIE)
    return float(kaplan_meier.times[reached[0]]) if reached.size else None


def ended(lifetimes: Lifetimes, level: float) -> Ended | None:
    """The share 1 - S(level) at the time `level`, and the number of uncensored lifetimes that would estimate it as
    precisely.

    That number is S (1 - S) / variance (Rothman 1978), with the variance of this module: n where nothing is censored
    before `level` and each unit has one lifetime, fewer where lifetimes of a unit are correlated. At the ends, where
    that is 0 / 0: the number still at risk at `level` if nothing has ended; if all have, those at risk at the last
    event over the share that was left before it; neither above the number of units. None without lifetimes or beyond
    `largest_horizon`.
    """
    if not lifetimes.durations.size or not 0.0 <= level <= largest_horizon(lifetimes):
        return None
    kaplan_meier = curve(lifetimes)
    lasting = kaplan_meier.at(level)
    error, units = influence_error(lifetimes, kaplan_meier, np.full(kaplan_meier.upto(level), lasting))
    if error > 0.0:
        return Ended(1.0 - lasting, lasting * (1.0 - lasting) / error**2)
    if lasting == 1.0:
        known = float(np.count_nonzero(lifetimes.durations >= level))
    elif lasting == 0.0:
        known = float(kaplan_meier.at_risk[-1] / (kaplan_meier.survival[-2] if kaplan_meier.times.size > 1 else 1.0))
    else:  # the units' lifetimes do not vary
        known = float(units)
    return Ended(1.0 - lasting, min(known, float(units)))


def share_interval(lifetimes: Lifetimes, level: float, alpha: float) -> Interval:
    """Wilson's interval at 1 - `alpha` of the share ended by `level`, on its effective number;
    (None, None) if unknown.
    """
    share_ended = ended(lifetimes, level)
    if share_ended is None:
        return None, None
    return shares.wilson(share_ended.share * share_ended.effective_n, share_ended.effective_n, alpha)


def influence_error(lifetimes: Lifetimes, found: Curve, gain: Array) -> tuple[float, int]:
    """The standard error of an estimate, and the number of units with lifetimes; `gain` as in `influences`.

    No small-sample factor is applied: it is Greenwood's (1926) where each unit has one lifetime.
    """
    return unit_norm(influences(lifetimes, found, gain), lifetimes.clusters)


def influences(lifetimes: Lifetimes, found: Curve, gain: Array) -> Array:
    """The influence of each lifetime (k,) on an estimate; they add up to 0.

    `gain` (j,) belongs to the first j event times of the curve `found` of the same lifetimes; later ones have no
    effect.
    """
    at_risk, events, times = found.at_risk[: gain.size], found.events[: gain.size], found.times[: gain.size]
    left = at_risk - events
    # Where no lifetime is left the curve is 0 and stays 0, whatever the weights are.
    jump = np.divide(gain, left, out=np.zeros_like(gain), where=left > 0.0)
    drift = np.concatenate(([0.0], np.cumsum(jump * events / at_risk)))
    before = np.searchsorted(times, lifetimes.durations, side="right")
    influence = drift[before]
    if gain.size:
        came = lifetimes.observed & (lifetimes.durations <= times[-1])
        influence[came] -= jump[before[came] - 1]
    return influence


def unit_norm(parts: Array, clusters: NDArray[np.int64]) -> tuple[float, int]:
    """The square root of the sum over units of their squared sums of `parts` (k,), and the number of units."""
    unit, units = numbered(clusters)
    summed, sizes = np.bincount(unit, parts, units), np.bincount(unit, np.abs(parts), units)
    norm = float(np.linalg.norm(summed))
    return (norm if norm > _RESOLUTION * float(np.linalg.norm(sizes)) else 0.0), units


def numbered(clusters: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """The same grouping numbered 0 .. units - 1, shape (k,), and the number of units."""
    if clusters.size and clusters.min() == 0 and clusters.max() < clusters.size and np.bincount(clusters).all():
        return clusters, int(clusters.max()) + 1
    different, number = np.unique(clusters, return_inverse=True)
    return number, different.size
