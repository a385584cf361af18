"""Rows and cells that could not be read -> problems with file, line and cure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abcx.data.engine import Engine
from abcx.data.files import line_at
from abcx.errors import DataError
from abcx.problems import Problem, Span

if TYPE_CHECKING:
    from abcx.data.tables import Table

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
    "INVALID ENCODING": ("encoding", "the text is not UTF-8", "write encoding: latin-1, or save the file as UTF-8"),
    "INVALID STATE": (
        "broken-quotes",
        "a cell has text after its closing quote",
        "double the quotes inside the cell",
    ),
}


def rejected(engine: Engine, table: Table, tag: str) -> list[Problem]:
    """The rows of a text file that could not be read, one problem for each kind with the first place and how many."""
    if table.types is not None:
        return []
    found = engine.run(
        "SELECT error_type::VARCHAR, count(DISTINCT line), min(line), "
        "arg_min(csv_line, line), arg_min(error_message, line), arg_min(line_byte_position, line) "
        f"FROM rejects_{tag} r WHERE error_type <> 'CAST' "
        f"OR NOT EXISTS (SELECT 1 FROM rejects_{tag} s WHERE s.line = r.line AND s.error_type <> 'CAST') "
        "GROUP BY ALL ORDER BY min(line)"
    )
    problems = []
    for kind, count, line, text, message, position in found:
        more = f" ({count:,} such rows)" if count > 1 else ""
        file = table.file
        if file is not None and file.compression != "zstd" and table.options.encoding in (None, "utf-8"):
            line = line_at(file, int(position))  # the engine counts rows: cells with line breaks count once
        shown = str(text or "").strip("\r\n").partition("\n")[0][:300]
        if kind == "CAST":  # only the time is cast; the column that the engine names is wrong where others are unread
            problems.append(_bad_time(table, table.time or "", int(line), shown, str(message), more))
        else:
            code, what, cure = _REJECTS.get(kind, ("bad-row", "a row cannot be read", "correct the row"))
            what += f": the header has {len(table.header)}" if code == "ragged-row" else ""
            problems.append(Problem("error", code, what + more, Span(table.shown, int(line), text=shown), cure))
    return problems


def broken_rows(engine: Engine, table: Table) -> list[Problem]:
    """What is wrong with a file whose header cannot even be read: quotes, encoding, lines without end."""
    try:
        engine.run(f"SELECT count(*) FROM {table.scan('header')}", lambda message: Problem("error", "unread", message))
        return [problem for problem in rejected(engine, table, "header") if problem.code != "ragged-row"]
    except DataError:
        return []
    finally:
        engine.run("DROP TABLE IF EXISTS rejects_header")
        engine.run("DROP TABLE IF EXISTS scans_header")


def time_cure(table: Table, value: str = "") -> str:
    """How times are written, for a message about one that is not."""
    form = table.options.time_format
    if form:
        return f"the file's time_format is {form}"
    if value.isdigit() and len(value) in (10, 13, 16):
        return "seconds since 1970 are not read: export times as ISO 8601 (2024-03-04T10:00:00Z)"
    return "write ISO 8601 (2024-03-04T10:00:00Z), or say how it is written: time_format: '%m/%d/%Y %H:%M'"


def _bad_time(table: Table, name: str, line: int, text: str, message: str, more: str) -> Problem:
    value = message.partition('Could not convert string "')[2].rpartition("\" to '")[0]
    span = Span(table.shown, line, path=name, text=text)
    return Problem("error", "bad-time", f"'{value}' is not a time{more}", span, time_cure(table, value))


def locate(engine: Engine, table: Table, predicate: str, value: str) -> tuple[int, int, str]:
    """How many rows satisfy `predicate`, and the first of them: (count, its line, `value` as text).

    Only walked after something was found wrong; the file is read again in order, as text. The line of a frame or of a
    Parquet file is the number of the row.
    """
    line = "row_number() OVER ()"
    if table.types is None:  # cells with line breaks take several lines
        breaks = " + ".join(
            f"coalesce(length(c{i}) - length(replace(c{i}, chr(10), '')), 0)" for i in range(len(table.header))
        )
        earlier = f"coalesce(sum({breaks}) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)"
        first = 1 + (table.options.skip or 0) + sum(name.count("\n") for name in table.header)
        line = f"{line} + {first} + {earlier}"
    sql = f"SELECT {line} AS n, CAST({value} AS VARCHAR) AS v, {predicate} AS bad FROM {table.scan()}"
    count, first_line, shown = engine.run(f"SELECT count(*), min(n), arg_min(v, n) FROM ({sql}) WHERE bad")[0]
    return int(count), int(first_line or 0), "" if shown is None else str(shown)
