"""How looks are paid for: from `analysis.monitoring` and how far the experiment is to the rule of every comparison."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from abcx.data.records import Observed
from abcx.planning import Planned
from abcx.results import Monitoring
from abcx.spec.analysis import GroupSequential, Hybrid
from abcx.spec.model import Experiment
from abcx.spec.times import instant, is_date

if TYPE_CHECKING:
    from abcx.stats.sequential import Sided

EARLY = 1e-9
"""Two looks closer than this share of the planned size are one."""
LATE = 0.1
"""A planned look may be late by this part of the step between looks; later runs are between looks."""


@dataclass(frozen=True, slots=True)
class Look:
    """Where this run stands among the planned looks: the information at all looks so far, this one last, whether it is
    a planned one, and the information at the next."""

    information: tuple[float, ...]
    planned: bool
    next: float | None


def look(experiment: Experiment, observed: Observed, planned: Planned, reached: bool) -> Look:
    """This run as a look. Planned looks by number stand at equal steps of the planned size, looks by dates at the units
    exposed by then. A run between looks says nothing: alpha that every run spends anew would have no end, because no
    book of the runs is kept (looks: 4 judged daily would raise false alarms to 6 %, Pocock's to 8 %). Where the end is
    `reached` this is the last look, whatever its information."""
    now = sum(observed.units.values()) / (planned.units or 1)
    rule = experiment.analysis.monitoring
    if not isinstance(rule, GroupSequential) or now <= 0:
        return Look((now,), now > 0, None)
    if isinstance(rule.looks, int):
        steps = [k / rule.looks for k in range(1, rule.looks)]
        due = any(0 <= now - step <= LATE / rule.looks for step in steps)
    else:
        last = _last_day(experiment, observed)
        made = [at for at in rule.looks if last is not None and _day(experiment, at) <= last]
        steps = [_exposed_by(experiment, observed, at) / (planned.units or 1) for at in made]
        due = bool(made) and last is not None and (last - _day(experiment, made[-1])).days <= 1
    if due and now < 1:  # this run is the latest of the planned looks itself
        steps.remove(max(step for step in steps if step <= now + EARLY))
    before = sorted({step for step in steps if EARLY < step < min(now, 1) - EARLY})
    following = min((step for step in (*steps, 1.0) if step > now + EARLY), default=None)
    return Look((*before, now), due or reached or now >= 1, following if isinstance(rule.looks, int) else None)


def _exposed_by(experiment: Experiment, observed: Observed, at: str) -> int:
    """Units first exposed up to and including the day of a look."""
    day = _day(experiment, at)
    return sum(sum(units.values()) for found, units in observed.daily or () if date.fromisoformat(found) <= day)


def _last_day(experiment: Experiment, observed: Observed) -> date | None:
    """The last day that the data know, by the data cut or by the last day with exposures."""
    if observed.as_of is not None:
        return datetime.fromtimestamp((observed.as_of - 1) / 1e6, ZoneInfo(experiment.timezone)).date()
    return date.fromisoformat(observed.daily[-1][0]) if observed.daily else None


def _day(experiment: Experiment, at: str) -> date:
    return date.fromisoformat(at) if is_date(at) else instant(at, experiment.timezone).date()


def rules(experiment: Experiment, observed: Observed, planned: Planned, reached: bool) -> dict[tuple[str, str], Sided]:
    """The rule of every comparison, by metric and variant. Looks are the same for all; `reached` is the planned end."""
    from abcx.stats.sequential import Fixed, Silent, sided
    from abcx.stats.sequential import GroupSequential as Looks

    declared = experiment.analysis.monitoring
    keys = [(name, arm) for name in experiment.metrics for arm in experiment.variants]
    described = [key for key in keys if experiment.metrics[key[0]].role == "descriptive"]
    if declared == "fixed":
        return dict.fromkeys(keys, sided(Fixed()))
    if planned.units is None:
        return dict.fromkeys(keys, sided(Silent()))
    if isinstance(declared, GroupSequential):
        found = look(experiment, observed, planned, reached)
        judged = dict.fromkeys(keys, sided(Looks(found.information, declared.spending) if found.planned else Silent()))
    else:
        judged = {key: _watched(experiment, observed, key, planned.units, reached) for key in keys}
    return {**judged, **dict.fromkeys(described, sided(Fixed()))}


def _watched(experiment: Experiment, observed: Observed, key: tuple[str, str], planned: int, reached: bool) -> Sided:
    """A confidence sequence, silent while the arms have too few events; with `win: at_end` on the side of harm only."""
    from abcx.stats.always_valid import AlwaysValid, ready
    from abcx.stats.sequential import Fixed, Sided, Silent, sided

    name, arm = key
    declared, summaries = experiment.analysis.monitoring, observed.metrics[name].summaries
    units = sum(observed.units.values())
    watching = ready(summaries[experiment.control], summaries[arm]) and units > 0
    always = AlwaysValid(units, planned, experiment.analysis.alpha) if watching else Silent()
    if not isinstance(declared, Hybrid):
        return sided(always)
    win = Fixed() if reached else Silent()
    return Sided(always, win) if experiment.metrics[name].goal == "decrease" else Sided(win, always)


def described(experiment: Experiment, observed: Observed, planned: Planned, reached: bool) -> Monitoring:
    """What the report says about looks: the rule in words, the information now, the boundaries so far (z)."""
    from abcx.stats.spending import boundaries

    declared = experiment.analysis.monitoring
    if declared == "fixed" or planned.units is None:
        return Monitoring("fixed", "judged once, at the planned size", None, ())
    found = look(experiment, observed, planned, reached)
    now = found.information[-1]
    if isinstance(declared, Hybrid):
        return Monitoring(
            "hybrid", "harm is watched all the time (a confidence sequence), a win counts at the end", now
        )
    if not isinstance(declared, GroupSequential):
        return Monitoring("always_valid", "always valid: a confidence sequence tuned to the planned size", now)
    rule = f"group sequential, {declared.spending.replace('_', '-')} spending (Lan and DeMets 1983)"
    if not found.planned:
        following = f": the next is at {found.next:.0%} of the planned size" if found.next else ""
        return Monitoring("group_sequential", f"{rule}; this run is between looks and says nothing{following}", now)
    bounds = boundaries(found.information, experiment.analysis.alpha, declared.spending)
    return Monitoring("group_sequential", rule, now, tuple(zip(found.information, bounds, strict=True)))
