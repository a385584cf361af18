"""Reads small files of one export in one statement: a year of hourly files has 8,760.

Only files of one structure without a problem are read so. Where something is wrong (a cell that is not a number, times
with and without an offset, a rounded id), the files are read one by one, which locates the problem.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from abcx.data.reading import scan, timezones
from abcx.data.reading.cell_checks import flags, odd_ids, unclear_flags
from abcx.data.reading.row_sql import Select
from abcx.data.reading.scan import with_checksums
from abcx.data.reading.source import Source
from abcx.engines.quoting import literal
from abcx.errors import DataError
from abcx.files.jsonl import lines_of
from abcx.files.table import Table
from abcx.notes import Note

_MINUTE = 60_000_000


@dataclass(frozen=True, slots=True)
class BatchRead:
    """Files that were read together: rows and SHA-256 of each, whether their times have no offset (`unsaid`), notes on
    how cells are read. `before` is the first row id of their rows."""

    rows: tuple[int, ...]
    sha256: tuple[str, ...]
    unsaid: bool
    notes: tuple[Note, ...]
    before: int


def read(number: int, source: Source, select: Select, segments: tuple[str, ...]) -> BatchRead | None:
    """Read the files of a source into the table of its part; None, with nothing read, where they must be read
    singly."""
    if any(term.source for term in select.plan.terms):  # the term may be of one file only
        return None
    if source.table.joined is not None and select.part == "units":  # a row of totals is looked for in every file
        return None
    files = source.table.files
    source.table.engine.set_phase(f"reading {source.table.named}", sum(file.path.stat().st_size for file in files))
    before = scan.next_row(source.table.engine, number, select.part)
    ordered = source.table.engine.run("SELECT current_setting('preserve_insertion_order')")[0][0]
    if source.table.joined is not None:  # the rows of a file are then those between two row ids
        source.table.engine.run("SET preserve_insertion_order = true")
    batch = None
    try:
        (source_read, before, notes), sums = with_checksums(
            source.table.engine, files, lambda: scan.read(number, source, select, segments)
        )
        rows, unsaid = _rows_per_file(source.table), timezones.unsaid_throughout(source_read, select.part, before)
        whole = all(rows) or source.arm is None  # one of several files of one export may have no rows
        whole = whole and not (source.table.joined is not None and _some_coarse(select.part, source, before, rows))
        if whole and unsaid is not None and _all_cells_clean(number, before, source_read, select, sum(rows)):
            batch = BatchRead(rows, tuple(sums), unsaid, tuple(notes), before)
    except DataError:
        pass  # reading the files one by one finds the faulty one
    source.table.engine.run(f"SET preserve_insertion_order = {str(ordered).lower()}")
    if batch is None:
        scan.forget(source.table.engine, number, select.part, before)
    return batch


def _rows_per_file(table: Table) -> tuple[int, ...]:
    """The number of rows of each file."""
    if table.joined is not None:
        return table.joined.rows
    if table.files[0].format == "jsonl":
        counted = f"SELECT filename, count(*) FROM {lines_of(table.files)} GROUP BY filename"
    else:
        paths = ", ".join(literal(str(file.path)) for file in table.files)
        counted = f"SELECT file_name, num_rows FROM parquet_file_metadata([{paths}])"
    counts = dict(table.engine.run(counted))
    return tuple(int(counts.get(str(file.path), 0)) for file in table.files)


def _some_coarse(part: str, source: Source, before: int, rows: tuple[int, ...]) -> bool:
    """Whether all times of some file are whole minutes: how exact times are is judged file by file (resolution.py)."""
    if source.name("time") is None:
        return False
    ends = [before, *(before + sum(rows[: i + 1]) for i in range(len(rows)))]
    files = ", ".join(f"({first}, {end})" for first, end in pairwise(ends))
    exact = f"SELECT f.a FROM (VALUES {files}) f(a, b) JOIN {part} e ON e.rowid >= f.a AND e.rowid < f.b"
    coarse = f"{exact} WHERE e.t IS NOT NULL GROUP BY f.a HAVING bool_and(e.t % {_MINUTE} = 0) LIMIT 1"
    return bool(source.table.engine.run(coarse))


def _all_cells_clean(number: int, before: int, source: Source, select: Select, expected: int) -> bool:
    """Whether every cell could be read and all `expected` rows were loaded."""
    table = source.table
    ordered = table.written is not None and table.written.by_order and not table.options.date_order
    if table.numbers or ordered or table.glued:  # formats are inferred per file
        return False
    refused = f"SELECT 1 FROM rejects_{select.part}_{number} LIMIT 1"
    if table.types is None and source.table.engine.run(refused):
        return False
    if any(rows for _, rows in flags(before, source, select)) or unclear_flags(source, select):
        return False
    if any(odd_ids(before, source, select)) or source.table.pointed:
        return False
    return int(source.table.engine.run(f"SELECT count(*) FROM {select.part} WHERE rowid >= {before}")[0][0]) == expected
