"""JSON lines: the fields of the objects, and whether some lines are not objects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from abcx.engines.local import Engine
from abcx.engines.quoting import literal
from abcx.errors import DataError
from abcx.files.csv_errors import BAD_JSON, SEVERAL, holds_several, unreadable
from abcx.files.lines import filled_lines
from abcx.files.paths import DataFile
from abcx.problems import Problem, Span

_LOOKED = 10_000
"""Lines of a file that are sampled for nested objects."""


@dataclass(frozen=True, slots=True)
class Objects:
    """The fields of files of JSON lines, and their FROM item with a text column c0, c1, ... for each. If `broken`, some
    lines are not objects; a column `is_object` is then FALSE for them."""

    header: tuple[str, ...]
    relation: str
    broken: bool


def objects(engine: Engine, files: Sequence[DataFile]) -> Objects:
    """The fields of files with one compression. Nested objects are read one level down (`outer.inner`). Raises
    DataError where there are lines but no fields, where a field is repeated, and where several files must be read one
    by one."""
    file, lines = files[0], lines_of(files)
    is_object = "coalesce(json_type(json) = 'OBJECT', FALSE)"
    keys = f"SELECT CASE WHEN {is_object} THEN json_keys(json) END AS fields, row_number() OVER () AS n FROM {lines}"
    field_lists = engine.run(
        f"SELECT fields, min(n) FROM ({keys}) GROUP BY fields ORDER BY 2",
        lambda message: unreadable(file, file.shown, message),
    )
    _refuse_repeated(files, field_lists)
    pointers = {str(key): _pointer(str(key)) for fields, _ in field_lists for key in sorted(fields or ())}
    if not pointers and field_lists:
        line, text = filled_lines(file, [1])[0]
        span = Span(file.shown, line)
        if holds_several(text):
            raise DataError(Problem("error", "bad-json", "a line holds several JSON objects", span, SEVERAL))
        message = f"{file.shown} has no line that is a JSON object with fields"
        raise DataError(Problem("error", "bad-json", message, span, BAD_JSON))
    nested = _nested(engine, lines, pointers, _LOOKED if len(files) == 1 else None)
    if len(files) > 1 and nested.keys() & pointers.keys():
        raise DataError(Problem("error", "unlike-fields", "each file for itself tells which of two is meant"))
    pointers |= {**nested, **pointers}
    broken = any(names is None for names, _ in field_lists)
    fields = [f"json->>{literal(pointer)} AS c{i}" for i, pointer in enumerate(pointers.values())]
    fields += [f"{is_object} AS is_object"] if broken else [] if fields else ["1"]
    return Objects(tuple(pointers), f"(SELECT {', '.join(fields)} FROM {lines})", broken)


def _refuse_repeated(files: Sequence[DataFile], field_lists: Sequence[tuple[list[str] | None, int]]) -> None:
    """Raise DataError where a line has a field twice: one of its values would be lost silently."""
    for fields, number in field_lists:
        twice = [name for name, times in Counter(fields or ()).items() if times > 1]
        if twice and len(files) > 1:
            raise DataError(Problem("error", "unlike-fields", "each file for itself tells where a field stands twice"))
        if twice:
            line, _ = filled_lines(files[0], [number])[0]
            message = f"a line has the field '{twice[0][:60]}' twice"
            span = Span(files[0].shown, line, path=twice[0])
            raise DataError(Problem("error", "repeated-field", message, span, "write each field of an object once"))


def lines_of(files: Sequence[DataFile]) -> str:
    """The FROM item of the nonempty lines as column `json`, NULL where a line is not JSON."""
    paths = ", ".join(literal(str(file.path)) for file in files)
    options = f"compression='{files[0].compression}', hive_partitioning=false, ignore_errors=true"
    return f"read_ndjson_objects([{paths}], {options})"


def _pointer(key: str) -> str:
    return "/" + key.replace("~", "~0").replace("/", "~1")


def _with_objects(
    engine: Engine, lines: str, names: list[str], pointers: Mapping[str, str]
) -> tuple[list[str], list[str]]:
    """The fields that hold an object in some line, and those that have no value in any."""
    kinds = [f"json_type(json, {literal(pointers[name])})" for name in names]
    aggregates = ", ".join(f"bool_or({kind} = 'OBJECT'), count(nullif({kind}, 'NULL'))" for kind in kinds)
    row = engine.run(f"SELECT {aggregates} FROM {lines}")[0]
    objects = [name for name, nested in zip(names, row[::2], strict=True) if nested]
    return objects, [name for name, filled in zip(names, row[1::2], strict=True) if not filled]


def _nested(engine: Engine, lines: str, pointers: Mapping[str, str], most: int | None) -> dict[str, str]:
    """The fields of nested objects, one level down, as `outer.inner`, with their JSON pointers; found in the first
    `most` lines (None: all)."""
    if not pointers:
        return {}
    limit = f" LIMIT {most}" if most else ""
    outer, empty = _with_objects(engine, f"(SELECT json FROM {lines}{limit})", list(pointers), pointers)
    outer += _with_objects(engine, lines, empty, pointers)[0] if empty else []
    nested: dict[str, str] = {}
    for key in outer:
        inside = f"SELECT DISTINCT unnest(json_keys(json, {literal(pointers[key])})) FROM {lines} ORDER BY 1"
        nested.update({f"{key}.{inner}": pointers[key] + _pointer(str(inner)) for (inner,) in engine.run(inside)})
    return nested
