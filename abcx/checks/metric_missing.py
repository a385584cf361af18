"""**Missing metric**: is there a metric of which the data know nothing?

Looks at: whether the events or the values of each metric occur anywhere in the data, and whether the metric has a value
in every arm that has units. Fails for a primary metric and warns for any other.

Why it matters: an event that is never logged reads as zero in both arms: "no difference", from data that never held the
answer. A metric without a value in one arm cannot be compared at all.

What to do now: compare the event's name in the spec with the names in the data, letter by letter, and its `where` with
the columns of the file. If the name is right, the tracking is missing: the experiment cannot answer its question from
this export.
"""

from __future__ import annotations

from abcx import wording
from abcx.checks.context import CheckContext
from abcx.results import CheckResult, CheckStatus


def check(context: CheckContext) -> CheckResult:
    """Whether every metric occurs in the data and has a value in every arm."""
    absent = {name: _absence(context, name) for name in context.experiment.metrics}
    found = {name: reason for name, reason in absent.items() if reason is not None}
    details = {"metrics": found}
    if not found:
        n = len(absent)
        message = f"{'the metric has' if n == 1 else f'all {n} metrics have'} values in every arm"
        return CheckResult("metric_missing", "pass", message, None, details)
    primary = [name for name in found if context.experiment.metrics[name].role == "primary"]
    status: CheckStatus = "fail" if primary else "warn"
    first = sorted(found, key=lambda name: name not in primary)
    message = "; ".join(f"{name} {found[name]}" for name in first)
    help = "compare the event's name, its `where` and the column with the data; if they are right, tracking is missing"
    return CheckResult("metric_missing", status, message, None, details, help)


def _absence(context: CheckContext, name: str) -> str | None:
    """Why a metric has no value; None where it has. Arms without units are the business of `missing_arm`."""
    metric, data = context.experiment.metrics[name], context.data(name)
    if not data.occurs:
        columns = metric.needs().columns
        nowhere = "event occurs" if any(column.term.event is not None for column in columns) else "value occurs"
        return f"has no value: its {nowhere} nowhere in the data"
    without = [
        arm
        for arm in context.experiment.arms
        if context.units(arm) and (arm not in data.summaries or metric.estimate(data.summaries[arm]) is None)
    ]
    return f"has no value in {wording.joined(without)}" if without else None
