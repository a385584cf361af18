"""Numbers in words: one function per kind of number, so that every room prints a share or a p-value alike.

No rounding ever turns an effect that is not 0 into 0, nor moves a p-value across its level.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Literal

Unit = Literal["share", "value", "ratio", "points", "score", "hours"]
"""What a value is in: a share (0 to 1), its own unit, a ratio, NPS points, points of a scale of answers, hours."""


def count(n: float) -> str:
    """A whole number with thousands separated by commas: 1,234."""
    return f"{n:,.0f}"


def significant(x: float, digits: int = 4) -> str:
    """A number with this many significant digits, in plain notation, trailing zeros kept off."""
    if x == 0:
        return "0"
    whole = f"{abs(x):.0f}"
    decimals = max(0, digits - len(whole)) if abs(x) >= 1 else digits - 1 - _exponent(x)
    text = f"{x:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def about(n: int) -> int:
    """A number of units with three significant digits, rounded up: 138,591 is about 139,000."""
    step = int(10 ** max(0, len(str(abs(n))) - 3))
    return -(-n // step) * step


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
    """A lift without an interval, with its sign: +12.3%, +6.3%; two decimals below 1 % (+0.04%)."""
    if 0 < abs(fraction) < 0.00005:
        return f"just {'above' if fraction > 0 else 'below'} 0%"
    return percent(fraction + 0.0, 0 if abs(fraction) >= 9.995 else 1 if abs(fraction) >= 0.00995 else 2, sign=True)


def p_value(p: float, alpha: float | None = None) -> str:
    """.0021 with two significant digits below .1, at most four decimals; `< .0001` below that.

    With `alpha`, p is never written on the other side of it: .0499 or .0501 at level .05, never .050.
    """
    if p < 0.0001:
        return "< .0001"
    if p >= 0.9995:
        return "1"
    decimals = 3 if p >= 0.1 else min(4, 1 - _exponent(p))
    for digits in range(decimals, 5):
        text = f"{p:.{digits}f}"
        if alpha is None or (float(text) < alpha) == (p < alpha):
            return text.removeprefix("0")
    if alpha is not None and p < alpha and float(text) >= alpha:
        text = f"{float(text) - 0.0001:.4f}"
    elif alpha is not None and p >= alpha and float(text) < alpha:
        text = f"{float(text) + 0.0001:.4f}"
    return text.removeprefix("0")


def p_words(p: float, alpha: float | None = None) -> str:
    """`p = .0021`, `p < .0001`."""
    text = p_value(p, alpha)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def number(x: float) -> str:
    """A number without an interval: four significant digits, at most four decimals."""
    if 0 < abs(x) < 0.00005:
        return f"{'' if x > 0 else '-'}0.0000"
    return significant(round(x, 4)) if abs(x) < 1 else significant(x)


def value(x: float, unit: Unit) -> str:
    """A value in its own unit: shares as percentages, points to one decimal, the rest to four digits."""
    if unit == "points":
        return f"{x + 0.0:.1f}"
    if unit == "hours":
        return f"{number(x)} h"
    return percent(x) if unit == "share" else number(x)


def difference(x: float, unit: Unit) -> str:
    """A difference without an interval, with its sign: shares in percentage points, hours and points with their
    unit."""
    tail = {"share": " pp", "points": " points", "hours": " h"}.get(unit, "")
    shown = 100 * x if unit == "share" else x
    digits = {"share": 2, "points": 1}.get(unit, 4)
    if 0 < abs(shown) < 0.5 * 10**-digits:
        return f"just {'above' if x > 0 else 'below'} 0{tail}"
    text = f"{shown + 0.0:+,.{digits}f}" if unit in ("share", "points") else ("+" if x >= 0 else "") + number(x)
    return text + tail


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


_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def day(iso: str) -> str:
    """A day (ISO 8601) for people: 6 October 2024; any other text as it is."""
    try:
        when = date.fromisoformat(iso[:10])
    except ValueError:
        return clean(iso)
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def days(first: str, last: str) -> str:
    """Two days (ISO 8601) for people: 8 April to 5 May 2024."""
    start, end = day(first), day(last)
    year = end.rpartition(" ")[2]
    return end if start == end else f"{start.removesuffix(f' {year}')} to {end}"


def moment(iso: str) -> str:
    """A time (ISO 8601) to the second."""
    return re.sub(r"\.\d+", "", clean(iso))
