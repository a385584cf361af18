"""Does the verdict survive? The same data without cap, covariates or top units, with other intervals and windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from abcx.data.records import MetricData, Observed
from abcx.results import Alternative, MetricResult, Verdict
from abcx.spec.model import Experiment
from abcx.stats.records import Moments, RatioMoments, Summary

TOP_SHARE = 0.001
"""The policy on outliers that is tried: without the top 0.1 % of the units of all arms."""

Judge = Callable[[Experiment, Observed], tuple[Verdict, tuple[MetricResult, ...]]]


def alternatives(experiment: Experiment, observed: Observed, verdict: Verdict, judge: Judge) -> Iterator[Alternative]:
    """Every other way that applies to these data, with the verdict it leads to about the headline's variant."""
    for name, changed, data in _ways(experiment, observed):
        found, metrics = judge(changed, replace(observed, metrics={**observed.metrics, **data}))
        primary = next(metric for metric in metrics if metric.role == "primary")
        comparison = next(one for one in primary.comparisons if one.arm == found.arm)
        yield Alternative(
            name,
            found.verdict,
            found.arm,
            comparison.lift,
            comparison.lift_interval,
            comparison.p_value,
            found.verdict == verdict.verdict,
        )


def _ways(experiment: Experiment, observed: Observed) -> Iterator[tuple[str, Experiment, dict[str, MetricData]]]:
    metrics = observed.metrics
    capped = {name: data for name, data in metrics.items() if data.uncapped is not None}
    if capped:
        yield "without the cap", experiment, {name: _uncapped(data) for name, data in capped.items()}
    adjusted = {name: replace(data, adjustment=None) for name, data in metrics.items() if data.adjustment is not None}
    if adjusted:
        yield "without covariates", experiment, adjusted
    trimmed = {name: data for name, found in metrics.items() if (data := _without_top(observed, found)) is not None}
    if trimmed:
        yield f"without the top {TOP_SHARE:.1%} of units", experiment, trimmed
    if any(data.samples for data in metrics.values()):
        for interval, words in (("analytic", "analytic intervals"), ("permutation", "permutation intervals")):
            if experiment.analysis.interval != interval:
                analysis = experiment.analysis.model_copy(update={"interval": interval})
                yield words, experiment.model_copy(update={"analysis": analysis}), {}
    if experiment.analysis.correction != "none":
        analysis = experiment.analysis.model_copy(update={"correction": "none"})
        if len(experiment.variants) > 1 or sum(metric.role == "primary" for metric in experiment.metrics.values()) > 1:
            yield "without correction for several comparisons", experiment.model_copy(update={"analysis": analysis}), {}
    yield from ((words, experiment, dict(data)) for words, data in observed.shifted.items())


def _uncapped(data: MetricData) -> MetricData:
    assert data.uncapped is not None
    return replace(data, summaries=data.uncapped, uncapped=None, cap=None, samples=None, adjustment=None)


def _without_top(observed: Observed, data: MetricData) -> MetricData | None:
    """The metric without the largest units of all arms pooled; None where their values are not known."""
    count = max(1, round(TOP_SHARE * sum(observed.units.values())))
    pooled = sorted(((unit[0], arm) for arm, units in data.top.items() for unit in units), reverse=True)[:count]
    if not pooled or any(len(units) <= count for units in data.top.values()):
        return None
    removed = {arm: sum(owner == arm for _, owner in pooled) for arm in data.top}
    summaries = {
        arm: _shortened(summary, data.top.get(arm, ())[: removed.get(arm, 0)])
        for arm, summary in data.summaries.items()
    }
    return replace(data, summaries=summaries, samples=None, adjustment=None, uncapped=None)


def _shortened(summary: Summary, top: tuple[tuple[float, float], ...]) -> Summary:
    from abcx.stats import influence

    if isinstance(summary, Moments):
        return influence.without(summary, [value for value, _ in top])
    return influence.ratio_without(summary, top) if isinstance(summary, RatioMoments) else summary
