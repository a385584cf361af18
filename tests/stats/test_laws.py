"""The laws of design/statistics.md as properties of random data: one inversion, mirror images, no unit, no NaN."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from abcx.stats import means, ratios, shares
from abcx.stats.inversion import effect, one_sided
from abcx.stats.records import Contrast, Effect, Interval, Moments, Proportion, RatioMoments

pytestmark = pytest.mark.slow

ALPHAS = st.sampled_from([0.001, 0.01, 0.025, 0.05, 0.1, 0.2])
EPS = 2.3e-16


@st.composite
def proportions(draw: st.DrawFn, most: int) -> Proportion:
    n = draw(st.integers(1, most))
    return Proportion(draw(st.one_of(st.integers(0, n), st.sampled_from([0, n]), st.integers(0, min(n, 3)))), n)


@st.composite
def columns(draw: st.DrawFn, n: int) -> list[float]:
    """One arm's values: zeros and whales, negatives, constants, clock times, few distinct values."""
    kind = draw(st.sampled_from(["orders", "signed", "epoch", "constant", "small", "counts"]))
    some = {
        "orders": st.one_of(st.just(0.0), st.floats(0.01, 1e4)),
        "signed": st.floats(-100, 100, allow_subnormal=False),  # half of the least one is 0: no longer the same data
        "epoch": st.floats(1.6e9, 1.6e9 + 1e5),
        "constant": st.just(draw(st.sampled_from([0.0, 0.1, 1.0, -3.0, 1e9 + 0.3]))),
        "small": st.floats(1e-9, 1e-8),
        "counts": st.integers(0, 5).map(float),
    }[kind]
    return draw(st.lists(some, min_size=n, max_size=n))


def moments(values: list[float], known: bool = True) -> Moments:
    x = np.asarray(values, float)
    variance = float(x.var(ddof=1)) if x.size > 1 else 0.0
    low, high = (float(x.min()), float(x.max())) if known else (None, None)
    return Moments(x.size, float(x.mean()), variance, int((x != 0).sum()), low, high)


@st.composite
def arms(draw: st.DrawFn) -> Moments:
    return moments(draw(columns(draw(st.integers(1, 12)))), draw(st.booleans()))


@st.composite
def ratio_arms(draw: st.DrawFn) -> RatioMoments:
    n = draw(st.integers(1, 10))
    top, bottom = draw(columns(n)), draw(columns(n))
    covariance = float(np.cov([top, bottom])[0, 1]) if n > 1 else 0.0
    return RatioMoments(moments(top), moments(bottom), covariance)


def excludes(interval: Interval, value: float) -> bool:
    low, high = interval
    return (low is not None and low > value) or (high is not None and high < value)


def check_one_inversion(found: Effect) -> None:
    if found.p_value is None:
        assert found.difference_interval is None and found.lift_interval is None and found.note
        return
    significant = found.p_value < found.alpha
    if found.difference_interval is None:
        assert not significant and found.note
    else:
        assert excludes(found.difference_interval, 0.0) == significant
        assert found.difference is not None
        low, high = found.difference_interval
        assert found.note or (low is not None and high is not None)
        assert (low is None or low <= found.difference) and (high is None or found.difference <= high)
    if found.lift_interval is None:
        assert found.lift_note or found.note
    else:
        assert excludes(found.lift_interval, 0.0) == significant
        low, high = found.lift_interval
        assert low is not None
        if found.lift is not None:
            assert low <= found.lift and (high is None or found.lift <= high)
    if found.lift is None:
        assert found.lift_note or found.note


def check_finite(found: Effect) -> None:
    for value in dataclasses.astuple(found):
        for number in value if isinstance(value, tuple) else (value,):
            assert not isinstance(number, float) or math.isfinite(number), found
    assert found.p_value is None or 0 <= found.p_value <= 1


def close(a: float, b: float, slack: float) -> bool:
    return abs(a - b) <= slack * max(abs(a), abs(b)) + slack


