"""The mid-distribution of one arm: quantiles of values per unit, or of events clustered in units, with their error.

**Estimate.** At the distinct values u_j of an arm the mid-distribution function is G(u_j) = F(u_j-) + f(u_j) / 2, half
of the values at u_j counting as below it (Parzen 2004, "Quantile probability and statistical data modeling",
Statistical Science 19:4); between them it is linear. The quantile is x = G^-1(q) (Ma, Genton, Parzen 2011, "Asymptotic
properties of sample quantiles of discrete distributions", AISM 63). Without ties that is Hazen's quantile, type 5 of
Hyndman and Fan (1996). On a grid it moves with the shares (5.4 s where the usual quantile of whole seconds is 5 s),
which makes it asymptotically normal there, unlike any order statistic.

**Isolated ties.** A value that many units share among values that few share (no orders, a timeout, a cap) is not part
of a grid: which value is its neighbor is chance, and so would be every point between them. Of the count k_j only
min(k_j, 1 + 10 (k_j+1 - 1)) / 2 is spread over the gap to u_j+1, likewise to the left: all of it on a grid, hardly any
where the neighbor is a single value. By the rest G jumps at u_j itself and takes every level there; the level nearest
to q counts. The smallest and the largest value, beyond which there are none, are such ends, too; beyond them G is 0 and
1.

**Error.** A value's score at x, between its neighbors u_j and u_j+1 with x = (1 - w) u_j + w u_j+1, is 1 below u_j, a
at u_j, w between, b at u_j+1 and 0 above: on a grid a = (1 + w) / 2 and b = w / 2, the mix of 1(Y < u) + 1(Y = u) / 2
of the two. Its mean is G(x), its variance G (1 - G) - L with the loss by ties L = f_j a (1 - a) + f_j+1 b (1 - b). If x
is the quantile then G = q, so the variance of a score is taken as q (1 - q) - L min(1, q (1 - q) / (G (1 - G))): that
of a score test (Wilson 1927), positive everywhere, and q (1 - q) beyond the data. s(x)^2 is that variance times the
design effect, over the number of values.

**Events in units.** The design effect is the variance of the share at x by the residuals of the units over the binomial
variance (less L). The residual of unit i with n_i of N events is e_i = (sum of its scores - G n_i) / (1 - n_i / N), the
leverage correcting for the estimation of G (Bell, McCaffrey 2002). It is never below 1, so that three units that happen
to be equal do not make a quantile certain. Its degrees of freedom are Satterthwaite's, 2 V^2 / Var V for V = sum e_i^2,
with Var V = sum e_i^4 - V^2 / units, at most one less than there are units. Both are measured at a few points
(`design_points`) and linear in G between them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from abcx.stats.distributions import t_quantile
from abcx.stats.records import Interval, QuantileSummary

Array = NDArray[np.float64]

DENSE = 8.0
"""Standard errors of the rank around the quantile within which every distinct value is kept."""
STEPS = 256
"""Approximate number of order statistics that are kept outside of them."""
_LEVELS = (-8.0, -4.0, -2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 4.0, 8.0)
"""Where the design effect is measured, in the largest standard error of the rank that the clustering allows."""
_APART = 0.05
"""Points closer to the quantile than this fraction of the smaller side are left out: the design effect is smooth."""
_SPREAD = 10.0
"""Of a value's count, 1 plus this many times (its neighbor's count - 1) may be spread over the gap to the neighbor."""
_TIED = 0.01
"""If at least this share of the values equals a value next to the quantile, a note explains where the quantile lies."""
_EXACT = 1e-12
"""An end of an arm's interval is accurate to this fraction of the distance from the quantile to the last value."""
NODES = np.linspace(0.0, 1.0, 17)
"""Points in [0, 1] at which a piece of the line is searched."""


# ---------------------------------------------------------------------------------------- summaries


