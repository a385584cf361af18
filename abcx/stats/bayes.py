"""A prior on the lift: what the data say once it is remembered that most lifts are small.

Normal model: lifts of changes like this one are N(0, sd^2), the observed lift is N(lift, se^2). The posterior is normal
with mean lift sd^2 / (sd^2 + se^2), "shrunk", and variance sd^2 se^2 / (sd^2 + se^2) (Gelman et al. 2013, section 2.5).
The standard error is half the width of the 68.3 % interval of the lift from the test's own inversion.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from abcx.stats.distributions import normal_quantile, normal_tails
from abcx.stats.inversion import interval
from abcx.stats.records import Contrast, Interval

ONE_SIGMA = 2 * normal_tails(1.0)[1]


@dataclass(frozen=True, slots=True)
class Posterior:
    """The lift after the data: its mean, its central interval, the chance that it is above 0, and what is lost on
    average, as a lift, by shipping (`loss_above`: where more is better) when it is in truth on the other side."""

    lift: float
    interval: Interval
    chance_above: float
    loss_above: float
    loss_below: float


def posterior(contrast: Contrast, lift_sd: float, alpha: float = 0.05) -> Posterior | None:
    """The posterior of the lift under N(0, lift_sd^2); None where the lift or its spread does not exist."""
    if contrast.lift is None or contrast.ratio_pivot is None:
        return None
    low, high = interval(contrast.ratio_pivot, ONE_SIGMA)
    if low is None or high is None or high <= low:
        return None
    error, prior = ((high - low) / 2) ** 2, lift_sd**2
    mean, sd = contrast.lift * prior / (prior + error), math.sqrt(prior * error / (prior + error))
    z, reach = mean / sd, -normal_quantile(alpha / 2) * sd
    density = sd * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    below, above = normal_tails(z)
    return Posterior(mean, (mean - reach, mean + reach), below, density - mean * above, density + mean * below)
