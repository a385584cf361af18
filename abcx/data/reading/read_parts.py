"""Reads files or frames into the tables `exposures`, `units` and `events`, and checks that the metrics have their
data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from abcx.data.plan import Plan
from abcx.data.reading import load
from abcx.data.reading.load import Loading
from abcx.data.reading.source import Source, has_arm
from abcx.data.records import Inputs
from abcx.engines.local import Engine
from abcx.errors import DataError
from abcx.problems import Problem, Span
from abcx.spec.model import EventSource, FileOptions


def read_parts(engine: Engine, plan: Plan, base: Path, inputs: Inputs, apart: bool = False) -> Loading:
    """Open every file, then read them into the engine's tables; raises DataError with all problems of a stage at once.
    With `apart` every file is read in a statement of its own."""
    opened = _open_parts(engine, plan, base, inputs, apart)
    tables = [source.table for sources in opened.values() for source in sources]
    engine.restrict_to(file.path for table in tables for file in table.files)
    _refuse_missing_parts(plan, opened)
    arm_part = _arm_part(plan, opened)
    loading = Loading(engine, plan, rejects=inputs.rejects)
    problems: list[Problem] = []
    for part, sources in opened.items():
        try:
            load.load(loading, part, sources, arm_needed=part == arm_part)
        except DataError as error:
            problems += error.problems
    if not problems:
        carriers = [loading.parts[part] for part in (arm_part, "units") if part in loading.parts]
        for name in plan.segments:
            if not any(name in carrier.segments for carrier in carriers):
                problems.append(_unknown_segment(name, carriers[0].sources[0], opened.get("events", ())))
    if problems:
        raise DataError(problems)
    return loading


def _unknown_segment(name: str, carrier: Source, events: tuple[Source, ...]) -> Problem:
    """The problem of a segment that is no column of exposures or units; a column of events cannot be one."""
    problem = carrier.table.unknown_column(name, "segments")
    events_file = next((source.table.shown for source in events if source.resolve(name) is not None), None)
    if events_file is None:
        return problem
    message = f"'{name}' is a column of {events_file}: what units do later is not known at exposure"
    help = f"a segment is a column of exposures or units: add '{name}' to {carrier.table.shown}, or name a units file"
    return replace(problem, code="late-segment", message=message, help=help)


def _open_parts(engine: Engine, plan: Plan, base: Path, inputs: Inputs, apart: bool) -> dict[str, tuple[Source, ...]]:
    """The sources of every part of the data, with their headers read."""
    data = plan.experiment.data
    opened: dict[str, tuple[Source, ...]] = {}
    problems: list[Problem] = []
    for part in ("exposures", "units", "events"):
        options, frames = getattr(data, part) if data else (), getattr(inputs, part)
        try:
            sources = load.open_sources(engine, part, options, frames, plan.experiment, base, apart)
        except DataError as error:
            problems += error.problems
            continue
        if sources:
            opened[part] = sources
    if problems:
        raise DataError(problems)
    if plan.time_columns and "units" in opened:
        times = [_as_events(source, column) for source in opened["units"] for column in plan.time_columns]
        opened["events"] = (*opened.get("events", ()), *times)
    if not opened:
        help = "name them in the spec (data: ...), or on the command line: --events FILE"
        raise DataError(Problem("error", "no-data", "the spec names no data files", help=help))
    return opened


def _as_events(units: Source, column: str) -> Source:
    """A file of units read as events of the name of a column that holds their times."""
    name = units.resolve(column)
    if name is None:
        raise DataError(units.table.unknown_column(column, "steps"))
    shared = {key: getattr(units.options, key) for key in FileOptions.model_fields}
    others = dict.fromkeys(("arm", "event", "id", "value"), "")  # columns of these names are no part of the event
    columns = {**others, "unit": units.name("unit") or "", "time": name}
    return replace(units, options=EventSource(**shared, event=column), columns=columns)


def _refuse_missing_parts(plan: Plan, opened: Mapping[str, tuple[Source, ...]]) -> None:
    """Raise DataError where a metric or a covariate needs a part of the data that is not there."""
    needs = [
        (f"the metric '{v.metric}' needs", "events" if v.need.term.column is None else "units") for v in plan.values
    ]
    needs += [(f"the metric '{pairs.metric}' needs", "events") for pairs in plan.tickets]
    if isinstance(plan.experiment.analysis.covariates, tuple):
        needs.append(("covariates are columns of", "units"))
    problems = [
        Problem(
            "error",
            f"no-{part}",
            f"{subject} {part}, and no {part} file is named",
            help=f"name it: data: {{{part}: FILE}}, or --{part} FILE",
        )
        for subject, part in needs
        if part not in opened
    ]
    if problems:
        raise DataError(problems)


def _arm_part(plan: Plan, opened: Mapping[str, tuple[Source, ...]]) -> str:
    """The part that assigns units to arms: exposures, else units, else events. Raises DataError if there is none."""
    for part, sources in opened.items():
        if part == "exposures" or any(has_arm(source, plan.experiment) for source in sources):
            return part
    _refuse_misspelled_arm(opened)
    first = next(iter(opened.values()))[0].table
    help = f"name it: columns: {{arm: NAME}}; {first.header_text()}"
    raise DataError(Problem("error", "no-arm", "no column says which arm a unit is in", Span(first.shown, 1), help))


def _refuse_misspelled_arm(opened: Mapping[str, tuple[Source, ...]]) -> None:
    """Raise DataError where the spec names the arm's column and no file has it."""
    problems = [
        source.table.unknown_column(source.options.columns["arm"], "columns.arm")
        for sources in opened.values()
        for source in sources
        if "arm" in source.options.columns
    ]
    if problems:
        raise DataError(problems)


def refuse_windows_without_times(loading: Loading, part: str) -> None:
    """Raise DataError where a window, an order of answers, a ticket or an exposure event lacks times in exposures or
    events. `part` is the one that assigns the arms."""
    plan = loading.plan
    fed = [value for value in plan.values if value.need.term.column is None]
    ordered = bool(plan.tickets) or any(value.need.kind in ("first", "last") for value in fed)
    steps = any(value.need.kind == "reached" and value.need.ordered for value in fed)
    window = ordered or any(value.window is not None or value.since is not None for value in fed)
    exposure = plan.experiment.exposure is not None
    needed = [part] if window and not exposure else []
    needed += ["events"] if (window or exposure or steps) and "events" in loading.parts else []
    if exposure and "events" not in loading.parts:
        raise DataError(
            Problem(
                "error",
                "no-events",
                "the exposure event needs an event file",
                help="name it: data: {events: FILE}, or remove `exposure`",
            )
        )
    for name in needed:
        if not loading.parts[name].has_time:
            table = loading.parts[name].sources[0].table
            what = (
                "the exposure event"
                if exposure
                else "the order of answers, tickets or steps"
                if ordered
                else "a window"
            )
            raise DataError(
                Problem(
                    "error",
                    "no-time",
                    f"{what} needs times, and {table.shown} has no time column",
                    Span(table.shown, 1),
                    f"name it: columns: {{time: NAME}}; {table.header_text()}",
                )
            )
