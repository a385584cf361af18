"""**Quantile**: the value that a given share of units, or of events, stays below.

Definition: with `of: units` the q-quantile of one value per exposed unit (as in `mean`: a sum, a count, a ready-made
column); with `of: events` the q-quantile of the values of the events themselves, whose unit is the cluster. Arms are
compared by the shares of values below one point for both (the projected share test), never by resampling.

Equal values: where values lie on a grid (whole seconds, numbers of orders), half of those that are equal count as below
their value, and the quantile lies between two values as the shares do (the mid-distribution). If 25 % wait 4 seconds,
30 % wait 5, 20 % wait 6 and the others longer, the median is 5.4 seconds. A spreadsheet says 5, whether 20 % or 49 %
wait less than 5 seconds, and hides such changes or jumps by a whole second. Where many units share one value and few
have values near it (no revenue, a timeout), the quantile is that value itself.

Unit of analysis: the unit that was randomized, also for events.

Use it for waiting times, page load times, basket sizes: what the slow tenth of customers sees (`q: 0.9`).

Trap: where more than a share q of the units have no event, the quantile per unit says little (revenue: 0 in both arms;
orders: a number below 1); use `of: events`, and remember that the change may alter how many events there are. With few
values beyond the quantile (20 values and `q: 0.9`) the interval is open at that end.

```yaml
load_p90:
  type: quantile
  event: page_load
  value: seconds
  q: 0.9
  of: events
  role: guardrail
  goal: decrease
  margin: 5%
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from abcx.formatting import singular
from abcx.metrics.base import DataNeeds, Kind, MetricOptions, Rule, UnitColumn, described
from abcx.spec_types import Number, Term, Text
from abcx.stats.records import Contrast, Interval, QuantileSummary, Summary


class Quantile(MetricOptions):
    """Quantile of per-unit values or of events."""

    type: Literal["quantile"] = Field(description="the metric type")
    q: Annotated[Number, Field(gt=0, lt=1)] = Field(description="the share that lies below: 0.5 is the median")
    of: Literal["units", "events"] = Field(description="of one value per unit, or of the values of events")
    event: Text | None = Field(None, description="the event that is counted, or whose value is taken")
    value: str | None = Field(None, description="column that holds the value; without it events are counted")
    column: str | None = Field(None, description="column of `units` that holds the value of each unit")
    source: str | None = Field(None, description="name of the only event file to look in")
    missing_value: Literal["zero", "drop"] | None = Field(
        None, description="what an empty `value` or cell of `column` means; else an empty `value` is an error"
    )

    @property
    def value_kind(self) -> Literal["value"]:
        return "value"

    def needs(self) -> DataNeeds:
        term = Term(
            event=self.event,
            column=self.column,
            value=self.value,
            where=self.where,
            source=self.source,
            missing_value=self.missing_value,
        )
        kind: Kind = "column" if self.column else "sum" if self.value else "count"
        return DataNeeds((UnitColumn(kind, term, self.window),), "quantile", q=self.q, of_events=self.of == "events")

    def rules(self) -> Iterator[Rule]:
        if self.of == "events" and (self.column or not self.value):
            message = "a quantile of events needs the event and its value"
            yield Rule("of", "quantile-of", message, "write event: page_load and value: seconds, or of: units")

    def definition(self, unit: str) -> str:
        what = described(self.needs().columns[0].term) if self.event or self.column else "values"
        if self.of == "events":
            return f"{self.q:g} quantile of {self.value or 'values'} over {self.event} events"
        return f"{self.q:g} quantile of {what} per {singular(unit)}"

    def contrast(self, control: Summary, variant: Summary) -> Contrast:
        from abcx.stats import quantiles

        assert isinstance(control, QuantileSummary) and isinstance(variant, QuantileSummary)
        return quantiles.contrast(control, variant)

    def estimate(self, summary: Summary) -> float | None:
        assert isinstance(summary, QuantileSummary)
        from abcx.stats import mid_distribution

        return mid_distribution.value(summary)

    def interval(self, summary: Summary, alpha: float) -> Interval | None:
        from abcx.stats import mid_distribution

        assert isinstance(summary, QuantileSummary)
        return mid_distribution.interval(summary, alpha) if summary.n else None
