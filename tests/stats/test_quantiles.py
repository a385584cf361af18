"""Quantiles against numpy, the binomial distribution, DuckDB, resampled units, and simulations of coverage."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from abcx.stats import quantiles
from abcx.stats.inversion import effect
from abcx.stats.quantiles import REACH, ranked, ranks
from abcx.stats.records import Moments, Ranked, RatioMoments
from tests.stats.test_laws import ALPHAS, check_finite, check_mirror, check_one_inversion, check_scaled, columns

Array = NDArray[np.float64]
EMPTY = Ranked(0, None, None, None, REACH)


def pairs(below: list[float], events: list[float]) -> RatioMoments:
    b, e = np.asarray(below, float), np.asarray(events, float)
    top, bottom = (Moments(x.size, float(x.mean()), float(x.var(ddof=1))) for x in (b, e))
    return RatioMoments(top, bottom, float(np.cov(b, e)[0, 1]))


# ------------------------------------------------------------------------------------------------ ranks


@pytest.mark.parametrize("q", [0.1, 0.25, 0.5, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("n", [20, 200, 201, 5000, 10**6])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_the_ranks_keep_their_binomial_promise(q: float, n: int, alpha: float) -> None:
    """The true quantile lies between the ranks unless a Binomial(n, q) count falls outside: at most about alpha / 2.

    The normal misjudges a skewed count by a little; so the limit is alpha where ten values are expected on either side.
    """
    low, high = ranks(q, n, quantiles.rank_error(q, n), quantiles.reach(alpha))
    lost = [
        0.0 if low is None else float(stats.binom.cdf(low - 1, n, q)),
        0.0 if high is None else float(stats.binom.sf(high - 1, n, q)),
    ]
    if min(n * q, n * (1 - q)) >= 10:
        assert sum(lost) <= alpha and max(lost) <= 0.8 * alpha
        assert low is not None and high is not None
    if min(n * q, n * (1 - q)) >= 1000:
        assert sum(lost) > 0.8 * alpha  # outer, but not by much


@settings(max_examples=300)
@given(st.floats(0.01, 0.99), st.integers(1, 10_000), st.floats(0.0, 0.5), st.floats(0.1, 4.0))
def test_the_quantile_lies_between_the_ranks(q: float, n: int, error: float, z: float) -> None:
    low, high = ranks(q, n, error, z)
    position = (n - 1) * q + 1
    assert low is None or 1 <= low <= position
    assert high is None or position <= high <= n
    mirrored = ranks(1 - q, n, error, z)
    for one, other in ((low, mirrored[1]), (high, mirrored[0])):
        if one is not None and other is not None:
            assert abs(one + other - (n + 1)) <= 1  # 1 - q is rounded


def test_ranks_from_above_are_those_from_below() -> None:
    for n in (16, 64, 1024):
        low, high = ranks(0.75, n, 1 / 16, 2.0)
        mirrored = ranks(0.25, n, 1 / 16, 2.0)
        assert low is not None and high is not None and mirrored == (n + 1 - high, n + 1 - low)


def test_duckdb_fetches_the_same_values() -> None:
    duckdb = pytest.importorskip("duckdb")
    rng = np.random.default_rng(1)
    for n in (1, 2, 3, 10, 99, 1000):
        x = np.round(rng.lognormal(3, 1, n), 2)
        rows = duckdb.connect()
        rows.execute("create table t as select unnest(?) as x", [x.tolist()])
        for rank in {1, n, (n + 1) // 2, max(1, n - 7)}:
            at = quantiles.fraction(rank, n)
            assert rows.execute("select quantile_disc(x, ?) from t", [at]).fetchone() == (np.sort(x)[rank - 1],)
        for q in (0.5, 0.9, 0.95):
            value = rows.execute("select quantile_cont(x, ?) from t", [q]).fetchone()[0]
            assert value == pytest.approx(ranked(x, q, REACH).value, rel=1e-12)


def test_one_arm_by_hand() -> None:
    """100 values, the median: 50 + 1/2 -+ 1.96 x 5 are ranks 40 (40.7 down) and 61 (60.3 up)."""
    found = ranked(np.arange(1.0, 101.0), 0.5, REACH)
    assert (found.n, found.value, found.low, found.high, found.minimum) == (100, 50.5, 40.0, 61.0, 1.0)
    assert quantiles.interval(found) == (40.0, 61.0) and quantiles.value(found) == 50.5
    found = ranked(np.arange(1.0, 101.0), 0.9, REACH)  # 90.5 -+ 1.96 x 3
    assert found.value == pytest.approx(90.1) and quantiles.interval(found) == (84.0, 97.0)


# ------------------------------------------------------------------------------------------------ clustered events


def test_the_error_of_clustered_ranks_by_resampling_units() -> None:
    """The share of events at or below a fixed value, over bootstrap samples of whole units."""
    rng = np.random.default_rng(2)
    units = 200
    events = rng.poisson(6.0, units) + 1.0
    level = np.repeat(rng.normal(size=units), events.astype(int))
    values = level + 0.5 * rng.normal(size=level.size)
    unit = np.repeat(np.arange(units), events.astype(int))
    below = np.bincount(unit, values <= np.quantile(values, 0.7), units)
    drawn = rng.integers(0, units, (4000, units))
    shares_ = below[drawn].sum(axis=1) / events[drawn].sum(axis=1)
    found = quantiles.clustered_rank_error(0.7, pairs(below.tolist(), events.tolist()))
    assert found == pytest.approx(float(shares_.std()), rel=0.04)
    assert found is not None and found > 1.8 * quantiles.rank_error(0.7, values.size)


def test_one_event_a_unit_is_as_good_as_a_value_a_unit() -> None:
    """But for n / (n - 1), because the variance between units is estimated."""
    for n in (10, 400):
        found = quantiles.clustered_rank_error(0.5, pairs([1.0, 0.0] * (n // 2), [1.0] * n))
        assert found == pytest.approx(quantiles.rank_error(0.5, n) * math.sqrt(n / (n - 1)), rel=1e-12)


def test_units_whose_events_are_copies_count_once() -> None:
    rng = np.random.default_rng(3)
    values, unit = rng.lognormal(0, 1, 150), np.arange(150)
    once = ranked(values, 0.5, REACH, unit)
    copied = ranked(np.repeat(values, 8), 0.5, REACH, np.repeat(unit, 8))
    assert once.n == copied.n == 150 and once.value == copied.value
    order = np.sort(values).tolist()
    for a, b in ((once.low, copied.low), (once.high, copied.high)):
        assert a is not None and b is not None and abs(order.index(a) - order.index(b)) <= 1


def test_tied_events_above_the_quantile() -> None:
    """Where everything is at or below the quantile, the events of a unit are taken to be all alike."""
    events = [1.0, 2.0, 9.0]
    expected = math.sqrt(0.5 * 0.5 / 12 * (1 + 4 + 81) / 12)
    assert quantiles.clustered_rank_error(0.5, pairs(events, events)) == pytest.approx(expected)


def test_ties_at_the_quantile_do_not_change_the_design_effect() -> None:
    """Half of the values are at or below the 30th percentile: the spread of that half is not that of 30 %."""
    found = quantiles.clustered_rank_error(0.3, pairs([1.0, 0.0] * 50, [1.0] * 100))
    assert found == pytest.approx(quantiles.rank_error(0.3, 100) * math.sqrt(100 / 99), rel=1e-12)


def test_units_of_the_same_make_up_are_no_certainty() -> None:
    assert quantiles.clustered_rank_error(0.5, pairs([1.0] * 3, [2.0] * 3)) == quantiles.rank_error(0.5, 6)
    assert quantiles.clustered_rank_error(0.5, RatioMoments(Moments(1, 2.0, 0.0), Moments(1, 4.0, 0.0), 0.0)) is None


def test_the_clusters_may_be_numbered_and_ordered_at_will() -> None:
    rng = np.random.default_rng(4)
    values, unit = rng.exponential(1.0, 300), rng.integers(0, 40, 300)
    order = rng.permutation(300)
    assert ranked(values, 0.9, REACH, unit) == ranked(values[order], 0.9, REACH, (1000 - 3 * unit)[order])
    assert ranked(values, 0.9, REACH) == ranked(values[order], 0.9, REACH)


# ------------------------------------------------------------------------------------------------ coverage


@pytest.mark.parametrize("q", [0.5, 0.9])
def test_units_are_covered(q: float) -> None:
    """200 lognormal units an arm: each arm's interval, and p under the null with each tail."""
    rng, truth, samples = np.random.default_rng(5), math.exp(stats.norm.ppf(q)), 1000
    inside, low_tail, high_tail = 0, 0, 0
    for _ in range(samples):
        arms = [ranked(rng.lognormal(0, 1, 200), q, REACH) for _arm in range(2)]
        low, high = quantiles.interval(arms[0])
        assert low is not None and high is not None
        inside += low <= truth <= high
        contrast = quantiles.contrast(arms[0], arms[1])
        assert contrast.difference_pivot is not None
        at_most, at_least = contrast.difference_pivot.tails(0.0)
        low_tail += at_most < 0.025
        high_tail += at_least < 0.025
    assert 0.94 <= inside / samples < 0.98
    assert 0.94 <= 1 - (low_tail + high_tail) / samples < 0.985
    assert max(low_tail, high_tail) / samples < 0.035


