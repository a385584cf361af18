"""Fields of structures in Parquet files, as warehouses export them, by the name `outer.inner`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

import abcx

pytestmark = pytest.mark.slow

ROW = """
SELECT 'u' || i % 90 AS user_pseudo_id, 'view' AS event_name, to_timestamp(1709550000 + i) AS seen_at,
    ['control', 'variant'][1 + i % 90 % 2] AS arm, {columns}
FROM range(900) t(i)
"""
NESTED = """
    CASE WHEN i % 3 = 0 THEN {'purchase_revenue': i / 4, 'transaction_id': 't' || i, 'deep': {'a': i}} END AS ecommerce,
    {'category': ['web', 'app'][1 + i % 2], 'os.name': 'x'} AS device, [{'key': 'k', 'value': i}] AS event_params
"""
FLAT = """
    CASE WHEN i % 3 = 0 THEN i / 4 END AS "ecommerce.purchase_revenue", ['web', 'app'][1 + i % 2] AS "device.category",
    'x' AS "device.os.name"
"""


def analyzed(file: str, where: dict[str, Any]) -> Any:
    metric = {"event": "view", "where": where, "role": "primary", "goal": "increase"}
    results = abcx.analyze(
        {
            "schema_version": 1,
            "name": "shop",
            "arms": {"control": {}, "variant": {}},
            "data": {
                "events": {
                    "file": file,
                    "columns": {"unit": "user_pseudo_id", "event": "event_name", "time": "seen_at"},
                }
            },
            "metrics": {
                "revenue": {"type": "mean", "value": "ecommerce.purchase_revenue", "missing_value": "zero", **metric}
            },
        }
    )
    found = json.loads(json.dumps(results.to_dict()), parse_float=lambda digits: float(f"{float(digits):.9g}"))
    return found["metrics"]


@pytest.mark.parametrize("where", [{}, {"device.category": "app"}, {"device.os.name": "x"}])
@pytest.mark.parametrize("files", [1, 3])
def test_fields_of_structures_are_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: dict[str, Any], files: int
) -> None:
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"COPY ({ROW.replace('{columns}', FLAT)}) TO 'flat.parquet'")
        rows = ROW.replace("{columns}", NESTED)
        for file in range(files):
            part = f"SELECT * FROM ({rows}) WHERE epoch(seen_at)::BIGINT % {files} = {file}"
            connection.execute(f"COPY ({part}) TO 'nested-{file}.parquet'")
    assert analyzed("nested-*.parquet", where) == analyzed("flat.parquet", where)


def test_a_column_of_that_name_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as connection:
        flat = ROW.replace("{columns}", FLAT + ", {'purchase_revenue': 1e6, 'other': 2} AS ecommerce")
        connection.execute(f"COPY ({flat}) TO 'both.parquet'")
        connection.execute(f"COPY ({ROW.replace('{columns}', FLAT)}) TO 'flat.parquet'")
    assert analyzed("both.parquet", {}) == analyzed("flat.parquet", {})


def test_names_that_clash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A field of one structure and one of another may have one name; a structure may be called as the engine calls its
    own."""
    monkeypatch.chdir(tmp_path)
    odd = ", {'b.c': 1} AS a, {'c': 2} AS \"a.b\", {'x': 1} AS unnamed_subquery, {'y': 1} AS structure, 3 AS alone"
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({ROW.replace('{columns}', FLAT + odd)}) TO 'odd.parquet'")
        connection.execute(f"COPY ({ROW.replace('{columns}', FLAT)}) TO 'flat.parquet'")
    for where in ({}, {"a.b.c": 1, "unnamed_subquery.x": 1, "structure.y": 1}):
        assert analyzed("odd.parquet", where)[0]["arms"] == analyzed("flat.parquet", {})[0]["arms"]
