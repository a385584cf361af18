"""What to do next: one to three sentences from the verdict, its warnings and the plan."""

from __future__ import annotations

from abcx import formatting
from abcx.formatting import clean
from abcx.report import sentences
from abcx.report.fragments import inline, sentence
from abcx.report.monitoring import share_of_plan
from abcx.results.metric import Comparison, MetricResult
from abcx.results.readout import CheckResult, Results, Verdict

MOST = 3
_BEFORE_ACTING = {
    "one_sided": None,
    "srm": None,
    "too_good": "Before that: look for double tracking, a broken control, bots and price changes.",
    "outliers": "Before you quote an amount: look at the largest values one by one.",
}
"""Checks whose cure comes before the step that the verdict asks for, most important first; None: their own help."""
_WORSE = ("secondary_harm", "worse_within_margin")
"""Warnings about a metric that got worse and does not decide."""


def next_steps(results: Results, verdict: Verdict | None = None) -> tuple[str, ...]:
    """At most three imperatives about a variant; the headline's by default."""
    verdict = verdict or results.verdict
    steps = {
        "INVALID": _invalid,
        "KEEP RUNNING": _keep_running,
        "SHIP": _ship,
        "DO NOT SHIP": _do_not_ship,
        "INCONCLUSIVE": _inconclusive,
    }[verdict.verdict](results, verdict)
    if verdict.verdict in ("SHIP", "INCONCLUSIVE"):
        steps += _care(results, verdict)
    return tuple(dict.fromkeys(steps))[:MOST]


def _invalid(results: Results, verdict: Verdict) -> list[str]:
    failed = [
        check for check in results.checks if check.status == "fail" and verdict.arm in (check.arms or [verdict.arm])
    ]
    cures = [sentence(check.help) for check in failed if check.help]
    return [*cures[:2], "Do not use these figures; analyze again when the cause is found."]


def _keep_running(results: Results, verdict: Verdict) -> list[str]:
    longer = sentences.more_needed(verdict, results.setup)
    never = any(reason.values.get("out_of_reach") for reason in verdict.reasons)
    steps = [f"Keep the test running {longer}." if longer else "Keep the test running."]
    if never:
        steps.append("This traffic cannot answer the question within a year: look for a larger effect or more traffic.")
    monitoring = results.monitoring
    if monitoring.rule == "group_sequential" and monitoring.next_look:
        return [
            *steps,
            f"The next planned look comes at {share_of_plan(monitoring.next_look)}; nothing is decided before.",
        ]
    return [*steps, "Do not stop early because of a good figure: figures swing before the end."]


def _ship(results: Results, verdict: Verdict) -> list[str]:
    arm = clean(verdict.arm)
    winners = [
        sentences.expected(metric, comparison)
        for metric, comparison in _of(results, verdict, "primary")
        if comparison.status == "better"
    ]
    expected = next(filter(None, winners), "")
    steps = [f"Ship {arm}: expect {expected}." if expected else f"Ship {arm}."]
    worse = [inline(results[w.metric]) for w in verdict.warnings if w.code in _WORSE and w.metric is not None]
    names = formatting.joined(worse) if len(worse) < 3 else f"{len(worse)} other metrics"
    return [*steps, *([f"Before that: decide whether you accept that {names} got worse."] if worse else [])]


def _do_not_ship(results: Results, verdict: Verdict) -> list[str]:
    arm, control = clean(verdict.arm), clean(results.control.name)
    codes = {reason.code for reason in verdict.reasons}
    harmed = [m for m, c in _of(results, verdict) if c.status == ("harmed" if m.role == "guardrail" else "worse")]
    worst = [m for m in harmed if m.role in ("primary", "guardrail")]
    if codes & {"primary_harm", "guardrail_harm"} and worst:
        names = inline(worst[0]) if len(worst) == 1 else f"{inline(worst[0])} and {inline(worst[1])}"
        segmented = next((m.segments for m in worst if m.segments), ())
        by = f", by {' and '.join(clean(segment.name) for segment in segmented[:2])}" if segmented else ""
        return [f"Stop {arm} and keep {control}.", f"Look at where {names} got worse{by}, before you try again."]
    least = "the effect that would be worth having is ruled out"
    return [f"Keep {control}: {least}.", "Do not run the same test again; try a bolder change."]


def _inconclusive(results: Results, verdict: Verdict) -> list[str]:
    unresolved = [inline(m) for m, c in _of(results, verdict) if c.status == "unresolved" or c.margin_state == "open"]
    open_end = {reason.code for reason in verdict.reasons} & {"guardrail_unresolved", "margin_open"}
    steps = [f"Keep {clean(results.control.name)} for now: these data do not decide."]
    if open_end and unresolved:
        steps = [f"Do not ship yet: find out what happens to {unresolved[0]}."]
    return [*steps, *filter(None, [sentences.new_run(verdict, results.setup)])]


def _care(results: Results, verdict: Verdict) -> list[str]:
    """The cure of the warning that matters most before acting."""
    warned = {warning.values.get("check") for warning in verdict.warnings}
    by_code: dict[str, CheckResult] = {check.code: check for check in results.checks if check.status == "warn"}
    first = next((by_code[code] for code in _BEFORE_ACTING if code in by_code and code in warned), None)
    if first is None or not first.help:
        return []
    if (step := _BEFORE_ACTING[first.code]) is not None:
        return [step]
    return [f"Before that: {first.help[:1].lower()}{sentence(first.help)[1:]}"]


def _of(results: Results, verdict: Verdict, role: str | None = None) -> list[tuple[MetricResult, Comparison]]:
    pairs = [(metric, c) for metric in results.metrics for c in metric.comparisons if c.arm == verdict.arm]
    return [pair for pair in pairs if role is None or pair[0].role == role]
