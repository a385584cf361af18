"""Tickets that end before they start, and ends that no start goes before: counted by arm, never taken for open ones."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from abcx.checks import ticket_times
from abcx.data.records import MetricData, TicketTimes
from abcx.errors import DataError
from tests.support.contexts import context, experiment
from tests.support.logs import HOUR, Look, iso, look, micro, spec, to_csv

START = micro("2024-05-06T00:00:00+00:00")
TTR: dict[str, Any] = {
    "type": "resolution_time",
    "start": "opened",
    "end": "solved",
    "key": "ticket",
    "horizon": "72h",
    "role": "primary",
    "goal": "decrease",
}
DATA = {"exposures": "x.csv", "events": "e.csv"}
Row = tuple[str, float, str, str]
"""Unit (its first letter is its arm), hours since the start, event, ticket."""


def seen(tmp_path: Path, rows: list[Row], exposed: float = 0, **rest: Any) -> Look:
    units = sorted({unit for unit, *_ in rows} | {"a0", "b0"})
    exposures = to_csv(["unit", "time", "arm"], [[unit, iso(START + int(exposed * HOUR)), unit[0]] for unit in units])
    events = [[unit, iso(START + int(hours * HOUR)), event, ticket] for unit, hours, event, ticket in rows]
    files = {"x.csv": exposures, "e.csv": to_csv(["unit", "time", "event", "ticket"], events)}
    return look(tmp_path, files, spec(DATA, {"ttr": TTR, **rest}))


def expected(rows: list[Row], arm: str, exposed: float = 0) -> tuple[list[float | None], int, int]:
    """Hours of every ticket (None: open), tickets that end before they start, and ends that no start goes with."""
    mine = [row for row in rows if row[0][0] == arm]
    starts = {(u, k): [h for u2, h, e, k2 in mine if (u2, k2, e) == (u, k, "opened")] for u, _, _, k in mine}
    ends = {(u, k): [h for u2, h, e, k2 in mine if (u2, k2, e) == (u, k, "solved")] for u, _, _, k in mine}
    hours: list[float | None] = []
    early = 0
    for ticket, opened in starts.items():
        inside = [h for h in opened if h >= exposed]
        if not inside:
            continue
        later = [h for h in ends[ticket] if h >= min(inside)]
        odd = [h for h in ends[ticket] if h < min(opened)]
        if later:
            hours.append(min(later) - min(inside))
        elif odd:
            early += 1
        else:
            hours.append(None)
    lone = sum(h >= exposed for ticket, found in ends.items() if not starts[ticket] for h in found)
    return hours, early, lone


def check(found: Look, rows: list[Row], exposed: float = 0) -> None:
    by_reason = {one.reason: one.by_arm for one in found.observed.exclusions}
    for arm in "ab":
        hours, early, lone = expected(rows, arm, exposed)
        life = found["ttr"][arm]
        assert sorted(life.durations[life.observed]) == pytest.approx(sorted(h for h in hours if h is not None))
        assert int((~life.observed).sum()) == hours.count(None)
        assert by_reason.get("end_before_start", {}).get(arm, 0) == early
        assert by_reason.get("end_without_start", {}).get(arm, 0) == lone


def test_a_ticket_that_ends_before_it_starts_is_left_out_and_counted(tmp_path: Path) -> None:
    rows: list[Row] = [("a1", 10, "opened", "t1"), ("a1", 9.5, "solved", "t1")]
    rows += [
        ("a2", 10, "opened", "t2"),
        ("a2", 30, "solved", "t2"),
        ("b1", 5, "opened", "t3"),
        ("b1", 6, "solved", "t3"),
    ]
    found = seen(tmp_path, rows)
    assert found.lost()["end_before_start"] == (None, 1)
    check(found, rows)
    assert found.observed.metrics["ttr"].tickets["a"] == TicketTimes(2, 1, 2, 0)
    assert found.observed.metrics["ttr"].tickets["b"] == TicketTimes(1, 0, 1, 0)


def test_a_ticket_that_was_opened_again_is_still_open(tmp_path: Path) -> None:
    rows: list[Row] = [("a1", 1, "opened", "t1"), ("a1", 2, "solved", "t1"), ("a1", 30, "opened", "t1")]
    found = seen(tmp_path, [*rows, ("b1", 40, "opened", "t2")], exposed=20)
    check(found, [*rows, ("b1", 40, "opened", "t2")], exposed=20)
    assert "end_before_start" not in found.lost()


def test_an_end_before_and_an_end_after_is_ended(tmp_path: Path) -> None:
    rows: list[Row] = [("a1", 10, "opened", "t1"), ("a1", 9, "solved", "t1"), ("a1", 12, "solved", "t1")]
    rows += [("b1", 1, "opened", "t1")]
    check(seen(tmp_path, rows), rows)


def test_ends_that_no_start_goes_with_are_counted_by_arm(tmp_path: Path) -> None:
    rows: list[Row] = [("a1", 10, "opened", "1001"), ("a1", 12, "solved", "#1001"), ("b1", 4, "solved", "77")]
    rows += [("b1", 5, "opened", "78"), ("b1", 6, "solved", "78"), ("b2", 7, "solved", "78")]  # of another unit
    found = seen(tmp_path, rows)
    assert found.lost()["end_without_start"] == (None, 3)
    check(found, rows)


def test_two_metrics_of_the_same_tickets_count_them_once(tmp_path: Path) -> None:
    rows: list[Row] = [("a1", 10, "opened", "t1"), ("a1", 9, "solved", "t1"), ("b1", 4, "opened", "t2")]
    found = seen(tmp_path, rows, longer={**TTR, "horizon": "5d", "role": "secondary"})
    assert found.lost()["end_before_start"] == (None, 1)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.slow
def test_random_tickets_agree_with_a_slow_count(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    rows: list[Row] = []
    for number in range(40):
        unit = f"{rng.choice('ab')}{number}"
        for _ in range(rng.randint(1, 6)):
            rows.append((unit, rng.randrange(0, 40), rng.choice(["opened", "solved"]), rng.choice("xyz")))
    rows += [("a99", 20, "opened", "x"), ("b99", 20, "opened", "x")]
    rng.shuffle(rows)
    check(seen(tmp_path, rows, exposed=12), rows, exposed=12)


SPEC = experiment(metrics={"ttr": TTR})


@pytest.mark.parametrize(
    ("control", "variant", "status", "said"),
    [
        ((200, 2, 200, 0), (200, 0, 200, 0), "pass", "2 of 400 tickets"),
        ((200, 3, 200, 0), (200, 0, 200, 0), "warn", "3 of 200 tickets in control (1.50%) end before they start"),
        ((200, 0, 200, 0), (200, 0, 150, 40), "warn", "40 of 150 ticket ends in variant (26.67%) have no start"),
        ((200, 0, 200, 0), (200, 200, 0, 0), "warn", "200 of 200 tickets in variant (100.00%) end before they start"),
        ((200, 0, 200, 0), (200, 0, 200, 0), "pass", "Every ticket"),
    ],
)
def test_more_than_one_percent_of_an_arm_warns(control: Any, variant: Any, status: str, said: str) -> None:
    data = {"ttr": MetricData({}, tickets={"control": TicketTimes(*control), "variant": TicketTimes(*variant)})}
    found = ticket_times.check(context(spec=SPEC, metrics=data))
    assert found.status == status and said in found.message
    assert (found.help is None) == (status == "pass")


def test_nothing_is_said_without_tickets() -> None:
    assert ticket_times.check(context()).status == "skipped"


AGAIN: list[Row] = [
    ("a1", 1, "opened", "7"),
    ("a1", 5, "solved", "7"),
    ("a1", 1, "opened", "7"),
    ("a1", 9, "solved", "7"),
    ("b1", 2, "opened", "8"),
    ("b1", 3, "solved", "8"),
]


@pytest.mark.parametrize(("which", "hours"), [("first", 4), ("last", 8)])
def test_a_ticket_that_was_exported_again_with_another_end(tmp_path: Path, which: str, hours: float) -> None:
    with pytest.raises(DataError) as error:
        seen(tmp_path, AGAIN)
    (problem,) = error.value.problems
    assert problem.code == "reexported" and "{ttr: {reexported: last}}" in (problem.help or "")
    found = seen(tmp_path, AGAIN, ttr={**TTR, "reexported": which})
    assert found["ttr"]["a"].durations.tolist() == [hours] and found["ttr"]["b"].durations.tolist() == [1]


@pytest.mark.parametrize(
    "rows",
    [
        [("a1", 1, "opened", "7"), ("a1", 5, "solved", "7")] * 2,  # the same row twice
        [("a1", 1, "opened", "7"), ("a1", 5, "solved", "7"), ("a1", 6, "opened", "7"), ("a1", 9, "solved", "7")],
        [("a1", 1, "opened", "7"), ("a1", 5, "solved", "7"), ("a1", 9, "solved", "7")],
        [("a1", 1, "opened", "7"), ("a1", 1, "opened", "7"), ("a1", 5, "solved", "7"), ("a1", 0.5, "solved", "7")],
    ],
)
@pytest.mark.slow
def test_tickets_that_were_opened_again_or_repeat_need_no_word(tmp_path: Path, rows: list[Row]) -> None:
    """The first end at or after the start counts, as ever; `reexported` changes nothing there."""
    rows = [*rows, ("b1", 2, "opened", "8"), ("b1", 3, "solved", "8")]
    for keys in ({}, {"reexported": "last"}):
        found = seen(tmp_path, rows, ttr={**TTR, **keys})
        assert found["ttr"]["a"].durations.tolist() == [4]


@pytest.mark.parametrize(("which", "hours"), [(None, None), ("first", 4), ("last", 8)])
def test_a_ticket_that_was_exported_again_under_one_id(tmp_path: Path, which: str | None, hours: float | None) -> None:
    """The id of an event does not decide between its two times: `reexported` does, and is asked for."""
    exposures = to_csv(["unit", "time", "arm"], [[f"{arm}1", iso(START), arm] for arm in "ab"])
    rows = [[u, iso(START + int(h * HOUR)), event, key, f"{event}{key}"] for u, h, event, key in AGAIN]
    files = {"x.csv": exposures, "e.csv": to_csv(["unit", "time", "event", "ticket", "id"], rows)}
    metrics = {"ttr": {**TTR, **({"reexported": which} if which else {})}}
    if which is None:
        with pytest.raises(DataError) as error:
            look(tmp_path, files, spec(DATA, metrics))
        assert [problem.code for problem in error.value.problems] == ["reexported"]
        return
    found = look(tmp_path, files, spec(DATA, metrics))
    assert found["ttr"]["a"].durations.tolist() == [hours] and found.observed.changed_ids == 1


def exported_again(tmp_path: Path, metrics: dict[str, Any]) -> Look:
    """The tickets `AGAIN`, each event with an id."""
    exposures = to_csv(["unit", "time", "arm"], [[f"{arm}1", iso(START), arm] for arm in "ab"])
    rows = [[u, iso(START + int(h * HOUR)), event, key, f"{event}{key}"] for u, h, event, key in AGAIN]
    files = {"x.csv": exposures, "e.csv": to_csv(["unit", "time", "event", "ticket", "id"], rows)}
    return look(tmp_path, files, spec(DATA, metrics))


@pytest.mark.parametrize(
    "other",
    [
        {**TTR, "role": "secondary", "reexported": "first"},
        {"type": "mean", "event": "solved", "role": "secondary", "goal": "increase"},
        {"type": "conversion", "event": "solved", "role": "descriptive"},
    ],
)
def test_metrics_that_would_take_different_ends_of_one_id_are_refused(tmp_path: Path, other: dict[str, Any]) -> None:
    last = {**TTR, "reexported": "last"}
    with pytest.raises(DataError) as error:
        exported_again(tmp_path, {"ttr": last, "other": other})
    (problem,) = error.value.problems
    assert problem.code == "reexported" and "'ttr' and 'other'" in problem.message
    same = {**last, "role": "secondary", "horizon": "48h"}
    found = exported_again(tmp_path, {"ttr": last, "other": same})
    assert found["ttr"]["a"].durations.tolist() == found["other"]["a"].durations.tolist() == [8]


def test_ends_of_tickets_that_began_before_the_exposure(tmp_path: Path) -> None:
    """By hand: t1 was opened before its unit saw the variant and ends after it; t2 was opened again, and is open."""
    rows: list[Row] = [("a1", 1, "opened", "t1"), ("a1", 8, "solved", "t1"), ("b1", 6, "opened", "t3")]
    rows += [("a2", 2, "opened", "t2"), ("a2", 3, "solved", "t2"), ("a2", 7, "opened", "t2")]
    found = seen(tmp_path, rows, exposed=5)
    assert found["ttr"]["a"].observed.tolist() == [False] and found["ttr"]["b"].observed.tolist() == [False]
    assert found.lost()["outside_ticket"] == (None, 1)
    events = next(one for one in found.observed.balance if one.part == "events")
    assert events.left_out == {"before_exposure": 3, "outside_ticket": 1}
    assert events.used + sum(events.left_out.values()) == events.read == len(rows)
