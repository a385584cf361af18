"""The card as one block of plain text for a chat: under 3,000 characters, with a bar."""

from __future__ import annotations

import re

from abcx.report import card as cards
from abcx.report import forest
from abcx.report.card import Line
from abcx.results.readout import Results

MOST = 2900
BAR = 16
_APART = "\N{ZERO WIDTH SPACE}"


def render(results: Results) -> str:
    """Plain text: no markup of Slack, no mention, no link comes from a name."""
    card = cards.card(results)
    marks = {"SHIP": "✅", "DO NOT SHIP": "⛔", "KEEP RUNNING": "⏳", "INCONCLUSIVE": "❔", "INVALID": "⚠️"}
    head = [f"{marks[card.word]} {card.word} {card.arm}: {card.title}"]
    head += [cards.SIMULATED] if card.simulated else []
    head += [card.sentence, *card.others[:3]]
    tail = [f"Next: {' '.join(card.steps)}"]
    tail.append(" ".join([f"Trust: {card.trust}", *(concern.text for concern in card.concerns[:3])]))
    tail += [*card.worth, " · ".join(card.facts)]
    shown = cards.most_important(card, 12)
    drawn = forest.of_lines(results, [(line.metric, line.comparison) for line in shown], BAR)
    rows = [_row(line, row.bar) for line, row in zip(shown, drawn.rows, strict=True)]
    left = len(card.lines) - len(rows)
    while True:
        more = [f"and {left} more"] if left else []
        text = _safe("\n".join([*head, *rows, *more, *tail]))
        if len(text) <= MOST or not rows:
            return re.sub(r"&[a-z]*$", "", text[:MOST]).rstrip() + "\n"
        rows, left = rows[:-1], left + 1


def _row(line: Line, bar: str) -> str:
    return f"{bar or ' ' * BAR}  {line.label} {line.effect} ({line.interval}), {line.result}"


def _safe(text: str) -> str:
    """Text in which Slack sees no tag, no mention of a channel or a person, and no emphasis."""
    escaped = text.replace("`", "'").replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for sign in "@#*_~":
        escaped = escaped.replace(sign, sign + _APART)
    return re.sub(r"(?i)\bwww\.", lambda match: f"{match[0][:-1]}{_APART}.", escaped.replace("://", f":{_APART}//"))
