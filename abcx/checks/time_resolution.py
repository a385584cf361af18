"""**Time resolution**: do dates blur what came before the exposure and after it?

Looks at: judged metrics with events or exposures that are written as dates, without times of day. They are compared by
day, so that the whole day of exposure counts as after it. With a window of N days, on average half a day of it, .5/N of
the window, lies before the exposure. Warns where a window has fewer than 7 days, where a metric has a margin, and
where a result changes without the day of exposure (the table of other analyses shows it).

Why it matters: what came before the exposure cannot be changed by it. Such events are alike in all arms and pull the
effect toward 0: a real effect looks smaller, and a harm seems to stay within its margin.

What to do now: export the times of day of exposures and of events, with their offset. Where the system knows dates
only, take a window of a week or more, and read the effect as a little too small.
"""

from __future__ import annotations

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import listed, sentences
from abcx.planning.planned_end import JUDGED
from abcx.results.readout import CheckResult

_LONG = 7
"""Days of a window of which half a day is about 7 %."""


def check(context: CheckContext) -> CheckResult:
    """Judged metrics that are read by day, with a short window or with a margin."""
    if not context.observed.by_day:
        help = "needs times that are written as dates"
        return CheckResult("time_resolution", "skipped", "No metric is made of dates without times of day.", help=help)
    metrics = context.experiment.metrics
    judged = [name for name in context.observed.by_day if metrics[name].role in JUDGED]
    days = {name: _days(context, name) for name in judged}
    shares = {name: 0.5 / n if n else None for name, n in days.items()}
    short = [name for name, n in days.items() if n and n < _LONG]
    tolerant = [name for name in judged if metrics[name].margin is not None and name not in short]
    changed = [name for name in judged if _changes(context, name)]
    details = {"metrics": shares, "changed": changed}
    if not short and not tolerant and not changed:
        message = "Dates without times of day are compared by day, which matters little for these metrics."
        return CheckResult("time_resolution", "pass", message, None, details)
    clauses = []
    if short:
        parts = [f"{formatting.percent(0.5 / (days[n] or 1), 1)} of the window of {context.title(n)}" for n in short]
        lie = "lies" if len(short) == 1 else "lie"
        clauses.append(f"times are dates only, so about {listed(parts)} {lie} before the exposure")
        clauses.append("effects look smaller than they are")
    if tolerant:
        may = f"{context.titles(tolerant)} may count events from before the exposure"
        clauses.append(f"{'' if short else 'times are dates only, so '}{may}, which can hide harm within the margin")
    if changed:
        clauses.append(f"without the day of exposure the result of {context.titles(changed)} changes")
    help = "Export exposures and events with their times of day"
    help += f", or take windows of {_LONG} days or more" if short else ""
    return CheckResult("time_resolution", "warn", sentences(*clauses), None, details, help)


def _changes(context: CheckContext, name: str) -> bool:
    """Whether a variant has another status (better, worse, safe, harmed) without the day of exposure than with it."""
    if name not in context.metrics or name not in context.without_first_day:
        return False
    results = context.metrics[name], context.without_first_day[name]
    with_it, without = ({comparison.arm: comparison.status for comparison in result.comparisons} for result in results)
    return with_it != without


def _days(context: CheckContext, name: str) -> float | None:
    """The window of a metric in days, or its own horizon; None where its events count to the end."""
    metric = context.experiment.metrics[name]
    span = metric.watch.horizon if metric.watch else metric.window or context.experiment.window
    return span.seconds / 86_400 if span is not None else None
