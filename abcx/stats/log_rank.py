"""The log-rank test that both arms have the same survival curve over the whole follow-up: reported, never judged.

U = sum over event times of d_1 - d Y_1 / Y, the variant's events less its share of those at risk (Mantel 1966), with
the hypergeometric variance sum of d (Y_1 / Y) (Y_0 / Y) (Y - d) / (Y - 1). Where units have several lifetimes that
variance would treat them as independent; then the influences on U are summed within units and squared (Lin, Wei 1989,
at no effect).
"""

from __future__ import annotations

import numpy as np

from abcx.stats.distributions import chi_square_tail
from abcx.stats.records import Lifetimes
from abcx.stats.survival import Array, curve, unit_norm


def p_value(control: Lifetimes, variant: Lifetimes) -> float | None:
    """The two-sided p-value, from chi-square with one degree of freedom.

    None without lifetimes in an arm or where the score has no variance.
    """
    if not control.durations.size or not variant.durations.size:
        return None
    of_control, of_variant = curve(control), curve(variant)
    times = np.union1d(of_control.times, of_variant.times)
    events = np.zeros(times.size)
    came = np.zeros(times.size)
    events[np.searchsorted(times, of_control.times)] += of_control.events
    came[np.searchsorted(times, of_variant.times)] = of_variant.events
    events += came
    y0, y1 = (arm.durations.size - np.searchsorted(np.sort(arm.durations), times) for arm in (control, variant))
    at_risk = (y0 + y1).astype(float)
    share = y1 / at_risk
    score = float((came - events * share).sum())
    if all(arm.n == arm.durations.size for arm in (control, variant)):
        spread = events * share * (1.0 - share) * (at_risk - events) / np.maximum(at_risk - 1.0, 1.0)
        variance = float(spread.sum())
    else:
        hazard = events / at_risk
        variance = _clustered(control, -share, times, hazard) + _clustered(variant, 1.0 - share, times, hazard)
    return chi_square_tail(score * score / variance, 1) if variance > 0.0 else None


def _clustered(arm: Lifetimes, weight: Array, times: Array, hazard: Array) -> float:
    """Sum over the units of an arm of the squared sum of their lifetimes' contributions to U.

    A lifetime that is at risk at time j adds `weight`_j times (1 if it ends then, else 0, less `hazard`_j).
    """
    drift = np.concatenate(([0.0], np.cumsum(weight * hazard)))
    before = np.searchsorted(times, arm.durations, side="right")
    part = -drift[before]
    part[arm.observed] += weight[before[arm.observed] - 1]
    return unit_norm(part, arm.clusters)[0] ** 2
