"""**Crossover**: were units seen in more than one arm?

Looks at: how many units have rows in several arms, as a share of all exposed units, counted before those units are left
out. Fails above 1 % and warns above 0.1 %.

Why it matters: a visitor who saw both versions shows the effect of neither, so such units are left out. A few are
normal: cleared cookies, a second device, merged accounts. Many mean that the assignment does not stick, and the units
that are left are a selection: frequent visitors meet the second arm more often and vanish first.

What to do now: check that the assignment is stored per unit and that the unit in the data is the one that was
randomized (visitor, account). If rows were mislabeled rather than units shown two versions, define the arms by a rule
(`where:`) on the columns that say what was really shown.
"""

from __future__ import annotations

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import sentences, share_text
from abcx.results.readout import CheckResult, CheckStatus

FAIL = 0.01
WARN = 0.001


def check(context: CheckContext) -> CheckResult:
    """The share of exposed units that were seen in several arms."""
    both = context.observed.crossover
    if both is None:
        return CheckResult(
            "crossover",
            "skipped",
            "Counts do not say who was in several arms.",
            help="needs one row per unit, not counts",
        )
    exposed = context.total + both
    share = both / exposed if exposed else 0.0
    status: CheckStatus = "fail" if share > FAIL else "warn" if share > WARN else "pass"
    were = "was" if both == 1 else "were"
    of_all = f"{formatting.count(both)} of {context.noun(exposed)} ({share_text(share, FAIL, WARN)})"
    message = f"{of_all} {were} seen in several arms and {were} left out"
    rest = f"the {context.experiment.unit} that remain are a selection"
    if not both:
        message = f"no {context.one_unit} was seen in several arms ({formatting.count(exposed)} in all)"
    elif status == "fail":
        message = sentences(message, f"{rest}, so the arms cannot be compared")
    elif status == "warn":
        message = sentences(message, f"{rest}, which can distort the result")
    help = f"Check that every {context.one_unit} keeps the arm it was given (cookies, log-in, second device)"
    if not any(arm.where for arm in context.experiment.arms.values()):
        help += "; if rows are mislabeled, define the arms by a rule (`where:`)"
    details = {"units": both, "exposed": exposed, "share": share}
    return CheckResult("crossover", status, sentences(message), None, details, None if status == "pass" else help)
