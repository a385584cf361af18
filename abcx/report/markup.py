"""Elements of Markdown: escaped text, code, blocks, tables, lists."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from abcx import formatting

_SPECIAL = re.compile(r"[\\`*\[\]<>|~&$]|(?<![^\W_])_|_(?![^\W_])")
_LINKED = re.compile(r"@(?=\w)|#(?=\d)|:(?=//)|(?<=\bwww)(?=\.)", re.IGNORECASE)
"""Where a name, a number or an address begins that readers of Markdown would notify or link."""
_APART = "&#8203;"
"""A space of zero width, as an entity: it splits a name or address, which looks the same and is not linked."""
_START = re.compile(r"^(?:[#+=-]|(\d{1,9})(?=[.)]))")


_ADDRESS = re.compile(r"https?://[!-;=?-[\]^_a-{}~]+")


def escape(text: object) -> str:
    """The text escaped for Markdown and HTML, in a paragraph or a heading; it creates no mentions and no
    links."""
    return _START.sub(lambda match: f"{match[1]}\\" if match[1] else "\\" + match[0], cell(text))


def prose(text: str) -> str:
    """Sentences of ours, in which words between backticks are code; all else is escaped."""
    first, *rest = re.split(r"(`[^`|]+`|\s+)", formatting.clean(text))
    return escape(first) + "".join(code(part[1:-1]) if part[:1] == "`" else cell(part) or part for part in rest)


def cell(text: object) -> str:
    """The same for a cell of a table, where no line starts a list."""
    return _LINKED.sub(
        lambda match: match[0] + _APART, _SPECIAL.sub(lambda match: "\\" + match[0], formatting.clean(text))
    )


def link(address: str) -> str:
    """An address that a spec declares as a link; as text where it is none."""
    return f"<{address}>" if _ADDRESS.fullmatch(address) else escape(address)


def code(text: str) -> str:
    """A code span around any text; not for tables, where a bar would end the cell."""
    fence = _fence(text, 1)
    pad = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def block(text: str) -> str:
    """A fenced block of plain text."""
    fence = _fence(text, 3)
    return f"{fence}text\n{text.rstrip()}\n{fence}"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], sides: str = "") -> str:
    """A GFM table of cells that are escaped already; `sides` has l or r per column."""
    rules = ["---:" if side == "r" else "---" for side in sides.ljust(len(heads), "l")]
    return "\n".join("| " + " | ".join(row) + " |" for row in (heads, rules, *rows))


def bullets(items: Iterable[str]) -> str:
    """A list of items that are escaped already."""
    return "\n".join(f"- {item}" for item in items)


def _fence(text: str, least: int) -> str:
    runs = [len(run) for run in re.findall("`+", text)]
    return "`" * max(least, 1 + max(runs, default=0))
