"""**Duplicates**: is the same thing in the data twice?

Looks at: events whose `id` was read before (counted once; how many ids stand on rows with another time or value is
said), events that repeat another row in unit, time and all that the metrics read, and units that stand on several rows
of a file with one row per unit. Warns when there are any. Equal rows are kept, because two equal purchases in one
second are possible; a source that says `duplicates: drop` keeps the first of them, and the report says by arm how many
were left out.

Why it matters: an export that was run twice doubles revenue and, worse, often only for the days or the arm that were
exported again. A conversion does not notice, a mean or a ratio does.

What to do now: name the column that identifies an event (`columns: {id: order_id}`), so that repeats are counted once.
Where there is none and equal rows cannot be meant, write `duplicates: drop` in the source of the events.
For units on several rows say what is meant by `duplicates: first | last | sum`, and find out why they are there.
"""

from __future__ import annotations

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.results.readout import CheckResult


def check(context: CheckContext) -> CheckResult:
    """Repeated ids, repeated rows and repeated units."""
    seen = context.observed
    found = {
        "ids": seen.repeated_ids,
        "rows": seen.repeated_rows,
        "removed": seen.removed_rows,
        "units": seen.duplicate_units,
        "changed": None if seen.repeated_ids is None else seen.changed_ids,
    }
    if all(n is None for n in found.values()):
        help = "needs events with times or ids, or one row per unit"
        return CheckResult("duplicates", "skipped", "the data do not tell", help=help)
    clauses = []
    if seen.repeated_ids:
        clauses.append(f"{formatting.plural(seen.repeated_ids, 'events')} with an id that was read before, left out")
    if seen.changed_ids:
        ids = formatting.plural(seen.changed_ids, "ids")
        clauses.append(f"{ids} on rows that differ in time or value, of which one row counts")
    alike = "duplicating another (same unit, time, event, value)"
    if seen.removed_rows:
        clauses.append(f"{formatting.plural(seen.removed_rows, 'events')} {alike}, left out (`duplicates: drop`)")
    if seen.repeated_rows:
        clauses.append(f"{formatting.plural(seen.repeated_rows, 'events')} {alike}, kept")
    if seen.duplicate_units:
        clauses.append(f"{context.noun(seen.duplicate_units)} on several rows, taken as `duplicates` says")
    if not clauses:
        return CheckResult("duplicates", "pass", "nothing is in the data twice", None, found)
    return CheckResult("duplicates", "warn", "; ".join(clauses), None, found, _help(context))


def _help(context: CheckContext) -> str:
    seen = context.observed
    if seen.repeated_rows and seen.repeated_ids is None:
        return "name the events' id column (`columns: {id: ...}`), so that an event that was exported twice counts once"
    if seen.repeated_rows:
        return "these rows have no id or ids of their own: check that nothing was exported twice"
    return "find out why they are there: an export that was run twice, a join that repeats rows"
