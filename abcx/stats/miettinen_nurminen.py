"""Two shares under a hypothesis: constrained maximum likelihood, and the score statistic that is built on it.

Counts may be numbers or arrays that broadcast, and neither they nor the units need be whole; results are floats for two
numbers, else float arrays. Numbers are computed without arrays, which takes a tenth of the time.
Suffix 0 is control, 1 is variant. The variance has Miettinen and Nurminen's (1985) factor N / (N - 1) for difference
and ratio alike, so that there is one statistic at the null.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Values = Any
"""A float, or a float array."""
Fit = Callable[[Values, float, Values, float, float], tuple[Values, Values]]
"""(control counts, control units, variant counts, variant units, hypothesis) -> the constrained shares of both arms."""
Score = Callable[[Values, float, Values, float, float], Values]
"""(control counts, control units, variant counts, variant units, hypothesis) -> the score statistic."""

_POLISH = 2
"""Newton steps after the closed form: the cosine loses half the digits where two roots nearly meet (rare events)."""


@dataclass(frozen=True, slots=True)
class _Functions:
    """What the formulas need beside arithmetic, for numbers or for arrays. `divide(a, b, otherwise)` is a / b where
    b > 0."""

    sqrt: Callable[[Values], Values]
    cos: Callable[[Values], Values]
    arccos: Callable[[Values], Values]
    minimum: Callable[[Values, Values], Values]
    maximum: Callable[[Values, Values], Values]
    where: Callable[[Values, Values, Values], Values]
    copysign: Callable[[float, Values], Values]
    divide: Callable[[Values, Values, Values], Values]


def _divide(a: Array, b: Array, otherwise: Values) -> Array:
    out = np.broadcast_to(otherwise, np.broadcast(a, b).shape).astype(float)
    np.divide(a, b, out=out, where=b > 0.0)
    return out


_NUMBERS = _Functions(
    math.sqrt,
    math.cos,
    math.acos,
    min,
    max,
    lambda condition, a, b: a if condition else b,
    math.copysign,
    lambda a, b, otherwise: a / b if b > 0.0 else otherwise,
)
_ARRAYS = _Functions(np.sqrt, np.cos, np.arccos, np.minimum, np.maximum, np.where, np.copysign, _divide)


def _typed(x0: Values, x1: Values) -> tuple[_Functions, Values, Values]:
    """The functions for these counts, and the counts as floats or float arrays."""
    if isinstance(x0, (int, float)) and isinstance(x1, (int, float)):
        return _NUMBERS, float(x0), float(x1)
    return _ARRAYS, np.asarray(x0, float), np.asarray(x1, float)


def for_difference(x0: Values, n0: float, x1: Values, n1: float, d: float) -> tuple[Values, Values]:
    """Shares (p0, p1) that maximize the likelihood of the counts under p1 = p0 + d, -1 <= d <= 1.

    The root of a cubic in closed form (Miettinen, Nurminen 1985, appendix 1; Farrington, Manning 1990). At d = 0 both
    are the pooled share.
    """
    on, x0, x1 = _typed(x0, x1)
    total, events = float(n0 + n1), x0 + x1
    if d == 0.0:
        return events / total, events / total
    c2 = ((n1 + 2.0 * n0) * d - total - events) / (3.0 * total)
    c1 = ((n0 * d - total - 2.0 * x0) * d + events) / (3.0 * total)
    c0 = x0 * d * (1.0 - d) / total
    q = c2**3 - 1.5 * c2 * c1 + 0.5 * c0
    size = on.sqrt(on.maximum(c2 * c2 - c1, 0.0))
    # The sign of `size` is that of q: the quotient is the same, and divide() needs a divisor above 0.
    cosine = on.divide(abs(q), size**3, 1.0)
    size = on.where(q < 0.0, -size, size)
    angle = (math.pi + on.arccos(on.minimum(cosine, 1.0))) / 3.0
    low, high = max(0.0, -d), min(1.0, 1.0 - d)
    p0 = _within(on, 2.0 * size * on.cos(angle) - c2, low, high)
    for _ in range(_POLISH):
        p0 = _within(on, _newton(on, p0, x0, n0, x1, n1, d), low, high)
    return p0, _within(on, p0 + d, 0.0, 1.0)


def _within(on: _Functions, x: Values, low: float, high: float) -> Values:
    """np.clip for the constrained shares."""
    return on.minimum(on.maximum(x, low), high)


def _newton(on: _Functions, p: Values, x0: Values, n0: float, x1: Values, n1: float, d: float) -> Values:
    """One Newton step on the likelihood equation times p (1 - p) q (1 - q), q = p + d; factored, so nothing cancels."""
    q = p + d
    a, b = p * (1.0 - p), q * (1.0 - q)
    e0, e1 = x0 - n0 * p, x1 - n1 * q
    value = e0 * b + e1 * a
    slope = e0 * (1.0 - 2.0 * q) - n0 * b + e1 * (1.0 - 2.0 * p) - n1 * a
    # At the maximum the value falls through 0. A slope that does not fall belongs to a double root: leave it.
    return p + on.divide(value, -slope, 0.0)


def for_ratio(x0: Values, n0: float, x1: Values, n1: float, r: float) -> tuple[Values, Values]:
    """Shares (p0, p1) that maximize the likelihood of the counts under p1 = r p0, r >= 0.

    The smaller root of a quadratic (Koopman 1984; Miettinen, Nurminen 1985, equation 11), with the discriminant written
    as a sum of two terms that cannot be negative, so that nothing cancels. At r = 1 both are the pooled share.
    """
    on, x0, x1 = _typed(x0, x1)
    a, b = n0 + x1, n1 + x0
    gap = a - r * b
    half = 0.5 * (a + r * b + on.sqrt(gap * gap + 4.0 * r * (n0 - x0) * (n1 - x1)))
    p0 = _within(on, (x0 + x1) / half, 0.0, 1.0)
    # Computed separately: r p0 may be far below the rounding of p0, and above 1 by rounding only.
    return p0, _within(on, r * (x0 + x1) / half, 0.0, 1.0)


def score_difference(x0: Values, n0: float, x1: Values, n1: float, d: float) -> Values:
    """T(d) = (s1 - s0 - d) / se with the constrained shares in se (Miettinen, Nurminen 1985), -1 <= d <= 1.

    +-inf where se is 0 and the numerator is not, 0 where both are 0.
    """
    p0, p1 = for_difference(x0, n0, x1, n1, d)
    return _studentized(x0, n0, p0, x1, n1, p1, 1.0, d)


def score_ratio(x0: Values, n0: float, x1: Values, n1: float, r: float) -> Values:
    """T(r) = (s1 - r s0) / se with the constrained shares in se (Koopman 1984; Miettinen, Nurminen 1985), r >= 0.

    +-inf where se is 0 and the numerator is not, 0 where both are 0.
    """
    if r == 1.0:
        return score_difference(x0, n0, x1, n1, 0.0)
    p0, p1 = for_ratio(x0, n0, x1, n1, r)
    return _studentized(x0, n0, p0, x1, n1, p1, r, 0.0)


def _studentized(
    x0: Values, n0: float, p0: Values, x1: Values, n1: float, p1: Values, ratio: float, difference: float
) -> Values:
    on, x0, x1 = _typed(x0, x1)
    total = n0 + n1
    distance = x1 / n1 - ratio * (x0 / n0) - difference
    variance = (p1 * (1.0 - p1) / n1 + ratio * ratio * (p0 * (1.0 - p0) / n0)) * (total / (total - 1.0))
    certain = on.where(distance == 0.0, 0.0, on.copysign(math.inf, distance))
    return on.divide(distance, on.sqrt(variance), certain)
