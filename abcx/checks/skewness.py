"""**Skewness**: are there enough units for the interval of a skewed metric?

Looks at: the skewness of every mean and ratio in each arm (of the numerator, for a ratio) against the number of units.
Warns where an arm has fewer than 355 x skewness^2 units (Kohavi, Deng, Longbotham, Xu 2014).

Why it matters: intervals of means and ratios are Welch's, which trusts that averages of many units follow a bell curve.
Where a few units hold most of the value it takes very many units until that is so. Below the limit a 95 % interval may
cover less than 95 %, mostly because it misses on one side. An interval that does not need the bell curve (by
permutation) is not built yet, so abcx can only say so.

What to do now: read such an interval as a rough guide. Cap the metric (`cap: 99.9%`), decided before you look, which
lowers the skewness at once, or judge by a conversion, which has no whales.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from abcx import wording
from abcx.checks.context import CheckContext
from abcx.results import CheckResult
from abcx.stats.records import Moments, RatioMoments, Summary

UNITS = 355
"""Units that are enough for a skewness of 1."""


@dataclass(frozen=True)
class _Shape:
    """One metric in one arm."""

    metric: str
    arm: str
    units: int
    skewness: float

    @property
    def enough(self) -> int:
        """Units from which the bell curve can be trusted."""
        return math.ceil(min(UNITS * self.skewness**2, 1e300))


def check(context: CheckContext) -> CheckResult:
    """Kohavi's rule for every mean and ratio."""
    numbers = [name for name, metric in context.experiment.metrics.items() if metric.unit != "share"]
    if not numbers:
        message = "no metric is a mean or a ratio"
        return CheckResult("skewness", "skipped", message, help="needs a mean or ratio metric")
    shapes = [
        _Shape(name, arm, units, skewness)
        for name in numbers
        for arm, summary in context.data(name).summaries.items()
        for units, skewness in [_moments(summary)]
        if skewness is not None
    ]
    if not shapes:
        counts = context.observed.kind == "counts"
        message = "counts do not tell the skewness" if counts else "no unit differs from the others of its arm"
        help = "needs one row per unit, not counts" if counts else "needs values that differ between units"
        return CheckResult("skewness", "skipped", message, help=help)
    details = {"metrics": {name: {s.arm: _plain(context, s) for s in shapes if s.metric == name} for name in numbers}}
    ranked = sorted(shapes, key=lambda shape: shape.enough / shape.units, reverse=True)
    worst: dict[str, _Shape] = {}
    for shape in ranked:
        if shape.units < shape.enough:
            worst.setdefault(shape.metric, shape)
    if not worst:
        most = ranked[0]
        message = (
            f"enough units for Welch's intervals: {most.metric} has {wording.count(most.units)} in {most.arm}, "
            f"{wording.count(most.enough)} are needed at a skewness of {wording.significant(most.skewness, 3)}"
        )
        return CheckResult("skewness", "pass", message, None, details)
    promise = f"{wording.significant(100 * (1 - context.experiment.analysis.alpha))}%"
    first, *others = worst.values()
    also = f" (likewise {wording.joined([shape.metric for shape in others])})" if others else ""
    message = f"{_clause(first)}{also}: Welch's interval may not hold its {promise}"
    help = "read the interval as a rough guide; cap the metric (`cap: 99.9%`) or judge by the share that converts"
    return CheckResult("skewness", "warn", message, None, details, help)


def _moments(summary: Summary) -> tuple[int, float | None]:
    """Units and skewness of the values, or of the numerator; no skewness where it is unknown or there are no units."""
    moments = summary.numerator if isinstance(summary, RatioMoments) else summary
    if not isinstance(moments, Moments) or moments.n == 0:
        return 0, None
    known = moments.skewness is not None and math.isfinite(moments.skewness)
    return moments.n, moments.skewness if known else None


def _plain(context: CheckContext, shape: _Shape) -> dict[str, Any]:
    compared = context.metrics[shape.metric].comparisons if shape.metric in context.metrics else ()
    methods = sorted({comparison.method for comparison in compared})
    return {"units": shape.units, "skewness": shape.skewness, "enough": shape.enough, "methods": methods}


def _clause(shape: _Shape) -> str:
    return (
        f"{shape.metric} has a skewness of {wording.significant(shape.skewness, 3)} in {shape.arm}, "
        f"where {wording.count(shape.units)} units are in and {wording.significant(shape.enough, 3)} would be enough"
    )
