"""Whether several effects differ by more than chance: Cochran's (1954) Q over independent estimates."""

from __future__ import annotations

import math
from collections.abc import Sequence

from abcx.stats.distributions import chi_square_tail
from abcx.stats.records import Contrast


def heterogeneity(estimates: Sequence[float], errors: Sequence[float]) -> float | None:
    """The p-value of "all estimates have the same true value", by Cochran's Q; None for fewer than two estimates or an
    error that is not positive and finite.

    `errors` are the standard errors of the `estimates`. Q = sum w (x - mean)^2 with w = 1 / error^2 and the mean
    weighted by w, chi-square with one degree of freedom less than there are estimates.
    """
    if len(estimates) < 2 or any(not 0.0 < error < math.inf for error in errors):
        return None
    weights = [error**-2 for error in errors]
    mean = math.fsum(w * x for w, x in zip(weights, estimates, strict=True)) / math.fsum(weights)
    q = math.fsum(w * (x - mean) ** 2 for w, x in zip(weights, estimates, strict=True))
    return chi_square_tail(q, len(estimates) - 1)


def of_contrasts(contrasts: Sequence[Contrast]) -> float | None:
    """The p-value of "the effect is the same in all contrasts", which compare disjoint units; None where an estimate is
    missing.

    On the logarithm of the ratio where all contrasts have one, so that an equal lift in all of them is no interaction;
    else on the difference.
    """
    ratios = [contrast.ratio_pivot for contrast in contrasts]
    if all(pivot is not None and pivot.estimate is not None and pivot.estimate > 0.0 for pivot in ratios):
        known = [(pivot.estimate, pivot.scale) for pivot in ratios if pivot is not None and pivot.estimate is not None]
        return heterogeneity([math.log(r) for r, _ in known], [scale / r for r, scale in known])
    differences = [contrast.difference_pivot for contrast in contrasts]
    if any(pivot is None or pivot.estimate is None for pivot in differences):
        return None
    estimates = [
        (pivot.estimate, pivot.scale) for pivot in differences if pivot is not None and pivot.estimate is not None
    ]
    return heterogeneity([d for d, _ in estimates], [scale for _, scale in estimates])
