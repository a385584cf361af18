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

from collections.abc import Iterator

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import sentences
from abcx.results.readout import CheckResult

_AS_DECLARED = "which count as the spec says"


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
        return CheckResult("duplicates", "skipped", "The data do not say what is in them twice.", help=help)
    message = sentences(*_clauses(context))
    if not message:
        return CheckResult("duplicates", "pass", "Nothing is in the data twice.", None, counts)
    return CheckResult("duplicates", "warn", message, None, counts, _help(context))


def _clauses(context: CheckContext) -> Iterator[str]:
    """What is in the data twice and how it counts, what distorts figures first."""
    observed = context.observed
    same = f"copies of another (same {context.one_unit}, time, event and value)"
    if n := observed.repeated_rows:
        yield f"{formatting.plural(n, 'events')} {_be(n, 'looks', 'look')} like {same}"
        yield f"{_be(n, 'it counts', 'they count')} all the same, so sums such as revenue may be too high"
    if n := observed.removed_rows:
        left_out = f"and {_be(n, 'was', 'were')} left out"
        yield f"{formatting.plural(n, 'events')} {_be(n, 'looks', 'look')} like {same} {left_out}"
    if n := observed.repeated_ids:
        yield f"{formatting.plural(n, 'events')} {_be(n, 'repeats', 'repeat')} an id: only the earliest of each counts"
    if n := observed.changed_ids:
        yield f"{formatting.plural(n, 'ids')} {_be(n, 'has', 'have')} rows that differ in time or value: one row counts"
    if n := observed.duplicate_units:
        yield f"{context.noun(n)} {_be(n, 'has', 'have')} several rows, {_taken(context)}"


def _taken(context: CheckContext) -> str:
    """How several rows of a unit count."""
    data = context.experiment.data
    declared = {source.duplicates for source in data.units} if data is not None else set()
    ways = {"first": "of which the first counts", "last": "of which the last counts", "sum": "which were added up"}
    return ways.get(str(next(iter(declared))), _AS_DECLARED) if len(declared) == 1 else _AS_DECLARED


def _be(n: int, one: str, several: str) -> str:
    return one if n == 1 else several


def _help(context: CheckContext) -> str:
    observed = context.observed
    if observed.repeated_rows and observed.repeated_ids is None:
        return (
            "Name the column that identifies an event (`columns: {id: ...}`), so that events exported twice count once"
        )
    if observed.repeated_rows:
        return "Check that nothing was exported twice: these rows have no id, or ids of their own"
    return "Find out why they are there: an export that was run twice, a join that repeats rows"
