"""**Before exposure**: were the arms alike before anything was changed?

Looks at: the same metrics over the time before each unit's first exposure, by the same tests as after it. The change
cannot have had an effect yet, so any difference is chance or a fault. Warns when a primary, secondary or guardrail
metric differs with p < .01 after correction for all these tests (Bonferroni).

Why it matters: where the arms differ beforehand, a part of the "effect" was there before the change. The assignment may
not be random, an earlier experiment may still be felt, or one arm may have been filtered.

What to do now: check how units were assigned, and whether the same split served an earlier test. With a random
assignment and a clean split one such warning in a hundred experiments is chance; a second run settles it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import SHOWN, sentences, value_text
from abcx.metrics import MetricSpec
from abcx.results.readout import CheckResult
from abcx.stats.records import Summary

WARN = 0.01


@dataclass(frozen=True)
class _Test:
    """One metric and variant before exposure."""

    metric: str
    arm: str
    control_value: float | None
    arm_value: float | None
    p_value: float
    p_value_adjusted: float


def check(context: CheckContext) -> CheckResult:
    """Tests of every judged metric on what happened before exposure."""
    judged = {name: metric for name, metric in context.experiment.metrics.items() if metric.role != "descriptive"}
    if not any(context.data(name).before for name in judged):
        help = "needs events from before the exposure"
        return CheckResult("pre_period", "skipped", "Nothing is known from before exposure.", help=help)
    tested = [
        (name, arm, before[context.experiment.control], before[arm], p)
        for name, metric in judged.items()
        if (before := context.data(name).before) is not None
        for arm in context.experiment.variants
        if (p := _p_value(metric, before.get(context.experiment.control), before.get(arm))) is not None
    ]
    tests = [
        _Test(name, arm, judged[name].estimate(control), judged[name].estimate(variant), p, min(1.0, p * len(tested)))
        for name, arm, control, variant, p in tested
    ]
    details = {"tests": [asdict(test) for test in tests]}
    if not tests:
        message = "Too little is known from before exposure."
        return CheckResult("pre_period", "skipped", message, None, details, "needs events from before the exposure")
    worst = min(tests, key=lambda test: test.p_value)
    differing = sorted((test for test in tests if test.p_value_adjusted < WARN), key=lambda test: test.p_value)
    if not differing:
        message = "The arms were alike before exposure, as far as chance can tell."
        return CheckResult("pre_period", "pass", message, worst.p_value_adjusted, details)
    clauses = [_clause(context, test) for test in differing[:SHOWN]]
    clauses += [f"{len(differing) - SHOWN} more differences"] * (len(differing) > SHOWN)
    message = sentences(
        f"the arms differed before anything was changed: {formatting.joined(clauses)}",
        "a part of the effect may have been there before",
    )
    help = f"Check how {context.experiment.unit} were assigned to arms, and whether an earlier test used the same split"
    return CheckResult("pre_period", "warn", message, worst.p_value_adjusted, details, help)


def _p_value(metric: MetricSpec, control: Summary | None, variant: Summary | None) -> float | None:
    return metric.contrast(control, variant).p_value if control is not None and variant is not None else None


def _clause(context: CheckContext, test: _Test) -> str:
    unit = context.experiment.metrics[test.metric].value_kind
    old, new = ("unknown" if x is None else value_text(x, unit) for x in (test.control_value, test.arm_value))
    return f"{context.title(test.metric)} was {old} in {context.experiment.control} and {new} in {test.arm}"
