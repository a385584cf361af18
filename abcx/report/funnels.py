"""The funnel of a metric: a table and bars by arm, and the step at which the arms differ most."""

from __future__ import annotations

from collections.abc import Iterator

from abcx import formatting
from abcx.formatting import clean
from abcx.report.fragments import level, shown, titled
from abcx.report.markup import bullets, escape, table
from abcx.report.quantities import ends
from abcx.results.metric import FunnelResult, MetricResult, StepComparison
from abcx.results.readout import Results

WIDTH = 20
"""Cells of the longest bar."""


def in_short(results: Results, metric: MetricResult, ascii: bool = False) -> list[str]:
    """Step by step the share of exposed units by arm with bars, and where the arms differ most."""
    if metric.funnel is None:
        return []
    longest = max(len(clean(step.name)) for step in metric.funnel.steps)
    lines = [f"{titled(metric)}, step by step, of all {clean(results.setup.unit)} (lost: of those at the step before):"]
    for step in metric.funnel.steps:
        for position, arm in enumerate(step.reached):
            share, lost = step.share[arm] or 0.0, shown(step.lost[arm], lambda x: f"{formatting.percent(x, 1)} lost")
            name = clean(step.name) if not position else ""
            bar = ("#" if ascii else "█") * max(round(share * WIDTH), int(share > 0))
            lines.append(f"{name:<{longest}}  {bar:<{WIDTH}} {formatting.percent(share, 1):>6}  {clean(arm)} ({lost})")
    return [*lines, *where(results, metric.funnel)]


def where(results: Results, funnel: FunnelResult) -> list[str]:
    """For every variant the step at which the arms differ most, and whether that is more than chance."""
    lines = []
    for arm, name in funnel.largest.items():
        step = next(step for step in funnel.steps if step.name == name)
        comparison = step.comparisons[arm]
        who = f"{clean(arm)}: " if len(funnel.largest) > 1 else ""
        p = formatting.p_words(comparison.p_value) if comparison.p_value is not None else "no p-value"
        corrected = f"{p} corrected for {len(funnel.steps)} steps"
        if comparison.p_value is None or comparison.p_value >= results.setup.alpha:
            lines.append(f"{who}No step stands out: the largest difference is at {clean(name)} ({corrected}).")
            continue
        more = "more" if (comparison.difference or 0.0) > 0 else "fewer"
        lines.append(
            f"{who}The arms differ most at {clean(name)}: {_points(comparison)} {more} of all "
            f"{clean(results.setup.unit)} are lost there ({corrected})."
        )
    return lines


def _points(comparison: StepComparison) -> str:
    return formatting.difference(abs(comparison.difference or 0.0), "share").lstrip("+")


def section(results: Results) -> Iterator[str]:
    """The same as Markdown: a table of the steps, bars, and the differences with intervals."""
    found = [(metric, metric.funnel) for metric in results.metrics if metric.funnel is not None]
    if not found:
        return
    for metric, funnel in found:
        yield f"### {escape(titled(metric))}"
        yield bullets(map(escape, where(results, funnel)))
        yield _steps(results, funnel)
        yield _differences(results, funnel)


def _steps(results: Results, funnel: FunnelResult) -> str:
    arms = list(funnel.steps[0].reached)
    rows = []
    for step in funnel.steps:
        cells = [escape(step.name)]
        for arm in arms:
            share = step.share[arm] or 0.0
            interval = ends(step.share_interval[arm], lambda x: formatting.percent(x, 1))
            lost = ends(step.lost_interval[arm], lambda x: formatting.percent(x, 1))
            cells += [
                "█" * max(round(share * WIDTH), int(share > 0)),
                f"{formatting.count(step.reached[arm])}, {formatting.percent(share, 1)} ({interval})",
                f"{shown(step.lost[arm], lambda x: formatting.percent(x, 1))} ({lost})",
            ]
        rows.append(cells)
    heads = ["step", *(text for arm in arms for text in ("bar", escape(arm), "lost since the step before"))]
    return table(heads, rows, "l" + "lrr" * len(arms))


def _differences(results: Results, funnel: FunnelResult) -> str:
    alpha = results.setup.alpha / len(funnel.steps)
    rows = [
        (escape(step.name), escape(arm), *_difference(comparison))
        for step in funnel.steps
        for arm, comparison in step.comparisons.items()
    ]
    unit, together = escape(results.setup.unit), f"{level(alpha)} interval, {level(results.setup.alpha)} for all steps"
    heads = ("lost at", "variant", f"difference, of all {unit}", together, "p corrected for all steps")
    return table(heads, rows, "llrrr")


def _difference(comparison: StepComparison) -> tuple[str, str, str]:
    def form(x: float) -> str:
        return formatting.difference(x, "share")

    return (
        shown(comparison.difference, form),
        ends(comparison.difference_interval, form, " pp"),
        shown(comparison.p_value, formatting.p_value),
    )
