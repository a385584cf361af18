"""**Follow-up**: was every unit watched for its whole window?

Looks at: units whose window after first exposure was not over when the data end, for every metric with a window. Warns
when there are any.

Why it matters: a visitor who came two days before the export had two days to buy, not fourteen. Values are then too low
in all arms, and if the change makes customers act sooner it looks like an improvement that it is not.

What to do now: export again when the last window has closed (the message names the day), or stop the exposures earlier
by `period: {end: ...}`, so that all who count had their full window.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from abcx import wording
from abcx.checks.context import CheckContext
from abcx.checks.words import share_text
from abcx.results import CheckResult
from abcx.terms import DurationValue


def check(context: CheckContext) -> CheckResult:
    """Units whose window was still open at the data cut, per metric."""
    windows = {name: window for name in context.experiment.metrics if (window := _window(context, name))}
    if not windows or context.observed.as_of is None:
        help = "needs a window" if not windows else "needs exposures with times"
        return CheckResult("follow_up", "skipped", "no window was followed", help=help)
    open_units = {name: sum(context.data(name).incomplete.values()) for name in windows}
    metrics: dict[str, Any] = {
        name: {
            "window": windows[name].text,
            "units": dict(context.data(name).incomplete),
            "total": n,
            "share": n / context.total if context.total else 0.0,
        }
        for name, n in open_units.items()
    }
    late = {name: n for name, n in open_units.items() if n}
    if not late:
        longest = max(windows.values(), key=lambda window: window.seconds).text
        message = f"all {context.noun(context.total)} were followed for their whole window of {longest}"
        return CheckResult("follow_up", "pass", message, None, {"metrics": metrics})
    message = _sentence(context, late, windows)
    return CheckResult("follow_up", "warn", message, None, {"metrics": metrics}, _help(context, late, windows))


def _window(context: CheckContext, name: str) -> DurationValue | None:
    """The window in which a metric's events count; None where it leaves out or censors units that came too late."""
    metric = context.experiment.metrics[name]
    needs = metric.needs()
    if needs.tickets is None and needs.summary == "lifetimes":
        return None
    if any(column.followed is not None for column in needs.columns):
        return None
    if needs.tickets is None and all(column.term.column is not None for column in needs.columns):
        return None
    return metric.window or context.experiment.window


def _sentence(context: CheckContext, late: dict[str, int], windows: dict[str, DurationValue]) -> str:
    """Metrics with the same window and count share a clause."""
    groups: dict[tuple[str, int], list[str]] = {}
    for name, n in late.items():
        groups.setdefault((windows[name].text, n), []).append(name)
    clauses = []
    for (window, n), names in groups.items():
        share = share_text(n / context.total) if context.total else "all"
        all_metrics = len(names) == len(context.experiment.metrics)
        of = "" if all_metrics else f" of {wording.joined(names)}"
        clauses.append(f"{context.noun(n)} ({share}) came too late for the full window of {window}{of}")
    return "; ".join(clauses)


def _help(context: CheckContext, late: dict[str, int], windows: dict[str, DurationValue]) -> str:
    last = context.observed.last_exposure
    when = ""
    if last is not None:
        longest = max(windows[name].seconds for name in late)
        closed = context.local(last + longest * 1_000_000).date() + timedelta(days=1)  # some time on the day before
        when = f" from {closed.isoformat()} on"
    return f"export again{when}, when every window has closed"
