"""Reads packed files: gzip, zstd, and zip with one member; refuses decompression bombs."""

from __future__ import annotations

import gzip
import sys
import tempfile
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, cast

from abcx.errors import DataError
from abcx.problems import Problem, Span

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

UNPACKED, RATIO = 1 << 30, 200
"""A file that unpacks to more than `UNPACKED` bytes and more than `RATIO` times its size is refused; tables shrink by a
factor of 5 to 30."""
CHUNK = 1 << 20
_BROKEN = (OSError, EOFError, zlib.error, zstd.ZstdError, zipfile.BadZipFile, NotImplementedError, ValueError)
_KINDS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip", b"PK\x05\x06": "zip"}
_OFFICE = ("[Content_Types].xml", "mimetype", "xl/", "word/", "META-INF/")


def kind(head: bytes) -> str:
    """How a file is packed, by its first bytes: gzip, zstd, zip or none."""
    return next((name for magic, name in _KINDS.items() if head.startswith(magic)), "none")


def problem(shown: str, code: str, message: str, help: str) -> DataError:
    """An error about a whole file."""
    return DataError(Problem("error", code, message, Span(shown), help))


def chunks(shown: str, path: Path, compression: str, size: int = CHUNK) -> Iterator[bytes]:
    """The unpacked bytes of a file (gzip, zstd or plain) in chunks of `size` bytes. Raises DataError for broken files
    and decompression bombs; checksums are verified."""
    packed, unpacked = path.stat().st_size, 0
    try:
        with _opened(path, compression) as handle:
            while chunk := handle.read(size):
                unpacked += len(chunk)
                refuse_bomb(shown, packed, unpacked)
                yield chunk
    except (EOFError, zlib.error, gzip.BadGzipFile, zstd.ZstdError):
        raise _broken(shown, compression) from None


def _opened(path: Path, compression: str) -> IO[bytes]:
    if compression == "none":
        return path.open("rb")
    return cast(IO[bytes], gzip.open(path) if compression == "gzip" else zstd.open(path))


def refuse_bomb(shown: str, packed: int, unpacked: int) -> None:
    """Raise DataError where a file of `packed` bytes unpacks to more than any export does."""
    if unpacked > UNPACKED and unpacked > RATIO * packed:
        size = f"more than {RATIO} times its size" if packed else "far more than its size"
        raise problem(
            shown,
            "packed-bomb",
            f"{shown} unpacks to {size}, above {UNPACKED >> 30} GB: no table packs so well",
            "if it is sound, unpack it yourself and name the unpacked file",
        )


def first_bytes(shown: str, path: Path, compression: str, head: bytes) -> bytes:
    """The first bytes of the unpacked text of a file, whose own first bytes are `head`."""
    if compression == "none":
        return head
    try:
        with _opened(path, compression) as handle:
            return handle.read(4096)
    except _BROKEN:
        raise _broken(shown, compression) from None


def broken(shown: str, path: Path, compression: str) -> Problem | None:
    """The problem with the compression of a file that the engine could not read; None where it is intact."""
    try:
        deque(() if compression == "none" else chunks(shown, path, compression), maxlen=0)
    except DataError as error:
        return error.problems[0]
    return None


def _broken(shown: str, compression: str) -> DataError:
    cure = "was the download cut? Fetch or export it again"
    return problem(shown, f"{compression}-broken", f"{shown} is a broken {compression} file", cure)


def unzip(shown: str, path: Path, scratch: Path) -> Path:
    """Unpack the only member of a zip file into `scratch`, with the suffixes of its name; returns the path."""
    try:
        with zipfile.ZipFile(path) as archive:
            member = _only_member(shown, archive)
            name = PurePosixPath(member.filename)
            target = Path(tempfile.mkdtemp(dir=scratch)) / f"member{''.join(name.suffixes[-2:])}"
            if not target.name.isprintable() or any(sign in target.name for sign in "*?[]/\\"):
                target = target.with_name("member")
            unpacked = 0
            with archive.open(member) as source, target.open("wb") as out:
                while chunk := source.read(CHUNK):
                    unpacked += len(chunk)
                    refuse_bomb(shown, max(1, path.stat().st_size), unpacked)
                    out.write(chunk)
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno:
            raise problem(shown, "unpacking", f"cannot unpack {shown}: {error.strerror}", "free disk space") from None
        raise _broken(shown, "zip") from None
    return target


def _only_member(shown: str, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    names = archive.namelist()
    if any(name.startswith(_OFFICE) for name in names):
        raise problem(
            shown, "not-text", f"{shown} is an Excel or other office file, not a text file", "save the sheet as CSV"
        )
    members = [
        info
        for info in archive.infolist()
        if not info.is_dir() and not info.filename.startswith("__MACOSX/") and info.filename[-9:] != ".DS_Store"
    ]
    if len(members) != 1:
        listing = ", ".join(repr(info.filename[:80])[1:-1] for info in members[:10]) + (
            ", ..." if len(members) > 10 else ""
        )
        what = f"holds {len(members):,} files: {listing}" if members else "holds no file"
        raise problem(
            shown, "zip-members", f"{shown} {what}", "a zip file is read if it holds one: unpack it and name the file"
        )
    if members[0].flag_bits & 0x1:
        raise problem(
            shown, "zip-encrypted", f"{shown} is encrypted", "unpack it with its password and name the unpacked file"
        )
    return members[0]
