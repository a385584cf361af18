"""Windows, periods, timezones and the data cut, to the microsecond."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from abcx.data.records import Inputs
from abcx.errors import DataError
from tests.support.hostile import EXPECTED, GOOD, run
from tests.support.logs import CONVERSION, DAY, HOUR, Look, iso, look, micro, spec, to_csv
from tests.support.notes import texts

T0 = micro("2024-03-04T10:00:00+00:00")
CLICKS = {"clicks": {"type": "mean", "event": "click", "role": "primary", "goal": "increase"}}
"""Unit u1 sees arm a at T0; what counts is told by the sum of the clicks' values."""


def clicks(tmp_path: Path, offsets: dict[int, str], first: int = T0, **rest: Any) -> tuple[str, Look]:
    """The names of the clicks (given by their distance from T0) that count, in order."""
    rows = [["u1", iso(first), "a", "seen", None], ["u2", iso(first), "b", "seen", None]]
    rows += [["u1", iso(T0 + offset), None, "click", name] for offset, name in offsets.items()]
    window = rest.pop("metric_window", None)
    metrics = {
        f"m{number}": {
            "type": "mean",
            "event": "click",
            "where": {"name": name},
            "role": "primary",
            "goal": "increase",
            **({"window": window} if window else {}),
        }
        for number, name in enumerate(offsets.values())
    }
    text = to_csv(["unit", "time", "arm", "event", "name"], rows)
    found = look(tmp_path, {"e.csv": text}, spec(metrics=metrics, **rest))
    counted = [name for number, name in enumerate(offsets.values()) if found[f"m{number}"]["a"].mean]
    return "".join(counted), found


AROUND = {-1: "a", 0: "b", 1: "c", 2 * HOUR - 1: "d", 2 * HOUR: "e", 2 * HOUR + 1: "f"}


def test_a_window_holds_its_start_and_not_its_end(tmp_path: Path) -> None:
    counted, found = clicks(tmp_path, AROUND, window="2h")
    assert counted == "bcd"
    assert found.lost() == {"before_exposure": (None, 1), "after_window": (None, 2)}


def test_a_metrics_own_window_goes_before_the_experiments(tmp_path: Path) -> None:
    assert clicks(tmp_path, AROUND, window="2h", metric_window="1h")[0] == "bc"
    assert clicks(tmp_path, AROUND, window="1h", metric_window="2h")[0] == "bcd"


@pytest.mark.slow
def test_a_window_may_run_past_the_end_of_the_period(tmp_path: Path) -> None:
    period = {"start": "2024-03-04", "end": "2024-03-04"}
    later = {14 * HOUR - 1: "a", 14 * HOUR: "b", DAY - 1: "c", DAY: "d"}
    assert clicks(tmp_path, later, window="24h", period=period)[0] == "abc"
    assert clicks(tmp_path, later, period=period)[0] == "a"  # without a window: to the end of the period
    assert clicks(tmp_path, later)[0] == "abcd"  # without a period: to the end of the data


def test_14d_is_14_times_24_hours_across_a_change_of_the_clock(tmp_path: Path) -> None:
    """The clocks of London went forward on 31 March 2024."""
    around = {14 * DAY - 1: "a", 14 * DAY: "b"}
    first = micro("2024-03-25T10:00:00+00:00")
    shifted = {first - T0 + offset: name for offset, name in around.items()}
    period = {"start": "2024-03-20", "timezone": "Europe/London"}
    assert clicks(tmp_path, shifted, first, window="14d", period=period)[0] == "a"


