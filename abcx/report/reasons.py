"""The sentences of the reasons and warnings of verdicts, with the numbers that decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from abcx import formatting
from abcx.notes import Value
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
        names = formatting.joined([name.replace("_", " ") for name in metrics])
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


def _name(metric: MetricResult) -> str:
    return metric.name.replace("_", " ")


def _ends(metric: MetricResult, interval: Interval | None, as_lift: bool) -> str:
    """An interval in words: `+0.5% to +12.4%`, `at most -1.0 pp`."""
    if interval is None:
        return "no interval"
    low, high = _end(metric, interval[0], as_lift), _end(metric, interval[1], as_lift)
    if low is None:
        return "unbounded" if high is None else f"at most {high}"
    return f"at least {low}" if high is None else f"{low} to {high}"


def _end(metric: MetricResult, end: float | None, as_lift: bool) -> str | None:
    return None if end is None else formatting.lift(end) if as_lift else formatting.difference(end, metric.unit)


def _effect(metric: MetricResult, comparison: Comparison) -> str:
    """The effect with the interval that decides: before the end that of the watch for harm."""
    watch = comparison.watch
    lifts, differences = (
        (comparison.lift_interval, comparison.difference_interval)
        if watch is None
        else (watch.lift_interval, watch.difference_interval)
    )
    if comparison.lift is not None:
        return f"{formatting.lift(comparison.lift)} ({_ends(metric, lifts, True)})"
    if comparison.difference is None:
        return "an effect that cannot be computed"
    return f"{formatting.difference(comparison.difference, metric.unit)} ({_ends(metric, differences, False)})"


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
    estimate = formatting.lift(value) if as_lift else formatting.difference(value, metric.unit)
    return f"{estimate} ({_ends(metric, interval, as_lift)})"


def _p(comparison: Comparison) -> str:
    p = comparison.p_value_adjusted if comparison.watch is None else comparison.watch.p_value
    how = "" if comparison.watch is None else " by a test that holds at every look"
    return "" if p is None else f", p = {formatting.p_value(p)}{how}"


def _win(metric: MetricResult, comparison: Comparison) -> str:
    return f"{_name(metric)} improved: {_effect(metric, comparison)}{_p(comparison)}."


def _win_noninferior(metric: MetricResult, comparison: Comparison) -> str:
    return (
        f"{_name(metric)} is not worse by more than the margin of {_text(metric.margin)}: "
        f"{_against_margin(metric, comparison)}."
    )


def _worse(metric: MetricResult, comparison: Comparison) -> str:
    return f"{_name(metric)} got worse: {_effect(metric, comparison)}{_p(comparison)}."


def _harmed(metric: MetricResult, comparison: Comparison) -> str:
    beyond = f"beyond its margin of {_text(metric.margin)}"
    return f"The guardrail {_name(metric)} is harmed {beyond}: {_against_margin(metric, comparison)}."


def _no_benefit(metric: MetricResult, comparison: Comparison) -> str:
    worth = f"the smallest effect worth having, {_text(metric.minimum_effect)}, is excluded"
    return f"{_name(metric)}: {worth}: {_against_minimum(metric, comparison)}."


def _below_minimum(metric: MetricResult, comparison: Comparison) -> str:
    worth = f"by less than the smallest effect worth having, {_text(metric.minimum_effect)}"
    return f"{_name(metric)} improved, but {worth}: {_against_minimum(metric, comparison)}."


def _unresolved(metric: MetricResult, comparison: Comparison) -> str:
    harm = f"harm beyond its margin of {_text(metric.margin)}"
    return f"The guardrail {_name(metric)} is unresolved: {harm} is not excluded."


def _no_events(metric: MetricResult) -> str:
    why = "it has no event in this variant, and nobody has said that its logging was looked at (`zero_is_real`)"
    return f"The guardrail {_name(metric)} is not shown safe: {why}."


def _worse_within_margin(metric: MetricResult, comparison: Comparison) -> str:
    return f"{_worse(metric, comparison).rstrip('.')}, within its margin of {_text(metric.margin)}."


def _margin_open(metric: MetricResult, comparison: Comparison) -> str:
    harm = f"harm beyond its margin of {_text(metric.margin)} is not excluded"
    return f"{_name(metric)}: {harm}: {_against_margin(metric, comparison)}."


def _underpowered(metric: MetricResult, comparison: Comparison) -> str:
    if comparison.difference_interval is None or comparison.difference_interval == (None, None):
        return f"{_name(metric)} cannot be judged from these data at this look."
    worth = (
        f" An effect of {metric.minimum_effect.text} is neither shown nor excluded." if metric.minimum_effect else ""
    )
    as_lift = comparison.lift_interval is not None
    low, high = comparison.lift_interval or comparison.difference_interval
    fits = formatting.anything_in(_end(metric, low, as_lift), _end(metric, high, as_lift))
    return f"{_name(metric)}: no clear effect, the data fit {fits}.{worth}"


def _response_bias(metric: MetricResult, comparison: Comparison) -> str:
    assert metric.survey is not None
    survey_comparison = metric.survey.comparisons[comparison.arm]
    shares = [
        formatting.percent(response.answered / response.exposed if response.exposed else 0.0, 1)
        for response in (metric.survey.responses[comparison.control], metric.survey.responses[comparison.arm])
    ]
    fits = _ends(metric, survey_comparison.claim_interval, False)
    differ = f"{shares[0]} answer with {comparison.control} and {shares[1]} with {comparison.arm}"
    return (
        f"{_name(metric)}: {differ}, so those who answer may differ between the arms; for those who would answer in "
        f"either arm the effect may be {fits}."
    )


def _text(size: Size | None) -> str:
    return size.text if size else ""


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
