"""Checks that the files of one part write numbers and ids in the same way.

The formats of each file are inferred from its own cells. In a month with whole thousands only, `1.234` reads as a plain
number, while the month before shows that the dot separates thousands. Some tools write ids in a column with missing
values as `1001.0`.
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
"""Ids with a fraction, such as version numbers."""
_MEANT = "write them alike, or name the files apart: a list of {file: ..., ...}"


def unlike(select: Select) -> Iterator[Problem]:
    """Problems of columns whose number formats differ between files of one export, each with the first such cell."""
    exports: list[tuple[FileOptions, dict[str, dict[NumberFormat, list[Source]]]]] = []
    for source in select.sources:
        by_column = next((columns for options, columns in exports if options == source.options), None)
        if by_column is None:
            exports.append((source.options, by_column := {}))
        for name in number_columns(select, source):
            if (form := _number_format(source, name)) is None:
                continue
            by_form = by_column.setdefault(name, {})
            for other_form, sources in by_form.items():
                for earlier in sources if form not in by_form else sources[:1]:
                    yield from (
                        () if other_form == form else _conflict(select, name, (earlier, other_form), (source, form))
                    )
            by_form.setdefault(form, []).append(source)


def inconsistent_ids(select: Select) -> Iterator[Problem]:
    """Problems of ids of units, events and tickets that end in `.0` where others of the same part are whole numbers."""
    for source in select.sources:
        for role, name in select.key_columns(source).items():
            text = source.table.sql(name, "text")
            if name not in source.table.pointed or _any_cell_matches(source, text, _DECIMAL):  # 1.0 and 1.1: versions
                continue
            _, line, value = locate(source.table, f"regexp_full_match({text}, '{keys.POINTED}')", text)
            for other in (source, *(sibling for sibling in select.sources if sibling is not source)):
                if (whole := _whole_number_id(select, role, (source, other), value)) is not None:
                    whose = "others" if other is source else f"the ids of {other.table.shown}"
                    message = f"'{value[:60]}' ends in .0, but {whose} do not ('{whole[:60]}'): they can never match"
                    span = Span(source.table.shown, line, path=name)
                    yield Problem("error", "unlike-ids", message, span, "write the column as text, or as whole numbers")
                    break


def _whole_number_id(select: Select, role: str, pair: tuple[Source, Source], value: str) -> str | None:
    """A whole-number id in the second source of a pair: the one equal to `value` without `.0` if there is one, else
    any; None where there is none."""
    names = {select.constant_event(source) for source in pair}
    name = select.key_columns(pair[1]).get(role)
    if name is None or (role == "id" and len(names) > 1):  # an order and a visit may have one number
        return None
    text = pair[1].table.sql(name, "text")
    same = f"{text} = {literal(value.partition('.')[0])}"
    whole_ids = f"SELECT {text} FROM {pair[1].table.scan()} WHERE regexp_full_match({text}, '\\d+')"
    rows = select.engine.run(f"{whole_ids} AND {same} LIMIT 1") or select.engine.run(f"{whole_ids} LIMIT 1")
    return str(rows[0][0]) if rows else None


def _any_cell_matches(source: Source, text: str, form: str) -> bool:
    matching = f"SELECT 1 FROM {source.table.scan()} WHERE regexp_full_match({text}, '{form}') LIMIT 1"
    return bool(source.table.engine.run(matching))


def _conflict(
    select: Select, name: str, one: tuple[Source, NumberFormat], other: tuple[Source, NumberFormat]
) -> Iterator[Problem]:
    first, second = one[1], other[1]
    odd, usual, condition, cure = other, one, "TRUE", "convert them to one currency first"
    if first.decimal != second.decimal:
        condition, cure = "contains({text}, '.')", _WRITTEN
        odd, usual = (other, one) if first.decimal == "," else (one, other)
    elif first.hours != second.hours or (first.of != second.of and "%" in (first.of, second.of)):
        condition, cure = "{number} <> 0", _MEANT
        odd, usual = (other, one) if first.hours or first.of == "%" else (one, other)
    elif not first.of or not second.of or first.of == second.of:
        return
    if cell := _first_cell(select, odd[0], name, condition):
        message = f"'{cell[1][:60]}' is not written as '{name}' is in {usual[0].table.shown}"
        yield Problem("error", "ambiguous-number", message, Span(odd[0].table.shown, cell[0], path=name), cure)


def _number_format(source: Source, name: str) -> NumberFormat | None:
    """The number format of a column; None for typed files and for files without the column."""
    if source.table.types is not None or name not in source.table.header:
        return None
    return source.table.numbers.get(name) or declared(source.options)


def _first_cell(select: Select, source: Source, name: str, condition: str) -> tuple[int, str] | None:
    """The line and the text of the first cell of a column that satisfies a SQL condition on `{text}` and `{number}`."""
    text, number = source.table.sql(name, "text"), source.table.sql(name, "number")
    scope = number_columns(select, source).get(name, "FALSE")
    wanted = f"({scope}) AND {text} IS NOT NULL AND ({condition.format(text=text, number=number)})"
    count, line, value = locate(source.table, wanted, text)
    return (line, value) if count else None
