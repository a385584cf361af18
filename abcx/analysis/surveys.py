"""Additional results of survey metrics: answers by group, their ordinal comparison, and bounds of the effect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from abcx.data.records import MetricData
from abcx.metrics import MetricSpec
from abcx.metrics.survey import SurveyOptions
from abcx.notes import Note
from abcx.results.metric import Survey, SurveyComparison
from abcx.spec.model import Experiment
from abcx.stats.records import Categories, Moments, Proportion, Summary

UNBOUNDED = Note("bounds_unknown_answers")
"""The note of a comparison of answers that are known by their mean and sd only."""


@dataclass(frozen=True, slots=True)
class ClaimLevels:
    """Two-sided nominal levels (of the lower end, of the upper end) at which a comparison and its margin are judged.

    A level of 0.0 leaves the end open.
    """

    effect: tuple[float, float]
    margin: tuple[float, float]


def survey(
    experiment: Experiment, metric: MetricSpec, data: MetricData, levels: Mapping[str, ClaimLevels]
) -> Survey | None:
    """Who was asked, who gave which answer, and the bounds of the effect on those who answer; None for other metrics.

    `levels` are those of each variant's claims.
    """
    if not isinstance(metric, SurveyOptions):
        return None
    summaries = data.summaries
    answers = {arm: summary for arm, summary in summaries.items() if isinstance(summary, Categories)}
    if len(answers) < len(experiment.arms):
        answers = {}
    compared = {arm: _bounded(experiment, metric, data, arm, bool(answers), levels[arm]) for arm in experiment.variants}
    if answers:
        alpha = experiment.analysis.alpha
        compared = {
            arm: _ordered(comparison, answers[experiment.control], answers[arm], alpha)
            for arm, comparison in compared.items()
        }
    return Survey(
        low=metric.scale[0],
        answers={arm: categories.counts for arm, categories in answers.items()},
        responses=data.responses,
        means={arm: _mean(summary) for arm, summary in summaries.items()},
        groups={arm: metric.groups(summary) if summary.n else {} for arm, summary in summaries.items()},
        comparisons=compared,
    )


def _mean(summary: Summary) -> float | None:
    """The mean answer, where the answers are known."""
    if isinstance(summary, Moments):
        return summary.mean if summary.n else None
    if not isinstance(summary, Categories) or not summary.n:
        return None
    return sum((summary.low + i) * count for i, count in enumerate(summary.counts)) / summary.n


def _graded(metric: SurveyOptions, summary: Summary, whole: bool) -> tuple[Categories, tuple[float, ...]] | None:
    """Answers with the score of each in the metric's own unit: by answer where `whole`, else by the groups that the
    metric distinguishes; None where only mean and sd are known.
    """
    return (summary, metric.scores(summary)) if whole and isinstance(summary, Categories) else metric.graded(summary)


def _ordered(comparison: SurveyComparison, control: Categories, variant: Categories, alpha: float) -> SurveyComparison:
    """The comparison with the probability that an answer of the variant is higher."""
    from abcx.stats import ordinal

    higher = ordinal.compare(control, variant, alpha)
    return replace(
        comparison,
        higher=higher.probability,
        higher_interval=higher.interval,
        higher_p_value=higher.p_value,
        note=higher.note or comparison.note,
    )


def _bounded(
    experiment: Experiment,
    metric: SurveyOptions,
    data: MetricData,
    arm: str,
    whole: bool,
    levels: ClaimLevels,
) -> SurveyComparison:
    """The comparison of response between the arms, and the bounds of the effect that follow."""
    from abcx.stats import lee_bounds, shares

    unknown = SurveyComparison(*(None,) * 8, binds=False)
    asked = data.responses.get(experiment.control), data.responses.get(arm)
    if asked[0] is None or asked[1] is None:
        return unknown
    answered = [Proportion(response.answered, response.exposed) for response in asked if response is not None]
    p_value = shares.contrast(*answered).p_value
    binds = p_value is not None and p_value < lee_bounds.BINDS
    control, variant = (_graded(metric, data.summaries[side], whole) for side in (experiment.control, arm))
    if control is None or variant is None:
        nothing = (None, None) if binds else None
        return replace(
            unknown,
            response_p_value=p_value,
            binds=binds,
            claim_interval=nothing,
            claim_lift_interval=nothing,
            claim_margin_interval=nothing,
            note=UNBOUNDED,
        )
    sides = lee_bounds.Surveyed(asked[0].exposed, control[0]), lee_bounds.Surveyed(asked[1].exposed, variant[0])
    bounds = lee_bounds.bounds(*sides, control[1], experiment.analysis.alpha)
    positive = metric.value_kind == "share"  # scores and points have no lift: their zero is arbitrary
    relative = metric.margin is not None and metric.margin.relative
    return replace(
        unknown,
        response_p_value=p_value,
        bounds=bounds.lee,
        bounds_interval=bounds.lee_interval,
        worst_case=bounds.manski,
        worst_case_interval=bounds.manski_interval,
        binds=binds,
        claim_interval=lee_bounds.claim(*sides, control[1], levels.effect, relative=False) if binds else None,
        claim_lift_interval=lee_bounds.claim(*sides, control[1], levels.effect, relative=True)
        if binds and positive
        else None,
        claim_margin_interval=lee_bounds.claim(*sides, control[1], levels.margin, relative=relative) if binds else None,
        note=bounds.note,
    )
