"""The factor by which sequential monitoring enlarges a planned size, so that the experiment keeps its power.

A fixed test of level alpha needs the drift z_(1 - alpha/2) + z_power (the mean of Z at the planned size). With
boundaries c_1, ..., c_K a larger drift d crosses a boundary on the side of the effect with the same probability, and
the size grows by (d / (z_(1 - alpha/2) + z_power))^2 (Jennison, Turnbull 2000, chapter 2). The probability is
integrated by the recursion of `spending.crossings`, so the factor belongs to the same boundaries that decide.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from abcx.stats.always_valid import AlwaysValid
from abcx.stats.distributions import normal_quantile, normal_tails
from abcx.stats.sequential import rising_root
from abcx.stats.spending import Spending, boundaries, crossings


@functools.lru_cache(maxsize=64)
def group_sequential(information: tuple[float, ...], alpha: float, power: float, spending: Spending) -> float:
    """The factor, at least 1, for analyses at `information` (increasing fractions of the planned size, the last one 1).

    `alpha` is two-sided, `power` a probability above alpha / 2.
    """
    return factor(information, boundaries(information, alpha, spending), alpha, power)


@functools.lru_cache(maxsize=64)
def always_valid(looks: int, alpha: float, power: float) -> float:
    """The factor, at least 1, for a confidence sequence tuned to the planned size and read at `looks` equal steps up to
    it.
    """
    information = tuple((k + 1) / looks for k in range(looks))
    bounds = [-normal_quantile(AlwaysValid(t, 1.0, alpha).level(alpha) / 2.0) for t in information]
    return factor(information, bounds, alpha, power)


def factor(information: Sequence[float], bounds: Sequence[float], alpha: float, power: float) -> float:
    """(drift with these boundaries over drift of a single analysis)^2, at least 1; `bounds` are c_1, ..., c_K on the z
    scale.
    """
    fixed = normal_quantile(1.0 - alpha / 2.0) + normal_quantile(power)
    high = 1.5 * fixed
    while _power(information, bounds, high) < power:
        high *= 1.5
    drift = rising_root(lambda at: _power(information, bounds, at) - power, fixed, high)
    return max(1.0, (drift / fixed) ** 2)


def _power(information: Sequence[float], bounds: Sequence[float], drift: float) -> float:
    """The probability of crossing a boundary on the side of the effect at one of the analyses."""
    if len(information) == 1:
        return normal_tails(bounds[0] - drift)[1]
    return sum(above for _, above in crossings(information, bounds, drift))
