"""The whole readout for a terminal (`--full`): the card, then everything else; readable at 80 columns, without color
and when piped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from abcx import formatting
from abcx.report import (
    effect_over_time,
    fragments,
    funnels,
    lifetimes,
    monitoring,
    note_texts,
    notes,
    reasons,
    replay,
    row_balance,
    segments,
    sensitivity,
    sentences,
    surveys,
    terminal_card,
)
from abcx.report.console import STYLES, draw, grid
from abcx.report.forest import Row, forest, of_metric
from abcx.results.metric import Comparison, MetricResult
from abcx.results.monitoring import Rule
from abcx.results.readout import CheckResult, Results


def render(results: Results, width: int = 100, color: bool = False, ascii: bool = False) -> str:
    """The card and then everything else as text, no line wider than `width`; `ascii` for a stdout that cannot encode
    box drawings."""
    parts: list[RenderableType] = [_heading("Why this verdict", width), *_why(results)]
    parts += [_heading("Can these data be trusted?", width), *_trust(results)]
    parts += [_heading("What was set up", width), _setup(results)]
    for metric in fragments.primaries(results):
        parts += [_heading(f"Primary metric: {fragments.titled(metric)} ({formatting.clean(metric.name)})", width)]
        parts += _primary(results, metric, width, ascii)
    parts += [_heading(fragments.all_metrics(results), width), *_forest(results, width, ascii)]
    for metric in segments.shown(results):
        parts += [_heading(f"{fragments.titled(metric)} by segment, {segments.LABEL}", width)]
        parts += [segments.forest(metric, width, ascii), *map(_line, segments.told(results, metric))]
    if results.decompositions:
        parts += [_heading("Where the effect comes from", width), _decompositions(results)]
    parts += [_heading("What was done to the data", width), *_data(results)]
    parts += [_heading("Methods and limits", width), *_methods(results)]
    return terminal_card.render(results, width, color, ascii, alone=False) + draw(parts, width, color, ascii)


def _heading(title: str, width: int) -> Text:
    text = Text(f"── {title} ", style="bold", overflow="fold")
    text.append("─" * max(0, width - text.cell_len))
    return text


def _line(text: str, style: str = "") -> Text:
    return Text(text, style=style, overflow="fold")


def _why(results: Results) -> list[RenderableType]:
    """The reasons of every verdict and what weakens it, with their codes."""
    table = grid("ll")
    for verdict in fragments.headline_first(results):
        for head, group in (("because", verdict.reasons), ("with care", verdict.warnings)):
            for reason in group:
                text = fragments.sentence(reasons.text(results, verdict, reason))
                label = f"{formatting.clean(verdict.arm)}, {head}" if len(results.verdicts) > 1 else head
                table.add_row(Text(label, style="dim"), _line(f"{text} ({formatting.clean(reason.code)})"))
    return [table]


def _trust(results: Results) -> list[RenderableType]:
    groups: dict[str, list[CheckResult]] = {"fail": [], "warn": [], "pass": [], "skipped": []}
    for check in results.checks:
        groups[check.status].append(check)
    table = grid("ll")
    for check in groups["fail"] + groups["warn"]:
        text = Text.assemble((formatting.clean(check.code), "bold"), f": {fragments.sentence(check.message)}")
        if check.help:
            text.append(f" {fragments.sentence(check.help)}")
        table.add_row(Text(check.status, style=STYLES[check.status]), text)
    if groups["pass"]:
        names = ", ".join(fragments.passed(check) for check in groups["pass"])
        table.add_row(Text("pass", style=STYLES["pass"]), _line(names))
    if groups["skipped"]:
        table.add_row(Text("skipped", style=STYLES["skipped"]), _line("; ".join(fragments.skipped(groups["skipped"]))))
    return [table] if results.checks else [_line("No checks were run.")]


def _setup(results: Results) -> Table:
    table = grid("ll")
    entries = [*fragments.card(results), ("looks", monitoring.in_short(results))]
    for label, text in entries if entries[-1][1] else entries[:-1]:
        table.add_row(Text(label, style="dim"), _line(text))
    return table


def _primary(results: Results, metric: MetricResult, width: int, ascii: bool) -> list[RenderableType]:
    """Values per arm and the effects in one table, then a bar and a sentence per variant."""
    definition = fragments.sentence(
        f"{metric.definition}, {fragments.goal(metric)}" if metric.definition else fragments.goal(metric)
    )
    parts: list[RenderableType] = [_line(definition), _effects(results, metric)]
    parts += [_line(text) for text in monitoring.levels(results, metric)]
    parts += [bars(metric, width, ascii)]
    if not metric.comparisons:
        parts.append(_line("No comparison could be made."))
    elif results.verdict.verdict == "INVALID":
        parts.append(_line("Not to be quoted: a trust check forbids a conclusion.", STYLES["fail"]))
    else:
        parts += [_line(sentences.effect(results, metric, c), "bold") for c in metric.comparisons]
    lines = [
        *notes.in_short(results, [metric]),
        *_lines_of_type(results, metric, ascii),
        *effect_over_time.line(results, metric),
    ]
    return parts + [_line(note) for note in lines]


def _lines_of_type(results: Results, metric: MetricResult, ascii: bool) -> list[str]:
    """Lines about answers, times to an event, or steps, of a metric that has them."""
    return [
        *surveys.in_short(results, metric),
        *lifetimes.in_short(results, metric),
        *funnels.in_short(results, metric, ascii),
    ]


def bars(metric: MetricResult, width: int, ascii: bool = False) -> Table:
    """A bar per variant on one axis with its ruler; with the variant's name where there are several."""
    several = len(metric.comparisons) > 1
    names = [formatting.clean(comparison.arm) for comparison in metric.comparisons]
    room = min(max(map(cell_len, names), default=0), width // 3) if several else 0
    drawn, ruler = of_metric(metric, min(width - room - 2 * several, 80), ascii)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0) if several else 0)
    if several:
        table.add_column(width=room, overflow="fold")
    table.add_column(no_wrap=True)
    for name, bar in zip([*names, ""], [*drawn, ruler], strict=True) if drawn else ():
        table.add_row(*([Text(name)] if several else []), Text(bar))
    return table


