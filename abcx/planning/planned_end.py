"""The end of an experiment, by its declared size or period, and whether the data reach it.

Only a declared end can be "not reached". Where a period ends it counts, with the follow-up of the last units; where a
size alone is declared, that number of units must have been followed; where neither is, the last window must have closed
(docs/methods.md, "The declared end").
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from abcx.data.records import Observed
from abcx.planning.sample_size import Planned
from abcx.spec.model import Experiment

OVERRUN = 1.1
"""Data without times that pass a declared size by more than this factor get a warning on the card. Data with times
are judged on the day on which the size was reached, by however little it was passed: with a tolerance of a tenth, three
daily looks would each have the whole alpha (3.3 % false SHIP instead of 2.5).
"""
JUDGED = ("primary", "guardrail")
"""Roles of the metrics that the verdict depends on."""


@dataclass(frozen=True, slots=True)
class PlannedEnd:
    """When the experiment ends, and how far it is; counts are units over all arms.

    `declared` is what determines the end: the `period`, the `size`, or without either the last open `window`, or the
    end of the `data`. `day` is the day of the end, past or future, None where unknown. `followed` counts the units
    whose follow-up is over, in the primary metric with the fewest, `planned` is the declared size. `open_units` are
    exposed units of a judged metric whose window is still open, and `closed_on` the day from which none is. `expected`
    are the units exposed by the end of the declared period at the present rate. `overrun_day` is the day on which a
    declared size was reached that has been passed since: in the primary metrics, and once that day has come in all
    judged metrics. `known` is the last day of the data, None where they have no times. `window_ahead` says that the
    size is reached in the primary metrics and not yet in a guardrail with a longer window.
    """

    declared: Literal["period", "size", "window", "data"]
    reached: bool
    day: date | None
    followed: int
    planned: int | None
    open_units: int
    closed_on: date | None
    units_per_day: float | None
    expected: int | None = None
    overrun_day: date | None = None
    known: date | None = None
    window_ahead: bool = False


def follow_up_seconds(experiment: Experiment, name: str) -> int:
    """Seconds after exposure that a unit must be followed for the metric `name`: its window, last day of retention or
    horizon.

    0 where events count to the end of the period.
    """
    needs = experiment.metrics[name].needs()
    spans = [
        span
        for column in needs.columns
        if column.term.event is not None
        for span in (column.followed, column.window or (None if column.since else experiment.window))
    ]
    if needs.tickets is not None:
        spans += [needs.tickets.window or experiment.window, needs.tickets.horizon]
    return max((span.seconds for span in spans if span is not None), default=0)


def followed(observed: Observed, name: str) -> int:
    """Exposed units, over all arms, whose follow-up in the metric `name` is over, with or without a value."""
    total = sum(observed.units.values())
    data = observed.metrics.get(name)
    return total - sum(data.not_followed.values()) if data else total


def planned_end(experiment: Experiment, observed: Observed, planned: Planned) -> PlannedEnd:
    """The end of the experiment, and whether the observed data reach it; `planned` is the declared size."""
    clock = _Clock(experiment, observed)
    primaries = [name for name, metric in experiment.metrics.items() if metric.role == "primary"]
    judged = [name for name, metric in experiment.metrics.items() if metric.role in JUDGED]
    fewest = min((followed(observed, name) for name in primaries), default=0)
    longest = _longest(experiment, judged)
    rate = experiment.plan.units_per_day or clock.rate()
    last_day = clock.period_end(longest)
    total = sum(observed.units.values())
    open_units = max((total - followed(observed, name) for name in judged), default=0)
    closed_on = clock.closed_on(longest)
    end = PlannedEnd(
        declared="data",
        reached=True,
        day=None,
        followed=fewest,
        planned=planned.units,
        open_units=open_units,
        closed_on=closed_on,
        units_per_day=rate,
        known=clock.known,
    )
    if last_day is not None:
        over = clock.known is None or clock.known >= last_day
        return replace(end, declared="period", reached=over, day=last_day, expected=clock.expected(rate))
    if planned.units is not None:
        reached = fewest >= planned.units
        day = clock.day_of(planned.units, _longest(experiment, primaries), rate)
        always_valid = experiment.analysis.monitoring == "always_valid"  # holds at any size
        timed = observed.as_of is not None  # counts cannot be cut at a day
        late = reached and fewest > planned.units and timed and not always_valid
        settled = clock.day_of(planned.units, longest, rate)  # in every judged metric
        if settled is not None and clock.known is not None and settled <= clock.known:
            day = settled
        overrun = day if late and day is not None and clock.known is not None and day < clock.known else None
        behind = any(followed(observed, name) < min(planned.units, total) for name in judged)
        return replace(
            end, declared="size", reached=reached, day=day, overrun_day=overrun, window_ahead=reached and behind
        )
    if open_units and closed_on is not None:
        over = clock.known is not None and clock.known >= closed_on
        return replace(end, declared="window", reached=over, day=closed_on)
    return end


def _longest(experiment: Experiment, names: Iterable[str]) -> timedelta:
    return timedelta(seconds=max((follow_up_seconds(experiment, name) for name in names), default=0))


class _Clock:
    """Days and rates of the data, in the period's timezone."""

    def __init__(self, experiment: Experiment, observed: Observed) -> None:
        self.experiment, self.observed = experiment, observed
        self.zone = ZoneInfo(experiment.timezone)
        self.daily = [(date.fromisoformat(day), sum(units.values())) for day, units in observed.daily or ()]
        self.known = self._known()

    def _known(self) -> date | None:
        """The last day that the data cover. A data cut declared as a date ends at midnight, after that day; an export
        made on the last evening counts as reaching that day.
        """
        if self.observed.as_of is not None:
            return self._local(self.observed.as_of - 1).date()
        return max((day for day, units in self.daily if units), default=None)

    def period_end(self, follow_up: timedelta) -> date | None:
        """The last day of the declared period plus the follow-up of the units of that day; counts have no follow-up to
        wait for.
        """
        end = self.experiment.period.end_instant() if self.experiment.period else None
        if end is None:
            return None
        waited = timedelta() if self.observed.as_of is None else follow_up
        return (end + waited - timedelta(microseconds=1)).astimezone(self.zone).date()

    def closed_on(self, follow_up: timedelta) -> date | None:
        """The day on which the window of the last exposed unit closes."""
        last = self.observed.last_exposure
        return None if last is None else (self._local(last) + follow_up).date()

    def rate(self) -> float | None:
        """Units per day from the first to the last exposure; None for less than a day."""
        first, last = self.observed.first_exposure, self.observed.last_exposure
        days = (last - first) / 86_400e6 if first is not None and last is not None else 0
        return sum(self.observed.units.values()) / days if days >= 1 else None

    def expected(self, rate: float | None) -> int | None:
        """Units exposed by the end of the declared period, at this rate."""
        end = self.experiment.period.end_instant() if self.experiment.period else None
        units, last = sum(self.observed.units.values()), self.observed.last_exposure
        if end is None or last is None or rate is None:
            return None
        return units + round(max(0.0, (end - self._local(last)).total_seconds() / 86_400) * rate)

    def day_of(self, units: int, follow_up: timedelta, rate: float | None) -> date | None:
        """The day on which this number of units has been followed, the exposure of the last of them plus its window;
        None if that is unknown or more than a hundred years ahead.
        """
        total = 0
        for day, exposed in self.daily:
            total += exposed
            if total >= units:
                return day + timedelta(days=math.ceil(follow_up / timedelta(days=1)))
        last = self.observed.last_exposure
        if last is None or not rate or (units - total) / rate > 36_500:
            return None
        return (self._local(last) + timedelta(days=(units - total) / rate) + follow_up).date()

    def _local(self, microseconds: int) -> datetime:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)).astimezone(self.zone)
