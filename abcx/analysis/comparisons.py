"""The comparisons of every metric: values per arm and effects per variant, at the level that correction leaves."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from abcx.analysis import claims, funnels, lifetimes, surveys
from abcx.analysis.comparing import Key, chosen, saved
from abcx.analysis.effect_over_time import courses
from abcx.analysis.monitoring import HARM_SHARE
from abcx.analysis.segments import segments
from abcx.analysis.surveys import ClaimLevels
from abcx.checks.one_sided import unexplained_zeros
from abcx.currencies import SIGNS, is_money
from abcx.data.records import MetricData, Observed
from abcx.formatting import title_of
from abcx.metrics import MetricSpec
from abcx.results.metric import (
    Adjustment,
    ArmValue,
    Bayes,
    Cap,
    Comparison,
    HarmWatch,
    LargestValues,
    MetricResult,
    Size,
    interval_on,
)
from abcx.spec.analysis import PrePeriod
from abcx.spec.model import Experiment
from abcx.spec_types import EffectSizeValue
from abcx.stats.records import Contrast, Effect, Interval, Summary

if TYPE_CHECKING:
    from abcx.stats.multiplicity import Adjusted
    from abcx.stats.permutation_draws import Relabelings
    from abcx.stats.sequential import TwoSidedRule


@dataclass(frozen=True, slots=True)
class Judging:
    """The rules by which comparisons are judged, by metric and variant.

    `watch` holds those of the watch for harm before the end of a test without planned looks; it is empty otherwise.
    """

    rules: Mapping[Key, TwoSidedRule]
    watch: Mapping[Key, TwoSidedRule]


@dataclass(frozen=True, slots=True)
class _Level:
    """The rule and corrected level of one comparison, and before the end those of the watch for harm."""

    rule: TwoSidedRule
    corrected: Adjusted
    watch: tuple[TwoSidedRule, Adjusted] | None


class Comparisons:
    """The comparisons of an experiment by the rules of `judging`, for the declared analysis and for others beside it.

    What two analyses share (the same data of a metric, method and level) is computed once. `relabeled` holds
    relabelings drawn before, by metric and variant.
    """

    def __init__(self, judging: Judging, relabeled: Mapping[Key, Relabelings]) -> None:
        self._judging, self._relabeled = judging, relabeled
        # With the data, so that no other object gets their id.
        self._contrasts: dict[tuple[Key, int, str], tuple[MetricData, Contrast]] = {}
        self._results: dict[tuple[Any, ...], MetricResult] = {}

    def results(self, experiment: Experiment, observed: Observed) -> tuple[MetricResult, ...]:
        """The result of every metric, in the order of the spec: compared with the control, corrected for multiple
        comparisons within its family, with a status."""
        keys = [(name, arm) for name in experiment.metrics for arm in experiment.variants]
        contrasts = {key: self._contrast(experiment, observed.metrics[key[0]], key) for key in keys}
        alpha, judging = experiment.analysis.alpha, self._judging
        corrected = _levels(experiment, contrasts, judging.rules, alpha)
        watched = _levels(experiment, contrasts, judging.watch, alpha / HARM_SHARE) if judging.watch else {}
        watches = {key: (judging.watch[key], adjusted) for key, adjusted in watched.items()}
        levels = {key: _Level(judging.rules[key], corrected[key], watches.get(key)) for key in keys}
        zeros = unexplained_zeros(experiment, observed)
        results = []
        for name in experiment.metrics:
            of_metric = [(name, arm) for arm in experiment.variants]
            shared = tuple((id(contrasts[key]), levels[key], key in zeros) for key in of_metric)
            place = name, id(observed.metrics[name]), experiment.analysis.interval, shared
            if place not in self._results:
                data = observed.metrics[name]
                self._results[place] = _metric(experiment, name, data, contrasts, levels, self._relabeled, zeros)
            results.append(self._results[place])
        return tuple(results)

    def _contrast(self, experiment: Experiment, data: MetricData, key: Key) -> Contrast:
        place = key, id(data), experiment.analysis.interval
        if place not in self._contrasts:
            self._contrasts[place] = data, chosen(experiment, data, key, self._relabeled)
        return self._contrasts[place][1]


def _levels(
    experiment: Experiment, contrasts: Mapping[Key, Contrast], rules: Mapping[Key, TwoSidedRule], alpha: float
) -> dict[Key, Adjusted]:
    """The level of every comparison, corrected within primaries x variants and within secondaries x variants.

    Families are corrected on the overall scale: the p-values are those corrected for sequential monitoring.
    """
    from abcx.stats import multiplicity

    levels: dict[Key, Adjusted] = {}
    for role in ("primary", "secondary", "guardrail", "descriptive"):
        keys = [key for key in contrasts if experiment.metrics[key[0]].role == role]
        family = role in ("primary", "secondary")
        correct = multiplicity.CORRECTIONS[experiment.analysis.correction if family else "none"]
        p_values = [rules[key].p_value(contrasts[key]) for key in keys]
        levels.update(zip(keys, correct(p_values, alpha), strict=True))
    return levels


def _definition(metric: MetricSpec, data: MetricData, unit: str) -> str:
    """The metric in words; where cells of its columns are empty, with the addition that it covers
    units with a value.
    """
    definition = metric.definition(unit)
    if not any(column.term.column for column in metric.needs().columns) or not any(data.missing.values()):
        return definition
    return f"{definition}, of {unit} with a value"


def _metric(
    experiment: Experiment,
    name: str,
    data: MetricData,
    contrasts: Mapping[Key, Contrast],
    levels: Mapping[Key, _Level],
    relabeled: Mapping[Key, Relabelings],
    zeros: Collection[Key],
) -> MetricResult:
    metric = experiment.metrics[name]
    result = MetricResult(
        name=name,
        type=metric.type,
        role=metric.role,
        goal=metric.goal,
        unit=metric.value_kind,
        definition=_definition(metric, data, experiment.unit),
        arms=tuple(_with_counts(arm, metric, data, experiment.analysis.alpha) for arm in experiment.arms),
        comparisons=(),
        minimum_effect=_size(metric.minimum_effect),
        margin=_size(metric.margin),
        title=metric.title or title_of(name),
        family=metric.family,
        unit_text=metric.unit,
        currency=_currency(experiment, name, metric),
        is_percent=metric.is_percent(data.summaries.values()),
        survey=surveys.survey(
            experiment, metric, data, {arm: _claim_levels(experiment, levels[name, arm]) for arm in experiment.variants}
        ),
    )

    def compared(contrast: Callable[[str], Contrast], adjusted: bool = True) -> tuple[Comparison, ...]:
        keys = [(name, arm) for arm in experiment.variants]
        comparisons = [_comparison(experiment, result, key, contrast(key[1]), levels[key], adjusted) for key in keys]
        return tuple(
            claims.judged(result, comparison, key in zeros) for key, comparison in zip(keys, comparisons, strict=True)
        )

    cap = adjustment = None
    if data.cap is not None and (uncapped := data.uncapped) is not None and metric.declared_cap is not None:
        cap = Cap(
            metric.declared_cap.text,
            data.cap,
            compared(lambda arm: metric.contrast(uncapped[experiment.control], uncapped[arm]), False),
        )
    if data.adjustment is not None:
        unadjusted = compared(lambda arm: chosen(experiment, data, (name, arm), relabeled, adjust=False), False)
        gains = {
            arm: saved(metric, data, experiment.control, arm) if contrasts[name, arm].method.is_adjusted else None
            for arm in experiment.variants
        }
        covariates, strata = experiment.analysis.covariates, experiment.analysis.stratify
        before = covariates.pre_period.text if isinstance(covariates, PrePeriod) else None
        named = () if isinstance(covariates, PrePeriod) else tuple(covariates or ())
        adjustment = Adjustment(named, before, tuple(strata or ()), gains, unadjusted)
    return replace(result, comparisons=compared(lambda arm: contrasts[name, arm]), cap=cap, adjustment=adjustment)


def _currency(experiment: Experiment, name: str, metric: MetricSpec) -> str | None:
    """The currency of a metric whose values are money: by its unit, else by the name of the column that it adds up, or
    by its own."""
    if metric.value_kind not in ("value", "ratio"):
        return None
    if metric.unit is not None:
        return metric.unit if metric.unit == experiment.currency or metric.unit in SIGNS else None
    names = metric.value_names
    return experiment.currency if names and is_money(*names, name) else None


def _claim_levels(experiment: Experiment, level: _Level) -> ClaimLevels:
    """The nominal levels at which claims about a comparison are made: by its rule, or before the end by the watch."""
    rule, corrected = level.watch or (level.rule, level.corrected)
    overall = experiment.analysis.alpha / (HARM_SHARE if level.watch else 1)
    return ClaimLevels(rule.levels(corrected.alpha), rule.levels(overall))


def with_exploratory_results(experiment: Experiment, observed: Observed, result: MetricResult) -> MetricResult:
    """The metric with its exploratory results, which decide nothing: open tickets, segments, effect over time.

    They are judged without correction for monitoring, at the declared alpha (segments at alpha / number of values).
    """
    from abcx.stats.multiplicity import Adjusted
    from abcx.stats.sequential import Fixed, sided

    metric, data = experiment.metrics[result.name], observed.metrics[result.name]
    alpha = experiment.analysis.alpha

    def compare(arm: str, contrast: Contrast, level: float) -> Comparison:
        judged_level = _Level(sided(Fixed()), Adjusted(contrast.p_value, level, False), None)
        comparison = _comparison(experiment, result, (metric.type, arm), contrast, judged_level, adjusted=False)
        return claims.judged(replace(result, survey=None), comparison, zero_unexplained=False)

    def value(arm: str, summary: Summary) -> ArmValue:
        return _arm_value(arm, metric, summary, alpha)

    return replace(
        result,
        lifetimes=lifetimes.lifetimes(experiment, metric, data),
        funnel=funnels.funnel(experiment, metric, data),
        segments=segments(experiment, metric, result, data, compare, value) if metric.role != "descriptive" else (),
        course=tuple(courses(experiment, metric, data)) if metric.role == "primary" else (),
        largest=_largest(experiment, metric, data),
    )


SHOWN = 50
"""Largest values of an arm that results hold."""


def _largest(experiment: Experiment, metric: MetricSpec, data: MetricData) -> LargestValues | None:
    """The largest values of a sum per unit that is judged; None of other metrics, and where few units have any."""
    if metric.needs().summary != "moments" or metric.role == "descriptive" or not all(map(len, data.top.values())):
        return None
    from abcx.stats import influence

    removed = influence.largest(data.summaries, data.top) or {}
    values = {arm: tuple(value for value, _ in data.top.get(arm, ())[:SHOWN]) for arm in experiment.arms}
    if not all(len(set(of_arm)) > 1 for of_arm in values.values()):
        return None
    return LargestValues(values, {arm: min(len(removed.get(arm, ())), SHOWN) for arm in experiment.arms})


def _with_counts(arm: str, metric: MetricSpec, data: MetricData, alpha: float) -> ArmValue:
    """An arm's value with its numbers of units without a value, capped, and not followed yet."""
    return replace(
        _arm_value(arm, metric, data.summaries[arm], alpha),
        missing=data.missing.get(arm, 0),
        capped=data.capped.get(arm, 0),
        not_followed=data.not_followed.get(arm, 0),
    )


