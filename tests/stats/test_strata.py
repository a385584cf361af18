"""Post-stratification against weighted stratum means, regressions on dummies, and simulation."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
import statsmodels.api as sm  # type: ignore[import-untyped,unused-ignore]
from numpy.typing import NDArray

from abcx.stats import covariates, strata
from abcx.stats.inversion import effect
from abcx.stats.records import Contrast, CrossMoments

Array = NDArray[np.float64]


def cross(columns: Array) -> CrossMoments:
    n, width = columns.shape
    covariance = np.cov(columns.T, ddof=1).reshape(width, width) if n > 1 else np.zeros((width, width))
    return CrossMoments(n, tuple(columns.mean(axis=0).tolist()), tuple(tuple(row) for row in covariance.tolist()))


def grouped(columns: Array, labels: Array) -> dict[str, CrossMoments]:
    return {f"s{label:g}": cross(columns[labels == label]) for label in np.unique(labels)}


def contrast(control: Mapping[str, CrossMoments], variant: Mapping[str, CrossMoments]) -> Contrast:
    found = strata.as_covariates(control, variant)
    return covariates.contrast(found.control, found.variant, "mean", False)


def some(
    seed: int, n: int, effects: Sequence[float] = (0, 0, 0, 0), shares: Sequence[float] = (0.4, 0.3, 0.2, 0.1)
) -> tuple[Array, Array]:
    """Outcomes that differ by stratum in mean, and by `effects` more; their strata."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(len(shares), n, p=shares)
    y = 20 + 5.0 * labels + np.asarray(effects, float)[labels] + rng.normal(size=n)
    return y, labels.astype(float)


def test_joined_moments_are_those_of_all_units() -> None:
    rng = np.random.default_rng(1)
    columns = rng.normal(1e9, 3, (50, 3))
    parts = [
        cross(columns[:1]),
        cross(columns[1:20]),
        CrossMoments(0, (0.0,) * 3, ((0.0,) * 3,) * 3),
        cross(columns[20:]),
    ]
    found, expected = strata.joined(parts), cross(columns)
    assert found.n == 50 and found.means == pytest.approx(expected.means, rel=1e-15)
    assert np.array(found.covariance) == pytest.approx(np.array(expected.covariance), rel=1e-6, abs=1e-5)


def test_columns_are_those_of_units_with_dummies() -> None:
    y, labels = some(2, 200)
    found = strata.as_covariates(grouped(y[:, None], labels), grouped(y[:, None], labels)).control
    order = sorted({0.0, 1.0, 2.0, 3.0}, key=lambda label: -np.sum(labels == label))
    expected = cross(np.column_stack([y, *(labels == label for label in order[1:])]).astype(float))
    assert found.n == 200 and found.means == pytest.approx(expected.means, rel=1e-12)
    assert np.array(found.covariance) == pytest.approx(np.array(expected.covariance), rel=1e-10, abs=1e-13)


def test_values_are_weighted_means_of_strata_and_variance_has_all_three_terms() -> None:
    effects = (0, 1, 3, 8)
    (y0, s0), (y1, s1) = some(3, 500), some(4, 180, effects)
    found = strata.as_covariates(grouped(y0[:, None], s0), grouped(y1[:, None], s1))
    everyone = np.r_[s0, s1]
    weights = np.array([np.mean(everyone == s) for s in range(4)])
    by_stratum = [np.array([y[labels == s].mean() for s in range(4)]) for y, labels in ((y0, s0), (y1, s1))]
    values = covariates.adjusted_values(found.control, found.variant, "mean", False)
    assert values == pytest.approx([weights @ one for one in by_stratum], rel=1e-11)
    expected = 0.0
    for y, labels in ((y0, s0), (y1, s1)):
        sizes = np.array([np.sum(labels == s) for s in range(4)])
        within = sum(np.sum((y[labels == s] - y[labels == s].mean()) ** 2) for s in range(4)) / (len(y) - 4)
        expected += within * np.sum(weights**2 / sizes)
    gaps = by_stratum[1] - by_stratum[0]
    expected += weights @ (gaps - weights @ gaps) ** 2 / (len(everyone) - 1)
    pivot = covariates.contrast(found.control, found.variant, "mean", False).difference_pivot
    assert pivot is not None and pivot.scale**2 == pytest.approx(expected, rel=1e-10)
    own = sum(
        weights[s] ** 2 * np.var(y[labels == s], ddof=1) / np.sum(labels == s)
        for y, labels in ((y0, s0), (y1, s1))
        for s in range(4)
    )
    own += weights @ (gaps - weights @ gaps) ** 2 / (len(everyone) - 1)
    assert pivot.scale**2 == pytest.approx(own, rel=0.1)  # Miratrix, Sekhon, Yu: each stratum's own variance


def test_strata_beside_a_covariate() -> None:
    """The arm's regression on dummies and a covariate, unit by unit."""
    (y0, s0), (y1, s1) = some(5, 300), some(6, 200)
    rng = np.random.default_rng(7)
    x0, x1 = rng.normal(size=300), rng.normal(size=200)
    y0, y1 = y0 + 2 * x0, y1 + 3 * x1
    found = strata.as_covariates(grouped(np.column_stack([y0, x0]), s0), grouped(np.column_stack([y1, x1]), s1))
    design = np.column_stack([np.r_[x0, x1], *(np.r_[s0, s1] == s for s in (1, 2, 3))]).astype(float)
    design = sm.add_constant(design - design.mean(axis=0))
    expected = [sm.OLS(y0, design[:300]).fit().params[0], sm.OLS(y1, design[300:]).fit().params[0]]
    assert covariates.adjusted_values(found.control, found.variant, "mean", False) == pytest.approx(expected, rel=1e-11)


