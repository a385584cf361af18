"""Churn against shares where nothing is censored, closed forms where something is, and simulations with late entry."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abcx.stats import churn, shares
from abcx.stats.inversion import effect
from abcx.stats.records import Lifetimes, Proportion
from tests.stats.lifetimes import (
    MAINTAINED,
    NONE,
    NOT_MAINTAINED,
    comparisons,
    greenwood,
    lifetimes,
    scaled,
    shuffled,
    weighted_share,
)
from tests.stats.test_laws import ALPHAS, check_finite, check_mirror, check_one_inversion


def customers(left: list[float], still: list[float]) -> Lifetimes:
    return lifetimes(left + still, [True] * len(left) + [False] * len(still))


@settings(max_examples=12)
@given(st.integers(0, 30), st.integers(1, 40), st.integers(0, 30), st.integers(1, 40), ALPHAS)
def test_without_censoring_it_is_the_comparison_of_shares(x0: int, y0: int, x1: int, y1: int, alpha: float) -> None:
    """Also where customers were followed just up to the horizon, and where some leave after it."""
    horizon = 90.0
    control = customers([1.0 + i for i in range(x0)] + [95.0], [horizon] * y0)
    variant = customers([2.0 + i for i in range(x1)], [91.0 + i for i in range(y1)])
    counted = Proportion(x0, x0 + y0 + 1), Proportion(x1, x1 + y1)
    assert effect(churn.contrast(control, variant, horizon), alpha) == effect(shares.contrast(*counted), alpha)
    assert churn.value(variant, horizon) == pytest.approx(x1 / (x1 + y1), abs=1e-12)
    assert churn.interval(variant, horizon, alpha) == pytest.approx(shares.interval(counted[1], alpha), abs=1e-9)


def test_with_censoring_it_is_the_share_of_the_curve() -> None:
    """Leukemia data: relapse by week 35. Effective units are S (1 - S) / Greenwood's variance."""
    contrast = churn.contrast(NOT_MAINTAINED, MAINTAINED, 35.0)
    found, sizes = effect(contrast, 0.05), []
    for arm in (NOT_MAINTAINED, MAINTAINED):
        lasting = weighted_share(arm, np.ones(arm.n), 35.0)
        assert churn.value(arm, 35.0) == pytest.approx(1 - lasting, rel=1e-12)
        sizes.append((1 - lasting) / (lasting * greenwood(arm, 35.0)))
        expected = shares.wilson((1 - lasting) * sizes[-1], sizes[-1], 0.05)
        assert churn.interval(arm, 35.0, 0.05) == pytest.approx(expected, rel=1e-9)
    values = [churn.value(arm, 35.0) or math.nan for arm in (NOT_MAINTAINED, MAINTAINED)]
    assert found.method == "exact score (effective n)"
    assert found.difference == pytest.approx(values[1] - values[0])
    assert found.lift == pytest.approx(values[1] / values[0] - 1)
    assert contrast.difference_pivot is not None and contrast.difference_pivot.estimate == found.difference
    assert contrast.ratio_pivot is not None and contrast.ratio_pivot.estimate == values[1] / values[0]
    counts = [Proportion(round(share * round(n)), round(n)) for share, n in zip(values, sizes, strict=True)]
    assert found.p_value == shares.contrast(*counts).p_value
    assert [one.n for one in counts] != [arm.n for arm in (NOT_MAINTAINED, MAINTAINED)]


def test_many_events_take_the_normal_score() -> None:
    rng = np.random.default_rng(2)
    control, variant = (seen(rng, 3000, 0.2), seen(rng, 3000, 0.2))
    assert churn.contrast(control, variant, 90.0).method == "score (effective n)"


def seen(rng: np.random.Generator, n: int, share: float, shape: float = 1.0) -> Lifetimes:
    """Customers of whom `share` leave within 90 days, who joined evenly over the last 180 days."""
    leaves = 90.0 * (np.log(rng.uniform(size=n)) / math.log1p(-share)) ** (1.0 / shape)
    followed = rng.uniform(0.0, 180.0, n)
    return lifetimes(np.minimum(leaves, followed), leaves <= followed)


def tails_missed(shares_: tuple[float, float], units: tuple[int, int], shape: float, samples: int) -> list[float]:
    """How often the true difference lies below and above the 95 % interval; the same of Wald's by Greenwood."""
    rng, missed = np.random.default_rng(11), np.zeros(4)
    for _ in range(samples):
        arms = [seen(rng, n, share, shape) for n, share in zip(units, shares_, strict=True)]
        contrast = churn.contrast(arms[0], arms[1], 90.0)
        assert contrast.difference_pivot is not None and contrast.difference is not None
        truth = shares_[1] - shares_[0]
        at_most, at_least = contrast.difference_pivot.tails(truth)
        found = [churn.value(arm, 90.0) or 0.0 for arm in arms]
        sums = [greenwood_of(arm, 90.0) for arm in arms]
        variance = sum((1 - p) ** 2 * g for p, g in zip(found, sums, strict=True))
        z = (contrast.difference - truth) / math.sqrt(variance)
        missed += [at_least < 0.025, at_most < 0.025, z > 1.96, z < -1.96]
    return [float(x) for x in missed / samples]


