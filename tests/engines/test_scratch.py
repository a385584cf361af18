"""Folders of killed runs are removed by the next one; those of runs that live, or may begin to, never."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("fcntl")

HOLD = "from abcx.engines.scratch import Scratch; s = Scratch(); print(s.name, flush=True); input()"
ONCE = "from abcx.engines.scratch import Scratch; s = Scratch(); s.cleanup(); s.cleanup()"


def started(place: Path) -> tuple[subprocess.Popen[str], Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD],
        env=os.environ | {"TMPDIR": str(place)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def another_run(place: Path) -> None:
    subprocess.run([sys.executable, "-c", ONCE], env=os.environ | {"TMPDIR": str(place)}, check=True)


def age(folder: Path, seconds: float) -> None:
    os.utime(folder / "running", (time.time() - seconds,) * 2)


@pytest.mark.slow
def test_the_folder_of_a_killed_run_is_removed_by_the_next(tmp_path: Path) -> None:
    process, folder = started(tmp_path)
    (folder / "spilled").write_text("much")
    (tmp_path / "kept").write_text("an input")
    (folder / "data").symlink_to(tmp_path / "kept")
    age(folder, 120)
    another_run(tmp_path)
    assert folder.is_dir()  # the run lives
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert folder.is_dir()
    another_run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_young_lock_and_folders_without_one_stay(tmp_path: Path) -> None:
    for name in ("abcx-young", "abcx-without"):
        (tmp_path / name).mkdir()
    (tmp_path / "abcx-young" / "running").touch()
    another_run(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["abcx-without", "abcx-young"]
