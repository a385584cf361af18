"""Additional results of times to an event: medians, open tickets, service level and survival curves."""

from __future__ import annotations

from abcx.data.records import MetricData
from abcx.metrics import MetricSpec
from abcx.results.metric import LifetimesResult
from abcx.spec.model import Experiment
from abcx.stats.records import Lifetimes

CURVE = 60
"""Number of equally spaced times, up to the horizon, at which a curve is evaluated."""


def lifetimes(experiment: Experiment, metric: MetricSpec, data: MetricData) -> LifetimesResult | None:
    """Median, service level, open tickets, survival curve and log-rank test of times to an event; None for other
    metrics.
    """
    if metric.watch is None:
        return None
    from abcx.stats import log_rank, survival

    summaries = {arm: summary for arm, summary in data.summaries.items() if isinstance(summary, Lifetimes)}
    if len(summaries) < len(experiment.arms):
        return None
    horizon, level = metric.watch.horizon, metric.watch.service_level
    control = summaries[experiment.control]
    return LifetimesResult(
        horizon=horizon.text,
        lifetimes={arm: len(summary.durations) for arm, summary in summaries.items()},
        open={arm: int((~summary.observed).sum()) for arm, summary in summaries.items()},
        medians={arm: survival.median(summary) for arm, summary in summaries.items()},
        service_level=level.text if level else None,
        within={arm: _within(summary, level.seconds / 3600) if level else None for arm, summary in summaries.items()},
        curve={arm: _curve(summary, horizon.seconds / 3600) for arm, summary in summaries.items()},
        log_rank={arm: log_rank.p_value(control, summaries[arm]) for arm in experiment.variants},
    )


def _within(summary: Lifetimes, hours: float) -> float | None:
    from abcx.stats import survival

    ended = survival.ended(summary, hours)
    return None if ended is None else ended.share


def _curve(summary: Lifetimes, horizon: float) -> tuple[tuple[float, float, int], ...]:
    """(hours, share not ended, lifetimes still at risk) from 0 to the horizon, as far as the curve is known."""
    import numpy as np

    from abcx.stats import survival

    if not summary.durations.size:
        return ()
    curve, last = survival.curve(summary), min(horizon, survival.largest_horizon(summary))
    lasting = np.sort(summary.durations)
    times = [horizon * step / CURVE for step in range(CURVE + 1)]
    return tuple((at, curve.at(at), int(lasting.size - np.searchsorted(lasting, at))) for at in times if at <= last)
