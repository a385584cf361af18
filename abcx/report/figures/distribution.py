"""The upper end of a distribution: the largest values of units by rank and arm, those that carry the result filled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from abcx.formatting import clean
from abcx.report.figures.svg import ARMS, COLORS, Draw, Drawing
from abcx.report.fragments import titled
from abcx.report.quantities import form_of
from abcx.results.metric import LargestValues, MetricResult
from abcx.results.readout import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def figures(results: Results) -> Iterator[Drawing]:
    """A figure for each judged sum per unit."""
    for number, metric in enumerate(results.metrics):
        if metric.largest is not None:
            label = f"{titled(metric)}: the largest values by rank and arm; filled: those that the check leaves out"
            yield Drawing(f"largest{number}", label, _drawing(metric, metric.largest), 3.0)


def _drawing(metric: MetricResult, largest: LargestValues) -> Draw:
    form = form_of(metric)

    def draw(axes: Axes, narrow: bool) -> None:
        for number, (arm, values) in enumerate(largest.values.items()):
            color = COLORS[ARMS[number % len(ARMS)]]
            ranks = range(1, len(values) + 1)
            axes.plot(
                ranks, values, "o-", color=color, markersize=4, linewidth=1, fillstyle="none", label=clean(arm)[:20]
            )
            marked = largest.influential.get(arm, 0)
            axes.plot(ranks[:marked], values[:marked], "o", color=color, markersize=5)
        axes.set_xlabel("rank within the arm")
        axes.yaxis.set_major_formatter(
            lambda x, _: form.value(x) if abs(x) < 10 else f"{form.before}{x:,.0f}{form.after}"
        )
        axes.locator_params(axis="y", nbins=5)
        axes.locator_params(axis="x", nbins=4 if narrow else 8, integer=True)
        axes.legend(loc="upper right")

    return draw