def _effects(results: Results, metric: MetricResult) -> Table:
    """A row per arm, then difference and lift of each variant in the same columns."""
    table = grid("lrrrrl", gap=3)
    level = fragments.level(results.setup.alpha)
    hits = any(arm.successes is not None for arm in metric.arms)
    heads = ("", formatting.clean(results.setup.unit), "with it" if hits else "", "value", f"{level} interval", "")
    table.add_row(*(Text(head, style="dim") for head in heads))
    for arm in metric.arms:
        texts = [
            formatting.clean(arm.name),
            formatting.count(arm.units),
            formatting.count(arm.successes or 0) if hits else "",
        ]
        texts += [fragments.value(arm.value, metric), fragments.value_interval(arm.interval, metric)]
        table.add_row(*(Text(text) for text in texts))
    for comparison in metric.comparisons:
        indent = "  " if len(metric.comparisons) > 1 else ""
        if indent:
            table.add_row(Text(formatting.clean(comparison.arm), style="bold"))
        p = Text(monitoring.p_words(results, comparison))
        status = Text(comparison.status, style=STYLES[comparison.status])
        rule = results.monitoring.rule
        adjusted = ", adjusted" if comparison.method.is_adjusted else ""
        rows = [(f"{indent}difference{adjusted}", *fragments.effect(metric, comparison, False, rule), p)]
        if fragments.has_lift(comparison) or comparison.lift_note:
            rows.append((f"{indent}lift{adjusted}", *_lift(metric, comparison, rule), status))
        else:
            p.append(", ").append_text(status)
        for label, estimate, interval, end in rows:
            table.add_row(Text(label, style="bold"), "", "", Text(estimate, style="bold"), Text(interval), end)
    return table


def _lift(metric: MetricResult, comparison: Comparison, rule: Rule) -> tuple[str, str]:
    """The lift with its interval, dashes where it does not exist."""
    return (
        fragments.effect(metric, comparison, True, rule) if fragments.has_lift(comparison) else (fragments.NOTHING,) * 2
    )


def _forest(results: Results, width: int, ascii: bool) -> list[RenderableType]:
    """The bars, their legend, then notes on the metrics."""
    table, legend = bars_of_all(results, width, ascii)
    others = [metric for metric in results.metrics if metric.role != "primary"]
    lines = [legend] if legend else []
    guarded = [(metric, c) for metric in others for c in metric.comparisons if metric.role == "guardrail"]
    lines += monitoring.levels_of_role(results, "secondary")
    lines += [_with_arm(results, c, sentences.effect(results, metric, c)) for metric, c in guarded]
    lines += [
        f"{fragments.titled(metric)} is not compared: {_values(metric)}." for metric in others if not metric.comparisons
    ]
    lines += surveys.in_brief(results, others)
    lines += [line for metric in others for line in lifetimes.in_short(results, metric)]
    lines += [line for metric in others for line in funnels.in_short(results, metric, ascii)]
    lines += notes.permuted(results) + notes.in_short(results, others) + sensitivity.line(results)
    return [table, *(_line(text) for text in lines)]


