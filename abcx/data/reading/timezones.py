"""Times of a source and their zone: whether they say one, and names of zones that mean different things."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from abcx.data.reading.source import Source
from abcx.engines.quoting import literal
from abcx.errors import DataError
from abcx.files.bad_rows import locate
from abcx.notes import Note, Value
from abcx.problems import Problem, Span

_OFFSET = r":\d\d.*([A-Za-z]|[+-]\d{1,2}(:?\d{2})?)\s*$"
_LETTERS = r"(?i)([A-Y]\s*$|UTC\s*[+-])"
_NAME = r"\d\s*([A-Z][A-Z/_]+)\s*$"
_HALVES = r"UTC\s*[+-]\d{1,2}:?([1-5]\d|0[1-9])\s*$"
"""UTC+05:30, of which the engine reads the hours alone (DuckDB 2.0)."""
_PLAIN = ("UTC", "UT", "AM", "PM")
_STANDARD = {"EST": ("America/New_York", -5), "MST": ("America/Denver", -7), "PST": ("America/Los_Angeles", -8)}
"""Standard times, each with a place that keeps it in winter and its hours from UTC. In summer the letters are either
wrong or meant so, and the engine takes PST for the time of Los Angeles, but EST and MST for fixed offsets."""
_CLEAR = (*_PLAIN, "GMT", "HST", *_STANDARD)
"""Names of zones that mean one thing. Of others the engine takes one meaning: BST is Bangladesh to it."""


def are_unsaid(source: Source) -> bool:
    """Whether times have no offset.

    Raises DataError where some have one and others none, or say their zone by a name that means different things.
    """
    time = source.name("time") or ""
    if (told := _declared_naive(source, time)) is not None:
        return told
    text = _text(source, time)
    said, naive, lettered = _count_forms(source, text)
    if lettered:
        _refuse_unclear(source, time, text)
    if not said or not naive:
        return bool(naive)
    return _refuse_mixed(source, time, text)


def unsaid_throughout(source: Source) -> bool | None:
    """As `are_unsaid`, of several files; None where they must be looked at one by one."""
    time = source.name("time")
    if time is None:
        return False
    if (told := _declared_naive(source, time)) is not None:
        return told
    said, naive, lettered = _count_forms(source, _text(source, time))
    return None if lettered or (said and naive) else bool(naive)


def notes(source: Source, part: str, before: int) -> Iterator[Note]:
    """Notes on times that have no offset: the zone that they are read in, and how many lie in an hour that
    its clocks skip or show twice. The rows are those of the part from row id `before` on."""
    named, zone = source.table.named, source.table.timezone
    yield Note("no_timezone", {"file": named, "zone": zone})
    first, last = source.table.engine.run(f"SELECT min(t), max(t) FROM {part} WHERE rowid >= {before}")[0]
    if first is None or (source.table.written is not None and source.table.written.kind != "iso"):
        return  # by another order of day and month the same day would be looked for twice
    time = source.name("time") or ""
    clock = f"try_cast({_text(source, time)} AS TIMESTAMP)"
    for since, until, skipped in _changes(zone, int(first), int(last)):
        inside = f"{clock} >= TIMESTAMP '{since}' AND {clock} < TIMESTAMP '{until}'"
        rows = f"FROM {source.table.scan()} WHERE {source.table.is_row()} AND ({source.kept}) AND {inside}"
        if count := int(source.table.engine.run(f"SELECT count(*) {rows}")[0][0]):
            hour = {"since": f"{since:%Y-%m-%d %H:%M}", "until": f"{until:%H:%M}", "zone": zone}
            values: dict[str, Value] = {"file": named, "column": time, "count": count, **hour}
            yield Note("skipped_hour" if skipped else "repeated_hour", values)


def _changes(zone: str, first: int, last: int) -> Iterator[tuple[datetime, datetime, bool]]:
    """The times on the clocks of a zone that they skip (True) or show twice, between two moments."""
    place, hour = ZoneInfo(zone), timedelta(hours=1)
    moment, end = (datetime.fromtimestamp(micros / 1e6, UTC).replace(minute=0, second=0) for micros in (first, last))
    moment, end = moment - 3 * hour, end + 3 * hour
    day = timedelta(days=1)
    while moment < end:
        if moment.astimezone(place).utcoffset() == (moment + day).astimezone(place).utcoffset():
            moment += day
            continue
        before = moment.astimezone(place)
        moment += hour / 2
        after = moment.astimezone(place)
        if before.utcoffset() != after.utcoffset():
            shown = (moment + (before.utcoffset() or timedelta())).replace(tzinfo=None), after.replace(tzinfo=None)
            yield min(shown), max(shown), shown[0] < shown[1]


def _declared_naive(source: Source, time: str) -> bool | None:
    """Whether times have no offset, where their form or type tells it."""
    if source.table.written is not None and source.table.written.naive is not None:
        return source.table.written.naive
    if source.table.types is not None and source.table.types[source.table.header.index(time)] != "VARCHAR":
        return not source.table.is_zoned(time)
    return "%z" not in source.options.time_format.lower() if source.options.time_format else None


def _text(source: Source, time: str) -> str:
    """The SQL of times as text, of ISO 8601 as the engine reads it."""
    text = source.table.sql(time, "text")
    return source.table.written.plain(text) if source.table.written is not None else text


def _count_forms(source: Source, text: str) -> tuple[int, int, int]:
    """Of the times of all rows: how many say their offset, how many do not, and how many say it with letters, but for
    a Z."""
    said, letters = f"regexp_matches(v, {literal(_OFFSET)})", f"regexp_matches(v, {literal(_LETTERS)})"
    counts = f"count(*) FILTER ({said}), count(*) FILTER (NOT {said}), count(*) FILTER ({letters})"
    rows = f"SELECT {text} AS v FROM {source.table.scan()} WHERE {source.table.is_row()}"
    found = source.table.engine.run(f"SELECT {counts} FROM ({rows})")[0]
    return int(found[0]), int(found[1]), int(found[2])


def _has_unclear_zone(text: str) -> str:
    """The SQL condition of times that end in the name of a zone that is not clear, but for a city's."""
    name = f"regexp_extract(upper({text}), {literal(_NAME)}, 1)"
    named = f"{name} NOT IN ('', {', '.join(map(literal, _CLEAR))}) AND NOT contains({name}, '/')"
    halves = f"regexp_matches(upper({text}), {literal(_HALVES)})"
    summer = " OR ".join(f"({name} = {literal(one)} AND {_in_summer(text, *_STANDARD[one])})" for one in _STANDARD)
    return f"((({named}) OR {halves} OR {summer}) AND try_cast({text} AS TIMESTAMPTZ) IS NOT NULL)"


