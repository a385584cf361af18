"""docs/metrics.md: every type says what it is, its unit and its trap, and its example runs."""

from __future__ import annotations

import re
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

import abcx
from abcx.metrics import METRIC_TYPES


def page(type: str) -> str:
    return sys.modules[METRIC_TYPES[type].__module__].__doc__ or ""


def log() -> pd.DataFrame:
    """Three weeks of 120 units with every event that an example names; made for this test, no real data."""
    rng = np.random.default_rng(4)
    rows: list[tuple[Any, ...]] = []

    def add(unit: str, arm: str, at: pd.Timestamp, event: str, **cells: Any) -> None:
        rows.append((unit, arm, at, event, *(cells.get(name) for name in CELLS)))

    for i in range(120):
        unit, arm = f"u{i}", ("control", "variant")[i % 2]
        start = pd.Timestamp(2024, 3, 4) + pd.Timedelta(hours=float(rng.uniform(0, 24 * 14)))
        add(unit, arm, start, "exposed")
        for event, chance in (("purchase", 0.6), ("visit", 0.8), ("cancel", 0.3), ("page_load", 0.9), ("view", 0.9)):
            for _ in range(int(rng.binomial(3, chance))):
                amount = float(np.round(rng.lognormal(3, 1), 2))
                add(
                    unit,
                    arm,
                    start + pd.Timedelta(days=float(rng.uniform(0, 12))),
                    event,
                    amount=amount,
                    seconds=amount,
                )
        answered = start + pd.Timedelta(days=1)
        add(unit, arm, answered, "survey", score=i % 11, rating=1 + i % 5, ease=1 + i % 7)
        opened = start + pd.Timedelta(days=2)
        add(unit, arm, opened, "ticket_opened", ticket_id=f"t{i}")
        add(unit, arm, opened + pd.Timedelta(hours=1 + i % 60), "ticket_solved", ticket_id=f"t{i}")
    add("late", "control", pd.Timestamp(2024, 3, 4), "exposed")
    for week in range(17):  # the log goes on beyond every horizon
        add("late", "control", pd.Timestamp(2024, 3, 5) + pd.Timedelta(weeks=week), "visit")
    return pd.DataFrame(rows, columns=["unit", "arm", "time", "event", *CELLS])


CELLS = ("amount", "seconds", "score", "rating", "ease", "ticket_id")


@pytest.mark.parametrize("type", METRIC_TYPES)
def test_every_type_says_what_it_is_its_unit_and_its_trap(type: str) -> None:
    for words in ("Definition:", "Unit of analysis:", "Use it for", "Trap:"):
        assert f"\n{words}" in page(type)


@pytest.mark.parametrize("type", METRIC_TYPES)
@pytest.mark.slow
def test_every_example_runs(type: str) -> None:
    (text,) = re.findall(r"```yaml\n(.*?)```", page(type), re.DOTALL)
    ((name, metric),) = yaml.safe_load(text).items()
    assert metric["type"] == type
    metrics = {name: metric}
    if metric["role"] != "primary":
        metrics["exposed"] = {"type": "conversion", "event": "visit", "role": "primary", "goal": "increase"}
    spec = {
        "schema_version": 1,
        "name": "example",
        "arms": {"control": {}, "variant": {}},
        "data": {"events": "events.csv"},
        "exposure": {"event": "exposed"},
        "metrics": metrics,
    }
    found = abcx.analyze(spec, events=log())[name]
    assert [arm.value is not None and arm.units > 50 for arm in found.arms] == [True, True]
    assert found.comparisons[0].difference is not None and found.comparisons[0].difference_interval is not None
