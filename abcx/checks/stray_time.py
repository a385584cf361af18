"""**Stray time**: are a few rows dated long after all others?

Looks at: rows that are later than all others by more than 30 days while they are fewer than one in a thousand, or by
more than a year while they are fewer than one in twenty. They are left out and counted, and do not move the moment up
to which the data are known. Warns when there are any. Where the spec says `analysis: {as_of: ...}` later rows are left
out by that.

Why it matters: one row that is dated 2042 by mistake makes every unit look followed for years, so that retention falls
by half and nobody seems to churn any more.

What to do now: look at these rows. A year that was mistyped or a wrong clock: correct it where the data come from. If
they are right, and the export does reach that far, say so: `analysis: {as_of: ...}`.
"""

from __future__ import annotations

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import sentences
from abcx.results.readout import CheckResult


def check(context: CheckContext) -> CheckResult:
    """Rows that are dated long after all others."""
    observed = context.observed
    if observed.as_of is None:
        return CheckResult(
            "stray_time", "skipped", "The data have no times.", help="needs events or exposures with times"
        )
    parts = [exclusion for exclusion in observed.exclusions if exclusion.reason == "stray_time"]
    rows = sum(exclusion.rows or 0 for exclusion in parts)
    if not rows:
        return CheckResult("stray_time", "pass", "No row is dated long after all others.", None, {"rows": 0})
    are, were = ("is", "was") if rows == 1 else ("are", "were")
    what = f"{formatting.plural(rows, 'rows')} {are} dated more than 30 days after all others and {were} left out"
    message = sentences(what, f"the data are taken to end on {context.local(observed.as_of).date().isoformat()}")
    help = "Correct their dates at the source; if the data do reach that far, write `analysis: {as_of: ...}`"
    return CheckResult("stray_time", "warn", message, None, {"rows": rows}, help)
