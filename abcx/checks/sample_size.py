"""**Sample size**: are there as many units as were planned?

Looks at: units analysed, all arms together, against the planned number: `plan.units`, or the number that the primary
metric needs to find its `minimum_effect` with the planned `power`. Warns when units are missing.

Why it matters: with fewer units than planned, an effect that is there is easily missed, and one that is found is likely
to be overstated: only the lucky draws reach significance.

What to do now: keep the experiment running. If the traffic will never be enough, test a bolder change, choose a metric
that moves more, or accept that only a larger effect can be found and say so before you look.
"""

from __future__ import annotations

import math

from abcx import wording
from abcx.checks.context import CheckContext
from abcx.results import CheckResult


def check(context: CheckContext) -> CheckResult:
    """Units against the planned number."""
    planned, source = context.planned_units, context.planned_from
    if planned is None:
        help = "needs plan.units, or a minimum_effect of the primary metric"
        return CheckResult("sample_size", "skipped", "no size was planned", help=help)
    missing = max(planned - context.total, 0)
    details = {"units": context.total, "planned": planned, "missing": missing, "planned_from": source}
    origin = f" (by {source})" if source else ""
    counts = f"{wording.count(context.total)} of {wording.count(planned)}"
    message = f"{counts} planned {context.experiment.unit} are in{origin}"
    if not missing:
        return CheckResult("sample_size", "pass", message, None, details)
    message += f": {context.noun(missing)} {'is' if missing == 1 else 'are'} missing"
    per_day = context.experiment.plan.units_per_day
    if per_day and missing / per_day < 1e6:
        message += f", about {wording.plural(math.ceil(missing / per_day), 'days')} at the planned traffic"
    help = "keep the experiment running; a result from fewer units misses effects and overstates those it finds"
    return CheckResult("sample_size", "warn", message, None, details, help)
