"""Nothing that a command writes may replace what it reads, however the path of it is spelled."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from abcx.commands import init, pack, schema, sql, validate
from abcx.commands.options import DataOptions, RunOptions
from abcx.commands.running import run_all
from abcx.errors import UsageError
from tests.support.hostile import GOOD
from tests.support.logs import spec as spec_of

SPELLINGS = ("as it is", "symbolic link", "hard link", "absolute", "by the parent")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("e.csv").write_text(GOOD)
    Path("s.yaml").write_text(json.dumps(spec_of({"events": "e.csv"})))
    return tmp_path


def spelled(name: str, how: str) -> str:
    """Another path of a file."""
    if how == "symbolic link":
        os.symlink(name, "other")
    elif how == "hard link":
        os.link(name, "other")
    else:
        return {"absolute": os.path.abspath(name), "by the parent": f"../{Path.cwd().name}/{name}"}.get(how, name)
    return "other"


@pytest.mark.parametrize("how", SPELLINGS)
@pytest.mark.parametrize("name", ["e.csv", "s.yaml"])
@pytest.mark.parametrize("given", [False, True])
def test_rejects(name: str, how: str, given: bool) -> None:
    before, data = Path(name).read_bytes(), DataOptions(events=("e.csv",)) if given else DataOptions()
    with pytest.raises(UsageError, match="would be written over"):
        run_all(["s.yaml"], data, RunOptions(quiet=True, rejects=spelled(name, how)))
    assert Path(name).read_bytes() == before


def test_rejects_beside_a_spec_that_cannot_be_read() -> None:
    Path("s.yaml").write_text("schema_version: [")
    with pytest.raises(UsageError, match="is no table of rows that could not be read"):
        run_all(["s.yaml"], DataOptions(), RunOptions(quiet=True, rejects="e.csv"))
    assert Path("e.csv").read_text() == GOOD


def test_rejects_of_an_earlier_run_and_empty_files_are_replaced() -> None:
    for _ in range(2):
        run_all(["s.yaml"], DataOptions(), RunOptions(quiet=True, rejects="rejects.csv"))
        assert Path("rejects.csv").read_text() == "file,line,column,problem,row\n"
    Path("empty.csv").touch()
    run_all(["s.yaml"], DataOptions(), RunOptions(quiet=True, rejects="empty.csv"))
    assert Path("empty.csv").read_text().startswith("file,line")


@pytest.mark.parametrize("how", SPELLINGS)
@pytest.mark.parametrize("name", ["e.csv", "s.yaml"])
@pytest.mark.slow
def test_schema_replaces_schemas_alone(name: str, how: str) -> None:
    before = Path(name).read_bytes()
    with pytest.raises(UsageError, match="no JSON Schema"):
        schema.run(spelled(name, how))
    assert Path(name).read_bytes() == before
    for _ in range(2):
        schema.run("schema.json")
    assert "$schema" in json.loads(Path("schema.json").read_text())


@pytest.mark.parametrize("how", SPELLINGS)
@pytest.mark.slow
def test_init_validate_sql_and_pack(how: str) -> None:
    before = {name: Path(name).read_bytes() for name in ("e.csv", "s.yaml")}
    target = spelled("s.yaml", how)
    with pytest.raises(UsageError, match="exists already"):
        init.run("e.csv", output=target, name=None)
    with pytest.raises(UsageError, match="would be written over"):
        validate.run(["s.yaml"], format="json", output=target)
    with pytest.raises(UsageError, match="would be written over"):
        sql.run("s.yaml", dialect="postgres", output=target)
    os.mkdir("packed")
    os.link("e.csv", "packed/e.parquet")
    with pytest.raises(UsageError, match="would be written over"):
        pack.run("s.yaml", output="packed", overwrite=True, run=RunOptions(quiet=True))
    assert before == {name: Path(name).read_bytes() for name in before}


def test_rejects_are_no_formulas() -> None:
    """The first cell of a bad row may be what a spreadsheet would run."""
    Path("e.csv").write_text("unit,time,event,arm\n=1+1,x,order,a\n-2+3,y,order,b\nu1,2024-05-06T10:00Z,order,a\n")
    Path("f.yaml").write_text(
        "{schema_version: 1, name: t, arms: {a: {}, b: {}}, data: {events: {file: e.csv, max_bad_rows: 5}},"
        " metrics: {m: {type: conversion, event: order, role: primary, goal: increase}}}"
    )
    run_all(["f.yaml"], DataOptions(), RunOptions(quiet=True, rejects="bad.csv"))
    rows = [row["row"] for row in csv.DictReader(Path("bad.csv").read_text().splitlines())]
    assert len(rows) == 2 and all(row.startswith("'") for row in rows)
