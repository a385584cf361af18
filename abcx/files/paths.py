"""Resolves paths and globs to files, recognizes their contents by the first bytes, and saves standard input.

What the engine cannot read directly (zip members, text that is not UTF-8) is rewritten into a scratch folder.
"""

from __future__ import annotations

import difflib
import glob
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from abcx import formatting
from abcx.errors import FULL, DataError, EmptyFile
from abcx.files import compression, encodings
from abcx.files.compression import problem
from abcx.notes import Note
from abcx.problems import Problem, Span
from abcx.spec.model import FileOptions, GivenFile

_NOT_TEXT = {
    b"\xd0\xcf\x11\xe0": ("an old Excel file", "save the sheet as CSV"),
    b"%PDF": ("a PDF file", "export the data as CSV"),
    b"SQLite format 3": ("an SQLite database", "export the table as CSV or Parquet"),
}

_LOGS = {"_delta_log": "a Delta", "metadata/*.metadata.json": "an Iceberg", ".hoodie": "a Hudi"}
"""Files and folders by which tables are recognized whose log says which of their data files are valid."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file to read: `shown` is the path as written, `format` its format, `arm` the arm of all its rows.

    `path` and `compression` are what the engine reads: `original` itself, or its text in the scratch folder. `told` are
    the columns from folder names in Hive's layout (country=de), with their values.
    """

    shown: str
    path: Path
    format: str
    original: Path
    compression: str = "none"
    arm: str | None = None
    notes: tuple[Note, ...] = ()
    told: tuple[tuple[str, str], ...] = ()


def resolve(options: FileOptions, base: Path, scratch: Path) -> list[DataFile]:
    """The files that a source names, globs expanded and sorted; standard input is saved in `scratch`.

    Raises DataError with the problems of all files that do not exist or are not tables.
    """
    files: list[DataFile] = []
    problems: list[Problem] = []
    for ref in options.file:
        try:
            named = _paths(ref.path, base, scratch, None if isinstance(ref, GivenFile) else base)
            data_files: list[DataFile] = []
            empty: dict[str, EmptyFile] = {}
            for shown, path in named:
                try:
                    file = _data_file(shown, path, ref.arm, options, scratch)
                    data_files.append(replace(file, told=_partition_columns(ref.path, shown)))
                except EmptyFile as error:
                    if len(named) == 1:
                        raise
                    empty[shown] = error
            if not data_files:
                raise next(iter(empty.values()))
            if empty:  # such as a day without events
                note = Note("empty_files", {"files": formatting.joined(list(empty)[:5]), "count": len(empty)})
                data_files[-1] = replace(data_files[-1], notes=(*data_files[-1].notes, note))
            files += data_files
        except DataError as error:
            problems += error.problems
        except (OSError, ValueError, RuntimeError) as error:  # too long, with a NUL, or of an unknown home
            if isinstance(error, OSError) and error.errno in FULL:
                raise  # the scratch folder is full: the name is not at fault
            reason = error.strerror if isinstance(error, OSError) else str(error)
            unnamed = problem(ref.path[:200], "data-not-found", f"not a path: {reason}", "check the name of the file")
            problems += unnamed.problems
    if problems:
        raise DataError(problems)
    return files


def _paths(written: str, base: Path, scratch: Path, inside: Path | None) -> list[tuple[str, Path]]:
    """The files that a path or glob names: (as shown, path). Raises DataError where there is none, or where one is not
    below the folder `inside`, if that is given."""
    if written == "-":
        return [("standard input", _standard_input(scratch))]
    path = base / Path(written).expanduser()
    if inside is not None and not glob.has_magic(written):
        _refuse_outside(written, path, inside)
    if path.is_dir():
        return _partitions(written, path, inside)
    if path.exists():
        if inside is not None:
            _refuse_outside(written, path, inside)
        return [(written, path)]
    if glob.has_magic(written):
        pattern = str(Path(written).expanduser())
        if inside is not None and (Path(pattern).is_absolute() or ".." in Path(pattern).parts):
            _refuse_outside(written, base / pattern, inside, known=True)
        names = [name for name in sorted(glob.glob(pattern, root_dir=base, recursive=True)) if (base / name).is_file()]
        for name in names if inside is not None else ():
            _refuse_outside(name, base / name, inside or base)
        for folder in {folder for name in names for folder in Path(name).parents}:
            _refuse_log(written, base / folder)
        if names:
            return [(name, base / name) for name in names]
        raise problem(written, "data-not-found", f"no file matches {written}", f"looked in {base or '.'}")
    suffixes = (".csv", ".gz", ".zst", ".parquet", ".pq", ".tsv", ".txt", ".jsonl", ".ndjson")
    candidates = sorted(
        neighbor.name for neighbor in path.parent.glob("*") if neighbor.is_file() and neighbor.suffix in suffixes
    )
    similar = difflib.get_close_matches(path.name, candidates, 1, 0.6)
    help = f"did you mean {similar[0]}? " if similar else ""
    help += (
        f"In that folder: {', '.join(candidates[:5])}"
        if candidates
        else "a path in a spec starts at the spec's folder, one on the command line at the current folder"
    )
    raise problem(written, "data-not-found", f"there is no file {written}", help)


