"""What stands beside a metric of answers or of times to an event, computed from the same summaries."""

from __future__ import annotations

from dataclasses import replace

from abcx.data.records import MetricData
from abcx.measured import Comparison, LifetimesResult, Survey, SurveyComparison
from abcx.metrics import MetricSpec
from abcx.metrics.ces import Ces
from abcx.metrics.churn import Churn
from abcx.metrics.csat import Csat
from abcx.metrics.nps import Nps
from abcx.metrics.resolution_time import ResolutionTime
from abcx.spec.model import Experiment
from abcx.stats.records import Categories, Lifetimes

HELD_BACK = "Response differs by arm and no effect is not excluded for those who answer: not judged."
CURVE = 60
"""Times at which a curve is told, equally spaced up to the horizon."""
UNEQUAL = 0.05, 0.02
"""Response differs at p below the first, or where one arm answers by more than the second (relative) more often."""


def survey(experiment: Experiment, metric: MetricSpec, data: MetricData) -> Survey | None:
    """Who was asked, who gave which answer, and how far the effect can be trusted; None for other metrics."""
    if not isinstance(metric, (Nps, Csat, Ces)):
        return None
    found = {arm: summary for arm, summary in data.summaries.items() if isinstance(summary, Categories)}
    if len(found) < len(experiment.arms):
        return None
    return Survey(
        low=metric.scale[0],
        answers={arm: one.counts for arm, one in found.items()},
        responses=data.responses,
        means={arm: _mean(one) for arm, one in found.items()},
        groups={arm: _groups(metric, one) for arm, one in found.items()},
        comparisons={
            arm: _compared(experiment, metric, data, found[experiment.control], found[arm], arm)
            for arm in experiment.variants
        },
    )


def held_back(comparison: Comparison, survey: Survey | None) -> Comparison:
    """The comparison; where response differs and the bounds contain no effect it shows nothing, good or bad."""
    found = survey.comparisons.get(comparison.arm) if survey else None
    if found is None or not found.bias or comparison.status == "descriptive":
        return comparison
    guardrail = comparison.status in ("safe", "harmed", "unresolved")
    return replace(
        comparison,
        status="unresolved" if guardrail else "inconclusive",
        note=f"{comparison.note} {HELD_BACK}" if comparison.note else HELD_BACK,
    )


def _mean(found: Categories) -> float | None:
    if not found.n:
        return None
    return sum((found.low + i) * count for i, count in enumerate(found.counts)) / found.n


def _groups(metric: Nps | Csat | Ces, found: Categories) -> dict[str, float]:
    """Shares of the answers that the metric tells apart."""
    if not found.n or isinstance(metric, Ces):
        return {}
    if isinstance(metric, Csat):
        return {"top": metric.boxes(found).successes / found.n}
    from abcx.stats import nps

    answers = nps.grouped(found)
    counts = {"promoters": answers.promoters, "passives": answers.passives, "detractors": answers.detractors}
    return {name: count / found.n for name, count in counts.items()}


def scores(metric: Nps | Csat | Ces, found: Categories) -> tuple[float, ...]:
    """What each answer counts in the metric's own unit, in the order of the scale."""
    answers = range(found.low, found.low + len(found.counts))
    if isinstance(metric, Ces):
        return tuple(map(float, answers))
    if isinstance(metric, Csat):
        return tuple(1.0 if answer > metric.scale[1] - metric.top else 0.0 for answer in answers)
    return tuple(100.0 if answer >= 9 else -100.0 if answer <= 6 else 0.0 for answer in answers)


def _compared(
    experiment: Experiment,
    metric: Nps | Csat | Ces,
    data: MetricData,
    control: Categories,
    variant: Categories,
    arm: str,
) -> SurveyComparison:
    from abcx.stats import bounds, ordinal

    alpha = experiment.analysis.alpha
    higher = ordinal.compare(control, variant, alpha)
    asked = data.responses.get(experiment.control), data.responses.get(arm)
    if asked[0] is None or asked[1] is None:
        unknown = SurveyComparison(*(None,) * 8, unequal=False, bias=False, note=higher.note)
        return replace(
            unknown,
            higher=higher.probability,
            higher_interval=higher.interval,
            higher_p_value=higher.p_value,
        )
    sides = bounds.Surveyed(asked[0].exposed, control), bounds.Surveyed(asked[1].exposed, variant)
    found = bounds.bounds(*sides, scores(metric, control), alpha)
    one, other = found.response_control or 0.0, found.response_variant or 0.0
    apart = abs(other / one - 1) > UNEQUAL[1] if one else bool(other)
    unequal = apart or (found.response_p_value is not None and found.response_p_value < UNEQUAL[0])
    return SurveyComparison(
        higher=higher.probability,
        higher_interval=higher.interval,
        higher_p_value=higher.p_value,
        response_p_value=found.response_p_value,
        bounds=found.lee,
        bounds_interval=found.lee_interval,
        worst_case=found.manski,
        worst_case_interval=found.manski_interval,
        unequal=unequal,
        bias=unequal and found.contains_no_effect,
        note=higher.note or found.note,
    )


def lifetimes(experiment: Experiment, metric: MetricSpec, data: MetricData) -> LifetimesResult | None:
    """Median, service level, open tickets and the curve of times to an event; None for other metrics."""
    if not isinstance(metric, (Churn, ResolutionTime)):
        return None
    from abcx.stats import log_rank, survival

    found = {arm: one for arm, one in data.summaries.items() if isinstance(one, Lifetimes)}
    if len(found) < len(experiment.arms):
        return None
    level = metric.service_level if isinstance(metric, ResolutionTime) else None
    control = found[experiment.control]
    return LifetimesResult(
        horizon=metric.horizon.text,
        lifetimes={arm: len(one.durations) for arm, one in found.items()},
        open={arm: int((~one.observed).sum()) for arm, one in found.items()},
        medians={arm: survival.median(one) for arm, one in found.items()},
        service_level=level.text if level else None,
        within={arm: _within(one, level.seconds / 3600) if level else None for arm, one in found.items()},
        curve={arm: _curve(one, metric.hours) for arm, one in found.items()},
        log_rank={arm: log_rank.p_value(control, found[arm]) for arm in experiment.variants},
    )


def _within(found: Lifetimes, hours: float) -> float | None:
    from abcx.stats import survival

    ended = survival.ended(found, hours)
    return None if ended is None else ended.share


def _curve(found: Lifetimes, horizon: float) -> tuple[tuple[float, float, int], ...]:
    """(hours, share left, lifetimes still watched) from 0 to the horizon, as far as it is known."""
    import numpy as np

    from abcx.stats import survival

    if not found.durations.size:
        return ()
    curve, last = survival.curve(found), min(horizon, survival.largest_horizon(found))
    lasting = np.sort(found.durations)
    times = [horizon * step / CURVE for step in range(CURVE + 1)]
    return tuple((at, curve.at(at), int(lasting.size - np.searchsorted(lasting, at))) for at in times if at <= last)
