"""A second, slow derivation of the statistics, sharing no code and no formula with abcx.

Constrained likelihoods are maximized numerically, exact tails are added up outcome by outcome in plain Python,
intervals are found by scanning a grid, Fieller's interval is the closed quadratic form. Published numbers are written
with their source.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import Literal

from scipy import optimize, stats  # type: ignore[import-untyped,unused-ignore]

Kind = Literal["difference", "ratio"]


# ---------------------------------------------------------------------------------------- published, as facts

NEWCOMBE_A = (48, 80, 56, 70)
"""control x, n, variant x, n of Newcombe 1998, Table II, column (a)."""
NEWCOMBE_A_METHOD_10 = (0.0524, 0.3339)
"""Wilson's intervals combined ("square and add"), method 10 there."""
MIETTINEN_NURMINEN_A = (0.0528, 0.3382)
"""The score interval of Newcombe 1998, Table II, method 5 (Miettinen and Nurminen) for the same data."""
KOOPMAN_SHARE_OF_ONE = (11, 11, 29, 55)
KOOPMAN_LOWER = 0.397
"""Lower end of the ratio's score interval for 29/55 against 11/11 (.3970 with N / (N - 1), .3979 without)."""
COOKIE_CATS_DAY_7 = (8502, 44700, 8279, 45489)
COOKIE_CATS_DAY_7_P = 0.00155
COOKIE_CATS_DAY_1 = (20034, 44700, 20119, 45489)
COOKIE_CATS_DAY_1_P = 0.0744
LANDING_PAGE = (17489, 145274, 17264, 145310)
LANDING_PAGE_P = 0.190
KOHAVI_UNITS = (821588, 815482)
KOHAVI_SRM_P = 1.8e-6
"""Kohavi, Tang, Xu 2020, chapter 21."""
R_POWER_PROP_TEST = (0.20, 0.05, 0.05, 0.80, 1094)
"""power.prop.test(p1 = .20, p2 = .25, power = .80): n = 1093.739 per group."""
R_POWER_PROP_TEST_HELP = (0.50, 0.25, 0.05, 0.90, 77)
"""?power.prop.test: power.prop.test(p1 = .50, p2 = .75, power = .90): n = 76.7 per group."""
R_POWER_T_TEST_HELP = (1.0, 1.0, 0.05, 0.90, 23)
"""?power.t.test: power.t.test(power = .90, delta = 1): n = 22.02110 per group."""
R_POWER_T_TEST_HELP_POWER = (1.0, 1.0, 20, 0.05, 0.8689528)
"""?power.t.test: power.t.test(n = 20, delta = 1, sd = 1): power = 0.8689528."""


# ---------------------------------------------------------------------------------------- two shares


def _other(kind: Kind, p0: float, h: float) -> float:
    return p0 + h if kind == "difference" else p0 * h


def log_likelihood(kind: Kind, p0: float, x0: int, n0: int, x1: int, n1: int, h: float) -> float:
    """Binomial log-likelihood of the counts at control share p0 and the variant share that h makes of it."""
    total = 0.0
    for x, n, p in ((x0, n0, p0), (x1, n1, _other(kind, p0, h))):
        for count, chance in ((x, p), (n - x, 1.0 - p)):
            if count:
                if chance <= 0.0:
                    return -math.inf
                total += count * math.log(chance)
    return total


def feasible(kind: Kind, h: float) -> tuple[float, float]:
    """The control shares for which the variant's share is a share."""
    if kind == "difference":
        return max(0.0, -h), min(1.0, 1.0 - h)
    return 0.0, min(1.0, 1.0 / h) if h > 0 else 1.0


def maximized(kind: Kind, x0: int, n0: int, x1: int, n1: int, h: float) -> tuple[float, float]:
    """(p0, p1) by scipy's bounded maximization of the likelihood: good to about 1e-7, no derivative used."""
    low, high = feasible(kind, h)
    found = optimize.minimize_scalar(
        lambda p: -log_likelihood(kind, min(max(p, low), high), x0, n0, x1, n1, h),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-13},
    )
    ends = [low, high, float(found.x)]
    best = max(ends, key=lambda p: log_likelihood(kind, p, x0, n0, x1, n1, h))
    return best, _other(kind, best, h)


