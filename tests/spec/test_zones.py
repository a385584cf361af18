"""Zones of a spec: fixed offsets under a name that looks like a zone are refused, with the city that is meant."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest

from abcx.errors import SpecError
from abcx.problems import Problem
from abcx.spec.load import load_spec


def written(zone: Any, in_source: bool = False) -> dict[str, Any]:
    orders = {"type": "conversion", "event": "order", "role": "primary", "goal": "increase", "minimum_effect": "5%"}
    period = {"start": "2024-03-04"} | ({} if in_source else {"timezone": zone})
    events = {"file": "e.csv"} | ({"timezone": zone} if in_source else {})
    start = {"schema_version": 1, "name": "t", "arms": {"a": None, "b": None}, "metrics": {"orders": orders}}
    return start | {"period": period, "data": {"events": events}}


def refused(zone: Any, in_source: bool = False) -> Problem:
    with pytest.raises(SpecError) as caught:
        load_spec(written(zone, in_source))
    (problem,) = caught.value.problems
    return problem


def changes(zone: str) -> bool:
    """Whether the clock of a zone changes in the year, by zoneinfo."""
    return len({datetime(2024, month, 1, tzinfo=ZoneInfo(zone)).utcoffset() for month in (1, 4, 7, 10)}) > 1


@pytest.mark.parametrize("in_source", [False, True])
@pytest.mark.parametrize(
    ("zone", "cities"),
    [
        ("EST", ["America/New_York"]),
        ("MST", ["America/Denver", "America/Phoenix"]),
        ("HST", ["Pacific/Honolulu"]),
    ],
)
def test_letters_of_a_fixed_offset_are_refused(zone: str, cities: list[str], in_source: bool) -> None:
    assert not changes(zone)
    problem = refused(zone, in_source)
    assert zone in problem.message and "all year" in problem.message
    assert problem.help is not None and all(city in problem.help for city in cities)


@pytest.mark.parametrize(
    ("zone", "meant"),
    [
        ("Europe/Lodnon", "Europe/London"),
        ("europe/berlin", "Europe/Berlin"),
        ("New York", "America/New_York"),
        ("Kolkata", "Asia/Kolkata"),
        ("utc", "UTC"),
        ("PDT", "America/Los_Angeles"),
        ("EDT", "America/New_York"),
        ("CEST", "Europe/Berlin"),
        ("BST", "Europe/London"),
        ("US/Estern", "US/Eastern"),
    ],
)
def test_an_unknown_zone_names_the_one_that_is_meant(zone: str, meant: str) -> None:
    assert meant in available_timezones()
    problem = refused(zone)
    assert problem.message.startswith(f"unknown timezone '{zone}'")
    assert problem.help is not None and meant in problem.help


@pytest.mark.parametrize("zone", ["localtime", "Factory", "posixrules", "right/UTC", "posix/EST"])
def test_names_that_mean_no_place_are_refused(zone: str) -> None:
    problem = refused(zone)
    assert zone in problem.message and problem.help is not None and "Europe/London" in problem.help


@pytest.mark.parametrize("zone", ["", "  ", None])
def test_an_empty_zone_is_refused(zone: str | None) -> None:
    problem = refused(zone)
    assert "empty" in problem.message and problem.help is not None and "Europe/London" in problem.help


@pytest.mark.parametrize("zone", ["qqqq", "../../etc/passwd", "/etc/localtime", "x\0y", "Europe", "+02:00", "UTC+2"])
def test_what_is_no_zone_at_all_is_refused_with_a_form(zone: str) -> None:
    problem = refused(zone)
    assert problem.help is not None and "Europe/London" in problem.help


@pytest.mark.parametrize(
    "zone", ["EST5EDT", "MST7MDT", "CET", "US/Eastern", "Etc/GMT+5", "UTC", "GMT", "America/Phoenix", "Asia/Kathmandu"]
)
def test_names_that_mean_what_they_say_are_read(zone: str) -> None:
    assert load_spec(written(zone)).timezone == zone


@pytest.mark.parametrize("zone", ["GMT+1", "UTC+1", "UTC-05:00", "+0200", "gmt+2", "GMT-5"])
def test_an_offset_is_no_zone_and_none_is_proposed(zone: str) -> None:
    """Etc/GMT+1 is an hour behind UTC: to propose it for GMT+1 would shift all times by two hours."""
    with pytest.raises(SpecError) as error:
        load_spec(written(zone))
    (problem,) = (found for found in error.value.problems if "offset" in (found.help or ""))
    assert "did you mean" not in (problem.help or "") and "Europe/London" in (problem.help or "")
