"""Files or frames -> Observed: the data room in one page."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from abcx import formatting
from abcx.data import counts, counts_file
from abcx.data.clock import Clock
from abcx.data.clock import clock as data_clock
from abcx.data.plan import Plan, plan
from abcx.data.reading import load, resolution, stray_times, unmatched_conditions
from abcx.data.reading.source import Source, tells_arm
from abcx.data.records import WITHOUT_FIRST_DAY, Inputs, MetricData, Observed
from abcx.data.summaries import covariates, groups, lifetimes, moments, samples, summarize
from abcx.data.units import assignment, attribution, near_misses, row_balance
from abcx.engines.local import Engine
from abcx.engines.quoting import literal
from abcx.errors import DataError
from abcx.problems import Problem, Span
from abcx.results.readout import Balance
from abcx.spec.model import CountsFile, Experiment

_DAY = 86_400_000_000
_LABELS = 20
"""Labels of no arm of which there are more, or that are addresses, may be of people: none of them is shown."""
_FEW = 3
"""So many files have a note each; of more, one stands for all."""


def observe(engine: Engine, experiment: Experiment, base: Path, inputs: Inputs) -> Observed:
    """Read everything the experiment names (paths are relative to `base`) and summarise it by arm."""
    data = experiment.data
    if data is not None and data.counts is not None:
        if isinstance(data.counts, CountsFile):
            return counts_file.from_file(engine, experiment, data.counts, base)
        return counts.typed(experiment, data.counts)
    wanted = plan(experiment)
    return observed(engine, wanted, read(engine, wanted, base, inputs))


def observed(engine: Engine, wanted: Plan, loaded: load.Rows) -> Observed:
    """Summarise what was read."""
    part = _arm_part(loaded)
    engine.begin("finding who saw what, and when")
    stray_times.leave_out(engine, wanted.experiment, loaded)
    resolutions = resolution.whole_times(engine, wanted, loaded, part)
    clock = data_clock(engine, wanted.experiment, loaded, resolutions.reach)
    _refuse_windows_without_times(wanted, loaded, part)
    assigned = assignment.assign(engine, wanted, loaded, part, clock)
    resolution.exposures_at_start(engine, resolutions, part)
    coarse = tuple(resolution.notes(engine, resolutions))
    by_day = resolutions.metrics_by_day(wanted, part)
    other_windows = _other_windows(engine, wanted, assigned, clock, by_day)
    attributed = attribution.build(engine, wanted, other_windows.values(), loaded, assigned, clock)
    engine.begin("summing up by arm")
    timed = "events" in loaded.loaded and loaded.loaded["events"].has_time
    timing = attribution.Timing(assigned.has_time, clock) if timed else None
    shifted = _summarized_by_window(engine, other_windows, clock)
    metrics = _summarized(engine, wanted, loaded, assigned.has_time, timing, attributed)
    of_tickets = row_balance.Ended()
    if timing is not None and row_balance.by_ticket(engine, wanted):
        of_tickets = lifetimes.rows_left_out(engine, wanted, timing)
    per_arm, first_exposure, last_exposure = _exposed(engine, wanted)
    strange = load.strange_labels(engine, loaded.loaded[part], most=_LABELS + 1) if assigned.unknown_arm else []
    sequenced = "events" in loaded.loaded and first_exposure is not None
    return Observed(
        kind="+".join(loaded.loaded),
        units=per_arm,
        metrics=metrics,
        files=tuple(loaded.files),
        balance=_balances(engine, loaded, assigned, clock, attributed, of_tickets),
        exclusions=(
            *loaded.exclusions,
            *assigned.exclusions,
            *attributed.exclusions,
            *lifetimes.left_out(
                wanted, metrics, sum(n for (_, reason), n in of_tickets.items() if reason == "other_end")
            ),
        ),
        notes=(*_gathered(loaded), *coarse, *_of_events(loaded, attributed), *([clock.note] if clock.note else ())),
        daily=None if first_exposure is None else _daily(engine, wanted),
        segments=_segments(engine, wanted),
        crossover=assigned.crossover,
        unknown_arm=assigned.unknown_arm,
        no_arm=assigned.no_arm,
        near_events=near_misses.near_events(engine, loaded.loaded["events"]) if attributed.named.unnamed else (),
        near_units=attributed.near_units,
        spelled_twice=near_misses.spelled_twice(engine, loaded, assigned.part),
        busiest=assigned.busiest,
        values_as_events=near_misses.values_as_events(engine, loaded.loaded["events"])
        if attributed.named.unnamed
        else 0,
        unknown_labels=_shown_labels([label for label, _ in strange]),
        near_labels=near_misses.near_labels(engine, loaded.loaded[part]) if strange else (),
        arm_rows=assigned.arm_rows,
        nothing_found=tuple(unmatched_conditions.unfound(engine, wanted, loaded, attributed.named.terms)),
        before_exposure=_by_name(wanted, attributed.before) if sequenced else None,
        units_before=_by_name(wanted, attributed.units_before) if sequenced else None,
        repeated_ids=attributed.repeated_ids,
        changed_ids=attributed.changed_ids,
        repeated_rows=attributed.repeated_rows,
        removed_rows=attributed.removed_rows,
        duplicate_units=attributed.duplicate_units,
        shifted=shifted,
        first_exposure=first_exposure,
        last_exposure=last_exposure,
        as_of=clock.as_of,
        by_day=by_day,
    )


def _by_name(wanted: Plan, counts: Mapping[int, int]) -> dict[str, int]:
    """Counts by the name of the arm, from counts by its index."""
    return {wanted.arms[arm]: n for arm, n in counts.items()}


def _exposed(engine: Engine, wanted: Plan) -> tuple[dict[str, int], int | None, int | None]:
    """Units by arm, and the first and last exposure in microseconds since 1970; None where exposures have no times."""
    by_arm = {
        row[0]: row[1:] for row in engine.run("SELECT arm, count(*), min(t0), max(t0) FROM unit_table GROUP BY arm")
    }
    times = [time for _, *ends in by_arm.values() for time in ends if time is not None]
    counts = {name: int(by_arm[arm][0]) if arm in by_arm else 0 for arm, name in enumerate(wanted.arms)}
    return counts, min(times, default=None), max(times, default=None)


def _summarized(
    engine: Engine,
    wanted: Plan,
    loaded: load.Rows,
    has_time: bool,
    timing: attribution.Timing | None,
    attributed: attribution.Attributed,
) -> dict[str, MetricData]:
    """Every metric by arm, with what its comparison, its checks and its segments need. `has_time`: exposures have
    times; `timing` is None where no events have."""
    metrics = summarize.summarise(engine, wanted, timing, _occurs(wanted, attributed.named.terms))
    if has_time and any(attributed.before.values()):
        before = moments.before_exposure(engine, wanted)
        metrics = {name: dataclasses.replace(data, before=before.get(name)) for name, data in metrics.items()}
    metrics = covariates.with_adjustments(engine, wanted, loaded, metrics, has_time)
    metrics = samples.with_samples(engine, wanted, metrics)
    if timing is not None and has_time:
        metrics = summarize.with_outcomes_at_exposure(engine, wanted, metrics)
    metrics = groups.with_segments(engine, wanted, timing, metrics)
    if has_time:
        metrics = groups.with_cohorts(engine, wanted, metrics)
        if timing is not None:
            metrics = groups.with_days(engine, wanted, timing, metrics)
    return metrics


def read(engine: Engine, wanted: Plan, base: Path, inputs: Inputs, apart: bool = False) -> load.Rows:
    """Open every file, then read them into the engine's tables; all that is wrong at one stage is told at once. With
    `apart` small files are not read together."""
    opened = _opened(engine, wanted, base, inputs, apart)
    tables = [source.table for sources in opened.values() for source in sources]
    engine.only(file.path for table in tables for file in table.files)
    _refuse_missing_parts(wanted, opened)
    teller = _teller(wanted, opened)
    loaded = load.Rows(rejects=inputs.rejects)
    problems: list[Problem] = []
    for part, sources in opened.items():
        try:
            load.load(engine, part, sources, wanted, loaded, arm_needed=part == teller)
        except DataError as error:
            problems += error.problems
    if not problems:
        carriers = [loaded.loaded[part] for part in (teller, "units") if part in loaded.loaded]
        for name in wanted.segments:
            if not any(name in carrier.segments for carrier in carriers):
                problems.append(_unknown_segment(name, carriers[0].sources[0], opened.get("events", ())))
    if problems:
        raise DataError(problems)
    return loaded


def _unknown_segment(name: str, carrier: Source, events: tuple[Source, ...]) -> Problem:
    """A segment that no file with one row per unit or exposure has; a column of events is no way out."""
    told = carrier.table.unknown_column(name, "segments")
    later = next((source.table.shown for source in events if source.resolve(name) is not None), None)
    if later is None:
        return told
    message = f"'{name}' is a column of {later}: what units do later is not known at exposure"
    help = f"a segment is a column of exposures or units: add '{name}' to {carrier.table.shown}, or name a units file"
    return dataclasses.replace(told, code="late-segment", message=message, help=help)


def _opened(engine: Engine, wanted: Plan, base: Path, inputs: Inputs, apart: bool) -> dict[str, tuple[Source, ...]]:
    """The sources of every part of the data, headers read."""
    data = wanted.experiment.data
    opened: dict[str, tuple[Source, ...]] = {}
    problems: list[Problem] = []
    for part in ("exposures", "units", "events"):
        options, frames = getattr(data, part) if data else (), getattr(inputs, part)
        try:
            sources = load.open_sources(engine, part, options, frames, wanted.experiment, base, apart)
        except DataError as error:
            problems += error.problems
            continue
        if sources:
            opened[part] = sources
    if problems:
        raise DataError(problems)
    if not opened:
        help = "name them in the spec (data: ...), or on the command line: --events FILE"
        raise DataError(Problem("error", "no-data", "no data are named", help=help))
    return opened


def _refuse_missing_parts(wanted: Plan, opened: Mapping[str, tuple[Source, ...]]) -> None:
    """Metrics need the part of the data that they are made of, and column covariates need units."""
    needs = [
        (f"the metric '{v.metric}' needs", "events" if v.need.term.column is None else "units") for v in wanted.values
    ]
    needs += [(f"the metric '{pairs.metric}' needs", "events") for pairs in wanted.tickets]
    if isinstance(wanted.experiment.analysis.covariates, tuple):
        needs.append(("covariates are columns of", "units"))
    problems = [
        Problem(
            "error",
            f"no-{part}",
            f"{who} {part}, and no {part} file is named",
            help=f"name it: data: {{{part}: FILE}}, or --{part} FILE",
        )
        for who, part in needs
        if part not in opened
    ]
    if problems:
        raise DataError(problems)


def _teller(wanted: Plan, opened: Mapping[str, tuple[Source, ...]]) -> str:
    """The part that says which arm a unit is in: exposures, else units, else events."""
    for part, sources in opened.items():
        if part == "exposures" or any(tells_arm(source, wanted.experiment) for source in sources):
            return part
    _refuse_misspelt_arm(opened)
    first = next(iter(opened.values()))[0].table
    help = f"name it: columns: {{arm: NAME}}; {first.told_header()}"
    raise DataError(Problem("error", "no-arm", "no column says which arm a unit is in", Span(first.shown, 1), help))


def _arm_part(loaded: load.Rows) -> str:
    return next(part for part, table in loaded.loaded.items() if table.has_arm)


def _refuse_windows_without_times(wanted: Plan, loaded: load.Rows, part: str) -> None:
    """A window, an order of answers, a ticket, or an exposure event, needs times on both sides."""
    fed = [value for value in wanted.values if value.need.term.column is None]
    ordered = bool(wanted.tickets) or any(value.need.kind in ("first", "last") for value in fed)
    window = ordered or any(value.window is not None or value.since is not None for value in fed)
    exposure = wanted.experiment.exposure is not None
    needed = [part] if window and not exposure else []
    needed += ["events"] if (window or exposure) and "events" in loaded.loaded else []
    if exposure and "events" not in loaded.loaded:
        raise DataError(
            Problem(
                "error",
                "no-events",
                "the exposure event needs an event file",
                help="name it: data: {events: FILE}, or remove `exposure`",
            )
        )
    for name in needed:
        if not loaded.loaded[name].has_time:
            table = loaded.loaded[name].sources[0].table
            what = "the exposure event" if exposure else "the order of answers or tickets" if ordered else "a window"
            raise DataError(
                Problem(
                    "error",
                    "no-time",
                    f"{what} needs times, and {table.shown} has no time column",
                    Span(table.shown, 1),
                    f"name it: columns: {{time: NAME}}; {table.told_header()}",
                )
            )


def _occurs(wanted: Plan, occurring: frozenset[int]) -> dict[str, bool]:
    """Whether each metric's events or values occur anywhere in the data; a misspelt event occurs nowhere."""
    fed: dict[str, list[int]] = {name: [] for name in wanted.metrics}
    for value in wanted.values:
        fed[value.metric] += [value.feed] if value.need.term.column is None else []
    for pairs in wanted.tickets:
        fed[pairs.metric] += [pairs.start, pairs.end]
    return {name: occurring.issuperset(feeds) for name, feeds in fed.items()}


