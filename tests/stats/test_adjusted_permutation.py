"""Adjusted permutation against all relabelings of tiny arms, slopes fitted to each unit by unit; laws; error rates."""

import itertools
import math
from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from abcx.stats import adjusted_permutation, covariates, permutation, permutation_draws
from abcx.stats.inversion import effect
from abcx.stats.records import Contrast, Pivot, Sample
from tests.support.comparison_laws import check_finite, check_mirror, check_one_inversion
from tests.support.notes import note_text

Array = NDArray[np.float64]
Arm = tuple[Array, Array]
"""Outcomes (n,) or (n, 2), and covariates (n, k), of every unit."""


def sample(arm: Arm) -> Sample:
    """As the data room hands units on: those that are 0 in everything are only counted."""
    y, x = arm
    kept = np.column_stack([y, x]).any(axis=1)
    return Sample(len(y), y[kept], x[kept])


def contrast(control: Arm, variant: Arm, draws: int = 4000, nonnegative: bool = True, seed: int = 0) -> Contrast:
    kind: covariates.Kind = "mean" if control[0].ndim == 1 else "ratio"
    return adjusted_permutation.contrast(sample(control), sample(variant), kind, nonnegative, draws, seed)


def statistic(control: Arm, variant: Arm, ratio: float, difference: float = 0.0) -> float:
    """T of "value_t = ratio x value_c + difference", unit by unit: slopes by least squares within the arms."""
    arms = (control, variant)
    tops = [y if y.ndim == 1 else y[:, 0] for y, _ in arms]
    bottoms = [np.ones(len(y)) if y.ndim == 1 else y[:, 1] for y, _ in arms]
    within = np.vstack([x - x.mean(axis=0) for _, x in arms])
    slopes = [
        np.linalg.lstsq(within, np.concatenate([y - y.mean() for y in both]), rcond=None)[0] for both in (tops, bottoms)
    ]
    everyone = np.vstack([x for _, x in arms])
    total, k = everyone.shape
    away = [x.mean(axis=0) - everyone.mean(axis=0) for _, x in arms]
    bottom = [b.mean() - a @ slopes[1] for b, a in zip(bottoms, away, strict=True)]
    value = [(t.mean() - a @ slopes[0]) / b for t, a, b in zip(tops, away, bottom, strict=True)]
    # A unit's part: its own arm's residual, and the covariates' mean that both arms are read at.
    through = [(slopes[0] - v * slopes[1]) / b for v, b in zip(value, bottom, strict=True)]
    shared = through[1] - ratio * through[0]
    variance = 0.0
    for i, sign in ((0, -ratio), (1, 1.0)):
        n, x = len(tops[i]), arms[i][1]
        residual = (tops[i] - value[i] * bottoms[i]) / bottom[i] - x @ through[i]
        variance += np.var(sign * residual / n + x @ shared / total, ddof=1) * n * (n - 1) / (n - 1 - k)
    return float(value[1] - ratio * value[0] - difference) / math.sqrt(variance)


def shares(
    control: Arm, variant: Arm, of_relabeled: Callable[[Arm, Arm], float], observed: float
) -> tuple[float, float]:
    """Shares of all relabelings whose statistic is at most, at least the observed one."""
    y, x = (np.concatenate([control[i], variant[i]]) for i in (0, 1))
    n, found = len(y), []
    for chosen in itertools.combinations(range(n), len(variant[0])):
        here = np.isin(np.arange(n), chosen)
        found.append(of_relabeled((y[~here], x[~here]), (y[here], x[here])))
    spread, slack = np.array(found), 1e-9 * (1 + abs(observed))
    return float(np.mean(spread <= observed + slack)), float(np.mean(spread >= observed - slack))


def tiny(seed: int, sizes: tuple[int, int], k: int = 1, ratio: bool = False, zeros: bool = False) -> tuple[Arm, Arm]:
    rng, arms = np.random.default_rng(seed), []
    for n in sizes:
        x = rng.lognormal(0, 1, (n, k))
        y = 3 + x.sum(axis=1) + rng.lognormal(0, 0.5, n)
        if zeros:
            none = rng.random(n) < 0.4
            x[none], y[none] = 0.0, 0.0
        arms.append((np.column_stack([y, 5 + rng.gamma(3, 0.2, n) + 0.05 * x[:, 0]]) if ratio else y, x))
    return arms[0], arms[1]


def check_tails(pivot: Pivot | None, at: float, expected: tuple[float, float], draws: int) -> None:
    assert pivot is not None
    for found, share in zip(pivot.tails(at), expected, strict=True):
        assert found == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / draws) + 1 / draws)


