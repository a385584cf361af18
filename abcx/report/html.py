"""The readout as one self-contained page: no network, no script needed to read it, light and dark, phone and paper."""

from __future__ import annotations

from itertools import islice

from abcx.formatting import clean
from abcx.report import card as cards
from abcx.report import folded, forest, fragments
from abcx.report.page_templates import environment
from abcx.results.readout import Results


def render(results: Results) -> str:
    """The page of a readout: the card, the table of all metrics with bars, what it is worth, then everything else
    folded. Texts are escaped by the templates."""
    card = cards.card(results)
    pairs = [(line.metric, line.comparison) for line in card.lines]
    places = forest.placed(pairs)
    rest = iter(places)
    page = environment().get_template("page.html")
    return page.render(
        card=card,
        groups=[(group, list(islice(rest, len(group.lines)))) for group in card.groups],
        scale=forest.scale(pairs),
        shaded=any(place is not None and place.band for place in places),
        margins=any(place is not None and place.mark is not None for place in places),
        notes=[*forest.notes(pairs), card.levels],
        simulated="Simulated data, not what customers did",
        invalid=cards.INVALID,
        sections=folded.sections(results),
        version=clean(results.abcx_version),
        command=fragments.again(results) or "",
    )
