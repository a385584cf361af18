"""Dates beside times: what counts is the calendar day, by an oracle in plain Python on random logs."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

import abcx
from abcx.errors import DataError
from abcx.results.readout import Results
from tests.support.notes import texts
from tests.support.results import check

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu")
METRICS: dict[str, Any] = {
    "orders": {"type": "conversion", "event": "order", "role": "primary", "goal": "increase", "window": "7d"},
    "count": {"type": "mean", "event": "order", "role": "secondary", "goal": "increase", "window": "3d"},
    "back": {"type": "retention", "event": "order", "day": 4, "role": "secondary", "goal": "increase"},
}


def log(seed: int, zone: str) -> tuple[pd.DataFrame, list[tuple[str, datetime]]]:
    """Exposures at any second of ten days, and orders at any second of twenty, in local time."""
    rng, tz, start = random.Random(seed), ZoneInfo(zone), datetime(2024, 5, 6)
    exposed = [start + timedelta(seconds=rng.randrange(10 * 86_400)) for _ in range(200)]
    frame = pd.DataFrame(
        {
            "unit": [f"u{i}" for i in range(200)],
            "time": [moment.replace(tzinfo=tz).astimezone(ZoneInfo("UTC")).isoformat() for moment in exposed],
            "arm": ["a", "b"] * 100,
        }
    )
    orders = [(f"u{rng.randrange(200)}", start + timedelta(seconds=rng.randrange(20 * 86_400))) for _ in range(900)]
    return frame, orders


def by_days(
    exposed: pd.DataFrame, orders: list[tuple[str, datetime]], zone: str, first: int, last: int
) -> dict[str, list[int]]:
    """Orders of each unit on the days `first` to `last` after its day of exposure, by arm; for units that the dates of
    the orders follow to the day after the last."""
    known = max(moment.date() for _, moment in orders) + timedelta(days=1)
    found: dict[str, list[int]] = {"a": [], "b": []}
    for unit, time, arm in exposed.itertuples(index=False):
        moment = datetime.fromisoformat(time).astimezone(ZoneInfo(zone))
        day = moment.date()
        end = moment.replace(tzinfo=None) + timedelta(days=last + 1)
        if end <= datetime(known.year, known.month, known.day):
            dates = [order.date() for who, order in orders if who == unit]
            found[arm].append(sum(day + timedelta(days=first) <= one <= day + timedelta(days=last) for one in dates))
    return found


def run(exposed: pd.DataFrame, times: list[Any], units: list[str], zone: str, **keys: Any) -> Results:
    spec = {
        "schema_version": 1,
        "name": "t",
        "arms": {"a": {}, "b": {}},
        "period": {"timezone": zone},
        "metrics": METRICS,
        **keys,
    }
    return abcx.analyze(spec, exposures=exposed, events=pd.DataFrame({"unit": units, "time": times, "event": "order"}))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("form", ["text", "date", "midnight"])
@pytest.mark.slow
def test_orders_by_date_count_by_the_calendar(zone: str, form: str) -> None:
    exposed, orders = log(ZONES.index(zone), zone)
    days = [moment.date() for _, moment in orders]
    forms: dict[str, list[Any]] = {
        "text": [day.isoformat() for day in days],
        "date": days,
        "midnight": [pd.Timestamp(day) for day in days],
    }
    results = run(exposed, forms[form], [unit for unit, _ in orders], zone)
    week, three, fourth = (by_days(exposed, orders, zone, *span) for span in ((0, 6), (0, 2), (4, 4)))
    for arm in results["orders"].arms:
        assert (arm.successes, arm.units) == (sum(n > 0 for n in week[arm.name]), len(week[arm.name]))
    for arm in results["count"].arms:
        assert arm.value == pytest.approx(sum(three[arm.name]) / len(three[arm.name]), rel=1e-12)
    for arm in results["back"].arms:
        assert (arm.successes, arm.units) == (sum(n > 0 for n in fourth[arm.name]), len(fourth[arm.name]))
    notes = [note for note in texts(results.data.notes) if "compared by day" in note]
    assert len(notes) == 1 and "of the day of exposure count as after it" in notes[0]


def test_times_to_the_second_are_left_alone() -> None:
    exposed, orders = log(9, "UTC")
    results = run(exposed, [moment.isoformat() for _, moment in orders], [unit for unit, _ in orders], "UTC")
    assert not [note for note in texts(results.data.notes) if "compared by" in note]


def test_exposures_by_date_count_their_whole_day() -> None:
    exposed, orders = log(3, "UTC")
    whole = exposed.assign(time=[time[:10] for time in exposed.time])
    times = [moment.isoformat() for _, moment in orders]
    results = run(whole, times, [unit for unit, _ in orders], "UTC")
    week = by_days(whole, orders, "UTC", 0, 6)
    # The orders end within their last day, so the units whose week ends with that day are not followed yet.
    for arm in results["orders"].arms:
        assert arm.successes is not None and arm.units <= len(week[arm.name])
    last = max(moment for _, moment in orders)
    followed = whole[[date.fromisoformat(day) + timedelta(days=7) <= last.date() for day in whole.time]]
    assert sum(arm.units for arm in results["orders"].arms) == len(followed)


def test_minutes_beside_seconds_cover_their_minute() -> None:
    exposed = pd.DataFrame(
        {"unit": [f"u{i}" for i in range(40)], "time": "2024-05-06T10:00:30Z", "arm": ["a", "b"] * 20}
    )
    calls = ["2024-05-06T10:00:00Z"] * 20 + ["2024-05-06T09:59:00Z"] * 10
    results = run(
        exposed,
        calls,
        [f"u{i}" for i in range(30)],
        "UTC",
        metrics={"orders": {**METRICS["orders"], "window": "1h"}},
        analysis={"as_of": "2024-05-07"},
    )
    assert sum(arm.successes or 0 for arm in results["orders"].arms) == 20


def test_data_in_days_reach_to_the_end_of_their_last_day() -> None:
    exposed, orders = log(5, "UTC")
    kept = [(unit, moment) for unit, moment in orders if moment < datetime(2024, 5, 20)]
    period = {"start": "2024-05-06", "end": "2024-05-12"}
    metrics = {"orders": {**METRICS["orders"], "minimum_effect": "5%"}}
    results = run(
        exposed,
        [moment.date() for _, moment in kept],
        [unit for unit, _ in kept],
        "UTC",
        period=period,
        metrics=metrics,
    )
    assert max(moment.date() for _, moment in kept) == date(2024, 5, 19)
    assert results.verdict.verdict != "KEEP RUNNING"  # the last window closes on the 19th


@pytest.mark.parametrize("window", ["36h", "2d"])
def test_windows_that_dates_cannot_tell_are_refused(window: str) -> None:
    exposed, orders = log(1, "UTC")
    with pytest.raises(DataError, match="has a window that dates cannot tell"):
        run(
            exposed,
            [moment.date() for _, moment in orders],
            [unit for unit, _ in orders],
            "UTC",
            metrics={"orders": {**METRICS["orders"], "window": window}},
        )


def test_one_file_of_dates_counts_by_the_calendar_where_clocks_change() -> None:
    """Exposures and orders in one file, in the week in which Berlin loses an hour."""
    first = date(2024, 3, 25)
    days = [first + timedelta(days=n) for n in range(20)]
    rows = [(f"u{n}", day, "ab"[n % 2], "visit") for n, day in enumerate(days[:10])]
    rows += [(f"u{n}", days[n] + timedelta(days=later), "ab"[n % 2], "order") for n in range(10) for later in (6, 7)]
    events = pd.DataFrame(rows, columns=["unit", "time", "arm", "event"])
    spec = {
        "schema_version": 1,
        "name": "t",
        "arms": {"a": {}, "b": {}},
        "period": {"timezone": "Europe/Berlin"},
        "metrics": {"count": {**METRICS["count"], "window": "7d", "role": "primary"}},
        "analysis": {"as_of": "2024-05-01"},
    }
    results = abcx.analyze(spec, events=events)
    assert [arm.value for arm in results["count"].arms] == [1.0, 1.0]  # the order of day 6, not that of day 7


def test_events_of_two_lengths_beside_exposures_by_date() -> None:
    """Exposures are dates, clicks whole hours, orders seconds: every unit of the day of exposure counts in both."""
    spec = {
        "schema_version": 1,
        "name": "t",
        "arms": {"a": {}, "b": {}},
        "metrics": {
            "orders": {"type": "conversion", "event": "order", "role": "primary", "goal": "increase"},
            "clicks": {"type": "conversion", "event": "click", "role": "secondary", "goal": "increase"},
        },
    }
    units = [f"u{i}" for i in range(400)]
    exposed = pd.DataFrame(
        {"unit": units, "time": [f"2024-05-{6 + i % 7:02d}" for i in range(400)], "arm": ["a", "b"] * 200}
    )
    clicks = [f"2024-05-{6 + i % 7:02d}T{i % 24:02d}:00:00" for i in range(400)]
    orders = [f"2024-05-{6 + i % 7:02d}T{i % 24:02d}:{i % 60:02d}:{i % 59:02d}" for i in range(200)]
    results = abcx.analyze(
        spec,
        exposures=exposed,
        events=[
            pd.DataFrame({"unit": units, "time": clicks, "event": "click"}),
            pd.DataFrame({"unit": units[:200], "time": orders, "event": "order"}),
        ],
    )
    assert [arm.value for arm in results["orders"].arms] == [0.5, 0.5]
    assert [arm.value for arm in results["clicks"].arms] == [1.0, 1.0]


@pytest.mark.parametrize("apart", [False, True])
def test_minutes_of_tickets_move_together_with_those_of_orders(apart: bool) -> None:
    """Orders and tickets are written by the minute, 20 seconds after an exposure in its middle. Where the ends of
    the tickets stand in another file, to the second, the tickets stay as they are."""
    units = [f"u{i}" for i in range(60)]
    start = datetime(2024, 5, 6, 10, 0, 30)
    exposed = [start + timedelta(hours=i) for i in range(60)]
    frame = pd.DataFrame({"unit": units, "time": [f"{t:%FT%T}Z" for t in exposed], "arm": ["a", "b"] * 30})
    minute = [f"{t + timedelta(seconds=20):%FT%H:%M}:00Z" for t in exposed]
    ended = [t + timedelta(hours=3) for t in exposed]
    form = "%FT%T" if apart else "%FT%H:%M:00"
    log = [pd.DataFrame({"unit": units, "time": minute, "event": event, "key": units}) for event in ("order", "opened")]
    ends = pd.DataFrame({"unit": units, "time": [f"{t:{form}}Z" for t in ended], "event": "solved", "key": units})
    times = [pd.concat(log), ends] if apart else [pd.concat([*log, ends])]
    metrics = {
        "orders": {"type": "conversion", "event": "order", "role": "primary", "goal": "increase"},
        "wait": {
            "type": "resolution_time",
            "start": "opened",
            "end": "solved",
            "key": "key",
            "horizon": "12h",
            "role": "secondary",
            "goal": "decrease",
        },
    }
    spec = {"schema_version": 1, "name": "t", "arms": {"a": {}, "b": {}}, "metrics": metrics}
    results = abcx.analyze({**spec, "analysis": {"as_of": "2024-05-20"}}, exposures=frame, events=times)
    if apart:  # moved, the tickets would be longer: the orders stay before the exposure, which is said
        early = next(one for one in results.data.exclusions if one.reason == "before_exposure")
        assert early.rows == 120 and "before exposure" in check(results, "exposure_before_event").message
        return
    assert [arm.value for arm in results["orders"].arms] == [1.0, 1.0]
    assert [arm.value for arm in results["wait"].arms] == pytest.approx([3.0, 3.0])


@pytest.mark.parametrize(("late", "said"), [(0, False), (9, True)])
def test_dates_of_another_zone_crowd_on_the_day_before_exposure(late: int, said: bool) -> None:
    """Visitors who come in the evening and buy within the hour: dates that are `late` hours behind are of the day
    before. On the two days before they bought now and then."""
    rng = random.Random(3)
    exposed, orders = [], []
    for i in range(300):
        moment = datetime(2024, 5, 6 + i % 10, 0) + timedelta(seconds=rng.randrange(3600 * 8))
        exposed.append((f"u{i}", f"{moment:%Y-%m-%dT%H:%M:%SZ}", "ab"[i % 2]))
        orders += [(f"u{i}", moment + timedelta(minutes=30) - timedelta(hours=late))] if i % 3 == 0 else []
        orders += [(f"u{i}", moment - timedelta(days=rng.choice([1, 2, 3])))] if i % 10 == 0 else []
    orders += [("u0", datetime(2024, 5, 30))]
    frame = pd.DataFrame(exposed, columns=["unit", "time", "arm"])
    found = run(frame, [f"{moment:%Y-%m-%d}" for _, moment in orders], [unit for unit, _ in orders], "UTC")
    notes = [note for note in texts(found.data.notes) if "of another timezone?" in note]
    before = sum(
        moment.date() == datetime.fromisoformat(exposed[int(unit[1:])][1]).date() - timedelta(days=1)
        for unit, moment in orders
    )
    assert len(notes) == said and (not said or notes[0].startswith(f"{before} rows of "))
