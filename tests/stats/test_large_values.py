"""Values near 1e15, where the last binary digit is 0.125, against scipy on the values less 1e15; and far beyond."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

import abcx
from abcx.stats import influence, means, permutation, pooling, ratios
from abcx.stats.inversion import effect
from abcx.stats.records import Moments, RatioMoments, Sample
from tests.support.notes import lift_text, note_text

Values = NDArray[np.float64]
BASE = 1e15


def small(seed: int, n: int = 200) -> tuple[Values, Values]:
    """Whole numbers with a spread of 4; exact beside 1e15."""
    rng = np.random.default_rng(seed)
    return np.round(rng.normal(0.0, 4.0, n)), np.round(rng.normal(1.3, 4.0, n))


def described(x: Values) -> Moments:
    """Exact moments of exact values."""
    exact = [Fraction(value) for value in x.tolist()]
    mean = sum(exact) / len(exact)
    variance = sum((value - mean) ** 2 for value in exact) / (len(exact) - 1)
    near = float(mean)
    return Moments(
        len(exact), near, float(variance), len(exact), float(x.min()), float(x.max()), low=float(mean - Fraction(near))
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("base", [0.0, 1e9, BASE, -BASE])
def test_the_test_is_that_of_the_values_less_their_size(seed: int, base: float) -> None:
    one, other = small(seed)
    expected = stats.ttest_ind(other, one, equal_var=False)
    found = effect(means.contrast(described(base + one), described(base + other)), 0.05)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.difference == pytest.approx(other.mean() - one.mean(), rel=1e-9)
    assert found.difference_interval == pytest.approx(tuple(expected.confidence_interval()), rel=1e-6)
    with_orders = [RatioMoments(described(base + x), described(np.ones(len(x))), 0.0) for x in (one, other)]
    assert ratios.contrast(*with_orders).p_value == pytest.approx(expected.pvalue, rel=1e-9)


def test_the_lift_is_told_to_be_lost() -> None:
    one, other = small(1)
    found = effect(means.contrast(described(BASE + one), described(BASE + other)), 0.05)
    assert found.lift is not None and found.lift_interval is None and "too small beside them" in lift_text(found)


def test_relabeled_units_of_this_size() -> None:
    """Welch's p and that of 20,000 relabelings, by shifting: nothing is skewed here."""
    one, other = small(2, 60)
    expected = stats.ttest_ind(other, one, equal_var=False).pvalue
    samples = [Sample(len(x), BASE + x) for x in (one, other)]
    found = permutation.contrast(samples[0], samples[1], draws=20_000, seed=1).p_value
    assert found is not None and found == pytest.approx(expected, abs=4 * math.sqrt(expected / 20_000) + 0.01)


def test_moments_of_parts_and_remainders_keep_the_digits() -> None:
    one, _ = small(3, 300)
    values = np.sort(BASE + one)[::-1]
    whole = described(values)
    rest = influence.without(whole, values[:7].tolist())
    expected = described(values[7:])
    assert rest.mean + 0.0 == pytest.approx(expected.mean, abs=0.2)
    assert (rest.mean - expected.mean) + (rest.low - expected.low) == pytest.approx(0.0, abs=1e-9)
    assert rest.variance == pytest.approx(expected.variance, rel=1e-9)
    both = pooling.added(described(values[:7]), described(values[7:]))
    assert isinstance(both, Moments)
    assert (both.mean - whole.mean) + (both.low - whole.low) == pytest.approx(0.0, abs=1e-9)
    assert both.variance == pytest.approx(whole.variance, rel=1e-9)


@pytest.mark.parametrize("base", [0.0, 1e9, BASE])
def test_the_covariance_of_two_groups_is_that_of_all_units(base: float) -> None:
    """By fractions, of groups whose means lie a third of the last digit apart from a number that a float can be."""
    top, bottom = small(4, 301)
    top, bottom = np.sort(top) + base, np.sort(bottom) + base

    def ratio(part: slice) -> RatioMoments:
        pairs = [(Fraction(x), Fraction(y)) for x, y in zip(top[part].tolist(), bottom[part].tolist(), strict=True)]
        means_of = [sum(values) / len(pairs) for values in zip(*pairs, strict=True)]
        products = sum((x - means_of[0]) * (y - means_of[1]) for x, y in pairs)
        return RatioMoments(described(top[part]), described(bottom[part]), float(products / (len(pairs) - 1)))

    both = pooling.added(ratio(slice(100)), ratio(slice(100, None)))
    assert isinstance(both, RatioMoments)
    assert both.covariance == pytest.approx(ratio(slice(None)).covariance, rel=1e-12)