@pytest.mark.parametrize(
    ("period", "inside"),
    [
        ({"start": "2024-03-30", "end": "2024-03-31", "timezone": "Europe/London"}, "bcde"),
        ({"start": "2024-03-30T00:00:00.000001", "end": "2024-03-31", "timezone": "Europe/London"}, "cde"),
        ({"start": "2024-03-30", "end": "2024-03-31T22:59:59.999999Z", "timezone": "Europe/London"}, "bcd"),
        ({"start": "2024-03-30", "end": "2024-03-31"}, "bcdefg"),
        ({"start": "2024-03-30T01:00+01:00", "end": "2024-03-31T23:00+00:00"}, "bcde"),
        ({"end": "2024-03-31", "timezone": "Europe/London"}, "abcde"),
        ({"start": "2024-03-31T23:59:59.999999"}, "gh"),
    ],
)
@pytest.mark.slow
def test_the_period_limits_exposures(tmp_path: Path, period: dict[str, str], inside: str) -> None:
    """London is an hour ahead of UTC from 31 March, 01:00 UTC: that day ends at 23:00 UTC."""
    times = {
        "a": "2024-03-29T23:59:59.999999",
        "b": "2024-03-30T00:00:00",
        "c": "2024-03-30T00:00:00.000001",
        "d": "2024-03-31T01:30:00",
        "e": "2024-03-31T22:59:59.999999",
        "f": "2024-03-31T23:00:00",
        "g": "2024-03-31T23:59:59.999999",
        "h": "2024-04-01T00:00:00",
    }
    text = "unit,time,arm,event\n" + "".join(
        f"{unit},{time}Z,{'ab'[n % 2]},x\n" for n, (unit, time) in enumerate(times.items())
    )
    found = look(tmp_path, {"e.csv": text}, spec(metrics=CLICKS, period=period))
    assert "".join(unit["unit"] for unit in found.units) == inside
    lost = len(times) - len(inside)
    assert found.lost() == ({"outside_period": (lost, lost)} if lost else {})


def test_days_are_those_of_the_period(tmp_path: Path) -> None:
    text = (
        "unit,time,arm,event\nu1,2024-03-30T23:30:00Z,a,x\nu2,2024-03-31T22:30:00Z,b,x\nu3,2024-03-31T23:30:00Z,b,x\n"
    )
    period = {"start": "2024-03-30", "timezone": "Europe/London"}
    found = look(tmp_path, {"e.csv": text}, spec(metrics=CLICKS, period=period))
    days = {"2024-03-30": {"a": 1, "b": 0}, "2024-03-31": {"a": 0, "b": 1}, "2024-04-01": {"a": 0, "b": 1}}
    assert dict(found.observed.daily or ()) == days


ZONES = [
    ("2024-07-01 10:00:00", {}, None, "2024-07-01T10:00:00+00:00"),
    ("2024-07-01 10:00:00", {}, "Europe/London", "2024-07-01T09:00:00+00:00"),
    ("2024-07-01 10:00:00", {"timezone": "America/New_York"}, "Europe/London", "2024-07-01T14:00:00+00:00"),
    ("2024-07-01T10:00:00Z", {"timezone": "America/New_York"}, "Europe/London", "2024-07-01T10:00:00+00:00"),
    ("2024-07-01T10:00:00+02:00", {"timezone": "America/New_York"}, None, "2024-07-01T08:00:00+00:00"),
    ("2024-07-01", {"timezone": "America/New_York"}, None, "2024-07-01T04:00:00+00:00"),
    ("07/01/2024 10:00 PM", {"time_format": "%m/%d/%Y %I:%M %p"}, "Europe/London", "2024-07-01T21:00:00+00:00"),
    ("01.07.2024", {"time_format": "%d.%m.%Y", "timezone": "America/New_York"}, None, "2024-07-01T04:00:00+00:00"),
    ("01/07/2024 10:00 +0200", {"time_format": "%d/%m/%Y %H:%M %z"}, "Asia/Tokyo", "2024-07-01T08:00:00+00:00"),
    ("20240701", {"time_format": "%Y%m%d"}, None, "2024-07-01T00:00:00+00:00"),
    ("20240701T100000Z", {}, "Europe/London", "2024-07-01T10:00:00+00:00"),  # ISO 8601 without its signs
    ("20240701T100000.5+0200", {}, None, "2024-07-01T08:00:00.5+00:00"),
    ("20240701T1000", {"timezone": "America/New_York"}, None, "2024-07-01T14:00:00+00:00"),
    ("20240701100000", {"timezone": "America/New_York"}, None, "2024-07-01T14:00:00+00:00"),
    ("20240701", {}, "Europe/London", "2024-06-30T23:00:00+00:00"),
    ("2024-07-01 10:00:00,250", {}, "Europe/London", "2024-07-01T09:00:00.25+00:00"),  # ISO 8601 allows the comma
    ("2024-07-01T10:00:00,250+02:00", {}, None, "2024-07-01T08:00:00.25+00:00"),
    ("2024-07-01 10:00:00 +0200", {}, None, "2024-07-01T08:00:00+00:00"),
    ("2024-07-01 10:00:00.000 Z", {}, "Europe/London", "2024-07-01T10:00:00+00:00"),
    ("2024-07-01 12:00:00.5 +0200 UTC", {}, None, "2024-07-01T10:00:00.5+00:00"),
    ("2024-07-01T12:00:00+02:00[Europe/Berlin]", {}, None, "2024-07-01T10:00:00+00:00"),
    ("7/19/2024, 11:56:32\u202fPM", {}, "Europe/London", "2024-07-19T22:56:32+00:00"),
    ("2024-07-01 10:00:00 PM", {}, "Europe/London", "2024-07-01T21:00:00+00:00"),
    ("2024-07-01 12:05 am", {}, None, "2024-07-01T00:05:00+00:00"),
]


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "jsonl", "frame", "segment"])
@pytest.mark.parametrize(("text", "options", "zone", "meant"), ZONES)
def test_what_instant_a_time_means(
    tmp_path: Path, form: str, text: str, options: dict[str, Any], zone: str | None, meant: str
) -> None:
    """Naive times are in the file's timezone, else the period's; however the file is read."""
    frame = pd.DataFrame({"unit": ["u1", "u2"], "arm": ["a", "b"], "time": [text, text], "event": ["x", "click"]})
    rest: dict[str, Any] = {"period": {"start": "2024-06-01", "timezone": zone}} if zone else {}
    files = {"e.csv": frame.to_csv(index=False), "e.jsonl": frame.to_json(orient="records", lines=True)}
    name = "e.jsonl" if form == "jsonl" else "e.csv"
    inputs = Inputs(events=(frame,)) if form == "frame" else Inputs()
    if form == "segment":  # a column that serves as text too is not read as a time in the scan
        rest["segments"] = ["time"]
    found = look(tmp_path, {name: files[name]}, spec({"events": {"file": name, **options}}, CLICKS, **rest), inputs)
    assert [unit["t0"] for unit in found.units] == [micro(meant)] * 2
    naive = not (text.endswith("Z") or "+" in text)
    assert ("have no timezone" in "".join(texts(found.observed.notes))) == naive
    if form == "segment":
        assert list(found.observed.segments["time"]) == [text]


