"""The laws of design/statistics.md as properties of random data: one inversion, mirror images, no unit, no NaN."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from abcx.stats import means, ratios, shares
from abcx.stats.inversion import effect, one_sided
from abcx.stats.records import Contrast, Moments, Proportion, RatioMoments
from tests.support.comparison_laws import ALPHAS, check_finite, check_mirror, check_one_inversion, check_scaled, columns

pytestmark = pytest.mark.slow

EPS = 2.3e-16


@st.composite
def proportions(draw: st.DrawFn, most: int) -> Proportion:
    n = draw(st.integers(1, most))
    return Proportion(draw(st.one_of(st.integers(0, n), st.sampled_from([0, n]), st.integers(0, min(n, 3)))), n)


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
