"""How the engine's tables tell units, events and tickets apart: by 64 bits of hash, where the rows are in this process.

A number in place of a text saves memory, and a third of the time of grouping and joining. Two of n different ids fall
together with the chance n^2 / 2^65: 3e-6 of 10 million. Elsewhere an id stays the text that it is.
"""

from __future__ import annotations

from abcx.data.conditions import trimmed
from abcx.data.engine import literal
from abcx.data.times import ROUNDED

_ROUNDED_UNIT = "0::UBIGINT"
"""The key of every unit whose id a spreadsheet has rounded: such a file is refused."""


def unit(text: str, hashed: bool) -> str:
    """The key of a unit, by its id without the spaces around it; NULL where there is none."""
    key = ticket(text, hashed)
    return f"CASE WHEN {is_rounded(text)} THEN {_ROUNDED_UNIT} ELSE {key} END" if hashed else key


def ticket(text: str, hashed: bool) -> str:
    """The key of a ticket, by its id without the spaces around it; NULL where there is none."""
    if not hashed:
        return f"nullif({trimmed(text)}, '')"
    # As in conditions.trimmed, in words that only this engine has. An empty text comes before '!'.
    as_it_stands = f"{text} >= '!' AND NOT contains({text}, ' ') AND strlen({text}) = length({text})"
    return f"CASE WHEN {as_it_stands} THEN hash({text}) WHEN trim({text}) <> '' THEN hash(trim({text})) END"


def event(text: str | None, hashed: bool) -> str:
    """The key of an event, by its id as it stands; NULL where there is none."""
    if not hashed:
        return text or "CAST(NULL AS VARCHAR)"
    return f"CASE WHEN {text} IS NOT NULL THEN hash({text}) END" if text else "CAST(NULL AS UBIGINT)"


def was_rounded(key: str, hashed: bool) -> str:
    """The SQL condition of units with a rounded id, by their key."""
    return f"{key} = {_ROUNDED_UNIT}" if hashed else is_rounded(key)


def is_rounded(text: str) -> str:
    """The SQL condition of ids in scientific notation. Most texts fail at the first of its parts, which cost little."""
    return f"({text} < ':' AND contains({text}, '+') AND regexp_full_match({text}, {literal(ROUNDED)}))"