def greenwood_of(arm: Lifetimes, horizon: float) -> float:
    """Greenwood's sum where no two events are at the same time."""
    times = np.sort(arm.durations[arm.observed & (arm.durations <= horizon)])
    at_risk = arm.n - np.searchsorted(np.sort(arm.durations), times)
    return float((1.0 / (at_risk * (at_risk - 1.0))).sum())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("share", "units", "shape"),
    [((0.05, 0.05), (300, 300), 1.0), ((0.05, 0.08), (500, 500), 1.0), ((0.05, 0.05), (1000, 1000), 3.0)],
)
def test_rare_churn_with_late_entry_is_covered(
    share: tuple[float, float], units: tuple[int, int], shape: float
) -> None:
    below, above, *_ = tails_missed(share, units, shape, samples=500)
    assert below + above < 0.05 + 2 * math.sqrt(0.05 * 0.95 / 500)
    assert max(below, above) < 0.04


@pytest.mark.slow
def test_unequal_arms_keep_both_tails_where_walds_do_not() -> None:
    below, above, wald_below, wald_above = tails_missed((0.05, 0.05), (900, 300), 1.0, samples=1000)
    assert max(below, above) < 0.035
    assert max(wald_below, wald_above) > 0.04


def test_censoring_taken_for_staying_would_bias_the_share() -> None:
    arm = seen(np.random.default_rng(3), 20_000, 0.3)
    low, high = churn.interval(arm, 90.0, 0.001)
    assert low is not None and high is not None and low < 0.3 < high
    assert np.mean(arm.observed & (arm.durations <= 90.0)) < low  # the naive share


# ------------------------------------------------------------------------------------------------ degenerate


def test_no_churn_yet_counts_those_still_followed() -> None:
    """Ten of twenty reach the horizon and nobody has left: the upper end is that of 0 of 10."""
    arm = customers([], [30.0] * 10 + [95.0] * 10)
    assert churn.value(arm, 90.0) == 0.0
    assert churn.interval(arm, 90.0, 0.05) == pytest.approx(shares.interval(Proportion(0, 10), 0.05))
    found = effect(churn.contrast(arm, arm, 90.0), 0.05)
    assert (found.p_value, found.difference, found.lift) == (1.0, 0.0, None) and found.lift_note
    assert found.difference_interval == pytest.approx(
        effect(shares.contrast(Proportion(0, 10), Proportion(0, 10)), 0.05).difference_interval
    )


def test_everyone_left() -> None:
    gone = customers([1.0, 2.0, 3.0, 4.0], [2.5])
    assert churn.value(gone, 90.0) == 1.0
    found = effect(churn.contrast(gone, customers([5.0], [95.0, 40.0, 95.0]), 90.0), 0.05)
    assert found.p_value is not None and found.difference is not None and found.difference < 0


def test_refusals() -> None:
    short = customers([3.0], [20.5, 10.0])
    found = effect(churn.contrast(MAINTAINED, short, 21.0), 0.05)
    assert found.difference is None and found.p_value is None and found.lift is None
    assert found.note is not None and "variant arm" in found.note and "20.5" in found.note
    assert churn.value(short, 21.0) is None and churn.interval(short, 21.0, 0.05) == (None, None)
    assert churn.contrast(MAINTAINED, short, 20.5).p_value is not None
    for arms in ((NONE, MAINTAINED), (MAINTAINED, NONE)):
        found = effect(churn.contrast(*arms, 21.0), 0.05)
        assert found.difference is None and "no lifetimes" in (found.note or "")


def test_single_customers() -> None:
    for one in (customers([3.0], []), customers([], [95.0])):
        found = effect(churn.contrast(one, MAINTAINED, 90.0), 0.05)
        assert found.p_value is not None and found.difference_interval is not None


# ------------------------------------------------------------------------------------------------ the four laws


@settings(max_examples=25)
@given(comparisons(one_each=True), ALPHAS)
def test_one_inversion_and_its_mirror(drawn: tuple[Lifetimes, Lifetimes, float], alpha: float) -> None:
    control, variant, horizon = drawn
    contrast = churn.contrast(control, variant, horizon)
    found = effect(contrast, alpha)
    check_one_inversion(found)
    check_finite(found)
    if contrast.difference_pivot is not None:
        swapped = effect(churn.contrast(variant, control, horizon), alpha)
        check_mirror(found, swapped, contrast.difference_pivot.scale, 1e-8)


@settings(max_examples=60)
@given(comparisons(one_each=True), st.sampled_from([0.5, 3600.0, 3.7e-9]), st.integers(0, 99))
def test_neither_the_unit_of_time_nor_the_order_matters(
    drawn: tuple[Lifetimes, Lifetimes, float], by: float, seed: int
) -> None:
    control, variant, horizon = drawn
    found = churn.contrast(control, variant, horizon)
    other = churn.contrast(shuffled(scaled(control, by), seed), shuffled(scaled(variant, by), seed), horizon * by)
    assert (found.method, found.difference, found.lift) == (other.method, other.difference, other.lift)
    assert found.p_value == other.p_value


def test_several_lifetimes_of_a_unit_count_as_what_they_know() -> None:
    """Churn is meant for one lifetime per unit; twins that are copies of each other add nothing."""
    single = customers([1.0, 5.0, 7.0, 11.0], [3.0, 6.0, 95.0, 95.0, 95.0])
    twice = lifetimes(*(np.repeat(x, 2) for x in (single.durations, single.observed, single.clusters)))
    assert churn.value(twice, 90.0) == pytest.approx(churn.value(single, 90.0))
    assert churn.interval(twice, 90.0, 0.05) == pytest.approx(churn.interval(single, 90.0, 0.05), rel=1e-9)
    assert churn.contrast(twice, twice, 90.0).method == "exact score (effective n)"
