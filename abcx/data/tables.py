"""One file (or frame) as something SQL can scan: its header, a FROM clause with declared types, and its bad rows.

Columns are named c0, c1, ... by position, so that a header may hold anything. CSV is parsed once with the types that
are asked for; what does not fit lands in DuckDB's rejects table and is told by line and column.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from abcx.data.engine import Engine, identifier, literal
from abcx.data.files import DataFile
from abcx.errors import DataError
from abcx.problems import Problem, Span
from abcx.spec.model import FileOptions

Kind = Literal["text", "number", "time"]
_NUMERIC = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
    "FLOAT",
    "DOUBLE",
    "DECIMAL",
    "BOOLEAN",
)


@dataclass(frozen=True)
class Table:
    """A table whose header is known. `types` are DuckDB's types, None for text formats; `relation` is its FROM item."""

    shown: str
    header: tuple[str, ...]
    options: FileOptions
    timezone: str
    file: DataFile | None = None
    types: tuple[str, ...] | None = None
    relation: str = ""

    def sql(self, name: str, kind: Kind) -> str:
        """The SQL of a column by its header name, as text, as a DOUBLE, or as microseconds since 1970 (UTC)."""
        position = self.header.index(name)
        column = f"c{position}"
        if self.types is None:
            return self._time(column) if kind == "time" else column
        declared = self.types[position]
        if kind == "text":
            return f"CAST({column} AS VARCHAR)"
        if kind == "number":
            return f"try_cast({column} AS DOUBLE)"
        if declared.startswith("TIMESTAMP WITH TIME ZONE"):
            return f"epoch_us({column})"
        if declared.startswith(("TIMESTAMP", "DATE")):
            return f"epoch_us(timezone({literal(self.timezone)}, CAST({column} AS TIMESTAMP)))"
        if self.options.time_format:
            return f"epoch_us(timezone({literal(self.timezone)}, try_strptime({column}, {literal(self.options.time_format)})))"
        return f"epoch_us(try_cast({column} AS TIMESTAMPTZ))"

    def _time(self, column: str) -> str:
        if self.options.time_format:
            return f"epoch_us(timezone({literal(self.timezone)}, {column}))"
        return f"epoch_us({column})"

    def scan(self, kinds: Mapping[str, Kind], tag: str = "") -> str:
        """The FROM item with the columns named in `kinds` declared so and all others as text. `tag` names the tables
        that collect rejected rows; without it every column is text and nothing is rejected but broken rows."""
        if self.types is not None:
            names = ", ".join(f"{identifier(name)} AS c{i}" for i, name in enumerate(self.header))
            return f"(SELECT {names} FROM {self.relation})"
        time = "TIMESTAMP" if self.options.time_format else "TIMESTAMPTZ"
        declared = {"text": "VARCHAR", "number": "DOUBLE", "time": time}
        columns = ", ".join(f"'c{i}': '{declared[kinds.get(name, 'text')]}'" for i, name in enumerate(self.header))
        arguments = [*self._dialect(), "auto_detect=false", "header=true", f"columns={{{columns}}}"]
        if self.options.time_format:
            arguments.append(f"timestampformat={literal(self.options.time_format)}")
        if tag:
            arguments += [
                "store_rejects=true",
                f"rejects_table='rejects_{tag}'",
                f"rejects_scan='scans_{tag}'",
                "rejects_limit=10000",
            ]
        else:
            arguments += ["ignore_errors=true", "parallel=false"]
        return f"read_csv({literal(str(self._path()))}, {', '.join(arguments)})"

    def _path(self) -> str:
        assert self.file is not None
        return str(self.file.path)

    def _dialect(self) -> list[str]:
        assert self.file is not None
        return dialect(self.file, self.options)

    def resolve(self, name: str, columns: Mapping[str, str]) -> str | None:
        """The header name that `name` of the spec means: itself, or what the canonical name is mapped to."""
        if name in self.header:
            return name
        mapped = columns.get(name)
        return mapped if mapped in self.header else None

    def unknown_column(self, name: str, where: str) -> Problem:
        """A column that the spec asks for and the header does not have."""
        near = difflib.get_close_matches(name, self.header, 3, 0.5)
        help = f"did you mean {' or '.join(near)}? " if near else ""
        return Problem(
            "error",
            "missing-column",
            f"{self.shown} has no column '{name}' ({where})",
            Span(self.shown, 1),
            f"{help}the header is: {', '.join(self.header[:20])}",
        )


