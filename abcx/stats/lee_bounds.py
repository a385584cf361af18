"""Bounds of the effect on a survey's scores when the change may also affect who answers.

Units are randomized, respondents are not: if the change moves the response share, the answers of the two arms come from
different people, and their difference is not an effect on anybody. Two sets of bounds need no model of that.

Lee (2009, "Training, wages, and sample selection"): the effect on always-responders, the units that answer in either
arm. If the change moves response in one direction only (monotone response: the change does not make some units answer
and stop other units from answering), the arm with the higher response share p_hi consists of always-responders and of a
share (p_hi - p_lo) / p_hi of further respondents, who may all be at the top or all at the bottom of its answers.
Trimming that share of its answers from the top or from the bottom gives the sharp bounds. Variances: Proposition 3
there.

Horowitz and Manski (2000): the effect on all exposed units, without assumptions. Missing answers are set to the least
score in one arm and to the greatest in the other.

The interval of either is that of Imbens and Manski (2004, "Confidence intervals for partially identified parameters"):
it covers the effect, not the whole range of bounds, with probability 1 - alpha wherever between the bounds the effect
lies. Its critical value C solves N(C + (high - low) / max(se_low, se_high)) - N(-C) = 1 - alpha.

Measured for NPS at 20 % response, 200 to 20,000 exposed units an arm: an effect that equals a bound is covered in 93 to
97 % of the samples where the bounds are well apart, and in 99 % where they nearly coincide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from abcx.notes import Note
from abcx.stats import shares, trimming
from abcx.stats.distributions import normal_quantile, normal_tails
from abcx.stats.records import Categories, Interval, Proportion
from abcx.stats.trimming import Part

BINDS = 0.2
"""If the p-value of equal response is below this, a claim must also hold for the bounds (docs/methods.md, "Who
answers").
"""

Range = tuple[float, float]
"""(lower, upper), in the unit of the scores."""


@dataclass(frozen=True, slots=True)
class Surveyed:
    """An arm's `exposed` units and their answers, at most one per unit."""

    exposed: int
    answers: Categories


@dataclass(frozen=True, slots=True)
class Bounds:
    """Bounds of the effect, variant minus control, in the unit of the scores.

    `response_control` and `response_variant` are shares of exposed units, `response_p_value` tests that they are equal.
    `lee` bounds the effect on always-responders, `manski` that on all exposed units; the intervals add the sampling
    error. `contains_no_effect` says that Lee's interval contains 0 or does not exist. A value is None where it cannot
    be known; `note` gives the reason.
    """

    response_control: float | None
    response_variant: float | None
    response_p_value: float | None
    lee: Range | None
    lee_interval: Range | None
    manski: Range | None
    manski_interval: Range | None
    contains_no_effect: bool
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class _Estimated:
    """Bounds with the standard error of each."""

    low: float
    high: float
    error_low: float
    error_high: float


@dataclass(frozen=True, slots=True)
class _Parts:
    """The answers of both arms that give the lowest effect (variant low, control high) and the highest."""

    variant_low: Part
    variant_high: Part
    control_low: Part
    control_high: Part


def bounds(control: Surveyed, variant: Surveyed, scores: Sequence[float], alpha: float = 0.05) -> Bounds:
    """Bounds of the effect on the mean score with intervals at 1 - `alpha`; `scores[i]` is the score of the i-th answer
    of the scale.

    Both arms have the same scale with all its answers, including those that nobody gave, which the worst case needs.
    Raises ValueError if the scales differ, if there is not one score per answer of the scale, or if an arm has more
    answers than exposed units.
    """
    _check(control, variant, scores)
    p_value = shares.contrast(_response(control), _response(variant)).p_value
    reach = max(scores) - min(scores)
    lee, note = _lee(control, variant, scores)
    manski = _manski(control, variant, scores)
    lee_interval = _interval(lee, reach, alpha)
    if lee is not None and lee_interval is None:
        note = Note("bounds_no_spread")
    return Bounds(
        response_control=shares.value(_response(control)),
        response_variant=shares.value(_response(variant)),
        response_p_value=p_value,
        lee=None if lee is None else (lee.low, lee.high),
        lee_interval=lee_interval,
        manski=None if manski is None else (manski.low, manski.high),
        manski_interval=_interval(manski, reach, alpha),
        contains_no_effect=lee_interval is None or lee_interval[0] <= 0.0 <= lee_interval[1],
        note=note,
    )


def claim(
    control: Surveyed, variant: Surveyed, scores: Sequence[float], levels: tuple[float, float], relative: bool
) -> Interval:
    """The interval of effects on always-responders that a verdict must allow for: each of Lee's bounds moved outward by
    its own error at the level of that end.

    `levels` are the two-sided nominal levels of the lower and of the upper end; 0.0 leaves an end open (None). The
    result is a difference in the unit of the scores, or with `relative` the lift as a fraction: the trimmed mean of one
    arm over the other arm's mean, by Fieller's (1954) form, for scores of at least 0. (None, None) where an arm has
    fewer than two answers. Unlike Imbens and Manski's interval, each end keeps its own tail probability, because a
    verdict reads only the end on the side of its claim. Raises ValueError as `bounds`.
    """
    _check(control, variant, scores)
    parts, _ = _lee_parts(control, variant, scores)
    low_z, high_z = (normal_quantile(1.0 - level / 2.0) if level > 0.0 else None for level in levels)
    if not parts:
        return None, None
    if not relative:
        widest = _widest(parts)
        low = None if low_z is None else widest.low - low_z * widest.error_low
        return low, (None if high_z is None else widest.high + high_z * widest.error_high)
    lows = [_ratio_end(trimmed.variant_low, trimmed.control_high, low_z, -1) for trimmed in parts]
    highs = [_ratio_end(trimmed.variant_high, trimmed.control_low, high_z, +1) for trimmed in parts]
    return (
        None if None in lows else min(end for end in lows if end is not None) - 1.0,
        None if None in highs else max(end for end in highs if end is not None) - 1.0,
    )


def _ratio_end(variant: Part, control: Part, z: float | None, side: Literal[-1, 1]) -> float | None:
    """The lower (-1) or upper (+1) end of variant / control by Fieller: |m_t - r m_c| = z sqrt(v_t + r^2 v_c).

    None where the control mean cannot be distinguished from 0.
    """
    if z is None:
        return None
    leading = control.mean**2 - z * z * control.variance
    if leading <= 0.0 or control.mean <= 0.0:
        return None
    center, constant = variant.mean * control.mean, variant.mean**2 - z * z * variant.variance
    return (center + side * math.sqrt(max(0.0, center * center - leading * constant))) / leading


def _check(control: Surveyed, variant: Surveyed, scores: Sequence[float]) -> None:
    if control.answers.low != variant.answers.low:
        raise ValueError("the two arms must have the same scale")
    for arm in (control, variant):
        if len(arm.answers.counts) != len(scores) or not scores:
            raise ValueError(f"{len(scores)} scores for {len(arm.answers.counts)} answers of the scale")
        if arm.answers.n > arm.exposed:
            raise ValueError(f"{arm.answers.n} answers from {arm.exposed} exposed units")


def _response(arm: Surveyed) -> Proportion:
    return Proportion(arm.answers.n, arm.exposed)


def _lee(control: Surveyed, variant: Surveyed, scores: Sequence[float]) -> tuple[_Estimated | None, Note | None]:
    """Lee's bounds; at equal response shares both are the untrimmed difference, with the larger of the two errors."""
    parts, note = _lee_parts(control, variant, scores)
    return (_widest(parts) if parts else None), note


def _widest(parts: Sequence[_Parts]) -> _Estimated:
    """The bounds, which are the same for all `parts`, each with its largest error."""
    estimates = [
        _difference(trimmed.variant_low, trimmed.variant_high, trimmed.control_low, trimmed.control_high)
        for trimmed in parts
    ]
    errors_low, errors_high = zip(*((estimate.error_low, estimate.error_high) for estimate in estimates), strict=True)
    return _Estimated(estimates[0].low, estimates[0].high, max(errors_low), max(errors_high))


def _lee_parts(control: Surveyed, variant: Surveyed, scores: Sequence[float]) -> tuple[tuple[_Parts, ...], Note | None]:
    """The answers that Lee's bounds compare: one pair of trimmings, two where response is equal, none where an arm has
    fewer than two answers (then with the reason).
    """
    fewest = min(control.answers.n, variant.answers.n)
    if fewest < 2:
        return (), Note("bounds_few_answers", {"answers": fewest})
    # How much of an arm is kept, as a whole number over another: equal shares are seen as equal.
    ratio = Fraction(control.answers.n * variant.exposed, variant.answers.n * control.exposed)
    error2 = sum(1.0 / arm.answers.n - 1.0 / arm.exposed for arm in (control, variant))
    whole_control, whole_variant = (trimming.whole(scores, arm.answers.counts) for arm in (control, variant))
    parts = []
    if ratio <= 1:
        low = trimming.lowest(scores, variant.answers.counts, ratio, error2)
        high = trimming.highest(scores, variant.answers.counts, ratio, error2)
        parts.append(_Parts(low, high, whole_control, whole_control))
    if ratio >= 1:
        least = trimming.lowest(scores, control.answers.counts, 1 / ratio, error2)
        most = trimming.highest(scores, control.answers.counts, 1 / ratio, error2)
        parts.append(_Parts(whole_variant, whole_variant, least, most))
    return tuple(parts), None


def _manski(control: Surveyed, variant: Surveyed, scores: Sequence[float]) -> _Estimated | None:
    """The worst cases over all exposed units (Horowitz, Manski 2000); None where an arm has no exposed units."""
    if control.exposed == 0 or variant.exposed == 0:
        return None
    least, most = (
        [
            trimming.whole([*scores, filling], [*arm.answers.counts, arm.exposed - arm.answers.n])
            for arm in (control, variant)
        ]
        for filling in (min(scores), max(scores))
    )
    return _difference(least[1], most[1], least[0], most[0])


def _difference(variant_low: Part, variant_high: Part, control_low: Part, control_high: Part) -> _Estimated:
    return _Estimated(
        low=variant_low.mean - control_high.mean,
        high=variant_high.mean - control_low.mean,
        error_low=math.sqrt(variant_low.variance + control_high.variance),
        error_high=math.sqrt(variant_high.variance + control_low.variance),
    )


def _interval(estimated: _Estimated | None, reach: float, alpha: float) -> Range | None:
    """Imbens and Manski's interval, inside [-reach, reach].

    None where the errors are 0 and the bounds do not fill that range.
    """
    if estimated is None:
        return None
    largest = max(estimated.error_low, estimated.error_high)
    if largest == 0.0:
        return (-reach, reach) if estimated.high - estimated.low >= 2.0 * reach else None
    critical = critical_value((estimated.high - estimated.low) / largest, alpha)
    return (
        max(-reach, estimated.low - critical * estimated.error_low),
        min(reach, estimated.high + critical * estimated.error_high),
    )


def critical_value(width: float, alpha: float) -> float:
    """C with N(C + width) - N(-C) = 1 - alpha, for bounds that are `width` >= 0 standard errors apart (Imbens, Manski
    2004).

    It falls from the two-sided normal quantile at width 0 to the one-sided quantile.
    """
    low, high = normal_quantile(1.0 - alpha), normal_quantile(1.0 - alpha / 2.0)
    while True:
        middle = 0.5 * (low + high)
        if not low < middle < high:
            return high
        missed = normal_tails(middle + width)[1] + normal_tails(-middle)[0]
        low, high = (middle, high) if missed > alpha else (low, middle)