def _with_arm(results: Results, comparison: Comparison, text: str) -> str:
    return f"{formatting.clean(comparison.arm)}: {text}" if len(results.arms) > 2 else text


def bars_of_all(results: Results, width: int, ascii: bool = False) -> tuple[Table, str]:
    """Name, effect, interval, bar, p, status of every comparison, and the legend."""
    several, gap = len(results.arms) > 2, 2 if width >= 90 else 1
    widths = _column_widths(results, width, several, gap)
    drawn = forest(results, widths[3], ascii)
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, gap, 0, 0))
    for side, room in zip("lrllrl", widths, strict=True):
        table.add_column(justify="right" if side == "r" else "left", overflow="fold", width=room)
    role = drawn.rows[0].metric.role if drawn.rows else "primary"
    heads = (fragments.ROLES[role], "effect", "interval", drawn.heading, "p", "")
    table.add_row(*(Text(head, style="dim") for head in heads))
    for row in drawn.rows:
        if row.metric.role != role:
            role = row.metric.role
            table.add_row(Text(fragments.ROLES[role], style="dim"))
        texts = [f"  {_label(row, several)}", row.estimate, row.interval, row.bar, row.p]
        status = Text(row.comparison.status, style=STYLES[row.comparison.status])
        table.add_row(*(Text(text) for text in texts), status)
    return table, " ".join(drawn.legend)


def _column_widths(results: Results, width: int, several: bool, gap: int) -> list[int]:
    """Widths of the forest's columns; texts that are longer fold."""
    rows = forest(results, 1).rows

    def longest(texts: Iterable[str], least: int, most: int) -> int:
        return min(max([least, *(cell_len(text) for text in texts)]), most)

    name = longest((f"  {_label(row, several)}" for row in rows), 11, 28 * width // 100)
    estimate = longest((row.estimate for row in rows), 6, width // 8)
    interval = longest((row.interval for row in rows), 8, width // 4)
    p = longest((row.p for row in rows), 1, 8)
    bar = width - (name + estimate + interval + p + 12) - 5 * gap
    return [name, estimate, interval, min(max(bar, 10), 44), p, 12]


def _label(row: Row, several: bool) -> str:
    return fragments.titled(row.metric) + (f" {formatting.clean(row.comparison.arm)}" if several else "")


def _values(metric: MetricResult) -> str:
    return ", ".join(f"{formatting.clean(arm.name)} {fragments.value(arm.value, metric)}" for arm in metric.arms)


def _decompositions(results: Results) -> Table:
    variants = [arm.name for arm in results.arms[1:]]
    table = grid("ll" + "r" + "rr" * len(variants))
    heads = ["", "", formatting.clean(results.control.name)]
    heads += [text for name in variants for text in (formatting.clean(name), "lift")]
    table.add_row(*(Text(head, style="dim") for head in heads))
    for decomposition in results.decompositions:
        for sign, factor in zip(
            ("", "=", "\N{MULTIPLICATION SIGN}"),
            (decomposition.total, decomposition.first, decomposition.second),
            strict=True,
        ):
            table.add_row(*(Text(cell) for cell in (sign, *fragments.factor(results, factor, decomposition.total))))
    return table


def _data(results: Results) -> list[RenderableType]:
    rows: dict[str, int] = {}
    for file in results.data.files:
        rows[file.path] = max(file.rows, rows.get(file.path, 0))
    times = Counter(file.path for file in results.data.files)
    again = [f"{formatting.place(path)} {n} times" for path, n in times.items() if n > 1]
    files = formatting.plural(len(rows), "files") + (f" ({formatting.joined(again)})" if again else "")
    lines = [f"{formatting.plural(sum(rows.values()), 'rows')} read from {files}."] if results.data.files else []
    used_rows = row_balance.used(results.data.balance)
    lines += used_rows
    left_out = "; ".join(fragments.exclusion(results, exclusion) for exclusion in results.data.exclusions)
    lines += [f"Left out: {left_out}."] if left_out else [] if used_rows else ["Nothing was left out."]
    lines += [fragments.sentence(note) for note in notes.of_data(results.data.notes, notes.MAX_FILES_SHOWN)]
    return [_line(" ".join([*lines, *replay.line(results)]))]


def _methods(results: Results) -> list[RenderableType]:
    lines = [f"Methods: {'; '.join(map(note_texts.without_source, results.methods))}."] if results.methods else []
    lines += (
        [f"Limits: {' '.join(fragments.sentence(note_texts.text(limit)) for limit in results.limits)}"]
        if results.limits
        else []
    )
    command = fragments.again(results)
    version = f"abcx {formatting.clean(results.abcx_version)}" + (f" · in full: {command}" if command else "")
    return [_line(text) for text in [*lines, version]]
