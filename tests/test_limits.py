"""Limits of memory and disk end in a message with its cure: exit code 2, no traceback, nothing half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
METRIC = {
    "event": "purchase",
    "role": "primary",
    "goal": "increase",
    "type": "mean",
    "value": "amount",
    "minimum_effect": 1,
}
LIMITED = (
    "import resource, sys\n"
    "size = int(sys.argv.pop(1))\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))\n"
    "from abcx.__main__ import main\n"
    "sys.exit(main(sys.argv[1:]))"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment of 400,000 rows."""
    path = tmp_path_factory.mktemp("limits")
    with (path / "e.csv").open("w") as file:
        file.write("unit,time,arm,event,amount\n")
        for i in range(400_000):
            unit = i * 7919 % 100_003
            event = "purchase" if i % 3 else "seen"
            rest = f"2024-03-{4 + i % 20:02}T10:{i % 60:02}:00Z,{'ab'[unit % 2]},{event},{i % 977}"
            file.write(f"visitor-{unit:09}-{unit * 31},{rest}\n")
    data = {"events": "e.csv"}
    spec = {
        "schema_version": 1,
        "name": "big",
        "arms": {"a": {}, "b": {}},
        "data": data,
        "metrics": {"revenue": METRIC},
    }
    (path / "experiment.yaml").write_text(json.dumps(spec))
    return path


def run(tmp: Path, *arguments: object, size: int = -1) -> subprocess.CompletedProcess[str]:
    """The command with a limit of file sizes, its temporary files below `tmp`."""
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(size), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp)},
    )


def ended(done: subprocess.CompletedProcess[str], code: str, tmp: Path) -> None:
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith(f"error[{code}]: ") and "= help: " in done.stderr
    assert "Traceback" not in done.stderr and "bug" not in done.stderr
    assert os.listdir(tmp) == []


@pytest.mark.parametrize("command", ["analyze", "pack"])
@pytest.mark.parametrize("memory", ["5MB", "20MB"])
def test_too_little_memory(folder: Path, tmp_path: Path, command: str, memory: str) -> None:
    before = sorted(os.listdir(folder))
    done = run(tmp_path, command, folder / "experiment.yaml", "--memory", memory, "--threads", 1)
    ended(done, "out-of-memory", tmp_path)
    assert f"the limit is {memory}) while " in done.stderr and "raise --memory" in done.stderr
    assert sorted(os.listdir(folder)) == before


def test_a_disk_that_is_full_while_spilling(folder: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "analyze", folder / "experiment.yaml", "--memory", "45MB", "--threads", 1, size=100_000)
    ended(done, "disk", tmp_path)
    assert "TMPDIR" in done.stderr


def test_a_disk_that_is_full_while_packing(folder: Path, tmp_path: Path) -> None:
    before = sorted(os.listdir(folder))
    ended(run(tmp_path, "pack", folder / "experiment.yaml", "-q", size=100_000), "disk", tmp_path)
    assert sorted(os.listdir(folder)) == before


def test_a_disk_that_is_full_while_text_is_rewritten(folder: Path, tmp_path: Path) -> None:
    wide = tmp_path / "wide"
    wide.mkdir()
    (wide / "e.csv").write_bytes(
        (folder / "e.csv").read_bytes()[:400_000].rpartition(b"\n")[0].decode().encode("utf-16")
    )
    (wide / "experiment.yaml").write_text((folder / "experiment.yaml").read_text())
    (scratch := tmp_path / "scratch").mkdir()
    ended(run(scratch, "analyze", wide / "experiment.yaml", size=100_000), "unpacking", scratch)


@pytest.mark.parametrize("what", [("report", "-o"), ("analyze", "--rejects"), ("analyze", "-o")])
def test_an_output_that_does_not_fit_keeps_the_old_one(tmp_path: Path, what: tuple[str, str]) -> None:
    rows = "".join(f"u{i},2024-03-04,{'ab'[i % 2]},purchase,x{'y' * 200}\n" for i in range(50))
    good = "--rejects" not in what
    (tmp_path / "e.csv").write_text(
        "unit,time,arm,event,amount\n" + (rows.replace("x" + "y" * 200, "5") if good else rows)
    )
    spec = {"schema_version": 1, "name": "small", "arms": {"a": {}, "b": {}}, "data": {"events": "e.csv"}}
    (tmp_path / "experiment.yaml").write_text(json.dumps({**spec, "metrics": {"revenue": METRIC}}))
    (scratch := tmp_path / "scratch").mkdir()
    output = tmp_path / "out.json"
    output.write_text("old")
    done = run(scratch, what[0], tmp_path / "experiment.yaml", what[1], output, size=1_000)
    assert done.returncode == 2 and "Traceback" not in done.stderr and "cannot write" in done.stderr, done.stderr
    assert output.read_text() == "old" and os.listdir(scratch) == []
    assert sorted(os.listdir(tmp_path)) == ["e.csv", "experiment.yaml", "out.json", "scratch"]
