"""Decomposition of revenue per visitor into conversion x order value, which shows the factor that moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from abcx.data.records import MetricData
from abcx.formatting import singular
from abcx.metrics.mean import Mean
from abcx.results.readout import Decomposition, Factor
from abcx.spec.model import Experiment
from abcx.stats.records import Moments, Proportion


def decompositions(experiment: Experiment, data: Mapping[str, MetricData]) -> Iterator[Decomposition]:
    """The decomposition of every mean of an event's value for which a conversion counts the units with that event.

    `data` are the observed metrics by name.
    """
    for name, metric in experiment.metrics.items():
        if not isinstance(metric, Mean) or metric.value is None:
            continue
        for conversion_name, conversion in experiment.metrics.items():
            if metric.is_made_by(conversion, experiment.window):
                yield _decomposition(experiment, name, conversion_name, metric, data)


def _decomposition(
    experiment: Experiment, total: str, share: str, metric: Mean, data: Mapping[str, MetricData]
) -> Decomposition:
    means: dict[str, float | None] = {}
    shares: dict[str, float | None] = {}
    values: dict[str, float | None] = {}
    for arm in experiment.arms:
        moments, proportion = data[total].summaries[arm], data[share].summaries[arm]
        assert isinstance(moments, Moments) and isinstance(proportion, Proportion)
        means[arm] = moments.mean if moments.n else None
        shares[arm] = proportion.successes / proportion.n if proportion.n else None
        values[arm] = moments.mean * moments.n / proportion.successes if proportion.successes else None
    per_buyer = f"{metric.value} per {singular(experiment.unit)} with {metric.event}"
    return Decomposition(
        Factor(total, "value", means, _lifts(experiment, means)),
        Factor(share, "share", shares, _lifts(experiment, shares)),
        Factor(per_buyer, "value", values, _lifts(experiment, values)),
    )


def _lifts(experiment: Experiment, values: Mapping[str, float | None]) -> dict[str, float | None]:
    base = values[experiment.control]
    lifts: dict[str, float | None] = {}
    for arm in experiment.variants:
        value = values[arm]
        lifts[arm] = value / base - 1 if value is not None and base is not None and base > 0 else None
    return lifts