def test_times_of_typed_columns(tmp_path: Path) -> None:
    base = pd.DataFrame({"unit": ["u1", "u2"], "arm": ["a", "b"], "event": ["x", "click"]})
    period = {"start": "2024-01-01", "timezone": "Europe/London"}
    naive = pd.to_datetime(["2024-07-01 10:00", "2024-07-01 10:00"])
    for times, meant in (
        (naive, "2024-07-01T09:00:00+00:00"),
        (naive.date, "2024-06-30T23:00:00+00:00"),
        (naive.tz_localize("America/New_York"), "2024-07-01T14:00:00+00:00"),
    ):
        found = look(tmp_path, {}, spec(metrics=CLICKS, period=period), Inputs(events=(base.assign(time=times),)))
        assert found.units[0]["t0"] == micro(meant)


def test_seconds_since_1970_are_told_by_their_magnitude(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"unit": ["u1", "u2"], "arm": ["a", "b"], "event": ["x", "click"], "time": [1_709_546_400] * 2}
    )
    for inputs, files in ((Inputs(events=(frame,)), {}), (Inputs(), {"e.csv": frame.to_csv(index=False)})):
        found = look(tmp_path, files, spec(metrics=CLICKS), inputs)
        assert found.units[0]["t0"] == micro("2024-03-04T10:00:00Z")
        assert any("seconds since 1970" in note for note in texts(found.observed.notes))
    with pytest.raises(DataError, match="'2024' is not a time"):
        look(tmp_path, {}, spec(metrics=CLICKS), Inputs(events=(frame.assign(time=2024),)))


@pytest.mark.parametrize(
    "time", ["9999-12-31T23:59:59Z", "0001-01-01", "290000-01-01", "1899-12-31 23:59", "2200-01-01"]
)
@pytest.mark.slow
def test_a_date_that_stands_for_no_date_is_refused(tmp_path: Path, time: str) -> None:
    text = f"unit,time,arm,event\nu1,2024-03-04,a,x\nu2,{time},b,x\n"
    with pytest.raises(DataError, match="e.csv:3 "):
        look(tmp_path, {"e.csv": text}, spec(metrics=CLICKS))
    found = look(tmp_path, {"e.csv": text}, spec({"events": {"file": "e.csv", "null": [time]}}, CLICKS))
    assert found.lost() == {"no_time": (None, 1)}


