"""Translates `where` conditions and flags of the spec to SQL. Every value is quoted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from abcx.engines.quoting import literal
from abcx.spec_types import Not, Range, Scalar, Where, WhereValue

_YES = (
    "wahr",
    "ja",
    "vrai",
    "oui",
    "verdadero",
    "sí",
    "si",
    "vero",
    "sì",
    "verdadeiro",
    "sim",
    "waar",
    "prawda",
    "tak",
)
_NO = ("falsch", "nein", "faux", "non", "falso", "não", "nao", "onwaar", "nee", "fałsz", "nie")
"""Words for yes and no in German, French, Spanish, Italian, Portuguese, Dutch and Polish."""
TRUE = ("true", "t", "yes", "y", "on", "1", "1.0", *_YES)
FALSE = ("false", "f", "no", "n", "off", "0", "0.0", *_NO)
LARGEST = 1e50
"""Larger values are refused: no amount is so large, and squares and cubes of smaller ones stay finite."""

Column = Callable[[str, Literal["text", "number"]], str]
"""The SQL of a column by the name in the YAML, as text or as a DOUBLE."""


def usable_number(number: str) -> str:
    """The SQL condition of a number that statistics can use; never NULL."""
    return f"coalesce(abs({number}) <= {LARGEST!r}, FALSE)"


def bare(text: str) -> str:
    """The SQL of a text without the spaces and tabs around it."""
    return f"trim(trim(trim({text}), chr(9)))"


def trimmed(text: str) -> str:
    """As `bare`, but faster where few texts have spaces or tabs."""
    return f"CASE WHEN {_spaced(text)} OR contains({text}, chr(9)) THEN {bare(text)} ELSE {text} END"


def unspaced(text: str) -> str:
    """The SQL of a text without the spaces around it. Few texts have any, and the test costs a third of trimming."""
    return f"CASE WHEN {_spaced(text)} THEN trim({text}) ELSE {text} END"


def _spaced(text: str) -> str:
    """The SQL condition of texts that may contain a space: outside ASCII there are several kinds."""
    return f"contains({text}, ' ') OR bit_length({text}) <> 8 * length({text})"


def condition(where: Where, column: Column) -> str:
    """The SQL of all conditions joined by AND; never NULL."""
    parts = [f"coalesce({_condition(name, value, column)}, FALSE)" for name, value in where.items()]
    return " AND ".join(parts) or "TRUE"


def _condition(name: str, value: WhereValue, column: Column) -> str:
    if isinstance(value, Range):
        number = column(name, "number")
        bounds = [f"{number} >= {literal(value.min)}"] if value.min is not None else []
        bounds += [f"{number} <= {literal(value.max)}"] if value.max is not None else []
        return "(" + " AND ".join(bounds or ["TRUE"]) + ")"
    if isinstance(value, Not):
        return f"NOT {_condition(name, value.values, column)}"
    if isinstance(value, tuple):
        return "(" + " OR ".join(f"coalesce({equals(name, item, column)}, FALSE)" for item in value) + ")"
    return equals(name, value, column)


def equals(name: str, value: Scalar, column: Column) -> str:
    """The SQL condition of cells equal to a value of the spec: booleans in any spelling, numbers as numbers."""
    text = column(name, "text")
    if value is None:
        return f"({text} IS NULL)"
    if isinstance(value, bool):
        spellings = ", ".join(literal(word) for word in (TRUE if value else FALSE))
        return f"lower(trim({text})) IN ({spellings})"
    if isinstance(value, (int, float)) and abs(value) < 2**53:
        return f"{column(name, 'number')} = {literal(float(value))}"
    return f"{bare(text)} = {literal(str(value).strip())}"


def asks(value: WhereValue, kinds: tuple[type, ...]) -> bool:
    """Whether all values of a condition are of these types; `true` is not a number."""
    if isinstance(value, Range):
        return False
    values = value.values if isinstance(value, Not) else value if isinstance(value, tuple) else (value,)
    return all(isinstance(item, kinds) and isinstance(item, bool) == (bool in kinds) for item in values)


def as_flag(text: str) -> str:
    """The SQL of a boolean column (0/1, true/false, yes/no, on/off) as 1.0, 0.0 or NULL; other texts are NaN."""
    word = f"lower(trim({text}))"
    yes, no = (", ".join(literal(word) for word in words) for words in (TRUE, FALSE))
    return (
        f"CASE WHEN {text} IS NULL THEN NULL WHEN {word} IN ({yes}) THEN 1.0 "
        f"WHEN {word} IN ({no}) THEN 0.0 ELSE 'nan'::DOUBLE END"
    )
