"""Planned sizes against R's published numbers and statsmodels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.power import TTestIndPower

from abcx.notes import Note
from abcx.planning.sample_size import Planned, planned
from abcx.spec.load import load
from tests.support.results import conclude, shares

MEAN = {"type": "mean", "role": "primary", "goal": "increase"}


def test_declared_units_come_first() -> None:
    results = shares((20, 100), (25, 100), minimum_effect="5%", plan={"units": 12345})
    assert (results.setup.planned_units, results.setup.planned_from) == (12345, Note("size_declared"))


def test_nothing_is_planned_that_nobody_declared() -> None:
    for effect in ({}, {"minimum_effect": "5%"}):
        results = shares((20, 100), (25, 100), **effect)
        assert (results.setup.planned_units, results.setup.planned_from) == (None, None)
    assert results.setup.needed_units is not None


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
    assert results.setup.needed_units == pytest.approx(control / 0.8, abs=2)


def test_two_variants_are_planned_at_half_the_level() -> None:
    arm = {"units": 1000, "revenue": {"mean": 10.0, "sd": 30.0}}
    results = conclude({"control": arm, "a": arm, "b": arm}, {"revenue": {**MEAN, "minimum_effect": 1}})
    per_arm = math.ceil(TTestIndPower().solve_power(effect_size=1 / 30.0, power=0.8, alpha=0.025))
    assert results.setup.needed_units == pytest.approx(3 * per_arm, abs=3)


def test_a_ratio_is_planned_by_its_linearized_spread() -> None:
    part = {"numerator": {"mean": 4.0, "sd": 3.0}, "denominator": {"mean": 2.0, "sd": 1.0}, "correlation": 0.5}
    arm = {"units": 1000, "clicks": part}
    metric = {"type": "ratio", "role": "primary", "goal": "increase", "minimum_effect": "5%"}
    results = conclude({"control": arm, "variant": arm}, {"clicks": metric})
    sd = math.sqrt(9 - 2 * 2 * 0.5 * 3 * 1 + 4 * 1) / 2  # var(num - R den) / mean(den)^2 with R = 2
    per_arm = math.ceil(TTestIndPower().solve_power(effect_size=0.1 / sd, power=0.8, alpha=0.05))
    assert results.setup.needed_units == 2 * per_arm


def test_the_strictest_primary_counts() -> None:
    arm = {"units": 1000, "a": 200, "b": 200}
    metric = {"type": "conversion", "role": "primary", "goal": "increase"}
    alone = conclude({"control": arm, "variant": arm}, {"a": {**metric, "minimum_effect": "5%"}, "b": metric})
    both = conclude(
        {"control": arm, "variant": arm},
        {"a": {**metric, "minimum_effect": "5%"}, "b": {**metric, "minimum_effect": "20%"}},
    )
    assert both.setup.needed_units == alone.setup.needed_units


@pytest.mark.parametrize("control", [0, 1000])
def test_a_control_without_spread_plans_nothing(control: int) -> None:
    results = shares((control, 1000), (10, 1000), minimum_effect="5%")
    assert results.setup.needed_units is None


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
    assert results.verdict.new_run_units == pytest.approx(needed, abs=2)


def test_guardrails_divide_the_chance_to_miss_and_are_sized_by_their_margin() -> None:
    """With two guardrails the power of each is 1 - .2 / 3 (Schultzberg, Ankargren, Frånberg 2024)."""
    arm = {"units": 1000, "revenue": {"mean": 10.0, "sd": 30.0}, "chats": {"mean": 2.0, "sd": 4.0}, "leaves": 100}
    metrics: dict[str, dict[str, Any]] = {
        "revenue": {**MEAN, "minimum_effect": 1},
        "chats": {"type": "mean", "role": "guardrail", "goal": "decrease", "margin": "5%"},
        "leaves": {"type": "conversion", "role": "guardrail", "goal": "decrease", "margin": "5pp"},
    }
    power = 1 - 0.2 / 3
    alone = conclude({"control": arm, "variant": arm}, {**metrics, "chats": {**metrics["chats"], "margin": "50%"}})
    by_effect = math.ceil(TTestIndPower().solve_power(effect_size=1 / 30.0, power=power, alpha=0.05))
    assert alone.setup.needed_units == 2 * by_effect
    both = conclude({"control": arm, "variant": arm}, metrics)
    by_margin = math.ceil(TTestIndPower().solve_power(effect_size=0.1 / 4.0, power=power, alpha=0.05))
    assert both.setup.needed_units == 2 * by_margin


def declared(metric: dict[str, Any], baseline: Any, monitoring: Any = "fixed") -> int:
    """The size that a baseline plans for one primary metric."""
    units = declared_plan(metric, baseline, monitoring).units
    assert units is not None
    return units


def declared_plan(metric: dict[str, Any], baseline: Any, monitoring: Any = "fixed") -> Planned:
    """The plan of one primary metric by its baseline."""
    keys = {"event": "e", "value": "v"} | ({"scale": [0, 10]} if metric["type"] == "nps" else {})
    experiment = load(
        {
            "schema_version": 1,
            "name": "t",
            "arms": {"a": {}, "b": {}},
            "window": "7d",
            "data": {"events": "e.csv"},
            "metrics": {"m": {"role": "primary", "goal": "increase", **keys, **metric}},
            "analysis": {"monitoring": monitoring},
            "plan": {"baseline": {"m": baseline}},
        }
    ).experiment
    return planned(experiment)


@pytest.mark.parametrize(
    ("monitoring", "published"),
    [
        ({"looks": 2}, 1.004),
        ({"looks": 4}, 1.020),
        ({"looks": 10}, 1.038),
        ({"looks": 2, "spending": "pocock"}, 1.123),
        ({"looks": 4, "spending": "pocock"}, 1.196),
        ({"looks": 10, "spending": "pocock"}, 1.248),
    ],
)
def test_looks_inflate_the_size_by_published_factors(monitoring: Any, published: float) -> None:
    """rpact's getSampleSizeMeans at 80 % power, typeOfDesign asOF and asP."""
    metric = {"type": "mean", "minimum_effect": "1%"}
    plain = declared(metric, {"mean": 10.0, "sd": 20.0})
    found = declared(metric, {"mean": 10.0, "sd": 20.0}, monitoring)
    assert found == pytest.approx(published * plain, rel=6e-4)


