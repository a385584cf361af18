"""Quantiles against dense grid searches, binomial and share tests, closed forms, and simulations of coverage."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import optimize, stats  # type: ignore[import-untyped,unused-ignore]

from abcx.notes import Note
from abcx.stats import mid_distribution, quantiles
from abcx.stats.inversion import effect
from abcx.stats.mid_distribution import Curve, interval, summary, value
from abcx.stats.records import Contrast, Effect, QuantileSummary
from tests.support import quantile_oracle as oracle
from tests.support.comparison_laws import ALPHAS, check_finite, check_mirror, check_one_inversion, check_scaled, columns
from tests.support.notes import lift_text, note_text

Array = NDArray[np.float64]
EMPTY = summary(np.zeros(0), 0.5)


def compared(control: Array, variant: Array, q: float) -> Contrast:
    return quantiles.contrast(summary(control, q), summary(variant, q))


def p_value(contrast: Contrast) -> float:
    assert contrast.p_value is not None
    return contrast.p_value


# ------------------------------------------------------------------------------------------------ the estimate


@pytest.mark.parametrize("q", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("n", [20, 101, 4000])
def test_without_ties_it_is_hazens_quantile(q: float, n: int) -> None:
    values = np.random.default_rng(1).lognormal(0.0, 1.0, n)
    assert value(summary(values, q)) == pytest.approx(np.quantile(values, q, method="hazen"), rel=1e-12)


def test_the_median_of_yes_and_no_is_the_share_of_yes() -> None:
    """G(0) = (1 - p) / 2 and G(1) = 1 - p / 2, so G = 1/2 at p; its test is that of two shares."""
    yes, no = (np.repeat([0.0, 1.0], [60, 40]), np.repeat([0.0, 1.0], [45, 55]))
    assert value(summary(yes, 0.5)) == pytest.approx(0.4)
    contrast = compared(yes, no, 0.5)
    assert contrast.difference == pytest.approx(0.15)

    def squared(x: float) -> float:
        """The score at x is 1/2 (x + 1) of a no and x / 2 of a yes; its variance about q is q (1 - q) less the ties."""
        return sum(99 * (x - p) ** 2 / ((x - p) ** 2 + p * (1 - p)) for p in (0.4, 0.55))

    least = optimize.minimize_scalar(squared, bounds=(0.4, 0.55), method="bounded", options={"xatol": 1e-12}).fun
    assert p_value(contrast) == pytest.approx(2 * stats.t.sf(math.sqrt(least), 198), rel=1e-5)


def test_whole_seconds_by_hand() -> None:
    """4, 5, 6, 7 with shares .25, .3, .2, .25: G(5) = .4, G(6) = .65, so the median is 5.4."""
    values = np.repeat([4.0, 5.0, 6.0, 7.0], [250, 300, 200, 250])
    assert value(summary(values, 0.5)) == pytest.approx(5.4)


def test_most_values_at_zero_are_no_grid() -> None:
    """60 % zeros and orders of any size: the median is 0, however small the smallest order is."""
    orders = np.random.default_rng(2).lognormal(0.0, 1.0, 400)
    for one in (orders, orders + 10.0):
        assert value(summary(np.append(one, np.zeros(600)), 0.5)) == 0.0


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 8).map(float), min_size=1, max_size=40), st.sampled_from([0.1, 0.3, 0.5, 0.8, 0.9]))
def test_the_quantile_is_the_oracles(values: list[float], q: float) -> None:
    assert value(summary(np.array(values), q)) == pytest.approx(oracle.quantile(values, q), abs=1e-9)


# ------------------------------------------------------------------------------------------------ the statistic


def drawn(kind: str, n: int, rng: np.random.Generator) -> Array:
    if kind == "continuous":
        return rng.lognormal(0.0, 1.0, n)
    if kind == "seconds":
        return np.round(rng.gamma(4.0, 1.35, n))
    if kind == "ten":  # the median falls between 5 and 6
        return rng.integers(1, 11, n).astype(float)
    if kind == "orders":
        return rng.poisson(1.7, n).astype(float)
    if kind == "zeros":
        return rng.lognormal(0.0, 1.0, n) * (rng.random(n) > 0.4)
    assert kind == "capped"
    return np.minimum(rng.lognormal(0.0, 1.0, n), 3.5)


KINDS = ["continuous", "seconds", "ten", "orders", "zeros", "capped"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("q", [0.5, 0.8])
@pytest.mark.slow
def test_it_is_the_least_over_a_dense_grid(kind: str, q: float) -> None:
    """T^2 by 41 points in every piece: never below ours, and above it by no more than the grid is coarse."""
    rng = np.random.default_rng([3, KINDS.index(kind)])
    control, variant = drawn(kind, 25, rng), 1.2 * drawn(kind, 31, rng)
    arms = [Curve(summary(values, q)) for values in (control, variant)]
    for d, r in ((0.0, 1.0), (0.4, 1.0), (-0.7, 1.0), (0.0, 1.3), (0.0, 0.8)):
        found = quantiles.projected(arms[0], arms[1], r, d)[0]
        expected = oracle.statistic(control.tolist(), variant.tolist(), q, d, r, 41)
        assert found <= expected + 1e-9 * (1 + expected)
        assert found == pytest.approx(expected, rel=2e-3, abs=1e-3)


@pytest.mark.slow
def test_it_is_the_least_over_a_very_dense_grid() -> None:
    rng = np.random.default_rng(4)
    control, variant = drawn("seconds", 12, rng), drawn("seconds", 15, rng) + 1.0
    arms = [Curve(summary(values, 0.5)) for values in (control, variant)]
    expected = oracle.statistic(control.tolist(), variant.tolist(), 0.5, 0.25, 1.0, 20_001)
    assert quantiles.projected(arms[0], arms[1], 1.0, 0.25)[0] == pytest.approx(expected, rel=1e-7)


def test_p_is_that_of_students_t() -> None:
    rng = np.random.default_rng(5)
    control, variant = drawn("ten", 60, rng), drawn("ten", 90, rng) + 1.0
    arms = [Curve(summary(values, 0.5)) for values in (control, variant)]
    squared, df = quantiles.projected(arms[0], arms[1], 1.0, 0.0)
    assert p_value(compared(control, variant, 0.5)) == pytest.approx(2 * stats.t.sf(math.sqrt(squared), df), rel=1e-12)
    assert 59 < df < 148


def test_502_against_498_above_the_median_say_nothing() -> None:
    """Whole seconds 4 to 7; the plain test of the shares above 5 gives p = .86."""
    control = np.repeat([4.0, 5.0, 6.0, 7.0], [249, 249, 251, 251])
    variant = np.repeat([4.0, 5.0, 6.0, 7.0], [251, 251, 249, 249])
    z = 4 / math.sqrt(1000 * 0.5)
    found = effect(compared(control, variant, 0.5), 0.05)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(z), abs=0.01)
    assert found.notes == (Note("tied_quantile"),)
    assert found.difference_interval is not None and found.difference_interval[0] < 0 < found.difference_interval[1]  # type: ignore[operator]


@pytest.mark.parametrize("kind", ["continuous", "ten", "orders"])
@pytest.mark.slow
def test_it_is_as_powerful_as_the_share_test(kind: str) -> None:
    """Against the test of the shares below the pooled quantile (half of those at it): 5 points and chance."""
    rng, differences, powers, samples, n = np.random.default_rng(6), [], [], 300, 400
    for _ in range(samples):
        control, variant = drawn(kind, n, rng), drawn(kind, n, rng)
        more = rng.random(n) < {"continuous": 0.34, "ten": 0.7, "orders": 0.22}[kind]
        variant = np.where(more, variant * 1.6 if kind == "continuous" else variant + 1.0, variant)
        pooled = np.median(np.concatenate([control, variant]))
        scores = [(arm < pooled) + 0.5 * (arm == pooled) for arm in (control, variant)]
        powers.append(bool(stats.ttest_ind(*scores, equal_var=False).pvalue < 0.05))
        differences.append((p_value(compared(control, variant, 0.5)) < 0.05) - powers[-1])
    assert np.mean(powers) > 0.3
    assert np.mean(differences) > -0.05 - 2 * np.std(differences) / math.sqrt(samples)


# ------------------------------------------------------------------------------------------------ one arm


def test_an_arm_without_ties_is_wilsons_interval() -> None:
    """100 values: the ends are where 100 G(x) = 50 -+ t sqrt(100 x .25 x 100 / 99), that is one half rank further."""
    found = summary(np.arange(1.0, 101.0), 0.5)
    reach = stats.t.ppf(0.975, 99) * 100 * math.sqrt(0.25 / 99)
    assert interval(found, 0.05) == pytest.approx((50.5 - reach, 50.5 + reach), rel=2e-3)


@pytest.mark.parametrize("kind", ["continuous", "ten", "orders"])
@pytest.mark.parametrize("q", [0.5, 0.9])
@pytest.mark.slow
def test_an_arm_is_covered(kind: str, q: float) -> None:
    rng, n, samples, missed = np.random.default_rng(7), 150, 600, np.zeros(2)
    truth = value(summary(drawn(kind, 400_000, rng), q))
    assert truth is not None
    for _ in range(samples):
        low, high = interval(summary(drawn(kind, n, rng), q), 0.05)
        missed += (low is not None and low > truth, high is not None and high < truth)
    assert missed.sum() / samples < 0.06 + 2 * math.sqrt(0.06 * 0.94 / samples)
    assert missed.max() / samples < 0.04 + 2 * math.sqrt(0.04 * 0.96 / samples)


def test_levels_nest() -> None:
    found = summary(np.random.default_rng(8).exponential(1.0, 200), 0.9)
    (low, high), (lower, higher) = interval(found, 0.2), interval(found, 0.01)
    assert low is not None and high is not None and lower is not None and higher is not None
    assert lower < low < high < higher


# ------------------------------------------------------------------------------------------------ A/A and coverage


def tails(contrasts: list[Contrast], d: float = 0.0) -> tuple[float, float]:
    """Shares of samples that call the true difference `d` too low, or too high; without a test none does."""
    found = [c.difference_pivot.tails(d) if c.difference_pivot else (1.0, 1.0) for c in contrasts]
    return sum(t[0] < 0.025 for t in found) / len(found), sum(t[1] < 0.025 for t in found) / len(found)


def promised(shares: tuple[float, float], samples: int) -> None:
    assert sum(shares) <= 0.06 + 2 * math.sqrt(0.06 * 0.94 / samples), shares
    assert max(shares) <= 0.04 + 2 * math.sqrt(0.04 * 0.96 / samples), shares


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("q", "sizes"), [(0.5, (200, 200)), (0.9, (200, 200)), (0.5, (60, 600)), (0.9, (900, 100))])
@pytest.mark.slow
def test_equal_arms_are_not_called_different(kind: str, q: float, sizes: tuple[int, int]) -> None:
    rng, samples = np.random.default_rng(9), 400
    a, b = sizes
    pairs = ((drawn(kind, a, rng), drawn(kind, b, rng)) for _ in range(samples))
    promised(tails([compared(control, variant, q) for control, variant in pairs]), samples)


@pytest.mark.parametrize("kind", ["ten", "orders"])
@pytest.mark.slow
def test_grids_reject_about_as_often_as_they_should(kind: str) -> None:
    rng, samples = np.random.default_rng(10), 1000
    shares = tails([compared(drawn(kind, 500, rng), drawn(kind, 500, rng), 0.5) for _ in range(samples)])
    promised(shares, samples)
    assert sum(shares) > 0.02


@pytest.mark.parametrize("q", [0.5, 0.9])
@pytest.mark.slow
def test_a_shift_is_covered(q: float) -> None:
    rng, samples = np.random.default_rng(11), 400
    found = [compared(drawn("continuous", 200, rng), drawn("continuous", 300, rng) + 0.7, q) for _ in range(samples)]
    promised(tails(found, 0.7), samples)


def clustered(units: int, rng: np.random.Generator, grid: bool, heavy: bool) -> tuple[Array, NDArray[np.int64]]:
    """Events of units that have levels of their own, some units many more than others."""
    events = np.ceil(rng.lognormal(1.5, 1.0, units)).astype(int) if heavy else rng.poisson(7.0, units) + 1
    unit = np.repeat(np.arange(units), events)
    values = np.exp(0.8 * rng.normal(size=units)[unit] + 0.6 * rng.normal(size=unit.size))
    return (np.round(4.0 * values) if grid else values), unit


@pytest.mark.parametrize("heavy", [False, True])
@pytest.mark.parametrize("grid", [False, True])
@pytest.mark.parametrize(("q", "sizes"), [(0.9, (100, 100)), (0.9, (60, 600)), (0.5, (20, 20)), (0.5, (300, 30))])
@pytest.mark.slow
def test_clustered_events_of_equal_arms(q: float, sizes: tuple[int, int], grid: bool, heavy: bool) -> None:
    rng, samples, found, naive = np.random.default_rng(12), 300, [], []
    for _ in range(samples):
        arms = [clustered(n, rng, grid, heavy) for n in sizes]
        found.append(quantiles.contrast(*(summary(values, q, unit) for values, unit in arms)))
        naive.append(quantiles.contrast(*(summary(values, q) for values, _ in arms)))
    promised(tails(found), samples)
    assert sum(tails(naive)) > 0.09  # as if the events were independent


# ------------------------------------------------------------------------------------------------ clustered events


def test_the_error_of_clustered_shares_by_resampling_units() -> None:
    """The share of events below a fixed value, over bootstrap samples of whole units."""
    rng = np.random.default_rng(13)
    values, unit = clustered(200, rng, grid=False, heavy=False)
    found = summary(values, 0.7, unit)
    below, events = np.bincount(unit, values <= np.quantile(values, 0.7)), np.bincount(unit)
    picks = rng.integers(0, 200, (4000, 200))
    expected = (below[picks].sum(axis=1) / events[picks].sum(axis=1)).var() / (0.7 * 0.3 / values.size)
    assert np.interp(0.7, found.levels, found.design) == pytest.approx(expected, rel=0.08)
    assert expected > 3


@pytest.mark.parametrize("grid", [False, True])
def test_design_and_degrees_of_freedom_are_the_oracles(grid: bool) -> None:
    values, unit = clustered(40, np.random.default_rng(14), grid, heavy=True)
    found = summary(values, 0.6, unit)
    expected = oracle.design(values.tolist(), unit.tolist(), 0.6)
    assert [np.interp(0.6, found.levels, one) for one in (found.design, found.df)] == pytest.approx(expected, rel=1e-9)


def test_units_whose_events_are_copies_count_once() -> None:
    values, unit = np.random.default_rng(15).lognormal(0, 1, 150), np.arange(150)
    once = summary(values, 0.5, unit)
    copied = summary(np.repeat(values, 8), 0.5, np.repeat(unit, 8))
    assert once.n == copied.n == 150 and copied.total == 1200
    assert np.interp(0.5, copied.levels, copied.design) == pytest.approx(8 * (150 / 149) ** 2, rel=0.01)
    ends = [interval(one, 0.05) for one in (once, copied)]
    assert ends[0] == pytest.approx(ends[1], rel=0.03)


def test_one_event_a_unit_is_as_good_as_a_value_a_unit() -> None:
    """But for n / (n - 1), the leverage that is left for."""
    values = np.random.default_rng(16).lognormal(0, 1, 400)
    units, events = summary(values, 0.5), summary(values, 0.5, np.arange(400))
    assert events.design == pytest.approx(np.full(len(events.design), (400 / 399) ** 2))
    assert units.design == pytest.approx([400 / 399])


def test_units_that_are_alike_make_nothing_certain() -> None:
    """Three units with the same six values each: as if these were independent, not free of error."""
    values, unit = np.tile(np.arange(1.0, 7.0), 3), np.repeat(np.arange(3), 6)
    found = summary(values, 0.5, unit)
    assert found.design.tolist() == [1.0] * len(found.design) and found.df.max() <= 2
    low, high = interval(found, 0.05)
    assert low is None or high is None or high - low > 2


def test_the_clusters_may_be_numbered_and_ordered_at_will() -> None:
    rng = np.random.default_rng(17)
    values, unit = rng.exponential(1.0, 300), rng.integers(0, 40, 300)
    order = rng.permutation(300)
    one, other = summary(values, 0.9, unit), summary(values[order], 0.9, (1000 - 3 * unit)[order])
    for name in ("values", "below", "equal", "levels", "design", "df"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9)


# ------------------------------------------------------------------------------------------------ thinning


@pytest.mark.parametrize("q", [0.5, 0.9])
def test_thinned_values_give_the_same_test(q: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as p is above 1e-12 or so."""
    rng, n = np.random.default_rng(18), 60_000
    control, variant = rng.lognormal(0, 1, n), rng.lognormal(0, 1, n // 2)
    thinned = [summary(values, q) for values in (control, variant)]
    monkeypatch.setattr(mid_distribution, "DENSE", 1e9)
    whole = [summary(values, q) for values in (control, variant)]
    assert len(whole[0].values) == n and len(thinned[0].values) < n / 8
    assert whole[0].minimum == thinned[0].minimum == control.min()
    one, other = (quantiles.contrast(*arms) for arms in (thinned, whole))
    assert one.difference_pivot is not None and other.difference_pivot is not None
    scale, reached = one.difference_pivot.scale, 0
    for d in np.linspace(-9, 9, 13) * scale:
        ours, theirs = one.difference_pivot.tails(float(d)), other.difference_pivot.tails(float(d))
        if min(theirs) > 1e-12:
            reached += 1
            assert ours == pytest.approx(theirs, rel=1e-9)
    assert reached >= 9
    assert interval(thinned[0], 1e-6) == pytest.approx(interval(whole[0], 1e-6), rel=1e-9)


def test_ten_million_values_are_few() -> None:
    n = 10**7
    kept = mid_distribution.kept_values(np.arange(n), np.ones(n, np.int64), 0.5, 1.0)
    assert kept[0] and kept[-1] and 25_000 < kept.sum() < 27_000


def test_grids_are_kept_whole() -> None:
    values = np.round(np.random.default_rng(19).gamma(4.0, 1.35, 100_000))
    assert len(summary(values, 0.5).values) == len(np.unique(values))


# ------------------------------------------------------------------------------------------------ degenerate


def nothing_but(found: Effect, p: float | None) -> None:
    assert (found.p_value, found.difference_interval, found.lift_interval) == (p, None, None) and note_text(found)


def test_empty_arms() -> None:
    assert (EMPTY.n, EMPTY.total, EMPTY.minimum) == (0, 0, None)
    some = summary(np.arange(50.0), 0.5)
    for arms, name in (((EMPTY, some), "control"), ((some, EMPTY), "variant")):
        found = effect(quantiles.contrast(*arms), 0.05)
        nothing_but(found, None)
        assert (found.difference, found.lift) == (None, None) and lift_text(found)
        assert note_text(found) == f"The {name} arm has no values."
    assert interval(EMPTY, 0.05) == (None, None) and value(EMPTY) is None


def test_one_value_or_one_unit() -> None:
    some = summary(np.arange(1.0, 50.0), 0.5)
    alone = (summary(np.array([3.0]), 0.5), summary(np.arange(1.0, 9.0), 0.5, np.zeros(8, np.int64)))
    for one in alone:
        assert one.n == 1 and interval(one, 0.05) == (None, None)
        for arms in ((one, some), (some, one)):
            found = effect(quantiles.contrast(*arms), 0.05)
            nothing_but(found, None)
            assert found.difference is not None and found.lift is not None and "only one unit" in note_text(found)
    assert value(alone[0]) == 3.0


def test_arms_without_spread() -> None:
    five, six = np.full(40, 5.0), np.full(30, 6.0)
    nothing_but(effect(compared(five, five[:9], 0.5), 0.05), 1.0)
    apart = effect(compared(five, six, 0.5), 0.05)
    nothing_but(apart, None)
    assert apart.difference == 1.0 and apart.lift == pytest.approx(0.2)
    assert interval(summary(five, 0.5), 0.05) == (None, None)


@pytest.mark.parametrize("at", [0.0, 0.5, 1.5])
def test_one_arm_without_spread_is_the_test_of_the_other(at: float) -> None:
    values = np.random.default_rng(20).normal(1.0, 1.0, 80)
    contrast = compared(np.full(50, at), values, 0.5)
    inside = Curve(summary(values, 0.5)).test(np.array([at]))[0][0]
    assert p_value(contrast) == pytest.approx(2 * stats.t.sf(math.sqrt(inside), 79), rel=1e-9)
    found, own = effect(contrast, 0.05), interval(summary(values, 0.5), 0.05)
    assert found.difference_interval == pytest.approx([end - at for end in own if end is not None], abs=1e-6)


@pytest.mark.slow
def test_too_few_values_beyond_leave_an_end_open() -> None:
    """All of n values lie below the quantile with chance q^n: 20 values do not bound their 95th percentile."""
    few, many = (summary(np.random.default_rng(21).exponential(1.0, n), 0.95) for n in (20, 1000))
    low, high = interval(few, 0.05)
    assert low is not None and high is None
    found, swapped = (effect(quantiles.contrast(*arms), 0.05) for arms in ((many, few), (few, many)))
    assert found.p_value is not None and "too few values to bound" in note_text(found)
    assert found.difference_interval is not None and swapped.difference_interval is not None
    assert found.difference_interval[0] is not None and found.difference_interval[1] is None
    assert swapped.difference_interval[0] is None
    assert swapped.difference_interval[1] == pytest.approx(-found.difference_interval[0])
    assert None not in (effect(quantiles.contrast(many, many), 0.05).difference_interval or (None,))


def test_the_same_value_around_both_quantiles() -> None:
    zeros, orders = np.zeros(700), np.random.default_rng(22).lognormal(0, 1, 300)
    nothing_but(effect(compared(np.append(zeros, orders), np.append(zeros, 2 * orders), 0.5), 0.05), 1.0)
    found = effect(compared(np.append(zeros, orders), np.append(zeros[:100], orders), 0.5), 0.05)
    assert found.p_value is not None and found.p_value < 1e-4 and found.lift is None and lift_text(found)


def test_lifts_need_values_that_are_not_below_0() -> None:
    rng = np.random.default_rng(23)
    found = effect(compared(rng.normal(3.0, 1.0, 101), rng.normal(3.0, 2.0, 101), 0.5), 0.05)
    assert found.lift is None and found.lift_interval is None and "below 0" in lift_text(found)
    assert found.difference_interval is not None and not note_text(found)
    positive = effect(compared(rng.lognormal(0, 1, 101), rng.lognormal(0, 1, 101), 0.5), 0.05)
    assert positive.lift is not None and positive.lift_interval is not None and not lift_text(positive)


# ------------------------------------------------------------------------------------------------ the four laws


@st.composite
def samples(draw: st.DrawFn) -> tuple[Array, NDArray[np.int64] | None]:
    n = draw(st.integers(0, 25))
    unit = draw(st.one_of(st.none(), st.lists(st.integers(0, 8), min_size=n, max_size=n)))
    return np.asarray(draw(columns(n)), float), None if unit is None else np.asarray(unit, np.int64)


QUANTILES = st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9])
Drawn = tuple[Array, NDArray[np.int64] | None]