def _partitions(written: str, folder: Path, inside: Path | None) -> list[tuple[str, Path]]:
    """The Parquet files of a partitioned folder. As in Spark, names that begin with . or _ are not data."""
    parquet_files = sorted(
        path
        for suffix in ("parquet", "pq")
        for path in folder.rglob(f"*.{suffix}")
        if path.is_file() and not any(part[0] in "._" for part in path.relative_to(folder).parts)
    )
    if not parquet_files:
        cure = "name a file, or a glob such as events/*.csv; a folder is read where it holds Parquet files"
        raise problem(written, "data-is-folder", f"{written} is a folder without Parquet files", cure)
    named = [(str(Path(written) / path.relative_to(folder)), path) for path in parquet_files]
    for name, path in named if inside is not None else ():
        _refuse_outside(name, path, inside or folder)
    _refuse_log(written, folder)
    return named


def _refuse_log(written: str, folder: Path) -> None:
    """Raise DataError for the folder of a table that keeps a log: its deleted files would be read."""
    for sign, kind in _LOGS.items():
        if any(folder.glob(sign)):
            cure = "write a plain copy of the table as Parquet, with the tool that keeps it, and name that"
            message = f"{written} is {kind} table: reading its files directly would include deleted rows"
            raise problem(written, "data-has-log", message, cure)


def _partition_columns(written: str, shown: str) -> tuple[tuple[str, str], ...]:
    """The columns from folder names (key=value) between a path as written and a file. Folders of an absolute path
    itself do not count."""
    parts = Path(written).expanduser().parts if Path(written).expanduser().is_absolute() else ()
    fixed = next((number for number, part in enumerate(parts) if glob.has_magic(part)), len(parts))
    pairs = (part.partition("=") for part in Path(shown).parts[fixed:-1])
    return tuple((unquote(name), unquote(value)) for name, sign, value in pairs if sign and name)


def refuse_outside(written: str, inside: Path) -> None:
    """Raise DataError for a path, a glob or an address that leads out of the folder `inside`, links followed."""
    parts = Path(written).expanduser().parts
    known = "://" in written or (glob.has_magic(written) and (Path(written).is_absolute() or ".." in parts))
    _refuse_outside(written, inside / Path(written).expanduser(), inside, known)
    for name in glob.glob(written, root_dir=inside, recursive=True):
        _refuse_outside(name, inside / name, inside)


def _refuse_outside(written: str, path: Path, inside: Path, known: bool = False) -> None:
    """Raise DataError for a path outside the folder `inside`, links followed, or one `known` to be outside. A spec may
    come from anybody, so the message does not say whether the file exists."""
    folder = Path(os.path.realpath(inside or "."))
    if known or not Path(os.path.realpath(path)).is_relative_to(folder):
        raise problem(
            written,
            "data-outside",
            f"{written} is not below the spec's folder",
            "if you trust the spec, allow it: --allow-outside; or name the file yourself: --exposures FILE, "
            "--events FILE, --units FILE",
        )


