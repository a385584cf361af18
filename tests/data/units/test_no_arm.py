"""Units of which no row says an arm: counted, wherever the arms are told."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.support.logs import look, spec, table, to_csv

SEEN = {"exposure": {"event": "seen"}}
EVENTS = table("""
unit time arm event
u1 2024-03-04T10:00Z a seen
u1 2024-03-04T11:00Z _ purchase
u2 2024-03-04T10:00Z _ seen
u2 2024-03-04T11:00Z _ purchase
u3 2024-03-04T10:00Z b seen
u4 2024-03-04T10:00Z _ browse
""")


def test_units_of_an_event_file_without_an_arm(tmp_path: Path) -> None:
    found = look(tmp_path, {"e.csv": EVENTS}, spec(**SEEN))
    assert found.successes() == {"a": (1, 1), "b": (0, 1)}
    assert found.lost() == {"no_arm": (2, 3)}
    assert found.observed.no_arm == 1  # u2 was exposed; u4 only passed by


def test_without_an_exposure_event_the_units_are_counted_and_nothing_says_that_they_were_exposed(
    tmp_path: Path,
) -> None:
    found = look(tmp_path, {"e.csv": EVENTS}, spec())
    assert found.lost() == {"no_arm": (2, 3)} and found.observed.no_arm == 0


def test_exposures_without_an_arm(tmp_path: Path) -> None:
    exposures = table("""
unit time arm
u1 2024-03-04T09:00Z _
u1 2024-03-04T10:00Z a
u2 2024-03-04T10:00Z b
u3 2024-03-04T10:00Z _
u3 2024-03-04T11:00Z _
u4 2024-03-04T11:00Z _
u5 2024-03-04T11:00Z c
u5 2024-03-04T12:00Z _
""")
    events = table("""
unit time event
u1 2024-03-04T11:00Z purchase
u3 2024-03-04T11:00Z purchase
""")
    files = {"x.csv": exposures, "e.csv": events}
    found = look(tmp_path, files, spec(data={"exposures": "x.csv", "events": "e.csv"}))
    assert found.successes() == {"a": (1, 1), "b": (0, 1)}
    assert found.lost() == {"no_arm": (2, 5), "unknown_arm": (None, 1), "not_in_test": (None, 1)}
    assert found.observed.unknown_arm == 1 and found.observed.no_arm == 2


@pytest.mark.parametrize("empty", ["_", "''"])
def test_a_file_of_units_without_an_arm(tmp_path: Path, empty: str) -> None:
    units = table(f"unit arm bought\nu1 a 1\nu2 b 0\nu3 {empty} 1\nu4 {empty} 0").replace("''", "   ")
    bought = {"orders": {"type": "conversion", "column": "bought", "role": "primary", "goal": "increase"}}
    found = look(tmp_path, {"u.csv": units}, spec(data={"units": "u.csv"}, metrics=bought))
    assert found.successes() == {"a": (1, 1), "b": (0, 1)} and found.lost() == {"no_arm": (2, 2)}


def test_a_unit_of_an_unknown_arm_is_not_one_of_no_arm(tmp_path: Path) -> None:
    text = EVENTS + "u5,2024-03-04T10:00Z,c,seen\nu5,2024-03-04T11:00Z,,purchase\n"
    found = look(tmp_path, {"e.csv": text}, spec(**SEEN))
    assert found.lost() == {"unknown_arm": (None, 1), "no_arm": (2, 3), "not_in_test": (None, 1)}


@pytest.mark.slow
def test_random_event_files_by_a_plain_count(tmp_path: Path) -> None:
    draw = random.Random(7)
    for case in range(15):
        rows = [
            (f"u{draw.randrange(12)}", f"2024-03-04T{draw.randrange(24):02}:00Z", draw.choice(["", "", "", "a", "b"]))
            for _ in range(30)
        ]
        named = {unit for unit, _, arm in rows if arm}
        lost = [unit for unit, _, arm in rows if unit not in named]
        text = to_csv(["unit", "time", "arm", "event"], [[*row, draw.choice(["seen", "purchase"])] for row in rows])
        (folder := tmp_path / str(case)).mkdir()
        found = look(folder, {"e.csv": text}, spec()).lost()
        assert found.get("no_arm") == ((len(set(lost)), len(lost)) if lost else None)
