"""Which files: paths and globs resolved, contents recognised by their first bytes, standard input kept, SHA-256."""

from __future__ import annotations

import difflib
import glob
import gzip
import hashlib
import shutil
import sys
import tempfile
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
            files += [
                _data_file(shown, path, ref.arm, options, scratch) for shown, path in _paths(ref.path, base, scratch)
            ]
        except DataError as error:
            problems += error.problems
        except (OSError, ValueError, RuntimeError) as error:  # a name too long, with a NUL, of an unknown home
            reason = error.strerror if isinstance(error, OSError) else str(error)
            problem = _problem(ref.path[:200], "data-not-found", f"not a path: {reason}", "check the name of the file")
            problems += problem.problems
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
        pattern = str(Path(written).expanduser())
        found = [name for name in sorted(glob.glob(pattern, root_dir=base, recursive=True)) if (base / name).is_file()]
        if found:
            return [(name, base / name) for name in found]
        raise _problem(written, "data-not-found", f"no file matches {written}", f"looked in {base or '.'}")
    suffixes = (".csv", ".gz", ".zst", ".parquet", ".pq", ".tsv", ".txt", ".jsonl", ".ndjson")
    there = sorted(near.name for near in path.parent.glob("*") if near.is_file() and near.suffix in suffixes)
    close = difflib.get_close_matches(path.name, there, 1, 0.6)
    help = f"did you mean {close[0]}? " if close else ""
    help += (
        f"In that folder: {', '.join(there[:5])}"
        if there
        else "a path in a spec starts at the spec's folder, one on the command line at the current folder"
    )
    raise _problem(written, "data-not-found", f"there is no file {written}", help)


def _data_file(shown: str, path: Path, arm: str | None, options: FileOptions, scratch: Path) -> DataFile:
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
    return DataFile(shown, _plainly_named(path, scratch), format, compression, arm)


def _plainly_named(path: Path, scratch: Path) -> Path:
    """The path, or a link to it where the engine would read its name as a glob or not at all."""
    name = str(path)
    if not glob.has_magic(name) and name.isprintable():
        return path
    link = Path(tempfile.mkdtemp(dir=scratch)) / "data"
    try:
        link.symlink_to(path.resolve())
    except OSError:
        shutil.copyfile(path, link)
    return link


def _unpacked(shown: str, path: Path) -> bytes:
    try:
        with gzip.open(path) as handle:
            head = handle.read(4096)
    except (OSError, EOFError, zlib.error):
        raise _broken_gzip(shown) from None
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
    if head.startswith(b"\xfe\xff"):
        raise _problem(shown, "encoding", f"{shown} is big-endian UTF-16 text", "save it as UTF-8")
    if head.startswith(b"\xff\xfe") and encoding != "utf-16":
        raise _problem(shown, "encoding", f"{shown} is UTF-16 text", "write encoding: utf-16")
    if encoding == "utf-16" and b"\0" not in head:
        raise _problem(shown, "encoding", f"{shown} is not UTF-16 text", "remove encoding: utf-16")
    if b"\0" in head and encoding != "utf-16":
        raise _problem(shown, "not-text", f"{shown} is a binary file, not a table", "export the data as CSV or Parquet")


def _standard_input(scratch: Path) -> Path:
    """Standard input kept in a file, so that it can be recognised, hashed and read like any other."""
    path = scratch / "standard-input.csv"
    if not path.exists():
        with path.open("wb") as handle:
            shutil.copyfileobj(sys.stdin.buffer, handle)
    return path


def fingerprint(file: DataFile) -> str:
    """SHA-256 of a file's bytes, in hexadecimal. The checksum in a gzip file is verified too: the engine does not."""
    with file.path.open("rb") as handle:
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
        if file.compression == "gzip":
            handle.seek(0)
            try:
                with gzip.open(handle) as unpacked:
                    while unpacked.read(1 << 20):
                        pass
            except (OSError, EOFError, zlib.error):
                raise _broken_gzip(file.shown) from None
    return digest


def line_at(file: DataFile, position: int) -> int:
    """The line, counted from 1, of a byte of the text inside a file."""
    lines = 1
    with gzip.open(file.path) if file.compression == "gzip" else file.path.open("rb") as handle:
        while position > 0 and (chunk := handle.read(min(position, 1 << 20))):
            position -= len(chunk)
            lines += chunk.count(b"\n") or chunk.count(b"\r")
    return lines


def _broken_gzip(shown: str) -> DataError:
    return _problem(
        shown, "gzip-broken", f"{shown} is a broken gzip file", "was the download cut? Fetch or export it again"
    )


def _problem(shown: str, code: str, message: str, help: str) -> DataError:
    return DataError(Problem("error", code, message, Span(shown), help))
