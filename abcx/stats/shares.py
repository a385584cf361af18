"""Shares compared by the constrained score test of two proportions, or by its binomial distribution when events are
few.

Difference: Miettinen and Nurminen (1985). Ratio: Koopman (1984) with Miettinen and Nurminen's N / (N - 1). Few events:
the same statistic, referred to its binomial distribution, every outcome counted, at the shares that are most likely
under the hypothesis (a parametric bootstrap without simulation; Storer, Kim 1990, JASA 85, 146, for the difference 0).
The true shares are unknown, so this is no exact test: that would take the largest p over all of them (Barnard 1945),
.0142 instead of .0095 for 0 of 1,000 against 6 of 1,000. Its measured error rates are in docs/methods.md, "Few events".
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

from abcx.notes import Note
from abcx.stats import exact_binomial, miettinen_nurminen
from abcx.stats.distributions import normal_quantile, normal_tails
from abcx.stats.inversion import two_sided
from abcx.stats.methods import Method
from abcx.stats.miettinen_nurminen import Fit, Score
from abcx.stats.records import Contrast, Interval, Pivot, Proportion, no_comparison

SCORE = Method.SCORE
"""The method: the constrained score, referred to the normal distribution."""
BINOMIAL = Method.BINOMIAL
"""The method where events are few: the same score, referred to its binomial distribution at the constrained shares."""
FEWEST_EXPECTED = 15.0
"""Events are few where an arm expects fewer events or non-events than this, at the pooled share of both arms."""

Tails = tuple[float, float]
Test = Callable[[float], Tails]
"""A family of tests: hypothesis -> (P(T* <= t), P(T* >= t))."""
Arm = tuple[float, float]
"""(share, number of units it is estimated from, whole or effective)."""


def contrast(control: Proportion, variant: Proportion) -> Contrast:
    """Variant against control, as fractions (the difference in [-1, 1]); `method` is SCORE or BINOMIAL."""
    few = few_events(control, variant)
    method = BINOMIAL if few else SCORE
    if control.n == 0 or variant.n == 0:
        return no_comparison(method, Note("no_units"))
    return compared(
        method,
        (control.successes / control.n, control.n),
        (variant.successes / variant.n, variant.n),
        _test(control, variant, few, miettinen_nurminen.for_difference, miettinen_nurminen.score_difference),
        _test(control, variant, few, miettinen_nurminen.for_ratio, miettinen_nurminen.score_ratio),
    )


def compared(method: Method, control: Arm, variant: Arm, of_difference: Test, of_ratio: Test) -> Contrast:
    """The contrast of two shares, each with its number of units (whole or effective), by tests of difference and ratio.

    `of_difference(d)` is defined for -1 <= d <= 1 and `of_ratio(r)` for r >= 0. "No effect" is tested once, as a
    difference, for the p-value and both intervals.
    """
    (share0, n0), (share1, n1) = control, variant
    at_null = of_difference(0.0)
    difference_pivot = Pivot(
        share1 - share0, 0.0, -1.0, 1.0, _scale(control, variant), lambda d: of_difference(d) if d else at_null
    )
    ratio, ratio_pivot = None, None
    if share0 or share1:
        ratio = share1 / share0 if share0 else None
        scale = (ratio or 1.0) * math.sqrt(1.0 / (share0 * n0 + 0.5) + 1.0 / (share1 * n1 + 0.5))
        ratio_pivot = Pivot(ratio, 1.0, 0.0, math.inf, scale, lambda r: at_null if r == 1.0 else of_ratio(r))
    return Contrast(
        method=method,
        difference=share1 - share0,
        lift=None if ratio is None else ratio - 1.0,
        difference_pivot=difference_pivot,
        ratio_pivot=ratio_pivot,
        p_value=two_sided(difference_pivot, 0.0),
        lift_note=None if share0 else Note("no_lift_without_events"),
    )


def interval(share: Proportion, alpha: float) -> Interval:
    """Wilson's (1927) score interval at 1 - `alpha` of one share, in [0, 1]; (None, None) without units."""
    return wilson(share.successes, share.n, alpha)


