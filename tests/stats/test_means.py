"""Means and ratios against scipy's Welch test, Fieller's closed form and the definition of the linearized ratio."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from abcx.stats import means, ratios
from abcx.stats.inversion import effect
from abcx.stats.records import Moments, RatioMoments
from tests.support import oracles
from tests.support.notes import lift_text, note_text

Array = NDArray[np.float64]


def moments(values: Array | list[float]) -> Moments:
    x = np.asarray(values, float)
    variance = float(x.var(ddof=1)) if x.size > 1 else 0.0
    return Moments(x.size, float(x.mean()), variance, int((x != 0).sum()), float(x.min()), float(x.max()))


def pairs(values: Array) -> RatioMoments:
    covariance = float(np.cov(values.T, ddof=1)[0, 1]) if len(values) > 1 else 0.0
    return RatioMoments(moments(values[:, 0]), moments(values[:, 1]), covariance)


@pytest.mark.parametrize("shift", [0.0, 0.3, 1e9])
@pytest.mark.parametrize("sizes", [(5, 9), (40, 3), (500, 500)])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_welch_matches_scipy(shift: float, sizes: tuple[int, int], alpha: float) -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(shift, 1, sizes[0]), rng.normal(shift + 0.5, 3, sizes[1])
    expected = stats.ttest_ind(b, a, equal_var=False)
    bounds = expected.confidence_interval(1 - alpha)
    found = effect(means.contrast(moments(a), moments(b)), alpha)
    assert found.method == "Welch"
    slack = 1e-15 * abs(shift)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9 + 10 * slack)
    assert found.difference_interval == pytest.approx((bounds.low, bounds.high), rel=1e-9, abs=1e-12 + 2 * slack)


def test_far_tails_are_not_rounded_to_zero() -> None:
    a, b = Moments(1000, 0.0, 1.0), Moments(1000, 1.0, 1.0)
    expected = stats.ttest_ind_from_stats(1.0, 1.0, 1000, 0.0, 1.0, 1000, equal_var=False).pvalue
    assert 0 < expected < 1e-80
    assert means.contrast(a, b).p_value == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_lift_is_fieller_at_its_own_degrees_of_freedom(alpha: float) -> None:
    rng = np.random.default_rng(6)
    a, b = rng.lognormal(0, 0.6, 40), rng.lognormal(0.3, 0.9, 25)
    control, variant = moments(a), moments(b)
    found = effect(means.contrast(control, variant), alpha).lift_interval
    assert found is not None
    v0, v1 = control.variance / control.n, variant.variance / variant.n
    for side, end in enumerate(found):
        assert end is not None
        df = oracles.satterthwaite(v0, control.n, v1, variant.n, 1 + end)
        assert 1 + end == pytest.approx(oracles.fieller(control.mean, v0, variant.mean, v1, df, alpha)[side], rel=1e-9)


def test_non_negative_data_search_ratios_from_zero() -> None:
    low_lift = effect(means.contrast(moments([5.0, 6.0, 7.0]), moments([0.0, 0.0, 3.0])), 0.05).lift_interval
    assert low_lift is not None and low_lift[0] == -1.0
    found = effect(means.contrast(moments([0.0] * 20 + [3.0]), moments([1.0, 2.0, 3.0, 4.0] * 5)), 0.05)
    assert found.lift is not None and found.lift_interval is not None and found.lift_interval[1] is None
    assert "not distinguishable" in lift_text(found)


def test_a_control_mean_that_may_be_zero_has_no_lift() -> None:
    """Where values can be negative the lift exists exactly when the control mean's own interval excludes 0."""
    for mean in (0.1, 0.15, 0.19, 0.2, 0.21, 0.3):
        control, variant = Moments(100, mean, 1.0, None, -3.0, 3.0), Moments(100, 1.0, 1.0, None, -3.0, 3.0)
        found = effect(means.contrast(control, variant), 0.05)
        low = means.interval(control, 0.05)[0]
        assert low is not None
        assert (found.lift is None) == (found.lift_interval is None) == (low <= 0)
        assert (not lift_text(found)) == (low > 0)
        assert found.difference_interval is not None


def test_typed_counts_are_taken_as_possibly_negative() -> None:
    found = effect(means.contrast(Moments(100, 0.1, 1.0), Moments(100, 1.0, 1.0)), 0.05)
    assert found.lift is None and found.lift_interval is None and lift_text(found)


@pytest.mark.parametrize("mean", [0.0, -2.0])
def test_no_lift_on_a_control_mean_of_zero_or_less(mean: float) -> None:
    found = effect(means.contrast(Moments(50, mean, 4.0), Moments(50, 1.0, 4.0)), 0.05)
    assert found.lift is None and found.lift_interval is None and lift_text(found)
    assert found.p_value is not None and found.difference_interval is not None