@functools.cache
def climbed(kind: Kind, x0: int, n0: int, x1: int, n1: int, h: float) -> tuple[float, float]:
    """(p0, p1) where the slope of the log-likelihood, which only falls, changes its sign: good to rounding."""
    low, high = feasible(kind, h)
    start = low, high

    def slope(p: float) -> float:
        q, factor = _other(kind, p, h), (1.0 if kind == "difference" else h)
        total = 0.0
        for x, n, chance, by in ((x0, n0, p, 1.0), (x1, n1, q, factor)):
            if x:
                total += math.inf if chance <= 0.0 else by * x / chance
            if n - x:
                total -= math.inf if chance >= 1.0 else by * (n - x) / (1.0 - chance)
        return total

    for _ in range(200):
        middle = 0.5 * (low + high)
        if not low < middle < high:
            break
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    best = max((low, high, *start), key=lambda p: log_likelihood(kind, p, x0, n0, x1, n1, h))
    return best, min(1.0, max(0.0, _other(kind, best, h)))


def score(kind: Kind, x0: int, n0: int, x1: int, n1: int, h: float) -> float:
    """The score statistic with Miettinen and Nurminen's N / (N - 1)."""
    p0, p1 = climbed(kind, x0, n0, x1, n1, h)
    factor = 1.0 if kind == "difference" else h
    distance = x1 / n1 - (x0 / n0 + h if kind == "difference" else h * x0 / n0)
    variance = (p1 * (1 - p1) / n1 + factor**2 * p0 * (1 - p0) / n0) * (n0 + n1) / (n0 + n1 - 1)
    if variance <= 0:
        return 0.0 if abs(distance) < 1e-14 else math.copysign(math.inf, distance)
    return distance / math.sqrt(variance)


def score_p(kind: Kind, x0: int, n0: int, x1: int, n1: int, h: float) -> float:
    """Two-sided p of the score test by the normal distribution."""
    return float(2 * stats.norm.sf(abs(score(kind, x0, n0, x1, n1, h))))


def exact_tails(kind: Kind, x0: int, n0: int, x1: int, n1: int, h: float) -> tuple[float, float]:
    """(P(T* <= t), P(T* >= t)): every outcome of both arms, none left out."""
    p0, p1 = climbed(kind, x0, n0, x1, n1, h)
    t = score(kind, x0, n0, x1, n1, h)
    below = above = 0.0
    for i in range(n0 + 1):
        for j in range(n1 + 1):
            mass = math.comb(n0, i) * p0**i * (1 - p0) ** (n0 - i) * math.comb(n1, j) * p1**j * (1 - p1) ** (n1 - j)
            other = score(kind, i, n0, j, n1, h)
            tie = other == t or abs(other - t) < 1e-8 * (1 + abs(t))
            below += mass if other < t or tie else 0.0
            above += mass if other > t or tie else 0.0
    return below, above


def exact_p(kind: Kind, x0: int, n0: int, x1: int, n1: int, h: float) -> float:
    """Two-sided p: twice the smaller tail, at most 1."""
    return min(1.0, 2 * min(exact_tails(kind, x0, n0, x1, n1, h)))


def scanned(p: Callable[[float], float], grid: Iterable[float], alpha: float) -> tuple[float, float]:
    """The least and the greatest point of the grid that is not rejected."""
    accepted = [h for h in grid if p(h) >= alpha]
    return min(accepted), max(accepted)


# ---------------------------------------------------------------------------------------- two means


def fieller(m0: float, v0: float, m1: float, v1: float, df: float, alpha: float) -> tuple[float, float]:
    """Fieller's interval of m1 / m0 at fixed degrees of freedom, the roots of a quadratic; the set must be bounded."""
    t2 = float(stats.t.ppf(1 - alpha / 2, df)) ** 2
    a, b, c = m0 * m0 - t2 * v0, -2 * m0 * m1, m1 * m1 - t2 * v1
    if a <= 0:
        raise ValueError("unbounded")
    root = math.sqrt(b * b - 4 * a * c)
    return (-b - root) / (2 * a), (-b + root) / (2 * a)


def satterthwaite(v0: float, n0: int, v1: float, n1: int, r: float) -> float:
    """Degrees of freedom of v1 + r^2 v0, as printed in docs/methods.md, "Means and ratios"."""
    return (v1 + r * r * v0) ** 2 / (v1 * v1 / (n1 - 1) + r**4 * v0 * v0 / (n0 - 1))
