"""Files as they were read -> Parquet with types: the same rows, every column, written once for repeated readouts.

A file is written once for all sources that name it in the same way, because `id` counts once for each of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from abcx.data.pack.column_types import Use, columns, refusal
from abcx.data.pack.column_uses import column_uses
from abcx.data.reading.cell_checks import checks, unread
from abcx.data.reading.load import Loading, SourceRead
from abcx.data.reading.row_sql import Select
from abcx.data.reading.source import Source
from abcx.engines.local import Engine
from abcx.engines.quoting import identifier, literal
from abcx.errors import DataError
from abcx.files import pack_log
from abcx.problems import Problem
from abcx.spec.model import EventSource, FileOptions, FileRef

_ENDINGS = (".gz", ".zst", ".zip", ".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".parquet", ".pq")
_OF_FILE = (
    *("format", "delimiter", "decimal", "thousands", "encoding", "skip", "header_rows", "null", "time_format"),
    *("date_order", "timezone", "max_bad_rows", "preset"),
)
"""Options that say how a file is written: a packed file needs none."""


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A Parquet file: its name, the file that it was made of, and its rows."""

    name: str
    shown: str
    rows: int


@dataclass(frozen=True, slots=True)
class Packed:
    """What was written, and the sources of every part of `data` that read it."""

    files: tuple[PackedFile, ...]
    sources: Mapping[str, tuple[FileOptions, ...]]


@dataclass(frozen=True, slots=True)
class _Reading:
    """One source of a part as it was read."""

    part: str
    select: Select
    source: Source
    read: SourceRead


def names(loading: Loading) -> list[str]:
    """The names of the Parquet files, in the order of `pack`."""
    taken: list[str] = []
    for readings in _by_file(loading).values():
        stem = _stem(readings[0].source.table.shown)
        others = (f"{stem}-{number}" for number in range(2, len(taken) + 3))
        taken.append(
            next(f"{name}.parquet" for name in (stem, *others) if f"{name}.parquet".lower() not in _low(taken))
        )
    return taken


def pack(loading: Loading, folder: Path) -> Packed:
    """Write every file that was read into `folder`, which the engine may write to. Raises DataError where a column
    cannot be told in one type without changing what is read."""
    by_file = _by_file(loading)
    files = dict(zip(by_file, names(loading), strict=True))
    _refuse_ids_apart(by_file)
    written: list[PackedFile] = []
    problems: list[Problem] = []
    for number, (key, readings) in enumerate(by_file.items()):
        try:
            written.append(_write(loading.engine, readings, folder / files[key], f"pack_{number}"))
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(problems)
    of_part: dict[str, tuple[FileOptions, ...]] = {}
    for part, loaded in loading.parts.items():
        sources = [source for source in loaded.sources if not _is_of_units(loading, source)]
        entries = {id(source.options): source.options for source in sources}
        if entries:
            of_part[part] = tuple(_entry(options, loaded.sources, files) for options in entries.values())
    return Packed(tuple(written), of_part)


def _is_of_units(loading: Loading, source: Source) -> bool:
    """Whether a source of events is a column of times of a file of units, which the spec names as units alone."""
    return isinstance(source.options, EventSource) and source.options.event in loading.plan.time_columns


def _stem(shown: str) -> str:
    """The name of a file without its endings, with nothing in it that a path or a glob would mean."""
    name = re.sub(r"[^\w.-]+", "-", Path(shown).name).strip("-.")
    while (ending := next((one for one in _ENDINGS if name.lower().endswith(one)), None)) is not None:
        name = name[: -len(ending)]
    return name[:100].rstrip("-.") or "data"


def _low(taken: Sequence[str]) -> list[str]:
    return [name.lower() for name in taken]


_Key = tuple[object, ...]


def _key(source: Source) -> _Key:
    """What sources share that are served by one Parquet file: the file, and how its rows and cells are told apart."""
    table, options = source.table, source.table.options
    assert table.file is not None
    refs = tuple((ref.path, ref.arm) for ref in source.options.file)
    return (
        str(table.file.original),
        refs,
        options.delimiter,
        options.encoding,
        options.skip,
        options.null,
        table.glued,
    )