@pytest.mark.parametrize(
    ("sizes", "k", "ratio", "zeros"),
    [((5, 4), 1, False, False), ((6, 5), 2, False, False), ((6, 4), 1, False, True), ((6, 4), 1, True, False)],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.slow
def test_p_is_that_of_all_relabelings(sizes: tuple[int, int], k: int, ratio: bool, zeros: bool, seed: int) -> None:
    arms = tiny(seed, sizes, k, ratio, zeros)
    observed = statistic(*arms, 1.0)
    expected = shares(*arms, lambda control, variant: statistic(control, variant, 1.0), observed)
    found = contrast(*arms, draws=20_000)
    assert found.method.startswith("permutation") and found.method.endswith("adjusted"), note_text(found)
    check_tails(found.difference_pivot, 0.0, expected, 20_000)
    check_tails(found.ratio_pivot, 1.0, expected, 20_000)
    assert found.p_value == pytest.approx(min(1.0, 2 * min(expected)), abs=0.02)


@pytest.mark.parametrize("r", [0.5, 0.8, 1.4, 3.0])
@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.slow
def test_a_ratio_is_that_of_all_relabelings_of_the_aligned_pool(r: float, k: int) -> None:
    """Control's units and variant's divided by r, dealt with their covariates; units named variant times r."""
    control, variant = tiny(4, (6, 5), k)
    observed = statistic(control, variant, r)
    expected = shares(control, (variant[0] / r, variant[1]), lambda c, v: statistic(c, (r * v[0], v[1]), r), observed)
    check_tails(contrast(control, variant, draws=20_000).ratio_pivot, 1.0 * r, expected, 20_000)


@pytest.mark.parametrize("d", [-2.0, 0.7, 3.0])
@pytest.mark.slow
def test_a_difference_of_values_below_zero_shifts_them(d: float) -> None:
    control, variant = tiny(5, (6, 5))
    control, variant = (control[0] - 6.0, control[1]), (variant[0] - 6.0, variant[1])
    observed = statistic(control, variant, 1.0, d)
    expected = shares(control, (variant[0] - d, variant[1]), lambda c, v: statistic(c, v, 1.0), observed)
    found = contrast(control, variant, draws=20_000, nonnegative=False)
    check_tails(found.difference_pivot, d, expected, 20_000)


# ------------------------------------------------------------------------------------------------ laws


def buyers(seed: int, n: int, lift: float = 1.0, k: int = 1) -> Arm:
    """Orders of few buyers, heavy, beside what they bought before."""
    rng = np.random.default_rng(seed)
    x = np.where(rng.random((n, k)) < 0.3, rng.lognormal(0, 1.2, (n, k)), 0.0)
    return lift * np.where(x[:, 0] > 0, x.sum(axis=1) * rng.lognormal(0, 0.5, n), 0.0), x


def ratios(seed: int, n: int) -> Arm:
    rng = np.random.default_rng(seed)
    x = rng.gamma(0.5, 2, (n, 1))
    clicks = rng.poisson(3 * x[:, 0])
    return np.column_stack([clicks, clicks + rng.poisson(5 + x[:, 0])]).astype(float), x


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.3])
@pytest.mark.parametrize(
    "arms",
    [
        (buyers(1, 400), buyers(2, 60, 1.3)),
        (buyers(3, 300, 1.5, 2), buyers(4, 90, 1.0, 2)),
        (ratios(5, 300), ratios(6, 50)),
    ],
)
@pytest.mark.slow
def test_one_inversion_and_mirror_images(arms: tuple[Arm, Arm], alpha: float) -> None:
    found = contrast(*arms, draws=999)
    assert found.method.endswith("adjusted") and found.difference_pivot is not None
    at, swapped = effect(found, alpha), effect(contrast(arms[1], arms[0], draws=999), alpha)
    check_finite(at)
    check_one_inversion(at)
    check_mirror(at, swapped, found.difference_pivot.scale, 1e-6)


@pytest.mark.parametrize(("factor", "scales"), [(1e-6, (1.0, 1.0)), (1e6, (1e3, 1e-3)), (1.0, (1e-6, 1e9))])
@pytest.mark.slow
def test_units_of_measurement_do_not_matter(factor: float, scales: tuple[float, float]) -> None:
    arms = buyers(7, 400, 1.0, 2), buyers(8, 60, 1.2, 2)
    plain = effect(contrast(*arms, draws=999), 0.05)
    control, variant = ((y * factor, x * np.array(scales)) for y, x in arms)
    other = effect(contrast(control, variant, draws=999), 0.05)
    assert other.p_value == pytest.approx(plain.p_value, rel=1e-9)
    assert other.lift_interval == pytest.approx(plain.lift_interval, rel=1e-8)
    assert other.difference_interval is not None and plain.difference_interval is not None
    for end, expected in zip(other.difference_interval, plain.difference_interval, strict=True):
        assert end is not None and end / factor == pytest.approx(expected, rel=1e-8)


