"""The index of a folder of readouts: a page with a row for each experiment, searched and filtered by a few lines of
script that it does without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from abcx.formatting import clean
from abcx.report import card as cards
from abcx.report import forest, fragments
from abcx.report.card import Card, Line
from abcx.report.forest import Place
from abcx.report.page_templates import environment
from abcx.results.readout import Results, Verdict

_ORDER = ("SHIP", "KEEP RUNNING", "INCONCLUSIVE", "DO NOT SHIP", "INVALID")


@dataclass(frozen=True, slots=True)
class Entry:
    """One variant of an experiment in the index: its card, its first primary comparison, and where its page is."""

    name: str
    card: Card
    line: Line | None
    place: Place | None


def render(found: Sequence[Results], failed: Sequence[tuple[str, str]]) -> str:
    """The index page; `failed` are specs that could not be analyzed, with the reason."""
    entries = [_entry(results, verdict) for results in found for verdict in fragments.headline_first(results)]
    words = [word for word in _ORDER if any(entry.card.word == word for entry in entries)]
    counts = {word: sum(entry.card.word == word for entry in entries) for word in words}
    page = environment().get_template("index.html")
    return page.render(entries=entries, failed=failed, counts=counts)


def _entry(results: Results, verdict: Verdict) -> Entry:
    card = cards.card(replace(results, verdict=verdict))
    line = next((line for line in card.lines if line.comparison.arm == verdict.arm), None)
    place = forest.placed([(line.metric, line.comparison)])[0] if line is not None else None
    return Entry(clean(results.experiment), card, line, place)
