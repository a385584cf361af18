"""Times of the spec: dates, moments and zones as they are written, and what instant they mean."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError


def _timezone(raw: Any) -> Any:
    if isinstance(raw, str):
        try:
            ZoneInfo(raw)
        except (OSError, ValueError, KeyError):
            raise PydanticCustomError(
                "timezone",
                "unknown timezone '{raw}'",
                {"raw": raw, "cure": "write a name such as Europe/London or UTC"},
            ) from None
    return raw


def parse_time(raw: Any) -> Any:
    """A date or time of the spec, still as text; an error that names the form where it is neither."""
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
