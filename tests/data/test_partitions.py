"""Partitioned folders of Parquet are read in place, with the columns that their folders tell (Hive's layout)."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import abcx
from abcx.errors import DataError

SPEC = {
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
