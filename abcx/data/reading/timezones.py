"""The time zones of a source's times: whether they have a UTC offset, and zone names that are ambiguous."""

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
"""Offsets such as UTC+05:30, of which the engine reads only the hours (DuckDB 2.0)."""
_PLAIN = ("UTC", "UT", "AM", "PM")
_STANDARD = {"EST": ("America/New_York", -5), "MST": ("America/Denver", -7), "PST": ("America/Los_Angeles", -8)}
"""Standard times, each with a place that has it in winter and its hours from UTC. In summer the letters may be a
mistake or intended; the engine reads PST as the time of Los Angeles, but EST and MST as fixed offsets."""
_CLEAR = (*_PLAIN, "GMT", "HST", *_STANDARD)
"""Unambiguous zone names. The engine gives others one meaning: it reads BST as Bangladesh time."""


def form(source: Source) -> str:
    """The SQL of how the time of a row says its offset: 1 by an offset, 2 not at all, 3 by letters other than Z (which
    may be no offset); NULL without a time, and where a type or a declared format says it for all rows."""
    time = source.name("time")
    if time is None or _declared_naive(source, time) is not None:
        return "CAST(NULL AS TINYINT)"
    text = _text(source, time)
    zoned, letters = (f"regexp_matches({text}, {literal(pattern)})" for pattern in (_OFFSET, _LETTERS))
    # The first condition is the cheapest one, and true of most exports.
    cases = f"WHEN {text} LIKE '%Z' THEN 1 WHEN {letters} THEN 3 WHEN {zoned} THEN 1 WHEN {text} IS NOT NULL THEN 2"
    return f"CAST(CASE {cases} END AS TINYINT)"


def are_unsaid(source: Source, part: str, before: int) -> bool:
    """Whether the times of a source, in the rows of its part from row id `before` on, have no UTC offset.

    Raises DataError where some have one and others do not, or where a zone name is ambiguous.
    """
    time = source.name("time") or ""
    if (naive_by_type := _declared_naive(source, time)) is not None:
        return naive_by_type
    forms, text = _forms(source, part, before), _text(source, time)
    if _LETTERED in forms:
        _refuse_unclear(source, time, text)
    return _refuse_mixed(source, time, text) if len(forms) > 1 or _LETTERED in forms else _UNSAID in forms


def unsaid_throughout(source: Source, part: str, before: int) -> bool | None:
    """As `are_unsaid`, for several files at once; None where they must be checked one by one."""
    time = source.name("time")
    if time is None:
        return False
    if (naive_by_type := _declared_naive(source, time)) is not None:
        return naive_by_type
    forms = _forms(source, part, before)
    return None if _LETTERED in forms or len(forms) > 1 else _UNSAID in forms


_UNSAID, _LETTERED = 2, 3


def _forms(source: Source, part: str, before: int) -> set[int]:
    """The forms that occur in the rows of a part from row id `before` on."""
    rows = f"SELECT DISTINCT form FROM {part} WHERE rowid >= {before} AND form IS NOT NULL"
    return {int(row[0]) for row in source.table.engine.run(rows)}


def notes(source: Source, part: str, before: int) -> Iterator[Note]:
    """Notes on times without an offset: the zone that they are read in, and how many lie in an hour that its clocks
    skip or repeat. The rows are those of the part from row id `before` on."""
    named, zone = source.table.named, source.table.timezone
    yield Note("no_timezone", {"file": named, "zone": zone})
    first, last = source.table.engine.run(f"SELECT min(t), max(t) FROM {part} WHERE rowid >= {before}")[0]
    if first is None or (source.table.written is not None and source.table.written.kind != "iso"):
        return  # the hours are compared as ISO times
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
    """The intervals of local time that the clocks of a zone skip (True) or repeat (False) between two moments, given in
    microseconds since 1970."""
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
    """Whether times have no offset, where their format or type determines it; else None."""
    if source.table.written is not None and source.table.written.naive is not None:
        return source.table.written.naive
    if source.table.types is not None and source.table.types[source.table.header.index(time)] != "VARCHAR":
        return not source.table.is_zoned(time)
    return "%z" not in source.options.time_format.lower() if source.options.time_format else None


def _text(source: Source, time: str) -> str:
    """The SQL of times as text, ISO 8601 in the form that the engine reads."""
    text = source.table.sql(time, "text")
    return source.table.written.plain(text) if source.table.written is not None else text


def _has_unclear_zone(text: str) -> str:
    """The SQL condition of times that end in an ambiguous zone name; zones named by a city are not ambiguous."""
    name = f"regexp_extract(upper({text}), {literal(_NAME)}, 1)"
    named = f"{name} NOT IN ('', {', '.join(map(literal, _CLEAR))}) AND NOT contains({name}, '/')"
    halves = f"regexp_matches(upper({text}), {literal(_HALVES)})"
    summer = " OR ".join(
        f"({name} = {literal(abbreviation)} AND {_in_summer(text, *_STANDARD[abbreviation])})"
        for abbreviation in _STANDARD
    )
    return f"((({named}) OR {halves} OR {summer}) AND try_cast({text} AS TIMESTAMPTZ) IS NOT NULL)"


def _in_summer(text: str, place: str, hours: int) -> str:
    """The SQL condition of times at which the clock of a place differs from UTC by another number of hours."""
    clock = f"try_cast(regexp_replace({text}, '\\s*[A-Za-z]+\\s*$', '') AS TIMESTAMP)"
    return f"epoch_us({clock}) - epoch_us(timezone({literal(place)}, {clock})) <> {hours * 3_600_000_000}"


def _refuse_unclear(source: Source, time: str, text: str) -> None:
    count, line, value = locate(source.table, f"({source.kept}) AND {_has_unclear_zone(text)}", text)
    if not count:
        return
    count_text = f" ({count:,} such rows)" if count > 1 else ""
    message = f"'{value[:60]}' has an ambiguous time zone{count_text}: several zones use these letters"
    if (letters := value.split()[-1][-3:].upper()) in _STANDARD:
        place = _STANDARD[letters][0]
        message = (
            f"'{value[:60]}' says {letters} in summer{count_text}: standard time, or what the clocks of {place} show?"
        )
    cure = "export the times in UTC, or with offsets: 2024-07-01T10:00:00+01:00"
    span = Span(source.table.shown, line, path=time)
    raise DataError(Problem("error", "ambiguous-time", message, span, cure))


def _refuse_mixed(source: Source, time: str, text: str) -> bool:
    """Raise DataError where some times of kept rows have an offset and others do not; else whether they have none."""
    has_offset = f"regexp_matches({text}, {literal(_OFFSET)})"
    read = f"({source.kept}) AND try_cast({text} AS TIMESTAMPTZ) IS NOT NULL"
    naive, line, value = locate(source.table, f"{read} AND NOT {has_offset}", text)
    zoned = locate(source.table, f"{read} AND {has_offset}", text)[0] if naive else 0
    if naive and zoned:
        message = f"{zoned:,} times have a UTC offset and {naive:,} have none, the first of them '{value[:60]}'"
        cure = "export all times in UTC or with offsets, or put the rows without into a file of their own"
        cure += " (`timezone` says which zone they are in)"
        raise DataError(Problem("error", "mixed-offsets", message, Span(source.table.shown, line, path=time), cure))
    return bool(naive)
