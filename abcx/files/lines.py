"""Reads the text of a file in chunks: checksums, overlong lines, and line numbers of byte positions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from itertools import islice, takewhile
from threading import Event

from abcx.errors import DataError
from abcx.files import compression
from abcx.files.paths import DataFile
from abcx.problems import Problem, Span

_LONGEST = 16
"""Maximum consecutive chunks (1 MB each) without a line end; a longer row is refused."""


def fingerprint(file: DataFile, ended: Event | None = None) -> str:
    """SHA-256 of a file's bytes, in hexadecimal. Raises DataError for what the engine does not check: wrong checksums
    in packed files, decompression bombs, and rows longer than its buffers, which it would drop silently. Stops early
    once `ended` is set."""
    digest = hashlib.sha256()
    text = _until(ended, compression.chunks(file.shown, file.path, file.compression))
    if file.compression == "none" and file.path.samefile(file.original):
        for chunk in _in_lines(file, text):
            digest.update(chunk)
        return digest.hexdigest()
    for _ in _in_lines(file, text):
        pass
    for chunk in _until(ended, compression.chunks(file.shown, file.original, "none")):
        digest.update(chunk)
    return digest.hexdigest()


def _until(ended: Event | None, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks until `ended` is set."""
    return takewhile(lambda _: ended is None or not ended.is_set(), chunks)


def _in_lines(file: DataFile, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks of a text. Raises DataError for a row of more than 16 chunks."""
    pieces_without_end, is_text = 0, file.format != "parquet"
    for number, chunk in enumerate(chunks):
        pieces_without_end = 0 if b"\n" in chunk or b"\r" in chunk else pieces_without_end + 1
        if is_text and pieces_without_end > _LONGEST:
            before = islice(compression.chunks(file.shown, file.path, file.compression), number)
            line = 1 + sum(chunk.count(b"\n") or chunk.count(b"\r") for chunk in before)
            cure = "is a quote left open, or is it a table at all?"
            raise DataError(
                Problem("error", "line-too-long", "a line is longer than 2 MB", Span(file.shown, line), cure)
            )
        yield chunk


def line_at(file: DataFile, position: int) -> int:
    """The line, counted from 1, of a byte position (from 1) of the text that the engine reads."""
    return lines_at(file, [position])[0]


def next_quote(file: DataFile, position: int) -> int:
    """The line of the first quotation mark at or after a byte position of the text."""
    line, start = 1, 0
    for chunk in compression.chunks(file.shown, file.path, file.compression):
        at = chunk.find(b'"', max(0, position - start))
        piece = chunk if at < 0 else chunk[:at]
        line, start = line + (piece.count(b"\n") or piece.count(b"\r")), start + len(chunk)
        if at >= 0:
            break
    return line


def lines_at(file: DataFile, positions: list[int]) -> list[int]:
    """As `line_at`, for several positions in ascending order, in one pass."""
    lines: list[int] = []
    line, start = 1, 0
    for chunk in compression.chunks(file.shown, file.path, file.compression):
        at = 0
        while len(lines) < len(positions) and positions[len(lines)] <= start + len(chunk):
            end = positions[len(lines)] - start
            piece = chunk[at:end]
            line, at = line + (piece.count(b"\n") or piece.count(b"\r")), max(at, end)
            lines.append(line)
        if len(lines) == len(positions):
            break
        piece = chunk[at:]
        line, start = line + (piece.count(b"\n") or piece.count(b"\r")), start + len(chunk)
    return lines + [line] * (len(positions) - len(lines))


def filled_lines(file: DataFile, numbers: list[int]) -> list[tuple[int, str]]:
    """(line of the file from 1, text) of the nonempty lines whose numbers among these (from 1, ascending) are given."""
    lines: list[tuple[int, str]] = []
    filled = 0
    for line, text in enumerate(_texts(file), 1):
        if len(lines) == len(numbers):
            break
        filled += bool(text.strip())
        if text.strip() and filled == numbers[len(lines)]:
            lines.append((line, text.decode("utf-8", "replace").strip("\r\n")))
    return lines


def _texts(file: DataFile) -> Iterator[bytes]:
    """The lines of a file, one by one."""
    unfinished = b""
    for chunk in compression.chunks(file.shown, file.path, file.compression):
        *whole, unfinished = (unfinished + chunk).split(b"\n")
        yield from whole
    yield unfinished
