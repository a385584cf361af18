"""The effects on all data, shown with the verdict of the day on which the planned size was reached."""

from __future__ import annotations

from abcx import formatting
from abcx.formatting import clean
from abcx.report import quantities
from abcx.report.fragments import NOTHING, inline, shown, titled
from abcx.results.readout import LaterEffect, Results

HEADS = ("metric", "variant", "effect with all data", "interval", "p")


def line(results: Results) -> list[str]:
    """`With all 12,400 visitors orders is +3.1% (+0.2% to +6.1%).`; nothing where the verdict is that of the last
    day."""
    if results.replay is None:
        return []
    primary = {metric.name for metric in results.metrics if metric.role == "primary"}
    units = formatting.plural(results.replay.later_units, clean(results.setup.unit))
    effects = [
        f"{inline(results[later_effect.metric])} is {' '.join(_effect(results, later_effect))}"
        for later_effect in _later_effects(results, primary)
    ]
    return [f"With all {units}, looked at later than planned, {formatting.joined(effects)}: no verdict rests on it."]


def rows(results: Results) -> list[tuple[str, str, str, str, str]]:
    """A row for every comparison, all metrics."""
    names = {metric.name for metric in results.metrics}
    cells = []
    for later_effect in _later_effects(results, names):
        effect, interval = _effect(results, later_effect)
        cells.append(
            (
                titled(results[later_effect.metric]),
                later_effect.arm,
                effect,
                interval.strip("()"),
                shown(later_effect.p_value, formatting.p_value),
            )
        )
    return cells


def _later_effects(results: Results, names: set[str]) -> list[LaterEffect]:
    return (
        [later_effect for later_effect in results.replay.later if later_effect.metric in names]
        if results.replay
        else []
    )


def _effect(results: Results, later_effect: LaterEffect) -> tuple[str, str]:
    metric = results[later_effect.metric]
    if later_effect.lift is not None:
        form = quantities.lifts([later_effect.lift, *(later_effect.lift_interval or ())])
        return form.difference(later_effect.lift), f"({form.differences(later_effect.lift_interval)})"
    form = quantities.form_of(metric)
    if later_effect.difference is None:
        return NOTHING, ""
    return form.difference(later_effect.difference), f"({form.differences(later_effect.difference_interval)})"