def test_an_always_valid_plan_keeps_its_power() -> None:
    """By simulation: paths of 14 daily looks at the inflated size cross the sequence in 80 %."""
    from abcx.stats.always_valid import AlwaysValid
    from abcx.stats.inflation import always_valid

    looks, drift = 14, (norm.isf(0.025) + norm.ppf(0.8)) * math.sqrt(always_valid(14, 0.05, 0.8))
    steps = np.random.default_rng(7).normal(drift / looks, 1 / math.sqrt(looks), (40_000, looks)).cumsum(axis=1)
    times = np.arange(1, looks + 1) / looks
    bounds = np.array([norm.isf(AlwaysValid(t, 1.0, 0.05).level(0.05) / 2) for t in times])
    crossed = (steps / np.sqrt(times) > bounds).any(axis=1).mean()
    assert crossed == pytest.approx(0.8, abs=3 * math.sqrt(0.16 / 40_000))


def test_the_size_of_a_survey_grows_by_those_who_do_not_answer() -> None:
    nps = {"type": "nps", "minimum_effect": "5pt"}
    everybody = declared(nps, {"mean": 30, "sd": 72})
    a_fifth = declared(nps, {"mean": 30, "sd": 72, "response": "20%"})
    assert a_fifth == pytest.approx(5 * everybody, abs=10)


def test_the_size_of_a_quantile_comes_from_a_pilots_interval() -> None:
    """A pilot of 2,000 units knew the median as 40 (37 to 44): one arm's error is 3.5 / 1.96 sqrt(2000 / n)."""
    metric = {"type": "quantile", "q": 0.5, "of": "units", "minimum_effect": "10%"}
    found = declared(metric, {"value": 40, "interval": [37, 44], "units": 2000})
    sd = 7 / (2 * norm.isf(0.025)) * math.sqrt(2000)
    per_arm = TTestIndPower().solve_power(effect_size=4 / sd, power=0.8, alpha=0.05)
    assert found == pytest.approx(2 * per_arm, abs=3)


SURVEYS: dict[str, tuple[dict[str, Any], tuple[float, ...], tuple[float, ...], float]] = {
    "nps": ({"type": "nps", "minimum_effect": "5pt"}, (0.2, 0.3, 0.5), (-100.0, 0.0, 100.0), 5.0),
    "csat": ({"type": "csat", "scale": [1, 5], "minimum_effect": "4pp"}, (0.3, 0.7), (0.0, 1.0), 0.04),
    "ces": ({"type": "ces", "scale": [1, 3], "minimum_effect": 0.1}, (0.25, 0.35, 0.4), (1.0, 2.0, 3.0), 0.1),
}


@pytest.mark.parametrize("response", [0.1, 0.5])
@pytest.mark.parametrize("survey", SURVEYS)
@pytest.mark.slow
def test_the_power_that_the_bounds_on_who_answers_leave(survey: str, response: float) -> None:
    """By simulation of both arms with the bounds themselves: 2,000 runs with the planned effect and equal response."""
    from abcx.stats.lee_bounds import Surveyed, claim
    from abcx.stats.records import Categories, Proportion
    from abcx.stats.shares import contrast

    metric, shares_, scores, effect = SURVEYS[survey]
    control = np.array(shares_)
    mean, reach = float(control @ scores), scores[-1] - scores[0]
    sd = math.sqrt(float(control @ np.array(scores) ** 2) - mean**2)
    moved = control + effect / reach * np.array([-1.0, *[0.0] * (len(scores) - 2), 1.0])
    baseline = {"share": mean} if survey == "csat" else {"mean": mean, "sd": sd}
    found = declared_plan(metric, {**baseline, "response": response})
    assert found.units is not None and found.bounded is not None and 0.3 < found.bounded < 0.78
    rng, arm, won = np.random.default_rng(5), found.units // 2, 0
    for _ in range(2000):
        answers = [rng.multinomial(rng.binomial(arm, response), p) for p in (control, moved)]
        sides = [Surveyed(arm, Categories(0, tuple(map(int, counts)))) for counts in answers]
        means = [float(counts @ scores) / counts.sum() for counts in answers]
        errors = [
            (counts @ np.square(scores) / counts.sum() - m**2) / counts.sum()
            for counts, m in zip(answers, means, strict=True)
        ]
        p_value = contrast(*(Proportion(one.answers.n, arm) for one in sides)).p_value
        low: float | None = means[1] - means[0] - norm.isf(0.025) * math.sqrt(sum(errors))
        if p_value is not None and p_value < 0.2:
            low = claim(sides[0], sides[1], scores, (0.05, 0.05), relative=False)[0]
        won += low is not None and low > 0
    assert found.bounded == pytest.approx(won / 2000, abs=0.035)


def test_a_survey_that_everybody_answers_has_no_bounds() -> None:
    nps = {"type": "nps", "minimum_effect": "5pt"}
    assert declared_plan(nps, {"mean": 30, "sd": 72}).bounded is None
    assert declared_plan(nps, {"mean": 30, "sd": 72, "response": "20%"}).bounded is not None
