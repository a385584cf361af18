"""Keys of the contract whose feature is not built yet: refused by name, never ignored.

Delete a line when it is built."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from abcx.spec.document import Loc

METRIC_TYPES = ("quantile", "nps", "csat", "ces", "retention", "churn", "resolution_time")


def remove_unbuilt(raw: dict[str, Any]) -> Iterator[tuple[Loc, str]]:
    """Take unbuilt keys out of `raw` (in place) and give the place and the name of each."""
    metrics = raw.get("metrics")
    if isinstance(metrics, dict):
        for name in [
            name for name, metric in metrics.items() if isinstance(metric, dict) and metric.get("type") in METRIC_TYPES
        ]:
            yield ("metrics", name, "type"), f"metric type '{metrics.pop(name)['type']}'"
