"""Finds the header of a delimited file: its delimiter, the lines above it, names on several rows; refuses bad
headers."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from abcx.engines.local import Engine
from abcx.engines.quoting import literal
from abcx.errors import DataError, UnreadableFile
from abcx.files.column_names import unambiguous
from abcx.files.compression import chunks
from abcx.files.csv_dialect import dialect
from abcx.files.csv_errors import broken_rows, ragged, unreadable
from abcx.files.paths import DataFile
from abcx.notes import Note
from abcx.problems import Problem, Span
from abcx.spec.model import FileOptions

_NOWHERE = "\x01 no cell holds this \x01"
_DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
_TITLES = 30
"""Maximum lines above a header."""
_START = 1 << 18
"""Bytes of a file that are sampled as its start."""

Row = tuple[str | None, ...]
"""Cells as text; None where a row has fewer cells than the longest."""


@dataclass(frozen=True, slots=True)
class Header:
    """The column names, the options with the inferred delimiter and lines to skip, the line of the first row, and notes
    on what was inferred."""

    names: tuple[str, ...]
    options: FileOptions
    first_line: int
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class _Csv:
    """A CSV file, how it is to be read, and the engine that reads it."""

    engine: Engine
    file: DataFile
    options: FileOptions

    def but(self, **options: Any) -> _Csv:
        """The same file, read with other options."""
        return replace(self, options=self.options.model_copy(update=options))


def read_header(engine: Engine, file: DataFile, options: FileOptions) -> Header:
    """Read the header of a delimited file. Raises DataError for a header that cannot be used."""
    notes = []
    if not options.delimiter and file.format != "tsv":
        options = options.model_copy(update={"delimiter": _delimiter(_Csv(engine, file, options))})
        if options.delimiter != ",":
            notes.append(Note("delimiter", {"file": file.shown, "delimiter": _DELIMITERS[options.delimiter or ","]}))
    declared = options.skip
    above, rows = _first_rows(_Csv(engine, file, options))
    if above or _starts_blank(file):
        options = _past_blank_lines(_Csv(engine, file, options), above)
        rows = _read_rows(_Csv(engine, file, options), 4)
    if options.skip != declared:
        notes.append(Note("header_line", {"file": file.shown, "line": (options.skip or 0) + 1}))
    count, skip = options.header_rows or 1, options.skip or 0
    if not any(_names(rows[:1])):
        cure = "the first line names the columns; `skip: N` skips lines before it"
        raise DataError(Problem("error", "no-header", f"{file.shown} has no header", Span(file.shown, 1 + skip), cure))
    if options.header_rows is None:
        _refuse_survey_rows(file, rows, skip)
    names = _names(rows[:count])
    _refuse_answers(file, options, names, rows[:count], skip)
    zone = _zone(options, names, rows[1:count])
    if zone is not None and options.timezone is None:
        notes.append(Note("zone_of_header", {"file": file.shown, "zone": zone}))
        options = options.model_copy(update={"timezone": zone})
    names = unambiguous(names)
    options = options.model_copy(update={"skip": skip + count - 1 or None})
    _refuse_ragged(_Csv(engine, file, options), names)
    breaks = sum(str(cell or "").count("\n") for row in rows[:count] for cell in row)
    return Header(names, options, 1 + skip + count + breaks, tuple(notes))


def _as_text(width: int) -> list[str]:
    """The options of read_csv that read `width` columns as text."""
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(width))
    return ["auto_detect=false", f"columns={{{columns}}}"]


def _read_rows(csv: _Csv, count: int) -> list[Row]:
    """The first rows, padded to the longest at the start of the file."""
    file = csv.file
    padding = csv.options.model_copy(update={"null": None, "skip": csv.options.skip or 0})
    lenient = ["header=false", "comment=''", "null_padding=true", "strict_mode=false", "parallel=false"]
    width = _width(file, padding)
    lenient += _as_text(width) if width else ["all_varchar=true"]
    arguments = ", ".join([*dialect(file, padding, _NOWHERE), *lenient])
    source = f"read_csv({literal(str(file.path))}, {arguments})"
    try:
        return csv.engine.run(
            f"SELECT * FROM {source} LIMIT {count}", lambda message: unreadable(file, file.shown, message)
        )
    except DataError as error:
        # With fewer columns than a row has cells, the engine needs a kilobyte for every row.
        scan = ", ".join([*dialect(file, csv.options), "header=true", *_as_text(width)])
        raise DataError((width and broken_rows(csv.engine, file, scan)) or error.problems) from None


def _width(file: DataFile, options: FileOptions) -> int:
    """Maximum cells per row near the start of the file, 0 if unknown."""
    delimiter, most, cells, quotes = options.delimiter or "\t", 1, 1, 0
    d = re.escape(delimiter)
    quoted = re.compile(rf'(^|{d})"(?:[^"]|"")*"(?={d}|$)')  # delimiters in such cells do not count
    for line in _start(file).decode(errors="replace").splitlines():
        outside = quoted.sub(r"\1", line) if quotes % 2 == 0 else line
        cells, quotes = cells + outside.count(delimiter), quotes + line.count('"')
        most = max(most, 1 + outside.count(delimiter))
        if quotes % 2 == 0:  # an open quote is ignored
            most, cells = max(most, cells), 1
    return most if most <= 20_000 else 0


def _names(rows: Sequence[Row]) -> tuple[str, ...]:
    """The column names: the first nonempty cell from the top; where that is repeated, joined with the cells below."""
    if not rows:
        return ()
    columns = [[str(cell).strip() for cell in column if cell is not None] for column in zip(*rows, strict=True)]
    while columns and not columns[-1]:
        columns.pop()
    filled = [[cell for cell in column if cell] for column in columns]
    names = [column[0] if column else "" for column in filled]
    if len(rows) == 1:
        return tuple(names)
    return tuple(
        " / ".join(column) if names.count(name) > 1 else name for name, column in zip(names, filled, strict=True)
    )


def _filled(row: Row) -> int:
    return sum(cell is not None and cell.strip() != "" for cell in row)


def _is_title(row: Row, width: int) -> bool:
    """Whether a row is a title above a table of `width` columns: a comment, or mostly empty."""
    filled = _filled(row)
    first = str(row[0] or "")  # a column may be called #
    is_comment = first.startswith("#") and first != "#" and (filled < width or first.startswith(("# ", "##", "#-")))
    return is_comment or filled < max(2, width / 2)


def _first_rows(csv: _Csv) -> tuple[int, list[Row]]:
    """The number of lines above the header, and the first rows."""
    try:
        rows = _read_rows(csv, 4)
    except UnreadableFile:
        if csv.options.skip is not None:
            raise
        for skip in range(1, 6):  # a title with other delimiters makes the engine fail
            below = csv.but(skip=skip)
            try:
                rows = _read_rows(below, 4)
            except DataError:
                continue
            return skip + _lines_above(below, rows), rows
        raise
    return (_lines_above(csv, rows) if csv.options.skip is None else csv.options.skip), rows


def _lines_above(csv: _Csv, rows: list[Row]) -> int:
    """The number of comments and titles above the first row that is filled like a table."""
    width = len(rows[0]) if rows else 0
    if width < 2 or not _is_title(rows[0], width):
        return 0
    for above in range(1, _TITLES + 1):
        skip = above + (csv.options.skip or 0)
        below = _read_rows(csv.but(skip=skip), 1)
        if not below:
            return 0
        row = (*below[0], *[None] * (width - len(below[0])))
        if not _is_title(row, width):
            return above
    return 0


def _starts_blank(file: DataFile) -> bool:
    return _start(file).lstrip(b"\xef\xbb\xbf \t,;|")[:1] in (b"\n", b"\r")


def _start(file: DataFile) -> bytes:
    return next(chunks(file.shown, file.path, file.compression, _START), b"")


def _past_blank_lines(csv: _Csv, above: int) -> FileOptions:
    """The options that also skip blank lines: the query of the first rows ignores them, the scan reads them as rows."""
    first = _read_rows(csv.but(skip=above), 1)
    if not first or not _filled(first[0]):
        return csv.options
    while above < 10 * _TITLES and _read_rows(csv.but(skip=above + 1), 1) == first:
        above += 1
    return csv.but(skip=above or None).options


def _refuse_survey_rows(file: DataFile, rows: list[Row], skip: int) -> None:
    """Raise DataError for survey exports with names on two or three rows, which would be read as respondents."""
    for number, row in enumerate(rows[1:3], 2):
        cells = [str(cell or "").strip() for cell in row]
        imported = any(cell.startswith('{"ImportId"') for cell in cells)
        sub = {"Open-Ended Response", "Response"} & set(cells) and "" in [str(cell or "").strip() for cell in rows[0]]
        if imported or (sub and number == 2):
            raise DataError(
                Problem(
                    "error",
                    "header-rows",
                    f"{file.shown} has names on {number} rows, like a survey export",
                    Span(file.shown, number + skip),
                    f"write header_rows: {number}",
                )
            )


def _refuse_answers(file: DataFile, options: FileOptions, names: tuple[str, ...], rows: list[Row], skip: int) -> None:
    """Raise DataError where a header row has a time in the time column: it is an answer, which would be lost."""
    time = options.columns.get("time", "time")
    at = names.index(time) if time in names else 0
    for number, row in enumerate(rows[1:], 2) if time in names else ():
        cell = str(row[at] or "").strip()
        if cell[:1].isdigit():
            message = f"row {number} of {file.shown} is read as names of columns, and holds a time: '{cell[:60]}'"
            where = Span(file.shown, number + skip, path=time)
            raise DataError(Problem("error", "header-rows", message, where, f"write header_rows: {number - 1}"))


def _zone(options: FileOptions, names: tuple[str, ...], rows: Sequence[Row]) -> str | None:
    """The zone of the times, where a header row declares it, as in Qualtrics:
    `{"ImportId":"endDate","timeZone":"America/Denver"}`; else None."""
    time = options.columns.get("time", "time")
    for row in rows if time in names else ():
        try:
            parsed = json.loads(str(row[names.index(time)] or ""))
            zone = str(parsed["timeZone"]) if isinstance(parsed, dict) and "timeZone" in parsed else None
            if zone is not None:
                return ZoneInfo("UTC" if zone == "Z" else zone).key
        except (ValueError, KeyError, OSError):  # not JSON, or not a zone name
            continue
    return None


def _refuse_ragged(csv: _Csv, names: tuple[str, ...]) -> None:
    """Raise DataError, before the whole file is read, where most rows at the start of a large file have another number
    of cells than the header."""
    start = _start(csv.file)
    if len(start) < _START:
        return
    head = csv.engine.scratch / "head.csv"
    head.write_bytes(start[: start.rfind(b"\n") + 1])
    plain = replace(csv.file, compression="none")
    scan = ", ".join([*dialect(plain, csv.options), "header=true", *_as_text(len(names))])
    problems = ragged(csv.engine, csv.file, head, scan, len(names), csv.options.max_bad_rows)
    if problems:
        raise DataError(problems)


def _delimiter(csv: _Csv) -> str:
    """The delimiter that DuckDB's sniffer finds in the first rows, checked by counts; a comma where it finds none."""
    file = csv.file
    skip = f", skip={csv.options.skip}" if csv.options.skip else ""
    plainly = "quote='\"', escape='\"', hive_partitioning=false, all_varchar=true, ignore_errors=true"
    source = f"{literal(str(file.path))}, {plainly}, compression='{file.compression}'{skip}"
    try:
        sniffed = csv.engine.run(
            f"SELECT Delimiter FROM sniff_csv({source})", lambda message: unreadable(file, file.shown, message)
        )
    except DataError:
        return ","
    delimiter = sniffed[0][0] if sniffed[0][0] in _DELIMITERS else ","
    return _by_counts(file, delimiter)


def _by_counts(file: DataFile, sniffed: str) -> str:
    """The delimiter that occurs equally often in most lines, in place of the sniffed one where that varies: a title
    above the header misleads the sniffer. Where the first line lacks the sniffed delimiter, a smaller lead suffices."""
    text = re.sub('"[^"]*"', '""', _start(file).decode("utf-8-sig", errors="replace"))
    lines = [line for line in text.splitlines()[:200] if line.strip()]
    if not lines or 0 < lines[0].count(sniffed) == lines[len(lines) // 2].count(sniffed):
        return sniffed
    shares = {}
    for delimiter in dict.fromkeys((sniffed, *_DELIMITERS)):
        counts = Counter(line.count(delimiter) for line in lines)
        usual, times = counts.most_common(1)[0]
        shares[delimiter] = times if usual else 0
    best = max(shares, key=lambda delimiter: shares[delimiter])
    return best if shares[best] > (1.5 if sniffed in lines[0] else 1.0) * shares[sniffed] else sniffed
