"""Inversion on pivots whose answers are known without it."""

import math
from collections.abc import Callable

import pytest
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from abcx.notes import Note
from abcx.stats.inversion import effect, interval, one_sided, two_sided
from abcx.stats.methods import Method
from abcx.stats.records import Contrast, Pivot

Tails = Callable[[float], tuple[float, float]]


def normal(estimate: float, error: float, null: float = 0.0, low: float = -math.inf, high: float = math.inf) -> Pivot:
    def tails(h: float) -> tuple[float, float]:
        t = (estimate - h) / error
        return float(stats.norm.cdf(t)), float(stats.norm.sf(t))

    return Pivot(estimate, null, low, high, error, tails)


def log_normal(ratio: float, error: float) -> Pivot:
    """An estimate whose logarithm is normal: its interval is exp(log +- z error)."""

    def tails(h: float) -> tuple[float, float]:
        if h == 0.0:
            return 1.0, 0.0
        t = (math.log(ratio) - math.log(h)) / error
        return float(stats.norm.cdf(t)), float(stats.norm.sf(t))

    return Pivot(ratio, 1.0, 0.0, math.inf, ratio * error, tails)


@pytest.mark.parametrize("estimate", [-3.0, -0.1, 0.0, 1e-7, 1.0, 1.96, 5.0, 400.0])
@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.2])
def test_difference_matches_the_normal_interval(estimate: float, alpha: float) -> None:
    for unit in (1.0, 3.7e-9, 8.1e12):
        reach = stats.norm.isf(alpha / 2) * unit
        low, high = interval(normal(estimate * unit, unit), alpha)
        assert low == pytest.approx(estimate * unit - reach, rel=1e-9, abs=1e-12 * unit)
        assert high == pytest.approx(estimate * unit + reach, rel=1e-9, abs=1e-12 * unit)


@pytest.mark.parametrize("ratio", [1e-6, 0.4, 0.999, 1.0, 1.7, 1e6])
@pytest.mark.parametrize("error", [1e-9, 0.01, 0.5, 3.0])
def test_ratio_matches_the_log_normal_interval(ratio: float, error: float) -> None:
    z = stats.norm.isf(0.025)
    low, high = interval(log_normal(ratio, error), 0.05)
    assert low is not None and high is not None
    assert math.log(low) == pytest.approx(math.log(ratio) - z * error, rel=1e-9, abs=1e-6 * error)
    assert math.log(high) == pytest.approx(math.log(ratio) + z * error, rel=1e-9, abs=1e-6 * error)


def test_a_bound_of_the_domain_ends_the_interval() -> None:
    assert interval(normal(0.9, 0.5, low=-1.0, high=1.0), 0.05)[1] == 1.0
    assert interval(normal(-0.9, 0.5, low=-1.0, high=1.0), 0.05)[0] == -1.0
    assert interval(normal(1.0, 0.1, low=-1.0, high=1.0), 0.05)[1] == 1.0


@pytest.mark.parametrize("error", [1e-300, 1e-22, 1e-14])
def test_an_error_below_the_resolution_of_the_estimate(error: float) -> None:
    for estimate in (0.1, -3.0, 1e9):
        low, high = interval(normal(estimate, error), 0.05)
        assert low == pytest.approx(estimate, rel=1e-12) and high == pytest.approx(estimate, rel=1e-12)
    low, high = interval(log_normal(1e-7, error), 0.05)
    assert low == pytest.approx(1e-7, rel=1e-12) and high == pytest.approx(1e-7, rel=1e-12)


def test_an_end_that_is_not_reached_is_none() -> None:
    flat = Pivot(2.0, 0.0, -math.inf, math.inf, 1.0, lambda h: (0.5, 0.5) if h > 1.0 else (1.0, 0.0))
    low, high = interval(flat, 0.05)
    assert low == pytest.approx(1.0) and high is None
    positive = Pivot(2.0, 1.0, 0.0, math.inf, 1.0, lambda h: (0.5, 0.5))
    assert interval(positive, 0.05) == (0.0, None)


