"""What service metrics must find in a log, recomputed slowly from the definitions: plain loops, no SQL, no abcx."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

HOUR = 3_600_000_000
DAY = 24 * HOUR


@dataclass(frozen=True)
class Happening:
    """One row of the log: microseconds, and what stands in the columns."""

    unit: str
    t: int
    event: str
    value: int | None = None
    ticket: str | None = None
    question: str | None = None


@dataclass
class Log:
    """Who was exposed when in which arm, and what happened; `as_of` is the last moment that is known."""

    arms: dict[str, str]
    t0: dict[str, int]
    rows: list[Happening] = field(default_factory=list)
    as_of: int = 0

    def of(self, unit: str, event: str, since: int = 0, until: int | None = None) -> list[Happening]:
        """The unit's events from `since` on and before `until` after its exposure, in order of time."""
        first, end = self.t0[unit] + since, math.inf if until is None else self.t0[unit] + until
        mine = [row for row in self.rows if row.unit == unit and row.event == event and row.t <= self.as_of]
        return sorted((row for row in mine if first <= row.t < end), key=lambda row: row.t)

    def units(self, arm: str) -> list[str]:
        return sorted(unit for unit, own in self.arms.items() if own == arm)

    def followed(self, arm: str, span: int) -> list[str]:
        """The units of an arm that were watched for so long."""
        return [unit for unit in self.units(arm) if self.t0[unit] + span <= self.as_of]


def retention(log: Log, arm: str, event: str, since: int, until: int, rolling: bool = False) -> tuple[int, int, int]:
    """(active, followed, not followed)."""
    followed = [unit for unit in log.units(arm) if log.t0[unit] + until <= log.as_of]
    active = [unit for unit in followed if log.of(unit, event, since, None if rolling else until)]
    return len(active), len(followed), len(log.units(arm)) - len(followed)


def churn(log: Log, arm: str, event: str, horizon: int) -> list[tuple[float, bool]]:
    """(hours, lost) of every unit that was not lost before its exposure; events from the horizon on say nothing."""
    found = []
    for unit in log.units(arm):
        if any(row.t < log.t0[unit] for row in log.of(unit, event, -(10**18))):
            continue
        lost = log.of(unit, event, 0, horizon)
        found.append(((lost[0].t if lost else log.as_of) - log.t0[unit], bool(lost)))
    return sorted((micros / HOUR, lost) for micros, lost in found)


def tickets(log: Log, arm: str, window: int | None) -> list[tuple[str, str, int, int, bool]]:
    """(unit, ticket, opened, ended or as_of, resolved) of every ticket opened in the unit's window, but of those whose
    only ends are before their first start."""
    found = []
    for unit in log.units(arm):
        first: dict[str, int] = {}
        for row in log.of(unit, "opened", 0, window):
            assert row.ticket is not None
            first.setdefault(row.ticket, row.t)
        for ticket, opened in first.items():
            ends = [row.t for row in log.rows if (row.unit, row.event, row.ticket) == (unit, "solved", ticket)]
            starts = [row.t for row in log.rows if (row.unit, row.event, row.ticket) == (unit, "opened", ticket)]
            before = any(t < min(t for t in starts if t <= log.as_of) for t in ends if t <= log.as_of)
            ends = [t for t in ends if opened <= t <= log.as_of]
            if before and not ends:
                continue
            found.append((unit, ticket, opened, min(ends, default=log.as_of), bool(ends)))
    return found


def kaplan_meier_mean(lives: Sequence[tuple[float, bool]], horizon: float) -> float:
    """The area under the Kaplan-Meier curve up to the horizon, ticket by ticket."""
    left, last, area = 1.0, 0.0, 0.0
    for t in sorted({hours for hours, ended in lives if ended and hours < horizon}):
        area += left * (t - last)
        at_risk = sum(hours >= t for hours, _ in lives)
        left *= 1 - sum(hours == t and ended for hours, ended in lives) / at_risk
        last = t
    return area + left * (horizon - last)


def answers(log: Log, arm: str, event: str, question: str, which: str, window: int | None) -> dict[str, int]:
    """The answer of every followed unit that gave one; of several at one time by the order of the rows."""
    found = {}
    for unit in log.units(arm) if window is None else log.followed(arm, window):
        mine = [row for row in log.of(unit, event, 0, window) if row.question == question and row.value is not None]
        if mine:
            value = (mine[0] if which == "first" else mine[-1]).value
            assert value is not None
            found[unit] = value
    return found


def repeats(log: Log, arm: str, event: str, question: str, window: int | None) -> int:
    """Answers beyond one a unit, of followed units."""
    units = log.units(arm) if window is None else log.followed(arm, window)
    counts = Counter(row.unit for unit in units for row in log.of(unit, event, 0, window) if row.question == question)
    return sum(count - 1 for count in counts.values())


def worked_minutes(
    first: int, last: int, zone: str, days: Sequence[int], opens: int, closes: int, holidays: Sequence[date] = ()
) -> int:
    """Minutes of [first, last) in which the desk is open, minute by minute on the clock on the wall."""
    place, minute, count = ZoneInfo(zone), timedelta(minutes=1), 0
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=first)
    end = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=last)
    while moment < end:
        wall = moment.astimezone(place)
        at = 60 * wall.hour + wall.minute
        count += wall.weekday() in days and wall.date() not in holidays and opens <= at < closes
        moment += minute
    return count
