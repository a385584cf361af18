"""Numbers in words: one function per kind of number, so that every room prints a share or a p-value alike."""

from __future__ import annotations

from typing import Literal

Unit = Literal["share", "value", "ratio"]


def count(n: float) -> str:
    """A whole number with thousands separated by commas: 1,234."""
    return f"{n:,.0f}"


def significant(x: float, digits: int = 4) -> str:
    """A number to so many significant digits, plain notation from 1e-4 to 1e15, trailing zeros kept off."""
    if x == 0:
        return "0"
    if not 1e-4 <= abs(x) < 1e15:
        return f"{x:.{digits - 1}e}"
    whole = f"{abs(x):.0f}"
    decimals = max(0, digits - len(whole)) if abs(x) >= 1 else digits - 1 - _exponent(x)
    text = f"{x:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(fraction: float, digits: int = 2, sign: bool = False) -> str:
    """A fraction as a percentage: 0.0412 is 4.12%."""
    return f"{100 * fraction:{'+' if sign else ''},.{digits}f}%"


def lift(fraction: float) -> str:
    """A lift with its sign: +12.3%, +0.04% (two more digits below 1 %)."""
    return percent(fraction, 1 if abs(fraction) >= 0.0995 else 2, sign=True)


def p_value(p: float) -> str:
    """p = .0021 with two significant digits below .1; 2.2e-22 where it is that small."""
    if p < 1e-4:
        return f"{p:.1e}".replace("e-0", "e-")
    if p >= 0.9995:
        return "1"
    decimals = 3 if p >= 0.1 else 1 - _exponent(p)
    return f"{p:.{decimals}f}".removeprefix("0")


def value(x: float, unit: Unit) -> str:
    """A metric's value in its own unit: shares as percentages, the rest to four digits."""
    return percent(x) if unit == "share" else significant(x)


def difference(x: float, unit: Unit) -> str:
    """A difference with its sign: shares in percentage points."""
    if unit == "share":
        return f"{100 * x:+.2f} pp" if abs(x) >= 0.0005 or x == 0 else f"{100 * x:+.4f} pp"
    return ("+" if x >= 0 else "") + significant(x)


def joined(items: list[str] | tuple[str, ...], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else ""


def plural(n: float, noun: str) -> str:
    """`1 unit`, `2,000 units`: the noun is given in the plural."""
    return f"{count(n)} {noun.removesuffix('s') if n == 1 else noun}"


def _exponent(x: float) -> int:
    return int(f"{abs(x):e}".partition("e")[2])
