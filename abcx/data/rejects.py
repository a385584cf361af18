"""Rows and cells that could not be read -> problems with file, line and cure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from abcx.data import packed
from abcx.data.encodings import not_utf8
from abcx.data.engine import Engine, literal
from abcx.data.files import DataFile
from abcx.data.lines import filled_lines, line_at, lines_at, next_quote
from abcx.data.records import Reject
from abcx.errors import DataError
from abcx.problems import Problem, Span
from abcx.results import Exclusion

if TYPE_CHECKING:
    from abcx.data.tables import Table

MOST = 10_000
"""So many rejected rows of a file are kept, and written out of each kind."""
BAD_JSON = "a jsonl file has one JSON object on every line"
ESCAPED = "it is written with backslashes: export it with quoted cells and doubled quotes (in Spark: escape='\"')"
SEVERAL = "write one JSON object on every line: jq -c . FILE"
_REJECTS = {
    "MISSING COLUMNS": (
        "ragged-row",
        "a row has too few cells",
        "was the file cut, or does a cell hold a line break outside quotes?",
    ),
    "TOO MANY COLUMNS": (
        "ragged-row",
        "a row has too many cells",
        "quote cells that hold the delimiter (\"1,234\"), or name the delimiter of the file: delimiter: ';'",
    ),
    "UNQUOTED VALUE": (
        "broken-quotes",
        "a quoted cell does not end, or has text after its closing quote",
        "close the quote, or double it inside the cell",
    ),
    "LINE SIZE OVER MAXIMUM": ("line-too-long", "a line is longer than 2 MB", "is a quote left open?"),
    "INVALID STATE": (
        "broken-quotes",
        "a cell has text after its closing quote",
        "double the quotes inside the cell",
    ),
}


@dataclass(frozen=True, slots=True)
class Bad:
    """Rows that are bad in the same way: the problem with the first place, and how many. Where it is `fatal`, more may
    be lost than these rows, and none can be left out. `where` is the SQL condition of bad cells in the file."""

    problem: Problem
    rows: int
    fatal: bool = False
    where: str = ""


def rejected(engine: Engine, table: Table, tag: str) -> list[Bad]:
    """The rows of a text file that could not be read, by kind."""
    if table.broken:
        return [_no_objects(engine, table)]
    if table.types is not None or table.file is None:
        return []

    def bad_time(line: int, message: str, more: str) -> Problem:
        value = message.partition('Could not convert string "')[2].rpartition("\" to '")[0]
        span = Span(table.shown, line, path=table.time or "")
        return Problem("error", "bad-time", f"'{value}' is not a time{more}", span, time_cure(table, value))

    return _told(engine, table.file, f"rejects_{tag}", len(table.header), bad_time)


def _no_objects(engine: Engine, table: Table) -> Bad:
    """The lines of a JSON file that are no JSON object."""
    rows = [int(n) for (n,) in engine.run(f"{_no_object(table)} ORDER BY n")]
    more = f" ({len(rows):,} such lines)" if len(rows) > 1 else ""
    bad = _lines(table, rows[:MOST])
    several = next(((line, text) for line, text in bad if holds_several(text)), None)
    line, text = several or bad[0]
    span = Span(table.shown, line)
    if several is not None:  # how many is not known, so they cannot be left out
        problem = Problem("error", "bad-json", f"a line holds several JSON objects{more}", span, SEVERAL)
    else:
        problem = Problem("error", "bad-json", f"a line is no JSON object{more}", span, BAD_JSON)
    return Bad(problem, len(rows), fatal=several is not None)


def holds_several(text: str) -> bool:
    """Whether a line holds one JSON object after the other, as streams of some clouds do."""
    try:
        _, end = json.JSONDecoder().raw_decode(text.lstrip("\ufeff \t"))
    except ValueError:
        return False
    return text.lstrip("\ufeff \t")[end:].lstrip(" \t,").startswith("{")


def _no_object(table: Table) -> str:
    return f"SELECT n FROM (SELECT row_number() OVER () AS n, is_object FROM {table.scan()}) WHERE NOT is_object"


BadTime = Callable[[int, str, str], Problem]


def _told(engine: Engine, file: DataFile, rejects: str, width: int, bad_time: BadTime, where: str = "") -> list[Bad]:
    if not engine.run(f"SELECT 1 FROM {rejects} LIMIT 1"):
        return []
    found = engine.run(
        "SELECT error_type::VARCHAR, count(DISTINCT line), arg_min(csv_line, line), arg_min(error_message, line), "
        "arg_min(line_byte_position, line) "
        f"FROM {rejects} r WHERE error_type <> 'CAST' "
        f"OR NOT EXISTS (SELECT 1 FROM {rejects} s WHERE s.line = r.line AND s.error_type <> 'CAST') "
        "GROUP BY ALL ORDER BY min(line)"
    )
    bad = []
    least = "at least " if sum(int(row[1]) for row in found) >= MOST else ""  # no more are kept
    for kind, count, text, message, position in found:
        more = f" ({least}{count:,} such rows{where})" if count > 1 else ""
        if kind == "INVALID ENCODING":
            bad.append(Bad(not_utf8(file.shown, file.path, file.compression), int(count), True))
            continue
        # The engine counts rows (cells with line breaks count once), and may take the row before for one left open.
        before = kind == "UNQUOTED VALUE" and '"' not in str(text)
        line, text = (next_quote(file, int(position)), "") if before else (line_at(file, int(position)), text)
        shown = str(text or "").strip("\r\n").partition("\n")[0][:300]
        if kind == "CAST":  # only the time is cast; the column that the engine names is wrong where others are unread
            bad.append(Bad(bad_time(line, str(message), more), int(count)))
        else:
            code, what, cure = _REJECTS.get(kind, ("bad-row", "a row cannot be read", "correct the row"))
            what += f": the header has {width}" if code == "ragged-row" else ""
            cure = ESCAPED if _has_escapes(shown) else cure
            problem = Problem("error", code, what + more, Span(file.shown, line), cure)
            bad.append(Bad(problem, int(count), code != "ragged-row"))
    return bad


def _has_escapes(row: str) -> bool:
    """Whether a row has backslashes where CSV doubles quotes, or quotes cells."""
    return '\\"' in row or any(f"\\{delimiter}" in row for delimiter in ",;\t|")


def broken_rows(engine: Engine, file: DataFile, arguments: str) -> list[Problem]:
    """What is wrong with a file whose header cannot even be read: quotes, encoding, lines without end."""
    _, bad = _tried(engine, file, file.path, arguments, 1)
    return [one.problem for one in bad if one.problem.code != "ragged-row"]


def ragged(engine: Engine, file: DataFile, head: Path, arguments: str, width: int, tolerated: int) -> list[Problem]:
    """What is wrong where most rows of `head`, a copy of the file's start, have more or fewer cells than the header.

    The engine keeps a kilobyte about every such row of the whole file.
    """
    read, bad = _tried(engine, file, head, arguments, width, " at the start of the file alone")
    found = [one for one in bad if one.problem.code == "ragged-row"]
    many = sum(one.rows for one in found) > max(read, tolerated)
    return [one.problem for one in found] if many else []


def _tried(
    engine: Engine, file: DataFile, path: Path, arguments: str, width: int, where: str = ""
) -> tuple[int, list[Bad]]:
    """How many rows a look at a file can read, and which it cannot; (0, none) where it cannot be looked at."""
    rejects = f"store_rejects=true, rejects_table='rejects_header', rejects_scan='scans_header', rejects_limit={MOST}"
    try:
        read = engine.run(
            f"SELECT count(*) FROM read_csv({literal(str(path))}, {arguments}, {rejects})",
            lambda message: Problem("error", "unread", message),
        )
        bad = _told(engine, file, "rejects_header", width, lambda *_: Problem("error", "unread", ""), where)
        return int(read[0][0]), bad
    except DataError:
        return 0, []
    finally:
        engine.run("DROP TABLE IF EXISTS rejects_header")
        engine.run("DROP TABLE IF EXISTS scans_header")


def time_cure(table: Table, value: str = "") -> str:
    """How times are written, for a message about one that is not."""
    form = table.options.time_format
    if re.match(r"\s*0000-00-00", value):
        return f"it stands for no time: null: ['{value[:60]}']"
    if value and not any(character.isdigit() for character in value):
        return f"where it means a missing time, name it: null: ['{value[:60]}']; else write ISO 8601: 2024-03-04T10:00Z"
    if form:
        return f"the file's time_format is {form}"
    if table.written is not None and table.written.unit:
        return f"the others are {table.written.unit} since 1970"
    if re.search(r":\d\d.*[A-Z]{3,5}\s*$", value):
        return "export the times in UTC, or with offsets: such letters for a zone are not read"
    if table.options.date_order:
        return f"the file's date_order is {table.options.date_order}: does the day stand there, and the year in full?"
    if re.match(r"\s*\d{1,2}[./-]\d{1,2}[./-]\d{2}(?!\d)", value):
        return "write the year in full, or say how two digits are meant: time_format ('%d.%m.%y') names the order"
    return "write ISO 8601 (2024-03-04T10:00:00Z), or say how it is written: time_format: '%m/%d/%Y %H:%M'"


def locate(engine: Engine, table: Table, predicate: str, value: str) -> tuple[int, int, str]:
    """How many rows satisfy `predicate`, and the first of them: (count, its line, `value` as text).

    Only walked after something was found wrong; the file is read again in order, as text. The line of a frame or of a
    Parquet file is the number of the row.
    """
    sql = _placed(table, predicate, value)
    count, first, shown = engine.run(f"SELECT count(*), min(n), arg_min(v, n) FROM ({sql}) WHERE bad")[0]
    line = _lines(table, [int(first)])[0][0] if count else 0
    return int(count), line, "" if shown is None else str(shown)


def last_row(engine: Engine, table: Table, predicate: str, value: str) -> tuple[int, str]:
    """The last row that satisfies `predicate`: (its line, `value` as text)."""
    sql = _placed(table, predicate, value)
    row, shown = engine.run(f"SELECT max(n), arg_max(v, n) FROM ({sql}) WHERE bad")[0]
    return _lines(table, [int(row)])[0][0], str(shown or "")


def _lines(table: Table, rows: list[int]) -> list[tuple[int, str]]:
    """The line of every row, with its text where it is JSON: the engine does not count lines without text there."""
    is_json = table.file is not None and table.file.format == "jsonl"
    return filled_lines(table.file, rows) if table.file is not None and is_json else [(row, "") for row in rows]


def _placed(table: Table, predicate: str, value: str) -> str:
    """All rows with their line `n`, `value` as `v`, and whether they are `bad`."""
    line = "row_number() OVER ()"
    if table.types is None:  # cells with line breaks take several lines
        breaks = " + ".join(
            f"coalesce(length(c{i}) - length(replace(c{i}, chr(10), '')), 0)" for i in range(len(table.header))
        )
        earlier = f"coalesce(sum({breaks}) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)"
        line = f"{line} + {table.first_line - 1} + {earlier}"
    predicate = f"({predicate}) AND {table.is_row()}"
    return f"SELECT {line} AS n, CAST({value} AS VARCHAR) AS v, {predicate} AS bad FROM {table.scan()}"


def every_reject(engine: Engine, table: Table, tag: str, bad: list[tuple[Problem, str]]) -> list[Reject]:
    """The rows behind the problems, one by one, at most `MOST` of a kind."""
    found: list[Reject] = []
    if table.types is None and table.file is not None:
        rows = engine.run(
            "SELECT min(line_byte_position), any_value(error_type::VARCHAR), any_value(csv_line) "
            f"FROM rejects_{tag} GROUP BY line ORDER BY line LIMIT {MOST}"
        )
        lines = lines_at(table.file, [int(row[0]) for row in rows])
        for number, (_, kind, text) in zip(lines, rows, strict=True):
            what = "not a time" if kind == "CAST" else _REJECTS.get(kind, ("", "cannot be read", ""))[1]
            column = (table.time or "") if kind == "CAST" else ""
            row = str(text or "").strip("\r\n")
            found.append(Reject(table.shown, number, column, what, row[:10_000]))
    if table.broken:
        rows = engine.run(f"{_no_object(table)} ORDER BY n LIMIT {MOST}")
        broken = _lines(table, [int(n) for (n,) in rows])
        found += [Reject(table.shown, line, "", "bad-json", text[:10_000]) for line, text in broken]
    cells = ", ".join(f"c{i}" for i in range(len(table.header)))
    for problem, where in bad:
        if where:
            sql = _placed(table, where, f"to_json([{cells}])")
            rows = engine.run(f"SELECT n, v FROM ({sql}) WHERE bad ORDER BY n LIMIT {MOST}")
            column = problem.span.path if problem.span else ""
            places = _lines(table, [int(n) for n, _ in rows])
            for (line, _), (_, row) in zip(places, rows, strict=True):
                found.append(Reject(table.shown, line, column, problem.code, str(row)[:10_000]))
    return found


def tolerated(shown: str, bad: list[Bad], most: int) -> list[Exclusion]:
    """Bad rows of a file as exclusions. Raises DataError where they are more than `most`, or one is fatal."""
    count = sum(one.rows for one in bad)
    if bad and (count > most or any(one.fatal for one in bad)):
        over = f"; max_bad_rows is {most:,}, and {count:,} rows are bad" if most and count > most else ""
        raise DataError([replace(one.problem, help=f"{one.problem.help}{over}") for one in bad])
    message = f"rows of {shown} that cannot be read"
    return [
        Exclusion("bad_row", f"{message} ({one.problem.span}: {one.problem.message})", rows=one.rows) for one in bad
    ]


def unreadable(file: DataFile | None, shown: str, message: str) -> Problem:
    """The engine could not read a file at all."""
    first = message.partition("\n")[0]
    line = first.rpartition("CSV Error on Line: ")[2]
    span = Span(shown, int(line) if line.isdigit() else 0)
    if file is not None and (broken := packed.broken(shown, file.path, file.compression)):
        return broken
    if "not utf-8 encoded" in message and file is not None:
        return not_utf8(shown, file.path, file.compression)
    for sign, (code, what, cure) in _UNREADABLE.items():
        if sign in message:
            span = Span(shown) if code == "line-too-long" else span  # the engine counts from somewhere else
            return Problem("error", code, f"{shown} {what}", span, cure)
    cure = "is it a complete table? Export it again, or name its format, delimiter and encoding"
    return Problem("error", "data-unreadable", f"{shown} cannot be read: {first}", span, cure)


_UNREADABLE = {
    "Maximum line size": ("line-too-long", "has a line longer than 2 MB", "is a quote left open?"),
    "maximum_object_size": ("line-too-long", "has a line longer than 16 MB", "one JSON object a line is read"),
    "reached an invalid state": (
        "broken-lines",
        "has broken quotes, or lines that end in different ways",
        "double the quotes inside cells; save the file with one kind of line end (LF or CRLF)",
    ),
    "No magic bytes found": ("parquet-broken", "is a cut Parquet file", "fetch or export it again"),
    "Footer length error": ("parquet-broken", "is a broken Parquet file", "fetch or export it again"),
}
