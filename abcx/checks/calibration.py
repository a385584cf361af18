"""**Calibration**: does this analysis give false alarms on these very units?

Looks at: every primary and guardrail metric. The units are assigned to the arms again at random, thousands of times, so
that no effect is left (an A/A test on your own data), and the chosen analysis tests each assignment. It should call
about 5 % of them significant at the usual level. Where the analysis adjusts for covariates, units keep their covariates
and every assignment is adjusted. For shares all assignments are counted exactly. Warns where clearly more than 6 % are
significant, or 1.2 times another level.

Why it matters: the promise of "95 %" is made for data of ordinary shape. A metric that a few units dominate, or a split
of 90:10 with rare buyers, can break it, and no formula shows that as surely as the data themselves.

What to do now: for a mean or a ratio set `interval: permutation`, cap the metric, or judge by the share that converts.
For a share collect more units, or judge by a more frequent event.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import capital, sentences
from abcx.data.summaries import adjusted_samples
from abcx.planning.planned_end import JUDGED
from abcx.results.readout import CheckResult
from abcx.stats.records import Proportion

TOLERATED = 1.2
"""False alarms up to this multiple of the level are within the promise (6 % at 5 %: docs/methods.md, "The promise")."""


@dataclass(frozen=True)
class _Found:
    """False alarms of one comparison, with the interval of the simulation (no width where they were counted)."""

    metric: str
    arm: str
    share: float
    low: float
    high: float


def check(context: CheckContext) -> CheckResult:
    """The share of random relabelings that the chosen analysis calls significant."""
    results = list(_relabeled(context))
    if not results:
        message = "No metric could be tried out."
        return CheckResult("calibration", "skipped", message, help="needs the units of a primary or guardrail metric")
    alpha = context.experiment.analysis.alpha
    details = {
        "alpha": alpha,
        "metrics": [
            {
                "metric": result.metric,
                "arm": result.arm,
                "false_alarms": result.share,
                "interval": [result.low, result.high],
            }
            for result in results
        ],
    }
    inflated = [result for result in results if result.low > TOLERATED * alpha]
    worst = max(inflated or results, key=lambda result: result.share)
    name, level = context.title_in(worst.metric, worst.arm), f"{formatting.significant(100 * alpha)}%"
    alarms = f"{formatting.percent(worst.share, 1)} of trials show an effect on {name}"
    dealt = f"with these {context.experiment.unit} assigned to the arms at random, {alarms}"
    if inflated:
        message = sentences(f"{dealt} where {level} should", "a clear result on it is chance more often than stated")
        return CheckResult("calibration", "warn", message, None, details, advice(context, worst.metric))
    return CheckResult("calibration", "pass", sentences(f"{dealt}, where {level} is right"), None, details)


def advice(context: CheckContext, name: str) -> str:
    """What to do about a metric whose analysis gives false alarms, except for what the spec already does."""
    metric, analysis = context.experiment.metrics[name], context.experiment.analysis
    if metric.value_kind == "share":
        return f"Collect more {context.experiment.unit}, or judge by a more frequent event"
    ways = []
    if analysis.interval != "permutation" and not analysis.covariates and not analysis.stratify:
        ways.append("set `interval: permutation`")
    if metric.could_be_capped:
        ways.append("cap the metric in the next spec (`cap: 99.9%`)")
    if metric.value_kind not in ("value", "ratio"):
        ways.append("collect more answers")
    else:
        conversion = context.conversion(name)
        ways.append(f"judge by {context.title(conversion) if conversion else 'the share that converts'}")
    return capital(formatting.joined(ways, "or"))


def _relabeled(context: CheckContext) -> Iterator[_Found]:
    from abcx.stats import adjusted_permutation, permutation, shares

    experiment, alpha = context.experiment, context.experiment.analysis.alpha
    for name, metric in experiment.metrics.items():
        data = context.observed.metrics.get(name)
        if metric.role not in JUDGED or data is None:
            continue
        for arm in experiment.variants:
            control, variant = data.summaries[experiment.control], data.summaries[arm]
            comparison = context.comparison(name, arm)
            if comparison is None:
                continue
            is_adjusted = comparison.method.is_adjusted
            if isinstance(control, Proportion) and isinstance(variant, Proportion) and not is_adjusted:
                if control.n and variant.n and comparison.method in (shares.SCORE, shares.BINOMIAL):
                    alarms = shares.false_alarms(control, variant, alpha)
                    yield _Found(name, arm, alarms, alarms, alarms)
            elif data.samples and (deals := context.relabeled.get((name, arm))):
                method: Literal["Welch", "permutation"] = "permutation" if comparison.method.is_permutation else "Welch"
                units = adjusted_samples.units(data, experiment.control, arm)
                if is_adjusted:
                    known = adjusted_samples.known(metric, data, experiment.control, arm)
                    kind, nonnegative = known.kind, known.nonnegative
                    false_alarms = adjusted_permutation.false_alarms(*units, kind, nonnegative, alpha, method, deals)
                else:
                    false_alarms = permutation.false_alarms(*units, alpha, method, relabeled=deals)
                if false_alarms is not None:
                    yield _Found(name, arm, *false_alarms)