def _in_summer(text: str, place: str, hours: int) -> str:
    """The SQL condition of times at which the clock of a place is not that many hours from UTC."""
    clock = f"try_cast(regexp_replace({text}, '\\s*[A-Za-z]+\\s*$', '') AS TIMESTAMP)"
    return f"epoch_us({clock}) - epoch_us(timezone({literal(place)}, {clock})) <> {hours * 3_600_000_000}"


def _refuse_unclear(source: Source, time: str, text: str) -> None:
    count, line, value = locate(source.table, f"({source.kept}) AND {_has_unclear_zone(text)}", text)
    if not count:
        return
    more = f" ({count:,} such rows)" if count > 1 else ""
    message = f"'{value[:60]}' has an ambiguous time zone{more}: several zones use these letters"
    if (letters := value.split()[-1][-3:].upper()) in _STANDARD:
        place = _STANDARD[letters][0]
        message = f"'{value[:60]}' says {letters} in summer{more}: standard time, or what the clocks of {place} show?"
    cure = "export the times in UTC, or with offsets: 2024-07-01T10:00:00+01:00"
    span = Span(source.table.shown, line, path=time)
    raise DataError(Problem("error", "ambiguous-time", message, span, cure))


def _refuse_mixed(source: Source, time: str, text: str) -> bool:
    """Raise DataError where some times of the rows that are kept say their offset and others do not; else whether they
    do not."""
    said = f"regexp_matches({text}, {literal(_OFFSET)})"
    read = f"({source.kept}) AND try_cast({text} AS TIMESTAMPTZ) IS NOT NULL"
    naive, line, value = locate(source.table, f"{read} AND NOT {said}", text)
    zoned = locate(source.table, f"{read} AND {said}", text)[0] if naive else 0
    if naive and zoned:
        message = f"{zoned:,} times have a UTC offset and {naive:,} have none, the first of them '{value[:60]}'"
        cure = "export all times in UTC or with offsets, or put the rows without into a file of their own"
        cure += " (`timezone` says which zone they are in)"
        raise DataError(Problem("error", "mixed-offsets", message, Span(source.table.shown, line, path=time), cure))
    return bool(naive)
