"""Planned sizes against R's published numbers and statsmodels."""

from __future__ import annotations

import math

import pytest
from scipy.stats import norm
from statsmodels.stats.power import TTestIndPower

from tests.builders import conclude, shares

MEAN = {"type": "mean", "role": "primary", "goal": "increase"}


def test_declared_units_come_first() -> None:
    results = shares((20, 100), (25, 100), minimum_effect="5%", plan={"units": 12345})
    assert (results.setup.planned_units, results.setup.planned_from) == (12345, "plan.units")


def test_nothing_planned_without_a_minimum_effect() -> None:
    results = shares((20, 100), (25, 100))
    assert (results.setup.planned_units, results.setup.planned_from) == (None, None)


def test_means_agree_with_statsmodels() -> None:
    arm = {"units": 1000, "revenue": {"mean": 10.0, "sd": 30.0}}
    plan = {"baseline": {"revenue": {"mean": 12.0, "sd": 40.0}}, "power": 0.9}
    results = conclude({"control": arm, "variant": arm}, {"revenue": {**MEAN, "minimum_effect": "10%"}}, plan=plan)
    per_arm = math.ceil(TTestIndPower().solve_power(effect_size=1.2 / 40.0, power=0.9, alpha=0.05))
    assert results.setup.planned_units == 2 * per_arm


def test_an_unequal_split_needs_more() -> None:
    arm = {"units": 1000, "revenue": {"mean": 10.0, "sd": 30.0}}
    arms = {"control": {"share": 0.8}, "variant": {"share": 0.2}}
    results = conclude(
        {"control": {**arm, "units": 4000}, "variant": arm}, {"revenue": {**MEAN, "minimum_effect": 1}}, arms=arms
    )
    control = TTestIndPower().solve_power(effect_size=1 / 30.0, power=0.8, alpha=0.05, ratio=0.25)
    assert results.setup.planned_units == pytest.approx(control / 0.8, abs=2)


def test_two_variants_are_planned_at_half_the_level() -> None:
    arm = {"units": 1000, "revenue": {"mean": 10.0, "sd": 30.0}}
    results = conclude({"control": arm, "a": arm, "b": arm}, {"revenue": {**MEAN, "minimum_effect": 1}})
    per_arm = math.ceil(TTestIndPower().solve_power(effect_size=1 / 30.0, power=0.8, alpha=0.025))
    assert results.setup.planned_units == pytest.approx(3 * per_arm, abs=3)


def test_a_ratio_is_planned_by_its_linearised_spread() -> None:
    part = {"numerator": {"mean": 4.0, "sd": 3.0}, "denominator": {"mean": 2.0, "sd": 1.0}, "correlation": 0.5}
    arm = {"units": 1000, "clicks": part}
    metric = {"type": "ratio", "role": "primary", "goal": "increase", "minimum_effect": "5%"}
    results = conclude({"control": arm, "variant": arm}, {"clicks": metric})
    sd = math.sqrt(9 - 2 * 2 * 0.5 * 3 * 1 + 4 * 1) / 2  # var(num - R den) / mean(den)^2 with R = 2
    per_arm = math.ceil(TTestIndPower().solve_power(effect_size=0.1 / sd, power=0.8, alpha=0.05))
    assert results.setup.planned_units == 2 * per_arm


def test_the_strictest_primary_counts() -> None:
    arm = {"units": 1000, "a": 200, "b": 200}
    metric = {"type": "conversion", "role": "primary", "goal": "increase"}
    alone = conclude({"control": arm, "variant": arm}, {"a": {**metric, "minimum_effect": "5%"}, "b": metric})
    both = conclude(
        {"control": arm, "variant": arm},
        {"a": {**metric, "minimum_effect": "5%"}, "b": {**metric, "minimum_effect": "20%"}},
    )
    assert both.setup.planned_units == alone.setup.planned_units


@pytest.mark.parametrize("control", [0, 1000])
def test_a_control_without_spread_plans_nothing(control: int) -> None:
    results = shares((control, 1000), (10, 1000), minimum_effect="5%")
    assert results.setup.planned_units is None


def test_the_size_that_would_resolve_a_guardrail() -> None:
    counts = {
        "control": {"units": 10_000, "orders": 1000, "chats": 500},
        "variant": {"units": 10_000, "orders": 1300, "chats": 500},
    }
    metrics = {
        "orders": {"type": "conversion", "role": "primary", "goal": "increase"},
        "chats": {"type": "conversion", "role": "guardrail", "goal": "decrease", "margin": "10%"},
    }
    results = conclude(counts, metrics)
    low, high = results["chats"].comparisons[0].lift_interval or (None, None)
    assert low is not None and high is not None
    z, power = norm.isf(0.025), norm.ppf(0.8)
    needed = 20_000 * ((high - low) / 2 / 0.1 * (z + power) / z) ** 2
    assert results.verdict.missing_units == pytest.approx(needed - 20_000, abs=2)


def test_guardrails_divide_the_chance_to_miss_and_are_sized_by_their_margin() -> None:
    """With two guardrails the power of each is 1 - .2 / 3 (Schultzberg, Ankargren, Frånberg 2024)."""
    arm = {"units": 1000, "revenue": {"mean": 10.0, "sd": 30.0}, "chats": {"mean": 2.0, "sd": 4.0}, "leaves": 100}
    metrics = {
        "revenue": {**MEAN, "minimum_effect": 1},
        "chats": {"type": "mean", "role": "guardrail", "goal": "decrease", "margin": "5%"},
        "leaves": {"type": "conversion", "role": "guardrail", "goal": "decrease", "margin": "5pp"},
    }
    power = 1 - 0.2 / 3
    alone = conclude({"control": arm, "variant": arm}, {**metrics, "chats": {**metrics["chats"], "margin": "50%"}})
    by_effect = math.ceil(TTestIndPower().solve_power(effect_size=1 / 30.0, power=power, alpha=0.05))
    assert alone.setup.planned_units == 2 * by_effect
    both = conclude({"control": arm, "variant": arm}, metrics)
    by_margin = math.ceil(TTestIndPower().solve_power(effect_size=0.1 / 4.0, power=power, alpha=0.05))
    assert both.setup.planned_units == 2 * by_margin
