"""What a readout shows, as a reader sees it: headings, tables and words."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def tokens(text):
    for token in PARSER.parse(text):
        yield token
        yield from token.children or ()


def tables(text):
    """Rows of rendered cells of each table."""
    found: list[list[list[str]]] = []
    cell = False
    for token in PARSER.parse(text):
        if token.type == "table_open":
            found.append([])
        elif token.type == "tr_open":
            found[-1].append([])
        elif token.type in ("th_open", "td_open"):
            cell = True
        elif token.type == "inline" and cell:
            found[-1][-1].append("".join(child.content for child in token.children or ()).replace("\u200b", ""))
            cell = False
    return found


def headings(text):
    parsed = PARSER.parse(text)
    return [after.content for token, after in zip(parsed, parsed[1:], strict=False) if token.type == "heading_open"]


def shown(text):
    found = (token.content for token in tokens(text) if token.type in ("text", "text_special", "code_inline", "fence"))
    return "".join(found).replace("\u200b", "")


def words(text):
    """What is said, whatever the line breaks and the frame."""
    return re.sub(r"\s+", " ", re.sub("[│╭╮╰╯|]", " ", text))
