"""The verdict on every variant: the states that the verdict table (decision.py) decides on, and its reasons as
sentences.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from abcx import formatting
from abcx.analysis.claims import direction, excludes_minimum, scale
from abcx.analysis.decision import Because, Effect, Guardrail, Minimum, Primary, Run, decide
from abcx.planning.planned_end import PlannedEnd
from abcx.results.metric import Comparison, MetricResult, Size
from abcx.results.readout import CheckResult, Reason, Verdict
from abcx.stats.records import Interval

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
        comparison = _of(primary, verdict.arm)
        effect = comparison.lift if comparison.lift is not None else comparison.difference
        return _ORDER.index(verdict.verdict), math.inf if effect is None else -sign * effect

    return min(verdicts, key=rank)


def _judge(arm: str, metrics: Sequence[MetricResult], checks: Sequence[CheckResult], progress: Progress) -> Verdict:
    warnings = tuple(_warnings(arm, metrics, checks))
    failed = [check for check in checks if check.status == "fail" and (not check.arms or arm in check.arms)]
    if failed:
        reasons = tuple(Reason(_REASON.get(check.code, check.code), check.message) for check in failed)
        return Verdict("INVALID", arm, reasons, warnings)
    primaries = [(metric, _of(metric, arm)) for metric in metrics if metric.role == "primary"]
    guardrails = [(metric, _of(metric, arm)) for metric in metrics if metric.role == "guardrail"]
    word, because = decide(
        [_primary(*pair) for pair in primaries], [_guardrail(comparison) for _, comparison in guardrails], progress.run
    )
    reasons = tuple(_reason(one, primaries, guardrails, progress) for one in because)
    if word == "KEEP RUNNING":
        return _keep_running(arm, reasons, warnings, progress)
    if word == "INCONCLUSIVE":
        units = _new_run_units(because, primaries, guardrails, progress)
        days = _days(units, progress) if units is not None else None
        return Verdict(word, arm, reasons, warnings, new_run_units=units, new_run_days=days)
    return Verdict(word, arm, reasons, warnings)


def _warnings(arm: str, metrics: Sequence[MetricResult], checks: Sequence[CheckResult]) -> list[Reason]:
    """The warnings on a variant: metrics that got worse and do not decide, and checks."""
    found = []
    for metric in metrics:
        comparison = _of(metric, arm)
        if metric.role == "secondary" and comparison.status == "worse":
            found.append(Reason("secondary_harm", _worse(metric, comparison)))
        if metric.role == "primary" and comparison.status == "worse" and comparison.margin_state == "inside":
            told = f"{_worse(metric, comparison).rstrip('.')}, within its margin of {_text(metric.margin)}."
            found.append(Reason("worse_within_margin", told))
    elsewhere = [check for check in checks if check.status == "fail" and check.arms and arm not in check.arms]
    shown = [check for check in checks if check.status == "warn"] + elsewhere
    return [*found, *(Reason(check.code, check.message) for check in shown)]


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
    sizes = [progress.needed if one.code == "underpowered" else None for one in because]
    for code, pairs in (("guardrail_unresolved", guardrails), ("margin_open", primaries)):
        for one in because:
            if one.code == code and one.position is not None:
                metric, comparison = pairs[one.position]
                if not _clears_alone(metric, comparison):  # more units would not explain an empty arm
                    sizes.append(progress.needed_for.get((metric.name, comparison.arm)))
    return max((size for size in sizes if size is not None and size > progress.units), default=None)


def _days(units: int, progress: Progress) -> int | None:
    per_day = progress.end.units_per_day
    return math.ceil(min(units / per_day, 1e9)) if per_day else None


def _reason(because: Because, primaries: Sequence[Pair], guardrails: Sequence[Pair], progress: Progress) -> Reason:
    """The reason as a sentence with the numbers that decided."""
    if because.position is None:
        told = _too_early(progress) if because.code == "too_early" else _unfollowed(progress)
        return Reason(because.code, told)
    metric, comparison = (guardrails if because.guardrail else primaries)[because.position]
    sentences = {
        "primary_harm": _worse,
        "guardrail_harm": _harmed,
        "win": _win,
        "win_noninferior": _win_noninferior,
        "no_benefit": _no_benefit,
        "below_minimum_effect": _below_minimum,
        "underpowered": _underpowered,
        "margin_open": _margin_open,
        "guardrail_unresolved": _unresolved,
        "response_bias": _response_bias,
    }
    return Reason(because.code, sentences[because.code](metric, comparison))


def _of(metric: MetricResult, arm: str) -> Comparison:
    return next(comparison for comparison in metric.comparisons if comparison.arm == arm)


def _name(metric: MetricResult) -> str:
    return metric.name.replace("_", " ")


def _ends(metric: MetricResult, interval: Interval | None, as_lift: bool) -> str:
    """An interval in words: `+0.5% to +12.4%`, `at most -1.0 pp`."""
    if interval is None:
        return "no interval"
    low, high = _end(metric, interval[0], as_lift), _end(metric, interval[1], as_lift)
    if low is None:
        return "unbounded" if high is None else f"at most {high}"
    return f"at least {low}" if high is None else f"{low} to {high}"


def _end(metric: MetricResult, end: float | None, as_lift: bool) -> str | None:
    return None if end is None else formatting.lift(end) if as_lift else formatting.difference(end, metric.unit)


def _effect(metric: MetricResult, comparison: Comparison) -> str:
    """The effect with the interval that decides: before the end that of the watch for harm."""
    watch = comparison.watch
    lifts, differences = (
        (comparison.lift_interval, comparison.difference_interval)
        if watch is None
        else (watch.lift_interval, watch.difference_interval)
    )
    if comparison.lift is not None:
        return f"{formatting.lift(comparison.lift)} ({_ends(metric, lifts, True)})"
    if comparison.difference is None:
        return "an effect that cannot be computed"
    return f"{formatting.difference(comparison.difference, metric.unit)} ({_ends(metric, differences, False)})"


def _against_margin(metric: MetricResult, comparison: Comparison) -> str:
    """The effect with the interval that is compared with the margin, on the margin's scale."""
    watch = comparison.watch
    return _on_scale(metric, comparison, metric.margin, (comparison if watch is None else watch).margin_interval)


