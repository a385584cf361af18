"""**Nothing found**: does the spec ask for something that no row has?

Looks at: every `exclude` (of the spec, not of a preset) and `where` of a source, the `where` of metrics and of the
exposure, labels beside others of their arm, segments, strata and covariates. Warns where no row fits. An `exclude` may
find nothing by a range, an empty cell or several columns together: that no order was too large is no mistake.

Why it matters: `exclude: {staff: {is_staff: "yes"}}` leaves nobody out where the cells say `true`, and the report then
shows staff as customers. What is asked for and never found is nearly always spelled otherwise in the data.

What to do now: compare the condition with the values that are there, which the message lists (never ids of units), and
write it as the cells do. `true` and `false` without quotes fit yes, 1, t and their opposites, too. If the value can
occur and just did not yet, nothing is wrong.
"""

from __future__ import annotations

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.data.records import Unfound
from abcx.results.readout import CheckResult


def check(context: CheckContext) -> CheckResult:
    """What the spec asks for and no row has."""
    if context.observed.kind == "counts":
        return CheckResult("nothing_found", "skipped", "counts do not tell", help="needs rows, not counts")
    lost = context.observed.nothing_found
    found = [{"place": one.where, "asked": one.asked, "seen": list(one.seen), "cure": one.cure} for one in lost]
    details = {"found": found}
    if not lost:
        return CheckResult("nothing_found", "pass", "all that the spec asks for is in the data", None, details)
    cures = [one.cure for one in lost if one.cure is not None]
    help = "; ".join(dict.fromkeys(cures)) or "compare the condition with the cells, letter by letter"
    return CheckResult("nothing_found", "warn", "; ".join(map(_sentence, lost)), None, details, help)


def _sentence(one: Unfound) -> str:
    there = formatting.joined([repr(value[:60]) if value else "empty cells" for value in one.seen])
    return f"no row fits {one.where} ({one.asked})" + (f"; there are {there}" if there else "")
