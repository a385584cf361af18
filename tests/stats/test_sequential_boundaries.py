"""Boundaries against published constants, a multivariate normal integral and simulated Brownian motion."""

import math
import time

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from abcx.stats.spending import Spending, alpha_spending, boundaries, crossings, spent
from tests.support.paths import z_paths

FIVE = (0.2, 0.4, 0.6, 0.8, 1.0)
UNEVEN = (0.07, 0.3, 0.31, 0.55, 0.9, 1.0)
FAMILIES: tuple[Spending, ...] = ("obrien_fleming", "pocock", "hwang_shih_decani")


def first_outside(z: NDArray[np.float64], bounds: tuple[float, ...]) -> NDArray[np.float64]:
    """The share of paths that are outside for the first time at each look."""
    outside = np.abs(z) >= np.array(bounds)
    first = np.where(outside.any(axis=1), outside.argmax(axis=1), z.shape[1])
    return np.bincount(first, minlength=z.shape[1] + 1)[:-1] / len(z)


@pytest.mark.parametrize(
    ("spending", "published"),
    [
        ("obrien_fleming", (4.877, 3.357, 2.680, 2.290, 2.031)),
        ("pocock", (2.438, 2.427, 2.410, 2.397, 2.386)),
    ],
)
def test_lan_demets_at_five_equal_looks(spending: Spending, published: tuple[float, ...]) -> None:
    """Two-sided .05, each tail spending .025 (Reboussin, DeMets, Kim, Lan 2000, and every later program)."""
    assert boundaries(FIVE, 0.05, spending) == pytest.approx(published, abs=5.1e-4)


@pytest.mark.parametrize(
    ("looks", "pocock", "obrien_fleming"),
    [(2, 2.178, 1.977), (3, 2.289, 2.004), (4, 2.361, 2.024), (5, 2.413, 2.040), (10, 2.555, 2.087)],
)
def test_classic_constants(looks: int, pocock: float, obrien_fleming: float) -> None:
    """Jennison, Turnbull 2000, tables 2.1 and 2.3: C_P(K, .05) and C_B(K, .05)."""
    information = [(k + 1) / looks for k in range(looks)]
    for bounds in ([pocock] * looks, [obrien_fleming / math.sqrt(t) for t in information]):
        assert sum(map(sum, crossings(information, bounds))) == pytest.approx(0.05, abs=1.2e-4)


@pytest.mark.parametrize("spending", FAMILIES)
@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.5])
def test_one_look_is_the_fixed_test(spending: Spending, alpha: float) -> None:
    z = float(stats.norm.isf(alpha / 2))
    for information in ((1.0,), (1.3,)):
        assert boundaries(information, alpha, spending) == pytest.approx((z,), rel=1e-12)


def test_spending_by_hand() -> None:
    assert spent(0.05, 0.5, "hwang_shih_decani", -4.0) == pytest.approx(0.05 * 6.3890561 / 53.5981500, rel=1e-8)
    assert spent(0.05, 0.5, "hwang_shih_decani", 1.0) == pytest.approx(0.05 * 0.393469340 / 0.632120559, rel=1e-8)
    assert spent(0.05, 0.3, "hwang_shih_decani", 0.0) == pytest.approx(0.015)
    assert spent(0.05, 0.5, "pocock") == pytest.approx(0.05 * math.log(0.5 + 0.5 * math.e))
    # One side: 2 (1 - Phi(2.241403 / sqrt(.5))), doubled; 2.241403 is the upper 1.25 % point.
    assert spent(0.05, 0.5, "obrien_fleming") == pytest.approx(4 * stats.norm.sf(2.2414027 / math.sqrt(0.5)), rel=1e-6)
    for family in FAMILIES:
        assert spent(0.05, 1.0, family) == spent(0.05, 1.7, family) == 0.05
        assert alpha_spending(spent(0.03, 0.4, family), 0.4, family) == pytest.approx(0.03, rel=1e-12)


@pytest.mark.parametrize(
    ("spending", "gamma"), [("hwang_shih_decani", -4.0), ("hwang_shih_decani", 1.0), ("pocock", 0)]
)
def test_against_the_multivariate_normal(spending: Spending, gamma: float) -> None:
    """P(inside at every look so far) is 1 - f(alpha, t): an integral by another method."""
    information = (0.25, 0.6, 0.75)
    bounds = np.array(boundaries(information, 0.05, spending, gamma))
    t = np.array(information)
    correlation = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    for k in (1, 2, 3):
        normal = stats.multivariate_normal(np.zeros(k), correlation[:k, :k], seed=1, abseps=1e-7, maxpts=200_000)
        inside = normal.cdf(bounds[:k], lower_limit=-bounds[:k])
        assert 1 - inside == pytest.approx(spent(0.05, information[k - 1], spending, gamma), abs=3e-6)


