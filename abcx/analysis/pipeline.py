"""The whole analysis in order: from a spec and its data to effects, checks, a verdict, and the Results."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from abcx.analysis import monitoring, verdict
from abcx.analysis.companions import after_exposure, with_companions
from abcx.analysis.comparing import relabelings
from abcx.analysis.comparisons import Judging, metric_results, with_exploratory_results
from abcx.analysis.decomposition import decompositions
from abcx.analysis.methods import limits_of, methods_used
from abcx.analysis.sensitivity import alternatives
from abcx.analysis.setup import data_log, setup_of
from abcx.checks import run_all
from abcx.checks.context import CheckContext
from abcx.data.reading import overrides
from abcx.data.records import WITHOUT_FIRST_DAY, Inputs, Observed
from abcx.errors import UsageError
from abcx.planning.planned_end import JUDGED, PlannedEnd, followed, planned_end
from abcx.planning.sample_size import Planned, needed, planned, units_for_margin
from abcx.results.metric import MetricResult
from abcx.results.readout import Arm, LaterEffect, Reason, Replay, Results, Verdict
from abcx.spec.analysis import Analysis
from abcx.spec.load import LoadedSpec, load
from abcx.spec.model import Experiment
from abcx.version import __version__

if TYPE_CHECKING:
    from abcx.engines.local import Engine


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
    """Analyze an experiment: read its data, compare the arms, check the data, and give a verdict for every variant.

    `spec` is a path, a dict of the same shape, or an Experiment from `load_spec` (paths in a dict or an Experiment are
    relative to the working folder). `events`, `exposures`, `units` replace the files of the spec: a path, a frame
    (pandas, Polars, Arrow), or a list of either. `as_of` (a date or time, the data cut) and `seed` replace those of the
    spec. A spec may only name files below its own folder (the working folder for a dict or an Experiment), unless
    `allow_outside` is True; files given here may lie anywhere. `engine` reads the data: duckdb (the default), spark,
    spark://HOST:PORT or postgresql://USER@HOST/DATABASE; for the last, the files are names of tables.

    Raises SpecError or DataError with every problem in the spec or the data, and UsageError for an option that cannot
    be used.
    """
    from abcx.engines.choose import chosen, open_engine

    loaded = LoadedSpec(spec, Path()) if isinstance(spec, Experiment) else load(spec)
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
    """The experiment with `analysis.as_of` and `analysis.seed` replaced where they are given.

    Raises UsageError where a value is not allowed.
    """
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
    loaded: LoadedSpec,
    frames: Inputs,
    command: str | None = None,
) -> Results:
    """The results of an experiment, read by the engine that `open_engine` opens; `command` reproduces the report.

    Where a size alone was declared and has been passed, the data are read again up to the day on which it was reached,
    and that day's verdict counts: otherwise every later analysis would have the whole alpha (docs/methods.md, "After
    the planned end"). Raises UsageError where memory is limited too tightly.
    """
    refuse_little_memory()
    with open_engine() as engine:
        results, end = _read_once(engine, loaded, frames, command)
    if end.overrun_day is None or not _readable_again(loaded.experiment):
        return results
    then = replace(loaded, experiment=override(loaded.experiment, end.overrun_day.isoformat(), None))
    with open_engine() as engine:
        planned_day, _ = _read_once(engine, then, replace(frames, rejects=None), command)
    return _with_replay(planned_day, end.overrun_day.isoformat(), results)


def refuse_little_memory() -> None:
    """Raises UsageError where `ulimit -v` leaves less address space than the libraries need to load.

    Some of them would otherwise wait for memory without end, or exit with a code that means something else.
    """
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < _ADDRESSES:
        message = f"the limit on memory (ulimit -v {limit // 1024}) is below {_ADDRESSES // 1024}"
        raise UsageError(message, f"raise it: ulimit -v {2 * _ADDRESSES // 1024}", code="memory")


_ADDRESSES = 1_250_000 * 1024
"""Bytes of address space that numpy, scipy and duckdb need before any data are read."""


def _readable_again(experiment: Experiment) -> bool:
    """Whether the data can be read a second time, which standard input cannot."""
    sources = experiment.data.sources() if experiment.data else ()
    return not any(file.path == "-" for source in sources for file in source.file)


def _with_replay(planned_day: Results, day: str, later: Results) -> Results:
    """The results of the planned day, with the effects on all data as `replay`."""
    units, later_units = (sum(arm.units for arm in results.arms) for results in (planned_day, later))
    effects = tuple(
        LaterEffect(metric.name, c.arm, c.difference, c.difference_interval, c.lift, c.lift_interval, c.p_value)
        for metric in later.metrics
        for c in metric.comparisons
    )
    replay_warning = Reason("replay")
    verdicts = tuple(
        replace(arm_verdict, warnings=(replay_warning, *arm_verdict.warnings)) for arm_verdict in planned_day.verdicts
    )
    headline = next(arm_verdict for arm_verdict in verdicts if arm_verdict.arm == planned_day.verdict.arm)
    return replace(planned_day, verdict=headline, verdicts=verdicts, replay=Replay(day, units, later_units, effects))


def _read_once(engine: Engine, loaded: LoadedSpec, frames: Inputs, command: str | None) -> tuple[Results, PlannedEnd]:
    """The results of a single reading of the data, and how far the experiment is."""
    from abcx.data.observe import observe

    experiment = loaded.experiment
    accompanied: dict[str, str] = {}
    if experiment.data is None or experiment.data.counts is None:
        experiment, accompanied = with_companions(experiment)
    with ThreadPoolExecutor(1) as executor:
        executor.submit(import_module, "scipy.special")  # takes as long as reading half a million rows
        observed = observe(engine, experiment, loaded.base, frames)
    engine.set_phase("comparing the arms")
    results = conclude(replace(loaded, experiment=experiment), observed, command, accompanied)
    return results, planned_end(experiment, observed, planned(experiment))


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
    metrics = metric_results(experiment, observed, judging, relabeled)
    later = _without_first_day(experiment, observed, judging)
    by_name = {metric.name: metric for metric in metrics}
    context = CheckContext(experiment, observed, by_name, plan, end, relabeled, later)
    checks = run_all(context)
    verdicts = verdict.judge(experiment.variants, metrics, checks, _progress(context, sizes[1], metrics))
    headline = verdict.headline(verdicts, metrics)

    def judge(changed: Experiment, data: Observed) -> tuple[Verdict, tuple[MetricResult, ...]]:
        changed_metrics = metric_results(changed, data, judging, relabeled)
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
        sensitivity=tuple(alternatives(experiment, observed, headline, metrics, judge))
        if headline.verdict != "INVALID"
        else (),
    )


def _without_first_day(experiment: Experiment, observed: Observed, judging: Judging) -> dict[str, MetricResult]:
    """The metrics that are compared by day, without the day of exposure, by name."""
    delayed = observed.shifted.get(WITHOUT_FIRST_DAY, {})
    if not delayed:
        return {}
    metrics = metric_results(experiment, replace(observed, metrics={**observed.metrics, **delayed}), judging, {})
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
