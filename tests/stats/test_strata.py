"""Post-stratification against weighted stratum means, regressions on dummies, and simulation."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
import statsmodels.api as sm  # type: ignore[import-untyped,unused-ignore]
from numpy.typing import NDArray

from abcx.stats import covariates, strata
from abcx.stats.inversion import effect
from abcx.stats.records import Contrast, CrossMoments, Sample
from tests.support.notes import note_text

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


def test_the_difference_is_the_weighted_mean_of_the_strata() -> None:
    """Each stratum's difference by n_c n_t / (n_c + n_t); Welch's error of what units are away from it."""
    effects = (0, 1, 3, 8)
    (y0, s0), (y1, s1) = some(3, 500), some(4, 180, effects)
    found = strata.as_covariates(grouped(y0[:, None], s0), grouped(y1[:, None], s1))
    sizes = np.array([[np.sum(labels == s) for s in range(4)] for labels in (s0, s1)])
    by_stratum = np.array([[y[labels == s].mean() for s in range(4)] for y, labels in ((y0, s0), (y1, s1))])
    weights = sizes[0] * sizes[1] / sizes.sum(axis=0)
    expected = weights @ (by_stratum[1] - by_stratum[0]) / weights.sum()
    contrast = covariates.contrast(found.control, found.variant, "mean", False)
    assert contrast.difference == pytest.approx(expected, rel=1e-11)
    # A stratum's own level, in both arms together, is what is left of it when the difference is taken out.
    level = (sizes[0] * by_stratum[0] + sizes[1] * (by_stratum[1] - expected)) / sizes.sum(axis=0)
    own = [np.var(y - level[labels.astype(int)], ddof=4) / len(y) for y, labels in ((y0, s0), (y1, s1))]
    assert contrast.difference_pivot is not None
    assert contrast.difference_pivot.scale**2 == pytest.approx(sum(own), rel=1e-10)
    shares = sizes.sum(axis=0) / sizes.sum()  # post-stratification (Miratrix, Sekhon, Yu): the strata's shares
    assert contrast.difference == pytest.approx(shares @ (by_stratum[1] - by_stratum[0]), abs=0.25)


def test_strata_beside_a_covariate() -> None:
    """The regression on arm, dummies and a covariate, unit by unit."""
    (y0, s0), (y1, s1) = some(5, 300), some(6, 200)
    rng = np.random.default_rng(7)
    x0, x1 = rng.normal(size=300), rng.normal(size=200)
    y0, y1 = y0 + 2 * x0, y1 + 3 * x1
    found = strata.as_covariates(grouped(np.column_stack([y0, x0]), s0), grouped(np.column_stack([y1, x1]), s1))
    design = np.column_stack(
        [np.r_[np.zeros(300), np.ones(200)], np.r_[x0, x1], *(np.r_[s0, s1] == s for s in (1, 2, 3))]
    )
    expected = sm.OLS(np.r_[y0, y1], sm.add_constant(design.astype(float))).fit().params[1]
    assert covariates.contrast(found.control, found.variant, "mean", False).difference == pytest.approx(
        expected, rel=1e-11
    )


def test_units_have_the_columns_of_the_moments() -> None:
    """Strata of the units, small ones merged, against the moments that the comparison is made of."""
    (y0, s0), (y1, s1) = some(12, 300, shares=(0.5, 0.45, 0.03, 0.02)), some(13, 60, shares=(0.5, 0.45, 0.03, 0.02))
    names = ["s0", "s1", "s2", "s3"]
    found = strata.as_covariates(grouped(y0[:, None], s0), grouped(y1[:, None], s1))
    assert note_text(found)
    for moments, y, labels in ((found.control, y0, s0), (found.variant, y1, s1)):
        units = Sample(len(y), y, np.empty((len(y), 0)), labels.astype(np.int64))
        columns = strata.with_columns(units, names, found.places).covariates
        assert columns is not None
        expected = cross(np.column_stack([y, columns]))
        assert moments.means == pytest.approx(expected.means, rel=1e-12)
        assert np.array(moments.covariance) == pytest.approx(np.array(expected.covariance), rel=1e-9, abs=1e-12)


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
    assert note_text(found) == (
        "" if merged is None else f"{merged} strata with few units in an arm were taken together."
    )
    same = strata.as_covariates(sizes(**dict(reversed(control.items()))), sizes(**variant))
    assert same == found
    swapped = strata.as_covariates(sizes(**variant), sizes(**control))
    assert (swapped.variant, swapped.control, note_text(swapped)) == (found.control, found.variant, note_text(found))


def test_one_stratum_is_the_unadjusted_comparison() -> None:
    found = contrast(sizes(a=9), sizes(a=12))
    assert found.method == "Welch" and note_text(found)


def test_many_strata() -> None:
    """300 strata of a few units: fewer units than slopes is not an error."""
    rng = np.random.default_rng(8)
    arms = [grouped(rng.normal(5, 1, (n, 1)), rng.integers(0, 300, n).astype(float)) for n in (4000, 300)]
    found = contrast(arms[0], arms[1])
    assert found.p_value is not None and 0 < found.p_value <= 1


DRAWS = 500


@pytest.mark.parametrize(("units", "shares"), [((900, 100), (0.5, 0.3, 0.2)), ((150, 150), (0.6, 0.3, 0.1))])
@pytest.mark.slow
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
