"""Limits of memory and disk end in a message with its cure: exit code 2, no traceback, nothing half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

import abcx
from abcx.data.reading import load, scan
from abcx.files import compression
from abcx.files.lines import fingerprint
from abcx.files.paths import DataFile

pytestmark = pytest.mark.slow

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
    """The command with a limit of file sizes, its temporary files below `tmp`; coverage has files of its own."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE_")}
    return subprocess.run(
        [sys.executable, "-c", LIMITED, str(size), *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**kept, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp)},
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
    output.write_text(old := "old" if good else "file,line,column,problem,row\n")
    done = run(scratch, what[0], tmp_path / "experiment.yaml", what[1], output, size=1_000)
    assert done.returncode == 2 and "Traceback" not in done.stderr and "cannot write" in done.stderr, done.stderr
    assert output.read_text() == old and os.listdir(scratch) == []
    assert sorted(os.listdir(tmp_path)) == ["e.csv", "experiment.yaml", "out.json", "scratch"]


ROW = "u{unit},2024-03-{day:02}T10:00:00Z,{arm},{event},{amount}\n"


def large(path: Path, rows: int, spoil: Callable[[int, str], str], **options: object) -> Path:
    """An experiment of an event file of so many rows, each as `spoil` leaves it."""
    written = (
        spoil(i, ROW.format(unit=i % 1009, day=4 + i % 20, arm="ab"[i % 1009 % 2], event="purchase", amount=i % 97))
        for i in range(rows)
    )
    (path / "e.csv").write_text("unit,time,arm,event,amount\n" + "".join(written))
    data = {"events": {"file": "e.csv", **options}}
    spec = {"schema_version": 1, "name": "large", "arms": {"a": {}, "b": {}}, "data": data}
    (path / "experiment.yaml").write_text(json.dumps({**spec, "metrics": {"revenue": METRIC}}))
    (path / "scratch").mkdir()
    return path / "experiment.yaml"


@pytest.mark.parametrize(
    ("spoil", "words", "line"),
    [
        (lambda i, row: row.replace(",", ",,", 1), "too many cells: the header has 5", 2),
        (lambda i, row: row.replace(",purchase,", ","), "too few cells: the header has 5", 2),
        (lambda i, row: row if i % 5 == 0 else row.replace(",", ",,", 1), "too many cells: the header has 5", 3),
    ],
    ids=["longer", "shorter", "most"],
)
def test_rows_of_another_width_all_over_are_told_by_the_start(
    tmp_path: Path, spoil: Callable[[int, str], str], words: str, line: int
) -> None:
    """Read to its end such a file takes a kilobyte of memory a row."""
    ran = run(tmp_path / "scratch", "analyze", large(tmp_path, 60_000, spoil))
    ended(ran, "ragged-row", tmp_path / "scratch")
    assert words in ran.stderr and "such rows at the start of the file alone)" in ran.stderr
    assert f" --> e.csv:{line}\n" in ran.stderr


def test_more_bad_rows_than_are_kept_are_told_as_at_least_so_many(tmp_path: Path) -> None:
    ran = run(
        tmp_path / "scratch",
        "analyze",
        large(tmp_path, 60_000, lambda i, row: row.replace(",", ",,", 1) if i % 4 == 0 else row, max_bad_rows=9_999),
    )
    ended(ran, "ragged-row", tmp_path / "scratch")
    assert "(at least 10,000 such rows)" in ran.stderr and "max_bad_rows is 9,999" in ran.stderr


def test_bad_rows_that_are_tolerated_are_all_left_out_though_the_file_starts_with_them(tmp_path: Path) -> None:
    spec = large(tmp_path, 60_000, lambda i, row: row.replace(",", ",,", 1) if i < 8_000 else row, max_bad_rows=9_999)
    ran = run(tmp_path / "scratch", "analyze", spec, "--format", "json", "-q")
    exclusions = json.loads(ran.stdout)["data"]["exclusions"]
    assert [item["rows"] for item in exclusions if item["reason"] == "bad_row"] == [8_000]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of memory is read from /proc")
@pytest.mark.parametrize(("rows", "row"), [(600_000, 9), (1_000_000, 100_000)])
def test_a_quote_that_stays_open_in_a_large_file(tmp_path: Path, rows: int, row: int) -> None:
    """The rest of the file is one cell, longer than any. To look for what is wrong takes less than 600 MB; it took a
    gigabyte for 26 MB. Where more than a buffer follows, the engine names the row before."""
    spec = large(tmp_path, rows, lambda i, text: text.replace(",purchase", ',"purchase') if i == row else text)
    weighed = (
        "import sys; from abcx.__main__ import main; code = main(sys.argv[1:]); "
        "print(open('/proc/self/status').read().partition('VmHWM:')[2].split()[0]); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", weighed, "analyze", str(spec)], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.startswith("error[broken-quotes]: "), done.stderr
    assert f"--> e.csv:{row + 2}\n" in done.stderr, done.stderr
    assert int(done.stdout) < 600_000


def test_nobody_waits_for_a_checksum_once_the_reading_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither Ctrl-C nor an error in the data does, however large the file."""
    spec, ended, read = large(tmp_path, 3, lambda i, row: row), Event(), []

    def pieces(*_: object) -> Iterator[bytes]:
        for number in range(100):
            read.append(number)
            yield b"u1\n"
            ended.set()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    def checksum(_: object, ended: Event) -> None:
        waited.append(ended.wait(30))

    with monkeypatch.context() as patched:
        patched.setattr(compression, "chunks", pieces)
        fingerprint(DataFile("e.csv", tmp_path / "e.csv", "csv", tmp_path / "e.csv"), ended)
    assert read == [0, 1]
    waited: list[bool] = []
    monkeypatch.setattr(load, "read", interrupted)
    monkeypatch.setattr(scan, "fingerprint", checksum)
    with pytest.raises(KeyboardInterrupt):
        abcx.analyze(spec)
    assert waited == [True]
