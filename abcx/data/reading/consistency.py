"""Several files of one part of the data: does what one shows of its numbers and ids hold for the others?

Each file is judged by its own cells. Where a month holds whole thousands only, `1.234` is plain in it, and the month
before shows that the dot stands between thousands. A column of ids with gaps is written as `1001.0` by some tools.
"""

from __future__ import annotations

from collections.abc import Iterator

from abcx.data.reading import keys
from abcx.data.reading.cell_checks import number_columns
from abcx.data.reading.row_sql import Select
from abcx.data.reading.source import Source
from abcx.engines.quoting import literal
from abcx.files.bad_rows import locate
from abcx.files.number_formats import NumberFormat, declared
from abcx.problems import Problem, Span
from abcx.spec.model import FileOptions

_WRITTEN = "say how both are written: decimal: ',' and thousands: '.', or the other way round"
_DECIMAL = r"\d+\.\d*[1-9]\d*"
"""Ids with a fraction: versions, sections."""
_MEANT = "write them alike, or name the files apart: a list of {file: ..., ...}"


def unlike(select: Select) -> Iterator[Problem]:
    """Columns that files of one export write in ways that cannot both be meant, each with the first such cell."""
    exports: list[tuple[FileOptions, dict[str, dict[NumberFormat, list[Source]]]]] = []
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
                    yield from () if other == form else _between(select, name, (earlier, other), (source, form))
            seen.setdefault(form, []).append(source)


def inconsistent_ids(select: Select) -> Iterator[Problem]:
    """Ids of units, events and tickets that end in `.0` where others of the same part are whole numbers."""
    for source in select.sources:
        for role, name in select.key_columns(source).items():
            text = source.table.sql(name, "text")
            if name not in source.table.pointed or _has(source, text, _DECIMAL):  # 1.0 beside 1.1: no number
                continue
            _, line, value = locate(source.table, f"regexp_full_match({text}, '{keys.POINTED}')", text)
            for other in (source, *(one for one in select.sources if one is not source)):
                if (whole := _whole(select, role, (source, other), value)) is not None:
                    whose = "others" if other is source else f"the ids of {other.table.shown}"
                    message = f"'{value[:60]}' ends in .0, but {whose} do not ('{whole[:60]}'): they can never match"
                    span = Span(source.table.shown, line, path=name)
                    yield Problem("error", "unlike-ids", message, span, "write the column as text, or as whole numbers")
                    break


def _whole(select: Select, role: str, pair: tuple[Source, Source], value: str) -> str | None:
    """An id of the other source of a pair that is a whole number: the one that `value` means, if it is there."""
    names = {select.constant_event(source) for source in pair}
    name = select.key_columns(pair[1]).get(role)
    if name is None or (role == "id" and len(names) > 1):  # an order and a visit may have one number
        return None
    text = pair[1].table.sql(name, "text")
    same = f"{text} = {literal(value.partition('.')[0])}"
    found = f"SELECT {text} FROM {pair[1].table.scan()} WHERE regexp_full_match({text}, '\\d+')"
    rows = select.engine.run(f"{found} AND {same} LIMIT 1") or select.engine.run(f"{found} LIMIT 1")
    return str(rows[0][0]) if rows else None


def _has(source: Source, text: str, form: str) -> bool:
    found = f"SELECT 1 FROM {source.table.scan()} WHERE regexp_full_match({text}, '{form}') LIMIT 1"
    return bool(source.table.engine.run(found))


def _between(
    select: Select, name: str, one: tuple[Source, NumberFormat], other: tuple[Source, NumberFormat]
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
    if found := _first(select, odd[0], name, what):
        message = f"'{found[1][:60]}' is not written as '{name}' is in {like[0].table.shown}"
        yield Problem("error", "ambiguous-number", message, Span(odd[0].table.shown, found[0], path=name), cure)


def _form(source: Source, name: str) -> NumberFormat | None:
    """How a file writes a column; None where it has types, or no such column."""
    if source.table.types is not None or name not in source.table.header:
        return None
    return source.table.numbers.get(name) or declared(source.options)


def _first(select: Select, source: Source, name: str, what: str) -> tuple[int, str] | None:
    """The line and the text of the first cell of a column that is so."""
    text, number = source.table.sql(name, "text"), source.table.sql(name, "number")
    scope = number_columns(select, source).get(name, "FALSE")
    wanted = f"({scope}) AND {text} IS NOT NULL AND ({what.format(text=text, number=number)})"
    count, line, value = locate(source.table, wanted, text)
    return (line, value) if count else None
