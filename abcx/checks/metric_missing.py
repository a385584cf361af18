"""**Missing metric**: is there a metric of which the data know nothing?

Looks at: whether the events or the values of each metric occur anywhere in the data, whether any of its events counts
for a unit of the analysis, and whether the metric has a value in every arm that has units. Fails for a primary metric
and warns for any other. So it does for events whose name differs from one in the spec by upper and lower case alone.
Warns of rows whose columns seem to be swapped: a number or a time as the name of the event, or the name of an event as
the unit (in the first 200,000 rows of every file).

Why it matters: an event that is never logged, or finds none of the units, reads as zero in both arms: "no difference",
from data that never held the answer. A metric without a value in one arm cannot be compared at all.

What to do now: compare the event's name in the spec with the names in the data, letter by letter, and its `where` with
the columns of the file. If the events are there and none counts, compare the ids of units in both files letter by
letter (see `unit_ids`), and their timezones: the report says what was left out. If all is right, the tracking
is missing: the experiment cannot answer its question from this export.
"""

from __future__ import annotations

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import SHOWN, sentences
from abcx.planning.planned_end import followed
from abcx.results.readout import CheckResult, CheckStatus

_UNCOUNTED = "is zero in every arm: its events are in the data, and none of them counts"


def check(context: CheckContext) -> CheckResult:
    """Whether every metric occurs in the data and has a value in every arm."""
    absent = {name: _absence(context, name) for name in context.experiment.metrics}
    reasons = {name: reason for name, reason in absent.items() if reason is not None}
    details = {"metrics": reasons}
    observed = context.observed
    misspelled = _misspelled_result(context) if observed.misspelled_events or observed.values_as_events else None
    if not reasons and misspelled is not None:
        return misspelled
    if not reasons:
        n = len(absent)
        message = f"{'The metric has' if n == 1 else f'All {n} metrics have'} values in every arm."
        return CheckResult("metric_missing", "pass", message, None, details)
    primary = [name for name in reasons if context.experiment.metrics[name].role == "primary"]
    status: CheckStatus = "fail" if primary else "warn"
    first = sorted(reasons, key=lambda name: name not in primary)
    clauses = [f"{context.title(name)} {reasons[name]}" for name in first[:SHOWN]]
    clauses += [f"so it is with {len(first) - SHOWN} more metrics"] * (len(first) > SHOWN)
    effect = "the test cannot be judged by it" if primary else "it cannot be compared"
    message = sentences(*clauses, effect if len(first) == 1 else effect.replace("it", "them"))
    help = "Compare the event's name, its `where` and the column with the data; if they are right, mend the tracking"
    if all(reason == _UNCOUNTED for reason in reasons.values()):
        unit = context.experiment.unit
        help = f"Compare the ids of {unit} in both files letter by letter, and their timezones; see what was left out"
    if misspelled is not None:
        status = "fail" if "fail" in (status, misspelled.status) else "warn"
        message, help, details = (
            f"{message} {misspelled.message}",
            misspelled.help or help,
            {**misspelled.details, **details},
        )
    return CheckResult("metric_missing", status, message, None, details, help, _variants(context, primary, misspelled))


def _variants(context: CheckContext, primary: list[str], misspelled: CheckResult | None) -> tuple[str, ...]:
    """The variants that cannot be judged because a primary has no value there alone; empty where it concerns all."""
    experiment = context.experiment
    lacking = {arm for name in primary for arm in _without_value(context, name) or experiment.arms}
    if experiment.control in lacking or (misspelled is not None and misspelled.status == "fail"):
        return ()
    return tuple(arm for arm in experiment.variants if arm in lacking)


def _misspelled_result(context: CheckContext) -> CheckResult:
    """Events that were ignored because they are spelled differently, or are in another column."""
    events = context.observed.misspelled_events
    status: CheckStatus = "warn"
    clauses, cures = [], []
    if events:
        primary = [metric for metric in context.experiment.metrics.values() if metric.role == "primary"]
        of_primary = {term.event for metric in primary for term in metric.needs().terms}
        status = "fail" if of_primary & {meant for _, meant in events} else "warn"
        names = formatting.joined([f"'{name[:60]}' (the spec has '{meant}')" for name, meant in events[:5]])
        clauses.append(f"events with a different spelling were ignored: {names}")
        clauses.append("the figures may be too low")
        cures.append(
            "Give one event one name in the data; if these are two events, make a descriptive metric of the other"
        )
    if values := context.observed.values_as_events:
        rows = formatting.plural(values, "rows")
        clauses.append(f"the columns of {rows} seem to be swapped: the event's name is a number, a time or an id")
        clauses.append("what they say is not counted")
        cures.append("Compare these rows with the header, and join no files whose columns differ in order")
    details = {"metrics": {}, "near": dict(events), "values_as_events": values}
    return CheckResult("metric_missing", status, sentences(*clauses), None, details, ". ".join(cures))


def _absence(context: CheckContext, name: str) -> str | None:
    """Why a metric has no value; None where it has. Arms without units are handled by `missing_arm`."""
    metric, data = context.experiment.metrics[name], context.data(name)
    if data.absent:
        events = formatting.joined([f"'{event}'" for event in data.absent])
        several = len(data.absent) > 1
        return f"has no value: its event{'s' if several else ''} {events} occur{'' if several else 's'} nowhere"
    without = _without_value(context, name)
    if without:
        return f"has no value in {formatting.joined(without)}"
    summed = [column for column in metric.needs().columns if column.term.event is not None]
    if not summed or any(column.kind not in ("happened", "count", "sum", "reached") for column in summed):
        return None
    if not followed(context.observed, name):
        return None
    counted = any(metric.estimate(data.summaries[arm]) for arm in context.experiment.arms if context.units(arm))
    return None if counted or not context.total else _UNCOUNTED


def _without_value(context: CheckContext, name: str) -> list[str]:
    """Arms whose units have no value of a metric; units that are not followed yet are not missing."""
    metric, data = context.experiment.metrics[name], context.data(name)
    watched = {arm: context.units(arm) - data.not_followed.get(arm, 0) for arm in context.experiment.arms}
    return [
        arm
        for arm, units in watched.items()
        if units > 0 and (arm not in data.summaries or metric.estimate(data.summaries[arm]) is None)
    ]
