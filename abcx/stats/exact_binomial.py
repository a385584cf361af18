"""Tail probabilities of a statistic of two binomial counts at given success probabilities, by enumeration.

For each count of the arm with the smaller spread the other arm's counts at least (at most) as extreme form an upper
(lower) range, because the statistic grows with the variant's count and falls with the control's. The range's ends are
located by dividing brackets into eight parts and its mass by the incomplete beta function, so the cost grows with the
logarithm of the larger arm.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from abcx.stats.distributions import binomial_from, binomial_upto

Array = NDArray[np.float64]
Statistic = Callable[[Any, Any], Array]
"""T(control counts, variant counts), broadcasting; it rises with the variant's counts and falls with the control's."""

_CUTS = (1e-12, 1e-40, 1e-280)
"""Binomial mass beyond which counts are left out; the next value is used where the tail is not far above the cut."""
_PARTS = np.arange(1, 8).reshape(-1, 1, 1) / 8.0
"""Where a bracket of counts is divided."""
_TIE = 1e-9
"""Outcomes whose statistic differs by less than this fraction (plus one) are ties, and ties count as extreme."""


def tails(
    statistic: Statistic, observed: tuple[int, int], sizes: tuple[int, int], shares: tuple[float, float]
) -> tuple[float, float]:
    """(P(T* <= t), P(T* >= t)) where t is the statistic of the `observed` counts.

    `observed`, `sizes` (units) and `shares` (success probabilities, 0 to 1) are pairs (control, variant). Outcomes
    beyond a binomial mass of 1e-12 are left out (1e-40 or 1e-280 where the tail itself is that small).
    """
    t = float(statistic(np.asarray([observed[0]]), np.asarray([observed[1]]))[0])
    slack = 0.0 if math.isinf(t) else _TIE * (1.0 + abs(t))
    spreads = [n * p * (1.0 - p) for n, p in zip(sizes, shares, strict=True)]
    rows_are_control = (spreads[0], sizes[0]) <= (spreads[1], sizes[1])
    row, other = (0, 1) if rows_are_control else (1, 0)

    def rising(rows: Array, others: Array) -> Array:
        return statistic(rows, others) if rows_are_control else -statistic(others, rows)

    sign = 1.0 if rows_are_control else -1.0
    levels = np.array([[sign * t - slack], [sign * t + slack]])
    below, above = 0.0, 0.0
    for cut in _CUTS:
        rows, mass = _mass(sizes[row], shares[row], cut)
        first = _first_reaching(rising, rows, _window(sizes[other], shares[other], cut), levels)
        above = float(mass @ binomial_from(first[0], sizes[other], shares[other]))
        below = float(mass @ binomial_upto(first[1] - 1.0, sizes[other], shares[other]))
        if min(below, above) > 1e5 * cut:
            break
    return (below, above) if rows_are_control else (above, below)


def _first_reaching(rising: Statistic, rows: Array, window: tuple[int, int], levels: Array) -> Array:
    """For each row the least count of the other arm with T >= levels[0], and with T > levels[1].

    Searched in `window`, both ends included; one above it if none reaches. Shapes: rows (k,), levels (2, 1), result (2,
    k).
    """
    low = np.full((1, rows.size), window[0] - 1.0)  # taken not to reach
    high = np.full((1, rows.size), window[1] + 1.0)  # taken to reach
    while (high - low).max() > 1.0:
        # Several points at once: a call of the statistic costs more than its numbers.
        points = np.clip(np.floor(low + _PARTS * (high - low)), *window)
        t = rising(np.broadcast_to(rows, points.shape), points)
        reached = np.concatenate((t[:, :1] >= levels[0], t[:, -1:] > levels[1]), axis=1)
        high = np.minimum(high, np.where(reached, points, np.inf).min(axis=0))
        low = np.maximum(low, np.where(reached, -np.inf, points).max(axis=0))
    return np.broadcast_to(high, (2, rows.size))


def _mass(n: int, p: float, cut: float) -> tuple[Array, Array]:
    """Counts of Binomial(n, p) outside of which lies a mass of at most `cut` on each side, and their probabilities.

    By products of neighbors' ratios from the mode outward, without the cancellation of three large log-gammas.
    """
    if p <= 0.0 or p >= 1.0:
        return np.array([0.0 if p <= 0.0 else float(n)]), np.ones(1)
    low, high = _window(n, p, cut)
    mode = min(max(math.floor((n + 1) * p), low), high)
    up = np.arange(mode, high, dtype=float)
    down = np.arange(mode, low, -1, dtype=float)
    odds = p / (1.0 - p)
    rising = np.cumprod((n - up) / (up + 1.0) * odds)
    falling = np.cumprod(down / (n - down + 1.0) / odds)
    mass = np.concatenate((falling[::-1], [1.0], rising))
    mass /= mass.sum()
    inside = (np.cumsum(mass) > cut) & (np.cumsum(mass[::-1])[::-1] > cut)
    return np.arange(low, high + 1, dtype=float)[inside], mass[inside]


def _window(n: int, p: float, cut: float) -> tuple[int, int]:
    """Counts that contain Binomial(n, p) except for at most `cut` on each side, by Bernstein's inequality.

    P(X - n p >= w) <= exp(-w^2 / (2 n p q + 2 w / 3)), solved for w.
    """
    nats = -math.log(cut)
    reach = nats / 3.0 + math.sqrt(nats * nats / 9.0 + 2.0 * nats * n * p * (1.0 - p))
    return max(0, math.floor(n * p - reach)), min(n, math.ceil(n * p + reach))
