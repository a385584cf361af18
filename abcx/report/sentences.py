"""Sentences for readers who never heard of p-values, from the numbers and statuses that are already decided."""

from __future__ import annotations

from abcx import formatting
from abcx.formatting import clean
from abcx.report import note_texts, quantities
from abcx.report.fragments import inline, is_lift, sentence, titled
from abcx.report.monitoring import share_of_plan, why_silent
from abcx.results.metric import Comparison, MetricResult, Size, interval_on
from abcx.results.monitoring import Rule, half_open, silent
from abcx.results.readout import Results, Setup, Verdict
from abcx.stats.records import Interval

_BASES = (100, 1_000, 10_000, 100_000, 1_000_000)
"""Numbers of units of which a share is given in whole units."""
_HARM = "guardrail_harm"


def finding(results: Results, verdict: Verdict) -> str:
    """What happened, in one or two sentences: the metrics on which the verdict about a variant rests."""
    if verdict.verdict == "INVALID":
        return "No conclusion can be drawn from these data."
    pairs = [(m, c) for m in results.metrics for c in m.comparisons if c.arm == verdict.arm]
    primaries = [pair for pair in pairs if pair[0].role == "primary"]
    if not primaries:
        return "There is no comparison of the primary metric."
    codes = {reason.code for reason in verdict.reasons}
    deciding = _deciding(primaries, verdict, codes)
    if verdict.verdict == "KEEP RUNNING":
        return so_far(results, *deciding)
    if verdict.verdict == "DO NOT SHIP" and codes & {"no_benefit", "below_minimum_effect"}:
        return _no_benefit(*deciding)
    if verdict.verdict == "SHIP" and "win" not in codes and deciding[0].margin is not None:
        return _against_margin(*deciding, "is ruled out")
    still_open = {reason.metric for reason in verdict.reasons if reason.code == "margin_open"}
    for metric, comparison in primaries:
        if metric.name in still_open and metric.margin is not None:
            return _against_margin(metric, comparison, "is not ruled out")
    text = effect(results, *deciding)
    named = {reason.metric for reason in verdict.reasons}
    wanted = {"DO NOT SHIP": "harmed", "INCONCLUSIVE": "unresolved"}.get(verdict.verdict)
    guarded = next((p for p in pairs if p[1].status == wanted and (p[0].name in named or not named)), None)
    if guarded is None or deciding[1].status == "worse":
        return f"{text} {_decided(results)}".strip() if verdict.verdict != "INCONCLUSIVE" else text
    joint = "But" if deciding[1].status == "better" else "And"
    return f"{text} {joint} {_lower(effect(results, *guarded), guarded[0])}"


def _deciding(
    primaries: list[tuple[MetricResult, Comparison]], verdict: Verdict, codes: set[str]
) -> tuple[MetricResult, Comparison]:
    """The primary metric on which the verdict rests: one that moved as the verdict says, else the first."""
    wanted = {"SHIP": "better", "DO NOT SHIP": "worse"}.get(verdict.verdict, "")
    wanted = "better" if _HARM in codes and "primary_harm" not in codes else wanted
    return next((pair for pair in primaries if pair[1].status == wanted), primaries[0])


def effect(results: Results, metric: MetricResult, comparison: Comparison) -> str:
    """One sentence about one variant on one metric, in the words of its role and status."""
    rule = results.monitoring.rule
    if comparison.difference is None and comparison.difference_interval is None:
        notes = comparison.notes or tuple(filter(None, [comparison.lift_note]))
        why = " ".join(map(note_texts.text, notes)) or "The data do not allow a comparison."
        return f"No answer for {inline(metric)}: {_lower(sentence(why), metric)}"
    if silent(comparison, rule):
        return f"No judgment on {inline(metric)} now, because {why_silent(results)}."
    if comparison.status == "not_judged":
        return so_far(results, metric, comparison)
    if _no_events(results, metric.name, comparison.arm):
        unknown = "whether that is a success or a gap in the logging is not known"
        return f"With {clean(comparison.arm)} there is no event for {inline(metric)}: {unknown}."
    if metric.role == "guardrail" and comparison.status != "descriptive":
        return _guardrail(metric, comparison, rule)
    if comparison.status in ("better", "worse"):
        good = f", which is {comparison.status}" if metric.goal == "decrease" else ""
        if comparison.status == "worse" and comparison.margin_state == "inside" and metric.margin is not None:
            good += f", within the tolerated {quantities.declared(metric, metric.margin)}"
        return _moved(results, metric, comparison, good)
    if comparison.status == "descriptive":
        levels = _levels(results, metric, comparison)
        return f"{titled(metric)}: {_estimate(metric, comparison)}{f' ({levels})' if levels else ''}; not tested."
    fits = f"anything {_between(metric, comparison)} fits these data"
    if rule == "hybrid" and half_open(comparison):
        return f"Harm to {inline(metric)} is not shown: {fits}. A gain is judged at the end only."
    if comparison.held_back:
        return f"No judgment on {inline(metric)}, because the arms may differ in who answers: {fits}."
    return f"No clear effect on {inline(metric)}: {fits}."