@pytest.mark.parametrize("spending", FAMILIES)
def test_unequal_looks_by_simulation(spending: Spending) -> None:
    """Two looks nearly at the same time, and one past the planned size."""
    information = (*UNEVEN[:-1], 1.25)
    found = first_outside(z_paths(information, 200_000, 5), boundaries(information, 0.2, spending))
    expected = np.diff([0.0, *(spent(0.2, t, spending) for t in information)])
    assert np.all(np.abs(found - expected) < 4 * np.sqrt(expected / 200_000) + 1e-6)


def test_crossings_under_a_drift_by_simulation() -> None:
    bounds = boundaries(UNEVEN, 0.05, "pocock")
    chances = crossings(UNEVEN, bounds, 2.8)
    found = first_outside(z_paths(UNEVEN, 100_000, 6, drift=2.8), bounds)
    assert found == pytest.approx([sum(pair) for pair in chances], abs=4 * 0.0016)
    assert sum(below for below, _ in chances) < 1e-3
    assert crossings(UNEVEN, bounds, -2.8) == tuple((above, below) for below, above in chances)
    fixed = stats.norm.sf(1.96 - 2.8), stats.norm.cdf(-1.96 - 2.8)
    assert crossings((1.0,), (1.96,), 2.8)[0] == pytest.approx((fixed[1], fixed[0]), rel=1e-9)


@pytest.mark.parametrize("spending", FAMILIES)
@pytest.mark.parametrize("information", [FIVE, UNEVEN, (0.001, 0.02, 0.3, 1.0), (0.5, 0.5000001, 0.9)])
def test_what_is_spent_comes_back(spending: Spending, information: tuple[float, ...]) -> None:
    """Crossing probabilities of the boundaries are the increments of the spending function, at any level."""
    for alpha in (1e-12, 0.05, 0.9):
        expected = np.diff([0.0, *(spent(alpha, t, spending) for t in information)])
        found = [sum(pair) for pair in crossings(information, boundaries(information, alpha, spending))]
        assert found == pytest.approx(list(expected), rel=1e-8, abs=1e-15)


def test_extremes_stay_numbers() -> None:
    early = boundaries((0.002, 0.01, 0.5, 1.0), 0.05, "obrien_fleming")
    assert early[0] == math.inf  # a tail of 1e-547
    doubled = math.log(2) + stats.norm.logsf(2.2414027276 / math.sqrt(0.01))
    assert stats.norm.logsf(early[1]) == pytest.approx(doubled, rel=1e-8)  # 1e-110
    assert early[2:] == pytest.approx(boundaries((0.5, 1.0), 0.05, "obrien_fleming"), rel=1e-12)
    for spending in FAMILIES:
        assert boundaries(FIVE, 1.0, spending)[-1] == 0.0
        assert all(
            b > a for a, b in zip(boundaries(FIVE, 0.06, spending), boundaries(FIVE, 0.05, spending), strict=True)
        )


def test_looks_at_almost_the_same_time_are_cautious() -> None:
    """The second boundary is above the true one (found by simulation), the third is hardly touched."""
    looks, amounts = (0.5, 0.5001, 1.0), [spent(0.2, t, "pocock") for t in (0.5, 0.5001)]
    bounds = boundaries(looks, 0.2, "pocock")
    found = first_outside(z_paths(looks, 400_000, 7), bounds)
    assert 0 <= found[1] < amounts[1] - amounts[0]
    assert bounds[2] == pytest.approx(boundaries((0.5, 1.0), 0.2, "pocock")[1], abs=1e-3)


@pytest.mark.parametrize("bad", [(), (0.0, 1.0), (0.5, 0.5), (0.5, 0.4), (0.5, 1.0, 1.2), (0.5, math.inf), (math.nan,)])
def test_looks_that_make_no_sense(bad: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="information|no level is left"):
        boundaries(bad, 0.05, "pocock")


def test_speed() -> None:
    """A 5-look boundary takes about 1 ms; the limit leaves room for a busy machine."""
    taken = []
    for i in range(5):
        start = time.process_time()
        boundaries(FIVE, 0.05 + 1e-6 * (i + 1), "obrien_fleming")
        taken.append(time.process_time() - start)
    assert min(taken) < 0.02
