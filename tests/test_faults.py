"""Every write, rename, temporary folder and statement of the engine fails in turn: the old file or the whole new one,
a message that says what and how to get on, exit code 2, and nothing left behind."""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from abcx.__main__ import main
from abcx.engines.local import Engine
from tests.laws.runs import write
from tests.laws.worlds import OF_EVENTS, SHAPES

pytestmark = pytest.mark.slow

OLD = "what stood there before\n"


class Fault:
    """Lets the n-th call (from 0) of a function raise; `calls` counts them."""

    def __init__(
        self,
        patch: pytest.MonkeyPatch,
        home: Any,
        name: str,
        error: BaseException,
        *,
        only: Callable[..., bool],
        at: int,
    ) -> None:
        self.calls, original = 0, getattr(home, name)

        def call(*args: Any, **keys: Any) -> Any:
            if only(*args, **keys):
                self.calls += 1
                if self.calls == at + 1:
                    raise error
            return original(*args, **keys)

        patch.setattr(home, name, call)


def always(*args: Any, **keys: Any) -> bool:
    return True


def for_writing(file: Any, mode: str = "r", *args: Any, **keys: Any) -> bool:
    return any(letter in mode for letter in "wxa+") and not isinstance(file, int)


FULL = OSError(errno.ENOSPC, "No space left on device")
DENIED = PermissionError(errno.EACCES, "Permission denied")
POINTS: dict[str, tuple[Any, str, BaseException, Callable[..., bool]]] = {
    "opening for writing": (builtins, "open", FULL, for_writing),
    "renaming": (os, "replace", DENIED, always),
    "renaming a folder": (os, "rename", FULL, always),
    "a temporary folder": (tempfile, "mkdtemp", FULL, always),
    "a full disk in the engine": (
        Engine,
        "_in_worker",
        duckdb.IOException("IO Error: No space left on device"),
        always,
    ),
    "no memory in the engine": (
        Engine,
        "_in_worker",
        duckdb.OutOfMemoryException("Out of Memory Error: failed"),
        always,
    ),
    "no memory": (Engine, "_in_worker", MemoryError(), always),
}
COMMANDS = {
    "analyze": ["analyze", "s.yaml", "-o", "out.md", "--quiet"],
    "report": ["report", "s.yaml", "-o", "out.md", "--quiet", "--rejects", "rejects.csv"],
    "pack": ["pack", "s.yaml", "-o", "packed", "--quiet"],
    "init": ["init", "x.csv", "-o", "new.yaml"],
    "schema": ["schema", "-o", "schema.json"],
    "sql": ["sql", "s.yaml", "-o", "out.sql"],
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    import random

    world = SHAPES["exposures and events"](random.Random(3), 24)
    world.spec["metrics"] = {name: OF_EVENTS[name] for name in ("orders",)}
    write(tmp_path / "work", world)
    monkeypatch.chdir(tmp_path / "work")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    yield tmp_path


def before(folder: Path) -> dict[str, bytes]:
    """The work folder as it was, with old outputs that may be replaced."""
    for name in ("out.md", "out.sql"):
        Path(name).write_text(OLD)
    return {path.name: path.read_bytes() for path in Path().iterdir() if path.is_file()}


def run(arguments: list[str]) -> tuple[int, str]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    return code, err.getvalue()


def clear(stood: dict[str, bytes]) -> None:
    """Put the work folder back to what stood there."""
    for made in list(Path().rglob("*")):
        if made.is_file() and str(made) not in stood:
            made.unlink()
    for folder in [path for path in Path().iterdir() if path.is_dir()]:
        folder.rmdir()
    for kept, content in stood.items():
        Path(kept).write_bytes(content)


CASES = [
    (command, point)
    for command in COMMANDS
    for point in POINTS
    if POINTS[point][0] is not Engine or command in ("analyze", "pack")  # the others ask the engine for the same
]


@pytest.mark.parametrize(("command", "point"), CASES)
def test_each_call_that_fails_in_turn(folder: Path, monkeypatch: pytest.MonkeyPatch, command: str, point: str) -> None:
    """Of the statements of the engine every third fails: there are a hundred."""
    arguments, (home, name, error, only) = COMMANDS[command], POINTS[point]
    stood = before(folder)
    assert run(arguments)[0] in (0, 1)
    whole = {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    at = 0
    while True:
        clear(stood)
        with monkeypatch.context() as patch:
            fault = Fault(patch, home, name, error, only=only, at=at)
            code, said = run(arguments)
        found = {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}
        assert not list((folder / "tmp").iterdir()), "a temporary folder is left"
        assert not [path for path in found if path.startswith(".abcx-")], "a draft is left"
        if code in (0, 1):  # not reached, or there was another way
            assert found == whole
        else:
            assert code == 2 and "error[" in said and "Traceback" not in said and "[bug]" not in said, said
            assert all(content in (stood.get(path), whole.get(path)) for path, content in found.items())
            assert stood.keys() <= found.keys()
        if fault.calls <= at:
            break
        at += 3 if home is Engine else 1


def test_the_world_of_faults_is_one_that_works(folder: Path) -> None:
    assert run(["analyze", "s.yaml", "--format", "json", "--quiet"])[0] == 0
    assert json.loads(Path("s.yaml").read_text())["metrics"]
