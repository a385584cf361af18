"""The mean answer by permutation: scipy's and every relabeling as oracles, and the laws."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from abcx.stats import categorical, mean_scores, means
from abcx.stats.inversion import effect, two_sided
from abcx.stats.records import Categories
from tests.support.notes import note_text

CONTROL, VARIANT = Categories(1, (18, 4, 6, 12, 35, 90, 195)), Categories(1, (1, 0, 1, 1, 3, 9, 25))
"""360 skewed answers from 1 to 7 against 40."""


def expanded(arm: Categories) -> list[float]:
    return [float(arm.low + step) for step, count in enumerate(arm.counts) for _ in range(count)]


def welch(x: np.ndarray, y: np.ndarray, axis: int = -1) -> np.ndarray:
    error = np.sqrt(x.var(axis=axis, ddof=1) / x.shape[axis] + y.var(axis=axis, ddof=1) / y.shape[axis])
    return np.asarray((y.mean(axis=axis) - x.mean(axis=axis)) / error)


def test_skewed_answers_of_uneven_arms_are_relabeled() -> None:
    found = mean_scores.contrast(CONTROL, VARIANT)
    assert found.method == "permutation" and note_text(found)
    assert note_text(found).startswith("Interval by permutation. The skewness of the values is")
    assert (
        mean_scores.contrast(CONTROL, VARIANT, "analytic")
        == means.contrast(categorical.moments(CONTROL), categorical.moments(VARIANT))
        or mean_scores.contrast(CONTROL, VARIANT, "analytic").method == "Welch"
    )
    even = Categories(1, (2, 0, 2, 2, 6, 18, 50))
    assert mean_scores.contrast(even, even).method == "Welch"
    forced = mean_scores.contrast(even, VARIANT, "permutation")
    assert forced.method == "permutation" and note_text(forced) == "Interval by permutation. The spec asks for it."


def test_p_is_that_of_scipys_permutation_test() -> None:
    """Both draw relabelings at random: 0.02 is five standard errors of a tail near one half."""
    found = mean_scores.contrast(CONTROL, VARIANT, draws=9_999)
    assert found.difference_pivot is not None
    pair = np.array(expanded(CONTROL)), np.array(expanded(VARIANT))
    for alternative, tail in zip(("less", "greater"), found.difference_pivot.tails(0.0), strict=True):
        oracle = stats.permutation_test(
            pair, welch, vectorized=True, n_resamples=9_999, alternative=alternative, rng=np.random.default_rng(1)
        )
        assert tail == pytest.approx(oracle.pvalue, abs=0.03)


@pytest.mark.parametrize("d", [-1.5, 0.0, 0.75, 2.0])
def test_tails_are_shares_of_all_relabelings_of_the_shifted_answers(d: float) -> None:
    """Every relabeling of 6 and 4 answers: 210, of control's answers moved by the difference."""
    control, variant = Categories(1, (1, 0, 1, 1, 2, 0, 1)), Categories(1, (0, 1, 0, 0, 0, 1, 2))
    pool = np.array([one + d for one in expanded(control)] + expanded(variant))
    observed = float(welch(pool[:6], pool[6:]))
    drawn = []
    for chosen in itertools.combinations(range(10), 4):
        mask = np.isin(np.arange(10), chosen)
        drawn.append(float(welch(pool[~mask], pool[mask])))
    wanted = np.mean(np.array(drawn) <= observed + 1e-9), np.mean(np.array(drawn) >= observed - 1e-9)
    found = mean_scores.contrast(control, variant, "permutation", draws=20_000)
    assert found.difference_pivot is not None
    assert found.difference_pivot.tails(d) == pytest.approx(wanted, abs=0.02)


def test_the_start_of_the_scale_changes_nothing() -> None:
    moved = [Categories(low, arm.counts) for low, arm in ((0, CONTROL), (0, VARIANT))]
    here, there = (effect(mean_scores.contrast(*pair), 0.05) for pair in ((CONTROL, VARIANT), moved))
    assert (here.difference_interval, here.p_value) == (there.difference_interval, there.p_value)
    longer = Categories(0, (0, *VARIANT.counts, 0))
    assert effect(mean_scores.contrast(CONTROL, longer), 0.05).p_value == here.p_value


histograms = st.lists(st.integers(0, 9), min_size=2, max_size=7).map(lambda counts: Categories(1, tuple(counts)))


@settings(max_examples=60, deadline=None)
@given(histograms, histograms, st.sampled_from(["auto", "permutation"]))
@pytest.mark.slow
def test_laws(control: Categories, variant: Categories, interval: str) -> None:
    """One inversion, mirrored arms, nothing that is not a number."""
    contrast = mean_scores.contrast(control, variant, interval, draws=199)  # type: ignore[arg-type]
    found, swapped = (
        effect(one, 0.05)
        for one in (contrast, mean_scores.contrast(variant, control, interval, draws=199))  # type: ignore[arg-type]
    )
    assert (found.p_value is None) == (swapped.p_value is None)
    if contrast.difference_pivot is None:
        assert note_text(found)
        return
    assert found.p_value is not None and swapped.p_value == pytest.approx(found.p_value, rel=1e-9)
    assert found.p_value == two_sided(contrast.difference_pivot, 0.0)
    assert found.difference_interval is not None and swapped.difference_interval is not None
    low, high = found.difference_interval
    assert found.difference == pytest.approx(
        float(np.mean(expanded(variant)) - np.mean(expanded(control))), rel=1e-12, abs=1e-12
    )
    if low is not None and high is not None and control != variant:  # equal arms have no order to be mirrored
        assert math.isfinite(low) and math.isfinite(high) and low <= (found.difference or 0.0) <= high
        assert (found.p_value < 0.05) == (low > 0.0 or high < 0.0)
        mirrored = swapped.difference_interval
        assert mirrored[0] == pytest.approx(-high, rel=1e-6, abs=1e-9)
        assert mirrored[1] == pytest.approx(-low, rel=1e-6, abs=1e-9)
