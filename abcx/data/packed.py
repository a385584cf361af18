"""Packed files: gzip, zstd, and zip with one member; what unpacks to far more than it should is refused."""

from __future__ import annotations

import gzip
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from abcx.errors import DataError
from abcx.problems import Problem, Span

UNPACKED, RATIO = 1 << 30, 200
"""A file is refused that unpacks to more than `UNPACKED` bytes and more than `RATIO` times its size: tables pack 5 to
30 times."""
CHUNK = 1 << 20
_BROKEN = (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError, ValueError)
_KINDS = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd", b"PK\x03\x04": "zip", b"PK\x05\x06": "zip"}
_OFFICE = ("[Content_Types].xml", "mimetype", "xl/", "word/", "META-INF/")


def kind(head: bytes) -> str:
    """How a file is packed, by its first bytes: gzip, zstd, zip or none."""
    return next((name for magic, name in _KINDS.items() if head.startswith(magic)), "none")


def problem(shown: str, code: str, message: str, help: str) -> DataError:
    """An error about a whole file."""
    return DataError(Problem("error", code, message, Span(shown), help))


def chunks(shown: str, path: Path, compression: str, size: int = CHUNK) -> Iterator[bytes]:
    """The bytes inside a file that is packed by gzip or not at all, piece by piece, counted. The checksum in a gzip
    file is verified."""
    packed, unpacked = path.stat().st_size, 0
    try:
        with gzip.open(path) if compression == "gzip" else path.open("rb") as handle:
            while chunk := handle.read(size):
                unpacked += len(chunk)
                refuse_bomb(shown, packed, unpacked)
                yield chunk
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise broken_gzip(shown) from None


def refuse_bomb(shown: str, packed: int, unpacked: int) -> None:
    """Raise DataError where a file unpacks to more than any export does."""
    if unpacked > UNPACKED and unpacked > RATIO * packed:
        size = f"more than {RATIO} times its size" if packed else "far more than its size"
        raise problem(
            shown,
            "packed-bomb",
            f"{shown} unpacks to {size}, above {UNPACKED >> 30} GB: no table packs so well",
            "if it is sound, unpack it yourself and name the unpacked file",
        )


def first_bytes(shown: str, path: Path, compression: str, head: bytes) -> bytes:
    """The first bytes of the text inside a file; none of a zstd file, which only the engine unpacks."""
    if compression != "gzip":
        return b"" if compression == "zstd" else head
    try:
        with gzip.open(path) as handle:
            return handle.read(4096)
    except _BROKEN:
        raise broken_gzip(shown) from None


def broken_gzip(shown: str) -> DataError:
    """A gzip file that cannot be unpacked."""
    return problem(
        shown, "gzip-broken", f"{shown} is a broken gzip file", "was the download cut? Fetch or export it again"
    )


def unzip(shown: str, path: Path, scratch: Path) -> Path:
    """The only member of a zip file, unpacked into `scratch` under its own name's ending."""
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
        raise problem(
            shown, "zip-broken", f"{shown} is a broken zip file", "was the download cut? Fetch or export it again"
        ) from None
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
        told = ", ".join(repr(info.filename[:80])[1:-1] for info in members[:10]) + (
            ", ..." if len(members) > 10 else ""
        )
        what = f"holds {len(members):,} files: {told}" if members else "holds no file"
        raise problem(
            shown, "zip-members", f"{shown} {what}", "a zip file is read if it holds one: unpack it and name the file"
        )
    if members[0].flag_bits & 0x1:
        raise problem(
            shown, "zip-encrypted", f"{shown} is encrypted", "unpack it with its password and name the unpacked file"
        )
    return members[0]


def refuse_zstd_bomb(shown: str, path: Path) -> None:
    """Raise DataError for a zstd bomb: the sizes are written in its block headers, and no block unpacks to more than
    128 KB. What is no zstd file is left to the engine to refuse."""
    packed, unpacked = path.stat().st_size, 0
    with path.open("rb") as handle:
        try:
            while magic := handle.read(4):
                if magic[:1] >= b"\x50" and magic[1:] == b"\x2a\x4d\x18":  # a skippable frame
                    handle.seek(struct.unpack("<I", handle.read(4))[0], 1)
                    continue
                unpacked = _walk_frame(handle, shown, packed, unpacked)
        except (struct.error, IndexError):
            return


def _walk_frame(handle: IO[bytes], shown: str, packed: int, unpacked: int) -> int:
    """Add up the blocks of one frame (RFC 8878, 3.1.1)."""
    descriptor = handle.read(1)[0]
    single = descriptor >> 5 & 1
    size = (single, 2, 4, 8)[descriptor >> 6]
    handle.seek((1 - single) + (0, 1, 2, 4)[descriptor & 3] + size, 1)
    last = 0
    while not last:
        header = int.from_bytes(handle.read(3).ljust(3, b"\x01"), "little")
        last, block, length = header & 1, header >> 1 & 3, header >> 3
        unpacked += length if block < 2 else min(128 << 10, 128 * length)
        refuse_bomb(shown, packed, unpacked)
        handle.seek(1 if block == 1 else length, 1)
    handle.seek(4 if descriptor & 4 else 0, 1)
    return unpacked
