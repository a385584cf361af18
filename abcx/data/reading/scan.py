"""Reads one source into the table of its part, and computes the checksums of its files in a second thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import TypeVar

from abcx.data.reading import mended_keys
from abcx.data.reading.cell_checks import unread
from abcx.data.reading.infer_formats import infer_formats
from abcx.data.reading.row_sql import Select
from abcx.data.reading.source import Source
from abcx.engines.local import Engine
from abcx.errors import BrokenLines
from abcx.files.csv_errors import unreadable
from abcx.files.lines import fingerprint
from abcx.files.paths import DataFile, with_line_ends
from abcx.notes import Note

T = TypeVar("T")


def read(number: int, source: Source, select: Select, segments: tuple[str, ...]) -> tuple[Source, int, list[Note]]:
    """Read a source into the table of its part, and read it again where its columns have other formats than the
    default. Returns the source as it was read, the first row id of its rows, and notes on how its columns are read."""
    notes: list[Note] = []
    source, before = with_lines(source, lambda candidate: _scan(number, candidate, select, segments))
    source, again, key_notes = mended_keys.mend(before, source, select)
    if again:
        forget(source.table.engine, number, select.part, before)
        before = _scan(number, source, select, segments)
        notes += key_notes
    inferred, key_notes = infer_formats(before, source, select, f"{select.part}_{number}")
    if inferred is not source:
        forget(source.table.engine, number, select.part, before)
        source = inferred
        before = _scan(number, source, select, segments)
    notes += key_notes
    select.sources = (*select.sources[:number], source, *select.sources[number + 1 :])
    return source, before, notes


def with_lines(source: Source, read: Callable[[Source], T]) -> tuple[Source, T]:
    """A source and the result of `read`. A file with mixed line ends is rewritten with one kind, and read again."""
    try:
        return source, read(source)
    except BrokenLines:
        table, file = source.table, source.table.file
        if file is None or table.types is not None or table.joined is not None:
            raise
    source = replace(source, table=replace(table, file=with_line_ends(file, source.table.engine.scratch)))
    return source, read(source)


def _scan(number: int, source: Source, select: Select, segments: tuple[str, ...]) -> int:
    """Read a source with its current formats; returns the first row id of its rows."""
    part, table, tag = select.part, source.table, f"{select.part}_{number}"
    before = next_row(source.table.engine, number, part)
    coded = select.coded(source)
    columns = ", ".join(f"{sql} AS {name}" for name, sql in select.select(coded, segments, unread(select, coded)))
    target = f"CREATE TABLE {part} AS" if number == 0 else f"INSERT INTO {part}"
    for name in (f"rejects_{tag}", f"scans_{tag}") if table.types is None else ():
        source.table.engine.run(f"DROP TABLE IF EXISTS {name}")
    source.table.engine.run(
        f"{target} SELECT {columns} FROM {select.rows(source, tag)}",
        lambda message: unreadable(table.file, table.shown, message),
    )
    return before


def next_row(engine: Engine, number: int, part: str) -> int:
    """The row id that the first row of source `number` of a part will have."""
    return 0 if number == 0 else int(engine.run(f"SELECT coalesce(max(rowid) + 1, 0) FROM {part}")[0][0])


def forget(engine: Engine, number: int, part: str, before: int) -> None:
    """Remove the rows of source `number`, those from row id `before` on."""
    engine.run(f"DROP TABLE IF EXISTS {part}" if number == 0 else f"DELETE FROM {part} WHERE rowid >= {before}")


def with_checksums(engine: Engine, files: Sequence[DataFile], read: Callable[[], T]) -> tuple[T, list[str]]:
    """The result of `read`, and the SHA-256 of every file. An error of the checksums interrupts `read` and is
    raised."""
    ended = Event()
    with ThreadPoolExecutor(1) as executor:
        sums = executor.submit(lambda: [fingerprint(file, ended) for file in files])
        sums.add_done_callback(lambda done: engine.interrupt() if done.exception() else None)
        try:
            result = read()
        except BaseException as error:  # nothing waits for the rest of a checksum, not even after Ctrl-C
            ended.set()
            if isinstance(error, Exception) and sums.done():
                sums.result()
            raise
    return result, sums.result()
