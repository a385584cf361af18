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
from abcx.results.readout import CheckResult


def check(context: CheckContext) -> CheckResult:
    """Whether the days of exposures, or of the period, are whole weeks."""
    exposed = context.exposed_days()
    span = exposed or context.declared_days()
    if span is None:
        return CheckResult("whole_weeks", "skipped", "no days are known", help="needs times, or a period")
    first, last = span
    days = days_between(first, last)
    weeks, extra_days = divmod(days, 7)
    details = {"first": first.isoformat(), "last": last.isoformat(), "days": days, "declared": exposed is None}
    what = "exposures cover" if exposed else "the period has"
    dates = first.isoformat() if days == 1 else f"{first.isoformat()} to {last.isoformat()}"
    if not extra_days:
        message = f"{what} {formatting.plural(weeks, 'whole weeks')}, {dates}"
        return CheckResult("whole_weeks", "pass", message, None, details)
    split = (
        f"{formatting.plural(weeks, 'weeks')} and {formatting.plural(extra_days, 'days')}"
        if weeks
        else "less than one week"
    )
    message = f"{what} {formatting.plural(days, 'days')}, {dates}: {split}, so weekdays do not count alike"
    return CheckResult("whole_weeks", "warn", message, None, details, _help(context, last, weeks, extra_days))


def _help(context: CheckContext, last: date, weeks: int, extra_days: int) -> str:
    """How to get whole weeks: before the end by the end of the week, afterwards only in the next experiment."""
    if context.end.reached:
        return "plan whole weeks in the next spec: period: {start: ..., end: ...}"
    help = f"run to {(last + timedelta(days=7 - extra_days)).isoformat()}, so that every weekday counts equally often"
    return f"{help}, or end the period on {(last - timedelta(days=extra_days)).isoformat()}" if weeks else help