@pytest.mark.slow
@pytest.mark.parametrize(("q", "units"), [(0.5, 20), (0.5, 100), (0.9, 100)])
def test_clustered_events_are_covered_and_would_not_be_as_if_independent(q: float, units: int) -> None:
    """Each unit has its own level, e^(0.8 x normal), and about eight events; overall lognormal with sigma 1."""
    rng, truth, samples, inside, ignoring, alarms = np.random.default_rng(6), math.exp(stats.norm.ppf(q)), 600, 0, 0, 0
    for _ in range(samples):
        arms = []
        for _arm in range(2):
            unit = np.repeat(np.arange(units), rng.poisson(7.0, units) + 1)
            arms.append((np.exp(0.8 * rng.normal(size=units))[unit] * rng.lognormal(0.0, 0.6, unit.size), unit))
        values, unit = arms[0]
        for found in (ranked(values, q, quantiles.reach(0.05, units), unit), ranked(values, q, REACH)):
            assert found.low is not None and found.high is not None
            if found.n == units:
                inside += found.low <= truth <= found.high
            else:
                ignoring += found.low <= truth <= found.high
        p = quantiles.contrast(*(ranked(x, q, REACH, unit) for x, unit in arms)).p_value
        assert p is not None
        alarms += p < 0.05
    assert ignoring / samples < 0.85
    assert 0.93 <= inside / samples < 0.985
    assert alarms / samples < 0.06