def test_an_infinite_estimate_is_searched_for_from_the_null() -> None:
    seven = Pivot(None, 1.0, 0.0, math.inf, 0.1, lambda h: (1.0, 0.0) if h < 7.0 else (0.5, 0.5))
    low, high = interval(seven, 0.05)
    assert low is not None and low >= 7.0 and high is None
    assert low == pytest.approx(7.0, rel=1e-9)
    accepted = Pivot(None, 1.0, 0.0, math.inf, 0.1, lambda h: (1.0, 0.0) if h < 0.3 else (0.5, 0.5))
    assert interval(accepted, 0.05)[0] == pytest.approx(0.3, rel=1e-9)


def test_an_estimate_of_zero_is_searched_for_by_factors() -> None:
    pivot = Pivot(0.0, 1.0, 0.0, math.inf, 0.1, lambda h: (0.0, 1.0) if h > 1e-5 else (0.5, 0.5))
    low, high = interval(pivot, 0.05)
    assert low == 0.0
    assert high == pytest.approx(1e-5, rel=1e-9) and high is not None and high <= 1e-5


@pytest.mark.parametrize("gap", [(0.5, 0.9), (-0.1, 0.1), (-2.0, -1.0), (1.5, 1.6)])
def test_gaps_in_the_acceptance_set_do_not_part_p_and_interval(gap: tuple[float, float]) -> None:
    """An exact test may reject some points between accepted ones; the null may be one of them."""
    smooth = normal(1.0, 1.0)

    def tails(h: float) -> tuple[float, float]:
        return (1.0, 0.0) if gap[0] < h < gap[1] else smooth.tails(h)

    pivot = Pivot(1.0, 0.0, -math.inf, math.inf, 1.0, tails)
    low, high = interval(pivot, 0.05)
    assert low is not None and high is not None
    assert (two_sided(pivot, 0.0) < 0.05) == (low > 0.0)
    assert low <= 1.0 <= high
    assert two_sided(pivot, low) >= 0.05 and two_sided(pivot, high) >= 0.05


def test_two_sided_is_at_most_one() -> None:
    assert two_sided(Pivot(0.0, 0.0, -1.0, 1.0, 1.0, lambda h: (0.7, 0.8)), 0.0) == 1.0


def test_one_sided_agrees_with_the_end_of_the_interval() -> None:
    pivot = normal(1.0, 1.0, low=-10.0, high=10.0)
    low, high = interval(pivot, 0.1)
    assert low is not None and high is not None
    for away in (-0.5, -1e-6, 1e-6, 0.5):
        assert (one_sided(pivot, high + away, "above") < 0.05) == (away > 0)
        assert (one_sided(pivot, low + away, "below") < 0.05) == (away < 0)
    assert one_sided(pivot, 0.0, "above") == pytest.approx(stats.norm.cdf(1.0))
    assert one_sided(pivot, 0.0, "below") == pytest.approx(stats.norm.sf(1.0))
    assert (one_sided(pivot, 11.0, "above"), one_sided(pivot, 11.0, "below")) == (0.0, 1.0)
    assert (one_sided(pivot, -11.0, "above"), one_sided(pivot, -11.0, "below")) == (1.0, 0.0)


def test_few_evaluations() -> None:
    calls = 0
    inner = normal(1.3, 0.4)

    def tails(h: float) -> tuple[float, float]:
        nonlocal calls
        calls += 1
        return inner.tails(h)

    interval(Pivot(1.3, 0.0, -math.inf, math.inf, 0.4, tails), 0.05)
    assert calls < 100


def test_effect_leaves_out_what_does_not_exist() -> None:
    why, why_too = Note("no_units"), Note("no_lift_at_zero")
    result = effect(Contrast(Method.WELCH, None, None, None, None, None, (why,), why_too), 0.05)
    assert (result.difference_interval, result.lift_interval, result.p_value) == (None, None, None)
    assert (result.notes, result.lift_note, result.alpha) == ((why,), why_too, 0.05)


def test_effect_takes_one_from_the_ratio() -> None:
    pivot = log_normal(1.5, 0.1)
    low, high = interval(pivot, 0.05)
    assert low is not None and high is not None
    result = effect(Contrast(Method.WELCH, 0.1, 0.5, None, pivot, two_sided(pivot, 1.0)), 0.05)
    assert result.lift_interval == (low - 1, high - 1)
