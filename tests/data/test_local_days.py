"""Days by borders are those of the engine's own calendar, in zones whose clocks change at any hour, and before 1970."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import duckdb
import pytest

from abcx.data.summaries.local_days import day, local_day

YEARS = [("2024-01-01", "2024-12-31"), ("2011-12-20", "2012-01-10"), ("1936-01-01", "1972-01-01")]
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Africa/Casablanca",
    "Pacific/Apia",
)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(("first", "last"), YEARS)
def test_the_days_of_a_calendar(zone: str, first: str, last: str) -> None:
    ends = [int(datetime.fromisoformat(end).replace(tzinfo=UTC).timestamp()) * 1_000_000 for end in (first, last)]
    rng = random.Random(zone)
    moments = [*ends, *(rng.randint(*ends) for _ in range(2_000))]
    borders = [moment for moment in moments if moment % 86_400_000_000 < 3_600_000_000]
    moments += [border - border % 3_600_000_000 + shift for border in borders for shift in (-1, 0, 1)]
    moments = [moment for moment in moments if ends[0] <= moment <= ends[1]]
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE t AS SELECT unnest(?) AS t", [moments])
        rows = connection.execute(f"SELECT t, {local_day('t', zone, *ends)} FROM t").fetchall()
    for moment, number in rows:
        local = datetime.fromtimestamp(moment // 1_000_000, UTC).replace(microsecond=moment % 1_000_000)
        assert day(number) == local.astimezone(ZoneInfo(zone)).date(), (moment, zone)


def test_one_moment() -> None:
    with duckdb.connect() as connection:
        assert connection.execute(f"SELECT {local_day('0', 'UTC', 0, 0)}").fetchall() == [(0,)]
