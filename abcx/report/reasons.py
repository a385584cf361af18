"""The sentences of the reasons and warnings of verdicts, with the numbers that decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from abcx import formatting
from abcx.notes import Value
from abcx.report import quantities
from abcx.report.fragments import inline, is_lift, titled
from abcx.results.metric import Comparison, MetricResult, Size, interval_on
from abcx.results.readout import Reason, Results, Verdict
from abcx.stats.records import Interval

Sentence = Callable[[MetricResult, Comparison], str]


def text(results: Results, verdict: Verdict, reason: Reason) -> str:
    """A reason or warning of a verdict in words."""
    if "check" in reason.values:
        return next(check.message for check in results.checks if check.code == reason.values["check"])
    if reason.metric is None:
        return _OF_RUN[reason.code](reason.values, results)
    metric = results[reason.metric]
    comparison = next(c for c in metric.comparisons if c.arm == verdict.arm)
    if "no_events" in reason.values:
        return _no_events(metric)
    return _OF_METRIC[reason.code](metric, comparison)


def _too_early(values: Mapping[str, Value], results: Results) -> str:
    """Before the declared end: how far, until when, and whether a declared size can be reached by then."""
    noun, planned, expected = results.setup.unit, values["planned"], values["expected"]
    day = f" on {values['day']}" if values["day"] else ""
    if values["declared"] == "size":
        far = f"{_count(values['followed'])} of {_count(planned)} planned {noun} are followed"
        until = f"; at this traffic the end comes{day}" if day else ""
        never = " This traffic cannot answer the question within a year." if values["out_of_reach"] else ""
        return f"It is too early to judge: {far}{until}.{never}"
    if values["declared"] == "window":
        return f"It is too early to judge: the last window closes{day}."
    short = ""
    if isinstance(planned, int) and isinstance(expected, int) and expected < planned:
        short = f" By then about {_count(expected)} of {_count(planned)} planned {noun} will have come."
    return f"It is too early to judge: the declared end comes{day}.{short}"


def _count(value: Value) -> str:
    assert isinstance(value, int)
    return formatting.count(value)


def _unfollowed(values: Mapping[str, Value], results: Results) -> str:
    metrics, closed_on = values["metrics"], values["closed_on"]
    if isinstance(metrics, tuple) and metrics:
        names = formatting.joined([inline(results[name]) for name in metrics])
        last = f"; the last window closes on {closed_on}" if closed_on else ""
        return f"Nobody has been followed for the whole window of {names} yet{last}."
    until = f" until {closed_on}" if closed_on else ""
    return f"The window of {_count(values['open_units'])} {results.setup.unit} is still open{until}."


def _replayed(values: Mapping[str, Value], results: Results) -> str:
    replay = results.replay
    assert replay is not None
    return (
        f"the planned size was reached on {replay.day} and has been passed since: this is the verdict of that day "
        f"({formatting.count(replay.units)} of {formatting.count(replay.later_units)} {results.setup.unit}); what all "
        "data show is reported separately"
    )


_OF_RUN: dict[str, Callable[[Mapping[str, Value], Results], str]] = {
    "too_early": _too_early,
    "follow_up_incomplete": _unfollowed,
    "replay": _replayed,
}


def _ends(metric: MetricResult, interval: Interval | None) -> str:
    """An interval of the difference in words: `+0.5 to +12.4 pp`, `at most -1.0 pp`."""
    return "no interval" if interval is None else quantities.form_of(metric).differences(interval)


def _written(
    metric: MetricResult, comparison: Comparison, value: float | None, interval: Interval | None, as_lift: bool
) -> str:
    """An effect with its interval; the estimate alone where there is none."""
    lifts = quantities.lifts([value, *(interval or ())])
    form = lifts if as_lift else quantities.form_of(metric, comparison)
    fits = f" ({form.differences(interval)})" if interval not in (None, (None, None)) else ""
    return f"{form.difference(value)}{fits}"


def _effect(metric: MetricResult, comparison: Comparison) -> str:
    """The effect with the interval that decides: before the end that of the watch for harm."""
    decides = comparison.watch or comparison
    as_lift = is_lift(comparison, comparison.watch)
    value = comparison.lift if as_lift else comparison.difference
    if value is None:
        return "an effect that cannot be computed"
    interval = decides.lift_interval if as_lift else decides.difference_interval
    return _written(metric, comparison, value, interval, as_lift)


def _against_margin(metric: MetricResult, comparison: Comparison) -> str:
    """The effect with the interval that is compared with the margin, on the margin's scale."""
    watch = comparison.watch
    return _on_scale(metric, comparison, metric.margin, (comparison if watch is None else watch).margin_interval)


def _against_minimum(metric: MetricResult, comparison: Comparison) -> str:
    """The effect with the interval that is compared with the minimum effect, on its scale."""
    return _on_scale(metric, comparison, metric.minimum_effect, interval_on(comparison, metric.minimum_effect))


