"""Sensitivity of the verdict: the same data without cap, covariates or top units, with other intervals and windows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from abcx.data.records import MetricData, Observed
from abcx.notes import Note, Value
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
    as_declared = _first_primary_comparison(metrics, verdict.arm)
    for change, changed, data in _alternative_inputs(experiment, observed):
        changed_verdict, changed_metrics = judge(changed, replace(observed, metrics={**observed.metrics, **data}))
        comparison = _first_primary_comparison(changed_metrics, changed_verdict.arm)
        if not data and comparison.difference_interval == as_declared.difference_interval:
            continue
        yield Alternative(
            change,
            changed_verdict.verdict,
            changed_verdict.arm,
            comparison.lift,
            comparison.lift_interval,
            comparison.p_value,
            changed_verdict.verdict == verdict.verdict,
        )


def _first_primary_comparison(metrics: tuple[MetricResult, ...], arm: str) -> Comparison:
    primary = next(metric for metric in metrics if metric.role == "primary")
    return next(comparison for comparison in primary.comparisons if comparison.arm == arm)


def _alternative_inputs(
    experiment: Experiment, observed: Observed
) -> Iterator[tuple[Note, Experiment, dict[str, MetricData]]]:
    metrics = observed.metrics
    capped = {name: data for name, data in metrics.items() if data.uncapped is not None}
    if capped:
        cut = {"covariates": _have_covariates(capped.values())}
        yield Note("without_cap", cut), experiment, {name: _uncapped(data) for name, data in capped.items()}
    adjusted = {name: replace(data, adjustment=None) for name, data in metrics.items() if data.adjustment is not None}
    if adjusted:
        yield Note("without_covariates"), experiment, adjusted
    trimmed = {
        name: trimmed_metric for name, data in metrics.items() if (trimmed_metric := _without_top(data)) is not None
    }
    if trimmed:
        name = min(trimmed, key=lambda name: experiment.metrics[name].role != "primary")
        several = len({trimmed_metric.removed for trimmed_metric in trimmed.values()}) > 1
        values: dict[str, Value] = {
            "removed": trimmed[name].removed,
            "units": trimmed[name].units,
            "metric": name if several else None,
            "covariates": _have_covariates(metrics[name] for name in trimmed),
        }
        yield (
            Note("without_top_units", values),
            experiment,
            {name: trimmed_metric.data for name, trimmed_metric in trimmed.items()},
        )
    if any(data.samples for data in metrics.values()):
        for interval in ("analytic", "permutation"):
            if experiment.analysis.interval != interval:
                analysis = experiment.analysis.model_copy(update={"interval": interval})
                yield Note("interval", {"by": interval}), experiment.model_copy(update={"analysis": analysis}), {}
    for shift, shifted in observed.shifted.items():
        values = {"length": shift.length, "unit": experiment.unit, "covariates": _have_covariates(metrics.values())}
        yield Note(shift.code, values), experiment, dict(shifted)


def _have_covariates(changed: Iterable[MetricData]) -> bool:
    """Whether covariates are left out as well: adjusted figures are not known for values that are cut another way."""
    return any(data.adjustment for data in changed)


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
