"""Relabeled A/A tests: shares against enumeration, means against what is known of skewed data."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy.stats import hypergeom

import abcx
from abcx.checks import calibration
from abcx.stats.records import Proportion
from abcx.stats.shares import contrast, false_alarms
from tests.support.contexts import ORDERS, REVENUE, context, experiment
from tests.support.results import check, shares


@pytest.mark.parametrize(
    ("control", "variant"),
    [((8, 30), (3, 20)), ((40, 200), (61, 180)), ((2, 900), (4, 100)), ((0, 10), (0, 10)), ((10, 10), (9, 9))],
)
def test_shares_are_counted_exactly(control: tuple[int, int], variant: tuple[int, int]) -> None:
    events, n = control[0] + variant[0], control[1] + variant[1]
    expected = 0.0
    for x in range(max(0, events - control[1]), min(events, variant[1]) + 1):
        p = contrast(Proportion(events - x, control[1]), Proportion(x, variant[1])).p_value
        expected += hypergeom.pmf(x, n, events, variant[1]) * (p is not None and p < 0.05)
    assert false_alarms(Proportion(*control), Proportion(*variant), 0.05) == pytest.approx(expected, abs=1e-9)


def test_shares_by_every_relabeling() -> None:
    """Six units, three with the event: all twenty deals, one by one."""
    units = [1, 1, 1, 0, 0, 0]
    deals = list(itertools.combinations(range(6), 3))
    alarms = 0
    for deal in deals:
        x = sum(units[i] for i in deal)
        p = contrast(Proportion(3 - x, 3), Proportion(x, 3)).p_value
        alarms += p is not None and p < 0.2
    assert false_alarms(Proportion(1, 3), Proportion(2, 3), 0.2) == pytest.approx(alarms / len(deals))


def test_an_ordinary_share_passes() -> None:
    found = check(shares((1847, 15640), (2060, 15640)), "calibration")
    assert found.status == "pass"
    (one,) = found.details["metrics"]
    assert 0.03 < one["false_alarms"] < 0.06


def revenue(seed: int, sizes: tuple[int, int], interval: str) -> abcx.Results:
    rng = np.random.default_rng(seed)
    n = sum(sizes)
    spent = np.where(rng.random(n) < 0.05, rng.lognormal(3, 1.5, n), 0.0)
    frame = pd.DataFrame({"unit": range(n), "arm": ["control"] * sizes[0] + ["variant"] * sizes[1], "spent": spent})
    arms = {"control": {"share": sizes[0] / n}, "variant": {"share": sizes[1] / n}}
    metrics = {"spent": {"type": "mean", "column": "spent", "role": "primary", "goal": "increase"}}
    spec = {"schema_version": 1, "name": "aa", "arms": arms, "metrics": metrics, "analysis": {"interval": interval}}
    return abcx.analyze(spec, units=frame)


@pytest.mark.slow
def test_welch_cries_wolf_on_skewed_revenue_at_90_to_10_and_permutation_does_not() -> None:
    """The plain interval covers about 87 % there (design figures); the check must say so from the data alone."""
    loud = check(revenue(1, (9000, 1000), "analytic"), "calibration")
    assert loud.status == "warn"
    assert "of trials show an effect on Spent where 5% should" in loud.message
    assert loud.details["metrics"][0]["false_alarms"] > 0.08
    calm = check(revenue(1, (9000, 1000), "permutation"), "calibration")
    assert calm.status == "pass"
    assert 0.03 < calm.details["metrics"][0]["false_alarms"] < 0.07


def test_the_advice_fits_the_metric() -> None:
    """A share has no cap, a capped mean needs none, and `interval: permutation` cannot be set twice."""
    few = check(shares((2, 100), (2, 100)), "calibration")  # 12 % of the deals of four events are 4:0 or 0:4
    assert few.status == "warn" and few.help is not None
    assert "cap" not in few.help and "interval" not in few.help and "more frequent event" in few.help
    loud = check(revenue(1, (9000, 1000), "analytic"), "calibration").help or ""
    assert "`interval: permutation`" in loud and "`cap: 99.9%`" in loud and "share that converts" in loud


@pytest.mark.parametrize(
    ("interval", "cap", "words", "never"),
    [
        ("analytic", None, ["Set `interval: permutation`", "cap the metric"], []),
        ("analytic", "99.9%", ["`interval: permutation`"], ["cap"]),
        ("permutation", None, ["Cap the metric"], ["interval"]),
        ("permutation", 100, ["share that converts"], ["cap", "interval"]),
    ],
)
def test_the_advice_leaves_out_what_is_set_already(
    interval: str, cap: object, words: list[str], never: list[str]
) -> None:
    spec = experiment(
        metrics={"revenue": {**REVENUE, "role": "primary", **({"cap": cap} if cap else {})}},
        analysis={"interval": interval},
    )
    found = calibration.advice(context(spec=spec), "revenue")
    assert all(word in found for word in words) and not any(word in found for word in never)


def test_the_advice_names_a_conversion_of_the_spec_and_no_permutation_beside_covariates() -> None:
    metrics = {"orders": ORDERS, "revenue": {**REVENUE, "role": "primary"}}
    assert "judge by Orders" in calibration.advice(context(spec=experiment(metrics=metrics)), "revenue")
    adjusted = experiment(metrics=metrics, window="7d", analysis={"covariates": {"pre_period": "7d"}})
    assert "permutation" not in calibration.advice(context(spec=adjusted), "revenue")
