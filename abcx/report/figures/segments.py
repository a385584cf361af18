"""The effect by segment: an interval for each value, good on the right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from abcx.formatting import clean
from abcx.report.figures.svg import COLORS, Draw, Drawing
from abcx.report.forest import Track, track
from abcx.report.fragments import has_lift, titled
from abcx.results.metric import MetricResult
from abcx.results.readout import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST = 30
"""Values in a figure; the table has all."""


def figures(results: Results) -> Iterator[Drawing]:
    """A figure for each primary metric that has segments, and for each variant."""
    for number, metric in enumerate(results.metrics):
        for position, comparison in enumerate(metric.comparisons if metric.role == "primary" else ()):
            rows = _rows(metric, comparison.arm)
            if rows:
                label = f"Effect on {titled(metric)} with {clean(comparison.arm)} by segment; right is good"
                yield Drawing(f"segment{number}-{position}", label, _drawing(metric, rows), 0.9 + 0.3 * len(rows))


def _rows(metric: MetricResult, arm: str) -> list[tuple[str, Track]]:
    found = [
        (f"{clean(segment.name)}: {clean(value.value) or '(none)'}"[:40], comparison)
        for segment in metric.segments
        for value in segment.values
        for comparison in value.comparisons
        if comparison.arm == arm
    ][:MOST]
    relative = all(has_lift(comparison) for _, comparison in found)
    drawn = [(name, track(metric, comparison, relative)) for name, comparison in found]
    return [(name, one) for name, one in drawn if one is not None and one.estimate is not None]


def _drawing(metric: MetricResult, rows: list[tuple[str, Track]]) -> Draw:
    scale = 100.0 if rows[0][1].relative or metric.unit == "share" else 1.0
    unit = "%" if rows[0][1].relative else " pp" if metric.unit == "share" else ""
    sign = -1.0 if rows[0][1].mirrored else 1.0

    def draw(axes: Axes, narrow: bool) -> None:
        places = range(len(rows), 0, -1)
        for place, (_, one) in zip(places, rows, strict=True):
            ends = [x for x in (one.low, one.high) if x is not None]
            if len(ends) == 2:
                axes.plot([scale * ends[0], scale * ends[1]], [place, place], color=COLORS["blue"], linewidth=2)
            axes.plot([scale * (one.estimate or 0.0)], [place], "o", color=COLORS["blue"], markersize=5)
        axes.axvline(0, color=COLORS["soft"], linewidth=1)
        axes.set_yticks(list(places), [name if not narrow else name[:22] for name, _ in rows])
        axes.set_ylim(0.4, len(rows) + 0.6)
        axes.tick_params(axis="y", length=0)
        axes.locator_params(axis="x", nbins=3 if narrow else 7)
        axes.xaxis.set_major_formatter(lambda x, _: f"{sign * x:+,g}{unit}" if x else "0")

    return draw
