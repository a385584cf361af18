"""The resolution of each source's times (second, minute, hour or day), and times that cover a whole minute, hour or
day.

An order of the 16th that is written as a date did not happen at midnight. Read as midnight it would precede every
exposure of that day. So coarse times of events are moved to the end of the interval that they cover, and those of
exposures stay at its start. An event of the day of exposure then counts; a window of N days holds the dates from D up
to D + N - 1 of a unit exposed on D, whatever its time of day; day N of retention is the date D + N; and data in days
reach to the end of their last day. (Where the clock changes inside a window, the hour at its end is that of the
exposure's own clock.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field

from abcx.data.plan import Plan
from abcx.data.reading.load import Loading, PartTable
from abcx.data.reading.source import Source
from abcx.engines.quoting import literal
from abcx.errors import DataError
from abcx.notes import Note
from abcx.problems import Problem, Span

DAY = 86_400_000_000
_UNITS = {"day": DAY, "hour": DAY // 24, "minute": DAY // 1440}
_QUARTER = DAY // 96
"""Microseconds of 15 minutes. Zones differ by whole quarters of an hour, so any other time is midnight in no zone."""
_EVIDENCE = 20
"""With fewer rows, times may be whole minutes, hours or days by chance: then only the written form decides."""
_LOOK = 1_000
"""Rows that are sampled to decide whether whole times are chance."""
FEWEST_DAYS = 3
"""Minimum days of a window where times are dates: half a day of a shorter one is an error of a quarter or more."""


@dataclass(frozen=True, slots=True)
class Coarse:
    """A source whose times cover a whole day, hour or minute (`unit`): its part of `data`, its number there, the name
    that is shown, and the positions of its terms."""

    part: str
    number: int
    shown: str
    unit: str
    terms: frozenset[int]

    @property
    def length(self) -> int:
        """The length of the interval that a time covers, in microseconds."""
        return _UNITS[self.unit]


@dataclass(frozen=True, slots=True)
class Resolutions:
    """The coarse sources, and by part the microseconds that its data reach beyond the time of its last row."""

    coarse: tuple[Coarse, ...] = ()
    reach: dict[str, int] = field(default_factory=dict)

    def by_day(self, part: str) -> bool:
        """Whether a source of this part writes dates."""
        return any(source.part == part and source.unit == "day" for source in self.coarse)

    def metrics_by_day(self, plan: Plan, arm_part: str) -> tuple[str, ...]:
        """The metrics that count events from the exposure on, where the events or the exposures (of part `arm_part`)
        are written as dates."""
        terms = {i for source in self.coarse if source.unit == "day" for i in source.terms}
        if arm_part != "events" and self.by_day(arm_part):
            terms = set(range(len(plan.terms)))
        metrics = [
            value.metric
            for value in plan.values
            if value.need.term.column is None and value.source_index in terms and not value.since
        ]
        return tuple(dict.fromkeys(metrics))


def whole_times(loading: Loading, arm_part: str) -> Resolutions:
    """Find the coarse sources and move the times of their events to the end of the interval that they cover.

    Raises DataError for windows too short for dates, and for coarse times in a remote engine.
    """
    coarse = tuple(
        source
        for part in ("exposures", "events", "units")
        if part in loading.parts
        for source in _coarse_sources(loading, part)
    )
    coarse = tuple(_relevant_sources(coarse, loading.plan, loading, arm_part))
    dates = [source for source in coarse if source.unit == "day"]
    if coarse and loading.engine.is_remote:
        written = {"day": "dates", "hour": "whole hours", "minute": "whole minutes"}[coarse[0].unit]
        message = f"the times of {coarse[0].shown} are {written}, which only the default engine can compare"
        help = "give the column finer times, or read the files with engine: duckdb"
        raise DataError(Problem("error", "engine-dates", message, Span(coarse[0].shown), help))
    problems = list(
        _window_problems(loading.plan, dates, exposures=any(source.part == arm_part != "events" for source in dates))
    )
    if problems:
        raise DataError(problems)
    for source in coarse:
        if source.part == "events" and not loading.engine.is_remote:
            in_source = loading.of_source("events", source.number)
            loading.engine.run(f"UPDATE events SET t = t + {source.length - 1} WHERE {in_source} AND t IS NOT NULL")
    reach = {
        part: max(1 if part == "events" else source.length for source in coarse if source.part == part)
        for part in {source.part for source in coarse}
    }
    return Resolutions(coarse, reach)


def _relevant_sources(coarse: Sequence[Coarse], plan: Plan, loading: Loading, arm_part: str) -> Iterator[Coarse]:
    """The coarse sources whose resolution changes results: dates, and minutes or hours where exposures have a finer
    resolution. Equal resolutions compare as they are. Starts and ends of tickets move together or not at all: a ticket
    is as long from minute to minute as from second to second, and would be longer from a second to the end of a minute.
    With a calendar they are not moved: the end of a minute may lie after the end of a working day."""
    tickets = {term for pairs in plan.tickets for term in (pairs.start, pairs.end)}
    by_calendar = any(pairs.need.calendar is not None for pairs in plan.tickets)
    move_together = not by_calendar and len(_lengths(coarse, loading, tickets)) <= 1
    sources = len(loading.parts[arm_part].sources)
    exposed = [source.length for source in coarse if source.part == arm_part]
    finest = min(exposed) if len(exposed) == sources else 0
    return (
        source
        for source in coarse
        if source.unit == "day" or (source.length > finest and (move_together or not source.terms & tickets))
    )


def _lengths(coarse: Sequence[Coarse], loading: Loading, terms: Set[int]) -> set[int]:
    """The lengths, in microseconds, that times cover in the sources with one of these terms; 0 for seconds."""
    loaded = loading.parts.get("events")
    lengths = {source.number: source.length for source in coarse if source.part == "events"}
    sources = loaded.sources if loaded is not None and loaded.has_time else ()
    return {
        lengths.get(number, 0)
        for number, source in enumerate(sources)
        if loaded is not None and not terms.isdisjoint(_terms(loaded, source))
    }


def exposures_at_start(loading: Loading, resolutions: Resolutions, arm_part: str) -> None:
    """Move exposures that were read from coarse events back to the start of their interval, in table `assigned`. They
    are recognized by their time, the last microsecond of a minute."""
    coarse = [source for source in resolutions.coarse if source.part == arm_part == "events"]
    for source in coarse if not loading.engine.is_remote else ():
        in_source = loading.of_source(source.part, source.number, "e.")
        own_row = f"SELECT 1 FROM events e WHERE e.unit = assigned.unit AND e.t = assigned.t0 AND {in_source}"
        is_own_row = f" AND EXISTS ({own_row})" if len({item.length for item in coarse}) > 1 else ""
        moved = f"t0 % {_UNITS['minute']} = {_UNITS['minute'] - 1}"
        loading.engine.run(f"UPDATE assigned SET t0 = t0 - {source.length - 1} WHERE {moved}{is_own_row}")


def _coarse_sources(loading: Loading, part: str) -> Iterator[Coarse]:
    loaded = loading.parts[part]
    if not loaded.has_time:
        return
    for number, source in enumerate(loaded.sources):
        unit = _time_unit(loading, part, loading.of_source(part, number), source)
        if unit is not None:
            terms = frozenset(_terms(loaded, source)) if part == "events" else frozenset[int]()
            yield Coarse(part, number, source.table.named, unit, terms)


def _time_unit(loading: Loading, part: str, inside: str, source: Source) -> str | None:
    """The interval that a source's times cover (day, hour or minute); None for seconds and for a source without times.
    Each query ends at the first row that decides it, so that a source of seconds costs next to nothing."""

    def none(condition: str) -> bool:
        return not loading.engine.run(f"SELECT 1 FROM {part} WHERE {inside} AND t IS NOT NULL AND {condition} LIMIT 1")

    if not none(f"t % {_UNITS['minute']} <> 0") or none("TRUE"):
        return None
    sample = f"SELECT t FROM {part} WHERE {inside} AND t IS NOT NULL LIMIT {_LOOK}"
    count, different = loading.engine.run(f"SELECT count(*), count(DISTINCT t) FROM ({sample})")[0]
    by_chance = int(count) < _EVIDENCE or int(different) < 2  # all at one moment: a batch, not a day
    local = f"epoch_us(timezone({literal(source.table.timezone)}, make_timestamptz(t)))"
    if none(f"t % {_QUARTER} <> 0") and none(f"{local} % {DAY} <> 0"):
        return None if by_chance and not _written_as_dates(loading, source) else "day"
    if by_chance:
        return None
    return "hour" if none(f"{local} % {_UNITS['hour']} <> 0") else "minute"


def _written_as_dates(loading: Loading, source: Source) -> bool:
    """Whether a source writes dates, not times at midnight."""
    name, table = source.name("time"), source.table
    if name is None or loading.engine.is_remote:
        return False
    if table.types is not None and not table.types[table.header.index(name)].startswith("VARCHAR"):
        return table.types[table.header.index(name)].startswith("DATE")
    text = table.sql(name, "text")
    return not loading.engine.run(f"SELECT 1 FROM {table.scan()} WHERE {text} LIKE '%:%' LIMIT 1")


def _terms(loaded: PartTable, source: Source) -> Iterator[int]:
    terms = loaded.select.plan.terms
    return (terms.index(term) for term in loaded.select.terms(source))


def _window_problems(plan: Plan, dates: list[Coarse], exposures: bool) -> Iterator[Problem]:
    """Problems, where times are dates, of windows that end within a day or are too short, and of tickets by the
    hour."""
    if not dates:
        return
    shown = dates[0].shown
    by_day = set(range(len(plan.terms))) if exposures else {i for source in dates for i in source.terms}
    reported = set()
    for value in plan.values:
        if value.need.term.column is not None or value.source_index not in by_day or value.metric in reported:
            continue
        spans = [span for span in (value.window, value.since) if span is not None]
        if any(span % DAY for span in spans) or (value.window is not None and value.window < FEWEST_DAYS * DAY):
            reported.add(value.metric)
            message = f"'{value.metric}' has a window that dates cannot tell, and the times of {shown} are dates"
            help = f"write a window of whole days, at least {FEWEST_DAYS}: window: 7d; or export times of day"
            yield Problem("error", "dates-and-window", message, Span(shown), help)
    for pairs in plan.tickets:
        if {pairs.start, pairs.end} & by_day and pairs.need.horizon.seconds % 86_400:
            message = f"'{pairs.metric}' measures hours, and the times of {shown} are dates"
            yield Problem(
                "error",
                "dates-and-window",
                message,
                Span(shown),
                "export times of day, or write a horizon of whole days",
            )


def notes(loading: Loading, resolutions: Resolutions) -> Iterator[Note]:
    """Notes on coarse sources: the unit of comparison, and how many events fall into the interval of their unit's
    exposure. Needs the tables `assigned` and `events`."""
    for source in resolutions.coarse:
        note = Note("coarse_times", {"file": source.shown, "unit": source.unit})
        if source.part == "events":
            near = f"e.t >= a.t0 - {3 * source.length} AND e.t - {source.length - 1} < a.t0"
            in_source = loading.of_source(source.part, source.number, "e.")
            joined = f"events e JOIN assigned a ON a.unit = e.unit WHERE {in_source} AND {near}"
            since = f"(a.t0 - e.t + {source.length - 1}) // {source.length}"
            counts = dict(loading.engine.run(f"SELECT {since} AS ago, count(*) FROM {joined} GROUP BY ago"))
            yield Note("coarse_times", {**note.values, "of_exposure": counts.get(0, 0)})
            if source.unit == "day":
                yield from _another_zone(source.shown, *(counts.get(ago, 0) for ago in (1, 2, 3)))
        else:
            yield note


_BUMP = 20
"""Minimum events on the day before exposure that are reported, if they are also more than twice those of each of the
two days before."""


def _another_zone(shown: str, before: int, *earlier: int) -> Iterator[Note]:
    """A note where many events fall on the day before their unit's exposure: they are likely of the same day in another
    time zone."""
    if before >= _BUMP and before > 2 * max(earlier):
        two, three = earlier
        yield Note("another_zone", {"file": shown, "before": before, "two_before": two, "three_before": three})
