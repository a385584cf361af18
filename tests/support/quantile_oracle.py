"""The mid-distribution, its scores and the projected share test by loops and dense grids, from the definitions."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Point = tuple[float, float, float, float, float]
"""(left, right, score at left, between, at right): the score is 1 below left and 0 above right."""


def knots(values: Sequence[float]) -> list[tuple[float, int, float, float]]:
    """(value, how many are below, score of it when G reaches it, score when G leaves it)."""
    counts = sorted(Counter(values).items())
    found, below = [], 0
    for i, (value, count) in enumerate(counts):
        left = 1 + 10 * (counts[i - 1][1] - 1) if i else 0
        right = 1 + 10 * (counts[i + 1][1] - 1) if i + 1 < len(counts) else 0
        found.append((value, below, min(left, count) / (2 * count), 1 - min(right, count) / (2 * count)))
        below += count
    return found


def level(values: Sequence[float], point: Point) -> float:
    """G: the mean score."""
    return sum(score(value, point) for value in values) / len(values)


def score(value: float, point: Point) -> float:
    left, right, at_left, between, at_right = point
    if value < left:
        return 1.0
    if value == left:
        return at_left
    if value < right:
        return between
    return at_right if value == right else 0.0


def at(values: Sequence[float], x: float, q: float) -> Point:
    """The scores at x: at a value itself those of its level nearest to q."""
    found = knots(values)
    if x < found[0][0] or x > found[-1][0]:
        return (x, x, 0.0, 0.0, 0.0)
    for value, below, into, out in found:
        if value == x:
            share = Counter(values)[value] / len(values)
            return (x, x, min(max((q - below / len(values)) / share, into), out), 0.0, 0.0)
    for (left, _, _, out), (right, _, into, _) in pairwise(found):
        if left < x < right:
            w = (x - left) / (right - left)
            return (left, right, out + w * (1 - out), w, w * into)
    raise AssertionError


def quantile(values: Sequence[float], q: float) -> float:
    """G^-1(q) by bisection; the smallest or the largest value where G jumps over q there."""
    low, high = min(values), max(values)
    for _ in range(200):
        middle = low + (high - low) / 2
        reached = level(values, at(values, middle, q))
        if reached == q:
            return middle
        low, high = (middle, high) if reached < q else (low, middle)
    best = min((low, high), key=lambda x: abs(level(values, at(values, x, q)) - q))
    return best


def squared(values: Sequence[float], x: float, q: float) -> tuple[float, float]:
    """((G - q)^2 / s^2, s^2) of independent values at x."""
    point, n = at(values, x, q), len(values)
    scores = np.array([score(value, point) for value in values])
    g = float(scores.mean())
    lost = g * (1 - g) - float(scores.var())
    full = q * (1 - q)
    v = full - lost * min(1.0, full / (g * (1 - g)) if g * (1 - g) > 1e-14 else 1.0)
    v = v / (n - 1)
    return ((g - q) ** 2 / v if v > 1e-15 else 0.0), max(v, 0.0)


def statistic(control: Sequence[float], variant: Sequence[float], q: float, d: float, r: float, steps: int) -> float:
    """T^2 by trying `steps` points in every piece between all knots of both arms."""
    x0, x1 = quantile(control, q), (quantile(variant, q) - d) / r
    ends = sorted({x0, x1, *control, *((np.asarray(variant) - d) / r).tolist()})
    ends = [x for x in ends if min(x0, x1) <= x <= max(x0, x1)]
    least = math.inf
    exact = {(value - d) / r: value for value in variant}
    exact[x1] = quantile(variant, q)
    for left, right in pairwise(ends):
        for x in np.linspace(left, right, steps).tolist():
            y = exact.get(x, r * x + d)
            least = min(least, squared(control, x, q)[0] + squared(variant, y, q)[0])
    return least


def design(values: Sequence[float], units: Sequence[object], q: float) -> tuple[float, float]:
    """(Design effect, degrees of freedom) at the quantile: residuals over 1 - leverage, against binomial scores."""
    point = at(values, quantile(values, q), q)
    g, total = level(values, point), len(values)
    residuals = []
    for unit in set(units):
        mine = [value for value, owner in zip(values, units, strict=True) if owner == unit]
        residuals.append((sum(score(v, point) for v in mine) - g * len(mine)) / (1 - len(mine) / total))
    second, fourth = (sum(e**power for e in residuals) for power in (2, 4))
    binomial = float(np.var([score(value, point) for value in values])) * total
    k = len(residuals)
    df = 2 * second**2 / (fourth - second**2 / k) if fourth - second**2 / k > 1e-12 * fourth else k - 1
    return max(second / binomial, 1.0), min(max(df, 1.0), k - 1)
