"""**Sample ratio mismatch**: do the arms have the share of units that was planned?

Looks at: the units analyzed in each arm against the planned shares, by a chi-square test (under `monitoring` by a test
that holds at every look): over all units, over those whose window is over in a judged metric, on each day and for each
value of each segment. Fails below p = .001 over all or followed units and warns below .01. A day or a segment value
warns below .001, corrected for how many days or values were looked at (Bonferroni). Days and values in which an arm
expects fewer than 5 units are left out and counted.

Why it matters: a split that chance cannot explain means that units were lost, or let in, in one arm more than in the
other, and those units are rarely like the rest. A slow page, a redirect, a crash, a bot filter or a late tracking call
is enough. The arms then differ before the change has done anything, and no later correction is safe.

What to do now: compare the planned shares with what the testing tool was set to, and declare them with `share:` if the
split was not meant to be equal. Then look for the place where units get lost: in one arm, from one day on, or in one
browser or device. Mend it and run again; do not read the effects of a run that failed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import sentences
from abcx.planning.planned_end import JUDGED
from abcx.results.readout import CheckResult, CheckStatus

FAIL = 0.001
WARN = 0.01
MIN_EXPECTED = 5
"""The chi-square test is not used where an arm expects fewer units."""

Shares = Mapping[str, float]
Units = Mapping[str, int]


@dataclass(frozen=True)
class _Part:
    """One day, or one value of a segment."""

    name: str
    units: dict[str, int]
    p_value: float
    p_value_adjusted: float

    @property
    def off(self) -> bool:
        return self.p_value_adjusted < FAIL


def check(context: CheckContext) -> CheckResult:
    """Units against planned shares: over all, by day, by segment value."""
    shares = context.experiment.shares()
    units = {arm: context.units(arm) for arm in shares}
    if not _testable(units, shares):
        few = f"only {context.noun(context.total)}: too few to check the split"
        few = few if context.total else f"there are no {context.experiment.unit}"
        return CheckResult("srm", "skipped", sentences(few), help="needs at least 5 expected units in every arm")
    p = _overall(context, units, shares)
    late = _followed(context, shares)
    days, days_left = _parts([(day, of_day) for day, of_day in context.observed.daily or ()], shares)
    values, values_left = _parts(
        [
            (f"{segment} = {value or '(none)'}", of_value)
            for segment, by_value in context.observed.segments.items()
            for value, of_value in by_value.items()
        ],
        shares,
    )
    off = [part for part in (*days, *values) if part.off]
    worst = min(p, late.p_value) if late else p
    status: CheckStatus = "fail" if worst < FAIL else "warn" if worst < WARN or off else "pass"
    details = {
        "arms": [_arm(arm, units, shares) for arm in shares],
        "declared": _declared(context),
        "followed": asdict(late) if late else None,
        "days": {"left_out": days_left, "tested": [asdict(part) for part in days]},
        "segments": {"left_out": values_left, "tested": [asdict(part) for part in values]},
    }
    if status == "pass":
        return CheckResult("srm", status, sentences(_fits(context, units, shares)), worst, details)
    splits = [_Part("", units, p, p), *([late] if late else [])]
    messages = _messages(context, [part for part in splits if part.p_value < WARN], worst, shares)
    places = [*_places(context, days, shares, "on "), *_places(context, values, shares, "for ")]
    rest = [] if messages else [f"Over all {context.experiment.unit} the split fits the plan"]
    return CheckResult("srm", status, sentences(*messages, *places, *rest), worst, details, _help(context, p, worst))


def _testable(units: Units, shares: Shares) -> bool:
    return sum(units.values()) * min(shares.values()) / math.fsum(shares.values()) >= MIN_EXPECTED


def _overall(context: CheckContext, units: Units, shares: Shares) -> float:
    """p of the split over all units. Under sequential monitoring this check is repeated, too: then by a test martingale
    (Lindon and Malek 2020) over the days so far, valid at every look."""
    from abcx.stats import sequential_srm

    if context.experiment.analysis.monitoring == "fixed":
        return _p_value(units, shares)
    days = [[of_day.get(arm, 0) for arm in shares] for _, of_day in context.observed.daily or ()]
    cumulative = [list(map(sum, zip(*days[: i + 1], strict=True))) for i in range(len(days))]
    last = [units[arm] for arm in shares]
    before = [so_far for so_far in cumulative if all(a <= b for a, b in zip(so_far, last, strict=True))]
    looks = before if before and before[-1] == last else [*before, last]
    return sequential_srm.p_value(looks, list(shares.values()))


def _followed(context: CheckContext, shares: Shares) -> _Part | None:
    """The split of the units that are followed, in the judged metric where it fits worst; None where all are."""
    parts = []
    for name, metric in context.experiment.metrics.items():
        late = context.data(name).not_followed
        units = {arm: context.units(arm) - late.get(arm, 0) for arm in shares}
        if metric.role in JUDGED and any(late.values()) and _testable(units, shares):
            p = _overall(context, units, shares)
            parts.append(_Part(name, units, p, p))
    return min(parts, key=lambda part: part.p_value, default=None)


def _messages(context: CheckContext, splits: list[_Part], worst: float, shares: Shares) -> list[str]:
    """The splits that are off, over all units and over those that are followed for a metric, and what that means."""
    if not splits:
        return []
    unit = context.experiment.unit
    clauses = []
    for part in splits:
        scope = f"among {unit} followed long enough for {context.title(part.name)}, " if part.name else ""
        chance = ": chance does not explain that" if part.p_value < FAIL else ": chance seldom does that"
        clauses.append(f"{scope}{_gap(context, part, shares)}{chance}")
    lost = f"{unit} are lost or counted twice in one arm, so the arms cannot be compared"
    if worst >= FAIL:
        lost = f"{unit} may be lost or counted twice in one arm, which would distort every result"
    return [*clauses, lost]


def _gap(context: CheckContext, part: _Part, shares: Shares) -> str:
    """The arm that is furthest off: 9,500 visitors are in control where 10,000 were expected."""
    arm = _furthest_arm(part.units, shares)
    expected = formatting.count(_rounded(_expected(arm, part.units, shares)))
    are = "is" if part.units[arm] == 1 else "are"
    return f"{context.noun(part.units[arm])} {are} in {arm} where {expected} were expected"


def _p_value(units: Units, shares: Shares) -> float:
    from abcx.stats import chi_square

    return chi_square.chi_square([units.get(arm, 0) for arm in shares], list(shares.values()))


def _expected(arm: str, units: Units, shares: Shares) -> float:
    return sum(units.values()) * shares[arm] / math.fsum(shares.values())


def _residual(arm: str, units: Units, shares: Shares) -> float:
    """How many standard deviations an arm is above its expected units."""
    expected = _expected(arm, units, shares)
    return (units.get(arm, 0) - expected) / math.sqrt(expected * (1 - shares[arm] / math.fsum(shares.values())))


def _furthest_arm(units: Units, shares: Shares) -> str:
    """The arm furthest from its plan. Two arms are always equally far: then it is the variant."""
    return max(reversed(list(shares)), key=lambda arm: round(abs(_residual(arm, units, shares)), 6))


def _arm(arm: str, units: Units, shares: Shares) -> dict[str, Any]:
    return {
        "name": arm,
        "units": units[arm],
        "expected": _expected(arm, units, shares),
        "share": shares[arm],
        "residual": _residual(arm, units, shares),
    }


def _parts(units_by_part: list[tuple[str, Units]], shares: Shares) -> tuple[list[_Part], int]:
    """Every part large enough to test with p corrected for all of them, and how many were not."""
    large = [
        (name, {arm: units.get(arm, 0) for arm in shares}) for name, units in units_by_part if _testable(units, shares)
    ]
    tested = [(name, units, _p_value(units, shares)) for name, units in large]
    return [_Part(name, units, p, min(1.0, p * len(tested))) for name, units, p in tested], len(units_by_part) - len(
        tested
    )


def _fits(context: CheckContext, units: Units, shares: Shares) -> str:
    counts = formatting.joined([formatting.count(n) for n in units.values()])
    planned = formatting.joined([f"{formatting.significant(round(100 * share, 2))}%" for share in shares.values()])
    assumed = "planned" if _declared(context) else "assumed"
    return f"{counts} {context.experiment.unit} fit the {assumed} split of {planned}"


def _places(context: CheckContext, parts: list[_Part], shares: Shares, word: str) -> list[str]:
    """The day or segment value that is furthest off, and how many others are."""
    off = sorted((part for part in parts if part.off), key=lambda part: part.p_value)
    if not off:
        return []
    segment, _, value = off[0].name.partition(" = ")
    name = f"{segment.replace('_', ' ')} {value}" if value else segment
    more = len(off) - 1
    kind = "day" if word == "on " else "group"
    also = f", and {more} more {kind}{' is' if more == 1 else 's are'} off" if more else ""
    return [f"{word}{name}, {_gap(context, off[0], shares)}{also}"]


def _help(context: CheckContext, p: float, worst: float) -> str:
    if worst >= WARN:
        return "Find out what happened there: a release, an outage, a tracking change or a filter that hit one arm"
    if p >= WARN:
        return "Check whether the shares were changed during the test, then export again when every window has closed"
    unit = context.experiment.unit
    cause = f"Look for {unit} that get lost in one arm (redirects, bots, late tracking)"
    if worst < FAIL:
        cause = f"Find where {unit} get lost in one arm (redirects, bots, late tracking), mend it, run the test again"
    return cause if _declared(context) else f"{cause}; declare `share` if the split was not meant to be equal"


def _declared(context: CheckContext) -> bool:
    return any(arm.share is not None for arm in context.experiment.arms.values())


def _rounded(expected: float) -> int:
    return math.floor(expected + 0.5)
