"""A file (or frame) as a table for SQL: its header, a FROM item, and the SQL of its columns as text, number or time.

Columns are named c0, c1, ... by position, so that a header may hold anything. CSV is parsed once; malformed rows and
times that cannot be read go to DuckDB's rejects table (`abcx/files/bad_rows.py`).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from abcx import formatting
from abcx.engines.local import Engine
from abcx.engines.quoting import literal
from abcx.files import cell_text, number_formats, time_formats
from abcx.files.column_names import likely, standing_twice
from abcx.files.csv_dialect import dialect
from abcx.files.csv_errors import MAX_REJECTS
from abcx.files.joined_csv import Joined
from abcx.files.pack_log import Log
from abcx.files.paths import DataFile
from abcx.problems import Problem, Span
from abcx.spec.model import FileOptions

Kind = Literal["text", "number", "time"]
_ZONED, _FINE = "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"


@dataclass(frozen=True)
class Table:
    """A table of `engine` whose header is known. `types` are DuckDB's types, None for delimited text; `relation` is its
    FROM item.

    `first_line` is the line of the first row. `time` is the column that the scan declares as a time; rows whose text
    there is not a time are rejected. Inferred from the data: the formats of `numbers` by column and of times
    (`written`), whether the header is repeated between the rows (`glued`), and whether some lines of JSON are not
    objects (`broken`). `history` are the logs in a packed file. Small files of one export are one table: `more` are
    those after `file` (opening.py), `joined` the text of CSV files. `mended` are the columns whose texts are converted
    to canonical form; None until mended_keys.py has checked. `pointed` are the columns with ids that end in `.0`.
    """

    engine: Engine = field(repr=False, compare=False)
    shown: str
    header: tuple[str, ...]
    options: FileOptions
    timezone: str
    file: DataFile | None = None
    types: tuple[str, ...] | None = None
    relation: str = ""
    time: str | None = None
    first_line: int = 0
    numbers: Mapping[str, number_formats.NumberFormat] = field(default_factory=dict)
    written: time_formats.TimeFormat | None = None
    glued: bool = False
    broken: bool = False
    history: tuple[Log, ...] = ()
    more: tuple[DataFile, ...] = ()
    joined: Joined | None = None
    mended: frozenset[str] | None = None
    pointed: frozenset[str] = frozenset()

    @property
    def files(self) -> tuple[DataFile, ...]:
        """The files of the table; empty for a frame."""
        return (self.file, *self.more) if self.file is not None else ()

    @property
    def named(self) -> str:
        """The name of the file, with the number of further files."""
        return f"{self.shown} and {formatting.plural(len(self.more), 'more files')}" if self.more else self.shown

    def sql(self, name: str, kind: Kind, declared: bool = True) -> str:
        """The SQL of a column by its header name, as text, as a DOUBLE, or as microseconds since 1970 (UTC).

        With `declared` it is for use on `scan`, else on a scan in which every column is text.
        """
        position = self.header.index(name)
        column, type = f"c{position}", self.types[position] if self.types else "VARCHAR"
        if kind == "time":
            return self._time(column, type, declared and name == self.time)
        if kind == "text":
            return self._mended(self._text(column, type)) if name in (self.mended or ()) else self._text(column, type)
        form = self.numbers.get(name) or number_formats.declared(self.options)
        if self.is_span(name):
            return f"(epoch({column}) / 3600)"
        return form.sql(self._text(column, type)) if type == "VARCHAR" else f"try_cast({column} AS DOUBLE)"

    def holds_text(self, name: str) -> bool:
        """Whether the cells of a column can be any text."""
        return self.types is None or self.types[self.header.index(name)].startswith(("VARCHAR", "ENUM"))

    def is_time(self, name: str) -> bool:
        """Whether a column has a time type, so that every cell is a time or empty."""
        return self.types is not None and self.types[self.header.index(name)].startswith(("TIMESTAMP", "DATE"))

    def is_span(self, name: str) -> bool:
        """Whether a column has a type of durations or of times of day; both are read in hours, as their texts are."""
        return self.types is not None and self.types[self.header.index(name)] in ("INTERVAL", "TIME")

    def is_zoned(self, name: str) -> bool:
        """Whether a column has a time type with a time zone."""
        return self.types is not None and self.types[self.header.index(name)].startswith((_ZONED, _FINE))

    def _text(self, column: str, type: str) -> str:
        if self.types is None:
            return column
        if type.startswith("DECIMAL") and not type.endswith(",0)"):
            whole = f"CAST(CAST({column} AS HUGEINT) AS VARCHAR)"
            return f"CASE WHEN {column} = floor({column}) THEN {whole} ELSE CAST({column} AS VARCHAR) END"
        if type in ("DOUBLE", "FLOAT"):  # whole numbers have the same text in every frame: 7, not 7.0
            whole = f"CAST(try_cast({column} AS BIGINT) AS VARCHAR)"
            is_whole = f"{column} = floor({column}) AND abs({column}) < 1e15"
            return (
                f"CASE WHEN isnan({column}) THEN NULL WHEN {is_whole} THEN {whole} ELSE CAST({column} AS VARCHAR) END"
            )
        return column if type == "VARCHAR" else f"CAST({column} AS VARCHAR)"

    def _mended(self, text: str) -> str:
        """The SQL of a text in canonical form, NULL where that is empty or one of the spec's `null` texts."""
        canonical = cell_text.canonical(text)
        for null in ("", *(self.options.null or ())):
            canonical = f"nullif({canonical}, {literal(null)})"
        return canonical

    def _without_nulls(self, types: tuple[str, ...]) -> str:
        """The select list of a scan in which cells that mean a missing value are NULL. This is done once per cell here,
        since the engine would compute it again wherever a CASE reads the cell. Without `null` only texts can be
        empty."""
        nulls = ", ".join(literal(null) for null in ("", *(self.options.null or ())))
        return ", ".join(
            f"CASE WHEN {self._text(f'c{i}', type)} NOT IN ({nulls}) THEN c{i} END AS c{i}"
            if self.options.null or type.startswith(("VARCHAR", "ENUM"))
            else f"c{i}"
            for i, type in enumerate(types)
        )

    def _time(self, column: str, type: str, declared: bool) -> str:
        form = self.options.time_format
        if declared:
            return f"epoch_us({self._zoned(column) if form else column})"
        if type == _FINE:
            return f"epoch_us(CAST({column} AS TIMESTAMPTZ))"
        if type.startswith(_ZONED):
            return f"epoch_us({column})"
        if type.startswith(("TIMESTAMP", "DATE")):
            return f"epoch_us(timezone({literal(self.timezone)}, CAST({column} AS TIMESTAMP)))"
        text = self._text(column, type)
        if self.written is not None:
            return self.written.sql(text, self.timezone)
        if form:
            parsed = f"try_strptime({text}, {literal(form)})"  # a TIMESTAMPTZ where the format has an offset
            return f"epoch_us({parsed if '%z' in form.lower() else self._zoned(parsed)})"
        return f"epoch_us(try_cast({text} AS TIMESTAMPTZ))"

    def _zoned(self, timestamp: str) -> str:
        """The SQL of a time read by `time_format`: as it is where the format has an offset, else in the file's
        timezone."""
        has_offset = "%z" in (self.options.time_format or "").lower()
        return timestamp if has_offset else f"timezone({literal(self.timezone)}, {timestamp})"

    def is_row(self) -> str:
        """The SQL condition of rows that are data: not a repeated header, and not a line without a JSON object."""
        if self.broken:
            return "is_object"
        return f"({self.header_again()}) IS NOT TRUE" if self.glued else "TRUE"

    def header_again(self) -> str:
        """The SQL condition of rows that repeat the header. Byte order marks and quotes are ignored: behind a mark in
        the middle of concatenated files, quotes are part of the text."""
        return " AND ".join(f"{cell} = {literal(name)}" for cell, name in self._named_cells())

    def header_reordered(self) -> str:
        """The SQL condition of rows that repeat the header with its columns in another order."""
        cells = self._named_cells()
        names = ", ".join(literal(name) for _, name in cells)
        reordered = f"list_sort([{', '.join(cell for cell, _ in cells)}]) = list_sort([{names}])"
        return f"{reordered} AND NOT ({self.header_again()})"

    def _named_cells(self) -> list[tuple[str, str]]:
        """(SQL of the text of a cell, column name) for each column with a name."""
        return [
            (f"trim(ltrim(c{i}, chr(65279)), ' \"')", name)
            for i, name in enumerate(self.header)
            if not name.startswith("\0")
        ]

    def scan(self, tag: str = "") -> str:
        """The FROM item. `tag` names the tables that collect rejected rows; without it every column is text, and broken
        rows are left out."""
        text = self._scan(tag)
        return f"(SELECT * FROM {text} WHERE {self.is_row()})" if tag and (self.glued or self.broken) else text

    def _scan(self, tag: str) -> str:
        if self.types is not None:
            named = f"{self.relation} AS data({', '.join(f'c{i}' for i in range(len(self.header)))})"
            kept = ", is_object" if self.broken else ""
            return f"(SELECT {self._without_nulls(self.types)}{kept} FROM {named})"
        time = "TIMESTAMP" if self.options.time_format else "TIMESTAMPTZ"
        declared = self.time if tag else None
        columns = ", ".join(
            f"'c{i}': '{time if name == declared else 'VARCHAR'}'" for i, name in enumerate(self.header)
        )
        arguments = [*self._dialect(), "auto_detect=false", "header=true", f"columns={{{columns}}}"]
        if declared and self.options.time_format:
            arguments.append(f"timestampformat={literal(self.options.time_format)}")
        if tag:
            rejects = f"rejects_table='rejects_{tag}', rejects_scan='scans_{tag}', rejects_limit={MAX_REJECTS}"
            arguments += ["store_rejects=true", rejects]
        else:
            arguments += ["ignore_errors=true", "parallel=false"]
        return f"read_csv({literal(str(self._text_file.path))}, {', '.join(arguments)})"

    def _dialect(self) -> list[str]:
        return dialect(self._text_file, self.options)

    @property
    def _text_file(self) -> DataFile:
        """The file that the engine parses."""
        assert self.file is not None
        return self.file if self.joined is None else replace(self.file, path=self.joined.path, compression="none")

    def resolve(self, name: str, columns: Mapping[str, str]) -> str | None:
        """The header name for `name` of the spec: itself, or the column that a canonical name is mapped to; else
        None."""
        if name in self.header:
            return name
        mapped = columns.get(name)
        return mapped if mapped in self.header else None

    def unknown_column(self, name: str, where: str) -> Problem:
        """The problem of a column that the spec names (at `where`) and the header lacks."""
        if name in standing_twice(self.header):
            message = f"{self.shown} has two columns named '{name}' ({where})"
            return Problem(
                "error", "duplicate-header", message, Span(self.shown, 1), "rename one of them in the export"
            )
        spelled = {title.casefold(): title for title in self.header}
        similar = [spelled[close] for close in difflib.get_close_matches(name.casefold(), spelled, 3, 0.5)]
        help = f"did you mean {' or '.join(similar)}? " if similar else ""
        if column := likely(name, self.header):
            help = f"is it {column}? columns: {{{name}: {column}}}; "
        message = f"{self.shown} has no column '{name}' ({where})"
        delimiter = self.options.delimiter
        if self.types is None and delimiter and delimiter not in ",\t":
            help += f"it was read with the delimiter '{delimiter}' (`delimiter:` names another); "
        return Problem("error", "missing-column", message, Span(self.shown, 1), help + self.header_text())

    def header_text(self) -> str:
        """The header for a message: up to 20 names, and problems with other columns."""
        names = [name for name in self.header if not name.startswith("\0")]
        names += [f"{name} (twice)" for name in standing_twice(self.header)]
        nameless = [str(i) for i, name in enumerate(self.header, 1) if name.startswith("\0") and name.endswith("\0")]
        if len(nameless) == 1:
            names.append(f"and column {nameless[0]} has no name: give it one in the file")
        suffix = f", ... ({len(names):,} columns)" if len(names) > 20 else ""
        if len(names) == 1 and self.types is None:
            suffix = " (one column: is it the right delimiter? `delimiter:` names it)"
        return f"the header is: {', '.join(name[:60] for name in names[:20])}{suffix}"
