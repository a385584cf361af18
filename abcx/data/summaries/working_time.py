"""Working time in opening hours of local time; an hour that the clocks skip or repeat counts by its real length."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from abcx.metrics.calendar import DAYS, CalendarSpec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DAY = 86_400_000_000
_MINUTE = 60_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def worked(since: NDArray[np.int64], until: NDArray[np.int64], calendar: CalendarSpec, zone: str) -> NDArray[np.int64]:
    """Working time between two moments, in microseconds; moments are microseconds since 1970 in UTC."""
    import numpy as np

    if not since.size:
        return until - since
    changes = _changes(ZoneInfo(zone), int(min(since.min(), until.min())), int(max(since.max(), until.max())))
    at, offsets = np.array([when for when, _ in changes], np.int64), np.array([by for _, by in changes], np.int64)
    # Where clocks are put forward or back, no time passes, whatever they show.
    jumps = [0, *(_shown(at[1:] + offsets[1:], calendar) - _shown(at[1:] + offsets[:-1], calendar))]
    jumped = np.cumsum(jumps)

    def total(moment: NDArray[np.int64]) -> NDArray[np.int64]:
        last = np.searchsorted(at, moment, side="right") - 1
        return np.asarray(_shown(moment + offsets[last], calendar) - jumped[last], np.int64)

    return total(until) - total(since)


def _shown(wall: NDArray[np.int64], calendar: CalendarSpec) -> NDArray[np.int64]:
    """Opening time in microseconds from 1970 to local times, as if clocks were never changed."""
    import numpy as np

    days, time_of_day = np.divmod(wall, DAY)
    mask = "".join("1" if day in calendar.days else "0" for day in DAYS)
    holidays = np.array(calendar.holidays, "datetime64[D]")
    date = days.astype("datetime64[D]")
    length = (calendar.closes - calendar.opens) * _MINUTE
    whole = np.busday_count(np.datetime64(0, "D"), date, mask, holidays) * length
    today = np.clip(time_of_day - calendar.opens * _MINUTE, 0, length)
    return np.asarray(whole + np.where(np.is_busday(date, mask, holidays), today, 0), np.int64)


def _changes(zone: ZoneInfo, first: int, last: int) -> list[tuple[int, int]]:
    """(moment, UTC offset from then on), in microseconds, of every change of the clocks from before `first` to
    `last`."""
    moment = first - DAY
    changes = [(moment, _offset(zone, moment))]
    while moment <= last:
        after = moment + DAY
        if _offset(zone, after) != changes[-1][1]:
            low, high = moment, after
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset(zone, middle) == changes[-1][1] else (low, middle)
            changes.append((high, _offset(zone, high)))
        moment = after
    return changes


def _offset(zone: ZoneInfo, moment: int) -> int:
    """The UTC offset at a moment, in microseconds."""
    ahead = (_EPOCH + timedelta(microseconds=moment)).astimezone(zone).utcoffset() or timedelta()
    return ahead // timedelta(microseconds=1)
