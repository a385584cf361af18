"""SHIP / DO NOT SHIP / KEEP RUNNING / INVALID, from checks, effects, guardrails and the declared rule.

First match wins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from abcx import wording
from abcx.measured import Comparison, MetricResult, Size
from abcx.results import CheckResult, Reason, Verdict
from abcx.stats.records import Interval

OPEN = 0.5
"""Above this share of units whose window is not over, what was promised has hardly been measured yet."""
HOPELESS_DAYS = 365
"""More than a year of the same traffic: the report says that this traffic cannot answer the question."""

_ORDER = ("SHIP", "KEEP RUNNING", "DO NOT SHIP", "INVALID")
_REASON = {"missing": "data_loss"}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the experiment is: whether its planned size or period is reached, and what is still missing.

    Where neither was declared the data are taken as complete. `stopping` says that looks are paid for, so a win may be
    taken before the end. `open_windows` is the share of units whose window is not over. `units` are analysed, `planned`
    over all arms; `per_day` is declared or observed; `needed_for` gives the units at which a guardrail (by metric and
    variant) would resolve.
    """

    reached: bool
    stopping: bool
    open_windows: float
    units: int
    planned: int | None
    per_day: float | None
    needed_for: dict[tuple[str, str], int | None]
    noun: str


def judge(
    arms: Sequence[str], metrics: Sequence[MetricResult], checks: Sequence[CheckResult], progress: Progress
) -> tuple[Verdict, ...]:
    """One verdict per variant, in the order of `arms`."""
    return tuple(_judge(arm, metrics, checks, progress) for arm in arms)


def headline(verdicts: Sequence[Verdict], metrics: Sequence[MetricResult]) -> Verdict:
    """The best that may ship: by verdict, ties by the effect on the first primary metric in its goal's direction."""
    primary = next(metric for metric in metrics if metric.role == "primary")
    sign = -1 if primary.goal == "decrease" else 1

    def rank(verdict: Verdict) -> tuple[int, float]:
        comparison = _of(primary, verdict.arm)
        effect = comparison.lift if comparison.lift is not None else comparison.difference
        return _ORDER.index(verdict.verdict), -sign * (effect if effect is not None else -math.inf * sign)

    return min(verdicts, key=rank)


def _judge(arm: str, metrics: Sequence[MetricResult], checks: Sequence[CheckResult], progress: Progress) -> Verdict:
    warnings = [Reason(check.code, check.message) for check in checks if check.status == "warn"]
    failed = [Reason(_REASON.get(check.code, check.code), check.message) for check in checks if check.status == "fail"]
    if failed:
        return Verdict("INVALID", arm, tuple(failed), tuple(warnings))
    biased = [metric for metric in metrics if metric.role in ("primary", "guardrail") and _biased(metric, arm)]
    primaries = [(metric, _of(metric, arm)) for metric in metrics if metric.role == "primary"]
    guardrails = [(metric, _of(metric, arm)) for metric in metrics if metric.role == "guardrail"]
    harm = [Reason("primary_harm", _worse(metric, found)) for metric, found in primaries if found.status == "worse"]
    harm += [
        Reason("guardrail_harm", _harmed(metric, found)) for metric, found in guardrails if found.status == "harmed"
    ]
    if harm:
        return Verdict("DO NOT SHIP", arm, tuple(harm), tuple(warnings))
    wins = [_win(metric, found) for metric, found in primaries if found.status == "better"]
    if not wins and not biased and all(clears_margin(metric, found) for metric, found in primaries):
        wins = [_win_noninferior(metric, found) for metric, found in primaries]
    unresolved = [(metric, found) for metric, found in guardrails if found.status != "safe"]
    followed = progress.open_windows <= OPEN
    if wins and not biased and not unresolved and followed and (progress.reached or progress.stopping):
        warnings += [
            _below_minimum(metric)
            for metric, found in primaries
            if found.status == "better" and _excludes_minimum(metric, found)
        ]
        return Verdict("SHIP", arm, tuple(wins), tuple(warnings))
    if (
        progress.reached
        and followed
        and not wins
        and not biased
        and all(_excludes_minimum(metric, found) for metric, found in primaries)
    ):
        return Verdict(
            "DO NOT SHIP", arm, tuple(_no_benefit(metric, found) for metric, found in primaries), tuple(warnings)
        )
    found = _keep_running(arm, primaries, unresolved, bool(wins), checks, warnings, progress)
    return replace(found, reasons=(*(_response_bias(metric, arm) for metric in biased), *found.reasons))


