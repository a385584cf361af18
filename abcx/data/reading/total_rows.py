"""Detects a last row that sums up the others, as in spreadsheets and reports: as a unit it would double every mean."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence

from abcx.data.reading.source import Source
from abcx.engines.quoting import literal
from abcx.files.bad_rows import last_row
from abcx.files.csv_errors import Bad
from abcx.problems import Problem, Span

FEWEST = 3
"""Minimum number of rows above a row that sums them up."""
_WORDS = r"^\W*((grand|sub)[ _-]?totals?|totals?|sum|summe|gesamt[a-z]*|grand)([^A-Za-z0-9]|$)"


def named(text: str) -> str:
    """The SQL condition of ids that start with a word for a total."""
    return f"coalesce(regexp_matches({text}, {literal('(?i)' + _WORDS)}), FALSE)"


def is_named(text: str) -> bool:
    """Whether a text starts with a word for a total."""
    return re.search(_WORDS, text, re.IGNORECASE | re.ASCII) is not None


def sums_up(last: Sequence[float | None], above: Sequence[Sequence[float | None]]) -> bool:
    """Whether the last value of every column is the sum of those above. At least one column must have two nonzero
    values above: else the last unit may be the only one that bought, for example."""
    pairs = list(zip(last, above, strict=True))
    fits = all(value is not None and _is_sum(value, math.fsum(v or 0 for v in summands)) for value, summands in pairs)
    return fits and any(sum(bool(value) for value in summands) > 1 for _, summands in pairs)


def _is_sum(value: float, total: float) -> bool:
    return math.isclose(value, total, rel_tol=1e-9)


def total_rows(before: int, source: Source, columns: int) -> Iterator[Bad]:
    """A problem where the last row of a file of units sums up those above, or is named like a total and has the largest
    values. `before` is the first row id of the file in table `units`, `columns` the number of its metric columns."""
    rows = f"FROM units WHERE rowid >= {before} AND unit IS NOT NULL"
    count, last, names = source.table.engine.run(f"SELECT count(*), max(rowid), count(*) FILTER (totals) {rows}")[0]
    if count <= FEWEST:
        return
    above = f"rowid < {last}"
    fields = "".join(
        f", fsum({m}) FILTER ({m} <> 0 AND NOT isnan({m}) AND {above}), count({m}) FILTER ({m} <> 0 AND {above}), "
        f"max({m}) FILTER ({above}), max({m}) FILTER (NOT ({above}))"
        for m in (f"ready_{i}" for i in range(columns))
    )
    is_total, *cells_found = source.table.engine.run(f"SELECT bool_or(totals) FILTER (rowid = {last}){fields} {rows}")[
        0
    ]
    cells = [cells_found[i : i + 4] for i in range(0, len(cells_found), 4)]
    summed = bool(cells) and all(own is not None and _is_sum(own, total or 0.0) for total, _, _, own in cells)
    summed = summed and any(filled > 1 for _, filled, _, _ in cells)
    largest = all(own is None or most is None or own >= most for _, _, most, own in cells)
    if not summed and not (is_total and names == 1 and largest):
        return
    column = source.name("unit") or ""
    text = source.table.sql(column, "text")
    line, value = last_row(source.table, f"({source.kept}) AND {text} IS NOT NULL", text)
    yield Bad(problem(source.table.shown, line, column, value, int(count) - 1, summed), 1, True)


def problem(shown: str, line: int, column: str, value: str, above: int, summed: bool) -> Problem:
    """The problem of a row that sums up the `above` rows above it (`summed`) or is named so, and how to leave it
    out."""
    what = f"is the sum of the {above:,} rows above" if summed else f"is named like a total of the {above:,} rows above"
    message = f"the last row ('{value[:60]}') {what}: it would count once more"
    escaped = value[:60].replace("'", "''")
    help = f"delete it in the export, or leave it out: exclude: {{totals: {{{column}: '{escaped}'}}}}"
    return Problem("error", "totals-row", message, Span(shown, line, path=column), help)
