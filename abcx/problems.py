"""Problems as data: what is wrong, where, why, and what helps; one text form for all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from abcx.formatting import clean

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Span:
    """A place in a file.

    `line` and `column` count from 1 and are 0 where unknown; `width` is the number of characters the caret
    underlines; `path` is the dotted YAML path or the column name; `text` is the source line, empty where unknown.
    """

    file: str
    line: int = 0
    column: int = 0
    width: int = 1
    path: str = ""
    text: str = ""

    def __str__(self) -> str:
        place = self.file
        if self.line:
            place += f":{self.line}"
            if self.column:
                place += f":{self.column}"
        return f"{place} ({self.path})" if self.path else place


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about a spec or a data file. `code` is kebab-case and stable, `help` says what to do about it."""

    level: Level
    code: str
    message: str
    span: Span | None = None
    help: str | None = None


def render(problem: Problem) -> str:
    """The problem as a person reads it: heading, place, source line with a caret, help."""
    lines = [f"{problem.level}[{problem.code}]: {clean(problem.message)}"]
    span = problem.span
    if span is not None:
        gutter = " " * len(str(span.line)) if span.line else " "
        lines.append(f"{gutter}--> {clean(span)}")
        if span.text:
            before, text = _visible(span.text, span.column)
            lines.append(f"{gutter} |")
            lines.append(f"{span.line} | {text}")
            if span.column:
                lines.append(f"{gutter} | {' ' * before}{'^' * max(1, min(span.width, len(text) - before))}")
    if problem.help:
        gutter = " " * len(str(span.line)) if span is not None and span.line else " "
        lines.append(f"{gutter} = help: {clean(problem.help)}")
    return "\n".join(lines)


def render_all(problems: Iterable[Problem]) -> str:
    """All problems, one blank line between two."""
    return "\n\n".join(render(problem) for problem in problems)


def _visible(text: str, column: int, limit: int = 160) -> tuple[int, str]:
    """Cut a long source line around the caret; controls become visible. Returns (caret offset, text)."""
    clean = "".join(c if c.isprintable() else ("    " if c == "\t" else "\N{REPLACEMENT CHARACTER}") for c in text)
    offset = len("".join("    " if c == "\t" else "." for c in text[: max(column - 1, 0)]))
    start = max(0, offset - limit // 2) if len(clean) > limit else 0
    return offset - start, clean[start : start + limit]
