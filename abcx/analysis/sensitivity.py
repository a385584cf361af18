"""Sensitivity of the verdict: the same data without cap, covariates or top units, with other intervals and windows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from abcx import formatting
from abcx.data.records import MetricData, Observed
from abcx.results.metric import Comparison, MetricResult
from abcx.results.readout import Alternative, Verdict
from abcx.spec.model import Experiment
from abcx.stats.records import Moments, RatioMoments

Judge = Callable[[Experiment, Observed], tuple[Verdict, tuple[MetricResult, ...]]]
"""(experiment, observed data) -> the verdict on the headline's variant and the metrics."""


@dataclass(frozen=True, slots=True)
class _Trimmed:
    """A metric without its `removed` largest of `units` units."""

    data: MetricData
    removed: int
    units: int


def alternatives(
    experiment: Experiment, observed: Observed, verdict: Verdict, metrics: tuple[MetricResult, ...], judge: Judge
) -> Iterator[Alternative]:
    """Every alternative analysis that applies to these data, with its verdict on the headline's variant.

    `verdict` and `metrics` are those of the declared analysis; an alternative that uses the same data and has the same
    interval is left out.
    """
    as_declared = _first(metrics, verdict.arm)
    for name, changed, data in _ways(experiment, observed):
        found, others = judge(changed, replace(observed, metrics={**observed.metrics, **data}))
        comparison = _first(others, found.arm)
        if not data and comparison.difference_interval == as_declared.difference_interval:
            continue
        yield Alternative(
            name,
            found.verdict,
            found.arm,
            comparison.lift,
            comparison.lift_interval,
            comparison.p_value,
            found.verdict == verdict.verdict,
        )


def _first(metrics: tuple[MetricResult, ...], arm: str) -> Comparison:
    primary = next(metric for metric in metrics if metric.role == "primary")
    return next(one for one in primary.comparisons if one.arm == arm)


def _ways(experiment: Experiment, observed: Observed) -> Iterator[tuple[str, Experiment, dict[str, MetricData]]]:
    metrics = observed.metrics
    capped = {name: data for name, data in metrics.items() if data.uncapped is not None}
    if capped:
        yield (
            f"without the cap{_plainly(capped.values())}",
            experiment,
            {name: _uncapped(data) for name, data in capped.items()},
        )
    adjusted = {name: replace(data, adjustment=None) for name, data in metrics.items() if data.adjustment is not None}
    if adjusted:
        yield "without covariates", experiment, adjusted
    trimmed = {name: found for name, data in metrics.items() if (found := _without_top(data)) is not None}
    if trimmed:
        words = _plainly(metrics[name] for name in trimmed)
        name = min(trimmed, key=lambda name: experiment.metrics[name].role != "primary")
        number = f"{formatting.count(trimmed[name].removed)} of {formatting.count(trimmed[name].units)}"
        if len({found.removed for found in trimmed.values()}) > 1:
            number += f" by {name}"
        yield (
            f"without the top 0.1% of units ({number}){words}",
            experiment,
            {name: found.data for name, found in trimmed.items()},
        )
    if any(data.samples for data in metrics.values()):
        for interval, words in (("analytic", "analytic intervals"), ("permutation", "permutation intervals")):
            if experiment.analysis.interval != interval:
                analysis = experiment.analysis.model_copy(update={"interval": interval})
                yield words, experiment.model_copy(update={"analysis": analysis}), {}
    for words, shifted in observed.shifted.items():
        yield f"{words}{_plainly(metrics.values())}", experiment, dict(shifted)


def _plainly(changed: Iterable[MetricData]) -> str:
    """The words that covariates are dropped, too: adjusted figures are not known for values that
    are cut another way.
    """
    return " and without covariates" if any(data.adjustment for data in changed) else ""


def _uncapped(data: MetricData) -> MetricData:
    assert data.uncapped is not None
    return replace(data, summaries=data.uncapped, uncapped=None, cap=None, samples=None, adjustment=None)


def _without_top(data: MetricData) -> _Trimmed | None:
    """The metric without the largest units of all arms pooled; None where their values are not known."""
    from abcx.stats import influence

    removed = influence.largest(data.summaries, data.top)
    if not removed:
        return None
    summaries = {
        arm: influence.shortened(summary, removed[arm])
        for arm, summary in data.summaries.items()
        if arm in removed and isinstance(summary, (Moments, RatioMoments))
    }
    shorter = replace(data, summaries={**data.summaries, **summaries}, samples=None, adjustment=None, uncapped=None)
    return _Trimmed(shorter, sum(map(len, removed.values())), sum(summary.n for summary in data.summaries.values()))