def sizes(**units: int) -> dict[str, CrossMoments]:
    return {name: cross(np.arange(n, dtype=float)[:, None] + ord(name)) for name, n in units.items()}


@pytest.mark.parametrize(
    ("control", "variant", "columns", "merged"),
    [
        ({"a": 20, "b": 18}, {"a": 19, "b": 18}, 1, None),
        ({"a": 20, "b": 18, "c": 1}, {"a": 20, "b": 18, "c": 40}, 1, 2),  # too small alone: into the smallest other
        ({"a": 20, "b": 18, "c": 30}, {"a": 20, "b": 18}, 1, 2),
        ({"a": 20, "b": 18, "c": 9, "d": 6}, {"a": 20, "b": 18, "c": 9, "d": 6}, 2, 2),
        ({"a": 20, "b": 18, "c": 4, "d": 3}, {"a": 20, "b": 18, "c": 5, "d": 4}, 1, 3),
        ({"a": 20, "b": 18, "c": 4, "d": 4, "e": 4}, {"a": 20, "b": 18, "c": 4, "d": 4, "e": 4}, 2, 3),
        ({"a": 900, "b": 90, "c": 500}, {"a": 90, "b": 8, "c": 50}, 1, 2),  # 8 of 98: about 9 are expected
        ({"a": 900, "b": 110, "c": 500}, {"a": 90, "b": 8, "c": 50}, 2, None),
        ({"a": 20}, {"b": 20}, 0, 2),
        ({"a": 20}, {"a": 20}, 0, None),
        ({"a": 1}, {}, 0, None),
    ],
)
def test_small_strata_are_merged(
    control: dict[str, int], variant: dict[str, int], columns: int, merged: int | None
) -> None:
    found = strata.as_covariates(sizes(**control), sizes(**variant))
    for arm, units in ((found.control, control), (found.variant, variant)):
        assert len(arm.means) == 1 + columns and arm.n == sum(units.values())
    assert found.note == (None if merged is None else f"{merged} strata with few units in an arm were taken together.")
    same = strata.as_covariates(sizes(**dict(reversed(control.items()))), sizes(**variant))
    assert same == found
    swapped = strata.as_covariates(sizes(**variant), sizes(**control))
    assert (swapped.variant, swapped.control, swapped.note) == (found.control, found.variant, found.note)


def test_one_stratum_is_the_unadjusted_comparison() -> None:
    found = contrast(sizes(a=9), sizes(a=12))
    assert found.method == "Welch" and found.note is not None


def test_many_strata() -> None:
    """300 strata of a few units: fewer units than slopes is not an error."""
    rng = np.random.default_rng(8)
    arms = [grouped(rng.normal(5, 1, (n, 1)), rng.integers(0, 300, n).astype(float)) for n in (4000, 300)]
    found = contrast(arms[0], arms[1])
    assert found.p_value is not None and 0 < found.p_value <= 1


DRAWS = 500


@pytest.mark.parametrize(("units", "shares"), [((900, 100), (0.5, 0.3, 0.2)), ((150, 150), (0.6, 0.3, 0.1))])
def test_coverage(units: tuple[int, int], shares: Sequence[float]) -> None:
    """Effects that differ by stratum: the truth is the average over all customers, not over the sample's strata."""
    rng, effects = np.random.default_rng(9), (1.0, 5.0, 20.0)
    truth = float(np.dot(shares, effects))
    base = float(np.dot(shares, (20, 25, 30)))
    misses = []
    for _ in range(DRAWS):
        control, variant = (
            grouped(y[:, None], labels)
            for y, labels in (
                some(int(rng.integers(2**60)), n, what, shares)
                for n, what in zip(units, ((0.0, 0.0, 0.0), effects), strict=True)
            )
        )
        found = contrast(control, variant)
        assert found.difference_pivot is not None and found.ratio_pivot is not None
        misses.append(
            [t < 0.025 for t in (*found.difference_pivot.tails(truth), *found.ratio_pivot.tails(1 + truth / base))]
        )
    share, error = np.mean(misses, axis=0), math.sqrt(0.05 * 0.95 / DRAWS)
    assert share[0] + share[1] <= 0.05 + 3 * error and share[2] + share[3] <= 0.05 + 3 * error
    assert share.max() <= 0.04 + 2 * error


def test_stratification_narrows_the_interval() -> None:
    (y0, s0), (y1, s1) = some(10, 400), some(11, 400)
    arms = strata.as_covariates(grouped(y0[:, None], s0), grouped(y1[:, None], s1))
    saved = covariates.saved(arms.control, arms.variant, "mean", False)
    assert saved is not None and 0.9 < saved < 1
    interval = effect(contrast(grouped(y0[:, None], s0), grouped(y1[:, None], s1)), 0.05).difference_interval
    assert interval is not None and interval[0] is not None and interval[0] < 0 < (interval[1] or 0) < 0.5
