"""`abcx sql`: statements that the dialects' own grammar takes, with the names and values of the spec quoted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from abcx.commands import sql
from abcx.commands.options import DIALECTS
from abcx.errors import UsageError

sqlglot = pytest.importorskip("sqlglot")
EXPERIMENTS = sorted((Path(__file__).parents[2] / "experiments").glob("*/experiment.yaml"))


def written(spec: Path, dialect: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert sql.run(str(spec), dialect=dialect, output=None) == 0
    return capsys.readouterr().out


@pytest.mark.slow
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


@pytest.mark.slow
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


SEPARATE = """\
schema_version: 1
name: shop
unit: users
arms: {control: , variant: }
period: {start: 2024-03-04, end: 2024-03-31}
data:
  exposures: {file: shop.exposures, columns: {unit: customer, time: seen_at, arm: variation}}
  events: {file: shop.events, columns: {unit: customer, time: ts, event: name, value: amount}}
window: 7d
segments: [device]
metrics:
  orders: {type: conversion, event: purchase, where: {currency: EUR}, role: primary, goal: increase}
  revenue: {type: mean, event: purchase, value: value, role: secondary, goal: increase, missing_value: zero}
"""
IN_ONE = SEPARATE.replace(
    "  exposures: {file: shop.exposures, columns: {unit: customer, time: seen_at, arm: variation}}\n", ""
)
IN_ONE = IN_ONE.replace("shop.events, columns: {", "shop.log, columns: {arm: variation, ").replace(
    "segments: [device]\n", ""
)


@pytest.mark.parametrize("spec", [SEPARATE, IN_ONE + "exposure: {event: visit}\n"], ids=["separate", "one"])
@pytest.mark.slow
def test_the_statements_run_on_tables_that_have_only_what_the_spec_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], spec: str
) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(spec, encoding="utf-8")
    user = "'u' || i AS customer, timestamptz '2024-03-05 10:00+00' + to_hours(i)"
    arm, bought = "CASE WHEN i % 2 = 0 THEN 'control' ELSE 'variant' END AS variation", "'EUR' AS currency"
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'; CREATE SCHEMA shop")
        connection.execute(
            f"CREATE TABLE shop.exposures AS SELECT {user} AS seen_at, {arm}, 'm' AS device FROM range(90) t(i)"
        )
        sold = f"{user} + to_hours(1) AS ts, 'purchase' AS name, i + 0.5::DOUBLE AS amount, {bought}"
        connection.execute(f"CREATE TABLE shop.events AS SELECT {sold} FROM range(0, 90, 3) t(i)")
        connection.execute(
            "CREATE TABLE shop.log AS SELECT customer, seen_at AS ts, variation, 'visit' AS name, "
            "NULL::DOUBLE AS amount, NULL AS currency FROM shop.exposures "
            "UNION ALL SELECT customer, ts, NULL, name, amount, currency FROM shop.events"
        )
        for statement in duckdb.extract_statements(written(path, "duckdb", capsys)):
            connection.execute(statement).fetchall()
        counted = (
            "SELECT arm, count(DISTINCT uid), count(term_0), sum(term_1) FROM abcx_outcome GROUP BY arm ORDER BY arm"
        )
        found = connection.execute(counted).fetchall()
    amounts = [sum(i + 0.5 for i in range(first, 90, 6)) for first in (0, 3)]
    assert found == [(0, 45, 15, amounts[0]), (1, 45, 15, amounts[1])]
