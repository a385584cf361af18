"""**Nothing found**: does the spec ask for something that no row has?

Looks at: every `exclude` (of the spec, not of a preset) and `where` of a source, the `where` of metrics and of the
exposure, labels beside others of their arm, segments, strata and covariates. Warns where no row fits. An `exclude` does
not warn where only a range, an empty cell or the combination of several columns finds nothing: it is no mistake that no
order was too large.

Why it matters: `exclude: {staff: {is_staff: "yes"}}` leaves nobody out where the cells say `true`, and the report then
shows staff as customers. A value that the spec names and no row has is nearly always spelled differently in the data.

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
    """Conditions and values of the spec that match no row."""
    if context.observed.kind == "counts":
        return CheckResult("nothing_found", "skipped", "counts do not tell", help="needs rows, not counts")
    unfound = context.observed.nothing_found
    records = [
        {"place": condition.where, "asked": condition.asked, "seen": list(condition.seen), "cure": condition.cure}
        for condition in unfound
    ]
    details = {"found": records}
    if not unfound:
        return CheckResult("nothing_found", "pass", "all that the spec asks for is in the data", None, details)
    cures = [condition.cure for condition in unfound if condition.cure is not None]
    help = "; ".join(dict.fromkeys(cures)) or "compare the condition with the cells, letter by letter"
    return CheckResult("nothing_found", "warn", "; ".join(map(_sentence, unfound)), None, details, help)


def _sentence(condition: Unfound) -> str:
    there = formatting.joined([repr(value[:60]) if value else "empty cells" for value in condition.seen])
    return f"no row fits {condition.where} ({condition.asked})" + (f"; there are {there}" if there else "")