def wilson(x: float, n: float, alpha: float) -> Interval:
    """Wilson's (1927) interval at 1 - `alpha` of x / n, 0 <= x <= n, where n may be an effective number that is not
    whole.
    """
    if n == 0:
        return None, None
    z2 = normal_quantile(1.0 - alpha / 2.0) ** 2
    reach = math.sqrt(z2 * (x * ((n - x) / n) + z2 / 4.0))
    low = 0.0 if x == 0 else (x + z2 / 2.0 - reach) / (n + z2)
    high = 1.0 if x == n else (x + z2 / 2.0 + reach) / (n + z2)
    return low, high


def value(share: Proportion) -> float | None:
    """The arm's share in [0, 1]; None without units."""
    return share.successes / share.n if share.n else None


def few_events(control: Proportion, variant: Proportion) -> bool:
    """Whether the smaller arm expects fewer than 15 events or non-events; which arm has them does not matter."""
    total = control.n + variant.n
    events = control.successes + variant.successes
    return min(events, total - events) * min(control.n, variant.n) < FEWEST_EXPECTED * total


def _test(control: Proportion, variant: Proportion, few: bool, fit: Fit, score: Score) -> Test:
    """The family of tests of the hypotheses h: h -> (P(T* <= t), P(T* >= t))."""
    x0, n0, x1, n1 = control.successes, control.n, variant.successes, variant.n

    def by_normal(h: float) -> Tails:
        return normal_tails(float(score(x0, n0, x1, n1, h)))

    def by_enumeration(h: float) -> Tails:
        share0, share1 = fit(x0, n0, x1, n1, h)
        return exact_binomial.tails(
            lambda a, b: score(a, n0, b, n1, h), (x0, x1), (n0, n1), (float(share0), float(share1))
        )

    return cache(by_enumeration) if few else by_normal  # intervals at several levels begin at the same hypotheses


def _scale(control: Arm, variant: Arm) -> float:
    """Approximate standard error of the difference, above 0 even for shares of 0 or 1."""
    smoothed = [((share * n + 1.0) / (n + 2.0), n) for share, n in (control, variant)]
    return math.sqrt(math.fsum(share * (1.0 - share) / n for share, n in smoothed))


_COUNTED = 10**8
"""Units up to which the numbers of events under relabeling are summed individually."""


def false_alarms(control: Proportion, variant: Proportion, alpha: float) -> float:
    """The share of relabelings of these units (A/A tests with as many events) that `contrast` calls significant at
    `alpha`.

    The variant's events are hypergeometric under relabeling. The significant relabelings lie beyond one number of
    events on either side, located by bisection, and their probability is summed exactly; above 100 million units it is
    that of the normal distribution, because single events no longer matter. Both arms must have units.
    """
    import numpy as np

    from abcx.stats.special import gammaln

    events, n = control.successes + variant.successes, control.n + variant.n
    least, most = max(0, events - control.n), min(events, variant.n)

    def significant(x: int) -> bool:
        p = contrast(Proportion(events - x, control.n), Proportion(x, variant.n)).p_value
        return p is not None and p < alpha

    def edge(start: int, stop: int) -> int | None:
        """The count nearest to `start` (not significant) that is significant, on the way to `stop`; None if there is
        none.
        """
        if start == stop or not significant(stop):
            return None
        while abs(stop - start) > 1:
            middle = (start + stop) // 2
            start, stop = (start, middle) if significant(middle) else (middle, stop)
        return stop

    middle = min(max(round(events * variant.n / n), least), most)
    low, high = edge(middle, least), edge(middle, most)
    if n > _COUNTED:
        mean, spread = (
            events * variant.n / n,
            math.sqrt(events * (n - events) / (n - 1) * variant.n / n * control.n / n),
        )
        below = 0.0 if low is None else normal_tails((low + 0.5 - mean) / spread)[0]
        return below + (0.0 if high is None else normal_tails((high - 0.5 - mean) / spread)[1])
    k = np.arange(least, most + 1, dtype=float)
    log = (
        gammaln(variant.n + 1) - gammaln(k + 1) - gammaln(variant.n - k + 1)
        + gammaln(control.n + 1) - gammaln(events - k + 1) - gammaln(control.n - events + k + 1)
        - gammaln(n + 1) + gammaln(events + 1) + gammaln(n - events + 1)
    )  # fmt: skip
    mass = np.exp(log)
    below = 0.0 if low is None else float(mass[: low - least + 1].sum())
    return below + (0.0 if high is None else float(mass[high - least :].sum()))
