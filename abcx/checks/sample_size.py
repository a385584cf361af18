"""**Sample size**: are there as many units as were planned?

Looks at: units whose follow-up is over, all arms together, against the declared number: `plan.units`, or the number
that a declared `plan.baseline` needs to find the `minimum_effect` with the planned `power`. Warns when units are
missing, and where a primary metric has no smallest effect worth having. Where no size was declared, the report names
the size that the control as observed would need; that decides nothing.

Why it matters: with fewer units than planned, an effect that is there is easily missed, and one that is found is likely
to be overstated: only the lucky draws reach significance. Without a smallest effect worth having a gain too small to
matter counts as a win, and "no benefit" can never be concluded.

What to do now: keep the experiment running until its declared end. If the traffic will never be enough, test a bolder
change, choose a metric that moves more, or accept that only a larger effect can be found and say so before you look.
"""

from __future__ import annotations

import math
from typing import Any

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import sentences
from abcx.metrics import MetricSpec
from abcx.results.readout import CheckResult

_RISK = "With too few, real effects are missed and those that show are overstated."


def check(context: CheckContext) -> CheckResult:
    """Units against the planned number, and whether the spec says which effect is worth having."""
    open_ended = [name for name, m in context.experiment.metrics.items() if m.role == "primary" and not _sized(m)]
    size = _size(context)
    if open_ended:
        message = (
            f"No smallest effect worth having is declared for {context.titles(open_ended)}. Any gain, however small, "
            "counts as a win."
        )
        help = "Write it in the next spec, before you look: `minimum_effect: 5%`"
        details = {**(size.details or {}), "without_minimum_effect": open_ended}
        if size.status == "warn":
            message = f"{message} {size.message.removesuffix(_RISK).strip()}"
            help = f"{help}. {size.help}"
        return CheckResult("sample_size", "warn", message, None, details, help)
    return size


def _size(context: CheckContext) -> CheckResult:
    """Followed units against the planned number."""
    planned, source, followed = context.planned.units, context.planned.source, context.end.followed
    if planned is None:
        help = "needs plan.units, or plan.baseline beside a minimum_effect"
        return CheckResult("sample_size", "skipped", "No size was declared.", help=help)
    missing = max(planned - followed, 0)
    details: dict[str, Any] = {"units": context.total, "followed": followed, "planned": planned, "missing": missing}
    details["planned_from"] = source.code if source else None
    counts = f"{formatting.count(followed)} of {formatting.count(planned)}"
    message = f"{counts} planned {context.experiment.unit} are followed"
    if not missing:
        return CheckResult("sample_size", "pass", sentences(message), None, details)
    if context.end.reached:
        message = sentences(f"{message}, and the declared end has come", _RISK)
        help = "Plan a longer period in the next spec, or a larger `minimum_effect`"
        return CheckResult("sample_size", "warn", message, None, details, help)
    message += f": {context.noun(missing)} {'is' if missing == 1 else 'are'} missing"
    per_day = context.experiment.plan.units_per_day
    if per_day and missing / per_day < 1e6:
        message += f", about {formatting.plural(math.ceil(missing / per_day), 'days')} at the planned traffic"
    help = "Keep the test running until its declared end"
    return CheckResult("sample_size", "warn", sentences(message, _RISK), None, details, help)


def _sized(metric: MetricSpec) -> bool:
    """Whether a primary says what counts: an effect worth having, or a margin of harm."""
    return metric.minimum_effect is not None or metric.margin is not None
