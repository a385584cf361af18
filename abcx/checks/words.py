"""Text in the messages of checks, in addition to `abcx.formatting`: whole sentences, and numbers without exponents."""

from __future__ import annotations

import re
from collections.abc import Sequence

from abcx import formatting
from abcx.formatting import Unit
from abcx.spec_types import DurationValue

SHOWN = 3
"""Maximum number of names or clauses that a message lists."""
_LENGTHS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def capital(text: str) -> str:
    """A text with a capital first letter."""
    return text[:1].upper() + text[1:]


def sentences(*parts: str) -> str:
    """Clauses as sentences, each with a capital first letter and a full stop; empty ones are left out."""
    return " ".join(capital(part) + ("" if part.endswith((".", "!", "?")) else ".") for part in parts if part)


def listed(items: Sequence[str], last: str = "and") -> str:
    """`a, b and c`; of more than four the first three: `a, b, c and 2 more`."""
    if len(items) <= SHOWN + 1:
        return formatting.joined(list(items), last)
    return formatting.joined([*items[:SHOWN], f"{len(items) - SHOWN} more"])


def share_text(share: float, *limits: float) -> str:
    """A share with two decimals, more where rounding would make it 0 or carry it across a limit."""
    text = formatting.percent(share)
    for digits in range(3, 8):
        shown = float(text.rstrip("%").replace(",", "")) / 100
        if (shown > 0 or share == 0) and all((shown > limit) == (share > limit) for limit in limits):
            break
        text = formatting.percent(share, digits)
    return text


def lift_text(lift: float) -> str:
    """A lift with its sign; `nearly 0%` where it would need an exponent."""
    return _plain(formatting.lift(lift), lift, "%")


def difference_text(difference: float, unit: Unit) -> str:
    """A difference with its sign and unit; `nearly 0` where it would need an exponent."""
    return _plain(formatting.difference(difference, unit), difference)


def value_text(value: float, unit: Unit) -> str:
    """A value in its unit; `nearly 0` where it would need an exponent."""
    return _plain(formatting.value(value, unit), value)


def duration_text(length: DurationValue) -> str:
    """A length of time in words: `14 days`, `1 hour`."""
    match = re.fullmatch(r"([\d.]+)\s*([mhdw])", length.text.strip())
    if match is None:
        return length.text
    number, noun = match[1], _LENGTHS[match[2]]
    return f"{number} {formatting.singular(noun) if number == '1' else noun}"


def times_text(n: int) -> str:
    """`once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(n, f"{formatting.count(n)} times")


def _plain(text: str, number: float, unit: str = "") -> str:
    if not re.search(r"\de[+-]?\d", text):
        return text
    return f"nearly 0{unit}" if abs(number) < 1 else f"{number:,.0f}{unit}"
