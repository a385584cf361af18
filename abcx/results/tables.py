"""Results as flat rows: the content of CSV files and of frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from abcx.results.metric import Comparison, MetricResult
from abcx.stats.records import Interval

if TYPE_CHECKING:
    from abcx.results.readout import Results

Row = dict[str, Any]


def metrics(results: Results) -> Iterator[Row]:
    """One row per metric and comparison."""
    words = {verdict.arm: verdict.verdict for verdict in results.verdicts}
    for metric in results.metrics:
        arms = {arm.name: arm for arm in metric.arms}
        for comparison in metric.comparisons:
            control, variant = arms[comparison.control], arms[comparison.arm]
            yield {
                "experiment": results.experiment,
                "verdict": words[comparison.arm],
                "metric": metric.name,
                **{name: getattr(metric, name) for name in ("type", "role", "goal")},
                "control": comparison.control,
                "arm": comparison.arm,
                "control_units": control.units,
                "arm_units": variant.units,
                "control_value": control.value,
                "arm_value": variant.value,
                **_effect(comparison),
                "p_value": None if _silent(results, comparison) else comparison.p_value,
                "p_value_adjusted": None if _silent(results, comparison) else comparison.p_value_adjusted,
                "alpha": comparison.alpha,
                "status": comparison.status,
                "method": comparison.method.value,
                "simulated": results.setup.simulated,
            }


def arms(results: Results) -> Iterator[Row]:
    """One row per metric and arm: its units, its value with the interval, and the units that have no value."""
    for metric in results.metrics:
        for arm in metric.arms:
            yield {
                **_named(metric),
                "arm": arm.name,
                "units": arm.units,
                "value": arm.value,
                **_ends("value", arm.interval),
                **{name: getattr(arm, name) for name in ("successes", "missing", "capped", "not_followed")},
            }


def checks(results: Results) -> Iterator[Row]:
    """One row per trust check."""
    for check in results.checks:
        yield {name: getattr(check, name) for name in ("code", "status", "message", "help", "p_value")}


def segments(results: Results) -> Iterator[Row]:
    """One row per metric, segment value and variant; values that are withheld have no numbers."""
    for metric in results.metrics:
        for segment in metric.segments:
            for value in segment.values:
                values = {arm.name: arm for arm in value.arms}
                for comparison in value.comparisons:
                    control, variant = values[comparison.control], values[comparison.arm]
                    yield {
                        **_named(metric),
                        "segment": segment.name,
                        "value": value.value,
                        "control": comparison.control,
                        "arm": comparison.arm,
                        "control_units": control.units,
                        "arm_units": variant.units,
                        "control_value": control.value,
                        "arm_value": variant.value,
                        **_effect(comparison),
                        "alpha": comparison.alpha,
                    }


def over_time(results: Results) -> Iterator[Row]:
    """One row per metric, variant, kind of series (cumulative, since_exposure) and day."""
    for metric in results.metrics:
        for series in metric.course:
            for point in series.points:
                yield {
                    **_named(metric),
                    "arm": series.arm,
                    "kind": series.kind,
                    "day": point.day,
                    "units": point.units,
                    "difference": point.difference,
                    **_ends("difference", point.difference_interval),
                    "lift": point.lift,
                    **_ends("lift", point.lift_interval),
                }


TABLES: dict[str, Callable[[Results], Iterator[Row]]] = {
    "metrics": metrics,
    "arms": arms,
    "checks": checks,
    "segments": segments,
    "over_time": over_time,
}
"""The tables that `Results.to_frame` makes, by name."""


def _silent(results: Results, comparison: Comparison) -> bool:
    """Whether nothing is judged now, so that p is 1 by definition and says nothing."""
    return results.monitoring.rule != "fixed" and comparison.difference_interval == (None, None)


def _named(metric: MetricResult) -> Row:
    return {"metric": metric.name, "title": metric.title}


def _effect(comparison: Comparison) -> Row:
    return {
        "difference": comparison.difference,
        **_ends("difference", comparison.difference_interval),
        "lift": comparison.lift,
        **_ends("lift", comparison.lift_interval),
    }


def _ends(name: str, interval: Interval | None) -> Row:
    low, high = interval or (None, None)
    return {f"{name}_low": low, f"{name}_high": high}
