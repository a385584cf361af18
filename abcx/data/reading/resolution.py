"""How finely each source writes its times: to the second, the minute, the hour or the day; and times that cover their
whole minute, hour or day.

An order of the 16th that is written as a date did not happen at midnight. Read as midnight it would lie before every
exposure of that day. So the times of events that are written coarsely are moved to the end of what they cover, and
those of exposures stay at its start. An event of the day of exposure then counts; a window of N days holds the dates
D to D + N - 1 of a unit exposed on D, whatever its time of day; day N of retention is the date D + N; and data in days
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
"""All zones differ by whole quarters of an hour, so a time that is none is midnight in no zone."""
_EVIDENCE = 20
"""Fewer rows may all lie on whole minutes, hours or days by chance: then only what is written counts."""
_LOOK = 1_000
"""Rows that are sampled for that."""
FEWEST_DAYS = 3
"""A window of fewer days cannot be told by dates: half a day of it would be an error of a quarter and more."""


@dataclass(frozen=True, slots=True)
class Coarse:
    """A source whose times cover a whole day, hour or minute: its part of `data`, its number there, and its name."""

    part: str
    number: int
    shown: str
    unit: str
    terms: frozenset[int]

    @property
    def length(self) -> int:
        """What a time covers, in microseconds."""
        return _UNITS[self.unit]


@dataclass(frozen=True, slots=True)
class Resolutions:
    """The coarse sources, and how many more microseconds than its last row each part reaches."""

    coarse: tuple[Coarse, ...] = ()
    reach: dict[str, int] = field(default_factory=dict)

    def by_day(self, part: str) -> bool:
        """Whether a source of this part writes dates."""
        return any(one.part == part and one.unit == "day" for one in self.coarse)

    def metrics_by_day(self, plan: Plan, arm_part: str) -> tuple[str, ...]:
        """The metrics that count events from the exposure on and are made of dates: of events, or of the exposures (of
        part `arm_part`)."""
        terms = {i for one in self.coarse if one.unit == "day" for i in one.terms}
        if arm_part != "events" and self.by_day(arm_part):
            terms = set(range(len(plan.terms)))
        found = [
            value.metric
            for value in plan.values
            if value.need.term.column is None and value.feed in terms and not value.since
        ]
        return tuple(dict.fromkeys(found))


def whole_times(loading: Loading, arm_part: str) -> Resolutions:
    """Find the coarse sources and let the times of their events stand at the end of what they cover.

    Raises DataError for windows that dates cannot tell, and for dates in an engine elsewhere.
    """
    coarse = tuple(
        one for part in ("exposures", "events", "units") if part in loading.parts for one in _coarse(loading, part)
    )
    coarse = tuple(_mattering(coarse, loading.plan, loading, arm_part))
    dates = [one for one in coarse if one.unit == "day"]
    if coarse and loading.engine.is_remote:
        written = {"day": "dates", "hour": "whole hours", "minute": "whole minutes"}[coarse[0].unit]
        message = f"the times of {coarse[0].shown} are {written}, which only the default engine can compare"
        help = "give the column finer times, or read the files with engine: duckdb"
        raise DataError(Problem("error", "engine-dates", message, Span(coarse[0].shown), help))
    problems = list(_refused(loading.plan, dates, exposures=any(one.part == arm_part != "events" for one in dates)))
    if problems:
        raise DataError(problems)
    for one in coarse:
        if one.part == "events" and not loading.engine.is_remote:
            own = loading.of_source("events", one.number)
            loading.engine.run(f"UPDATE events SET t = t + {one.length - 1} WHERE {own} AND t IS NOT NULL")
    reach = {
        part: max(1 if part == "events" else one.length for one in coarse if one.part == part)
        for part in {one.part for one in coarse}
    }
    return Resolutions(coarse, reach)


def _mattering(coarse: Sequence[Coarse], plan: Plan, loading: Loading, arm_part: str) -> Iterator[Coarse]:
    """The coarse sources that matter: dates, and minutes or hours beside exposures that are written more finely. Equal
    minutes compare as they are. Starts and ends of tickets move together or not at all: a ticket is as long from minute
    to minute as from second to second, and would be longer from a second to the end of a minute. By a calendar they
    stay where they are written: the end of a minute may lie after the end of a working day."""
    tickets = {term for pairs in plan.tickets for term in (pairs.start, pairs.end)}
    by_calendar = any(pairs.need.calendar is not None for pairs in plan.tickets)
    alike = not by_calendar and len(_lengths(coarse, loading, tickets)) <= 1
    sources = len(loading.parts[arm_part].sources)
    exposed = [one.length for one in coarse if one.part == arm_part]
    finest = min(exposed) if len(exposed) == sources else 0
    return (one for one in coarse if one.unit == "day" or (one.length > finest and (alike or not one.terms & tickets)))


def _lengths(coarse: Sequence[Coarse], loading: Loading, terms: Set[int]) -> set[int]:
    """What the times of the sources cover that have one of these terms; 0 for seconds."""
    loaded = loading.parts.get("events")
    known = {one.number: one.length for one in coarse if one.part == "events"}
    sources = loaded.sources if loaded is not None and loaded.has_time else ()
    return {
        known.get(number, 0)
        for number, source in enumerate(sources)
        if loaded is not None and not terms.isdisjoint(_terms(loaded, source))
    }


def exposures_at_start(loading: Loading, resolutions: Resolutions, arm_part: str) -> None:
    """Let exposures that were read from coarse events stand at the start of what they cover, in table `assigned`. They
    alone have the last microsecond of a minute."""
    coarse = [one for one in resolutions.coarse if one.part == arm_part == "events"]
    for one in coarse if not loading.engine.is_remote else ():
        own = loading.of_source(one.part, one.number, "e.")
        its_row = f"SELECT 1 FROM events e WHERE e.unit = assigned.unit AND e.t = assigned.t0 AND {own}"
        apart = f" AND EXISTS ({its_row})" if len({other.length for other in coarse}) > 1 else ""
        moved = f"t0 % {_UNITS['minute']} = {_UNITS['minute'] - 1}"
        loading.engine.run(f"UPDATE assigned SET t0 = t0 - {one.length - 1} WHERE {moved}{apart}")


def _coarse(loading: Loading, part: str) -> Iterator[Coarse]:
    loaded = loading.parts[part]
    if not loaded.has_time:
        return
    for number, source in enumerate(loaded.sources):
        unit = _unit(loading, part, loading.of_source(part, number), source)
        if unit is not None:
            terms = frozenset(_terms(loaded, source)) if part == "events" else frozenset[int]()
            yield Coarse(part, number, source.table.named, unit, terms)


def _unit(loading: Loading, part: str, inside: str, source: Source) -> str | None:
    """What the times of a source cover; None for seconds, and for a source without times. Each question ends at the
    first row that answers it: a source of seconds costs next to nothing."""

    def none(condition: str) -> bool:
        return not loading.engine.run(f"SELECT 1 FROM {part} WHERE {inside} AND t IS NOT NULL AND {condition} LIMIT 1")

    if not none(f"t % {_UNITS['minute']} <> 0") or none("TRUE"):
        return None
    few = f"SELECT t FROM {part} WHERE {inside} AND t IS NOT NULL LIMIT {_LOOK}"
    count, different = loading.engine.run(f"SELECT count(*), count(DISTINCT t) FROM ({few})")[0]
    by_chance = int(count) < _EVIDENCE or int(different) < 2  # all at one moment: a batch, not a day
    local = f"epoch_us(timezone({literal(source.table.timezone)}, make_timestamptz(t)))"
    if none(f"t % {_QUARTER} <> 0") and none(f"{local} % {DAY} <> 0"):
        return None if by_chance and not _written_as_dates(loading, source) else "day"
    if by_chance:
        return None
    return "hour" if none(f"{local} % {_UNITS['hour']} <> 0") else "minute"


def _written_as_dates(loading: Loading, source: Source) -> bool:
    """Whether a source of few rows writes dates, not times at midnight."""
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


def _refused(plan: Plan, dates: list[Coarse], exposures: bool) -> Iterator[Problem]:
    """Windows that end within a day, or are too short, and tickets by the hour, where times are dates."""
    if not dates:
        return
    shown = dates[0].shown
    by_day = set(range(len(plan.terms))) if exposures else {i for one in dates for i in one.terms}
    told = set()
    for value in plan.values:
        if value.need.term.column is not None or value.feed not in by_day or value.metric in told:
            continue
        spans = [span for span in (value.window, value.since) if span is not None]
        if any(span % DAY for span in spans) or (value.window is not None and value.window < FEWEST_DAYS * DAY):
            told.add(value.metric)
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
    """Notes on coarse sources: by what they are compared, and for how many rows that mattered. Table `assigned`
    must be there, and `events` still."""
    for one in resolutions.coarse:
        note = Note("coarse_times", {"file": one.shown, "unit": one.unit})
        if one.part == "events":
            near = f"e.t >= a.t0 - {3 * one.length} AND e.t - {one.length - 1} < a.t0"
            own = loading.of_source(one.part, one.number, "e.")
            joined = f"events e JOIN assigned a ON a.unit = e.unit WHERE {own} AND {near}"
            since = f"(a.t0 - e.t + {one.length - 1}) // {one.length}"
            counts = dict(loading.engine.run(f"SELECT {since} AS ago, count(*) FROM {joined} GROUP BY ago"))
            yield Note("coarse_times", {**note.values, "of_exposure": counts.get(0, 0)})
            if one.unit == "day":
                yield from _another_zone(one.shown, *(counts.get(ago, 0) for ago in (1, 2, 3)))
        else:
            yield note


_BUMP = 20
"""Minimum events on the day before exposure that are reported, where they are also twice those of either day before
that."""


def _another_zone(shown: str, before: int, *earlier: int) -> Iterator[Note]:
    """Events that crowd on the day before the exposure of their unit are likely of the day itself, in another zone."""
    if before >= _BUMP and before > 2 * max(earlier):
        two, three = earlier
        yield Note("another_zone", {"file": shown, "before": before, "two_before": two, "three_before": three})
