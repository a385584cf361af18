"""The folded part of the page: the sections of the Markdown readout as HTML, each with its figure.

Markdown is the source, so that a section is written once. Raw HTML in it is text; cells carry the head of their column,
which a narrow screen shows in place of the head.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

from markupsafe import Markup

from abcx.report import effect_over_time, figures, markdown
from abcx.results.readout import Results

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token


@dataclass(frozen=True, slots=True)
class Section:
    """One folded section: its title, its figures (SVG), and its text as HTML."""

    title: str
    figures: tuple[Markup, ...]
    html: Markup


_TEXTS: dict[str, Callable[[Results], Iterator[str]]] = {
    "Effect over time": effect_over_time.tables,
    "All metrics in detail": partial(markdown.all_metrics, drawn=False),
}
"""Sections whose Markdown has charts of text, with what stands in their place."""


def sections(results: Results) -> list[Section]:
    """Every section that has something."""
    found = []
    for title, section in markdown.SECTIONS:
        blocks = list(_TEXTS.get(title, section)(results))
        drawn = tuple(drawing.html() for drawing in figures.of_section(results, title))
        if blocks or drawn:
            found.append(Section(title, drawn, Markup(_parser().render("\n\n".join(blocks)))))
    return found


@cache
def _parser() -> MarkdownIt:
    """Markdown as GitHub reads it, without raw HTML and without blocks of text that draw: figures stand for them."""
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    parser.core.ruler.push("page", lambda state: _adapted(state.tokens))
    return parser


def _adapted(tokens: list[Token]) -> None:
    """Remove fenced blocks, put headings below the title of the section, and label the cells of tables."""
    tokens[:] = [token for token in tokens if token.type != "fence"]
    heads: list[str] = []
    column, in_head = 0, False
    for position, token in enumerate(tokens):
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h3"
        elif token.type == "thead_open":
            heads, in_head = [], True
        elif token.type == "tbody_open":
            in_head = False
        elif token.type == "tr_open":
            column = 0
        elif token.type == "th_open":
            token.attrSet("scope", "col")
            heads.append(_text(tokens[position + 1]))
        elif token.type == "td_open" and not in_head:
            token.attrSet("data-label", heads[column] if column < len(heads) else "")
            column += 1


def _text(token: Token) -> str:
    """The plain text of an inline token."""
    return "".join(child.content for child in token.children or [])
