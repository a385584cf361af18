"""Metrics that must not be read alone get a companion: what the whole exposed group did, per unit.

A ratio whose denominator units choose after exposure (orders, tickets) can move because the denominator moved; a
time per ticket can move because other people ask for help. The companion is a descriptive mean per exposed unit.
"""

from __future__ import annotations

from abcx.formatting import singular
from abcx.metrics.mean import Mean
from abcx.metrics.ratio import Ratio
from abcx.metrics.resolution_time import ResolutionTime
from abcx.spec.model import Experiment
from abcx.spec_types import Term


def with_companions(experiment: Experiment) -> tuple[Experiment, dict[str, str]]:
    """The experiment with companions after its own metrics, and whom each of them accompanies. What the experiment
    measures anyway is not measured twice: that metric is the companion."""
    metrics = dict(experiment.metrics)
    accompanied: dict[str, str] = {}
    for name, metric in experiment.metrics.items():
        found = _companion(experiment, name, metric)
        if found is None:
            continue
        key, mean = found
        twin = next((other for other, one in metrics.items() if one.needs() == mean.needs()), None)
        key = twin or (key if key not in metrics else f"{key}_of_{name}")
        if twin is None:
            metrics[key] = mean
        accompanied.setdefault(key, name)
    return experiment.model_copy(update={"metrics": metrics}), accompanied


def after_exposure(experiment: Experiment, metric: object) -> bool:
    """Whether a metric's denominator is made of what units did after exposure."""
    if not isinstance(metric, Ratio) or metric.denominator is None or metric.denominator.event is None:
        return False
    exposure = experiment.exposure.event if experiment.exposure else None
    return not (metric.denominator.event == exposure and metric.denominator.count == "units")


def _companion(experiment: Experiment, name: str, metric: object) -> tuple[str, Mean] | None:
    unit = singular(experiment.unit)
    if isinstance(metric, ResolutionTime):
        return f"{metric.start}_per_{unit}", _mean(metric, Term(event=metric.start, where=metric.where))
    if isinstance(metric, Ratio) and after_exposure(experiment, metric):
        term = metric.needs().columns[0].term
        if term.event is not None and term.count is None:
            return f"{name}_per_{unit}", _mean(metric, term)
    return None


def _mean(metric: Ratio | ResolutionTime, term: Term) -> Mean:
    return Mean(
        type="mean",
        role="descriptive",
        goal=metric.goal if isinstance(metric, Ratio) else None,
        window=metric.window,
        event=term.event,
        value=term.value,
        where=term.where,
        source=term.source,
        missing_value=term.missing_value,
    )