def test_degenerate_means() -> None:
    one, many = moments([3.0]), moments([1.0, 2.0, 4.0])
    found = effect(means.contrast(one, many), 0.05)
    assert found.difference == pytest.approx(7 / 3 - 3) and note_text(found)
    assert (found.p_value, found.difference_interval, found.lift_interval) == (None, None, None)
    same = effect(means.contrast(moments([0.1] * 7), moments([0.1] * 9)), 0.05)
    assert same.p_value == 1.0 and note_text(same)
    apart = effect(means.contrast(moments([0.1] * 7), moments([0.2] * 9)), 0.05)
    assert apart.p_value is None and note_text(apart) and apart.difference == pytest.approx(0.1)
    none = effect(means.contrast(Moments(0, 0.0, 0.0), many), 0.05)
    assert none.difference is None and note_text(none)
    assert means.value(Moments(0, 0.0, 0.0)) is None and means.value(one) == 3.0
    assert means.interval(one, 0.05) == (None, None)


def test_one_constant_arm_is_a_one_sample_test() -> None:
    values = [1.0, 2.0, 4.0, 3.0]
    found = effect(means.contrast(moments([1.0] * 6), moments(values)), 0.05)
    expected = stats.ttest_1samp(values, 1.0)
    bounds = expected.confidence_interval(0.95)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.difference_interval == pytest.approx((bounds.low - 1, bounds.high - 1), rel=1e-9)
    assert found.lift_interval == pytest.approx((bounds.low - 1, bounds.high - 1), rel=1e-9)


def test_nothing_at_all_in_the_variant() -> None:
    found = effect(means.contrast(moments([0.0, 5.0, 3.0, 2.0]), moments([0.0] * 9)), 0.05)
    assert found.lift == -1.0 and found.lift_interval is None and lift_text(found)
    assert found.p_value is not None and found.difference_interval is not None


def test_interval_of_a_mean_matches_scipy() -> None:
    values = [1.0, 2.0, 4.0, 9.0]
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    assert means.interval(moments(values), 0.1) == pytest.approx((expected.low, expected.high), rel=1e-9)


def test_ratio_is_welch_on_linearized_units() -> None:
    rng = np.random.default_rng(7)
    a = np.stack([rng.poisson(2.0, 60), rng.poisson(5.0, 60)], axis=1).astype(float)
    b = np.stack([rng.poisson(3.0, 45), rng.poisson(5.0, 45)], axis=1).astype(float)
    linear = []
    for arm in (a, b):
        ratio = arm[:, 0].sum() / arm[:, 1].sum()
        linear.append(ratio + (arm[:, 0] - ratio * arm[:, 1]) / arm[:, 1].mean())
    expected = stats.ttest_ind(linear[1], linear[0], equal_var=False)
    bounds = expected.confidence_interval(0.95)
    found = effect(ratios.contrast(pairs(a), pairs(b)), 0.05)
    assert found.method == "Welch (ratio)"
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.difference_interval == pytest.approx((bounds.low, bounds.high), rel=1e-9)
    one = stats.ttest_1samp(linear[0], 0).confidence_interval(0.95)
    assert ratios.interval(pairs(a), 0.05) == pytest.approx((one.low, one.high), rel=1e-9)
    assert ratios.value(pairs(a)) == pytest.approx(a[:, 0].sum() / a[:, 1].sum())


def test_ratio_with_a_denominator_of_one_is_the_mean() -> None:
    rng = np.random.default_rng(8)
    a, b = rng.exponential(2, 30), rng.exponential(3, 50)
    as_ratio = effect(ratios.contrast(*(pairs(np.stack([x, np.ones_like(x)], axis=1)) for x in (a, b))), 0.05)
    as_mean = effect(means.contrast(moments(a), moments(b)), 0.05)
    assert as_ratio.p_value == pytest.approx(as_mean.p_value)
    assert as_ratio.difference_interval == pytest.approx(as_mean.difference_interval)
    assert as_ratio.lift_interval == pytest.approx(as_mean.lift_interval)


def test_degenerate_ratios() -> None:
    good = pairs(np.array([[1.0, 2.0], [3.0, 4.0], [2.0, 2.0]]))
    nothing = pairs(np.array([[1.0, 0.0], [3.0, 0.0]]))
    negative = pairs(np.array([[1.0, -1.0], [3.0, -2.0]]))
    for bad in (nothing, negative):
        assert ratios.value(bad) is None and ratios.interval(bad, 0.05) == (None, None)
        for arms in ((good, bad), (bad, good)):
            found = effect(ratios.contrast(*arms), 0.05)
            assert (found.difference, found.lift, found.p_value, found.difference_interval) == (None,) * 4
            assert note_text(found) and lift_text(found)
    constant = pairs(np.array([[0.3, 0.1], [0.9, 0.3], [2.1, 0.7]]))
    assert effect(ratios.contrast(constant, constant), 0.05).p_value == 1.0
    single = pairs(np.array([[1.0, 2.0]]))
    found = effect(ratios.contrast(single, good), 0.05)
    assert found.p_value is None and note_text(found) and found.difference is not None


def test_large_finite_moments_do_not_overflow() -> None:
    for size in (1e-140, 1e140):
        found = effect(means.contrast(Moments(9, size, size**2, 9, 0.0), Moments(9, 2 * size, size**2, 9, 0.0)), 0.05)
        small = effect(means.contrast(Moments(9, 1.0, 1.0, 9, 0.0), Moments(9, 2.0, 1.0, 9, 0.0)), 0.05)
        assert found.p_value == pytest.approx(small.p_value, rel=1e-9)
        assert found.lift_interval == pytest.approx(small.lift_interval, rel=1e-9)
        assert all(end is not None and math.isfinite(end) for end in found.difference_interval or (None,))