def _biased(metric: MetricResult, arm: str) -> bool:
    """Whether the arms differ in who answers, and the bounds of a survey metric contain no effect."""
    found = metric.survey.comparisons.get(arm) if metric.survey else None
    return found is not None and found.bias


def _response_bias(metric: MetricResult, arm: str) -> Reason:
    assert metric.survey is not None
    found, control = metric.survey.comparisons[arm], metric.comparisons[0].control
    shares = [
        wording.percent(one.answered / one.exposed if one.exposed else 0.0, 1)
        for one in (metric.survey.responses[control], metric.survey.responses[arm])
    ]
    low, high = found.bounds_interval or (None, None)
    form = [None if end is None else wording.difference(end, metric.unit) for end in (low, high)]
    fits = f" ({form[0]} to {form[1]})" if None not in form else ""
    return Reason(
        "response_bias",
        f"{_name(metric)}: {shares[0]} answer with {control} and {shares[1]} with {arm}, so those who answer may not "
        f"be alike, and the effect on those who answer either way may be none{fits}.",
    )


def _keep_running(
    arm: str,
    primaries: Sequence[tuple[MetricResult, Comparison]],
    unresolved: Sequence[tuple[MetricResult, Comparison]],
    won: bool,
    checks: Sequence[CheckResult],
    warnings: list[Reason],
    progress: Progress,
) -> Verdict:
    reasons: list[Reason] = []
    needed = [] if won and progress.stopping else [progress.planned]
    if not progress.reached and not (won and progress.stopping):
        reasons.append(Reason("too_early", _too_early(progress, won)))
    for metric, _ in unresolved if won or progress.reached else ():
        units = progress.needed_for.get((metric.name, arm))
        needed.append(units)
        reasons.append(Reason("guardrail_unresolved", _unresolved(metric, units, progress)))
    if progress.reached and not won:
        reasons += [Reason("underpowered", _underpowered(metric, found)) for metric, found in primaries]
    reasons += [
        Reason("follow_up_incomplete", check.message)
        for check in checks
        if check.code == "follow_up" and check.status == "warn"
    ]
    missing = max((units - progress.units for units in needed if units is not None), default=0)
    if missing <= 0:
        return Verdict("KEEP RUNNING", arm, tuple(reasons), tuple(warnings))
    days = math.ceil(min(missing / progress.per_day, 1e9)) if progress.per_day else None
    if days is not None and days > HOPELESS_DAYS:
        rate = f"{wording.significant(progress.per_day or 0)} {progress.noun} a day"
        message = f"At {rate} that takes {wording.count(days)} days: this traffic cannot answer the question."
        reasons.append(Reason("underpowered", message))
    return Verdict("KEEP RUNNING", arm, tuple(reasons), tuple(warnings), missing, days, progress.per_day)


def scale(metric: MetricResult, comparison: Comparison) -> Interval | None:
    """The interval on the scale that the metric's margin is declared in."""
    return (
        comparison.lift_interval
        if metric.margin is not None and metric.margin.relative
        else comparison.difference_interval
    )


def clears_margin(metric: MetricResult, comparison: Comparison) -> bool:
    """Whether harm beyond the margin is excluded."""
    interval = scale(metric, comparison)
    if interval is None or metric.margin is None:
        return False
    low, high = interval
    if metric.goal == "decrease":
        return high is not None and high < metric.margin.value
    return low is not None and low > -metric.margin.value


def beyond_margin(metric: MetricResult, comparison: Comparison) -> bool:
    """Whether the interval lies wholly beyond the margin, on the side of harm."""
    interval = scale(metric, comparison)
    if interval is None or metric.margin is None:
        return False
    low, high = interval
    if metric.goal == "decrease":
        return low is not None and low > metric.margin.value
    return high is not None and high < -metric.margin.value


def _excludes_minimum(metric: MetricResult, comparison: Comparison) -> bool:
    """Whether the interval lies wholly on the near side of the smallest effect worth having."""
    effect = metric.minimum_effect
    if effect is None:
        return False
    interval = comparison.lift_interval if effect.relative else comparison.difference_interval
    if interval is None:
        return False
    low, high = interval
    if metric.goal == "decrease":
        return low is not None and low > -effect.value
    return high is not None and high < effect.value


