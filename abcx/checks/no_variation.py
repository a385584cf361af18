"""**No variation**: does every unit of every arm have the same outcome?

Looks at: primary and guardrail metrics that are shares, in arms of at least 20 units. Where every unit of every arm has
the event, nothing can be compared. For a primary metric whose event comes with the exposure or before it, that fails:
the outcome is the exposure itself. Otherwise it warns.

Why it matters: "100 % against 100 %" reads as "no benefit", from data that never asked the question.

What to do now: choose the event that follows when customers do what the change is meant to bring about, not the one by
which they enter the test.
"""

from __future__ import annotations

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
        return CheckResult("no_variation", "pass", "No metric that decides is 100% in every arm.")
    from_start = [
        name
        for name in full
        if context.experiment.metrics[name].role == "primary" and context.data(name).all_at_exposure
    ]
    details = {"metrics": full, "at_exposure": from_start}
    if from_start:
        message = (
            f"100% of the {context.experiment.unit} in every arm have {context.titles(from_start)} at their exposure "
            "or before. The outcome is the exposure itself, so nothing can be compared."
        )
        help = "Choose the event that the change is meant to bring about, or another exposure event"
        return CheckResult("no_variation", "fail", message, None, details, help)
    unit = context.experiment.unit
    message = f"100% of the {unit} in every arm have {context.titles(full)}. There is nothing to compare."
    help = f"Check that the event is the outcome, and that {unit} without it are in the data"
    return CheckResult("no_variation", "warn", message, None, details, help)


def _everybody(context: CheckContext, name: str) -> bool:
    summaries = [context.data(name).summaries.get(arm) for arm in context.experiment.arms]
    return all(
        isinstance(summary, Proportion) and summary.n >= FEWEST and summary.successes == summary.n
        for summary in summaries
    )