def dialect(file: DataFile, options: FileOptions) -> list[str]:
    """The options of read_csv that say how the text is written."""
    delimiter = options.delimiter or ("\t" if file.format == "tsv" else None)
    arguments = ["quote='\"'", "escape='\"'", f"compression='{file.compression}'"]
    if delimiter:
        arguments.append(f"delim={literal(delimiter)}")
    if options.decimal:
        arguments.append(f"decimal_separator={literal(options.decimal)}")
    if options.thousands:
        arguments.append(f"thousands={literal(options.thousands)}")
    if options.encoding:
        arguments.append(f"encoding={literal(options.encoding)}")
    if options.skip:
        arguments.append(f"skip={options.skip}")
    nulls = ["", *(options.null or ())]
    arguments.append(f"nullstr=[{', '.join(literal(null) for null in nulls)}]")
    return arguments


def open_file(engine: Engine, file: DataFile, options: FileOptions, timezone: str) -> Table:
    """Read the header of a file. Raises DataError for what is not a table, or has a header that cannot be used."""
    timezone = options.timezone or timezone
    if file.format in ("parquet", "jsonl"):
        return _open_typed(engine, file, options, timezone)
    if not options.delimiter and file.format != "tsv":
        options = options.model_copy(update={"delimiter": _delimiter(engine, file, options)})
    arguments = ", ".join(
        [*dialect(file, options), "header=false", "all_varchar=true", "null_padding=true", "strict_mode=false"]
    )
    rows = engine.run(
        f"SELECT * FROM read_csv({literal(str(file.path))}, {arguments}) LIMIT 1",
        lambda message: unreadable(file.shown, message),
    )
    header = tuple("" if cell is None else str(cell).strip() for cell in rows[0]) if rows else ()
    if not any(header):
        raise DataError(
            Problem(
                "error",
                "no-header",
                f"{file.shown} has no header",
                Span(file.shown, 1),
                "the first line names the columns; `skip: N` skips lines before it",
            )
        )
    return Table(file.shown, _checked(header, file.shown), options, timezone, file)


def open_frame(engine: Engine, frame: object, name: str, options: FileOptions, timezone: str) -> Table:
    """A frame given at the call."""
    engine.register(name, frame)
    described = engine.run(f"DESCRIBE {identifier(name)}")
    header = _checked(tuple(str(row[0]) for row in described), name)
    return Table(
        f"{name} frame", header, options, timezone, None, tuple(str(row[1]) for row in described), identifier(name)
    )


def _open_typed(engine: Engine, file: DataFile, options: FileOptions, timezone: str) -> Table:
    if file.format == "parquet":
        relation = f"read_parquet({literal(str(file.path))})"
    else:
        relation = f"read_json({literal(str(file.path))}, format='newline_delimited', compression='{file.compression}', sample_size=-1)"
    described = engine.run(f"DESCRIBE SELECT * FROM {relation}", lambda message: unreadable(file.shown, message))
    header = _checked(tuple(str(row[0]) for row in described), file.shown)
    return Table(file.shown, header, options, timezone, file, tuple(str(row[1]) for row in described), relation)


def _delimiter(engine: Engine, file: DataFile, options: FileOptions) -> str:
    """The delimiter that DuckDB's sniffer finds over the first rows; a comma where it is not sure."""
    encoding = f", encoding={literal(options.encoding)}" if options.encoding else ""
    skip = f", skip={options.skip}" if options.skip else ""
    source = f"{literal(str(file.path))}, compression='{file.compression}', all_varchar=true, ignore_errors=true{encoding}{skip}"
    try:
        found = engine.run(
            f"SELECT Delimiter FROM sniff_csv({source})", lambda message: unreadable(file.shown, message)
        )[0][0]
    except DataError:
        return ","
    return found if found in (",", ";", "\t", "|") else ","


def _checked(header: tuple[str, ...], shown: str) -> tuple[str, ...]:
    """The header, if no column stands twice; empty names get a place holder that no spec can ask for."""
    twice = sorted({name for name in header if name and header.count(name) > 1})
    if twice:
        raise DataError(
            Problem(
                "error",
                "duplicate-header",
                f"{shown} has two columns named '{twice[0]}'",
                Span(shown, 1),
                "rename one of them in the export",
            )
        )
    return tuple(name or f"\0{i}" for i, name in enumerate(header))


