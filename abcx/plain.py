"""Records as plain values: the JSON contract and flat rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from abcx.measured import Comparison, MetricResult
    from abcx.results import Results


DIGITS = 12
"""Significant digits of numbers in JSON."""


def row(results: Results, metric: MetricResult, comparison: Comparison) -> dict[str, Any]:
    """One flat row of a metric and a comparison: what CSV and frames hold."""
    arms = {arm.name: arm for arm in metric.arms}
    control, variant = arms[comparison.control], arms[comparison.arm]
    low, high = comparison.difference_interval or (None, None)
    lift_low, lift_high = comparison.lift_interval or (None, None)
    return {
        "experiment": results.experiment,
        "verdict": next(v.verdict for v in results.verdicts if v.arm == comparison.arm),
        "metric": metric.name,
        **{name: getattr(metric, name) for name in ("type", "role", "goal")},
        **{name: getattr(comparison, name) for name in ("control", "arm")},
        "control_units": control.units,
        "arm_units": variant.units,
        "control_value": control.value,
        "arm_value": variant.value,
        "difference": comparison.difference,
        "difference_low": low,
        "difference_high": high,
        "lift": comparison.lift,
        "lift_low": lift_low,
        "lift_high": lift_high,
        **{name: getattr(comparison, name) for name in ("p_value", "p_value_adjusted", "alpha", "status", "method")},
        "simulated": results.setup.simulated,
    }


def record(found: Any) -> dict[str, Any]:
    """A record as plain dicts, lists, strings and finite numbers of 12 digits; what does not exist is None."""
    return {f.name: _plain(getattr(found, f.name)) for f in fields(found)}


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return record(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return _rounded(value) if isinstance(value, float) else value


def _rounded(x: float) -> float | None:
    """A number to 12 significant digits: what is left of the order of rows and of threads is behind them."""
    return float(f"{x:.{DIGITS}g}") if math.isfinite(x) else None
