"""Joins small CSV files of one export into one text: a year of hourly files has 8,760.

The engine can read a list of files, but of more files than threads it silently drops what follows an open quote
(DuckDB 2.0). Only texts with the same header line, the same line ends and an even number of quotes are joined. Where
anything is wrong with the rows, the files are read one by one, which locates it (batch.py).
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from abcx.files import compression
from abcx.files.paths import DataFile

_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Joined:
    """The text of several files under one header, and the number of rows of each file."""

    path: Path
    rows: tuple[int, ...]


def header_line(file: DataFile) -> bytes:
    """The first line of a file with its end, without a byte order mark; empty where no line ends in the first megabyte.
    Raises DataError for a broken packed file."""
    start = next(compression.chunks(file.shown, file.path, file.compression), b"")
    return start[: start.find(b"\n") + 1].removeprefix(_MARK)


def join(files: Sequence[DataFile], folder: Path) -> Joined | None:
    """The joined text of files with one header line, written into a folder; None where they cannot be joined. Raises
    DataError for a broken packed file."""
    header = header_line(files[0])
    end = b"\r\n" if header.endswith(b"\r\n") else b"\n"
    path, rows = folder / f"joined_{len(list(folder.glob('joined_*')))}.csv", []
    with path.open("wb") as out:
        out.write(header)
        for file in files:
            text = b"".join(compression.chunks(file.shown, file.path, file.compression)).removeprefix(_MARK)
            body = text[len(header) :]
            whole = body if body.endswith(end) or not body else body + end
            if not text.startswith(header) or not _has_ends(whole, end) or whole.count(b'"') % 2 or not _is_utf8(whole):
                return None
            out.write(whole)
            rows.append(_rows(whole))
    return Joined(path, tuple(rows))


def _has_ends(text: bytes, end: bytes) -> bool:
    """Whether all lines of a text end in the same way."""
    return text.count(b"\r") == (text.count(end) if end == b"\r\n" else 0) and text.count(b"\n") == text.count(end)


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _rows(text: bytes) -> int:
    """The number of rows of a text without a header; empty lines are none."""
    if b'"' not in text:
        return sum(bool(line) for line in text.splitlines())
    return sum(bool(row) for row in csv.reader(io.StringIO(text.decode(errors="replace"), newline="")))