def summary(values: Array, q: float, clusters: NDArray[np.int64] | None = None) -> QuantileSummary:
    """The summary of one arm from its `values` (k,) for the quantile 0 < `q` < 1, the same that the data layer computes
    by SQL.

    `clusters` (k,) are the units of the values where these are events; without them each value is a unit.
    """
    distinct, equal = np.unique(np.asarray(values, float), return_counts=True)
    below = np.cumsum(equal) - equal
    if clusters is None or not distinct.size:
        kept = kept_values(below, equal, q, 1.0)
        return of_units(q, distinct[kept], below[kept], equal[kept])
    _, unit = np.unique(clusters, return_inverse=True)
    events = np.bincount(unit).astype(float)
    alike = float((events**2).sum() / events.sum())
    kept = kept_values(below, equal, q, alike)
    first = of_units(q, distinct[kept], below[kept], equal[kept])
    points = design_points(first, alike)
    squares, fourths = [], []
    for point in points:
        scores = np.bincount(unit, point.scores(np.asarray(values, float))).astype(float)
        residuals = (scores - point.level * events) / (1.0 - events / events.sum()) if events.size > 1 else events * 0.0
        squares.append(float((residuals**2).sum()))
        fourths.append(float((residuals**4).sum()))
    return of_events(first, points, events.size, alike, squares, fourths)


