"""Converts ids, event names and arm labels to their canonical form (keys.py), with notes.

The first reading of a file marks the rows that need it; most files have none. Where there are some, they are counted by
column, and the file is read again with these columns converted. In a remote engine such ids are refused.
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
"""Spaces and hidden characters for which ids in a remote engine are searched."""


def mend(before: int, source: Source, select: Select) -> tuple[Source, bool, list[Note]]:
    """The source with the columns that must be converted, whether it must be read again, and notes. `before` is the
    first row id of its rows. Raises DataError where ids in a remote engine are not canonical."""
    if not select.hashed:
        _refuse_remote(source, select)
        return source, False, []
    table = source.table
    marked = " OR ".join(f"{column} = {keys.UNCLEAN}" for column in select.key_columns(source))
    rows = f"SELECT 1 FROM {select.part} WHERE rowid >= {before} AND ({marked}) LIMIT 1"
    if table.mended is not None or not source.table.engine.run(rows):
        return replace(source, table=replace(table, mended=table.mended or frozenset())), False, []
    mended, pointed, notes = set[str](), set[str](), list[Note]()
    for role, name in (select.key_columns(source) | select.name_columns(source)).items():
        if table.holds_text(name):
            counts = _count_unclean(source, name)
            mended |= {name} if any(counts[defect] for defect in _HOW) else set()
            pointed |= {name} if counts["pointed"] and role not in ("event", "arm") else set()
            values = {"file": table.named, "column": name, "role": role if role in _NAMED else "ticket"}
            notes += [Note(f"keys_{defect}", {**values, "count": counts[defect]}) for defect in _HOW if counts[defect]]
    table = replace(table, mended=frozenset(mended), pointed=frozenset(pointed))
    return replace(source, table=table), True, notes


_HOW = {
    "formula": "starts_with(b, '=')",
    "quoted": " OR ".join(f"regexp_matches(b, {literal(q)})" for q in cell_text.QUOTES),
    "hidden": "nfc_normalize(b) = b",
    "composed": "TRUE",
}
"""Why an id is not canonical: SQL conditions of a text `b` without spaces and tabs around it; the first that holds."""


def _count_unclean(source: Source, name: str) -> dict[str, int]:
    """The numbers of cells of a column that are not canonical, by cause, and that end in `.0` (`pointed`)."""
    text = source.table.sql(name, "text")
    cases = " ".join(f"WHEN {condition} THEN {literal(defect)}" for defect, condition in _HOW.items())
    pointed = f"WHEN {keys.has_trailing_point_zero('v')} THEN 'pointed'"
    kind = f"CASE WHEN {keys.is_unclean('v')} THEN CASE {cases} END {pointed} END"
    cells = f"SELECT v, trim(v, chr(32) || chr(9)) AS b FROM (SELECT {text} AS v FROM {source.table.scan()})"
    rows = source.table.engine.run(f"SELECT {kind} AS how, count(*) FROM ({cells}) GROUP BY how")
    return dict.fromkeys((*_HOW, "pointed"), 0) | {str(defect): int(count) for defect, count in rows if defect}


def _refuse_remote(source: Source, select: Select) -> None:
    """Raise DataError where ids in a remote engine are not canonical."""
    for column, name in select.key_columns(source).items():
        if source.table.holds_text(name):
            patterns = ['="%', '"%"', "'%'", *(f"%{character}%" for character in _ODD)]
            odd = " OR ".join(f"{column} LIKE {literal(pattern)}" for pattern in patterns)
            if source.table.engine.run(f"SELECT {column} FROM {select.part} WHERE {odd} LIMIT 1"):
                message = (
                    f"some ids in '{name}' are formulas (=\"...\"), in quotes, or hold characters that do not show"
                )
                cure = "write them as plain text there, or read the file with engine: duckdb, which mends them"
                raise DataError(Problem("error", "unclean-ids", message, Span(source.table.shown, path=name), cure))
