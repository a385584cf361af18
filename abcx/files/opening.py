"""Files and frames -> tables whose header is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

from abcx import formatting
from abcx.engines.local import Engine
from abcx.engines.quoting import identifier, literal
from abcx.errors import DataError
from abcx.files import pack_log, time_formats
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
"""How Hive names the folder of rows without a value."""
_SMALL = 64 << 20
"""Maximum bytes of files that are read in one statement: an error in one is found by reading all of them again, one by
one."""
_MANY = 500
"""Maximum files that are read in one statement: with more, the engine takes longer to plan than to read."""


@dataclass(frozen=True, slots=True)
class _How:
    """With which engine and how files are opened: `timezone` is that of times without an offset."""

    engine: Engine
    options: FileOptions
    timezone: str

    @classmethod
    def of(cls, engine: Engine, options: FileOptions, timezone: str) -> _How:
        """The timezone of the options comes first."""
        return cls(engine, options, options.timezone or timezone)


def open_files(
    engine: Engine, files: Sequence[DataFile], options: FileOptions, timezone: str, apart: bool = False
) -> list[Table]:
    """Open the files of one export; small ones that are alike become one table, unless they are to stay `apart`. Files
    of JSON lines get the fields of all: an object leaves out what it has no value of, so a small file may lack a field
    altogether."""
    how = _How.of(engine, options, timezone)
    opened: list[Table] = []
    for alike in [(file,) for file in files] if apart else _alike(how, files):
        together = _open_together(how, alike) if len(alike) > 1 else None
        opened += [together] if together else [open_file(engine, file, options, timezone) for file in alike]
    told = [table for table in opened if table.file is not None and table.file.format == "jsonl"]
    names = tuple(dict.fromkeys(name for table in told for name in table.header))
    if told and not names:
        shown = told[0].shown
        raise DataError(Problem("error", "no-header", f"{shown} has no fields", Span(shown, 1), BAD_JSON))
    return [_with_fields(table, names) if table in told else table for table in opened]


def open_apart(table: Table) -> list[Table]:
    """The files of one table as a table each, with the same columns."""
    opened = [open_file(table.engine, file, table.options, table.timezone) for file in table.files]
    return [_with_fields(one, table.header) if one.header != table.header else one for one in opened]


def _alike(how: _How, files: Sequence[DataFile]) -> Iterator[tuple[DataFile, ...]]:
    """Files in order, small ones together that one statement can read. Of CSV it cannot: of more files than threads the
    engine drops what follows an open quote, without a word (DuckDB 2.0)."""
    schemas = _schemas(how, [file for file in files if file.format == "parquet"])
    for _, run in groupby(files, key=lambda file: (_kind(file), schemas.get(file.path))):
        alike: list[DataFile] = []
        size = 0
        for file in run:
            size += file.path.stat().st_size
            if alike and (size > _SMALL or len(alike) == _MANY or file.format not in ("parquet", "jsonl")):
                yield tuple(alike)
                alike, size = [], file.path.stat().st_size
            alike.append(file)
        yield tuple(alike)


def _kind(file: DataFile) -> tuple[object, ...]:
    return file.format, file.compression, file.arm, tuple(name for name, _ in file.told)


def _open_together(how: _How, files: Sequence[DataFile]) -> Table | None:
    """Files as one table; None where they are not so alike, or one of them cannot be opened."""
    first = files[0]
    how.engine.set_phase(f"opening {first.shown} and {len(files) - 1:,} more files")
    try:
        if first.format == "parquet" and pack_log.is_kept(how.engine, _paths(files)):
            return None
        table = _table(how, files)
    except DataError:
        return None  # opened one by one they tell which it is
    return None if table.broken or not table.header else table


def open_file(engine: Engine, file: DataFile, options: FileOptions, timezone: str) -> Table:
    """Read the header of a file. Raises DataError for what is not a table, or has a header that cannot be used."""
    engine.set_phase(f"opening {file.shown}")
    how = _How.of(engine, options, timezone)
    if file.format in ("parquet", "jsonl"):
        return _table(how, (file,))
    _check_format(how, file.shown)
    found = read_header(engine, file, options)
    file = replace(file, notes=(*file.notes, *found.notes))
    zone = found.options.timezone or how.timezone
    return Table(
        engine,
        file.shown,
        found.names,
        found.options,
        zone,
        file,
        first_line=found.first_line,
        written=_ordered(options),
    )


def _ordered(options: FileOptions) -> time_formats.TimeFormat | None:
    """How the spec says that days and months are ordered."""
    return time_formats.TimeFormat(options.date_order) if options.date_order and not options.time_format else None


def open_frame(engine: Engine, frame: object, name: str, options: FileOptions, timezone: str) -> Table:
    """A frame given at the call."""
    how = _How.of(engine, options, timezone)
    _check_format(how, name)
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
        how.timezone,
        None,
        types,
        identifier(name),
        written=_ordered(options),
    )


def _table(how: _How, files: Sequence[DataFile]) -> Table:
    """Parquet files of one schema, or files of JSON lines, as one table."""
    first = files[0]
    _check_format(how, first.shown)
    opened = (_open_parquet if first.format == "parquet" else _open_jsonl)(how, files)
    return replace(opened, more=tuple(files[1:]))


def _open_parquet(how: _How, files: Sequence[DataFile]) -> Table:
    """The columns of the files, the fields of those that are structures, and those that their folders tell beside."""
    first = files[0]
    named = _described(how, first, "*", _scan_sql((first,)))
    schema = how.engine.run(
        f"SELECT name, coalesce(num_children, 0), type FROM parquet_schema({literal(str(first.path))})"
    )
    own = _top_level([(str(name), int(children)) for name, children, _ in schema])
    old = {str(name) for name, _, type in schema if type == "INT96"} if how.options.timezone is None else set()
    instants = [column for column, type in named if column in old and type == "TIMESTAMP"]
    types = ["TIMESTAMP WITH TIME ZONE" if column in instants else type for column, type in named]
    fields: dict[str, str] = {}
    for outer, (column, type) in zip(own, named, strict=True):
        if type.startswith("STRUCT(") and not type.endswith("]"):  # a list of structures is no structure
            alone = f"(SELECT {identifier(column)} AS alone FROM {_scan_sql((first,))}) AS structure"
            for inner, inner_type in _described(how, first, "alone.*", alone):
                if inner and f"{outer}.{inner}" not in (*own, *fields):
                    fields[f"{outer}.{inner}"] = f"struct_extract({identifier(column)}, {literal(inner)})"
                    types.append(inner_type)
    told = [name for name in dict(first.told) if name not in own]
    if instants:
        note = Note("int96", {"file": first.shown, "columns": formatting.joined(instants)})
        first = replace(first, notes=(*first.notes, note))
    return Table(
        how.engine,
        first.shown,
        unambiguous((*own, *fields, *told)),
        how.options,
        how.timezone,
        first,
        (*types, *("VARCHAR" for _ in told)),
        _scan_sql(files, fields.values(), told, instants),
        history=pack_log.kept(how.engine, first.path),
    )


def _described(how: _How, file: DataFile, columns: str, relation: str) -> list[tuple[str, str]]:
    """The names and types of columns, as the engine has them."""
    described = f"DESCRIBE SELECT {columns} FROM {relation}"
    found = how.engine.run(described, lambda message: unreadable(file, file.shown, message))
    return [(str(row[0]), str(row[1])) for row in found]


def _scan_sql(
    files: Sequence[DataFile], fields: Iterable[str] = (), told: Sequence[str] = (), instants: Sequence[str] = ()
) -> str:
    """The FROM item of Parquet files, with fields of structures (SQL), the columns that their folders tell, and columns
    of times that are UTC."""
    zoned = ", ".join(f"timezone('UTC', {identifier(name)}) AS {identifier(name)}" for name in instants)
    own = f"* REPLACE ({zoned})" if zoned else "*"
    selected = []
    for values, alike in groupby(files, key=lambda file: file.told if told else ()):
        paths = _paths(list(alike))
        texts = ["NULL" if text == _NO_VALUE else literal(text) for name, text in dict(values).items() if name in told]
        columns = ", ".join([own, *fields, *(f"CAST({text} AS VARCHAR)" for text in texts)])
        selected.append(f"SELECT {columns} FROM read_parquet({paths}, hive_partitioning=false)")
    return f"({' UNION ALL '.join(selected)})"


def _paths(files: Sequence[DataFile]) -> str:
    """A SQL list of paths."""
    return f"[{', '.join(literal(str(file.path)) for file in files)}]"


def _schemas(how: _How, files: Sequence[DataFile]) -> dict[Path, tuple[object, ...]]:
    """The columns of Parquet files with their types. Where one of several cannot be opened none is like another."""
    found: dict[Path, list[object]] = {file.path: [] for file in files}
    asked = f"SELECT file_name, * EXCLUDE (file_name) FROM parquet_schema({_paths(files)})"
    try:
        for name, *column in (
            how.engine.run(asked, lambda told: Problem("error", "unread", told)) if len(files) > 1 else ()
        ):
            found[Path(name)].append(tuple(column))
    except DataError:
        return {file.path: (file.path,) for file in files}
    return {path: tuple(schema) for path, schema in found.items()}


def _top_level(schema: list[tuple[str, int]]) -> tuple[str, ...]:
    """The names of the columns, as written (the engine renames those that differ in case only), without nested ones."""
    names, inside = [], 0
    for name, children in schema[1:]:
        if inside == 0:
            names.append(name)
        inside += children - (1 if inside else 0)
    return tuple(names)


def _open_jsonl(how: _How, files: Sequence[DataFile]) -> Table:
    """Every value is read as text, as it is in CSV, so that no id or time is guessed at."""
    found, first = objects(how.engine, files), files[0]
    types, written = ("VARCHAR",) * len(found.header), _ordered(how.options)
    header, relation, broken = found.header, found.relation, found.broken
    return Table(
        how.engine,
        first.shown,
        header,
        how.options,
        how.timezone,
        first,
        types,
        relation,
        written=written,
        broken=broken,
    )


def _with_fields(table: Table, names: tuple[str, ...]) -> Table:
    """A table of JSON lines with further columns, which are empty."""
    own, header = len(table.header), (*table.header, *(name for name in names if name not in table.header))
    columns = [f"c{i}" for i in range(own)]
    columns += [f"CAST(NULL AS VARCHAR) AS c{i}" for i in range(own, len(header))]
    columns += ["is_object"] if table.broken else []
    relation = f"(SELECT {', '.join(columns)} FROM {table.relation})"
    return replace(table, header=header, types=("VARCHAR",) * len(header), relation=relation)


def _check_format(how: _How, shown: str) -> None:
    """Raises DataError for a `time_format` that the engine does not know."""
    form = how.options.time_format
    if not form:
        return
    cure = "write strptime codes: %Y-%m-%d %H:%M:%S, %m/%d/%Y %H:%M, %d.%m.%Y"
    message = f"time_format '{form}' cannot be used"
    how.engine.run(
        f"SELECT try_strptime('', {literal(form)})",
        lambda reason: Problem("error", "time-format", f"{message}: {reason.rpartition(': ')[2]}", Span(shown), cure),
    )
