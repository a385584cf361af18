"""Names and values as SQL: every one that comes from a spec or a file is quoted."""

from __future__ import annotations

from abcx.errors import DataError
from abcx.problems import Problem


def identifier(name: str) -> str:
    """A name quoted for SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | int | float | bool | None) -> str:
    """A value as a SQL literal; text cannot break out of it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return repr(value)
    if "\0" in value:
        return "(" + " || chr(0) || ".join(literal(part) for part in value.split("\0")) + ")"
    if not _is_unicode(value):
        help = "write it with characters that UTF-8 can hold"
        raise DataError(Problem("error", "not-unicode", f"{value!r} is not a valid text", help=help))
    return "'" + value.replace("'", "''") + "'"


def _is_unicode(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
