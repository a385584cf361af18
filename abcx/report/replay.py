"""What later data show beside the verdict of the day on which the planned size was reached."""

from __future__ import annotations

from abcx import formatting
from abcx.formatting import clean
from abcx.report.fragments import NOTHING, ends, named, shown
from abcx.results.readout import LaterEffect, Results

HEADS = ("metric", "variant", "effect with all data", "interval", "p")


def line(results: Results) -> list[str]:
    """`With all 12,400 visitors orders is +3.1% (+0.2% to +6.1%).`; nothing where the verdict is that of the last
    day."""
    if results.replay is None:
        return []
    primary = {metric.name for metric in results.metrics if metric.role == "primary"}
    units = formatting.plural(results.replay.later_units, clean(results.setup.unit))
    told = [f"{named(one.metric)} is {' '.join(_effect(results, one))}" for one in _of(results, primary)]
    return [f"With all {units}, looked at later than planned, {formatting.joined(told)}: no verdict rests on it."]


def rows(results: Results) -> list[tuple[str, str, str, str, str]]:
    """A row for every comparison, all metrics."""
    names = {metric.name for metric in results.metrics}
    found = []
    for one in _of(results, names):
        effect, interval = _effect(results, one)
        found.append((one.metric, one.arm, effect, interval.strip("()"), shown(one.p_value, formatting.p_value)))
    return found


def _of(results: Results, names: set[str]) -> list[LaterEffect]:
    return [one for one in results.replay.later if one.metric in names] if results.replay else []


def _effect(results: Results, one: LaterEffect) -> tuple[str, str]:
    if one.lift is not None:
        return formatting.lift(one.lift), f"({ends(one.lift_interval, formatting.lift)})"
    if one.difference is None:
        return NOTHING, ""
    unit = results[one.metric].unit
    return formatting.difference(one.difference, unit), (
        f"({ends(one.difference_interval, lambda x: formatting.difference(x, unit))})"
    )
