"""**Churn**: the share of units lost by a horizon, with those still here counted as long as they were watched.

Definition: 1 - S(horizon), where S is the Kaplan-Meier estimate of the share of exposed units without the event. A unit
that has not churned by `as_of` is censored then: it counts for the time that it was watched.

Unit of analysis: the unit that was randomized; one time each, to its first such event after exposure.

Use it for cancellations, unsubscribes, closed accounts, with customers who joined at different times.

Trap: "churned / all" reads everybody who came late as loyal; "churned / followed" throws recent customers away. The
horizon must lie within what was watched: a longer one is refused, with the longest that the data allow.

```yaml
churn_90: {type: churn, event: cancel, horizon: 90d, role: guardrail, goal: decrease, margin: 1pp}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from abcx.metrics.base import DataNeeds, MetricOptions, Rule, UnitColumn, Watch
from abcx.spec_types import Duration, Term, Text
from abcx.stats.records import Contrast, Interval, Lifetimes, Summary


class Churn(MetricOptions):
    """Share of units lost by the horizon."""

    type: Literal["churn"] = Field(description="the metric type")
    event: Text | None = Field(None, description="the event by which a unit is lost")
    source: str | None = Field(None, description="name of the only event file to look in")
    horizon: Duration = Field(description="how long after exposure: 90d")

    @property
    def value_kind(self) -> Literal["share"]:
        return "share"

    @property
    def is_per_exposed_unit(self) -> bool:
        return True

    def needs(self) -> DataNeeds:
        term = Term(event=self.event, where=self.where, source=self.source)
        return DataNeeds((UnitColumn("until", term, self.horizon),), "lifetimes")

    def definition(self, unit: str) -> str:
        return f"share of {unit} with {self.event} within {self.horizon.text} of exposure (Kaplan-Meier)"

    @property
    def watch(self) -> Watch:
        return Watch(self.horizon)

    def rules(self) -> Iterator[Rule]:
        if self.window is not None:
            cure = "remove `window`: the horizon says it"
            yield Rule("window", "window-unused", "churn has its own time", cure, at_key=True)

    @property
    def hours(self) -> float:
        """The horizon in hours, the unit of lifetimes."""
        return self.horizon.seconds / 3600

    def contrast(self, control: Summary, variant: Summary) -> Contrast:
        from abcx.stats import churn

        assert isinstance(control, Lifetimes) and isinstance(variant, Lifetimes)
        return churn.contrast(control, variant, self.hours)

    def estimate(self, summary: Summary) -> float | None:
        from abcx.stats import churn

        assert isinstance(summary, Lifetimes)
        return churn.value(summary, self.hours)

    def interval(self, summary: Summary, alpha: float) -> Interval | None:
        from abcx.stats import churn

        assert isinstance(summary, Lifetimes)
        return churn.interval(summary, self.hours, alpha)
