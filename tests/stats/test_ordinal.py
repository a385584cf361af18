"""The probability of a higher answer against counting all pairs, scipy's Brunner-Munzel test and exact enumeration."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from abcx.notes import Note
from abcx.stats import ordinal
from abcx.stats.records import Categories
from tests.support.notes import note_text

PAIN = ([1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 1, 1], [3, 3, 4, 3, 1, 2, 3, 1, 1, 5, 4])
"""Pain scores of Brunner and Munzel (2000), as corrected in Neubert and Brunner (2007) and R's lawstat."""

histograms = st.builds(
    Categories,
    st.integers(-2, 3),
    st.lists(st.one_of(st.integers(0, 6), st.just(0), st.integers(0, 2000)), min_size=1, max_size=7).map(
        lambda counts: tuple(counts)
    ),
)
small = st.builds(
    Categories,
    st.integers(-2, 3),
    st.lists(st.integers(0, 9), max_size=6).map(lambda counts: (1, *counts)),
)
alphas = st.sampled_from([0.001, 0.01, 0.05, 0.1, 0.2])


def histogram(values: list[int]) -> Categories:
    low = min(values)
    return Categories(low, tuple(values.count(value) for value in range(low, max(values) + 1)))


def expanded(categories: Categories) -> list[int]:
    return [categories.low + step for step, count in enumerate(categories.counts) for _ in range(count)]


def counted(x: list[int], y: list[int]) -> float:
    return sum((a < b) + (a == b) / 2 for a, b in itertools.product(x, y)) / (len(x) * len(y))


def test_published_pain_scores() -> None:
    found = ordinal.compare(histogram(PAIN[0]), histogram(PAIN[1]), 0.05)
    assert found.probability == pytest.approx(0.788961, abs=5e-7)
    assert found.p_value == pytest.approx(0.005786, abs=5e-7)
    assert found.interval == pytest.approx((0.5952169, 0.9827052), abs=5e-8)
    assert not note_text(found)


