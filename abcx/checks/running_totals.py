"""**Running totals**: are counts by day the counts of each day, or all counts so far?

Looks at: a counts file with a row for each arm and day, over at least 7 days. Warns where the units and all counts
never fall from one day to the next, in every arm, and have grown from the first day to the last.

Why it matters: running totals that are added up count the first day's units as often as there are days: seven days
make four times the units, and an interval of half the true width.

What to do now: compare a row with what one day can have. If the rows hold all counts so far, write `cumulative: true`
on the counts file: then the last row of each arm counts. If each row is a day that happens to have more than the one
before, as in a ramp-up, all is right.
"""

from __future__ import annotations

from abcx.checks.context import CheckContext
from abcx.results.readout import CheckResult


def check(context: CheckContext) -> CheckResult:
    """Counts by day that never fall."""
    observed = context.observed
    if observed.kind != "counts" or observed.daily is None:
        help = "needs a counts file with a row for each day"
        return CheckResult("running_totals", "skipped", "There are no counts by day.", help=help)
    if observed.never_fall is None:
        return CheckResult("running_totals", "pass", "The counts by day are not running totals.", None, {"days": 0})
    n, unit = observed.never_fall, context.experiment.unit
    message = (
        f"The counts never fall in {n} days, in any arm: they look like running totals. Added up, they would count the "
        f"{unit} of the first day {n} times."
    )
    help = "If each row holds all counts so far, write `cumulative: true` on the counts file"
    return CheckResult("running_totals", "warn", message, None, {"days": observed.never_fall}, help)
