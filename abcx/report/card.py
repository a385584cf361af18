"""The card of a readout: what a reader with ten seconds needs. Terminal, Markdown, HTML and Slack draw it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from abcx import formatting
from abcx.formatting import clean
from abcx.report import fragments, quantities, sentences, trust
from abcx.report.next_steps import next_steps
from abcx.report.trust import Concern
from abcx.results.metric import Comparison, MetricResult
from abcx.results.monitoring import silent
from abcx.results.readout import Impact, Results, VerdictWord

Tone = Literal["good", "bad", "open", "quiet"]
MOST_ARMS = 4
"""Arms whose units are each given."""
SIMULATED = "SIMULATED DATA"
INVALID = "No effects are shown: figures from data that cannot be trusted mislead."
_RESULTS: dict[str, tuple[str, Tone]] = {
    "better": ("better", "good"),
    "worse": ("worse", "bad"),
    "inconclusive": ("no clear effect", "open"),
    "safe": ("safe", "good"),
    "harmed": ("harmed", "bad"),
    "unresolved": ("not shown safe", "open"),
    "not_judged": ("not judged yet", "quiet"),
    "descriptive": ("not tested", "quiet"),
}
"""The word and the tone of every status."""
_VERDICTS: dict[VerdictWord, Tone] = {
    "SHIP": "good",
    "DO NOT SHIP": "bad",
    "INVALID": "bad",
    "KEEP RUNNING": "open",
    "INCONCLUSIVE": "open",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One comparison in the table of all metrics: texts, and the word and tone of its result."""

    metric: MetricResult
    comparison: Comparison
    label: str
    control: str
    variant: str
    effect: str
    interval: str
    result: str
    tone: Tone

    @property
    def sign(self) -> str:
        """A sign before the result, so that color says nothing alone; none where nothing moved."""
        return "" if self.comparison.status == "safe" else {"good": "▲", "bad": "▼"}.get(self.tone, "")


@dataclass(frozen=True, slots=True)
class Group:
    """The lines of a role, or of a family within it."""

    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """All texts of the card, as data: every renderer escapes them."""

    title: str
    word: VerdictWord
    arm: str
    simulated: bool
    sentence: str
    others: tuple[str, ...]
    steps: tuple[str, ...]
    trust: str
    concerns: tuple[Concern, ...]
    when: str
    who: str
    progress: str
    owner: str
    control: str
    variant: str
    groups: tuple[Group, ...]
    described: tuple[str, ...]
    interval: str
    levels: str
    worth: tuple[str, ...]

    @property
    def tone(self) -> Tone:
        """The tone of the verdict."""
        return _VERDICTS[self.word]

    @property
    def facts(self) -> tuple[str, ...]:
        """When, how many, how far and whose, as far as known."""
        return tuple(filter(None, (self.when, self.who, self.progress, self.owner)))

    @property
    def lines(self) -> list[Line]:
        """The lines of all groups."""
        return [line for group in self.groups for line in group.lines]


def card(results: Results) -> Card:
    """The card of a readout."""
    setup, verdict = results.setup, results.verdict
    invalid = verdict.verdict == "INVALID"
    return Card(
        title=clean(setup.title or results.experiment),
        word=verdict.verdict,
        arm=clean(verdict.arm),
        simulated=setup.simulated,
        sentence=sentences.finding(results, verdict),
        others=_others(results),
        steps=next_steps(results),
        trust=trust.in_one_line(results),
        concerns=_concerns(results),
        when=_when(results),
        who=_who(results),
        progress=_progress(results),
        owner=fragments.owner(results),
        control=clean(results.control.name),
        variant="variant" if len(results.arms) > 2 else clean(results.arms[1].name),
        groups=() if invalid else tuple(_groups(results)),
        described=() if invalid else tuple(_described(results)),
        interval=f"{_level(results)} interval".strip(),
        levels="" if invalid else _levels(results),
        worth=() if invalid else tuple(_worth(results)),
    )


