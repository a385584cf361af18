"""The largest units: the check `outliers` and the sensitivity table leave out the same ones, at every size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

import abcx
from abcx.data.summaries import moments
from abcx.results.readout import Alternative
from abcx.stats import influence
from abcx.stats.records import Moments
from tests.support.results import check

Values = NDArray[np.float64]


def analyzed(control: Values, variant: Values, **metric: Any) -> abcx.Results:
    values = np.concatenate([control, variant])
    arms = ["control"] * len(control) + ["variant"] * len(variant)
    frame = pd.DataFrame({"unit": range(len(values)), "arm": arms, "spent": values})
    spent = {"type": "mean", "column": "spent", "role": "primary", "goal": "increase", **metric}
    spec = {
        "schema_version": 1,
        "name": "top",
        "arms": {"control": {}, "variant": {}},
        "metrics": {"spent": spent},
        "plan": {"units": len(values)},
    }
    return abcx.analyze(spec, units=frame)


def row(results: abcx.Results) -> Alternative:
    return next(one for one in results.sensitivity if one.change.code == "without_top_units")


def orders(seed: int, n: int, share: float, mean: float = 3.0) -> Values:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(n) < share, rng.lognormal(mean, 1.5, n), 0.0)


def left(control: Values, variant: Values, count: int) -> list[Values]:
    """Both arms without their `count` largest values together (which do not tie)."""
    cut = np.sort(np.concatenate([control, variant]))[-count]
    return [arm[arm < cut] for arm in (control, variant)]


@pytest.mark.parametrize(
    ("n", "share", "removed"),
    [
        (18_256, 0.05, 37),  # ceil(36,512 / 1,000)
        (400, 0.5, 1),
        (10_000, 0.005, None),  # a tenth of the buyers, not 20
        (50, 0.06, 1),  # never fewer than one
    ],
)
@pytest.mark.slow
def test_both_leave_out_the_same_units(n: int, share: float, removed: int | None) -> None:
    control, variant = orders(1, n, share), orders(2, n, share, 3.2)
    if removed is None:
        removed = int(np.count_nonzero(control) + np.count_nonzero(variant)) // 10
        assert 0 < removed < 20
    found = analyzed(control, variant)
    seen, other = check(found, "outliers").details["metrics"]["spent"]["variant"], row(found)
    assert seen["removed"] == removed
    assert (other.change.values["removed"], other.change.values["units"]) == (removed, 2 * n)
    kept = left(control, variant, removed)
    p = stats.ttest_ind(*kept, equal_var=False).pvalue
    assert seen["p_value_without"] == pytest.approx(p, rel=1e-6) and other.p_value == pytest.approx(p, rel=1e-6)
    lift = kept[1].mean() / kept[0].mean() - 1
    assert seen["lift_without"] == pytest.approx(lift) and other.lift == pytest.approx(lift)


@pytest.mark.slow
def test_more_units_than_are_listed_for_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with more than 500 of the largest units in one arm, in small: 40 of 40,000, all of them in the variant."""
    monkeypatch.setattr(moments, "LISTED", 5)
    control, variant = orders(3, 20_000, 0.2), orders(4, 20_000, 0.2)
    variant[:40] = 1e6 + np.arange(40)
    found = analyzed(control, variant)
    seen, other = check(found, "outliers").details["metrics"]["spent"]["variant"], row(found)
    assert seen["removed"] == 40 and other.change.values["removed"] == 40 and other.change.values["units"] == 40_000
    kept = left(control, variant, 40)
    lift = kept[1].mean() / kept[0].mean() - 1
    assert seen["lift_without"] == pytest.approx(lift) == other.lift


def test_they_agree_on_where_the_result_hangs_on_few_units() -> None:
    """Significant with four wholesale orders and not without them: both say so."""
    noise = np.random.default_rng(6).normal(size=(2, 2000))
    control, variant = 10.0 + stats.zscore(noise, axis=1)  # without noise in means and spreads
    variant += 0.055  # 1.74 standard errors
    variant[:4] = 20.0
    found = analyzed(control, variant, minimum_effect="0.1%")
    assert found["spent"].comparisons[0].status == "better"
    outliers, other = check(found, "outliers"), row(found)
    without = outliers.details["metrics"]["spent"]["variant"]
    assert outliers.status == "warn" and "without the 4 largest" in outliers.message and not other.holds
    assert (without["p_value_without"] or 0.0) > 0.05 and (other.p_value or 0.0) > 0.05
    assert other.lift is not None and np.sign(without["lift_without"]) == np.sign(other.lift)


def test_the_rule_by_itself() -> None:
    """One in a thousand rounded up; a tenth of those that are not 0 rounded down, but one; ties in proportion."""

    def removed(n: int, nonzero: int, *tops: list[float]) -> list[int]:
        summaries = {str(i): Moments(n, 1.0, 1.0, nonzero) for i in range(len(tops))}
        found = influence.largest(summaries, {str(i): tuple((x, 1.0) for x in top) for i, top in enumerate(tops)})
        return [len(found.get(str(i), ())) for i in range(len(tops))]

    assert removed(1000, 500, [9.0, 8.0, 7.0], [6.0, 5.0, 4.0]) == [2, 0]
    assert removed(1001, 500, [9.0, 5.0, 1.0], [8.0, 7.0, 6.0]) == [1, 2]
    assert removed(5000, 10, [9.0, 8.0, 7.0], [6.0, 5.0, 4.0]) == [2, 0]
    assert removed(5000, 4, [9.0, 8.0], [6.0, 5.0]) == [1, 0]
    assert removed(2000, 500, [9.0] * 8, [9.0] * 8) == [2, 2]
    assert removed(2000, 0, [0.0] * 8, [0.0] * 8) == [0, 0]
