"""Which preset an export is for, by its header alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from abcx.drafting.preset_spec import data_lines
from abcx.drafting.recognize import recognize
from abcx.engines.local import Engine


@pytest.mark.parametrize(
    ("header", "preset"),
    [
        ("event_date,event_timestamp,event_name,event_params,user_pseudo_id", "ga4_bigquery"),
        ("user,day,clicks", None),
        ("event_name,something", None),
    ],
)
def test_a_header_tells_its_preset(tmp_path: Path, header: str, preset: str | None) -> None:
    path = tmp_path / "export.csv"
    path.write_text(f"{header}\n" + ",".join("1" for _ in header.split(",")) + "\n")
    with Engine() as engine:
        found = recognize(engine, str(path))
    assert (found.name if found else None) == preset
    if found:
        assert any(str(path) in line for line in data_lines(found, str(path), None))
