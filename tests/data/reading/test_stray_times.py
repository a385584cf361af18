"""Rows dated long after all others are left out and do not move the data cut."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from abcx.checks import stray_time
from abcx.results.readout import Exclusion
from tests.support.contexts import context
from tests.support.logs import CONVERSION, DAY, iso, look, micro, spec, to_csv

START = micro("2024-06-03T00:00:00+00:00")
RETENTION: dict[str, Any] = {
    "day7": {"type": "retention", "event": "visit", "day": 7, "role": "primary", "goal": "increase"}
}
HEADER = ["unit", "time", "arm", "event"]
Row = tuple[str, int, str]


def log(days: int, seed: int = 1, units: int = 500) -> list[Row]:
    """Unit (its first letter is its arm), microseconds and event: a visit on three days after the exposure."""
    rng = random.Random(seed)
    rows: list[Row] = []
    for number in range(units):
        unit, t0 = f"{'ab'[number % 2]}{number}", START + rng.randrange(days * DAY)
        rows.append((unit, t0, "seen"))
        rows += [(unit, t0 + rng.randrange(9 * DAY), "visit") for _ in range(3)]
    return [row for row in rows if row[1] < START + days * DAY]


def csv(rows: list[Row]) -> str:
    return to_csv(HEADER, [[unit, iso(t), unit[0], event] for unit, t, event in rows])


def retained(rows: list[Row], arm: str) -> tuple[int, int]:
    """(who came back on day 7, who was followed to its end), from the definition."""
    as_of, back, followed = max(t for _, t, _ in rows), 0, 0
    for unit in {unit for unit, *_ in rows if unit[0] == arm}:
        mine = [t for other, t, _ in rows if other == unit]
        if min(mine) + 8 * DAY <= as_of:
            followed += 1
            back += any(
                min(mine) + 7 * DAY <= t < min(mine) + 8 * DAY
                for other, t, event in rows
                if (other, event) == (unit, "visit")
            )
    return back, followed


@pytest.mark.parametrize(
    "strays",
    [
        [("a0", micro("2042-01-01T00:00:00+00:00"), "visit")],
        [("a0", micro("2024-08-01T00:00:00+00:00"), "visit")],
        [("b1", micro("2031-01-01T00:00:00+00:00"), "visit"), ("a0", micro("2124-06-03T00:00:00+00:00"), "other")],
        [("b99999", micro("2042-01-01T00:00:00+00:00"), "seen")],
    ],
    ids=["another-year", "another-month", "two-years", "a-unit-of-its-own"],
)
def test_a_few_rows_of_another_year_do_not_move_the_data_cut(tmp_path: Path, strays: list[Row]) -> None:
    rows = log(14, units=900)
    assert len(rows) > 2000
    found = look(tmp_path, {"e.csv": csv([*strays, *rows])}, spec(metrics=RETENTION))
    assert found.lost()["stray_time"] == (None, len(strays))
    assert found.observed.as_of == max(t for _, t, _ in rows)
    assert found.successes("day7") == {arm: retained(rows, arm) for arm in "ab"}


@pytest.mark.slow
def test_rows_that_are_many_or_near_or_declared_are_no_strays(tmp_path: Path) -> None:
    rows = log(14)[:1000]
    last = max(t for _, t, _ in rows)
    for extra, number in ((31 * DAY, 2), (30 * DAY, 1)):  # 2 of 1,002 rows; not more than 30 days
        later = [(f"a{1000 + i}", last + extra, "visit") for i in range(number)]
        found = look(tmp_path, {"e.csv": csv([*rows, *later])}, spec(metrics=RETENTION))
        assert "stray_time" not in found.lost() and found.observed.as_of == last + extra
    far = [("a0", last + 900 * DAY, "visit")]
    found = look(tmp_path, {"e.csv": csv([*rows, *far])}, spec(metrics=RETENTION))
    assert found.lost()["stray_time"] == (None, 1)
    declared = spec(metrics=RETENTION, analysis={"as_of": iso(last)})
    lost = look(tmp_path, {"e.csv": csv([*rows, *far])}, declared).lost()
    assert lost["after_as_of"] == (None, 1) and "stray_time" not in lost


def test_one_of_exactly_a_thousand_rows_is_not_fewer(tmp_path: Path) -> None:
    rows = log(14)[:999]
    far = [("a0", max(t for _, t, _ in rows) + 90 * DAY, "visit")]
    assert "stray_time" not in look(tmp_path, {"e.csv": csv([*rows, *far])}, spec(metrics=RETENTION)).lost()


@pytest.mark.parametrize(
    ("others", "days", "strays"), [(60, 900, 1), (60, 366, 1), (60, 364, 0), (20, 900, 1), (19, 900, 0)]
)
@pytest.mark.slow
def test_in_a_small_file_a_row_of_another_year_is_one(tmp_path: Path, others: int, days: int, strays: int) -> None:
    rows = log(14)[:others]
    far = [("a0", max(t for _, t, _ in rows) + days * DAY, "visit")]
    lost = look(tmp_path, {"e.csv": csv([*rows, *far])}, spec(metrics=RETENTION)).lost()
    assert lost.get("stray_time") == ((None, 1) if strays else None)


def test_a_stray_outcome_does_not_hide_that_the_outcomes_end_early(tmp_path: Path) -> None:
    exposures = [[f"u{i}", iso(START + i * DAY // 60), "ab"[i % 2]] for i in range(900)]
    orders = [[f"u{i}", iso(START + i * DAY // 60), "purchase"] for i in range(600)]
    files = {"x.csv": to_csv(["unit", "time", "arm"], exposures), "e.csv": to_csv(["unit", "time", "event"], orders)}
    data = {"exposures": "x.csv", "events": "e.csv"}
    without = look(tmp_path, files, spec(data, CONVERSION)).observed
    files["e.csv"] += f"u0,{iso(START + 9000 * DAY)},purchase\n"
    found = look(tmp_path, files, spec(data, CONVERSION))
    assert found.observed.as_of == without.as_of == START + 599 * DAY // 60
    assert found.observed.units == without.units


def test_a_stray_exposure_is_left_out_too(tmp_path: Path) -> None:
    exposures = [[f"u{i}", iso(START + i * DAY // 100), "ab"[i % 2]] for i in range(1200)]
    exposures += [["u3", iso(START - DAY), "b"], ["late", iso(START + 400 * DAY), "a"]]
    orders = [[f"u{i}", iso(START + i * DAY // 100), "purchase"] for i in range(0, 1200, 3)]
    files = {"x.csv": to_csv(["unit", "time", "arm"], exposures), "e.csv": to_csv(["unit", "time", "event"], orders)}
    found = look(tmp_path, files, spec({"exposures": "x.csv", "events": "e.csv"}, CONVERSION))
    assert found.observed.units == {"a": 600, "b": 600} and found.lost()["stray_time"] == (None, 1)


def test_strays_are_warned_of() -> None:
    strays = (Exclusion("stray_time", "", rows=2), Exclusion("stray_time", "", rows=1))
    found = stray_time.check(context(as_of=START, exclusions=strays))
    assert found.status == "warn" and found.message.startswith("3 rows are dated") and "2024-06-03" in found.message
    assert stray_time.check(context(as_of=START)).status == "pass"
    assert stray_time.check(context()).status == "skipped"
