"""One row per unit -> what every metric is compared by, per arm: the summaries, caps, the largest units, who is
missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from abcx.data.plan import Plan
from abcx.data.records import MetricData
from abcx.data.summaries import categories, lifetimes, moments, quantiles
from abcx.data.units.attribution import Timing
from abcx.data.workspace import Workspace
from abcx.metrics import MetricSpec
from abcx.stats.records import Lifetimes, Proportion, Summary

ByArm = dict[str, Summary]


def summarize(
    work: Workspace, span: Timing | None, absent: dict[str, tuple[str, ...]], table: str | None = None
) -> dict[str, MetricData]:
    """Every metric of the plan. `span` says when events count; None where the data have no times. `table` stands in for
    the unit table, for summaries alone: of other windows the largest units are not asked for."""
    whole, table = table is None, table or "unit_table"
    caps = moments.caps(work, table)
    rows = moments.read(work, caps, table).get("", {})
    tops = moments.tops(work, caps, table) if whole else {}
    late = _not_followed(work, span, table)
    found: dict[str, MetricData] = {}
    for name in work.plan.summed():
        summaries = moments.summaries(work.plan, name, rows)
        open_windows = late.get(name, {})
        missing = {arm: int(row["units"]) - summaries[arm].n - open_windows.get(arm, 0) for arm, row in rows.items()}
        found[name] = MetricData(
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
    gone = lifetimes.churned_before(work) if whole and span is not None else {}
    for name, grouped in others(work, span, table).items():
        found[name] = MetricData(
            summaries=grouped.get("", {arm: _nothing(work.plan, name) for arm in work.plan.arms}),
            missing=gone.get(name) or _empty_cells(work, name, table),
            not_followed=late.get(name) or _unwatched(work.plan.metrics[name], grouped.get("", {})),
            responses=responses.get(name, {}),
            tickets=tickets.get(name, {}),
            absent=absent.get(name, ()),
        )
    return {name: found[name] for name in work.plan.metrics}


def _unwatched(metric: MetricSpec, summaries: Mapping[str, Summary]) -> dict[str, int]:
    """The units of arms in which nobody was watched up to the horizon, so that there is no value yet."""
    return {
        arm: one.units
        for arm, one in summaries.items()
        if isinstance(one, Lifetimes) and len(one.durations) and metric.estimate(one) is None
    }


def _empty_cells(work: Workspace, name: str, table: str) -> dict[str, int]:
    """Units whose ready-made column is empty, by arm, of a quantile; `responses` counts who did not answer."""
    value = next(iter(work.plan.of(name)), None)
    if value is None or value.need.term.column is None or work.plan.metrics[name].needs().summary != "quantile":
        return {}
    empty = f"SELECT arm, count(*) FILTER (value_{value.position} IS NULL) FROM {table} GROUP BY arm ORDER BY arm"
    return {work.plan.arms[arm]: int(count) for arm, count in work.run(empty)}


def others(work: Workspace, span: Timing | None, table: str, by: str = "''") -> dict[str, dict[str, ByArm]]:
    """The summaries of the metrics that are no sums, by a SQL expression on units: {metric: {group: {arm:
    summary}}}."""
    found: dict[str, dict[str, ByArm]] = {}
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
            found[name] = {group: empty | of_arms for group, of_arms in groups.items()}
    return found


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
    asked = sorted({condition for condition in followed.values() if condition != "TRUE"})
    if not asked:
        return {}
    fields = ", ".join(f"count(*) FILTER (NOT ({condition}))" for condition in asked)
    rows: list[tuple[Any, ...]] = work.run(f"SELECT arm, {fields} FROM {table} GROUP BY arm")
    counts = {work.plan.arms[row[0]]: dict(zip(asked, map(int, row[1:]), strict=True)) for row in rows}
    return {
        name: {arm: found[condition] for arm, found in counts.items()}
        for name, condition in followed.items()
        if condition != "TRUE"
    }


def with_outcomes_at_exposure(work: Workspace, data: Mapping[str, MetricData]) -> dict[str, MetricData]:
    """The metrics' data, saying of shares that are 100 % in every arm whether every unit has the event at its exposure
    or before: then the outcome is the exposure itself."""
    found = dict(data)
    for name, one in data.items():
        shares = [summary for summary in one.summaries.values() if isinstance(summary, Proportion)]
        values = [value for value in work.plan.of(name) if value.need.term.column is None]
        if len(shares) < len(work.plan.arms) or not values or any(not s.n or s.successes < s.n for s in shares):
            continue
        event = f"e.term_{values[0].feed} IS NOT NULL AND e.t <= e.t0"
        units = int(work.run(f"SELECT count(DISTINCT e.uid) FROM outcome e WHERE {event}")[0][0])
        found[name] = replace(one, all_at_exposure=units >= sum(share.n for share in shares))
    return found
