"""The keys of units, events and tickets in the engine's tables: 64 bits of hash, where the rows are in this process.

A number instead of a text saves memory, and a third of the time of grouping and joining. Two of n different ids collide
with probability n^2 / 2^65: 3e-6 for 10 million. In a remote engine the key is the text itself.

`canonical` is the one form in which ids, names of events and labels of arms are compared (docs/methods.md, "Keys"). Few
files need it, so the first reading of a file only marks the rows that do (mended_keys.py).
"""

from __future__ import annotations

from abcx.data.reading.conditions import bare, trimmed
from abcx.engines.quoting import literal
from abcx.files.cell_text import canonical
from abcx.files.time_formats import ROUNDED

_ROUNDED_ID = rf"{ROUNDED}|\s*(9\d{{15}}|\d{{17,}})\.0\s*"
_ROUNDED = "0::UBIGINT"
"""The key of every unit or event with a rounded id; such a file is refused."""
UNCLEAN = "1::UBIGINT"
"""The key, in the first reading of a file, of every id that is not canonical or ends in `.0`."""
POINTED = r"\d+\.0+"
"""Whole numbers with a final `.0`, as some tools write ids."""
_WORDS = (
    *("null", "nan", "none", "undefined", "n/a", "#n/a", "(null)", "<null>", "(not set)", "\\n", "nil", "na", "<na>"),
    *("nat", "(none)", "<none>", "(blank)", "(empty)", "(unknown)", "unknown", "anonymous", "(anonymous)", "guest"),
    *(
        "[object object]",
        "#ref!",
        "#value!",
        "#name?",
        "#null!",
        "-",
        "--",
        "?",
        "00000000-0000-0000-0000-000000000000",
    ),
)
_MIXED = {"nan": "NaN", "nat": "NaT", "[object object]": "[object Object]"}
PLACEHOLDERS = tuple(
    spelled
    for word in _WORDS
    for spelled in dict.fromkeys((word, word.upper(), word.capitalize(), _MIXED.get(word, word)))
)
"""Placeholders for a missing id in the exports of many tools."""


def is_clean(text: str) -> str:
    """The SQL condition of texts that are certainly canonical: ASCII, with a character above the quotes at both ends,
    and not a formula. Comparisons of texts are the cheapest tests of their first character."""
    start = f"({text} BETWEEN '(' AND '<~~' OR {text} BETWEEN '>' AND '~~')"
    return f"({start} AND ({text})[-1] BETWEEN '(' AND '~' AND strlen({text}) = length({text}))"


def is_unclean(text: str) -> str:
    """The SQL condition of texts that are not canonical, apart from spaces and tabs around them. Nearly all texts fail
    its first part, which is cheap."""
    return f"(NOT {is_clean(text)} AND {canonical(text)} <> trim({text}, chr(32) || chr(9)))"


def has_trailing_point_zero(text: str) -> str:
    """The SQL condition of ids that are whole numbers with a final `.0`."""
    return f"({text} < ':' AND contains({text}, '.0') AND regexp_full_match(trim({text}), {literal(POINTED)}))"


def is_plain(text: str) -> str:
    """The SQL condition of ids that are certainly their own canonical form, not rounded, and without a final `.0`."""
    return f"{is_clean(text)} AND ({text} >= ':' OR (NOT contains({text}, '+') AND NOT contains({text}, '.0')))"


def unit(text: str, hashed: bool, first: bool = False) -> str:
    """The SQL of a unit's key, from its id without the spaces around it; NULL where there is none. In the `first`
    reading ids that are not canonical have the key `UNCLEAN`."""
    key = ticket(text, hashed, first)
    return f"CASE WHEN {is_rounded(text)} THEN {_ROUNDED} ELSE {key} END" if hashed else key


def ticket(text: str, hashed: bool, first: bool = False) -> str:
    """The SQL of a ticket's key, from its id without the spaces around it; NULL where there is none. `first` as in
    `unit`."""
    if not hashed:
        return f"nullif({trimmed(text)}, '')"
    # As conditions.trimmed, with functions of this engine only. An empty text sorts before '('.
    cut, clean = bare(text), is_clean(text)
    marked = f"WHEN {has_trailing_point_zero(text)} THEN {UNCLEAN} " if first else ""
    unclean = f"WHEN {is_unclean(text)} THEN {UNCLEAN} " if first else ""
    return f"CASE {marked}WHEN {clean} THEN hash({text}) {unclean}WHEN {cut} <> '' THEN hash({cut}) END"


def event(text: str | None, name: str | None, hashed: bool, first: bool = False) -> str:
    """The SQL of an event's key, from its id without the spaces around it and, where several events may share an id,
    its `name` (SQL); NULL where there is no id. `first` as in `unit`."""
    if text is None:
        return "CAST(NULL AS UBIGINT)" if hashed else "CAST(NULL AS VARCHAR)"
    id = f"nullif({trimmed(text)}, '')"
    by_id = f"hash({id})" if hashed else id
    by_name = f"hash({id}, {name})" if hashed else f"{id} || ' ' || coalesce({name}, '')"
    key = by_id if name is None else f"CASE WHEN {is_placeholder(text)} THEN {by_id} ELSE {by_name} END"
    rounded = _ROUNDED if hashed else id
    marked = f"WHEN {has_trailing_point_zero(text)} OR {is_unclean(text)} THEN {UNCLEAN} " if first else ""
    return f"CASE WHEN {is_rounded(text)} THEN {rounded} {marked}WHEN {id} IS NOT NULL THEN {key} END"


def was_rounded(key: str, hashed: bool) -> str:
    """The SQL condition of units or events with a rounded id, by their key."""
    return f"{key} = {_ROUNDED}" if hashed else is_rounded(key)


def was_placeholder(key: str, hashed: bool) -> str:
    """The SQL condition of units or events whose id is a placeholder, by their key."""
    return f"{key} IN ({', '.join(f'hash({literal(t)})' if hashed else literal(t) for t in PLACEHOLDERS)})"


def is_placeholder(text: str) -> str:
    """The SQL condition of ids that are placeholders for a missing one."""
    return f"{bare(text)} IN ({', '.join(map(literal, PLACEHOLDERS))})"


def is_rounded(text: str) -> str:
    """The SQL condition of ids that were rounded: in scientific notation, or above 9e15 with a final `.0`, as JSON and
    frames write floating-point numbers. Most texts fail its first parts, which are cheap."""
    signs = f"{text} < ':' AND (contains({text}, '+') OR contains({text}, '.0'))"
    return f"({signs} AND regexp_full_match({text}, {literal(_ROUNDED_ID)}))"