@pytest.mark.parametrize("seed", range(6))
def test_matches_scipy_on_the_answers_themselves(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = rng.integers(3, 60, 2)
    x, y = rng.integers(0, 8, n).tolist(), np.minimum(rng.integers(0, 11, m), 9).tolist()
    expected = stats.brunnermunzel(x, y)
    found = ordinal.compare(histogram(x), histogram(y), 0.1)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.probability == pytest.approx(counted(x, y), rel=1e-14)


def test_interval_is_the_closed_form_of_the_placements_cut_at_one() -> None:
    x, y = [1, 2, 2, 3, 1, 4], [3, 4, 5, 4, 5]
    place_y = [np.mean([(a < b) + (a == b) / 2 for a in x]) for b in y]
    place_x = [np.mean([(b < a) + (a == b) / 2 for b in y]) for a in x]
    v1, v0 = np.var(place_y, ddof=1) / 5, np.var(place_x, ddof=1) / 6
    df = (v0 + v1) ** 2 / (v0**2 / 5 + v1**2 / 4)
    for alpha in (0.4, 0.01):
        reach = stats.t.ppf(1 - alpha / 2, df) * math.sqrt(v0 + v1)
        middle = counted(x, y)
        expected = middle - reach, min(1.0, middle + reach)
        assert ordinal.compare(histogram(x), histogram(y), alpha).interval == pytest.approx(expected, rel=1e-9)
        assert (expected[1] == 1.0) == (alpha == 0.01)


@given(small, small)
def test_probability_is_that_of_all_pairs(control: Categories, variant: Categories) -> None:
    found = ordinal.compare(control, variant, 0.05)
    assert found.probability == pytest.approx(counted(expanded(control), expanded(variant)), rel=1e-13, abs=1e-15)


def test_without_answers_and_with_one() -> None:
    nobody, some = Categories(0, (0, 0, 0)), Categories(0, (1, 2, 3))
    for pair in ((nobody, some), (some, nobody), (Categories(0, ()), some)):
        assert ordinal.compare(*pair, 0.05) == ordinal.Ordinal(None, None, None, Note("no_answers"))
    found = ordinal.compare(some, Categories(2, (1,)), 0.05)
    assert found.probability == pytest.approx(0.75) and "one answer" in note_text(found)
    assert found.interval is None and found.p_value is None


@pytest.mark.parametrize("n, m", [(2, 2), (6, 5), (7, 40), (2000, 3000)])
def test_no_overlap_is_judged_by_pairs(n: int, m: int) -> None:
    found = ordinal.compare(Categories(0, (n - 1, 1, 0)), Categories(2, (m - 1, 1)), 0.05)
    pairs = min(n, m)
    assert found.probability == 1.0 and found.note == ordinal.NO_OVERLAP
    assert found.p_value == pytest.approx(2.0 ** (1 - pairs)) and found.interval is not None
    assert found.interval == pytest.approx((0.025 ** (1 / pairs), 1.0), rel=1e-9)


@pytest.mark.parametrize("n, m", [(2, 2), (6, 5), (300, 9)])
def test_all_answers_the_same(n: int, m: int) -> None:
    found = ordinal.compare(Categories(4, (n,)), Categories(3, (0, m, 0)), 0.05)
    reach = 0.025 ** (1 / min(n, m)) / 2
    assert (found.probability, found.p_value, found.note) == (0.5, 1.0, ordinal.ALL_TIED)
    assert found.interval == pytest.approx((reach, 1 - reach), rel=1e-9)


@pytest.mark.parametrize("control, variant", [((0.5, 0.3, 0.2), (0.1, 0.3, 0.6)), ((0.8, 0.2, 0), (0, 0.2, 0.8))])
def test_pairs_do_not_promise_too_much(control: tuple[float, ...], variant: tuple[float, ...]) -> None:
    """Of all outcomes of 4 and 5 answers, those judged by pairs miss the truth with at most alpha / 2 on a side."""
    alpha, below, above = 0.2, 0.0, 0.0
    true = sum(a * b * ((j > i) + (j == i) / 2) for i, a in enumerate(control) for j, b in enumerate(variant))
    tables = [[(i, j, n - i - j) for i in range(n + 1) for j in range(n - i + 1)] for n in (4, 5)]
    for x, y in itertools.product(*tables):
        found = ordinal.compare(Categories(0, x), Categories(0, y), alpha)
        if note_text(found) and found.interval:
            low, high = found.interval
            assert low is not None and high is not None
            mass = float(stats.multinomial.pmf(x, 4, control) * stats.multinomial.pmf(y, 5, variant))
            below, above = below + mass * (high < true), above + mass * (low > true)
    assert max(below, above) <= alpha / 2
    assert below + above > 0


def test_a_twentieth_of_equal_arms_is_called_different() -> None:
    """Two arms from the same five-point scale, 30 and 60 answers: between 4 and 6.2 % (two standard errors wide)."""
    rng = np.random.default_rng(11)
    shares = [0.05, 0.1, 0.2, 0.4, 0.25]
    arms = zip(rng.multinomial(30, shares, 2000).tolist(), rng.multinomial(60, shares, 2000).tolist(), strict=True)
    p = [ordinal.compare(Categories(1, tuple(x)), Categories(1, tuple(y)), 0.05).p_value for x, y in arms]
    assert 0.04 <= np.mean([one is not None and one < 0.05 for one in p]) <= 0.062


# ------------------------------------------------------------------------------------------------ laws


@given(histograms, histograms, alphas)
@pytest.mark.slow
def test_one_inversion_and_no_nan(control: Categories, variant: Categories, alpha: float) -> None:
    found = ordinal.compare(control, variant, alpha)
    if min(control.n, variant.n) < 2:
        assert found.interval is None and found.p_value is None and note_text(found)
        return
    assert found.probability is not None and found.interval is not None and found.p_value is not None
    low, high = found.interval
    assert low is not None and high is not None and 0 <= low <= found.probability <= high <= 1
    assert 0 <= found.p_value <= 1 and low < high
    assert (low > 0.5 or high < 0.5) == (found.p_value < alpha)


@given(histograms, histograms, alphas)
def test_swapped_arms_are_the_mirror_image(control: Categories, variant: Categories, alpha: float) -> None:
    found, other = ordinal.compare(control, variant, alpha), ordinal.compare(variant, control, alpha)
    assert (found.probability is None) == (other.probability is None) and note_text(found) == note_text(other)
    if found.probability is not None and other.probability is not None:
        assert found.probability + other.probability == pytest.approx(1.0, rel=1e-15)
    assert (found.p_value is None) == (other.p_value is None)
    if found.p_value is not None:
        assert found.p_value == pytest.approx(other.p_value, rel=1e-12)
    if found.interval and other.interval:
        assert [end + opposite for end, opposite in zip(found.interval, reversed(other.interval), strict=True)
                if end is not None and opposite is not None] == pytest.approx([1.0, 1.0], rel=1e-12)  # fmt: skip


@given(histograms, histograms, st.integers(-3, 3), st.integers(1, 3))
def test_only_the_order_of_the_answers_counts(
    control: Categories, variant: Categories, shift: int, stretch: int
) -> None:
    def moved(one: Categories) -> Categories:
        spaced = [count for value in one.counts for count in (value, *[0] * (stretch - 1))]
        return dataclasses.replace(one, low=one.low * stretch + shift, counts=tuple(spaced))

    assert ordinal.compare(moved(control), moved(variant), 0.05) == ordinal.compare(control, variant, 0.05)


def test_large_histograms() -> None:
    found = ordinal.compare(Categories(0, (10**9, 10**9, 10**9)), Categories(0, (10**9, 10**9, 10**9 + 10**6)), 0.05)
    assert found.p_value is not None and 0 < found.p_value < 1e-20
    assert found.probability is not None  # the placement of the top answer is 5/6
    assert found.probability - 0.5 == pytest.approx(10**6 / (3 * 10**9 + 10**6) / 3, rel=1e-9)