def test_the_density_is_right() -> None:
    """The error of a median of normal values is sqrt(pi / 2) sigma / sqrt(n)."""
    found = ranked(np.random.default_rng(7).normal(10.0, 2.0, 200_000), 0.5, REACH)
    contrast = quantiles.contrast(found, found)
    assert contrast.difference_pivot is not None
    expected = math.sqrt(math.pi / 2) * 2.0 / math.sqrt(200_000) * math.sqrt(2)
    assert contrast.difference_pivot.scale == pytest.approx(expected, rel=0.05)


def test_two_arms_are_welch_on_the_outer_error() -> None:
    control, variant = Ranked(40, 10.0, 8.0, 13.0, 2.0, 1.0), Ranked(50, 14.0, 12.0, 17.0, 2.5, 1.0)
    found = effect(quantiles.contrast(control, variant), 0.05)
    errors = (5.0 / 4.0, 5.0 / 5.0)
    df = (errors[0] ** 2 + errors[1] ** 2) ** 2 / (errors[0] ** 4 / 39 + errors[1] ** 4 / 49)
    expected = 2 * stats.t.sf(4.0 / math.hypot(*errors), df)
    assert found.method == "quantile" and found.difference == 4.0 and found.lift == pytest.approx(0.4)
    assert found.p_value == pytest.approx(expected, rel=1e-9)


# ------------------------------------------------------------------------------------------------ degenerate


def test_empty_arms() -> None:
    assert ranked(np.array([]), 0.5, REACH) == EMPTY
    some = ranked(np.arange(50.0), 0.5, REACH)
    for arms, name in (((EMPTY, some), "control"), ((some, EMPTY), "variant")):
        found = effect(quantiles.contrast(*arms), 0.05)
        assert (found.difference, found.lift, found.p_value, found.difference_interval) == (None,) * 4
        assert found.note == f"The {name} arm has no values." and found.lift_note
    assert quantiles.interval(EMPTY) == (None, None) and quantiles.value(EMPTY) is None


def test_too_few_values_get_a_sentence() -> None:
    few, many = ranked(np.arange(1.0, 31.0), 0.95, REACH), ranked(np.arange(1.0, 1001.0), 0.95, REACH)
    assert few.high is None and few.low is not None and quantiles.interval(few) == (few.low, None)
    for arms, name in (((few, many), "control"), ((many, few), "variant")):
        found = effect(quantiles.contrast(*arms), 0.05)
        assert found.difference is not None and found.lift is not None
        assert (found.p_value, found.difference_interval, found.lift_interval) == (None, None, None)
        assert found.note is not None and f"The {name} arm has too few values" in found.note
    one = ranked(np.array([3.0]), 0.5, REACH)
    assert (one.n, one.value, one.low, one.high) == (1, 3.0, None, None)
    assert ranked(np.arange(9.0), 0.5, REACH, np.zeros(9, np.int64)).low is None  # all of one unit


