"""The input of every check: the spec, the observed data and the results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from abcx import formatting
from abcx.checks import words
from abcx.data.records import MetricData, Observed
from abcx.planning.planned_end import PlannedEnd
from abcx.planning.sample_size import Planned
from abcx.results.metric import Comparison, MetricResult
from abcx.spec.model import Experiment

if TYPE_CHECKING:
    from abcx.stats.permutation_draws import Relabelings


@dataclass(frozen=True)
class CheckContext:
    """The spec, the data as observed, and the results of every metric by name.

    `planned` is the declared size over all arms and where it comes from, `end` when the experiment ends and how far it
    is. `relabeled` holds random relabelings of the units of a metric and a variant, where the units themselves were
    read; `without_first_day` the results of metrics that are compared by day without the day of exposure.
    """

    experiment: Experiment
    observed: Observed
    metrics: Mapping[str, MetricResult]
    planned: Planned
    end: PlannedEnd
    relabeled: Mapping[tuple[str, str], Relabelings] = field(default_factory=dict)
    without_first_day: Mapping[str, MetricResult] = field(default_factory=dict)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.experiment.timezone)

    @property
    def total(self) -> int:
        """Units analyzed, all arms together."""
        return sum(self.observed.units.values())

    def units(self, arm: str) -> int:
        """Units analyzed in one arm; 0 where the data have none."""
        return self.observed.units.get(arm, 0)

    def noun(self, n: float) -> str:
        """A number of units in the words of the spec: 1 visitor, 1,234 visitors."""
        return formatting.plural(n, self.experiment.unit)

    def title(self, metric: str) -> str:
        """The name of a metric for people."""
        named = self.metrics.get(metric) or self.experiment.metrics.get(metric)
        return (named.title if named is not None else None) or formatting.title_of(metric)

    def titles(self, metrics: Iterable[str]) -> str:
        """The names of metrics for people, in one list: Orders, Revenue per visitor and 2 more."""
        return words.listed([self.title(metric) for metric in metrics])

    def title_in(self, metric: str, arm: str) -> str:
        """The name of a metric for people, with the arm where there are several variants."""
        return self.title(metric) + (f" in {arm}" if len(self.experiment.variants) > 1 else "")

    def conversion(self, metric: str) -> str | None:
        """The metric that counts who has the event of which another metric is made; None where the spec has none."""
        metrics = self.experiment.metrics
        event = metrics[metric].needs().columns[0].term.event if metrics[metric].needs().columns else None
        if event is None:
            return None
        shares = [
            name
            for name, other in metrics.items()
            if name != metric
            and [(column.kind, column.term.event) for column in other.needs().columns] == [("happened", event)]
        ]
        alike = [name for name in shares if metrics[metric].is_made_by(metrics[name], self.experiment.window)]
        return next(iter([*alike, *shares]), None)

    @property
    def one_unit(self) -> str:
        """The noun of the units in the singular: visitor."""
        return formatting.singular(self.experiment.unit)

    def data(self, metric: str) -> MetricData:
        """The observed data of a metric; empty where there are none."""
        return self.observed.metrics.get(metric) or MetricData({})

    def comparison(self, metric: str, arm: str) -> Comparison | None:
        """The comparison of a variant with the control on one metric."""
        comparisons = self.metrics[metric].comparisons if metric in self.metrics else ()
        return next((comparison for comparison in comparisons if comparison.arm == arm), None)

    def exposed_days(self) -> tuple[date, date] | None:
        """First and last day with exposures, in the period's timezone; None where the data have no times."""
        first, last = self.observed.first_exposure, self.observed.last_exposure
        if first is not None and last is not None:
            return self.local(first).date(), self.local(last).date()
        days = [day for day, units in self.observed.daily or () if sum(units.values())]
        return (date.fromisoformat(min(days)), date.fromisoformat(max(days))) if days else None

    def declared_days(self) -> tuple[date, date] | None:
        """First and last day of the declared period; None where it has no start or no end."""
        start, last = self.experiment.period.start_instant() if self.experiment.period else None, self.last_day()
        return None if start is None or last is None else (start.astimezone(self._zone).date(), last)

    def last_day(self) -> date | None:
        """The last day of the declared period, in its timezone."""
        end = self.experiment.period.end_instant() if self.experiment.period else None
        return None if end is None else (end - timedelta(microseconds=1)).astimezone(self._zone).date()

    def local(self, microseconds: int) -> datetime:
        """A time of the data in the timezone of the period."""
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
        return moment.astimezone(self._zone)


def days_between(first: date, last: date) -> int:
    """How many days from `first` to `last`, both included."""
    return (last - first).days + 1
