"""**Follow-up**: was every unit watched for its whole window?

Looks at: units whose window after first exposure was not over when the data end, for every metric with a window. They
do not count in that metric yet. Warns when there are any.

Why it matters: a visitor who came two days before the export had two days to buy, not fourteen. To count such a unit
would make a change that lets customers act sooner look like an improvement that it is not.

What to do now: export again when the last window has closed (the message names the day), or stop the exposures earlier
by `period: {end: ...}`, so that all who count had their full window.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import SHOWN, duration_text, sentences, share_text
from abcx.results.readout import CheckResult
from abcx.spec_types import DurationValue


def check(context: CheckContext) -> CheckResult:
    """Units whose window was still open at the data cut, per metric."""
    windows = {name: window for name in context.experiment.metrics if (window := _window(context, name))}
    if not windows or context.observed.as_of is None:
        help = "needs a window" if not windows else "needs exposures with times"
        return CheckResult("follow_up", "skipped", "No window was followed.", help=help)
    open_units = {name: sum(context.data(name).not_followed.values()) for name in windows}
    metrics: dict[str, Any] = {
        name: {
            "window": windows[name].text,
            "units": dict(context.data(name).not_followed),
            "total": n,
            "share": n / context.total if context.total else 0.0,
        }
        for name, n in open_units.items()
    }
    late = {name: n for name, n in open_units.items() if n}
    if not late:
        longest = duration_text(max(windows.values(), key=lambda window: window.seconds))
        message = f"All {context.noun(context.total)} were followed for their whole window of {longest}."
        return CheckResult("follow_up", "pass", message, None, {"metrics": metrics})
    message = _sentence(context, late, windows)
    return CheckResult("follow_up", "warn", message, None, {"metrics": metrics}, _help(context, late, windows))


def _window(context: CheckContext, name: str) -> DurationValue | None:
    """How long a unit must be watched to count in a metric; None where it counts at once, or its time is censored."""
    metric = context.experiment.metrics[name]
    needs = metric.needs()
    if needs.summary == "lifetimes" or all(column.term.column is not None for column in needs.columns):
        return None
    followed = [column.followed for column in needs.columns if column.followed is not None]
    return followed[0] if followed else metric.window or context.experiment.window


def _sentence(context: CheckContext, late: dict[str, int], windows: dict[str, DurationValue]) -> str:
    """Metrics with the same window and count share a clause."""
    groups: dict[tuple[str, int], list[str]] = {}
    for name, n in late.items():
        groups.setdefault((duration_text(windows[name]), n), []).append(name)
    clauses: list[str] = []
    for (window, n), names in groups.items():
        share = share_text(n / context.total) if context.total else "all"
        all_metrics = len(names) == len(context.experiment.metrics)
        of = "" if all_metrics else f" of {context.titles(names)}"
        came = "came too late to be followed for" if not clauses else "for"
        clauses.append(f"{context.noun(n)} ({share}) {came} the full {window}{of}")
    more = f" and others for {len(clauses) - SHOWN} more" if len(clauses) > SHOWN else ""
    what = formatting.joined(clauses[:SHOWN]) + more
    return sentences(what, "they are not counted yet, so the figures can still change")


def _help(context: CheckContext, late: dict[str, int], windows: dict[str, DurationValue]) -> str:
    last = context.observed.last_exposure
    when = ""
    if last is not None:
        longest = max(windows[name].seconds for name in late)
        closed = context.local(last + longest * 1_000_000).date() + timedelta(days=1)  # some time on the day before
        when = f" from {closed.isoformat()} on"
        if context.experiment.analysis.as_of is not None:
            return f"Set `as_of: {closed.isoformat()}` or later in `analysis`, when every window has closed"
    return f"Export again{when}, when every window has closed"
