"""Sizes and power against R's documented numbers, statsmodels, and enumeration of the test that is planned for."""

import math

import pytest
from scipy import stats  # type: ignore[import-untyped,unused-ignore]
from statsmodels.stats.power import TTestIndPower  # type: ignore[import-untyped,unused-ignore]
from statsmodels.stats.proportion import power_proportions_2indep  # type: ignore[import-untyped,unused-ignore]

from abcx.stats.power import power_means, power_shares, size_means, size_shares
from tests.support import oracles


@pytest.mark.parametrize("case", [oracles.R_POWER_PROP_TEST, oracles.R_POWER_PROP_TEST_HELP])
def test_size_of_shares_is_r_power_prop_test(case: tuple[float, float, float, float, int]) -> None:
    baseline, difference, alpha, power, expected = case
    assert size_shares(baseline, difference, alpha, power, 1.0) == expected


def test_size_of_means_is_r_power_t_test() -> None:
    sd, difference, alpha, power, expected = oracles.R_POWER_T_TEST_HELP
    assert size_means(sd, difference, alpha, power, 1.0) == expected
    sd, difference, n, alpha, published = oracles.R_POWER_T_TEST_HELP_POWER
    assert power_means(sd, difference, n, n, alpha) == pytest.approx(published, abs=1e-6)


@pytest.mark.parametrize("ratio", [0.1, 0.5, 1.0, 3.0, 9.0])
@pytest.mark.parametrize("effect", [0.02, 0.3, 1.5])
def test_means_match_statsmodels(ratio: float, effect: float) -> None:
    """One-sided at alpha / 2: power is that of finding the effect in its own direction."""
    peer = TTestIndPower()
    n = size_means(2.0, -2.0 * effect, 0.05, 0.8, ratio)
    exact = peer.solve_power(effect, None, 0.025, 0.8, ratio, alternative="larger")
    assert abs(n - max(2.0, math.ceil(exact - 1e-3))) <= 1e-4 * n
    expected = peer.power(effect, 50, 0.025, ratio, alternative="larger")
    assert power_means(2.0, 2.0 * effect, 50, 50 * ratio, 0.05) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("ratio", [0.25, 1.0, 4.0])
@pytest.mark.parametrize(("baseline", "difference"), [(0.02, 0.01), (0.2, -0.05), (0.9, 0.05)])
def test_size_is_the_least_that_has_the_power(ratio: float, baseline: float, difference: float) -> None:
    for power in (0.4, 0.8, 0.95):
        n = size_shares(baseline, difference, 0.05, power, ratio)
        assert power_shares(baseline, difference, n, ratio * n, 0.05) >= power - 1e-12
        assert power_shares(baseline, difference, n - 1, ratio * (n - 1), 0.05) < power
        n = size_means(1.0, 0.2, 0.05, power, ratio)
        assert power_means(1.0, 0.2, n, ratio * n, 0.05) >= power > power_means(1.0, 0.2, n - 1, ratio * (n - 1), 0.05)


@pytest.mark.parametrize("sizes", [(400, 400), (700, 200)])
def test_power_of_shares_matches_statsmodels(sizes: tuple[int, int]) -> None:
    expected = power_proportions_2indep(
        0.06, 0.1, sizes[0], ratio=sizes[1] / sizes[0], alpha=0.025, alternative="larger", return_results=False
    )
    # There the first sample is the one with the difference, so the roles of the sizes are swapped.
    assert power_shares(0.1, 0.06, sizes[1], sizes[0], 0.05) == pytest.approx(expected, rel=1e-6)


def test_power_of_shares_matches_enumeration() -> None:
    """The pooled z-test on 300 against 900 units, outcome by outcome."""
    n0, n1, p0, p1 = 300, 900, 0.2, 0.28
    z, power = stats.norm.isf(0.025), 0.0
    for i in range(20, 120):
        mass = stats.binom.pmf(i, n0, p0)
        # The variant's count from which on the test rejects.
        low, high = 0, n1
        while low < high:
            j = (low + high) // 2
            pooled = (i + j) / (n0 + n1)
            t = (j / n1 - i / n0) / math.sqrt(max(pooled * (1 - pooled), 1e-12) * (1 / n0 + 1 / n1))
            low, high = (low, j) if t > z else (j + 1, high)
        power += mass * stats.binom.sf(low - 1, n1, p1)
    assert power_shares(p0, p1 - p0, n0, n1, 0.05) == pytest.approx(power, abs=0.01)


def test_large_plans_are_finite() -> None:
    assert size_shares(1e-4, 1e-6, 0.001, 0.99, 1.0) > 10**9
    # Where t is as good as normal: 2 (z_a + z_b)^2 / d^2, plus about z_a^2 / 4.
    root = stats.norm.isf(0.025) + stats.norm.isf(0.2)
    assert size_means(1.0, 1e-4, 0.05, 0.8, 1.0) == pytest.approx(2 * root**2 * 1e8, rel=1e-6)


@pytest.mark.parametrize(
    "arguments",
    [(0.2, 0.0, 0.05, 0.8, 1.0), (0.2, 0.9, 0.05, 0.8, 1.0), (0.2, -0.3, 0.05, 0.8, 1.0), (0.2, 0.1, 0.05, 1.0, 1.0)],
)
def test_impossible_plans_are_refused(arguments: tuple[float, float, float, float, float]) -> None:
    with pytest.raises(ValueError):
        size_shares(*arguments)


def test_certain_outcomes() -> None:
    assert power_shares(0.0, 1.0, 50, 50, 0.05) == 1.0
    assert size_shares(0.0, 1.0, 0.05, 0.8, 1.0) >= 1
    assert size_means(1.0, 1e3, 0.05, 0.8, 1.0) == 2
    with pytest.raises(ValueError):
        size_means(0.0, 1.0, 0.05, 0.8, 1.0)
