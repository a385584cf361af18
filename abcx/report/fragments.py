"""The small pieces of text that every report shares: names made safe, intervals, levels, dates, notes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from abcx import formatting
from abcx.formatting import clean
from abcx.report import quantities
from abcx.results.metric import Comparison, HarmWatch, MetricResult, Role
from abcx.results.monitoring import Rule, silent, unjudged
from abcx.results.readout import CheckResult, Exclusion, Factor, Results, Setup, Verdict
from abcx.stats.records import Interval

ROLES: dict[Role, str] = {
    "primary": "Primary",
    "secondary": "Secondary",
    "guardrail": "Guardrails",
    "descriptive": "Descriptive",
}
NOTHING = "-"
TICKETS = "end_before_start"
"""The reason of an exclusion that counts tickets."""
UNEVEN = 0.01
"""Below this p-value the text says that more units were lost in one arm than in another."""


def titled(metric: MetricResult) -> str:
    """A metric's title, as it stands in tables and at the start of a sentence."""
    return clean(metric.title) or formatting.title_of(metric.name)


def inline(metric: MetricResult) -> str:
    """A metric's title in the middle of a sentence: `revenue per visitor`, `NPS`; one with capitals further on is a
    name and stays as it is."""
    title = titled(metric)
    return title if any(character.isupper() for character in title[1:]) else title[:1].lower() + title[1:]


def counted_noun(metric: MetricResult) -> str:
    """The noun of what a share or a count adds up to, with a space; nothing for money and other units, which say it."""
    says_itself = metric.currency is not None or (metric.unit_text is not None and metric.unit != "share")
    return "" if says_itself else f"{inline(metric)} "


def is_lift(comparison: Comparison, watch: HarmWatch | None = None) -> bool:
    """Whether an effect is written as a lift in a sentence: where it exists as such, and its interval (before the end
    that of the `watch`) if there is one at all."""
    decides = watch or comparison
    bounded = decides.lift_interval not in (None, (None, None))
    return comparison.lift is not None and (bounded or decides.difference_interval in (None, (None, None)))


def shown_as_lift(metric: MetricResult, comparison: Comparison) -> bool:
    """Whether an effect is shown as a lift: that of a guardrail on the scale of its margin, others where they have
    one."""
    if metric.role == "guardrail" and metric.margin is not None:
        return metric.margin.relative and has_lift(comparison)
    return has_lift(comparison)


def sentence(text: str) -> str:
    """A message as a sentence: capital first letter (a name with an underscore is left as it is), full stop."""
    text = clean(text)
    named = "_" in text.partition(" ")[0]
    return (text if named else text[:1].upper() + text[1:]) + (
        "" if not text or text.endswith((".", "!", "?")) else "."
    )


def shown(x: float | None, form: Callable[[float], str]) -> str:
    """A number, or a dash where it does not exist."""
    return NOTHING if x is None else form(x)


def value(x: float | None, metric: MetricResult) -> str:
    """A value of the metric in its own unit."""
    return quantities.form_of(metric).value(x)


def value_interval(interval: Interval | None, metric: MetricResult) -> str:
    """The interval of a value of the metric."""
    return quantities.form_of(metric).values(interval)


def effect(
    metric: MetricResult, comparison: Comparison, relative: bool = True, rule: Rule = "fixed"
) -> tuple[str, str]:
    """Estimate and interval in text: the lift, or the difference where a lift is not wanted or does not exist.

    `rule` is the monitoring rule; an interval that it leaves open at both ends is shown as `not judged`.
    """
    lift = relative and has_lift(comparison)
    form = quantities.same_scale(metric, comparison, lift)
    estimate = comparison.lift if lift else quantities.agreeing(metric, comparison)
    interval = comparison.lift_interval if lift else comparison.difference_interval
    return form.difference(estimate), "not judged" if silent(comparison, rule) else form.differences(interval)


def has_lift(comparison: Comparison) -> bool:
    """Whether there is anything to say about the lift."""
    bounded = comparison.lift_interval is not None and comparison.lift_interval != (None, None)
    return comparison.lift is not None or bounded


def p_value(comparison: Comparison, rule: Rule = "fixed") -> str:
    """The raw p-value as printed, a dash where there is none or this look does not judge it."""
    if unjudged(comparison, rule):
        return NOTHING
    return shown(comparison.p_value, lambda p: formatting.p_value(p, comparison.alpha))


def method(comparison: Comparison) -> str:
    """The method in words."""
    if not comparison.method.is_approximate:
        return comparison.method
    return f"permutation, {'adjusted, ' if comparison.method.is_adjusted else ''}approximate (fitted tail)"


def level(alpha: float) -> str:
    """The level of an interval: 95% for alpha = .05, 97.5% for .025."""
    return f"{formatting.significant(100 * (1 - alpha))}%"


def owner(results: Results) -> str:
    """Who answers questions, without an e-mail address: a readout is forwarded."""
    return re.sub(r"\s*<?([^\s@<>]+)@[^\s<>]+>?", r" \1", clean(results.setup.owner or "")).strip()


def when(results: Results) -> str:
    """The period as declared, else the days of the first and last exposure, else nothing."""
    if results.setup.period:
        return clean(results.setup.period)
    days = [time[:10] for time in (results.data.first_exposure, results.data.last_exposure) if time]
    return clean(" to ".join(dict.fromkeys(days)))


