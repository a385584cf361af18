"""One source -> the table of its part: the statement that reads it, and the checksums of its files beside."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TypeVar

from abcx.data.cells import unread
from abcx.data.engine import Engine
from abcx.data.files import DataFile
from abcx.data.lines import fingerprint
from abcx.data.rejects import unreadable
from abcx.data.select import Select
from abcx.data.source import Source

T = TypeVar("T")


def scan(engine: Engine, number: int, source: Source, select: Select, segments: tuple[str, ...]) -> int:
    """Read a source as it stands; returns the first row id that can be its own."""
    part, table, tag = select.part, source.table, f"{select.part}_{number}"
    before = 0 if number == 0 else int(engine.run(f"SELECT coalesce(max(rowid) + 1, 0) FROM {part}")[0][0])
    columns = ", ".join(f"{sql} AS {name}" for name, sql in select.select(source, segments, unread(select, source)))
    target = f"CREATE TABLE {part} AS" if number == 0 else f"INSERT INTO {part}"
    for name in (f"rejects_{tag}", f"scans_{tag}") if table.types is None else ():
        engine.run(f"DROP TABLE IF EXISTS {name}")
    engine.run(
        f"{target} SELECT {columns} FROM {table.scan(tag)}",
        lambda message: unreadable(table.file, table.shown, message),
    )
    return before


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
