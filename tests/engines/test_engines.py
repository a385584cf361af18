"""The same spec on DuckDB, on a PostgreSQL server and on a local Spark session: the same JSON, relative 1e-9."""

from __future__ import annotations

import math
from typing import Any

import pytest

import abcx
from abcx.engines import remote
from tests.support import shop

pa = pytest.importorskip("pyarrow")


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two JSON documents differ, but for how files are named and read."""
    if path in ("/setup", "/data/files", "/data/notes", "/data/balance"):  # rows elsewhere have no balance
        return []
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return [f"{path}: {sorted(one.keys() ^ other.keys())}"]
        return [found for key in one for found in differences(one[key], other[key], f"{path}/{key}")]
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return [f"{path}: {len(one)} and {len(other)}"]
        return [
            found for i, pair in enumerate(zip(one, other, strict=True)) for found in differences(*pair, f"{path}/{i}")
        ]
    same = one == other
    if isinstance(one, float) and isinstance(other, float):
        same = math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return [] if same else [f"{path}: {one!r} and {other!r}"]


VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "covariates": {"analysis": {"covariates": {"pre_period": "2d"}, "stratify": ["device"], "as_of": "2024-03-28"}},
    "exposure event": {"exposure": {"event": "view"}, "analysis": {"interval": "analytic"}},
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Parquet files of the shop."""
    import pyarrow.parquet as parquet  # type: ignore[import-untyped,unused-ignore]

    folder = tmp_path_factory.mktemp("shop")
    for name, table in shop.rows().items():
        parquet.write_table(table, folder / f"{name}.parquet")
    return {name: str(folder / f"{name}.parquet") for name in ("exposures", "buys", "others", "units")}


@pytest.fixture(scope="module")
def own(sources: dict[str, str]) -> dict[str, Any]:
    """What DuckDB finds."""
    spec = shop.spec(sources)
    return {name: abcx.analyze(spec | more, allow_outside=True).to_dict() for name, more in VARIANTS.items()}


@pytest.fixture(scope="module")
def tables(postgres: str, sources: dict[str, str]) -> dict[str, str]:
    """The same rows in tables of a schema, one of whose names is one of abcx's own."""
    import csv
    import io

    import psycopg

    types = {
        "at": "timestamptz",
        "amount": "numeric(12, 2)",
        "score": "real",
        "age": "integer",
        "device": "varchar(20)",
    }
    with psycopg.connect(postgres, autocommit=True) as server:
        server.execute('DROP SCHEMA IF EXISTS "shop" CASCADE')
        server.execute('CREATE SCHEMA "shop"')
        for name, table in shop.rows().items():
            columns = ", ".join(f'"{column}" {types.get(column, "text")}' for column in table.column_names)
            server.execute(f'CREATE TABLE "shop"."{name}" ({columns})')
            text = io.StringIO()
            rows = zip(*(table.column(column).to_pylist() for column in table.column_names), strict=True)
            csv.writer(text).writerows(
                [int(v) if c == "age" else v for c, v in zip(table.column_names, row, strict=True)] for row in rows
            )
            with server.cursor().copy(f'COPY "shop"."{name}" FROM STDIN (FORMAT csv)') as copy:
                copy.write(text.getvalue())
    return {name: f"shop.{name}" for name in sources}


@pytest.mark.parametrize("variant", VARIANTS)
def test_postgresql_finds_the_same(variant: str, postgres: str, tables: dict[str, str], own: dict[str, Any]) -> None:
    found = abcx.analyze(shop.spec(tables) | VARIANTS[variant], engine=postgres).to_dict()
    assert differences(own[variant], found) == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_spark_finds_the_same(variant: str, spark: str, sources: dict[str, str], own: dict[str, Any]) -> None:
    found = abcx.analyze(shop.spec(sources) | VARIANTS[variant], engine=spark, allow_outside=True).to_dict()
    assert differences(own[variant], found) == []


@pytest.mark.parametrize("variant", VARIANTS)
def test_postgresql_sums_up_the_units_itself(
    variant: str, postgres: str, tables: dict[str, str], own: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for many units: no row of a unit is fetched."""
    monkeypatch.setattr(remote, "MOST_FETCHED", 0)
    fetched: list[str] = []
    fetch = remote.Remote._fetch

    def recorded(self: remote.Remote, name: str, query: str) -> None:
        fetched.append(name)
        fetch(self, name, query)

    monkeypatch.setattr(remote.Remote, "_fetch", recorded)
    found = abcx.analyze(shop.spec(tables) | VARIANTS[variant], engine=postgres).to_dict()
    assert differences(own[variant], found) == []
    assert set(fetched) <= {"arrays"}


@pytest.mark.slow
def test_spark_sums_up_the_units_itself(
    spark: str, sources: dict[str, str], own: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "MOST_FETCHED", 0)
    found = abcx.analyze(shop.spec(sources) | VARIANTS["covariates"], engine=spark, allow_outside=True).to_dict()
    assert differences(own["covariates"], found) == []