def units(results: Results) -> str:
    """`89,420 visitors`."""
    return formatting.plural(sum(arm.units for arm in results.arms), clean(results.setup.unit))


def all_metrics(results: Results) -> str:
    """The title of the forest, which says where its numbers must not be used."""
    return "All metrics" + (", not to be quoted" if results.verdict.verdict == "INVALID" else "")


def by_role(results: Results) -> list[tuple[Role, list[MetricResult]]]:
    """The metrics of each role that has any, primary first."""
    groups = [(role, [metric for metric in results.metrics if metric.role == role]) for role in ROLES]
    return [(role, metrics) for role, metrics in groups if metrics]


def headline_first(results: Results) -> list[Verdict]:
    """The verdict of every variant, that of the headline first."""
    return [results.verdict, *(verdict for verdict in results.verdicts if verdict.arm != results.verdict.arm)]


def primaries(results: Results) -> list[MetricResult]:
    """The primary metrics in the order of the spec."""
    return [metric for metric in results.metrics if metric.role == "primary"]


def goal(metric: MetricResult) -> str:
    """Which way is good, in words."""
    return {"increase": "more is better", "decrease": "less is better", None: "not judged"}[metric.goal]


def passed(check: CheckResult) -> str:
    """A passed check in a list of them: its code, with p where it has one."""
    return clean(check.code) + (f" ({formatting.p_words(check.p_value)})" if check.p_value is not None else "")


def skipped(checks: Iterable[CheckResult]) -> list[str]:
    """Skipped checks grouped by their help: `duration, sample_size (needs a period)`."""
    cures: dict[str, list[str]] = {}
    for check in checks:
        cures.setdefault(clean(check.help or check.message).rstrip("."), []).append(clean(check.code))
    return [f"{', '.join(codes)} ({cure})" if cure else ", ".join(codes) for cure, codes in cures.items()]


def card(results: Results) -> list[tuple[str, str]]:
    """The set-up card in short: label and text, only what was declared."""
    setup = results.setup
    arms = ", ".join(f"{clean(arm.name)} {formatting.significant(round(100 * arm.share, 2))}%" for arm in results.arms)
    measured = [f"split {arms}", f"exposure {clean(setup.exposure)}" if setup.exposure else ""]
    measured.append(f"window {clean(setup.window)}" if setup.window else "")
    return [
        (label, text)
        for label, text in (
            ("hypothesis", clean(setup.hypothesis or "")),
            ("design", " · ".join(text for text in measured if text)),
            ("rule", rule(results)),
        )
        if text
    ]


def rule(results: Results) -> str:
    """The level, the correction and the planned size."""
    setup = results.setup
    parts = [f"alpha {formatting.significant(setup.alpha)}", f"correction {clean(setup.correction)}"]
    if setup.planned_units is not None:
        planned = formatting.plural(setup.planned_units, clean(setup.unit))
        parts.append(f"{planned} planned{_power(setup)}{_bounded(setup)}")
    elif setup.needed_units is not None:
        parts.append(f"no size declared (the control as observed calls for {formatting.count(setup.needed_units)})")
    return " · ".join(parts)


def _power(setup: Setup) -> str:
    """The power behind a planned size; where margins raise that of each metric, both figures."""
    if setup.power_each is None:
        return ""
    each = f" ({formatting.percent(setup.power_each, 0)} for each metric)" if setup.power_each > setup.power else ""
    looks = f", {setup.looks_inflation:.2f} times for looks" if setup.looks_inflation > 1 else ""
    return f" for a power of {formatting.percent(setup.power, 0)}{each}{looks}"


def _bounded(setup: Setup) -> str:
    """The power that is left where the answers of a survey are bounded."""
    if setup.power_bounded is None:
        return ""
    return f", {formatting.percent(setup.power_bounded, 0)} with the bounds on who answers"


def factor(results: Results, one: Factor, total: Factor) -> list[str]:
    """A line of a decomposition: name, value of the control, then value and lift of each variant. A factor that is no
    metric itself is in the unit of the total."""
    of = [metric for metric in results.metrics if metric.name in (one.name, total.name)]
    metric = next((metric for metric in of if metric.name == one.name), of[0] if of else None)

    def form(x: float) -> str:
        return formatting.value(x, one.unit) if metric is None else quantities.form_of(metric).value(x)

    line = [formatting.title_of(one.name), shown(one.values.get(results.control.name), form)]
    for arm in results.arms[1:]:
        line += [shown(one.values.get(arm.name), form), shown(one.lifts.get(arm.name), formatting.lift)]
    return line


def exclusion(results: Results, one: Exclusion) -> str:
    """`crossover 12 visitors (60 rows)`."""
    units = None if one.units is None else formatting.plural(one.units, clean(results.setup.unit))
    rows = None if one.rows is None else formatting.plural(one.rows, "tickets" if one.reason == TICKETS else "rows")
    counts = f"{units} ({rows})" if units and rows else units or rows or "not counted"
    uneven = one.p_value is not None and one.p_value < UNEVEN
    differs = f", more in one arm than in another ({formatting.p_words(one.p_value or 0.0)})" if uneven else ""
    return f"{clean(one.reason)} {counts}{differs}"


def again(results: Results) -> str | None:
    """The command that writes this readout again; None where it did not come from a spec file."""
    return results.setup.command and clean(results.setup.command)
