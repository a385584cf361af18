"""**Duration**: did the experiment run as long as was declared, and long enough?

Looks at: whether the data reach the last day of the declared period, on how many of its days there are exposures, and
how long it is. Warns when the data stop early, when a finished period has exposures on fewer than nine of ten days, and
when the period is shorter than seven days. Skipped where no end is declared: the data are then taken as complete.

Why it matters: a test that is stopped when it looks good has stopped at a lucky moment. A test of a few days has seen a
few kinds of days, the most eager customers, and the novelty of the change.

What to do now: wait for the declared end and export again. If days without exposures were an outage, say so in the
report. Plan at least one whole week, better two.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from abcx import formatting
from abcx.checks.context import CheckContext, days_between
from abcx.checks.words import sentences
from abcx.results.readout import CheckResult

SHORTEST = 7
"""Days that an experiment should have at least."""
COVERED = 0.9
"""Share of the declared days on which exposures are expected."""


def check(context: CheckContext) -> CheckResult:
    """The declared period against the days in the data."""
    exposed = context.exposed_days()
    declared = _declared(context)
    if declared is None:
        return CheckResult(
            "duration", "skipped", "No end of the period is declared.", help="needs a period with an end"
        )
    first, last = declared
    days, exposed_days = days_between(first, last), _exposed_days(context, first, last)
    known = context.end.known or (exposed[1] if exposed else None)
    over = None if known is None else known >= last
    details: dict[str, Any] = {"declared_days": days, "exposed_days": exposed_days, "over": over}
    problems = _problems(known, last, days, exposed_days)
    if problems:
        help = "Wait for the declared end and export again" if over is False else "Plan whole weeks, at least one"
        if over and days >= SHORTEST:
            help = "Find out why there were no exposures on some days: an outage, an incomplete export, little traffic"
        return CheckResult("duration", "warn", sentences(*problems), None, details, help)
    state = "the data have no times, so it is taken as over" if over is None else "it is over"
    covered = f", with exposures on {formatting.count(exposed_days)} of them" if exposed_days is not None else ""
    message = f"The period has {formatting.plural(days, 'days')}{covered}, and ends on {last.isoformat()}: {state}."
    return CheckResult("duration", "pass", message, None, details)


def _declared(context: CheckContext) -> tuple[date, date] | None:
    """First and last declared day; the day of the first exposure stands in for a start that is not declared."""
    exposed, last = context.exposed_days(), context.last_day()
    return context.declared_days() or ((exposed[0], last) if exposed and last else None)


def _exposed_days(context: CheckContext, first: date, last: date) -> int | None:
    """Declared days on which there are exposures; None where the data have no days."""
    if context.observed.daily is None:
        return None
    days = [date.fromisoformat(day) for day, units in context.observed.daily if sum(units.values())]
    return sum(first <= day <= last for day in days)


def _problems(known: date | None, last: date, days: int, exposed_days: int | None) -> list[str]:
    """What is wrong with the days; `known` is the last day of the data, `last` that of the period."""
    problems = []
    if known is not None and known < last:
        problems.append(f"the data stop on {known.isoformat()}, before the period ends on {last.isoformat()}")
        missing = days_between(known, last) - 1
        problems.append(
            f"the last {formatting.plural(missing, 'days') if missing > 1 else 'day'} can change the result"
        )
    elif exposed_days is not None and exposed_days < COVERED * days:
        problems.append(
            f"there are exposures on only {formatting.count(exposed_days)} of {formatting.count(days)} declared days"
        )
        problems.append("the result leaves out what would have happened on the others")
    if days < SHORTEST:
        problems.append(f"the period has {formatting.plural(days, 'days')}, less than one week")
        problems.append("the result need not hold for the other weekdays")
    return problems
