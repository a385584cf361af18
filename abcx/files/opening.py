"""Opens files and frames as tables with a known header."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from abcx import formatting
from abcx.engines.local import Engine
from abcx.engines.quoting import identifier, literal
from abcx.errors import DataError
from abcx.files import joined_csv, pack_log, time_formats
from abcx.files.column_names import unambiguous
from abcx.files.csv_errors import BAD_JSON, unreadable
from abcx.files.csv_header import read_header
from abcx.files.jsonl import objects
from abcx.files.paths import DataFile
from abcx.files.table import Table
from abcx.notes import Note
from abcx.problems import Problem, Span
from abcx.spec.model import FileOptions

_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"
"""Hive's folder name for rows without a value."""
_BATCH_MAX_BYTES = 64 << 20
"""Maximum total bytes of files that are read in one statement: to locate an error all of them are read again, one by
one."""
_BATCH_MAX_FILES = 500
"""Maximum number of files that are read in one statement: with more, planning takes longer than reading."""


@dataclass(frozen=True, slots=True)
class _How:
    """The engine and the options with which files are opened; `timezone` is the zone of times without an offset."""

    engine: Engine
    options: FileOptions
    timezone: str

    @classmethod
    def of(cls, engine: Engine, options: FileOptions, timezone: str) -> _How:
        """With the timezone of the options, if it is set, else `timezone`."""
        return cls(engine, options, options.timezone or timezone)


def open_files(
    engine: Engine, files: Sequence[DataFile], options: FileOptions, timezone: str, apart: bool = False
) -> list[Table]:
    """Open the files of one export; small files of the same structure become one table, unless `apart`. Files of JSON
    lines get the fields of all files, as objects omit fields without a value. Raises DataError for files that are not
    tables."""
    context = _How.of(engine, options, timezone)
    opened: list[Table] = []
    for group in [(file,) for file in files] if apart else _alike(context, files):
        combined = _open_together(context, group) if len(group) > 1 else None
        opened += [combined] if combined else [open_file(engine, file, options, timezone) for file in group]
    jsonl_tables = [table for table in opened if table.file is not None and table.file.format == "jsonl"]
    names = tuple(dict.fromkeys(name for table in jsonl_tables for name in table.header))
    if jsonl_tables and not names:
        shown = jsonl_tables[0].shown
        raise DataError(Problem("error", "no-header", f"{shown} has no fields", Span(shown, 1), BAD_JSON))
    return [_with_fields(table, names) if table in jsonl_tables else table for table in opened]


def open_apart(table: Table) -> list[Table]:
    """One table per file of a table of several files, all with the same columns."""
    opened = [open_file(table.engine, file, table.options, table.timezone) for file in table.files]
    return [
        _with_fields(file_table, table.header) if file_table.header != table.header else file_table
        for file_table in opened
    ]


def _alike(context: _How, files: Sequence[DataFile]) -> Iterator[tuple[DataFile, ...]]:
    """The files in order, in groups that one statement can read: CSV files with the same header line, and Parquet files
    of the same schema."""
    schemas = _schemas(context, [file for file in files if file.format == "parquet"])
    declared = context.options.skip is not None or context.options.header_rows is not None
    csv = [file for file in files if len(files) > 1 and file.format in ("csv", "tsv") and not declared]
    schemas |= {file.path: (_header_line(file),) for file in csv}
    for _, run in groupby(files, key=lambda file: (_kind(file), schemas.get(file.path))):
        group: list[DataFile] = []
        size = 0
        for file in run:
            size += file.path.stat().st_size
            alone = file.format != "jsonl" and file.path not in schemas
            if group and (size > _BATCH_MAX_BYTES or len(group) == _BATCH_MAX_FILES or alone):
                yield tuple(group)
                group, size = [], file.path.stat().st_size
            group.append(file)
        yield tuple(group)


def _header_line(file: DataFile) -> object:
    """The first line of a CSV file; what no other file has where it cannot be read, or has an open quote."""
    try:
        line = joined_csv.header_line(file)
    except DataError:
        return file.path
    return line if line and line.count(b'"') % 2 == 0 else file.path


def _kind(file: DataFile) -> tuple[object, ...]:
    return file.format, file.compression, file.arm, tuple(name for name, _ in file.told)


def _open_together(context: _How, files: Sequence[DataFile]) -> Table | None:
    """Several files as one table; None where their structure differs or one of them cannot be opened."""
    first = files[0]
    context.engine.set_phase(f"opening {first.shown} and {len(files) - 1:,} more files")
    try:
        if first.format == "parquet" and pack_log.is_kept(context.engine, _paths(files)):
            return None
        table = _table(context, files) if first.format in ("parquet", "jsonl") else _joined(context, files)
    except DataError:
        return None  # opening the files one by one finds the faulty one
    return None if table is None or table.broken or not table.header else table


