"""**Peeking**: is the result read at its time, and once?

Looks at: whether the declared end is reached: the period with the follow-up of its last units, or as many followed
units as were planned. Warns before that where no plan for repeated looks is declared, where nothing was declared at
all, and where a planned size was passed by more than a tenth and the data have no times. (Where they have, the verdict
is that of the day on which the size was reached.)

Why it matters: p-values and intervals hold for one look, at a moment that was fixed beforehand. Who looks every day
for four weeks and stops at the first p below .05 finds an "effect" in about one of four experiments that have none. A
test whose end nobody declared, read daily until it is clear, gives a false verdict in about 13 of 100. Before the end
only harm is judged, by a test that holds at every look.

What to do now: treat early figures as a check that everything is logged, not as a result. Wait for the planned end. In
the next spec declare it (`period: {end: ...}` or `plan: {units: ...}`), or plan the looks (`analysis: {monitoring: ...}`).
"""  # noqa: E501

from __future__ import annotations

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import sentences
from abcx.planning.planned_end import OVERRUN
from abcx.results.readout import CheckResult

_EARLY = "Use it to see that everything is logged, and read the result at the declared end"
_NEXT = "Declare the end in the next spec before you look: `period: {end: ...}` or `plan: {units: ...}`"
_LOOKS = "plan repeated looks in the next spec (`analysis: {monitoring: always_valid}`)"


def check(context: CheckContext) -> CheckResult:
    """Whether the declared end is reached."""
    end = context.end
    if context.experiment.analysis.monitoring != "fixed":
        message = "Repeated looks are planned, and the intervals allow for them."
        return CheckResult("peeking", "pass", message)
    details = {
        "declared": end.declared,
        "reached": end.reached,
        "day": end.day.isoformat() if end.day else None,
        "followed": end.followed,
        "planned": end.planned,
    }
    if not end.reached and end.declared != "window":
        message = sentences(
            f"this is an early look: {_missing(context)}", "results read before the end are false far more often"
        )
        return CheckResult("peeking", "warn", message, None, details, _EARLY)
    if end.declared in ("window", "data"):
        message = (
            "No end was declared: the figures hold only if they are read once. Read again and again until they look "
            "clear, such tests give 13% false verdicts."
        )
        return CheckResult("peeking", "warn", message, None, details, _NEXT)
    not_replayed = context.observed.as_of is None or end.overrun_day is not None
    if not_replayed and end.declared == "size" and end.planned is not None and end.followed > OVERRUN * end.planned:
        over = formatting.percent(end.followed / end.planned - 1, 0)
        message = (
            f"The planned size was passed by {over}: the test was to be read at {context.noun(end.planned)}. "
            "A result read at a moment of one's choice is false more often."
        )
        help = f"Read the next test when it has {formatting.count(end.planned)} {context.experiment.unit}, or {_LOOKS}"
        return CheckResult("peeking", "warn", message, None, details, help)
    reached = "The declared period is over" if end.declared == "period" else "The planned size is reached"
    return CheckResult("peeking", "pass", f"{reached}: this is the planned time to look.", None, details)


def _missing(context: CheckContext) -> str:
    end = context.end
    if end.declared == "size" and end.planned is not None:
        planned = formatting.count(end.planned)
        return f"{formatting.count(end.followed)} of {planned} planned {context.experiment.unit} are followed"
    return f"the declared end is {end.day.isoformat()}" if end.day else "the declared end is not reached"
