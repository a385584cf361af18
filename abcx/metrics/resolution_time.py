"""**Resolution time**: how long a ticket takes, open tickets included.

Definition: the time from `start` to the first `end` with the same `key`, per ticket, for tickets that were opened in
the unit's window. A ticket still open at `as_of` is censored then; one whose only ends are before its start is left out
and counted (`end_before_start`). Where an export has a ticket again, with the same start and another end, `reexported`
says which end counts. The arm's value is the restricted mean up to the `horizon`, in hours: the area under
the Kaplan-Meier curve, so a ticket that takes longer counts as the horizon. Median and share within the `service_level`
stand beside it. With a `calendar` only working hours count. Where long tickets and arms of different sizes call for it
the interval is by permutation of the units.

Unit of analysis: the unit that was randomized; its tickets are one cluster.

Use it for time to first reply, time to resolution, delivery time.

Trap: dropping open tickets drops the slow ones: in a simulation 4 % open tickets turned 27.8 h into 23.5 h. And a
change may alter who asks for help: the report always shows tickets per exposed unit beside the time.

```yaml
time_to_resolve:
  type: resolution_time
  start: ticket_opened
  end: ticket_solved
  key: ticket_id
  horizon: 72h
  service_level: 24h
  role: primary
  goal: decrease
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from abcx.metrics.base import Companion, DataNeeds, MetricOptions, Rule, Tickets, Watch
from abcx.metrics.calendar import CalendarSpec
from abcx.spec_types import Duration, Term, Text
from abcx.stats.records import Contrast, Interval, Lifetimes, Summary


class ResolutionTime(MetricOptions):
    """Restricted mean time from start to end per ticket, in hours."""

    type: Literal["resolution_time"] = Field(description="the metric type")
    start: Text = Field(description="the event that opens a ticket")
    end: Text = Field(description="the event that resolves it")
    key: str = Field(description="column that names the ticket in both events")
    horizon: Duration = Field(description="how long a ticket is watched; longer ones count as the horizon")
    service_level: Duration | None = Field(None, description="shows the share resolved within this time")
    reexported: Literal["first", "last"] | None = Field(
        None, description="which end counts of a ticket that was exported again with another one"
    )
    calendar: CalendarSpec | None = Field(None, description="working hours: only that time counts")

    @property
    def value_kind(self) -> Literal["hours"]:
        return "hours"

    def needs(self) -> DataNeeds:
        start, end = Term(event=self.start, where=self.where), Term(event=self.end)
        options = self.key, self.window, self.horizon, self.calendar, self.reexported
        return DataNeeds((), "lifetimes", Tickets(start, end, *options))

    def definition(self, unit: str) -> str:
        hours = f"working hours ({self.calendar.text})" if self.calendar else "hours"
        return f"mean {hours} from {self.start} to {self.end} per ticket, up to {self.horizon.text}"

    @property
    def watch(self) -> Watch:
        return Watch(self.horizon, self.service_level)

    def rules(self) -> Iterator[Rule]:
        if self.start == self.end:
            message = "start and end are the same event"
            yield Rule("end", "same-event", message, "name the event that resolves it")

    def companion(self, name: str, exposure: str | None) -> Companion:
        """A time per ticket can move because other people ask for help."""
        return Companion(self.start, Term(event=self.start, where=self.where))

    @property
    def hours(self) -> float:
        """The horizon in hours."""
        return self.horizon.seconds / 3600

    def contrast(self, control: Summary, variant: Summary) -> Contrast:
        return self.compared(control, variant)

    def compared(
        self,
        control: Summary,
        variant: Summary,
        interval: Literal["auto", "analytic", "permutation"] = "auto",
        draws: int = 4000,
        seed: int = 0,
    ) -> Contrast:
        """`contrast` by the method that a spec asks for, or that these tickets need."""
        from abcx.stats import restricted_mean

        assert isinstance(control, Lifetimes) and isinstance(variant, Lifetimes)
        return restricted_mean.compared(control, variant, self.hours, interval, draws, seed)

    def estimate(self, summary: Summary) -> float | None:
        from abcx.stats import restricted_mean

        assert isinstance(summary, Lifetimes)
        return restricted_mean.value(summary, self.hours)

    def interval(self, summary: Summary, alpha: float) -> Interval | None:
        from abcx.stats import restricted_mean

        assert isinstance(summary, Lifetimes)
        return restricted_mean.interval(summary, self.hours, alpha)
