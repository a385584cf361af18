"""Which type a column of a packed file gets, so that everything the spec reads of it stays what it is.

Times become TIMESTAMPTZ, numbers DOUBLE, all else stays text. Where one cell is not what the others are and no source
reads it, the text is kept beside, under another name. What would change is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from abcx.data.pack.column_uses import ColumnUses
from abcx.data.reading.conditions import usable_number
from abcx.errors import DataError
from abcx.files.number_formats import NumberFormat
from abcx.files.table import Table
from abcx.problems import Problem, Span


@dataclass(frozen=True, slots=True)
class Use:
    """One source of a file: how it reads the columns, and what it asks of each."""

    table: Table
    asked: ColumnUses


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A column that becomes a number or a time: its SQL, that of its text, and of cells that only the text has."""

    name: str
    sql: str
    text: str
    lost: str
    plain: bool


_Column = tuple[str, str]
"""Name and SQL."""


def columns(table: Table, uses: Sequence[Use], rows: str) -> list[_Column]:
    """Every column of a file with its type; `rows` is the FROM item with the columns c0, c1, ... Raises DataError with
    every column that cannot have one."""
    header = _header(table)
    parsed: dict[str, _Parsed] = {}
    problems: list[Problem] = []
    for name in table.header:
        try:
            found = _parsed(table, uses, name)
        except DataError as error:
            problems += error.problems
            continue
        if found is not None:
            parsed[name] = found
    if problems:
        raise DataError(problems)
    counts = _count(table, list(parsed.values()), rows)
    typed: list[_Column] = []
    for position, (name, written) in enumerate(zip(table.header, header, strict=True)):
        if name not in parsed:
            is_text = table.types is None or table.types[position] == "VARCHAR"
            typed.append((written, table.sql(name, "text") if is_text else f"c{position}"))
        elif not counts[name]:
            typed.append((written, parsed[name].sql))
        else:
            typed += _with_text(table, uses, parsed[name], [*header, *(other for other, _ in typed)])
    return typed


def refusal(table: Table, name: str, message: str, help: str) -> Problem:
    """A file, or a column of it, that cannot be packed."""
    subject = f"'{name}' of {table.shown}" if name else table.shown
    return Problem("error", "cannot-pack", f"{subject} {message}", Span(table.shown, path=name), help)


def _header(table: Table) -> list[str]:
    """The names of the columns; a column without one, which no spec can ask for, gets one."""
    names = {name.lower() for name in table.header}
    if len(names) < len(table.header):
        low = [name.lower() for name in table.header]
        twice = next(name for name in table.header if low.count(name.lower()) > 1)
        message = "is in the header twice, in capitals and not: Parquet files are read without telling them apart"
        raise DataError(refusal(table, twice, message, "rename one of them in the export"))
    found: list[str] = []
    for position, name in enumerate(table.header):
        found.append(_free(f"column_{position + 1}", [*names, *found]) if name.startswith("\0") else name)
    return found


def _free(name: str, taken: Sequence[str]) -> str:
    low = {other.lower() for other in taken}
    return next(one for one in (name, *(f"{name}_{n}" for n in range(2, len(low) + 3))) if one.lower() not in low)


def _parsed(table: Table, uses: Sequence[Use], name: str) -> _Parsed | None:
    """How a column becomes a number or a time; None for one that stays as it is."""
    type = table.types[table.header.index(name)] if table.types else "VARCHAR"
    text = table.sql(name, "text")
    times = {
        (use.table.sql(name, "time", declared=False), use.table.timezone) for use in uses if use.asked.time == name
    }
    numbers = {use.table.sql(name, "number") for use in uses if name in use.asked.numbers}
    read_as_text = any(name in use.asked.texts for use in uses)
    if times and not table.is_zoned(name):
        if read_as_text or numbers:
            raise DataError(refusal(table, name, "is read as a time, and as something else too", _TWICE))
        if len(times) > 1:
            raise DataError(refusal(table, name, "is read as a time in two ways", _ONE_WAY))
        ((time, _),) = times
        return _Parsed(name, f"make_timestamptz({time})", text, f"{time} IS NULL", False)
    if not numbers or type != "VARCHAR":
        return None
    if len(numbers) > 1:
        raise DataError(refusal(table, name, "is read as a number in two ways", _ONE_WAY))
    (number,) = numbers
    plain = number == NumberFormat().sql(text)
    if read_as_text and not plain:
        raise DataError(refusal(table, name, "is read as text, and as a number that is not written plainly", _TWICE))
    if read_as_text:
        return None
    return _Parsed(name, number, text, f"NOT {usable_number(number)}", plain)


_TWICE = "write the column twice in the export, under two names, or leave the file unpacked"
_ONE_WAY = "give all sources of the file the same options"


def _count(table: Table, parsed: Sequence[_Parsed], rows: str) -> dict[str, int]:
    """For every column the filled cells that would be lost."""
    if not parsed:
        return {}
    counts = ", ".join(f"count(*) FILTER ({one.text} IS NOT NULL AND {one.lost})" for one in parsed)
    return dict(
        zip((one.name for one in parsed), map(int, table.engine.run(f"SELECT {counts} FROM {rows}")[0]), strict=True)
    )


def _with_text(table: Table, uses: Sequence[Use], one: _Parsed, taken: Sequence[str]) -> Iterator[_Column]:
    """A column with cells that are no number (or time) and that no source reads as one."""
    if one.plain:  # the text is read as it was
        yield one.name, one.text
        return
    if any(one.name in use.asked.filled for use in uses):
        message = "has cells that cannot be read, and a condition asks which are filled"
        raise DataError(refusal(table, one.name, message, _TWICE))
    yield one.name, one.sql
    yield _free(f"{one.name} (as written)", taken), one.text