def _by_file(loading: Loading) -> dict[_Key, list[_Reading]]:
    found: dict[_Key, list[_Reading]] = {}
    for part, loaded in loading.parts.items():
        for number, source in enumerate(loaded.sources):
            reading = _Reading(part, loaded.select, source, loading.reads[part, number])
            found.setdefault(_key(source), []).append(reading)
    return found


def _refuse_ids_apart(by_file: Mapping[_Key, list[_Reading]]) -> None:
    """The rows of a file that gives several events have one id each of them: they must stay one file."""
    seen: dict[_Key, _Key] = {}
    for key, readings in by_file.items():
        events = [one for one in readings if one.part == "events" and one.source.name("id")]
        if events and seen.setdefault(key[:2], key) != key:
            message = "serves several events with ids, and is read in different ways"
            raise DataError(refusal(events[0].source.table, "", message, "give its sources the same options"))


def _write(engine: Engine, readings: list[_Reading], target: Path, tag: str) -> PackedFile:
    first = readings[0].source.table
    assert first.file is not None
    engine.set_phase(f"packing {first.shown}", first.file.path.stat().st_size)
    table = replace(first, time=None)  # every cell as text, whatever the sources declare
    bad = sum(one.read.bad for one in readings)
    if bad and len(readings) > 1:
        cure = "correct them in the export: what one source leaves out, another may need"
        raise DataError(refusal(table, "", f"serves several sources and has {bad:,} bad rows", cure))
    engine.run(f"SET TimeZone = {literal(table.timezone)}")
    engine.run("SET preserve_insertion_order = true")
    kept = _good_rows(readings[0], table.scan(tag)) if bad else table.scan(tag)
    uses = [Use(one.source.table, column_uses(one.select, one.source)) for one in readings]
    typed = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in columns(table, uses, kept))
    _forget(engine, tag)
    log = literal(pack_log.written(one.read.log for one in readings))
    form = f"FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{pack_log.KEY}: {log}}}"
    copied = engine.run(
        f"COPY (SELECT {typed} FROM {kept}) TO {literal(str(target))} ({form})",
        lambda message: Problem("error", "pack", f"cannot write {target.name}: {message.partition(chr(10))[0]}"),
    )
    count = int(copied[0][0])
    if any(one.read.rows != count for one in readings):
        told = " and ".join(f"{one.read.rows:,}" for one in readings)
        cure = "leave the file unpacked, and report this"
        raise DataError(refusal(table, "", f"was read as {told} rows and packed as {count:,}", cure))
    return PackedFile(target.name, table.shown, count)


def _forget(engine: Engine, tag: str) -> None:
    for name in (f"rejects_{tag}", f"scans_{tag}"):
        engine.run(f"DROP TABLE IF EXISTS {name}")


def _good_rows(reading: _Reading, scan: str) -> str:
    """The rows that the spec did not leave out as bad (`max_bad_rows`): the same conditions, on the same columns."""
    source = replace(reading.source, table=replace(reading.source.table, time=None))
    worked_out = reading.select.select(source, (), unread(reading.select, source))
    found = ", ".join(f"{sql} AS {name}" for name, sql in worked_out)
    flagged = " OR ".join(f"({check.flag})" for check in checks(reading.select, source))
    return f"(SELECT * FROM (SELECT *, {found} FROM {scan}) WHERE ({flagged}) IS NOT TRUE)"


def _entry(options: FileOptions, sources: Sequence[Source], files: Mapping[_Key, str]) -> FileOptions:
    """The source of the packed spec: the files in place of its own, and nothing on how they are written."""
    mine = [source for source in sources if source.options is options]
    refs = tuple(FileRef(path=files[_key(source)], arm=source.arm) for source in mine)
    defaults = {name: FileOptions.model_fields[name].default for name in _OF_FILE}
    return options.model_copy(update={"file": refs, **defaults})
