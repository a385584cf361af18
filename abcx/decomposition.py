"""Revenue per visitor = conversion x order value: which of the two moved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from abcx.data.records import MetricData
from abcx.metrics import MetricSpec
from abcx.metrics.conversion import Conversion
from abcx.metrics.mean import Mean
from abcx.results import Decomposition, Factor
from abcx.spec.model import Experiment
from abcx.stats.records import Moments, Proportion
from abcx.terms import DurationValue
from abcx.wording import singular

_NEVER = DurationValue("", -1)
"""Stands for a window that never closes."""


def decompositions(experiment: Experiment, data: Mapping[str, MetricData]) -> Iterator[Decomposition]:
    """Every mean of an event's value beside a conversion that counts the units with such an event."""
    for name, metric in experiment.metrics.items():
        if not isinstance(metric, Mean) or metric.value is None:
            continue
        for other, conversion in experiment.metrics.items():
            if counts_buyers(experiment, metric, conversion):
                yield _decomposition(experiment, name, other, metric, data)


def counts_buyers(experiment: Experiment, mean: MetricSpec, conversion: MetricSpec) -> bool:
    """Whether a conversion counts exactly the units whose values a mean sums: by one such event in the same time.

    The event, its source and conditions must be the same, and the window, the metric's own or the experiment's. A
    conversion that asks for two events leaves out buyers whose money is in the mean.
    """
    if not isinstance(mean, Mean) or not isinstance(conversion, Conversion) or conversion.event is None:
        return False
    alike = (mean.event, mean.where, mean.source) == (conversion.event, conversion.where, conversion.source)
    windows = {(one.window or experiment.window or _NEVER).seconds for one in (mean, conversion)}
    return alike and len(windows) == 1 and conversion.at_least in (None, 1)


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
