"""The pooling of disjoint groups of units: counts add up, moments are combined exactly around the common mean.

Chan, Golub, LeVeque (1983, "Algorithms for computing the sample variance", eq. 2.1), for variances and covariances.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

from abcx.stats import means
from abcx.stats.records import Answers, Categories, Moments, Proportion, RatioMoments, Steps, Summary


def pooled(summaries: Iterable[Summary]) -> Summary:
    """The summary of all units of one or more summaries of the same kind; the skewness of moments
    is no longer known.
    """
    return reduce(added, summaries)


def added(a: Summary, b: Summary) -> Summary:
    """The summary of two disjoint groups of units together.

    Takes shares, categories (on the same scale), NPS answers, moments, or moments of ratios; both of the same kind.
    """
    if isinstance(a, Steps) and isinstance(b, Steps):
        reached = tuple(x + y for x, y in zip(a.reached, b.reached, strict=True))
        return Steps(a.successes + b.successes, a.n + b.n, reached)
    if isinstance(a, Proportion) and isinstance(b, Proportion):
        return Proportion(a.successes + b.successes, a.n + b.n)
    if isinstance(a, Categories) and isinstance(b, Categories):
        return Categories(a.low, tuple(x + y for x, y in zip(a.counts, b.counts, strict=True)))
    if isinstance(a, Answers) and isinstance(b, Answers):
        return Answers(a.promoters + b.promoters, a.passives + b.passives, a.detractors + b.detractors)
    if isinstance(a, RatioMoments) and isinstance(b, RatioMoments):
        top, bottom = _moments(a.numerator, b.numerator), _moments(a.denominator, b.denominator)
        return RatioMoments(top, bottom, _covariance(a, b))
    assert isinstance(a, Moments) and isinstance(b, Moments), f"cannot add {type(a).__name__} to {type(b).__name__}"
    return _moments(a, b)


def with_zeros(summary: Moments | RatioMoments, n: int) -> Moments | RatioMoments:
    """The summary of `n` units, of which those that the summary does not contain have the value 0."""
    zeros = Moments(n - summary.n, 0.0, 0.0, 0, 0.0 if n > summary.n else None, 0.0 if n > summary.n else None)
    if isinstance(summary, RatioMoments):
        summed = added(summary, RatioMoments(zeros, zeros, 0.0))
        assert isinstance(summed, RatioMoments)
        return summed
    return _moments(summary, zeros)


def _moments(a: Moments, b: Moments) -> Moments:
    if a.n == 0 or b.n == 0:
        return a if b.n == 0 else b
    n, gap = a.n + b.n, _gap(a, b)
    mean, low = means.nearest(a.mean, a.low + gap * b.n / n)
    squares = a.variance * (a.n - 1) + b.variance * (b.n - 1) + gap * gap * a.n * b.n / n
    nonzero = None if a.nonzero is None or b.nonzero is None else a.nonzero + b.nonzero
    return Moments(
        n,
        mean,
        squares / (n - 1),
        nonzero,
        None if a.minimum is None or b.minimum is None else min(a.minimum, b.minimum),
        None if a.maximum is None or b.maximum is None else max(a.maximum, b.maximum),
        low=low,
    )


def _gap(a: Moments, b: Moments) -> float:
    """Difference of the means, including the digits that are in `low`."""
    return (b.mean - a.mean) + (b.low - a.low)


def _covariance(a: RatioMoments, b: RatioMoments) -> float:
    if a.n == 0 or b.n == 0:
        return a.covariance if b.n == 0 else b.covariance
    n = a.n + b.n
    gaps = _gap(a.numerator, b.numerator) * _gap(a.denominator, b.denominator)
    return (a.covariance * (a.n - 1) + b.covariance * (b.n - 1) + gaps * a.n * b.n / n) / (n - 1)