def test_units_may_stand_in_any_order_and_zeros_may_be_written() -> None:
    arms = buyers(9, 300), buyers(10, 80)
    plain = effect(contrast(*arms, draws=999), 0.05)
    control, variant = ((y[::-1], x[::-1]) for y, x in arms)
    turned = effect(contrast(control, variant, draws=999), 0.05)
    assert turned.lift_interval == pytest.approx(plain.lift_interval, rel=1e-9)
    written = [Sample(len(y), y, x) for y, x in arms]
    drawn = permutation_draws.draw(written[0], written[1], 999, 0)
    assert drawn.control.error == pytest.approx(
        permutation_draws.draw(sample(arms[0]), sample(arms[1]), 999, 0).control.error, rel=1e-12
    )


def test_one_draw_serves_both_analyses() -> None:
    """What a draw with covariates says of the values alone is what one without says, but for chance."""
    arms = [sample(arm) for arm in (buyers(11, 900), buyers(12, 100))]
    drawn = permutation_draws.draw(arms[0], arms[1], 4000, 0)
    control, variant = (Sample(one.n, one.values[one.values > 0]) for one in arms)
    plain = permutation.contrast(control, variant)
    both = permutation.contrast(arms[0], arms[1], relabeled=drawn)
    assert both.difference == pytest.approx(plain.difference, rel=1e-12)
    assert both.p_value == pytest.approx(plain.p_value, abs=0.03)
    found = adjusted_permutation.contrast(arms[0], arms[1], "mean", True, relabeled=drawn)
    assert found.p_value == adjusted_permutation.contrast(arms[0], arms[1], "mean", True).p_value


def test_what_cannot_be_adjusted_is_relabeled_without_covariates() -> None:
    (y0, _), (y1, _) = buyers(13, 300), buyers(14, 60)
    found = contrast((y0, np.ones((300, 1))), (y1, np.ones((60, 1))), draws=999)
    assert found.method.startswith("permutation") and not found.method.endswith("adjusted")
    assert "no covariate varies" in note_text(found)
    alone = contrast((y0, np.ones((300, 1))), (y1[:1], np.ones((1, 1))), draws=999)
    assert alone.p_value is None


# ------------------------------------------------------------------------------------------------ promise


@pytest.mark.parametrize(("sizes", "sigma"), [((270, 30), 1.0), ((240, 60), 2.0)])
@pytest.mark.slow
def test_error_rates_with_heavy_values_and_covariates(sizes: tuple[int, int], sigma: float) -> None:
    """A/A and a lift of 50 %: both tails of the true difference and of the true lift. Welch is beyond 5 % here."""
    rng, samples, misses, of_welch = np.random.default_rng(15), 400, [], []
    for seed in range(samples):
        arms = []
        for n, lift in zip(sizes, (1.0, 1.5), strict=True):
            z, e = rng.standard_normal((2, n))
            arms.append((lift * np.exp(0.6 * z + 0.8 * e), np.exp(sigma * z)[:, None]))
        found = contrast(arms[0], arms[1], draws=499, seed=seed)
        assert found.difference_pivot is not None and found.ratio_pivot is not None
        tails = *found.difference_pivot.tails(0.5 * math.exp(0.5)), *found.ratio_pivot.tails(1.5)
        misses.append([tail < 0.025 for tail in tails])
        moments = [adjusted_permutation.crossed(sample(arm)) for arm in arms]
        welch = covariates.contrast(moments[0], moments[1], "mean", True).ratio_pivot
        assert welch is not None
        of_welch.append([tail < 0.025 for tail in welch.tails(1.5)])
    share = np.mean(misses, axis=0)
    slack = 2 * math.sqrt(0.04 * 0.96 / samples)
    assert share.max() <= 0.04 + slack
    assert share[0] + share[1] <= 0.06 + slack and share[2] + share[3] <= 0.06 + slack
    assert np.mean(of_welch, axis=0).max() > 0.04


def test_false_alarms_of_both_methods() -> None:
    """Welch's on heavy values at 90:10 are too many on one side; permutation's are near 5 % by construction."""
    rng, arms = np.random.default_rng(16), []
    for n in (450, 50):
        z, e = rng.standard_normal((2, n))
        arms.append(sample((np.exp(1.2 * z + 1.2 * e), np.exp(z)[:, None])))
    drawn = permutation_draws.draw(arms[0], arms[1], 4000, 0)
    methods: tuple[Literal["Welch", "permutation"], ...] = ("Welch", "permutation")
    welch, permuted = (
        adjusted_permutation.false_alarms(arms[0], arms[1], "mean", True, 0.05, method, drawn) for method in methods
    )
    assert welch is not None and permuted is not None
    assert welch[1] > 0.06 and abs(permuted[0] - 0.05) < 0.015
