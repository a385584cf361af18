"""The story in one page: spec + data -> effects -> checks -> verdict -> Results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from abcx import wording
from abcx.analysis import monitoring, verdict
from abcx.analysis.companions import after_exposure, with_companions
from abcx.analysis.comparing import relabellings
from abcx.analysis.comparisons import Judging, metric_results, surrounded
from abcx.analysis.decomposition import decompositions
from abcx.analysis.sensitivity import alternatives
from abcx.checks import run_all
from abcx.checks.context import CheckContext
from abcx.checks.shares import differ
from abcx.data.reading import overrides
from abcx.data.records import WITHOUT_FIRST_DAY, Inputs, Observed
from abcx.errors import UsageError
from abcx.planning.planned_end import JUDGED, PlannedEnd, followed, planned_end
from abcx.planning.sample_size import Planned, needed, planned, units_for_margin
from abcx.results.metric import MetricResult
from abcx.results.readout import Arm, DataLog, Exclusion, LaterEffect, Reason, Replay, Results, Setup, Verdict
from abcx.spec.analysis import Analysis
from abcx.spec.load import Loaded, load
from abcx.spec.model import Experiment
from abcx.version import __version__

if TYPE_CHECKING:
    from abcx.engines.local import Engine

_METHODS = {
    "score": "shares by the constrained score test (Miettinen and Nurminen 1985; the ratio as Koopman 1984)",
    "binomial score": "shares with few events by the binomial distribution of the same score statistic at the shares "
    "most likely under the hypothesis (a plug-in, not the largest p over all shares: Storer and Kim 1990)",
    "Welch": "means by Welch's t over units, the lift by inverting the same statistic (Fieller 1954)",
    "permutation": "skewed or unbalanced metrics by permutation of the studentised statistic (Janssen 1997)",
    "permutation+tail": "permutation with a fitted tail where fewer than 20 relabellings are beyond: approximate",
    "Welch, adjusted": "covariates by one slope pooled within the arms (CUPED, Deng et al. 2013), then Welch's t",
    "permutation, adjusted": "adjusted metrics, skewed or unbalanced, by permutation with the slopes refitted",
    "permutation+tail, adjusted": "adjusted permutation with a fitted tail likewise: approximate",
    "Welch (ratio)": "ratios by Welch's t over linearised units (Deng, Knoblich, Lu 2018), the lift likewise",
    "Welch (NPS)": "Net Promoter Scores by Welch's t over answers",
    "Welch (adjusted NPS)": "Net Promoter Scores of fewer than 500 answers by the adjusted Wald estimate (Rocks 2016)",
    "RMST": "times by the restricted mean under the Kaplan-Meier curve, its error summed over units",
    "skewness-corrected score (effective n)": "churn by Kaplan-Meier, compared as a share of the effective number of "
    "units (Rothman 1978) by the score test corrected for skewness (Gart and Nam 1988; Laud 2017)",
    "quantile": "quantiles by the projected share test on the mid-distribution, events clustered in units",
}


def analyze(
    spec: str | Path | dict[str, Any] | Experiment,
    *,
    events: Any = None,
    exposures: Any = None,
    units: Any = None,
    as_of: str | None = None,
    seed: int | None = None,
    allow_outside: bool = False,
    engine: str | None = None,
) -> Results:
    """Analyse an experiment: read its data, test, check, judge.

    `spec` is a path, a dict of the same shape, or an Experiment from `load_spec` (paths in a dict or an Experiment are
    relative to the working folder). `events`, `exposures`, `units` replace the files of the spec: a path, a frame
    (pandas, Polars, Arrow), or a list of either. `as_of` and `seed` replace those of the spec. A spec may only name
    files below its own folder (the working folder for a dict or an Experiment), unless `allow_outside` is True; files
    given here may lie anywhere. `engine` is what reads the data: duckdb (the default), spark, spark://HOST:PORT or
    postgresql://USER@HOST/DATABASE; for the last the files are names of tables.

    Raises SpecError or DataError with every problem found.
    """
    from abcx.engines.choose import chosen, open_engine

    loaded = Loaded(spec, Path()) if isinstance(spec, Experiment) else load(spec)
    parts = {
        "events": overrides.split(events),
        "exposures": overrides.split(exposures),
        "units": overrides.split(units),
    }
    experiment = override(loaded.experiment, as_of, seed)
    experiment = overrides.allow_outside(experiment) if allow_outside else experiment
    paths = [parts[name][0] for name in ("events", "exposures", "units")]
    experiment = overrides.replace_files(experiment, loaded.base, paths[0], paths[1], paths[2])
    frames = Inputs(parts["events"][1], parts["exposures"][1], parts["units"][1])
    name = chosen(experiment, engine, allow_outside)
    loaded = replace(loaded, experiment=overrides.without_counts(experiment, frames))
    return run(lambda: open_engine(name), loaded, frames)


def override(experiment: Experiment, as_of: str | None, seed: int | None) -> Experiment:
    """The experiment with `analysis.as_of` and `analysis.seed` replaced where they are given."""
    changes = {key: value for key, value in (("as_of", as_of), ("seed", seed)) if value is not None}
    if not changes:
        return experiment
    try:
        checked = Analysis.model_validate(changes)
    except ValidationError as error:
        problem = error.errors()[0]
        raise UsageError(f"{problem['loc'][0]}: {problem['msg']}", problem.get("ctx", {}).get("cure")) from None
    analysis = experiment.analysis.model_copy(update={key: getattr(checked, key) for key in changes})
    return experiment.model_copy(update={"analysis": analysis})


def run(
    open_engine: Callable[[], AbstractContextManager[Engine]],
    loaded: Loaded,
    frames: Inputs,
    command: str | None = None,
) -> Results:
    """Observe and conclude; `command` is what reproduces the report.

    Where a size alone was declared and has been passed, the data are read again up to the day on which it was reached,
    and that day's verdict counts: whoever looks later, and again, would otherwise have the whole alpha each time
    (docs/methods.md, "After the planned end").
    """
    refuse_little_memory()
    with open_engine() as engine:
        results, end = _once(engine, loaded, frames, command)
    if end.overrun_day is None or not _readable_again(loaded.experiment):
        return results
    then = replace(loaded, experiment=override(loaded.experiment, end.overrun_day.isoformat(), None))
    with open_engine() as engine:
        planned_day, _ = _once(engine, then, replace(frames, rejects=None), command)
    return _replayed(planned_day, end.overrun_day.isoformat(), results)


def refuse_little_memory() -> None:
    """Raise UsageError where `ulimit -v` leaves less than the libraries need to load: some of them would wait without
    end for memory, or leave with the exit code of a finding."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < _ADDRESSES:
        message = f"the limit on memory (ulimit -v {limit // 1024}) is below {_ADDRESSES // 1024}"
        raise UsageError(message, f"raise it: ulimit -v {2 * _ADDRESSES // 1024}", code="memory")


