"""**Retention**: the share of units that were active again some time after exposure.

Definition: units with at least one such event on day N after first exposure (`day: 7` is the 24 hours from 7 x 24 h
on), or between two times after it (`within: [7d, 14d]`, start in, end out); with `rolling: true`, on day N or at any
later time. The denominator is every exposed unit that has been followed that long by `as_of`; units that came too
late for it are left out and counted, never read as lost.

Unit of analysis: the unit that was randomized.

Use it for day-1, day-7, day-30 return, second-month activity, renewal.

Trap: counting everybody, also those who came yesterday, makes every recent cohort look disloyal. Rolling retention
grows with the length of the log: compare it between arms, never between months.

```yaml
day_7: {type: retention, event: visit, day: 7, role: primary, goal: increase, minimum_effect: 2%}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from abcx.metrics.base import DataNeeds, Rule, UnitColumn
from abcx.metrics.share import ShareOptions
from abcx.spec_types import DurationValue, Term, Text, parse_duration, shown

_DAY = 86400


def _bracket(raw: Any) -> Any:
    """`[7d, 14d]`: two lengths of time, the first shorter."""
    if isinstance(raw, (list, tuple)) and len(raw) == 2:
        first, last = (parse_duration(end) for end in raw)
        if first.seconds < last.seconds:
            return first, last
    cure = "write two lengths of time, the shorter first: within: [7d, 14d]"
    raise PydanticCustomError("bracket", "not a bracket: {raw}", {"raw": shown(raw), "cure": cure})


Bracket = Annotated[
    tuple[DurationValue, DurationValue],
    BeforeValidator(_bracket),
    WithJsonSchema({"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}),
]


class Retention(ShareOptions):
    """Share of units active again."""

    type: Literal["retention"] = Field(description="the metric type")
    event: Text | None = Field(None, description="the event that shows that a unit is active")
    source: str | None = Field(None, description="name of the only event file to look in")
    day: Annotated[int, Field(strict=True, ge=1, le=3650)] | None = Field(
        None, description="active on this day after exposure: 24 hours from day x 24 h on"
    )
    within: Bracket | None = Field(None, description="active between two times after exposure: [7d, 14d]")
    rolling: bool = Field(False, description="with `day`: active on that day or later")

    @property
    def is_per_exposed_unit(self) -> bool:
        return True

    def needs(self) -> DataNeeds:
        term = Term(event=self.event, where=self.where, source=self.source)
        since, until = self.within or (_days(self.day or 1), _days((self.day or 1) + 1))
        end = None if self.rolling else until
        return DataNeeds((UnitColumn("happened", term, end, since, until),), "proportion")

    def rules(self) -> Iterator[Rule]:
        if (self.day is None) == (self.within is None):
            message = "both a day and a bracket are named" if self.day else "neither a day nor a bracket is named"
            yield Rule(None, "retention-when", message, "write day: 7, or within: [7d, 14d]", at_key=True)
        if self.rolling and self.day is None:
            cure = "write day: 7 and rolling: true"
            yield Rule("rolling", "retention-when", "`rolling` needs a day", cure, at_key=True)
        if self.window is not None:
            cure = "remove `window`: day or within says it"
            yield Rule("window", "window-unused", "retention has its own time", cure, at_key=True)

    def definition(self, unit: str) -> str:
        if self.within is not None:
            when = f"between {self.within[0].text} and {self.within[1].text} after exposure"
        else:
            when = f"on day {self.day}{' or later' if self.rolling else ''} after exposure"
        return f"share of {unit} followed that long with {self.event or 'activity'} {when}"


def _days(n: int) -> DurationValue:
    return DurationValue(f"{n}d", n * _DAY)
