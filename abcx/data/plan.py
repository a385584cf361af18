"""What the experiment asks of the data, gathered once: distinct event terms, ready-made columns, segments, arms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from abcx.metrics import MetricSpec
from abcx.metrics.base import UnitColumn
from abcx.spec.analysis import PrePeriod
from abcx.spec.model import Experiment
from abcx.terms import Term


@dataclass(frozen=True, slots=True)
class Value:
    """One value per unit of one metric: column `c{position}` of the unit table.

    It is fed by the event term `x{feed}` or by the ready-made column `m{feed}`. `window` is in microseconds.
    """

    position: int
    metric: str
    need: UnitColumn
    feed: int
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

    def of(self, metric: str) -> tuple[Value, ...]:
        """The one or two values of a metric."""
        return tuple(value for value in self.values if value.metric == metric)

    def with_windows(self, factor: float) -> Plan:
        """The same plan with every window so many times as long."""
        values = tuple(
            value if value.window is None else replace(value, window=round(value.window * factor))
            for value in self.values
        )
        return replace(self, values=values)

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
    for name, metric in experiment.metrics.items():
        for need in metric.needs().columns:
            window = need.window or experiment.window
            microseconds = window.seconds * 1_000_000 if window and need.term.column is None else None
            if need.term.column is not None:
                feed = _index(columns, UnitColumn(need.kind, Term(column=need.term.column)))
            else:
                feed = _index(terms, need.term.model_copy(update={"count": None}))
            values.append(Value(len(values), name, need, feed, microseconds))
    covariates = experiment.analysis.covariates
    for name in () if isinstance(covariates, PrePeriod) else covariates or ():
        _index(columns, UnitColumn("column", Term(column=name)))
    segments = tuple(dict.fromkeys((*experiment.segments, *experiment.analysis.stratify)))
    return Plan(experiment, tuple(terms), tuple(columns), tuple(values), segments, tuple(experiment.arms))


def _index(items: list[Any], item: Any) -> int:
    if item not in items:
        items.append(item)
    return items.index(item)