def _concerns(results: Results) -> tuple[Concern, ...]:
    """What speaks against the result; where that is INVALID, warnings by their subject: they speak of effects."""
    listed = (*_tolerated(results), *trust.concerns(results))
    if results.verdict.verdict != "INVALID":
        return listed
    failed = tuple(concern for concern in listed if concern.fails)
    subjects = list(dict.fromkeys(concern.subject for concern in listed if not concern.fails))
    more = (Concern("more", f"Also to be looked at: {formatting.joined(subjects)}."),) if subjects else ()
    return failed + more


def _tolerated(results: Results) -> Iterator[Concern]:
    """Guardrails of the headline's arm that got worse within what is tolerated."""
    for metric in results.metrics:
        for comparison in metric.comparisons:
            is_safe = comparison.status == "safe" and comparison.arm == results.verdict.arm
            if is_safe and sentences.got_worse(metric, comparison):
                yield Concern(fragments.titled(metric), sentences.effect(results, metric, comparison))


def _others(results: Results) -> tuple[str, ...]:
    """The other variants: one or two in a sentence each, more by their verdict."""
    others = [verdict for verdict in results.verdicts if verdict.arm != results.verdict.arm]
    if len(others) <= 2:
        return tuple(f"{clean(v.arm)}: {v.verdict}. {sentences.finding(results, v)}" for v in others)
    by_word: dict[str, list[str]] = {}
    for verdict in others:
        by_word.setdefault(verdict.verdict, []).append(clean(verdict.arm))
    return tuple(f"{word}: {', '.join(arms)}." for word, arms in by_word.items())


def _when(results: Results) -> str:
    """The declared period, or the days of the first and the last exposure; empty where neither is known."""
    setup, data = results.setup, results.data
    first, last = setup.start or data.first_exposure, setup.end or data.last_exposure
    return formatting.days(first, last) if first and last else ""


def _who(results: Results) -> str:
    if len(results.arms) > MOST_ARMS:
        return f"{fragments.units(results)} in {len(results.arms)} arms"
    arms = ", ".join(f"{clean(arm.name)} {formatting.count(arm.units)}" for arm in results.arms)
    return f"{fragments.units(results)}: {arms}"


def _progress(results: Results) -> str:
    """How long still, or whether the plan was kept."""
    planned, total = results.setup.planned_units, sum(arm.units for arm in results.arms)
    if results.verdict.verdict == "KEEP RUNNING":
        longer = sentences.more_needed(results.verdict, results.setup)
        return f"still running {longer}".strip()
    if planned is None:
        return "no size was planned"
    if total >= planned:
        return "planned size reached"
    share = formatting.percent(total / planned, 0)
    return f"{share} of the planned {formatting.plural(planned, clean(results.setup.unit))}"


def _groups(results: Results) -> Iterator[Group]:
    """The judged comparisons by role, and by family where metrics of a role have one."""
    for role, metrics in fragments.by_role(results):
        if role == "descriptive":
            continue
        for family in dict.fromkeys(metric.family for metric in metrics):
            lines = [
                line_of(results, metric, comparison)
                for metric in metrics
                if metric.family == family
                for comparison in sorted(metric.comparisons, key=lambda c: c.arm != results.verdict.arm)
            ]
            if lines:
                heading = fragments.ROLES[role] + (f": {clean(family)}" if family else "")
                yield Group(heading, tuple(lines))


def most_important(card: Card, most: int) -> list[Line]:
    """So many lines of the table, in its order: primaries first, then what is harmed or worse, then guardrails."""
    ranked = [(_rank(line), n, line) for n, line in enumerate(card.lines)]
    kept = sorted(ranked, key=lambda item: item[:2])[:most]
    return [line for _, _, line in sorted(kept, key=lambda item: item[1])]


def _rank(line: Line) -> int:
    if line.metric.role == "primary":
        return 0
    return 1 if line.tone == "bad" else 2 if line.metric.role == "guardrail" else 3