def _of(metric: MetricResult, arm: str) -> Comparison:
    return next(comparison for comparison in metric.comparisons if comparison.arm == arm)


def _name(metric: MetricResult) -> str:
    return metric.name.replace("_", " ")


def range_text(metric: MetricResult, comparison: Comparison, relative: bool | None = None) -> str:
    """An interval in words, as a lift where there is one, else in the metric's unit: `+0.5% to +12.4%`."""
    as_lift = comparison.lift_interval is not None if relative is None else relative
    interval = comparison.lift_interval if as_lift else comparison.difference_interval
    if interval is None:
        return "no interval"
    ends = [
        None if end is None else wording.lift(end) if as_lift else wording.difference(end, metric.unit)
        for end in interval
    ]
    if ends[0] is None:
        return "unbounded" if ends[1] is None else f"at most {ends[1]}"
    return f"at least {ends[0]}" if ends[1] is None else f"{ends[0]} to {ends[1]}"


def _effect(metric: MetricResult, comparison: Comparison) -> str:
    if comparison.lift is not None:
        return f"{wording.lift(comparison.lift)} ({range_text(metric, comparison)})"
    if comparison.difference is None:
        return "an effect that cannot be computed"
    return (
        f"{wording.difference(comparison.difference, metric.unit)} ({range_text(metric, comparison, relative=False)})"
    )


def _p(comparison: Comparison) -> str:
    p = comparison.p_value_adjusted
    return "" if p is None else f", p = {wording.p_value(p)}"


def _win(metric: MetricResult, comparison: Comparison) -> Reason:
    return Reason("win", f"{_name(metric)} improved: {_effect(metric, comparison)}{_p(comparison)}.")


def _win_noninferior(metric: MetricResult, comparison: Comparison) -> Reason:
    margin = metric.margin.text if metric.margin else ""
    return Reason(
        "win_noninferior",
        f"{_name(metric)} is not worse by more than the margin of {margin}: {_effect(metric, comparison)}.",
    )


def _worse(metric: MetricResult, comparison: Comparison) -> str:
    return f"{_name(metric)} got worse: {_effect(metric, comparison)}{_p(comparison)}."


def _harmed(metric: MetricResult, comparison: Comparison) -> str:
    beyond = f"beyond its margin of {_text(metric.margin)}"
    return f"The guardrail {_name(metric)} is harmed {beyond}: {_effect(metric, comparison)}."


def _no_benefit(metric: MetricResult, comparison: Comparison) -> Reason:
    worth = f"the smallest effect worth having, {_text(metric.minimum_effect)}, is excluded"
    return Reason("no_benefit", f"{_name(metric)}: {worth}: {_effect(metric, comparison)}.")


def _below_minimum(metric: MetricResult) -> Reason:
    return Reason(
        "below_minimum_effect",
        f"{_name(metric)} improved, but by less than the smallest effect worth having, {_text(metric.minimum_effect)}.",
    )


def _too_early(progress: Progress, won: bool) -> str:
    far = (
        f"{wording.count(progress.units)} of {wording.count(progress.planned)} planned {progress.noun}"
        if progress.planned
        else "the declared period is not over"
    )
    fade = " An effect that looks clear now can fade: wait for the planned size." if won else ""
    return f"It is too early to judge: {far}.{fade}"


def _unresolved(metric: MetricResult, units: int | None, progress: Progress) -> str:
    harm = f"harm beyond its margin of {_text(metric.margin)}"
    told = f"The guardrail {_name(metric)} is unresolved: {harm} is not excluded."
    if units is None or units <= progress.units:
        return told
    return f"{told} About {wording.count(units)} {progress.noun} would resolve it."


def _underpowered(metric: MetricResult, comparison: Comparison) -> str:
    if comparison.difference_interval in (None, (None, None)):
        return f"{_name(metric)} cannot be judged from these data at this look."
    worth = (
        f" An effect of {metric.minimum_effect.text} is neither shown nor excluded." if metric.minimum_effect else ""
    )
    return f"{_name(metric)}: no clear effect, the data fit anything from {range_text(metric, comparison)}.{worth}"


def _text(size: Size | None) -> str:
    return size.text if size else ""
