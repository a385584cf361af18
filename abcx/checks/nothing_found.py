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

from collections.abc import Iterator

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import SHOWN, capital, sentences
from abcx.data.records import Unfound
from abcx.results.readout import CheckResult


def check(context: CheckContext) -> CheckResult:
    """Conditions and values of the spec that match no row."""
    if context.observed.kind == "counts":
        return CheckResult(
            "nothing_found", "skipped", "Counts have no rows to look through.", help="needs rows, not counts"
        )
    unfound = context.observed.nothing_found
    records = [
        {"place": condition.where, "asked": condition.asked, "seen": list(condition.seen), "cure": condition.cure}
        for condition in unfound
    ]
    details = {"found": records}
    if not unfound:
        return CheckResult("nothing_found", "pass", "All that the spec asks for is in the data.", None, details)
    parts = [part for condition in unfound[:SHOWN] for part in _clauses(context, condition)]
    if len(unfound) > SHOWN:
        parts.append(f"{len(unfound) - SHOWN} more conditions fit no row")
    help = ". ".join(dict.fromkeys(_help(condition) for condition in unfound[:SHOWN]))
    return CheckResult("nothing_found", "warn", sentences(*parts), None, details, help)


def _clauses(context: CheckContext, condition: Unfound) -> Iterator[str]:
    """What no row has, what follows from that, and what the rows have instead."""
    kind, _, rest = condition.where.partition(".")
    name = rest.rpartition(".")[2]
    if kind == "data" and ".exclude." in condition.where:
        yield f"no row fits the exclusion '{name}' ({condition.asked}), so it leaves nothing out"
    elif kind == "metrics":
        yield f"no event fits the condition of {context.title(rest.removesuffix('.where'))} ({condition.asked})"
    elif kind == "exposure":
        yield f"no event fits the condition of the exposure ({condition.asked}), so nobody is exposed"
    elif kind == "arms":
        yield f"no row has one of the labels of {rest.removesuffix('.labels')} ({condition.asked})"
    elif kind == "data":
        yield f"no row fits the condition of the file ({condition.asked}), so nothing is read from it"
    else:
        yield f"'{name}' is empty for every {context.one_unit}, so it cannot be used"
    if condition.seen:
        values = formatting.joined([repr(value[:60]) if value else "empty cells" for value in condition.seen])
        yield f"the data have {values} instead"


def _help(condition: Unfound) -> str:
    """How to write what is likely meant, and where in the spec."""
    if condition.cure is not None:
        cells, _, written = condition.cure.partition("; write ")
        return f"Write `{written}` in `{condition.where}`: {cells}" if written else capital(condition.cure)
    if condition.where.startswith(("segments.", "analysis.")):
        return f"Compare `{condition.where}` with the columns of the data"
    return f"Compare `{condition.where}` with the cells, letter by letter"
