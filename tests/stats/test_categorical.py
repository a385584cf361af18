"""Top boxes and moments of answers against the answers themselves, one by one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from abcx.stats import categorical, means, shares
from abcx.stats.inversion import effect
from abcx.stats.records import Categories, Moments, Proportion


def expanded(categories: Categories) -> list[int]:
    return [categories.low + step for step, count in enumerate(categories.counts) for _ in range(count)]


histograms = st.builds(
    Categories, st.integers(-5, 9), st.lists(st.integers(0, 9), min_size=1, max_size=11).map(lambda c: tuple(c))
)


@given(histograms)
def test_moments_are_those_of_the_answers(categories: Categories) -> None:
    found, values = categorical.moments(categories), expanded(categories)
    assert found.n == len(values)
    if not values:
        assert found == Moments(0, 0.0, 0.0, 0)
        return
    assert found.mean == pytest.approx(np.mean(values), rel=1e-14, abs=1e-14)
    assert found.variance == pytest.approx(np.var(values, ddof=1) if len(values) > 1 else 0.0, rel=1e-12, abs=1e-14)
    assert found.nonzero == np.count_nonzero(values)
    assert (found.minimum, found.maximum) == (min(values), max(values))
    if len(values) < 3 or len(set(values)) == 1:
        assert found.skewness is None
    else:
        assert found.skewness == pytest.approx(stats.skew(values, bias=False), rel=1e-9, abs=1e-9)


@given(histograms, st.integers(1, 11))
def test_top_boxes_are_the_highest_answers_of_the_scale(categories: Categories, top: int) -> None:
    size = len(categories.counts)
    if top > size:
        with pytest.raises(ValueError, match=f"between 1 and {size}"):
            categorical.top_box(categories, top)
        return
    least = categories.low + size - top
    values = expanded(categories)
    assert categorical.top_box(categories, top) == Proportion(sum(value >= least for value in values), len(values))


def test_a_worked_example() -> None:
    """Ten people on a scale of 1 to 5: 2 x 1, 0 x 2, 1 x 3, 4 x 4, 3 x 5; mean 36 / 10, sum of squares 20.4."""
    categories = Categories(1, (2, 0, 1, 4, 3))
    assert categorical.top_box(categories, 2) == Proportion(7, 10)
    assert categorical.top_box(categories, 5) == Proportion(10, 10)
    found = categorical.moments(categories)
    assert (found.mean, found.n, found.nonzero, found.minimum, found.maximum) == (3.6, 10, 10, 1.0, 5.0)
    assert found.variance == pytest.approx(20.4 / 9, rel=1e-15)


def test_no_top_box_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="not 0"):
        categorical.top_box(Categories(1, (1, 2)), 0)


def test_huge_counts_keep_their_digits() -> None:
    found = categorical.moments(Categories(0, (10**15, 0, 10**15)))
    assert found.mean == 1.0 and found.skewness == 0.0
    assert found.variance == pytest.approx(1.0, rel=1e-14)


def test_ces_and_csat_are_the_tests_that_means_and_shares_have() -> None:
    control, variant = Categories(1, (9, 14, 30, 41, 22)), Categories(1, (5, 12, 25, 50, 33))
    ces = effect(means.contrast(categorical.moments(control), categorical.moments(variant)), 0.05)
    assert ces.p_value == pytest.approx(stats.ttest_ind(expanded(variant), expanded(control), equal_var=False).pvalue)
    csat = shares.contrast(categorical.top_box(control, 2), categorical.top_box(variant, 2))
    assert csat.difference == pytest.approx(83 / 125 - 63 / 116)
    assert csat.difference is not None
    n, pooled = (116, 125), 146 / 241
    z = csat.difference / math.sqrt(pooled * (1 - pooled) * (1 / n[0] + 1 / n[1]) * 241 / 240)
    assert csat.p_value == pytest.approx(2 * stats.norm.sf(z), rel=1e-9)