def _refuse_misspelt_arm(opened: Mapping[str, tuple[Source, ...]]) -> None:
    """Where the spec names the arm's column and no file has it, that is the problem to tell."""
    problems = [
        source.table.unknown_column(source.options.columns["arm"], "columns.arm")
        for sources in opened.values()
        for source in sources
        if "arm" in source.options.columns
    ]
    if problems:
        raise DataError(problems)


def _gathered(loaded: load.Rows) -> tuple[str, ...]:
    """The notes of reading; what holds for many files is said of the first."""
    names = sorted({file.path for file in loaded.files}, key=len, reverse=True)
    alike: dict[str, list[str]] = {}
    for note in dict.fromkeys(loaded.notes):
        name = next((name for name in names if name in note), "")
        alike.setdefault(note.replace(name, "\0") if name else note, []).append(note)
    return tuple(
        said
        for notes in alike.values()
        for said in (notes if len(notes) <= _FEW else [f"{notes[0]} (and so of {len(notes) - 1} more files)"])
    )


def _of_events(loaded: load.Rows, attributed: attribution.Attributed) -> tuple[str, ...]:
    """What is to be said of the events."""
    named = attributed.named
    return (
        *_unused(named.unnamed, _arm_part(loaded) == "events"),
        *_unfit(loaded, named.unfit),
        *_shared(attributed.shared_ids),
    )