def rounding(arms: list[QuantileSummary], scale: float) -> float:
    return 1e-7 + 1e-12 * max(float(np.abs(arm.values).max()) for arm in arms) / scale


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(samples(), samples(), QUANTILES, ALPHAS)
def test_one_inversion_and_its_mirror(first: Drawn, second: Drawn, q: float, alpha: float) -> None:
    arms = [summary(values, q, unit) for values, unit in (first, second)]
    for arm in arms:
        at, (low, high) = value(arm), interval(arm, alpha)
        assert at is None or ((low is None or low <= at) and (high is None or at <= high))
    contrast = quantiles.contrast(arms[0], arms[1])
    found = effect(contrast, alpha)
    check_one_inversion(found)
    check_finite(found)
    if contrast.difference_pivot is not None:
        slack = rounding(arms, contrast.difference_pivot.scale)
        assume(slack < 1e-3)
        check_mirror(found, effect(quantiles.contrast(arms[1], arms[0]), alpha), contrast.difference_pivot.scale, slack)


@settings(max_examples=60, deadline=None)
@given(samples(), samples(), QUANTILES, st.sampled_from([0.5, 3.7e-9, 60.0, 8.1e8]))
@pytest.mark.slow
def test_the_unit_of_the_values_does_not_matter(first: Drawn, second: Drawn, q: float, by: float) -> None:
    arms = [summary(values, q, unit) for values, unit in (first, second)]
    grown = [dataclasses.replace(arm, values=by * arm.values) for arm in arms]
    contrast = quantiles.contrast(arms[0], arms[1])
    if contrast.difference_pivot is not None:
        slack = rounding(arms, contrast.difference_pivot.scale)
        assume(slack < 1e-3)
        other = quantiles.contrast(grown[0], grown[1])
        check_scaled(effect(contrast, 0.05), effect(other, 0.05), by, contrast.difference_pivot.scale, slack)
