"""All judged metrics in one drawing, by role: intervals with their estimate, good on the right, and the picture of a
card for a slide or a chat."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from abcx.report import card as cards
from abcx.report import forest
from abcx.report.card import Card
from abcx.report.figures.svg import COLORS, Drawing, drawn
from abcx.results.readout import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 40
"""Comparisons in a drawing."""
IN_PICTURE = 6
"""Comparisons in the picture of a card."""
_TONES = {"good": "good", "bad": "bad", "open": "orange", "quiet": "soft"}


def figures(results: Results) -> Iterator[Drawing]:
    """The drawing of a readout that states effects."""
    card = cards.card(results)
    lines = len(card.lines)
    if lines:
        label = "All metrics: effect with its interval; right is good"
        height = 0.8 + 0.32 * (min(lines, MOST) + len(card.groups))
        yield Drawing("effects", label, lambda axes, narrow: draw(card, axes, narrow), height)


def plot(results: Results, axes: Any = None) -> Any:
    """The drawing in axes of the caller, or in new ones."""
    if axes is None:
        from matplotlib import pyplot

        _, axes = pyplot.subplots(layout="constrained")
    draw(cards.card(results), axes, False)
    return axes


def draw(card: Card, axes: Axes, narrow: bool, most: int = MOST) -> None:
    """Draw the comparisons of a card from top to bottom."""
    lines = [(group.heading, line) for group in card.groups for line in group.lines][:most]
    pairs = [(line.metric, line.comparison) for _, line in lines]
    places, labels, y, heading = [], [], 0.0, ""
    for (role, line), place in zip(lines, forest.placed(pairs), strict=True):
        if role != heading:
            axes.text(0, y, role.upper(), color=COLORS["soft"], fontsize=9, va="center")
            y, heading = y - 1, role
        if place is not None:
            color = COLORS[_TONES[line.tone]]
            if place.band is not None:
                axes.barh(y, place.band[1] - place.band[0], left=place.band[0], height=0.8, color=COLORS["band"])
            axes.plot([place.low, place.high], [y, y], color=color, linewidth=2)
            for end, is_open, mark in ((place.low, place.open_low, "<"), (place.high, place.open_high, ">")):
                axes.plot([end], [y], mark if is_open else "|", color=color, markersize=8)
            if place.estimate is not None:
                axes.plot([place.estimate], [y], "o", color=color, markersize=6)
            if place.mark is not None and 0 <= place.mark <= 1:
                axes.plot([place.mark] * 2, [y - 0.4, y + 0.4], color=COLORS["bad"], linestyle=":", linewidth=2)
            axes.plot([place.zero] * 2, [y - 0.5, y + 0.5], color=COLORS["soft"], linewidth=1)
        text = line.effect if narrow else f"{line.effect} ({line.interval})"
        axes.text(1.03, y, text, color=COLORS["ink"], va="center")
        places.append(y)
        labels.append(line.label if not narrow else line.label[:18])
        y -= 1
    axes.set_yticks(places, labels)
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(y + 0.3, 0.7)
    axes.tick_params(axis="y", length=0)
    marks = forest.scale(pairs)
    axes.set_xticks([at for at, _ in marks], [label for _, label in marks])
    less = list(dict.fromkeys(line.label for _, line in lines if line.metric.goal == "decrease"))
    note = f"right is good; less is better: {', '.join(less)}" if less else "right is good"
    axes.set_xlabel(note if len(note) <= 70 else "right is good, also where less is better", fontsize=9)
    for side in ("left", "top", "right"):
        axes.spines[side].set_visible(False)


def picture(results: Results) -> bytes:
    """The card as a picture (PNG, 1216 x 684 pixels) for a slide or a chat."""
    card = cards.card(results)

    def whole(axes: Axes, narrow: bool) -> None:
        figure = axes.figure
        figure.set_facecolor("#ffffff")
        axes.remove()
        lead = textwrap.wrap(card.sentence, 74)[:3]
        steps = textwrap.wrap(textwrap.shorten(f"Next: {' '.join(card.steps)}", 190, placeholder=" ..."), 98)
        care = [concern.text for concern in card.concerns[:1]]
        trust = textwrap.wrap(" ".join([f"Trust: {card.trust}", *care]), 98)[:3]
        others = [textwrap.shorten(other, 98, placeholder=" ...") for other in card.others[:2]]
        head = f"{card.word} · {card.arm}" + (f"   ({cards.SIMULATED})" if card.simulated else "")
        facts = textwrap.wrap(" · ".join(card.facts), 98)[:2]
        texts = [(head, 15.0, _TONES[card.tone], "bold"), (card.title[:80], 13.0, "ink", "bold")]
        texts += [(line, 12.0, "ink", "normal") for line in lead]
        texts += [(line, 9.5, "soft", "normal") for line in [*others, *steps, *trust, *facts]]
        y = 0.95
        for text, size, color, weight in texts:
            figure.text(0.04, y, text, fontsize=size, color=COLORS[color], fontweight=weight, va="top")
            y -= size / 72 / 4.275 * 1.55
        if card.groups:
            below = figure.add_axes((0.30, 0.07, 0.36, max(y - 0.09, 0.1)))
            draw(card, below, False, IN_PICTURE)

    return drawn(whole, (7.6, 4.275), False, "png")
