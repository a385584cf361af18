"""Partitioned folders of Parquet are read in place, with the columns that their folders tell (Hive's layout)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

import abcx
from abcx.errors import DataError
from tests.support.notes import texts

pytestmark = pytest.mark.slow

SPEC: dict[str, Any] = {
    "schema_version": 1,
    "name": "parts",
    "arms": {"control": {}, "variant": {}},
    "data": {"events": "events", "columns": {"unit": "user", "time": "at", "arm": "arm", "event": "event"}},
    "exposure": {"event": "seen"},
    "segments": ["country"],
    "metrics": {
        "orders": {"type": "conversion", "event": "order", "role": "primary", "goal": "increase"},
        "german": {"type": "conversion", "event": "order", "where": {"country": "de"}, "role": "descriptive"},
    },
}


def frame() -> pd.DataFrame:
    rows = []
    for i in range(120):
        arm, country, day = ("control", "variant")[i % 2], ("de", "fr")[i % 3 == 0], 4 + i % 5
        rows.append((f"u{i}", pd.Timestamp(2024, 3, day, 8), arm, "seen", country, f"2024-03-{day:02d}"))
        if i % 4 == 0:
            rows.append((f"u{i}", pd.Timestamp(2024, 3, day, 9), arm, "order", country, f"2024-03-{day:02d}"))
    return pd.DataFrame(rows, columns=["user", "at", "arm", "event", "country", "day"])


def test_a_hive_layout_gives_what_one_frame_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = frame()
    for (country, day), part in data.groupby(["country", "day"]):
        folder = tmp_path / "events" / f"country={country}" / f"day={day}"
        folder.mkdir(parents=True)
        part.drop(columns=["country", "day"]).to_parquet(folder / "part-0.parquet", index=False)
    monkeypatch.chdir(tmp_path)
    found, wanted = abcx.analyze(SPEC), abcx.analyze(SPEC, events=data)
    for name in ("orders", "german"):
        assert [(a.units, a.successes) for a in found[name].arms] == [(a.units, a.successes) for a in wanted[name].arms]
    assert [v.value for s in found["orders"].segments for v in s.values] == ["de", "fr"]
    assert len(found.data.files) == 10 and all(one.sha256 for one in found.data.files)
    assert sum(one.rows for one in found.data.files) == len(data)


def test_a_folder_without_parquet_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "a.csv").write_text("user,at,arm,event\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="folder without Parquet files"):
        abcx.analyze(SPEC)


def test_only_what_the_spec_names_tells_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a folder above the spec, nor one that says again what a column of the file says."""
    data, home = frame(), tmp_path / "arm=control" / "event=seen"
    inside = home / "events" / "country=de" / "event=order" / "_temporary"
    inside.mkdir(parents=True)
    data.to_parquet(inside / "part-1.parquet", index=False)
    data.drop(columns="country").to_parquet(inside.parent / "part-0.parquet", index=False)
    monkeypatch.chdir(home)
    wanted = abcx.analyze(SPEC, events=data.assign(country="de"))
    for named in ("events", str(home / "events"), "events/*/*/part*", f"{home}/events/*/event=order/part*"):
        found = abcx.analyze({**SPEC, "data": {**SPEC["data"], "events": named}}, allow_outside=True)
        assert found["german"].arms == wanted["german"].arms
        assert found["orders"].arms == wanted["orders"].arms
    where = f"{inside.parent}/part-0.parquet"
    with pytest.raises(DataError, match="no column 'country'"):
        abcx.analyze({**SPEC, "data": {**SPEC["data"], "events": where}}, allow_outside=True)


def test_folders_of_text_tell_no_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = frame()
    for day, part in data.groupby("day"):
        (tmp_path / f"day={day}").mkdir()
        part.drop(columns="day").to_csv(tmp_path / f"day={day}" / "e.csv", index=False)
        part.drop(columns="day").to_json(
            tmp_path / f"day={day}" / "e.jsonl", orient="records", lines=True, date_format="iso"
        )
    monkeypatch.chdir(tmp_path)
    wanted = abcx.analyze(SPEC, events=data)
    for named in ("day=*/*.csv", "day=*/*.jsonl"):
        source = {"file": named, "time_format": "%Y-%m-%d %H:%M:%S"} if named.endswith("csv") else named
        found = abcx.analyze({**SPEC, "data": {**SPEC["data"], "events": source}})
        assert found["orders"].arms == wanted["orders"].arms


