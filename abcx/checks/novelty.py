"""**Novelty**: does the effect fade, or grow, while units live with the change?

Looks at: primary metrics. For metrics of repeated actions (counts, sums) with a window of two days or more: what each
unit did in the later half of its window less what it did in the earlier half, compared between the arms (Welch), over
the units that were followed for the whole window. For conversions: whether the effect differs between units exposed in
the first and in the second half of the days (Cochran's Q), where a window gives all units the same time. Warns below p
= .01 after correction for all these tests.

Why it matters: customers try what is new, and stumble over what has moved. An effect of the first days that is gone
later does not pay off; one that grows is understated by a short window.

What to do now: look at the effect by day since exposure in the report. Run longer, with a longer window, or judge by
the later days, declared before you look.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from abcx.checks.context import CheckContext
from abcx.checks.words import SHOWN, difference_text, sentences
from abcx.results.readout import CheckResult

WARN = 0.01


@dataclass(frozen=True)
class _Test:
    """The later half less the earlier half, variant less control."""

    metric: str
    arm: str
    change: float
    p_value: float
    p_value_adjusted: float


def check(context: CheckContext) -> CheckResult:
    """Early against late effects of the same units."""
    moves = [
        (name, arm, *moved)
        for name, metric in context.experiment.metrics.items()
        if metric.role == "primary"
        for arm in context.experiment.variants
        if (moved := _moved(context, name, arm)) is not None
    ]
    tests = [_Test(*move, min(1.0, move[3] * len(moves))) for move in moves]
    details = {"tests": [asdict(test) for test in tests]}
    if not tests:
        help = "needs exposures on two days or more, and a primary metric with a window that is summed per unit"
        return CheckResult("novelty", "skipped", "Early and late effects cannot be told apart.", help=help)
    worst = min(tests, key=lambda test: test.p_value)
    off = [test for test in tests if test.p_value_adjusted < WARN]
    if not off:
        message = "The effect does not clearly change over time."
        return CheckResult("novelty", "pass", message, worst.p_value_adjusted, details)
    clauses = [_clause(context, test) for test in off[:SHOWN]]
    clauses += [f"so it is with {len(off) - SHOWN} more"] * (len(off) > SHOWN)
    message = sentences(*clauses, "the figure for the whole test need not last")
    help = "Read the effect by day; run longer, or judge by the later days, declared before you look"
    return CheckResult("novelty", "warn", message, worst.p_value_adjusted, details, help)


def _moved(context: CheckContext, name: str, arm: str) -> tuple[float, float] | None:
    """How much the effect is larger later than earlier, and the p of no such change; None where unknown."""
    from abcx.stats import means
    from abcx.stats.interaction import of_contrasts
    from abcx.stats.pooling import pooled

    data, metric, control = context.data(name), context.experiment.metrics[name], context.experiment.control
    once = metric.needs().summary == "proportion"
    if not once and data.days is not None and data.days.change is not None:
        contrast = means.contrast(data.days.change[control], data.days.change[arm])
        known = contrast.p_value is not None and contrast.difference is not None
        return (contrast.difference or 0.0, contrast.p_value or 0.0) if known else None
    days = sorted(data.cohorts)
    if len(days) < 2 or not _watched_alike(context, name):
        return None
    halves = days[: len(days) // 2], days[len(days) // 2 :]
    early, late = (
        metric.contrast(*(pooled(data.cohorts[day][side] for day in half) for side in (control, arm)))
        for half in halves
    )
    p = of_contrasts([early, late])
    if p is None or early.difference is None or late.difference is None:
        return None
    return late.difference - early.difference, p


def _watched_alike(context: CheckContext, name: str) -> bool:
    """Whether all units were watched for the same time: without a window those exposed late had less of it, and any
    difference is smaller."""
    columns = [column for column in context.experiment.metrics[name].needs().columns if column.term.column is None]
    return context.experiment.window is not None or all(column.window or column.followed for column in columns)


def _clause(context: CheckContext, test: _Test) -> str:
    comparison = context.comparison(test.metric, test.arm)
    whole = comparison.difference if comparison else None
    word = "changes" if not whole else "grows" if (test.change > 0) == (whole > 0) else "fades"
    change = difference_text(test.change, context.experiment.metrics[test.metric].value_kind)
    title = context.title_in(test.metric, test.arm)
    return f"the effect on {title} {word} over time: {change} from the first half to the second"
