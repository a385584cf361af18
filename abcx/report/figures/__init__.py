"""Figures of a readout, drawn by matplotlib, which is imported when the first is drawn. Each has a table behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from abcx.report.figures import answers, distribution, effects, exposures, over_time, segments, survival
from abcx.report.figures.svg import Drawing
from abcx.results.readout import Results

_OF_SECTIONS: dict[str, Callable[[Results], Iterator[Drawing]]] = {
    "Effect over time": over_time.figures,
    "By segment": segments.figures,
    "Answers": answers.figures,
    "Times": survival.figures,
    "Largest values": distribution.figures,
    "All trust checks": exposures.figures,
}


def of_section(results: Results, title: str) -> Iterator[Drawing]:
    """The figures of a folded section; none for most."""
    draw = _OF_SECTIONS.get(title)
    return draw(results) if draw is not None else iter(())


def all_of(results: Results) -> Iterator[Drawing]:
    """Every figure of a readout, that of all metrics first."""
    yield from effects.figures(results)
    for draw in _OF_SECTIONS.values():
        yield from draw(results)