_ADDRESSES = 1_250_000 * 1024
"""Bytes of addresses that numpy, scipy and duckdb take before any data are read."""


def _readable_again(experiment: Experiment) -> bool:
    """Whether the data can be read a second time: standard input can not."""
    sources = experiment.data.sources() if experiment.data else ()
    return not any(file.path == "-" for source in sources for file in source.file)


def _replayed(found: Results, day: str, later: Results) -> Results:
    """The results of the planned day, with what all data show beside them."""
    units, later_units = (sum(arm.units for arm in one.arms) for one in (found, later))
    effects = tuple(
        LaterEffect(metric.name, c.arm, c.difference, c.difference_interval, c.lift, c.lift_interval, c.p_value)
        for metric in later.metrics
        for c in metric.comparisons
    )
    noun = found.setup.unit
    told = Reason(
        "replay",
        f"the planned size was reached on {day} and has been passed since: this is the verdict of that day "
        f"({wording.count(units)} of {wording.count(later_units)} {noun}); what all data show is reported separately",
    )
    verdicts = tuple(replace(one, warnings=(told, *one.warnings)) for one in found.verdicts)
    headline = next(one for one in verdicts if one.arm == found.verdict.arm)
    return replace(found, verdict=headline, verdicts=verdicts, replay=Replay(day, units, later_units, effects))


def _once(engine: Engine, loaded: Loaded, frames: Inputs, command: str | None) -> tuple[Results, PlannedEnd]:
    """One reading of the data, and how far the experiment is."""
    from abcx.data.observe import observe

    experiment = loaded.experiment
    accompanied: dict[str, str] = {}
    if experiment.data is None or experiment.data.counts is None:
        experiment, accompanied = with_companions(experiment)
    with ThreadPoolExecutor(1) as beside:
        beside.submit(import_module, "scipy.special")  # takes as long as reading half a million rows
        observed = observe(engine, experiment, loaded.base, frames)
    engine.begin("comparing the arms")
    results = conclude(replace(loaded, experiment=experiment), observed, command, accompanied)
    return results, planned_end(experiment, observed, planned(experiment))


