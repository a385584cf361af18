"""Problems, with file and line, of rows and cells that could not be read."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING

from abcx.files.csv_errors import BAD_JSON, MAX_REJECTS, REJECTS, SEVERAL, Bad, Reject, described, holds_several
from abcx.files.lines import filled_lines, lines_at
from abcx.problems import Problem, Span

if TYPE_CHECKING:
    from abcx.files.table import Table


def rejected(table: Table, tag: str) -> list[Bad]:
    """The rows of a text file that could not be read, by kind; `tag` names the table of rejects."""
    if table.broken:
        return [_no_objects(table)]
    if table.types is not None or table.file is None:
        return []

    def bad_time(line: int, message: str, count_text: str) -> Problem:
        value = message.partition('Could not convert string "')[2].rpartition("\" to '")[0]
        span = Span(table.shown, line, path=table.time or "")
        return Problem("error", "bad-time", f"'{value}' is not a time{count_text}", span, time_cure(table, value))

    return described(table.engine, table.file, f"rejects_{tag}", len(table.header), bad_time)


def _no_objects(table: Table) -> Bad:
    """The lines of a JSON file that are not JSON objects."""
    rows = [int(n) for (n,) in table.engine.run(f"{_no_object(table)} ORDER BY n")]
    count_text = f" ({len(rows):,} such lines)" if len(rows) > 1 else ""
    bad = _lines(table, rows[:MAX_REJECTS])
    several = next(((line, text) for line, text in bad if holds_several(text)), None)
    line, text = several or bad[0]
    span = Span(table.shown, line)
    if several is not None:  # their number is unknown, so they cannot be left out
        problem = Problem("error", "bad-json", f"a line holds several JSON objects{count_text}", span, SEVERAL)
    else:
        problem = Problem("error", "bad-json", f"a line is no JSON object{count_text}", span, BAD_JSON)
    return Bad(problem, len(rows), fatal=several is not None)


def _no_object(table: Table) -> str:
    return f"SELECT n FROM (SELECT row_number() OVER () AS n, is_object FROM {table.scan()}) WHERE NOT is_object"


def time_cure(table: Table, value: str = "") -> str:
    """The help for a `value` that is not a time."""
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


def locate(table: Table, predicate: str, value: str) -> tuple[int, int, str]:
    """How many rows satisfy `predicate`, and the first of them: (count, its line, `value` as text).

    Only called after a problem was found: the file is read again in order, as text. The line of a frame or of a Parquet
    file is the number of the row.
    """
    sql = _placed(table, predicate, value)
    count, first, shown = table.engine.run(f"SELECT count(*), min(n), arg_min(v, n) FROM ({sql}) WHERE bad")[0]
    line = _lines(table, [int(first)])[0][0] if count else 0
    return int(count), line, "" if shown is None else str(shown)


def last_row(table: Table, predicate: str, value: str) -> tuple[int, str]:
    """The last row that satisfies `predicate`: (its line, `value` as text)."""
    sql = _placed(table, predicate, value)
    row, shown = table.engine.run(f"SELECT max(n), arg_max(v, n) FROM ({sql}) WHERE bad")[0]
    return _lines(table, [int(row)])[0][0], str(shown or "")


def _lines(table: Table, rows: list[int]) -> list[tuple[int, str]]:
    """The line of every row, with its text for JSON lines, where the engine does not count empty lines."""
    is_json = table.file is not None and table.file.format == "jsonl"
    return filled_lines(table.file, rows) if table.file is not None and is_json else [(row, "") for row in rows]


def _placed(table: Table, predicate: str, value: str) -> str:
    """The SQL of all rows with their line `n`, `value` as `v`, and whether they satisfy the predicate (`bad`)."""
    line = "row_number() OVER ()"
    if table.types is None:  # cells with line breaks take several lines
        breaks = " + ".join(
            f"coalesce(length(c{i}) - length(replace(c{i}, chr(10), '')), 0)" for i in range(len(table.header))
        )
        earlier = f"coalesce(sum({breaks}) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)"
        line = f"{line} + {table.first_line - 1} + {earlier}"
    predicate = f"({predicate}) AND {table.is_row()}"
    return f"SELECT {line} AS n, CAST({value} AS VARCHAR) AS v, {predicate} AS bad FROM {table.scan()}"


def _line(table: Table, cells: str) -> str:
    """A row of delimited text, from its cells as JSON."""
    out = io.StringIO()
    csv.writer(out, delimiter=table.options.delimiter or ",", lineterminator="").writerow(json.loads(cells))
    return out.getvalue()


def every_reject(table: Table, tag: str, bad: list[tuple[Problem, str]]) -> list[Reject]:
    """Every row that could not be read, and those of `bad` (problem, SQL condition), in the order of lines; at most
    `MAX_REJECTS` a kind."""
    rejects: list[Reject] = []
    if table.types is None and table.file is not None:
        rows = table.engine.run(
            "SELECT min(line_byte_position), any_value(error_type::VARCHAR), any_value(csv_line) "
            f"FROM rejects_{tag} GROUP BY line ORDER BY line LIMIT {MAX_REJECTS}"
        )
        lines = lines_at(table.file, [int(row[0]) for row in rows])
        for number, (_, kind, text) in zip(lines, rows, strict=True):
            what = "not a time" if kind == "CAST" else REJECTS.get(kind, ("", "cannot be read", ""))[1]
            column = (table.time or "") if kind == "CAST" else ""
            row = str(text or "").strip("\r\n")
            rejects.append(Reject(table.shown, number, column, what, row[:10_000]))
    if table.broken:
        rows = table.engine.run(f"{_no_object(table)} ORDER BY n LIMIT {MAX_REJECTS}")
        broken = _lines(table, [int(n) for (n,) in rows])
        rejects += [Reject(table.shown, line, "", "bad-json", text[:10_000]) for line, text in broken]
    cells = ", ".join(f"c{i}" for i in range(len(table.header)))
    for problem, where in bad:
        if where:
            sql = _placed(table, where, f"to_json([{cells}])")
            rows = table.engine.run(f"SELECT n, v FROM ({sql}) WHERE bad ORDER BY n LIMIT {MAX_REJECTS}")
            column = problem.span.path if problem.span else ""
            places = _lines(table, [int(n) for n, _ in rows])
            for (line, _), (_, row) in zip(places, rows, strict=True):
                text = str(row) if table.types is not None else _line(table, str(row))
                rejects.append(Reject(table.shown, line, column, problem.code, text[:10_000]))
    return sorted(rejects, key=lambda reject: reject.line)
