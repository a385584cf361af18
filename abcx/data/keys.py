"""How the engine's tables tell units, events and tickets apart: by 64 bits of hash, where the rows are in this process.

A number in place of a text saves memory, and a third of the time of grouping and joining. Two of n different ids fall
together with the chance n^2 / 2^65: 3e-6 of 10 million. Elsewhere an id stays the text that it is.
"""

from __future__ import annotations

from abcx.data.conditions import bare, trimmed
from abcx.data.engine import literal
from abcx.data.times import ROUNDED

_ROUNDED_ID = rf"{ROUNDED}|\s*(9\d{{15}}|\d{{17,}})\.0\s*"
_MARK, _BEHIND = r'^\x{FEFF}+"?(.*?)"?$', r"\1"
_ROUNDED = "0::UBIGINT"
"""The key of every unit or event whose id was rounded: such a file is refused."""
PLACEHOLDERS = tuple(
    spelled
    for word in ("null", "nan", "none", "undefined", "n/a", "#n/a", "(null)", "<null>", "(not set)", "\\n")
    for spelled in dict.fromkeys((word, word.upper(), word.capitalize(), "NaN" if word == "nan" else word))
)
"""Texts that stand for no id in exports of many tools."""


def unit(text: str, hashed: bool) -> str:
    """The key of a unit, by its id without the spaces around it; NULL where there is none."""
    key = ticket(text, hashed)
    return f"CASE WHEN {is_rounded(text)} THEN {_ROUNDED} ELSE {key} END" if hashed else key


def ticket(text: str, hashed: bool) -> str:
    """The key of a ticket, by its id without the spaces around it; NULL where there is none."""
    if not hashed:
        return f"nullif({trimmed(text)}, '')"
    # As in conditions.trimmed, in words that only this engine has. An empty text comes before '!'.
    plain = f"NOT contains({text}, ' ') AND NOT contains({text}, chr(9)) AND strlen({text}) = length({text})"
    cut = _unmarked(text)
    return f"CASE WHEN {text} >= '!' AND {plain} THEN hash({text}) WHEN {cut} <> '' THEN hash({cut}) END"


def _unmarked(text: str) -> str:
    """A text without the spaces around it, and without the byte order mark that glued files have between their rows.
    The quotes behind it are then part of the text."""
    mark = f"regexp_replace({bare(text)}, {literal(_MARK)}, {literal(_BEHIND)})"
    return f"CASE WHEN starts_with({text}, chr(65279)) THEN {mark} ELSE {bare(text)} END"


def event(text: str | None, name: str | None, hashed: bool) -> str:
    """The key of an event, by its id without the spaces around it and, where one id may be of several events, by its
    `name` (SQL); NULL where there is no id."""
    if text is None:
        return "CAST(NULL AS UBIGINT)" if hashed else "CAST(NULL AS VARCHAR)"
    id = f"nullif({trimmed(text)}, '')"
    alone = f"hash({id})" if hashed else id
    named = f"hash({id}, {name})" if hashed else f"{id} || ' ' || coalesce({name}, '')"
    apart = alone if name is None else f"CASE WHEN {is_placeholder(text)} THEN {alone} ELSE {named} END"
    rounded = _ROUNDED if hashed else id
    return f"CASE WHEN {is_rounded(text)} THEN {rounded} WHEN {id} IS NOT NULL THEN {apart} END"


def was_rounded(key: str, hashed: bool) -> str:
    """The SQL condition of units or events with a rounded id, by their key."""
    return f"{key} = {_ROUNDED}" if hashed else is_rounded(key)


def was_placeholder(key: str, hashed: bool) -> str:
    """The SQL condition of units or events whose id stands for none, by their key."""
    return f"{key} IN ({', '.join(f'hash({literal(t)})' if hashed else literal(t) for t in PLACEHOLDERS)})"


def is_placeholder(text: str) -> str:
    """The SQL condition of ids that stand for none."""
    return f"{bare(text)} IN ({', '.join(map(literal, PLACEHOLDERS))})"


def is_rounded(text: str) -> str:
    """The SQL condition of ids in scientific notation, and of those above 9e15 that end in `.0`, as JSON and frames
    write what is no whole number to them. Most texts fail at the first parts, which cost little."""
    signs = f"{text} < ':' AND (contains({text}, '+') OR contains({text}, '.0'))"
    return f"({signs} AND regexp_full_match({text}, {literal(_ROUNDED_ID)}))"
