"""What the experiment needs from the data: distinct event terms, columns of units, segments, arms."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, Literal

from abcx.metrics import MetricSpec
from abcx.metrics.base import Tickets, UnitColumn
from abcx.spec.analysis import PrePeriod
from abcx.spec.model import Experiment
from abcx.spec_types import DurationValue, Term


@dataclass(frozen=True, slots=True)
class Value:
    """One value per unit of one metric: column `value_{position}` of the unit table.

    Its source is the event term `term_{source_index}` or the column of units `ready_{source_index}`. Events count from
    `since` to `window` after exposure; units that were not `followed` so long have no value. All three are in
    microseconds.
    `after` are the terms of the steps before this one.
    """

    position: int
    metric: str
    need: UnitColumn
    source_index: int
    window: int | None
    since: int | None = None
    followed: int | None = None
    after: tuple[int, ...] = ()

    @property
    def follow_up(self) -> int | None:
        """The follow-up after exposure that a unit needs to have this value, in microseconds; None where every unit has
        one. Times until an event are censored instead."""
        if self.need.kind == "until" or self.need.term.column is not None:
            return None
        return self.window if self.followed is None else self.followed


@dataclass(frozen=True, slots=True)
class TicketJoin:
    """Tickets of one metric: start events `term_{start}` and end events `term_{end}`, joined by the column
    `ticket_key_{key}`; tickets opened within `window` microseconds after exposure count (None: no limit)."""

    metric: str
    need: Tickets
    start: int
    end: int
    key: int
    window: int | None


@dataclass(frozen=True)
class Plan:
    """What the experiment needs: `terms` and `columns` are computed by the scans for each row, `values` are in the unit
    table for each unit. `segments` are columns for segments or strata, `keys` the columns of ticket keys.
    """

    experiment: Experiment
    terms: tuple[Term, ...]
    columns: tuple[UnitColumn, ...]
    values: tuple[Value, ...]
    segments: tuple[str, ...]
    arms: tuple[str, ...]
    tickets: tuple[TicketJoin, ...] = ()
    keys: tuple[str, ...] = ()

    def of(self, metric: str) -> tuple[Value, ...]:
        """The values of a metric."""
        return tuple(value for value in self.values if value.metric == metric)

    def compared(self, metric: str) -> tuple[Value, ...]:
        """The values by which a metric is compared: of a share the first, beside which others are shown."""
        values = self.of(metric)
        return values[:1] if self.metrics[metric].needs().summary == "proportion" else values

    def summed(self) -> list[str]:
        """The metrics that are compared by counts or moments of values per unit: proportions, means, ratios."""
        return [name for name, metric in self.metrics.items() if metric.needs().summary in _SUMMED]

    def plain(self) -> list[str]:
        """Summed metrics whose values start at exposure."""
        return [name for name in self.summed() if all(value.since is None for value in self.of(name))]

    def windowed(self) -> list[str]:
        """The plain metrics, descriptive ones left out, all of whose values have a window."""
        return [name for name in self._judged() if all(value.window is not None for value in self.of(name))]

    def unwindowed(self) -> list[str]:
        """The plain metrics of events, descriptive ones left out, with a value without a window."""
        names = [name for name in self._judged() if name not in self.windowed()]
        return [name for name in names if all(value.need.term.column is None for value in self.of(name))]

    def _judged(self) -> list[str]:
        return [name for name in self.plain() if self.metrics[name].role != "descriptive"]

    def halved(self) -> Plan:
        """The plan of the metrics with a window, with windows half as long."""
        windowed = self.only(self.windowed())
        values = tuple(
            replace(value, window=value.window // 2) for value in windowed.values if value.window is not None
        )
        return replace(windowed, values=values)

    def limited(self, window: int) -> Plan:
        """The plan of the metrics without a window, with a window of `window` microseconds."""
        unwindowed = self.only(self.unwindowed())
        return replace(unwindowed, values=tuple(replace(value, window=window) for value in unwindowed.values))

    def delayed(self, names: Collection[str], since: int) -> Plan:
        """The plan of the metrics among `names` of `windowed` and `unwindowed`, with windows that begin `since`
        microseconds after exposure."""
        delayable = self.only([name for name in (*self.windowed(), *self.unwindowed()) if name in names])
        return replace(delayable, values=tuple(replace(value, since=since) for value in delayable.values))

    def numbered(self, first: int) -> Plan:
        """The plan with its values at positions from `first` on."""
        values = tuple(replace(value, position=first + i) for i, value in enumerate(self.values))
        return replace(self, values=values)

    def only(self, names: Collection[str]) -> Plan:
        """The plan of some of its metrics."""
        metrics = {name: metric for name, metric in self.metrics.items() if name in names}
        values = tuple(value for value in self.values if value.metric in names)
        return replace(self, values=values, experiment=self.experiment.model_copy(update={"metrics": metrics}))

    @property
    def time_columns(self) -> tuple[str, ...]:
        """Columns of units that hold times of events, each once."""
        return tuple(dict.fromkeys(column for metric in self.metrics.values() for column in metric.time_columns))

    @property
    def drops_missing(self) -> bool:
        """Whether some metric leaves out events without a value."""
        return any(term.value and term.missing_value == "drop" for term in self.terms)

    def scales(self, kind: Literal["term", "ready"]) -> list[tuple[int, tuple[int, int]]]:
        """(source_index, scale) of every question that is read from events (`term`) or columns of units (`ready`)."""
        with_scale = [value for value in self.values if value.need.scale is not None]
        of_kind = [value for value in with_scale if (value.need.term.column is not None) == (kind == "ready")]
        return list(
            dict.fromkeys((value.source_index, value.need.scale) for value in of_kind if value.need.scale is not None)
        )

    def covariate(self, name: str) -> int:
        """The position of a covariate among `columns`."""
        return self.columns.index(UnitColumn("column", Term(column=name)))

    @property
    def metrics(self) -> dict[str, MetricSpec]:
        return self.experiment.metrics


def plan(experiment: Experiment) -> Plan:
    """The plan of an experiment; terms and columns that several metrics share are in it once."""
    terms: list[Term] = []
    columns: list[UnitColumn] = []
    values: list[Value] = []
    tickets: list[TicketJoin] = []
    keys: list[str] = []
    for name, metric in experiment.metrics.items():
        needs = metric.needs()
        for need in needs.columns:
            window = need.window if need.since or need.window else experiment.window
            spans = [_microseconds(span) for span in (window, need.since, need.followed)]
            if need.term.column is not None:
                empty = "zero" if need.term.missing_value == "zero" else None  # to drop it is to have no value
                source_index = _index(
                    columns, UnitColumn(need.kind, Term(column=need.term.column, missing_value=empty))
                )
                spans = [None] * 3
            else:
                source_index = _index(terms, need.term.model_copy(update={"count": None, "at_least": None}))
            after = tuple(_index(terms, term) for term in need.after)
            values.append(Value(len(values), name, need, source_index, spans[0], spans[1], spans[2], after))
        if (pair := needs.tickets) is not None:
            start, end, key = _index(terms, pair.start), _index(terms, pair.end), _index(keys, pair.key)
            tickets.append(TicketJoin(name, pair, start, end, key, _microseconds(pair.window or experiment.window)))
    covariates = experiment.analysis.covariates
    for name in () if isinstance(covariates, PrePeriod) else covariates or ():
        _index(columns, UnitColumn("column", Term(column=name)))
    segments = tuple(dict.fromkeys((*experiment.segments, *experiment.analysis.stratify)))
    return Plan(
        experiment,
        tuple(terms),
        tuple(columns),
        tuple(values),
        segments,
        tuple(experiment.arms),
        tuple(tickets),
        tuple(keys),
    )


_SUMMED = ("proportion", "moments", "ratio")


def _microseconds(span: DurationValue | None) -> int | None:
    return None if span is None else span.seconds * 1_000_000


def _index(items: list[Any], item: Any) -> int:
    if item not in items:
        items.append(item)
    return items.index(item)
