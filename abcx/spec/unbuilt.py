"""Keys of the contract whose feature is not built yet: refused by name, never ignored.

Delete a line when it is built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from abcx.spec.document import Loc

METRIC_TYPES = ("quantile", "nps", "csat", "ces", "retention", "churn", "resolution_time")
ANALYSIS_KEYS = ("covariates", "stratify", "prior")
ANALYSIS_VALUES = {"correction": ("bh",), "interval": ("permutation",), "monitoring": ("always_valid",)}


def remove_unbuilt(raw: dict[str, Any]) -> Iterator[tuple[Loc, str]]:
    """Take unbuilt keys out of `raw` (in place) and give the place and the name of each."""
    analysis = raw.get("analysis")
    if isinstance(analysis, dict):
        for key in [key for key in ANALYSIS_KEYS if key in analysis]:
            del analysis[key]
            yield ("analysis", key), f"analysis.{key}"
        for key, values in ANALYSIS_VALUES.items():
            value = analysis.get(key)
            if isinstance(value, dict) if key == "monitoring" and not isinstance(value, str) else value in values:
                del analysis[key]
                yield ("analysis", key), f"analysis.{key}: {'{looks, spending}' if isinstance(value, dict) else value}"
    metrics = raw.get("metrics")
    if isinstance(metrics, dict):
        for name in [
            name for name, metric in metrics.items() if isinstance(metric, dict) and metric.get("type") in METRIC_TYPES
        ]:
            yield ("metrics", name, "type"), f"metric type '{metrics.pop(name)['type']}'"
