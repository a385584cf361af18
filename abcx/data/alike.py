"""Several files of one part of the data: does what one shows of its numbers and ids hold for the others?

Each file is judged by its own cells. Where a month holds whole thousands only, `1.234` is plain in it, and the month
before shows that the dot stands between thousands. A column of ids with gaps is written as `1001.0` by some tools.
"""

from __future__ import annotations

from collections.abc import Iterator

from abcx.data.cells import number_columns
from abcx.data.engine import Engine
from abcx.data.numbers import Form, declared
from abcx.data.rejects import locate
from abcx.data.select import Select
from abcx.data.source import Source
from abcx.problems import Problem, Span
from abcx.spec.model import FileOptions

_WRITTEN = "say how both are written: decimal: ',' and thousands: '.', or the other way round"
_POINTED = r"\d+\.0"
"""Ids that end as some tools write whole numbers."""
_MEANT = "write them alike, or name the files apart: a list of {file: ..., ...}"


def unlike(engine: Engine, select: Select) -> Iterator[Problem]:
    """Columns that files of one export write in ways that cannot both be meant, each with the first such cell."""
    exports: list[tuple[FileOptions, dict[str, dict[Form, list[Source]]]]] = []
    for source in select.sources:
        known = next((seen for options, seen in exports if options == source.options), None)
        if known is None:
            exports.append((source.options, known := {}))
        for name in number_columns(select, source):
            if (form := _form(source, name)) is None:
                continue
            seen = known.setdefault(name, {})
            for other, sources in seen.items():
                for earlier in sources if form not in seen else sources[:1]:
                    yield from () if other == form else _between(engine, select, name, (earlier, other), (source, form))
            seen.setdefault(form, []).append(source)


def unlike_ids(engine: Engine, select: Select) -> Iterator[Problem]:
    """Ids of units and tickets that are whole numbers in one file and end in `.0` in another."""
    plain: dict[str, Source] = {}
    with_point: dict[str, Source] = {}
    for source in select.sources if len(select.sources) > 1 and select.hashed else ():
        for role, name in _ids(source, select).items():
            text = source.table.sql(name, "text")
            if source.table.more:  # read together only where no id ends so
                plain |= {} if role in plain else {role: source} if _has(engine, source, [text], r"\d+") else {}
                continue
            forms = (r"\d+", _POINTED)
            whole, point = (f"count(*) FILTER (regexp_full_match({text}, '{form}'))" for form in forms)
            found = engine.run(f"SELECT {whole}, {point} FROM {source.first_rows}")[0]
            (with_point if found[1] else plain if found[0] else {}).setdefault(role, source)
    for role, source in with_point.items():
        if role in plain:
            name = source.name(role) or source.resolve(role) or role
            text = source.table.sql(name, "text")
            _, line, value = locate(engine, source.table, f"regexp_full_match({text}, '{_POINTED}')", text)
            message = f"'{value[:60]}' ends in .0, and the ids of {plain[role].table.shown} do not: they never meet"
            span = Span(source.table.shown, line, path=name)
            yield Problem("error", "unlike-ids", message, span, "write the column as text, or as whole numbers")


def pointed(engine: Engine, source: Source, select: Select) -> bool:
    """Whether some id of a unit or a ticket ends in `.0`."""
    texts = [source.table.sql(name, "text") for name in _ids(source, select).values()]
    return _has(engine, source, texts, _POINTED)


def _has(engine: Engine, source: Source, texts: list[str], form: str) -> bool:
    found = " OR ".join(f"regexp_full_match({text}, '{form}')" for text in texts)
    return bool(engine.run(f"SELECT 1 FROM {source.table.scan()} WHERE {found} LIMIT 1"))


def _ids(source: Source, select: Select) -> dict[str, str]:
    """The columns of the ids of units and tickets, by what they are."""
    keys = {key: source.resolve(key) for key in select.plan.keys} if select.part == "events" else {}
    return {role: name for role, name in {"unit": source.name("unit"), **keys}.items() if name is not None}


def _between(
    engine: Engine, select: Select, name: str, one: tuple[Source, Form], other: tuple[Source, Form]
) -> Iterator[Problem]:
    first, second = one[1], other[1]
    odd, like, what, cure = other, one, "TRUE", "convert them to one currency first"
    if first.decimal != second.decimal:
        what, cure = "contains({text}, '.')", _WRITTEN
        odd, like = (other, one) if first.decimal == "," else (one, other)
    elif first.hours != second.hours or (first.of != second.of and "%" in (first.of, second.of)):
        what, cure = "{number} <> 0", _MEANT
        odd, like = (other, one) if first.hours or first.of == "%" else (one, other)
    elif not first.of or not second.of or first.of == second.of:
        return
    if found := _first(engine, select, odd[0], name, what):
        message = f"'{found[1][:60]}' is not written as '{name}' is in {like[0].table.shown}"
        yield Problem("error", "ambiguous-number", message, Span(odd[0].table.shown, found[0], path=name), cure)


def _form(source: Source, name: str) -> Form | None:
    """How a file writes a column; None where it has types, or no such column."""
    if source.table.types is not None or name not in source.table.header:
        return None
    return source.table.numbers.get(name) or declared(source.options)


def _first(engine: Engine, select: Select, source: Source, name: str, what: str) -> tuple[int, str] | None:
    """The line and the text of the first cell of a column that is so."""
    text, number = source.table.sql(name, "text"), source.table.sql(name, "number")
    scope = number_columns(select, source).get(name, "FALSE")
    wanted = f"({scope}) AND {text} IS NOT NULL AND ({what.format(text=text, number=number)})"
    count, line, value = locate(engine, source.table, wanted, text)
    return (line, value) if count else None
