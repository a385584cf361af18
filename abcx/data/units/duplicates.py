"""Duplicate events (same unit, time and all that the metrics read): counted, and removed if the spec says so."""

from __future__ import annotations

from abcx.data.plan import Plan
from abcx.data.reading.load import Loading
from abcx.data.reading.source import drops
from abcx.data.workspace import Workspace
from abcx.errors import DataError
from abcx.problems import Problem, Span
from abcx.results.readout import Exclusion


def remove(work: Workspace) -> Exclusion | None:
    """Remove the duplicates of sources with `duplicates: drop`, among the units of the analysis (others are left out
    anyway). The first of equal rows is kept.

    Returns the exclusion (perhaps of no rows); None where no source declares it. Raises DataError where events have no
    times.
    """
    loaded = work.loading.parts.get("events")
    if loaded is None or not any(drops(source) for source in loaded.sources):
        return None
    if not loaded.has_time:
        table = next(source.table for source in loaded.sources if drops(source))
        message = f"{table.shown} has no time column, and `duplicates: drop` needs times"
        help = f"name it: columns: {{time: NAME}}; {table.header_text()}"
        raise DataError(Problem("error", "no-time", message, Span(table.shown, 1), help))
    cells = ["unit", *_cells(work.plan, loaded.has_id)]
    row, usable = (
        ", ".join(f"e.{cell}" for cell in cells),
        f"e.droppable AND {work.clock.usable(True, 'e.')} AND ({read_by_a_metric(work.plan)})",
    )
    repeated = f"SELECT hash({row}) FROM events e WHERE {usable} GROUP BY 1 HAVING count(*) > 1"
    work.run(
        "CREATE OR REPLACE TABLE repeats AS SELECT a.arm, e.unit, e.rowid AS place "
        f"FROM events e JOIN assigned a ON a.unit = e.unit WHERE {usable} AND hash({row}) IN ({repeated}) "
        f"QUALIFY row_number() OVER (PARTITION BY {row} ORDER BY e.rowid) > 1"
    )
    counts = work.run("SELECT arm, count(*), count(DISTINCT unit) FROM repeats GROUP BY arm ORDER BY arm")
    removed = sum(int(n) for _, n, _ in counts)
    if removed:
        work.loading.count_lost("events", "repeated_row", "rowid IN (SELECT place FROM repeats)")
        work.run("DELETE FROM events WHERE rowid IN (SELECT place FROM repeats)")
    message = "events that duplicate another (same unit, time and all that the metrics read): the first is kept"
    by_arm = {work.plan.arms[arm]: int(units) for arm, _, units in counts}
    return Exclusion("repeated_row", message, sum(by_arm.values()), removed, by_arm)


def may_hold_duplicates(plan: Plan, loading: Loading) -> str:
    """The SQL of an aggregate over the events `e` of a unit: whether some may be equal. Each event sets one of 64 bits
    by its hash; where all bits differ, so do the events."""
    cells = ", ".join(f"e.{cell}" for cell in _cells(plan, "id" in identity_columns(loading)))
    return f"bit_count(bit_or(1::UBIGINT << (hash({cells}) % 64)::UTINYINT)) < count(*)"


def count(work: Workspace, screened: bool) -> int:
    """The number of events in `outcome` that duplicate another, of sources that keep duplicates. With `screened` only
    the events of units that are `suspect` in `unit_table` are compared.

    Rows are compared by a 64-bit hash: among 10 million different rows a false duplicate has probability 3e-6.
    """
    cells = ", ".join(["uid", *_cells(work.plan, "id" in identity_columns(work.loading))])
    compared = ["uid IN (SELECT uid FROM unit_table WHERE suspect)" if screened else "TRUE"]
    compared += ["NOT droppable"] if "droppable" in identity_columns(work.loading) else []
    query = f"SELECT count(*) - count(DISTINCT hash({cells})) FROM outcome WHERE {' AND '.join(compared)}"
    return int(work.run(query)[0][0])


def identity_columns(loading: Loading) -> list[str]:
    """The columns of events, other than those that the metrics read, that are needed to compare duplicates: the id, and
    whether the source drops duplicates."""
    loaded = loading.parts["events"]
    columns = ["id"] if loaded.has_id else []
    return [*columns, "droppable"] if any(drops(source) for source in loaded.sources) else columns


def _cells(plan: Plan, identified: bool) -> list[str]:
    """The columns in which duplicate events of a unit are equal."""
    terms, keys = (f"term_{i}" for i in range(len(plan.terms))), (f"ticket_key_{i}" for i in range(len(plan.keys)))
    return ["t", *(["id"] if identified else []), *terms, *keys]


def read_by_a_metric(plan: Plan) -> str:
    """The SQL condition of events `e` that some metric reads."""
    return " OR ".join(f"e.term_{i} IS NOT NULL" for i in range(len(plan.terms))) or "FALSE"
