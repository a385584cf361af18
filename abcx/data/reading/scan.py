"""One source -> the table of its part: the statement that reads it, and the checksums of its files beside."""

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
    """Read a source into the table of its part: as plain text, and once more where its columns show something else.
    Returns it as it was read, the first row id that can be its own, and notes on how its columns are read."""
    notes: list[Note] = []
    source, before = with_lines(source, lambda one: _scan(number, one, select, segments))
    source, again, found = mended_keys.mend(before, source, select)
    if again:
        forget(source.table.engine, number, select.part, before)
        before = _scan(number, source, select, segments)
        notes += found
    looked, found = infer_formats(before, source, select, f"{select.part}_{number}")
    if looked is not source:
        forget(source.table.engine, number, select.part, before)
        source = looked
        before = _scan(number, source, select, segments)
    notes += found
    select.sources = (*select.sources[:number], source, *select.sources[number + 1 :])
    return source, before, notes


def with_lines(source: Source, read: Callable[[Source], T]) -> tuple[Source, T]:
    """A source and what `read` gives of it. A file whose lines end in different ways is rewritten, and read again."""
    try:
        return source, read(source)
    except BrokenLines:
        table, file = source.table, source.table.file
        if file is None or table.types is not None:
            raise
    source = replace(source, table=replace(table, file=with_line_ends(file, source.table.engine.scratch)))
    return source, read(source)


def _scan(number: int, source: Source, select: Select, segments: tuple[str, ...]) -> int:
    """Read a source as it stands; returns the first row id that can be its own."""
    part, table, tag = select.part, source.table, f"{select.part}_{number}"
    before = next_row(source.table.engine, number, part)
    columns = ", ".join(f"{sql} AS {name}" for name, sql in select.select(source, segments, unread(select, source)))
    target = f"CREATE TABLE {part} AS" if number == 0 else f"INSERT INTO {part}"
    for name in (f"rejects_{tag}", f"scans_{tag}") if table.types is None else ():
        source.table.engine.run(f"DROP TABLE IF EXISTS {name}")
    source.table.engine.run(
        f"{target} SELECT {columns} FROM {table.scan(tag)}",
        lambda message: unreadable(table.file, table.shown, message),
    )
    return before


def next_row(engine: Engine, number: int, part: str) -> int:
    """The first row id that source `number` of a part can have."""
    return 0 if number == 0 else int(engine.run(f"SELECT coalesce(max(rowid) + 1, 0) FROM {part}")[0][0])


def forget(engine: Engine, number: int, part: str, before: int) -> None:
    """Undo the last scan."""
    engine.run(f"DROP TABLE IF EXISTS {part}" if number == 0 else f"DELETE FROM {part} WHERE rowid >= {before}")


def with_checksums(engine: Engine, files: Sequence[DataFile], read: Callable[[], T]) -> tuple[T, list[str]]:
    """What `read` gives, and the SHA-256 of every file. What the checksums find wrong ends the reading."""
    ended = Event()
    with ThreadPoolExecutor(1) as beside:
        sums = beside.submit(lambda: [fingerprint(file, ended) for file in files])
        sums.add_done_callback(lambda done: engine.interrupt() if done.exception() else None)
        try:
            found = read()
        except BaseException as error:  # Ctrl-C, too, need not wait for the rest of a checksum
            ended.set()
            if isinstance(error, Exception) and sums.done():
                sums.result()
            raise
    return found, sums.result()
