"""Error spending and the boundaries of group sequential tests, two-sided and symmetric.

At information fractions t_1 < ... < t_K the standardized statistics Z_k behave like W(t_k) / sqrt(t_k), where W is
Brownian motion. Of an overall two-sided level alpha, f(alpha, t_k) may have been used up by look k (Lan, DeMets 1983);
the boundary c_k is the number with P(first |Z_k| >= c_k at look k) = f(alpha, t_k) - f(alpha, t_(k-1)). The law of
|W| on the paths that are still inside is carried from look to look by numerical integration (Armitage, McPherson, Rowe
1969; Jennison, Turnbull 2000, chapter 19), here with Gauss-Legendre panels no wider than a few standard deviations
of the neighboring increments. Boundaries agree with denser grids to about 1e-12.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from abcx.stats.special import log_ndtr, ndtr, ndtri

Spending = Literal["obrien_fleming", "pocock", "hwang_shih_decani"]
"""The spending functions that `spent` computes."""

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(12)
_PANEL = 4.0
"""Width of a panel in standard deviations of the smaller neighboring increment."""
_LEAST_STEP = 1e-3
"""Analyses closer than this fraction of their information are integrated as if this far apart: faster, and conservative
(the later boundary is too high, by .05 at .5 and .5001; other boundaries move by less than 1e-4).
"""
_NEGLIGIBLE = 1e-16
"""Paths with less than this fraction of the smallest probability still to be found are left out of the integral."""
_LOG_ROOT_2PI = 0.5 * math.log(2.0 * math.pi)


def spent(alpha: float, t: float, spending: Spending, gamma: float = -4.0) -> float:
    """f(alpha, t): the part of the two-sided `alpha` that may be spent up to information t > 0; alpha from t = 1 on.

    obrien_fleming: 4 (1 - Phi(z / sqrt(t))) with 1 - Phi(z) = alpha / 4, pocock: alpha log(1 + (e - 1) t) (both Lan,
    DeMets 1983, each tail spending alpha / 2); hwang_shih_decani: alpha (1 - exp(-gamma t)) / (1 - exp(-gamma)) (1990).
    """
    if t >= 1.0:
        return alpha
    if spending == "obrien_fleming":
        return 4.0 * float(ndtr(ndtri(alpha / 4.0) / math.sqrt(t)))
    return alpha * _share(t, spending, gamma)


def alpha_spending(amount: float, t: float, spending: Spending, gamma: float = -4.0) -> float:
    """The overall alpha of which `amount` may be spent up to information t > 0, the inverse of `spent`.

    Not below `amount`; may be above 1.
    """
    if t >= 1.0:
        return amount
    if spending == "obrien_fleming":
        return max(amount, 4.0 * float(ndtr(ndtri(min(amount, 1.0) / 4.0) * math.sqrt(t))))
    return amount / _share(t, spending, gamma)


def _share(t: float, spending: Spending, gamma: float) -> float:
    """f(alpha, t) / alpha of the families that are proportional to alpha."""
    if spending == "pocock":
        return math.log1p((math.e - 1.0) * t)
    return t if gamma == 0.0 else math.expm1(-gamma * t) / math.expm1(-gamma)


def check_information(information: Sequence[float]) -> None:
    """Raises ValueError unless information fractions are positive, finite and increasing, and none but the last reaches
    1.

    All alpha is spent at the first analysis that reaches 1, so it must be the last.
    """
    if not information or not all(0.0 < t < math.inf for t in information):
        raise ValueError(f"information fractions must be positive numbers, not {tuple(information)}")
    if any(a >= b for a, b in itertools.pairwise(information)):
        raise ValueError(f"information fractions must increase, not {tuple(information)}")
    if any(t >= 1.0 for t in information[:-1]):
        raise ValueError(f"no level is left after the look that reached the planned size: {tuple(information)}")


@functools.lru_cache(maxsize=1024)
def boundaries(
    information: tuple[float, ...], alpha: float, spending: Spending, gamma: float = -4.0
) -> tuple[float, ...]:
    """c_1, ..., c_K on the z scale for an overall two-sided `alpha` in (0, 1]; infinite where next to nothing is spent.

    `information` holds the observed information at each analysis, as fractions of the planned one. The last may be
    above 1: then all that is left of alpha is spent on it, and the correlation with earlier analyses is the true one.
    Raises ValueError as `check_information`.
    """
    check_information(information)
    so_far = [0.0, *(spent(alpha, t, spending, gamma) for t in information)]
    amounts = [max(0.0, b - a) for a, b in itertools.pairwise(so_far)]
    times, state, bounds = _spread(information), _START, []
    for k, amount in enumerate(amounts):
        bounds.append(_boundary(state, times[k], amount))
        least = min((later for later in amounts[k + 1 :] if later > 0.0), default=math.inf)
        if so_far[k + 1] > _NEGLIGIBLE * least:  # otherwise the later boundaries are those without this look
            far = -float(ndtri(max(_NEGLIGIBLE * least, 1e-305)))
            state = _onward(state, times[k], min(bounds[k], far) * math.sqrt(times[k]), times[k + 1])
    return tuple(bounds)


def crossings(
    information: Sequence[float], bounds: Sequence[float], drift: float = 0.0
) -> tuple[tuple[float, float], ...]:
    """For each analysis (P(first crossing there, below), P(first crossing there, above)) with bounds +-c_k on the z
    scale.

    `drift` is the mean of Z at information 1 (2.80 gives a fixed two-sided 5 % test a power of 80 %). Under a drift d
    the law of W on continuing paths is that without drift times exp(d w - d^2 t / 2), so one recursion covers all
    drifts.
    """
    times = [*_spread(information), 2.0 * information[-1]]
    state, chances_by_look = _START, []
    for k, c in enumerate(bounds):
        step, root = times[k] - state.time, math.sqrt(times[k])
        chances = []
        for d in (-drift, drift):
            above = 0.0
            for place in (state.place, -state.place):  # either sign of W, without drift equally likely
                tilt = d * place - 0.5 * d * d * state.time
                above += 0.5 * float(
                    state.mass @ np.exp(tilt + log_ndtr((place + d * step - c * root) / math.sqrt(step)))
                )
            chances.append(above)
        chances_by_look.append((chances[0], chances[1]))
        state = _onward(state, times[k], min(c, 9.0 + abs(drift) * root) * root, times[k + 1])
    return tuple(chances_by_look)


@dataclass(frozen=True, slots=True)
class _Inside:
    """Paths that never crossed a boundary: at `time`, probability masses at places of |W|, all below `reach`."""

    time: float
    place: NDArray[np.float64]
    mass: NDArray[np.float64]
    reach: float


_START = _Inside(0.0, np.zeros(1), np.ones(1), 0.0)


def _spread(information: Sequence[float]) -> list[float]:
    """The times of the analyses, each at least a little later than the one before."""
    times: list[float] = []
    for t in information:
        times.append(max(t, times[-1] * (1.0 + _LEAST_STEP)) if times else t)
    return times


def _boundary(state: _Inside, time: float, amount: float) -> float:
    """c with P(a path still inside has |W| >= c sqrt(time) at `time`) = amount, by Newton's method on the logarithm.

    That logarithm is concave in c, so from the right of the root Newton's steps descend to it without overshooting.
    Both starting values lie on the right: the boundary of an analysis without history, and the old boundary plus that
    of the step alone.
    """
    if amount <= 1e-305:
        return math.inf
    sd, root, goal = math.sqrt(time - state.time), math.sqrt(time), math.log(amount)
    if amount >= math.fsum(state.mass) * (1.0 - 1e-14):
        return 0.0
    own = -float(ndtri(amount / 2.0))
    at = min(own * root, state.reach + own * sd)
    with np.errstate(divide="ignore"):
        mass = np.log(state.mass)
    for _ in range(100):
        near, far = (state.place - at) / sd, (-state.place - at) / sd
        leaving = _log_sum(mass + np.logaddexp(log_ndtr(near), log_ndtr(far)))
        density = _log_sum(mass - 0.5 * np.minimum(near * near, far * far) + np.log1p(_ratio(near, far)))
        move = (leaving - goal) * sd * math.exp(min(leaving - density + _LOG_ROOT_2PI, 700.0))
        at = max(0.0, at + move)
        if abs(move) <= 4e-15 * at:
            break
    return at / root


def _ratio(near: NDArray[np.float64], far: NDArray[np.float64]) -> NDArray[np.float64]:
    """phi(far) / phi(near) with |far| >= |near|."""
    return np.exp(0.5 * (near * near - far * far))


def _log_sum(logs: NDArray[np.float64]) -> float:
    largest = float(logs.max())
    return largest + math.log(float(np.exp(logs - largest).sum()))


def _onward(state: _Inside, time: float, reach: float, following: float) -> _Inside:
    """The paths that are inside `reach` at `time`, at nodes fine enough for this step and for the next one to
    `following`.
    """
    step = time - state.time
    panels = max(1, math.ceil(reach / (_PANEL * math.sqrt(min(step, following - time)))))
    half = 0.5 * reach / panels
    centers = half * (2.0 * np.arange(panels) + 1.0)
    place = (centers[:, None] + half * _NODES).ravel()
    weight = np.tile(half * _WEIGHTS, panels)
    sd = math.sqrt(step)
    scaled, old = place / sd, state.place / sd
    kernel = np.exp(-0.5 * (scaled[:, None] - old) ** 2)
    kernel += np.exp(-0.5 * (scaled[:, None] + old) ** 2)
    density = kernel @ state.mass / (sd * math.sqrt(2.0 * math.pi))
    return _Inside(time, place, weight * density, reach)
