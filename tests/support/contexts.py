"""Contexts made by hand: a small spec, the data that a check looks at, nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np

from abcx.checks.context import CheckContext
from abcx.data.records import MetricData, Observed
from abcx.notes import Note
from abcx.planning.planned_end import planned_end
from abcx.planning.sample_size import Planned
from abcx.results.metric import Comparison, MetricResult
from abcx.spec.load import load_spec
from abcx.spec.model import Experiment
from abcx.stats.methods import Method
from abcx.stats.records import Moments, Proportion, RatioMoments

ORDERS: dict[str, Any] = {"type": "conversion", "event": "purchase", "role": "primary", "goal": "increase"}
REVENUE: dict[str, Any] = {
    "type": "mean",
    "event": "purchase",
    "value": "amount",
    "role": "secondary",
    "goal": "increase",
}
ORDER_VALUE: dict[str, Any] = {
    "type": "ratio",
    "numerator": {"event": "purchase", "value": "amount"},
    "denominator": {"event": "purchase"},
    "role": "descriptive",
}


def experiment(**keys: Any) -> Experiment:
    """A spec with two equal arms and one conversion, changed by `keys`."""
    base = {
        "schema_version": 1,
        "name": "test",
        "unit": "visitors",
        "arms": {"control": {}, "variant": {}},
        "metrics": {"orders": ORDERS},
    }
    return load_spec({**base, **keys})


def arms(*shares: float) -> dict[str, Any]:
    """Arms with these planned shares: control, variant, third, fourth."""
    return {name: {"share": share} for name, share in zip(NAMES, shares, strict=False)}


NAMES = ("control", "variant", "third", "fourth")


def context(
    units: tuple[int, ...] = (1000, 1000),
    spec: Experiment | None = None,
    metrics: dict[str, MetricData] | None = None,
    results: tuple[MetricResult, ...] = (),
    planned: int | None = None,
    kind: str = "events",
    **observed: Any,
) -> CheckContext:
    """What a check sees, from units per arm and whatever else it looks at."""
    spec = spec or experiment()
    seen = Observed(kind, dict(zip(spec.arms, units, strict=False)), metrics or {}, **observed)
    size = Planned(planned, Note("size_declared") if planned else None)
    end = planned_end(spec, seen, size)
    return CheckContext(spec, seen, {result.name: result for result in results}, size, end)


def shares_of(*pairs: tuple[int, int], **rest: Any) -> MetricData:
    """A conversion: (successes, units) per arm."""
    return MetricData({arm: Proportion(*pair) for arm, pair in zip(NAMES, pairs, strict=False)}, **rest)


def values_of(*samples: Any, top: int = 500, **rest: Any) -> MetricData:
    """A mean from the units' values per arm, or a ratio from pairs of values."""
    arrays = {arm: np.asarray(sample, dtype=float) for arm, sample in zip(NAMES, samples, strict=False)}
    tops = {}
    for arm, x in arrays.items():
        pairs = x if x.ndim == 2 else np.column_stack([x, np.ones_like(x)])
        ranked = pairs[np.argsort(-pairs[:, 0], kind="stable")][:top]
        tops[arm] = tuple((float(a), float(b)) for a, b in ranked)
    return MetricData({arm: summary(x) for arm, x in arrays.items()}, top=tops, **rest)


def summary(x: Any) -> Moments | RatioMoments:
    """Moments by numpy."""
    if x.ndim == 2:
        covariance = float(np.cov(x.T)[0, 1]) if len(x) > 1 else 0.0
        return RatioMoments(_moments(x[:, 0]), _moments(x[:, 1]), covariance)
    return _moments(x)


def _moments(x: Any) -> Moments:
    n = int(x.size)
    if n == 0:
        return Moments(0, 0.0, 0.0, 0)
    variance = float(x.var(ddof=1)) if n > 1 else 0.0
    skewness = float(((x - x.mean()) ** 3).mean() / x.std() ** 3) if n > 2 and variance > 0 else None
    return Moments(n, float(x.mean()), variance, int((x != 0).sum()), float(x.min()), float(x.max()), skewness)


def result(
    name: str, lift: float | None, status: Any = "inconclusive", spec: Experiment | None = None, **rest: Any
) -> Any:
    """The result of one metric with the same lift in every variant."""
    spec = spec or experiment()
    metric = spec.metrics[name]
    comparisons = tuple(
        Comparison(
            arm=arm,
            control=spec.control,
            method=rest.get("method", Method.SCORE),
            difference=lift,
            difference_interval=None,
            lift=lift,
            lift_interval=rest.get("interval"),
            p_value=rest.get("p_value"),
            p_value_adjusted=None,
            alpha=rest.get("alpha", 0.05),
            status=status,
        )
        for arm in spec.variants
    )
    return MetricResult(name, metric.type, metric.role, metric.goal, metric.value_kind, "", (), comparisons)


def at(text: str) -> int:
    """A UTC time as the data hold it: microseconds since 1970."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))


def daily(first: str, *days: tuple[int, ...]) -> tuple[tuple[str, dict[str, int]], ...]:
    """Units per arm on consecutive days."""
    start = date.fromisoformat(first)
    return tuple(
        ((start + timedelta(days=i)).isoformat(), dict(zip(NAMES, counts, strict=False)))
        for i, counts in enumerate(days)
    )
