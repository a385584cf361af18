"""Which files: paths and globs resolved, contents recognised by their first bytes, standard input kept, SHA-256."""

from __future__ import annotations

import glob
import gzip
import hashlib
import shutil
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

from abcx.errors import DataError
from abcx.problems import Problem, Span
from abcx.spec.model import FileOptions

_NOT_TEXT = {
    b"PK\x03\x04": ("a zip or Excel file", "save the sheet as CSV, or unpack the archive"),
    b"\xd0\xcf\x11\xe0": ("an old Excel file", "save the sheet as CSV"),
    b"%PDF": ("a PDF file", "export the data as CSV"),
    b"SQLite format 3": ("an SQLite database", "export the table as CSV or Parquet"),
}


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file to read: `shown` is the path as written, `format` how it is read, `arm` the arm of all its rows."""

    shown: str
    path: Path
    format: str
    compression: str = "none"
    arm: str | None = None


def resolve(options: FileOptions, base: Path, scratch: Path) -> list[DataFile]:
    """The files that a source names, globs expanded and sorted; standard input is kept in `scratch`.

    Raises DataError for every file that is not there or is not a table.
    """
    files: list[DataFile] = []
    problems: list[Problem] = []
    for ref in options.file:
        try:
            files += [_data_file(shown, path, ref.arm, options) for shown, path in _paths(ref.path, base, scratch)]
        except DataError as error:
            problems += error.problems
    if problems:
        raise DataError(problems)
    return files


def _paths(written: str, base: Path, scratch: Path) -> list[tuple[str, Path]]:
    if written == "-":
        return [("standard input", _standard_input(scratch))]
    path = base / Path(written).expanduser()
    if path.is_dir():
        raise _problem(
            written, "data-is-folder", f"{written} is a folder", "name a file, or a glob such as events/*.csv"
        )
    if path.exists():
        return [(written, path)]
    if glob.has_magic(written):
        found = sorted(glob.glob(str(path), recursive=True))
        if found:
            return [
                (str(Path(name).relative_to(base)) if Path(name).is_relative_to(base) else name, Path(name))
                for name in found
            ]
        raise _problem(written, "data-not-found", f"no file matches {written}", f"looked in {base or '.'}")
    near = sorted(
        p.name for p in path.parent.glob("*") if p.is_file() and p.suffix in (".csv", ".gz", ".parquet", ".tsv")
    )[:5]
    help = f"in that folder: {', '.join(near)}" if near else "paths are relative to the spec"
    raise _problem(written, "data-not-found", f"there is no file {written}", help)


def _data_file(shown: str, path: Path, arm: str | None, options: FileOptions) -> DataFile:
    try:
        with path.open("rb") as handle:
            head = handle.read(4096)
    except OSError as error:
        raise _problem(
            shown, "data-unreadable", f"cannot read {shown}: {error.strerror}", "check the file's permissions"
        ) from None
    if not head:
        raise _problem(shown, "data-empty", f"{shown} is empty", "export it again")
    compression = "gzip" if head.startswith(b"\x1f\x8b") else "zstd" if head.startswith(b"\x28\xb5\x2f\xfd") else "none"
    format = options.format or ("parquet" if head.startswith(b"PAR1") else _format_of(path))
    if format == "parquet" and not head.startswith(b"PAR1"):
        raise _problem(shown, "not-parquet", f"{shown} is not a Parquet file", "name its format: format: csv")
    if format != "parquet" and compression != "zstd":
        _refuse_binary(shown, _unpacked(shown, path) if compression == "gzip" else head, options.encoding)
    return DataFile(shown, path, format, compression, arm)


def _unpacked(shown: str, path: Path) -> bytes:
    try:
        with gzip.open(path) as handle:
            head = handle.read(4096)
    except (OSError, EOFError, zlib.error):
        raise _problem(
            shown, "gzip-broken", f"{shown} is a broken gzip file", "was the download cut? export it again"
        ) from None
    if not head:
        raise _problem(shown, "data-empty", f"{shown} is empty", "export it again")
    return head


def _format_of(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in (".gz", ".zst")]
    return {".parquet": "parquet", ".pq": "parquet", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}.get(
        suffixes[-1] if suffixes else "", "csv"
    )


def _refuse_binary(shown: str, head: bytes, encoding: str | None) -> None:
    for magic, (what, cure) in _NOT_TEXT.items():
        if head.startswith(magic):
            raise _problem(shown, "not-text", f"{shown} is {what}, not a text file", cure)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise _problem(
            shown,
            "not-text",
            f"{shown} is a web page, not a table",
            "the export may have failed: open it in a browser to see",
        )
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) and encoding != "utf-16":
        raise _problem(shown, "encoding", f"{shown} is UTF-16 text", "write encoding: utf-16")
    if b"\0" in head and encoding != "utf-16":
        raise _problem(shown, "not-text", f"{shown} is a binary file, not a table", "export the data as CSV or Parquet")


def _standard_input(scratch: Path) -> Path:
    """Standard input kept in a file, so that it can be recognised, hashed and read like any other."""
    path = scratch / "standard-input.csv"
    if not path.exists():
        with path.open("wb") as handle:
            shutil.copyfileobj(sys.stdin.buffer, handle)
    return path


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _problem(shown: str, code: str, message: str, help: str) -> DataError:
    return DataError(Problem("error", code, message, Span(shown), help))
