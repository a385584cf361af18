"""The readout as one self-contained page: no network, no script needed to read it, light and dark, phone and paper."""

from __future__ import annotations

from abcx import formatting
from abcx.formatting import clean
from abcx.report import card as cards
from abcx.report import folded, forest, fragments
from abcx.report.forest import Place
from abcx.report.page_templates import environment
from abcx.results.readout import Results

TONES = {"good": "▲", "bad": "▼", "open": "", "quiet": ""}
"""Signs beside the words of results, so that color says nothing alone."""


def render(results: Results) -> str:
    """The page of a readout: the card, the table of all metrics with bars, what it is worth, then everything else
    folded. Texts are escaped by the templates."""
    card = cards.card(results)
    lines = [line for group in card.groups for line in group.lines]
    pairs = [(line.metric, line.comparison) for line in lines]
    places = forest.placed(pairs)
    several = len(results.arms) > 2
    groups: list[tuple[cards.Group, list[Place | None]]] = []
    for group in card.groups:
        done = sum(len(earlier.lines) for earlier, _ in groups)
        groups.append((group, places[done : done + len(group.lines)]))
    return (
        environment()
        .get_template("page.html")
        .render(
            card=card,
            groups=groups,
            signs=TONES,
            scale=forest.scale(pairs),
            legend=[text for text in forest.of_lines(results, pairs, 10).legend if "▌" not in text and "░" not in text],
            shaded=any(place is not None and place.band for place in places),
            margins=any(place is not None and place.mark is not None for place in places),
            control=clean(results.control.name),
            variant="variant" if several else clean(results.arms[1].name),
            simulated="Simulated data, not what customers did",
            invalid=cards.INVALID,
            sections=folded.sections(results),
            version=clean(results.abcx_version),
            command=fragments.again(results) or "",
            description=formatting.clean(card.sentence),
        )
    )
