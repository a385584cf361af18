"""One row per unit: table `unit_table` (arm, t0, segments, one column per value), events attributed to their windows."""

from __future__ import annotations

from dataclasses import dataclass

from abcx.data.assignment import Assignment, Clock, one_row_per_unit
from abcx.data.engine import Engine
from abcx.data.plan import Plan, Value
from abcx.data.rows import Rows
from abcx.errors import DataError
from abcx.problems import Problem, Span
from abcx.results import Exclusion


@dataclass(frozen=True)
class Attributed:
    """What happened to the events: exclusions, and events of metrics before exposure by arm index."""

    exclusions: tuple[Exclusion, ...]
    before: dict[int, int]
    units_before: dict[int, int]
    repeated_ids: int | None
    repeated_rows: int | None
    duplicate_units: int | None


def build(engine: Engine, plan: Plan, rows: Rows, assignment: Assignment, clock: Clock) -> Attributed:
    """Build `unit_table`. Raises DataError where units stand on several rows of `units` and no rule says what is meant."""
    exclusions: list[Exclusion] = []
    duplicate_units = _ready_made(engine, plan, rows, assignment, clock, exclusions)
    repeated_ids = _drop_repeated_ids(engine, rows, exclusions)
    events = "events" in rows.loaded
    timed = assignment.has_time and events and rows.loaded["events"].has_time
    relevant = " OR ".join(f"e.x{i} IS NOT NULL" for i in range(len(plan.terms))) or "FALSE"
    columns = [f"{_value(value, timed, clock)} AS c{value.position}" for value in plan.values]
    if events:
        counted = " OR ".join(
            f"(e.x{value.feed} IS NOT NULL AND {_inside(value, clock)})"
            for value in plan.values
            if value.need.term.column is None
        )
        columns += [
            f"count(*) FILTER (({relevant}) AND e.t < a.t0) AS n_before" if timed else "0 AS n_before",
            f"count(*) FILTER (({relevant}) AND e.t >= a.t0 AND NOT ({counted or 'FALSE'})) AS n_after"
            if timed
            else "0 AS n_after",
            f"count(*) FILTER ({relevant}) AS n_events",
        ]
    keep = ", ".join(
        [
            "a.uid",
            "any_value(a.arm) AS arm",
            "any_value(a.t0) AS t0",
            *(f"any_value(a.s{i}) AS s{i}" for i in range(len(plan.segments))),
            *columns,
        ]
    )
    join_events = (
        f"LEFT JOIN events e ON e.unit = a.unit AND {clock.usable(rows.loaded['events'].has_time, 'e.')}"
        if events
        else ""
    )
    join_units = "LEFT JOIN units_one u ON u.unit = a.unit" if "units" in rows.loaded else ""
    engine.run(f"CREATE TABLE unit_table AS SELECT {keep} FROM assigned a {join_units} {join_events} GROUP BY a.uid")
    before, units_before = _count_events(engine, plan, rows, clock, relevant, exclusions) if events else ({}, {})
    repeated_rows = _repeated_rows(engine, plan, rows, relevant) if timed else None
    return Attributed(tuple(exclusions), before, units_before, repeated_ids, repeated_rows, duplicate_units)


def _ready_made(
    engine: Engine, plan: Plan, rows: Rows, assignment: Assignment, clock: Clock, exclusions: list[Exclusion]
) -> int | None:
    if "units" not in rows.loaded:
        return None
    loaded = rows.loaded["units"]
    keep = f"arm IS NOT NULL AND {clock.inside(loaded.has_time)}" if assignment.part == "units" else "TRUE"
    one_row_per_unit(engine, plan, rows, clock, keep)
    units, extra = engine.run(
        "SELECT count(*), coalesce(sum(u.n - 1), 0) FROM assigned a JOIN units_one u ON u.unit = a.unit WHERE u.n > 1"
    )[0]
    if units:
        rule = getattr(loaded.sources[0].options, "duplicates", None)
        if rule is None:
            table = loaded.sources[0].table
            message = f"{int(units):,} units stand on several rows" if units > 1 else "1 unit stands on several rows"
            raise DataError(
                Problem(
                    "error",
                    "duplicate-unit",
                    message,
                    Span(table.shown),
                    "say what is meant: data: {units: {file: ..., duplicates: first | last | sum}}",
                )
            )
        words = {"first": "the first is kept", "last": "the last is kept", "sum": "their values are summed"}[rule]
        exclusions.append(Exclusion("duplicate_unit", f"units on several rows: {words}", int(units), int(extra)))
    return int(units)


