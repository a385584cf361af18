"""The story in one page: spec + data -> effects -> checks -> verdict -> Results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from abcx import __version__, verdict
from abcx.checks import run_all
from abcx.checks.context import CheckContext
from abcx.data import inputs
from abcx.data.records import Inputs, MetricData, Observed
from abcx.decomposition import decompositions
from abcx.errors import UsageError
from abcx.metrics import MetricSpec
from abcx.planning import Planned, planned, units_for_margin
from abcx.results import Arm, ArmValue, Cap, Comparison, DataLog, MetricResult, Results, Setup, Size, Status
from abcx.spec.load import Loaded, load
from abcx.spec.model import Analysis, Experiment
from abcx.stats.records import Contrast, Proportion
from abcx.terms import EffectSizeValue

if TYPE_CHECKING:
    from abcx.data.engine import Engine
    from abcx.stats.multiplicity import Adjusted

Key = tuple[str, str]
"""A metric and a variant."""

_METHODS = {
    "score": "shares by the constrained score test (Miettinen and Nurminen 1985; the ratio as Koopman 1984)",
    "exact score": "shares with few events by the exact binomial distribution of the same score statistic",
    "Welch": "means by Welch's t over units, the lift by inverting the same statistic (Fieller 1954)",
    "Welch (ratio)": "ratios by Welch's t over linearised units (Deng, Knoblich, Lu 2018), the lift by the same inversion",
}


def analyze(
    spec: str | Path | dict[str, Any] | Experiment,
    *,
    events: Any = None,
    exposures: Any = None,
    units: Any = None,
    as_of: str | None = None,
    seed: int | None = None,
) -> Results:
    """Analyse an experiment: read its data, test, check, judge.

    `spec` is a path, a dict of the same shape, or an Experiment from `load_spec` (paths in a dict or an Experiment are
    relative to the working folder). `events`, `exposures`, `units` replace the files of the spec: a path, a frame
    (pandas, Polars, Arrow), or a list of either. `as_of` and `seed` replace those of the spec.

    Raises SpecError or DataError with every problem found.
    """
    from abcx.data.engine import Engine

    loaded = Loaded(spec, Path()) if isinstance(spec, Experiment) else load(spec)
    parts = {"events": inputs.split(events), "exposures": inputs.split(exposures), "units": inputs.split(units)}
    experiment = override(loaded.experiment, as_of, seed)
    paths = [parts[name][0] for name in ("events", "exposures", "units")]
    experiment = inputs.replace_files(experiment, loaded.base, paths[0], paths[1], paths[2])
    frames = Inputs(**{name: found for name, (_, found) in parts.items()})
    with Engine() as engine:
        return run(engine, replace(loaded, experiment=inputs.without_counts(experiment, frames)), frames)


def override(experiment: Experiment, as_of: str | None, seed: int | None) -> Experiment:
    """The experiment with `analysis.as_of` and `analysis.seed` replaced where they are given."""
    changes = {key: value for key, value in (("as_of", as_of), ("seed", seed)) if value is not None}
    if not changes:
        return experiment
    try:
        analysis = Analysis.model_validate({**experiment.analysis.model_dump(), **changes})
    except ValidationError as error:
        problem = error.errors()[0]
        raise UsageError(f"{problem['loc'][0]}: {problem['msg']}", problem.get("ctx", {}).get("cure")) from None
    return experiment.model_copy(update={"analysis": analysis})


def run(engine: Engine, loaded: Loaded, frames: Inputs, command: str | None = None) -> Results:
    """Observe and conclude; `command` is what reproduces the report."""
    from abcx.data.observe import observe

    return conclude(loaded, observe(engine, loaded.experiment, loaded.base, frames), command)


def conclude(loaded: Loaded, observed: Observed, command: str | None = None) -> Results:
    """From what was promised and what was observed to what may be concluded."""
    experiment = loaded.experiment
    contrasts = {
        (name, arm): metric.contrast(observed.metrics[name].summaries[experiment.control], observed.metrics[name].summaries[arm])
        for name, metric in experiment.metrics.items()
        for arm in experiment.variants
    }
    levels = _levels(experiment, contrasts)
    metrics = tuple(_metric(experiment, name, metric, observed.metrics[name], contrasts, levels) for name, metric in experiment.metrics.items())
    plan = planned(experiment, {name: data.summaries[experiment.control] for name, data in observed.metrics.items()})
    context = CheckContext(experiment, observed, {metric.name: metric for metric in metrics}, plan.units, plan.source)
    checks = run_all(context)
    verdicts = verdict.judge(experiment.variants, metrics, checks, _progress(context, plan, metrics))
    shares = experiment.shares()
    return Results(
        abcx_version=__version__,
        experiment=experiment.name,
        verdict=verdict.headline(verdicts, metrics),
        verdicts=verdicts,
        setup=_setup(loaded, plan, command),
        arms=tuple(Arm(arm, observed.units[arm], shares[arm]) for arm in experiment.arms),
        checks=checks,
        metrics=metrics,
        decompositions=tuple(decompositions(experiment, observed.metrics)),
        data=_data_log(context),
        methods=_methods(experiment, metrics),
        limits=_limits(experiment, observed),
    )


def _levels(experiment: Experiment, contrasts: Mapping[Key, Contrast]) -> dict[Key, Adjusted]:
    """The level of every comparison: Holm within primaries x variants and secondaries x variants (decision 8)."""
    from abcx.stats import multiplicity

    levels: dict[Key, Adjusted] = {}
    for role in ("primary", "secondary", "guardrail", "descriptive"):
        keys = [key for key in contrasts if experiment.metrics[key[0]].role == role]
        family = role in ("primary", "secondary") and experiment.analysis.correction == "holm"
        correct = multiplicity.holm if family else multiplicity.unadjusted
        levels.update(zip(keys, correct([contrasts[key].p_value for key in keys], experiment.analysis.alpha), strict=True))
    return levels


def _metric(
    experiment: Experiment, name: str, metric: MetricSpec, data: MetricData, contrasts: Mapping[Key, Contrast], levels: Mapping[Key, Adjusted]
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
    comparisons = tuple(_comparison(experiment, result, arm, contrasts[name, arm], levels[name, arm]) for arm in experiment.variants)
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


def _cap(experiment: Experiment, result: MetricResult, metric: MetricSpec, data: MetricData, levels: Mapping[Key, Adjusted]) -> Cap | None:
    """The result without the cap, at the same levels."""
    if data.cap is None or data.uncapped is None:
        return None
    uncapped = data.uncapped
    comparisons = tuple(
        _comparison(experiment, result, arm, metric.contrast(uncapped[experiment.control], uncapped[arm]), levels[result.name, arm], adjusted=False)
        for arm in experiment.variants
    )
    text = experiment.metrics[result.name].cap.text  # type: ignore[union-attr]
    return Cap(text, data.cap, comparisons)


def _comparison(experiment: Experiment, metric: MetricResult, arm: str, contrast: Contrast, level: Adjusted, adjusted: bool = True) -> Comparison:
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
        return "safe" if verdict.clears_margin(metric, comparison) else "harmed" if verdict.beyond_margin(metric, comparison) else "unresolved"
    if comparison.p_value is None or comparison.difference is None or comparison.p_value >= comparison.alpha:
        return "inconclusive"
    return "better" if (comparison.difference > 0) == (metric.goal == "increase") else "worse"


def _size(effect: EffectSizeValue | None) -> Size | None:
    return None if effect is None else Size(effect.text, effect.value, effect.relative)


def _progress(context: CheckContext, plan: Planned, metrics: Sequence[MetricResult]) -> verdict.Progress:
    over = context.period_over()
    enough = context.total >= plan.units if plan.units is not None else None
    declared = over is not None or enough is not None
    needed = {
        (metric.name, arm): units_for_margin(metric, arm, context.total)
        for metric in metrics
        if metric.role == "guardrail"
        for arm in context.experiment.variants
    }
    return verdict.Progress(
        reached=bool(over or enough or not declared),
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
    return DataLog(observed.files, observed.exclusions, first, last, as_of, observed.notes)


def _methods(experiment: Experiment, metrics: Sequence[MetricResult]) -> tuple[str, ...]:
    used = {comparison.method for metric in metrics for comparison in metric.comparisons}
    methods = [text for method, text in _METHODS.items() if method in used]
    families = [role for role in ("primary", "secondary") if sum(m.role == role for m in metrics) * len(experiment.variants) > 1]
    if families and experiment.analysis.correction == "holm":
        each = " by variant" if len(experiment.variants) > 1 else ""
        methods.append(f"Holm's correction over {' and over '.join(f'{role} metrics{each}' for role in families)}")
    return tuple(methods)


def _limits(experiment: Experiment, observed: Observed) -> tuple[str, ...]:
    limits = []
    if experiment.segments:
        limits.append("segments serve the check of the split only, for now: effects by segment are not shown")
    if observed.kind == "counts":
        limits.append("only counts were given: what happened to the data before they were counted is not checked")
    if experiment.analysis.correction == "none":
        limits.append("no correction for several comparisons: more of them are significant by chance")
    return tuple(limits)
