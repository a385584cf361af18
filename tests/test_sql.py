"""`abcx sql`: statements that the dialects' own grammar takes, with the names and values of the spec quoted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from abcx.commands import sql
from abcx.commands.options import DIALECTS
from abcx.errors import UsageError

sqlglot = pytest.importorskip("sqlglot")
EXPERIMENTS = sorted((Path(__file__).parents[1] / "experiments").glob("*/experiment.yaml"))


def written(spec: Path, dialect: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert sql.run(str(spec), dialect=dialect, output=None) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("spec", EXPERIMENTS, ids=lambda path: path.parent.name)
def test_every_statement_is_grammatical(spec: Path, dialect: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = written(spec, dialect, capsys)
    found = [one for one in sqlglot.parse(text, read=dialect) if one is not None]
    assert len(found) > 8
    assert not any(isinstance(one, sqlglot.exp.Command) for one in found)  # what sqlglot gives up on
    unit = yaml.safe_load(spec.read_text(encoding="utf-8"))["data"].get("columns", {}).get("unit")
    assert unit is None or unit in text
    runs = dialect in ("duckdb", "postgres", "spark")
    assert runs != ("never run there" in text)


def test_names_and_values_cannot_break_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evil: dict[str, Any] = {
        "schema_version": 1,
        "name": "evil",
        "unit": "users",
        "arms": {"a": {"labels": ["'; DROP TABLE users; --"]}, "b": {}},
        "data": {"events": 'shop."; DROP TABLE users; --', "columns": {"unit": 'u"; DROP TABLE users; --'}},
        "metrics": {
            "m": {
                "type": "conversion",
                "event": "'; DROP TABLE users; --",
                "where": {'w"; DROP TABLE users': "\\'; DROP TABLE users; --"},
                "role": "primary",
                "goal": "increase",
            }
        },
    }
    path = tmp_path / "evil.yaml"
    path.write_text(yaml.safe_dump(evil), encoding="utf-8")
    for dialect in DIALECTS:
        for one in sqlglot.parse(written(path, dialect, capsys), read=dialect):
            assert one is None or isinstance(one, (sqlglot.exp.Create, sqlglot.exp.Query)), (dialect, one.sql())


def test_a_spec_without_tables_says_so(tmp_path: Path) -> None:
    path = tmp_path / "counts.yaml"
    path.write_text(
        "schema_version: 1\nname: x\nunit: users\narms: {a: , b: }\n"
        "data: {counts: {a: {units: 10, m: 1}, b: {units: 10, m: 2}}}\n"
        "metrics: {m: {type: conversion, role: primary, goal: increase, event: e}}\n"
    )
    with pytest.raises(UsageError, match="names no tables"):
        sql.run(str(path), dialect="spark", output=None)