def _joined(context: _How, files: Sequence[DataFile]) -> Table | None:
    """Several CSV files as one table; None where they cannot be joined."""
    first = open_file(context.engine, files[0], context.options, context.timezone)
    notes = first.file.notes if first.file is not None else ()
    inferred = {note.code for note in notes} - {note.code for note in files[0].notes} - {"delimiter"}
    if inferred or first.options.skip is not None or any(file.notes for file in files):
        return None
    joined = joined_csv.join(files, context.engine.scratch)
    if joined is None:
        return None
    table = replace(first, more=tuple(files[1:]), joined=joined)
    named = tuple(replace(note, values={**note.values, "file": table.named}) for note in notes)
    return replace(table, file=replace(files[0], notes=named))


def open_file(engine: Engine, file: DataFile, options: FileOptions, timezone: str) -> Table:
    """Open a file and read its header. Raises DataError for a file that is not a table or has no usable header."""
    engine.set_phase(f"opening {file.shown}")
    context = _How.of(engine, options, timezone)
    if file.format in ("parquet", "jsonl"):
        return _table(context, (file,))
    _check_format(context, file.shown)
    header = read_header(engine, file, options)
    file = replace(file, notes=(*file.notes, *header.notes))
    zone = header.options.timezone or context.timezone
    return Table(
        engine,
        file.shown,
        header.names,
        header.options,
        zone,
        file,
        first_line=header.first_line,
        written=_ordered(options),
    )


def _ordered(options: FileOptions) -> time_formats.TimeFormat | None:
    """The time format for the spec's `date_order`; None where it has none, or a `time_format`."""
    return time_formats.TimeFormat(options.date_order) if options.date_order and not options.time_format else None


def open_frame(engine: Engine, frame: object, name: str, options: FileOptions, timezone: str) -> Table:
    """Open a frame given by the caller, registered in the engine as `name`."""
    context = _How.of(engine, options, timezone)
    _check_format(context, name)
    engine.register(name, frame)
    shown = f"{name} frame"
    described = engine.run(f"DESCRIBE {identifier(name)}", lambda message: unreadable(None, shown, message))
    names = getattr(frame, "column_names", None) or getattr(frame, "columns", None)  # the engine renames: v, V -> V_1
    header = tuple(str(column).strip() for column in names) if names is not None else ()
    if len(header) != len(described):
        header = tuple(str(row[0]) for row in described)
    types = tuple(str(row[1]) for row in described)
    return Table(
        engine,
        shown,
        unambiguous(header),
        options,
        context.timezone,
        None,
        types,
        identifier(name),
        written=_ordered(options),
    )


def _table(context: _How, files: Sequence[DataFile]) -> Table:
    """Parquet files of one schema, or files of JSON lines, as one table."""
    first = files[0]
    _check_format(context, first.shown)
    opened = (_open_parquet if first.format == "parquet" else _open_jsonl)(context, files)
    return replace(opened, more=tuple(files[1:]))


def _open_parquet(context: _How, files: Sequence[DataFile]) -> Table:
    """Parquet files as a table: their columns, the fields of structs, and the columns from folder names."""
    first = files[0]
    described = _described(context, first, "*", _scan_sql((first,)))
    schema = context.engine.run(
        f"SELECT name, coalesce(num_children, 0), type FROM parquet_schema({literal(str(first.path))})"
    )
    own = _top_level([(str(name), int(children)) for name, children, _ in schema])
    old = {str(name) for name, _, type in schema if type == "INT96"} if context.options.timezone is None else set()
    instants = [column for column, type in described if column in old and type == "TIMESTAMP"]
    types = ["TIMESTAMP WITH TIME ZONE" if column in instants else type for column, type in described]
    fields: dict[str, str] = {}
    for outer, (column, type) in zip(own, described, strict=True):
        if type.startswith("STRUCT(") and not type.endswith("]"):  # not a list of structs
            structure_sql = f"(SELECT {identifier(column)} AS alone FROM {_scan_sql((first,))}) AS structure"
            for inner, inner_type in _described(context, first, "alone.*", structure_sql):
                if inner and f"{outer}.{inner}" not in (*own, *fields):
                    fields[f"{outer}.{inner}"] = f"struct_extract({identifier(column)}, {literal(inner)})"
                    types.append(inner_type)
    folder_columns = [name for name in dict(first.told) if name not in own]
    if instants:
        note = Note("int96", {"file": first.shown, "columns": formatting.joined(instants)})
        first = replace(first, notes=(*first.notes, note))
    return Table(
        context.engine,
        first.shown,
        unambiguous((*own, *fields, *folder_columns)),
        context.options,
        context.timezone,
        first,
        (*types, *("VARCHAR" for _ in folder_columns)),
        _scan_sql(files, fields.values(), folder_columns, instants),
        history=pack_log.kept(context.engine, first.path),
    )


