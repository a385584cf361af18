"""Numbers in words: one function per kind of number, so that every room prints a share or a p-value alike.

No rounding ever turns an effect that is not 0 into 0, nor moves a p-value across its level.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

Unit = Literal["share", "value", "ratio", "points", "score", "hours"]
"""What a value is in: a share (0 to 1), its own unit, a ratio, NPS points, points of a scale of answers, hours."""


def count(n: float) -> str:
    """A whole number with thousands separated by commas: 1,234."""
    return f"{n:,.0f}"


def significant(x: float, digits: int = 4) -> str:
    """A number with this many significant digits, plain notation from 1e-4 to 1e15, trailing zeros kept off."""
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


def chance(p: float) -> str:
    """A chance as a percentage that is never rounded to certainty: 96%, 99.4%, more than 99.9%."""
    if not 0.001 <= p <= 0.999:
        return "more than 99.9%" if p > 0.5 else "less than 0.1%"
    return percent(p, 0 if 0.0095 <= p <= 0.9905 else 1)


def small_percent(fraction: float) -> str:
    """A small fraction as a percentage with two decimals, never rounded to nothing: 0.02%, below 0.01%."""
    return "below 0.01%" if fraction < 0.00005 else percent(fraction)


def lift(fraction: float) -> str:
    """A lift with its sign: +12.3%, +6.3%; two decimals below 1 % (+0.04%), more where it would read as 0."""
    if 0 < abs(fraction) < 0.00005:
        return ("+" if fraction > 0 else "") + significant(100 * fraction, 2) + "%"
    return percent(fraction + 0.0, 1 if abs(fraction) >= 0.00995 else 2, sign=True)


def p_value(p: float, alpha: float | None = None) -> str:
    """p = .0021 with two significant digits below .1; 2.2e-22 where it is that small.

    With `alpha`, further digits where rounding would carry p across it: .0496 at level .05, never .050.
    """
    text = _p_value(p, 0)
    for more in range(1, 9):
        if alpha is None or (float(text) < alpha) == (p < alpha):
            break
        text = _p_value(p, more)
    return text


def value(x: float, unit: Unit) -> str:
    """A metric's value in its own unit: shares as percentages, points to one decimal, the rest to four digits."""
    if unit == "points":
        return f"{x + 0.0:.1f}"
    if unit == "hours":
        return f"{significant(x)} h"
    return percent(x) if unit == "share" else significant(x)


def difference(x: float, unit: Unit) -> str:
    """A difference with its sign: shares in percentage points, hours and points with their unit."""
    if unit == "share":
        if 0 < abs(x) < 0.000005:
            return ("+" if x > 0 else "") + significant(100 * x, 2) + " pp"
        return f"{100 * x + 0.0:+.2f} pp" if abs(x) >= 0.0005 or x == 0 else f"{100 * x:+.4f} pp"
    if unit == "points" and (abs(x) >= 0.05 or x == 0):
        return f"{x + 0.0:+.1f} points"
    tail = {"points": " points", "hours": " h"}.get(unit, "")
    return ("+" if x >= 0 else "") + significant(x) + tail


def joined(items: list[str] | tuple[str, ...], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} {last} {items[-1]}" if items else ""


def anything_in(low: str | None, high: str | None) -> str:
    """The values between two written ends: `anything from -1.0% to +2.0%`, `anything above -1.0%`."""
    if low is None or high is None:
        return f"anything below {high}" if low is None else f"anything above {low}"
    return f"anything from {low} to {high}"


def plural(n: float, noun: str) -> str:
    """`1 unit`, `2,000 units`: the noun is given in the plural."""
    return f"{count(n)} {singular(noun) if n == 1 else noun}"


def singular(noun: str) -> str:
    """One of the plural noun: visitors, companies, searches, people."""
    if noun == "people":
        return "person"
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    if noun.endswith(("sses", "shes", "ches", "xes")):
        return noun[:-2]
    return noun if noun.endswith("ss") else noun.removesuffix("s")


def _p_value(p: float, more: int) -> str:
    if p < 1e-300:  # too small to be told apart from 0 as a number
        return "1e-300 or less"
    if p < 1e-4:
        return f"{p:.{1 + more}e}".replace("e-0", "e-")
    if p >= 0.9995:
        return "1"
    decimals = 3 if p >= 0.1 else 1 - _exponent(p)
    return f"{p:.{decimals + more}f}".removeprefix("0")


def _exponent(x: float) -> int:
    return int(f"{abs(x):e}".partition("e")[2])


def place(path: str) -> str:
    """The path of a file as a report names it: below the working folder, else by its name alone, for reports are
    forwarded and an absolute path tells of people and machines."""
    given, folder = Path(path), Path.cwd()
    if not given.is_absolute():
        return path
    below = given.is_relative_to(folder) and folder != Path(folder.anchor)  # below the root is every file
    return str(given.relative_to(folder)) if below else given.name


_JOINERS = "\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"


def clean(text: object) -> str:
    """One line of printable text, for whatever stream: control characters and direction overrides become visible, emoji
    stay whole. All text from files, headers, names and specs goes through it before it is shown."""
    flat = " ".join(str(text).split())
    return "".join(c if c.isprintable() or c in _JOINERS else "\N{REPLACEMENT CHARACTER}" for c in flat)


_ABBREVIATIONS = frozenset(
    (
        *("aov", "arpu", "ces", "cpc", "cpm", "csat", "ctr", "cx", "faq", "gmv", "ltv", "nps", "roi"),
        *("sla", "sms", "ui", "url", "usd", "eur", "gbp", "vip"),
    )
)


def title_of(name: str) -> str:
    """The key of a metric as a title for people: `revenue_per_visitor` is Revenue per visitor, `nps` is NPS."""
    words = [word.upper() if word.lower() in _ABBREVIATIONS else word for word in clean(name.replace("_", " ")).split()]
    title = " ".join(words) or clean(name)
    return title[:1].upper() + title[1:]
