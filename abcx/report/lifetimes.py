"""What stands beside a metric of times to an event: median, service level, open tickets, the share left over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from abcx import formatting
from abcx.formatting import clean
from abcx.report.fragments import NOTHING, shown, titled
from abcx.report.markup import bullets, escape, table
from abcx.results.metric import LifetimesResult, MetricResult
from abcx.results.readout import Results

ROWS = 12
"""Times of the curve that a table shows."""


def in_short(results: Results, metric: MetricResult) -> list[str]:
    """Median, service level, what is still open; of a primary metric the log-rank test too."""
    found = metric.lifetimes
    if found is None:
        return []
    tickets = metric.type == "resolution_time"
    what = "tickets still open" if tickets else f"{clean(results.setup.unit)} still here"
    told = []
    if metric.type == "resolution_time":
        told.append(f"median {_each(results, found.medians, lambda x: f'{formatting.significant(x, 3)} h')}")
    if found.service_level is not None:
        level = clean(found.service_level)
        told.append(f"within {level} {_each(results, found.within, lambda x: formatting.percent(x, 1))}")
    counts = {arm: (found.open[arm], found.lifetimes[arm]) for arm in found.open}
    still = formatting.joined(
        [f"{formatting.count(counts[a.name][0])} of {formatting.count(counts[a.name][1])}" for a in results.arms]
    )
    told.append(f"{still} {what}, counted as long as they were watched")
    p_values = [f"p = {formatting.p_value(p)}" for p in found.log_rank.values() if p is not None]
    if metric.role == "primary" and p_values:
        told.append(f"log-rank test, shown and not judged, {', '.join(p_values)}")
    return [f"{titled(metric)}: {'; '.join(told)}."]


def _each(results: Results, values: Mapping[str, float | None], form: object) -> str:
    assert callable(form)
    return formatting.joined([f"{shown(values.get(a.name), form)} with {clean(a.name)}" for a in results.arms])


def section(results: Results) -> Iterator[str]:
    """The same as Markdown, with the share that is left over time and how many are watched then."""
    found = [(metric, metric.lifetimes) for metric in results.metrics if metric.lifetimes is not None]
    if not found:
        return
    yield "## Times to an event"
    for metric, lifetimes in found:
        yield f"### {escape(metric.name)}"
        yield bullets(map(escape, in_short(results, metric)))
        yield _curve(results, lifetimes)


def _curve(results: Results, found: LifetimesResult) -> str:
    arms = [arm.name for arm in results.arms if found.curve.get(arm.name)]
    length = min((len(found.curve[arm]) for arm in arms), default=0)
    if not length:
        return "No curve could be drawn."
    rows = []
    for position in sorted({round(step * (length - 1) / (ROWS - 1)) for step in range(ROWS)}):
        hours = found.curve[arms[0]][position][0]
        cells = [f"{formatting.significant(hours, 3)} h"]
        for arm in arms:
            _, left, watched = found.curve[arm][position]
            cells += [formatting.percent(left, 1), formatting.count(watched)]
        rows.append(cells)
    heads = ["after", *(text for arm in arms for text in (f"left with {escape(arm)}", "watched"))]
    return table(heads, rows, "r" * len(heads)) if rows else NOTHING
