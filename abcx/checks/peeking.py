"""**Peeking**: is the result read before its time?

Looks at: whether the end of the declared period or the planned number of units is reached. Warns when neither is, and
no plan for repeated looks is declared.

Why it matters: p-values and intervals hold for one look, at a moment that was fixed beforehand. Who looks every day
for four weeks and stops at the first p below .05 finds an "effect" in about one of four experiments that have none.

What to do now: treat the figures as a check that everything is logged, not as a result. Wait for the planned end.
"""

from __future__ import annotations

from abcx import wording
from abcx.checks.context import CheckContext
from abcx.results import CheckResult

_HELP = "use it to see that everything is logged; an early look at p < .05 raises far more false alarms than 5%"


def check(context: CheckContext) -> CheckResult:
    """Whether the declared period or the planned size is reached."""
    if context.experiment.analysis.monitoring != "fixed":
        return CheckResult(
            "peeking", "pass", "looks are planned for: the levels and intervals of this look pay for them"
        )
    over = context.period_over()
    enough = context.total >= context.planned_units if context.planned_units is not None else None
    details = {"period_over": over, "size_reached": enough}
    if over is None and enough is None:
        message = "no horizon is known, so the data are taken as complete"
        return CheckResult("peeking", "skipped", message, None, details, "needs a period with an end, or plan.units")
    if (over or enough) and context.open_share() > 0.5:
        share = wording.percent(context.open_share(), 0)
        message = f"the planned end is reached, but the window of {share} of {context.experiment.unit} is not over"
        return CheckResult("peeking", "warn", message, None, details, "export again when the last window has closed")
    if over or enough:
        reached = "the period is over" if over else "the planned size is reached"
        return CheckResult("peeking", "pass", f"{reached}: this is the planned time to look", None, details)
    return CheckResult("peeking", "warn", _early(context, over, enough), None, details, _HELP)


def _early(context: CheckContext, over: bool | None, enough: bool | None) -> str:
    missing = []
    if over is False:
        missing.append("the period is not over")
    if enough is False and context.planned_units is not None:
        planned = wording.count(context.planned_units)
        missing.append(f"{wording.count(context.total)} of {planned} planned {context.experiment.unit} are in")
    return f"this is an early look: {wording.joined(missing)}"