def line_of(results: Results, metric: MetricResult, comparison: Comparison) -> Line:
    """A comparison as texts."""
    relative = fragments.shown_as_lift(metric, comparison)
    effect, interval = fragments.effect(metric, comparison, relative, results.monitoring.rule)
    form = quantities.form_of(metric, comparison)
    values = {arm.name: form.value(arm.value) for arm in metric.arms}
    several = len(results.arms) > 2
    word, tone = _RESULTS[comparison.status]
    if silent(comparison, results.monitoring.rule):
        word, tone = _RESULTS["not_judged"]
    if comparison.status == "safe" and sentences.got_worse(metric, comparison):
        word, tone = "safe, but worse", "open"
    if comparison.held_back:
        word, tone = "not judged", "open"
    label = fragments.titled(metric) + (f", {clean(comparison.arm)}" if several else "")
    control, variant = (values.get(name, quantities.NOTHING) for name in (comparison.control, comparison.arm))
    return Line(metric, comparison, label, control, variant, effect, interval, word, tone)


def _described(results: Results) -> Iterator[str]:
    """Metrics that are shown and not tested: `Order value: EUR 115, EUR 160`."""
    for metric in results.metrics:
        if metric.role == "descriptive" or not metric.comparisons:
            form = quantities.form_of(metric)
            values = ", ".join(f"{form.value(arm.value)} with {clean(arm.name)}" for arm in metric.arms)
            yield f"{fragments.titled(metric)} {values}"


def _level(results: Results) -> str:
    """The level of the intervals in the table; empty where they differ (the folded part gives each)."""
    levels = {fragments.level(c.alpha) for m in results.metrics if m.role != "descriptive" for c in m.comparisons}
    return levels.pop() if len(levels) == 1 else ""


def _levels(results: Results) -> str:
    """`Intervals are at 95% to 98.75%: wider where several comparisons are made.`; empty where all have one level."""
    alphas = {c.alpha for m in results.metrics if m.role != "descriptive" for c in m.comparisons}
    levels = [fragments.level(alpha) for alpha in (max(alphas, default=0.0), min(alphas, default=0.0))]
    if len(set(levels)) < 2:
        return ""
    return f"Intervals are at {levels[0]} to {levels[1]}: wider where several comparisons are made."


def _worth(results: Results) -> Iterator[str]:
    """For each variant `Shipping to all 19,600 visitors of a month: +110 orders a month (95% interval: ...).`"""
    by_arm: dict[str, list[Impact]] = {}
    harmful = {v.arm for v in results.verdicts if any(reason.code.endswith("_harm") for reason in v.reasons)}
    for impact in results.impact:
        if impact.arm not in harmful:
            by_arm.setdefault(impact.arm, []).append(impact)
    for arm, impacts in by_arm.items():
        units = f"{formatting.count(impacts[0].units_per_month)} {clean(results.setup.unit)}"
        named = f" {clean(arm)}" if len(results.arms) > 2 else ""
        yield f"Shipping{named} to all {units} of a month: {'; '.join(_change(results, one) for one in impacts)}."


def _change(results: Results, impact: Impact) -> str:
    """`+110 orders a month (95% interval: +20 to +200)`"""
    metric = results[impact.metric]
    form = quantities.of_total(metric, impact)
    interval = f"{fragments.level(impact.alpha)} interval: {form.differences(impact.interval)}"
    change = f"{form.difference(impact.change)} {fragments.counted_noun(metric)}a month"
    return f"{change} ({interval}){_carried(results, metric, impact.arm)}"


def _carried(results: Results, metric: MetricResult, arm: str) -> str:
    """What must be said with a worth that few large values carry."""
    check = next((check for check in results.checks if check.code == "outliers" and check.status == "warn"), None)
    suspect = check is not None and check.details.get("metrics", {}).get(metric.name, {}).get(arm, {}).get("suspect")
    return ", carried by a few large values" if suspect else ""
