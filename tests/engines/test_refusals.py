"""What engines elsewhere refuse, and what does not reach them."""

from __future__ import annotations

from typing import Any

import pytest

import abcx
from abcx.errors import AbcxError
from tests.support import shop

pytest.importorskip("sqlglot", reason="sqlglot is not installed (make test-engines installs it)")
SOURCES = {name: f"shop.{name}" for name in ("exposures", "buys", "others", "units")}


def problem(spec: dict[str, Any], **options: Any) -> Any:
    with pytest.raises(AbcxError) as raised:
        abcx.analyze(spec, **options)
    return raised.value.problems[0]


def with_engine(address: str) -> dict[str, Any]:
    spec = shop.spec(SOURCES)
    return {**spec, "data": {**spec["data"], "engine": address}}


def test_an_address_in_a_spec_is_not_used_unless_allowed() -> None:
    found = problem(with_engine("postgresql://somebody@192.0.2.1/secrets"))
    assert found.code == "engine-outside" and "--allow-outside" in found.help
    assert "192.0.2.1" not in found.message + found.help


def test_an_unknown_engine_is_told_with_its_place() -> None:
    assert problem(with_engine("mysql://localhost/x")).span.path == "data.engine"


def test_a_server_that_is_not_there(tmp_path: Any) -> None:
    pytest.importorskip("psycopg", reason="psycopg is not installed (make test-engines installs it)")
    found = problem(shop.spec(SOURCES), engine="postgresql://nobody:hidden@127.0.0.1:1/none")
    assert found.code == "engine-unreachable" and "hidden" not in found.message


@pytest.mark.parametrize("table", ['buys"; DROP TABLE shop.units; --', "shop.nothing", "pg_catalog.nothing"])
def test_a_table_name_is_a_name(table: str, postgres: str) -> None:
    found = problem(shop.spec({**SOURCES, "buys": table}), engine=postgres)
    assert found.code == "engine-failed" and "does not exist" in found.message


def test_postgresql_takes_no_files(postgres: str) -> None:
    found = problem(shop.spec({**SOURCES, "exposures": "passwd.csv"}), engine=postgres)
    assert "reads tables" in found.message
    spec = shop.spec(SOURCES)
    spec["data"]["exposures"] |= {"decimal": ","}
    assert "does not take decimal" in "".join(str(problem(spec, engine=postgres).message))


@pytest.mark.parametrize("path", ["/etc/passwd", "../other/*.csv", "s3://bucket/events.parquet"])
def test_spark_reads_below_the_folder_of_the_spec(path: str, spark: str) -> None:
    assert problem(shop.spec({**SOURCES, "exposures": path}), engine=spark).code == "data-outside"


def test_the_command_that_makes_the_report_again_holds_no_password() -> None:
    from abcx.commands.options import DataOptions, RunOptions
    from abcx.commands.running import _command

    run = RunOptions(engine="postgresql://me:hidden@db.example/shop")
    assert "--engine postgresql://me@db.example/shop" in _command("spec.yaml", DataOptions(), run)


MONEY: dict[str, Any] = {
    "schema_version": 1,
    "name": "money",
    "arms": {"a": {}, "b": {}},
    "metrics": {"paid": {"type": "mean", "event": "buy", "value": "amount", "role": "primary", "goal": "increase"}},
}


@pytest.mark.parametrize(
    ("heads", "cells", "named"),
    [
        ("amount,currency", ["5,EUR", "7,usd "], "30 rows in USD"),
        ("amount,currency", ["5,CHF", "7,CHF"], "'amount' is in CHF"),
        ("amount_usd", ["5", "7"], "'amount_usd' is in USD"),
        ("amount,currency", ["5,eur", "7,EUR"], None),
    ],
)
@pytest.mark.parametrize("engine", ["spark", "postgres"])
def test_currencies_are_held_against_the_spec_on_every_engine(
    engine: str, heads: str, cells: list[str], named: str | None, request: Any, tmp_path: Any, monkeypatch: Any
) -> None:
    address = request.getfixturevalue(engine)
    rows = [f"u{i}|2024-05-{i % 9 + 1:02}T08:{i % 60:02}:07Z|{'ab'[i % 2]}|buy|{cells[i % 2]}" for i in range(60)]
    columns = ["unit", "time", "arm", "event", *heads.split(",")]
    table = [row.replace("|", ",").split(",") for row in rows]
    metrics = {"paid": {**MONEY["metrics"]["paid"], "value": columns[4]}}
    spec = {**MONEY, "metrics": metrics, "currency": "EUR", "data": {"events": "e.csv"}}
    monkeypatch.chdir(tmp_path)
    if engine == "spark":
        (tmp_path / "e.csv").write_text("".join(",".join(row) + "\n" for row in [columns, *table]))
    else:
        spec["data"] = {"events": "money.events"}
        _store(address, columns, table)
    if named is None:
        assert abcx.analyze(spec, engine=address)["paid"].currency == "EUR"
    else:
        found = problem(spec, engine=address)
        assert found.code == "other-currency" and named in found.message


def _store(address: str, columns: list[str], rows: list[list[str]]) -> None:
    """The table money.events on a server."""
    import psycopg

    types = {"time": "timestamptz", columns[4]: "numeric"}
    with psycopg.connect(address) as server:
        server.execute("DROP SCHEMA IF EXISTS money CASCADE")
        server.execute("CREATE SCHEMA money")
        declared = ", ".join(f'"{name}" {types.get(name, "text")}' for name in columns)
        server.execute(f"CREATE TABLE money.events ({declared})")
        with server.cursor() as cursor:
            cursor.executemany(f"INSERT INTO money.events VALUES ({', '.join(['%s'] * len(columns))})", rows)


@pytest.mark.parametrize(("written", "named"), [("2024-05-{:02}", "dates"), ("2024-05-{:02}T10:00:00Z", "whole hours")])
def test_coarse_times_are_refused_by_name(
    written: str, named: str, spark: str, tmp_path: Any, monkeypatch: Any
) -> None:
    """What only the default engine compares is refused, and not compared as if it were a moment."""
    monkeypatch.chdir(tmp_path)
    exposed = "".join(f"u{i},2024-05-{i % 9 + 1:02}T08:{i % 60:02}:{i % 50:02}Z,{'ab'[i % 2]}\n" for i in range(60))
    ordered = "".join(f"u{i},{written.format(i % 9 + 3)},order\n" for i in range(60))
    (tmp_path / "x.csv").write_text("unit,time,arm\n" + exposed)
    (tmp_path / "e.csv").write_text("unit,time,event\n" + ordered)
    metric = {"type": "conversion", "event": "order", "role": "primary", "goal": "increase", "window": "7d"}
    spec = {"schema_version": 1, "name": "t", "arms": {"a": {}, "b": {}}, "metrics": {"orders": metric}}
    found = problem({**spec, "data": {"exposures": "x.csv", "events": "e.csv"}}, engine=spark)
    assert found.code == "engine-dates" and named in found.message
