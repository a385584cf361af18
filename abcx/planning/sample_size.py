"""The declared size of the experiment, and the size that the control as observed would need.

Only a declared size can be "not reached". A size computed from the data informs the reader and decides nothing: it
moves with the data, and a lucky control would end the experiment sooner (docs/methods.md, "Sizes").
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from abcx.metrics import MetricSpec
from abcx.notes import Note
from abcx.results.metric import MetricResult
from abcx.spec.analysis import GroupSequential
from abcx.spec.model import Baseline, Experiment
from abcx.spec.times import instant
from abcx.spec_types import EffectSizeValue
from abcx.stats.records import Moments, QuantileSummary, RatioMoments, Summary

DAILY_LOOKS = 14
"""Daily looks that an always-valid plan is sized for where neither traffic nor period gives the number of days."""


@dataclass(frozen=True, slots=True)
class Planned:
    """The declared size: units over all arms (`plan.units`, or from `plan.baseline`), and the source of the number;
    both None where nothing was declared.

    `power_each` is the power given to each metric so that all succeed together, None where the number itself was
    declared; `inflation` >= 1 is the factor that sequential monitoring costs. `bounded` is the least power of the
    surveys whose baseline has a response share, after the bounds on who answers.
    """

    units: int | None = None
    source: Note | None = None
    power_each: float | None = None
    inflation: float = 1.0
    bounded: float | None = None


def planned(experiment: Experiment) -> Planned:
    """The declared size: `plan.units`; else from `plan.baseline` with `minimum_effect`, margins and `power`.

    The largest size counts: every primary with a baseline must show its minimum effect, and harm beyond every margin
    must be excluded. Primaries are tested at alpha over the size of the Holm family, the level that the strongest must
    pass. Margins need no correction of alpha, but all must succeed at once: the probability of missing is divided by
    their number plus one (Schultzberg, Ankargren, Frånberg 2024). Sequential monitoring multiplies the size by
    `inflation`.
    """
    if experiment.plan.units is not None:
        return Planned(
            experiment.plan.units, Note("size_declared"), bounded=_bounded(experiment, experiment.plan.units)
        )
    declared = experiment.plan.baseline
    primaries = {name for name, metric in experiment.metrics.items() if metric.role == "primary"}
    sizes = [size for name, baseline in declared.items() for size in _sizes(experiment, name, baseline)]
    if not any(name in primaries for _, _, name in sizes):
        return Planned()
    units, against_margin, name = max(sizes)
    source = Note("size_of_baseline", {"margin_of": name if against_margin else None})
    inflation = _inflation(experiment, units)
    bounded = _bounded(experiment, units)  # before inflation, which only makes up for the power that monitoring costs
    return Planned(math.ceil(units * inflation), source, power_each(experiment), inflation, bounded)


def needed(experiment: Experiment, control: Mapping[str, Summary], exposed: int) -> Planned:
    """The size that the control's observed values would need, without inflation for monitoring: for information alone.

    `control` maps metrics to the control's summary and `exposed` is the number of the control's exposed units: where
    only some of them have a value (answers, tickets), the size grows in proportion.
    """
    sizes: list[tuple[int, bool, str]] = []
    for name, metric in experiment.metrics.items():
        have = control[name].n
        for size, against_margin, _ in _sizes(experiment, name, _observed(metric, control[name])):
            all_units = math.ceil(size * exposed / have) if 0 < have < exposed else size
            sizes.append((all_units, against_margin, name))
    if not sizes:
        return Planned()
    units, against_margin, name = max(sizes)
    source = Note("size_as_observed", {"margin_of": name if against_margin else None})
    return Planned(units, source, power_each(experiment))


def power_each(experiment: Experiment) -> float:
    """The power that each metric needs so that one primary and all margins succeed together with `plan.power`, in (0,
    1).

    1 - (1 - power) / (margins + 1), by Bonferroni's inequality (Schultzberg, Ankargren, Frånberg 2024).
    """
    margins = sum(metric.margin is not None for metric in experiment.metrics.values())
    return 1 - (1 - experiment.plan.power) / (margins + 1)


def _sizes(experiment: Experiment, name: str, baseline: Baseline | None) -> Iterator[tuple[int, bool, str]]:
    """(units over all arms, whether against the margin, metric) for the minimum effect and the margin of a metric."""
    metric, power = experiment.metrics[name], power_each(experiment)
    for effect, alpha, against_margin in _claims(experiment, metric):
        size = _size(experiment, metric, effect, baseline, alpha, power, against_margin)
        if size is not None:
            yield size, against_margin, name


def _claims(experiment: Experiment, metric: MetricSpec) -> Iterator[tuple[EffectSizeValue, float, bool]]:
    """(effect, level, whether it is a margin): the minimum effect of a primary and the margin of a metric."""
    roles = [candidate.role for candidate in experiment.metrics.values()]
    family = roles.count("primary") * len(experiment.variants)
    alpha = experiment.analysis.alpha
    if metric.role == "primary" and metric.minimum_effect is not None:
        corrected = alpha / family if experiment.analysis.correction != "none" and family else alpha
        yield metric.minimum_effect, corrected, False
    if metric.margin is not None:
        yield metric.margin, alpha, True


def _bounded(experiment: Experiment, units: int) -> float | None:
    """The least power of the surveys with a declared response to show their minimum effect or to exclude harm beyond
    the margin, where response is in truth equal and the bounds count whenever its test has p below `BINDS`.
    """
    from abcx.stats.lee_bounds import BINDS
    from abcx.stats.power import power_bounded

    powers: list[float] = []
    for name, baseline in experiment.plan.baseline.items():
        metric, response, value = experiment.metrics[name], baseline.response, baseline.center
        if metric.answer_scale is None or response is None or response == 1 or value is None:
            continue
        least, greatest = {"share": (0, 1), "points": (-100, 100)}.get(metric.value_kind, metric.answer_scale)
        for effect, alpha, against_margin in _claims(experiment, metric):
            distance = abs(value) * effect.value if effect.relative else effect.value
            gain = 0.0 if against_margin else -distance if metric.goal == "decrease" else distance
            means = value, value + gain
            up, down = greatest - means[metric.goal == "increase"], means[metric.goal == "decrease"] - least
            for variant in experiment.variants:
                answers = [response * units * experiment.shares()[arm] for arm in (experiment.control, variant)]
                variances = [m * (1 - m) if metric.value_kind == "share" else baseline.spread**2 for m in means]
                error = math.sqrt(sum(v / n for v, n in zip(variances, answers, strict=True)))
                trimmed = math.sqrt(sum((1 - response) / n for n in answers))
                powers.append(power_bounded(distance, error, trimmed, (up, down), alpha, BINDS))
    return min(powers, default=None)


def _observed(metric: MetricSpec, summary: Summary) -> Baseline | None:
    """The control as observed, in the form of a declared baseline; None where it shows no spread.

    A metric that is neither a share nor a mean gets its spread from its own 95 % interval.
    """
    value = metric.estimate(summary) if summary.n else None
    if value is None:
        return None
    if metric.value_kind == "share":
        return Baseline(share=value) if 0 < value < 1 else None
    if isinstance(summary, Moments):
        return Baseline(mean=value, sd=math.sqrt(summary.variance)) if summary.variance > 0 else None
    if isinstance(summary, RatioMoments):
        top, bottom = summary.numerator, summary.denominator
        variance = top.variance - 2 * value * summary.covariance + value * value * bottom.variance
        return Baseline(mean=value, sd=math.sqrt(variance) / bottom.mean) if variance > 0 else None
    low, high = metric.interval(summary, 0.05) or (None, None)
    if low is None or high is None or not high > low:
        return None
    if isinstance(summary, QuantileSummary):
        return Baseline(value=value, interval=(low, high), units=summary.n)
    return Baseline(mean=value, sd=(high - low) / (2 * 1.96) * math.sqrt(summary.n))


def _size(
    experiment: Experiment,
    metric: MetricSpec,
    effect: EffectSizeValue,
    baseline: Baseline | None,
    alpha: float,
    power: float,
    against_margin: bool,
) -> int | None:
    """Units over all arms so that every variant has this power against the control, for an effect or against a margin.

    Against a margin the true difference is 0, so shares have the spread of the baseline in both arms. Where a baseline
    has a response share, the size is divided by it.
    """
    from abcx.stats.power import size_means, size_shares

    if baseline is None or (value := baseline.center) is None:
        return None
    difference = abs(value) * effect.value if effect.relative else effect.value
    difference = -difference if metric.goal == "decrease" else difference
    if difference == 0 or (metric.value_kind == "share" and not against_margin and not 0 <= value + difference <= 1):
        return None
    shares = experiment.shares()
    totals = []
    for variant in experiment.variants:
        ratio = shares[variant] / shares[experiment.control]
        if metric.value_kind == "share" and not against_margin:
            units = size_shares(value, difference, alpha, power, ratio)
        else:
            sd = math.sqrt(value * (1 - value)) if metric.value_kind == "share" else baseline.spread
            units = size_means(sd, difference, alpha, power, ratio)
        totals.append(math.ceil(units / shares[experiment.control] / (baseline.response or 1.0)))
    return max(totals)


def _inflation(experiment: Experiment, units: int) -> float:
    """The factor by which sequential monitoring multiplies the size, at `power_each` and alpha."""
    from abcx.stats import inflation

    rule, alpha, power = experiment.analysis.monitoring, experiment.analysis.alpha, power_each(experiment)
    if isinstance(rule, GroupSequential):
        return inflation.group_sequential(_planned_looks(experiment, rule), alpha, power, rule.spending)
    if rule == "always_valid":
        return inflation.always_valid(_days(experiment, units), alpha, power)
    return 1.0  # one look decides a win; looks for harm spend their own alpha


def _planned_looks(experiment: Experiment, rule: GroupSequential) -> tuple[float, ...]:
    """Information at the planned looks: equal steps, or by dates the fraction of the period that is over."""
    start = experiment.period.start_instant() if experiment.period else None
    end = experiment.period.end_instant() if experiment.period else None
    if isinstance(rule.looks, int) or start is None or end is None:
        count = rule.looks if isinstance(rule.looks, int) else len(rule.looks)
        return tuple((k + 1) / count for k in range(count))
    parts = [(instant(look, experiment.timezone, end=True) - start) / (end - start) for look in rule.looks]
    return (*sorted({part for part in parts if 0 < part < 1}), 1.0)


def _days(experiment: Experiment, units: int) -> int:
    """The number of daily looks of an always-valid plan: by traffic, else by the period, else two weeks."""
    if experiment.plan.units_per_day:
        return max(2, math.ceil(units / experiment.plan.units_per_day))
    start = experiment.period.start_instant() if experiment.period else None
    end = experiment.period.end_instant() if experiment.period else None
    return DAILY_LOOKS if start is None or end is None else max(2, (end - start).days)


def units_for_margin(experiment: Experiment, metric: MetricResult, arm: str, units: int) -> int | None:
    """Units over all arms at which harm beyond the margin would be excluded with the planned power if there is no harm.

    `units` are those behind the present interval. Its half-width shrinks with the square root of the units; to exclude
    the margin with power 1 - b it must be margin z / (z + z_b). None without a margin, where the interval is open, or
    under sequential monitoring.
    """
    from abcx.stats.distributions import normal_quantile

    comparison = next(item for item in metric.comparisons if item.arm == arm)
    interval = comparison.margin_interval
    looks = experiment.analysis.monitoring != "fixed"
    if metric.margin is None or interval is None or interval[0] is None or interval[1] is None or looks:
        return None
    half = (interval[1] - interval[0]) / 2
    z = -normal_quantile(experiment.analysis.alpha / 2)
    return math.ceil(units * (half / metric.margin.value * (z + normal_quantile(experiment.plan.power)) / z) ** 2)
