"""Summarizes the unit table by metric and arm: summaries, caps, largest units, missing units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from abcx.data.plan import Plan
from abcx.data.records import MetricData
from abcx.data.summaries import categories, lifetimes, moments, quantiles
from abcx.data.units.timing import Timing
from abcx.data.workspace import Workspace
from abcx.metrics import MetricSpec
from abcx.stats.records import Lifetimes, Proportion, Summary

ByArm = dict[str, Summary]


def summarize(
    work: Workspace, span: Timing | None, absent: dict[str, tuple[str, ...]], table: str | None = None
) -> dict[str, MetricData]:
    """Every metric of the plan. `span` says when events count; None where the data have no times. With `table` in place
    of the unit table only summaries are computed, without the largest units and tickets. `occurs`: whether each
    metric's events occur in the data."""
    whole, table = table is None, table or "unit_table"
    caps = moments.caps(work, table)
    rows = moments.read(work, caps, table).get("", {})
    tops = moments.tops(work, caps, table) if whole else {}
    late = _not_followed(work, span, table)
    metrics: dict[str, MetricData] = {}
    for name in work.plan.summed():
        summaries = moments.summaries(work.plan, name, rows)
        open_windows = late.get(name, {})
        missing = {arm: int(row["units"]) - summaries[arm].n - open_windows.get(arm, 0) for arm, row in rows.items()}
        metrics[name] = MetricData(
            summaries=moments.summaries(work.plan, name, rows, caps[name]) if name in caps else summaries,
            uncapped=summaries if name in caps else None,
            cap=caps.get(name),
            capped=moments.cut(work.plan, name, rows) if name in caps else {},
            missing=missing,
            not_followed=open_windows,
            top=tops.get(name, {}),
            absent=absent.get(name, ()),
        )
    responses = categories.responses(work, span, table)
    tickets = lifetimes.ticket_times(work, span) if whole and span is not None else {}
    churned = lifetimes.churned_before(work) if whole and span is not None else {}
    for name, grouped in others(work, span, table).items():
        metrics[name] = MetricData(
            summaries=grouped.get("", {arm: _nothing(work.plan, name) for arm in work.plan.arms}),
            missing=churned.get(name) or _empty_cells(work, name, table),
            not_followed=late.get(name) or _unwatched(work.plan.metrics[name], grouped.get("", {})),
            responses=responses.get(name, {}),
            tickets=tickets.get(name, {}),
            absent=absent.get(name, ()),
        )
    return {name: metrics[name] for name in work.plan.metrics}


def _unwatched(metric: MetricSpec, summaries: Mapping[str, Summary]) -> dict[str, int]:
    """The numbers of units of arms in which no unit was followed up to the horizon, so that there is no estimate
    yet."""
    return {
        arm: summary.units
        for arm, summary in summaries.items()
        if isinstance(summary, Lifetimes) and len(summary.durations) and metric.estimate(summary) is None
    }


def _empty_cells(work: Workspace, name: str, table: str) -> dict[str, int]:
    """Units with an empty column of units, by arm, for a quantile metric; empty for other metrics."""
    value = next(iter(work.plan.of(name)), None)
    if value is None or value.need.term.column is None or work.plan.metrics[name].needs().summary != "quantile":
        return {}
    empty = f"SELECT arm, count(*) FILTER (value_{value.position} IS NULL) FROM {table} GROUP BY arm ORDER BY arm"
    return {work.plan.arms[arm]: int(count) for arm, count in work.run(empty)}


def others(work: Workspace, span: Timing | None, table: str, by: str = "''") -> dict[str, dict[str, ByArm]]:
    """The summaries of categories, lifetimes and quantiles, by a SQL expression on units: {metric: {group: {arm:
    summary}}}."""
    summaries: dict[str, dict[str, ByArm]] = {}
    for name, metric in work.plan.metrics.items():
        kind = metric.needs().summary
        groups: dict[str, ByArm] | None = None
        if kind == "categories":
            groups = categories.read(work, name, table, by)
        elif kind == "lifetimes" and span is not None:
            groups = lifetimes.read(work, name, span, table, by)
        elif kind == "quantile":
            groups = quantiles.read(work, name, span, table, by)
        if groups is not None:
            empty = {arm: _nothing(work.plan, name) for arm in work.plan.arms}
            summaries[name] = {group: empty | of_arms for group, of_arms in groups.items()}
    return summaries


def _nothing(plan: Plan, name: str) -> Summary:
    """The summary of an arm without units."""
    needs = plan.metrics[name].needs()
    if needs.summary == "categories":
        return categories.nothing(plan, name)
    return lifetimes.nothing() if needs.q is None else quantiles.nothing(needs.q)


def _not_followed(work: Workspace, span: Timing | None, table: str) -> dict[str, dict[str, int]]:
    """Units whose window is not over when the data end, by metric and arm."""
    if span is None:
        return {}
    followed = {name: span.followed(value) for name in work.plan.metrics for value in work.plan.of(name)}
    conditions = sorted({condition for condition in followed.values() if condition != "TRUE"})
    if not conditions:
        return {}
    fields = ", ".join(f"count(*) FILTER (NOT ({condition}))" for condition in conditions)
    rows: list[tuple[Any, ...]] = work.run(f"SELECT arm, {fields} FROM {table} GROUP BY arm")
    counts = {work.plan.arms[row[0]]: dict(zip(conditions, map(int, row[1:]), strict=True)) for row in rows}
    return {
        name: {arm: by_condition[condition] for arm, by_condition in counts.items()}
        for name, condition in followed.items()
        if condition != "TRUE"
    }


def with_outcomes_at_exposure(work: Workspace, data: Mapping[str, MetricData]) -> dict[str, MetricData]:
    """The metrics' data, with `all_at_exposure` for shares of 100% in every arm where every unit has the event at or
    before its exposure: the outcome is then the exposure itself."""
    result = dict(data)
    for name, metric_data in data.items():
        shares = [summary for summary in metric_data.summaries.values() if isinstance(summary, Proportion)]
        values = [value for value in work.plan.of(name) if value.need.term.column is None]
        if len(shares) < len(work.plan.arms) or not values or any(not s.n or s.successes < s.n for s in shares):
            continue
        event = f"e.term_{values[0].source_index} IS NOT NULL AND e.t <= e.t0"
        units = int(work.run(f"SELECT count(DISTINCT e.uid) FROM outcome e WHERE {event}")[0][0])
        result[name] = replace(metric_data, all_at_exposure=units >= sum(share.n for share in shares))
    return result