CUT = {"2024-03-05T23:59:59.999999Z": "a", "2024-03-06T00:00:00Z": "b", "2024-03-06T00:00:00.000001Z": "c"}


@pytest.mark.parametrize(
    ("as_of", "kept"),
    [
        ("2024-03-05", "a"),  # a date includes that day, and no moment of the next
        ("2024-03-06T00:00:00Z", "ab"),  # a time includes that moment
        ("2024-03-06", "abc"),
        (None, "abc"),
    ],
)
@pytest.mark.slow
def test_as_of_leaves_later_rows_out(tmp_path: Path, as_of: str | None, kept: str) -> None:
    offsets = {micro(time) - T0: name for time, name in CUT.items()}
    rest: dict[str, Any] = {"analysis": {"as_of": as_of}} if as_of else {}
    counted, found = clicks(tmp_path, offsets, **rest)
    assert counted == kept
    assert found.lost() == ({"after_as_of": (None, 3 - len(kept))} if len(kept) < 3 else {})


@pytest.mark.parametrize(
    ("as_of", "late"),
    [
        ("2024-03-06T09:59:59.999999Z", 2),
        ("2024-03-06T10:00:00Z", 0),  # every moment of the window is known
        ("2024-03-05", 2),
        ("2024-03-06", 0),
        (None, 2),  # the latest time of the data
    ],
)
@pytest.mark.slow
def test_units_whose_window_is_not_over_have_no_value_yet_and_are_counted(
    tmp_path: Path, as_of: str | None, late: int
) -> None:
    text = "unit,time,arm,event\n" + "".join(f"u{n},{iso(T0)},{'aab'[n]},x\n" for n in range(3))
    text += f"u0,{iso(T0 + HOUR)},a,click\n"
    rest: dict[str, Any] = {"analysis": {"as_of": as_of}} if as_of else {}
    found = look(tmp_path, {"e.csv": text}, spec(metrics=CLICKS, window="48h", **rest))
    assert found.observed.metrics["clicks"].not_followed == {"a": late, "b": late // 2}
    assert found.observed.metrics["clicks"].missing == {"a": 0, "b": 0}
    assert {arm: s.n for arm, s in found.observed.metrics["clicks"].summaries.items()} == {
        "a": 2 - late,
        "b": 1 - late // 2,
    }
    assert found.observed.units == {"a": 2, "b": 1}


def test_a_window_without_times_is_refused(tmp_path: Path) -> None:
    text = "unit,arm,event\nu1,a,x\nu2,b,x\n"
    with pytest.raises(DataError, match=r"a window needs times, and e\.csv has no time column"):
        look(tmp_path, {"e.csv": text}, spec(metrics=CLICKS, window="1h"))
    with pytest.raises(DataError, match="no time column"):
        look(tmp_path, {"e.csv": text}, spec(metrics=CLICKS, exposure={"event": "x"}))
    assert look(tmp_path, {"e.csv": text}, spec(metrics=CLICKS)).observed.units == {"a": 1, "b": 1}


def test_exposures_without_times_leave_the_period_to_the_events(tmp_path: Path) -> None:
    exposures = "unit,arm\nu1,a\nu2,b\n"
    events = "unit,time,event\nu1,2024-03-03T23:59:59Z,click\nu1,2024-03-04T00:00:00Z,click\n"
    events += "u2,2024-03-06T00:00:00Z,click\n"
    data, period = {"exposures": "x.csv", "events": "e.csv"}, {"start": "2024-03-04", "end": "2024-03-05"}
    found = look(tmp_path, {"x.csv": exposures, "e.csv": events}, spec(data, CLICKS, period=period))
    assert found.sums("clicks") == {"a": (1, 1), "b": (0, 1)}
    assert found.lost() == {"before_exposure": (None, 1), "after_window": (None, 1)}
    assert found.observed.daily is None


def test_the_same_metric_before_exposure(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        [unit, iso(T0), arm, "seen", None] for unit, arm in (("u1", "a"), ("u2", "b"), ("u3", "b"))
    ]
    rows += [["u1", iso(T0 - 2 * HOUR), None, "click", 3], ["u1", iso(T0 - 2 * HOUR - 1), None, "click", 100]]
    rows += [["u2", iso(T0 - 1), None, "click", 5], ["u3", iso(T0), None, "click", 7]]
    metrics = {
        **CLICKS,
        "sum": {"type": "mean", "event": "click", "value": "value", "role": "secondary", "goal": "increase"},
        "any": {"type": "conversion", "event": "click", "role": "secondary", "goal": "increase"},
    }
    found = look(
        tmp_path, {"e.csv": to_csv(["unit", "time", "arm", "event", "value"], rows)}, spec(metrics=metrics, window="2h")
    )
    before: dict[str, Mapping[str, Any]] = {name: data.before or {} for name, data in found.observed.metrics.items()}
    assert {arm: summary.mean for arm, summary in before["sum"].items()} == {"a": 3, "b": 2.5}
    assert {arm: summary.mean for arm, summary in before["clicks"].items()} == {"a": 1, "b": 0.5}
    assert {arm: (summary.successes, summary.n) for arm, summary in before["any"].items()} == {"a": (1, 1), "b": (1, 2)}
    assert found.observed.units_before == {"a": 1, "b": 1}


def test_repeated_ids_keep_the_earliest(tmp_path: Path) -> None:
    text = to_csv(
        ["unit", "time", "arm", "event", "value", "id"],
        [
            ["u1", iso(T0), "a", "seen", None, None],
            ["u1", iso(T0 + 2), None, "purchase", 100, "p"],
            ["u1", iso(T0 + 1), None, "purchase", 1, "p"],
            ["u1", iso(T0 + 3), None, "purchase", 10, None],
            ["u1", iso(T0 + 3), None, "purchase", 10, None],
            ["u2", iso(T0), "b", "seen", None, None],
            ["u9", iso(T0), None, "purchase", 5, "q"],
            ["u9", iso(T0), None, "purchase", 5, "q"],
        ],
    )
    metrics = {
        "revenue": {"type": "mean", "event": "purchase", "value": "value", "role": "primary", "goal": "increase"}
    }
    found = look(tmp_path, {"e.csv": text}, spec(metrics=metrics))
    assert found.sums() == {"a": (21, 1), "b": (0, 1)}
    assert found.lost() == {"duplicate_event": (None, 1), "no_arm": (1, 2)}
    assert found.observed.repeated_ids == 1


def test_rows_without_unit_or_time_are_counted(tmp_path: Path) -> None:
    text = f"unit,time,arm,event\nu1,{iso(T0)},a,x\n,{iso(T0)},a,x\n  ,,b,x\nu2,,b,x\nu3,{iso(T0)},b,purchase\n"
    found = look(tmp_path, {"e.csv": text}, spec())
    assert found.lost() == {"no_unit": (None, 2), "no_time": (None, 1)}
    assert found.successes() == {"a": (0, 1), "b": (1, 1)}


def test_a_unit_in_two_arms_is_left_out_and_counted(tmp_path: Path) -> None:
    text = f"unit,time,arm\nu1,{iso(T0)},a\nu1,{iso(T0)},b\nu2,{iso(T0)},a\nu2,{iso(T0)},a\nu3,{iso(T0)},b\n"
    events = f"unit,time,event\nu1,{iso(T0)},purchase\nu3,{iso(T0)},purchase\n"
    found = look(
        tmp_path, {"x.csv": text, "e.csv": events}, spec({"exposures": "x.csv", "events": "e.csv"}, CONVERSION)
    )
    assert found.successes() == {"a": (0, 1), "b": (1, 1)}
    assert found.observed.crossover == 1
    assert found.lost() == {"crossover": (1, 2), "not_in_test": (None, 1)}


def test_a_row_that_fits_no_arm_counts_for_nothing(tmp_path: Path) -> None:
    text = (
        f"unit,time,arm,event\nu1,{iso(T0)},a,x\nu1,{iso(T0)},c,purchase\nu2,{iso(T0)},b,purchase\nu3,{iso(T0)},C,x\n"
    )
    found = look(tmp_path, {"e.csv": text}, spec())
    assert found.successes() == {"a": (0, 1), "b": (1, 1)}
    assert found.lost() == {"unknown_arm": (None, 2)}
    assert found.observed.unknown_labels == ("C", "c")


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["BST", "IST", "CEST", "AEST"])
def test_letters_that_mean_several_zones_are_refused(tmp_path: Path, zone: str) -> None:
    """BST is British to whoever exports it, and Bangladesh to the engine: it would be read five hours off."""
    rows = GOOD.replace("T1", " 1").replace("Z,", " UTC,")
    assert run(tmp_path, rows).values() == EXPECTED
    assert run(tmp_path, rows.replace(" UTC", " GMT")).values() == EXPECTED
    ran = run(tmp_path, rows.replace(" UTC", " GMT").replace("11:30:00 GMT", f"11:30:00 {zone}"))
    assert ran.code == 2 and "e.csv:6 (time)" in ran.err and f"'2024-03-04 11:30:00 {zone}'" in ran.err, ran.err


