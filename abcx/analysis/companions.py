"""Companions of metrics that must not be read alone: what all exposed units did, per unit.

A ratio whose denominator units choose after exposure (orders, tickets) can move because the denominator moved; a time
per ticket can move because other people ask for help. The companion is a descriptive mean per exposed unit.
"""

from __future__ import annotations

from abcx.formatting import singular
from abcx.metrics import MetricSpec
from abcx.metrics.mean import Mean
from abcx.spec.model import Experiment


def with_companions(experiment: Experiment) -> tuple[Experiment, dict[str, str]]:
    """The experiment with companions after its own metrics, and for each companion the metric that it accompanies.

    A quantity that the experiment already measures is not measured twice: that metric becomes the companion.
    """
    metrics = dict(experiment.metrics)
    accompanied: dict[str, str] = {}
    for name, metric in experiment.metrics.items():
        companion = _companion(experiment, name, metric)
        if companion is None:
            continue
        key, mean = companion
        twin = next(
            (existing for existing, existing_metric in metrics.items() if existing_metric.needs() == mean.needs()), None
        )
        key = twin or (key if key not in metrics else f"{key}_of_{name}")
        if twin is None:
            metrics[key] = mean
        accompanied.setdefault(key, name)
    return experiment.model_copy(update={"metrics": metrics}), accompanied


def after_exposure(experiment: Experiment, metric: MetricSpec) -> bool:
    """Whether a metric's denominator counts what units did after exposure."""
    return metric.chosen_after(experiment.exposure.event if experiment.exposure else None)


def _companion(experiment: Experiment, name: str, metric: MetricSpec) -> tuple[str, Mean] | None:
    companion = metric.companion(name, experiment.exposure.event if experiment.exposure else None)
    if companion is None:
        return None
    term = companion.term
    mean = Mean(
        type="mean",
        role="descriptive",
        goal=companion.goal,
        window=metric.window,
        event=term.event,
        value=term.value,
        where=term.where,
        source=term.source,
        missing_value=term.missing_value,
    )
    return f"{companion.stem}_per_{singular(experiment.unit)}", mean
