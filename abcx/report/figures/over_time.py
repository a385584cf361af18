"""The effect over time: a line with its band, and the boundary of sequential monitoring."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import TYPE_CHECKING

from abcx.report.figures.svg import COLORS, Draw, Drawing
from abcx.report.fragments import level, titled
from abcx.results.metric import EffectSeries, MetricResult
from abcx.results.readout import Results
from abcx.stats.distributions import normal_quantile
from abcx.stats.records import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def figures(results: Results) -> Iterator[Drawing]:
    """A figure for each series of more than one day."""
    for number, metric in enumerate(results.metrics):
        for position, series in enumerate(one for one in metric.course if len(one.points) > 1):
            label = _label(results, metric, series)
            yield Drawing(f"time{number}-{position}", label, _drawing(results, metric, series))


def _label(results: Results, metric: MetricResult, series: EffectSeries) -> str:
    what = "with all units exposed up to the day" if series.kind == "cumulative" else "by day since exposure"
    banded = any(point.lift_interval or point.difference_interval for point in series.points)
    band = f", {level(results.setup.alpha)} band" if banded else ""
    bounded = "; dashed: the boundary of the last look" if banded and _boundary(results, series) else ""
    return f"Effect on {titled(metric)} with {series.arm}, {what}{band}{bounded}"


def _boundary(results: Results, series: EffectSeries) -> float | None:
    """The boundary of the last look in half widths of the band; None where there is none."""
    if not results.monitoring.boundaries or series.kind != "cumulative":
        return None
    return results.monitoring.boundaries[-1][1] / normal_quantile(1 - results.setup.alpha / 2)


def _drawing(results: Results, metric: MetricResult, series: EffectSeries) -> Draw:
    relative = all(point.lift is not None for point in series.points[-1:])
    scale = 100.0 if relative or metric.unit == "share" else 1.0
    rows: list[tuple[float, float, Interval]] = []
    for point in series.points:
        at = point.lift if relative else point.difference
        if at is not None:
            ends = (point.lift_interval if relative else point.difference_interval) or (None, None)
            rows.append((_x(series, point.day), at, ends))

    def draw(axes: Axes, narrow: bool) -> None:
        bounded = [(x, at, low, high) for x, at, (low, high) in rows if low is not None and high is not None]
        if bounded:
            days, estimates, lows, highs = zip(*bounded, strict=True)
            axes.fill_between(
                days, [scale * x for x in lows], [scale * x for x in highs], color=COLORS["blue-soft"], linewidth=0
            )
            half = [scale * (_boundary(results, series) or 0.0) * (high - low) / 2 for _, _, low, high in bounded]
            _limit(
                axes,
                [min(scale * x, -h) for x, h in zip(lows, half, strict=True)],
                [max(scale * x, h) for x, h in zip(highs, half, strict=True)],
            )
            for sign in (-1, 1) if any(half) else ():
                axes.plot(days, [sign * h for h in half], color=COLORS["bad"], linestyle="--", linewidth=1)
        axes.plot([x for x, _, _ in rows], [scale * at for _, at, _ in rows], color=COLORS["blue"], linewidth=2)
        axes.axhline(0, color=COLORS["soft"], linewidth=1)
        unit = "%" if relative else " pp" if metric.unit == "share" else ""
        axes.yaxis.set_major_formatter(lambda x, _: f"{x:+,g}{unit}" if x else "0")
        axes.locator_params(axis="y", nbins=5)
        axes.locator_params(axis="x", nbins=3 if narrow else 7, integer=True)
        if series.kind == "cumulative":
            axes.xaxis.set_major_formatter(lambda x, _: date.fromordinal(round(x)).strftime("%m-%d") if x >= 1 else "")
        else:
            axes.set_xlabel("day since exposure")

    return draw


def _x(series: EffectSeries, day: str) -> float:
    return float(date.fromisoformat(day).toordinal() if series.kind == "cumulative" else int(day))


def _limit(axes: Axes, lows: list[float], highs: list[float]) -> None:
    """The axis belongs to the later half: the first days are wide."""
    half = len(lows) // 3
    low, high = min([*lows[half:], 0.0]), max([*highs[half:], 0.0])
    span = (high - low) or 1.0
    axes.set_ylim(low - 0.15 * span, high + 0.15 * span)
