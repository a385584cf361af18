"""Influence of the largest units: moments, and significance, without the units that have the largest values.

Moments are downdated around the old mean: with d = removed value - mean and m units left, the sum of squares that is
left is S - sum d^2 - (sum d)^2 / m and the mean moves by -sum d / m (Chan, Golub, LeVeque 1983, run backwards). The
result is as exact as S is: where the removed units made up nearly all of S, the remainder has an error of about 1e-16
S. Remainders below 1e-14 S cannot be distinguished from 0 and become 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from abcx.stats import means, ratios
from abcx.stats.records import Moments, RatioMoments, Summary

_UNRESOLVED = 1e-14
"""A sum of squares below this fraction of the old one is rounding."""
TOP = 0.001
"""The share of all units that count as the largest, ..."""
OF_NONZERO = 0.1
"""... but never more than this share of the units whose value is not 0."""

Pairs = tuple[tuple[float, float], ...]
"""Units as (numerator, denominator), the largest numerator first; the denominator of a mean is 1."""


def largest(summaries: Mapping[str, Summary], tops: Mapping[str, Pairs]) -> dict[str, Pairs]:
    """The largest units of all arms together, by arm: ceil(0.1 %) of all units, at least one, and at most a tenth of
    the non-zero units (at least one). Ties at the cut are split by `top_counts`.

    `tops` lists the largest units of each arm; where a list is shorter than its arm, no more units are taken than it
    has. Empty where no unit has a value other than 0, or where the summaries are not moments.
    """
    moments = {arm: summary for arm, summary in summaries.items() if isinstance(summary, (Moments, RatioMoments))}
    listed = {arm: top for arm, top in tops.items() if arm in moments}
    values = sum(nonzero(summary) for summary in moments.values())
    if not values or not listed:
        return {}
    wanted = most(sum(summary.n for summary in moments.values()))
    count = min(wanted, max(1, math.floor(OF_NONZERO * values)))
    known = [len(top) for arm, top in listed.items() if len(top) < moments[arm].n]
    counts = top_counts([[value for value, _ in top] for top in listed.values()], min([count, *known]))
    return {arm: top[:taken] for (arm, top), taken in zip(listed.items(), counts, strict=True) if taken}


def most(units: int) -> int:
    """Maximum number of units, out of `units`, that count as the largest: 0.1 % rounded up, at least 1."""
    return max(1, math.ceil(TOP * units))


def shortened(summary: Moments | RatioMoments, removed: Pairs) -> Moments | RatioMoments:
    """The summary of an arm without the units `removed`."""
    if isinstance(summary, RatioMoments):
        return ratio_without(summary, removed)
    return without(summary, [value for value, _ in removed])


def nonzero(summary: Moments | RatioMoments) -> int:
    """Units that are not zero (in the numerator of a ratio); all units where that number is not known."""
    moments = summary.numerator if isinstance(summary, RatioMoments) else summary
    return moments.n if moments.nonzero is None else moments.nonzero


def without(moments: Moments, removed: Sequence[float]) -> Moments:
    """The moments of the units that are left after those with the values `removed` (at most n).

    `minimum` stays as a bound, `maximum` and `skewness` are no longer known.
    """
    left = moments.n - len(removed)
    nonzero = None if moments.nonzero is None else moments.nonzero - sum(1 for x in removed if x != 0.0)
    if left <= 0 or nonzero == 0:
        only_zeros = 0.0 if left > 0 else None
        return Moments(max(left, 0), 0.0, 0.0, nonzero, only_zeros, only_zeros)
    away = [x - moments.mean - moments.low for x in removed]
    shift = math.fsum(away)
    squares = (moments.n - 1) * moments.variance
    remaining_squares = math.fsum([squares, *(-d * d for d in away), -shift * shift / left])
    mean, low = means.nearest(moments.mean, moments.low - shift / left)
    return replace(
        moments,
        n=left,
        mean=mean,
        low=low,
        variance=remaining_squares / (left - 1) if left > 1 and remaining_squares > _UNRESOLVED * squares else 0.0,
        nonzero=nonzero,
        maximum=None if removed else moments.maximum,
        skewness=None if removed else moments.skewness,
    )


def ratio_without(moments: RatioMoments, removed: Sequence[tuple[float, float]]) -> RatioMoments:
    """As `without`, for units given as (numerator, denominator)."""
    top, bottom = moments.numerator, moments.denominator
    left = moments.n - len(removed)
    away = [(x - top.mean - top.low, y - bottom.mean - bottom.low) for x, y in removed]
    shifts = math.fsum(dx for dx, _ in away), math.fsum(dy for _, dy in away)
    remaining_products = math.fsum([(moments.n - 1) * moments.covariance, *(-dx * dy for dx, dy in away)])
    if left > 0:
        remaining_products -= shifts[0] * shifts[1] / left
    new_top, new_bottom = without(top, [x for x, _ in removed]), without(bottom, [y for _, y in removed])
    covariance = remaining_products / (left - 1) if left > 1 else 0.0
    # Rounding must not leave a correlation above 1, or a covariance with a constant.
    bound = math.sqrt(new_top.variance * new_bottom.variance)
    return RatioMoments(new_top, new_bottom, max(-bound, min(bound, covariance)))


def fragility(
    control: Moments | RatioMoments,
    variant: Moments | RatioMoments,
    ranked_control: Sequence[float] | Sequence[tuple[float, float]],
    ranked_variant: Sequence[float] | Sequence[tuple[float, float]],
    alpha: float,
) -> int | None:
    """How many of the largest units of the arm with the higher value must be removed before p >= `alpha`.

    The ranked lists hold the units with the largest values, largest first, and may be shorter than the arms. A
    comparison that can no longer be tested counts as overturned. None where the result is not significant at all, or
    stays significant without any unit listed. The search is linear, because p need not grow: removing an outlier lowers
    the variance, too.
    """
    p = _p_value(control, variant)
    if p is None or p >= alpha:
        return None
    variant_leads = _value(variant) > _value(control)
    ranked = ranked_variant if variant_leads else ranked_control
    for k in range(1, len(ranked) + 1):
        if variant_leads:
            p = _p_value(control, _shortened(variant, ranked[:k]))
        else:
            p = _p_value(_shortened(control, ranked[:k]), variant)
        if p is None or p >= alpha:
            return k
    return None


def _shortened(
    moments: Moments | RatioMoments, removed: Sequence[float] | Sequence[tuple[float, float]]
) -> Moments | RatioMoments:
    if isinstance(moments, RatioMoments):
        return ratio_without(moments, [unit for unit in removed if isinstance(unit, tuple)])
    return without(moments, [unit for unit in removed if not isinstance(unit, tuple)])


def _p_value(control: Moments | RatioMoments, variant: Moments | RatioMoments) -> float | None:
    if isinstance(control, RatioMoments):
        assert isinstance(variant, RatioMoments)
        return ratios.contrast(control, variant).p_value
    assert isinstance(variant, Moments)
    return means.contrast(control, variant).p_value


def _value(moments: Moments | RatioMoments) -> float:
    value = ratios.value(moments) if isinstance(moments, RatioMoments) else means.value(moments)
    assert value is not None  # there is a p-value, so both arms have a value
    return value


def top_counts(ranked: Sequence[Sequence[float]], count: int) -> tuple[int, ...]:
    """How many of each arm's largest values are among the `count` largest of all; each list in `ranked` is sorted,
    largest first.

    Values that tie at the cut are taken from each arm in proportion to its ties, rounded down: neither order nor name
    decides.
    """
    pooled = sorted((value for values in ranked for value in values), reverse=True)
    if count <= 0 or not pooled:
        return (0,) * len(ranked)
    cut = pooled[min(count, len(pooled)) - 1]
    above = [sum(value > cut for value in values) for values in ranked]
    tied = [sum(value == cut for value in values) for values in ranked]
    left = min(count, len(pooled)) - sum(above)
    return tuple(a + left * t // sum(tied) for a, t in zip(above, tied, strict=True))
