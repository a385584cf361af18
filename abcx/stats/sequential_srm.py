"""A test of sample ratio mismatch that may be repeated every day: a test martingale for the split of the units.

Lindon, Malek (2020, "Anytime-valid inference for multinomial count data"): under the alternative the shares have a
Dirichlet prior centered at the planned ones. The Bayes factor after counts x (n in all, planned shares s, concentration
a) is B = Gamma(a) / Gamma(a + n) prod Gamma(a s_i + x_i) / Gamma(a s_i) / s_i^x_i, and the probability that it ever
reaches 1 / p under the plan is at most p (Ville 1939). So the smallest 1 / B so far is a p-value at every time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

CONCENTRATION = 10_000.0
"""Concentration of the prior, which detects deviations of about half a percentage point, sqrt(s (1 - s) / 10,000),
soonest.
"""


def p_value(
    cumulative: Sequence[Sequence[int]], shares: Sequence[float], concentration: float = CONCENTRATION
) -> float:
    """The p-value of "units were split by `shares`", valid after any number of analyses.

    `cumulative` holds the units per arm up to each analysis, the latest last; the result is 1.0 without any. `shares`
    are at least 0 and need not sum to 1; an arm with a share of 0 must be empty, else p is 0. `concentration` > 0 is
    that of the prior. Raises ValueError for shares or a concentration outside these ranges, or if counts fall.
    """
    return path(cumulative, shares, concentration)[-1] if cumulative else 1.0


def path(
    cumulative: Sequence[Sequence[int]], shares: Sequence[float], concentration: float = CONCENTRATION
) -> tuple[float, ...]:
    """The p-value at each analysis, which can only fall; parameters and errors as in `p_value`."""
    whole = math.fsum(shares)
    if not (whole > 0.0 and all(share >= 0.0 for share in shares) and 0.0 < concentration < math.inf):
        raise ValueError(f"no test for shares {tuple(shares)} and concentration {concentration}")
    planned = [share / whole for share in shares]
    lowest, before, p_values = 1.0, [0] * len(planned), []
    for counts in cumulative:
        if any(now < then for now, then in zip(counts, before, strict=True)):
            raise ValueError(f"cumulative counts cannot fall, from {tuple(before)} to {tuple(counts)}")
        before = list(counts)
        lowest = min(lowest, math.exp(min(0.0, -log_bayes_factor(counts, planned, concentration))))
        p_values.append(lowest)
    return tuple(p_values)


def log_bayes_factor(counts: Sequence[int], shares: Sequence[float], concentration: float) -> float:
    """log B for `shares` that sum to 1; infinite where an arm with a share of 0 has units."""
    if any(count and not share for count, share in zip(counts, shares, strict=True)):
        return math.inf
    arms = [(count, share) for count, share in zip(counts, shares, strict=True) if share]
    terms = [math.lgamma(concentration), -math.lgamma(concentration + sum(counts))]
    for count, share in arms:
        terms += [math.lgamma(concentration * share + count), -math.lgamma(concentration * share)]
        terms.append(-count * math.log(share))
    return math.fsum(terms)
