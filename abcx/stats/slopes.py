"""Adjusted values with one slope for both arms, and their errors, from cross moments of many pairs of arms at a time.

The outcome of a unit is a pair (top, bottom), and an arm's value is mean(top) / mean(bottom); a mean has bottom 1 for
every unit. With x the k covariates, S their sums of squares and products about the means of the unit's own arm, and w_a
the arm's share of all units:

    theta = (S_xx,c + S_xx,t)^-1 (S_xy,c + S_xy,t)                     for top and bottom each
    m_a(y) = mean_a(y) - theta' (mean_a(x) - mean(x))                   mean(x) over all units
    R_a = m_a(top) / m_a(bottom),   theta_a = (theta_top - R_a theta_bottom) / m_a(bottom)

The slope is that of the analysis of covariance. The statistic of "value_t = r value_c" is R_t - r R_c; mean(x) moves
both values, so the contribution of one unit to it is, to first order,

    of the variant: (top - R_t bottom) / m_t(bottom) - gamma' x      over n_t
    of control:   r (top - R_c bottom) / m_c(bottom) - gamma' x      over n_c
    gamma = w_c theta_t + r w_t theta_c

so its variance is a sum over the arms, with each arm's own covariances of y and x (Yang and Tsiatis 2001, The American
Statistician 55, for means; delta method for ratios). For a mean at r = 1 this is Welch's test of y - theta' x: the
slope is common, so a unit with outlying x cannot determine a slope of its own arm. Slopes that differ between the arms
cost precision, never validity. The divisor of the variances is n - 1 - k: k / n makes up both for the slopes being
fitted to these units, which makes residuals too small, and for the error of the slopes (exact at equal arms).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_ROUNDING = 1e-12
"""A residual variance below this fraction of its terms is rounding: the fit is perfect."""


@dataclass(frozen=True, slots=True, eq=False)
class Side:
    """One arm of `n` units in each of B pairs of arms: means, and sums of squares and products about them.

    `x` (B, k) and `xx` (B, k, k) are those of the k covariates, in units near their standard deviations; `top`,
    `bottom` and their squares and product (B,) those of the outcome; `x_top` and `x_bottom` (B, k) the products of
    both.
    """

    n: int
    x: Array
    xx: Array
    top: Array
    bottom: Array
    top_top: Array
    top_bottom: Array
    bottom_bottom: Array
    x_top: Array
    x_bottom: Array


class Compared(NamedTuple):
    """Both arms of each pair, as (control, variant): adjusted values (B,), and the variances (B,) that each arm's units
    contribute.
    """

    values: tuple[Array, Array]
    variances: tuple[Array, Array]

    def distance(self, weights: tuple[float, float]) -> Array:
        """weights[1] x variant - weights[0] x control, for each pair (B,)."""
        return weights[1] * self.values[1] - weights[0] * self.values[0]


def inverse(control: Side, variant: Side) -> Array:
    """(S_xx,c + S_xx,t)^-1 of each pair (B, k, k); directions in which covariates do not vary within the arms are left
    out.
    """
    return np.asarray(np.linalg.pinv(control.xx + variant.xx, rcond=1e-11, hermitian=True), np.float64)


def compare(
    control: Side,
    variant: Side,
    inverted: Array,
    weights: tuple[float, float] = (1.0, 1.0),
    effects: tuple[float, float] = (1.0, 1.0),
) -> Compared:
    """Adjusted values and the variances of weights[1] x variant - weights[0] x control, for each pair.

    `inverted` (B, k, k) is `inverse(control, variant)`. Tops are first multiplied by the arm's `effects`. A value is
    nan where the adjusted bottom is not above 0. Pairs are (control, variant).
    """
    k, n = inverted.shape[-1], control.n + variant.n
    sides, parts = (control, variant), (control.n / n, variant.n / n)
    of_top = _times(inverted, effects[0] * control.x_top + effects[1] * variant.x_top)
    of_bottom = _times(inverted, control.x_bottom + variant.x_bottom)
    apart = variant.x - control.x
    values, bottoms, slopes = [], [], []
    for side, effect, away in zip(sides, effects, (-parts[1] * apart, parts[0] * apart), strict=True):
        bottom = side.bottom - _dot(of_bottom, away)
        value = (effect * side.top - _dot(of_top, away)) / bottom
        values.append(np.where(bottom > 0.0, value, np.nan))
        bottoms.append(bottom)
        slopes.append((of_top - value[:, None] * of_bottom) / bottom[:, None])
    gamma = weights[1] * parts[0] * slopes[1] + weights[0] * parts[1] * slopes[0]
    variances = []
    for i, side in enumerate(sides):
        a = weights[i] * effects[i] / bottoms[i]
        b = -weights[i] * values[i] / bottoms[i]
        with_top, with_bottom = 2.0 * _dot(side.x_top, gamma), 2.0 * _dot(side.x_bottom, gamma)
        terms = a * a * side.top_top + b * b * side.bottom_bottom + _dot(_times(side.xx, gamma), gamma)
        squares = terms + 2.0 * a * b * side.top_bottom - a * with_top - b * with_bottom
        squares = np.where(squares <= _ROUNDING * terms, 0.0, squares)
        variances.append(squares / ((side.n - 1.0 - k) * side.n))
    return Compared((values[0], values[1]), (variances[0], variances[1]))


def _dot(left: Array, right: Array) -> Array:
    product: Array = (left * right).sum(axis=-1)
    return product


def _times(matrix: Array, vector: Array) -> Array:
    product: Array = (matrix @ vector[..., None])[..., 0]
    return product