def check_mirror(found: Effect, swapped: Effect, unit: float, slack: float) -> None:
    """`unit` is the size of the difference's error; `slack` what rounding of the data allows."""
    assert (found.p_value is None) == (swapped.p_value is None)
    if found.p_value is not None and swapped.p_value is not None:
        assert close(math.log(found.p_value + 1e-300), math.log(swapped.p_value + 1e-300), max(slack, 1e-8))
    if found.difference is not None and swapped.difference is not None:
        assert found.difference == -swapped.difference
    if found.difference_interval and swapped.difference_interval:
        for end, other in zip(found.difference_interval, reversed(swapped.difference_interval), strict=True):
            assert (end is None) == (other is None)
            assert end is None or other is None or close(end / unit, -other / unit, slack)
    if found.lift is not None and swapped.lift is not None and found.lift_interval and swapped.lift_interval:
        check_reciprocal(found.lift, swapped.lift, 1e-12)
        for end, other in zip(found.lift_interval, reversed(swapped.lift_interval), strict=True):
            check_reciprocal(end, other, slack)


def check_reciprocal(end: float | None, other: float | None, slack: float) -> None:
    if end is None or other is None:
        assert end is None or 1 + end < 1e-100
        assert other is None or 1 + other < 1e-100
    else:
        small, large = sorted((1 + end, 1 + other))
        assert close(small, 1 / large, slack)


def check_margins(contrast: Contrast, alpha: float, at: float) -> None:
    found = effect(contrast, alpha)
    pivot, interval = contrast.difference_pivot, found.difference_interval
    if pivot is None or interval is None or contrast.method == "binomial score":
        return
    margin = (contrast.difference or 0.0) + at * pivot.scale
    low, high = interval
    assert low is not None and high is not None
    if min(abs(margin - low), abs(margin - high)) > 1e-6 * (pivot.scale + EPS * abs(margin)):
        assert (one_sided(pivot, margin, "above") < alpha / 2) == (high < margin)
        assert (one_sided(pivot, margin, "below") < alpha / 2) == (low > margin)


# ------------------------------------------------------------------------------------------------ shares


def check_shares(control: Proportion, variant: Proportion, alpha: float) -> None:
    contrast = shares.contrast(control, variant)
    found, swapped = effect(contrast, alpha), effect(shares.contrast(variant, control), alpha)
    check_one_inversion(found)
    check_finite(found)
    assert contrast.difference_pivot is not None
    check_mirror(found, swapped, contrast.difference_pivot.scale, 1e-8)
    assert found.lift is not None or control.successes == 0


@settings(max_examples=40, deadline=None)
@given(proportions(40), proportions(40), ALPHAS)
def test_small_shares(control: Proportion, variant: Proportion, alpha: float) -> None:
    check_shares(control, variant, alpha)


@settings(max_examples=15, deadline=None)
@given(proportions(3000), proportions(300), ALPHAS)
def test_middling_shares(control: Proportion, variant: Proportion, alpha: float) -> None:
    check_shares(control, variant, alpha)


@settings(max_examples=60, deadline=None)
@given(st.integers(40, 10**9), st.integers(40, 10**9), st.floats(0, 1), st.floats(0, 1), ALPHAS)
def test_large_shares(n0: int, n1: int, p0: float, p1: float, alpha: float) -> None:
    control, variant = Proportion(round(n0 * p0), n0), Proportion(round(n1 * p1), n1)
    assume(not shares.few_events(control, variant))
    check_shares(control, variant, alpha)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(100, 10**6), st.integers(100, 10**6), st.floats(0.2, 0.5), st.floats(0.2, 0.5), ALPHAS, st.floats(-4, 4)
)
def test_margins_of_shares(n0: int, n1: int, p0: float, p1: float, alpha: float, at: float) -> None:
    check_margins(shares.contrast(Proportion(round(n0 * p0), n0), Proportion(round(n1 * p1), n1)), alpha, at)


# ------------------------------------------------------------------------------------------------ means


def rounding(*summaries: Moments) -> float:
    """How far the statistic can move when the means are rounded, in standard errors."""
    error = math.sqrt(sum(one.variance / one.n for one in summaries))
    size = max(abs(one.mean) for one in summaries)
    return 1e-9 + 200 * EPS * size / error if error > 0 else 1e-9


