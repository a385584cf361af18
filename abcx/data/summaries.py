"""One row per unit -> what every metric is compared by, per arm: the summaries, caps, the largest units, who is
missing."""

from __future__ import annotations

from typing import Any

from abcx.data import answers, lifetimes, moments, quantiles
from abcx.data.engine import Engine
from abcx.data.plan import Plan
from abcx.data.records import MetricData
from abcx.data.units import Timing
from abcx.stats.records import Summary

ByArm = dict[str, Summary]


def summarise(
    engine: Engine, plan: Plan, span: Timing | None, occurs: dict[str, bool], table: str | None = None
) -> dict[str, MetricData]:
    """Every metric of the plan. `span` says when events count; None where the data have no times. `table` stands in for
    the unit table, for summaries alone: of other windows the largest units are not asked for."""
    whole, table = table is None, table or "unit_table"
    caps = moments.caps(engine, plan, table)
    rows = moments.read(engine, plan, caps, table).get("", {})
    tops = moments.tops(engine, plan, caps, table) if whole else {}
    late = _late(engine, plan, span, table)
    found: dict[str, MetricData] = {}
    for name in plan.summed():
        summaries = moments.summaries(plan, name, rows)
        followed = any(value.followed is not None for value in plan.of(name))
        missing = {arm: int(row["units"]) - summaries[arm].n for arm, row in rows.items()}
        found[name] = MetricData(
            summaries=moments.summaries(plan, name, rows, capped=True) if name in caps else summaries,
            uncapped=summaries if name in caps else None,
            cap=caps.get(name),
            capped=moments.cut(plan, name, rows) if name in caps else {},
            missing={} if followed else missing,
            unfollowed=missing if followed else {},
            incomplete={} if followed else late.get(name, {}),
            top=tops.get(name, {}),
            occurs=occurs.get(name, True),
        )
    responses = answers.responses(engine, plan, table)
    for name, grouped in others(engine, plan, span, table).items():
        found[name] = MetricData(
            summaries=grouped.get("", {arm: _nothing(plan, name) for arm in plan.arms}),
            incomplete={} if _censored(plan, name) else late.get(name, {}),
            responses=responses.get(name, {}),
            occurs=occurs.get(name, True),
        )
    return {name: found[name] for name in plan.metrics}


def others(engine: Engine, plan: Plan, span: Timing | None, table: str, by: str = "''") -> dict[str, dict[str, ByArm]]:
    """The summaries of the metrics that are no sums, by a SQL expression on units: {metric: {group: {arm:
    summary}}}."""
    found: dict[str, dict[str, ByArm]] = {}
    for name, metric in plan.metrics.items():
        kind = metric.needs().summary
        groups: dict[str, ByArm] | None = None
        if kind == "categories":
            groups = answers.read(engine, plan, name, table, by)
        elif kind == "lifetimes" and span is not None:
            groups = lifetimes.read(engine, plan, name, span, table, by)
        elif kind == "quantile":
            groups = quantiles.read(engine, plan, name, span, table, by)
        if groups is not None:
            empty = {arm: _nothing(plan, name) for arm in plan.arms}
            found[name] = {group: empty | of_arms for group, of_arms in groups.items()}
    return found


def _censored(plan: Plan, name: str) -> bool:
    """Whether units that came late count for as long as they were watched, so that none is incomplete."""
    needs = plan.metrics[name].needs()
    return needs.summary == "lifetimes" and needs.tickets is None


def _nothing(plan: Plan, name: str) -> Summary:
    """The summary of an arm without units."""
    needs = plan.metrics[name].needs()
    if needs.summary == "categories":
        return answers.nothing(plan, name)
    return lifetimes.nothing() if needs.q is None else quantiles.nothing(needs.q)


def _late(engine: Engine, plan: Plan, span: Timing | None, table: str) -> dict[str, dict[str, int]]:
    """Units whose window is not over when the data end, by metric and arm."""
    windows = {value.metric: value.window for value in plan.values if value.window is not None}
    windows |= {pairs.metric: pairs.window for pairs in plan.tickets if pairs.window is not None}
    if span is None or span.clock.as_of is None or not span.exposure_has_time:
        return {}
    spans = sorted(set(windows.values()))
    if not spans:
        return {}
    fields = ", ".join(f"count(*) FILTER (t0 + {window} > {span.clock.as_of})" for window in spans)
    rows: list[tuple[Any, ...]] = engine.run(f"SELECT arm, {fields} FROM {table} GROUP BY arm")
    counts = {plan.arms[row[0]]: dict(zip(spans, map(int, row[1:]), strict=True)) for row in rows}
    known = {name: window for name, window in windows.items() if name in plan.metrics}
    return {name: {arm: found[window] for arm, found in counts.items()} for name, window in known.items()}