def test_what_the_rounding_of_sums_leaves_is_no_spread() -> None:
    """.1 + .2 and .3 are one amount; the units that say so differ in the last digit."""
    control, variant = np.array([0.1 + 0.2] * 50 + [0.3] * 150), np.array([0.3] * 200)
    found = effect(means.contrast(described(control), described(variant)), 0.05)
    assert found.p_value == 1.0 and found.difference_interval is None and "rounding" in note_text(found)


@pytest.mark.parametrize("values", [(1e308, -1e308), (1.7e308, 1.6e308), (-1e308, 1e307), (1e308, 1e308)])
def test_beyond_all_sense_nothing_is_infinite(values: tuple[float, float]) -> None:
    for deviation in (0.0, 1.0, 1e150, 1.3e154):
        arms = [Moments(100, value, deviation**2, 100, value, value) for value in values]
        found = effect(means.contrast(*arms), 0.05)
        numbers = (
            found.difference,
            found.lift,
            found.p_value,
            *(found.difference_interval or ()),
            *(found.lift_interval or ()),
        )
        assert all(number is None or math.isfinite(number) for number in numbers)


def test_a_file_of_such_values(tmp_path: Path) -> None:
    """Fifteen digits and one of them moves: p by scipy on the last digits."""
    one, other = small(4, 500)
    rows = [
        f"{arm}{i},{arm},{int(BASE) + int(x)}"
        for arm, values in (("c", one), ("v", other))
        for i, x in enumerate(values)
    ]
    (tmp_path / "units.csv").write_text("\n".join(["unit,arm,v", *rows]) + "\n", encoding="utf-8")
    spec = tmp_path / "spec.yaml"
    spec.write_text(
        "{schema_version: 1, name: large, arms: {c: {}, v: {}}, data: {units: units.csv},"
        " metrics: {v: {type: mean, column: v, role: primary, goal: increase}}}",
        encoding="utf-8",
    )
    (found,) = abcx.analyze(spec)["v"].comparisons
    expected = stats.ttest_ind(other, one, equal_var=False)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    assert found.difference == pytest.approx(other.mean() - one.mean(), rel=1e-9)
    assert found.difference_interval == pytest.approx(tuple(expected.confidence_interval()), rel=1e-6)


@pytest.mark.parametrize("value", ["1e308", "1.7976931348623157e308", "1e400"])
@pytest.mark.slow
def test_a_file_of_larger_values_is_refused(tmp_path: Path, value: str) -> None:
    units = tmp_path / "units.csv"
    units.write_text(f"unit,arm,v\na,c,{value}\nb,v,1\nc,c,2\nd,v,4\n", encoding="utf-8")
    spec = {"schema_version": 1, "name": "large", "arms": {"c": {}, "v": {}}}
    metrics = {"v": {"type": "mean", "column": "v", "role": "primary", "goal": "increase"}}
    with pytest.raises(abcx.DataError, match="not a usable number"):
        abcx.analyze({**spec, "metrics": metrics}, units=str(units), allow_outside=True)


def test_a_file_of_values_whose_squares_are_zero_is_refused(tmp_path: Path) -> None:
    rows = "".join(f"u{i},{'ab'[i % 2]},{i}e-320\n" for i in range(60))
    (tmp_path / "u.csv").write_text("unit,arm,spend\n" + rows)
    spec = {
        "schema_version": 1,
        "name": "t",
        "arms": {"a": {}, "b": {}},
        "metrics": {"spend": {"type": "mean", "column": "spend", "role": "primary", "goal": "increase"}},
    }
    with pytest.raises(abcx.DataError, match="cannot be told apart"):
        abcx.analyze({**spec, "data": {"units": str(tmp_path / "u.csv")}}, allow_outside=True)
