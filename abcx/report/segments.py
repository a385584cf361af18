"""Effects by segment: a small forest for the terminal, tables for Markdown. Exploratory, and labeled so."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from abcx import formatting
from abcx.formatting import clean
from abcx.report import fragments
from abcx.report.forest import track
from abcx.report.fragments import level, titled
from abcx.report.interval_bar import bar
from abcx.report.markup import bullets, escape, table
from abcx.results.metric import Comparison, Interaction, MetricResult, Segment, SegmentValue
from abcx.results.readout import Results

LABEL = "exploratory: the verdict does not use it"
MAX_VALUES_SHOWN = 12
"""Maximum number of values shown in the terminal."""


def shown(results: Results) -> list[MetricResult]:
    """The primary metrics that have segments."""
    return [metric for metric in fragments.primaries(results) if metric.segments]


def forest(metric: MetricResult, width: int, ascii: bool = False) -> Table:
    """One line per value and variant: effect, interval, bar on one axis."""
    several = len(metric.comparisons) > 1
    rows = [(s, v, c) for s in metric.segments for v in s.values for c in v.comparisons][
        : MAX_VALUES_SHOWN * len(metric.comparisons)
    ]
    relative = all(fragments.has_lift(c) for _, _, c in rows)
    tracks = [track(metric, c, relative) for _, _, c in rows]
    ends = [x for marks in tracks if marks for x in (marks.low, marks.estimate, marks.high) if x is not None]
    low, high = min([*ends, 0.0]), max([*ends, 0.0])
    span = (high - low) or 1.0
    drawn = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for side in "lrrll":
        drawn.add_column(justify="right" if side == "r" else "left", overflow="fold")
    room = max(10, min(40, width - 62))
    for (segment, value, comparison), marks in zip(rows, tracks, strict=True):
        name = f"{clean(segment.name)} = {clean(value.value) or '(none)'}" + (
            f" {clean(comparison.arm)}" if several else ""
        )
        estimate, interval = fragments.effect(metric, comparison, relative)
        line = (
            ""
            if marks is None
            else bar((marks.low, marks.estimate, marks.high), (low - span / 20, high + span / 20), room, ascii=ascii)
        )
        drawn.add_row(
            *(Text(text) for text in (f"  {name}", formatting.count(_units(value)), estimate, interval, line))
        )
    return drawn


def _units(value: SegmentValue) -> int:
    return sum(arm.units for arm in value.arms)


def told(results: Results, metric: MetricResult) -> list[str]:
    """The interaction tests with the values of opposite effect, and the values withheld."""
    lines = []
    for segment in metric.segments:
        for interaction in segment.interactions:
            lines.append(_interaction(results, metric, segment, interaction))
    hidden = [
        f"{clean(s.name)} = {clean(v.value) or '(none)'}" for s in metric.segments for v in s.values if v.withheld
    ]
    if hidden:
        few = f"{len(hidden)} values" if len(hidden) > 5 else formatting.joined(hidden)
        lines.append(f"Withheld, fewer than 10 {clean(results.setup.unit)} in an arm: {few}.")
    return lines


def _interaction(results: Results, metric: MetricResult, segment: Segment, interaction: Interaction) -> str:
    arm = f" with {clean(interaction.arm)}" if len(metric.comparisons) > 1 else ""
    name = clean(segment.name)
    if interaction.p_value is None:
        text = f"Whether the effect{arm} differs by {name} cannot be tested."
    else:
        p = interaction.p_value if interaction.p_value_adjusted is None else interaction.p_value_adjusted
        differs = "differs" if p < results.setup.alpha else "does not clearly differ"
        shown_p = formatting.p_words(p, results.setup.alpha)
        text = f"The effect{arm} {differs} by {name} (interaction {shown_p}, corrected)."
    if interaction.simpson:
        text += f" It points the other way in every {name}: a Simpson reversal, look at the mix of {name} in the arms."
    elif interaction.reversed_in:
        values = formatting.joined([clean(value) or "(none)" for value in interaction.reversed_in])
        text += f" It clearly points the other way in {values}."
    return text


def section(results: Results) -> Iterator[str]:
    """Every judged metric by segment, as Markdown."""
    metrics = [metric for metric in results.metrics if metric.segments]
    if not metrics:
        return
    yield (
        "Exploratory: the verdict does not use it. Intervals hold together for all values of a segment (Bonferroni); "
        "read the interaction test first."
    )
    for metric in metrics:
        for segment in metric.segments:
            yield f"### {escape(titled(metric))} by {escape(segment.name)}"
            lines = [_interaction(results, metric, segment, interaction) for interaction in segment.interactions]
            yield bullets(map(escape, lines))
            yield _table(metric, segment)


def _table(metric: MetricResult, segment: Segment) -> str:
    rows: list[tuple[str, ...]] = []
    for value in segment.values:
        name = escape(value.value) or "(none)"
        if value.withheld:
            rows.append((name, "withheld", *("",) * 5))
        rows += [(name, *_row(metric, value, comparison)) for comparison in value.comparisons]
    interval = next((level(c.alpha) for v in segment.values for c in v.comparisons), "95%")
    heads = ("value", "variant", "control", "variant's value", "difference", "lift", f"{interval} interval")
    return table(heads, rows, "llrrrrr")


def _row(metric: MetricResult, value: SegmentValue, comparison: Comparison) -> tuple[str, ...]:
    arms = {arm.name: arm for arm in value.arms}
    control, variant = arms[comparison.control], arms[comparison.arm]
    lift, lift_interval = fragments.effect(metric, comparison, True)
    difference, interval = fragments.effect(metric, comparison, False)
    as_lift = fragments.has_lift(comparison)
    sides = [f"{fragments.value(arm.value, metric)} of {formatting.count(arm.units)}" for arm in (control, variant)]
    return (
        escape(comparison.arm),
        *sides,
        difference,
        lift if as_lift else fragments.NOTHING,
        lift_interval if as_lift else interval,
    )
