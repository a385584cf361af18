"""**Skewness**: which interval was used for a skewed metric, and can it be trusted?

Looks at: the skewness of every mean and ratio (of its values; for a ratio of numerator and denominator), the number of
units and the split of the arms. Warns where Welch's interval was used although it would not hold its level on data of
this shape, and where an arm can expect fewer than 30 units with a value that is not zero (skewed answers on a scale:
answers other than the commonest one): the expected number is that at the share of such units in both arms together, so
that it does not depend on which arm leads.

Why it matters: Welch's interval trusts that averages of many units follow a bell curve. Where a few units hold most of
the value, or the arms differ much in size, a 95 % interval covers less than 95 %, mostly because it misses on one side.
abcx then takes the interval from random relabelings of the units (`interval: auto`); with counts instead of units, or
with `interval: analytic`, it cannot. With hardly any values no method can keep its promise.

What to do now: give one row per unit, or take `interval: analytic` out. Cap the metric (`cap: 99.9%`), decided before
you look, which lowers the skewness at once, or judge by a conversion, in which no unit counts more than another.
"""

from __future__ import annotations

import math
from typing import Any

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import sentences
from abcx.results.readout import CheckResult
from abcx.stats.records import Categories, Moments, RatioMoments, Summary


def check(context: CheckContext) -> CheckResult:
    """The interval of every mean and ratio against the shape of its values."""
    metrics = context.experiment.metrics
    numbers = [name for name, metric in metrics.items() if metric.value_kind != "share"]
    if not numbers:
        return CheckResult(
            "skewness", "skipped", "No metric is a mean or a ratio.", help="needs a mean or ratio metric"
        )
    details = {"metrics": {name: _as_json(context, name) for name in numbers}}
    if not any(_skewness(summary) is not None for name in numbers for summary in _summaries(context, name)):
        counts = context.observed.kind == "counts"
        message = "Counts do not hold single values." if counts else "All values of an arm are the same."
        help = "needs one row per unit, not counts" if counts else "needs values that differ between units"
        return CheckResult("skewness", "skipped", message, None, details, help)
    doubts = {name: doubt for name in numbers if (doubt := _reason_for_doubt(context, name)) is not None}
    if doubts:
        (_, why), *others = doubts.items()
        also = f"the same holds for {context.titles([name for name, _ in others])}" if others else ""
        promise = f"{formatting.significant(100 * (1 - context.experiment.analysis.alpha))}%"
        effect = f"{'their' if others else 'its'} {promise} interval may be too narrow"
        return CheckResult(
            "skewness", "warn", sentences(why, also, effect), None, details, _help(context, list(doubts))
        )
    relabeled = [name for name in numbers if _by_permutation(context, name)]
    message = (
        f"The intervals of {context.titles(relabeled)} allow for large values."
        if relabeled
        else "No large values make the intervals too narrow."
    )
    return CheckResult("skewness", "pass", message, None, details)


def _help(context: CheckContext, doubtful: list[str]) -> str:
    """What to do about metrics whose interval is in doubt, except for what the spec already does."""
    metrics = [context.experiment.metrics[name] for name in doubtful]
    ways = ["remove `interval: analytic`"] if context.experiment.analysis.interval == "analytic" else []
    if any(metric.could_be_capped for metric in metrics):
        ways.append("cap the metric in the next spec (`cap: 99.9%`)")
    conversions = [name for metric in doubtful if (name := context.conversion(metric)) is not None]
    if all(metric.answer_scale is not None for metric in metrics):
        ways.append("collect more answers")
    else:
        ways.append(f"judge by {context.title(conversions[0]) if conversions else 'the share that converts'}")
    return f"Read the interval as a rough guide; {formatting.joined(ways, 'or')}"


def _summaries(context: CheckContext, name: str) -> list[Summary]:
    return list(context.data(name).summaries.values())


def _by_permutation(context: CheckContext, name: str) -> bool:
    comparisons = [context.comparison(name, arm) for arm in context.experiment.variants]
    return any(comparison is not None and comparison.method.is_permutation for comparison in comparisons)


def _reason_for_doubt(context: CheckContext, name: str) -> str | None:
    """Why the interval of a metric cannot be trusted, in one clause; None where it can."""
    from abcx.stats import mean_scores, permutation

    title, unit = context.title(name), context.experiment.unit
    control, *variants = _summaries(context, name)
    for variant in variants:
        if isinstance(control, Categories) and isinstance(variant, Categories):
            if not _by_permutation(context, name) or mean_scores.enough(control, variant):
                continue
            return f"an arm can expect fewer than 30 answers to {title} other than the most common one"
        if not isinstance(control, (Moments, RatioMoments)) or not isinstance(variant, (Moments, RatioMoments)):
            continue
        if min(control.n, variant.n) < 2:
            continue
        if not permutation.enough(control, variant):
            return f"an arm can expect fewer than 30 {unit} whose {title} is not 0"
        if not _by_permutation(context, name) and (reason := permutation.needed(control, variant)) is not None:
            extreme = f"a few extreme values dominate {title}"
            if reason.code == "permuted_skewed_ratio":
                return f"{extreme}, and {context.noun(min(control.n, variant.n))} are too few to average them out"
            return f"{extreme}, and the arms differ in size ({control.n:,} and {variant.n:,} {unit})"
    return None


def _skewness(summary: Summary) -> float | None:
    """Skewness of the values, or of the numerator; None where it is unknown."""
    from abcx.stats import categorical

    moments = summary.numerator if isinstance(summary, RatioMoments) else summary
    if isinstance(moments, Categories):
        moments = categorical.moments(moments)
    known = isinstance(moments, Moments) and moments.skewness is not None and math.isfinite(moments.skewness)
    return moments.skewness if known and isinstance(moments, Moments) else None


def _as_json(context: CheckContext, name: str) -> dict[str, Any]:
    arms = {
        arm: {"units": summary.n, "skewness": _skewness(summary)}
        for arm, summary in context.data(name).summaries.items()
    }
    return {"arms": arms, "permutation": _by_permutation(context, name)}
