"""**Ids of units**: does every unit have one id, and every id one unit?

Looks at: ids of units that are not in the analysis and differ from one that is by their spelling alone (upper and lower
case, leading zeros, a `.0` at the end, braces or quotes, dashes, spaces, a prefix such as `user_`); units of the
analysis whose ids differ from each other in these ways, where they are more than 0.1 % of an arm's; and a unit that has
more than 1 % of the rows and ten times the rows of the next. Spellings are compared in the first 200,000 rows of every
file.

Why it matters: what a unit did under another spelling of its id is lost, or counts for a second unit that did nothing
else. An id that stands for many people (a shared login, a kiosk, a word for "nobody") is one unit with the events of
all.

What to do now: write the ids alike in all files, or name a column that is the same in all. Leave out an id that is not
one unit: `exclude: {shared: {user_id: ID}}`, or list a word for no id under `null:`.
"""

from __future__ import annotations

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import sentences
from abcx.results.readout import CheckResult

MAX_SHARE_SPELLED_TWICE = 0.001
"""Up to this share of the units two spellings are not reported: ids may differ by case on purpose."""
MUCH, TIMES, ROWS = 0.01, 10, 100
"""A unit dominates when its rows exceed all three: this share of all rows, this multiple of the next unit's rows, and
this number."""


def check(context: CheckContext) -> CheckResult:
    """Ids that differ by spelling alone, and a single id with far more rows than any other."""
    observed = context.observed
    if observed.kind == "counts":
        return CheckResult("unit_ids", "skipped", "Counts have no ids.", help="needs rows of units, not counts")
    clauses, cures = [], []
    if observed.misspelled_ids:
        counts = formatting.joined([f"at least {count:,} by {how}" for how, count in observed.misspelled_ids.items()])
        unit = context.experiment.unit
        clauses.append(f"ids of {unit} are spelled differently from the exposures, {counts}")
        clauses.append(f"what these {unit} did is not counted")
        cures.append(
            "Write the ids alike in all files, or name a column that is the same in all (`columns: {unit: ...}`)"
        )
    if observed.spelled_twice > MAX_SHARE_SPELLED_TWICE * context.total:
        alike = "have an id that is another's in a different spelling (case, leading zeros, a final .0, dashes)"
        clauses.append(f"{context.noun(observed.spelled_twice)} {alike}")
        clauses.append(f"each counts as a {context.one_unit} of its own, so one may count twice")
        cures.append("Write each id in one way")
    busiest = observed.busiest
    if busiest and busiest.rows >= ROWS and busiest.rows > max(MUCH * busiest.all, TIMES * busiest.next):
        share = formatting.percent(busiest.rows / busiest.all, 0)
        of_all = f"{busiest.rows:,} of {busiest.all:,} rows ({share})"
        clauses.append(f"one of the {context.experiment.unit} has {of_all}, the next has {busiest.next:,}")
        clauses.append("many people may share its id, and it can move the averages")
        cures.append("Leave it out (`exclude`) if several people share this id")
    details = {
        "near_units": dict(observed.misspelled_ids),
        "spelled_twice": observed.spelled_twice,
        "most_rows": busiest.rows if busiest else None,
    }
    if not clauses:
        return CheckResult(
            "unit_ids", "pass", "No id stands out by its spelling or by its number of rows.", None, details
        )
    return CheckResult("unit_ids", "warn", sentences(*clauses), None, details, ". ".join(dict.fromkeys(cures)))