def _unused(count: int, has_arm: bool) -> tuple[str, ...]:
    """How many rows are of events that no metric names: they are not used, but for the arm where they name it."""
    told = f"{formatting.plural(count, 'rows')} hold{'s' if count == 1 else ''} events that no metric uses"
    return (f"{told}{': they only tell the arms of their units' if has_arm else ''}",) if count else ()


def _unfit(loaded: load.Rows, count: int) -> tuple[str, ...]:
    """How many rows `where` leaves out of the events, beside those that `exclude` does."""
    if not count:
        return ()
    reasons = {reason for source in loaded.loaded["events"].select.sources for reason in source.options.exclude}
    others = count - sum(exclusion.rows or 0 for exclusion in loaded.exclusions if exclusion.reason in reasons)
    return (f"{formatting.plural(others, 'rows')} of events do not fit the `where` of their source",) if others else ()


def _balances(
    engine: Engine,
    loaded: load.Rows,
    assigned: assignment.Assignment,
    clock: Clock,
    attributed: attribution.Attributed,
    of_tickets: row_balance.Ended,
) -> tuple[Balance, ...]:
    """The balance of rows of every source, `of_tickets` those that stand at tickets and no metric uses; empty where
    another engine has them."""
    if engine.rows_elsewhere:
        return ()
    return tuple(
        one
        for part in loaded.loaded
        for one in row_balance.balances(
            loaded,
            part,
            row_balance.moved(attributed.ended, of_tickets)
            if part == "events"
            else row_balance.of_others(engine, loaded, part, assigned, clock),
        )
    )


