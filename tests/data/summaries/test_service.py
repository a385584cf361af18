"""Metrics of service from log to summary: random logs against slow loops, and what must be refused."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import abcx
from abcx.errors import DataError
from abcx.problems import render_all
from abcx.stats import mid_distribution
from tests.support import quantile_oracle, service
from tests.support.logs import iso, look, micro, spec, to_csv
from tests.support.same import alike
from tests.support.service import DAY, HOUR, Happening, Log

START = micro("2024-03-04T00:00:00+00:00")
ARMS = ("a", "b")
ASKED: dict[str, Any] = {"event": "answer", "value": "value", "role": "secondary", "goal": "increase"}
TICKETS: dict[str, Any] = {
    "type": "resolution_time",
    "start": "opened",
    "end": "solved",
    "key": "ticket",
    "role": "secondary",
    "goal": "decrease",
}
METRICS: dict[str, Any] = {
    "buyers": {"type": "conversion", "event": "visit", "role": "primary", "goal": "increase"},
    "twice": {"type": "conversion", "event": "visit", "at_least": 2, "role": "secondary", "goal": "increase"},
    "day_1": {"type": "retention", "event": "visit", "day": 1, "role": "secondary", "goal": "increase"},
    "bracket": {"type": "retention", "event": "visit", "within": ["6h", "2d"], "role": "secondary", "goal": "increase"},
    "rolling": {
        "type": "retention",
        "event": "visit",
        "day": 1,
        "rolling": True,
        "role": "secondary",
        "goal": "increase",
    },
    "lost": {"type": "churn", "event": "cancel", "horizon": "2d", "role": "secondary", "goal": "decrease"},
    "time": {**TICKETS, "horizon": "12h", "reexported": "first"},
    "first": {**ASKED, "type": "csat", "where": {"question": "q"}, "scale": [1, 5], "invited": "asked"},
    "last": {**ASKED, "type": "ces", "where": {"question": "q"}, "scale": [1, 5], "response": "last"},
    "recommend": {**ASKED, "type": "nps", "where": {"question": "nps"}, "scale": [0, 10], "window": "12h"},
    "p50": {"type": "quantile", "q": 0.5, "of": "units", "event": "visit", "role": "secondary", "goal": "increase"},
    "p80": {**ASKED, "type": "quantile", "q": 0.8, "of": "units", "event": "visit"},
    "waits": {**ASKED, "type": "quantile", "q": 0.7, "of": "events", "event": "visit"},
}
WINDOW = DAY


def drawn(seed: int, n: int = 30) -> Log:
    """A log whose times fall on the edges of windows more often than not, in any order."""
    rng = random.Random(seed)
    log = Log({}, {})
    for number in range(n):
        unit = f"u{number}"
        log.arms[unit], log.t0[unit] = rng.choice(ARMS), START + rng.randrange(0, 4 * DAY, 3 * HOUR)
        log.rows += _of_unit(rng, unit, log.t0[unit])
    log.as_of = START + rng.choice([2 * DAY, 3 * DAY, 5 * DAY]) + rng.randrange(0, 12 * HOUR)
    for unit in [unit for unit, t0 in log.t0.items() if t0 > log.as_of]:
        del log.arms[unit], log.t0[unit]
    rng.shuffle(log.rows)
    return log


def _of_unit(rng: random.Random, unit: str, t0: int) -> Iterator[Happening]:
    def at() -> int:
        near = rng.choice([0, 0, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 2 * DAY])
        return t0 + near + rng.choice([-1, 0, 0, 1, rng.randrange(-2 * HOUR, 30 * HOUR)])

    for _ in range(rng.choice([0, 1, 2, 5])):
        yield Happening(unit, at(), "visit", rng.randrange(0, 9))
    for _ in range(rng.choice([0, 0, 1, 2])):
        yield Happening(unit, at(), "cancel")
    for _ in range(rng.choice([0, 0, 1, 3])):
        ticket, opened = rng.choice(["t1", "t2", f"{unit}-x"]), at()
        yield Happening(unit, opened, "opened", ticket=ticket)
        for _ in range(rng.choice([0, 1, 1, 2])):
            yield Happening(unit, opened + rng.choice([-HOUR, 0, 1, 5 * HOUR, 40 * HOUR]), "solved", ticket=ticket)
    if rng.random() < 0.6:
        yield Happening(unit, t0 + rng.choice([-1, 0, 5, DAY]), "asked")
    for question, most in (("q", 5), ("nps", 10)):
        when = at()
        for _ in range(rng.choice([0, 1, 1, 3])):
            yield Happening(unit, when, "answer", rng.randint(most % 2, most), question=question)
            when = rng.choice([when, at()])


def tables(log: Log) -> dict[str, pd.DataFrame]:
    exposures = [(unit, iso(t0), log.arms[unit]) for unit, t0 in log.t0.items()]
    rows = [(r.unit, iso(r.t), r.event, r.value, r.ticket, r.question) for r in log.rows]
    return {
        "exposures": pd.DataFrame(exposures, columns=["unit", "time", "arm"]),
        "events": pd.DataFrame(rows, columns=["unit", "time", "event", "value", "ticket", "question"]).astype(
            {"value": "Int64"}
        ),
    }


def promised(log: Log, **rest: Any) -> dict[str, Any]:
    return spec(
        {"exposures": "x.csv", "events": {"file": "e.csv", "ties": "file_order"}},
        METRICS,
        window="24h",
        analysis={"as_of": iso(log.as_of)},
        **rest,
    )


def files(log: Log) -> dict[str, str]:
    return {
        {"exposures": "x.csv", "events": "e.csv"}[part]: frame.to_csv(index=False)
        for part, frame in tables(log).items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(16))
def test_random_logs_agree_with_slow_loops(seed: int) -> None:
    log = drawn(seed)
    with tempfile.TemporaryDirectory() as folder:
        found = look(Path(folder), files(log), promised(log))
    for arm in ARMS:
        n = len(log.units(arm))
        assert found.observed.units[arm] == n
        for least, name in ((1, "buyers"), (2, "twice")):
            followed = log.followed(arm, WINDOW)
            hits = sum(len(log.of(unit, "visit", 0, WINDOW)) >= least for unit in followed)
            assert (found[name][arm].successes, found[name][arm].n) == (hits, len(followed))
            assert found.observed.metrics[name].not_followed.get(arm, 0) == n - len(followed)
        for name, span in (("day_1", (DAY, 2 * DAY)), ("bracket", (6 * HOUR, 2 * DAY))):
            _check_retention(found, name, arm, service.retention(log, arm, "visit", *span))
        _check_retention(found, "rolling", arm, service.retention(log, arm, "visit", DAY, 2 * DAY, rolling=True))
        lost = service.churn(log, arm, "cancel", 2 * DAY)
        _check_lives(found["lost"][arm], len(lost), lost)
        lives = [((last - first) / HOUR, ended) for _, _, first, last, ended in service.tickets(log, arm, WINDOW)]
        _check_lives(found["time"][arm], n, lives)
        assert found["time"][arm].n == len({unit for unit, *_ in service.tickets(log, arm, WINDOW)})
        _check_answers(found, log, arm)
        _check_quantiles(found, log, arm)


def _check_retention(found: Any, name: str, arm: str, expected: tuple[int, int, int]) -> None:
    summary, data = found[name][arm], found.observed.metrics[name]
    assert (summary.successes, summary.n, data.not_followed.get(arm, 0)) == expected
    assert not any(data.missing.values())


def _check_lives(summary: Any, units: int, expected: list[tuple[float, bool]]) -> None:
    lives = sorted(zip(summary.durations.tolist(), summary.observed.tolist(), strict=True))
    assert summary.units == units
    assert [ended for _, ended in lives] == [ended for _, ended in sorted(expected)]
    assert [hours for hours, _ in lives] == pytest.approx([hours for hours, _ in sorted(expected)], rel=1e-12)


def _check_answers(found: Any, log: Log, arm: str) -> None:
    asked = {
        "first": ("q", "first", WINDOW, 1, 5),
        "last": ("q", "last", WINDOW, 1, 5),
        "recommend": ("nps", "first", 12 * HOUR, 0, 10),
    }
    for name, (question, which, window, low, high) in asked.items():
        mine = list(service.answers(log, arm, "answer", question, which, window).values())
        assert (found[name][arm].low, found[name][arm].counts) == (
            low,
            tuple(mine.count(answer) for answer in range(low, high + 1)),
        )
        response = found.observed.metrics[name].responses[arm]
        followed = log.followed(arm, window)
        invited = sum(bool(log.of(unit, "asked", 0, window)) for unit in followed) if name == "first" else None
        assert (response.exposed, response.invited, response.answered, response.repeats) == (
            len(followed),
            invited,
            len(mine),
            service.repeats(log, arm, "answer", question, window),
        )


def _check_quantiles(found: Any, log: Log, arm: str) -> None:
    followed = log.followed(arm, WINDOW)
    visits = {unit: log.of(unit, "visit", 0, WINDOW) for unit in log.units(arm)}
    events = [(float(row.value or 0), unit) for unit, rows in visits.items() for row in rows]
    visits = {unit: visits[unit] for unit in followed}
    counts = [float(len(rows)) for rows in visits.values()]
    sums = [float(sum(row.value or 0 for row in rows)) for rows in visits.values()]
    for name, q, values, units in (
        ("p50", 0.5, counts, None),
        ("p80", 0.8, sums, None),
        ("waits", 0.7, [v for v, _ in events], [u for _, u in events]),
    ):
        summary = found[name][arm]
        if not values:
            assert (summary.n, summary.total, mid_distribution.value(summary)) == (0, 0, None)
            continue
        counts_of = sorted(Counter(values).items())
        below = [sum(v < value for v in values) for value, _ in counts_of]
        assert [*zip(summary.values, summary.equal, strict=True)] == counts_of and summary.below.tolist() == below
        assert mid_distribution.value(summary) == pytest.approx(quantile_oracle.quantile(values, q), rel=1e-12)
        assert (summary.q, summary.total) == (q, len(values))
        assert summary.n == (len(values) if units is None else len(set(units)))
        if units is not None and summary.n > 1 and len(counts_of) > 1:
            design = [float(np.interp(q, summary.levels, one)) for one in (summary.design, summary.df)]
            assert design == pytest.approx(quantile_oracle.design(values, units, q), rel=1e-9)


@pytest.mark.slow
def test_frames_and_files_give_the_same_results() -> None:
    log = drawn(3)
    written = promised(log)
    frames = tables(log)
    of_frames = abcx.analyze(written, events=frames["events"], exposures=frames["exposures"])
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files(log).items():
            (Path(folder) / name).write_text(text)
        of_files = abcx.analyze(written, events=f"{folder}/e.csv", exposures=f"{folder}/x.csv")
    for one_way, other in zip(of_frames.to_dict()["metrics"], of_files.to_dict()["metrics"], strict=True):
        assert alike(one_way, other), one_way["name"]
    lives = [((last - first) / HOUR, ended) for _, _, first, last, ended in service.tickets(log, "a", WINDOW)]
    expected = service.kaplan_meier_mean(lives, 12.0)
    assert of_frames["time"].arms[0].value == pytest.approx(expected, rel=1e-12)


def one(metric: dict[str, Any]) -> dict[str, Any]:
    return {"m": {**metric, "role": "primary", "goal": metric.get("goal", "increase")}}


def seen(*units: str, at: str = "2024-03-04T00:00:00Z") -> str:
    return to_csv(["unit", "time", "arm"], [[unit, at, unit[0]] for unit in units])


def events(*rows: list[Any]) -> str:
    return to_csv(["unit", "time", "event", "value", "ticket", "question"], rows)


BOTH = {"exposures": "x.csv", "events": "e.csv"}


def refused(tmp_path: Path, metric: dict[str, Any], *rows: list[Any]) -> str:
    with pytest.raises(DataError) as error:
        look(tmp_path, {"x.csv": seen("a1", "b1"), "e.csv": events(*rows)}, spec(BOTH, one(metric)))
    return render_all(error.value.problems)


NPS = {"type": "nps", "event": "answer", "value": "value", "scale": [0, 10]}


@pytest.mark.parametrize("value", ["11", "-1", "8.5"])
@pytest.mark.slow
def test_answers_off_the_scale_are_refused_with_their_line(tmp_path: Path, value: str) -> None:
    good = ["a1", "2024-03-05T00:00:00Z", "answer", 10, None, None]
    told = refused(tmp_path, NPS, good, [*good[:3], value, None, None])
    assert "e.csv:3" in told and "(value)" in told and f"'{value}'" in told and "0 to 10" in told


@pytest.mark.slow
def test_an_empty_answer_is_an_error_unless_it_is_dropped(tmp_path: Path) -> None:
    rows = [["a1", "2024-03-05T00:00:00Z", "answer", value, None, None] for value in (None, 9)]
    told = refused(tmp_path, NPS, *rows)
    assert "e.csv:2" in told and "missing_value: drop" in told and "zero" not in told
    files = {"x.csv": seen("a1", "b1"), "e.csv": events(*rows)}
    found = look(tmp_path, files, spec(BOTH, one({**NPS, "missing_value": "drop"})))
    assert found["m"]["a"].counts == (0,) * 9 + (1, 0)
    assert found.observed.metrics["m"].responses["a"].repeats == 0


def test_a_ticket_without_its_key_is_refused_with_its_line(tmp_path: Path) -> None:
    rows = [["a1", "2024-03-05T00:00:00Z", "opened", None, key, None] for key in ("t1", None, "  ")]
    told = refused(tmp_path, {**TICKETS, "horizon": "2d"}, *rows)
    assert "e.csv:3" in told and "(ticket)" in told and "2 such rows" in told and "every ticket needs its name" in told


def test_answers_in_a_column_of_units(tmp_path: Path) -> None:
    rows: list[list[Any]] = [["u1", "a", 10], ["u2", "a", None], ["u3", "a", 3], ["u4", "b", 7]]
    text = to_csv(["unit", "arm", "score"], rows)
    metric = {"type": "nps", "column": "score", "scale": [0, 10]}
    found = look(tmp_path, {"u.csv": text}, spec({"units": "u.csv"}, one(metric)))
    assert found["m"]["a"].counts == (0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1)
    response = found.observed.metrics["m"].responses["a"]
    assert (response.exposed, response.invited, response.answered, response.repeats) == (3, None, 2, 0)
    with pytest.raises(DataError, match="12") as error:
        look(tmp_path, {"u.csv": text + "u5,b,12\n"}, spec({"units": "u.csv"}, one(metric)))
    assert "u.csv:6 (score)" in render_all(error.value.problems)


def test_one_file_may_hold_several_times_of_a_ticket(tmp_path: Path) -> None:
    header = ["unit", "opened_at", "solved_at", "ticket"]
    rows: list[list[Any]] = [
        ["a1", "2024-03-04T01:00:00Z", "2024-03-04T03:00:00Z", "t1"],
        ["a1", "2024-03-04T01:00:00Z", "2024-03-04T04:00:00Z", "t2"],  # opened at the same moment
        ["b1", "2024-03-04T02:00:00Z", None, "t1"],  # another unit's ticket of the same name, still open
        ["b1", "2024-03-05T00:00:00Z", "2024-03-04T23:00:00Z", "t3"],  # ends before it starts: left out
    ]
    data = {
        "exposures": "x.csv",
        "events": [
            {"file": "t.csv", "columns": {"time": time}, "event": event}
            for time, event in (("opened_at", "opened"), ("solved_at", "solved"))
        ],
    }
    files = {"x.csv": seen("a1", "b1"), "t.csv": to_csv(header, rows)}
    found = look(
        tmp_path, files, spec(data, one({**TICKETS, "horizon": "1h"}), analysis={"as_of": "2024-03-05T02:00:00Z"})
    )
    _check_lives(found["m"]["a"], 1, [(2.0, True), (3.0, True)])
    _check_lives(found["m"]["b"], 1, [(24.0, False)])
    assert found.lost()["end_before_start"] == (None, 1)


def test_events_without_times_have_quantiles_too(tmp_path: Path) -> None:
    rows = [["a1", "call", 3], ["a1", "call", 9], ["a1", "call", 4], ["b1", "call", 5]]
    metric = {"type": "quantile", "q": 0.5, "of": "events", "event": "call", "value": "value"}
    files = {"x.csv": seen("a1", "b1"), "e.csv": to_csv(["unit", "event", "value"], rows)}
    untimed = {"x.csv": to_csv(["unit", "arm"], [["a1", "a"], ["b1", "b"]]), "e.csv": files["e.csv"]}
    for some in (files, untimed):
        found = look(tmp_path, some, spec(BOTH, one(metric)))
        assert [mid_distribution.value(found["m"][arm]) for arm in "ab"] == [4.0, 5.0]


def test_the_data_are_known_up_to_the_latest_row_used_or_not(tmp_path: Path) -> None:
    metric = {"type": "retention", "event": "visit", "day": 1}
    rows = [
        ["a1", "2024-03-04T05:00:00Z", "visit", None, None, None],
        ["a1", "2024-03-09T00:00:00Z", "other", None, None, None],
    ]
    files = {"x.csv": seen("a1", "b1"), "e.csv": events(*rows)}
    found = look(tmp_path, files, spec(BOTH, one(metric)))
    assert found.observed.as_of == micro("2024-03-09T00:00:00+00:00")
    assert found["m"]["a"].n == 1


DESKS: list[dict[str, Any]] = [
    {},
    {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "opens": "00:00", "closes": "24:00"},
    {"days": ["sat", "sun"], "opens": "01:30", "closes": "06:15", "holidays": ["2024-03-30"]},
    {"days": ["mon", "wed", "fri"], "opens": "22:00", "closes": "24:00", "holidays": ["2024-10-28", "2024-04-01"]},
]
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "UTC")
SPRING, AUTUMN = micro("2024-03-28T00:00:00+00:00"), micro("2024-10-25T00:00:00+00:00")


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("desk", DESKS, ids=lambda desk: desk.get("opens", "09:00"))
def test_working_hours_agree_with_the_minutes_on_the_wall(tmp_path: Path, desk: dict[str, Any], zone: str) -> None:
    rng = random.Random(f"{desk}{zone}")
    rows, expected = [], []
    days = [("mon", "tue", "wed", "thu", "fri", "sat", "sun").index(day) for day in desk.get("days", ())] or range(5)
    opens, closes = (
        60 * int(desk.get(k, d)[:2]) + int(desk.get(k, d)[3:]) for k, d in (("opens", "09:00"), ("closes", "17:00"))
    )
    holidays = [date.fromisoformat(day) for day in desk.get("holidays", ())]
    for number in range(24):
        first = (SPRING, AUTUMN)[number % 2] + rng.randrange(5 * 24 * 60) * 60_000_000
        last = first + rng.choice([0, 20, 45, 90, rng.randrange(4000)]) * 60_000_000
        rows += [["a1", iso(t), event, None, f"t{number}", None] for t, event in ((first, "opened"), (last, "solved"))]
        expected.append((service.worked_minutes(first, last, zone, days, opens, closes, holidays) / 60, True))
    metric = {**TICKETS, "horizon": "1h", "calendar": desk}
    written = spec(BOTH, one(metric), period={"start": "2024-03-01", "end": "2024-12-01", "timezone": zone})
    files = {"x.csv": seen("a1", "b1", at="2024-03-04T12:00:00Z"), "e.csv": events(*rows)}
    _check_lives(look(tmp_path, files, written)["m"]["a"], 1, expected)


@pytest.mark.slow
def test_answers_beside_a_condition_on_money(tmp_path: Path) -> None:
    """The SQL of a range of unusual numbers stands in the checks of the scale, too."""
    rows = [
        [f"{arm}1", "2024-03-05T00:00:00Z", "answer", value, None, None] for arm, value in (("a", "$9"), ("b", "$170"))
    ]
    files = {"x.csv": seen("a1", "b1"), "e.csv": events(*rows)}
    source = {"file": "e.csv", "exclude": {"large": {"value": {"min": 150}}}}
    found = look(tmp_path, files, spec({"exposures": "x.csv", "events": source}, one({**NPS, "missing_value": "drop"})))
    assert found["m"]["a"].counts == (0,) * 9 + (1, 0)
