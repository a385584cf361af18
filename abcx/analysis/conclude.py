"""From the observed data to the Results: effects, checks, a verdict, and what another analysis would have said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from abcx.analysis import monitoring, verdict
from abcx.analysis.companions import after_exposure
from abcx.analysis.comparing import relabelings
from abcx.analysis.comparisons import Comparisons, Judging, with_exploratory_results
from abcx.analysis.decomposition import decompositions
from abcx.analysis.impact import impacts
from abcx.analysis.methods import limits_of, methods_used
from abcx.analysis.sensitivity import alternatives
from abcx.analysis.setup import data_log, setup_of
from abcx.checks import run_all
from abcx.checks.context import CheckContext
from abcx.data.records import WITHOUT_FIRST_DAY, Observed
from abcx.planning.planned_end import JUDGED, followed, planned_end
from abcx.planning.sample_size import Planned, needed, planned, units_for_margin
from abcx.results.metric import MetricResult
from abcx.results.readout import Arm, Results, Verdict
from abcx.spec.load import LoadedSpec
from abcx.spec.model import Experiment
from abcx.version import __version__


def conclude(
    loaded: LoadedSpec, observed: Observed, command: str | None = None, accompanied: Mapping[str, str] | None = None
) -> Results:
    """The Results of the loaded spec and the observed data, without reading any data.

    `accompanied` maps companions to the metrics that they accompany; `command` reproduces the report.
    """
    experiment = loaded.experiment
    control = experiment.control
    plan = planned(experiment)
    sizes = (
        plan,
        needed(
            experiment,
            {name: data.summaries[control] for name, data in observed.metrics.items()},
            observed.units[control],
        ),
    )
    end = planned_end(experiment, observed, plan)
    judging = Judging(
        monitoring.decision_rules(experiment, observed, end), monitoring.harm_watch(experiment, observed, end)
    )
    relabeled = relabelings(experiment, observed)
    comparisons = Comparisons(judging, relabeled)
    metrics = comparisons.results(experiment, observed)
    later = _without_first_day(experiment, observed, comparisons)
    by_name = {metric.name: metric for metric in metrics}
    context = CheckContext(experiment, observed, by_name, plan, end, relabeled, later)
    checks = run_all(context)
    verdicts = verdict.judge(experiment.variants, metrics, checks, _progress(context, sizes[1], metrics))
    headline = verdict.headline(verdicts, metrics)

    def judge(changed: Experiment, data: Observed) -> tuple[Verdict, tuple[MetricResult, ...]]:
        changed_metrics = comparisons.results(_judged_alone(changed), data)
        progress = _progress(context, sizes[1], changed_metrics)
        return verdict.judge((headline.arm,), changed_metrics, checks, progress)[0], changed_metrics

    shares = experiment.shares()
    return Results(
        abcx_version=__version__,
        experiment=experiment.name,
        verdict=headline,
        verdicts=verdicts,
        setup=setup_of(loaded, *sizes, command),
        arms=tuple(Arm(arm, observed.units[arm], shares[arm]) for arm in experiment.arms),
        checks=checks,
        metrics=tuple(
            _with_reading_notes(experiment, with_exploratory_results(experiment, observed, metric), accompanied or {})
            for metric in metrics
        ),
        decompositions=tuple(decompositions(experiment, observed.metrics)),
        data=data_log(context),
        methods=methods_used(experiment, metrics),
        limits=limits_of(experiment, observed),
        monitoring=monitoring.described(experiment, observed, end),
        impact=tuple(impacts(experiment, metrics, verdicts)),
        sensitivity=tuple(alternatives(experiment, observed, headline, metrics, judge))
        if headline.verdict != "INVALID"
        else (),
    )


def _judged_alone(experiment: Experiment) -> Experiment:
    """The experiment with the metrics that decide the verdict."""
    judged = {name: metric for name, metric in experiment.metrics.items() if metric.role in JUDGED}
    return experiment.model_copy(update={"metrics": judged})


def _without_first_day(experiment: Experiment, observed: Observed, comparisons: Comparisons) -> dict[str, MetricResult]:
    """The metrics that are compared by day, without the day of exposure, by name."""
    delayed = observed.shifted.get(WITHOUT_FIRST_DAY, {})
    if not delayed:
        return {}
    metrics = comparisons.results(experiment, replace(observed, metrics={**observed.metrics, **delayed}))
    return {metric.name: metric for metric in metrics if metric.name in delayed}


def _with_reading_notes(experiment: Experiment, metric: MetricResult, accompanied: Mapping[str, str]) -> MetricResult:
    """The metric with what a reader must know of it: whose companion it is, and whether its denominator is chosen after
    exposure.
    """
    chosen = after_exposure(experiment, experiment.metrics[metric.name])
    return replace(metric, beside=accompanied.get(metric.name), after_exposure=chosen)


def _progress(context: CheckContext, called_for: Planned, metrics: Sequence[MetricResult]) -> verdict.Progress:
    experiment, observed = context.experiment, context.observed
    resolved_at = {
        (metric.name, arm): units_for_margin(experiment, metric, arm, context.total)
        for metric in metrics
        if metric.margin is not None
        for arm in experiment.variants
    }
    nobody = [
        metric.name
        for metric in metrics
        if metric.role in JUDGED and context.total and not followed(observed, metric.name)
    ]
    return verdict.Progress(
        end=context.end,
        corrected=experiment.analysis.monitoring != "fixed",
        units=context.total,
        needed=called_for.units,
        needed_for=resolved_at,
        unfollowed=tuple(nobody),
        noun=experiment.unit,
    )
