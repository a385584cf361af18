"""Contrasts -> effects: every metric per arm and variant, at the level that its family leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from abcx import verdict
from abcx.data.records import MetricData, Observed
from abcx.metrics import MetricSpec
from abcx.results import ArmValue, Cap, Comparison, MetricResult, Size, Status
from abcx.spec.model import Experiment
from abcx.stats.records import Contrast, Proportion
from abcx.terms import EffectSizeValue

if TYPE_CHECKING:
    from abcx.stats.multiplicity import Adjusted

Key = tuple[str, str]
"""A metric and a variant."""


def metric_results(experiment: Experiment, observed: Observed) -> tuple[MetricResult, ...]:
    """Every metric, compared with the control, corrected within its family, with its status."""
    contrasts = {
        (name, arm): metric.contrast(
            observed.metrics[name].summaries[experiment.control], observed.metrics[name].summaries[arm]
        )
        for name, metric in experiment.metrics.items()
        for arm in experiment.variants
    }
    levels = _levels(experiment, contrasts)
    return tuple(
        _metric(experiment, name, metric, observed.metrics[name], contrasts, levels)
        for name, metric in experiment.metrics.items()
    )


def _levels(experiment: Experiment, contrasts: Mapping[Key, Contrast]) -> dict[Key, Adjusted]:
    """The level of every comparison: Holm within primaries x variants and secondaries x variants (decision 8)."""
    from abcx.stats import multiplicity

    levels: dict[Key, Adjusted] = {}
    for role in ("primary", "secondary", "guardrail", "descriptive"):
        keys = [key for key in contrasts if experiment.metrics[key[0]].role == role]
        family = role in ("primary", "secondary") and experiment.analysis.correction == "holm"
        correct = multiplicity.holm if family else multiplicity.unadjusted
        levels.update(
            zip(keys, correct([contrasts[key].p_value for key in keys], experiment.analysis.alpha), strict=True)
        )
    return levels


def _metric(
    experiment: Experiment,
    name: str,
    metric: MetricSpec,
    data: MetricData,
    contrasts: Mapping[Key, Contrast],
    levels: Mapping[Key, Adjusted],
) -> MetricResult:
    result = MetricResult(
        name=name,
        type=metric.type,
        role=metric.role,
        goal=metric.goal,
        unit=metric.unit,
        definition=metric.definition(experiment.unit),
        arms=tuple(_arm_value(arm, metric, data, experiment.analysis.alpha) for arm in experiment.arms),
        comparisons=(),
        minimum_effect=_size(metric.minimum_effect),
        margin=_size(metric.margin),
    )
    comparisons = tuple(
        _comparison(experiment, result, arm, contrasts[name, arm], levels[name, arm]) for arm in experiment.variants
    )
    return replace(result, comparisons=comparisons, cap=_cap(experiment, result, metric, data, levels))


def _arm_value(arm: str, metric: MetricSpec, data: MetricData, alpha: float) -> ArmValue:
    summary = data.summaries[arm]
    return ArmValue(
        name=arm,
        units=summary.n,
        value=metric.estimate(summary),
        interval=metric.interval(summary, alpha),
        successes=summary.successes if isinstance(summary, Proportion) else None,
        missing=data.missing.get(arm, 0),
        capped=data.capped.get(arm, 0),
    )


def _cap(
    experiment: Experiment, result: MetricResult, metric: MetricSpec, data: MetricData, levels: Mapping[Key, Adjusted]
) -> Cap | None:
    """The result without the cap, at the same levels."""
    if data.cap is None or data.uncapped is None:
        return None
    uncapped = data.uncapped
    comparisons = tuple(
        _comparison(
            experiment,
            result,
            arm,
            metric.contrast(uncapped[experiment.control], uncapped[arm]),
            levels[result.name, arm],
            adjusted=False,
        )
        for arm in experiment.variants
    )
    text = experiment.metrics[result.name].cap.text  # type: ignore[union-attr]
    return Cap(text, data.cap, comparisons)


def _comparison(
    experiment: Experiment, metric: MetricResult, arm: str, contrast: Contrast, level: Adjusted, adjusted: bool = True
) -> Comparison:
    from abcx.stats import inversion

    effect = inversion.effect(contrast, level.alpha)
    tested = metric.role != "descriptive"
    comparison = Comparison(
        arm=arm,
        control=experiment.control,
        method=effect.method,
        difference=effect.difference,
        difference_interval=effect.difference_interval,
        lift=effect.lift,
        lift_interval=effect.lift_interval,
        p_value=effect.p_value if tested else None,
        p_value_adjusted=level.p_value if tested and adjusted else None,
        alpha=level.alpha,
        status="descriptive",
        p_value_margin=_margin_p(metric, contrast),
        note=effect.note,
        lift_note=effect.lift_note,
    )
    return replace(comparison, status=_status(metric, comparison))


def _margin_p(metric: MetricResult, contrast: Contrast) -> float | None:
    """One-sided p of "the harm is at least the margin", on the margin's scale."""
    from abcx.stats import inversion

    if metric.margin is None:
        return None
    pivot = contrast.ratio_pivot if metric.margin.relative else contrast.difference_pivot
    if pivot is None:
        return None
    harm = metric.margin.value if metric.goal == "decrease" else -metric.margin.value
    at = 1 + harm if metric.margin.relative else harm
    return inversion.one_sided(pivot, at, "above" if metric.goal == "decrease" else "below")


def _status(metric: MetricResult, comparison: Comparison) -> Status:
    if metric.role == "descriptive":
        return "descriptive"
    if metric.role == "guardrail":
        return (
            "safe"
            if verdict.clears_margin(metric, comparison)
            else "harmed"
            if verdict.beyond_margin(metric, comparison)
            else "unresolved"
        )
    if comparison.p_value is None or comparison.difference is None or comparison.p_value >= comparison.alpha:
        return "inconclusive"
    return "better" if (comparison.difference > 0) == (metric.goal == "increase") else "worse"


def _size(effect: EffectSizeValue | None) -> Size | None:
    return None if effect is None else Size(effect.text, effect.value, effect.relative)