def unreadable(shown: str, message: str) -> Problem:
    """The engine could not read a file at all."""
    return Problem(
        "error",
        "data-unreadable",
        f"{shown} cannot be read: {message}",
        Span(shown),
        "is it a complete table? export it again, or name its format, delimiter and encoding",
    )


_REJECTS = {
    "MISSING COLUMNS": (
        "ragged-row",
        "a row has too few cells",
        "was the file cut, or does a cell hold a line break outside quotes?",
    ),
    "TOO MANY COLUMNS": (
        "ragged-row",
        "a row has too many cells",
        "quote cells that hold the delimiter, or name it: delimiter: ';'",
    ),
    "UNQUOTED VALUE": ("broken-quotes", "a quoted cell does not end", "close the quote, or double it inside the cell"),
    "LINE SIZE OVER MAXIMUM": ("line-too-long", "a line is too long", "is a quote left open?"),
    "INVALID ENCODING": ("encoding", "the text is not UTF-8", "write encoding: latin-1, or save the file as UTF-8"),
    "INVALID STATE": ("broken-quotes", "a cell has text after its closing quote", "double the quotes inside the cell"),
}


def rejected(engine: Engine, table: Table, tag: str, kinds: Mapping[str, Kind]) -> list[Problem]:
    """The rows of a text file that could not be read, one problem for each kind with the first place and how many."""
    if table.types is not None:
        return []
    rows = engine.run(
        f"SELECT error_type::VARCHAR, column_idx, count(*), min(line), arg_min(csv_line, line), arg_min(error_message, line) "
        f"FROM rejects_{tag} GROUP BY ALL ORDER BY min(line)"
    )
    problems = []
    merged: dict[tuple[str, int], tuple[int, int, str, str]] = {}
    for kind, index, count, line, text, message in rows:
        key = (str(kind), int(index) if kind == "CAST" else 0)
        seen = merged.get(key)
        first = seen if seen and seen[1] <= line else (0, int(line), str(text or ""), str(message))
        merged[key] = ((seen[0] if seen else 0) + int(count), *first[1:])
    for (kind, index), (count, line, text, message) in merged.items():
        more = f" ({count:,} such rows)" if count > 1 else ""
        line += table.options.skip or 0
        if kind == "CAST":
            problems.append(_bad_cell(table, index - 1, kinds, line, text, message, more))
        else:
            code, what, cure = _REJECTS.get(kind, ("bad-row", message, "correct the row"))
            problems.append(
                Problem("error", code, f"{what}{more}", Span(table.shown, line, text=text.strip("\n")[:300]), cure)
            )
    return problems


def _bad_cell(
    table: Table, index: int, kinds: Mapping[str, Kind], line: int, text: str, message: str, more: str
) -> Problem:
    name = table.header[index]
    value = message.partition('Could not convert string "')[2].rpartition("\" to '")[0]
    if kinds.get(name) == "time":
        form = table.options.time_format
        cure = (
            f"the file's time_format is {form}"
            if form
            else "write ISO 8601 (2024-03-04T10:00:00Z), or say how it is written: time_format: '%m/%d/%Y %H:%M'"
        )
        return Problem(
            "error",
            "bad-time",
            f"'{value}' is not a time{more}",
            Span(table.shown, line, path=name, text=text[:300]),
            cure,
        )
    cure = "write plain numbers; `decimal`, `thousands` and `null` say how the file spells them"
    return Problem(
        "error",
        "bad-number",
        f"'{value}' is not a number{more}",
        Span(table.shown, line, path=name, text=text[:300]),
        cure,
    )


def locate(
    engine: Engine, table: Table, kinds: Mapping[str, Kind], predicate: str, columns: str
) -> tuple[int, int, str]:
    """How many rows satisfy `predicate`, and the first of them: (count, row number from 1, its value as text).

    Only walked after something was found wrong; the file is read again in order.
    """
    source = table.scan({} if table.types is None else kinds)
    sql = f"SELECT count(*), min(n), arg_min(v, n) FROM (SELECT row_number() OVER () AS n, CAST({columns} AS VARCHAR) AS v, {predicate} AS bad FROM {source}) WHERE bad"
    count, first, value = engine.run(sql)[0]
    return int(count), int(first or 0), str(value)
