"""What a source asks of each of its columns: is it read as text, as a number, or only for whether it is filled?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from abcx.data.reading.cell_checks import number_columns
from abcx.data.reading.row_sql import Select
from abcx.data.reading.source import Source
from abcx.spec_types import Not, Range, WhereValue


@dataclass(frozen=True, slots=True)
class ColumnUses:
    """Header names of one source. The time, and the cells that a number may lack (`missing_value`), are not in
    `filled`."""

    texts: frozenset[str]
    numbers: frozenset[str]
    filled: frozenset[str]
    time: str | None


def column_uses(select: Select, source: Source) -> ColumnUses:
    """The columns of a source by how they are read."""
    found: dict[str, set[str]] = {"text": set(), "number": set(number_columns(select, source)), "filled": set()}
    found["text"] |= {name for name in _texts(select, source) if name is not None}
    for where in select.wheres(source):
        for name, value in where.items():
            column = source.resolve(name)
            for kind in _kinds(value) if column is not None else ():
                found[kind].add(column or "")
    texts, numbers, filled = (frozenset(found[kind]) for kind in ("text", "number", "filled"))
    return ColumnUses(texts, numbers, filled, source.name("time"))


def _texts(select: Select, source: Source) -> Iterator[str | None]:
    yield from (source.name(canonical) for canonical in ("unit", "arm", "event", "id"))
    yield from map(source.resolve, select.plan.segments)
    if select.part == "events":
        yield from map(source.resolve, select.plan.keys)
    if select.part == "units":
        yield from (need.term.column for need in select.plan.columns if need.kind == "flag")


def _kinds(value: WhereValue) -> Iterator[str]:
    """How a condition reads its column; as in `abcx/data/reading/conditions.py`."""
    if isinstance(value, Range):
        yield "number"
    elif isinstance(value, (Not, tuple)):
        for item in value.values if isinstance(value, Not) else value:
            yield from _kinds(item)
    elif value is None:
        yield "filled"
    else:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 2**53
        yield "number" if is_number else "text"
