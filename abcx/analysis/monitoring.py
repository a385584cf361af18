"""The monitoring rule of every comparison, by `analysis.monitoring` and the progress of each metric
to its planned end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from abcx.data.records import Observed
from abcx.planning.planned_end import PlannedEnd, follow_up_seconds, followed
from abcx.results.readout import Monitoring
from abcx.spec.analysis import GroupSequential, Hybrid
from abcx.spec.model import Experiment
from abcx.spec.times import instant, is_date

if TYPE_CHECKING:
    from abcx.stats.always_valid import AlwaysValid
    from abcx.stats.sequential import NoDecisionYet, TwoSidedRule

EARLY = 1e-9
"""Two looks closer than this fraction of the planned size are the same look."""
LATE = 0.1
"""A planned look may be late by this fraction of the step between looks; a later run is between looks."""
HARM_SHARE = 5.0
"""Without planned looks the watch for harm before the end has the level alpha over this number (docs/methods.md, "Harm
before the end").
"""
TUNED_TO = 10_000
"""Units that the watch for harm is tuned to, where neither size nor traffic was declared."""

Key = tuple[str, str]
"""(metric, variant)."""


@dataclass(frozen=True, slots=True)
class Look:
    """This run as one of the planned looks at a metric.

    `information` holds followed units over planned units at all looks so far, this run last; `planned` says whether
    this run is a planned look; `next` is the information at the next look, None where unknown.
    """

    information: tuple[float, ...]
    planned: bool
    next: float | None


def look(experiment: Experiment, observed: Observed, metric: str, end: PlannedEnd) -> Look:
    """This run as a look at the metric, by the units that are followed in it.

    Planned looks by number are at equal steps of the planned size, looks by dates at the units followed by then.
    A run between planned looks decides nothing: runs are not recorded, so that spending alpha at each of them would
    exceed the level (4 planned looks judged daily raise false alarms to 6 %, with Pocock's spending to 8 %).
    Where the end is reached this is the last look, whatever its information (docs/methods.md, "Sequential monitoring").
    """
    planned = end.planned or 1
    now = followed(observed, metric) / planned
    rule = experiment.analysis.monitoring
    if not isinstance(rule, GroupSequential) or now <= 0:
        return Look((now,), now > 0, None)
    if isinstance(rule.looks, int):
        steps = [k / rule.looks for k in range(1, rule.looks)]
        due = any(0 <= now - step <= LATE / rule.looks for step in steps)
    else:
        last = end.known
        made = [at for at in rule.looks if last is not None and _day(experiment, at) <= last]
        steps = [_followed_by(experiment, observed, metric, at) / planned for at in made]
        due = bool(made) and last is not None and (last - _day(experiment, made[-1])).days <= 1
    if due and now < 1 and any(step <= now + EARLY for step in steps):  # this run is the latest planned look
        steps.remove(max(step for step in steps if step <= now + EARLY))
    before = sorted({step for step in steps if EARLY < step < min(now, 1) - EARLY})
    following = min((step for step in (*steps, 1.0) if step > now + EARLY), default=None)
    return Look((*before, now), due or end.reached or now >= 1, following if isinstance(rule.looks, int) else None)


def _followed_by(experiment: Experiment, observed: Observed, metric: str, at: str) -> int:
    """Units whose follow-up in a metric was over by the end of the day of a look."""
    day = _day(experiment, at) - timedelta(seconds=follow_up_seconds(experiment, metric))
    return sum(sum(units.values()) for exposed, units in observed.daily or () if date.fromisoformat(exposed) <= day)


def _day(experiment: Experiment, at: str) -> date:
    return date.fromisoformat(at) if is_date(at) else instant(at, experiment.timezone).date()


def decision_rules(experiment: Experiment, observed: Observed, end: PlannedEnd) -> dict[Key, TwoSidedRule]:
    """The rule that corrects p-value and intervals of every comparison for monitoring, by metric and variant.

    Descriptive metrics are not corrected. Without a planned size a sequential rule decides nothing.
    """
    from abcx.stats.sequential import Fixed, NoDecisionYet, sided
    from abcx.stats.sequential import GroupSequential as Looks

    declared = experiment.analysis.monitoring
    keys = [(name, arm) for name in experiment.metrics for arm in experiment.variants]
    described = [key for key in keys if experiment.metrics[key[0]].role == "descriptive"]
    if declared == "fixed":
        return dict.fromkeys(keys, sided(Fixed()))
    if end.planned is None:
        return dict.fromkeys(keys, sided(NoDecisionYet()))
    judged: dict[Key, TwoSidedRule] = {}
    for key in keys:
        if isinstance(declared, GroupSequential):
            current_look = look(experiment, observed, key[0], end)
            judged[key] = sided(
                Looks(current_look.information, declared.spending) if current_look.planned else NoDecisionYet()
            )
        else:
            judged[key] = _watched(experiment, observed, key, end.planned, end.reached)
    return {**judged, **dict.fromkeys(described, sided(Fixed()))}


def harm_watch(experiment: Experiment, observed: Observed, end: PlannedEnd) -> Mapping[Key, TwoSidedRule]:
    """The rule by which harm is judged before the end of a test without planned looks, by metric and variant; empty
    where the end is reached or monitoring is declared.

    It is a confidence sequence, so that a harmful variant can be stopped on any day, at a fifth of alpha, so that
    watching hardly adds to the error of the test at the end. It is tuned to what was declared, never to what was
    observed (docs/methods.md, "Harm before the end").
    """
    from abcx.stats.sequential import sided

    if end.reached or experiment.analysis.monitoring != "fixed":
        return {}
    tuned = end.planned or _expected_units(experiment) or TUNED_TO
    level = experiment.analysis.alpha / HARM_SHARE
    keys = [(name, arm) for name in experiment.metrics for arm in experiment.variants]
    return {key: sided(_sequence(experiment, observed, key, tuned, level)) for key in keys}


def _expected_units(experiment: Experiment) -> int | None:
    """`units_per_day` times the days of the period; None where they are not both declared."""
    start = experiment.period.start_instant() if experiment.period else None
    end = experiment.period.end_instant() if experiment.period else None
    per_day = experiment.plan.units_per_day
    return None if start is None or end is None or not per_day else round(per_day * max(1, (end - start).days))


def _watched(experiment: Experiment, observed: Observed, key: Key, planned: int, reached: bool) -> TwoSidedRule:
    """A confidence sequence, or no decision while the arms have too few events; with `win: at_end` on the side of harm
    only.
    """
    from abcx.stats.sequential import Fixed, NoDecisionYet, TwoSidedRule, sided

    declared, always = experiment.analysis.monitoring, _sequence(experiment, observed, key, planned, None)
    if not isinstance(declared, Hybrid):
        return sided(always)
    win = Fixed() if reached else NoDecisionYet()
    return TwoSidedRule(always, win) if experiment.metrics[key[0]].goal == "decrease" else TwoSidedRule(win, always)


def _sequence(
    experiment: Experiment, observed: Observed, key: Key, planned: int, level: float | None
) -> AlwaysValid | NoDecisionYet:
    """A confidence sequence over the followed units, tuned for `level` (alpha by default); no decision while events are
    few.
    """
    from abcx.stats.always_valid import AlwaysValid, ready
    from abcx.stats.sequential import NoDecisionYet

    name, arm = key
    summaries, units = observed.metrics[name].summaries, followed(observed, name)
    if units <= 0 or not ready(summaries[experiment.control], summaries[arm]):
        return NoDecisionYet()
    return AlwaysValid(units, planned, level or experiment.analysis.alpha)


def described(experiment: Experiment, observed: Observed, end: PlannedEnd) -> Monitoring:
    """The monitoring as the report describes it: the rule, the information now, and the boundaries so far (z).

    Information is that of the primary metric with the fewest followed units.
    """
    from abcx.stats.spending import boundaries

    declared = experiment.analysis.monitoring
    if declared == "fixed" or end.planned is None:
        return Monitoring("fixed")
    primaries = [name for name, metric in experiment.metrics.items() if metric.role == "primary"]
    slowest = min(primaries, key=lambda name: followed(observed, name))
    current_look = look(experiment, observed, slowest, end)
    now = current_look.information[-1]
    if isinstance(declared, Hybrid):
        return Monitoring("hybrid", now)
    if not isinstance(declared, GroupSequential):
        return Monitoring("always_valid", now)
    if not current_look.planned:
        return Monitoring("group_sequential", now, (), declared.spending, True, current_look.next or None)
    bounds = boundaries(current_look.information, experiment.analysis.alpha, declared.spending)
    boundary = tuple(zip(current_look.information, bounds, strict=True))
    return Monitoring("group_sequential", now, boundary, declared.spending)