def _against_minimum(metric: MetricResult, comparison: Comparison) -> str:
    """The effect with the interval that is compared with the minimum effect, on its scale."""
    return _on_scale(metric, comparison, metric.minimum_effect, scale(comparison, metric.minimum_effect))


def _on_scale(metric: MetricResult, comparison: Comparison, size: Size | None, interval: Interval | None) -> str:
    as_lift = size is not None and size.relative
    value = comparison.lift if as_lift else comparison.difference
    if value is None:
        return _effect(metric, comparison)
    told = formatting.lift(value) if as_lift else formatting.difference(value, metric.unit)
    return f"{told} ({_ends(metric, interval, as_lift)})"


def _p(comparison: Comparison) -> str:
    p = comparison.p_value_adjusted if comparison.watch is None else comparison.watch.p_value
    how = "" if comparison.watch is None else " by a test that holds at every look"
    return "" if p is None else f", p = {formatting.p_value(p)}{how}"


def _win(metric: MetricResult, comparison: Comparison) -> str:
    return f"{_name(metric)} improved: {_effect(metric, comparison)}{_p(comparison)}."


def _win_noninferior(metric: MetricResult, comparison: Comparison) -> str:
    return (
        f"{_name(metric)} is not worse by more than the margin of {_text(metric.margin)}: "
        f"{_against_margin(metric, comparison)}."
    )


def _worse(metric: MetricResult, comparison: Comparison) -> str:
    return f"{_name(metric)} got worse: {_effect(metric, comparison)}{_p(comparison)}."


def _harmed(metric: MetricResult, comparison: Comparison) -> str:
    beyond = f"beyond its margin of {_text(metric.margin)}"
    return f"The guardrail {_name(metric)} is harmed {beyond}: {_against_margin(metric, comparison)}."


def _no_benefit(metric: MetricResult, comparison: Comparison) -> str:
    worth = f"the smallest effect worth having, {_text(metric.minimum_effect)}, is excluded"
    return f"{_name(metric)}: {worth}: {_against_minimum(metric, comparison)}."


def _below_minimum(metric: MetricResult, comparison: Comparison) -> str:
    worth = f"by less than the smallest effect worth having, {_text(metric.minimum_effect)}"
    return f"{_name(metric)} improved, but {worth}: {_against_minimum(metric, comparison)}."


