"""The card as a fragment of HTML, for notebooks: every text is escaped, nothing is loaded, no script."""

from __future__ import annotations

from abcx.report import card as cards
from abcx.report import forest
from abcx.report.page_templates import environment
from abcx.results.readout import Results

ROWS = 40
"""Comparisons that are shown; further ones are counted."""


def render(results: Results) -> str:
    """The card of a readout."""
    card = cards.card(results)
    lines = cards.most_important(card, ROWS)
    headings = {id(line): group.heading for group in card.groups for line in group.lines}
    places = forest.placed([(line.metric, line.comparison) for line in lines])
    template = environment().get_template("card.html")
    return template.render(
        card=card,
        rows=[(headings[id(line)], line, place) for line, place in zip(lines, places, strict=True)],
        more=len(card.lines) - len(lines),
        simulated=cards.SIMULATED,
        invalid=cards.INVALID,
    )
