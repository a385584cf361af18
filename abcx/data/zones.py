"""Times of a source and their zone: whether they say one, and names of zones that mean different things."""

from __future__ import annotations

from abcx.data.engine import Engine, literal
from abcx.data.rejects import locate
from abcx.data.source import Source
from abcx.errors import DataError
from abcx.problems import Problem, Span

_OFFSET = r":\d\d.*([A-Za-z]|[+-]\d{1,2}(:?\d{2})?)\s*$"
_NAME = r"\d\s*([A-Z][A-Z/_]+)\s*$"
_HALVES = r"UTC\s*[+-]\d{1,2}:?([1-5]\d|0[1-9])\s*$"
"""UTC+05:30, of which the engine reads the hours alone (DuckDB 2.0)."""
_PLAIN = ("UTC", "UT", "AM", "PM")
_CLEAR = (*_PLAIN, "GMT", "EST", "MST", "PST", "HST")
"""Names of zones that mean one thing. Of others the engine takes one meaning: BST is Bangladesh to it."""


def are_unsaid(engine: Engine, source: Source) -> bool:
    """Whether times have no offset, judged by the first rows.

    Raises DataError where they say their zone by a name that means different things.
    """
    time = source.name("time") or ""
    if (told := _told(source, time)) is not None:
        return told
    text = _text(source, time)
    _, naive, named = _seen(engine, source, text)
    if named:
        _refuse_unclear(engine, source, time, text)
    return bool(naive)


def unsaid_throughout(engine: Engine, source: Source) -> bool | None:
    """As `are_unsaid`, of several files; None where they must be looked at one by one."""
    time = source.name("time")
    if time is None:
        return False
    if (told := _told(source, time)) is not None:
        return told
    rows, naive, named = _seen(engine, source, _text(source, time))
    return None if named or naive not in (0, rows) else bool(naive)


def _told(source: Source, time: str) -> bool | None:
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


def _seen(engine: Engine, source: Source, text: str) -> tuple[int, int, int]:
    """Of the times of the first rows: how many, how many without an offset, and with the name of a zone."""
    naive, named = f"NOT regexp_matches(v, {literal(_OFFSET)})", _named("v", _PLAIN)
    counts = f"count(v), count(*) FILTER ({naive}), count(*) FILTER ({named})"
    rows = f"FROM {source.table.scan()} WHERE {source.table.is_row()}"  # a header between the rows tells no zone
    limit = "" if source.table.more else " LIMIT 1000"  # of several files each has its first rows
    return engine.run(f"SELECT {counts} FROM (SELECT {text} AS v {rows}{limit})")[0]


def _named(text: str, but: tuple[str, ...]) -> str:
    """The SQL condition of times that end in the name of a zone, but for some names and for a city's."""
    name = f"regexp_extract(upper({text}), {literal(_NAME)}, 1)"
    named = f"{name} NOT IN ('', {', '.join(map(literal, but))}) AND NOT contains({name}, '/')"
    halves = f"regexp_matches(upper({text}), {literal(_HALVES)})"
    return f"((({named}) OR {halves}) AND try_cast({text} AS TIMESTAMPTZ) IS NOT NULL)"


def _refuse_unclear(engine: Engine, source: Source, time: str, text: str) -> None:
    count, line, value = locate(engine, source.table, _named(text, _CLEAR), text)
    if count:
        more = f" ({count:,} such rows)" if count > 1 else ""
        message = f"'{value[:60]}' names a zone that is not clear{more}: such letters mean different zones"
        cure = "export the times in UTC, or with offsets: 2024-07-01T10:00:00+01:00"
        span = Span(source.table.shown, line, path=time)
        raise DataError(Problem("error", "ambiguous-time", message, span, cure))