def _described(context: _How, file: DataFile, columns: str, relation: str) -> list[tuple[str, str]]:
    """The engine's names and types of the columns of a FROM item."""
    statement = f"DESCRIBE SELECT {columns} FROM {relation}"
    rows = context.engine.run(statement, lambda message: unreadable(file, file.shown, message))
    return [(str(row[0]), str(row[1])) for row in rows]


def _scan_sql(
    files: Sequence[DataFile],
    fields: Iterable[str] = (),
    folder_columns: Sequence[str] = (),
    instants: Sequence[str] = (),
) -> str:
    """The FROM item of Parquet files, with `fields` of structs (SQL), the columns from folder names, and `instants`:
    the columns of times without a zone that are UTC."""
    zoned = ", ".join(f"timezone('UTC', {identifier(name)}) AS {identifier(name)}" for name in instants)
    own = f"* REPLACE ({zoned})" if zoned else "*"
    selected = []
    for values, group in groupby(files, key=lambda file: file.told if folder_columns else ()):
        paths = _paths(list(group))
        texts = [
            "NULL" if text == _NO_VALUE else literal(text)
            for name, text in dict(values).items()
            if name in folder_columns
        ]
        columns = ", ".join([own, *fields, *(f"CAST({text} AS VARCHAR)" for text in texts)])
        selected.append(f"SELECT {columns} FROM read_parquet({paths}, hive_partitioning=false)")
    return f"({' UNION ALL '.join(selected)})"


def _paths(files: Sequence[DataFile]) -> str:
    """A SQL list of paths."""
    return f"[{', '.join(literal(str(file.path)) for file in files)}]"


def _schemas(context: _How, files: Sequence[DataFile]) -> dict[Path, tuple[object, ...]]:
    """The columns of Parquet files with their types, by path. Where one file cannot be opened, every file gets a schema
    of its own, so that no two are read together."""
    columns: dict[Path, list[object]] = {file.path: [] for file in files}
    statement = f"SELECT file_name, * EXCLUDE (file_name) FROM parquet_schema({_paths(files)})"
    try:
        for name, *column in (
            context.engine.run(statement, lambda message: Problem("error", "unread", message)) if len(files) > 1 else ()
        ):
            columns[Path(name)].append(tuple(column))
    except DataError:
        return {file.path: (file.path,) for file in files}
    return {path: tuple(schema) for path, schema in columns.items()}


def _top_level(schema: list[tuple[str, int]]) -> tuple[str, ...]:
    """The names of the top-level columns as written (the engine renames those that differ only in case), from the names
    and numbers of children of a Parquet schema."""
    names, inside = [], 0
    for name, children in schema[1:]:
        if inside == 0:
            names.append(name)
        inside += children - (1 if inside else 0)
    return tuple(names)


def _open_jsonl(context: _How, files: Sequence[DataFile]) -> Table:
    """JSON lines as a table in which every value is text, as in CSV, so that no id or time is converted."""
    parsed, first = objects(context.engine, files), files[0]
    types, written = ("VARCHAR",) * len(parsed.header), _ordered(context.options)
    header, relation, broken = parsed.header, parsed.relation, parsed.broken
    return Table(
        context.engine,
        first.shown,
        header,
        context.options,
        context.timezone,
        first,
        types,
        relation,
        written=written,
        broken=broken,
    )


def _with_fields(table: Table, names: tuple[str, ...]) -> Table:
    """A table of JSON lines with further, empty columns."""
    own, header = len(table.header), (*table.header, *(name for name in names if name not in table.header))
    columns = [f"c{i}" for i in range(own)]
    columns += [f"CAST(NULL AS VARCHAR) AS c{i}" for i in range(own, len(header))]
    columns += ["is_object"] if table.broken else []
    relation = f"(SELECT {', '.join(columns)} FROM {table.relation})"
    return replace(table, header=header, types=("VARCHAR",) * len(header), relation=relation)


def _check_format(context: _How, shown: str) -> None:
    """Raises DataError for a `time_format` that the engine does not know."""
    form = context.options.time_format
    if not form:
        return
    cure = "write strptime codes: %Y-%m-%d %H:%M:%S, %m/%d/%Y %H:%M, %d.%m.%Y"
    message = f"time_format '{form}' cannot be used"
    context.engine.run(
        f"SELECT try_strptime('', {literal(form)})",
        lambda reason: Problem("error", "time-format", f"{message}: {reason.rpartition(': ')[2]}", Span(shown), cure),
    )
