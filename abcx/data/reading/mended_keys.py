"""Ids, names of events and labels of arms that are not written in their canonical form (keys.py): mended and told.

The first reading of a file marks the rows that hold one. Most files have none. Where there is one the columns are
counted, and the file is read once more with the columns mended. An engine elsewhere refuses such ids.
"""

from __future__ import annotations

from dataclasses import replace

from abcx.data.reading import keys
from abcx.data.reading.row_sql import Select
from abcx.data.reading.source import Source
from abcx.engines.quoting import literal
from abcx.errors import DataError
from abcx.files import cell_text
from abcx.notes import Note
from abcx.problems import Problem, Span

_NAMED = ("unit", "id", "event", "arm")
_ODD = "\u00a0\u2009\u202f\u3000\u00ad\u200b\u200c\u200d\u2060\ufeff"
"""Spaces and hidden characters that an engine elsewhere is asked for by name."""


def mend(before: int, source: Source, select: Select) -> tuple[Source, bool, list[Note]]:
    """The source with its columns that need mending, whether it must be read again, and notes.
    `before` is the first row id that can be its own. Raises DataError elsewhere."""
    if not select.hashed:
        _refuse(source, select)
        return source, False, []
    table = source.table
    marked = " OR ".join(f"{column} = {keys.UNCLEAN}" for column in select.key_columns(source))
    rows = f"SELECT 1 FROM {select.part} WHERE rowid >= {before} AND ({marked}) LIMIT 1"
    if table.mended is not None or not source.table.engine.run(rows):
        return replace(source, table=replace(table, mended=table.mended or frozenset())), False, []
    mended, pointed, notes = set[str](), set[str](), list[Note]()
    for role, name in (select.key_columns(source) | select.name_columns(source)).items():
        if table.holds_text(name):
            found = _count_unclean(source, name)
            mended |= {name} if any(found[how] for how in _HOW) else set()
            pointed |= {name} if found["pointed"] and role not in ("event", "arm") else set()
            values = {"file": table.named, "column": name, "role": role if role in _NAMED else "ticket"}
            notes += [Note(f"keys_{how}", {**values, "count": found[how]}) for how in _HOW if found[how]]
    table = replace(table, mended=frozenset(mended), pointed=frozenset(pointed))
    return replace(source, table=table), True, notes


_HOW = {
    "formula": "starts_with(b, '=')",
    "quoted": " OR ".join(f"regexp_matches(b, {literal(q)})" for q in cell_text.QUOTES),
    "hidden": "nfc_normalize(b) = b",
    "composed": "TRUE",
}
"""What makes an id unclean, as the SQL condition of a text `b` without spaces and tabs around it."""


def _count_unclean(source: Source, name: str) -> dict[str, int]:
    """How many cells of a column are not canonical, by the first of the ways, and how many end in `.0`."""
    text = source.table.sql(name, "text")
    cases = " ".join(f"WHEN {condition} THEN {literal(how)}" for how, condition in _HOW.items())
    pointed = f"WHEN {keys.has_trailing_point_zero('v')} THEN 'pointed'"
    kind = f"CASE WHEN {keys.is_unclean('v')} THEN CASE {cases} END {pointed} END"
    cells = f"SELECT v, trim(v, chr(32) || chr(9)) AS b FROM (SELECT {text} AS v FROM {source.table.scan()})"
    rows = source.table.engine.run(f"SELECT {kind} AS how, count(*) FROM ({cells}) GROUP BY how")
    return dict.fromkeys((*_HOW, "pointed"), 0) | {str(how): int(count) for how, count in rows if how}


def _refuse(source: Source, select: Select) -> None:
    """Raise DataError where ids elsewhere need mending."""
    for column, name in select.key_columns(source).items():
        if source.table.holds_text(name):
            likes = ['="%', '"%"', "'%'", *(f"%{one}%" for one in _ODD)]
            odd = " OR ".join(f"{column} LIKE {literal(like)}" for like in likes)
            if source.table.engine.run(f"SELECT {column} FROM {select.part} WHERE {odd} LIMIT 1"):
                message = (
                    f"some ids in '{name}' are formulas (=\"...\"), in quotes, or hold characters that do not show"
                )
                cure = "write them as plain text there, or read the file with engine: duckdb, which mends them"
                raise DataError(Problem("error", "unclean-ids", message, Span(source.table.shown, path=name), cure))