def _shown_labels(labels: Sequence[str]) -> tuple[str, ...]:
    """Labels of no arm that may stand in a report, the most frequent first."""
    personal = len(labels) > _LABELS or any("@" in label for label in labels)
    return () if personal else tuple(label[:60] for label in labels)


def _shared(count: int) -> tuple[str, ...]:
    """How many ids do not tell one event: two systems number theirs alike, or one event was given to two units."""
    told = f"{formatting.plural(count, 'ids')} of events stand at several units: an id counts once for each unit"
    return (told,) if count else ()


def _other_windows(
    engine: Engine, wanted: Plan, assigned: assignment.Assignment, clock: Clock, by_day: Collection[str]
) -> dict[str, Plan]:
    """The plan by other windows, in words: half as long, where a metric has none the time that half of the units had,
    and where dates are compared by day without the day of exposure, half of which lies before it."""
    if not assigned.has_time:
        return {}
    ways = {"with windows half as long": wanted.halved()}
    ends = [end for end in (clock.end, clock.as_of) if end is not None]
    if ends and wanted.unwindowed():
        half = engine.run(f"SELECT quantile_cont({min(ends)} - t0, 0.5) FROM assigned WHERE t0 <= {min(ends)}")[0][0]
        if (window := _whole(int(half)) if half else None) is not None:
            length = f"{window // _DAY}d" if window % _DAY == 0 else f"{window * 24 // _DAY}h"
            ways[f"with the window that half of the {wanted.experiment.unit} had ({length})"] = wanted.limited(window)
    ways[WITHOUT_FIRST_DAY] = wanted.delayed(by_day, _DAY)
    numbered: dict[str, Plan] = {}
    for words, some in ways.items():
        if some.values:
            numbered[words] = some.numbered(sum(len(other.values) for other in numbered.values()))
    return numbered


