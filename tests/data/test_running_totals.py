"""Counts by day: running totals are asked about and read as the spec says, bad rows are left out as in other files."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from abcx.checks import running_totals
from abcx.errors import DataError
from abcx.problems import render_all
from tests.support.contexts import context
from tests.support.logs import CONVERSION, look, spec, to_csv

HEADER = ["date", "arm", "units", "orders"]
Day = dict[str, tuple[int, int]]


def drawn(days: int, seed: int = 1) -> list[Day]:
    """(units, orders) by arm, of each day."""
    rng = random.Random(seed)
    return [{arm: (rng.randint(90, 130), rng.randint(5, 30)) for arm in "ab"} for _ in range(days)]


def so_far(days: list[Day]) -> list[Day]:
    return [
        {arm: (sum(d[arm][0] for d in days[: i + 1]), sum(d[arm][1] for d in days[: i + 1])) for arm in "ab"}
        for i in range(len(days))
    ]


def csv(days: list[Day]) -> str:
    first = date(2024, 6, 3)
    return to_csv(HEADER, [[first + timedelta(i), arm, *day[arm]] for i, day in enumerate(days) for arm in day])


def seen(tmp_path: Path, text: str, **options: Any) -> Any:
    return look(tmp_path, {"c.csv": text}, spec({"counts": {"file": "c.csv", **options}}, CONVERSION))


@pytest.mark.parametrize("days", [2, 7, 21])
def test_the_last_row_of_each_arm_counts_where_the_rows_hold_all_so_far(tmp_path: Path, days: int) -> None:
    each = drawn(days)
    apart, total = seen(tmp_path, csv(each)), seen(tmp_path, csv(so_far(each)), cumulative=True)
    expected = {arm: (sum(day[arm][1] for day in each), sum(day[arm][0] for day in each)) for arm in "ab"}
    assert apart.successes() == total.successes() == expected
    assert apart.observed.daily == total.observed.daily
    assert total.observed.never_fall is None


def test_counts_that_never_fall_are_asked_about_and_not_changed(tmp_path: Path) -> None:
    each = drawn(8)
    assert seen(tmp_path, csv(so_far(each))).observed.never_fall == 8
    assert seen(tmp_path, csv(so_far(each)[:7])).observed.never_fall == 7
    assert seen(tmp_path, csv(so_far(each)[:6])).observed.never_fall is None
    assert seen(tmp_path, csv(each)).observed.never_fall is None
    one_arm = [{"a": total["a"], "b": day["b"]} for total, day in zip(so_far(each), each, strict=True)]
    assert seen(tmp_path, csv(one_arm)).observed.never_fall is None
    ramp = [{arm: (total[arm][0], day[arm][1]) for arm in "ab"} for total, day in zip(so_far(each), each, strict=True)]
    assert seen(tmp_path, csv(ramp)).observed.never_fall is None  # units rise, orders fall now and then
    assert seen(tmp_path, csv([{"a": (100, 9), "b": (100, 8)}] * 9)).observed.never_fall is None
    found = seen(tmp_path, csv(so_far(each)))
    assert found.observed.units == {arm: sum(day[arm][0] for day in so_far(each)) for arm in "ab"}


def test_what_cannot_be_running_totals_is_refused(tmp_path: Path) -> None:
    each = drawn(3)
    with pytest.raises(DataError, match="fall from"):
        seen(tmp_path, csv([*so_far(each), each[0]]), cumulative=True)
    uneven = csv(so_far(each)).splitlines()[:-1]
    with pytest.raises(DataError, match="end on 2024-06-04, others on 2024-06-05"):
        seen(tmp_path, "\n".join(uneven) + "\n", cumulative=True)
    with pytest.raises(DataError, match="needs a day"):
        seen(tmp_path, "arm,units,orders\na,10,1\nb,10,2\n", cumulative=True)


def test_the_check_asks() -> None:
    days = (("2024-06-03", {"control": 1, "variant": 1}),)
    found = running_totals.check(context(kind="counts", daily=days, never_fall=9))
    assert found.status == "warn" and "9 days" in found.message and "cumulative: true" in str(found.help)
    assert running_totals.check(context(kind="counts", daily=days)).status == "pass"
    assert running_totals.check(context(kind="counts")).status == running_totals.check(context()).status == "skipped"


@pytest.mark.parametrize("bad", ["2024-06-09,a,5", "2024-06-09,a,5,1,1", "2024-06-09,a,x,1", "soon,a,5,1"])
@pytest.mark.slow
def test_bad_rows_are_left_out_and_counted_up_to_max_bad_rows(tmp_path: Path, bad: str) -> None:
    lines = csv(drawn(3)).splitlines()
    text = "\n".join([*lines[:2], bad, *lines[2:]]) + "\n"
    for most in (0, 1):
        if most == 0:
            with pytest.raises(DataError) as error:
                seen(tmp_path, text)
            assert "c.csv:3" in render_all(error.value.problems)
            continue
        found = seen(tmp_path, text, max_bad_rows=most)
        assert found.lost() == {"bad_row": (None, 1)}
        assert found.successes() == seen(tmp_path, "\n".join(lines) + "\n").successes()
    two = "\n".join([*lines, bad, bad]) + "\n"
    with pytest.raises(DataError) as error:
        seen(tmp_path, two, max_bad_rows=1)
    assert "max_bad_rows is 1, and 2 rows are bad" in render_all(error.value.problems)


def test_lines_are_right_behind_a_row_that_is_left_out(tmp_path: Path) -> None:
    lines = csv(drawn(3)).splitlines()
    text = "\n".join([*lines[:2], "2024-06-09,a,5", *lines[2:], "2024-06-09,c,5,1"]) + "\n"
    with pytest.raises(DataError) as error:
        seen(tmp_path, text, max_bad_rows=3)
    assert "c.csv:9" in render_all(error.value.problems) and "'c' is not an arm" in render_all(error.value.problems)
