"""Trust checks of the data and the analysis, one module per check; a new check is a module and a line here."""

from __future__ import annotations

from collections.abc import Callable

from abcx.checks import (
    calibration,
    crossover,
    duplicates,
    duration,
    exposure_before_event,
    follow_up,
    metric_missing,
    missing,
    missing_arm,
    no_variation,
    no_window,
    not_concurrent,
    nothing_found,
    novelty,
    one_sided,
    outliers,
    peeking,
    pre_period,
    response_rate,
    running_totals,
    sample_size,
    skewness,
    srm,
    stray_time,
    ticket_times,
    time_resolution,
    too_good,
    unit_ids,
    unknown_arm,
    whole_weeks,
)
from abcx.checks.context import CheckContext
from abcx.results.readout import CheckResult

CHECKS: dict[str, Callable[[CheckContext], CheckResult]] = {
    "srm": srm.check,
    "not_concurrent": not_concurrent.check,
    "crossover": crossover.check,
    "exposure_before_event": exposure_before_event.check,
    "follow_up": follow_up.check,
    "duplicates": duplicates.check,
    "stray_time": stray_time.check,
    "ticket_times": ticket_times.check,
    "running_totals": running_totals.check,
    "missing": missing.check,
    "response_rate": response_rate.check,
    "unknown_arm": unknown_arm.check,
    "missing_arm": missing_arm.check,
    "unit_ids": unit_ids.check,
    "nothing_found": nothing_found.check,
    "metric_missing": metric_missing.check,
    "one_sided": one_sided.check,
    "no_variation": no_variation.check,
    "no_window": no_window.check,
    "time_resolution": time_resolution.check,
    "whole_weeks": whole_weeks.check,
    "duration": duration.check,
    "sample_size": sample_size.check,
    "peeking": peeking.check,
    "pre_period": pre_period.check,
    "outliers": outliers.check,
    "skewness": skewness.check,
    "calibration": calibration.check,
    "novelty": novelty.check,
    "too_good": too_good.check,
}

TITLES: dict[str, str] = {
    "srm": "split of the arms",
    "not_concurrent": "arms side by side",
    "crossover": "units in several arms",
    "exposure_before_event": "events before exposure",
    "follow_up": "follow-up",
    "duplicates": "duplicate events",
    "stray_time": "rows dated far ahead",
    "ticket_times": "times of tickets",
    "running_totals": "running totals",
    "missing": "missing values",
    "response_rate": "who answers",
    "unknown_arm": "rows without an arm",
    "missing_arm": "empty arms",
    "unit_ids": "spelling of ids",
    "nothing_found": "conditions without rows",
    "metric_missing": "metrics without data",
    "one_sided": "events in one arm",
    "no_variation": "outcomes all the same",
    "no_window": "equal time to act",
    "time_resolution": "dates without times",
    "whole_weeks": "whole weeks",
    "duration": "length of the test",
    "sample_size": "planned size",
    "peeking": "repeated looks",
    "pre_period": "arms before the change",
    "outliers": "a few large values",
    "skewness": "width of intervals",
    "calibration": "false alarms on these data",
    "novelty": "effect over time",
    "too_good": "striking figures",
}
"""What each check is about, in at most four words, for the lists of checks in readouts."""


def run_all(context: CheckContext) -> tuple[CheckResult, ...]:
    """Every check, in the order of the report."""
    return tuple(check(context) for check in CHECKS.values())
