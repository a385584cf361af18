"""The verdict on every variant: the states that the verdict table (decision.py) decides on, and its
reasons as codes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from abcx.analysis.claims import direction, excludes_minimum
from abcx.analysis.decision import Because, Effect, Guardrail, Minimum, Primary, Run, decide
from abcx.notes import Value
from abcx.planning.planned_end import PlannedEnd
from abcx.results.metric import Comparison, MetricResult
from abcx.results.readout import CheckResult, Reason, Verdict

HOPELESS_DAYS = 365
"""If the size would take longer than this at the present traffic, the report says that this traffic cannot answer the
question.
"""

_ORDER = ("SHIP", "KEEP RUNNING", "INCONCLUSIVE", "DO NOT SHIP", "INVALID")
_REASON = {"missing": "data_loss", "one_sided": "data_loss"}
"""Checks whose failure has a different code in the verdict."""

Pair = tuple[MetricResult, Comparison]
"""(metric, its comparison of the variant)."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the experiment is: its end, whether sequential monitoring is corrected for, and sizes as units over all
    arms.

    `units` are those exposed so far, `needed` the size that the control as observed would need, and `needed_for` the
    sizes at which harm beyond a margin would be excluded, by metric and variant. `unfollowed` names judged metrics in
    which no unit could be followed yet; `noun` is the word for units.
    """

    end: PlannedEnd
    corrected: bool
    units: int
    needed: int | None
    needed_for: dict[tuple[str, str], int | None]
    unfollowed: tuple[str, ...]
    noun: str

    @property
    def run(self) -> Run:
        """The part of the progress that the verdict table needs."""
        return Run(self.end.reached, self.corrected, self.end.window_ahead, bool(self.unfollowed))


def judge(
    arms: Sequence[str], metrics: Sequence[MetricResult], checks: Sequence[CheckResult], progress: Progress
) -> tuple[Verdict, ...]:
    """One verdict per variant, in the order of `arms`."""
    return tuple(_judge(arm, metrics, checks, progress) for arm in arms)


def headline(verdicts: Sequence[Verdict], metrics: Sequence[MetricResult]) -> Verdict:
    """The headline among the verdicts: the best one in the order SHIP, KEEP RUNNING, INCONCLUSIVE, DO NOT SHIP,
    INVALID.

    Ties are decided by the larger effect on the first primary metric in its goal's direction.
    """
    primary = next(metric for metric in metrics if metric.role == "primary")
    sign = -1 if primary.goal == "decrease" else 1

    def rank(verdict: Verdict) -> tuple[int, float]:
        comparison = _comparison_of(primary, verdict.arm)
        effect = comparison.lift if comparison.lift is not None else comparison.difference
        return _ORDER.index(verdict.verdict), math.inf if effect is None else -sign * effect

    return min(verdicts, key=rank)


def _judge(arm: str, metrics: Sequence[MetricResult], checks: Sequence[CheckResult], progress: Progress) -> Verdict:
    warnings = tuple(_warnings(arm, metrics, checks))
    failed = [check for check in checks if check.status == "fail" and (not check.arms or arm in check.arms)]
    if failed:
        reasons = tuple(Reason(_REASON.get(check.code, check.code), None, {"check": check.code}) for check in failed)
        return Verdict("INVALID", arm, reasons, warnings)
    primaries = [(metric, _comparison_of(metric, arm)) for metric in metrics if metric.role == "primary"]
    guardrails = [(metric, _comparison_of(metric, arm)) for metric in metrics if metric.role == "guardrail"]
    word, because = decide(
        [_primary(*pair) for pair in primaries], [_guardrail(comparison) for _, comparison in guardrails], progress.run
    )
    reasons = tuple(_reason(cause, primaries, guardrails, progress) for cause in because)
    if word == "KEEP RUNNING":
        return _keep_running(arm, reasons, warnings, progress)
    if word == "INCONCLUSIVE":
        units = _new_run_units(because, primaries, guardrails, progress)
        days = _days(units, progress) if units is not None else None
        return Verdict(word, arm, reasons, warnings, new_run_units=units, new_run_days=days)
    return Verdict(word, arm, reasons, warnings)


def _warnings(arm: str, metrics: Sequence[MetricResult], checks: Sequence[CheckResult]) -> list[Reason]:
    """The warnings on a variant: metrics that got worse and do not decide, and checks."""
    warnings = []
    for metric in metrics:
        comparison = _comparison_of(metric, arm)
        if metric.role == "secondary" and comparison.status == "worse":
            warnings.append(Reason("secondary_harm", metric.name))
        if metric.role == "primary" and comparison.status == "worse" and comparison.margin_state == "inside":
            warnings.append(Reason("worse_within_margin", metric.name))
    failed_elsewhere = [check for check in checks if check.status == "fail" and check.arms and arm not in check.arms]
    shown = [check for check in checks if check.status == "warn"] + failed_elsewhere
    return [*warnings, *(Reason(check.code, None, {"check": check.code}) for check in shown)]


def _primary(metric: MetricResult, comparison: Comparison) -> Primary:
    effect: Effect = "unclear"
    if comparison.status == "better" or comparison.status == "worse":
        effect = comparison.status
    elif comparison.held_back and direction(metric, comparison) == "worse":
        effect = "held_back"
    minimum: Minimum | None = None
    if metric.minimum_effect is not None:
        minimum = "excluded" if excludes_minimum(metric, comparison) else "open"
    return Primary(effect, minimum, comparison.margin_state, comparison.held_back)


def _guardrail(comparison: Comparison) -> Guardrail:
    if comparison.status == "safe" or comparison.status == "harmed":
        return Guardrail(comparison.status, comparison.held_back)
    return Guardrail("unresolved", comparison.held_back)


def _keep_running(arm: str, reasons: tuple[Reason, ...], warnings: tuple[Reason, ...], progress: Progress) -> Verdict:
    """The verdict KEEP RUNNING, with the end and what is missing of a declared size."""
    end = progress.end
    last = end.closed_on if end.reached else end.day
    missing = max(end.planned - end.followed, 0) if end.declared == "size" and end.planned is not None else None
    days = _days(max(end.planned - progress.units, 0), progress) if missing and end.planned is not None else None
    return Verdict(
        "KEEP RUNNING",
        arm,
        reasons,
        warnings,
        missing or None,
        days,
        end.units_per_day if missing else None,
        last.isoformat() if last else None,
    )


def _new_run_units(
    because: Sequence[Because], primaries: Sequence[Pair], guardrails: Sequence[Pair], progress: Progress
) -> int | None:
    """Units over all arms with which a new run could answer what is open; None where unknown or not above the present
    units.
    """
    sizes = [progress.needed if cause.code == "underpowered" else None for cause in because]
    for code, pairs in (("guardrail_unresolved", guardrails), ("margin_open", primaries)):
        for cause in because:
            if cause.code == code and cause.position is not None:
                metric, comparison = pairs[cause.position]
                if not _clears_alone(metric, comparison):  # more units would not explain an empty arm
                    sizes.append(progress.needed_for.get((metric.name, comparison.arm)))
    return max((size for size in sizes if size is not None and size > progress.units), default=None)


def _days(units: int, progress: Progress) -> int | None:
    per_day = progress.end.units_per_day
    return math.ceil(min(units / per_day, 1e9)) if per_day else None


def _reason(because: Because, primaries: Sequence[Pair], guardrails: Sequence[Pair], progress: Progress) -> Reason:
    """The reason with the metric that it is about."""
    if because.position is None:
        return _too_early(progress) if because.code == "too_early" else _unfollowed(progress)
    metric, comparison = (guardrails if because.guardrail else primaries)[because.position]
    alone = comparison.margin_state == "open" and comparison.watch is None and _clears_alone(metric, comparison)
    unexplained = {"no_events": True} if because.code == "guardrail_unresolved" and alone else {}
    return Reason(because.code, metric.name, unexplained)


def _too_early(progress: Progress) -> Reason:
    """Before the declared end: how far, until when, and whether a declared size can be reached by then."""
    end = progress.end
    ahead = _days(max((end.planned or 0) - progress.units, 0), progress) if end.declared == "size" else None
    values: dict[str, Value] = {
        "declared": end.declared,
        "day": end.day.isoformat() if end.day else None,
        "followed": end.followed,
        "planned": end.planned,
        "expected": end.expected,
        "out_of_reach": (ahead or 0) > HOPELESS_DAYS,
    }
    return Reason("too_early", None, values)


def _unfollowed(progress: Progress) -> Reason:
    """Nobody has been followed for the whole window of some metrics, or the window of some units is open."""
    end = progress.end
    closed_on = end.closed_on.isoformat() if end.closed_on else None
    return Reason(
        "follow_up_incomplete",
        None,
        {"metrics": progress.unfollowed, "open_units": end.open_units, "closed_on": closed_on},
    )


def _comparison_of(metric: MetricResult, arm: str) -> Comparison:
    return next(comparison for comparison in metric.comparisons if comparison.arm == arm)


def _clears_alone(metric: MetricResult, comparison: Comparison) -> bool:
    """Whether the interval itself lies inside the margin, so that something else prevents the state `safe`."""
    if metric.margin is None or comparison.margin_interval is None or comparison.held_back:
        return False
    low, high = comparison.margin_interval
    end = high if metric.goal == "decrease" else None if low is None else -low
    return end is not None and end < metric.margin.value
