"""Exploratory effects in every value of a segment, and whether they differ between the values; they decide nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from abcx.data.records import Groups, MetricData
from abcx.metrics import MetricSpec
from abcx.results.metric import ArmValue, Comparison, Interaction, MetricResult, Segment, SegmentValue
from abcx.spec.model import Experiment
from abcx.stats.records import Contrast, Summary

SMALLEST = 10
"""Values of a segment with fewer units than this in an arm are counted and not shown: they are too imprecise, and may
identify a person.
"""

Compare = Callable[[str, Contrast, float], Comparison]
"""(variant, contrast, level) -> the comparison to show."""
Value = Callable[[str, Summary], ArmValue]
"""(arm, summary) -> the value to show."""


def segments(
    experiment: Experiment, metric: MetricSpec, result: MetricResult, data: MetricData, compare: Compare, value: Value
) -> tuple[Segment, ...]:
    """Every segment of a metric, its values in order of size, with a test of interaction for each variant.

    Effects within a value are at alpha / number of values shown; interactions are corrected over segments and variants
    (Holm 1979).
    """
    uncorrected = [
        _segment(experiment, metric, result, name, groups, compare, value) for name, groups in data.segments.items()
    ]
    return _corrected(uncorrected, experiment.analysis.alpha)


def _segment(
    experiment: Experiment,
    metric: MetricSpec,
    result: MetricResult,
    name: str,
    groups: Groups,
    compare: Compare,
    value: Value,
) -> Segment:
    groups = dict(sorted(groups.items(), key=lambda item: -sum(summary.n for summary in item[1].values())))
    shown = {group: by_arm for group, by_arm in groups.items() if _enough(by_arm[arm] for arm in experiment.arms)}
    level = experiment.analysis.alpha / max(1, len(shown))
    contrasts = {
        arm: {group: metric.contrast(by_arm[experiment.control], by_arm[arm]) for group, by_arm in shown.items()}
        for arm in experiment.variants
    }
    values = []
    for group, by_arm in groups.items():
        arms = tuple(value(arm, by_arm[arm]) for arm in experiment.arms)
        if group in shown:
            comparisons = tuple(compare(arm, contrasts[arm][group], level) for arm in experiment.variants)
            values.append(SegmentValue(group, arms, comparisons))
        else:
            hidden = tuple(replace(arm, value=None, interval=None, successes=None) for arm in arms)
            values.append(SegmentValue(group, hidden, (), withheld=True))
    interactions = tuple(
        _interaction(arm, result, values, list(contrasts[arm].values())) for arm in experiment.variants
    )
    return Segment(name, tuple(values), interactions)


def _enough(summaries: Iterable[Summary]) -> bool:
    return all(summary.n >= SMALLEST for summary in summaries)


def _interaction(
    arm: str, result: MetricResult, values: Sequence[SegmentValue], contrasts: Sequence[Contrast]
) -> Interaction:
    from abcx.stats.interaction import of_contrasts

    whole = next(comparison for comparison in result.comparisons if comparison.arm == arm)
    effects = [
        (segment_value.value, c)
        for segment_value in values
        for c in segment_value.comparisons
        if c.arm == arm and c.difference is not None
    ]
    sign = 0.0 if whole.difference is None else whole.difference
    against = [(value, c) for value, c in effects if sign * (c.difference or 0.0) < 0]
    clearly = tuple(value for value, c in against if _excludes_zero(c))
    simpson = len(effects) > 1 and len(against) == len(effects)
    return Interaction(arm, of_contrasts(contrasts), None, len(effects), clearly, simpson)


def _excludes_zero(comparison: Comparison) -> bool:
    low, high = comparison.difference_interval or (None, None)
    return (low is not None and low > 0) or (high is not None and high < 0)


def _corrected(uncorrected: Sequence[Segment], alpha: float) -> tuple[Segment, ...]:
    from abcx.stats.multiplicity import holm

    p_values = [interaction.p_value for segment in uncorrected for interaction in segment.interactions]
    adjusted = iter(holm(p_values, alpha))
    return tuple(
        replace(
            segment,
            interactions=tuple(
                replace(interaction, p_value_adjusted=next(adjusted).p_value) for interaction in segment.interactions
            ),
        )
        for segment in uncorrected
    )
