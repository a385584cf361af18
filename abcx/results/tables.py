"""Results as flat rows: the content of CSV files and of frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from abcx.results.metric import ArmValue, Comparison, MetricResult
from abcx.results.monitoring import unjudged
from abcx.stats.records import Interval

if TYPE_CHECKING:
    from abcx.results.readout import Results

Row = dict[str, Any]


def metrics(results: Results) -> Iterator[Row]:
    """One row per metric and comparison."""
    words = {verdict.arm: verdict.verdict for verdict in results.verdicts}
    for metric in results.metrics:
        for comparison in metric.comparisons:
            judged = not unjudged(comparison, results.monitoring.rule)
            yield {
                "experiment": results.experiment,
                "verdict": words[comparison.arm],
                "metric": metric.name,
                **{name: getattr(metric, name) for name in ("type", "role", "goal")},
                **_sides(comparison, metric.arms),
                **_effect(comparison),
                "p_value": comparison.p_value if judged else None,
                "p_value_adjusted": comparison.p_value_adjusted if judged else None,
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
                for comparison in value.comparisons:
                    yield {
                        **_named(metric),
                        "segment": segment.name,
                        "value": value.value,
                        **_sides(comparison, value.arms),
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


def _named(metric: MetricResult) -> Row:
    return {"metric": metric.name, "title": metric.title}


def _sides(comparison: Comparison, arms: Sequence[ArmValue]) -> Row:
    """Both arms of a comparison with their units and values."""
    by_name = {arm.name: arm for arm in arms}
    control, variant = by_name[comparison.control], by_name[comparison.arm]
    return {
        "control": control.name,
        "arm": variant.name,
        "control_units": control.units,
        "arm_units": variant.units,
        "control_value": control.value,
        "arm_value": variant.value,
    }


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