def _no_events(results: Results, metric: str, arm: str) -> bool:
    """Whether a guardrail has no event in a variant, and the spec does not say that this is real."""
    reasons = [reason for verdict in results.verdicts if verdict.arm == arm for reason in verdict.reasons]
    return any(reason.metric == metric and "no_events" in reason.values for reason in reasons)


def so_far(results: Results, metric: MetricResult, comparison: Comparison) -> str:
    """The figures before the declared end, without a claim: `Orders: +26% seen so far; anything ... still fits.`"""
    if silent(comparison, results.monitoring.rule):
        seen = f"{_estimate(metric, comparison)} seen so far, " if comparison.difference is not None else ""
        return f"{titled(metric)}: {seen}not judged yet, because {why_silent(results)}."
    if comparison.difference is None:
        return f"{titled(metric)}: nothing can be compared so far."
    fits = f"; anything {_between(metric, comparison)} still fits the data" if _bounded(comparison) else ""
    return f"{titled(metric)}: {_estimate(metric, comparison)} seen so far{fits}."


def more_needed(verdict: Verdict, setup: Setup) -> str:
    """How much longer an experiment runs: `until 6 October 2024 (18 more days)`; empty where nothing is known."""
    days, units = verdict.missing_days, verdict.missing_units
    parts = [formatting.plural(days, "more days")] if days else []
    parts += [formatting.plural(formatting.about(units), f"more {clean(setup.unit)}")] if units else []
    if verdict.end is not None:
        return f"until {formatting.day(verdict.end)}" + (f" ({parts[0]})" if parts else "")
    return f"for about {' and '.join(reversed(parts))}" if parts else ""


def new_run(verdict: Verdict, setup: Setup) -> str:
    """`A new test would need about 61,000 visitors, 31 days at this traffic.`; empty where the size is unknown."""
    if verdict.new_run_units is None:
        return ""
    units = formatting.plural(formatting.about(verdict.new_run_units), clean(setup.unit))
    days = verdict.new_run_days
    if days is None:
        return f"A new test would need about {units}."
    if days > 365:
        return f"A new test would need about {units}: at this traffic more than a year."
    return f"A new test would need about {units}, {formatting.plural(days, 'days')} at this traffic."


def expected(metric: MetricResult, comparison: Comparison) -> str:
    """The interval of a shown effect, as a direction: `Orders to rise by 5% to 52%`; empty without an interval."""
    up = _up(comparison)
    interval = _interval(comparison)
    if interval is None or any(end is not None and (end < 0) == up for end in interval):
        return ""
    fits = _form(metric, comparison).sizes(interval, up)
    return f"{inline(metric)} to {'rise' if up else 'fall'} by {fits}"


def per_units(metric: MetricResult, comparison: Comparison, unit: str) -> str:
    """A share of both arms in whole units: `274 of 10,000 visitors instead of 217`; empty where there is none."""
    values = {arm.name: arm.value for arm in metric.arms}
    control, variant = values.get(comparison.control), values.get(comparison.arm)
    if control is None or variant is None or comparison.method.is_adjusted:
        return ""
    whole = "answers" if metric.survey is not None else clean(unit)
    low, high = comparison.difference_interval or (None, None)
    width = high - low if low is not None and high is not None else abs(variant - control)
    least = min(x for x in (control, variant, 1.0) if x > 0)
    base = next((n for n in _BASES if n * width >= 10 and n * least >= 10), _BASES[-1])
    before, after = round(base * control), round(base * variant)
    return f"{after:,} of {base:,} {whole} instead of {before:,}" if before != after else ""


def _levels(results: Results, metric: MetricResult, comparison: Comparison) -> str:
    """`274 of 10,000 visitors instead of 217`, `EUR 4.39 instead of EUR 2.49`; nothing for adjusted effects, which
    are not the difference of the arms."""
    if metric.unit == "share":
        return per_units(metric, comparison, results.setup.unit)
    values = {arm.name: arm.value for arm in metric.arms}
    control, variant = values.get(comparison.control), values.get(comparison.arm)
    if control is None or variant is None or comparison.method.is_adjusted:
        return ""
    form = quantities.form_of(metric, comparison)
    before, after = form.value(control), form.value(variant)
    noun = formatting.singular(clean(results.setup.unit))
    per = f" per {noun}" if metric.type == "mean" and " per " not in titled(metric).lower() else ""
    return f"{after} instead of {before}{per}" if before != after else ""


def _moved(results: Results, metric: MetricResult, comparison: Comparison, end: str = "") -> str:
    """`Orders rose by 26% (5% to 52%): 274 of 10,000 visitors instead of 217.`"""
    up, form = _up(comparison), _form(metric, comparison)
    size = comparison.lift if is_lift(comparison) else quantities.agreeing(metric, comparison)
    fits = form.sizes(_interval(comparison), up)
    by = f" by {form.size(size)}" if size is not None else ""
    interval = f" ({fits})" if fits != quantities.NOTHING else ""
    levels = _levels(results, metric, comparison)
    return f"{titled(metric)} {'rose' if up else 'fell'}{by}{interval}{end}{f': {levels}' if levels else ''}."


