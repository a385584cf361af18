"""Tail probabilities and quantiles of the reference distributions.

Both tails come from survival functions, so a p-value of 2e-22 stays 2e-22 instead of 1 - 1 = 0.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from abcx.stats.special import betainc, betaincc, betaincinv, chdtrc, nctdtr, ndtr, ndtri, stdtr, stdtrit

_NORMAL_FROM = 1e5
"""Degrees of freedom from which the noncentral t is taken as a shifted normal (they differ by less than 1e-5)."""


def normal_tails(t: float) -> tuple[float, float]:
    """(P(Z <= t), P(Z >= t)) of the standard normal; `t` may be infinite."""
    return float(ndtr(t)), float(ndtr(-t))


def t_tails(t: float, df: float) -> tuple[float, float]:
    """(P(T <= t), P(T >= t)) of Student's t with `df` > 0 degrees of freedom; `t` may be infinite."""
    if math.isinf(t):
        return (1.0, 0.0) if t > 0 else (0.0, 1.0)
    return float(stdtr(df, t)), float(stdtr(df, -t))


def normal_quantile(p: float) -> float:
    """z with P(Z <= z) = p for the standard normal, 0 < p < 1."""
    return float(ndtri(p))


def t_quantile(p: float, df: float) -> float:
    """t with P(T <= t) = p for Student's t, 0 < p < 1, df > 0."""
    return float(stdtrit(df, p))


def chi_square_tail(x: float, df: int) -> float:
    """P(X >= x) of the chi-square distribution, x >= 0, df >= 1."""
    return float(chdtrc(df, x))


def noncentral_t_above(t: float, df: float, shift: float) -> float:
    """P(T >= t) of the noncentral t with `df` > 0 degrees of freedom and noncentrality `shift`."""
    if df >= _NORMAL_FROM:
        return float(ndtr(shift - t))
    # The mirror image turns the upper tail into a lower one, which is not computed as 1 - something.
    return float(nctdtr(df, -shift, -t))


def binomial_from(k: NDArray[np.float64], n: int, p: float) -> NDArray[np.float64]:
    """P(X >= k) of Binomial(n, p), 0 <= p <= 1, for an array `k` of whole numbers: 1 for k <= 0 and 0 for k > n."""
    inside = betainc(np.clip(k, 1.0, n), n - np.clip(k, 1.0, n) + 1.0, p)
    return np.where(k <= 0.0, 1.0, np.where(k > n, 0.0, inside))


def binomial_upto(k: NDArray[np.float64], n: int, p: float) -> NDArray[np.float64]:
    """P(X <= k) of Binomial(n, p), 0 <= p <= 1, for an array `k` of whole numbers: 0 for k < 0 and 1 for k >= n."""
    inside = betaincc(np.clip(k, 0.0, n - 1.0) + 1.0, n - np.clip(k, 0.0, n - 1.0), p)
    return np.where(k < 0.0, 0.0, np.where(k >= n, 1.0, inside))


def binomial_at_least(k: int, n: int, level: float) -> float:
    """The lower confidence bound of a probability after `k` successes in `n` trials, at confidence 1 - `level`
    (Clopper, Pearson 1934).
    """
    return float(betaincinv(k, n - k + 1.0, level)) if k else 0.0
