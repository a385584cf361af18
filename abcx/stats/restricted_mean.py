"""The restricted mean lifetime: how long lifetimes last on average, each counted up to a horizon at most.

mu = integral of S(t) from 0 to the horizon (Irwin 1949; Royston, Parmar 2013), S the Kaplan-Meier curve: open tickets
count as long as they were seen to last, and are never dropped. Its error sums the lifetimes' influences within units
(survival.py) with the gain of t_j being the area under S from t_j to the horizon, and carries n / (n - 1) for n units
with lifetimes. So where nothing is censored before the horizon, the arm is exactly the mean (one lifetime per unit) or
the ratio of sums (several) of min(duration, horizon), and the comparison is Welch's of those, with Fieller's lift.

Student's t on the units, not the normal: nominal 95 % with open tickets and 8 to 40 units an arm (also 15 against 60,
one ticket each or about five; exponential and lognormal) covers 93 to 96 % of differences, the normal 91 to 95 %.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from abcx.stats import welch
from abcx.stats.records import Contrast, Interval, Lifetimes
from abcx.stats.survival import Told, curve, influence_error, largest_horizon, refusal

METHOD = "RMST"


def contrast(control: Lifetimes, variant: Lifetimes, horizon: float, told: Told | None = None) -> Contrast:
    """Variant against control, in the unit of the durations; `horizon` > 0."""
    note = refusal(control, variant, horizon, told)
    if note is not None:
        return Contrast(METHOD, None, None, None, None, None, note, note)
    of_control, of_variant = _estimate(control, horizon), _estimate(variant, horizon)
    found = welch.contrast(of_control, of_variant, METHOD)
    if found.p_value == 1.0 and found.difference_pivot is None and of_control.value == of_variant.value == horizon:
        return replace(found, note="Nothing ended before the horizon in either arm: there is no difference to test.")
    return found


def interval(lifetimes: Lifetimes, horizon: float, alpha: float) -> Interval:
    """Student's interval of the arm's restricted mean at 1 - alpha; (None, None) where it is unknown."""
    if value(lifetimes, horizon) is None:
        return None, None
    return welch.interval(_estimate(lifetimes, horizon), alpha)


def value(lifetimes: Lifetimes, horizon: float) -> float | None:
    """The arm's restricted mean; None without lifetimes or beyond the arm's largest usable horizon."""
    if not lifetimes.durations.size or horizon > largest_horizon(lifetimes):
        return None
    return _estimate(lifetimes, horizon).value


def _estimate(lifetimes: Lifetimes, horizon: float) -> welch.Estimate:
    """Value and error, computed in horizons so that neither tiny nor huge durations lose anything."""
    found = curve(lifetimes)
    inside = int(np.searchsorted(found.times, horizon, side="left"))
    edges = np.concatenate(([0.0], found.times[:inside] / horizon, [1.0]))
    areas = np.diff(edges) * np.concatenate(([1.0], found.survival[:inside]))
    remaining = np.cumsum(areas[:0:-1])[::-1]
    error, units = influence_error(lifetimes, found, remaining)
    if units > 1:
        error *= math.sqrt(units / (units - 1))
    return welch.Estimate(float(areas.sum()) * horizon, error * horizon, units, positive_only=True)
