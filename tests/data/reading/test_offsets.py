"""Offsets of times: all rows of a column say one, or none does; letters for a zone mean one thing all year."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from abcx.data.records import Inputs
from abcx.errors import DataError
from abcx.problems import Problem
from tests.support.logs import look, micro, spec
from tests.support.notes import texts

HEADER = "unit,time,arm,event\n"


def rows(times: list[str]) -> list[dict[str, str]]:
    return [{"unit": f"u{i}", "time": time, "arm": "ab"[i % 2], "event": "purchase"} for i, time in enumerate(times)]


def refused(
    folder: Path, times: list[str], kind: str = "csv", zone: str = "Europe/Berlin", **options: object
) -> Problem:
    with pytest.raises(DataError) as caught:
        observed(folder, times, kind)
    (problem,) = caught.value.problems
    return problem


def observed(folder: Path, times: list[str], kind: str = "csv") -> list[int]:
    """The moments of exposure of the units, in order."""
    frame = pd.DataFrame(rows(times))
    content = {
        "csv": frame.to_csv(index=False, header=True),
        "jsonl": "\n".join(json.dumps(row) for row in rows(times)) + "\n",
        "frame": "",
    }[kind]
    name = "e.jsonl" if kind == "jsonl" else "e.csv"
    written = spec({"events": name}, period={"timezone": "Europe/Berlin"})
    inputs = Inputs(events=(frame,)) if kind == "frame" else None
    found = look(folder, {name: content}, written, inputs)
    by_unit = sorted(found.units, key=lambda one: int(one["unit"][1:])) if kind != "frame" else found.units
    return [one["t0"] for one in by_unit]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "frame"])
@pytest.mark.parametrize(
    ("said", "naive"),
    [
        ("2024-03-04T10:00:00Z", "2024-03-04T11:00:00"),
        ("2024-03-04 10:00:00+01:00", "2024-03-04 11:00:00"),
        ("2024-03-04 10:00:00 UTC", "2024-03-04 11:00:00.5"),
        ("2024-03-04T10:00:00Z", "2024-03-04"),
    ],
)
@pytest.mark.slow
def test_some_with_an_offset_and_some_without_are_refused(tmp_path: Path, kind: str, said: str, naive: str) -> None:
    problem = refused(tmp_path, [said, said, naive, said, naive], kind)
    assert problem.code == "mixed-offsets" and problem.span is not None and problem.span.path == "time"
    assert "3 times have a UTC offset" in problem.message and "2 have none" in problem.message
    assert naive in problem.message and problem.help


@pytest.mark.parametrize("late", ["2024-03-04T10:00:00Z", "2024-03-04T10:00:00"])
def test_one_late_row_is_seen(tmp_path: Path, late: str) -> None:
    others = "2024-03-04T11:00:00" if late.endswith("Z") else "2024-03-04T11:00:00Z"
    problem = refused(tmp_path, [others] * 3000 + [late])
    counts = ("1 times", "3,000 have none") if late.endswith("Z") else ("3,000 times", "1 have none")
    assert all(count in problem.message for count in counts)


def test_rows_that_are_left_out_do_not_count(tmp_path: Path) -> None:
    times = ["2024-03-04T10:00:00Z"] * 4
    content = HEADER + "".join(f"u{i},{time},{'ab'[i % 2]},purchase\n" for i, time in enumerate(times))
    content += "u9,2024-03-04T10:00:00,a,test\n"
    kept = spec({"events": {"file": "e.csv", "exclude": {"test": {"event": "test"}}}})
    found = look(tmp_path, {"e.csv": content}, kept)
    assert found.successes() == {"a": (2, 2), "b": (2, 2)}
    assert not [note for note in texts(found.observed.notes) if "no timezone" in note]


def test_a_header_that_stands_again_has_no_time(tmp_path: Path) -> None:
    content = HEADER + "".join(f"u{i},2024-03-04T10:00:00Z,{'ab'[i % 2]},purchase\n" for i in range(4))
    glued = look(tmp_path, {"e.csv": content + HEADER + "u5,2024-03-04T10:00:00Z,b,purchase\n"}, spec())
    assert not [note for note in texts(glued.observed.notes) if "no timezone" in note]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize("letters", ["EST", "MST", "PST", "HST", "GMT"])
@pytest.mark.parametrize("day", ["2024-01-10", "2024-07-10", "2024-03-09", "2024-03-11", "2024-11-02", "2024-11-04"])
@pytest.mark.slow
def test_letters_mean_one_thing_or_are_refused(tmp_path: Path, kind: str, letters: str, day: str) -> None:
    """The oracle: the standard offset of the place, wherever the clock of that place shows it on that day."""
    places = {"EST": "New_York", "MST": "Denver", "PST": "Los_Angeles"}
    hours = {"EST": -5, "MST": -7, "PST": -8, "HST": -10, "GMT": 0}[letters]
    moment = datetime.fromisoformat(f"{day}T10:00:00")
    place = ZoneInfo(f"America/{places[letters]}") if letters in places else None
    times = [f"{day} 10:00:00 {letters}"] * 4
    if place is not None and moment.replace(tzinfo=place).dst():
        problem = refused(tmp_path, times, kind)
        assert (
            problem.code == "ambiguous-time"
            and f"{letters} in summer" in problem.message
            and "4 such" in problem.message
        )
    else:
        expected = micro(moment.replace(tzinfo=UTC).isoformat()) - hours * 3_600_000_000
        assert observed(tmp_path, times, kind) == [expected] * 4


@pytest.mark.parametrize("letters", ["EDT", "PDT", "CEST", "CET", "BST", "AEDT", "MSK"])
def test_other_letters_are_refused(tmp_path: Path, letters: str) -> None:
    problem = refused(tmp_path, ["2024-01-10 10:00:00 UTC"] * 2 + [f"2024-07-10 10:00:00 {letters}"] * 2)
    assert f"10:00:00 {letters}" in problem.message
    assert problem.help is not None and "in UTC, or with offsets" in problem.help


def test_a_late_name_of_a_zone_is_seen(tmp_path: Path) -> None:
    problem = refused(tmp_path, ["2024-03-04 10:00:00Z"] * 3000 + ["2024-07-04 10:00:00 BST"])
    assert problem.code == "ambiguous-time"
