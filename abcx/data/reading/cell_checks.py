"""Checks for cells that cannot be used: not a number, not a time, not a boolean, or missing where a value is needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from abcx.data.reading import keys
from abcx.data.reading.conditions import LARGEST, as_flag, usable_number
from abcx.data.reading.row_sql import Select
from abcx.data.reading.source import Source
from abcx.files.bad_rows import locate, time_cure
from abcx.files.csv_errors import Bad
from abcx.problems import Problem, Span

_YEARS = (-2_208_988_800_000_000, 7_258_118_400_000_000)
"""1900 and 2200, in microseconds since 1970: times outside this range are placeholders of a missing time."""


@dataclass(frozen=True, slots=True)
class Check:
    """Bad cells of one column: the SQL condition `flag` holds on their rows in the loaded table, `predicate` in the
    file.

    `message` (and `empty`, for an empty cell) contain the `{value}`. Without a `cure` the help explains how numbers or,
    with `is_time`, times are written. Rows with a `fatal` bad cell cannot be left out.
    """

    flag: str
    name: str
    predicate: str
    code: str
    message: str
    cure: str
    empty: str = ""
    empty_cure: str = ""
    is_time: bool = False
    fatal: bool = False


def unread(select: Select, source: Source) -> str:
    """The SQL condition of rows with a cell that should be a number or a time and is not."""
    return " OR ".join(f"({check.predicate})" for check in _unread(select, source)) or "FALSE"


def _unread(select: Select, source: Source) -> Iterator[Check]:
    table = source.table
    for name, scope in select.ranges(source):
        text, number = source.sql(name, "text"), source.sql(name, "number")
        predicate = f"{scope} AND {text} IS NOT NULL AND NOT {usable_number(number)}"
        yield Check("unread", source.resolve(name) or name, predicate, "bad-number", "'{value}' is not a number", "")
    for name, scope in select.equals(source) if select.hashed else ():  # remote engines do not convert texts
        text, number = source.sql(name, "text"), source.sql(name, "number")
        odd = f"regexp_matches({text}, '\\pN') AND NOT regexp_matches({text}, '[A-Za-z]')"
        predicate = f"{scope} AND {odd} AND NOT {usable_number(number)}"
        yield Check("unread", source.resolve(name) or name, predicate, "bad-number", "'{value}' is not a number", "")
    time = source.name("time")
    if time is not None and table.time is None and not table.is_time(time):
        kept, text = source.kept, table.sql(time, "text")
        predicate = f"{kept} AND {text} IS NOT NULL AND {table.sql(time, 'time')} IS NULL"
        yield Check("unread", time, predicate, "bad-time", "'{value}' is not a time", "", is_time=True)


def checks(select: Select, source: Source) -> Iterator[Check]:
    """All checks of the cells of a source."""
    yield from _unread(select, source)
    time = source.name("time")
    if time is not None:
        outside, t = (
            f"{select.kept} AND (t < {_YEARS[0]} OR t >= {_YEARS[1]})",
            source.table.sql(time, "time", declared=False),
        )
        predicate = f"{source.kept} AND ({t} < {_YEARS[0]} OR {t} >= {_YEARS[1]})"
        cure = "times lie between 1900 and 2200: years of two digits need time_format ('%d.%m.%y')"
        cure += "; where this one means a missing time, name it: null: ['{value}']"
        yield Check(outside, time, predicate, "bad-time", "'{value}' is not a time that can be meant", cure)
    if select.part == "events":
        yield from _of_events(select, source)
    if select.part == "units":
        yield from _of_units(select, source)


def _of_events(select: Select, source: Source) -> Iterator[Check]:
    exposure = select.plan.experiment.exposure
    if exposure is not None and (lacking := select.lacks_exposure(source)):
        message = f"'{exposure.event}' is in this file too, which has no column '{lacking[0]}'"
        cure = "the exposure asks for it: leave these rows out by `where`, or export them with the column"
        name = source.name("event") or source.name("unit") or ""
        predicate = f"{source.kept} AND {select.event_is(source, exposure.event)}"
        yield Check("exposure", name, predicate, "missing-column", message, cure, message, fatal=True)
    for position, term in enumerate(select.plan.terms):
        if term not in select.terms(source):
            continue
        flag = (
            f"abs(term_{position}) > {LARGEST!r}" if term.value else f"term_{position} > 1"
        )  # NaN is above all numbers
        if lacking := select.lacking(source, term):
            kept = source.kept
            message = f"'{term.event}' is in this file too, which has no column '{lacking[0]}'"
            cure = "say which file the metric looks in: source: FILE"
            predicate = f"{kept} AND {select.event_is(source, term.event)}"
            yield Check(
                flag,
                source.name("event") or source.name("unit") or "",
                predicate,
                "missing-column",
                message,
                cure,
                message,
                fatal=True,
            )
        elif term.value:
            text, number = source.sql(term.value, "text"), source.sql(term.value, "number")
            odd = f"{text} IS NOT NULL AND NOT {usable_number(number)}"
            if term.missing_value is None:
                odd = f"({text} IS NULL OR ({odd}))"
            yield Check(
                flag,
                source.resolve(term.value) or "",
                f"{select.match(source, term)} AND {odd}",
                "bad-value",
                f"a '{term.event}' has the value '" + "{value}'",
                "",
                f"a '{term.event}' has no value",
                _empty_cure(answer=any(source_index == position for source_index, _ in select.plan.scales("term"))),
            )
            for scale in (scale for source_index, scale in select.plan.scales("term") if source_index == position):
                match = select.match(source, term)
                yield _off_scale(f"term_{position}", source.resolve(term.value) or "", match, number, scale)
        for key in () if select.lacking(source, term) else select.keys(term):
            text = f"nullif(trim({source.sql(key, 'text')}), '')"
            flag = f"term_{position} IS NOT NULL AND ticket_key_{select.plan.keys.index(key)} IS NULL"
            message = f"a '{term.event}' has no {key}"
            cure = "every ticket needs its name, so that its start and its end can be joined"
            predicate = f"{select.match(source, term)} AND {text} IS NULL"
            yield Check(flag, source.resolve(key) or key, predicate, "no-key", message, cure, message)


def _empty_cure(answer: bool) -> str:
    if answer:
        return "leave such rows out, where no answer was given: missing_value: drop"
    return "say what an empty value means: missing_value: zero or drop"


def _off_scale(column: str, name: str, scope: str, number: str, scale: tuple[int, int]) -> Check:
    """Check: answers outside the declared scale (missing and unparsable ones have checks of their own)."""

    def outside(x: str) -> str:
        usable = f"abs({x}) <= {LARGEST!r}"
        return f"({usable} AND ({x} < {scale[0]} OR {x} > {scale[1]} OR {x} <> floor({x})))"

    message = "the answer '{value}' is not on the declared scale" + f", {scale[0]} to {scale[1]}"
    cure = "declare the scale as it was asked, whole numbers: scale: [1, 5]; or filter the row out: where"
    return Check(outside(column), name, f"{scope} AND {outside(number)}", "off-scale", message, cure)


def _of_units(select: Select, source: Source) -> Iterator[Check]:
    kept = source.kept
    for position, need in enumerate(select.plan.columns):
        name = need.term.column or ""
        text, number = source.table.sql(name, "text"), source.table.sql(name, "number")
        if need.kind == "flag":
            message = "'{value}' is neither 0/1 nor true/false"
            cure = "a conversion column holds 0/1, true/false or yes/no; use type: mean for numbers"
            predicate = f"{kept} AND isnan({as_flag(text)})"
            yield Check(f"isnan(ready_{position})", name, predicate, "bad-flag", message, cure)
        else:
            predicate = f"{kept} AND {text} IS NOT NULL AND NOT {usable_number(number)}"
            flag = f"abs(ready_{position}) > {LARGEST!r}"
            yield Check(flag, name, predicate, "bad-number", "'{value}' is not a usable number", "")
            for scale in (scale for source_index, scale in select.plan.scales("ready") if source_index == position):
                yield _off_scale(f"ready_{position}", name, kept, number, scale)


def _number_cure(value: str) -> str:
    """The help for a text that is not a number."""
    if not any(character.isdigit() for character in value):
        return "export the numbers behind words (1 to 5); only where it means a missing value: null: ['{value}']"
    if any(sign in value for sign in "[]{}") or len(value.split()) > 2:
        return "one cell holds one number: export the number alone, without words or lists around it"
    if any(character.isalpha() or character == "/" for character in value):
        return "export plain numbers, without words and units: 1234.5"
    if "," in value or " " in value.strip():
        return "say how the file writes numbers: thousands: ',' (1,234.5) or decimal: ',' (1234,5)"
    if value.strip("0123456789.eE+- "):
        return "export plain numbers, without currency or unit: 1234.5"
    if "." in value:
        return "say how the file writes numbers: thousands: '.' (1.234,5) or decimal: '.' (1234.5)"
    return "export plain numbers: 1234.5; none is taken beyond 1e50"


def flags(before: int, source: Source, select: Select) -> list[tuple[Check, int]]:
    """Every check with the number of rows that it flags, of those from row id `before` on."""
    all_checks = list(checks(select, source))
    if not all_checks:
        return []
    # One query per check, so that the engine skips blocks of good rows.
    rows = f"SELECT count(*) FROM {select.part} WHERE rowid >= {before}"
    counts = source.table.engine.run("SELECT " + ", ".join(f"({rows} AND ({check.flag}))" for check in all_checks))[0]
    return list(zip(all_checks, counts, strict=True))


def number_columns(select: Select, source: Source) -> dict[str, str]:
    """The columns that must hold numbers, with the SQL condition of the rows where they must."""
    kept = source.kept
    compared = (*select.ranges(source), *select.equals(source))
    scoped = [(source.resolve(name) or name, scope) for name, scope in compared]
    if select.part == "events":
        served = [term for term in select.terms(source) if term.value and not select.lacking(source, term)]
        scoped += [(source.resolve(term.value) or "", select.match(source, term)) for term in served]
    if select.part == "units":
        scoped += [(need.term.column or "", kept) for need in select.plan.columns if need.kind != "flag"]
    columns: dict[str, str] = {}
    for name, scope in scoped:
        columns[name] = f"{columns[name]} OR ({scope})" if name in columns else f"({scope})"
    return columns


def no_ids(before: int, source: Source, select: Select) -> Iterator[Bad]:
    """Problems of ids that a spreadsheet has rounded, and of placeholders for a missing id: many units share such an
    id, so the rows cannot be left out. Placeholders are not checked where the spec declares `null`."""
    for column, is_so, code, message, cure in odd_ids(before, source, select):
        text = source.table.sql(source.name(column) or "", "text")
        whose = "a unit" if column == "unit" else "an event"
        count, line, value = locate(source.table, is_so(text), text)
        count_text = f" ({count:,} such rows)" if count > 1 else ""
        full_message = message.format(value=value[:60], more=count_text, whose=whose)
        span = Span(source.table.shown, line, path=source.name(column) or "")
        yield Bad(Problem("error", code, full_message, span, cure.format(value=value[:60])), count, True, is_so(text))


Odd = tuple[str, Callable[[str], str], str, str, str]
"""The column of ids, the SQL condition of its texts that are not ids, the problem's code, its message and its cure."""


