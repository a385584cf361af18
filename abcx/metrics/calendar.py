"""Working hours of a desk, for durations that count only while it is open."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from abcx.spec_types import Model, shown

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def _clock(raw: Any) -> Any:
    """`09:00` as minutes after midnight; 24:00 is the end of the day."""
    if isinstance(raw, int) and not isinstance(raw, bool) and 0 <= raw <= 1440:
        return raw
    match = re.fullmatch(r"(\d{1,2}):(\d{2})", raw.strip()) if isinstance(raw, str) else None
    minutes = int(match[1]) * 60 + int(match[2]) if match and int(match[2]) < 60 else -1
    if not 0 <= minutes <= 1440:
        raise PydanticCustomError("clock", "not a time of day: {raw}", {"raw": shown(raw), "cure": 'write "09:00"'})
    return minutes


def _holiday(raw: Any) -> Any:
    try:
        return date.fromisoformat(raw)
    except (TypeError, ValueError):
        if isinstance(raw, date):
            return raw
        raise PydanticCustomError(
            "holiday", "not a date: {raw}", {"raw": shown(raw), "cure": "write 2024-12-25"}
        ) from None


Clock = Annotated[int, BeforeValidator(_clock), WithJsonSchema({"type": "string", "pattern": r"^\d{1,2}:\d{2}$"})]
Holiday = Annotated[date, BeforeValidator(_holiday), WithJsonSchema({"type": "string", "format": "date"})]


class CalendarSpec(Model):
    """When the desk is open, in the timezone of the period: only that time counts."""

    days: tuple[Day, ...] = Field(("mon", "tue", "wed", "thu", "fri"), min_length=1, description="working days")
    opens: Clock = Field(540, description='opening time, default "09:00"', validate_default=True)
    closes: Clock = Field(1020, description='closing time, default "17:00"', validate_default=True)
    holidays: tuple[Holiday, ...] = Field((), description="days that are closed")

    @model_validator(mode="after")
    def _in_order(self) -> CalendarSpec:
        if self.closes <= self.opens:
            raise PydanticCustomError("calendar", "the desk closes before it opens", {"cure": "swap opens and closes"})
        return self

    @property
    def text(self) -> str:
        """`mon to fri, 09:00 to 17:00` in words."""
        days = [day for day in DAYS if day in self.days]
        run = len(days) > 2 and DAYS.index(days[-1]) - DAYS.index(days[0]) == len(days) - 1
        shown_days = f"{days[0]} to {days[-1]}" if run else ", ".join(days)
        hours = [f"{minutes // 60:02d}:{minutes % 60:02d}" for minutes in (self.opens, self.closes)]
        closed = f", {len(self.holidays)} holidays" if self.holidays else ""
        return f"{shown_days}, {hours[0]} to {hours[1]}{closed}"
