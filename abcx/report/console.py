"""Rendering of rich parts as text: the colors of words, borderless tables, an explicit width."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.table import Table

STYLES = {
    "SHIP": "bold green",
    "DO NOT SHIP": "bold red",
    "KEEP RUNNING": "bold yellow",
    "INCONCLUSIVE": "bold yellow",
    "INVALID": "bold red reverse",
    "better": "green",
    "safe": "green",
    "worse": "red",
    "harmed": "red",
    "inconclusive": "yellow",
    "unresolved": "yellow",
    "not_judged": "dim",
    "descriptive": "dim",
    "pass": "green",
    "warn": "bold yellow",
    "fail": "bold red",
    "skipped": "dim",
}
_PLAIN = str.maketrans(
    {
        "─": "-",
        "·": "|",
        "\N{MULTIPLICATION SIGN}": "x",
        "\N{REPLACEMENT CHARACTER}": "?",
        "\N{HORIZONTAL ELLIPSIS}": "~",
    }
)


def draw(parts: Iterable[RenderableType], width: int, color: bool, ascii: bool) -> str:
    """Text of the parts, one below the other, at an explicit width; no escape codes unless `color`."""
    console = Console(
        file=io.StringIO(),
        width=width,
        height=1000,
        force_terminal=color,
        force_jupyter=False,
        color_system="standard" if color else None,
        no_color=not color,
        legacy_windows=False,
        markup=False,
        highlight=False,
        emoji=False,
    )
    with console.capture() as capture:
        for part in parts:
            console.print(part)
    text = "\n".join(line.rstrip() for line in capture.get().splitlines()) + "\n"
    return text.translate(_PLAIN) if ascii else text


def grid(columns: str, gap: int = 2) -> Table:
    """A borderless table with one column per letter, l or r for its side; long cells fold, nothing is cut."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, gap, 0, 0))
    for side in columns:
        table.add_column(justify="right" if side == "r" else "left", overflow="fold")
    return table
