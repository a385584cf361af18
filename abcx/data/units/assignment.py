"""Assigns units to arms: table `assigned` (uid, unit, arm, time of first exposure t0, segments), with exclusions.

Order of exclusions: unusable rows, rows outside the period, rows that match or name no arm, units in several arms,
units without the exposure event.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from abcx.data.plan import Plan
from abcx.data.reading.load import Loading, PartTable
from abcx.data.reading.row_sql import NO_ARM, STRAY
from abcx.data.records import Busiest
from abcx.data.workspace import Workspace
from abcx.errors import DataError
from abcx.problems import Problem, Span
from abcx.results.readout import Exclusion

ROWS_PER_PASS = 25_000_000
"""Maximum rows that are grouped by unit in one statement: one hash table of ten million units takes twice as long as
four with a quarter each."""
_FATES = {
    "crossover": "units seen in several arms",
    "outside_period": "exposed outside the period (the units: at no other time)",
    "not_exposed": "units assigned to an arm that never met the exposure event",
}


@dataclass(frozen=True)
class Assignment:
    """The part that assigned the arms, whether t0 is known, and the exclusions. `crossover` counts units in several
    arms, `unknown_arm` rows that match no arm, `no_arm` exposed units without a row that names an arm, `arm_rows` all
    rows with a label (None: all match)."""

    part: str
    has_time: bool
    exclusions: tuple[Exclusion, ...]
    crossover: int
    unknown_arm: int
    no_arm: int
    arm_rows: int | None
    busiest: Busiest | None


def assign(work: Workspace, part: str) -> Assignment:
    """Build the table `assigned` from the part of the data that assigns the arms."""
    exclusions = [item for name, loaded in work.loading.parts.items() for item in _unusable(work, name, loaded)]
    loaded = work.loading.parts[part]
    known = work.clock.known(loaded.has_time)
    unknown = int(work.run(f"SELECT count(*) FROM {part} WHERE {known} AND arm = {STRAY}")[0][0])
    if unknown:
        exclusions.append(Exclusion("unknown_arm", "rows that fit no arm", rows=unknown))
    has_time = loaded.has_time
    named = f"SELECT count(*) FROM {part} WHERE {known} AND arm >= {STRAY}"
    arm_rows = int(work.run(named)[0][0]) if unknown else None
    _label_units(work, part, unknown > 0)
    busiest = _busiest(work)
    unnamed, no_arm = _unnamed(work, part)
    exclusions += unnamed
    if part != "events" and work.plan.experiment.exposure is not None:
        has_time = True
        _first_exposure_event(work, loaded)
    fates = [
        (str(f), work.plan.arms[arm], int(units), int(n), int(out)) for f, arm, units, n, out in work.run(_FATE_COUNTS)
    ]
    exclusions += _lost(fates)
    segments = "".join(
        f", {_segment(work.plan, work.loading, part, position)} AS segment_{position}"
        for position in range(len(work.plan.segments))
    )
    joined = "LEFT JOIN units_one u ON u.unit = seen.unit" if "units" in work.loading.parts and part != "units" else ""
    if joined:
        one_row_per_unit(work, "TRUE")
    work.run(
        f"CREATE TABLE assigned AS SELECT row_number() OVER () AS uid, seen.unit, seen.arm, seen.t0{segments} "
        f"FROM seen {joined} WHERE fate = 'in'"
    )
    crossover = sum(units for fate, _, units, *_ in fates if fate == "crossover")
    return Assignment(part, has_time, tuple(exclusions), crossover, unknown, no_arm, arm_rows, busiest)


def _busiest(work: Workspace) -> Busiest | None:
    """The unit with the most rows, with the next one; None for fewer than two units."""
    rows = [int(total) for (total,) in work.run("SELECT total FROM seen ORDER BY total DESC LIMIT 2")]
    if len(rows) < 2:
        return None
    return Busiest(rows[0], rows[1], int(work.run("SELECT sum(total) FROM seen")[0][0]))


_FATE_COUNTS = (
    "SELECT fate, arm, count(*), sum(n), sum(n_out) FROM seen WHERE fate <> 'no_arm' GROUP BY ALL ORDER BY ALL"
)


def _unnamed(work: Workspace, part: str) -> tuple[list[Exclusion], int]:
    """The exclusion of units without a row that names an arm, and the number of them that were exposed. Events may
    leave the arm to other rows of their unit; rows of exposures or units must name one, and are excluded otherwise."""
    if part == "events":
        exposed = "ever_exposed" if work.plan.experiment.exposure is not None else "FALSE"
        query = f"SELECT count(*), sum(n), count(*) FILTER ({exposed}) FROM seen WHERE fate = 'no_arm'"
        message = "units of which no row names an arm"
    else:
        unnamed = f"{work.clock.known(work.loading.parts[part].has_time)} AND arm = {NO_ARM}"
        rows_without = work.run(f"SELECT count(*) FROM {part} WHERE {unnamed}")[0][0]
        if not rows_without:  # cheap to check, as in `_unusable`
            return [], 0
        units_without = f"SELECT unit FROM {part} WHERE {unnamed}"
        best = f"count(*) FILTER ({unnamed}) AS n, max(arm) AS best"
        by_unit = f"SELECT {best} FROM {part} WHERE unit IN ({units_without}) GROUP BY unit"
        lost = f"count(*) FILTER (best = {NO_ARM})"
        query = f"SELECT {lost}, sum(n), {lost} FROM ({by_unit})"
        message = f"rows of {part} that name no arm (the units: those of which no row does)"
    units, lost_rows, exposed_units = (int(count or 0) for count in work.run(query)[0])
    return [Exclusion("no_arm", message, units, lost_rows)] if lost_rows else [], exposed_units


def _lost(fates: list[tuple[str, str, int, int, int]]) -> Iterator[Exclusion]:
    """Exclusions of units and their rows, from (fate, arm, units, rows, rows outside the period). Rows outside the
    period also count where their unit has others inside."""
    outside_rows = sum(rows_outside for *_, rows_outside in fates)
    for fate, message in _FATES.items():
        of_fate = [(arm, units, rows) for name, arm, units, rows, _ in fates if name == fate]
        rows = sum(n for _, _, n in of_fate) + (outside_rows if fate == "outside_period" else 0)
        if rows:
            by_arm = {arm: units for arm, units, _ in of_fate} if fate != "crossover" else {}
            yield Exclusion(fate, message, sum(units for _, units, _ in of_fate), rows, by_arm)


def _unusable(work: Workspace, part: str, loaded: PartTable) -> Iterator[Exclusion]:
    """Exclusions of rows without a unit or a time, or after the data cut. One query per condition lets the engine skip
    blocks of rows by their least and greatest values."""
    late = f"t >= {work.clock.cut}" if work.clock.cut is not None and loaded.has_time else "FALSE"
    reasons = (
        ("no_unit", f"rows of {part} without a unit", f"{loaded.select.kept} AND unit IS NULL"),
        ("no_time", f"rows of {part} without a time", "unit IS NOT NULL AND t IS NULL" if loaded.has_time else "FALSE"),
        ("after_as_of", f"rows of {part} after the data cut", f"unit IS NOT NULL AND {late}"),
    )
    for reason, message, condition in reasons:
        count = int(work.run(f"SELECT count(*) FROM {part} WHERE {condition}")[0][0])
        if count:
            yield Exclusion(reason, message, rows=count)


def _label_units(work: Workspace, part: str, strays: bool) -> None:
    """Create the table `seen`: one row per unit with its arm, its first exposure t0 and its fate.

    In `events` a unit's arms are those of all its rows; in other parts rows outside the period are dropped first. With
    `strays` some rows match no arm; their units do not count as units without a row that names one.
    """
    loaded = work.loading.parts[part]
    inside = work.clock.inside(loaded.has_time)
    exposed = "exposure" if part == "events" and work.plan.experiment.exposure is not None else "arm IS NOT NULL"
    by_arm = exposed == "arm IS NOT NULL"
    dropped_first = part != "events" and inside != "TRUE"  # rows outside the period, before arms are compared
    inside_only = f" FILTER ({inside})" if dropped_first else ""
    segments = "".join(
        f", arg_min(segment_{i}, {_order(i, loaded.has_time)}) FILTER ({inside} AND {exposed}) AS segment_{i}"
        for i, name in enumerate(work.plan.segments)
        if name in loaded.segments
    )
    # Each aggregate costs a pass over all rows: those that follow from another are not computed.
    ever = "any_arm IS NOT NULL" if by_arm else "coalesce(ever_exposed, FALSE)"
    met = "t0 IS NOT NULL" if loaded.has_time else "any_arm IS NOT NULL" if by_arm else "coalesce(ever_exposed, FALSE)"
    ever_exposed = "" if by_arm else f", bool_or({exposed}) AS ever_exposed"
    outside = f"count(*) FILTER (NOT ({inside}))" if dropped_first else "0"
    strange = f"SELECT unit FROM {part} WHERE {work.clock.known(loaded.has_time)} AND arm = {STRAY}"
    some_arm = f"any_arm IS NOT NULL OR unit NOT IN ({strange})" if strays else "TRUE"
    shares = 1 if work.engine.is_remote else math.ceil(work.loading.count(part) / ROWS_PER_PASS)
    for number, share in enumerate(_shares(shares)):
        work.run(
            f"""{"INSERT INTO seen" if number else "CREATE TABLE seen AS"}
            SELECT *, total - n_out AS n, coalesce(a0, any_arm) AS arm, CASE
                WHEN any_arm IS NULL THEN 'no_arm'
                WHEN ({ever}) AND NOT ({met}) THEN 'outside_period' WHEN a0 <> a1 THEN 'crossover'
                WHEN NOT ({met}) THEN 'not_exposed' ELSE 'in' END AS fate
            FROM (
                SELECT unit, min(arm){inside_only} AS a0, max(arm){inside_only} AS a1, min(arm) AS any_arm,
                       min(t) FILTER ({inside} AND {exposed}) AS t0{ever_exposed},
                       count(*) AS total, {outside} AS n_out{segments}
                FROM {part} WHERE {work.clock.usable(loaded.has_time)} AND {share} GROUP BY unit
            ) WHERE {some_arm}"""
        )


def _shares(count: int) -> list[str]:
    """SQL conditions on the keys of units (keys.py) that divide them into `count` parts."""
    if count <= 1:
        return ["TRUE"]
    ends = [(1 << 64) * share // count for share in range(count + 1)]
    return [f"unit >= {low} AND unit < {high}" for low, high in pairwise(ends)]


def _order(segment: int, has_time: bool) -> str:
    """The SQL of the order in which a unit's first value of a segment counts; at equal times, the least value."""
    return f"{{t: t, s: segment_{segment}}}" if has_time else "rowid"


