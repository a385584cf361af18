"""A mean is taken apart by a conversion only where both are about the same events of the same units."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import abcx
from abcx.checks import too_good
from tests.support.contexts import ORDERS, REVENUE, context, experiment, result

SAME: list[dict[str, Any]] = [{}, {"at_least": 1}, {"window": "14d"}]
OTHER: list[dict[str, Any]] = [
    {"at_least": 2},
    {"event": "refund"},
    {"window": "7d"},
    {"where": {"country": "SE"}},
    {"source": "shop"},
    {"column": "bought", "event": None},
]


def metrics(orders: dict[str, Any]) -> dict[str, Any]:
    changed = {key: value for key, value in {**ORDERS, **orders}.items() if value is not None}
    return {"orders": changed, "revenue": REVENUE}


@pytest.mark.parametrize(("orders", "same"), [*((one, True) for one in SAME), *((one, False) for one in OTHER)])
def test_the_implied_order_value_is_of_the_same_events(orders: dict[str, Any], same: bool) -> None:
    """+76 % of revenue over +26 % of buyers is an order value of +39.8 %; over other events it is nothing."""
    spec = experiment(metrics=metrics(orders), window="14d")
    results = (result("orders", 0.26, "better", spec), result("revenue", 0.761, "better", spec))
    found = too_good.check(context(spec=spec, results=results))
    assert ("Revenue / Orders" in found.message) is same
    assert len(found.details["order_value"]) == same


@pytest.mark.parametrize(("at_least", "parts"), [(None, 1), (1, 1), (2, 0)])
def test_repurchase_takes_no_revenue_apart(tmp_path: Path, at_least: int | None, parts: int) -> None:
    """A quarter of the buyers order twice: revenue per unit over the share of those is no order value."""
    rows: list[tuple[int, str, str, str, float | None]] = []
    for unit in range(80):
        arm = ("control", "variant")[unit % 2]
        rows.append((unit, arm, f"2024-03-01T10:{unit % 60:02}:00Z", "visit", None))
        orders = 2 if unit % 8 < 2 else 1 if unit % 8 < 4 else 0
        rows += [(unit, arm, f"2024-03-02T1{k}:00:00Z", "order", 10.0 + unit) for k in range(orders)]
    frame = pd.DataFrame(rows, columns=["unit", "arm", "time", "event", "value"])
    bought = {"type": "conversion", "event": "order", "role": "primary", "goal": "increase"}
    spec = {
        "schema_version": 1,
        "name": "again",
        "arms": {"control": {}, "variant": {}},
        "metrics": {
            "bought": {**bought, **({"at_least": at_least} if at_least else {})},
            "revenue": {"type": "mean", "event": "order", "value": "value", "role": "secondary", "goal": "increase"},
        },
    }
    found = abcx.analyze(spec, events=frame)
    assert len(found.decompositions) == parts
    for one in found.decompositions:
        for arm in ("control", "variant"):
            product = (one.first.values[arm] or 0.0) * (one.second.values[arm] or 0.0)
            assert product == pytest.approx(one.total.values[arm])
