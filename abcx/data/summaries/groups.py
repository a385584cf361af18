"""The same metrics by segment, by the day of exposure, and by the day since exposure."""

from __future__ import annotations

from dataclasses import replace

from abcx.data.plan import Value
from abcx.data.records import Days, MetricData
from abcx.data.summaries import local_days, moments, summarize
from abcx.data.units.attribution import of_events
from abcx.data.units.timing import Timing
from abcx.data.workspace import Workspace
from abcx.stats.records import Moments, Proportion, RatioMoments, Summary

_DAY = 86_400_000_000
_BY_DAY = ("happened", "count", "sum")
"""Kinds of values that are made of those of single days."""
MOST_DAYS = 28
"""Maximum days since exposure that are shown."""
MOST_VALUES = 50
"""Maximum number of values of a segment; a column with more is not shown as one."""


def with_segments(work: Workspace, timing: Timing | None, data: dict[str, MetricData]) -> dict[str, MetricData]:
    """The metrics' data with summaries by every segment of the experiment."""
    columns = {}
    for column in dict.fromkeys(work.plan.experiment.segments):
        by = f"coalesce(segment_{work.plan.segments.index(column)}, '')"
        if int(work.run(f"SELECT count(DISTINCT {by}) FROM unit_table")[0][0]) <= MOST_VALUES:
            columns[column] = by
    for column, grouped in _grouped(work, timing, _caps(data), columns).items():
        for name, groups in grouped.items():
            data[name] = replace(data[name], segments={**data[name].segments, column: groups})
    return data


def _caps(data: dict[str, MetricData]) -> dict[str, float]:
    return {name: metric_data.cap for name, metric_data in data.items() if metric_data.cap is not None}


def with_cohorts(work: Workspace, data: dict[str, MetricData]) -> dict[str, MetricData]:
    """The summed primary metrics' data by the day of first exposure, in the timezone of the period."""
    first, last = work.run("SELECT min(t0), max(t0) FROM unit_table")[0]
    if first is None:
        return data
    by = local_days.local_day("t0", work.plan.experiment.timezone, int(first), int(last))
    primary = [name for name in work.plan.summed() if work.plan.metrics[name].role == "primary"]
    grouped = _grouped(replace(work, plan=work.plan.only(primary)), None, _caps(data), {"": by})
    for name, groups in grouped[""].items():
        cohorts = {local_days.day(int(day)).isoformat(): of_day for day, of_day in groups.items() if day != "None"}
        data[name] = replace(data[name], cohorts=dict(sorted(cohorts.items())))
    return data


def _grouped(
    work: Workspace, timing: Timing | None, caps: dict[str, float], expressions: dict[str, str]
) -> dict[str, dict[str, dict[str, dict[str, Summary]]]]:
    """Every metric of the plan by each of several SQL expressions on units, which have names: {expression: {metric:
    {group: {arm: summary}}}}, groups in order."""
    summed = work.plan.summed()
    rows = moments.read_each(work, caps, "unit_table", expressions) if summed and expressions else {}
    grouped = {}
    for expression, by in expressions.items():
        summaries = {
            name: {
                group: moments.summaries(work.plan, name, of_group, caps.get(name))
                for group, of_group in rows[expression].items()
            }
            for name in summed
        }
        summaries |= summarize.others(work, timing, "unit_table", by)
        # Engines group in any order.
        grouped[expression] = {name: dict(sorted(groups.items())) for name, groups in summaries.items()}
    return grouped


