"""**Events before exposure**: do things happen to a unit before it saw anything?

Looks at: events of the metrics that precede their unit's first exposure, and the share of units that have such events
in each arm. Warns when that share differs by arm (chi-square test, p < .001).

Why it matters: events before exposure are excluded, because the change cannot have caused them. To have some is
normal: customers act before they enter a test. But they should be equally common in all arms. Where they are not, the
clocks of two systems disagree, or one arm logs its exposure late, and events that belong to the test are lost there.

What to do now: take a handful of such units and compare the times of their exposure and of their events in the source
system. Look for a timezone that only one file uses (`timezone:` under the file), for exposures that are logged at the
end of a page, and for devices whose clock is wrong.
"""

from __future__ import annotations

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.homogeneity import homogeneity_p_value
from abcx.checks.words import sentences
from abcx.results.readout import CheckResult

WARN = 0.001


def check(context: CheckContext) -> CheckResult:
    """Whether units with events before their exposure are equally common in all arms."""
    before, units = context.observed.before_exposure, context.observed.units_before
    if before is None or units is None:
        message = "The data do not say what came before exposure."
        return CheckResult("exposure_before_event", "skipped", message, help="needs events and exposures with times")
    arms = list(context.experiment.arms)
    early = [units.get(arm, 0) for arm in arms]
    late = [max(context.units(arm) - n, 0) for arm, n in zip(arms, early, strict=True)]
    events = sum(before.values())
    details = {"events": dict(before), "units": dict(units)}
    if not sum(early):
        message = sentences(f"{_events(events)} before exposure")
        return CheckResult("exposure_before_event", "pass", message, None, details)
    p = homogeneity_p_value(early, late)
    counts = zip(arms, early, late, strict=True)
    shares = formatting.joined([f"{formatting.percent(n / (n + m), 1)} in {arm}" for arm, n, m in counts if n + m])
    unit = context.experiment.unit
    if p is None or p >= WARN:
        message = f"{_events(events)} before exposure and {'was' if events == 1 else 'were'} ignored"
        alike = f"about as many {unit} have one in every arm: {shares}" if p is not None else ""
        return CheckResult("exposure_before_event", "pass", sentences(message, alike), p, details)
    message = sentences(
        f"of all {unit}, {shares} have events from before their exposure",
        "such events do not count, but arms that log so differently may not be comparable",
    )
    help = "Compare the times and timezones of exposures and events at the source, in each arm"
    return CheckResult("exposure_before_event", "warn", message, p, details, help)


def _events(n: int) -> str:
    return "No event came" if n == 0 else f"{formatting.plural(n, 'events')} came"
