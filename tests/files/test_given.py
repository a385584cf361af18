"""Files and frames given at the call in place of those that the spec names."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import abcx
from abcx.errors import DataError, UsageError

METRIC = {"type": "conversion", "role": "primary", "goal": "increase"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """u0 to u3, exposed in turn to a and b; u0 buys, u1 and u3 call."""
    monkeypatch.chdir(tmp_path)
    head = "unit,time,"
    seen = "".join(f"u{i},2024-03-04T08:00:00Z,{'ab'[i % 2]}\n" for i in range(4))
    (tmp_path / "x.csv").write_text(f"{head}arm\n{seen}")
    (tmp_path / "buy.csv").write_text(f"{head}n\nu0,2024-03-04T09:00:00Z,1\n")
    (tmp_path / "call.csv").write_text(f"{head}n\nu1,2024-03-04T09:00:00Z,1\nu3,2024-03-04T09:00:00Z,1\n")
    return tmp_path


def spec(events: Any) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "name": "given",
        "arms": {"a": {}, "b": {}},
        "data": {"exposures": "x.csv", "events": events},
        "metrics": {
            "orders": {**METRIC, "event": "order"},
            "calls": {**METRIC, "event": "call", "role": "secondary", "goal": "decrease"},
        },
    }


TWO = [{"file": "gone.csv", "event": "order"}, {"file": "away.csv", "event": "call"}]


def values(results: abcx.Results) -> dict[str, list[float | None]]:
    return {name: [arm.value for arm in results[name].arms] for name in ("orders", "calls")}


@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.slow
def test_as_many_as_the_spec_names_are_read_one_by_one(folder: Path, frames: bool) -> None:
    given: list[Any] = ["buy.csv", "call.csv"]
    given = [pd.read_csv(name) for name in given] if frames else given
    assert values(abcx.analyze(spec(TWO), events=given)) == {"orders": [0.5, 0.0], "calls": [0.0, 1.0]}
    assert values(abcx.analyze(spec(TWO[::-1]), events=given[::-1])) == {"orders": [0.5, 0.0], "calls": [0.0, 1.0]}


@pytest.mark.parametrize("frames", [False, True])
@pytest.mark.parametrize("count", [1, 3])
def test_another_number_cannot_be_matched(folder: Path, frames: bool, count: int) -> None:
    given: list[Any] = ["buy.csv", "call.csv", "call.csv"][:count]
    given = [pd.read_csv(name) for name in given] if frames else given
    with pytest.raises(UsageError, match=f"2 files in different ways, and {count} stand"):
        abcx.analyze(spec(TWO), events=given)


@pytest.mark.slow
def test_files_that_are_read_alike_need_no_match(folder: Path) -> None:
    both = [{"file": name} for name in ("buy.csv", "call.csv", "more.csv")]
    names = {"buy.csv": "order", "call.csv": "call"}
    for name, event in names.items():
        text = (folder / name).read_text().replace(",n", ",event").replace(",1\n", f",{event}\n")
        (folder / name).write_text(text)
    assert values(abcx.analyze(spec(both), events=list(names))) == {"orders": [0.5, 0.0], "calls": [0.0, 1.0]}
    frames = [pd.read_csv(name) for name in names]
    assert values(abcx.analyze(spec(both), events=frames)) == {"orders": [0.5, 0.0], "calls": [0.0, 1.0]}


def test_paths_and_frames_together_are_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="1 paths and 1 frames are given for one part"):
        abcx.analyze(spec(TWO), events=["buy.csv", pd.read_csv("call.csv")])


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "frame", "category"])
@pytest.mark.slow
def test_what_means_a_missing_value_does_so_in_every_form(folder: Path, form: str) -> None:
    """-999 among numbers, and an empty text; `null` says what else."""
    rows = [
        ("u0", "order", 5.0, "x"),
        ("u2", "order", -999.0, ""),
        ("u1", "order", 7.0, "-"),
        ("u3", "order", 1.0, "x"),
    ]
    frame = pd.DataFrame(rows, columns=["unit", "event", "amount", "code"]).assign(time="2024-03-04T09:00:00Z")
    out = io.BytesIO()
    {
        "csv": lambda: frame.to_csv(out, index=False),
        "jsonl": lambda: frame.to_json(out, orient="records", lines=True),
        "parquet": lambda: frame.to_parquet(out),
    }.get(form, lambda: None)()
    name = f"e.{form}"
    (folder / name).write_bytes(out.getvalue())
    events = {"file": name, "null": ["-999", "-999.0", "-"]}
    revenue = {"type": "mean", "event": "order", "value": "amount", "missing_value": "zero"}
    metrics = {
        "revenue": {**revenue, "role": "primary", "goal": "increase"},
        "coded": {"type": "mean", "event": "order", "where": {"code": {"not": None}}, "role": "descriptive"},
    }
    given = {"frame": frame, "category": frame.astype({"code": "category"})}.get(form)
    results = abcx.analyze({**spec(events), "metrics": metrics}, events=given)
    found = {name: [arm.value for arm in results[name].arms] for name in metrics}
    assert found == {"revenue": [2.5, 4.0], "coded": [0.5, 0.5]}, json.dumps(results.to_dict()["data"])


def test_columns_of_files_that_are_given_at_the_call(folder: Path) -> None:
    """A spec may say what the columns are called, and leave the files to the call."""
    said = spec([]) | {"data": {"columns": {"unit": "who", "event": "what"}}}
    Path("e.csv").write_text(
        "who,time,arm,what\nu0,2024-03-04T08:00:00Z,a,order\nu1,2024-03-04T08:00:00Z,b,call\n", encoding="utf-8"
    )
    assert values(abcx.analyze(said, events="e.csv")) == {"orders": [1.0, 0.0], "calls": [0.0, 1.0]}
    with pytest.raises(DataError, match="the spec names no data files"):
        abcx.analyze(said)
