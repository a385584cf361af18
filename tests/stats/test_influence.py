"""Downdated moments against numpy on the units that stay; fragility against tests on the raw values."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from abcx.stats.influence import fragility, ratio_without, without
from abcx.stats.records import Moments, RatioMoments

Array = NDArray[np.float64]


def moments(x: Array) -> Moments:
    variance = float(x.var(ddof=1)) if x.size > 1 else 0.0
    return Moments(x.size, float(x.mean()), variance, int((x != 0).sum()), float(x.min()), float(x.max()), 1.0)


def pairs(x: Array) -> RatioMoments:
    return RatioMoments(moments(x[:, 0]), moments(x[:, 1]), float(np.cov(x.T)[0, 1]))


@pytest.mark.parametrize("shift", [0.0, 1e9])
@pytest.mark.parametrize("removed", [1, 5, 99])
def test_without_matches_numpy(shift: float, removed: int) -> None:
    x = shift + np.sort(np.random.default_rng(3).lognormal(0, 1.5, 400))[::-1]
    found, left = without(moments(x), x[:removed].tolist()), x[removed:]
    assert found.n == left.size and found.nonzero == left.size
    assert found.mean == pytest.approx(left.mean(), rel=1e-14 if shift else 1e-12)
    assert found.variance == pytest.approx(left.var(ddof=1), rel=1e-6 if shift else 1e-11)
    assert found.skewness is None and found.maximum is None and found.minimum == left.min()


def test_without_a_whale() -> None:
    """The whale holds all but 1e-10 of the sum of squares; six digits of the rest survive."""
    x = np.concatenate([[1e6], np.random.default_rng(4).exponential(1.0, 1000)])
    found = without(moments(x), [1e6])
    assert found.variance == pytest.approx(x[1:].var(ddof=1), rel=1e-5)
    assert found.mean == pytest.approx(x[1:].mean(), rel=1e-9)


def test_without_leaves_no_rounding_for_a_spread() -> None:
    only_buyer = np.array([1234.56] + [0.0] * 999)
    assert without(moments(only_buyer), [1234.56]) == Moments(999, 0.0, 0.0, 0, 0.0, 0.0)
    same = np.array([1e9 + 7.3] + [0.1] * 50)
    assert without(moments(same), [1e9 + 7.3]).variance == 0.0
    assert without(moments(same[1:]), []).mean == pytest.approx(0.1)


def test_without_all_or_all_but_one() -> None:
    x = np.array([5.0, 3.0, 1.0])
    assert without(moments(x), [5.0, 3.0, 1.0]) == Moments(0, 0.0, 0.0, 0)
    found = without(moments(x), [5.0, 3.0])
    assert (found.n, found.variance) == (1, 0.0) and found.mean == pytest.approx(1.0)
    assert without(moments(x), []) == moments(x)


@pytest.mark.parametrize("shift", [0.0, 1e9])
def test_ratio_without_matches_numpy(shift: float) -> None:
    rng = np.random.default_rng(6)
    x = np.stack([shift + rng.lognormal(0, 1, 200), rng.poisson(3, 200) + 1.0], axis=1)
    x = x[np.argsort(-x[:, 0])]
    found, left = ratio_without(pairs(x), [(float(a), float(b)) for a, b in x[:7]]), x[7:]
    slack = 1e-5 if shift else 1e-10
    assert found.covariance == pytest.approx(np.cov(left.T)[0, 1], rel=slack, abs=slack)
    assert found.numerator.mean == pytest.approx(left[:, 0].mean())
    assert found.denominator.variance == pytest.approx(left[:, 1].var(ddof=1))


def test_ratio_without_keeps_the_correlation_possible() -> None:
    x = np.array([[1e8, 3.0], [1.0, 1.0], [1.0, 2.0], [1.0, 4.0]])
    found = ratio_without(pairs(x), [(1e8, 3.0)])
    assert found.numerator.variance == 0.0 and found.covariance == 0.0


def raw_fragility(a: Array, b: Array, alpha: float) -> int | None:
    """Units of the higher arm, largest first, that go before scipy's Welch p is no longer below alpha."""
    variant_leads = b.mean() > a.mean()
    for k in range(1, 40):
        left = (a, np.sort(b)[:-k]) if variant_leads else (np.sort(a)[:-k], b)
        if stats.ttest_ind(*left, equal_var=False).pvalue >= alpha:
            return k
    return None


@pytest.mark.parametrize("seed", range(12))
def test_fragility_matches_raw_removal(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.lognormal(0, 1, 150), rng.lognormal(0.6, 1, 120)
    if seed % 2:
        a, b = b, a
    ranked = [np.sort(x)[::-1][:39].tolist() for x in (a, b)]
    found = fragility(moments(a), moments(b), ranked[0], ranked[1], 0.05)
    assert stats.ttest_ind(a, b, equal_var=False).pvalue < 0.05
    assert found == raw_fragility(a, b, 0.05)


def test_fragility_of_results_that_do_not_hang_on_units() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 1, 400), rng.normal(3, 1, 400)
    top = np.sort(b)[::-1][:10].tolist()
    assert fragility(moments(a), moments(b), [], top, 0.05) is None
    assert fragility(moments(a), moments(a), top, top, 0.05) is None


def test_fragility_of_a_ratio() -> None:
    rng = np.random.default_rng(4)
    a = np.stack([rng.exponential(1, 80), rng.poisson(3, 80) + 1.0], axis=1)
    b = np.stack([rng.exponential(1.8, 80), rng.poisson(3, 80) + 1.0], axis=1)
    b = b[np.argsort(-b[:, 0])]
    found = fragility(pairs(a), pairs(b), [], [(float(x), float(y)) for x, y in b[:40]], 0.05)
    assert found is not None

    def p_without(k: int) -> float:
        linear = []
        for arm in (a, b[k:]):
            ratio = arm[:, 0].sum() / arm[:, 1].sum()
            linear.append(ratio + (arm[:, 0] - ratio * arm[:, 1]) / arm[:, 1].mean())
        return float(stats.ttest_ind(*linear, equal_var=False).pvalue)

    assert p_without(found) >= 0.05 and all(p_without(k) < 0.05 for k in range(found))


def test_moments_of_constant_values_stay_finite() -> None:
    found = without(Moments(3, 1e300, 0.0), [1e300])
    assert found.n == 2 and math.isfinite(found.mean) and found.variance == 0.0