def _first_exposure_event(work: Workspace, loaded: PartTable) -> None:
    """Set t0 in `seen` to the first exposure event at or after assignment; units without one become `not_exposed`."""
    segments = "".join(f", seen.segment_{i}" for i, name in enumerate(work.plan.segments) if name in loaded.segments)
    work.run(
        f"""CREATE OR REPLACE TABLE seen AS
        SELECT seen.unit, seen.arm, first.t0, seen.n, seen.n_out{segments},
            CASE WHEN fate = 'in' AND first.t0 IS NULL THEN 'not_exposed' ELSE fate END AS fate
        FROM seen LEFT JOIN (
            SELECT e.unit, min(e.t) AS t0 FROM events e JOIN seen s ON s.unit = e.unit
            WHERE e.exposure AND {work.clock.usable(True, "e.")} AND {work.clock.inside(True, "e.")}
            AND (s.t0 IS NULL OR e.t >= s.t0)
            GROUP BY e.unit
        ) first ON first.unit = seen.unit"""
    )


def _segment(plan: Plan, loading: Loading, part: str, position: int) -> str:
    name = plan.segments[position]
    if name in loading.parts[part].segments:
        return f"seen.segment_{position}"
    if "units" in loading.parts and name in loading.parts["units"].segments:
        return f"u.segment_{position}"
    return "CAST(NULL AS VARCHAR)"


