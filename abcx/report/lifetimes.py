"""Text about times to an event: median, service level, open tickets, the share left over time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from abcx import formatting
from abcx.formatting import clean
from abcx.report.fragments import NOTHING, shown, titled
from abcx.report.markup import bullets, escape, table
from abcx.results.metric import LifetimesResult, MetricResult
from abcx.results.readout import Results

ROWS = 12
"""Maximum number of rows of a table of the curve."""


def in_short(results: Results, metric: MetricResult) -> list[str]:
    """Median, service level, what is still open; of a primary metric the log-rank test too."""
    lifetimes = metric.lifetimes
    if lifetimes is None:
        return []
    tickets = metric.type == "resolution_time"
    what = "tickets still open" if tickets else f"{clean(results.setup.unit)} still here"
    clauses = []
    if metric.type == "resolution_time":
        clauses.append(f"median {_each(results, lifetimes.medians, lambda x: f'{formatting.significant(x, 3)} h')}")
    if lifetimes.service_level is not None:
        level = clean(lifetimes.service_level)
        clauses.append(f"within {level} {_each(results, lifetimes.within, lambda x: formatting.percent(x, 1))}")
    counts = {arm: (lifetimes.open[arm], lifetimes.lifetimes[arm]) for arm in lifetimes.open}
    still = formatting.joined(
        [f"{formatting.count(counts[a.name][0])} of {formatting.count(counts[a.name][1])}" for a in results.arms]
    )
    clauses.append(f"{still} {what}, counted as long as they were watched")
    p_values = [formatting.p_words(p) for p in lifetimes.log_rank.values() if p is not None]
    if metric.role == "primary" and p_values:
        clauses.append(f"log-rank test, shown and not judged, {', '.join(p_values)}")
    return [f"{titled(metric)}: {'; '.join(clauses)}."]


def _each(results: Results, values: Mapping[str, float | None], form: object) -> str:
    assert callable(form)
    return formatting.joined([f"{shown(values.get(a.name), form)} with {clean(a.name)}" for a in results.arms])


def section(results: Results) -> Iterator[str]:
    """The same as Markdown, with the share that is left over time and how many are watched then."""
    measured = [(metric, metric.lifetimes) for metric in results.metrics if metric.lifetimes is not None]
    if not measured:
        return
    for metric, lifetimes in measured:
        yield f"### {escape(titled(metric))}"
        yield bullets(map(escape, in_short(results, metric)))
        yield _curve_table(results, lifetimes)


def _curve_table(results: Results, lifetimes: LifetimesResult) -> str:
    arms = [arm.name for arm in results.arms if lifetimes.curve.get(arm.name)]
    length = min((len(lifetimes.curve[arm]) for arm in arms), default=0)
    if not length:
        return "No curve could be drawn."
    rows = []
    for position in sorted({round(step * (length - 1) / (ROWS - 1)) for step in range(ROWS)}):
        hours = lifetimes.curve[arms[0]][position][0]
        cells = [f"{formatting.significant(hours, 3)} h"]
        for arm in arms:
            _, left, watched = lifetimes.curve[arm][position]
            cells += [formatting.percent(left, 1), formatting.count(watched)]
        rows.append(cells)
    heads = ["after", *(text for arm in arms for text in (f"left with {escape(arm)}", "watched"))]
    return table(heads, rows, "r" * len(heads)) if rows else NOTHING
