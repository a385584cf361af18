"""The card as a fragment of HTML, for notebooks: every text is escaped, nothing is loaded, no script."""

from __future__ import annotations

from abcx.formatting import clean
from abcx.report import card as cards
from abcx.report import forest
from abcx.report.page_templates import environment
from abcx.results.readout import Results

ROWS = 40
"""Comparisons that are shown; further ones are counted."""


def render(results: Results) -> str:
    """The card of a readout."""
    card = cards.card(results)
    lines = [(group.heading, line) for group in card.groups for line in group.lines]
    places = forest.placed([(line.metric, line.comparison) for _, line in lines[:ROWS]])
    several = len(results.arms) > 2
    return (
        environment()
        .get_template("card.html")
        .render(
            card=card,
            rows=[(heading, line, place) for (heading, line), place in zip(lines, places, strict=False)],
            more=len(lines) - len(places),
            control=clean(results.control.name),
            variant="variant" if several else clean(results.arms[1].name),
            simulated=cards.SIMULATED,
            invalid=cards.INVALID,
        )
    )
