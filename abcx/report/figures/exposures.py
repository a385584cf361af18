"""Units that were exposed on each day, by arm, as the check of the split saw them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING, Any

from abcx.formatting import clean
from abcx.report.figures.svg import ARMS, COLORS, Draw, Drawing
from abcx.results.readout import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def figures(results: Results) -> Iterator[Drawing]:
    """One figure where units were exposed on several days."""
    split = next((check for check in results.checks if check.code == "srm"), None)
    days: list[Any] = split.details.get("days", {}).get("tested", []) if split is not None else []
    if len(days) > 1:
        label = f"{clean(results.setup.unit).capitalize()} exposed on each day, by arm"
        yield Drawing("exposures", label, _drawing([(day["name"], day["units"]) for day in days]), 2.8)


def _drawing(days: list[tuple[str, dict[str, int]]]) -> Draw:
    def draw(axes: Axes, narrow: bool) -> None:
        places = [date.fromisoformat(name).toordinal() for name, _ in days]
        for number, arm in enumerate(days[0][1]):
            color = COLORS[ARMS[number % len(ARMS)]]
            axes.plot(places, [units[arm] for _, units in days], color=color, linewidth=2, label=clean(arm)[:20])
        axes.set_ylim(bottom=0)
        axes.locator_params(axis="y", nbins=4)
        axes.locator_params(axis="x", nbins=3 if narrow else 7, integer=True)
        axes.xaxis.set_major_formatter(lambda x, _: date.fromordinal(round(x)).strftime("%m-%d") if x >= 1 else "")
        axes.yaxis.set_major_formatter(lambda x, _: f"{x:,g}")
        axes.legend(loc="lower left", ncols=2 if narrow else 4)

    return draw
