"""The sequential test of the split, against products of predictive probabilities in plain Python, and by simulation."""

import math
from fractions import Fraction

import numpy as np
import pytest

from abcx.stats import sequential_srm


def by_product(sequence: list[int], shares: list[Fraction], concentration: int) -> Fraction:
    """B of units that arrive one by one: the chance of each under a Polya urn over that under the plan."""
    urn = [concentration * share for share in shares]
    factor = Fraction(1)
    for arm in sequence:
        factor *= urn[arm] / sum(urn) / shares[arm]
        urn[arm] += 1
    return factor


def test_bayes_factor_is_the_product_of_predictions() -> None:
    shares, sequence = [Fraction(1, 2), Fraction(3, 10), Fraction(1, 5)], [0, 2, 2, 1, 2, 0, 2, 2, 2, 1, 2, 2]
    counts = [sequence.count(arm) for arm in range(3)]
    expected = by_product(sequence, shares, 7)
    found = sequential_srm.log_bayes_factor(counts, [float(share) for share in shares], 7.0)
    assert found == pytest.approx(math.log(expected), rel=1e-12)
    assert by_product(sequence[::-1], shares, 7) == expected  # the order within a batch does not matter


def test_smallest_so_far() -> None:
    looks = [(400, 600), (1500, 1500)]
    first, last = sequential_srm.path(looks, [1, 1], 100)
    assert first == last == sequential_srm.p_value(looks, [0.5, 0.5], 100) < 1e-6
    assert sequential_srm.p_value(looks[1:], [1, 1], 100) == 1.0
    assert sequential_srm.p_value([], [1, 1]) == 1.0


def test_arms_without_a_share() -> None:
    assert sequential_srm.p_value([(500, 510, 0)], [1, 1, 0]) == sequential_srm.p_value([(500, 510)], [1, 1])
    assert sequential_srm.p_value([(500, 510, 1)], [1, 1, 0]) == 0.0


def test_what_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="cannot fall"):
        sequential_srm.p_value([(10, 10), (9, 12)], [1, 1])
    with pytest.raises(ValueError, match="no test"):
        sequential_srm.p_value([(10, 10)], [0, 0])
    with pytest.raises(ValueError, match="no test"):
        sequential_srm.p_value([(10, 10)], [1, 1], 0.0)


@pytest.mark.slow
@pytest.mark.parametrize(("concentration", "alpha"), [(10_000.0, 0.05), (200.0, 0.05), (200.0, 0.2)])
def test_false_alarms_at_any_stopping(concentration: float, alpha: float) -> None:
    """60 daily looks at 500 units each, three arms, 1,500 runs."""
    rng, shares = np.random.default_rng(31), [0.5, 0.3, 0.2]
    cumulative = rng.multinomial(500, shares, size=(1_500, 60)).cumsum(axis=1).tolist()
    found = [sequential_srm.p_value(run, shares, concentration) for run in cumulative]
    assert float(np.mean([p <= alpha for p in found])) <= alpha + 2 * math.sqrt(alpha * (1 - alpha) / 1_500)


def test_half_a_point_is_found_in_time() -> None:
    """50.5 to 49.5: in every one of 20 runs, after 40 days of 20,000 units."""
    rng = np.random.default_rng(32)
    cumulative = rng.multinomial(20_000, [0.505, 0.495], size=(20, 40)).cumsum(axis=1).tolist()
    paths = [sequential_srm.path(run, [1, 1]) for run in cumulative]
    assert all(path[-1] < 1e-3 for path in paths)
    assert all(list(path) == sorted(path, reverse=True) for path in paths)


def test_millions_of_units_keep_their_digits() -> None:
    log = sequential_srm.log_bayes_factor((500_000_000, 500_000_000), (0.5, 0.5), 10_000.0)
    assert log == pytest.approx(-0.5 * math.log1p(1e9 / 1e4), abs=1e-3)  # the normal mixture at z = 0
