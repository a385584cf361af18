"""A small log that is right, what is done to its bytes, and the command that reads it: for tests of hostile and damaged
files."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from abcx.commands import analyze
from abcx.commands.options import DataOptions, RunOptions
from tests.support.notes import of_json

ROWS = [
    ("u1", "2024-03-04T10:00:00Z", "a", "seen", ""),
    ("u1", "2024-03-04T10:05:00Z", "a", "purchase", "12.5"),
    ("u2", "2024-03-04T11:00:00Z", "b", "seen", ""),
    ("u3", "2024-03-04T11:10:00Z", "b", "seen", ""),
    ("u3", "2024-03-04T11:30:00Z", "b", "purchase", "30"),
    ("u4", "2024-03-04T12:00:00Z", "a", "seen", ""),
]


HEADER = ("unit", "time", "arm", "event", "amount")


GOOD = "\n".join(",".join(row) for row in (HEADER, *ROWS)) + "\n"


METRICS = {
    "orders": {
        "type": "conversion",
        "event": "purchase",
        "role": "primary",
        "goal": "increase",
        "minimum_effect": "5%",
    },
    "revenue": {"type": "mean", "event": "purchase", "value": "amount", "role": "secondary", "goal": "increase"},
}


EXPECTED = {"orders": {"a": (2, 0.5), "b": (2, 0.5)}, "revenue": {"a": (2, 6.25), "b": (2, 15.0)}}


UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class Ran:
    """What a run of `analyze` gave: exit code, standard output, standard error."""

    def __init__(self, code: int, out: str, err: str) -> None:
        assert not UNSEEN.search(out + err), "a character that moves a terminal, or does not show"
        assert not any(line.startswith("::") for line in (out + err).splitlines())
        self.code, self.out, self.err = code, out, err

    def values(self) -> dict[str, dict[str, tuple[int, float | None]]]:
        """(units, value) of every metric by arm."""
        metrics = json.loads(self.out)["metrics"]
        return {m["name"]: {arm["name"]: (arm["units"], arm["value"]) for arm in m["arms"]} for m in metrics}


def run(folder: Path, content: bytes | str | None, name: str = "e.csv", **changes: Any) -> Ran:
    """Write the file and a spec that names it, and analyze in this process. An exception fails the test."""
    if content is not None:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    spec = {
        "schema_version": 1,
        "name": "hostile",
        "arms": {"a": {}, "b": {}},
        "data": {"events": {"file": changes.pop("file", name), **changes.pop("options", {})}},
        "metrics": changes.pop("metrics", METRICS),
        **changes,
    }
    (folder / "experiment.yaml").write_text(json.dumps(spec))
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = analyze.run(
            [str(folder / "experiment.yaml")],
            format="json",
            output=None,
            data=DataOptions(),
            run=RunOptions(quiet=True, threads=2),
            fail_on=[],
        )
    return Ran(code, out.getvalue(), err.getvalue())


def refused(ran: Ran, code: str, place: str, *words: str) -> None:
    """Exit code 2, nothing on stdout, and one problem of this code with its place, a cure and these words."""
    assert ran.code == 2, ran.out + ran.err
    assert ran.out == ""
    assert f"error[{code}]: " in ran.err, ran.err
    assert f"--> {place}" in ran.err.splitlines()[1], ran.err
    assert "= help: " in ran.err
    for word in words:
        assert word in ran.err, ran.err


def parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(pd.read_csv(io.StringIO(GOOD))), out)
    return out.getvalue()


LINES = GOOD.splitlines(keepends=True)


def line(number: int, text: str) -> str:
    """The good file with one line (1 is the header) replaced."""
    return "".join([*LINES[: number - 1], text + "\n", *LINES[number:]])


def flip(content: bytearray, at: int, byte: int) -> None:
    content[at % len(content)] = byte


def cut(content: bytearray, at: int, byte: int) -> None:
    del content[at % len(content) :]


def drop(content: bytearray, at: int, byte: int) -> None:
    del content[at % len(content)]


def insert(content: bytearray, at: int, byte: int) -> None:
    content.insert(at % len(content), byte)


def notes(ran: Ran) -> list[str]:
    found = of_json(json.loads(ran.out))
    return found
