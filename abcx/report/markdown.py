"""The readout in Markdown for GitHub and GitLab, with every check, file and definition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from urllib.parse import quote

from abcx import formatting
from abcx.report import (
    effect_over_time,
    fragments,
    funnels,
    largest,
    lifetimes,
    markdown_card,
    monitoring,
    note_texts,
    notes,
    quantities,
    reasons,
    replay,
    row_balance,
    segments,
    sensitivity,
    sentences,
    surveys,
)
from abcx.report.console import draw
from abcx.report.markup import block, bullets, code, escape, link, prose, table
from abcx.report.terminal import bars, bars_of_all
from abcx.results.metric import Comparison, MetricResult
from abcx.results.monitoring import unjudged
from abcx.results.readout import Results, Verdict

WIDTH = 96
GLOSSARY = {
    "Lift": "the difference as a part of the control's value: from 2.0% to 2.2% is a lift of +10%, or +0.2 pp.",
    "pp": "percentage points, the difference of two shares.",
    "Interval": "the effects that the data fit; a 95% interval misses the true effect in one of 20 experiments.",
    "p": "how often chance alone would show a difference at least this large if there were none.",
    "Primary metric": "what the experiment was run for; it decides.",
    "Guardrail": "what must not get worse by more than its margin, the harm that is tolerated.",
    "Minimum effect": "the smallest effect worth having, declared before the data were seen.",
    "srm": "sample ratio mismatch: the arms' sizes do not fit the declared split, so that the arms cannot be compared.",
}
LOOKS = (
    "looking early and stopping at a good result raises false alarms; here the levels are stricter at each look, so "
    "that all looks together keep the level. Effects that stop an experiment early are often overstated."
)
PRIOR = (
    "what was believed before the data: lifts are normal around 0 with this standard deviation. The lift beside it is "
    "shrunk toward 0; the chance and the loss hold as far as the prior does, and decide nothing here."
)


def render(results: Results, summary: bool = False, images: Mapping[str, str] | None = None) -> str:
    """The readout as one Markdown document: the card, then everything else folded, or the card alone as `summary`.

    `images` are figures in files beside it, with what they show. What users wrote is shown as they wrote it, never as
    markup.
    """
    card = markdown_card.render(results)
    if summary:
        return card
    folded = [_details(title, list(section(results))) for title, section in SECTIONS]
    shown = [f"![{escape(label)}]({quote(name)})" for name, label in (images or {}).items()]
    return "\n\n".join([card.rstrip("\n"), *filter(None, [_details("Figures", shown), *folded])]) + "\n"


def _details(title: str, blocks: list[str]) -> str:
    """A folded section; empty where it has nothing."""
    return f"<details><summary>{title}</summary>\n\n" + "\n\n".join(blocks) + "\n\n</details>" if blocks else ""


def _why(results: Results) -> Iterator[str]:
    for verdict in fragments.headline_first(results):
        yield f"**{verdict.verdict}**: {escape(verdict.arm)}. {prose(sentences.finding(results, verdict))}"
        lines = list(_reasons(results, verdict))
        if verdict == results.verdict:
            lines += [f"Read with care: {prose(text)}" for text in sensitivity.care(results)]
        if lines:
            yield bullets(lines)


def _reasons(results: Results, verdict: Verdict) -> Iterator[str]:
    for head, group in (("Because", verdict.reasons), ("Read with care", verdict.warnings)):
        for reason in group:
            text = fragments.sentence(reasons.text(results, verdict, reason))
            yield f"{head}: {prose(text)} ({escape(reason.code)})"


def _trust(results: Results) -> Iterator[str]:
    if not results.checks:
        yield "No checks were run."
        return
    order = {"fail": 0, "warn": 1, "pass": 2, "skipped": 3}
    rows = []
    for check in sorted(results.checks, key=lambda check: order[check.status]):
        text = fragments.sentence(check.message) + (f" {fragments.sentence(check.help)}" if check.help else "")
        outcome = f"**{check.status}**" if check.status in ("fail", "warn") else check.status
        p = fragments.shown(check.p_value, formatting.p_value)
        rows.append([escape(check.code), outcome, prose(text), p])
    yield table(("check", "outcome", "what was found", "p"), rows, "lllr")


def _setup(results: Results) -> Iterator[str]:
    setup = results.setup
    planned = None
    if setup.planned_units is not None:
        planned = formatting.plural(setup.planned_units, setup.unit)
        planned += f", {note_texts.text(setup.planned_from)}" if setup.planned_from else ""
    each = setup.power_each if setup.power_each is not None and setup.power_each > setup.power else None
    bounded, called_for = setup.power_bounded, None
    if setup.needed_units is not None and setup.planned_units is None and setup.needed_from is not None:
        source = note_texts.text(setup.needed_from)
        called_for = f"{formatting.plural(setup.needed_units, setup.unit)}, {source}: for information"
    facts: dict[str, str | None] = {
        "Experiment": results.experiment,
        "Hypothesis": setup.hypothesis,
        "Description": setup.description,
        "Owner": fragments.owner(results),
        "Tags": ", ".join(setup.tags),
        "Links": ", ".join(setup.links) or None,
        "Arms": ", ".join(f"{arm.name} {formatting.significant(round(100 * arm.share, 2))}%" for arm in results.arms),
        "Unit": setup.unit,
        "Period": setup.period,
        "Exposure": setup.exposure,
        "Window": setup.window,
        "Level and correction": f"alpha {formatting.significant(setup.alpha)}, {setup.correction}",
        **dict(monitoring.facts(results)),
        "Planned size": planned,
        "Size called for": called_for,
        "Power": formatting.percent(setup.power, 0),
        "Power of each metric": None if each is None else formatting.percent(each, 0),
        "Power with the bounds on who answers": None if bounded is None else formatting.percent(bounded, 0),
        "Factor for looks": f"{setup.looks_inflation:.3f}" if setup.looks_inflation > 1 else None,
        "Units a day": None if setup.units_per_day is None else formatting.count(setup.units_per_day),
        "Segments": ", ".join(setup.segments),
        "Seed": str(setup.seed),
        "Spec": setup.spec and formatting.place(setup.spec),
        "SHA-256 of the spec": setup.spec_sha256,
    }
    written = {name: escape(text) for name, text in facts.items() if text}
    written |= {"Links": ", ".join(map(link, setup.links))} if setup.links else {}
    yield table(("what", "as declared"), list(written.items()))
    if rows := monitoring.boundaries(results):
        overall = f"level {monitoring.alpha_words(setup.alpha)}"
        yield f"Boundaries so far: a result beyond z, or whose ordinary p is below this p, decides ({overall} overall)."
        yield table(("look", "planned size", "z", "p"), rows, "rrrr")


def _primaries(results: Results) -> Iterator[str]:
    for metric in fragments.primaries(results):
        yield f"### {escape(fragments.titled(metric))} ({escape(metric.name)})"
        yield _definition(metric)
        yield _arms(results, [metric])
        yield from _effects(results, metric)
        if results.verdict.verdict == "INVALID":
            yield "**Not to be quoted: a trust check forbids a conclusion.**"
        elif metric.comparisons:
            yield bullets(escape(sentences.effect(results, metric, c)) for c in metric.comparisons)
        else:
            yield "No comparison could be made."
        if lines := notes.of_metric(results, metric):
            yield bullets(map(escape, lines))


def _definition(metric: MetricResult) -> str:
    parts = [fragments.sentence(metric.definition)] if metric.definition else []
    parts.append(fragments.sentence(fragments.goal(metric)))
    least, margin = metric.minimum_effect, metric.margin
    parts += [f"Minimum effect {quantities.declared(metric, least)}."] if least else []
    parts += [f"Tolerated harm {quantities.declared(metric, margin)}."] if margin else []
    return escape(" ".join(parts))


def _arms(results: Results, metrics: Sequence[MetricResult]) -> str:
    level = fragments.level(results.setup.alpha)
    heads = ("metric", "arm", escape(results.setup.unit), "with it", "value", f"{level} interval")
    rows = [
        (
            *(
                escape(fragments.titled(metric)),
                escape(arm.name),
                formatting.count(arm.units),
                fragments.shown(arm.successes, formatting.count),
            ),
            *(fragments.value(arm.value, metric), fragments.value_interval(arm.interval, metric)),
        )
        for metric in metrics
        for arm in metric.arms
    ]
    return table(heads, rows, "llrrrr")


def _effects(results: Results, metric: MetricResult) -> Iterator[str]:
    if metric.comparisons:
        yield _comparisons(results, [metric])
    if drawn := draw([bars(metric, WIDTH)], WIDTH, color=False, ascii=False).strip("\n"):
        yield block(drawn)
    yield from map(escape, monitoring.levels(results, metric))


def _comparisons(results: Results, metrics: Iterable[MetricResult]) -> str:
    heads = ("metric", "variant", "difference", "lift", "p", "adjusted p", "level", "method", "status")
    rows = [_comparison(results, metric, comparison) for metric in metrics for comparison in metric.comparisons]
    return table(heads, rows, "llrrrrrll")


def _comparison(results: Results, metric: MetricResult, comparison: Comparison) -> tuple[str, ...]:
    rule = results.monitoring.rule
    difference, interval = fragments.effect(metric, comparison, False, rule)
    lift = fragments.NOTHING
    if fragments.has_lift(comparison):
        lift, ends = fragments.effect(metric, comparison, True, rule)
        lift += f" ({ends})" if comparison.lift_interval is not None else ""
    p = adjusted = fragments.NOTHING
    if not unjudged(comparison, rule):
        p = fragments.p_value(comparison, rule)
        adjusted = fragments.shown(comparison.p_value_adjusted, lambda p: formatting.p_value(p, results.setup.alpha))
    return (
        *(escape(fragments.titled(metric)), escape(comparison.arm), f"{difference} ({interval})", lift),
        *(p, adjusted, fragments.level(comparison.alpha)),
        *(escape(fragments.method(comparison)), comparison.status),
    )


def all_metrics(results: Results, drawn: bool = True) -> Iterator[str]:
    """Every metric in detail, with bars of text where nothing else draws them."""
    if drawn:
        forest, legend = bars_of_all(results, WIDTH)
        yield block(draw([forest], WIDTH, color=False, ascii=False))
        if legend:
            yield escape(legend)
    others = [metric for metric in results.metrics if metric.role != "primary"]
    if not others:
        return
    lines = []
    for metric in others:
        lines.append(
            f"**{escape(fragments.titled(metric))}** ({escape(metric.name)}, {metric.role}): {_definition(metric)}"
        )
        if results.verdict.verdict != "INVALID":
            lines += [f"  - {escape(line)}" for line in _sentences_of(results, metric)]
        lines += [f"  - {escape(note)}" for note in notes.of_metric(results, metric)]
    yield "\n".join(line if line.startswith("  - ") else f"- {line}" for line in lines)
    yield _arms(results, others)
    if any(metric.comparisons for metric in others):
        yield _comparisons(results, others)
        yield from map(escape, monitoring.levels_of_role(results, "secondary"))


def _sentences_of(results: Results, metric: MetricResult) -> Iterator[str]:
    several = len(metric.comparisons) > 1
    for comparison in metric.comparisons:
        arm = f"{comparison.arm}: " if several else ""
        text = sentences.effect(results, metric, comparison)
        if comparison.p_value_margin is not None:
            text += f" Against the margin, one-sided: {formatting.p_words(comparison.p_value_margin)}."
        yield arm + text
    if not metric.comparisons:
        yield "Shown, not compared."


def _later(results: Results) -> Iterator[str]:
    if results.replay is None:
        return
    yield from map(escape, replay.line(results))
    yield table(
        replay.HEADS, [(escape(name), escape(arm), *figures) for name, arm, *figures in replay.rows(results)], "llrrr"
    )


def _sensitivity(results: Results) -> Iterator[str]:
    if not results.sensitivity:
        return
    names = ", ".join(escape(fragments.titled(metric)) for metric in fragments.primaries(results)[:1])
    yield f"The same data analyzed in other ways; lift and p are those of {names} with {escape(results.verdict.arm)}."
    yield from map(escape, sensitivity.line(results))
    rows = [(escape(change), *figures) for change, *figures in sensitivity.rows(results)]
    yield table(("what was changed", "verdict", "lift", "p", "holds"), rows, "llrrl")


def _decompositions(results: Results) -> Iterator[str]:
    if not results.decompositions:
        return
    heads = ["factor", escape(results.control.name)]
    for arm in results.arms[1:]:
        heads += [escape(arm.name), f"lift of {escape(arm.name)}"]
    for decomposition in results.decompositions:
        factors = zip(
            ("", "= ", "\N{MULTIPLICATION SIGN} "),
            (decomposition.total, decomposition.first, decomposition.second),
            strict=True,
        )
        rows = [
            [sign + escape(name), *cells]
            for sign, factor in factors
            for name, *cells in [fragments.factor(results, factor, decomposition.total)]
        ]
        yield table(heads, rows, "l" + "r" * (len(heads) - 1))


def _data(results: Results) -> Iterator[str]:
    log = results.data
    times = {"First exposure": log.first_exposure, "Last exposure": log.last_exposure, "Data up to": log.as_of}
    lines = [f"{label}: {escape(formatting.moment(time))}" for label, time in times.items() if time]
    lines += [prose(fragments.sentence(note)) for note in notes.of_data(log.notes)]
    if lines:
        yield bullets(lines)
    if log.files:
        rows = [
            (
                escape(formatting.place(file.path)),
                escape(file.role),
                formatting.count(file.rows),
                file.sha256 or fragments.NOTHING,
            )
            for file in log.files
        ]
        yield table(("file", "serves", "rows", "SHA-256"), rows, "llrl")
    if log.balance:
        ended = [
            (
                escape(source.part),
                escape(formatting.place(source.file)),
                formatting.count(source.read),
                formatting.count(source.used),
                row_balance.left_out(source) or fragments.NOTHING,
            )
            for source in log.balance
        ]
        yield table(("rows of", "file", "read", "used", "left out"), ended, "llrrl")
    if not log.exclusions:
        if not any(source.left_out for source in log.balance):
            yield "Nothing was left out."
        return
    left_out = []
    for exclusion in log.exclusions:
        arms = (
            ", ".join(f"{escape(name)} {formatting.count(n)}" for name, n in exclusion.by_arm.items())
            or fragments.NOTHING
        )
        counts = fragments.shown(exclusion.units, formatting.count), fragments.shown(exclusion.rows, formatting.count)
        p = fragments.shown(exclusion.p_value, formatting.p_value)
        left_out.append((escape(exclusion.reason), prose(fragments.sentence(exclusion.message)), *counts, arms, p))
    heads = ("left out", "why", escape(results.setup.unit), "rows", "by arm", "p of equal loss")
    yield table(heads, left_out, "llrrlr")


def _methods(results: Results) -> Iterator[str]:
    for title, items in (("Methods", results.methods), ("Limits", results.limits)):
        if items:
            yield f"**{title}**"
            yield bullets(prose(fragments.sentence(note_texts.text(item))) for item in items)


def _glossary(results: Results) -> Iterator[str]:
    entries = dict(GLOSSARY)
    entries |= {"Looks": LOOKS} if results.monitoring.rule != "fixed" else {}
    entries |= {"Prior": PRIOR} if any(c.bayes for metric in results.metrics for c in metric.comparisons) else {}
    yield bullets(f"**{word}**: {meaning}" for word, meaning in entries.items())
    version = escape(f"Written by abcx {results.abcx_version}")
    command = fragments.again(results)
    yield f"{version}. To write it again: {code(command)}" if command else f"{version}."


SECTIONS = (
    ("Why this verdict", _why),
    ("The primary metric in detail", _primaries),
    ("All metrics in detail", all_metrics),
    ("Effect over time", effect_over_time.section),
    ("Funnels", funnels.section),
    ("By segment", segments.section),
    ("Answers", surveys.section),
    ("Times", lifetimes.section),
    ("Largest values", largest.section),
    ("Where the effect comes from", _decompositions),
    ("Does the verdict hold?", _sensitivity),
    ("What later data show", _later),
    ("All trust checks", _trust),
    ("What was set up", _setup),
    ("What was done to the data", _data),
    ("Methods and limits", _methods),
    ("Glossary, and how to write this again", _glossary),
)
"""Folded sections by title, in the order of the page."""
