"""The whole analysis in order: from a spec and its data to effects, checks, a verdict, and the Results."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from abcx.analysis.companions import with_companions
from abcx.data.reading import overrides
from abcx.data.records import Inputs
from abcx.errors import UsageError
from abcx.results.readout import LaterEffect, Reason, Replay, Results
from abcx.spec.analysis import Analysis
from abcx.spec.load import LoadedSpec, load
from abcx.spec.model import Experiment

if TYPE_CHECKING:
    from abcx.engines.local import Engine
    from abcx.planning.planned_end import PlannedEnd


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
        executor.submit(import_module, "abcx.analysis.conclude")  # what comes next is loaded while the data are read
        observed = observe(engine, experiment, loaded.base, frames)
    from abcx.analysis.conclude import conclude
    from abcx.planning.planned_end import planned_end
    from abcx.planning.sample_size import planned

    engine.set_phase("comparing the arms")
    results = conclude(replace(loaded, experiment=experiment), observed, command, accompanied)
    return results, planned_end(experiment, observed, planned(experiment))