@pytest.mark.parametrize("sign", ["_delta_log/00000000000000000000.json", "metadata/v1.metadata.json", ".hoodie/x"])
@pytest.mark.parametrize("named", ["events", "events/*.parquet", "events/**/*.parquet"])
def test_a_table_with_a_log_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sign: str, named: str) -> None:
    """Files that an update has replaced lie in the folder until somebody clears it."""
    (tmp_path / "events" / "country=de").mkdir(parents=True)
    for path in (tmp_path / "events" / "old.parquet", tmp_path / "events" / "country=de" / "new.parquet"):
        frame().drop(columns=["day"]).to_parquet(path, index=False)
    (tmp_path / "events" / sign).parent.mkdir(parents=True)
    (tmp_path / "events" / sign).write_text("{}")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="would include deleted rows") as refused:
        abcx.analyze(SPEC | {"data": {**SPEC["data"], "events": named}})
    assert "data-has-log" in str(refused.value)


def test_old_times_of_spark_are_utc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """INT96, as Spark writes by default, is an instant; `timezone` says otherwise."""
    monkeypatch.chdir(tmp_path)
    spec = {**SPEC, "period": {"start": "2024-03-01", "timezone": "America/New_York"}}
    data = frame()
    data.to_parquet("old.parquet", index=False, engine="pyarrow", use_deprecated_int96_timestamps=True)
    data.assign(at=data["at"].dt.tz_localize("UTC")).to_parquet("utc.parquet", index=False)
    data.to_parquet("naive.parquet", index=False)

    def first(file: str, **source: str) -> tuple[object, list[str]]:
        found = abcx.analyze(spec | {"data": {**SPEC["data"], "events": {"file": file, **source}}})
        return found.data.first_exposure, [note for note in texts(found.data.notes) if "INT96" in note]

    assert first("old.parquet")[0] == first("utc.parquet")[0] != first("naive.parquet")[0]
    assert len(first("old.parquet")[1]) == 1
    zone = {"timezone": "America/New_York"}
    assert first("old.parquet", **zone) == first("naive.parquet", **zone)


def test_ids_that_are_decimals(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database gives NUMBER as DECIMAL(38, 9): 1001 is that id, not 1001.000000000."""
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as connection:
        time = "TIMESTAMPTZ '2024-03-04 08:00:00Z' AS time"
        seen = f"SELECT i AS unit, {time}, ['a', 'b'][1 + i % 2] AS arm FROM range(9) t(i)"
        connection.execute(f"COPY ({seen}) TO 'x.parquet'")
        bought = f"SELECT CAST(i AS DECIMAL(38, 9)) AS unit, {time}, 'order' AS event FROM range(4) t(i)"
        connection.execute(f"COPY ({bought}) TO 'e.parquet'")
    metrics = {"orders": {"type": "conversion", "event": "order", "role": "primary", "goal": "increase"}}
    found = abcx.analyze(
        {
            "schema_version": 1,
            "name": "decimals",
            "arms": {"a": {}, "b": {}},
            "data": {"exposures": "x.parquet", "events": "e.parquet"},
            "metrics": metrics,
        }
    )
    assert [(arm.units, arm.successes) for arm in found["orders"].arms] == [(5, 2), (4, 2)]


def test_a_key_that_two_folders_tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder that is nearer to the file tells it."""
    monkeypatch.chdir(tmp_path)
    for number, inner in enumerate(("de", "fr")):
        folder = tmp_path / "events" / "country=xx" / f"country={inner}"
        folder.mkdir(parents=True)
        data = frame()
        data[data["country"] == inner].drop(columns=["country", "day"]).to_parquet(folder / f"{number}.parquet")
    found = abcx.analyze(SPEC)
    assert [value.value for one in found["orders"].segments for value in one.values] == ["de", "fr"]
