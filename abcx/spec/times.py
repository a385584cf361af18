"""Times of the spec: dates, moments and zones as they are written, and what instant they mean."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from typing import Annotated, Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

_FIXED = {
    "EST": "America/New_York",
    "MST": "America/Denver, or America/Phoenix where the clock never changes",
    "HST": "Pacific/Honolulu",
}
"""Names that look like the zone of a place and are one offset all year, the summer included."""
_LETTERS = {
    "EDT": ("America/New_York",),
    "CST": ("America/Chicago", "Asia/Shanghai"),
    "CDT": ("America/Chicago",),
    "MDT": ("America/Denver",),
    "PST": ("America/Los_Angeles",),
    "PDT": ("America/Los_Angeles",),
    "BST": ("Europe/London",),
    "CEST": ("Europe/Berlin",),
    "EEST": ("Europe/Helsinki",),
    "WEST": ("Europe/Lisbon",),
    "MSK": ("Europe/Moscow",),
    "IST": ("Asia/Kolkata", "Europe/Dublin", "Asia/Jerusalem"),
    "JST": ("Asia/Tokyo",),
    "KST": ("Asia/Seoul",),
    "AEST": ("Australia/Sydney", "Australia/Brisbane"),
    "AEDT": ("Australia/Sydney",),
    "NZST": ("Pacific/Auckland",),
}
_PLACE = "write the zone of a place, such as Europe/London, or UTC"
_NO_PLACE = ("localtime", "Factory", "posixrules")
_UNKNOWN = "unknown timezone '{raw}'"


def _timezone(raw: Any) -> Any:
    """The name of a zone; an error that names the one that is meant where it is none, or is a fixed offset."""
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        raise _refused("the timezone is empty", "", _PLACE)
    if not isinstance(raw, str):
        return raw
    if raw in _FIXED:
        raise _refused("'{raw}' is a fixed offset all year, without summer time", raw, f"write {_FIXED[raw]}")
    if raw in _NO_PLACE or raw.startswith(("posix/", "right/")):
        raise _refused("'{raw}' is no zone of a place: it differs from one machine to the next", raw, _PLACE)
    try:
        ZoneInfo(raw)
    except (OSError, ValueError, KeyError):
        raise _refused(_UNKNOWN, raw, _meant(raw)) from None
    return raw


def _refused(message: str, raw: str, cure: str) -> PydanticCustomError:
    return PydanticCustomError("timezone", message, {"raw": raw, "cure": cure})


def _meant(raw: str) -> str:
    """The help for an unknown zone name: similar names, by abbreviation, whole name, or city."""
    if re.fullmatch(r"(?i)(UTC|GMT|Z)?\s*[+-]?\s*\d{1,2}(:?\d{2})?", raw.strip()):
        return f"an offset is no zone: it does not know summer time; {_PLACE}"
    if raw.upper() in _LETTERS:
        return f"did you mean {' or '.join(_LETTERS[raw.upper()])}? Letters such as {raw} are no zones"
    known: dict[str, str] = {}
    for name in sorted(available_timezones()):
        known.setdefault(name.rpartition("/")[2].lower(), name)
    known |= {name.lower(): name for name in available_timezones()}
    near = get_close_matches(raw.strip().replace(" ", "_").lower(), known, n=1, cutoff=0.75)
    return f"did you mean {known[near[0]]}? Else {_PLACE}" if near else _PLACE


def parse_time(raw: Any) -> Any:
    """A date or time of the spec, still as text; an error that names the form where it is neither. A dict may hold
    dates and datetimes."""
    raw = raw.isoformat() if isinstance(raw, date) else raw
    if isinstance(raw, str):
        try:
            moment = datetime.fromisoformat(raw)
        except ValueError:
            moment = None
        if moment is None or not 1900 <= moment.year < 2200:
            raise PydanticCustomError(
                "time",
                "not a date or time: '{raw}'",
                {"raw": raw, "cure": "write 2024-03-04 or 2024-03-04T09:30 or 2024-03-04T09:30+01:00"},
            )
    return raw


Timezone = Annotated[str, BeforeValidator(_timezone)]
Time = Annotated[str, BeforeValidator(parse_time)]


def is_date(text: str) -> bool:
    """Whether a time of the spec is a whole day."""
    return re.fullmatch(r"\d{4}-?\d{2}-?\d{2}|\d{4}-?W\d{2}(-?\d)?", text) is not None


def instant(text: str, timezone: str, end: bool = False) -> datetime:
    """A time of the spec as an aware datetime; with `end`, a date means the end of that day."""
    if is_date(text):
        day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
        return datetime.combine(day, time(), ZoneInfo(timezone))
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone))
