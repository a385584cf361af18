"""Plain sentences that a manager can quote, from the numbers and statuses that are already decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from abcx import formatting
from abcx.formatting import clean
from abcx.report import note_texts, reasons
from abcx.report.fragments import Rule, ends, half_open, named, sentence, silent, titled
from abcx.report.monitoring import share_of_plan, why_silent
from abcx.report.nouns import countable, counted, done, group, noun
from abcx.results.metric import Comparison, MetricResult, Size
from abcx.results.readout import Results, Setup, Verdict
from abcx.stats.records import Interval

PER = 10_000
_WORDS = {"increase": ("more", "fewer"), "value": ("higher", "lower"), "hours": ("longer", "shorter")}


def headline(results: Results, verdict: Verdict | None = None) -> str:
    """The advice about a variant in one sentence; the verdict of the readout by default."""
    verdict = verdict or results.verdict
    arm = clean(verdict.arm)
    if verdict.verdict == "INVALID":
        why = (
            sentence(reasons.text(results, verdict, verdict.reasons[0]))
            if verdict.reasons
            else "the data fail a trust check."
        )
        return f"No conclusion about {arm}: {_lower(why, results.metrics)}"
    text = finding(results, verdict)
    word = {
        "SHIP": "Ship",
        "DO NOT SHIP": "Do not ship",
        "KEEP RUNNING": "Keep running",
        "INCONCLUSIVE": "No conclusion about",
    }[verdict.verdict]
    return f"{word} {arm}: {_lower(text, results.metrics)}"


def finding(results: Results, verdict: Verdict) -> str:
    """The sentence about the metric on which the verdict rests, and how much longer to run."""
    if verdict.verdict == "INVALID":
        return "No conclusion can be drawn from these data."
    codes = {reason.code for reason in verdict.reasons}
    deciding = _deciding(results, verdict, codes)
    if deciding is None:
        return "There is no comparison of the primary metric."
    metric, comparison = deciding
    if verdict.verdict == "KEEP RUNNING":
        return f"{_so_far(results, metric, comparison)} {more_needed(verdict, results.setup)}".strip()
    text = effect(metric, comparison, results.setup.unit, results.monitoring.rule)
    if codes & {"no_benefit", "below_minimum_effect"} and verdict.verdict == "DO NOT SHIP":
        text = _no_benefit(metric, comparison)
    longer = new_run(verdict, results.setup) if verdict.verdict == "INCONCLUSIVE" else _decided(results)
    return f"{text} {longer}".strip()


def _so_far(results: Results, metric: MetricResult, comparison: Comparison) -> str:
    """The figures before the declared end, without a claim."""
    rule = results.monitoring.rule
    text = effect(metric, comparison, results.setup.unit, rule)
    if silent(comparison, rule):
        return _not_judged(metric, comparison, f"because {why_silent(results)}")
    if comparison.difference is None or (rule == "hybrid" and half_open(comparison)):
        return text
    as_lift = comparison.lift is not None
    size = (
        formatting.lift(comparison.lift) if comparison.lift is not None else _difference(metric)(comparison.difference)
    )
    interval = comparison.lift_interval if as_lift else comparison.difference_interval
    form = formatting.lift if as_lift else _difference(metric)
    fits = f" (the data fit {ends(interval, form)})" if interval not in (None, (None, None)) else ""
    return f"{titled(metric)}: {size} seen so far{fits}."


def new_run(verdict: Verdict, setup: Setup) -> str:
    """`A new run would need about 61,000 visitors, 31 days at this traffic.`; empty where the size is unknown."""
    if verdict.new_run_units is None:
        return ""
    units = formatting.plural(verdict.new_run_units, clean(setup.unit))
    days = verdict.new_run_days
    if days is None:
        return f"A new run would need about {units}."
    if days > 365:
        return f"A new run would need about {units}: at this traffic more than a year."
    return f"A new run would need about {units}, {formatting.plural(days, 'days')} at this traffic."


def effect(metric: MetricResult, comparison: Comparison, unit: str, rule: Rule = "fixed") -> str:
    """One sentence about one variant on one metric, in the words of its role and status."""
    if metric.role == "guardrail" and comparison.status != "descriptive":
        return guardrail(metric, comparison, rule=rule)
    if comparison.difference is None and comparison.difference_interval is None:
        reasons = [*comparison.notes, *filter(None, [comparison.lift_note])]
        why = " ".join(map(note_texts.text, comparison.notes or reasons)) or "the data do not allow a comparison"
        return f"No answer for {named(metric)}: {_lower(sentence(why), [metric])}"
    if comparison.status in ("better", "worse"):
        return _moved(metric, comparison, unit)
    if comparison.status == "descriptive":
        return _described(metric, comparison, unit)
    if silent(comparison, rule):
        return _not_judged(metric, comparison, "at this look")
    if rule == "hybrid" and half_open(comparison):
        return f"Harm to {named(metric)} is not shown: {_fits(metric, comparison)}. A win is not judged before the end."
    if comparison.status == "not_judged":
        return f"{titled(metric)}: {_fits(metric, comparison)} so far; not judged before the end."
    if comparison.held_back:
        return (
            f"{titled(metric)} is not judged, because the arms may differ in who answers: {_fits(metric, comparison)}."
        )
    return f"No clear effect on {named(metric)}: {_fits(metric, comparison)}."


def _not_judged(metric: MetricResult, comparison: Comparison, when: str) -> str:
    so_far = f" so far {formatting.lift(comparison.lift)}," if comparison.lift is not None else ""
    return f"{titled(metric)}:{so_far} not judged {when}."


def quote(metric: MetricResult, comparison: Comparison, unit: str, rule: Rule = "fixed") -> str:
    """A comparison in absolute numbers: `Per 10,000 visitors: 190 orders with control, 202 with variant, ...`."""
    values = {arm.name: arm.value for arm in metric.arms}
    control, variant = values.get(comparison.control), values.get(comparison.arm)
    if control is None or variant is None:
        return f"{titled(metric)} cannot be compared: an arm has no value."
    change = absolute(metric, comparison, unit, short=True)
    change += ", not judged at this look" if silent(comparison, rule) else ""
    # the arms' values are as measured, their difference is not the adjusted effect
    change = f" as measured; adjusted, {change}." if comparison.method.is_adjusted else f": {change}."
    names = clean(comparison.control), clean(comparison.arm)
    if metric.unit == "share":
        among = f"{formatting.count(PER)} {group(metric, unit)}"
        whole = f"{titled(metric)}: of {among}" if done(metric) else f"Out of {among}"
        start = f"{whole}, {_rate(control)} {counted(metric)} with {names[0]}"
        return f"{start} and {_rate(variant)} with {names[1]}{change}"
    start = f"{titled(metric)}: {formatting.value(control, metric.unit)} with {names[0]}"
    return f"{start} and {formatting.value(variant, metric.unit)} with {names[1]}{change}"


def absolute(metric: MetricResult, comparison: Comparison, unit: str, short: bool = False) -> str:
    """The difference in absolute numbers: shares per 10,000 units, means per unit, ratios as they are."""
    if comparison.difference is None:
        return "no difference could be computed"
    scale, comparatives, form = 1.0, _WORDS["value"], _significant
    if metric.unit == "hours":
        comparatives, form = _WORDS["hours"], _hours
    elif metric.unit == "points":
        form = _points
    if metric.unit == "share":
        scale, comparatives, form = float(PER), _WORDS["increase"], _whole
    x = scale * comparison.difference
    word = comparatives[0] if x >= 0 else comparatives[1]
    about = ""
    if metric.unit == "share" and not short:
        whole = group(metric, unit)
        about = f" {noun(metric, whole)} per {formatting.count(PER)}" + (
            f" {whole}" if countable(metric) and not done(metric) else ""
        )
    elif (
        metric.unit == "value"
        and metric.type != "quantile"
        and not short
        and f"per {formatting.singular(unit)}" not in named(metric)
    ):
        about = f" per {clean(formatting.singular(unit))}"
    change = f"{form(abs(x))} {word}{about}" if x else "no difference"
    return f"{change}{_range(comparison.difference_interval, scale, comparatives, form)}"


def guardrail(metric: MetricResult, comparison: Comparison, name_arm: bool = False, rule: Rule = "fixed") -> str:
    """Safe, unresolved or harmed, against the declared margin, and whether it is worse than no effect."""
    margin = metric.margin
    beyond = f" of more than {clean(margin.text)}" if margin else ""
    allowed = f"a harm{beyond}" if margin else "harm"
    interval = ends(scale_interval(comparison, margin), scale_form(metric, margin))
    fits = f"the data fit {interval}" if interval != "-" else "no interval could be computed"
    name = titled(metric) + (f" with {clean(comparison.arm)}" if name_arm else "")
    if silent(comparison, rule):
        return f"{name}: {comparison.status}, not judged at this look."
    if comparison.status == "harmed":
        by = f", by more than {clean(margin.text)}" if margin else ""
        return f"{name}: harmed{by} ({fits})."
    if comparison.status == "not_judged":
        return f"{name}: {fits} so far; not judged before the end."
    worse = _worse_than_nothing(metric, scale_interval(comparison, margin))
    if comparison.status == "safe":
        text = f"{name}: safe, {allowed} is excluded ({fits})."
        return text + (" It is worse than the control all the same, within what is tolerated." if worse else "")
    text = f"{name}: unresolved, {allowed} is not excluded ({fits})."
    if rule == "hybrid" and half_open(comparison):
        text = f"{name}: unresolved, {allowed} is not found ({fits}). Safety is not judged before the end."
    return text + (" It is worse than the control; by how much is open." if worse else "")


def more_needed(verdict: Verdict, setup: Setup) -> str:
    """`The end comes on 2024-03-25.` or `About 12 more days (21,600 visitors at 1,800 a day).`; empty where nothing is
    known."""
    unit = clean(setup.unit)
    if verdict.missing_units is None and verdict.end is not None:
        return f"The end comes on {verdict.end}."
    if verdict.missing_units is None:
        days = verdict.missing_days
        return f"About {formatting.plural(days, 'more days')} to go." if days else ""
    needed = formatting.plural(verdict.missing_units, unit)
    if verdict.missing_days is None:
        return (
            f"About {formatting.plural(verdict.missing_units, f'more {unit}')} to go." if verdict.missing_units else ""
        )
    rate = f"at {formatting.count(verdict.units_per_day)} a day" if verdict.units_per_day else "at the rate seen so far"
    rate += "" if setup.units_per_day or not verdict.units_per_day else ", the rate seen so far"
    return f"About {formatting.plural(verdict.missing_days, 'more days')} to go ({needed} {rate})."


def scale_interval(comparison: Comparison, size: Size | None) -> Interval | None:
    """The interval on the scale on which a size was declared: of the lift, or of the difference."""
    relative = size is None or size.relative
    return comparison.lift_interval if relative else comparison.difference_interval


def scale_form(metric: MetricResult, size: Size | None) -> Callable[[float], str]:
    """How a number on that scale is written."""
    if size is None or size.relative:
        return formatting.lift
    return _difference(metric)


def _difference(metric: MetricResult) -> Callable[[float], str]:
    if metric.unit == "share":
        return lambda x: formatting.difference(x, "share")
    if metric.unit in ("points", "hours"):
        return lambda x: formatting.difference(x, metric.unit)
    return lambda x: ("+" if x >= 0 else "") + _significant(x)


def _deciding(results: Results, verdict: Verdict, codes: set[str]) -> tuple[MetricResult, Comparison] | None:
    """The metric on which the verdict about an arm rests: a harmed guardrail, else the primary that moved."""
    pairs = [(m, c) for m in results.metrics for c in m.comparisons if c.arm == verdict.arm]
    main = [pair for pair in pairs if pair[0].role == "primary"]
    wanted = {"SHIP": "better", "DO NOT SHIP": "worse"}.get(verdict.verdict, "")
    decided = [pair for pair in main if pair[1].status == wanted]
    if "guardrail_harm" in codes and not decided:
        decided = [pair for pair in pairs if pair[1].status == "harmed"]
    return next(iter(decided or main), None)


def _decided(results: Results) -> str:
    """The sentence about a verdict before the planned size, which sequential monitoring allows; empty otherwise."""
    monitoring = results.monitoring
    if monitoring.rule == "fixed" or monitoring.information is None or monitoring.information >= 1:
        return ""
    return f"Decided at {share_of_plan(monitoring.information)}, corrected for repeated looks."


def _no_benefit(metric: MetricResult, comparison: Comparison) -> str:
    size = metric.minimum_effect
    least = f"of at least {clean(size.text)}, the minimum effect," if size else "that matters"
    interval = ends(scale_interval(comparison, size), scale_form(metric, size))
    return f"An improvement of {named(metric)} {least} is excluded: the data fit {interval}."


def _moved(metric: MetricResult, comparison: Comparison, unit: str) -> str:
    """`orders rose by 6.3% (0.5% to 12.4%), 12 more orders per 10,000 visitors (1 to 23 more).`"""
    sign = comparison.difference if comparison.difference is not None else comparison.lift
    up = sign is None or sign >= 0
    name = titled(metric)
    text = f"{name} {'rose' if up else 'fell'}"
    if comparison.lift is not None:
        text += f" by {_size(comparison.lift)}{_sizes(comparison.lift_interval, up)}, "
    else:
        text += ": "
    text += absolute(metric, comparison, unit)
    usual = metric.goal == "increase" and comparison.status == "better"
    return text + ("." if usual else f", which is {comparison.status}.")


def _described(metric: MetricResult, comparison: Comparison, unit: str) -> str:
    text = f"{titled(metric)}: {absolute(metric, comparison, unit)}"
    if comparison.lift is not None:
        text += f", {formatting.lift(comparison.lift)}"
    return f"{text}; described, not tested."


def _fits(metric: MetricResult, comparison: Comparison) -> str:
    interval = comparison.lift_interval
    form: Callable[[float], str] = formatting.lift
    if interval is None or interval == (None, None):
        interval, form = comparison.difference_interval, _difference(metric)
    if interval is None or interval == (None, None):
        return "the data do not bound it"
    return f"the data fit {formatting.anything_in(*(None if end is None else form(end) for end in interval))}"


def _worse_than_nothing(metric: MetricResult, interval: Interval | None) -> bool:
    low, high = interval or (None, None)
    return (low is not None and low > 0) if metric.goal == "decrease" else (high is not None and high < 0)


def _size(lift: float) -> str:
    return formatting.lift(abs(lift)).removeprefix("+")


def _sizes(interval: Interval | None, up: bool) -> str:
    """` (0.5% to 12.4%)` of a rise, or negated of a fall; with signs where the interval contains both."""
    if interval is None or interval == (None, None):
        return ""
    low, high = interval if up else (_minus(interval[1]), _minus(interval[0]))
    if low is not None and low < 0:
        return f" ({ends(interval, formatting.lift)})"
    return f" ({ends((low, high), _size)})"


def _range(interval: Interval | None, scale: float, comparatives: tuple[str, str], form: Callable[[float], str]) -> str:
    """` (3 to 73 more)`, ` (3 to 73 fewer)`, ` (12 fewer to 73 more)`; open ends in words."""
    if interval is None or interval == (None, None):
        return ""
    low, high = (None if end is None else scale * end for end in interval)
    upward, downward = comparatives
    bare = _significant if form is _hours else (lambda x: f"{x:.1f}") if form is _points else form
    if low is not None and low >= 0:
        return f" ({bare(low)} to {form(high)} {upward})" if high is not None else f" (at least {form(low)} {upward})"
    if high is not None and high <= 0:
        return (
            f" ({bare(-high)} to {form(-low)} {downward})"
            if low is not None
            else f" (at least {form(-high)} {downward})"
        )
    if low is None:
        return f" (up to {form(high or 0)} {upward})"
    if high is None:
        return f" (from {form(-low)} {downward} upwards)"
    return f" ({form(-low)} {downward} to {form(high)} {upward})"


def _whole(x: float) -> str:
    """A count per 10,000: a whole number from 0.95 on, else two significant digits."""
    return formatting.count(x) if x == 0 or x >= 0.95 else formatting.significant(x, 2)


def _significant(x: float) -> str:
    return formatting.significant(x, 3)


def _points(x: float) -> str:
    return f"{x:.1f} points"


def _hours(x: float) -> str:
    return f"{_significant(x)} h"


def _rate(share: float) -> str:
    return _whole(PER * share)


def _minus(x: float | None) -> float | None:
    return None if x is None else -x


def _lower(text: str, metrics: Iterable[MetricResult]) -> str:
    """The sentence after a colon: small first letter, unless it starts with a name or an abbreviation."""
    name_first = any(named(metric)[:1].isupper() and text.startswith(named(metric)) for metric in metrics)
    return text if name_first or text[1:2].isupper() else text[:1].lower() + text[1:]
