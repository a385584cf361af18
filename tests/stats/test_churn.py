"""Churn against shares where nothing is censored, closed forms where something is, and simulations with late entry."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.duration.survfunc import SurvfuncRight

from abcx.stats import churn, shares
from abcx.stats.inversion import effect
from abcx.stats.records import Lifetimes, Proportion
from tests.support.comparison_laws import ALPHAS, check_finite, check_mirror, check_one_inversion
from tests.support.lifetimes import (
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
from tests.support.notes import lift_text, note_text


def customers(left: list[float], still: list[float]) -> Lifetimes:
    return lifetimes(left + still, [True] * len(left) + [False] * len(still))


@settings(max_examples=12)
@given(st.integers(0, 30), st.integers(1, 40), st.integers(0, 30), st.integers(1, 40), ALPHAS)
@pytest.mark.slow
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
    """Leukemia data: relapse by week 35. Values and errors of the arms are those of Greenwood, and of statsmodels."""
    contrast = churn.contrast(NOT_MAINTAINED, MAINTAINED, 35.0)
    found = effect(contrast, 0.05)
    for arm in (NOT_MAINTAINED, MAINTAINED):
        lasting = weighted_share(arm, np.ones(arm.n), 35.0)
        assert churn.value(arm, 35.0) == pytest.approx(1 - lasting, rel=1e-12)
        theirs = SurvfuncRight(arm.durations, arm.observed.astype(int))
        at = int(np.searchsorted(theirs.surv_times, 35.0, side="right")) - 1
        assert lasting == pytest.approx(theirs.surv_prob[at], rel=1e-12)
        size = (1 - lasting) / (lasting * greenwood(arm, 35.0))
        assert size == pytest.approx(lasting * (1 - lasting) / theirs.surv_prob_se[at] ** 2, rel=1e-9)
        expected = shares.wilson((1 - lasting) * size, size, 0.05)
        assert churn.interval(arm, 35.0, 0.05) == pytest.approx(expected, rel=1e-9)
    values = [churn.value(arm, 35.0) or math.nan for arm in (NOT_MAINTAINED, MAINTAINED)]
    assert found.method == churn.METHOD
    assert found.difference == pytest.approx(values[1] - values[0])
    assert found.lift == pytest.approx(values[1] / values[0] - 1)
    assert contrast.difference_pivot is not None and contrast.difference_pivot.estimate == found.difference
    assert contrast.ratio_pivot is not None and contrast.ratio_pivot.estimate == values[1] / values[0]


def test_the_error_is_that_of_the_pooled_curve_with_the_censoring_of_the_arm() -> None:
    """Half of each arm is censored at day 30, when a tenth has left, and a quarter leaves on day 60: in closed form.

    Greenwood's variance of the pooled curve S = .9, .9 x .8 with n and n / 2 alive is
    S^2 (.1 / (.9 n) + .2 / (.8 .45 n)); arms of equal churn have the difference 0, so T's error shows in the interval.
    """
    n, leaves = 2000, (0.1, 0.2)
    alive = round(n * (1 - leaves[0]))
    arm = customers(
        [10.0] * (n - alive) + [60.0] * round(alive / 2 * leaves[1]),
        [30.0] * (alive // 2) + [90.0] * round(alive / 2 * (1 - leaves[1])),
    )
    lasting = (1 - leaves[0]) * (1 - leaves[1])
    variance = lasting**2 * (leaves[0] / (1 - leaves[0]) / n + leaves[1] / (1 - leaves[1]) / (alive / 2))
    low, high = effect(churn.contrast(arm, arm, 90.0), 0.3173105).difference_interval or (None, None)
    assert high is not None and low == pytest.approx(-high, rel=1e-6)
    assert high == pytest.approx(math.sqrt(2 * variance), rel=2e-3)  # one standard error, from the hypothesis' shares


def test_the_correction_for_skewness_is_as_published() -> None:
    """5/56 against 0/29: ratesci 1.0, `scasci` (Laud 2017) gives -.0186 to .1867, a ratio from .7696, p = .08200.

    One unit of each arm is censored when all have left who do: that costs no information before the horizon.
    """
    control, variant = customers([], [50.0] + [90.0] * 28), customers([1.0, 2.0, 3.0, 4.0, 5.0], [50.0] + [90.0] * 50)
    found = effect(churn.contrast(control, variant, 90.0), 0.05)
    assert found.method == churn.METHOD
    assert found.difference_interval == pytest.approx((-0.0186, 0.1867), abs=5e-5)
    assert found.p_value == pytest.approx(0.08199729, rel=1e-6)
    assert found.lift_interval is not None and found.lift_interval[0] == pytest.approx(0.7696 - 1, abs=5e-5)
    assert found.lift_interval[1] is None


@pytest.mark.slow
def test_swapping_a_dozen_units_gives_the_mirror_image() -> None:
    rng = np.random.default_rng(8)
    for _ in range(40):
        control, variant = seen(rng, 12, 0.3), seen(rng, 12, 0.3)
        contrast = churn.contrast(control, variant, 90.0)
        if contrast.difference_pivot is not None:
            swapped = effect(churn.contrast(variant, control, 90.0), 0.05)
            check_mirror(effect(contrast, 0.05), swapped, contrast.difference_pivot.scale, 1e-8)


def seen(
    rng: np.random.Generator, n: int, share: float, shape: float = 1.0, follow: tuple[float, float] = (0.0, 180.0)
) -> Lifetimes:
    """Customers of whom `share` leave within 90 days, who joined evenly over the last 180 days (or within `follow`)."""
    leaves = 90.0 * (np.log(rng.uniform(size=n)) / math.log1p(-share)) ** (1.0 / shape)
    followed = rng.uniform(*follow, n)
    return lifetimes(np.minimum(leaves, followed), leaves <= followed)


def tails_missed(
    shares_: tuple[float, float],
    units: tuple[int, int],
    shape: float,
    samples: int,
    follow: tuple[float, float] = (0.0, 180.0),
) -> list[float]:
    """How often the true difference lies below and above the 95 % interval, the true ratio likewise, and the
    difference below and above Wald's by Greenwood."""
    rng, missed = np.random.default_rng(11), np.zeros(6)
    for _ in range(samples):
        arms = [seen(rng, n, share, shape, follow) for n, share in zip(units, shares_, strict=True)]
        contrast = churn.contrast(arms[0], arms[1], 90.0)
        assert contrast.difference_pivot is not None and contrast.difference is not None
        truth = shares_[1] - shares_[0]
        at_most, at_least = contrast.difference_pivot.tails(truth)
        assert contrast.ratio_pivot is not None
        ratio_at_most, ratio_at_least = contrast.ratio_pivot.tails(shares_[1] / shares_[0])
        found = [churn.value(arm, 90.0) or 0.0 for arm in arms]
        sums = [greenwood_of(arm, 90.0) for arm in arms]
        variance = sum((1 - p) ** 2 * g for p, g in zip(found, sums, strict=True))
        z = (contrast.difference - truth) / math.sqrt(variance)
        missed += [
            at_least < 0.025,
            at_most < 0.025,
            ratio_at_least < 0.025,
            ratio_at_most < 0.025,
            z > 1.96,
            z < -1.96,
        ]
    return [float(x) for x in missed / samples]


