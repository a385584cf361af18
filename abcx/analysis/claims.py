"""The claims that a comparison supports: its status, and where it lies against its margin and its minimum effect.

A claim must hold for every interval that bears on it: the comparison's own and, where the response to a survey may
differ between the arms, the bounds of the effect with their error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from abcx.results.metric import (
    RESPONSE_BIAS_NOTE,
    Comparison,
    MarginState,
    MetricResult,
    Size,
    Status,
    SurveyComparison,
    interval_on,
)
from abcx.stats.records import Interval


def judged(metric: MetricResult, comparison: Comparison, zero_unexplained: bool) -> Comparison:
    """The comparison with its margin state and status, and with `held_back` and its note where bounds do not confirm a
    claim.

    `zero_unexplained` says that the variant has no event of a metric that should fall, and the spec does not say that
    its logging works (`zero_is_real`): then the metric is not shown safe.
    """
    state = _margin_state(metric, comparison, zero_unexplained)
    with_status = replace(comparison, margin_state=state, status=_status(metric, comparison, state))
    withheld = _withheld_for_response_bias(metric, comparison, with_status)
    if not withheld:
        return with_status
    return replace(with_status, held_back=True, notes=(*with_status.notes, RESPONSE_BIAS_NOTE))


def excludes_minimum(metric: MetricResult, comparison: Comparison) -> bool:
    """Whether the minimum effect is excluded: every interval lies wholly on the near side of it. False without a
    minimum effect and before the end.
    """
    effect = metric.minimum_effect
    if effect is None or comparison.watch is not None:
        return False
    intervals = _intervals(metric, comparison, effect)
    return bool(intervals) and all(_nearer_than(effect, interval, metric.goal == "decrease") for interval in intervals)


def _status(metric: MetricResult, comparison: Comparison, state: MarginState | None) -> Status:
    if metric.role == "descriptive":
        return "descriptive"
    if metric.role == "guardrail":
        if comparison.watch is not None:
            return "harmed" if state == "beyond" else "not_judged"
        return {"inside": "safe", "beyond": "harmed"}.get(state or "open", "unresolved")  # type: ignore[return-value]
    claim = direction(metric, comparison)
    if claim is not None and not _supported(metric, comparison, claim == "better"):
        claim = None
    if comparison.watch is not None:
        return "worse" if claim == "worse" and metric.role == "primary" else "not_judged"
    return claim or "inconclusive"


def direction(metric: MetricResult, comparison: Comparison) -> Status | None:
    """Better or worse by the test alone, at its own level; before the end by the watch for harm. None where it is not
    significant.
    """
    watch = comparison.watch
    p_value, alpha = (comparison.p_value, comparison.alpha) if watch is None else (watch.p_value, watch.alpha)
    if p_value is None or comparison.difference is None or p_value >= alpha:
        return None
    return "better" if (comparison.difference > 0) == (metric.goal == "increase") else "worse"


def _supported(metric: MetricResult, comparison: Comparison, better: bool) -> bool:
    """Whether the bounds of a survey's effect, where response may differ, lie wholly on the side of the claim."""
    survey = _survey(metric, comparison)
    if survey is None:
        return True
    low, high = survey.claim_interval or (None, None)
    above = better == (metric.goal == "increase")
    return (low is not None and low > 0) if above else (high is not None and high < 0)


def _withheld_for_response_bias(metric: MetricResult, before: Comparison, after: Comparison) -> bool:
    """Whether the answers alone support a claim that the bounds do not allow."""
    if metric.role == "descriptive" or _survey(metric, before) is None:
        return False
    alone = _margin_of(metric, [_own_margin(before)])
    claimed = direction(metric, before) is not None and after.status in ("inconclusive", "not_judged")
    return claimed or (alone in ("inside", "beyond") and alone != after.margin_state)


def _margin_state(metric: MetricResult, comparison: Comparison, zero_unexplained: bool) -> MarginState | None:
    if metric.margin is None:
        return None
    survey = _survey(metric, comparison)
    intervals = [_own_margin(comparison), *([survey.claim_margin_interval] if survey else [])]
    state = _margin_of(metric, intervals)
    return "open" if state == "inside" and (zero_unexplained or comparison.watch is not None) else state


def _own_margin(comparison: Comparison) -> Interval | None:
    return comparison.margin_interval if comparison.watch is None else comparison.watch.margin_interval


def _margin_of(metric: MetricResult, intervals: Sequence[Interval | None]) -> MarginState:
    """Where intervals on the margin's scale lie: all inside it, all beyond it on the side of harm,
    or neither (open).
    """
    if metric.margin is None:
        return "open"
    falls, margin = metric.goal == "decrease", metric.margin.value
    ends = [(None, None) if interval is None else interval for interval in intervals]
    harm = [(low, high) if falls else (_minus(high), _minus(low)) for low, high in ends]
    if all(high is not None and high < margin for _, high in harm):
        return "inside"
    return "beyond" if all(low is not None and low > margin for low, _ in harm) else "open"


def _minus(end: float | None) -> float | None:
    return None if end is None else -end


def _intervals(metric: MetricResult, comparison: Comparison, size: Size) -> list[Interval]:
    """The intervals that a claim about an effect of this size must hold for; an unknown interval is
    open at both ends.
    """
    intervals = [interval_on(comparison, size)]
    if (survey := _survey(metric, comparison)) is not None:
        intervals.append(survey.claim_lift_interval if size.relative else survey.claim_interval)
    return [interval or (None, None) for interval in intervals]


def _nearer_than(effect: Size, interval: Interval, falls: bool) -> bool:
    low, high = interval
    return (low is not None and low > -effect.value) if falls else (high is not None and high < effect.value)


def _survey(metric: MetricResult, comparison: Comparison) -> SurveyComparison | None:
    """The comparison of answers, where response may differ and so the bounds count; else None."""
    survey_comparison = metric.survey.comparisons.get(comparison.arm) if metric.survey else None
    return survey_comparison if survey_comparison is not None and survey_comparison.binds else None
