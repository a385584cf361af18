"""The size that the experiment needs: declared, or worked out from the smallest effect worth having."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from abcx.metrics import MetricSpec
from abcx.results import MetricResult
from abcx.spec.model import Baseline, Experiment
from abcx.stats.records import Moments, RatioMoments, Summary


@dataclass(frozen=True, slots=True)
class Planned:
    """Units over all arms that the experiment needs, and where the number comes from; both None where nothing says."""

    units: int | None = None
    source: str | None = None


def planned(experiment: Experiment, control: Mapping[str, Summary]) -> Planned:
    """`plan.units`; else from `minimum_effect`, `power` and a baseline (declared, or the control as observed).

    With several primaries or variants the largest size counts, at alpha divided by the size of the Holm family, the
    level that the strongest of them must pass. `control` maps metrics to the control's summary.
    """
    plan = experiment.plan
    if plan.units is not None:
        return Planned(plan.units, "plan.units")
    primaries = {
        name: metric
        for name, metric in experiment.metrics.items()
        if metric.role == "primary" and metric.minimum_effect
    }
    family = sum(metric.role == "primary" for metric in experiment.metrics.values()) * len(experiment.variants)
    alpha = experiment.analysis.alpha / (family if experiment.analysis.correction == "holm" else 1)
    sizes: list[int] = []
    observed = False
    for name, metric in primaries.items():
        baseline = plan.baseline.get(name)
        observed = observed or baseline is None
        size = _size(experiment, metric, baseline or _observed(control[name]), alpha)
        if size is not None:
            sizes.append(size)
    if not sizes:
        return Planned()
    return Planned(
        max(sizes), "minimum_effect and the control as observed" if observed else "plan.baseline and minimum_effect"
    )


def _observed(summary: Summary) -> Baseline | None:
    """The control as it turned out, in the form of a declared baseline; None where it shows no spread."""
    if isinstance(summary, RatioMoments):
        top, bottom = summary.numerator, summary.denominator
        if bottom.mean <= 0:
            return None
        ratio = top.mean / bottom.mean
        variance = top.variance - 2 * ratio * summary.covariance + ratio * ratio * bottom.variance
        return Baseline(mean=ratio, sd=math.sqrt(variance) / bottom.mean) if variance > 0 else None
    if isinstance(summary, Moments):
        return Baseline(mean=summary.mean, sd=math.sqrt(summary.variance)) if summary.variance > 0 else None
    return Baseline(share=summary.successes / summary.n) if 0 < summary.successes < summary.n else None


def _size(experiment: Experiment, metric: MetricSpec, baseline: Baseline | None, alpha: float) -> int | None:
    """Units over all arms so that every variant has the planned power against the control."""
    from abcx.stats import power

    value = None if baseline is None else baseline.share if metric.unit == "share" else baseline.mean
    effect = metric.minimum_effect
    if baseline is None or value is None or effect is None:
        return None
    difference = abs(value) * effect.value if effect.relative else effect.value
    difference = -difference if metric.goal == "decrease" else difference
    if difference == 0 or (metric.unit == "share" and not 0 <= value + difference <= 1):
        return None
    shares = experiment.shares()
    totals = []
    for variant in experiment.variants:
        ratio = shares[variant] / shares[experiment.control]
        if metric.unit == "share":
            units = power.size_shares(value, difference, alpha, experiment.plan.power, ratio)
        else:
            units = power.size_means(baseline.sd or 0.0, difference, alpha, experiment.plan.power, ratio)
        totals.append(math.ceil(units / shares[experiment.control]))
    return max(totals)


def units_for_margin(metric: MetricResult, arm: str, units: int) -> int | None:
    """Units over all arms at which a guardrail's interval would fit inside its margin if the change did no harm.

    The half-width shrinks with the square root of the units. None where the interval is open.
    """
    comparison = next(item for item in metric.comparisons if item.arm == arm)
    interval = comparison.lift_interval if metric.margin and metric.margin.relative else comparison.difference_interval
    if metric.margin is None or interval is None or interval[0] is None or interval[1] is None:
        return None
    half = (interval[1] - interval[0]) / 2
    return math.ceil(units * (half / metric.margin.value) ** 2)