def _guardrail(metric: MetricResult, comparison: Comparison, rule: Rule) -> str:
    """A guardrail against its margin, on the margin's scale alone."""
    margin = metric.margin
    form = quantities.same_scale(metric, comparison, margin is not None and margin.relative)
    interval = _margin_interval(comparison, margin)
    tolerated = f"the tolerated {quantities.declared(metric, margin)}" if margin else "what is tolerated"
    relative = margin is not None and margin.relative
    value = comparison.lift if relative else quantities.agreeing(metric, comparison)
    up = metric.goal == "decrease" if value is None or value == 0 else value > 0
    size = f" by {form.size(value)}" if value is not None else ""
    fits = form.sizes(interval, up)
    moved = f"{inline(metric)} {'rose' if up else 'fell'}{size}" + (f" ({fits})" if fits != quantities.NOTHING else "")
    if comparison.status == "harmed":
        return f"{_upper(moved)}, more than {tolerated}."
    is_worse = _is_worse(metric, interval)
    fits = f" ({form.differences(interval)})" if interval not in (None, (None, None)) else ""
    if comparison.status == "safe":
        if is_worse:
            return f"{_upper(moved)}: worse, but within {tolerated}."
        return f"Harm to {inline(metric)} beyond {tolerated} is ruled out{fits}."
    later = "; it is judged at the end" if rule == "hybrid" and half_open(comparison) else ""
    worse = "; it got worse, by how much is open" if is_worse else ""
    return f"Harm to {inline(metric)} beyond {tolerated} is not ruled out{fits}{worse}{later}."


def _no_benefit(metric: MetricResult, comparison: Comparison) -> str:
    size = metric.minimum_effect
    interval = interval_on(comparison, size)
    form = quantities.same_scale(metric, comparison, size is None or size.relative)
    least = f"by the {quantities.declared(metric, size)} that would be worth having" if size else "as hoped"
    did = "improved, but not" if comparison.status == "better" else "did not improve"
    low, high = interval or (None, None)
    fits = ""
    if low is not None and high is not None:
        fits = f": the effect lies between {form.differences(interval, ' and ')}"
    elif low is not None or high is not None:
        fits = f": the effect is {form.differences(interval)}"
    return f"{titled(metric)} {did} {least}{fits}."


def _against_margin(metric: MetricResult, comparison: Comparison, judgment: str) -> str:
    """A primary metric with a margin, where that decides."""
    margin = metric.margin
    assert margin is not None
    form = quantities.same_scale(metric, comparison, margin.relative)
    fits = form.differences(_margin_interval(comparison, margin))
    tolerated = f"the tolerated {quantities.declared(metric, margin)}"
    return f"Harm to {inline(metric)} beyond {tolerated} {judgment} ({fits})."


def _decided(results: Results) -> str:
    """The sentence about a verdict before the planned size, which sequential monitoring allows; empty otherwise."""
    monitoring = results.monitoring
    if monitoring.rule == "fixed" or monitoring.information is None or monitoring.information >= 1:
        return ""
    return f"Decided at {share_of_plan(monitoring.information)}, corrected for repeated looks."


def _estimate(metric: MetricResult, comparison: Comparison) -> str:
    value = comparison.lift if is_lift(comparison) else quantities.agreeing(metric, comparison)
    return _form(metric, comparison).difference(value)


def _between(metric: MetricResult, comparison: Comparison) -> str:
    """`from -1% to +9%`, `above -1%`."""
    form = _form(metric, comparison)
    low, high = _interval(comparison) or (None, None)
    if low is None and high is None:
        return "at all"
    if low is None or high is None:
        return f"below {form.difference(high)}" if low is None else f"above {form.difference(low)}"
    return f"from {form.differences((low, high))}"


def _form(metric: MetricResult, comparison: Comparison) -> quantities.Form:
    return quantities.same_scale(metric, comparison, is_lift(comparison))


def _interval(comparison: Comparison) -> Interval | None:
    return comparison.lift_interval if is_lift(comparison) else comparison.difference_interval


def _bounded(comparison: Comparison) -> bool:
    return _interval(comparison) not in (None, (None, None))


def _margin_interval(comparison: Comparison, margin: Size | None) -> Interval | None:
    return comparison.margin_interval or interval_on(comparison, margin)


def got_worse(metric: MetricResult, comparison: Comparison) -> bool:
    """Whether a guardrail is worse than the control, however little: its interval excludes "no effect"."""
    return _is_worse(metric, _margin_interval(comparison, metric.margin))


def _is_worse(metric: MetricResult, interval: Interval | None) -> bool:
    """Whether the interval excludes "no effect" on the bad side."""
    low, high = interval or (None, None)
    return (low is not None and low > 0) if metric.goal == "decrease" else (high is not None and high < 0)


def _up(comparison: Comparison) -> bool:
    sign = comparison.difference if comparison.difference is not None else comparison.lift
    return sign is None or sign >= 0


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower(text: str, metric: MetricResult) -> str:
    """A sentence in the middle of another: small first letter, unless it starts with a name."""
    if text.startswith(titled(metric)):
        return inline(metric) + text.removeprefix(titled(metric))
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]
