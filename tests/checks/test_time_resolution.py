"""Metrics that are read by day: how much of a short window lies before the exposure, told where it may matter."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
import pytest

import abcx
from abcx.checks import time_resolution
from tests.support.contexts import ORDERS, context, experiment


@pytest.mark.parametrize(
    ("metric", "by_day", "status"),
    [
        ({"window": "3d"}, True, "warn"),
        ({"window": "6d"}, True, "warn"),
        ({"window": "7d"}, True, "pass"),
        ({"window": "14d"}, True, "pass"),
        ({"window": "14d", "role": "guardrail", "margin": "5%"}, True, "warn"),
        ({"window": "3d", "role": "descriptive"}, True, "pass"),
        ({}, True, "pass"),
        ({"window": "3d"}, False, "skipped"),
    ],
)
def test_short_windows_and_margins_are_told(metric: dict[str, Any], by_day: bool, status: str) -> None:
    metrics = {"orders": {**ORDERS, **metric}}
    if metric.get("role"):
        metrics["other"] = {**ORDERS, "event": "other", "window": "14d"}
    names = tuple(metrics) if by_day else ()
    found = time_resolution.check(context(spec=experiment(metrics=metrics), by_day=names))
    assert found.status == status


@pytest.mark.parametrize(("days", "share"), [(3, "16.7%"), (4, "12.5%"), (5, "10.0%")])
def test_the_share_is_half_a_day_of_the_window(days: int, share: str) -> None:
    spec = experiment(metrics={"orders": ORDERS}, window=f"{days}d")
    found = time_resolution.check(context(spec=spec, by_day=("orders",)))
    assert f"about {share} of the window of Orders lies before the exposure" in found.message and found.details[
        "metrics"
    ] == {"orders": pytest.approx(0.5 / days, rel=1e-12)}


def status(exposed: str, ordered: str, window: str = "3d") -> str:
    """The status of the check where exposures and orders are written in these forms."""
    start, units = datetime(2024, 5, 6, 9, 30, 7), [f"u{i}" for i in range(200)]
    moments = [start + timedelta(hours=i, seconds=i) for i in range(200)]
    spec = {
        "schema_version": 1,
        "name": "t",
        "arms": {"a": {}, "b": {}},
        "metrics": {
            "orders": {**ORDERS, "event": "order", "window": window, "minimum_effect": "5%"},
            "back": {"type": "retention", "event": "visit", "day": 4, "role": "secondary", "goal": "increase"},
        },
    }
    exposures = pd.DataFrame({"unit": units, "time": [f"{m:{exposed}}" for m in moments], "arm": ["a", "b"] * 100})
    rows = [(unit, f"{m + timedelta(hours=5):{ordered}}", "order") for unit, m in zip(units, moments, strict=True)]
    events = pd.DataFrame([*rows, ("u0", f"{start + timedelta(days=30):{ordered}}", "visit")])
    events.columns = ["unit", "time", "event"]
    (found,) = (one for one in abcx.analyze(spec, exposures=exposures, events=events).checks if one.code == CODE)
    return found.status


CODE = "time_resolution"
SECONDS, DAYS = "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"


@pytest.mark.slow
def test_dates_of_either_file_are_handed_on() -> None:
    assert status(SECONDS, SECONDS) == "skipped"
    assert status(SECONDS, DAYS) == status(DAYS, SECONDS) == status(DAYS, DAYS) == "warn"
    assert status(SECONDS, DAYS, "7d") == "pass"


@pytest.mark.parametrize("window", ["14d", None])
def test_what_the_day_of_exposure_changes_is_shown_and_told(window: str | None) -> None:
    """With a window, and where events count for as long as each unit was watched. 30 % of both arms order on the day of
    exposure, some hours before it or after; on the two days after it 2 % of the control and 5 % of the variant do. By
    hand: 20 and 50 of 1,000 without the day of exposure."""
    start, n = datetime(2024, 5, 6), 1000
    exposures, orders = [], [("nobody", "2024-06-20", "order")]
    for arm, later in (("a", 20), ("b", 50)):
        for i in range(n):
            moment = start + timedelta(hours=i % 240, seconds=i)
            exposures.append((f"{arm}{i}", f"{moment:{SECONDS}}", arm))
            if i < 300:
                orders.append((f"{arm}{i}", f"{moment:{DAYS}}", "order"))
            elif i < 300 + later:
                orders.append((f"{arm}{i}", f"{moment + timedelta(days=1 + i % 2):{DAYS}}", "order"))
    events = pd.DataFrame([*orders, *((f"a{i}", f"{start + timedelta(days=i)}"[:10], "x") for i in range(45))])
    events.columns = ["unit", "time", "event"]
    frame = pd.DataFrame(exposures, columns=["unit", "time", "arm"])
    spec = {
        "schema_version": 1,
        "name": "t",
        "arms": {"a": {}, "b": {}},
        **({"window": window} if window else {}),
        "metrics": {"orders": ORDERS},
    }
    spec["metrics"] = {"orders": {**ORDERS, "event": "order"}}
    results = abcx.analyze(spec, exposures=frame, events=events)
    assert [arm.successes for arm in results["orders"].arms] == [320, 350]
    assert results["orders"].comparisons[0].status == "inconclusive"
    row = next(one for one in results.sensitivity if one.change.code == "without_first_day")
    assert row.lift == pytest.approx(50 / 20 - 1, rel=1e-9) and not row.holds
    (found,) = (one for one in results.checks if one.code == CODE)
    assert found.status == "warn" and found.details["changed"] == ["orders"]
    assert "Without the day of exposure the result of Orders changes" in found.message


@pytest.mark.parametrize(("horizon", "status"), [("4d", "warn"), ("30d", "pass")])
def test_the_horizon_of_churn_is_its_window(horizon: str, status: str) -> None:
    churn = {"type": "churn", "event": "left", "horizon": horizon, "role": "primary", "goal": "decrease"}
    found = time_resolution.check(context(spec=experiment(metrics={"churn": churn}), by_day=("churn",)))
    assert found.status == status
