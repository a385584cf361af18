"""**Whole weeks**: did every day of the week count equally often?

Looks at: the days from the first to the last exposure, in the timezone of the period; the declared period where the
data have no times. Warns when they are not a multiple of seven.

Why it matters: people buy and complain differently on a Sunday. Four weeks minus one day leave one weekday out once,
and a run of ten days counts three of them twice. Both arms suffer alike, so the comparison stays fair, but its size is
that of an odd mixture of days and need not hold in a normal week.

What to do now: before the end let the experiment run to the end of the week, or end the period (`period: {end: ...}`)
on the last day that completes one, and decide that before you look at the result. Afterwards plan whole weeks in the
next spec.
"""

from __future__ import annotations

from datetime import date, timedelta

from abcx import formatting
from abcx.checks.context import CheckContext, days_between
from abcx.checks.words import times_text
from abcx.results.readout import CheckResult

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def check(context: CheckContext) -> CheckResult:
    """Whether the days of exposures, or of the period, are whole weeks."""
    exposed = context.exposed_days()
    span = exposed or context.declared_days()
    if span is None:
        return CheckResult(
            "whole_weeks", "skipped", "The days of the test are unknown.", help="needs times, or a period"
        )
    first, last = span
    days = days_between(first, last)
    weeks, extra_days = divmod(days, 7)
    details = {"first": first.isoformat(), "last": last.isoformat(), "days": days, "declared": exposed is None}
    what = "The test ran" if exposed else "The period has"
    dates = first.isoformat() if days == 1 else f"{first.isoformat()} to {last.isoformat()}"
    if not extra_days:
        message = f"{what} {formatting.plural(weeks, 'whole weeks')} ({dates})."
        return CheckResult("whole_weeks", "pass", message, None, details)
    message = (
        f"{what} {formatting.plural(days, 'days')} ({dates}): {_weekdays(first, weeks, extra_days)}. "
        "Weekday habits do not average out."
    )
    return CheckResult("whole_weeks", "warn", message, None, details, _help(context, last, weeks, extra_days))


def _weekdays(first: date, weeks: int, extra_days: int) -> str:
    """How often the days of the week came, the few that differ from the others first."""
    if not weeks:
        return "less than one week"
    often = [_WEEKDAYS[(first.weekday() + i) % 7] for i in range(extra_days)]
    seldom = [day for day in _WEEKDAYS if day not in often]
    few, n, rest = (often, weeks + 1, weeks) if len(often) < len(seldom) else (seldom, weeks, weeks + 1)
    days = formatting.joined(sorted(few, key=_WEEKDAYS.index))
    return f"{days} came {times_text(n)}, the other days {times_text(rest)}"


def _help(context: CheckContext, last: date, weeks: int, extra_days: int) -> str:
    """How to get whole weeks: before the end by the end of the week, afterwards only in the next experiment."""
    if context.end.reached:
        return "Plan whole weeks in the next spec: `period: {start: ..., end: ...}`"
    help = f"Run to {(last + timedelta(days=7 - extra_days)).isoformat()}, so that every weekday counts equally often"
    return f"{help}, or end the period on {(last - timedelta(days=extra_days)).isoformat()}" if weeks else help
