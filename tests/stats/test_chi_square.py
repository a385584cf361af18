"""Chi-square tests against scipy and Kohavi's published sample ratio mismatch."""

import random

import pytest
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from abcx.stats.chi_square import chi_square, homogeneity
from tests.support import oracles


def test_kohavi() -> None:
    assert chi_square(oracles.KOHAVI_UNITS, (0.5, 0.5)) == pytest.approx(oracles.KOHAVI_SRM_P, abs=5e-8)


def test_split_matches_scipy() -> None:
    rng = random.Random(4)
    for _ in range(50):
        k = rng.randint(2, 5)
        counts = [rng.randint(0, 500) for _ in range(k)]
        shares = [rng.uniform(0.1, 1) for _ in range(k)]
        expected = [sum(counts) * share / sum(shares) for share in shares]
        assert chi_square(counts, shares) == pytest.approx(stats.chisquare(counts, expected).pvalue, rel=1e-9)


def test_split_far_tail_and_edges() -> None:
    assert 0 < chi_square((52_000, 48_000), (0.5, 0.5)) == pytest.approx(stats.chi2.sf(160, 1), rel=1e-9)
    assert chi_square((0, 0), (0.5, 0.5)) == 1.0
    assert chi_square((7, 0), (1.0, 0.0)) == 1.0
    assert chi_square((7, 1), (1.0, 0.0)) == 0.0
    assert chi_square((7,), (1.0,)) == 1.0
    with pytest.raises(ValueError):
        chi_square((7, 1), (1.0,))


def test_homogeneity_matches_scipy() -> None:
    rng = random.Random(5)
    for _ in range(50):
        table = [[rng.randint(1, 60) for _ in range(rng.choice([3]))] for _ in range(rng.randint(2, 6))]
        expected = stats.chi2_contingency(table, correction=False).pvalue
        assert homogeneity(table) == pytest.approx(expected, rel=1e-9)
        padded = [[*row[:1], 0, *row[1:]] for row in table] + [[0] * 4]
        assert homogeneity(padded) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("table", [[], [[1, 2]], [[1], [2]], [[0, 0], [1, 2]], [[0, 3], [0, 4]], [[0, 0], [0, 0]]])
def test_homogeneity_that_cannot_be_tested(table: list[list[int]]) -> None:
    assert homogeneity(table) is None
