"""Small files of one export, read in one statement: a year of hours has 8,760 files.

Only where they are alike. Whatever is wrong with one (a cell that is no number, a time without an offset beside one
that has it, an id that was rounded) is left to the reading of one file after another, which tells where it stands.
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class BatchRead:
    """Files as they were read: rows and SHA-256 of each, whether their times have no offset, how cells are read.
    `before` is the first row id that can be theirs."""

    rows: tuple[int, ...]
    sha256: tuple[str, ...]
    unsaid: bool
    notes: tuple[Note, ...]
    before: int


def read(number: int, source: Source, select: Select, segments: tuple[str, ...]) -> BatchRead | None:
    """Read the files of a source into the table of its part; None, and nothing read, where they must be read apart."""
    if any(term.source for term in select.plan.terms):  # it may name one of the files
        return None
    files = source.table.files
    source.table.engine.set_phase(f"reading {source.table.named}", sum(file.path.stat().st_size for file in files))
    before = scan.next_row(source.table.engine, number, select.part)
    found = None
    try:
        (looked, before, notes), sums = with_checksums(
            source.table.engine, files, lambda: scan.read(number, source, select, segments)
        )
        rows, unsaid = _rows_per_file(source.table), timezones.unsaid_throughout(looked)
        whole = all(rows) or source.arm is None  # one of several files that are one export may be without rows
        if whole and unsaid is not None and _all_cells_clean(before, looked, select, sum(rows)):
            found = BatchRead(rows, tuple(sums), unsaid, tuple(notes), before)
    except DataError:
        pass  # read apart they tell which it is
    if found is None:
        scan.forget(source.table.engine, number, select.part, before)
    return found


def _rows_per_file(table: Table) -> tuple[int, ...]:
    """How many rows each file has."""
    if table.files[0].format == "jsonl":
        counted = f"SELECT filename, count(*) FROM {lines_of(table.files)} GROUP BY filename"
    else:
        paths = ", ".join(literal(str(file.path)) for file in table.files)
        counted = f"SELECT file_name, num_rows FROM parquet_file_metadata([{paths}])"
    found = dict(table.engine.run(counted))
    return tuple(int(found.get(str(file.path), 0)) for file in table.files)


def _all_cells_clean(before: int, source: Source, select: Select, expected: int) -> bool:
    """Whether every cell could be read, and all rows are there."""
    table = source.table
    ordered = table.written is not None and table.written.by_order and not table.options.date_order
    if table.numbers or ordered:  # each file for itself shows how it writes these
        return False
    if any(rows for _, rows in flags(before, source, select)) or unclear_flags(source, select):
        return False
    if any(odd_ids(before, source, select)) or source.table.pointed:
        return False
    return int(source.table.engine.run(f"SELECT count(*) FROM {select.part} WHERE rowid >= {before}")[0][0]) == expected
