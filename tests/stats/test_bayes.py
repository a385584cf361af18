"""The posterior of a lift against numerical integration."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from abcx.stats import shares
from abcx.stats.bayes import posterior
from abcx.stats.records import Proportion


@pytest.mark.parametrize("variant", [4000, 4150, 4600])
@pytest.mark.parametrize("sd", [0.01, 0.05, 1.0])
def test_against_numerical_integration(variant: int, sd: float) -> None:
    found = posterior(shares.contrast(Proportion(4000, 40_000), Proportion(variant, 40_000)), sd)
    assert found is not None
    lift = variant / 4000 - 1
    p0, p1 = 0.1, variant / 40_000
    se = p1 / p0 * np.sqrt((1 - p0) / 4000 + (1 - p1) / variant)  # delta method: the same to about 1 %
    grid = np.linspace(-0.6, 0.6, 200_001)
    weight = norm.pdf(grid, 0, sd) * norm.pdf(lift, grid, se)
    weight /= weight.sum()
    assert found.lift == pytest.approx(float(weight @ grid), rel=0.03, abs=3e-4)
    assert found.chance_above == pytest.approx(float(weight[grid > 0].sum()), abs=0.01)
    assert found.loss_above == pytest.approx(float(weight @ np.maximum(-grid, 0)), rel=0.2, abs=2e-5)
    assert found.loss_below == pytest.approx(float(weight @ np.maximum(grid, 0)), rel=0.03, abs=3e-4)


def test_the_loss_is_the_mean_of_the_wrong_side_of_the_posterior() -> None:
    found = posterior(shares.contrast(Proportion(900, 10_000), Proportion(930, 10_000)), 0.05)
    assert found is not None
    low, high = found.interval
    assert low is not None and high is not None
    sd = (high - low) / 2 / norm.ppf(0.975)
    loss, _ = quad(lambda x: -x * norm.pdf(x, found.lift, sd), -1, 0)
    assert found.loss_above == pytest.approx(loss, rel=1e-6)
    assert found.chance_above == pytest.approx(norm.sf(0, found.lift, sd), rel=1e-9)


def test_a_wide_prior_leaves_the_estimate_and_a_narrow_one_leaves_nothing() -> None:
    contrast = shares.contrast(Proportion(4000, 40_000), Proportion(4400, 40_000))
    wide, narrow = posterior(contrast, 100.0), posterior(contrast, 1e-6)
    assert wide is not None and narrow is not None
    assert wide.lift == pytest.approx(0.1, rel=1e-4)
    assert narrow.lift == pytest.approx(0, abs=1e-6)


def test_no_lift_no_posterior() -> None:
    assert posterior(shares.contrast(Proportion(0, 100), Proportion(5, 100)), 0.05) is None
