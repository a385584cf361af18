"""`where` of the YAML -> SQL conditions. Only plain values come in; every one is quoted."""

from __future__ import annotations

from collections.abc import Callable

from abcx.data.engine import literal
from abcx.terms import Range, Scalar, Where, WhereValue

TRUE, FALSE = ("true", "t", "yes", "y", "1", "1.0"), ("false", "f", "no", "n", "0", "0.0")


def condition(where: Where, column: Callable[[str], str]) -> str:
    """All conditions joined by AND, never NULL; `column` gives the SQL of a column by the name in the YAML."""
    parts = [f"coalesce({_one(column(name), value)}, FALSE)" for name, value in where.items()]
    return " AND ".join(parts) or "TRUE"


def _one(sql: str, value: WhereValue) -> str:
    if isinstance(value, Range):
        number = f"try_cast({sql} AS DOUBLE)"
        bounds = [f"{number} >= {literal(value.min)}"] if value.min is not None else []
        bounds += [f"{number} <= {literal(value.max)}"] if value.max is not None else []
        return "(" + " AND ".join(bounds or ["TRUE"]) + ")"
    if isinstance(value, tuple):
        return "(" + " OR ".join(f"coalesce({_equals(sql, item)}, FALSE)" for item in value) + ")"
    return _equals(sql, value)


def _equals(sql: str, value: Scalar) -> str:
    if value is None:
        return f"({sql} IS NULL)"
    if isinstance(value, bool):
        spellings = ", ".join(literal(word) for word in (TRUE if value else FALSE))
        return f"lower(trim(CAST({sql} AS VARCHAR))) IN ({spellings})"
    if isinstance(value, (int, float)):
        return f"try_cast({sql} AS DOUBLE) = {literal(float(value))}"
    return f"CAST({sql} AS VARCHAR) = {literal(value)}"


def as_flag(sql: str) -> str:
    """A column of 0/1, true/false or yes/no as 1.0, 0.0 or NULL. What is neither becomes NaN, to be refused."""
    word = f"lower(trim(CAST({sql} AS VARCHAR)))"
    yes, no = (", ".join(literal(word) for word in words) for words in (TRUE, FALSE))
    return f"CASE WHEN {sql} IS NULL THEN NULL WHEN {word} IN ({yes}) THEN 1.0 WHEN {word} IN ({no}) THEN 0.0 ELSE 'nan'::DOUBLE END"