def odd_ids(before: int, source: Source, select: Select) -> Iterator[Odd]:
    """Every kind of invalid id that occurs in the rows from row id `before` on."""
    for column in ("unit", "id") if select.part == "events" and source.name("id") else ("unit",):
        patterns = [(keys.was_rounded, keys.is_rounded, "rounded-id", _ROUNDED, _UNROUNDED)]
        if source.options.null is None:
            patterns.append((keys.was_placeholder, keys.is_placeholder, "no-id", _PLACEHOLDER, _MISSING))
        for was, is_so, code, message, cure in patterns:
            query = f"SELECT 1 FROM {select.part} WHERE rowid >= {before} AND {was(column, select.hashed)} LIMIT 1"
            if source.table.engine.run(query):
                yield column, is_so, code, message, cure


_ROUNDED = "'{value}' is an id that was rounded{more}: its last digits are lost"
_UNROUNDED = "export the ids as text, and do not open the file in a spreadsheet, or format the column as text there"
_PLACEHOLDER = "'{value}' is no id of {whose}{more}: rows without one would all be the same"
_MISSING = "write null: ['{value}'], and it counts as missing; if it is an id, write null: []"


def no_answers(source: Source, select: Select) -> Iterator[Bad]:
    """Problems of columns that `where` or `exclude` compares with true or false, without a boolean in the first
    rows."""
    for name, scope in select.flags(source):
        text = source.sql(name, "text")
        is_flag = f"NOT isnan({as_flag(text)})"
        rows = f"{source.first_rows} WHERE {scope} AND {text} IS NOT NULL"
        count, flag_count, value = source.table.engine.run(
            f"SELECT count(*), count(*) FILTER ({is_flag}), min({text}) FROM {rows}"
        )[0]
        if count and not flag_count:
            message = (
                f"`where` compares '{name}' with true/false, but none of its values is boolean: '{str(value)[:60]}'"
            )
            cure = f"name the texts that are meant, in quotes: {name}: ['{str(value)[:60]}']"
            span = Span(source.table.shown, path=source.resolve(name) or name)
            yield Bad(Problem("error", "bad-flag", message, span, cure), int(count), True)