def greenwood_of(arm: Lifetimes, horizon: float) -> float:
    """Greenwood's sum where no two events are at the same time; the last unit at risk leaves it infinite."""
    times = np.sort(arm.durations[arm.observed & (arm.durations <= horizon)])
    at_risk = arm.n - np.searchsorted(np.sort(arm.durations), times)
    with np.errstate(divide="ignore"):
        return float((1.0 / (at_risk * (at_risk - 1.0))).sum())


LATE, EARLY = (0.0, 99.0), (45.0, 135.0)
"""Follow-up from 0 to 1.1 horizons: of those not yet gone a tenth is still followed at the horizon; from .5 to 1.5."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("share", "units", "follow"),
    [
        ((0.05, 0.05), (300, 300), LATE),
        ((0.1, 0.1), (500, 500), LATE),
        ((0.2, 0.3), (500, 500), LATE),
        ((0.05, 0.05), (480, 120), LATE),
        ((0.05, 0.08), (120, 480), LATE),
        ((0.08, 0.05), (480, 120), EARLY),
        ((0.05, 0.05), (300, 300), (0.0, 180.0)),
    ],
)
def test_churn_with_late_entry_is_covered(
    share: tuple[float, float], units: tuple[int, int], follow: tuple[float, float]
) -> None:
    """At least 94 % are covered, at most 4 % missed on either side, of the difference and of the ratio."""
    below, above, ratio_below, ratio_above, *_ = tails_missed(share, units, 1.0, 2000, follow)
    for tails in ((below, above), (ratio_below, ratio_above)):
        assert sum(tails) < 0.06
        assert max(tails) < 0.04


@pytest.mark.slow
def test_late_entry_raises_no_false_alarms() -> None:
    """By Greenwood's variance of each arm's own curve 6.6 to 7.1 % were significant here; 5 % are right."""
    alarms = [sum(tails_missed((share, share), (500, 500), 1.0, 1500, LATE)[:2]) for share in (0.05, 0.3)]
    assert max(alarms) < 0.05 + 2 * math.sqrt(0.05 * 0.95 / 1500)


@pytest.mark.slow
def test_unequal_arms_keep_both_tails_where_walds_do_not() -> None:
    below, above, _, _, wald_below, wald_above = tails_missed((0.05, 0.05), (900, 300), 1.0, samples=1000)
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
    assert (found.p_value, found.difference, found.lift) == (1.0, 0.0, None) and lift_text(found)
    low, high = found.difference_interval or (None, None)
    assert high is not None and low == pytest.approx(-high) and high > 0.22  # 1 - .025^(1/15): five units more


def test_everyone_left() -> None:
    gone = customers([1.0, 2.0, 3.0, 4.0], [2.5])
    assert churn.value(gone, 90.0) == 1.0
    found = effect(churn.contrast(gone, customers([5.0], [95.0, 40.0, 95.0]), 90.0), 0.05)
    assert found.p_value is not None and found.difference is not None and found.difference < 0


def test_refusals() -> None:
    short = customers([3.0], [20.5, 10.0])
    found = effect(churn.contrast(MAINTAINED, short, 21.0), 0.05)
    assert found.difference is None and found.p_value is None and found.lift is None
    assert "variant arm" in note_text(found) and "20.5" in note_text(found)
    assert churn.value(short, 21.0) is None and churn.interval(short, 21.0, 0.05) == (None, None)
    assert churn.contrast(MAINTAINED, short, 20.5).p_value is not None
    for arms in ((NONE, MAINTAINED), (MAINTAINED, NONE)):
        found = effect(churn.contrast(*arms, 21.0), 0.05)
        assert found.difference is None and "no lifetimes" in note_text(found)


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
    found, expected = (effect(churn.contrast(arm, arm, 90.0), 0.05) for arm in (twice, single))
    assert found.difference_interval == pytest.approx(expected.difference_interval, rel=1e-9)
