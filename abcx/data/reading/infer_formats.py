"""A second look at a source whose cells did not read as plain numbers and times: what do its columns show?"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from abcx.data.reading import keys
from abcx.data.reading.cell_checks import flags, number_columns
from abcx.data.reading.row_sql import Select
from abcx.data.reading.source import Source
from abcx.engines.quoting import literal
from abcx.errors import DataError
from abcx.files import number_formats, time_formats
from abcx.files.bad_rows import locate
from abcx.files.table import Table
from abcx.notes import Note
from abcx.problems import Problem, Span


def infer_formats(before: int, source: Source, select: Select, tag: str) -> tuple[Source, list[Note]]:
    """The source with what its columns show, and notes that say so; the same source where there is nothing to find.

    Raises DataError where a column could be read in two ways that differ.
    """
    if source.table.engine.is_remote:  # a table there has types, and its texts are read as they stand
        return source, []
    table = source.table
    flagged = {check.name for check, count in flags(before, source, select) if count}
    refused = f"SELECT 1 FROM rejects_{tag} WHERE error_type = 'CAST' LIMIT 1"
    cast = table.types is None and bool(table.engine.run(refused))
    table = _repeated_headers(before, source, select, cast or bool(flagged))
    notes: list[Note] = []
    problems: list[Problem] = []
    numbered: list[Note] = []
    columns = [(name, scope) for name, scope in number_columns(select, source).items() if _is_text(table, name)]
    commas = table.options.delimiter == ";"  # as spreadsheets write where the comma is the decimal sign
    suspect = [name for name, _ in columns if name in flagged or cast or commas]  # rows without a time flag no number
    grouped = _may_be_grouped(source, {name: scope for name, scope in columns if name not in suspect})
    for name, scope in sorted(columns, key=lambda column: column[0] not in suspect):
        commas = commas or any(form.decimal == "," for form in table.numbers.values())
        if name not in suspect and not commas and name not in grouped:
            continue
        rows = f"FROM {_rows_sql(table)} WHERE {scope}"
        shown = number_formats.find(
            source.table.engine, table.sql(name, "text"), rows, table.options, commas or name in grouped
        )
        if shown.doubt:
            problems.append(_ambiguity(table, name, scope, shown))
        elif shown.form is not None:
            table = replace(table, numbers={**table.numbers, name: shown.form})
            numbered += _noted(shown.note, table, name)
    time = source.name("time")
    if time is not None and not table.options.time_format and (cast or time in flagged):
        kept = replace(source, table=table).kept  # by numbers as they are read now
        table = replace(table, time=None)
        rows = f"FROM {_rows_sql(table)} WHERE {kept}"
        found = (
            time_formats.find(source.table.engine, table.sql(time, "text"), rows, table.timezone)
            if table.written is None
            else None
        )
        if found is not None and found.doubt:
            problems.append(_ambiguity(table, time, "TRUE", found))
        elif found is not None and found.written is not None:
            table = replace(table, written=found.written)
            notes += _noted(found.note, table, time)
        elif not table.glued and (found is None or not found.plain):
            table = replace(table, time=source.table.time)
    spans = [name for name in number_columns(select, source) if name in table.header and table.is_span(name)]
    numbered += [note for name in spans for note in _noted(Note("durations"), table, name)]
    notes += numbered
    if problems:
        raise DataError(problems)
    return (source if table == source.table else replace(source, table=table)), notes


def _noted(note: Note | None, table: Table, column: str) -> list[Note]:
    """A note about the cells of a column, with the names of the column and its file."""
    return [] if note is None else [replace(note, values={"file": table.named, "column": column, **note.values})]


def _is_text(table: Table, name: str) -> bool:
    return table.types is None or table.types[table.header.index(name)] == "VARCHAR"


def _rows_sql(table: Table) -> str:
    return f"(SELECT * FROM {table.scan()} WHERE {table.is_row()})"


def _repeated_headers(before: int, source: Source, select: Select, odd: bool) -> Table:
    """The table, told whether its header stands again between the rows: exports that were glued together."""
    table, unit = source.table, source.name("unit") or ""
    if table.types is not None:
        return table
    name = keys.unit(literal(unit.strip()), select.hashed)
    seen = f"SELECT 1 FROM {select.part} WHERE rowid >= {before} AND unit = {name} LIMIT 1"
    again = odd or bool(table.engine.run(seen))
    if not again:
        return table
    count, line, _ = locate(table, table.header_reordered(), literal(unit))
    if count:
        message = "the header stands here again with its columns in another order: the rows below it would be misread"
        help = f"split the file at line {line} and name both parts: file: [FIRST, SECOND]"
        raise DataError(Problem("error", "reordered-header", message, Span(table.shown, line), help))
    if table.engine.run(f"SELECT 1 FROM {table.scan()} WHERE {table.header_again()} LIMIT 1"):
        return replace(table, glued=True, time=None)
    return table


def header_rows(table: Table) -> int:
    """How many rows of a glued file are its header."""
    return int(table.engine.run(f"SELECT count(*) FROM {table.scan()} WHERE {table.header_again()}")[0][0])


def _may_be_grouped(source: Source, scopes: Mapping[str, str]) -> set[str]:
    """The columns of which each number that has a dot has three digits behind it and at most three before it, and each
    without one is below 1000: 1.234 may then be 1234. What a few of the first rows show otherwise settles it. All are
    looked at in one scan, in the rows where they must hold numbers (`scopes`)."""
    table, options = source.table, source.options
    if options.decimal or options.thousands or table.types is not None:
        return set()

    def among(names: Collection[str], shows: Callable[[str], str], rows: str) -> set[str]:
        if not names:
            return set()
        cells = [f"CASE WHEN {scopes[name]} THEN {table.sql(name, 'text')} END AS v{i}" for i, name in enumerate(names)]
        asked = ", ".join(shows(f"v{i}") for i in range(len(cells)))
        found = source.table.engine.run(f"SELECT {asked} FROM (SELECT {', '.join(cells)} FROM {rows})")[0]
        return {name for name, so in zip(names, found, strict=True) if so}

    def all_fit(v: str) -> str:
        return f"coalesce(bool_and(regexp_full_match({v}, {literal(_GROUPED)})), TRUE)"

    possible = among(scopes, all_fit, source.first_rows)
    return among(possible, lambda v: f"{all_fit(v)} AND coalesce(bool_or(contains({v}, '.')), FALSE)", _rows_sql(table))


_GROUPED = r"\s*[+-]?(\d{1,3}|[1-9]\d{0,2}\.\d{3})\s*"


def _ambiguity(
    table: Table, name: str, scope: str, found: number_formats.Inference | time_formats.Inference
) -> Problem:
    text = table.sql(name, "text")
    differs = f"coalesce((SELECT {found.differs} FROM (SELECT {text} AS v)), FALSE) AND {text} IS NOT NULL"
    _, line, value = locate(table, f"({scope}) AND {differs}", text)
    code = "ambiguous-time" if isinstance(found, time_formats.Inference) else "ambiguous-number"
    return Problem("error", code, f"'{value[:60]}' {found.doubt}", Span(table.shown, line, path=name), found.help)