def _too_early(progress: Progress) -> str:
    """Before the declared end: how far, until when, and whether a declared size can be reached by then."""
    end = progress.end
    day = f" on {end.day.isoformat()}" if end.day else ""
    if end.declared == "size" and end.planned is not None:
        far = (
            f"{formatting.count(end.followed)} of {formatting.count(end.planned)} planned {progress.noun} are followed"
        )
        until = f"; at this traffic the end comes{day}" if day else ""
        hopeless = _days(max(end.planned - progress.units, 0), progress)
        never = " This traffic cannot answer the question within a year." if (hopeless or 0) > HOPELESS_DAYS else ""
        return f"It is too early to judge: {far}{until}.{never}"
    if end.declared == "window":
        return f"It is too early to judge: the last window closes{day}."
    short = ""
    if end.planned is not None and end.expected is not None and end.expected < end.planned:
        short = (
            f" By then about {formatting.count(end.expected)} of {formatting.count(end.planned)} planned "
            f"{progress.noun} will have come."
        )
    return f"It is too early to judge: the declared end comes{day}.{short}"


def _unfollowed(progress: Progress) -> str:
    end = progress.end
    if progress.unfollowed:
        names = formatting.joined([name.replace("_", " ") for name in progress.unfollowed])
        last = f"; the last window closes on {end.closed_on.isoformat()}" if end.closed_on else ""
        return f"Nobody has been followed for the whole window of {names} yet{last}."
    until = f" until {end.closed_on.isoformat()}" if end.closed_on else ""
    return f"The window of {formatting.count(end.open_units)} {progress.noun} is still open{until}."


def _unresolved(metric: MetricResult, comparison: Comparison) -> str:
    if comparison.margin_state == "open" and comparison.watch is None and _clears_alone(metric, comparison):
        why = "it has no event in this variant, and nobody has said that its logging was looked at (`zero_is_real`)"
        return f"The guardrail {_name(metric)} is not shown safe: {why}."
    harm = f"harm beyond its margin of {_text(metric.margin)}"
    return f"The guardrail {_name(metric)} is unresolved: {harm} is not excluded."


def _clears_alone(metric: MetricResult, comparison: Comparison) -> bool:
    """Whether the interval itself lies inside the margin, so that something else prevents the state `safe`."""
    if metric.margin is None or comparison.margin_interval is None or comparison.held_back:
        return False
    low, high = comparison.margin_interval
    end = high if metric.goal == "decrease" else None if low is None else -low
    return end is not None and end < metric.margin.value


def _margin_open(metric: MetricResult, comparison: Comparison) -> str:
    told = f"harm beyond its margin of {_text(metric.margin)} is not excluded"
    return f"{_name(metric)}: {told}: {_against_margin(metric, comparison)}."


def _underpowered(metric: MetricResult, comparison: Comparison) -> str:
    if comparison.difference_interval is None or comparison.difference_interval == (None, None):
        return f"{_name(metric)} cannot be judged from these data at this look."
    worth = (
        f" An effect of {metric.minimum_effect.text} is neither shown nor excluded." if metric.minimum_effect else ""
    )
    as_lift = comparison.lift_interval is not None
    low, high = comparison.lift_interval or comparison.difference_interval
    fits = formatting.anything_in(_end(metric, low, as_lift), _end(metric, high, as_lift))
    return f"{_name(metric)}: no clear effect, the data fit {fits}.{worth}"


def _response_bias(metric: MetricResult, comparison: Comparison) -> str:
    assert metric.survey is not None
    found = metric.survey.comparisons[comparison.arm]
    shares = [
        formatting.percent(one.answered / one.exposed if one.exposed else 0.0, 1)
        for one in (metric.survey.responses[comparison.control], metric.survey.responses[comparison.arm])
    ]
    fits = _ends(metric, found.claim_interval, False)
    differ = f"{shares[0]} answer with {comparison.control} and {shares[1]} with {comparison.arm}"
    return (
        f"{_name(metric)}: {differ}, so those who answer may differ between the arms; for those who would answer in "
        f"either arm the effect may be {fits}."
    )


def _text(size: Size | None) -> str:
    return size.text if size else ""
