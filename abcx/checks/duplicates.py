"""**Duplicates**: is the same thing in the data twice?

Looks at: events that repeat an `id` (the earliest counts, once; the message says how many of these ids have rows that
differ in time or value), events that repeat another row in unit, time and all that the metrics read, and units with
several rows in a file of one row per unit. Warns when there are any. Equal rows are kept, because two equal purchases
in one second are possible; a source that says `duplicates: drop` keeps the first of them, and the report says by arm
how many were left out.

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
    observed = context.observed
    counts = {
        "ids": observed.repeated_ids,
        "rows": observed.repeated_rows,
        "removed": observed.removed_rows,
        "units": observed.duplicate_units,
        "changed": None if observed.repeated_ids is None else observed.changed_ids,
    }
    if all(n is None for n in counts.values()):
        help = "needs events with times or ids, or one row per unit"
        return CheckResult("duplicates", "skipped", "the data do not tell", help=help)
    clauses = []
    if observed.repeated_ids:
        clauses.append(
            f"{formatting.plural(observed.repeated_ids, 'events')} "
            f"repeat{'s' if observed.repeated_ids == 1 else ''} an id: the earliest of each counts"
        )
    if observed.changed_ids:
        ids = formatting.plural(observed.changed_ids, "ids")
        clauses.append(f"{ids} on rows that differ in time or value, of which one row counts")
    description = "duplicating another (same unit, time, event, value)"
    if observed.removed_rows:
        clauses.append(
            f"{formatting.plural(observed.removed_rows, 'events')} {description}, left out (`duplicates: drop`)"
        )
    if observed.repeated_rows:
        clauses.append(f"{formatting.plural(observed.repeated_rows, 'events')} {description}, kept")
    if observed.duplicate_units:
        clauses.append(f"{context.noun(observed.duplicate_units)} on several rows, taken as `duplicates` says")
    if not clauses:
        return CheckResult("duplicates", "pass", "nothing is in the data twice", None, counts)
    return CheckResult("duplicates", "warn", "; ".join(clauses), None, counts, _help(context))


def _help(context: CheckContext) -> str:
    observed = context.observed
    if observed.repeated_rows and observed.repeated_ids is None:
        return "name the events' id column (`columns: {id: ...}`), so that an event that was exported twice counts once"
    if observed.repeated_rows:
        return "these rows have no id or ids of their own: check that nothing was exported twice"
    return "find out why they are there: an export that was run twice, a join that repeats rows"
