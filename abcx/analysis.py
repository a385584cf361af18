"""The story in one page: spec + data -> effects -> checks -> verdict -> Results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from abcx import __version__, monitoring, verdict
from abcx.checks import run_all
from abcx.checks.context import CheckContext
from abcx.checks.shares import differ
from abcx.companions import after_exposure, with_companions
from abcx.comparing import relabellings
from abcx.data import inputs
from abcx.data.records import Inputs, Observed
from abcx.decomposition import decompositions
from abcx.effects import metric_results, surrounded
from abcx.errors import UsageError
from abcx.measured import MetricResult
from abcx.planning import Planned, planned, units_for_margin
from abcx.results import Arm, DataLog, Exclusion, Results, Setup, Verdict
from abcx.sensitivity import alternatives
from abcx.spec.analysis import Analysis
from abcx.spec.load import Loaded, load
from abcx.spec.model import Experiment

if TYPE_CHECKING:
    from abcx.data.engine import Engine

_METHODS = {
    "score": "shares by the constrained score test (Miettinen and Nurminen 1985; the ratio as Koopman 1984)",
    "exact score": "shares with few events by the exact binomial distribution of the same score statistic",
    "Welch": "means by Welch's t over units, the lift by inverting the same statistic (Fieller 1954)",
    "permutation": "skewed or unbalanced metrics by permutation of the studentised statistic (Janssen 1997)",
    "permutation+tail": "permutation with a fitted tail where fewer than 20 relabellings are beyond: approximate",
    "Welch, adjusted": "covariates by one slope pooled within the arms (CUPED, Deng et al. 2013), then Welch's t",
    "permutation, adjusted": "adjusted metrics, skewed or unbalanced, by permutation with slopes fitted anew each time",
    "permutation+tail, adjusted": "adjusted permutation with a fitted tail likewise: approximate",
    "Welch (ratio)": "ratios by Welch's t over linearised units (Deng, Knoblich, Lu 2018), the lift likewise",
    "Welch (NPS)": "Net Promoter Scores by Welch's t over answers",
    "Welch (adjusted NPS)": "Net Promoter Scores of fewer than 500 answers by the adjusted Wald estimate (Rocks 2016)",
    "RMST": "times by the restricted mean under the Kaplan-Meier curve, its error summed over units",
    "score (effective n)": "churn by Kaplan-Meier, compared as a share of the effective number of units (Rothman 1978)",
    "exact score (effective n)": "churn of few events likewise, by the exact score statistic",
    "quantile": "quantiles by the order statistics around them (Deng, Knoblich, Lu 2018)",
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
    from abcx.data.engines import chosen, open_engine

    loaded = Loaded(spec, Path()) if isinstance(spec, Experiment) else load(spec)
    parts = {"events": inputs.split(events), "exposures": inputs.split(exposures), "units": inputs.split(units)}
    experiment = override(loaded.experiment, as_of, seed)
    experiment = inputs.allow_outside(experiment) if allow_outside else experiment
    paths = [parts[name][0] for name in ("events", "exposures", "units")]
    experiment = inputs.replace_files(experiment, loaded.base, paths[0], paths[1], paths[2])
    frames = Inputs(parts["events"][1], parts["exposures"][1], parts["units"][1])
    with open_engine(chosen(experiment, engine, allow_outside)) as opened:
        return run(opened, replace(loaded, experiment=inputs.without_counts(experiment, frames)), frames)


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


def run(engine: Engine, loaded: Loaded, frames: Inputs, command: str | None = None) -> Results:
    """Observe and conclude; `command` is what reproduces the report."""
    from abcx.data.observe import observe

    experiment = loaded.experiment
    accompanied: dict[str, str] = {}
    if experiment.data is None or experiment.data.counts is None:
        experiment, accompanied = with_companions(experiment)
    with ThreadPoolExecutor(1) as beside:
        beside.submit(import_module, "scipy.special")  # takes as long as reading half a million rows
        observed = observe(engine, experiment, loaded.base, frames)
    engine.begin("comparing the arms")
    return conclude(replace(loaded, experiment=experiment), observed, command, accompanied)


def conclude(
    loaded: Loaded, observed: Observed, command: str | None = None, accompanied: Mapping[str, str] | None = None
) -> Results:
    """From what was promised and what was observed to what may be concluded. `accompanied` says which metrics stand
    beside others."""
    experiment = loaded.experiment
    control = experiment.control
    plan = planned(
        experiment,
        {name: data.summaries[control] for name, data in observed.metrics.items()},
        observed.units[control],
    )
    context = CheckContext(experiment, observed, {}, plan.units, plan.source)
    reached = _reached(context)
    rules = monitoring.rules(experiment, observed, plan, reached)
    relabelled = relabellings(experiment, observed)
    metrics = metric_results(experiment, observed, rules, relabelled)
    context = replace(context, metrics={metric.name: metric for metric in metrics}, relabelled=relabelled)
    checks = run_all(context)
    verdicts = verdict.judge(experiment.variants, metrics, checks, _progress(context, plan, metrics, reached))
    headline = verdict.headline(verdicts, metrics)

    def judge(changed: Experiment, data: Observed) -> tuple[Verdict, tuple[MetricResult, ...]]:
        found = metric_results(changed, data, rules, relabelled)
        return verdict.judge((headline.arm,), found, checks, _progress(context, plan, found, reached))[0], found

    shares = experiment.shares()
    return Results(
        abcx_version=__version__,
        experiment=experiment.name,
        verdict=headline,
        verdicts=verdicts,
        setup=_setup(loaded, plan, command),
        arms=tuple(Arm(arm, observed.units[arm], shares[arm]) for arm in experiment.arms),
        checks=checks,
        metrics=tuple(
            _labelled(experiment, surrounded(experiment, observed, metric), accompanied or {}) for metric in metrics
        ),
        decompositions=tuple(decompositions(experiment, observed.metrics)),
        data=_data_log(context),
        methods=_methods(experiment, metrics),
        limits=_limits(experiment, observed),
        monitoring=monitoring.described(experiment, observed, plan, reached),
        sensitivity=tuple(alternatives(experiment, observed, headline, metrics, judge))
        if headline.verdict != "INVALID"
        else (),
    )


def _labelled(experiment: Experiment, metric: MetricResult, accompanied: Mapping[str, str]) -> MetricResult:
    """The metric with what must be known to read it."""
    chosen = after_exposure(experiment, experiment.metrics[metric.name])
    return replace(metric, beside=accompanied.get(metric.name), after_exposure=chosen)


def _reached(context: CheckContext) -> bool:
    """Whether the planned size or the end of the period is reached; data without either are taken as complete."""
    over = context.period_over()
    enough = context.total >= context.planned_units if context.planned_units is not None else None
    return bool(over or enough or (over is None and enough is None))


def _progress(context: CheckContext, plan: Planned, metrics: Sequence[MetricResult], reached: bool) -> verdict.Progress:
    needed = {
        (metric.name, arm): units_for_margin(context.experiment, metric, arm, context.total)
        for metric in metrics
        if metric.role == "guardrail"
        for arm in context.experiment.variants
    }
    return verdict.Progress(
        reached=reached,
        open_windows=context.open_share(),
        stopping=context.experiment.analysis.monitoring != "fixed",
        units=context.total,
        planned=plan.units,
        per_day=context.experiment.plan.units_per_day or _observed_rate(context),
        needed_for=needed,
        noun=context.experiment.unit,
    )


def _observed_rate(context: CheckContext) -> float | None:
    """Units a day from the first to the last exposure; None for less than a day."""
    first, last = context.observed.first_exposure, context.observed.last_exposure
    days = (last - first) / 86_400e6 if first is not None and last is not None else 0
    return context.total / days if days >= 1 else None


def _setup(loaded: Loaded, plan: Planned, command: str | None) -> Setup:
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
        planned_units=plan.units,
        planned_from=plan.source,
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
    return DataLog(observed.files, exclusions, first, last, as_of, observed.notes)


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
