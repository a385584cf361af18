"""**No variation**: does every unit of every arm have the same outcome?

Looks at: primary and guardrail metrics that are shares, in arms of at least 20 units. Where every unit of every arm has
the event, nothing can be compared. For a primary metric whose event comes with the exposure or before it, that fails:
the outcome is the exposure itself. Otherwise it warns.

Why it matters: "100 % against 100 %" reads as "no benefit", from data that never asked the question.

What to do now: choose the event that follows when customers do what the change is meant to bring about, not the one by
which they enter the test.
"""

from __future__ import annotations

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.planning.planned_end import JUDGED
from abcx.results.readout import CheckResult
from abcx.stats.records import Proportion

FEWEST = 20
"""Units that each arm must have before "everybody" means something."""


def check(context: CheckContext) -> CheckResult:
    """Shares that are 100 % in every arm."""
    full = [name for name, m in context.experiment.metrics.items() if m.role in JUDGED and _everybody(context, name)]
    if not full:
        return CheckResult("no_variation", "pass", "no judged share is 100% in every arm")
    from_start = [
        name
        for name in full
        if context.experiment.metrics[name].role == "primary" and context.data(name).all_at_exposure
    ]
    details = {"metrics": full, "at_exposure": from_start}
    if from_start:
        message = (
            f"every unit of every arm has {formatting.joined(from_start)} at its exposure or before: the outcome is "
            "the exposure itself"
        )
        help = "choose the event that the change is meant to bring about, or another exposure event"
        return CheckResult("no_variation", "fail", message, None, details, help)
    message = f"every unit of every arm has {formatting.joined(full)}: there is nothing to compare"
    help = "check that the event is the outcome, and that units without it are in the data"
    return CheckResult("no_variation", "warn", message, None, details, help)


def _everybody(context: CheckContext, name: str) -> bool:
    summaries = [context.data(name).summaries.get(arm) for arm in context.experiment.arms]
    return all(
        isinstance(summary, Proportion) and summary.n >= FEWEST and summary.successes == summary.n
        for summary in summaries
    )
