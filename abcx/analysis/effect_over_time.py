"""The effect over time: cumulative by day of exposure, and by day since exposure for the same units.

Each point is compared separately at the declared level, with an interval where there are enough events; it decides
nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate

from abcx.data.records import MetricData
from abcx.metrics import MetricSpec
from abcx.results.metric import EffectSeries, Point
from abcx.spec.model import Experiment
from abcx.stats.records import Summary

LONGEST = 31
"""Maximum number of points: with more days of exposure, this many equally spaced days are shown."""

Labeled = tuple[str, dict[str, Summary]]
"""(day, summaries by arm)."""


def courses(experiment: Experiment, metric: MetricSpec, data: MetricData) -> Iterator[EffectSeries]:
    """The cumulative series and the series since exposure of every variant, where the data have times."""
    for arm in experiment.variants:
        if len(data.cohorts) > 1:
            yield EffectSeries(arm, "cumulative", tuple(_points(experiment, metric, arm, _cumulated(data))))
        if data.days is not None:
            days = [(str(day + 1), dict(by_arm)) for day, by_arm in enumerate(data.days.summaries)]
            yield EffectSeries(arm, "since_exposure", tuple(_points(experiment, metric, arm, days)))


def _cumulated(data: MetricData) -> list[Labeled]:
    from abcx.stats.pooling import added

    def both(so_far: Labeled, new: Labeled) -> Labeled:
        return new[0], {arm: added(so_far[1][arm], summary) for arm, summary in new[1].items()}

    days = list(accumulate(((day, dict(by_arm)) for day, by_arm in sorted(data.cohorts.items())), both))
    if len(days) <= LONGEST:
        return days
    return [days[round((step + 1) * len(days) / LONGEST) - 1] for step in range(LONGEST)]


def _points(experiment: Experiment, metric: MetricSpec, arm: str, days: Iterable[Labeled]) -> Iterator[Point]:
    from abcx.stats.inversion import effect
    from abcx.stats.shares import BINOMIAL

    for day, by_arm in days:
        control, variant = by_arm[experiment.control], by_arm[arm]
        if min(control.n, variant.n) < 2:
            continue
        contrast, units = metric.contrast(control, variant), control.n + variant.n
        if contrast.method == BINOMIAL:  # too few events to draw a band from
            yield Point(day, units, contrast.difference, None, contrast.lift, None)
            continue
        estimate = effect(contrast, experiment.analysis.alpha)
        yield Point(
            day, units, estimate.difference, estimate.difference_interval, estimate.lift, estimate.lift_interval
        )
