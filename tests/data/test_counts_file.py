"""Counts typed in the spec or read from a small file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from abcx.errors import DataError
from abcx.stats.records import Proportion, RatioMoments
from tests.support.logs import look, spec

ORDERS = {"orders": {"type": "conversion", "role": "primary", "goal": "increase"}}
BOTH = {**ORDERS, "spend": {"type": "mean", "role": "secondary", "goal": "increase"}}


def test_counts_typed_in_the_spec(tmp_path: Path) -> None:
    metrics = {**BOTH, "ratio": {"type": "ratio", "role": "descriptive"}}
    ratio = {"numerator": {"mean": 5, "sd": 9}, "denominator": {"mean": 2, "sd": 3}, "correlation": 0.4}
    arm = {"units": 100, "orders": 20, "spend": {"mean": 12.5, "sd": 40, "units": 80}, "ratio": ratio}
    found = look(tmp_path, {}, spec({"counts": {"a": arm, "b": arm}}, metrics))
    assert found["orders"]["a"] == Proportion(20, 100)
    assert (found["spend"]["b"].n, found["spend"]["b"].variance) == (80, 1600)
    assert found.observed.metrics["spend"].missing == {"a": 20, "b": 20}
    assert isinstance(found["ratio"]["a"], RatioMoments)
    assert found["ratio"]["a"].covariance == pytest.approx(0.4 * 9 * 3)


def counts(tmp_path: Path, text: str | dict[str, str], metrics: Any = ORDERS, **options: Any) -> Any:
    files = {"c.csv": text} if isinstance(text, str) else text
    return look(tmp_path, files, spec({"counts": {"file": options.pop("file", "c.csv"), **options}}, metrics))


def test_a_counts_file(tmp_path: Path) -> None:
    text = "arm,units,orders,spend_mean,spend_sd\nb,50,9,3,1\na,100,20,12.5,40\n"
    found = counts(tmp_path, text, BOTH)
    assert found["orders"] == {"a": Proportion(20, 100), "b": Proportion(9, 50)}
    assert (found["spend"]["a"].mean, found["spend"]["a"].variance) == (12.5, 1600)
    assert found.observed.daily is None
    assert found.observed.files[0].rows == 2


def test_days_of_a_counts_file_are_pooled_exactly(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    days = {
        ("a", "2024-03-05"): rng.normal(5, 2, 9),
        ("b", "2024-03-04"): rng.normal(4, 1, 8),
        ("a", "2024-03-04"): rng.normal(1e6, 3, 7),
    }
    lines = [
        f"{day},{arm},{len(x)},3,{float(np.mean(x))!r},{float(np.std(x, ddof=1))!r}\n" for (arm, day), x in days.items()
    ]
    found = counts(tmp_path, "date,arm,units,orders,spend_mean,spend_sd\n" + "".join(lines), BOTH)
    pooled = np.concatenate([days["a", "2024-03-05"], days["a", "2024-03-04"]])
    assert found["orders"]["a"] == Proportion(6, 16)
    assert found["spend"]["a"].mean == pytest.approx(np.mean(pooled), rel=1e-12)
    assert found["spend"]["a"].variance == pytest.approx(np.var(pooled, ddof=1), rel=1e-9)
    assert found.observed.daily == (("2024-03-04", {"a": 7, "b": 8}), ("2024-03-05", {"a": 9, "b": 0}))


def test_options_of_a_counts_file(tmp_path: Path) -> None:
    text = "grp;units;orders;country\nOld;1.000;20;uk\nB;50;9;uk\nB;5;1;de\n"
    written = spec(
        {
            "counts": {
                "file": "c.csv",
                "columns": {"arm": "grp"},
                "thousands": ".",
                "decimal": ",",
                "where": {"country": "uk"},
            }
        },
        ORDERS,
    )
    written["arms"] = {"a": {"labels": ["Old"]}, "b": {"labels": ["B"]}}
    found = look(tmp_path, {"c.csv": text}, written)
    assert found["orders"] == {"a": Proportion(20, 1000), "b": Proportion(9, 50)}


def test_several_counts_files(tmp_path: Path) -> None:
    files = {"c1.csv": "arm,units,orders\na,10,2\n", "c2.csv": "arm,units,orders\nb,20,5\n"}
    found = counts(tmp_path, files, file="c?.csv")
    assert found["orders"] == {"a": Proportion(2, 10), "b": Proportion(5, 20)}
    assert [(file.path, file.rows) for file in found.observed.files] == [("c1.csv", 1), ("c2.csv", 1)]
    per_arm = {"x.csv": "units,orders\n10,2\n", "y.csv": "units,orders\n20,5\n"}
    assert counts(tmp_path, per_arm, file={"a": "x.csv", "b": "y.csv"})["orders"] == found["orders"]


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("arm,units,orders\na,10,2\nc,10,2\n", "unknown-arm", 3),
        ("arm,units,orders\na,10,2\na,10,2\nb,1,1\n", "duplicate-arm", 3),
        ("date,arm,units,orders\n2024-03-04,a,10,2\n2024-03-04,a,10,2\n2024-03-04,b,10,2\n", "duplicate-arm", 3),
        ("date,arm,units,orders\n04.03.2024,a,10,2\n", "bad-time", 2),
        ("arm,units,orders\na,10,2\n", "counts-missing", 0),
        ("arm,units,orders\na,10,11\nb,10,1\n", "counts-range", 2),
        ("arm,units,orders\na,10,1.5\nb,10,1\n", "bad-number", 2),
        ("arm,units,orders\na,-10,1\nb,10,1\n", "bad-number", 2),
        ("arm,units,orders\na,,1\nb,10,1\n", "bad-number", 2),
        ("arm,units,orders\na,1_0,1\nb,10,1\n", "bad-number", 2),
        (f"arm,units,orders\na,{'9' * 5000},1\nb,10,1\n", "bad-number", 2),
        ("arm,units,orders\na,10,nan\nb,10,1\n", "bad-number", 2),
        ("arm,units\na,10\n", "missing-column", 1),
        ("arm,units,orders\n", "no-rows", 0),
        ("arm,units,orders\na,10\n", "ragged-row", 2),
    ],
)
@pytest.mark.slow
def test_a_counts_file_that_cannot_be_used(tmp_path: Path, text: str, code: str, line: int) -> None:
    with pytest.raises(DataError) as error:
        counts(tmp_path, text)
    problem = error.value.problems[0]
    assert (problem.code, problem.span and problem.span.line) == (code, line)
    assert problem.help


@pytest.mark.parametrize("cell", ["-1", "inf", "x", "", "1e200"])
def test_a_standard_deviation_is_a_size(tmp_path: Path, cell: str) -> None:
    with pytest.raises(DataError, match="cannot be a sd"):
        counts(tmp_path, f"arm,units,orders,spend_mean,spend_sd\na,10,1,5,{cell}\nb,10,1,5,1\n", BOTH)


def test_typed_numbers_beyond_reason_are_refused(tmp_path: Path) -> None:
    for arm in ({"units": 10**400, "orders": 1}, {"units": 10, "orders": 1, "spend": {"mean": 1, "sd": 1e200}}):
        with pytest.raises(DataError, match="counts-range"):
            look(tmp_path, {}, spec({"counts": {"a": arm, "b": arm}}, BOTH if "spend" in arm else ORDERS))


@pytest.mark.parametrize(
    ("text", "code", "cure"),
    [
        ("arm;units;orders\na;1.000;20\nb;50;9\n", "ambiguous-number", "thousands: '.'"),
        ("arm;units;spend_mean;spend_sd\na;100;1.234;2\nb;50;9;1\n", "ambiguous-number", "decimal: '.'"),
        ('arm,units,orders\na,"1,000",20\nb,50,9\n', "bad-number", "thousands: ','"),
    ],
)
def test_counts_that_may_be_two_numbers(tmp_path: Path, text: str, code: str, cure: str) -> None:
    metrics = ORDERS if "orders" in text else {"spend": {"type": "mean", "role": "primary", "goal": "increase"}}
    with pytest.raises(DataError) as refused:
        counts(tmp_path, text, metrics)
    problem = refused.value.problems[0]
    assert problem.code == code and problem.help is not None and cure in problem.help
    key, value = cure.split(": ")
    found = counts(tmp_path, text, metrics, **{key: value.strip("'")})
    assert found.observed.units == {"a": 100 if "spend" in text else 1000, "b": 50}


def test_days_of_counts_by_any_name(tmp_path: Path) -> None:
    text = "Date,arm,units,orders\n2024-03-04,a,50,5\n2024-03-04,b,50,9\n2024-03-05,a,60,6\n2024-03-05,b,60,7\n"
    found = counts(tmp_path, text, columns={"time": "Date"})
    assert found["orders"] == {"a": Proportion(11, 110), "b": Proportion(16, 110)}
    assert found.observed.daily is not None and len(found.observed.daily) == 2
    with pytest.raises(DataError) as refused:
        counts(tmp_path, text)
    assert "columns: {time: ...}" in str(refused.value)


def test_an_arm_whose_only_row_is_bad_says_why(tmp_path: Path) -> None:
    text = "arm,units,orders\na,100,20\nb,5O,9\n"
    with pytest.raises(DataError) as found:
        counts(tmp_path, text, max_bad_rows=1)
    (problem,) = found.value.problems
    assert problem.code == "counts-missing" and "'b' has no row" in problem.message
    assert problem.help is not None and "5O" in problem.help


@pytest.mark.parametrize(
    ("written", "options"),
    [
        (["06.05.2024", "07.05.2024"], {"time_format": "%d.%m.%Y"}),
        (["06/05/2024", "7/5/2024"], {"date_order": "dmy"}),
        (["05-06-2024", "05-07-2024"], {"date_order": "mdy"}),
        (["2024-05-06 00:00:00", "2024-05-07T00:00"], {}),
    ],
)
def test_days_are_written_as_the_spec_says(tmp_path: Path, written: list[str], options: dict[str, Any]) -> None:
    rows = "".join(f"{arm},{day},100,{20 + i}\n" for i, day in enumerate(written) for arm in "ab")
    found = counts(tmp_path, "arm,date,units,orders\n" + rows, **options)
    assert found.observed.daily == (("2024-05-06", {"a": 100, "b": 100}), ("2024-05-07", {"a": 100, "b": 100}))
    assert found["orders"]["a"] == Proportion(41, 200)


def test_a_day_that_is_not_as_the_spec_says(tmp_path: Path) -> None:
    for day, options, cure in (("06/05/2024", {}, "date_order"), ("31/31/2024", {"date_order": "dmy"}, "dmy")):
        with pytest.raises(DataError) as found:
            counts(tmp_path, f"arm,date,units,orders\na,{day},9,1\nb,{day},9,1\n", **options)
        (problem,) = found.value.problems
        assert problem.code == "bad-time" and problem.help is not None and cure in problem.help
