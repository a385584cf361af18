"""Three failures seen in other tools, which must not happen here: missing values counted as units, verdicts that change
with the display unit, and one-sided misses on skewed revenue (the last in tests/stats/test_permutation.py)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import abcx
from abcx.stats import means
from abcx.stats.records import Moments

pytestmark = pytest.mark.slow

SPEC: dict[str, Any] = {
    "schema_version": 1,
    "name": "promises",
    "arms": {"control": {}, "variant": {}},
    "metrics": {
        "rating": {"type": "mean", "column": "rating", "role": "primary", "goal": "increase"},
        "per_rated": {
            "type": "ratio",
            "numerator": {"column": "rating"},
            "denominator": {"column": "weight"},
            "role": "secondary",
            "goal": "increase",
        },
    },
}


def frame(rng: np.random.Generator, n: int, missing: float) -> pd.DataFrame:
    rating = np.where(rng.random(n) < missing, np.nan, rng.normal(3, 1, n))
    arm = rng.choice(["control", "variant"], n)
    return pd.DataFrame({"unit": range(n), "arm": arm, "rating": rating, "weight": rng.uniform(1, 2, n)})


def test_n_is_the_units_with_a_value_and_the_missing_are_told() -> None:
    data = frame(np.random.default_rng(1), 1000, 0.8)
    results = abcx.analyze(SPEC, units=data)
    for arm in results["rating"].arms:
        of_arm = data[data.arm == arm.name]
        assert (arm.units, arm.missing) == (of_arm.rating.notna().sum(), of_arm.rating.isna().sum())
        assert arm.value == pytest.approx(of_arm.rating.mean())
    pairs = data.dropna()
    for arm in results["per_rated"].arms:
        of_arm = pairs[pairs.arm == arm.name]
        assert arm.units == len(of_arm)
        assert arm.value == pytest.approx(of_arm.rating.sum() / of_arm.weight.sum())


def test_eighty_per_cent_missing_raise_no_false_alarms() -> None:
    """A peer that counts missing values as units has 39 % there: its standard errors are too small by sqrt(5)."""
    rng = np.random.default_rng(7)
    alarms, wrong = 0, 0
    for _ in range(600):
        values = [rng.normal(3, 1, rng.binomial(500, 0.2)) for _ in range(2)]
        arms = [Moments(len(x), float(x.mean()), float(x.var(ddof=1)), minimum=float(x.min())) for x in values]
        p = means.contrast(*arms).p_value
        alarms += p is not None and p < 0.05
        full = [Moments(500, arm.mean, arm.variance, minimum=arm.minimum) for arm in arms]
        p = means.contrast(*full).p_value
        wrong += p is not None and p < 0.05
    assert alarms / 600 < 0.05 + 3 * (0.05 * 0.95 / 600) ** 0.5
    assert wrong / 600 > 0.3  # what the mistake would cost: the test can fail


@pytest.mark.parametrize("factor", [100.0, 0.01, 1e6])
def test_the_verdict_does_not_change_with_the_display_unit(factor: float) -> None:
    rng = np.random.default_rng(11)
    data = frame(rng, 2000, 0.0).assign(rating=lambda d: rng.lognormal(3, 1, len(d)) * (1 + 0.1 * (d.arm == "variant")))
    spec = {**SPEC, "plan": {"units": 1500}, "analysis": {"seed": 3}}
    spec["metrics"] = {"rating": {**SPEC["metrics"]["rating"], "minimum_effect": "5%"}}
    pounds, pence = abcx.analyze(spec, units=data), abcx.analyze(spec, units=data.assign(rating=data.rating * factor))
    assert pounds.verdict.verdict == pence.verdict.verdict
    assert [check.status for check in pounds.checks] == [check.status for check in pence.checks]
    one, other = pounds["rating"].comparisons[0], pence["rating"].comparisons[0]
    assert other.p_value == pytest.approx(one.p_value, rel=1e-9)
    assert other.lift_interval == pytest.approx(one.lift_interval, rel=1e-8)
    low, high = one.difference_interval or (None, None)
    assert low is not None and high is not None
    assert other.difference_interval == pytest.approx([factor * low, factor * high], rel=1e-8)
