"""The key of a row's unit and the code of its event name; in the first reading of a file also a mark where one of them,
or the label of the arm, is not canonical (mended_keys.py).

Nearly all rows are canonical. So the first test of a row is the cheapest one that shows it, and what is dear stands in
a later case: a conjunction of simple conditions stops at the first that fails; inside of coalesce() or NOT all of them
would be computed for all rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from abcx.data.reading import keys
from abcx.engines.quoting import literal

Marks = tuple[str, str]
"""SQL conditions of rows: a name is not canonical; a name certainly is."""
EVENT_NAME: Marks = ("event_code = -1", "(event_code >= 0 OR event_code IS NULL)")
"""Of the column `event_code`."""


def event_code(text: str, names: Sequence[str], first: bool) -> str:
    """The SQL of the position of an event name among `names`, from 1: 0 for other names, -1 in the `first` reading for
    names that are not canonical, NULL without a name."""
    cases = "".join(f" WHEN {literal(name)} THEN {i}" for i, name in enumerate(names, 1))
    other = f"CASE trim({text}){cases} ELSE 0 END"
    if first:
        other = f"CASE WHEN {keys.is_clean(text)} THEN 0 WHEN {keys.is_unclean(text)} THEN -1 ELSE {other} END"
    return f"CAST(CASE {text}{cases} ELSE CASE WHEN {text} IS NOT NULL THEN {other} END END AS SMALLINT)"


def label(text: str, labels: Sequence[str]) -> Marks:
    """The conditions on the label of an arm."""
    plain = f"{text} IN ({', '.join(map(literal, labels))})" if labels else "FALSE"
    return f"(NOT {plain} AND {keys.is_unclean(text)})", f"({plain} OR {text} IS NULL)"


def unit_of_row(text: str, hashed: bool, first: bool, kept: str, names: Sequence[Marks]) -> str:
    """The SQL of the key of a row's unit; NULL where the row is not `kept` (SQL), and the mark `UNCLEAN` where one of
    its `names` is not canonical."""
    key = keys.unit(text, hashed, first)
    key = key if kept == "TRUE" else f"CASE WHEN {kept} THEN {key} END"
    if names:
        key = f"CASE WHEN {' OR '.join(unclean for unclean, _ in names)} THEN {keys.UNCLEAN} ELSE {key} END"
    if not first:
        return key
    plain = [keys.is_plain(text), *([kept] if kept != "TRUE" else []), *(clean for _, clean in names)]
    return f"CASE WHEN {' AND '.join(plain)} THEN hash({text}) ELSE {key} END"