def _whole(microseconds: int) -> int | None:
    """Whole days, below two days whole hours; None for less than an hour."""
    unit = _DAY if microseconds >= 2 * _DAY else _DAY // 24
    return microseconds // unit * unit or None


def _summarized_by_window(engine: Engine, ways: Mapping[str, Plan], clock: Clock) -> dict[str, dict[str, MetricData]]:
    """The metrics by other windows: does the verdict hang on the window that was chosen, or on having none?"""
    found = {}
    for words, some in ways.items():
        columns = ", ".join(f"h{value.position} AS c{value.position}" for value in some.values)
        table = f"(SELECT uid, arm, t0, {columns} FROM unit_table)"
        try:
            found[words] = summarize.summarise(engine, some, attribution.Timing(True, clock), {}, table)
        except DataError as error:  # a cap at a quantile may fall at zero where events have half the time
            if error.problems[0].code != "cap-at-zero":
                raise
    return found


def _daily(engine: Engine, wanted: Plan) -> tuple[tuple[str, dict[str, int]], ...]:
    """Units first exposed on each day of the period's timezone, by arm."""
    zone = literal(wanted.experiment.timezone)
    found = engine.run(
        f"SELECT CAST(timezone({zone}, make_timestamptz(t0)) AS DATE) AS day, arm, count(*) "
        "FROM unit_table WHERE t0 IS NOT NULL GROUP BY day, arm ORDER BY day, arm"
    )
    days: dict[str, dict[str, int]] = {}
    for day, arm, count in found:
        days.setdefault(str(day), dict.fromkeys(wanted.arms, 0))[wanted.arms[arm]] = int(count)
    return tuple(days.items())


def _segments(engine: Engine, wanted: Plan) -> dict[str, dict[str, dict[str, int]]]:
    """Units of each value of each segment, by arm; units without a value stand under an empty name."""
    found: dict[str, dict[str, dict[str, int]]] = {}
    for name in dict.fromkeys(wanted.experiment.segments):
        position = wanted.segments.index(name)
        cells = engine.run(f"SELECT coalesce(s{position}, ''), arm, count(*) FROM unit_table GROUP BY ALL ORDER BY ALL")
        for value, arm, count in cells:
            found.setdefault(name, {}).setdefault(str(value), dict.fromkeys(wanted.arms, 0))[wanted.arms[arm]] = int(
                count
            )
    return found