def unit_rule(loaded: PartTable) -> str | None:
    """The `duplicates` rule for units on several rows: `first`, `last` or `sum`; None where none is declared. Raises
    DataError where two sources declare different rules."""
    rules: dict[str | None, str] = {
        getattr(source.options, "duplicates", None): source.table.shown for source in loaded.sources
    }
    if len(rules) > 1:
        help = "write the same `duplicates` in every source of units"
        shown = list(rules.values())[1]
        raise DataError(Problem("error", "unit-rules", "sources of units differ in `duplicates`", Span(shown), help))
    return next(iter(rules))


def row_order(loaded: PartTable, prefix: str = "") -> str:
    """The SQL of the order of rows of `units`: by time, if they have times, then by row."""
    return f"{{t: {prefix}t, r: {prefix}rowid}}" if loaded.has_time else f"{prefix}rowid"


def one_row_per_unit(work: Workspace, keep: str) -> None:
    """Create the table `units_one` with the metric columns and attributes of each unit, by the rule for repeated units,
    from the rows that satisfy the SQL condition `keep`."""
    loaded = work.loading.parts["units"]
    rule, order = unit_rule(loaded), row_order(loaded)
    pick = "arg_max_null" if rule == "last" else "arg_min_null"
    values = "".join(
        f", {f'fsum(ready_{i})' if rule == 'sum' else f'{pick}(ready_{i}, {order})'} AS ready_{i}"
        for i in range(len(work.plan.columns))
    )
    segments = "".join(
        f", {pick}(segment_{i}, {order}) AS segment_{i}"
        for i, name in enumerate(work.plan.segments)
        if name in loaded.segments
    )
    usable = work.clock.usable(loaded.has_time)
    work.run(
        f"CREATE OR REPLACE TABLE units_one AS SELECT unit, count(*) AS n{values}{segments} "
        f"FROM units WHERE {usable} AND {keep} GROUP BY unit"
    )