def _data_file(shown: str, path: Path, arm: str | None, options: FileOptions, scratch: Path) -> DataFile:
    head = _head(shown, path)
    original, packing = path, compression.kind(head)
    if packing == "zip":
        path = compression.unzip(shown, path, scratch)
        head = _head(shown, path)
        packing = compression.kind(head)
        if packing != "none":
            raise problem(shown, "zip-members", f"{shown} holds a packed file", "unpack it and name the file")
    format = options.format or ("parquet" if head.startswith(b"PAR1") else _format_of(path))
    if format == "parquet" and not head.startswith(b"PAR1"):
        raise problem(shown, "not-parquet", f"{shown} is not a Parquet file", "name its format: format: csv")
    notes: tuple[Note, ...] = ()
    if format != "parquet":
        head = compression.first_bytes(shown, path, packing, head)
        if not head:
            raise EmptyFile(Problem("error", "data-empty", f"{shown} is empty", Span(shown), "export it again"))
        encoding, note = encodings.by_mark(shown, head, options.encoding)
        notes = (note,) if note else ()
        wide = (encoding or "").startswith("utf-16")
        plain = head.replace(b"\0", b"").lstrip(b"\xff\xfe") if wide else head
        _refuse_binary(shown, plain)
        if format == "csv" and options.format is None and _is_json(shown, plain):
            format, notes = "jsonl", (*notes, Note("json_lines", {"file": shown}))
        if not encodings.is_plain(encoding):
            path = encodings.rewrite(shown, path, packing, encoding, scratch)
            packing = "none"
    return DataFile(shown, _plainly_named(path, scratch), format, original, packing, arm, notes)


def _head(shown: str, path: Path) -> bytes:
    if path.exists() and not path.is_file():  # a pipe may block, and can be read only once
        cure = "write it to a file first, or hand it to standard input: --events -"
        raise problem(shown, "data-unreadable", f"{shown} is no file but a pipe or a device", cure)
    try:
        with path.open("rb") as handle:
            head = handle.read(4096)
    except OSError as error:
        raise problem(
            shown, "data-unreadable", f"cannot read {shown}: {error.strerror}", "check the file's permissions"
        ) from None
    if not head:
        raise EmptyFile(Problem("error", "data-empty", f"{shown} is empty", Span(shown), "export it again"))
    return head


def with_line_ends(file: DataFile, scratch: Path) -> DataFile:
    """The file rewritten with one kind of line end, which the engine requires, and a note."""
    path = encodings.rewrite(file.shown, file.path, file.compression, None, scratch, ends=True)
    note = Note("line_ends", {"file": file.shown})
    return replace(file, path=path, compression="none", notes=(*file.notes, note))


def _plainly_named(path: Path, scratch: Path) -> Path:
    """The path, or a link to it (else a copy) where the engine would read its name as a glob or not at all."""
    name = str(path)
    if not glob.has_magic(name) and name.isprintable():
        return path
    link = Path(tempfile.mkdtemp(dir=scratch)) / "data"
    try:
        link.symlink_to(path.resolve())
    except OSError:
        shutil.copyfile(path, link)
    return link


def _format_of(path: Path) -> str:
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in (".gz", ".zst", ".zip")]
    return {".parquet": "parquet", ".pq": "parquet", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}.get(
        suffixes[-1] if suffixes else "", "csv"
    )


def _refuse_binary(shown: str, head: bytes) -> None:
    for magic, (what, cure) in _NOT_TEXT.items():
        if head.startswith(magic):
            raise problem(shown, "not-text", f"{shown} is {what}, not a text file", cure)
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        raise problem(
            shown,
            "not-text",
            f"{shown} is a web page, not a table",
            "the export may have failed: open it in a browser to see",
        )
    if b"\0" in head:
        raise problem(shown, "not-text", f"{shown} is a binary file, not a table", "export the data as CSV or Parquet")


def _is_json(shown: str, head: bytes) -> bool:
    """Whether a text holds JSON lines, by its first bytes. Raises DataError for a JSON document of another kind."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if re.match(rb"\[\s*\{\s*\"", start) or re.match(rb"\{\s*\n\s*\"", start):
        what = "jq -c '.[]' FILE unpacks an array" if start.startswith(b"[") else "jq -c . FILE"
        cure = f"write one object on every line (JSON lines): {what}"
        raise problem(shown, "not-text", f"{shown} is a JSON document, not JSON lines", cure)
    return re.match(rb"\{\s*\"[^\n]*?\"\s*:", start) is not None


def _standard_input(scratch: Path) -> Path:
    """Standard input saved in a file, so that it can be recognized, hashed and read like any other."""
    path = scratch / "standard-input.csv"
    if not path.exists():
        with path.open("wb") as handle:
            shutil.copyfileobj(sys.stdin.buffer, handle)
    return path
