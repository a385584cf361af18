"""Empty cells of ready-made columns: what they mean is asked, and said by `missing_value`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import abcx
from abcx.errors import SpecError

REVENUE: dict[str, Any] = {"type": "mean", "column": "revenue", "role": "primary", "goal": "increase"}


def analyzed(metric: dict[str, Any], empty: int, size: int = 200, unit: str = "visitors") -> tuple[Any, pd.DataFrame]:
    """Of every arm's `size` units so many cells are empty; the others hold 1, 2, 3, 0, 1, ..."""
    cells = [None if i < empty else float(i % 4) for i in range(size)]
    frame = pd.DataFrame(
        {"unit": [f"u{i}" for i in range(2 * size)], "arm": ["a"] * size + ["b"] * size, "revenue": cells + cells}
    )
    spec = {"schema_version": 1, "name": "t", "unit": unit, "arms": {"a": {}, "b": {}}, "metrics": {"m": metric}}
    return abcx.analyze(spec, units=frame), frame


def missing(results: Any) -> Any:
    return next(check for check in results.checks if check.code == "missing")


@pytest.mark.parametrize(("empty", "status"), [(0, "pass"), (40, "pass"), (41, "warn"), (190, "warn")])
@pytest.mark.slow
def test_above_a_fifth_the_check_asks(empty: int, status: str) -> None:
    results, _ = analyzed(REVENUE, empty)
    check = missing(results)
    assert check.status == status
    assert results["m"].definition == "column revenue per visitor" + (", of visitors with a value" if empty else "")
    if status == "warn":
        told = f"M is empty for {empty / 2:.2f}% of 400 visitors. Such figures describe only the visitors with a value."
        assert check.message == told and "missing_value: zero" in check.help


@pytest.mark.parametrize("missing_value", [None, "zero", "drop"])
def test_the_mean_by_numpy(missing_value: str | None) -> None:
    results, frame = analyzed({**REVENUE, "missing_value": missing_value} if missing_value else REVENUE, 120)
    cells = frame.revenue[frame.arm == "a"].to_numpy()
    values = np.nan_to_num(cells) if missing_value == "zero" else cells[~np.isnan(cells)]
    arm = results["m"].arms[0]
    assert (arm.value, arm.units) == (pytest.approx(values.mean()), len(values))
    assert missing(results).status == ("warn" if missing_value is None else "pass")


def test_one_column_may_be_read_in_both_ways() -> None:
    spec = {
        "schema_version": 1,
        "name": "t",
        "arms": {"a": {}, "b": {}},
        "metrics": {"m": REVENUE, "z": {**REVENUE, "role": "secondary", "missing_value": "zero"}},
    }
    frame = pd.DataFrame({"unit": list("123456"), "arm": list("ababab"), "revenue": [4, 4, None, None, 2, 2]})
    results = abcx.analyze(spec, units=frame)
    assert [(results[name].arms[0].value, results[name].arms[0].units) for name in ("m", "z")] == [(3, 2), (2, 3)]


@pytest.mark.slow
def test_members_that_nobody_gave() -> None:
    """A conversion, a quantile and a ratio; a survey is exempt."""
    yes = {"type": "conversion", "column": "revenue", "role": "primary", "goal": "increase", "missing_value": "zero"}
    frame = pd.DataFrame(
        {"unit": list("123456"), "arm": list("ababab"), "revenue": ["yes", "no", None, None, "no", ""]}
    )
    spec: dict[str, Any] = {"schema_version": 1, "name": "t", "arms": {"a": {}, "b": {}}, "metrics": {"m": yes}}
    results = abcx.analyze(spec, units=frame)
    assert [(arm.value, arm.units) for arm in results["m"].arms] == [(pytest.approx(1 / 3), 3), (0, 3)]
    median = {"type": "quantile", "q": 0.5, "of": "units", "column": "revenue", "role": "primary", "goal": "increase"}
    assert missing(analyzed(median, 100)[0]).status == "warn"
    results, _ = analyzed({**median, "missing_value": "zero"}, 100)
    assert missing(results).status == "pass" and results["m"].arms[0].units == 200
    part = {"column": "revenue", "missing_value": "zero"}
    ratio = {"type": "ratio", "numerator": part, "denominator": part, "role": "primary", "goal": "increase"}
    results, _ = analyzed(ratio, 100)
    assert missing(results).status == "pass" and results["m"].arms[0].units == 200
    score = {"type": "csat", "column": "revenue", "scale": [0, 3], "role": "primary", "goal": "increase"}
    assert missing(analyzed(score, 150)[0]).status == "pass"


def test_an_event_without_a_value_has_no_empty_cell() -> None:
    with pytest.raises(SpecError, match="`missing_value` needs a `value` or a `column`"):
        analyzed({"type": "mean", "event": "x", "role": "primary", "goal": "increase", "missing_value": "zero"}, 0)
