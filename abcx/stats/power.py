"""Sample size and power of comparisons of two shares or two means, with arms of unequal size.

Shares: the normal approximation of R's power.prop.test (Fleiss, Levin, Paik 2003, equation 4.14, without continuity
correction), generalized to n_t = ratio x n_c. Means: the noncentral t of R's power.t.test with pooled degrees of
freedom. Power is the probability of a significant effect in its own direction; alpha is two-sided.
"""

from __future__ import annotations

import math

from abcx.stats.distributions import noncentral_t_above, normal_quantile, normal_tails, t_quantile


def size_shares(baseline: float, difference: float, alpha: float, power: float, ratio: float = 1.0) -> int:
    """Control units needed to detect `difference` at a control share of `baseline` (0.20 v 0.25 is 1,094 at 5 % and
    80 %).

    Shares are fractions, `baseline` and `baseline` + `difference` in [0, 1]; `ratio` is variant units over control
    units. Raises ValueError outside these ranges, for a difference of 0, and unless alpha / 2 < power < 1.
    """
    pooled, separate = _deviations(baseline, difference, ratio)
    _check(difference, alpha, power, ratio)
    root = (normal_quantile(1.0 - alpha / 2.0) * pooled + normal_quantile(power) * separate) / abs(difference)
    return max(1, math.ceil(root * root)) if root > 0.0 else 1


def power_shares(baseline: float, difference: float, control: float, variant: float, alpha: float) -> float:
    """The probability that `control` and `variant` units show the difference as significant, in [0, 1].

    Shares are fractions as in `size_shares`, with ValueError outside [0, 1].
    """
    pooled, separate = _deviations(baseline, difference, variant / control)
    distance = math.sqrt(control) * abs(difference) - normal_quantile(1.0 - alpha / 2.0) * pooled
    if separate == 0.0:  # 0 against 1: the outcome is certain
        return 1.0 if distance > 0.0 else 0.0
    return normal_tails(distance / separate)[0]


def size_means(sd: float, difference: float, alpha: float, power: float, ratio: float = 1.0) -> int:
    """Control units (at least 2) needed to detect a difference of means, the least whole number with enough power.

    `sd` > 0 is the standard deviation of one unit, in the unit of `difference`; `ratio` is variant units over control
    units. Raises ValueError for sd <= 0, a difference of 0, and unless alpha / 2 < power < 1.
    """
    _check(difference, alpha, power, ratio)
    if not sd > 0.0:
        raise ValueError(f"the standard deviation must be above 0, not {sd}")

    def enough(n: int) -> bool:
        return n * (1.0 + ratio) > 2.0 and power_means(sd, difference, n, ratio * n, alpha) >= power

    low, high = 1, 2
    while not enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def power_means(sd: float, difference: float, control: float, variant: float, alpha: float) -> float:
    """The probability that `control` and `variant` units (together more than 2) show the difference as significant.

    `sd` > 0 is the standard deviation of one unit, in the unit of `difference`.
    """
    df = control + variant - 2.0
    shift = abs(difference) / (sd * math.sqrt(1.0 / control + 1.0 / variant))
    return noncentral_t_above(t_quantile(1.0 - alpha / 2.0, df), df, shift)


def power_bounded(
    distance: float, error: float, trimmed_error: float, lost: tuple[float, float], alpha: float, binds: float
) -> float:
    """The power of a claim about a survey that must hold for Lee's bounds, too, where the test of equal response has p
    below `binds`, if the arms in truth answer equally often.

    `distance` is how far the true difference lies from the value to be excluded and `error` the standard error of the
    difference, both in the unit of the scores. `trimmed_error` is the standard error of the share of answers that Lee's
    bounds trim, the square root of the sum of (1 - response) / answers over both arms. `lost` is how far the mean moves
    against the claim per trimmed share t / (1 - t), where the first arm or the second answers more: from its mean to
    the end of the scale. Given the response the difference is normal, and so is the excess of one arm's response (Lee
    2009, proposition 3).
    """
    z, steps = normal_quantile(1.0 - alpha / 2.0), 400
    total = (1.0 - binds) * normal_tails(distance / error - z)[0]
    for each in lost:
        of_bound = math.hypot(error, each * trimmed_error)
        for step in range(steps):
            excess = -normal_quantile(0.5 * binds * (step + 0.5) / steps)
            trimmed = min(excess * trimmed_error, 1.0 - 1e-9)
            left = distance - each * trimmed / (1.0 - trimmed) - z * of_bound
            total += 0.5 * binds / steps * normal_tails(left / error)[0]
    return total


def _deviations(baseline: float, difference: float, ratio: float) -> tuple[float, float]:
    """Standard deviation of the difference times sqrt(control units): under equal shares, and at the two shares."""
    variant_share = baseline + difference
    if not (0.0 <= baseline <= 1.0 and -1e-12 <= variant_share <= 1.0 + 1e-12):
        raise ValueError(f"both shares must lie between 0 and 1, not {baseline} and {variant_share}")
    variant_share = min(1.0, max(0.0, variant_share))
    mean = (baseline + ratio * variant_share) / (1.0 + ratio)
    pooled = math.sqrt(mean * (1.0 - mean) * (1.0 + 1.0 / ratio))
    return pooled, math.sqrt(baseline * (1.0 - baseline) + variant_share * (1.0 - variant_share) / ratio)


def _check(difference: float, alpha: float, power: float, ratio: float) -> None:
    if difference == 0.0 or not (0.0 < alpha < 1.0 and 0.0 < power < 1.0 and 0.0 < ratio < math.inf):
        raise ValueError(f"no size for difference {difference}, alpha {alpha}, power {power}, ratio {ratio}")
    if power <= alpha / 2.0:
        raise ValueError(f"a power of {power} is reached without any effect at alpha {alpha}")