@settings(max_examples=300, deadline=None)
@given(arms(), arms(), ALPHAS)
def test_means(control: Moments, variant: Moments, alpha: float) -> None:
    contrast = means.contrast(control, variant)
    found = effect(contrast, alpha)
    check_one_inversion(found)
    check_finite(found)
    if contrast.difference_pivot is not None and rounding(control, variant) < 1e-3:
        swapped = effect(means.contrast(variant, control), alpha)
        check_mirror(found, swapped, contrast.difference_pivot.scale, rounding(control, variant))


@settings(max_examples=150, deadline=None)
@given(arms(), arms(), ALPHAS, st.floats(-5, 5))
def test_margins_of_means(control: Moments, variant: Moments, alpha: float, at: float) -> None:
    assume(rounding(control, variant) < 1e-6)
    check_margins(means.contrast(control, variant), alpha, at)


def scaled(one: Moments, by: float) -> Moments:
    low, high = (None if end is None else end * by for end in (one.minimum, one.maximum))
    return Moments(one.n, one.mean * by, one.variance * by * by, one.nonzero, low, high)


def check_scaled(found: Effect, other: Effect, by: float, unit: float, slack: float) -> None:
    assert (found.p_value is None) == (other.p_value is None)
    if found.p_value and other.p_value:
        assert close(math.log(found.p_value), math.log(other.p_value), slack)
    if found.difference_interval and other.difference_interval:
        for a, b in zip(found.difference_interval, other.difference_interval, strict=True):
            assert (a is None) == (b is None)
            assert a is None or b is None or close(a / unit, b / by / unit, slack)
    assert (found.lift_interval is None) == (other.lift_interval is None)
    if found.lift_interval and other.lift_interval:
        for a, b in zip(found.lift_interval, other.lift_interval, strict=True):
            assert (a is None) == (b is None)
            assert a is None or b is None or close(a, b, slack)


@settings(max_examples=150, deadline=None)
@given(arms(), arms(), ALPHAS, st.sampled_from([0.5, 3.7e-9, 100.0, 8.1e8]))
def test_means_do_not_depend_on_the_unit(control: Moments, variant: Moments, alpha: float, by: float) -> None:
    slack = rounding(control, variant)
    assume(slack < 1e-3)
    contrast = means.contrast(control, variant)
    unit = contrast.difference_pivot.scale if contrast.difference_pivot else 1.0
    found, other = effect(contrast, alpha), effect(means.contrast(scaled(control, by), scaled(variant, by)), alpha)
    check_scaled(found, other, by, unit, slack)


# ------------------------------------------------------------------------------------------------ ratios


@settings(max_examples=300, deadline=None)
@given(ratio_arms(), ratio_arms(), ALPHAS)
def test_ratios(control: RatioMoments, variant: RatioMoments, alpha: float) -> None:
    contrast = ratios.contrast(control, variant)
    found = effect(contrast, alpha)
    check_one_inversion(found)
    check_finite(found)
    pivot = contrast.difference_pivot
    if pivot is not None and contrast.difference is not None:
        size = max(abs(ratios.value(control) or 0.0), abs(ratios.value(variant) or 0.0))
        slack = 1e-9 + 200 * EPS * size / pivot.scale
        if slack < 1e-3:
            check_mirror(found, effect(ratios.contrast(variant, control), alpha), pivot.scale, slack)


@settings(max_examples=100, deadline=None)
@given(ratio_arms(), ratio_arms(), st.sampled_from([0.5, 3.7e-6, 100.0]))
def test_ratios_do_not_depend_on_the_unit(control: RatioMoments, variant: RatioMoments, by: float) -> None:
    def grown(one: RatioMoments) -> RatioMoments:
        return RatioMoments(scaled(one.numerator, by), one.denominator, one.covariance * by)

    contrast = ratios.contrast(control, variant)
    pivot = contrast.difference_pivot
    assume(pivot is not None and pivot.scale > 1e-7 * max(abs(ratios.value(one) or 0.0) for one in (control, variant)))
    assert pivot is not None
    other = effect(ratios.contrast(grown(control), grown(variant)), 0.05)
    check_scaled(effect(contrast, 0.05), other, by, pivot.scale, 1e-6)