def _drop_repeated_ids(engine: Engine, rows: Rows, exclusions: list[Exclusion]) -> int | None:
    if "events" not in rows.loaded or not rows.loaded["events"].has_id:
        return None
    repeated = int(engine.run("SELECT count(id) - count(DISTINCT id) FROM events WHERE unit IS NOT NULL")[0][0])
    if repeated:
        engine.run(
            "CREATE OR REPLACE TABLE events AS SELECT * FROM events WHERE unit IS NOT NULL "
            "QUALIFY id IS NULL OR row_number() OVER (PARTITION BY id ORDER BY t, unit) = 1"
        )
        exclusions.append(Exclusion("duplicate_event", "events whose id was read before", rows=repeated))
    return repeated


def _inside(value: Value, clock: Clock) -> str:
    """The SQL condition of events inside the value's window after exposure."""
    end = (
        f"e.t < a.t0 + {value.window}"
        if value.window is not None
        else f"e.t < {clock.end}"
        if clock.end is not None
        else "TRUE"
    )
    return f"e.t >= a.t0 AND {end}"


def _value(value: Value, timed: bool, clock: Clock) -> str:
    if value.need.term.column is not None:
        return f"any_value(u.m{value.feed})"
    inside = _inside(value, clock) if timed else "TRUE"
    x = f"e.x{value.feed}"
    if value.need.kind == "any":
        return f"CASE WHEN count({x}) FILTER ({inside}) > 0 THEN 1.0::DOUBLE ELSE 0.0::DOUBLE END"
    if value.need.kind == "count":
        return f"CAST(count({x}) FILTER ({inside}) AS DOUBLE)"
    return f"coalesce(fsum({x}) FILTER ({inside}), 0.0)"


def _count_events(
    engine: Engine, plan: Plan, rows: Rows, clock: Clock, relevant: str, exclusions: list[Exclusion]
) -> tuple[dict[int, int], dict[int, int]]:
    """Events of metrics that count for nothing: of units not in the test, before exposure, after the window."""
    per_arm = engine.run(
        "SELECT arm, sum(n_before), sum(n_after), sum(n_events), count(*) FILTER (n_before > 0) FROM unit_table GROUP BY arm ORDER BY arm"
    )
    usable = clock.usable(rows.loaded["events"].has_time, "e.")
    total = int(engine.run(f"SELECT count(*) FROM events e WHERE ({relevant}) AND {usable}")[0][0])
    strangers = total - sum(int(row[3]) for row in per_arm)
    if strangers:
        exclusions.append(Exclusion("not_in_test", "events of units that are not in the analysis", rows=strangers))
    for reason, position, message in (
        ("before_exposure", 1, "events before the unit's first exposure"),
        ("after_window", 2, "events after the unit's window"),
    ):
        by_arm = {plan.arms[row[0]]: int(row[position]) for row in per_arm if row[position]}
        if by_arm:
            exclusions.append(Exclusion(reason, message, rows=sum(by_arm.values()), by_arm=by_arm))
    return {row[0]: int(row[1]) for row in per_arm}, {row[0]: int(row[4]) for row in per_arm}


def _repeated_rows(engine: Engine, plan: Plan, rows: Rows, relevant: str) -> int:
    """Events that repeat another in unit, time and all that the metrics read. They are counted, not removed."""
    values = ", ".join(f"x{i}" for i in range(len(plan.terms)))
    if not values:
        return 0
    found = engine.run(
        f"SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM events e WHERE unit IS NOT NULL AND ({relevant}) GROUP BY unit, t, id, {values} HAVING count(*) > 1)"
    )
    return int(found[0][0])
