"""The effect over time through the whole tool: against analyses of the cut data, brute force, Welch's test by scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import abcx

pytestmark = pytest.mark.slow

DAYS = 5


def log(seed: int, n: int = 600, effects: tuple[float, ...] = (0.0,) * DAYS) -> dict[str, Any]:
    """Units exposed over eight days; on each of the five days after it they visit Poisson(1 + effect) times."""
    rng = np.random.default_rng(seed)
    start = pd.Timestamp("2024-03-04T00:00", tz="UTC")
    t0 = start + pd.to_timedelta(rng.integers(0, 8 * 24 * 60, n), unit="min")
    arm = rng.choice(["control", "variant"], n)
    rows = []
    for day in range(DAYS):
        for unit in np.flatnonzero(rng.random(n) < 0.8).tolist():
            for _ in range(rng.poisson(1 + effects[day] * (arm[unit] == "variant"))):
                minutes = int(rng.choice([0, int(rng.integers(0, 1440))]))
                rows.append((unit, t0[unit] + pd.Timedelta(days=day, minutes=minutes), "visit", rng.gamma(2, 5)))
    rows.append((0, start + pd.Timedelta(days=11), "other", 0.0))
    return {
        "exposures": pd.DataFrame({"unit": range(n), "time": t0, "arm": arm}),
        "events": pd.DataFrame(rows, columns=["unit", "time", "event", "value"]),
    }


MEAN: dict[str, Any] = {"type": "mean", "event": "visit", "value": "value"}
METRICS: dict[str, dict[str, Any]] = {
    "mean": MEAN,
    "conversion": {"type": "conversion", "event": "visit", "at_least": 4},
    "ratio": {
        "type": "ratio",
        "numerator": {"event": "visit", "value": "value"},
        "denominator": {"event": "visit", "count": "units"},
    },
}


def spec(metric: dict[str, Any] = MEAN, **rest: Any) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "name": "course",
        "arms": {"control": {}, "variant": {}},
        "window": "5d",
        "metrics": {"m": {"role": "primary", "goal": "increase", **metric}},
        "analysis": {"interval": "analytic", "correction": "none"},
        **rest,
    }


def course(results: abcx.Results, kind: str) -> tuple[Any, ...]:
    return next((one.points for one in results["m"].course if one.kind == kind), ())


@pytest.mark.parametrize("kind", METRICS)
def test_cumulative_points_are_analyses_of_the_units_exposed_so_far(kind: str) -> None:
    data = log(1)
    results = abcx.analyze(spec(METRICS[kind]), **data)
    points = course(results, "cumulative")
    days = sorted(data["exposures"].time.dt.date.astype(str).unique())
    assert [point.day for point in points] == days
    for day, point in zip(days, points, strict=True):
        so_far = data["exposures"][data["exposures"].time.dt.date.astype(str) <= day]
        alone = abcx.analyze(spec(METRICS[kind]), exposures=so_far, events=data["events"])
        comparison = alone["m"].comparisons[0]
        assert point.units == sum(arm.units for arm in alone["m"].arms)
        assert point.difference == pytest.approx(comparison.difference, rel=1e-9)
        assert point.difference_interval == pytest.approx(comparison.difference_interval, rel=1e-7)
        assert point.lift_interval == pytest.approx(comparison.lift_interval, rel=1e-7)


def per_day(data: dict[str, pd.DataFrame], last: pd.Timestamp) -> pd.DataFrame:
    """Units that were followed for five days, by day since exposure: sums, visits."""
    units = data["exposures"][data["exposures"].time + pd.Timedelta(days=DAYS) <= last]
    rows = []
    for unit, t0, arm in units.itertuples(index=False):
        mine = data["events"][(data["events"].unit == unit) & (data["events"].event == "visit")]
        for day in range(DAYS):
            since, until = t0 + pd.Timedelta(days=day), t0 + pd.Timedelta(days=day + 1)
            some = mine[(mine.time >= since) & (mine.time < until)]
            rows.append((unit, arm, day, some.value.sum(), len(some)))
    return pd.DataFrame(rows, columns=["unit", "arm", "day", "total", "visits"])


def test_days_since_exposure_are_those_of_the_same_units() -> None:
    data = log(2, 300)
    days = per_day(data, data["events"].time.max())
    assert 50 < days.unit.nunique() < 300
    for kind, value in (("mean", days.total), ("conversion", (days.visits >= 2) * 1.0)):
        metric = {**METRICS[kind], **({"at_least": 2} if kind == "conversion" else {})}
        points = course(abcx.analyze(spec(metric), **data), "since_exposure")
        assert [point.day for point in points] == ["1", "2", "3", "4", "5"]
        for day, point in enumerate(points):
            some = [value[(days.day == day) & (days.arm == arm)] for arm in ("control", "variant")]
            assert point.units == sum(map(len, some))
            assert point.difference == pytest.approx(some[1].mean() - some[0].mean(), rel=1e-9, abs=1e-12)
            if kind == "mean":
                interval = stats.ttest_ind(some[1], some[0], equal_var=False).confidence_interval()
                assert point.difference_interval == pytest.approx((interval.low, interval.high), rel=1e-6)


def novelty(results: abcx.Results) -> Any:
    return next(check for check in results.checks if check.code == "novelty")


def test_novelty_is_welch_on_what_each_unit_did_later_less_earlier() -> None:
    data = log(3, 300)
    days = per_day(data, data["events"].time.max())
    halves = {
        arm: some[some.day >= 3].groupby("unit").total.sum() - some[some.day <= 1].groupby("unit").total.sum()
        for arm, some in days.groupby("arm")
    }
    expected = stats.ttest_ind(halves["variant"], halves["control"], equal_var=False)
    found = novelty(abcx.analyze(spec(), **data))
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6)
    change = found.details["tests"][0]["change"]
    assert change == pytest.approx(halves["variant"].mean() - halves["control"].mean(), rel=1e-9)


def test_a_fading_effect_is_found_and_named() -> None:
    found = novelty(abcx.analyze(spec(), **log(4, 1500, (2.0, 1.5, 0.5, 0.0, 0.0))))
    assert found.status == "warn" and "fades" in found.message
    found = novelty(abcx.analyze(spec(), **log(4, 1500, (0.0, 0.0, 0.5, 1.5, 2.0))))
    assert found.status == "warn" and "grows" in found.message
    found = novelty(abcx.analyze(spec(), **log(4, 1500, (0.5,) * DAYS)))
    assert found.status == "pass"


def test_novelty_of_no_effect_is_seldom_significant() -> None:
    p_values = [novelty(abcx.analyze(spec(), **log(100 + seed, 100))).p_value for seed in range(24)]
    assert sum(p < 0.05 for p in p_values) <= 4  # 1.2 expected
    assert stats.kstest(p_values, "uniform").pvalue > 0.01
