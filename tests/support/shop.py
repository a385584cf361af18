"""Simulated rows of a shop for all metric types: exposures, units and events in several tables, as Arrow frames."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]

START = datetime(2024, 3, 4, tzinfo=UTC)
SPEC: dict[str, Any] = {
    "schema_version": 1,
    "name": "engines",
    "tags": ["simulated"],
    "unit": "customers",
    "arms": {"old": {}, "new": {}},
    "period": {"start": "2024-03-04", "end": "2024-03-31", "timezone": "Europe/Berlin"},
    "columns": {},
    "window": "7d",
    "segments": ["device"],
    "metrics": {
        "buys": {"type": "conversion", "event": "buy", "role": "primary", "goal": "increase"},
        "twice": {"type": "conversion", "event": "buy", "at_least": 2, "role": "secondary", "goal": "increase"},
        "revenue": {
            "type": "mean", "event": "buy", "value": "amount", "cap": "99%", "role": "secondary", "goal": "increase"
        },
        "views": {"type": "mean", "event": "view", "role": "secondary", "goal": "increase"},
        "order_value": {
            "type": "ratio",
            "numerator": {"event": "buy", "value": "amount"},
            "denominator": {"event": "buy"},
            "role": "secondary",
            "goal": "increase",
        },
        "median_views": {
            "type": "quantile", "q": 0.5, "of": "units", "event": "view", "role": "secondary", "goal": "increase"
        },
        "large_orders": {
            "type": "quantile", "q": 0.9, "of": "events", "event": "buy", "value": "amount", "role": "secondary",
            "goal": "increase",
        },
        "nps": {
            "type": "nps", "event": "answer", "value": "score", "scale": [0, 10], "where": {"question": "recommend"},
            "role": "secondary", "goal": "increase",
        },
        "csat": {
            "type": "csat", "event": "answer", "value": "score", "scale": [1, 5], "where": {"question": "satisfied"},
            "role": "secondary", "goal": "increase",
        },
        "ces": {
            "type": "ces", "event": "answer", "value": "score", "scale": [1, 7], "where": {"question": "easy"},
            "role": "secondary", "goal": "increase",
        },
        "back": {"type": "retention", "event": "view", "day": 3, "role": "secondary", "goal": "increase"},
        "left": {"type": "churn", "event": "leave", "horizon": "10d", "role": "secondary", "goal": "decrease"},
        "time_to_solve": {
            "type": "resolution_time", "start": "opened", "end": "solved", "key": "ticket", "horizon": "48h",
            "role": "secondary", "goal": "decrease",
        },
        "path": {
            "type": "funnel", "steps": [{"event": "view"}, {"event": "buy", "where": {"amount": {"min": 1}}}],
            "role": "secondary", "goal": "increase",
        },
        "either": {
            "type": "funnel", "steps": [{"event": "view"}, {"event": "buy"}, {"event": "opened"}], "strict": False,
            "role": "secondary", "goal": "increase",
        },
        "age": {"type": "mean", "column": "age", "role": "descriptive"},
    },
}  # fmt: skip


def rows(units: int = 1500, seed: int = 4) -> dict[str, pa.Table]:
    """exposures, buys (with an id that comes twice), others, and units."""
    rng = np.random.default_rng(seed)
    names = [f"c'{i:05d}" for i in range(units)]
    arms = rng.integers(0, 2, units)
    entered = rng.uniform(0, 27.9 * 86400, units)

    def at(seconds: Any) -> Any:
        return pa.array([START + timedelta(microseconds=int(1e6 * s)) for s in seconds], pa.timestamp("us", "UTC"))

    buys: list[tuple[Any, ...]] = []
    others: list[tuple[Any, ...]] = []
    for i, name in enumerate(names):
        for _ in range(rng.poisson(3)):
            others.append((name, entered[i] + rng.exponential(3 * 86400) - 43200, "view", None, None, None))
        for _ in range(rng.poisson(0.4)):
            amount = round(float(rng.lognormal(3, 1.2)), 2)
            buys.append(
                (name, entered[i] + rng.exponential(3 * 86400) - 43200, amount, f"o{len(buys) - len(buys) % 9}")
            )
        questions = (("recommend", 0, 10), ("satisfied", 1, 5), ("easy", 1, 7))
        for question, low, high in questions if rng.random() < 0.3 else ():
            score = float(rng.integers(low, high + 1))
            others.append((name, entered[i] + 3600.0, "answer", score, question, None))
        if rng.random() < 0.1:
            others.append((name, entered[i] + rng.exponential(20 * 86400), "leave", None, None, None))
        for number in range(rng.poisson(0.5)):
            opened = entered[i] + rng.exponential(86400)
            others.append((name, opened, "opened", None, None, f"{name}-{number}"))
            if rng.random() < 0.8:
                others.append((name, opened + rng.exponential(86400), "solved", None, None, f"{name}-{number}"))
    devices = np.array(["desktop", "mobile"])[rng.integers(0, 2, units)]
    bought, other = list(zip(*buys, strict=True)), list(zip(*others, strict=True))
    return {
        "exposures": pa.table(
            {"customer": names, "at": at(entered), "arm": [("old", "new")[a] for a in arms], "device": devices}
        ),
        "buys": pa.table(
            {"customer": bought[0], "at": at(bought[1]), "amount": bought[2], "order_id": bought[3]}
        ),
        "others": pa.table(
            {
                "customer": other[0], "at": at(other[1]), "event": other[2], "score": pa.array(other[3], pa.float64()),
                "question": pa.array(other[4], pa.string()), "ticket": pa.array(other[5], pa.string()),
            }
        ),
        "units": pa.table({"customer": names, "age": rng.integers(18, 80, units).astype(float)}),
    }  # fmt: skip


def spec(source: dict[str, str]) -> dict[str, Any]:
    """The spec, with the names of its four sources."""
    columns = {"unit": "customer", "time": "at"}
    data = {
        "exposures": {"file": source["exposures"], "columns": columns},
        "events": [
            {"file": source["buys"], "event": "buy", "columns": {**columns, "id": "order_id"}},
            {"file": source["others"], "columns": columns},
        ],
        "units": {"file": source["units"], "columns": {"unit": "customer"}},
    }
    return {**{key: value for key, value in SPEC.items() if key != "columns"}, "data": data}
