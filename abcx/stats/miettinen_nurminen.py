"""Two shares under a hypothesis: constrained maximum likelihood, and the score statistic that is built on it.

Counts may be numbers or arrays that broadcast, and neither they nor the units need be whole; results are float arrays.
Suffix 0 is control, 1 is variant. The variance has Miettinen and Nurminen's (1985) factor N / (N - 1) for difference
and ratio alike, so that there is one statistic at the null.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Fit = Callable[[ArrayLike, float, ArrayLike, float, float], tuple[Array, Array]]
"""(control counts, control units, variant counts, variant units, hypothesis) -> the constrained shares of both arms."""
Score = Callable[[ArrayLike, float, ArrayLike, float, float], Array]
"""(control counts, control units, variant counts, variant units, hypothesis) -> the score statistic."""

_POLISH = 2
"""Newton steps after the closed form: the cosine loses half the digits where two roots nearly meet (rare events)."""


def for_difference(x0: ArrayLike, n0: float, x1: ArrayLike, n1: float, d: float) -> tuple[Array, Array]:
    """Shares (p0, p1) that maximize the likelihood of the counts under p1 = p0 + d, -1 <= d <= 1.

    The root of a cubic in closed form (Miettinen, Nurminen 1985, appendix 1; Farrington, Manning 1990). At d = 0 both
    are the pooled share.
    """
    x0, x1 = np.asarray(x0, float), np.asarray(x1, float)
    total, events = float(n0 + n1), x0 + x1
    if d == 0.0:
        return events / total, events / total
    c2 = ((n1 + 2.0 * n0) * d - total - events) / (3.0 * total)
    c1 = ((n0 * d - total - 2.0 * x0) * d + events) / (3.0 * total)
    c0 = x0 * d * (1.0 - d) / total
    q = c2**3 - 1.5 * c2 * c1 + 0.5 * c0
    size = np.sqrt(np.maximum(c2 * c2 - c1, 0.0))
    size = np.where(q < 0.0, -size, size)
    cosine = np.divide(q, size**3, out=np.ones_like(q), where=size != 0.0)
    angle = (np.pi + np.arccos(_within(cosine, -1.0, 1.0))) / 3.0
    low, high = max(0.0, -d), min(1.0, 1.0 - d)
    p0 = _within(2.0 * size * np.cos(angle) - c2, low, high)
    for _ in range(_POLISH):
        p0 = _within(_newton(p0, x0, n0, x1, n1, d), low, high)
    return p0, _within(p0 + d, 0.0, 1.0)


def _within(x: Array, low: float, high: float) -> Array:
    """np.clip for the constrained shares: np.clip itself takes ten times as long for a single number."""
    return np.minimum(np.maximum(x, low), high)


def _newton(p: Array, x0: Array, n0: float, x1: Array, n1: float, d: float) -> Array:
    """One Newton step on the likelihood equation times p (1 - p) q (1 - q), q = p + d; factored, so nothing cancels."""
    q = p + d
    a, b = p * (1.0 - p), q * (1.0 - q)
    e0, e1 = x0 - n0 * p, x1 - n1 * q
    value = e0 * b + e1 * a
    slope = e0 * (1.0 - 2.0 * q) - n0 * b + e1 * (1.0 - 2.0 * p) - n1 * a
    # At the maximum the value falls through 0. A slope that does not fall belongs to a double root: leave it.
    step = np.divide(value, slope, out=np.zeros_like(value), where=slope < 0.0)
    return p - step


def for_ratio(x0: ArrayLike, n0: float, x1: ArrayLike, n1: float, r: float) -> tuple[Array, Array]:
    """Shares (p0, p1) that maximize the likelihood of the counts under p1 = r p0, r >= 0.

    The smaller root of a quadratic (Koopman 1984; Miettinen, Nurminen 1985, equation 11), with the discriminant written
    as a sum of two terms that cannot be negative, so that nothing cancels. At r = 1 both are the pooled share.
    """
    x0, x1 = np.asarray(x0, float), np.asarray(x1, float)
    a, b = n0 + x1, n1 + x0
    root = np.sqrt((a - r * b) ** 2 + 4.0 * r * (n0 - x0) * (n1 - x1))
    half = 0.5 * (a + r * b + root)
    p0 = _within((x0 + x1) / half, 0.0, 1.0)
    # Computed separately: r p0 may be far below the rounding of p0, and above 1 by rounding only.
    return p0, _within(r * (x0 + x1) / half, 0.0, 1.0)


def score_difference(x0: ArrayLike, n0: float, x1: ArrayLike, n1: float, d: float) -> Array:
    """T(d) = (s1 - s0 - d) / se with the constrained shares in se (Miettinen, Nurminen 1985), -1 <= d <= 1.

    +-inf where se is 0 and the numerator is not, 0 where both are 0.
    """
    p0, p1 = for_difference(x0, n0, x1, n1, d)
    return _studentized(x0, n0, p0, x1, n1, p1, 1.0, d)


def score_ratio(x0: ArrayLike, n0: float, x1: ArrayLike, n1: float, r: float) -> Array:
    """T(r) = (s1 - r s0) / se with the constrained shares in se (Koopman 1984; Miettinen, Nurminen 1985), r >= 0.

    +-inf where se is 0 and the numerator is not, 0 where both are 0.
    """
    if r == 1.0:
        return score_difference(x0, n0, x1, n1, 0.0)
    p0, p1 = for_ratio(x0, n0, x1, n1, r)
    return _studentized(x0, n0, p0, x1, n1, p1, r, 0.0)


def _studentized(
    x0: ArrayLike, n0: float, p0: Array, x1: ArrayLike, n1: float, p1: Array, ratio: float, difference: float
) -> Array:
    total = n0 + n1
    distance = np.asarray(x1, float) / n1 - ratio * (np.asarray(x0, float) / n0) - difference
    variance = (p1 * (1.0 - p1) / n1 + ratio * ratio * (p0 * (1.0 - p0) / n0)) * (total / (total - 1.0))
    certain = np.where(distance == 0.0, 0.0, np.copysign(np.inf, distance))
    return np.divide(distance, np.sqrt(variance), out=certain, where=variance > 0.0)
