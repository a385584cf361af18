"""The sign of life on stderr: bytes and phase while a file is read, nothing where nobody looks."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from abcx.commands.progress import described, waiting
from abcx.engines.local import Engine, Work

SPEC = """\
schema_version: 1
name: slow
arms: {control: , variant: }
data: {units: units.csv}
metrics:
  x: {type: mean, column: x, role: primary, goal: increase}
"""


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (Work("reading e.csv", 648_000_000, 0.43), "reading e.csv, 279 of 648 MB"),
        (Work("reading e.csv", 648_000_000), "reading e.csv"),
        (Work("comparing the arms"), "comparing the arms"),
    ],
)
def test_bytes_and_phase(work: Work, words: str) -> None:
    assert described(work) == words


def test_an_engine_says_what_it_does() -> None:
    with Engine() as engine:
        engine.set_phase("reading e.csv", 1_000)
        engine.run("SELECT sum(i) FROM range(1000) t(i)")
        assert (engine.work.phase, engine.work.size) == ("reading e.csv", 1_000)
        engine.set_phase("summing up by arm")
        assert engine.work == Work("summing up by arm")


def test_nothing_where_stderr_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with Engine() as engine, waiting(engine, "slow", after=0.0):
        engine.run("SELECT count(*) FROM range(1000)")
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_a_terminal_sees_phase_share_and_time_left(tmp_path: Path) -> None:
    """The command on a real terminal, with the wait for the first sign taken away."""
    rows = "\n".join(f"u{i},{'control' if i % 2 else 'variant'},{i % 7}" for i in range(300_000))
    (tmp_path / "units.csv").write_text(f"unit,arm,x\n{rows}\n")
    (tmp_path / "spec.yaml").write_text(SPEC)
    code = (
        "import functools, sys; from abcx.commands import progress; from abcx.__main__ import main; "
        "progress.EVERY = 0.01; progress.waiting.__wrapped__.__defaults__ = (False, 0.0); main(sys.argv[1:])"
    )
    here, there = pty.openpty()
    command = [sys.executable, "-c", code, "analyze", str(tmp_path / "spec.yaml"), "--format", "json", "-o", os.devnull]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=there)
    os.close(there)
    seen = b""
    while True:
        try:
            chunk = os.read(here, 4096)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        seen += chunk
    assert process.wait() == 0
    text = seen.decode()
    assert "slow: " in text and ("reading units.csv" in text or "summing up by arm" in text), text
    assert "%" in text and ":" in text.split("%")[1][:40], text  # share, and behind it minutes and seconds
