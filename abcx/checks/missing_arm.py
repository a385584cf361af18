"""**Missing arm**: is there an arm that nobody saw?

Looks at: the number of units analyzed in each arm. Fails when an arm has none.

Why it matters: without units there is nothing to compare.

What to do now: usually the data spell the arm differently (add the spelling to `labels:`; the check `unknown_arm`
shows what was found), the export covers one arm only, or every unit of that arm fell outside the period or never met
the exposure event. The list of exclusions in the report says which.
"""

from __future__ import annotations

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.results.readout import CheckResult


def check(context: CheckContext) -> CheckResult:
    """Whether every arm has units."""
    units = {arm: context.units(arm) for arm in context.experiment.arms}
    empty = [arm for arm, n in units.items() if n <= 0]
    details = {"units": units}
    if not empty:
        counts = [f"{formatting.count(n)} in {arm}" for arm, n in units.items()]
        message = f"Every arm has {context.experiment.unit}: {formatting.joined(counts)}."
        return CheckResult("missing_arm", "pass", message, None, details)
    message = f"No {context.experiment.unit} are in {formatting.joined(empty, 'or')}. There is nothing to compare."
    help = (
        "Check how the data spell the arm (`labels:`), and why rows were left out: period, exposure event, several arms"
    )
    if context.observed.kind == "counts":
        help = f"Check the number of {context.experiment.unit} of that arm in the counts"
    return CheckResult("missing_arm", "fail", message, None, details, help)
