"""Sample ratio mismatch that may be checked every day: a test martingale for the split of the units.

Lindon, Malek (2020, "Anytime-valid inference for multinomial count data"): under the alternative the shares have a
Dirichlet prior centered at the planned ones. The Bayes factor after counts x (n in all, planned shares s, concentration
a) is B = Gamma(a) / Gamma(a + n) prod Gamma(a s_i + x_i) / Gamma(a s_i) / s_i^x_i, and the chance that it ever reaches
1 / p under the plan is at most p (Ville 1939). So the smallest 1 / B so far is a p-value at every look.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

CONCENTRATION = 10_000.0
"""Deviations of about half a percentage point, sqrt(s (1 - s) / 10,000), are found soonest."""


def p_value(
    cumulative: Sequence[Sequence[int]], shares: Sequence[float], concentration: float = CONCENTRATION
) -> float:
    """p of "units were split by `shares`" (which need not sum to 1) after any number of looks.

    `cumulative` holds the units per arm so far at each look, the latest last; 1.0 without looks. An arm with a share of
    0 must be empty, else p is 0.
    """
    return path(cumulative, shares, concentration)[-1] if cumulative else 1.0


def path(
    cumulative: Sequence[Sequence[int]], shares: Sequence[float], concentration: float = CONCENTRATION
) -> tuple[float, ...]:
    """The p-value as it stood at each look, which can only fall."""
    whole = math.fsum(shares)
    if not (whole > 0.0 and all(share >= 0.0 for share in shares) and 0.0 < concentration < math.inf):
        raise ValueError(f"no test for shares {tuple(shares)} and concentration {concentration}")
    planned = [share / whole for share in shares]
    lowest, before, found = 1.0, [0] * len(planned), []
    for counts in cumulative:
        if any(now < then for now, then in zip(counts, before, strict=True)):
            raise ValueError(f"cumulative counts cannot fall, from {tuple(before)} to {tuple(counts)}")
        before = list(counts)
        lowest = min(lowest, math.exp(min(0.0, -log_bayes_factor(counts, planned, concentration))))
        found.append(lowest)
    return tuple(found)


def log_bayes_factor(counts: Sequence[int], shares: Sequence[float], concentration: float) -> float:
    """log B for `shares` that sum to 1; infinite where an arm has units and no share."""
    if any(count and not share for count, share in zip(counts, shares, strict=True)):
        return math.inf
    arms = [(count, share) for count, share in zip(counts, shares, strict=True) if share]
    terms = [math.lgamma(concentration), -math.lgamma(concentration + sum(counts))]
    for count, share in arms:
        terms += [math.lgamma(concentration * share + count), -math.lgamma(concentration * share)]
        terms.append(-count * math.log(share))
    return math.fsum(terms)
