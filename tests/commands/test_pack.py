"""`abcx pack`: the packed spec analyses as its original; outputs whole or absent; what would change is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

import abcx
from abcx.errors import AbcxError, DataError, SpecError, UsageError
from tests.support.hostile import GOOD, METRICS
from tests.support.hostile import run as written
from tests.support.preset_cases import CASES, analyzed
from tests.support.same import packed, said, same

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent.parent
EXPERIMENTS = sorted((ROOT / "experiments").glob("*/experiment.yaml"))


def fetched(query: str) -> list[Any]:
    found = duckdb.sql(query)
    assert found is not None
    return found.fetchall()


def types(file: Path) -> dict[str, str]:
    return {name: kind for name, kind, *_ in fetched(f"DESCRIBE FROM read_parquet('{file}')")}


@pytest.mark.parametrize("spec", EXPERIMENTS, ids=lambda path: path.parent.name)
def test_the_documented_experiments(tmp_path: Path, spec: Path) -> None:
    copy = same(spec, tmp_path / "packed")
    text, old = copy.read_text(), spec.read_text()
    comments = [line.partition("#")[2] for line in old.splitlines() if "#" in line]
    assert [comment for comment in comments if comment not in text] == []
    assert text.replace("Packed by abcx", "") != text and "\r" not in text


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.part != "counts"])
def test_presets(tmp_path: Path, name: str) -> None:
    assert analyzed(tmp_path, name).code < 2
    copy = same(tmp_path / "experiment.yaml", tmp_path / "packed")
    assert "preset" not in json.dumps(abcx.load_spec(copy).model_dump(exclude_none=True)["data"])


COMMA = GOOD.replace(",", ";").replace("12.5", "1.012,5").replace(";30\n", ";30,25\n")
DAYS = GOOD.replace("2024-03-04T", "25/03/2024 ").replace("00Z", "00")
TWICE = GOOD + GOOD
ODD = GOOD.replace("u1,2024-03-04T10:00:00Z,a,seen,", "u1,2024-03-04T10:00:00Z,a,seen,n. a.")
CROWNS = "€ 12.5"
MESSY: dict[str, tuple[str | bytes, dict[str, Any]]] = {
    "plain": (GOOD, {}),
    "decimal comma": (COMMA, {"decimal": ",", "thousands": "."}),
    "decimal comma, by evidence": (COMMA, {}),
    "D/M dates": (DAYS, {}),
    "D/M dates, declared": (DAYS, {"date_order": "dmy"}),
    "a time format": (DAYS, {"time_format": "%d/%m/%Y %H:%M:%S", "timezone": "Europe/London"}),
    "UTF-16": (GOOD.encode("utf-16"), {}),
    "glued headers": (TWICE, {}),
    "a title": ("# export of March\n\n" + GOOD, {}),
    "currency": (GOOD.replace("12.5", CROWNS), {}),
    "texts of other events": (ODD, {}),
    "texts of other events beside currency": (ODD.replace("12.5", CROWNS), {}),
    "bad rows": (GOOD.replace("12.5", "many") + "u9,x\n", {"max_bad_rows": 5}),
    "bad times": (GOOD.replace("T11:10:00Z", "Tnoon"), {"max_bad_rows": 5}),
    "null": (GOOD.replace("seen,", "seen,NA"), {"null": ["NA"]}),
    "where and exclude": (
        GOOD,
        {"where": {"arm": {"not": "c"}}, "exclude": {"small": {"amount": {"max": 12.5}}, "five": {"amount": 5}}},
    ),
    "an empty name": ("\n".join(line + ",x" for line in GOOD.splitlines()).replace("amount,x", "amount,") + "\n", {}),
    "a filled condition": (GOOD, {"where": {"amount": {"not": "7"}, "time": {"not": None}}}),
    "drop": (GOOD + GOOD.splitlines()[2] + "\n", {"duplicates": "drop"}),
}


@pytest.mark.parametrize("name", MESSY)
def test_messy_files(tmp_path: Path, name: str) -> None:
    content, options = MESSY[name]
    ran = written(tmp_path, content, options=options)
    assert ran.code < 2, ran.err
    copy = same(tmp_path / "experiment.yaml", tmp_path / "packed")
    assert types(copy.parent / "e.parquet")["time"] == "TIMESTAMP WITH TIME ZONE"
    again = same(copy, tmp_path / "again")
    assert said(again)["data"]["notes"] == said(copy)["data"]["notes"]


def test_types(tmp_path: Path) -> None:
    written(tmp_path, ODD.replace("12.5", CROWNS))
    file = packed(tmp_path / "experiment.yaml", tmp_path / "packed").parent / "e.parquet"
    assert types(file) == {
        **dict.fromkeys(("unit", "arm", "event", "amount (as written)"), "VARCHAR"),
        "time": "TIMESTAMP WITH TIME ZONE",
        "amount": "DOUBLE",
    }
    assert fetched(f"SELECT amount FROM '{file}' WHERE event = 'purchase' ORDER BY 1") == [(12.5,), (30,)]


def test_jsonl_lists_and_a_file_of_several_sources(tmp_path: Path) -> None:
    rows = [line.split(",") for line in GOOD.splitlines()]
    lines = [json.dumps({k: v for k, v in zip(rows[0], row, strict=True) if v}) for row in rows[1:]]
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "e.jsonl").write_text("\n".join(lines[:3]))
    (tmp_path / "e.csv").write_text("\n".join(",".join(row) for row in (rows[0], *rows[4:])))
    (tmp_path / "t.csv").write_text(
        "id,who,opened,closed\n1,u1,04/03/2024 10:30,25/03/2024 11:00\n2,u3,26/03/2024 12:00,\n"
    )
    both = {"file": "t.csv", "where": {"who": {"not": None}}}
    spec = {
        "schema_version": 1,
        "name": "several",
        "arms": {"a": {}, "b": {}},
        "data": {
            "exposures": {"file": ["more/*.jsonl", "e.csv"], "where": {"event": "seen"}},
            "events": [
                {"file": ["more/*.jsonl", "e.csv"]},
                {**both, "columns": {"unit": "who", "time": "opened", "id": "id"}, "event": "open"},
                {**both, "columns": {"unit": "who", "time": "closed", "id": "id"}, "event": "close",
                 "exclude": {"still_open": {"closed": None}}},
            ],
        },
        "metrics": {
            **METRICS,
            "opened": {"type": "mean", "event": "open", "source": "t.csv", "role": "secondary", "goal": "decrease"},
            "closed": {"type": "mean", "event": "close", "source": "t.csv", "role": "secondary", "goal": "decrease"},
        },
    }  # fmt: skip
    (tmp_path / "experiment.yaml").write_text(json.dumps(spec))
    copy = same(tmp_path / "experiment.yaml", tmp_path / "packed")
    assert sorted(os.listdir(copy.parent)) == ["e-2.parquet", "e.parquet", "experiment.yaml", "t.parquet"]
    assert said(copy)["metrics"][2]["arms"][1]["value"] == 0.5


@pytest.mark.parametrize(
    ("content", "changes", "words"),
    [
        (GOOD, {"segments": ["time"]}, "'time' of e.csv is read as a time, and as something else too"),
        (GOOD.replace("12.5", CROWNS), {"segments": ["amount"]}, "as a number that is not written plainly"),
        (GOOD.replace("amount", "Unit"), {"metrics": {"orders": METRICS["orders"]}}, "is in the header twice"),
    ],
)
def test_what_would_change_is_refused(tmp_path: Path, content: str, changes: dict[str, Any], words: str) -> None:
    assert written(tmp_path, content, **changes).code < 2
    with pytest.raises(DataError, match=r"cannot-pack") as error:
        packed(tmp_path / "experiment.yaml", tmp_path / "packed")
    assert words in str(error.value) and "= help: " in str(error.value)
    assert sorted(os.listdir(tmp_path)) == ["e.csv", "experiment.yaml"]


@pytest.mark.parametrize(
    "content", [GOOD.replace("12.5", "many"), GOOD + "u9,x\n", GOOD.replace("T11:10", "Tnoon"), ""]
)
def test_what_analyze_refuses_is_refused_in_the_same_words(tmp_path: Path, content: str) -> None:
    ran = written(tmp_path, content)
    assert ran.code == 2
    with pytest.raises(AbcxError) as error:
        packed(tmp_path / "experiment.yaml", tmp_path / "packed")
    assert str(error.value) == ran.err.rstrip("\n")
    assert sorted(os.listdir(tmp_path)) == ["e.csv", "experiment.yaml"]


def test_nothing_is_written_over_unasked(tmp_path: Path) -> None:
    written(tmp_path, GOOD)
    spec, folder = tmp_path / "experiment.yaml", tmp_path / "packed"
    copy = packed(spec, folder)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"experiment\.yaml exists already"):
        packed(spec, folder)
    copy.unlink()
    with pytest.raises(UsageError, match=r"e\.parquet exists already"):
        packed(spec, folder)
    assert packed(spec, folder, overwrite=True) == copy and (folder / "notes.txt").read_text() == "mine"
    with pytest.raises(UsageError, match="would be written over"):
        packed(spec, tmp_path, overwrite=True)
    with pytest.raises(UsageError, match="would be written over"):
        packed(copy, folder, overwrite=True)
    assert spec.read_text().startswith("{") and sorted(os.listdir(folder)) == [
        "e.parquet",
        "experiment.yaml",
        "notes.txt",
    ]


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, GOOD)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    for name in ("rename", "chmod"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, full)
            with pytest.raises(UsageError, match="cannot write .*packed: No space left on device"):
                packed(tmp_path / "experiment.yaml", tmp_path / "packed")
        assert sorted(os.listdir(tmp_path)) == ["e.csv", "experiment.yaml"]


def test_specs_that_cannot_be_packed(tmp_path: Path) -> None:
    counts = "arms: {a: , b: }\nmetrics: {o: {type: conversion, role: primary, goal: increase}}\n"
    head = "schema_version: 1\nname: counts\n"
    (tmp_path / "c.yaml").write_text(
        f"{head}{counts}data: {{counts: {{a: {{units: 9, o: 1}}, b: {{units: 9, o: 1}}}}}}\n"
    )
    with pytest.raises(UsageError, match="names no files"):
        packed(tmp_path / "c.yaml", tmp_path / "packed")
    (tmp_path / "elsewhere.yaml").write_text(
        f"{head}arms: {{a: , b: }}\ndata: {{events: shop.events, engine: spark}}\n"
        "metrics: {o: {type: conversion, event: purchase, role: primary, goal: increase}}\n"
    )
    with pytest.raises(UsageError, match="another engine"):
        packed(tmp_path / "elsewhere.yaml", tmp_path / "packed")
    (tmp_path / "e.csv").write_text(GOOD)
    (tmp_path / "anchor.yaml").write_text(
        f"{head}title: &t x\ndata: &d {{events: e.csv}}\narms: {{a: , b: }}\n"
        "metrics: {o: {type: conversion, event: purchase, role: primary, goal: increase}}\n"
    )
    packed(tmp_path / "anchor.yaml", tmp_path / "packed")  # nothing refers to the anchor
    (tmp_path / "two.yaml").write_text(
        f"{head}data: {{events: [e.csv, {{file: e.csv, where: {{arm: a}}}}]}}\narms: {{a: , b: }}\n"
        "metrics: {o: {type: conversion, event: purchase, source: e.csv, role: primary, goal: increase}}\n"
    )
    copy = packed(tmp_path / "two.yaml", tmp_path / "two")
    assert "source: e.parquet" in copy.read_text()
    with pytest.raises(SpecError):
        packed(tmp_path / "none.yaml", tmp_path / "packed")


def test_metadata_of_others_is_no_history(tmp_path: Path) -> None:
    from abcx.files import pack_log

    for text in (
        "",
        "{}",
        "[1]",
        '[{"part": "events"}]',
        '[{"part":"events","event":null,"notes":[],"exclusions":[],"left_out":-1}]',
        "[" * 9999,
    ):
        assert pack_log.read(text) == ()
