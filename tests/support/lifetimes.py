"""Lifetimes for tests: built from lists, published with their analysis, random, and analyzed by a second, slow way."""

import math

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from abcx.stats.records import Lifetimes

Array = NDArray[np.float64]


def lifetimes(durations: object, observed: object, clusters: object = None) -> Lifetimes:
    times = np.asarray(durations, float)
    unit = np.arange(times.size) if clusters is None else np.asarray(clusters, np.int64)
    return Lifetimes(np.unique(unit).size, times, np.asarray(observed, bool), unit)


def alone(arm: Lifetimes) -> Lifetimes:
    """The same lifetimes as if each belonged to a unit of its own."""
    return lifetimes(arm.durations, arm.observed)


# survival::aml of R (Miller 1997, Survival Analysis): weeks in remission of acute myelogenous leukemia.
MAINTAINED = lifetimes([9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161], [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0])
NOT_MAINTAINED = lifetimes([5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45], [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1])


def staggered(n: int, step: int, modulus: int, opened: int) -> Lifetimes:
    """Lifetimes with ties and censoring by arithmetic alone, so that another program's output can be recorded."""
    i = np.arange(n)
    return lifetimes((i * step) % modulus + (i % 3) * 0.5, (i * opened) % 10 >= 3)


NONE = lifetimes([], [])


# ---------------------------------------------------------------------------------------- a second derivation


def weighted_survival(arm: Lifetimes, weights: Array) -> tuple[list[float], list[float]]:
    """Event times and the curve after each, lifetime i counting weights[i] times."""
    times = sorted({float(t) for t, ended in zip(arm.durations, arm.observed, strict=True) if ended})
    curve, level = [], 1.0
    for time in times:
        at_risk = sum(w for t, w in zip(arm.durations, weights, strict=True) if t >= time)
        ended = sum(w for t, done, w in zip(arm.durations, arm.observed, weights, strict=True) if done and t == time)
        level *= 1.0 - ended / at_risk
        curve.append(level)
    return times, curve


def weighted_share(arm: Lifetimes, weights: Array, level: float) -> float:
    """The curve at `level`."""
    value = 1.0
    for time, after in zip(*weighted_survival(arm, weights), strict=True):
        if time <= level:
            value = after
    return value


def weighted_mean(arm: Lifetimes, weights: Array, horizon: float) -> float:
    """The area under the curve up to `horizon`."""
    area, last, level = 0.0, 0.0, 1.0
    for time, after in zip(*weighted_survival(arm, weights), strict=True):
        if time >= horizon:
            break
        area, last, level = area + level * (time - last), time, after
    return area + level * (horizon - last)


def differentiated_error(arm: Lifetimes, estimate: object, at: float) -> float:
    """The standard error from numerical derivatives by the units' weights (infinitesimal jackknife)."""
    assert callable(estimate)
    total, step = 0.0, 1e-5
    for unit in np.unique(arm.clusters):
        bump = step * (arm.clusters == unit)
        slope = (estimate(arm, 1.0 + bump, at) - estimate(arm, 1.0 - bump, at)) / (2.0 * step)
        total += slope**2
    return math.sqrt(total)


def greenwood(arm: Lifetimes, time: float) -> float:
    """Greenwood's sum of d / (Y (Y - d)) over event times up to `time`, counted one by one."""
    total = 0.0
    for t in sorted({float(t) for t, done in zip(arm.durations, arm.observed, strict=True) if done and t <= time}):
        at_risk = int(sum(arm.durations >= t))
        ended = int(sum((arm.durations == t) & arm.observed))
        total += ended / (at_risk * (at_risk - ended)) if at_risk > ended else 0.0
    return total


# ---------------------------------------------------------------------------------------- random arms


@st.composite
def arms(draw: st.DrawFn, most: int = 12, one_each: bool = False) -> Lifetimes:
    """Small arms with ties, zeros, nothing or everything censored, units with several lifetimes, or nothing at all."""
    k = draw(st.integers(0, most))
    kind = draw(st.sampled_from(["counts", "hours", "long", "tiny", "equal"]))
    some = {
        "counts": st.integers(0, 6).map(float),
        "hours": st.floats(0, 100, allow_subnormal=False),
        "long": st.floats(1e8, 1.1e8),
        "tiny": st.floats(1e-9, 1e-8),
        "equal": st.just(draw(st.sampled_from([0.0, 0.1, 3.0, 1e9 + 0.3]))),
    }[kind]
    ends = draw(st.sampled_from([st.booleans(), st.just(True), st.just(False)]))
    units = st.integers(0, max(k - 1, 0))
    durations, observed = draw(st.lists(some, min_size=k, max_size=k)), draw(st.lists(ends, min_size=k, max_size=k))
    clusters = None if one_each else draw(st.one_of(st.none(), st.lists(units, min_size=k, max_size=k)))
    return lifetimes(durations, observed, clusters)


@st.composite
def comparisons(draw: st.DrawFn, one_each: bool = False) -> tuple[Lifetimes, Lifetimes, float]:
    """Control, variant and a horizon above 0 that may be a duration, lie between, or lie beyond."""
    control, variant = draw(arms(one_each=one_each)), draw(arms(one_each=one_each))
    durations = [float(t) for arm in (control, variant) for t in arm.durations if t > 0.0] or [1.0]
    return control, variant, draw(st.sampled_from(durations)) * draw(st.sampled_from([0.5, 1.0, 1.0, 0.9, 1.7]))


def shuffled(arm: Lifetimes, seed: int) -> Lifetimes:
    """The same lifetimes in another order, the units numbered otherwise."""
    order = np.random.default_rng(seed).permutation(arm.durations.size)
    return Lifetimes(arm.units, arm.durations[order], arm.observed[order], (7 - 3 * arm.clusters)[order])


def scaled(arm: Lifetimes, by: float) -> Lifetimes:
    return Lifetimes(arm.units, arm.durations * by, arm.observed, arm.clusters)
