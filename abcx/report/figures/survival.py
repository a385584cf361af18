"""Times to an event: the share that is left over time by arm, with the numbers at risk."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from abcx.formatting import clean
from abcx.report.figures.svg import ARMS, COLORS, Draw, Drawing
from abcx.report.fragments import titled
from abcx.results.metric import LifetimesResult
from abcx.results.readout import Results

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def figures(results: Results) -> Iterator[Drawing]:
    """A figure for each metric of times."""
    for number, metric in enumerate(results.metrics):
        lifetimes = metric.lifetimes
        if lifetimes is not None and all(lifetimes.curve.values()):
            label = f"{titled(metric)}: share not ended yet over time, by arm, with the numbers still watched"
            yield Drawing(f"survival{number}", label, _drawing(lifetimes), 3.0 + 0.25 * len(lifetimes.curve))


def _drawing(lifetimes: LifetimesResult) -> Draw:
    longest = max(curve[-1][0] for curve in lifetimes.curve.values())
    unit, scale = ("days", 24.0) if longest > 7 * 24 else ("hours", 1.0)

    def draw(axes: Axes, narrow: bool) -> None:
        last = longest / scale
        ticks = [last * k / (3 if narrow else 5) for k in range(4 if narrow else 6)]
        for number, (arm, curve) in enumerate(lifetimes.curve.items()):
            color = COLORS[ARMS[number % len(ARMS)]]
            hours = [0.0, *(at / scale for at, _, _ in curve)]
            shares = [100.0, *(100 * left for _, left, _ in curve)]
            axes.step(hours, shares, where="post", color=color, linewidth=2, label=clean(arm)[:20])
        axes.set_xticks(ticks, ["\n".join([f"{tick:.0f}", *_at_risk(lifetimes, scale * tick)]) for tick in ticks])
        axes.set_xlabel(f"{unit}, and how many are still watched then, by arm")
        axes.legend(loc="lower left")
        axes.set_ylim(0, 105)
        axes.yaxis.set_major_formatter(lambda x, _: f"{x:g}%")
        axes.locator_params(axis="y", nbins=5)

    return draw


def _at_risk(lifetimes: LifetimesResult, hours: float) -> list[str]:
    """How many are still watched at a time, by arm."""
    curves = lifetimes.curve.values()
    return [f"{next((n for at, _, n in curve if at >= hours - 1e-9), curve[-1][2]):,}" for curve in curves]
