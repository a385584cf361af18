"""Days of a timezone as numbers: the borders at which its offset changes are computed once, not for every row."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_DAY = 86_400_000_000
_EARLIER = 30_000
"""Days before 1970 that are counted from, so that whole division rounds down."""


def local_day(column: str, zone: str, first: int, last: int) -> str:
    """The SQL of the day, counted from 1970, of a time `column` between `first` and `last`, all in microseconds since
    1970 (UTC), on the calendar of a timezone."""
    pieces = list(_offsets(ZoneInfo(zone), first, last))
    *earlier, (_, offset) = pieces
    cases = "".join(f"WHEN {column} < {until} THEN {shift} " for until, shift in earlier)
    shift = f"CASE {cases}ELSE {offset} END" if cases else str(offset)
    return f"CAST(({column} + {shift} + {_EARLIER * _DAY}) // {_DAY} - {_EARLIER} AS INTEGER)"


def day(number: int) -> date:
    """The date of a number of days since 1970."""
    return date(1970, 1, 1) + timedelta(days=number)


def _offsets(zone: ZoneInfo, first: int, last: int) -> Iterator[tuple[int, int]]:
    """(first moment at which it no longer holds, offset from UTC) of every offset between two moments, in
    microseconds. Between two of its changes lies more than a day."""
    start = first
    while start <= last:
        offset, end = _offset(zone, start), start + _DAY
        while end <= last and _offset(zone, end) == offset:
            end += _DAY
        if _offset(zone, min(end, last)) == offset:
            yield last + 1, offset
            return
        low, high = end - _DAY, min(end, last)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset(zone, middle) == offset else (low, middle)
        yield high, offset
        start = high


def _offset(zone: ZoneInfo, moment: int) -> int:
    seconds, micros = divmod(moment, 1_000_000)
    local = datetime.fromtimestamp(seconds, UTC).replace(microsecond=micros).astimezone(zone)
    return (local.utcoffset() or timedelta()) // timedelta(microseconds=1)
