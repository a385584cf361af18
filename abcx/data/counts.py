"""Summaries by arm from counts that are written in the spec."""

from __future__ import annotations

from collections.abc import Mapping

from abcx.data.counts_file import (
    MOST_UNITS,
)
from abcx.data.reading.conditions import LARGEST
from abcx.data.records import MetricData, Observed
from abcx.errors import DataError
from abcx.metrics import MetricSpec
from abcx.metrics.counts import TypedCount
from abcx.problems import Problem
from abcx.results.metric import Response
from abcx.spec.counts import ArmCounts
from abcx.spec.model import Experiment
from abcx.stats.records import Summary


def typed(experiment: Experiment, counts: Mapping[str, ArmCounts]) -> Observed:
    """Counts by arm as `Observed`. The spec's rules have checked that every arm and metric is there. Raises DataError
    for numbers that are too large."""
    metrics = {}
    for name, metric in experiment.metrics.items():
        summaries = {arm: _summary(metric, counts[arm].metrics[name], counts[arm].units) for arm in experiment.arms}
        responses = {}
        if metric.answer_scale is not None:
            invited = {arm: counts[arm].metrics[name].invited for arm in experiment.arms}
            responses = {
                arm: Response(counts[arm].units, invited[arm], summary.n) for arm, summary in summaries.items()
            }
        without_value = {} if responses else {arm: counts[arm].units - summary.n for arm, summary in summaries.items()}
        late = any(column.followed is not None for column in metric.needs().columns)
        missing, not_followed = ({}, without_value) if late else (without_value, {})
        metrics[name] = MetricData(summaries, missing=missing, not_followed=not_followed, responses=responses)
    units = {arm: counts[arm].units for arm in experiment.arms}
    if too_many := [arm for arm, n in units.items() if n > MOST_UNITS]:
        message = f"the arm '{too_many[0]}' has more than {MOST_UNITS:,} units"
        raise DataError(Problem("error", "counts-range", message, help="no test has so many: check the number"))
    return Observed("counts", units, metrics)


def _summary(metric: MetricSpec, value: TypedCount, units: int) -> Summary:
    parts = (value, value.numerator, value.denominator)
    for number in (number for part in parts if part is not None for number in (part.mean, part.sd)):
        if number is not None and not abs(number) <= LARGEST:
            message = f"{number:g} is too large to be a mean or a standard deviation"
            raise DataError(Problem("error", "counts-range", message, help="check the number"))
    return metric.of_counts(value, units if value.units is None else value.units)