def unclear_flags(source: Source, select: Select) -> bool:
    """Whether some cell that `where` or `exclude` compares with true or false is not boolean."""
    texts = [(scope, source.sql(name, "text")) for name, scope in select.flags(source)]
    odd = " OR ".join(f"({scope} AND {text} IS NOT NULL AND isnan({as_flag(text)}))" for scope, text in texts)
    return bool(odd) and bool(source.table.engine.run(f"SELECT 1 FROM {source.table.scan()} WHERE {odd} LIMIT 1"))


def bad_cells(before: int, source: Source, select: Select) -> Iterator[Bad]:
    """One problem for each column with bad cells, of the rows from row id `before` on."""
    reported = set()
    for check, flagged in flags(before, source, select):
        if not flagged:
            continue
        count, line, value = locate(source.table, check.predicate, source.table.sql(check.name, "text"))
        place = (check.code, check.name, line)
        if not count or place in reported:
            continue
        reported.add(place)
        empty = not value and check.empty
        message = check.empty if empty else check.message.replace("{value}", value[:60])
        cure = check.cure or (time_cure(source.table, value) if check.is_time else _number_cure(value))
        cure = check.empty_cure or check.cure if empty else cure
        count_text = f" ({count:,} such rows)" if count > 1 else ""
        span = Span(source.table.shown, line, path=check.name)
        problem = Problem("error", check.code, message + count_text, span, cure.replace("{value}", value[:60]))
        yield Bad(problem, count, check.fatal, check.predicate)
