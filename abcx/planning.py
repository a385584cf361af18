"""The size that the experiment needs: declared, or worked out from the smallest effect worth having."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from abcx.measured import MetricResult
from abcx.metrics import MetricSpec
from abcx.spec.model import Baseline, Experiment
from abcx.stats.records import Moments, RatioMoments, Summary
from abcx.terms import EffectSizeValue


@dataclass(frozen=True, slots=True)
class Planned:
    """Units over all arms that the experiment needs, and where the number comes from; both None where nothing says."""

    units: int | None = None
    source: str | None = None


def planned(experiment: Experiment, control: Mapping[str, Summary], exposed: int) -> Planned:
    """`plan.units`; else from `minimum_effect`, margins, `power` and a baseline (declared, or the control as observed).

    The largest size counts: every primary must show its minimum effect, every guardrail exclude its margin.
    Primaries are tested at alpha over the size of the Holm family, the level that the strongest must pass.
    Guardrails need no correction of alpha, but all must pass at once: the chance to miss is divided by their number and
    one more (Schultzberg, Ankargren, Frånberg 2024). `control` maps metrics to the control's summary and `exposed`
    are the control's exposed units: where only a part of them has a value (answers, tickets), so many more must be
    exposed.
    """
    plan = experiment.plan
    if plan.units is not None:
        return Planned(plan.units, "plan.units")
    roles = [metric.role for metric in experiment.metrics.values()]
    family = roles.count("primary") * len(experiment.variants)
    corrected = experiment.analysis.correction != "none"
    alpha = experiment.analysis.alpha
    power = 1 - (1 - plan.power) / (roles.count("guardrail") + 1)
    sizes: list[tuple[int, str]] = []
    for name, metric in experiment.metrics.items():
        effect = {"primary": metric.minimum_effect, "guardrail": metric.margin}.get(metric.role)
        if effect is None or not any(m.role == "primary" and m.minimum_effect for m in experiment.metrics.values()):
            continue
        baseline = plan.baseline.get(name)
        level = alpha / family if metric.role == "primary" and corrected else alpha
        if baseline is None and experiment.analysis.monitoring != "fixed":
            continue  # a size that moves with the data would move the looks
        size = _size(experiment, metric, effect, baseline or _observed(metric, control[name]), level, power)
        if size is not None:
            have = control[name].n
            size = math.ceil(size * exposed / have) if 0 < have < exposed else size
            reason = "minimum_effect" if metric.role == "primary" else f"the margin of {name}"
            known = f"plan.baseline and {reason}" if baseline else f"{reason} and the control as observed"
            sizes.append((size, known))
    if not sizes:
        return Planned()
    return Planned(*max(sizes))


def _observed(metric: MetricSpec, summary: Summary) -> Baseline | None:
    """The control as it turned out, in the form of a declared baseline; None where it shows no spread.

    What is neither a share nor a mean has the spread that its own 95 % interval tells.
    """
    value = metric.estimate(summary) if summary.n else None
    if value is None:
        return None
    if metric.unit == "share":
        return Baseline(share=value) if 0 < value < 1 else None
    if isinstance(summary, Moments):
        return Baseline(mean=value, sd=math.sqrt(summary.variance)) if summary.variance > 0 else None
    if isinstance(summary, RatioMoments):
        top, bottom = summary.numerator, summary.denominator
        variance = top.variance - 2 * value * summary.covariance + value * value * bottom.variance
        return Baseline(mean=value, sd=math.sqrt(variance) / bottom.mean) if variance > 0 else None
    low, high = metric.interval(summary, 0.05) or (None, None)
    if low is None or high is None or not high > low:
        return None
    return Baseline(mean=value, sd=(high - low) / (2 * 1.96) * math.sqrt(summary.n))


def _size(
    experiment: Experiment,
    metric: MetricSpec,
    effect: EffectSizeValue,
    baseline: Baseline | None,
    alpha: float,
    power: float,
) -> int | None:
    """Units over all arms so that every variant has this power against the control, for an effect or against a margin.

    Against a margin the true difference is 0, so shares have the spread of the baseline on both sides.
    """
    from abcx.stats.power import size_means, size_shares

    value = None if baseline is None else baseline.share if metric.unit == "share" else baseline.mean
    if baseline is None or value is None:
        return None
    difference = abs(value) * effect.value if effect.relative else effect.value
    difference = -difference if metric.goal == "decrease" else difference
    against_margin = metric.role == "guardrail"
    possible = metric.unit != "share" or against_margin or 0 <= value + difference <= 1
    if difference == 0 or not possible:
        return None
    shares = experiment.shares()
    totals = []
    for variant in experiment.variants:
        ratio = shares[variant] / shares[experiment.control]
        if metric.unit == "share" and not against_margin:
            units = size_shares(value, difference, alpha, power, ratio)
        else:
            sd = math.sqrt(value * (1 - value)) if metric.unit == "share" else baseline.sd or 0.0
            units = size_means(sd, difference, alpha, power, ratio)
        totals.append(math.ceil(units / shares[experiment.control]))
    return max(totals)


def units_for_margin(experiment: Experiment, metric: MetricResult, arm: str, units: int) -> int | None:
    """Units over all arms at which a guardrail would exclude its margin with the planned power if there is no harm.

    The half-width of the interval shrinks with the square root of the units; to exclude the margin with power 1 - b it
    must be margin z / (z + z_b). None where the interval is open, or widened by looks.
    """
    from abcx.stats.tails import normal_quantile

    comparison = next(item for item in metric.comparisons if item.arm == arm)
    interval = comparison.lift_interval if metric.margin and metric.margin.relative else comparison.difference_interval
    looks = experiment.analysis.monitoring != "fixed"
    if metric.margin is None or interval is None or interval[0] is None or interval[1] is None or looks:
        return None
    half = (interval[1] - interval[0]) / 2
    z = -normal_quantile(comparison.alpha / 2)
    return math.ceil(units * (half / metric.margin.value * (z + normal_quantile(experiment.plan.power)) / z) ** 2)