def conclude(
    loaded: Loaded, observed: Observed, command: str | None = None, accompanied: Mapping[str, str] | None = None
) -> Results:
    """From what was promised and what was observed to what may be concluded. `accompanied` says which metrics stand
    beside others."""
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
    relabelled = relabellings(experiment, observed)
    metrics = metric_results(experiment, observed, judging, relabelled)
    later: dict[str, MetricResult] = {}
    if (delayed := observed.shifted.get(WITHOUT_FIRST_DAY)) is not None:
        others = metric_results(experiment, replace(observed, metrics={**observed.metrics, **delayed}), judging, {})
        later = {metric.name: metric for metric in others if metric.name in delayed}
    by_name = {metric.name: metric for metric in metrics}
    context = CheckContext(experiment, observed, by_name, plan, end, relabelled, later)
    checks = run_all(context)
    verdicts = verdict.judge(experiment.variants, metrics, checks, _progress(context, sizes[1], metrics))
    headline = verdict.headline(verdicts, metrics)

    def judge(changed: Experiment, data: Observed) -> tuple[Verdict, tuple[MetricResult, ...]]:
        found = metric_results(changed, data, judging, relabelled)
        return verdict.judge((headline.arm,), found, checks, _progress(context, sizes[1], found))[0], found

    shares = experiment.shares()
    return Results(
        abcx_version=__version__,
        experiment=experiment.name,
        verdict=headline,
        verdicts=verdicts,
        setup=_setup(loaded, *sizes, command),
        arms=tuple(Arm(arm, observed.units[arm], shares[arm]) for arm in experiment.arms),
        checks=checks,
        metrics=tuple(
            _labelled(experiment, surrounded(experiment, observed, metric), accompanied or {}) for metric in metrics
        ),
        decompositions=tuple(decompositions(experiment, observed.metrics)),
        data=_data_log(context),
        methods=_methods(experiment, metrics),
        limits=_limits(experiment, observed),
        monitoring=monitoring.described(experiment, observed, end),
        sensitivity=tuple(alternatives(experiment, observed, headline, metrics, judge))
        if headline.verdict != "INVALID"
        else (),
    )


def _labelled(experiment: Experiment, metric: MetricResult, accompanied: Mapping[str, str]) -> MetricResult:
    """The metric with what must be known to read it."""
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


def _setup(loaded: Loaded, plan: Planned, called_for: Planned, command: str | None) -> Setup:
    experiment, period = loaded.experiment, loaded.experiment.period
    exposure = f"first {experiment.exposure.event}" if experiment.exposure else "first row in an arm"
    if experiment.data is not None and experiment.data.counts is not None:
        exposure = "counts"
    dates = f"{period.start or '...'} to {period.end or '...'} ({period.timezone})" if period else None
    return Setup(
        title=experiment.title or experiment.name,
        hypothesis=experiment.hypothesis,
        description=experiment.description,
        owner=experiment.owner,
        tags=experiment.tags,
        links=experiment.links,
        unit=experiment.unit,
        period=dates,
        exposure=exposure,
        window=experiment.window.text if experiment.window else None,
        alpha=experiment.analysis.alpha,
        correction=experiment.analysis.correction,
        power=experiment.plan.power,
        power_each=plan.power_each,
        power_bounded=plan.bounded,
        planned_units=plan.units,
        planned_from=plan.source,
        looks_inflation=plan.inflation,
        needed_units=called_for.units,
        needed_from=called_for.source,
        units_per_day=experiment.plan.units_per_day,
        spec=loaded.path,
        spec_sha256=loaded.sha256,
        seed=experiment.analysis.seed,
        segments=experiment.segments,
        command=command,
    )


def _data_log(context: CheckContext) -> DataLog:
    observed = context.observed
    first, last, as_of = (
        None if time is None else context.local(time).isoformat()
        for time in (observed.first_exposure, observed.last_exposure, observed.as_of)
    )
    exclusions = tuple(_tested(context, exclusion) for exclusion in observed.exclusions)
    return DataLog(observed.files, exclusions, first, last, as_of, observed.notes, observed.balance)


def _tested(context: CheckContext, exclusion: Exclusion) -> Exclusion:
    """The exclusion with a test of whether it takes units equally often from all arms."""
    if exclusion.units is None or not exclusion.by_arm:
        return exclusion
    arms = context.experiment.arms
    lost, kept = [exclusion.by_arm.get(arm, 0) for arm in arms], [context.units(arm) for arm in arms]
    if exclusion.reason == "repeated_row":  # these units lose rows and stay
        kept = [all_of_arm - hit for all_of_arm, hit in zip(kept, lost, strict=True)]
    return replace(exclusion, p_value=differ(lost, kept))


def _methods(experiment: Experiment, metrics: Sequence[MetricResult]) -> tuple[str, ...]:
    used = {comparison.method for metric in metrics for comparison in metric.comparisons}
    methods = [text for method, text in _METHODS.items() if method in used]
    families = [
        role for role in ("primary", "secondary") if sum(m.role == role for m in metrics) * len(experiment.variants) > 1
    ]
    name = {"holm": "Holm's correction", "bh": "Benjamini-Hochberg with matching intervals (FCR)"}
    if families and experiment.analysis.correction in name:
        each = " by variant" if len(experiment.variants) > 1 else ""
        over = " and over ".join(f"{role} metrics{each}" for role in families)
        methods.append(f"{name[experiment.analysis.correction]} over {over}")
    return tuple(methods)


def _limits(experiment: Experiment, observed: Observed) -> tuple[str, ...]:
    limits = []
    if experiment.segments:
        limits.append("effects by segment are exploratory: nobody planned their size")
    if observed.kind == "counts":
        limits.append("only counts were given: what happened to the data before they were counted is not checked")
    if experiment.analysis.correction == "none":
        limits.append("no correction for several comparisons: more of them are significant by chance")
    return tuple(limits)