def kept_values(below: NDArray[np.int64], equal: NDArray[np.int64], q: float, alike: float) -> NDArray[np.bool_]:
    """Which distinct values a summary keeps (k,): all near the quantile, the first and the last, some of the rest.

    `below` and `equal` (k,) count the values below and at each; `alike` >= 1 is the largest design effect (1 for
    units).
    """
    if not below.size:
        return np.zeros(0, bool)
    total = int(below[-1] + equal[-1])
    low, high, step = kept_ranks(total, below.size, q, alike)
    last = below + equal
    dense = (last >= low) & (below <= high)
    return dense | (below == 0) | (last == total) | ((last - 1) // step != (below - 1) // step)  # type: ignore[no-any-return]


def kept_ranks(total: int, distinct: int, q: float, alike: float) -> tuple[int, int, int]:
    """(low, high, step): a summary keeps values with a rank from low to high, and those whose ranks include a multiple
    of step.

    `total` values, of which `distinct` are distinct; with few distinct values all are kept (step 1).
    """
    reach = DENSE * math.sqrt(q * (1.0 - q) * total * alike) + 2.0
    return math.floor(total * q - reach), math.ceil(total * q + reach), 1 if distinct <= STEPS else total // STEPS


def of_units(q: float, values: Array, below: NDArray[np.int64], equal: NDArray[np.int64]) -> QuantileSummary:
    """The summary of values of which each unit has one.

    `values` (k,) are the distinct values kept, ascending; `below` and `equal` (k,) count the values below and at each.
    """
    n = int(below[-1] + equal[-1]) if below.size else 0
    design, df = (n / (n - 1.0), n - 1.0) if n > 1 else (1.0, 0.0)
    return QuantileSummary(
        q, n, n, values, below.astype(float), equal.astype(float), np.array([q]), np.array([design]), np.array([df])
    )


@dataclass(frozen=True, slots=True)
class DesignPoint:
    """A point at which G is `level`, by the scores of values there: 1 below `left`, then `at_left`, `between` the two,
    `at_right`, and 0 above `right` (which may equal `left`).
    """

    left: float
    right: float
    at_left: float
    between: float
    at_right: float
    level: float

    def scores(self, values: Array) -> Array:
        """The score of every value (k,), in [0, 1]."""
        conditions = [values < self.left, values == self.left, values < self.right, values == self.right]
        return np.select(conditions, [1.0, self.at_left, self.between, self.at_right], 0.0)

    def variance(self, arm: QuantileSummary) -> float:
        """The variance of a score over the values of an arm, as if they were independent; at least 0."""
        left, right = (float(arm.equal[np.searchsorted(arm.values, x)]) / arm.total for x in (self.left, self.right))
        lost = left * self.at_left * (1.0 - self.at_left)
        lost += right * self.at_right * (1.0 - self.at_right) if self.right > self.left else 0.0
        return max(self.level * (1.0 - self.level) - lost, 0.0)


def design_points(first: QuantileSummary, alike: float) -> list[DesignPoint]:
    """Where the design effect of events is measured, from a summary of the events as if each were a unit.

    `alike` is the design effect where all events of a unit are equal: sum of n_i^2 / N. Empty for fewer than two
    distinct values.
    """
    if first.values.size < 2:
        return []
    q, error = first.q, math.sqrt(first.q * (1.0 - first.q) * alike / first.total)
    steps = [step for step in _LEVELS if step in (-DENSE, 0.0, DENSE) or abs(step) * error >= _APART * min(q, 1.0 - q)]
    # Far out a unit has at most one event beyond the point, so the design effect cannot be measured there.
    levels = np.unique(np.clip(q + error * np.array(steps), q / 2.0, (1.0 + q) / 2.0))
    curve = Curve(first)
    return list({point.level: point for point in map(curve.point, levels.tolist())}.values())


def of_events(
    first: QuantileSummary,
    points: list[DesignPoint],
    units: int,
    alike: float,
    squares: list[float],
    fourths: list[float],
) -> QuantileSummary:
    """The summary of events in `units`, from the sums of `squares` and `fourths` powers of residuals at its design
    `points`.

    `first` is the summary of the events as if each were a unit; `alike` as in `design_points`.
    """
    if units < 2 or not points:
        at_most = max(units - 1.0, 0.0)
        return replace(first, n=units, levels=np.array([first.q]), design=np.array([alike]), df=np.array([at_most]))
    second, fourth = np.array(squares), np.array(fourths)
    binomial = np.array([point.variance(first) * first.total for point in points])
    design = np.where(binomial > 0.0, second / np.where(binomial > 0.0, binomial, 1.0), alike)
    spread = fourth - second**2 / units  # of the squares about their mean; 0 where all residuals are equally large
    df = np.where(spread > 0.0, 2.0 * second**2 / np.where(spread > 0.0, spread, 1.0), units - 1.0)
    levels = np.array([point.level for point in points])
    return replace(first, n=units, levels=levels, design=np.maximum(design, 1.0), df=np.clip(df, 1.0, units - 1.0))


# ---------------------------------------------------------------------------------------- one arm


class Curve:
    """One arm's mid-distribution function G with the error of its values; the arm needs at least one value.

    `quantile` is the estimate, `error` its approximate standard error in the unit of the values. `fixed` says that G
    jumps over q at the quantile (an isolated tie), `tied` that a note should explain the interpolation.
    """

    def __init__(self, arm: QuantileSummary) -> None:
        self.q, self.total = arm.q, arm.total
        self.values, self.first, self.last = arm.values, float(arm.values[0]), float(arm.values[-1])
        shares = arm.equal / arm.total
        reach = _SPREAD * (arm.equal - 1.0) + 1.0
        before, after = np.append(0.0, reach[:-1]), np.append(reach[1:], 0.0)
        # Scores of values at a knot, in the limits from the left and from the right.
        self._into = 0.5 - 0.5 * np.maximum(1.0 - before / arm.equal, 0.0)
        self._out = 0.5 + 0.5 * np.maximum(1.0 - after / arm.equal, 0.0)
        self._below, self._shares = arm.below / arm.total, shares
        self._low, self._high = self._below + self._into * shares, self._below + self._out * shares
        self._at = arm.levels, arm.design, arm.df
        self.quantile = self.inverse(arm.q)
        at = min(int(np.searchsorted(self._high, arm.q)), arm.values.size - 1)
        self.fixed = bool(self._low[at] < arm.q < self._high[at] and arm.equal[at] > 1)
        near = arm.equal[max(at - 1, 0) : at + 1]
        self.tied = bool((near > 1).any() and (near >= _TIED * arm.total).any())
        away = math.sqrt(arm.q * (1.0 - arm.q) * float(np.interp(arm.q, *self._at[:2])) / arm.total)
        self.error = (self.inverse(arm.q + away) - self.inverse(arm.q - away)) / 2.0

    def inverse(self, level: float) -> float:
        """The point at which G takes this level, in the unit of the values."""
        levels = np.column_stack([self._low, self._high]).ravel()
        return float(np.interp(level, levels, np.repeat(self.values, 2)))

    def point(self, level: float) -> DesignPoint:
        """The point at which G takes this level, with the scores there; the level is moved into the range of G."""
        j = min(int(np.searchsorted(self._high, level)), self.values.size - 1)
        here = float(self.values[j])
        if level >= self._low[j] or j == 0:
            level = min(max(level, float(self._low[j])), float(self._high[j]))
            at = (level - float(self._below[j])) / float(self._shares[j])
            return DesignPoint(here, here, at, 0.0, 0.0, level)
        w = (level - float(self._high[j - 1])) / float(self._low[j] - self._high[j - 1])
        at_left = float(self._out[j - 1]) * (1.0 - w) + w
        return DesignPoint(float(self.values[j - 1]), here, at_left, w, w * float(self._into[j]), level)

    def _located(self, x: Array) -> tuple[Array, Array]:
        """(G, the loss of variance by ties) at points x; at a value where G jumps, its level nearest to q."""
        most = self.values.size - 1
        right = np.searchsorted(self.values, x, "right")
        j, after = np.maximum(right - 1, 0), np.minimum(right, most)
        start, end = self.values[j], self.values[after]
        w = np.where(after > j, (x - start) / np.where(after > j, end - start, 1.0), 0.0)
        out, into = self._out[j], self._into[after]
        at_left, at_right = out * (1.0 - w) + w, w * into
        g = self._high[j] + w * (self._low[after] - self._high[j])
        lost = self._shares[j] * at_left * (1.0 - at_left) + self._shares[after] * at_right * (1.0 - at_right)
        knot = (x == start) & (g > self.q)
        at = np.maximum((self.q - self._below[j]) / self._shares[j], self._into[j])
        g = np.where(knot, np.maximum(self.q, self._low[j]), g)
        lost = np.where(knot, self._shares[j] * at * (1.0 - at), lost)
        below, above = x < self.first, x > self.last
        return np.where(below, 0.0, np.where(above, 1.0, g)), np.where(below | above, 0.0, lost)

    def test(self, x: Array) -> tuple[Array, Array]:
        """((G(x) - q)^2 / s(x)^2, s(x)^2) at points x (k,)."""
        g, lost = self._located(x)
        full, observed = self.q * (1.0 - self.q), g * (1.0 - g)
        tied = lost * np.minimum(1.0, full / np.where(observed > 0.0, observed, 1.0))
        squared = np.maximum(full - tied, 0.0) * np.interp(g, self._at[0], self._at[1]) / self.total
        return (g - self.q) ** 2 / np.where(squared > 0.0, squared, 1.0), squared

    def accepted(self, x: Array, alpha: float) -> NDArray[np.bool_]:
        """Whether the two-sided test of one arm at `alpha` accepts that the quantile is x, at points x (k,)."""
        squared, df = self.test(x)[0], np.interp(self._located(x)[0], self._at[0], self._at[2])
        limits = {degrees: t_quantile(1.0 - alpha / 2.0, degrees) ** 2 for degrees in set(df.tolist())}
        accepted: NDArray[np.bool_] = squared <= np.array([limits[degrees] for degrees in df.tolist()])
        return accepted

    def df(self, x: float) -> float:
        """Degrees of freedom of s at x."""
        g = float(self._located(np.array([x]))[0][0])
        return float(np.interp(g, self._at[0], self._at[2]))

    def near(self, x: Array) -> Array:
        """The points x, with those far beyond the values moved closer: there the curve is constant."""
        margin = self.last - self.first or abs(self.last) or 1.0
        return np.clip(x, self.first - margin, self.last + margin)

    def knots(self, low: float, high: float) -> Array:
        """The values strictly between `low` and `high`."""
        return self.values[np.searchsorted(self.values, low, "right") : np.searchsorted(self.values, high, "left")]


def value(arm: QuantileSummary) -> float | None:
    """The arm's quantile in the unit of the values; None without values."""
    return Curve(arm).quantile if arm.values.size else None


def interval(arm: QuantileSummary, alpha: float) -> Interval:
    """The arm's interval at 1 - `alpha`: the values x with |G(x) - q| <= t s(x), connected with the quantile.

    None at an end with too few values beyond it, at both for fewer than two units or if all values are equal.
    """
    if arm.n < 2 or arm.values.size < 2:
        return None, None
    curve = Curve(arm)
    return _end(curve, alpha, -1), _end(curve, alpha, +1)


def _end(curve: Curve, alpha: float, side: int) -> float | None:
    """The last point outward from the quantile that the test of one arm accepts; None where it never rejects."""
    last = curve.first if side < 0 else curve.last
    beyond = float(np.nextafter(last, side * math.inf))
    accepted = curve.accepted(np.array([beyond, last]), alpha)
    if accepted[0]:
        return None
    if accepted[1]:
        return last
    inside, outside = curve.quantile, last
    tolerance = _EXACT * abs(outside - inside)
    while abs(outside - inside) > tolerance:
        points = inside + (outside - inside) * NODES[1:-1]
        rejected = np.append(~curve.accepted(points, alpha), True)
        first = int(rejected.argmax())
        points = np.concatenate([[inside], points, [outside]])
        if points[first] == inside and points[first + 1] == outside:
            break
        inside, outside = float(points[first]), float(points[first + 1])
    return inside
