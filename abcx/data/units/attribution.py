"""Attributes events to units and windows, and builds one row per unit.

Table `outcome` has the events that metrics read, with their unit, its arm and its t0; table `unit_table` has one row
per unit (arm, t0, segments, a column per value).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from abcx.data.plan import Plan, Value
from abcx.data.units import duplicates, funnel_steps, near_misses, reexported_tickets, row_balance, tied_answers
from abcx.data.units.assignment import Assignment, one_row_per_unit, unit_rule
from abcx.data.units.timing import Timing, any_counts, last_moment
from abcx.data.workspace import Workspace
from abcx.errors import DataError
from abcx.problems import Problem, Span
from abcx.results.readout import Exclusion


@dataclass(frozen=True)
class Named:
    """Counts of event rows by the spec: the positions of terms that occur, the rows of no event that it names, those
    that their source filters out, those dropped because they have no value, and the usable ones that metrics read."""

    terms: frozenset[int]
    unnamed: int
    unfit: int
    dropped: int
    usable: int


@dataclass(frozen=True)
class Attributed:
    """The result of attributing events: exclusions, and events of metrics before exposure by arm index. `shared_ids`
    counts event ids that occur with several units, `changed_ids` those of one unit whose rows differ in time or value,
    `misspelled_ids` ids of units that are left out because of their spelling (near_misses.py), `ended` the rows of
    events by reason (row_balance.py)."""

    exclusions: tuple[Exclusion, ...]
    named: Named
    before: dict[int, int]
    units_before: dict[int, int]
    repeated_ids: int | None
    shared_ids: int
    changed_ids: int
    repeated_rows: int | None
    removed_rows: int | None
    duplicate_units: int | None
    misspelled_ids: dict[str, int]
    ended: row_balance.Ended


def build(work: Workspace, others: Iterable[Plan], assignment: Assignment) -> Attributed:
    """Build `unit_table`, with the values of `others` (plans with other windows) as `other_0`, `other_1`, ...

    Raises DataError where a unit has several rows in `units` without a `duplicates` rule.
    """
    duplicate_units, exclusions = _ready_made(work, assignment)
    placed = tied_answers.with_places(work)
    repeated_ids, shared_ids, changed_ids = _drop_repeated_ids(work)
    if repeated_ids:
        exclusions.append(
            Exclusion("duplicate_event", "events that repeat an id: of its rows the earliest counts", rows=repeated_ids)
        )
    removed = duplicates.remove(work)
    exclusions += [removed] if removed and removed.rows else []
    events = "events" in work.loading.parts
    timed = events and work.loading.parts["events"].has_time
    span = Timing(assignment.has_time, work.clock) if timed else None
    before: dict[int, int] = {}
    units_before: dict[int, int] = {}
    named = Named(frozenset(), 0, 0, 0, 0)
    if events:
        named = _count_named(work, timed)
        if named.dropped:
            message = "events without a value, where a metric leaves them out (missing_value: drop)"
            exclusions.append(Exclusion("no_value", message, rows=named.dropped))
        _outcome(work, timed, placed)
        for value in work.plan.values:
            if value.need.kind in ("first", "last") and value.need.term.column is None:
                tied_answers.refuse(work, value, span.inside(value) if span else "TRUE")
        reached = _reached(work, span)
        before, units_before, uncounted = _uncounted(work, named, assignment, span, reached)
        exclusions += uncounted
    strangers = any(exclusion.reason == "not_in_test" for exclusion in exclusions)
    misspelled_ids = near_misses.misspelled_ids(work, assignment.part) if strangers else {}
    ended = row_balance.Ended()
    if events and not work.engine.is_remote:
        ended = row_balance.of_events(work, assignment, _added(reached, 1))
    if events:
        work.run("DROP TABLE events")  # later steps need only `outcome`, which is far smaller
    compares = timed and assignment.has_time
    screened = (
        compares and not work.engine.is_remote and any(value.need.term.column is None for value in work.plan.values)
    )
    _unit_table(work, others, span, screened, placed)
    repeated_rows = duplicates.count(work, screened) if compares else None
    return Attributed(
        tuple(exclusions),
        named,
        before,
        units_before,
        repeated_ids,
        shared_ids,
        changed_ids,
        repeated_rows,
        removed.rows if removed else None,
        duplicate_units,
        misspelled_ids,
        ended,
    )


def _count_named(work: Workspace, timed: bool) -> Named:
    fits = "e.fits" if work.loading.parts["events"].select.filtered else "TRUE"
    unnamed = [fits, *(f"e.term_{i} IS NULL" for i in range(len(work.plan.terms)))]
    unnamed += ["NOT e.exposure"] if work.plan.experiment.exposure is not None else []
    dropped = "e.dropped" if work.plan.drops_missing else "FALSE"
    unnamed += [f"NOT {dropped}"]
    counts = [
        f"count(*) FILTER ({' AND '.join(unnamed)})",
        f"count(*) FILTER (NOT {fits})",
        f"count(*) FILTER ({dropped})",
        f"count(*) FILTER ({work.clock.usable(timed, 'e.')} AND ({duplicates.read_by_a_metric(work.plan)}))",
        *(f"count(e.term_{i})" for i in range(len(work.plan.terms))),
    ]
    unnamed_rows, unfit_rows, dropped_rows, usable_rows, *occurrences = work.run(
        f"SELECT {', '.join(counts)} FROM events e"
    )[0]
    return Named(
        frozenset(i for i, count in enumerate(occurrences) if count),
        int(unnamed_rows),
        int(unfit_rows),
        int(dropped_rows),
        int(usable_rows),
    )


def _outcome(work: Workspace, timed: bool, placed: bool) -> None:
    """Create the table `outcome`: every usable event that a metric reads, of the units of the analysis, and a row
    without an event for each unit that has none."""
    terms, keys = (
        (f"e.term_{i}" for i in range(len(work.plan.terms))),
        (f"e.ticket_key_{i}" for i in range(len(work.plan.keys))),
    )
    columns = [
        "a.uid",
        "a.arm",
        "a.t0",
        "e.t",
        *terms,
        *keys,
        *(f"e.{name}" for name in duplicates.identity_columns(work.loading)),
    ]
    columns += ["e.place"] if placed else []
    if row_balance.source_in_outcome(work):
        columns += [f"{work.loading.source_of('events', 'e.')} AS source_number"]
    usable = f"{work.clock.usable(timed, 'e.')} AND ({duplicates.read_by_a_metric(work.plan)})"
    joined = f"assigned a LEFT JOIN events e ON e.unit = a.unit AND {usable}"
    work.run(f"CREATE TABLE outcome AS SELECT {', '.join(columns)} FROM {joined}")


def _unit_table(
    work: Workspace, other_plans: Iterable[Plan], span: Timing | None, screened: bool, placed: bool
) -> None:
    named_values = [(f"value_{value.position}", value) for value in work.plan.values]
    named_values += [(f"other_{value.position}", value) for other_plan in other_plans for value in other_plan.values]
    reached = funnel_steps.reached(work, named_values, span.inside) if span else {}
    fed = [(name, value) for name, value in named_values if value.need.term.column is None and name not in reached]
    summed = [f"{of_events(value, span.inside(value) if span else 'TRUE', placed)} AS {name}" for name, value in fed]
    summed += [f"{duplicates.may_hold_duplicates(work.plan, work.loading)} AS suspect"] if screened else []
    joined = ["assigned a"]
    if summed:
        joined.append(f"JOIN (SELECT e.uid, {', '.join(summed)} FROM outcome e GROUP BY e.uid) o ON o.uid = a.uid")
    if "units" in work.loading.parts:
        joined.append("LEFT JOIN units_one u ON u.unit = a.unit")
    joined += [f"LEFT JOIN {table} ON {table}.uid = a.uid" for table in reached.values()]
    segments = [f"a.segment_{i}" for i in range(len(work.plan.segments))]
    values = [f"{_value(name, value, span, reached.get(name))} AS {name}" for name, value in named_values]
    columns = ", ".join(["a.uid", "a.arm", "a.t0", *segments, *values, *(["o.suspect"] if screened else [])])
    work.run(f"CREATE TABLE unit_table AS SELECT {columns} FROM {' '.join(joined)}")
    for table in reached.values():
        work.run(f"DROP TABLE {table}")


def _ready_made(work: Workspace, assignment: Assignment) -> tuple[int | None, list[Exclusion]]:
    """Create the table `units_one`, if there is a file of units; returns the number of units on several rows (None
    without such a file) and the exclusions. Raises DataError for several rows without a `duplicates` rule."""
    if "units" not in work.loading.parts:
        return None, []
    exclusions = []
    loaded = work.loading.parts["units"]
    if assignment.part == "units":  # else it already exists, for segments
        one_row_per_unit(work, work.clock.inside(loaded.has_time))
    else:
        usable = work.clock.usable(loaded.has_time)
        absent = "unit NOT IN (SELECT unit FROM assigned)"
        strangers = int(work.run(f"SELECT count(*) FROM units WHERE {usable} AND {absent}")[0][0])
        if strangers:
            message = "rows of units whose unit is not in the analysis"
            exclusions.append(Exclusion("not_in_test", message, rows=strangers))
    units, extra = work.run(
        "SELECT count(*), coalesce(sum(u.n - 1), 0) FROM assigned a JOIN units_one u ON u.unit = a.unit WHERE u.n > 1"
    )[0]
    if units:
        rule = unit_rule(loaded)
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
        rule_text = {"first": "the first is kept", "last": "the last is kept", "sum": "their values are summed"}[rule]
        exclusions.append(Exclusion("duplicate_unit", f"units on several rows: {rule_text}", int(units), int(extra)))
    return int(units), exclusions


def _drop_repeated_ids(work: Workspace) -> tuple[int | None, int, int]:
    """Keep the earliest event of every id and unit of the analysis (other units are left out anyway). Returns the
    numbers of events that repeat an id (None without ids), of ids with several units, and of ids of one unit whose rows
    differ in time or value. Equal ids of different units are different events, of several systems."""
    if "events" not in work.loading.parts or not work.loading.parts["events"].has_id:
        return None, 0, 0
    usable = work.clock.usable(work.loading.parts["events"].has_time, "e.")
    joined = f"events e JOIN assigned a ON a.unit = e.unit WHERE {usable} AND e.id IS NOT NULL"
    by_id = f"SELECT count(*) AS events, count(DISTINCT a.uid) AS units FROM {joined} GROUP BY e.id"
    counts = work.run(f"SELECT coalesce(sum(events - units), 0), count(*) FILTER (units > 1) FROM ({by_id})")[0]
    repeated, shared = int(counts[0]), int(counts[1])
    changed = 0
    if repeated:
        read_columns = [
            *(["e.t"] if work.loading.parts["events"].has_time else []),
            *(f"e.term_{i}" for i in range(len(work.plan.terms))),
        ]
        differs = " OR ".join(f"min({column}) IS DISTINCT FROM max({column})" for column in read_columns)
        differing = f"SELECT e.id FROM {joined} GROUP BY e.id HAVING count(DISTINCT a.uid) = 1 AND ({differs})"
        changed = int(work.run(f"SELECT count(*) FROM ({differing})")[0][0])
        if work.plan.tickets:
            reexported_tickets.refuse_moved_ends(work, joined)
        order = ", ".join(
            [reexported_tickets.earliest(work.plan), *(f"e.term_{i}" for i in range(len(work.plan.terms)))]
        )
        if work.engine.is_remote:
            work.run(
                "CREATE OR REPLACE TABLE events AS SELECT * FROM (SELECT e.*, e.id IS NULL OR a.uid IS NULL "
                f"OR row_number() OVER (PARTITION BY e.id, a.uid ORDER BY {order}) = 1 AS is_first "
                f"FROM events e LEFT JOIN assigned a ON a.unit = e.unit WHERE {usable}) WHERE is_first"
            )
        else:
            numbered = f"row_number() OVER (PARTITION BY e.id, a.uid ORDER BY {order}, e.rowid) AS n"
            later = f"SELECT place FROM (SELECT e.rowid AS place, {numbered} FROM {joined}) WHERE n > 1"
            work.run(f"CREATE OR REPLACE TABLE repeats AS {later}")
            later = "SELECT place FROM repeats"
            work.loading.count_lost("events", "duplicate_event", f"rowid IN ({later})")
            work.run(f"DELETE FROM events WHERE rowid IN ({later})")
    return repeated, shared, changed


def _value(name: str, value: Value, span: Timing | None, reached: str | None = None) -> str:
    """The SQL of a value in the unit table: the column of units, `name` from events, or whether the unit is in the
    table `reached`; NULL where it was not followed for the whole window: counting open windows would favor the arm that
    acts sooner."""
    if value.need.term.column is not None:
        return f"u.ready_{value.source_index}"
    followed = span.followed(value, "a.") if span else "TRUE"
    sql = f"CASE WHEN {reached}.uid IS NULL THEN 0.0::DOUBLE ELSE 1.0::DOUBLE END" if reached else f"o.{name}"
    return sql if followed == "TRUE" else f"CASE WHEN {followed} THEN {sql} END"


def of_events(value: Value, inside: str, placed: bool = False) -> str:
    """The SQL of one value of a unit from its events `e` in `outcome` that satisfy the SQL condition `inside`. With
    `placed` the order of rows decides between answers at one time."""
    x = f"e.term_{value.source_index}"
    if value.need.kind == "happened":
        least = value.need.term.at_least or 1
        return f"CASE WHEN count({x}) FILTER ({inside}) >= {least} THEN 1.0::DOUBLE ELSE 0.0::DOUBLE END"
    if value.need.kind == "reached":
        every = " AND ".join(
            f"count(e.term_{source_index}) FILTER ({inside}) > 0" for source_index in (*value.after, value.source_index)
        )
        return f"CASE WHEN {every} THEN 1.0::DOUBLE ELSE 0.0::DOUBLE END"
    if value.need.kind == "count":
        return f"CAST(count({x}) FILTER ({inside}) AS DOUBLE)"
    if value.need.kind in ("first", "last"):  # at equal times by row, if the rows are in order
        order = f"{{t: e.t, p: {'e.place' if placed else x}}}"
        pick = "arg_min" if value.need.kind == "first" else "arg_max"
        return f"{pick}({x}, {order}) FILTER ({x} IS NOT NULL AND {inside})"
    if value.need.kind == "until":  # -1 where the event is before the exposure
        since = "CASE WHEN e.t < e.t0 THEN -1 ELSE e.t - e.t0 END"
        return f"CAST(min({since}) FILTER ({x} IS NOT NULL AND (e.t < e.t0 OR ({inside}))) AS DOUBLE)"
    if value.need.kind == "sum":
        return f"coalesce(fsum({x}) FILTER ({inside}), 0.0)"
    raise ValueError(f"no value is made of events by the kind '{value.need.kind}'")


def _reached(work: Workspace, span: Timing | None) -> dict[tuple[int, int], row_balance.Reached]:
    """The events in `outcome` by arm and source."""
    relevant = duplicates.read_by_a_metric(work.plan)
    since = span.since() if span else "TRUE"
    counted = any_counts(work.plan, span) if span else "TRUE"
    source = "e.source_number" if row_balance.source_in_outcome(work) else "0"
    rows = work.run(
        f"SELECT e.arm, {source} AS number, count(*) FILTER ({relevant}), "
        f"count(*) FILTER (({relevant}) AND NOT ({since})), "
        f"count(*) FILTER (({relevant}) AND {since} AND NOT ({counted})) FROM outcome e GROUP BY ALL ORDER BY ALL"
    )
    return {(int(arm), int(number or 0)): row_balance.Reached(*map(int, counts)) for arm, number, *counts in rows}


def _added(reached: Mapping[tuple[int, int], row_balance.Reached], place: int) -> dict[int, row_balance.Reached]:
    """The events by arm (`place` 0) or by source (1)."""
    added: dict[int, row_balance.Reached] = {}
    for key, counts in reached.items():
        added[key[place]] = added.get(key[place], row_balance.Reached()) + counts
    return added


def _uncounted(
    work: Workspace,
    named: Named,
    assignment: Assignment,
    span: Timing | None,
    reached: Mapping[tuple[int, int], row_balance.Reached],
) -> tuple[dict[int, int], dict[int, int], list[Exclusion]]:
    """Events and units with events before exposure, by arm index, and the exclusions of metric events that do not
    count: of units outside the analysis, before exposure, after the window."""
    relevant = duplicates.read_by_a_metric(work.plan)
    since = span.since() if span else "TRUE"
    per_arm = _added(reached, 0)
    strangers = named.usable - sum(counts.relevant for counts in per_arm.values())
    if assignment.part == "events" and strangers:  # rows of excluded units were counted with their unit
        lost = "EXISTS (SELECT 1 FROM seen WHERE seen.unit = e.unit AND fate <> 'in')"
        usable = f"({relevant}) AND {work.clock.usable(span is not None, 'e.')}"
        strangers -= int(work.run(f"SELECT count(*) FROM events e WHERE {usable} AND {lost}")[0][0])
    exclusions = []
    if strangers:
        exclusions.append(Exclusion("not_in_test", "events of units that are not in the analysis", rows=strangers))
    before = {arm: counts.before for arm, counts in per_arm.items()}
    after = {arm: counts.after for arm, counts in per_arm.items()}
    reasons = (
        ("before_exposure", before, "events before the unit's first exposure"),
        ("after_window", after, f"events after {last_moment(work.plan)}"),
    )
    for reason, rows, message in reasons:
        by_arm = {work.plan.arms[arm]: count for arm, count in rows.items() if count}
        if by_arm:
            exclusions.append(Exclusion(reason, message, rows=sum(by_arm.values()), by_arm=by_arm))
    units_before = dict.fromkeys(before, 0)
    if any(before.values()):
        early_events = f"FROM outcome e WHERE ({relevant}) AND NOT ({since}) GROUP BY e.arm"
        rows_by_arm = work.run(f"SELECT e.arm, count(DISTINCT e.uid) {early_events}")
        units_before |= {arm: int(units) for arm, units in rows_by_arm}
    return before, units_before, exclusions
