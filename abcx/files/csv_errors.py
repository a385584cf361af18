"""Problems of rows and files that the CSV and JSON readers refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from abcx.engines.local import Engine
from abcx.engines.quoting import literal
from abcx.errors import BrokenLines, DataError, UnreadableFile
from abcx.files import compression
from abcx.files.encodings import not_utf8
from abcx.files.lines import line_at, next_quote
from abcx.files.paths import DataFile
from abcx.problems import Problem, Span
from abcx.results.readout import Exclusion

MAX_REJECTS = 10_000
"""Maximum number of rejected rows of a file that the engine keeps, and of each kind that are written out."""


BAD_JSON = "a jsonl file has one JSON object on every line"


ESCAPED = "it is written with backslashes: export it with quoted cells and doubled quotes (in Spark: escape='\"')"


SEVERAL = "write one JSON object on every line: jq -c . FILE"

_RAGGED = ("MISSING COLUMNS", "TOO MANY COLUMNS")

REJECTS = {
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
    """Rows that are bad in the same way: the problem at the first of them, and their number. Where it is `fatal`, more
    rows may be affected, and none can be left out. `where` is the SQL condition of bad cells in the file."""

    problem: Problem
    rows: int
    fatal: bool = False
    where: str = ""


def holds_several(text: str) -> bool:
    """Whether a line holds several JSON objects, as in the streams of some cloud services."""
    try:
        _, end = json.JSONDecoder().raw_decode(text.lstrip("\ufeff \t"))
    except ValueError:
        return False
    return text.lstrip("\ufeff \t")[end:].lstrip(" \t,").startswith("{")


BadTime = Callable[[int, str, str], Problem]


def described(
    engine: Engine, file: DataFile, rejects: str, width: int, bad_time: BadTime, where: str = ""
) -> list[Bad]:
    """The rejected rows in the engine's table `rejects`, by kind; `width` is the number of columns, `where` is added to
    the messages."""
    if not engine.run(f"SELECT 1 FROM {rejects} LIMIT 1"):
        return []
    kinds = engine.run(
        "SELECT error_type::VARCHAR, count(DISTINCT line), arg_min(csv_line, line), arg_min(error_message, line), "
        "arg_min(line_byte_position, line) "
        f"FROM {rejects} r WHERE error_type <> 'CAST' "
        f"OR NOT EXISTS (SELECT 1 FROM {rejects} s WHERE s.line = r.line AND s.error_type <> 'CAST') "
        "GROUP BY ALL ORDER BY min(line)"
    )
    bad = []
    least = "at least " if sum(int(row[1]) for row in kinds) >= MAX_REJECTS else ""  # no more are kept
    for kind, count, text, message, position in kinds:
        count_text = f" ({least}{count:,} such rows{where})" if count > 1 else ""
        if kind == "INVALID ENCODING":
            bad.append(Bad(not_utf8(file.shown, file.path, file.compression), int(count), True))
            continue
        # The engine counts rows, not lines, and may name the row before the one with the open quote.
        before = kind == "UNQUOTED VALUE" and '"' not in str(text)
        line, text = (next_quote(file, int(position)), "") if before else (line_at(file, int(position)), text)
        shown = str(text or "").strip("\r\n").partition("\n")[0][:300]
        if kind == "CAST":  # only the time is cast; the column that the engine names may be wrong
            bad.append(Bad(bad_time(line, str(message), count_text), int(count)))
        else:
            code, what, cure = REJECTS.get(kind, ("bad-row", "a row cannot be read", "correct the row"))
            ragged = kind in _RAGGED
            what += f": the header has {width}" if ragged else ""
            cure = ESCAPED if _has_escapes(shown) else cure
            problem = Problem("error", code, what + count_text, Span(file.shown, line), cure)
            bad.append(Bad(problem, int(count), not ragged))
    return bad


def _has_escapes(row: str) -> bool:
    """Whether a row has backslashes before quotes or delimiters, where CSV doubles quotes and quotes cells."""
    return '\\"' in row or any(f"\\{delimiter}" in row for delimiter in ",;\t|")


def broken_rows(engine: Engine, file: DataFile, arguments: str) -> list[Problem]:
    """The problems of a file whose header cannot be read: broken quotes, encoding, overlong lines."""
    _, bad = _tried(engine, file, file.path, arguments, 1)
    return [group.problem for group in bad if group.fatal]


def ragged(engine: Engine, file: DataFile, head: Path, arguments: str, width: int, tolerated: int) -> list[Problem]:
    """The problems where most rows of `head`, a copy of the file's start, have more or fewer cells than the header.

    Checked early, as the engine needs a kilobyte for every such row of the whole file. `tolerated` is `max_bad_rows`.
    """
    read, bad = _tried(engine, file, head, arguments, width, " at the start of the file alone")
    uneven = [group for group in bad if not group.fatal]
    many = sum(group.rows for group in uneven) > max(read, tolerated)
    return [group.problem for group in uneven] if many else []


def _tried(
    engine: Engine, file: DataFile, path: Path, arguments: str, width: int, where: str = ""
) -> tuple[int, list[Bad]]:
    """The number of rows of a file that can be read, and the bad ones; (0, []) where it cannot be read at all."""
    rejects = (
        f"store_rejects=true, rejects_table='rejects_header', rejects_scan='scans_header', rejects_limit={MAX_REJECTS}"
    )
    try:
        read = engine.run(
            f"SELECT count(*) FROM read_csv({literal(str(path))}, {arguments}, {rejects})",
            lambda message: Problem("error", "unread", message),
        )
        bad = described(engine, file, "rejects_header", width, lambda *_: Problem("error", "unread", ""), where)
        return int(read[0][0]), bad
    except DataError:
        return 0, []
    finally:
        engine.run("DROP TABLE IF EXISTS rejects_header")
        engine.run("DROP TABLE IF EXISTS scans_header")


def tolerated(shown: str, bad: list[Bad], most: int) -> list[Exclusion]:
    """Bad rows of a file as exclusions. Raises DataError where there are more than `most`, or one is fatal."""
    count = sum(group.rows for group in bad)
    if bad and (count > most or any(group.fatal for group in bad)):
        over = f"; max_bad_rows is {most:,}, and {count:,} rows are bad" if most and count > most else ""
        raise DataError([replace(group.problem, help=f"{group.problem.help}{over}") for group in bad])
    message = f"rows of {shown} that cannot be read"
    return [
        Exclusion("bad_row", f"{message} ({group.problem.span}: {group.problem.message})", rows=group.rows)
        for group in bad
    ]


def unreadable(file: DataFile | None, shown: str, message: str) -> DataError:
    """The error for a file that the engine could not read, from the engine's message."""
    first = message.partition("\n")[0]
    line = first.rpartition("CSV Error on Line: ")[2]
    span = Span(shown, int(line) if line.isdigit() else 0)
    if file is not None and (broken := compression.broken(shown, file.path, file.compression)):
        return DataError(broken)
    if "not utf-8 encoded" in message and file is not None:
        return DataError(not_utf8(shown, file.path, file.compression))
    for sign, (code, what, cure) in _UNREADABLE.items():
        if sign in message:  # the engine's line numbers are wrong for these
            return DataError(Problem("error", code, f"{shown} {what}", Span(shown), cure))
    if "reached an invalid state" in message:
        what = "has broken quotes, or lines that end in different ways"
        cure = "double the quotes inside cells; save the file with one kind of line end (LF or CRLF)"
        return BrokenLines(Problem("error", "broken-lines", f"{shown} {what}", span, cure))
    cure = "is it a complete table? Export it again, or name its format, delimiter and encoding"
    return UnreadableFile(Problem("error", "data-unreadable", f"{shown} cannot be read: {first}", span, cure))


_UNREADABLE = {
    "Maximum line size": ("line-too-long", "has a line longer than 2 MB", "is a quote left open?"),
    "maximum_object_size": ("line-too-long", "has a line longer than 16 MB", "one JSON object a line is read"),
    "No magic bytes found": ("parquet-broken", "is a cut Parquet file", "fetch or export it again"),
    "Footer length error": ("parquet-broken", "is a broken Parquet file", "fetch or export it again"),
}


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that cannot be read: its file, line and column, the problem, and the row as it was written."""

    file: str
    line: int
    column: str
    problem: str
    row: str
