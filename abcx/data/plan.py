"""What the experiment asks of the data, gathered once: distinct event terms, ready-made columns, segments, arms."""

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

    It is fed by the event term `term_{feed}` or by the ready-made column `ready_{feed}`. Events count from `since` to
    `window` after exposure, units that were not `followed` so long have no value; all three in microseconds. `after`
    are the terms of the steps before this one.
    """

    position: int
    metric: str
    need: UnitColumn
    feed: int
    window: int | None
    since: int | None = None
    followed: int | None = None
    after: tuple[int, ...] = ()

    @property
    def follow_up(self) -> int | None:
        """How long after exposure a unit must have been watched to have this value, in microseconds; None where every
        unit has it. A time until an event is censored instead."""
        if self.need.kind == "until" or self.need.term.column is not None:
            return None
        return self.window if self.followed is None else self.followed


@dataclass(frozen=True, slots=True)
class TicketJoin:
    """Tickets of one metric: events `term_{start}` and `term_{end}` that the column `ticket_key_{key}` joins. `window`
    in microseconds."""

    metric: str
    need: Tickets
    start: int
    end: int
    key: int
    window: int | None


@dataclass(frozen=True)
class Plan:
    """`terms` and `columns` are what the scans compute per row; `values` what the unit table holds per unit.

    `segments` are the columns that are carried along, for segments or strata.
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
        """The metrics that are compared by counts and moments of values per unit."""
        return [name for name, metric in self.metrics.items() if metric.needs().summary in _SUMMED]

    def plain(self) -> list[str]:
        """Summed metrics whose values start at exposure."""
        return [name for name in self.summed() if all(value.since is None for value in self.of(name))]

    def windowed(self) -> list[str]:
        """The plain metrics that are judged and whose events count for a window."""
        return [name for name in self._judged() if all(value.window is not None for value in self.of(name))]

    def unwindowed(self) -> list[str]:
        """Those whose events count for as long as each unit was watched."""
        names = [name for name in self._judged() if name not in self.windowed()]
        return [name for name in names if all(value.need.term.column is None for value in self.of(name))]

    def _judged(self) -> list[str]:
        return [name for name in self.plain() if self.metrics[name].role != "descriptive"]

    def halved(self) -> Plan:
        """The plan of the metrics with a window, half as long."""
        some = self.only(self.windowed())
        values = tuple(replace(one, window=one.window // 2) for one in some.values if one.window is not None)
        return replace(some, values=values)

    def limited(self, window: int) -> Plan:
        """The plan of the metrics without a window, with this one (in microseconds)."""
        some = self.only(self.unwindowed())
        return replace(some, values=tuple(replace(one, window=window) for one in some.values))

    def delayed(self, names: Collection[str], since: int) -> Plan:
        """The plan of those of these metrics, with windows that begin `since` microseconds later."""
        some = self.only([name for name in (*self.windowed(), *self.unwindowed()) if name in names])
        return replace(some, values=tuple(replace(one, since=since) for one in some.values))

    def numbered(self, first: int) -> Plan:
        """The plan with its values at positions from `first` on."""
        values = tuple(replace(one, position=first + i) for i, one in enumerate(self.values))
        return replace(self, values=values)

    def only(self, names: Collection[str]) -> Plan:
        """The plan of some of its metrics."""
        metrics = {name: metric for name, metric in self.metrics.items() if name in names}
        values = tuple(value for value in self.values if value.metric in names)
        return replace(self, values=values, experiment=self.experiment.model_copy(update={"metrics": metrics}))

    @property
    def drops_missing(self) -> bool:
        """Whether some metric leaves out events without a value."""
        return any(term.value and term.missing_value == "drop" for term in self.terms)

    def scales(self, kind: Literal["term", "ready"]) -> list[tuple[int, tuple[int, int]]]:
        """(feed, scale) of every question that is read from events (`term`) or from ready-made columns (`ready`)."""
        asked = [value for value in self.values if value.need.scale is not None]
        found = [value for value in asked if (value.need.term.column is not None) == (kind == "ready")]
        return list(dict.fromkeys((value.feed, value.need.scale) for value in found if value.need.scale is not None))

    def covariate(self, name: str) -> int:
        """The position of a covariate among `columns`."""
        return self.columns.index(UnitColumn("column", Term(column=name)))

    @property
    def metrics(self) -> dict[str, MetricSpec]:
        return self.experiment.metrics


def plan(experiment: Experiment) -> Plan:
    """Gather what all metrics need; terms and columns that several metrics share are computed once."""
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
                feed = _index(columns, UnitColumn(need.kind, Term(column=need.term.column, missing_value=empty)))
                spans = [None] * 3
            else:
                feed = _index(terms, need.term.model_copy(update={"count": None, "at_least": None}))
            after = tuple(_index(terms, term) for term in need.after)
            values.append(Value(len(values), name, need, feed, spans[0], spans[1], spans[2], after))
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
