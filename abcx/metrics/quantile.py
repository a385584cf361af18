"""**Quantile**: the value that a given share of units, or of events, stays below.

Definition: with `of: units` the q-quantile of one value per exposed unit (as in `mean`: a sum, a count, a ready-made
column); with `of: events` the q-quantile of the values of the events themselves, whose unit is the cluster. Intervals
come from order statistics around the quantile (Deng, Knoblich, Lu 2018), never from resampling.

Unit of analysis: the unit that was randomised, also for events.

Use it for waiting times, page load times, basket sizes: what the slow tenth of customers sees (`q: 0.9`).

Trap: where more than a share q of the units have no event, the quantile per unit is 0 in both arms and says nothing;
use `of: events`, and remember that the change may alter how many events there are.

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

from typing import Annotated, Literal

from pydantic import Field

from abcx.metrics.base import Kind, MetricOptions, Needs, UnitColumn, described
from abcx.stats.records import Contrast, Interval, QuantileSummary, Summary
from abcx.terms import Number, Term, Text
from abcx.wording import singular


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
        None, description="what an empty `value` means; else an error"
    )

    @property
    def unit(self) -> Literal["value"]:
        return "value"

    def needs(self) -> Needs:
        term = Term(
            event=self.event,
            column=self.column,
            value=self.value,
            where=self.where,
            source=self.source,
            missing_value=self.missing_value,
        )
        kind: Kind = "column" if self.column else "sum" if self.value else "count"
        return Needs((UnitColumn(kind, term, self.window),), "quantile", q=self.q, of_events=self.of == "events")

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
        from abcx.stats import quantiles

        return quantiles.value(summary)

    def interval(self, summary: Summary, alpha: float) -> Interval | None:
        from abcx.stats import quantiles

        assert isinstance(summary, QuantileSummary)
        return quantiles.interval(summary, alpha) if summary.n else None