def with_days(work: Workspace, timing: Timing, data: dict[str, MetricData]) -> dict[str, MetricData]:
    """The primary metrics' data by day since exposure, for the units that were followed for the whole window."""
    for name in work.plan.plain():
        values = work.plan.of(name)
        primary = work.plan.metrics[name].role == "primary"
        events = all(value.need.term.column is None and value.window is not None for value in values)
        events = events and all(value.need.kind in _BY_DAY for value in values)
        if primary and events and data[name].cap is None:
            length = min(MOST_DAYS, min(value.window or 0 for value in values) // _DAY)
            if length >= 2 and (days := _days(work, timing, name, values, int(length))) is not None:
                data[name] = replace(data[name], days=days)
    return data


def _days(work: Workspace, timing: Timing, name: str, values: tuple[Value, ...], length: int) -> Days | None:
    followed = f"t0 + {length * _DAY} <= {timing.clock.as_of}"
    counts = work.run(f"SELECT arm, count(*) FROM assigned WHERE {followed} GROUP BY arm")
    units = {work.plan.arms[arm]: int(n) for arm, n in counts}
    if len(units) < len(work.plan.arms):
        return None
    fed = " OR ".join(f"e.term_{value.source_index} IS NOT NULL" for value in values)
    inside = f"e.t >= e.t0 AND e.t < e.t0 + {length * _DAY} AND ({fed}) AND e.{followed}"
    columns = ", ".join(f"{of_events(value, 'TRUE')} AS value_{value.position}" for value in values)
    columns += f", count(e.term_{values[0].source_index}) AS events"
    day = f"CAST((e.t - e.t0) // {_DAY} AS INTEGER)"
    per_day = f"SELECT e.uid, e.arm, {day} AS d, {columns} FROM outcome e WHERE {inside} GROUP BY ALL"
    work.run(f"CREATE OR REPLACE TABLE by_day AS {per_day}")
    metric_plan = replace(
        work.plan,
        values=values,
        experiment=work.plan.experiment.model_copy(update={"metrics": {name: work.plan.metrics[name]}}),
    )
    rows = moments.read(replace(work, plan=metric_plan), {}, "by_day", "d")
    change = _change(work, values, length, units)
    work.run("DROP TABLE by_day")
    by_day = []
    for d in range(length):
        sparse = moments.summaries(metric_plan, name, rows.get(str(d), {}))
        by_day.append({arm: _of_all(sparse[arm], units[arm]) for arm in work.plan.arms})
    return Days(units, tuple(by_day), change)


def _of_all(summary: Summary, n: int) -> Summary:
    """The summary of all `n` units, from that of the units with events on a day; the others are 0."""
    if isinstance(summary, Proportion):
        return Proportion(summary.successes, n)
    assert isinstance(summary, (Moments, RatioMoments))
    from abcx.stats.pooling import with_zeros

    return with_zeros(summary, n)


def _change(
    work: Workspace, values: tuple[Value, ...], length: int, units: dict[str, int]
) -> dict[str, Moments] | None:
    """Moments by arm of a unit's value in the later half of the days minus that in the earlier half (a middle day is
    left out), from the table `by_day`; None for ratios."""
    if len(values) > 1:
        return None
    from abcx.stats.pooling import with_zeros

    half = length // 2
    late, early = (_over_days(values[0], days) for days in (f"d >= {length - half}", f"d < {half}"))
    per_unit = f"SELECT any_value(arm) AS arm, {late} - {early} AS c FROM by_day GROUP BY uid"
    rows = work.run(
        "SELECT arm, count(*), favg(c), var_samp(c), count(*) FILTER (c <> 0), min(c), max(c) "
        f"FROM ({per_unit}) GROUP BY arm"
    )
    changes = {}
    for arm, n, mean, variance, nonzero, low, high in rows:
        sparse = Moments(int(n), float(mean), float(variance or 0.0), int(nonzero), float(low), float(high))
        change = with_zeros(sparse, units[work.plan.arms[arm]])
        assert isinstance(change, Moments)
        changes[work.plan.arms[arm]] = change
    return {arm: changes.get(arm, Moments(n, 0.0, 0.0, 0, 0.0, 0.0)) for arm, n in units.items()}


def _over_days(value: Value, days: str) -> str:
    """The SQL of one value of a unit over the days that satisfy the SQL condition `days`, from the table `by_day`."""
    if value.need.kind == "happened":
        least = value.need.term.at_least or 1
        return f"CASE WHEN sum(events) FILTER ({days}) >= {least} THEN 1e0 ELSE 0e0 END"
    if value.need.kind in ("count", "sum"):
        return f"coalesce(fsum(value_{value.position}) FILTER ({days}), 0e0)"
    raise ValueError(f"values of the kind '{value.need.kind}' are not made of days")