def test_ties_around_the_quantile() -> None:
    zeros, more = np.repeat([0.0, 5.0], [150, 50]), np.repeat([0.0, 5.0], [50, 150])
    same = effect(quantiles.contrast(ranked(zeros, 0.5, REACH), ranked(zeros, 0.5, REACH)), 0.05)
    assert same.p_value == 1.0 and same.difference == 0.0 and "all values of both arms" in (same.note or "")
    apart = effect(quantiles.contrast(ranked(more, 0.5, REACH), ranked(zeros, 0.5, REACH)), 0.05)
    assert apart.p_value is None and apart.difference == -5.0 and "not measurable" in (apart.note or "")
    mixed = effect(quantiles.contrast(ranked(zeros, 0.5, REACH), ranked(np.arange(200.0), 0.5, REACH)), 0.05)
    assert mixed.p_value is not None and mixed.lift is None and mixed.lift_note


def test_values_below_0_need_a_control_quantile_that_is_above_0() -> None:
    rng = np.random.default_rng(8)
    signed = [ranked(rng.normal(0.15, 1.0, 101), 0.5, REACH) for _arm in range(2)]
    assert signed[0].value is not None and signed[0].value > 0.0
    found = effect(quantiles.contrast(signed[0], signed[1]), 0.05)
    assert found.lift is None and found.lift_interval is None
    assert "cannot be told apart from 0" in (found.lift_note or "")
    assert found.difference_interval is not None


# ------------------------------------------------------------------------------------------------ the four laws


@st.composite
def samples(draw: st.DrawFn) -> tuple[Array, NDArray[np.int64] | None]:
    n = draw(st.integers(0, 25))
    unit = draw(st.one_of(st.none(), st.lists(st.integers(0, 8), min_size=n, max_size=n)))
    return np.asarray(draw(columns(n)), float), None if unit is None else np.asarray(unit, np.int64)


QUANTILES = st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9])


def rounding(arms: list[Ranked], scale: float) -> float:
    return 1e-9 + 1e-13 * max(abs(arm.value or 0.0) for arm in arms) / scale


@pytest.mark.slow
@settings(max_examples=300)
@given(samples(), samples(), QUANTILES, ALPHAS)
def test_one_inversion_and_its_mirror(
    first: tuple[Array, NDArray[np.int64] | None],
    second: tuple[Array, NDArray[np.int64] | None],
    q: float,
    alpha: float,
) -> None:
    arms = [ranked(values, q, REACH, unit) for values, unit in (first, second)]
    for arm in arms:
        if arm.value is not None:
            assert arm.low is None or arm.low <= arm.value
            assert arm.high is None or arm.value <= arm.high
    contrast = quantiles.contrast(arms[0], arms[1])
    found = effect(contrast, alpha)
    check_one_inversion(found)
    check_finite(found)
    if contrast.difference_pivot is not None:
        slack = rounding(arms, contrast.difference_pivot.scale)
        assume(slack < 1e-3)
        swapped = effect(quantiles.contrast(arms[1], arms[0]), alpha)
        check_mirror(found, swapped, contrast.difference_pivot.scale, slack)


@settings(max_examples=100)
@given(samples(), samples(), QUANTILES, st.sampled_from([0.5, 3.7e-9, 60.0, 8.1e8]))
def test_the_unit_of_the_values_does_not_matter(
    first: tuple[Array, NDArray[np.int64] | None],
    second: tuple[Array, NDArray[np.int64] | None],
    q: float,
    by: float,
) -> None:
    arms = [ranked(values, q, REACH, unit) for values, unit in (first, second)]
    grown = [ranked(values * by, q, REACH, unit) for values, unit in (first, second)]
    contrast = quantiles.contrast(arms[0], arms[1])
    if contrast.difference_pivot is not None:
        slack = rounding(arms, contrast.difference_pivot.scale)
        assume(slack < 1e-3)
        other = quantiles.contrast(grown[0], grown[1])
        check_scaled(effect(contrast, 0.05), effect(other, 0.05), by, contrast.difference_pivot.scale, slack)
