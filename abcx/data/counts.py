"""Counts typed into the spec, by arm -> the same summaries."""

from __future__ import annotations

from collections.abc import Mapping

from abcx.data.counts_file import (
    MOST_UNITS,
)
from abcx.data.reading.conditions import LARGEST
from abcx.data.records import MetricData, Observed
from abcx.errors import DataError
from abcx.metrics import MetricSpec
from abcx.metrics.ces import Ces
from abcx.metrics.csat import Csat
from abcx.metrics.nps import Nps
from abcx.problems import Problem
from abcx.results.metric import Response
from abcx.spec.counts import ArmCounts, Spread, TypedCount
from abcx.spec.model import Experiment
from abcx.stats.records import Answers, Categories, Moments, Proportion, RatioMoments, Summary


def typed(experiment: Experiment, counts: Mapping[str, ArmCounts]) -> Observed:
    """Counts by arm as observations. The spec's rules have checked that every arm and metric is there."""
    metrics = {}
    for name, metric in experiment.metrics.items():
        summaries = {arm: _summary(metric, counts[arm].metrics[name], counts[arm].units) for arm in experiment.arms}
        responses = _responses(metric, counts, name)
        rest = {} if responses else {arm: counts[arm].units - summary.n for arm, summary in summaries.items()}
        late = any(column.followed is not None for column in metric.needs().columns)
        missing, not_followed = ({}, rest) if late else (rest, {})
        metrics[name] = MetricData(summaries, missing=missing, not_followed=not_followed, responses=responses)
    units = {arm: counts[arm].units for arm in experiment.arms}
    if too_many := [arm for arm, n in units.items() if n > MOST_UNITS]:
        message = f"the arm '{too_many[0]}' has more than {MOST_UNITS:,} units"
        raise DataError(Problem("error", "counts-range", message, help="no test has so many: check the number"))
    return Observed("counts", units, metrics)


def _summary(metric: MetricSpec, value: TypedCount, units: int) -> Summary:
    n = units if value.units is None else value.units
    kind = metric.needs().summary
    if isinstance(metric, (Nps, Csat, Ces)) and value.answers:
        low, high = metric.scale
        return Categories(low, tuple(value.answers.get(answer, 0) for answer in range(low, high + 1)))
    if isinstance(metric, Nps):
        return Answers(value.promoters or 0, value.passives or 0, value.detractors or 0)
    if kind == "proportion" or isinstance(metric, Csat):
        return Proportion(value.count or 0, n)
    if kind == "moments" or isinstance(metric, Ces):
        return _spread(Spread(mean=value.mean or 0.0, sd=value.sd or 0.0), n)
    assert value.numerator is not None and value.denominator is not None
    covariance = (value.correlation or 0.0) * value.numerator.sd * value.denominator.sd
    return RatioMoments(_spread(value.numerator, n), _spread(value.denominator, n), covariance)


def _responses(metric: MetricSpec, counts: Mapping[str, ArmCounts], name: str) -> dict[str, Response]:
    """Who was asked and who answered, of the metrics that ask."""
    if not isinstance(metric, (Nps, Csat, Ces)):
        return {}
    found = {}
    for arm, row in counts.items():
        value = row.metrics[name]
        found[arm] = Response(row.units, value.invited, _summary(metric, value, row.units).n)
    return found


def _spread(spread: Spread, n: int) -> Moments:
    for number in (spread.mean, spread.sd):
        if not abs(number) <= LARGEST:
            message = f"{number:g} is too large to be a mean or a standard deviation"
            raise DataError(Problem("error", "counts-range", message, help="check the number"))
    return Moments(n, spread.mean, spread.sd**2 if n > 1 else 0.0)