@pytest.mark.slow
@pytest.mark.parametrize("time", ["04/03/2024 10:30", "1709550000", "2024-03-04 10:30:00 +0100", "never"])
@pytest.mark.parametrize("parts", [1, 2])
def test_times_of_rows_that_are_left_out(tmp_path: Path, time: str, parts: int) -> None:
    """A source may keep no row of a file, whose times are then no time to judge; nor are those of other rows."""
    other = f"u1,{time},a,refund,1\n" * 3
    (tmp_path / "other.csv").write_text(GOOD.splitlines()[0] + "\n" + other)
    content = GOOD + (other if parts == 1 else "")
    files = ["e.csv", "other.csv"][:parts]
    ran = run(tmp_path, content, file=files, options={"where": {"event": ["seen", "purchase"]}})
    assert ran.values() == EXPECTED, ran.err


@pytest.mark.parametrize("zone", ["America/New_York", "UTC", "Asia/Tokyo"])
@pytest.mark.parametrize("form", ["csv", "jsonl"])
@pytest.mark.slow
def test_a_format_that_tells_the_zone(tmp_path: Path, zone: str, form: str) -> None:
    """Where every cell says UTC, the zone of the file is not asked."""
    frame = pd.DataFrame([line.split(",") for line in GOOD.splitlines()[1:]], columns=GOOD.splitlines()[0].split(","))
    frame["time"] = pd.to_datetime(frame["time"]).dt.strftime("%d.%m.%Y %H:%M:%S UTC")
    text = frame.to_csv(index=False) if form == "csv" else frame.to_json(orient="records", lines=True)
    options = {"time_format": "%d.%m.%Y %H:%M:%S %Z", "timezone": zone}
    period = {"start": "2024-03-04", "end": "2024-03-05", "timezone": "UTC"}
    ran = run(tmp_path, text, f"e.{form}", options=options, period=period)
    assert ran.values() == EXPECTED, ran.err
    found = json.loads(ran.out)["data"]
    assert found["first_exposure"].startswith("2024-03-04T10:00") and "timezone" not in str(found["notes"])


