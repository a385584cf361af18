"""The steps of a funnel by arm: who reaches them, who is lost before them, and where the arms differ most."""

from __future__ import annotations

from collections.abc import Mapping

from abcx.data.records import MetricData
from abcx.metrics import MetricSpec
from abcx.results.metric import FunnelResult, StepComparison, StepResult
from abcx.spec.model import Experiment
from abcx.stats.records import Proportion, Steps


def funnel(experiment: Experiment, metric: MetricSpec, data: MetricData) -> FunnelResult | None:
    """The steps of a metric that has some; None of other metrics."""
    from abcx.stats import shares

    arms = {arm: summary for arm, summary in data.summaries.items() if isinstance(summary, Steps)}
    if not arms or len(arms) < len(experiment.arms):
        return None
    alpha, names = experiment.analysis.alpha, metric.step_names
    compared = {arm: _compared(arms[experiment.control], arms[arm], alpha) for arm in experiment.variants}
    steps = []
    for number, name in enumerate(names):
        here = {arm: Proportion(steps_.reached[number], steps_.n) for arm, steps_ in arms.items()}
        lost = {arm: _lost(steps_, number) for arm, steps_ in arms.items()}
        steps.append(
            StepResult(
                name=name,
                reached={arm: share.successes for arm, share in here.items()},
                share={arm: shares.value(share) for arm, share in here.items()},
                share_interval={arm: shares.interval(share, alpha) if share.n else None for arm, share in here.items()},
                lost={arm: shares.value(share) for arm, share in lost.items()},
                lost_interval={arm: shares.interval(share, alpha) if share.n else None for arm, share in lost.items()},
                comparisons={arm: found[number] for arm, found in compared.items()},
            )
        )
    return FunnelResult(tuple(steps), {arm: names[_largest(found)] for arm, found in compared.items()})


def _lost(steps: Steps, number: int) -> Proportion:
    """Those that are lost at a step, of those that reached the step before it (of all at the first)."""
    before = steps.reached[number - 1] if number else steps.n
    return Proportion(before - steps.reached[number], before)


def _compared(control: Steps, variant: Steps, alpha: float) -> list[StepComparison]:
    """Step by step the share of all exposed units that is lost there, variant less control.

    Every unit is lost at one step or at none, so that the differences add up to that of the last step, and the
    denominators are the randomized units. p is corrected by Holm over the steps; the intervals are at alpha over the
    number of steps, so that all hold together with 1 - alpha (Bonferroni).
    """
    from abcx.stats import inversion, multiplicity, shares

    contrasts = [
        shares.contrast(*(Proportion(_lost(arm, number).successes, arm.n) for arm in (control, variant)))
        for number in range(len(control.reached))
    ]
    corrected = multiplicity.CORRECTIONS["holm"]([found.p_value for found in contrasts], alpha)
    effects = [inversion.effect(found, alpha / len(contrasts)) for found in contrasts]
    return [
        StepComparison(effect.difference, effect.difference_interval, level.p_value)
        for effect, level in zip(effects, corrected, strict=True)
    ]


def _largest(found: list[StepComparison]) -> int:
    """The step at which the arms differ most; the first of several."""
    sizes: Mapping[int, float] = {number: abs(one.difference or 0.0) for number, one in enumerate(found)}
    return max(sizes, key=lambda number: sizes[number])
