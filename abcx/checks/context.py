"""What every check sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from abcx.data.records import Observed
from abcx.results import MetricResult
from abcx.spec.model import Experiment


@dataclass(frozen=True)
class CheckContext:
    """The spec, the data as observed, and the results of every metric by name.

    `planned_units` is the planned size over all arms, None where nothing was planned; `planned_from` says where it
    comes from ("plan.units", "plan.baseline and minimum_effect", ...).
    """

    experiment: Experiment
    observed: Observed
    metrics: Mapping[str, MetricResult]
    planned_units: int | None = None
    planned_from: str | None = None

    @property
    def total(self) -> int:
        """Units analysed, all arms together."""
        return sum(self.observed.units.values())

    def local(self, microseconds: int) -> datetime:
        """A time of the data in the timezone of the period."""
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
        return moment.astimezone(ZoneInfo(self.experiment.timezone))

    def period_over(self) -> bool | None:
        """Whether the data reach the last day of the declared period; None where no end is declared or no time known.

        An export made on the last evening counts as reaching it: its last row is always before midnight.
        """
        period, as_of = self.experiment.period, self.observed.as_of
        end = period.end_instant() if period else None
        if end is None or as_of is None:
            return None
        return self.local(as_of).date() >= (end - timedelta(microseconds=1)).astimezone(ZoneInfo(self.experiment.timezone)).date()