def test_exports_that_are_glued_together_with_a_declared_order_of_days(tmp_path: Path) -> None:
    """The second header names no unit, where no metric reads its row."""
    (tmp_path / "x.csv").write_text("unit,time,arm\n" + "".join(f"u{i},2024-03-04,{'ab'[i % 2]}\n" for i in range(4)))
    half = "unit,time,event\nu0,05/03/2024 10:00,purchase\nu2,05/03/2024 11:00,seen\n"
    data = {"exposures": "x.csv", "events": {"file": "e.csv", "date_order": "dmy"}}
    ran = run(tmp_path, half * 2, data=data, metrics=CONVERSION)
    assert ran.values()["orders"]["a"] == (2, 0.5), ran.err
    assert [e["reason"] for e in json.loads(ran.out)["data"]["exclusions"]] == ["repeated_header"]


@pytest.mark.parametrize(
    ("time", "told"),
    [
        ("2024-03-04 10:30:00 UTC+05:30", "has an ambiguous time zone"),
        ("2024-03-04 10:30:00 UTC-0330", "has an ambiguous time zone"),
        ("2024030410", "may be seconds since 1970, or year, month, day and hour"),
    ],
)
@pytest.mark.slow
def test_times_that_the_engine_takes_for_others(tmp_path: Path, time: str, told: str) -> None:
    with pytest.raises(DataError, match=told.replace("(", "[(]")):
        look(tmp_path, {"e.csv": f"unit,time,arm,event\nu1,{time},a,x\nu2,{time},b,x\n"}, spec(metrics=CLICKS))
    for plain in ("2024-03-04 10:30:00 UTC+05:00", "2024-03-04 10:30:00 GMT+05:30", "20240304T103000 UTC+05:30"):
        found = look(
            tmp_path, {"e.csv": f"unit,time,arm,event\nu1,{plain},a,x\nu2,{plain},b,x\n"}, spec(metrics=CLICKS)
        )
        meant = f"2024-03-04T10:30:00{plain[-6:]}"
        assert found.units[0]["t0"] == micro(meant)
