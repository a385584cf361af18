"""Infers the formats of a source's numbers and times from its columns, where cells did not read as plain ones."""

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
    """The source with the formats inferred from its columns, and notes on them; the same source where none is needed.

    `before` is the first row id of the source, `tag` the suffix of its table of rejects. Raises DataError where a
    column can be read in two ways that differ.
    """
    if source.table.engine.is_remote:  # remote tables have types, and their texts are not converted
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
    commas = table.options.delimiter == ";"  # spreadsheets write semicolons where the comma is the decimal sign
    # Numbers are not checked in rows without a time, hence `cast`.
    suspect = [name for name, _ in columns if name in flagged or cast or commas]
    grouped = _may_be_grouped(source, {name: scope for name, scope in columns if name not in suspect})
    for name, scope in sorted(columns, key=lambda column: column[0] not in suspect):
        commas = commas or any(form.decimal == "," for form in table.numbers.values())
        if name not in suspect and not commas and name not in grouped:
            continue
        rows = f"FROM {_rows_sql(table)} WHERE {scope}"
        inference = number_formats.find(
            source.table.engine, table.sql(name, "text"), rows, table.options, commas or name in grouped
        )
        if inference.doubt:
            problems.append(_ambiguity(table, name, scope, inference))
        elif inference.form is not None:
            table = replace(table, numbers={**table.numbers, name: inference.form})
            numbered += _with_column(inference.note, table, name)
    time = source.name("time")
    if time is not None and not table.options.time_format and (cast or time in flagged):
        kept_rows = replace(source, table=table).kept  # with the number formats inferred above
        table = replace(table, time=None)
        rows = f"FROM {_rows_sql(table)} WHERE {kept_rows}"
        time_inference = (
            time_formats.find(source.table.engine, table.sql(time, "text"), rows, table.timezone)
            if table.written is None
            else None
        )
        if time_inference is not None and time_inference.doubt:
            problems.append(_ambiguity(table, time, "TRUE", time_inference))
        elif time_inference is not None and time_inference.written is not None:
            table = replace(table, written=time_inference.written)
            notes += _with_column(time_inference.note, table, time)
        elif not table.glued and (time_inference is None or not time_inference.plain):
            table = replace(table, time=source.table.time)
    spans = [name for name in number_columns(select, source) if name in table.header and table.is_span(name)]
    numbered += [note for name in spans for note in _with_column(Note("durations"), table, name)]
    notes += numbered
    if problems:
        raise DataError(problems)
    return (source if table == source.table else replace(source, table=table)), notes


def _with_column(note: Note | None, table: Table, column: str) -> list[Note]:
    """A note about the cells of a column, with the names of the column and its file."""
    return [] if note is None else [replace(note, values={"file": table.named, "column": column, **note.values})]


def _is_text(table: Table, name: str) -> bool:
    return table.types is None or table.types[table.header.index(name)] == "VARCHAR"


def _rows_sql(table: Table) -> str:
    return f"(SELECT * FROM {table.scan()} WHERE {table.is_row()})"


def _repeated_headers(before: int, source: Source, select: Select, odd: bool) -> Table:
    """The table, marked as `glued` where its header is repeated between the rows, as in concatenated exports.

    `odd` says that some cell could not be read. Raises DataError where a repeated header has another column order."""
    table, unit = source.table, source.name("unit") or ""
    if table.types is not None:
        return table
    name = keys.unit(literal(unit.strip()), select.hashed)
    query = f"SELECT 1 FROM {select.part} WHERE rowid >= {before} AND unit = {name} LIMIT 1"
    may_repeat = odd or bool(table.engine.run(query))
    if not may_repeat:
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
    """How many rows of a file of concatenated exports repeat its header."""
    return int(table.engine.run(f"SELECT count(*) FROM {table.scan()} WHERE {table.header_again()}")[0][0])


def _may_be_grouped(source: Source, scopes: Mapping[str, str]) -> set[str]:
    """The columns in which 1.234 may mean 1234: each number with a dot has three digits behind it and at most three
    before it, and each one without is below 1000. The first rows rule most columns out; the others are read in one
    scan, in the rows where they must hold numbers (`scopes`)."""
    table, options = source.table, source.options
    if options.decimal or options.thousands or table.types is not None:
        return set()

    def among(names: Collection[str], shows: Callable[[str], str], rows: str) -> set[str]:
        if not names:
            return set()
        cells = [f"CASE WHEN {scopes[name]} THEN {table.sql(name, 'text')} END AS v{i}" for i, name in enumerate(names)]
        selected = ", ".join(shows(f"v{i}") for i in range(len(cells)))
        flags_found = source.table.engine.run(f"SELECT {selected} FROM (SELECT {', '.join(cells)} FROM {rows})")[0]
        return {name for name, is_true in zip(names, flags_found, strict=True) if is_true}

    def all_fit(v: str) -> str:
        return f"coalesce(bool_and(regexp_full_match({v}, {literal(_GROUPED)})), TRUE)"

    possible = among(scopes, all_fit, source.first_rows)
    return among(possible, lambda v: f"{all_fit(v)} AND coalesce(bool_or(contains({v}, '.')), FALSE)", _rows_sql(table))


_GROUPED = r"\s*[+-]?(\d{1,3}|[1-9]\d{0,2}\.\d{3})\s*"


def _ambiguity(
    table: Table, name: str, scope: str, inference: number_formats.Inference | time_formats.Inference
) -> Problem:
    text = table.sql(name, "text")
    differs = f"coalesce((SELECT {inference.differs} FROM (SELECT {text} AS v)), FALSE) AND {text} IS NOT NULL"
    _, line, value = locate(table, f"({scope}) AND {differs}", text)
    code = "ambiguous-time" if isinstance(inference, time_formats.Inference) else "ambiguous-number"
    return Problem(
        "error", code, f"'{value[:60]}' {inference.doubt}", Span(table.shown, line, path=name), inference.help
    )
