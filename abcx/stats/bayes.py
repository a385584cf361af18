"""The posterior of a lift under a normal prior centered at 0, which shrinks an observed lift toward no effect.

Normal model: lifts of such changes are N(0, sd^2), the observed lift is N(lift, se^2). The posterior is normal with
mean lift sd^2 / (sd^2 + se^2) and variance sd^2 se^2 / (sd^2 + se^2) (Gelman et al. 2013, section 2.5). The standard
error is half the width of the 68.3 % interval of the lift from the test's own inversion (docs/methods.md, "Prior on the
lift").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from abcx.stats.distributions import normal_quantile, normal_tails
from abcx.stats.inversion import interval
from abcx.stats.records import Contrast, Interval

ONE_SIGMA = 2 * normal_tails(1.0)[1]
"""Two-sided level (.317) of the interval that reaches one standard error to each side."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """The posterior of a lift; all lifts are fractions (0.05 is +5 %).

    `lift` is the mean and `interval` the central interval at 1 - alpha, `chance_above` the probability that the lift is
    above 0. `loss_above` >= 0 is the expected loss of lift from shipping where higher values are better, E[max(-lift,
    0)], and `loss_below` that where lower values are better, E[max(lift, 0)].
    """

    lift: float
    interval: Interval
    chance_above: float
    loss_above: float
    loss_below: float


def posterior(contrast: Contrast, lift_sd: float, alpha: float = 0.05) -> Posterior | None:
    """The posterior of the lift under the prior N(0, lift_sd^2), `lift_sd` > 0 as a fraction, with a central interval
    at 1 - `alpha`.

    None where the lift does not exist or its 68.3 % interval is unbounded or empty.
    """
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
