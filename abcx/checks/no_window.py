"""**No window**: do early and late units have the same time to act?

Looks at: primary and guardrail metrics that are made of events and have no window, where exposures have times. Their
events count to the end of the period or of the data, so that a unit of the first day has weeks and one of the last day
has hours. Warns when there are any. The sensitivity table has the same metrics with the window that half of the units
had.

Why it matters: the figure then depends on when people came, and on the day of the export. It cannot be compared with
another test, and a change that makes customers act sooner looks like one that makes more of them act.

What to do now: read the row of the sensitivity table with a window. In the next spec write how long after exposure
events count: `window: 14d`.
"""

from __future__ import annotations

from abcx.checks.context import CheckContext
from abcx.planning.planned_end import JUDGED, follow_up_seconds
from abcx.results.readout import CheckResult


def check(context: CheckContext) -> CheckResult:
    """Judged metrics of events that have no window."""
    metrics = context.experiment.metrics
    of_events = [
        name
        for name, metric in metrics.items()
        if metric.role in JUDGED and any(column.term.event is not None for column in metric.needs().columns)
    ]
    timed = context.observed.first_exposure is not None and context.observed.before_exposure is not None
    if not of_events or not timed:
        help = "needs events and exposures with times" if of_events else "needs a judged metric made of events"
        return CheckResult("no_window", "skipped", "No window is needed.", help=help)
    without = [name for name in of_events if not follow_up_seconds(context.experiment, name)]
    if not without:
        return CheckResult("no_window", "pass", "Every metric that decides says how long events count.")
    their = "Its figures depend" if len(without) == 1 else "Their figures depend"
    message = (
        f"Early {context.experiment.unit} have more time to act than late ones, because {context.titles(without)} "
        f"{'has' if len(without) == 1 else 'have'} no time limit. {their} on the day of the export."
    )
    help = "In the next spec write how long after exposure events count: `window: 14d`"
    return CheckResult("no_window", "warn", message, None, {"metrics": without}, help)
