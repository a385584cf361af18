"""Files and frames -> tables whose header is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from abcx.data import history, times
from abcx.data.engine import Engine, identifier, literal
from abcx.data.files import DataFile
from abcx.data.header import read_header, unambiguous
from abcx.data.jsonl import objects
from abcx.data.rejects import BAD_JSON, unreadable
from abcx.data.tables import Table
from abcx.errors import DataError
from abcx.problems import Problem, Span
from abcx.spec.model import FileOptions

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""How Hive names the folder of rows without a value."""


def open_files(engine: Engine, files: Sequence[DataFile], options: FileOptions, timezone: str) -> list[Table]:
    """Open the files of one export. Files of JSON lines get the fields of all: an object leaves out what it has no
    value of, so a small file may lack a field altogether."""
    opened = [open_file(engine, file, options, timezone) for file in files]
    told = [table for table in opened if table.file is not None and table.file.format == "jsonl"]
    names = tuple(dict.fromkeys(name for table in told for name in table.header))
    if told and not names:
        shown = told[0].shown
        raise DataError(Problem("error", "no-header", f"{shown} has no fields", Span(shown, 1), BAD_JSON))
    return [_with_fields(table, names) if table in told else table for table in opened]


def open_file(engine: Engine, file: DataFile, options: FileOptions, timezone: str) -> Table:
    """Read the header of a file. Raises DataError for what is not a table, or has a header that cannot be used."""
    engine.begin(f"opening {file.shown}")
    timezone = options.timezone or timezone
    if options.time_format:
        _check_format(engine, file.shown, options.time_format)
    if file.format == "parquet":
        return _open_parquet(engine, file, options, timezone)
    if file.format == "jsonl":
        return _open_jsonl(engine, file, options, timezone)
    found = read_header(engine, file, options)
    file = replace(file, notes=(*file.notes, *found.notes))
    zone = found.options.timezone or timezone
    return Table(
        file.shown, found.names, found.options, zone, file, first_line=found.first_line, written=_ordered(options)
    )


def _ordered(options: FileOptions) -> times.Written | None:
    """How the spec says that days and months are ordered."""
    return times.Written(options.date_order) if options.date_order and not options.time_format else None


def open_frame(engine: Engine, frame: object, name: str, options: FileOptions, timezone: str) -> Table:
    """A frame given at the call."""
    timezone = options.timezone or timezone
    if options.time_format:
        _check_format(engine, name, options.time_format)
    engine.register(name, frame)
    shown = f"{name} frame"
    described = engine.run(f"DESCRIBE {identifier(name)}", lambda message: unreadable(None, shown, message))
    names = getattr(frame, "column_names", None) or getattr(frame, "columns", None)  # the engine renames: v, V -> V_1
    header = tuple(str(column).strip() for column in names) if names is not None else ()
    if len(header) != len(described):
        header = tuple(str(row[0]) for row in described)
    types = tuple(str(row[1]) for row in described)
    return Table(
        shown, unambiguous(header), options, timezone, None, types, identifier(name), written=_ordered(options)
    )


def _open_parquet(engine: Engine, file: DataFile, options: FileOptions, timezone: str) -> Table:
    """The columns of the file, and those that its folders tell beside them."""
    relation = f"read_parquet({literal(str(file.path))}, hive_partitioning=false)"
    described = engine.run(f"DESCRIBE SELECT * FROM {relation}", lambda message: unreadable(file, file.shown, message))
    schema = engine.run(f"SELECT name, coalesce(num_children, 0) FROM parquet_schema({literal(str(file.path))})")
    own = _top_level([(str(name), int(children)) for name, children in schema])
    told = {name: value for name, value in file.told if name not in own}
    if told:
        values = ", ".join(
            f"CAST({'NULL' if value == _NO_VALUE else literal(value)} AS VARCHAR) AS {identifier(name)}"
            for name, value in told.items()
        )
        relation = f"(SELECT *, {values} FROM {relation})"
    return Table(
        file.shown,
        unambiguous((*own, *told)),
        options,
        timezone,
        file,
        (*(str(row[1]) for row in described), *("VARCHAR" for _ in told)),
        relation,
        history=history.kept(engine, file.path),
    )


def _top_level(schema: list[tuple[str, int]]) -> tuple[str, ...]:
    """The names of the columns, as written (the engine renames those that differ in case only), without nested ones."""
    names, inside = [], 0
    for name, children in schema[1:]:
        if inside == 0:
            names.append(name)
        inside += children - (1 if inside else 0)
    return tuple(names)


def _open_jsonl(engine: Engine, file: DataFile, options: FileOptions, timezone: str) -> Table:
    """Every value is read as text, as it is in CSV, so that no id or time is guessed at."""
    found = objects(engine, file)
    types, written = ("VARCHAR",) * len(found.header), _ordered(options)
    header, relation, broken = found.header, found.relation, found.broken
    return Table(file.shown, header, options, timezone, file, types, relation, written=written, broken=broken)


def _with_fields(table: Table, names: tuple[str, ...]) -> Table:
    """A table of JSON lines with further columns, which are empty."""
    own, header = len(table.header), (*table.header, *(name for name in names if name not in table.header))
    columns = [f"c{i}" for i in range(own)]
    columns += [f"CAST(NULL AS VARCHAR) AS c{i}" for i in range(own, len(header))]
    columns += ["is_object"] if table.broken else []
    relation = f"(SELECT {', '.join(columns)} FROM {table.relation})"
    return replace(table, header=header, types=("VARCHAR",) * len(header), relation=relation)


def _check_format(engine: Engine, shown: str, form: str) -> None:
    cure = "write strptime codes: %Y-%m-%d %H:%M:%S, %m/%d/%Y %H:%M, %d.%m.%Y"
    message = f"time_format '{form}' cannot be used"
    engine.run(
        f"SELECT try_strptime('', {literal(form)})",
        lambda reason: Problem("error", "time-format", f"{message}: {reason.rpartition(': ')[2]}", Span(shown), cure),
    )
