"""Numbers, flags, conditions, caps and repeated units: what one value per unit is, and its moments."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats

from abcx.errors import DataError
from tests.support import log_oracle
from tests.support.logs import CONVERSION, look, spec, table, to_csv
from tests.support.notes import texts


def mean(column: str = "x", **rest: Any) -> dict[str, Any]:
    return {"m": {"type": "mean", "column": column, "role": "primary", "goal": "increase", **rest}}


def units(tmp_path: Path, values: dict[str, list[Any]], metrics: dict[str, Any] | None = None, **options: Any) -> Any:
    rows = [[f"{arm}{n}", arm, value] for arm, found in values.items() for n, value in enumerate(found)]
    files = {"u.csv": to_csv(["unit", "arm", "x"], rows)}
    return look(tmp_path, files, spec({"units": {"file": "u.csv", **options}}, metrics or mean()))


NUMBERS = st.floats(-1000, 1000).filter(lambda x: x == 0 or abs(x) > 1e-140)
"""Values that differ by less than 1e-150 are refused."""


@pytest.mark.slow
@given(
    st.sampled_from([0.0, 1e9, -1e9, 1e6]),
    st.lists(NUMBERS, min_size=1, max_size=40),
    st.lists(NUMBERS, max_size=40),
)
@settings(max_examples=40, deadline=None)
def test_moments_agree_with_numpy_far_from_zero(shift: float, a: list[float], b: list[float]) -> None:
    values = {"a": [repr(shift + v) for v in a], "b": [repr(shift + v) for v in b]}
    with tempfile.TemporaryDirectory() as folder:
        found = units(Path(folder), values)
    for arm, written in values.items():
        x = [float(text) for text in written]
        summary, want = found["m"][arm], log_oracle.moments(x)
        assert (summary.n, summary.nonzero) == (want["n"], want["nonzero"])
        assert (summary.minimum, summary.maximum) == (want["minimum"], want["maximum"])
        assert summary.mean == pytest.approx(want["mean"], rel=1e-14, abs=1e-12)
        # What double precision can hold of numbers near 1e9: their last digit is 1e-7.
        assert summary.variance == pytest.approx(want["variance"], rel=1e-9, abs=1e-12 * max(1.0, abs(shift)) * 1e-2)
        if len(x) > 2 and np.std(x) > 1e-3:
            # The oracle's own cubes lose their digits near 1e9; taking the shift off again is exact.
            assert summary.skewness == pytest.approx(stats.skew(np.array(x) - shift, bias=False), rel=1e-6, abs=1e-6)


@pytest.mark.slow
def test_variance_near_a_billion_keeps_nine_digits(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    values = {arm: [float(v) for v in 1e9 + rng.normal(shift, 1, 5000)] for arm, shift in (("a", 0), ("b", 1))}
    found = units(tmp_path, {arm: [repr(v) for v in some] for arm, some in values.items()})
    for arm, some in values.items():
        assert found["m"][arm].variance == pytest.approx(np.var(some, ddof=1), rel=1e-9)
        assert found["m"][arm].skewness == pytest.approx(stats.skew(some, bias=False), abs=1e-5)


@pytest.mark.slow
@given(
    st.lists(st.integers(0, 50), min_size=4, max_size=60),
    st.sampled_from(["50%", "75%", "90%", "99%", "99.9%", 7]),
    st.integers(0, 2),
)
@settings(max_examples=40, deadline=None)
def test_caps_are_pooled_quantiles_of_type_7(values: list[int], cap: Any, split: int) -> None:
    arms = {"a": values[split + 1 :], "b": values[: split + 1]}
    level = cap if isinstance(cap, int) else log_oracle.quantile([float(v) for v in values], float(cap[:-1]) / 100)
    with tempfile.TemporaryDirectory() as folder:
        if level <= 0:
            with pytest.raises(DataError, match="falls at 0: most units have no value"):
                units(Path(folder), arms, mean(cap=cap))
            return
        found = units(Path(folder), arms, mean(cap=cap))
    data = found.observed.metrics["m"]
    assert data.cap == pytest.approx(level, rel=1e-12)
    for arm, some in arms.items():
        want, raw = log_oracle.moments([min(v, level) for v in some]), log_oracle.moments([float(v) for v in some])
        assert data.summaries[arm].mean == pytest.approx(want["mean"], rel=1e-12)
        assert data.summaries[arm].variance == pytest.approx(want["variance"], rel=1e-9, abs=1e-12)
        assert data.uncapped[arm].mean == pytest.approx(raw["mean"], rel=1e-12)
        assert data.capped[arm] == sum(v > level for v in some)
        assert data.top[arm][0][0] == pytest.approx(min(max(some), level))


def test_a_cap_counts_units_without_events_as_zeros(tmp_path: Path) -> None:
    rows: list[list[Any]] = [[f"u{n}", "2024-03-04", "ab"[n % 2], "seen", None] for n in range(100)]
    rows += [[f"u{n}", "2024-03-04", None, "purchase", n] for n in range(80, 100)]
    metrics = {
        "m": {"type": "mean", "event": "purchase", "value": "v", "cap": "90%", "role": "primary", "goal": "increase"}
    }
    found = look(tmp_path, {"e.csv": to_csv(["unit", "time", "arm", "event", "v"], rows)}, spec(metrics=metrics))
    assert found.observed.metrics["m"].cap == pytest.approx(
        log_oracle.quantile([0.0] * 80 + [float(n) for n in range(80, 100)], 0.9)
    )
    metrics["m"]["cap"] = "75%"
    with pytest.raises(DataError, match="cap-at-zero"):
        look(tmp_path, {}, spec(metrics=metrics))


def test_top_values_are_the_largest_in_order(tmp_path: Path) -> None:
    found = units(tmp_path, {"a": [3, 9, None, 4], "b": [1]})
    assert found.observed.metrics["m"].top == {"a": ((9, 1), (4, 1), (3, 1)), "b": ((1, 1),)}


def test_a_ratio_takes_the_units_that_have_both_columns(tmp_path: Path) -> None:
    text = "unit,arm,x,y\n1,a,1,2\n2,a,,5\n3,a,4,\n4,a,3,7\n5,b,1,1\n6,b,2,5\n7,b,3,1\n"
    parts = {"numerator": {"column": "x"}, "denominator": {"column": "y"}}
    metrics = {"m": {"type": "ratio", **parts, "role": "primary", "goal": "increase"}}
    found = look(tmp_path, {"u.csv": text}, spec({"units": "u.csv"}, metrics))
    pairs = {"a": [(1, 2), (3, 7)], "b": [(1, 1), (2, 5), (3, 1)]}
    for arm, both in pairs.items():
        summary = found["m"][arm]
        for part, position in ((summary.numerator, 0), (summary.denominator, 1)):
            want = log_oracle.moments([pair[position] for pair in both])
            assert (part.n, part.mean, part.variance) == pytest.approx((want["n"], want["mean"], want["variance"]))
        assert summary.covariance == pytest.approx(log_oracle.covariance(both))
    assert found.observed.metrics["m"].missing == {"a": 2, "b": 0}
    assert found.observed.metrics["m"].top["b"] == ((3, 1), (2, 5), (1, 1))


def test_count_units_counts_a_unit_once(tmp_path: Path) -> None:
    text = to_csv(
        ["unit", "time", "arm", "event", "v"],
        [
            [u, "2024-03-04", arm, "purchase", v]
            for u, arm, v in [("1", "a", 5), ("1", "a", 7), ("2", "b", 1), ("3", "b", 2)]
        ],
    )
    parts = {"numerator": {"event": "purchase", "value": "v"}, "denominator": {"event": "purchase", "count": "units"}}
    found = look(
        tmp_path,
        {"e.csv": text},
        spec(metrics={"m": {"type": "ratio", **parts, "role": "primary", "goal": "increase"}}),
    )
    assert [(s.numerator.mean, s.denominator.mean) for s in found["m"].values()] == [(12, 1), (1.5, 1)]


@pytest.mark.parametrize(
    ("rule", "mean_a", "bought"),
    [("first", (5 + 3) / 2, 1), ("last", (8 + 3) / 2, 2), ("sum", (13 + 3) / 2, 2)],
)
@pytest.mark.slow
def test_a_unit_on_several_rows_of_units(tmp_path: Path, rule: str, mean_a: float, bought: int) -> None:
    text = "unit,arm,x,bought\n1,a,5,0\n2,a,3,1\n1,a,8,1\n3,b,1,0\n"
    metrics = {**mean(), "orders": {"type": "conversion", "column": "bought", "role": "secondary", "goal": "increase"}}
    written = spec({"units": {"file": "u.csv", "duplicates": rule}}, metrics)
    found = look(tmp_path, {"u.csv": text}, written)
    assert found["m"]["a"].mean == mean_a
    assert found.successes() == {"a": (bought, 2), "b": (0, 1)}
    assert found.lost() == {"duplicate_unit": (1, 1)}
    assert found.observed.duplicate_units == 1
    with pytest.raises(DataError, match=r"1 unit stands on several rows[\s\S]*duplicates: first"):
        look(tmp_path, {}, spec({"units": "u.csv"}, metrics))


def test_first_and_last_go_by_time_where_there_is_one(tmp_path: Path) -> None:
    text = "unit,arm,time,x\n1,a,2024-03-06,5\n1,a,2024-03-04,3\n1,a,2024-03-05,4\n2,b,2024-03-04,1\n"
    for rule, x in (("first", 3), ("last", 5), ("sum", 12)):
        found = look(tmp_path, {"u.csv": text}, spec({"units": {"file": "u.csv", "duplicates": rule}}, mean()))
        assert found["m"]["a"].mean == x


def test_first_takes_the_first_row_even_where_it_is_empty(tmp_path: Path) -> None:
    text = "unit,arm,x\n1,a,\n1,a,8\n2,b,1\n"
    found = look(tmp_path, {"u.csv": text}, spec({"units": {"file": "u.csv", "duplicates": "first"}}, mean()))
    assert found.observed.metrics["m"].missing == {"a": 1, "b": 0}


MISSING = table("""
unit time       arm event    amount
u1   2024-03-04 a   seen     _
u1   2024-03-04 a   purchase _
u1   2024-03-05 a   purchase 6
u2   2024-03-04 b   seen     x
""")


@pytest.mark.parametrize(("rule", "count"), [("zero", 2), ("drop", 1)])
@pytest.mark.slow
def test_events_without_a_value(tmp_path: Path, rule: str, count: int) -> None:
    term = {"event": "purchase", "value": "amount", "missing_value": rule}
    metrics: dict[str, dict[str, Any]] = {
        "m": {"type": "mean", **term, "role": "primary", "goal": "increase"},
        "r": {"type": "ratio", "numerator": term, "denominator": {"event": "purchase"}, "role": "descriptive"},
    }
    found = look(tmp_path, {"e.csv": MISSING}, spec(metrics=metrics))
    assert found.sums("m") == {"a": (6, 1), "b": (0, 1)}
    assert found.lost() == ({} if rule == "zero" else {"no_value": (None, 1)})
    (note,) = (note for note in texts(found.observed.notes) if "no metric uses" in note)
    assert note == "2 rows hold events that no metric uses: they only name the arms of their units"
    assert found["r"]["a"].denominator.mean == 2
    del term["missing_value"]
    metrics["m"].pop("missing_value")
    with pytest.raises(
        DataError, match=r"a 'purchase' has no value\n *--> e\.csv:3 \(amount\)[\s\S]*missing_value: zero or drop"
    ):
        look(tmp_path, {}, spec(metrics=metrics))


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["zero", "drop", None])
@pytest.mark.parametrize(
    "text", ["5 apples", "-", "abc", "NaN", "inf", "1e400", "1_000", "0x10", "1e60", "-Infinity", "$5 EUR 3"]
)
def test_a_value_that_is_no_number_is_never_missing(tmp_path: Path, text: str, rule: str | None) -> None:
    """`missing_value` is about empty cells; `1_000`, which some parsers take for 1000, is refused too."""
    metrics = {"m": {"type": "mean", "event": "purchase", "value": "amount", "role": "primary", "goal": "increase"}}
    if rule:
        metrics["m"]["missing_value"] = rule
    with pytest.raises(DataError) as error:
        look(tmp_path, {"e.csv": MISSING.replace("purchase,6", f"purchase,{text}")}, spec(metrics=metrics))
    last = error.value.problems[-1]
    assert last.code == "bad-value"
    if rule:
        assert f"'{text.strip(chr(34))}'" in last.message
        assert last.span is not None and (last.span.line, last.span.path) == (4, "amount")


@pytest.mark.parametrize("text", ["2", "maybe", "0.5", "-1", "NaN", "10"])
def test_a_flag_is_yes_or_no(tmp_path: Path, text: str) -> None:
    metrics = {"orders": {"type": "conversion", "column": "x", "role": "primary", "goal": "increase"}}
    with pytest.raises(DataError, match=rf"bad-flag\]: '{text}' is neither[\s\S]*u\.csv:3"):
        units(tmp_path, {"a": [0, text], "b": [1]}, metrics)


def test_flags_in_many_spellings(tmp_path: Path) -> None:
    metrics = {"orders": {"type": "conversion", "column": "x", "role": "primary", "goal": "increase"}}
    values = {
        "a": [0, "false", "FALSE", "no", "N", "0.0", " f "],
        "b": [1, "true", "True", "Yes", "y", "1.0", "t", None],
    }
    assert units(tmp_path, values, metrics).successes() == {"a": (0, 7), "b": (7, 7)}


@pytest.mark.parametrize(
    ("options", "cells", "values"),
    [
        ({"decimal": ","}, ["1,5", "-2", "3,25e1"], [1.5, -2, 32.5]),
        ({"decimal": ",", "thousands": "."}, ["1.234,5", "1.234.567", "12"], [1234.5, 1234567, 12]),
        ({"thousands": ","}, ["1,234.5", "12,345,678", "1234"], [1234.5, 12345678, 1234]),
        ({"thousands": " "}, ["1 234.5", "+12 345", "7"], [1234.5, 12345, 7]),
        ({}, [" 5 ", "+5", ".5"], [5, 5, 0.5]),
        ({"null": ["n/a", "-", "NULL"]}, ["n/a", "-", "7"], [None, None, 7]),
    ],
)
@pytest.mark.slow
def test_how_numbers_are_written(tmp_path: Path, options: Any, cells: list[str], values: list[float | None]) -> None:
    known = [value for value in values if value is not None]
    found = units(tmp_path, {"a": cells, "b": [0]}, **options)
    assert (found["m"]["a"].n, found["m"]["a"].mean) == pytest.approx((len(known), np.mean(known)))


@pytest.mark.parametrize(
    ("options", "cell"),
    [
        ({"thousands": ","}, "1,5"),  # not 15
        ({"thousands": ","}, "1,2,3456"),
        ({"decimal": ",", "thousands": "."}, "1.5"),  # not 15
        ({"decimal": ","}, "1.234"),  # 1.234 or 1234? not guessed
        ({"decimal": ","}, "1,2,3"),
        ({}, "1,5,"),
        ({"thousands": ","}, ","),
    ],
)
@pytest.mark.slow
def test_numbers_that_could_be_misread_are_refused(tmp_path: Path, options: Any, cell: str) -> None:
    with pytest.raises(DataError, match=f"'{cell}' is not a usable number"):
        units(tmp_path, {"a": [cell, 1], "b": [0]}, **options)


ROWS = table("""
unit arm kind  code price plan paid
u1   a   x     01   10    pro  true
u2   a   X     1    99.5  team 1
u3   a   1     1.0  100   _    yes
u4   a   true  1e0  101   free FALSE
u5   a   _     2    _     pro  _
u6   b   x     9    100   pro  0
""")


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        ({"kind": "x"}, "u1 u6"),
        ({"kind": "1"}, "u3"),
        ({"kind": 1}, "u3"),
        ({"kind": True}, "u3 u4"),
        ({"kind": None}, "u5"),
        ({"kind": ["x", "X", None]}, "u1 u2 u5 u6"),
        ({"code": 1}, "u1 u2 u3 u4"),
        ({"code": "1"}, "u2"),
        ({"code": "01"}, "u1"),
        ({"code": [1, "9"]}, "u1 u2 u3 u4 u6"),
        ({"price": {"min": 100}}, "u3 u4 u6"),
        ({"price": {"max": 100}}, "u1 u2 u3 u6"),
        ({"price": {"min": 99.5, "max": 100}}, "u2 u3 u6"),
        ({"price": {"min": 100}, "plan": ["pro", "team"]}, "u6"),
        ({"price": 100}, "u3 u6"),
        ({"paid": True}, "u1 u2 u3"),
        ({"paid": False}, "u4 u6"),
        ({"paid": [True, None]}, "u1 u2 u3 u5"),
        ({"unit": ["u1", "u2"]}, "u1 u2"),
        ({"arm": "b"}, "u6"),
        ({"kind": "' OR 1=1 --"}, ""),
        ({"code": 10**400}, ""),
        ({"code": 2**63}, ""),
        ({"kind": "a\0b"}, ""),
        ({"who": "u2"}, "u2"),
    ],
)
@pytest.mark.slow
def test_where(tmp_path: Path, where: Any, kept: str) -> None:
    """Scalars are equality (text with text, numbers as numbers), lists membership, {min, max} inclusive, null missing;
    a canonical name serves where the header has another."""
    columns = {"unit": "who"} if "who" in where else {}
    text = ROWS.replace("unit,", "who,") if columns else ROWS
    data = {"units": {"file": "u.csv", "where": where, "columns": columns}}
    found = look(tmp_path, {"u.csv": text}, spec(data, mean("price")))
    assert " ".join(unit["unit"] for unit in found.units) == kept


def test_where_on_canonical_names(tmp_path: Path) -> None:
    text = "who,grp,at,what,much\n1,a,2024-03-04,x,5\n2,b,2024-03-05,x,6\n3,b,2024-03-04,y,7\n"
    columns = {"unit": "who", "arm": "grp", "time": "at", "event": "what", "value": "much"}
    x = {"type": "mean", "event": "x", "value": "value", "role": "primary", "goal": "increase"}
    for where, sums in (
        ({"value": {"max": 5}}, {"a": (5, 1), "b": (0, 2)}),
        ({"time": "2024-03-05"}, {"a": (0, 1), "b": (6, 2)}),  # text compares as text, times too
        ({"unit": "2", "arm": "b"}, {"a": (0, 1), "b": (6, 2)}),
    ):
        metrics = {"m": {**x, "where": where}}
        found = look(tmp_path, {"e.csv": text}, spec({"events": {"file": "e.csv", "columns": columns}}, metrics))
        assert found.sums("m") == sums


@pytest.mark.parametrize("cell", ["120 apples", "1,2,3", "n/a", "nan"])
@pytest.mark.slow
def test_a_range_over_something_that_is_no_number_is_refused(tmp_path: Path, cell: str) -> None:
    text = (
        f'unit,time,arm,event,price\n1,2024-03-04,a,view,home\n1,2024-03-04,a,purchase,"{cell}"\n2,2024-03-04,b,x,5\n'
    )
    metrics = {"orders": {**CONVERSION["orders"], "where": {"price": {"min": 100}}}}
    with pytest.raises(DataError, match=r"is not a number\n *--> e\.csv:3 \(price\)"):
        look(tmp_path, {"e.csv": text}, spec(metrics=metrics))


def test_rows_that_where_leaves_out_may_hold_anything(tmp_path: Path) -> None:
    text = (
        "unit,time,arm,event,v,web\n1,2024-03-04,a,purchase,5,1\n1,2024-03-04,a,purchase,,0\n"
        "1,9999-01-01,a,purchase,x,0\n2,2024-03-04,b,purchase,1,1\n"
    )
    metrics = {"m": {"type": "mean", "event": "purchase", "value": "v", "role": "primary", "goal": "increase"}}
    data = {"events": {"file": "e.csv", "where": {"web": True}}}
    assert look(tmp_path, {"e.csv": text}, spec(data, metrics)).sums("m") == {"a": (5, 1), "b": (1, 1)}
    left_out = {"m": {**metrics["m"], "where": {"web": True}}}
    cut = {"analysis": {"as_of": "2024-04-01"}}
    text = text.replace("9999-01-01", "2025-01-01")
    assert look(tmp_path, {"e.csv": text}, spec(metrics=left_out, **cut)).sums("m") == {"a": (5, 1), "b": (1, 1)}


def test_the_line_of_a_bad_cell_counts_line_breaks_inside_cells(tmp_path: Path) -> None:
    text = 'unit,arm,note,x\n1,a,"two\nlines\n",5\n2,b,one,oops\n'
    with pytest.raises(DataError, match=r"u\.csv:5 \(x\)"):
        look(tmp_path, {"u.csv": text}, spec({"units": "u.csv"}, mean()))
    events = 'unit,arm,note,time,event\n1,a,"two\nlines\n",2024-03-04,x\n2,b,one,soon,x\n'
    with pytest.raises(DataError, match=r"e\.csv:5 \(time\)"):
        look(tmp_path, {"e.csv": events}, spec())
    with pytest.raises(DataError, match=r"e\.csv:7 \(time\)"):
        look(tmp_path, {"e.csv": "a title\n\n" + events}, spec({"events": {"file": "e.csv", "skip": 2}}))
