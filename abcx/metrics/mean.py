"""**Mean**: a sum or a count per unit, averaged over all exposed units, zeros kept.

Definition: per unit the sum of `value` over its events in the window (or their number, where no `value` is named, or a
ready-made `column`); the arm's value is the average over all exposed units. Units without an event count as 0; units
whose ready-made column is empty have no value and are not in the denominator, unless `missing_value: zero` says that
empty means none.

Unit of analysis: the unit that was randomized.

Use it for revenue per visitor, customer value over a fixed horizon (with `window`), page views, shares, comments.

Trap: one whale can carry an average. `cap: 99.9%` cuts values at that quantile of all exposed units, both arms pooled,
zeros included, before the arms are compared; the report shows the uncapped result beside it, and the `outliers` check
says how many units the result hangs on.

```yaml
revenue_per_visitor: {type: mean, event: purchase, value: amount, role: secondary, goal: increase, cap: 99.9%}
```
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from abcx.formatting import singular
from abcx.metrics.base import CapValue, DataNeeds, MetricOptions, UnitColumn, described
from abcx.metrics.conversion import Conversion
from abcx.spec_types import DurationValue, Term, Text
from abcx.stats.records import Contrast, Interval, Moments, Summary


def parse_cap(raw: Any) -> CapValue:
    """`99.9%` (a quantile, between 50% and 100%) or a positive number."""
    if isinstance(raw, CapValue):
        return raw
    if isinstance(raw, (int, float)) and not isinstance(raw, bool) and 0 < raw < 1e300:
        return CapValue(text=str(raw), value=float(raw))
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", raw.strip()) if isinstance(raw, str) else None
    if match is None or not 50 <= float(match[1]) < 100:
        raise PydanticCustomError(
            "cap", "not a cap", {"cure": "write a quantile from 50% to below 100% (99.9%), or a positive number"}
        )
    return CapValue(text=raw.strip(), quantile=float(Decimal(match[1]) / 100))


Cap = Annotated[
    CapValue,
    BeforeValidator(parse_cap),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$"},
            ]
        }
    ),
]


class Mean(MetricOptions):
    """Sum of a value, or number of events, per exposed unit."""

    type: Literal["mean"] = Field(description="the metric type")
    event: Text | None = Field(None, description="the event that is counted, or whose value is summed")
    value: str | None = Field(None, description="column that is summed; without it events are counted")
    column: str | None = Field(None, description="column of `units` that holds the value of each unit")
    source: str | None = Field(None, description="name of the only event file to look in")
    missing_value: Literal["zero", "drop"] | None = Field(
        None, description="what an empty `value` or cell of `column` means; else an empty `value` is an error"
    )
    cap: Cap | None = Field(None, description="values are cut at this quantile of all units (99.9%) or at this number")

    @property
    def value_kind(self) -> Literal["value"]:
        return "value"

    @property
    def is_per_exposed_unit(self) -> bool:
        return True

    def needs(self) -> DataNeeds:
        term = Term(
            event=self.event,
            column=self.column,
            value=self.value,
            where=self.where,
            source=self.source,
            missing_value=self.missing_value,
        )
        kind: Literal["column", "sum", "count"] = "column" if self.column else "sum" if self.value else "count"
        return DataNeeds((UnitColumn(kind, term, self.window),), "moments")

    def definition(self, unit: str) -> str:
        what = described(self.needs().columns[0].term) if self.event or self.column else "mean"
        return f"{what} per {singular(unit)}" + (f", capped at {self.cap.text}" if self.cap else "")

    @property
    def declared_cap(self) -> CapValue | None:
        return self.cap

    @property
    def could_be_capped(self) -> bool:
        return self.cap is None

    def is_made_by(self, other: MetricOptions, window: DurationValue | None) -> bool:
        """As `MetricOptions.is_made_by`: by one such event in the same time. The event, its source and conditions must
        be the same, and the window. A conversion that asks for two events leaves out buyers whose money is here."""
        if not isinstance(other, Conversion) or other.event is None:
            return False
        alike = (self.event, self.where, self.source) == (other.event, other.where, other.source)
        windows = [one.window or window for one in (self, other)]
        same_time = len({span.seconds if span else None for span in windows}) == 1
        return alike and same_time and other.at_least in (None, 1)

    def contrast(self, control: Summary, variant: Summary) -> Contrast:
        from abcx.stats import means

        assert isinstance(control, Moments) and isinstance(variant, Moments)
        return means.contrast(control, variant)

    def estimate(self, summary: Summary) -> float | None:
        assert isinstance(summary, Moments)
        return summary.mean if summary.n else None

    def interval(self, summary: Summary, alpha: float) -> Interval | None:
        from abcx.stats import means

        assert isinstance(summary, Moments)
        return means.interval(summary, alpha) if summary.n > 1 else None
