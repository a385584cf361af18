"""Times of a source and their zone: whether they say one, and names of zones that mean different things."""

from __future__ import annotations

from abcx.data.engine import Engine, literal
from abcx.data.rejects import locate
from abcx.data.source import Source
from abcx.errors import DataError
from abcx.problems import Problem, Span

_OFFSET = r":\d\d.*([A-Za-z]|[+-]\d{1,2}(:?\d{2})?)\s*$"
_NAME = r"\d\s*([A-Z][A-Z/_]+)\s*$"
_PLAIN = ("UTC", "UT", "AM", "PM")
_CLEAR = (*_PLAIN, "GMT", "EST", "MST", "PST", "HST")
"""Names of zones that mean one thing. Of others the engine takes one meaning: BST is Bangladesh to it."""


def are_unsaid(engine: Engine, source: Source) -> bool:
    """Whether times have no offset, judged by the first rows.

    Raises DataError where they say their zone by a name that means different things.
    """
    time = source.name("time") or ""
    if source.table.written is not None:
        return source.table.written.naive
    if source.table.types is not None:
        type = source.table.types[source.table.header.index(time)]
        if type != "VARCHAR":
            return not source.table.is_zoned(time)
    if source.options.time_format:
        return "%z" not in source.options.time_format.lower()
    text = source.table.sql(time, "text")
    counted = f"count(*) FILTER (NOT regexp_matches(v, {literal(_OFFSET)})), count(*) FILTER ({_named('v', _PLAIN)})"
    naive, named = engine.run(f"SELECT {counted} FROM (SELECT {text} AS v FROM {source.table.scan()} LIMIT 1000)")[0]
    if named:
        _refuse_unclear(engine, source, time, text)
    return bool(naive)


def _named(text: str, but: tuple[str, ...]) -> str:
    """The SQL condition of times that end in the name of a zone, but for some names and for a city's."""
    name = f"regexp_extract(upper({text}), {literal(_NAME)}, 1)"
    named = f"{name} NOT IN ('', {', '.join(map(literal, but))}) AND NOT contains({name}, '/')"
    return f"({named} AND try_cast({text} AS TIMESTAMPTZ) IS NOT NULL)"


def _refuse_unclear(engine: Engine, source: Source, time: str, text: str) -> None:
    count, line, value = locate(engine, source.table, _named(text, _CLEAR), text)
    if count:
        more = f" ({count:,} such rows)" if count > 1 else ""
        message = f"'{value[:60]}' names a zone that is not clear{more}: such letters mean different zones"
        cure = "export the times in UTC, or with offsets: 2024-07-01T10:00:00+01:00"
        span = Span(source.table.shown, line, path=time)
        raise DataError(Problem("error", "ambiguous-time", message, span, cure))