def _arm_value(arm: str, metric: MetricSpec, summary: Summary, alpha: float) -> ArmValue:
    interval = metric.interval(summary, alpha)
    return ArmValue(arm, summary.n, metric.estimate(summary), interval, metric.successes(summary))


def _comparison(
    experiment: Experiment,
    metric: MetricResult,
    key: Key,
    contrast: Contrast,
    level: _Level,
    adjusted: bool,
) -> Comparison:
    effect = level.rule.effect(contrast, level.corrected.alpha)
    tested = metric.role != "descriptive"
    return Comparison(
        arm=key[1],
        control=experiment.control,
        method=effect.method,
        difference=effect.difference,
        difference_interval=effect.difference_interval,
        lift=effect.lift,
        lift_interval=effect.lift_interval,
        p_value=effect.p_value if tested else None,
        p_value_adjusted=level.corrected.p_value if tested and adjusted else None,
        alpha=level.corrected.alpha,
        status="descriptive",
        p_value_margin=_margin_p(metric, contrast, level.rule),
        margin_interval=_on_margin(metric, level.rule, contrast, experiment.analysis.alpha, effect),
        watch=_watch(experiment, metric, contrast, level) if tested else None,
        notes=effect.notes,
        lift_note=effect.lift_note,
        bayes=_bayes(experiment, metric, contrast),
    )


