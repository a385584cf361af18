"""Quantiles of two arms compared by the projected share test on the mid-distribution (mid_distribution.py).

T(d)^2 = min over x of (G_c(x) - q)^2 / s_c(x)^2 + (G_t(x + d) - q)^2 / s_t(x + d)^2 with the sign of x_t - x_c - d, for
a ratio r with G_t(r x); x lies between the two estimates, shifted to each other by d (or r). It is referred to
Student's t with Satterthwaite's degrees of freedom of s_c^2 and s_t^2 at the minimum. d = 0 and r = 1 give the same
number, so p and both intervals are one inversion. No density is estimated (docs/methods.md, "Quantiles").
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from abcx.notes import Note
from abcx.stats.distributions import t_tails
from abcx.stats.inversion import two_sided
from abcx.stats.methods import Method
from abcx.stats.mid_distribution import NODES, Curve
from abcx.stats.records import Contrast, Pivot, QuantileSummary, no_comparison

Array = NDArray[np.float64]

METHOD = Method.QUANTILE
_BEST = 8
"""Number of pieces that are searched to the end: those with the least T^2 by a parabola."""
_ROUNDS = 3


def contrast(control: QuantileSummary, variant: QuantileSummary) -> Contrast:
    """Variant against control, in the values' own unit; a lift only where no value is below 0.

    Both summaries are of the same `q`. Where nothing can be tested, a note gives the reason.
    """
    for arm, summary in (("control", control), ("variant", variant)):
        if not summary.values.size:
            return no_comparison(METHOD, Note("no_values", {"arm": arm}))
    old, new = Curve(control), Curve(variant)
    difference = new.quantile - old.quantile
    lift, lift_note = _lift(old, new)

    def without_test(code: str, p_value: float | None = None) -> Contrast:
        return Contrast(METHOD, difference, lift, None, None, p_value, (Note(code),), lift_note)

    if min(control.n, variant.n) < 2:
        return without_test("one_unit")
    same = old.quantile == new.quantile
    if same and old.fixed and new.fixed:
        return without_test("same_around_quantile", 1.0)
    if old.first == old.last and new.first == new.last:
        if same:
            return without_test("same_values", 1.0)
        return without_test("no_spread_of_values")
    pivot = Pivot(
        estimate=difference,
        null=0.0,
        low=-math.inf,
        high=math.inf,
        scale=_scale(old, new, 1.0),
        tails=lambda d: _tails(old, new, 1.0, d),
    )
    ratio_pivot = None
    if lift is not None:
        if new.quantile == 0.0:
            lift_note = Note("no_lift_interval_quantile_zero")
        else:
            ratio_pivot = _ratio_pivot(old, new)
            lift_note = None if ratio_pivot else Note("no_lift_interval_near_zero")
    return Contrast(
        method=METHOD,
        difference=difference,
        lift=lift,
        difference_pivot=pivot,
        ratio_pivot=ratio_pivot,
        p_value=two_sided(pivot, 0.0),
        notes=(Note("tied_quantile"),) if old.tied or new.tied else (),
        lift_note=lift_note,
    )


def _lift(old: Curve, new: Curve) -> tuple[float | None, Note | None]:
    if min(old.first, new.first) < 0.0:
        return None, Note("no_lift_of_negatives")
    if old.quantile == 0.0:
        return None, Note("no_lift_at_zero")
    ratio = new.quantile / old.quantile
    if math.isinf(ratio):
        return None, Note("no_lift_near_zero")
    return ratio - 1.0, None


def _ratio_pivot(old: Curve, new: Curve) -> Pivot | None:
    ratio = new.quantile / old.quantile
    scale = _scale(old, new, ratio) / old.quantile
    if not 0.0 < scale < math.inf:
        return None
    return Pivot(
        estimate=ratio,
        null=1.0,
        low=0.0,
        high=math.inf,
        scale=scale,
        tails=lambda r: _tails(old, new, r, 0.0),
    )


def _scale(old: Curve, new: Curve, ratio: float) -> float:
    """A length of the order of the standard error of variant - ratio x control, for the first step of a search."""
    scale = math.hypot(new.error, ratio * old.error)
    return scale or abs(new.quantile - ratio * old.quantile) or 1.0


def _tails(old: Curve, new: Curve, ratio: float, difference: float) -> tuple[float, float]:
    """Both tails of the test of "variant = ratio x control + difference"."""
    distance = new.quantile - ratio * old.quantile - difference
    if distance == 0.0:
        return t_tails(0.0, 1.0)
    squared, df = projected(old, new, ratio, difference)
    return t_tails(math.copysign(math.sqrt(squared), distance), df)


def projected(old: Curve, new: Curve, ratio: float, difference: float) -> tuple[float, float]:
    """(T^2, degrees of freedom) of "variant = `ratio` x control + `difference`", ratio >= 0."""
    xs, ys = _pieces(old, new, ratio, difference)
    total = old.test(xs)[0] + new.test(ys)[0]
    best = int(np.argmin(total))
    least, x, y = float(total[best]), float(xs[best]), float(ys[best])
    middle = old.test(0.5 * (xs[1:] + xs[:-1]))[0] + new.test(0.5 * (ys[1:] + ys[:-1]))[0]
    chosen = np.argsort(_vertex(total[:-1], middle, total[1:])[1], kind="stable")[:_BEST]
    rows = np.arange(chosen.size)
    left, right, start, end = xs[chosen], xs[chosen + 1], ys[chosen], ys[chosen + 1]
    nodes = NODES
    for last in range(_ROUNDS + 1):
        x_grid, y_grid = (low[:, None] + (high - low)[:, None] * nodes for low, high in ((left, right), (start, end)))
        values = (old.test(x_grid.ravel())[0] + new.test(y_grid.ravel())[0]).reshape(x_grid.shape)
        lowest = values.argmin(axis=1)
        row = int(values[rows, lowest].argmin())
        if values[row, lowest[row]] < least:
            least, x, y = (float(grid[row, lowest[row]]) for grid in (values, x_grid, y_grid))
        center = np.clip(lowest, 1, nodes.shape[-1] - 2)
        before, after = (rows, center - 1), (rows, center + 1)
        if last == _ROUNDS - 1:  # the parabola's vertex ends the search
            nodes = _vertex(values[before], values[rows, center], values[after])[0][:, None] * np.array([0.0, 1.0, 1.0])
        left, right, start, end = x_grid[before], x_grid[after], y_grid[before], y_grid[after]
    return least, _df(old, new, x, y)


def _vertex(first: Array, middle: Array, last: Array) -> tuple[Array, Array]:
    """(place in [0, 1], value) of the minimum of the parabolas through these values at 0, 1/2 and 1."""
    slope, bend = last - first, 2.0 * (first + last - 2.0 * middle)
    inside = np.abs(slope) < bend
    safe = np.where(inside, bend, 1.0)
    at = np.where(inside, 0.5 - slope / (2.0 * safe), np.where(slope < 0.0, 1.0, 0.0))
    return at, np.where(inside, middle - slope**2 / (8.0 * safe), np.minimum(np.minimum(first, last), middle))


def _pieces(old: Curve, new: Curve, ratio: float, difference: float) -> tuple[Array, Array]:
    """The ends of the pieces on which both curves are smooth, as points x of control and y of the variant, from one
    estimate to the other; each curve's own values are exact.
    """
    x0, y0 = old.quantile, new.quantile
    shifted = ratio * x0 + difference
    if ratio == 0.0:  # all x are the same y
        return np.array([x0, x0]), np.array([shifted, shifted])
    with np.errstate(over="ignore"):
        back = float(np.divide(y0 - difference, ratio))
        of_old, of_new = old.knots(min(x0, back), max(x0, back)), new.knots(min(y0, shifted), max(y0, shifted))
        xs = np.concatenate([[x0, back], of_old, (of_new - difference) / ratio])
        ys = np.concatenate([[shifted, y0], ratio * of_old + difference, of_new])
    order = np.lexsort((ys, xs))
    return old.near(xs[order]), new.near(ys[order])


def _df(old: Curve, new: Curve, x: float, y: float) -> float:
    """Satterthwaite's degrees of freedom: at the true quantile both arms have the same density, so
    s^2 are the weights.
    """
    first, second = float(old.test(np.array([x]))[1][0]), float(new.test(np.array([y]))[1][0])
    total = first + second
    if total == 0.0:
        return 1.0
    return 1.0 / ((first / total) ** 2 / old.df(x) + (second / total) ** 2 / new.df(y))
