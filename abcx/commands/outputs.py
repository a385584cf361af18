"""Where results go: standard output, or a file that is written whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from abcx.errors import UsageError

STREAMS = {"-": "stdout", "/dev/stdout": "stdout", "/dev/stderr": "stderr"}


def write(text: str | bytes, output: str | None) -> None:
    """Write `text` (or the bytes of a picture) to the file `output`, or to standard output where it is None or `-`.

    A regular file is replaced in one step: whoever reads it sees the old text or the new one, and a run that is
    killed or fails leaves the old file as it was. Pipes and devices are written directly.
    """
    if output is None or output in STREAMS:
        if isinstance(text, bytes):
            raise UsageError("a picture is written to a file", "write -o card.png", code="output")
        _print(text, getattr(sys, STREAMS.get(output or "-", "stdout")))
        return
    if not output:
        raise UsageError("the output has no name", "write -o lift.md")
    try:
        target = Path(os.path.realpath(output))
        _check(target, output)
        if _is_special(target):
            target.write_bytes(_encoded(text))
        else:
            _replace(target, text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise UsageError(f"cannot write {output}: {reason or error}", code="output") from error


def refuse_inputs(target: str | Path | None, read: Iterable[Path], what: str, cure: str) -> None:
    """Raise UsageError where `what` would be written over a file that is read: the same file, however it is spelled or
    linked."""
    if target is None or str(target) in STREAMS or not Path(target).exists():
        return
    for path in read:
        if path.exists() and path.samefile(target):
            raise UsageError(f"{what} would be written over {path}", cure)


@contextmanager
def drafted(folder: Path) -> Iterator[Path]:
    """A hidden folder on the disk of `folder` for files that are being written; what is left in it is removed."""
    place = folder if folder.is_dir() else folder.absolute().parent
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file", "name a folder: -o packed", code="output")
    if not place.is_dir():
        raise UsageError(f"there is no folder {folder.parent}", "create it first", code="output")
    try:
        draft = Path(tempfile.mkdtemp(prefix=".abcx-", suffix=".tmp", dir=place.absolute()))
    except OSError as error:
        raise UsageError(f"cannot write to {place}: {error.strerror}", "choose another folder", "output") from None
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def put(draft: Path, folder: Path, names: Sequence[str]) -> None:
    """Move the files of a draft into a folder: all at once where there is no such folder yet, else one by one in this
    order, each in one step."""
    try:
        if folder.is_dir():
            for name in names:
                os.replace(draft / name, folder / name)
        else:
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(draft, 0o777 & ~mask)
            os.rename(draft, folder)
    except OSError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror}", code="output") from error


def _print(text: str, stream: TextIO | None) -> None:
    """Write to a stream. A reader that has had enough (`| head`) is no error."""
    if stream is None:
        raise UsageError("standard output is closed", "write to a file: -o FILE", code="output")
    try:
        stream.write(text if text.endswith("\n") or not text else text + "\n")
        stream.flush()
    except BrokenPipeError:
        silence(stream)
    except OSError as error:
        silence(stream)
        raise UsageError(f"cannot write the result: {error.strerror or error}", code="output") from error


def on_screen(stream: TextIO | None) -> bool:
    """Whether a stream shows on a terminal; one that is closed (`>&-`) does not."""
    return stream is not None and stream.isatty()


def silence(stream: TextIO) -> None:
    """Send the rest of a stream nowhere, so that the interpreter does not trip over it on its way out."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    except (OSError, ValueError):
        pass
    finally:
        os.close(nowhere)


def _check(target: Path, output: str) -> None:
    folder = target.parent
    if target.is_dir():
        raise UsageError(f"{output} is a folder", f"name the file: {Path(output) / 'lift.md'}", code="output")
    if not folder.is_dir():
        raise UsageError(f"there is no folder {Path(output).parent}", "create it first", code="output")
    if not os.access(folder, os.W_OK) or (target.exists() and not os.access(target, os.W_OK)):
        raise UsageError(f"{output} is not writable", "choose another place for -o", code="output")


def _is_special(target: Path) -> bool:
    return target.exists() and not stat.S_ISREG(target.stat().st_mode)


def _encoded(text: str | bytes) -> bytes:
    return text.encode("utf-8", errors="replace") if isinstance(text, str) else text


def _replace(target: Path, text: str | bytes) -> None:
    """Write beside the target under a hidden name, then rename."""
    draft = target.parent / f".abcx-{secrets.token_hex(4)}.tmp"
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else None
    try:
        with open(draft, "xb") as file:
            file.write(_encoded(text))
        if mode is not None:
            os.chmod(draft, mode)
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
