"""What is measured: one file per metric type. A new type is one file and one line here."""

from __future__ import annotations

from functools import reduce
from importlib import import_module
from operator import or_
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from abcx.metrics.base import MetricOptions

_CLASSES = {
    "conversion": "Conversion",
    "mean": "Mean",
    "ratio": "Ratio",
    "quantile": "Quantile",
    "nps": "Nps",
    "csat": "Csat",
    "ces": "Ces",
    "retention": "Retention",
    "churn": "Churn",
    "resolution_time": "ResolutionTime",
    "funnel": "Funnel",
}
"""The class of every type; its file has the type's name."""
METRIC_TYPES: dict[str, type[MetricOptions]] = {
    name: getattr(import_module(f"{__name__}.{name}"), cls) for name, cls in _CLASSES.items()
}

if TYPE_CHECKING:
    MetricSpec = MetricOptions
else:
    MetricSpec = Annotated[reduce(or_, METRIC_TYPES.values()), Field(discriminator="type")]
