"""The text of a file piece by piece: its checksum, lines that are too long, and the line on which a byte stands."""

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
"""Pieces of a text (1 MB each) without a line end, beyond which a row is refused here."""


def fingerprint(file: DataFile, ended: Event | None = None) -> str:
    """SHA-256 of a file's bytes, in hexadecimal. What the engine does not check is checked on the way: the checksums in
    packed files, bombs, and rows that are longer than its buffers (it would drop them without a word). Once `ended` is
    set nobody waits for it any more."""
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
    """The pieces before `ended` is set."""
    return takewhile(lambda _: ended is None or not ended.is_set(), chunks)


def _in_lines(file: DataFile, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces of a text; a row of many pieces is refused."""
    without, is_text = 0, file.format != "parquet"
    for number, chunk in enumerate(chunks):
        without = 0 if b"\n" in chunk or b"\r" in chunk else without + 1
        if is_text and without > _LONGEST:
            before = islice(compression.chunks(file.shown, file.path, file.compression), number)
            line = 1 + sum(chunk.count(b"\n") or chunk.count(b"\r") for chunk in before)
            cure = "is a quote left open, or is it a table at all?"
            raise DataError(
                Problem("error", "line-too-long", "a line is longer than 2 MB", Span(file.shown, line), cure)
            )
        yield chunk


def line_at(file: DataFile, position: int) -> int:
    """The line, counted from 1, of a byte of the text that the engine reads."""
    return lines_at(file, [position])[0]


def next_quote(file: DataFile, position: int) -> int:
    """The line of the first quotation mark at a byte of the text or behind it."""
    line, start = 1, 0
    for chunk in compression.chunks(file.shown, file.path, file.compression):
        at = chunk.find(b'"', max(0, position - start))
        piece = chunk if at < 0 else chunk[:at]
        line, start = line + (piece.count(b"\n") or piece.count(b"\r")), start + len(chunk)
        if at >= 0:
            break
    return line


def lines_at(file: DataFile, positions: list[int]) -> list[int]:
    """As `line_at`, for several bytes in order, in one pass."""
    found: list[int] = []
    line, start = 1, 0
    for chunk in compression.chunks(file.shown, file.path, file.compression):
        at = 0
        while len(found) < len(positions) and positions[len(found)] <= start + len(chunk):
            end = positions[len(found)] - start
            piece = chunk[at:end]
            line, at = line + (piece.count(b"\n") or piece.count(b"\r")), max(at, end)
            found.append(line)
        if len(found) == len(positions):
            break
        piece = chunk[at:]
        line, start = line + (piece.count(b"\n") or piece.count(b"\r")), start + len(chunk)
    return found + [line] * (len(positions) - len(found))


def filled_lines(file: DataFile, numbers: list[int]) -> list[tuple[int, str]]:
    """Of the lines with text those of `numbers`, in order: which line of the file it is (from 1), and the text."""
    found: list[tuple[int, str]] = []
    filled = 0
    for line, text in enumerate(_texts(file), 1):
        if len(found) == len(numbers):
            break
        filled += bool(text.strip())
        if text.strip() and filled == numbers[len(found)]:
            found.append((line, text.decode("utf-8", "replace").strip("\r\n")))
    return found


def _texts(file: DataFile) -> Iterator[bytes]:
    """The lines of a file, one by one."""
    rest = b""
    for chunk in compression.chunks(file.shown, file.path, file.compression):
        *whole, rest = (rest + chunk).split(b"\n")
        yield from whole
    yield rest
