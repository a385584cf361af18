"""Coverage and size where the truth is known: by enumeration where outcomes can be listed, else by simulation."""

import functools
import math
from collections.abc import Iterator

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from abcx.stats import means, shares
from abcx.stats.inversion import effect, two_sided
from abcx.stats.records import Effect, Interval, Moments, Proportion

pytestmark = pytest.mark.slow


def covers(interval: Interval | None, truth: float) -> bool:
    """An interval that does not exist bounds nothing, so it covers."""
    low, high = interval or (None, None)
    return (low is None or low <= truth) and (high is None or truth <= high)


@functools.cache
def of_counts(x0: int, x1: int, n: int) -> Effect:
    return effect(shares.contrast(Proportion(x0, n), Proportion(x1, n)), 0.05)


@functools.cache
def masses(n: int, share: float) -> list[float]:
    return [float(mass) for mass in stats.binom.pmf(np.arange(n + 1), n, share)]


def outcomes(n0: int, share0: float, n1: int, share1: float, least: float = 1e-7) -> Iterator[tuple[int, int, float]]:
    """Pairs of counts with their probability; those below `least` are left out (they add up to little)."""
    for i, of_i in enumerate(masses(n0, share0)):
        for j, of_j in enumerate(masses(n1, share1)):
            if of_i * of_j > least:
                yield i, j, of_i * of_j


def test_exact_score_intervals_cover_rare_events() -> None:
    """2 % of 200 against 3 %: 200 draws, standard error 1.5 points."""
    rng, n, draws = np.random.default_rng(20), 200, 200
    x0, x1 = rng.binomial(n, 0.02, draws), rng.binomial(n, 0.03, draws)
    found = [of_counts(int(i), int(j), n) for i, j in zip(x0, x1, strict=True)]
    assert {one.method for one in found} == {"binomial score"}
    by_difference = float(np.mean([covers(one.difference_interval, 0.01) for one in found]))
    by_lift = float(np.mean([covers(one.lift_interval, 0.5) for one in found]))
    error = math.sqrt(0.05 * 0.95 / draws)
    assert 0.94 - 2 * error <= by_difference <= 0.98 + 2 * error
    assert 0.94 - 2 * error <= by_lift <= 0.98 + 2 * error


@pytest.mark.parametrize(
    ("n0", "n1", "share0", "share1"),
    [(200, 200, 0.02, 0.03), (200, 200, 0.03, 0.02), (180, 20, 0.1, 0.15), (20, 180, 0.2, 0.1), (300, 300, 0.03, 0.05)],
)
def test_exact_score_accepts_the_truth(n0: int, n1: int, share0: float, share1: float) -> None:
    """Coverage by enumeration of the tests that the intervals invert: both scales, each tail (docs/methods.md,
    "The promise")."""
    missed = {"difference": [0.0, 0.0], "ratio": [0.0, 0.0]}
    for i, j, mass in outcomes(n0, share0, n1, share1, 1e-6):
        contrast = shares.contrast(Proportion(i, n0), Proportion(j, n1))
        for kind, pivot, truth in (
            ("difference", contrast.difference_pivot, share1 - share0),
            ("ratio", contrast.ratio_pivot, share1 / share0),
        ):
            if pivot is not None and two_sided(pivot, truth) < 0.05:
                below, above = pivot.tails(truth)
                missed[kind][above < below] += mass
    for low, high in missed.values():
        assert low + high <= 0.06 and max(low, high) <= 0.04


def size(n0: int, n1: int, share: float) -> tuple[float, float]:
    """Chance of p < .05 with the control, and with the variant, ahead, when both have the same share."""
    ahead = [0.0, 0.0]
    for i, j, mass in outcomes(n0, share, n1, share):
        p = shares.contrast(Proportion(i, n0), Proportion(j, n1)).p_value
        assert p is not None
        if p < 0.05:
            ahead[j / n1 > i / n0] += mass
    return ahead[0], ahead[1]


@pytest.mark.parametrize(
    ("n0", "n1", "share"),
    [(20, 20, 0.15), (20, 20, 0.5), (40, 40, 0.2), (30, 90, 0.3), (12, 60, 0.1), (200, 200, 0.02)],
)
def test_size_of_the_exact_score_test(n0: int, n1: int, share: float) -> None:
    """The nuisance share is estimated, so the size may pass 5 % by a little; never by a fifth of a point here."""
    below, above = size(n0, n1, share)
    assert below + above <= 0.052
    assert max(below, above) <= 0.03


@pytest.mark.parametrize(("n0", "n1", "share"), [(50, 50, 0.5), (60, 60, 0.3), (40, 120, 0.45)])
def test_size_of_the_score_test(n0: int, n1: int, share: float) -> None:
    """docs/methods.md, "The promise": coverage at least 94 %, each tail at most 4 %."""
    below, above = size(n0, n1, share)
    assert below + above <= 0.06 and max(below, above) <= 0.04


def test_fieller_covers_in_a_benign_case() -> None:
    """Gamma values with shape 4, 60 against 90 units, true lift 25 %: 4,000 draws, standard error .34 points."""
    rng, draws, lift = np.random.default_rng(21), 4000, 0.25
    a, b = rng.gamma(4, 1, (draws, 60)), rng.gamma(4, 1 + lift, (draws, 90))
    low_misses = high_misses = difference_covers = 0
    for x, y in zip(a, b, strict=True):
        control, variant = (Moments(v.size, float(v.mean()), float(v.var(ddof=1)), None, 0.0) for v in (x, y))
        found = effect(means.contrast(control, variant), 0.05)
        assert found.lift_interval is not None
        low, high = found.lift_interval
        low_misses += low is not None and low > lift
        high_misses += high is not None and high < lift
        difference_covers += covers(found.difference_interval, 4 * lift)
    error = math.sqrt(0.05 * 0.95 / draws)
    assert abs(1 - (low_misses + high_misses) / draws - 0.95) < 3 * error
    assert abs(difference_covers / draws - 0.95) < 3 * error
    assert max(low_misses, high_misses) / draws < 0.04
