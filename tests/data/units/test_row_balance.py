"""What was read is used or left out for one reason, to the row: each reason by hand, and its place in the order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from abcx.errors import DataError
from abcx.results.readout import Balance
from tests.support.logs import look, spec, table

METRICS = {
    "orders": {"type": "conversion", "event": "order", "role": "primary", "goal": "increase", "window": "7d"},
    "spend": {
        "type": "mean",
        "event": "order",
        "value": "amount",
        "missing_value": "drop",
        "role": "secondary",
        "goal": "increase",
        "window": "7d",
    },
}
EXPOSURES = """
unit time arm team
u1 2024-05-06T10:00:00Z a _
u1 2024-05-07T10:00:00Z a _
u2 2024-05-06T10:00:00Z b _
u3 2024-05-06T10:00:00Z a _
u3 2024-05-06T11:00:00Z b _
u4 2024-05-06T10:00:00Z other _
_ 2024-05-06T10:00:00Z a _
u5 _ a _
u6 2024-05-06T10:00:00Z _ _
u7 2024-05-06T10:00:00Z a staff
u8 2024-05-01T10:00:00Z a _
u9 2024-07-01T10:00:00Z b _
oops never a _
"""
EVENTS = """
unit time event amount id
u1 2024-05-06T11:00:00Z order 5 1
u1 2024-05-06T11:00:00Z order 5 1
u1 2024-05-06T12:00:00Z order 7 2
u1 2024-05-06T09:00:00Z order 7 3
u1 2024-05-20T09:00:00Z order 7 4
u1 2024-05-06T13:00:00Z visit _ 5
u2 2024-05-06T11:00:00Z order 9 6
u3 2024-05-06T12:00:00Z order 9 7
u99 2024-05-06T12:00:00Z order 9 8
_ 2024-05-06T12:00:00Z order 9 9
u2 _ order 9 10
u2 2024-07-01T12:00:00Z order 9 11
u2 2024-05-06T12:00:00Z order x 12
u2 2024-05-06T12:00:00Z test 9 13
"""


def test_every_reason(tmp_path: Path) -> None:
    data = {
        "exposures": {"file": "x.csv", "exclude": {"staff": {"team": "staff"}}, "max_bad_rows": 5},
        "events": {"file": "e.csv", "exclude": {"test": {"event": "test"}}, "max_bad_rows": 5},
    }
    keys = {"period": {"start": "2024-05-05", "end": "2024-06-30"}, "analysis": {"as_of": "2024-06-30"}}
    found = look(tmp_path, {"x.csv": table(EXPOSURES), "e.csv": table(EVENTS)}, spec(data, METRICS, **keys))
    exposures, events = found.observed.balance
    assert exposures == Balance(
        "exposures",
        "x.csv",
        13,
        3,
        {
            "bad_row": 1,
            "by_spec": 1,
            "no_unit": 1,
            "no_time": 1,
            "after_as_of": 1,
            "outside_period": 1,
            "unknown_arm": 1,
            "no_arm": 1,
            "crossover": 2,
        },
    )
    assert events == Balance(
        "events",
        "e.csv",
        14,
        3,
        {
            "bad_row": 1,
            "by_spec": 1,
            "no_metric": 1,
            "no_unit": 1,
            "no_time": 1,
            "after_as_of": 1,
            "not_in_test": 2,
            "before_exposure": 1,
            "after_window": 1,
            "duplicate_event": 1,
        },
    )


@pytest.mark.parametrize("keys", [{}, {"exposure": {"event": "visit"}}])
def test_a_log_that_tells_the_arms_too(tmp_path: Path, keys: dict[str, Any]) -> None:
    """A row that tells an arm or the exposure is used, though no metric reads its event."""
    text = """
    unit time event amount arm
    u1 2024-05-06T10:00:00Z visit _ a
    u1 2024-05-06T11:00:00Z order 5 a
    u2 2024-05-06T10:00:00Z visit _ b
    u3 2024-05-06T10:00:00Z visit _ a
    u3 2024-05-06T11:00:00Z order 5 b
    u4 2024-05-06T11:00:00Z order 5 _
    u5 2024-05-06T10:00:00Z visit _ other
    u6 2024-05-06T10:00:00Z click _ _
    """
    found = look(tmp_path, {"e.csv": table(text)}, spec(None, METRICS, **keys))
    (events,) = found.observed.balance
    assert (events.read, events.used) == (8, 3)
    assert events.left_out == {"crossover": 2, "no_arm": 1, "no_metric": 1, "unknown_arm": 1}


@pytest.mark.parametrize(("rule", "used"), [("first", 3), ("last", 3), ("sum", 5)])
def test_rows_of_a_unit_that_stands_on_several(tmp_path: Path, rule: str, used: int) -> None:
    """u1 has three rows: of them one is used, or all where their values are summed."""
    text = "unit,arm,spend\nu1,a,1\nu1,a,2\nu1,a,3\nu2,b,4\nu3,a,5\n"
    spend = {"spend": {"type": "mean", "column": "spend", "role": "primary", "goal": "increase"}}
    found = look(tmp_path, {"u.csv": text}, spec({"units": {"file": "u.csv", "duplicates": rule}}, spend))
    left_out = {"duplicate_unit": 5 - used} if used < 5 else {}
    assert found.observed.balance == (Balance("units", "u.csv", 5, used, left_out),)


@pytest.mark.parametrize(
    ("rows", "used", "left_out"),
    [
        ("u1 10 opened 1; u1 12 solved 1", 2, {}),
        ("u1 12 opened 1; u1 10 solved 1", 0, {"end_before_start": 2}),
        ("u1 10 opened 1; u1 12 solved 1; u1 13 solved 1", 2, {"other_end": 1}),
        ("u1 10 opened 1; u1 12 solved 1; u1 13 solved 2", 2, {"end_without_start": 1}),
        ("u1 10 opened 1; u1 09 solved 1; u1 12 solved 1; u2 10 opened 3", 3, {"other_end": 1}),
    ],
)
@pytest.mark.parametrize("counted", [False, True])
def test_rows_of_tickets(tmp_path: Path, rows: str, used: int, left_out: dict[str, int], counted: bool) -> None:
    """Ends of a ticket of which another one counts, or that fit no start, are left out, unless a metric counts them."""
    events = [row.split() for row in rows.split(";")]
    text = "".join(f"{unit},2024-05-06T{hour}:00:00Z,{event},{key}\n" for unit, hour, event, key in events)
    exposed = "".join(f"u{i},2024-05-06T08:00:00Z,{'ab'[i % 2]}\n" for i in (1, 2))
    files = {"x.csv": f"unit,time,arm\n{exposed}", "e.csv": f"unit,time,event,ticket\n{text}"}
    time = {"type": "resolution_time", "start": "opened", "end": "solved", "key": "ticket", "horizon": "24h"}
    metrics = {"time": {**time, "role": "primary", "goal": "decrease"}}
    if counted:
        both = {name: {"type": "mean", "event": name, "role": "descriptive"} for name in ("opened", "solved")}
        metrics |= both
    found = look(tmp_path, files, spec({"exposures": "x.csv", "events": "e.csv"}, metrics))
    _, balance = found.observed.balance
    expected = Balance("events", "e.csv", len(events), used, left_out)
    assert balance == (Balance("events", "e.csv", len(events), len(events), {}) if counted else expected)


def test_every_file_has_a_balance_of_its_own(tmp_path: Path) -> None:
    """By hand: of the first export one row repeats an id and one has no unit; of the second one is stray, one of
    nobody in the test."""
    exposed = "".join(f"u{i},2024-05-06T08:00:00Z,{'ab'[i % 2]}\n" for i in range(40))
    first = [f"u{i},2024-05-06T09:00:00Z,order,{i}" for i in range(20)] + ["u1,2024-05-06T09:00:00Z,order,1"]
    first += [",2024-05-06T09:00:00Z,order,90"]
    second = [f"u{i},2024-05-07T09:00:00Z,order,{100 + i}" for i in range(30)] + ["zz,2024-05-06T09:00:00Z,order,91"]
    second += ["u1,2042-05-06T09:00:00Z,order,92"]
    files = {"x.csv": "unit,time,arm\n" + exposed}
    files |= {f"e{i}.csv": "\n".join(["unit,time,event,id", *rows]) for i, rows in ((1, first), (2, second))}
    events = [{"file": "e1.csv"}, {"file": "e2.csv"}]
    metrics = {"orders": {"type": "mean", "event": "order", "role": "primary", "goal": "increase"}}
    found = look(tmp_path, files, spec({"exposures": "x.csv", "events": events}, metrics))
    assert found.observed.balance == (
        Balance("exposures", "x.csv", 40, 40, {}),
        Balance("events", "e1.csv", 22, 20, {"duplicate_event": 1, "no_unit": 1}),
        Balance("events", "e2.csv", 32, 30, {"not_in_test": 1, "stray_time": 1}),
    )


UNITS = {
    "u1.csv": "unit,arm,spend,time\nu1,a,1,2024-05-06T10:00:00Z\nu2,b,4,2024-05-06T10:00:00Z\n",
    "u2.csv": "unit,arm,spend,time\nu1,a,2,2024-05-07T10:00:00Z\nu3,a,5,2024-05-07T10:00:00Z\n",
}
SPEND = {"spend": {"type": "mean", "column": "spend", "role": "primary", "goal": "increase"}}


@pytest.mark.parametrize(("rule", "used", "total"), [("first", (2, 1), 6), ("last", (1, 2), 7)])
def test_the_row_that_counts_of_a_unit_in_two_files(
    tmp_path: Path, rule: str, used: tuple[int, int], total: float
) -> None:
    """u1 stands in both files: by `first` the row of the first is used, by `last` that of the second."""
    sources = [{"file": name, "duplicates": rule} for name in UNITS]
    found = look(tmp_path, UNITS, spec({"units": sources}, SPEND))
    assert tuple(one.used for one in found.observed.balance) == used
    assert found.sums("spend")["a"] == (total, 2)


def test_sources_of_units_that_differ_in_duplicates_are_refused(tmp_path: Path) -> None:
    sources = [{"file": "u1.csv", "duplicates": "first"}, {"file": "u2.csv", "duplicates": "last"}]
    with pytest.raises(DataError) as error:
        look(tmp_path, UNITS, spec({"units": sources}, SPEND))
    assert [problem.code for problem in error.value.problems] == ["unit-rules"]
