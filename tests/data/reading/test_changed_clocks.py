"""Times without an offset in hours that the clocks of their zone skip or show twice, by zoneinfo's own answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.support.logs import look, micro, spec
from tests.support.notes import texts

BERLIN = {"timezone": "Europe/Berlin"}
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kolkata", "UTC")


def by_zoneinfo(zone: str, local: datetime) -> str:
    """`skipped`, `twice` or `plain`: whether there and back gives another time, or two moments show it."""
    place = ZoneInfo(zone)
    one, two = (local.replace(tzinfo=place, fold=fold) for fold in (0, 1))
    if one.astimezone(UTC).astimezone(place).replace(tzinfo=None) != local:
        return "skipped"
    return "twice" if one.utcoffset() != two.utcoffset() else "plain"


def notes(folder: Path, zone: str, times: list[datetime], offset: str = "") -> list[str]:
    rows = "".join(f"u{i},{t:%FT%T}{offset},{'ab'[i % 2]},purchase\n" for i, t in enumerate(times))
    found = look(folder, {"e.csv": "unit,time,arm,event\n" + rows}, spec(period={"timezone": zone}))
    return [note for note in texts(found.observed.notes) if "clocks of" in note]


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
def test_they_are_counted_as_zoneinfo_tells_them(tmp_path: Path, zone: str) -> None:
    times = [datetime(2024, 1, 1, 0, 7) + timedelta(minutes=30 * i) for i in range(2 * 24 * 366)]
    told = [by_zoneinfo(zone, t) for t in times]
    found = notes(tmp_path, zone, times)
    for kind, words in (("skipped", "skip: are they of another zone?"), ("twice", "show twice: read as the later one")):
        counts = [int(note.split()[0].replace(",", "")) for note in found if words in note]
        assert sum(counts) == told.count(kind)
    assert not notes(tmp_path, zone, times, "Z")


def test_the_second_of_two_moments_is_the_one_that_is_read(tmp_path: Path) -> None:
    text = "unit,time,arm,event\nu1,2024-10-27T02:30:00,a,purchase\nu2,2024-10-28T02:30:00,b,purchase\n"
    found = look(tmp_path, {"e.csv": text}, spec(period=BERLIN))
    assert found.observed.first_exposure == micro("2024-10-27T01:30:00+00:00")
    assert any(
        "1 time in 'time' of e.csv lies between 2024-10-27 02:00 and 03:00" in note
        for note in texts(found.observed.notes)
    )


def test_small_files_that_are_read_together_are_looked_at_too(tmp_path: Path) -> None:
    hours = [datetime(2024, 3, 31, hour, 30) for hour in range(5)]
    one = '{{"unit": "u{0}{1}", "time": "{2:%Y-%m-%dT%H:%M}", "arm": "{1}", "event": "purchase"}}\n'
    files = {f"{i}.jsonl": "".join(one.format(i, arm, t) for arm in "ab") for i, t in enumerate(hours)}
    found = look(tmp_path, files, spec({"events": {"file": list(files)}}, period=BERLIN))
    said = "2 times in 'time' of 0.jsonl and 4 more files lie between 2024-03-31 02:00 and 03:00"
    assert any(said in note and "skip" in note for note in texts(found.observed.notes))