def _watch(experiment: Experiment, metric: MetricResult, contrast: Contrast, level: _Level) -> HarmWatch | None:
    """Harm before the end, by intervals that hold at every time; None without a watch."""
    if level.watch is None:
        return None
    rule, watched = level.watch
    effect, overall = rule.effect(contrast, watched.alpha), experiment.analysis.alpha / HARM_SHARE
    return HarmWatch(
        alpha=overall,
        p_value=watched.p_value,
        difference_interval=effect.difference_interval,
        lift_interval=effect.lift_interval,
        margin_interval=_on_margin(metric, rule, contrast, overall, effect),
    )


def _on_margin(
    metric: MetricResult, rule: TwoSidedRule, contrast: Contrast, alpha: float, corrected: Effect
) -> Interval | None:
    """The interval at the overall level on the margin's scale; None without a margin. `corrected` is the effect at the
    corrected level, which is often the same.
    """
    if metric.margin is None:
        return None
    return interval_on(corrected if corrected.alpha == alpha else rule.effect(contrast, alpha), metric.margin)


def _bayes(experiment: Experiment, metric: MetricResult, contrast: Contrast) -> Bayes | None:
    """The posterior of the lift under the declared prior; None without a prior or a posterior."""
    from abcx.stats.bayes import posterior

    prior = experiment.analysis.prior if metric.role != "descriptive" else None
    estimates = None if prior is None else posterior(contrast, prior.lift_sd.value, experiment.analysis.alpha)
    if prior is None or estimates is None:
        return None
    falls = metric.goal == "decrease"
    chance = 1 - estimates.chance_above if falls else estimates.chance_above
    loss = estimates.loss_below if falls else estimates.loss_above
    return Bayes(prior.lift_sd.value, estimates.lift, estimates.interval, chance, loss)


def _margin_p(metric: MetricResult, contrast: Contrast, rule: TwoSidedRule) -> float | None:
    """The one-sided p-value of "the harm is at least the margin", on the margin's scale."""
    from abcx.stats import inversion

    if metric.margin is None:
        return None
    pivot = contrast.ratio_pivot if metric.margin.relative else contrast.difference_pivot
    if pivot is None:
        return None
    falls = metric.goal == "decrease"
    harm = metric.margin.value if falls else -metric.margin.value
    at = 1 + harm if metric.margin.relative else harm
    p = inversion.one_sided(pivot, at, "above" if falls else "below")
    return rule.one_sided(p, "below" if falls else "above")


def _size(effect: EffectSizeValue | None) -> Size | None:
    return None if effect is None else Size(effect.text, effect.value, effect.relative)
