"""A file is written whole or not at all; pipes and devices are written directly."""

import io
import os
import stat
import sys
import threading
from pathlib import Path

import pytest

from abcx.commands import outputs
from abcx.errors import UsageError


def test_written_and_replaced(tmp_path: Path) -> None:
    target = tmp_path / "lift.md"
    outputs.write("first\n", str(target))
    target.chmod(0o640)
    outputs.write("zweitens: é\n", str(target))
    assert target.read_bytes() == "zweitens: é\n".encode()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["lift.md"]


def test_a_new_file_has_the_usual_permissions(tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.touch()
    outputs.write("x", str(tmp_path / "lift.md"))
    assert (tmp_path / "lift.md").stat().st_mode == usual.stat().st_mode


@pytest.mark.parametrize("failing", ["replace", "chmod"])
def test_a_failure_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str) -> None:
    target = tmp_path / "lift.md"
    target.write_text("old")

    def fail(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(UsageError, match="No space left"):
        outputs.write("new", str(target))
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["lift.md"]


def test_an_interrupt_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "lift.md"
    target.write_text("old")

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        outputs.write("new", str(target))
    assert (target.read_text(), os.listdir(tmp_path)) == ("old", ["lift.md"])


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for output, message in {
        "": "no name",
        str(tmp_path): "is a folder",
        str(tmp_path / "none" / "lift.md"): "there is no folder",
        str(tmp_path / "file" / "lift.md"): "there is no folder",
        str(tmp_path / ("x" * 300)): "cannot write",
        "a\0b": "cannot write",
    }.items():
        with pytest.raises(UsageError, match=message):
            outputs.write("x", output)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_permissions_are_respected(tmp_path: Path) -> None:
    (tmp_path / "lift.md").touch()
    (tmp_path / "lift.md").chmod(0o444)
    with pytest.raises(UsageError, match="not writable"):
        outputs.write("x", str(tmp_path / "lift.md"))


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link.md").symlink_to(tmp_path / "real" / "lift.md")
    outputs.write("x", str(tmp_path / "link.md"))
    assert (tmp_path / "link.md").is_symlink()
    assert (tmp_path / "real" / "lift.md").read_text() == "x"


def test_a_pipe_is_written_directly(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    outputs.write("through\n", str(pipe))
    reader.join(10)
    assert read == ["through\n"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    for output in (None, "-", "/dev/stdout"):
        outputs.write("line", output)
    outputs.write("", None)
    assert capsys.readouterr().out == "line\nline\nline\n"


def test_a_closed_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(UsageError, match="closed"):
        outputs.write("x", None)


def test_a_full_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        with pytest.raises(UsageError, match="No space left"):
            outputs.write("x", None)
        monkeypatch.undo()


def test_a_reader_that_has_gone_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with io.TextIOWrapper(open(writing, "wb")) as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        outputs.write("x" * 100_000, None)
        monkeypatch.undo()
