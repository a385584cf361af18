"""The confidence sequence: its tuning by numerical minimization, its mixture by quadrature, its error rate by paths."""

import math

import numpy as np
import pytest
from scipy import integrate, optimize, stats  # type: ignore[import-untyped,unused-ignore]

from abcx.stats.always_valid import AlwaysValid, ready, tightest
from abcx.stats.records import Moments, Proportion, RatioMoments
from tests.support.paths import z_paths


def boundary(time: float, alpha: float) -> float:
    """As printed in the paper, times sqrt(n) over the standard deviation, with n rho^2 = time."""
    return math.sqrt(2 * (time + 1) / time * math.log(math.sqrt(time + 1) / alpha))


@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.2])
def test_tightest_where_the_boundary_is_lowest(alpha: float) -> None:
    found = optimize.minimize_scalar(lambda x: boundary(math.exp(x), alpha), bounds=(-3, 6), method="bounded")
    assert tightest(alpha) == pytest.approx(math.exp(found.x), rel=1e-3)
    assert boundary(tightest(alpha), alpha) <= found.fun + 1e-12


@pytest.mark.parametrize("progress", [0.01, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("alpha", [0.001, 0.05, 0.5])
def test_level_is_the_boundary_of_the_paper(progress: float, alpha: float) -> None:
    rule = AlwaysValid(progress * 700, 700)
    z = boundary(progress * tightest(0.05), alpha)
    assert rule.level(alpha) == pytest.approx(2 * stats.norm.sf(z), rel=1e-9)
    assert rule.p_value(2 * stats.norm.sf(z)) == pytest.approx(alpha, rel=1e-9)


def test_p_value_is_one_over_the_mixed_likelihood_ratio() -> None:
    """Robbins: the likelihood ratio exp(s m - n m^2 / 2) averaged over m ~ N(0, rho^2), by quadrature."""
    n, planned, z = 300.0, 500.0, 3.2
    rho = math.sqrt(tightest(0.05) / planned)
    s = z * math.sqrt(n)
    ratio, _ = integrate.quad(
        lambda m: math.exp(s * m - n * m * m / 2) * stats.norm.pdf(m, scale=rho), -1, 1, points=[s / n], epsabs=1e-12
    )
    assert AlwaysValid(n, planned).p_value(2 * stats.norm.sf(z)) == pytest.approx(1 / ratio, rel=1e-8)


def test_false_alarms_however_long_and_often() -> None:
    """200 looks up to five times the planned size."""
    looks = tuple((k + 1) / 40 for k in range(200))
    p = 2 * stats.norm.sf(np.abs(z_paths(looks, 20_000, 21)))
    rates = [(p < [AlwaysValid(t, 1.0).level(alpha) for t in looks]).any(axis=1).mean() for alpha in (0.05, 0.2)]
    assert rates[0] < 0.05 and rates[1] < 0.2
    assert rates[0] > 0.02  # it is not idle either


def test_ends() -> None:
    rule = AlwaysValid(10, 100)
    assert rule.p_value(1.0) == 1.0 and rule.p_value(0.0) < 1e-60 and rule.level(0.0) == 0.0
    assert rule.level(1.0) < 1.0
    for bad in ((0, 100, 0.05), (10, 0, 0.05), (10, math.inf, 0.05), (10, 100, 1.0)):
        with pytest.raises(ValueError, match="no confidence sequence"):
            AlwaysValid(*bad)


def test_silent_until_there_are_events() -> None:
    many, few = Proportion(20, 1000), Proportion(19, 1000)
    assert ready(many, many) and not ready(many, few) and not ready(few, many)
    assert not ready(many, Proportion(990, 1000))  # ten units without an event
    enough = Moments(500, 1.0, 1.0, nonzero=30)
    assert ready(enough, enough) and not ready(enough, Moments(500, 1.0, 1.0, nonzero=29))
    assert ready(Moments(30, 1.0, 1.0), enough)  # typed moments: nobody knows how many are 0
    assert not ready(RatioMoments(Moments(500, 1.0, 1.0, nonzero=3), enough, 0.0), enough)
