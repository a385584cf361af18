"""**One-sided events**: does only one arm have the events of a metric?

Looks at: for every variant and every judged metric, how many units have its event (a value that is not zero, an answer,
an end) in the variant and in the control. Where one arm has some and the other none, and chance cannot put them all on
one side (the first arm's share of the units, to the power of that number, is below one in a million: 20 units at
50:50), it fails for a primary or guardrail metric: the verdict about that variant is INVALID (`data_loss`). Secondary
metrics warn. A metric that should fall and is empty in the variant only warns, because a change may really end errors
or complaints; but a guardrail of that kind is not shown safe until somebody has looked at the logging and its spec says
`zero_is_real: true`.

Why it matters: an event that is logged in one arm alone is no measure of both. The comparison then shows who logs, and
it looks like the best result ever seen.

What to do now: make the event happen by hand in the empty arm and look for it in the data. If it is missing, mend the
tracking and run again. If it is there and nothing worked for customers, stop that arm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from abcx.checks.context import CheckContext
from abcx.checks.words import SHOWN, listed, sentences
from abcx.data.records import Observed
from abcx.planning.planned_end import JUDGED
from abcx.results.readout import CheckResult
from abcx.spec.model import Experiment
from abcx.stats.records import Lifetimes, Moments, Proportion, RatioMoments, Steps, Summary

CHANCE = 1e-6
"""Events are one-sided where all of their units are in one arm with a probability below this."""


@dataclass(frozen=True, slots=True)
class OneSided:
    """`units` have the event of a metric in the arm `has`, none of its `exposed` units in the arm `lacks`. `part` says
    which of several parts of the metric it is, empty for the whole."""

    metric: str
    variant: str
    has: str
    lacks: str
    units: int
    exposed: int
    part: str = ""


def check(context: CheckContext) -> CheckResult:
    """Metrics that only one of two arms has."""
    findings = list(one_sided(context.experiment, context.observed))
    details = {"metrics": [asdict(finding) for finding in findings]}
    if not findings:
        return CheckResult("one_sided", "pass", "No metric has its events in one arm alone.", None, details)
    failing = [finding for finding in findings if _fails(context.experiment, finding)]
    shown = failing or findings
    message = _message(context, shown)
    empty = listed(list(dict.fromkeys(finding.lacks for finding in shown)))
    help = f"Make the event happen by hand in {empty}: mend its logging, or stop the arm if nothing works there"
    if not failing:
        help = f"Check the logging in {empty}; if the zero is real, write `zero_is_real: true` in the metric"
        if all(context.experiment.metrics[finding.metric].zero_is_real for finding in findings):
            help = f"Note who checked the logging in {empty}, and when"
    arms = tuple(dict.fromkeys(finding.variant for finding in failing))
    return CheckResult("one_sided", "fail" if failing else "warn", message, None, details, help, arms)


def one_sided(experiment: Experiment, observed: Observed) -> Iterator[OneSided]:
    """Every variant and judged metric of which one arm has more units than chance could put there, the other none."""
    for name, metric in experiment.metrics.items():
        data = observed.metrics.get(name)
        if metric.role == "descriptive" or data is None or not data.summaries:
            continue
        exposed = {arm: n - data.not_followed.get(arm, 0) for arm, n in observed.units.items()}
        for variant in experiment.variants:
            pair = experiment.control, variant
            if not data.summaries.keys() >= set(pair) or not exposed.keys() >= set(pair):
                continue
            having = {arm: _units_with_values(data.summaries[arm]) for arm in pair}
            for part in having[variant].keys() & having[experiment.control].keys():
                for has, lacks in (pair, pair[::-1]):
                    units = having[has][part]
                    both = exposed[has] + exposed[lacks]
                    if having[lacks][part] or not exposed[lacks] or not units:
                        continue
                    if (max(exposed[has], units) / max(both, units + exposed[lacks])) ** units < CHANCE:
                        yield OneSided(name, variant, has, lacks, units, exposed[lacks], part)
                        break


def unexplained_zeros(experiment: Experiment, observed: Observed) -> set[tuple[str, str]]:
    """(metric, variant) where the spec does not explain an empty arm (`zero_is_real`): these are not shown safe."""
    return {
        (finding.metric, finding.variant)
        for finding in one_sided(experiment, observed)
        if not experiment.metrics[finding.metric].zero_is_real
    }


def _fails(experiment: Experiment, finding: OneSided) -> bool:
    metric = experiment.metrics[finding.metric]
    may_be_real = metric.goal == "decrease" and finding.lacks == finding.variant
    return metric.role in JUDGED and not may_be_real


def _units_with_values(summary: Summary) -> dict[str, int]:
    """Units with a value that is not zero, an answer or an end, by part of the metric; empty where unknown."""
    if isinstance(summary, Steps):
        return {f"step {number}": units for number, units in enumerate(summary.reached, 1)}
    if isinstance(summary, Proportion):
        return {"": summary.successes}
    if isinstance(summary, Moments):
        return {} if summary.nonzero is None else {"": summary.nonzero}
    if isinstance(summary, RatioMoments):
        parts = {"numerator": summary.numerator.nonzero, "denominator": summary.denominator.nonzero}
        return {name: units for name, units in parts.items() if units is not None}
    if isinstance(summary, Lifetimes):
        return {"": len(set(summary.clusters[summary.observed].tolist()))}
    return {"": summary.n}


def _message(context: CheckContext, findings: list[OneSided]) -> str:
    """Which arm alone has each metric, and what that may mean."""
    clauses = []
    for finding in findings[:SHOWN]:
        part = f" (its {finding.part})" if finding.part else ""
        clauses.append(
            f"only {finding.has} has {context.title(finding.metric)}{part}: {context.noun(finding.units)} there, and "
            f"none of {context.noun(finding.exposed)} in {finding.lacks}"
        )
    clauses += [f"so it is with {len(findings) - SHOWN} more"] * (len(findings) > SHOWN)
    empty = listed(list(dict.fromkeys(finding.lacks for finding in findings)), "or")
    real = [context.experiment.metrics[finding.metric].zero_is_real for finding in findings]
    explanation = f"either it is not logged in {empty}, or nothing works there"
    return sentences(*clauses, "the spec says that this zero is real" if all(real) else explanation)
