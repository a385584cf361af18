"""**Not concurrent**: did control and variant run at the same time?

Looks at: the days on which units were first exposed. A day with few units is joined with its neighbors, until the
probability that all of them are in one arm, by the planned shares, is below 1 in 1,000. Fails for a variant where
more than half of the units came on days on which it or the control alone was exposed, and warns where more than 10 %
did.

Why it matters: before and after a change, or alternating days, compare days and not the change: a sale, a holiday, the
weather or another campaign is then the effect. Random variation between units, the only one that intervals and p-values
allow for, is small compared with that, so no p-value of such a run means anything.

What to do now: assign units at random to arms that run side by side, from the same day on, and run again. Where the
export is cut (the control's file ends earlier), export all arms for the same days. Where one arm only started later,
let the period start on the first day of all arms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import sentences
from abcx.results.readout import CheckResult

ALONE = 0.5
"""Above this share of units on days with one arm alone the arms did not run at the same time."""
WARN = 0.1
"""Above this share they ran at the same time in part: the days on which one ran alone can move the effect."""
CHANCE = 0.001
"""A day, or a block of days, counts only if one arm alone would have a probability below this."""

Days = Sequence[tuple[str, int, int]]
"""Days with the units of the control and of the variant."""


def check(context: CheckContext) -> CheckResult:
    """The share of units that came on days with one arm alone, for each variant."""
    daily = context.observed.daily
    if not daily:
        return CheckResult(
            "not_concurrent", "skipped", "The days of exposure are unknown.", help="needs exposures with times"
        )
    experiment, shares = context.experiment, context.experiment.shares()
    alone: dict[str, float] = {}
    for arm in experiment.variants:
        days = [(day, units.get(experiment.control, 0), units.get(arm, 0)) for day, units in daily]
        share = shares[experiment.control] / (shares[experiment.control] + shares[arm])
        alone[arm] = _alone(days, share)
    details = {"share_alone": alone}
    mostly_alone = tuple(arm for arm, share in alone.items() if share > ALONE)
    partly_alone = [arm for arm, share in alone.items() if share > 0.0]
    if not partly_alone:
        message = "Control and variants ran on the same days."
        return CheckResult("not_concurrent", "pass", message, None, details)
    clauses = [
        f"{formatting.percent(alone[arm], 0 if alone[arm] > WARN else 1)} of the {experiment.unit} of "
        f"{experiment.control} and {arm} came on days when only one of the two ran"
        for arm in mostly_alone or partly_alone
    ]
    if max(alone.values()) <= WARN:
        return CheckResult("not_concurrent", "pass", sentences(*clauses), None, details)
    if not mostly_alone:
        message = sentences(*clauses[:2], "differences between those days can look like an effect of the change")
        return CheckResult("not_concurrent", "warn", message, None, details, _help(context, daily))
    message = sentences(*clauses[:2], "the comparison mixes the change with the differences between days")
    help = "Run the arms side by side from the same day on; if the export is cut, export all arms for the same days"
    return CheckResult("not_concurrent", "fail", message, None, details, help, mostly_alone)


def _help(context: CheckContext, daily: Sequence[tuple[str, Mapping[str, int]]]) -> str:
    """Which period has all arms on its first and last day."""
    exposed = [day for day, units in daily if sum(units.values())]
    shared = [day for day, units in daily if all(units.get(arm, 0) for arm in context.experiment.arms)]
    if not shared or (min(shared), max(shared)) == (min(exposed), max(exposed)):
        return "Find out why one arm did not run on some days, and compare days on which all arms ran"
    if min(shared) > min(exposed):
        return f"Start the period on the first day of all arms: `period: {{start: {min(shared)}}}`"
    return f"End the period on the last day of all arms: `period: {{end: {max(shared)}}}`"


def _alone(days: Days, share: float) -> float:
    """The share of units on days (or neighboring days taken together) with one arm alone, where that is unlikely by
    chance."""
    total = sum(control + variant for _, control, variant in days)
    lone = sum(c + v for c, v in _blocks(days, share) if not (c and v))
    return lone / total if total else 0.0


def _blocks(days: Days, share: float) -> Iterator[tuple[int, int]]:
    """Units of both arms on days, each taken together with the next ones until one arm alone would be unlikely
    (`CHANCE`)."""
    control = variant = 0
    for _, more_control, more_variant in days:
        control, variant = control + more_control, variant + more_variant
        n = control + variant
        if share**n + (1.0 - share) ** n < CHANCE:
            yield control, variant
            control = variant = 0