def _on_scale(metric: MetricResult, comparison: Comparison, size: Size | None, interval: Interval | None) -> str:
    as_lift = size is not None and size.relative
    value = comparison.lift if as_lift else comparison.difference
    if value is None:
        return _effect(metric, comparison)
    return _written(metric, comparison, value, interval, as_lift)


def _p(comparison: Comparison) -> str:
    p = comparison.p_value_adjusted if comparison.watch is None else comparison.watch.p_value
    how = "" if comparison.watch is None else " by a test that holds at every look"
    return "" if p is None else f", {formatting.p_words(p)}{how}"


def _win(metric: MetricResult, comparison: Comparison) -> str:
    return f"{titled(metric)} improved: {_effect(metric, comparison)}{_p(comparison)}."


def _win_noninferior(metric: MetricResult, comparison: Comparison) -> str:
    return (
        f"{titled(metric)}: harm beyond the margin of {_text(metric, metric.margin)} is excluded: "
        f"{_against_margin(metric, comparison)}."
    )


def _worse(metric: MetricResult, comparison: Comparison) -> str:
    return f"{titled(metric)} got worse: {_effect(metric, comparison)}{_p(comparison)}."


def _harmed(metric: MetricResult, comparison: Comparison) -> str:
    beyond = f"beyond its margin of {_text(metric, metric.margin)}"
    return f"The guardrail {titled(metric)} is harmed {beyond}: {_against_margin(metric, comparison)}."


def _no_benefit(metric: MetricResult, comparison: Comparison) -> str:
    worth = f"the smallest effect worth having, {_text(metric, metric.minimum_effect)}, is excluded"
    return f"{titled(metric)}: {worth}: {_against_minimum(metric, comparison)}."


def _below_minimum(metric: MetricResult, comparison: Comparison) -> str:
    worth = f"by less than the smallest effect worth having, {_text(metric, metric.minimum_effect)}"
    return f"{titled(metric)} improved, but {worth}: {_against_minimum(metric, comparison)}."


def _unresolved(metric: MetricResult, comparison: Comparison) -> str:
    harm = f"harm beyond its margin of {_text(metric, metric.margin)}"
    return f"The guardrail {titled(metric)} is unresolved: {harm} is not excluded."


def _no_events(metric: MetricResult) -> str:
    why = "it has no event in this variant, and nobody has said that its logging was looked at (`zero_is_real`)"
    return f"The guardrail {titled(metric)} is not shown safe: {why}."


def _worse_within_margin(metric: MetricResult, comparison: Comparison) -> str:
    return f"{_worse(metric, comparison).rstrip('.')}, within its margin of {_text(metric, metric.margin)}."


def _margin_open(metric: MetricResult, comparison: Comparison) -> str:
    harm = f"harm beyond its margin of {_text(metric, metric.margin)} is not excluded"
    return f"{titled(metric)}: {harm}: {_against_margin(metric, comparison)}."


def _underpowered(metric: MetricResult, comparison: Comparison) -> str:
    if comparison.difference_interval is None or comparison.difference_interval == (None, None):
        return f"{titled(metric)} cannot be judged from these data at this look."
    worth = (
        f" An effect of {_text(metric, metric.minimum_effect)} is neither shown nor excluded."
        if metric.minimum_effect
        else ""
    )
    as_lift = is_lift(comparison)
    low, high = (comparison.lift_interval if as_lift else comparison.difference_interval) or (None, None)
    form = quantities.same_scale(metric, comparison, as_lift)
    fits = formatting.anything_in(*(None if end is None else form.difference(end) for end in (low, high)))
    return f"{titled(metric)}: no clear effect, the data fit {fits}.{worth}"


def _response_bias(metric: MetricResult, comparison: Comparison) -> str:
    assert metric.survey is not None
    survey_comparison = metric.survey.comparisons[comparison.arm]
    shares = [
        formatting.percent(response.answered / response.exposed if response.exposed else 0.0, 1)
        for response in (metric.survey.responses[comparison.control], metric.survey.responses[comparison.arm])
    ]
    fits = _ends(metric, survey_comparison.claim_interval)
    differ = f"{shares[0]} answer with {comparison.control} and {shares[1]} with {comparison.arm}"
    return (
        f"{titled(metric)}: {differ}, so those who answer may differ between the arms; for those who would answer in "
        f"either arm the effect may be {fits}."
    )


def _text(metric: MetricResult, size: Size | None) -> str:
    return quantities.declared(metric, size) if size else ""


_OF_METRIC: dict[str, Sentence] = {
    "primary_harm": _worse,
    "guardrail_harm": _harmed,
    "win": _win,
    "win_noninferior": _win_noninferior,
    "no_benefit": _no_benefit,
    "below_minimum_effect": _below_minimum,
    "underpowered": _underpowered,
    "margin_open": _margin_open,
    "guardrail_unresolved": _unresolved,
    "response_bias": _response_bias,
    "secondary_harm": _worse,
    "worse_within_margin": _worse_within_margin,
}
