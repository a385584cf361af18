"""Counts of the values of units or events around a quantile; no single row is fetched from the engine."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from abcx.data.plan import Value
from abcx.data.units.timing import Timing
from abcx.data.workspace import Workspace
from abcx.engines.quoting import literal
from abcx.stats.records import QuantileSummary, Summary

if TYPE_CHECKING:
    from abcx.stats.mid_distribution import DesignPoint

Cell = tuple[str, int]
"""A group and an arm."""


def read(work: Workspace, name: str, timing: Timing | None, table: str, by: str) -> dict[str, dict[str, Summary]]:
    """The summary of a quantile metric, by a SQL expression `by` on units and by arm."""
    from abcx.stats import mid_distribution

    needs, value = work.plan.metrics[name].needs(), work.plan.of(name)[0]
    assert needs.q is not None
    if needs.of_events:
        values = _events(value, timing, by)
    else:
        column = f"value_{value.position}"
        values = f"SELECT {by} AS grp, arm, uid, {column} AS v FROM {table} WHERE {column} IS NOT NULL"
    work.run(f"CREATE OR REPLACE TABLE quantile_values AS {values}")
    work.run(
        "CREATE OR REPLACE TABLE quantile_counts AS SELECT grp, arm, v, equal, "
        "sum(equal) OVER (PARTITION BY grp, arm ORDER BY v) - equal AS below FROM (SELECT CAST(grp AS VARCHAR) AS grp, "
        "arm, CAST(v AS DOUBLE) AS v, count(*) AS equal FROM quantile_values GROUP BY ALL)"
    )
    rows = work.run("SELECT grp, arm, sum(equal), count(*) FROM quantile_counts GROUP BY ALL")
    totals: dict[Cell, int] = {(str(group), int(arm)): int(total) for group, arm, total, _ in rows}
    distinct: dict[Cell, int] = {(str(group), int(arm)): int(count) for group, arm, _, count in rows}
    units = _units(work) if needs.of_events else {}
    alike = {cell: units[cell][1] / total if units else 1.0 for cell, total in totals.items()}
    summaries = _count_values(work, needs.q, totals, distinct, alike)
    if units:
        points = {cell: mid_distribution.design_points(summary, alike[cell]) for cell, summary in summaries.items()}
        sums = _residuals(work, {cell: cell_points for cell, cell_points in points.items() if cell_points}, totals)
        for cell, summary in summaries.items():
            squares, fourths = sums.get(cell, ([], []))
            summaries[cell] = mid_distribution.of_events(
                summary, points[cell], units[cell][0], alike[cell], squares, fourths
            )
    work.run("DROP TABLE quantile_values")
    work.run("DROP TABLE quantile_counts")
    result: dict[str, dict[str, Summary]] = {}
    for (group, arm), summary in summaries.items():
        result.setdefault(group, {})[work.plan.arms[arm]] = summary
    return result


def nothing(q: float) -> QuantileSummary:
    """The summary of an arm without values."""
    import numpy as np

    from abcx.stats import mid_distribution

    return mid_distribution.summary(np.zeros(0), q)


def _events(value: Value, timing: Timing | None, by: str) -> str:
    """The SQL of the values of events inside the window; of all events where they have no times."""
    x = f"e.term_{value.source_index}"
    return (
        f"SELECT a.grp, e.arm, e.uid, {x} AS v FROM (SELECT uid, {by} AS grp FROM assigned) a "
        f"JOIN outcome e ON e.uid = a.uid WHERE {x} IS NOT NULL AND {timing.inside(value) if timing else 'TRUE'}"
    )


def _units(work: Workspace) -> dict[Cell, tuple[int, float]]:
    """(units with events, sum of their squared numbers of events) by group and arm."""
    rows = work.run(
        "SELECT grp, arm, count(*), sum(n * n) FROM (SELECT CAST(grp AS VARCHAR) AS grp, arm, uid, "
        "CAST(count(*) AS DOUBLE) AS n FROM quantile_values GROUP BY ALL) GROUP BY ALL"
    )
    return {(str(group), int(arm)): (int(units), float(squares)) for group, arm, units, squares in rows}


def _count_values(
    work: Workspace, q: float, totals: dict[Cell, int], distinct: dict[Cell, int], alike: dict[Cell, float]
) -> dict[Cell, QuantileSummary]:
    """The values to keep with their counts, as chosen by stats/mid_distribution.kept_ranks."""
    import numpy as np

    from abcx.stats import mid_distribution

    if not totals:
        return {}
    numbers = (
        (*cell, index, total, *mid_distribution.kept_ranks(total, distinct[cell], q, alike[cell]))
        for index, (cell, total) in enumerate(totals.items())
    )
    columns = work.engine.arrays(
        "SELECT w.cell, c.v, c.below, c.equal FROM quantile_counts c "
        f"JOIN {_values(numbers)} w(grp, arm, cell, total, low, high, step) ON w.grp = c.grp AND w.arm = c.arm "
        "WHERE (c.below + c.equal >= w.low AND c.below <= w.high) OR c.below = 0 OR c.below + c.equal = w.total "
        "OR (c.below + c.equal - 1) // w.step <> CASE WHEN c.below = 0 THEN -1 ELSE (c.below - 1) // w.step END "
        "ORDER BY w.cell, c.v"
    )
    cells, values = np.asarray(columns["cell"]), np.asarray(columns["v"], float)
    below, equal = (np.asarray(columns[name], float).round().astype(np.int64) for name in ("below", "equal"))
    summaries = {}
    for index, cell in enumerate(totals):
        rows = slice(*np.searchsorted(cells, [index, index + 1]))
        summaries[cell] = mid_distribution.of_units(q, values[rows], below[rows], equal[rows])
    return summaries


def _residuals(
    work: Workspace, points: dict[Cell, list[DesignPoint]], totals: dict[Cell, int]
) -> dict[Cell, tuple[list[float], list[float]]]:
    """Sums of squared and of fourth powers of the units' residuals at every point of a cell."""
    if not points:
        return {}
    most = max(map(len, points.values()))
    names = [f"{kind}{i}" for i in range(most) for kind in ("a", "b", "s", "m", "e", "g")]
    numbers: list[tuple[str | float, ...]] = []
    for cell, cell_points in points.items():
        padded = cell_points + cell_points[-1:] * (most - len(cell_points))
        weights = ((p.left, p.right, p.at_left, p.between, p.at_right, p.level) for p in padded)
        numbers.append((*cell, float(totals[cell]), *(number for weight in weights for number in weight)))
    score = "sum(CASE WHEN v < a{0} THEN 1e0 WHEN v = a{0} THEN s{0} WHEN v < b{0} THEN m{0} WHEN v = b{0} THEN e{0} "
    sums = ", ".join(f"{score.format(i)}ELSE 0e0 END) AS x{i}, min(g{i}) AS g{i}" for i in range(most))
    per_unit = (
        f"SELECT w.grp, w.arm, r.uid, CAST(count(*) AS DOUBLE) AS n, min(w.total) AS total, {sums} "
        "FROM (SELECT CAST(grp AS VARCHAR) AS grp, arm, uid, CAST(v AS DOUBLE) AS v FROM quantile_values) r "
        f"JOIN {_values(numbers)} w(grp, arm, total, {', '.join(names)}) ON w.grp = r.grp AND w.arm = r.arm "
        "GROUP BY ALL"
    )
    residuals = ", ".join(f"(x{i} - g{i} * n) / (1e0 - n / total) AS r{i}" for i in range(most))
    powers = ", ".join(f"sum(r{i} ** 2), sum(r{i} ** 4)" for i in range(most))
    rows = work.run(
        f"SELECT grp, arm, {powers} FROM (SELECT grp, arm, {residuals} FROM ({per_unit}) WHERE n < total) GROUP BY ALL"
    )
    sums_by_cell = {}
    for group, arm, *sums_of in rows:
        cell = str(group), int(arm)
        count = 2 * len(points[cell])
        sums_by_cell[cell] = [float(x) for x in sums_of[0:count:2]], [float(x) for x in sums_of[1:count:2]]
    return sums_by_cell


def _values(rows: Iterable[tuple[str | float, ...]]) -> str:
    """The SQL of a table of numbers and texts; fractions keep every digit."""

    def cell(value: str | float) -> str:
        if isinstance(value, str):
            return literal(value)
        return f"CAST('{value!r}' AS DOUBLE)" if isinstance(value, float) else str(value)

    return f"(VALUES {', '.join('(' + ', '.join(map(cell, row)) + ')' for row in rows)})"
