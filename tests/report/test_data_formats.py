"""JSON and CSV: read back, they are what the results hold."""

import csv as stdlib_csv
import io
import json as stdlib_json
from dataclasses import replace

import pandas
import pytest

from abcx.report import csv, json
from abcx.results.readout import CheckResult
from tests.support.made_results import ALL, clean, hostile, simulated


def refuse(text):
    raise AssertionError(f"{text} in JSON")


@pytest.mark.parametrize("name", ALL)
def test_json_is_the_contract(name):
    readout = ALL[name]()
    text = json.render(readout)
    assert stdlib_json.loads(text, parse_constant=refuse) == stdlib_json.loads(stdlib_json.dumps(readout.to_dict()))
    assert text.endswith("}\n")


def test_json_has_no_nan_and_keeps_letters():
    odd = CheckResult("srm", "warn", "naïve 😀", float("nan"), details={"z": float("inf"), "lone": "\ud800"})
    text = json.render(replace(clean(), checks=(odd,)))
    assert "NaN" not in text and "Infinity" not in text
    assert "naïve 😀" in text
    text.encode("utf-8")
    assert stdlib_json.loads(text)["checks"][0]["details"] == {"z": None, "lone": "\ud800"}


def test_several_results_are_a_list():
    found = stdlib_json.loads(json.render_all([clean(), simulated()]))
    assert [one["experiment"] for one in found] == ["kilt-filter", "kilt-filter"]
    assert stdlib_json.loads(json.render_all([])) == []


def test_csv_read_back_by_pandas():
    readouts = [ALL[name]() for name in ALL if name != "hostile"]
    frame = pandas.read_csv(
        io.StringIO(csv.render(readouts)), keep_default_na=False, na_values=[""], float_precision="round_trip"
    )
    rows = [row for readout in readouts for row in readout.rows()]
    assert list(frame.columns) == list(csv.COLUMNS) == list(rows[0])
    assert len(frame) == len(rows)
    for key in ("difference", "lift_high", "p_value", "alpha", "control_value"):
        expected = [row[key] for row in rows]
        assert [None if pandas.isna(x) else x for x in frame[key]] == expected
    assert list(frame["status"]) == [row["status"] for row in rows]
    assert list(frame["simulated"]) == [row["simulated"] for row in rows]


def test_csv_has_a_header_without_rows():
    assert csv.render([]) == ",".join(csv.COLUMNS) + "\n"


def test_csv_text_cannot_run_as_a_formula():
    readout = clean()
    names = ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "fine", 'a,b\n"c"')
    metrics = tuple(replace(readout["cart_visits"], name=name) for name in names)
    rows = list(stdlib_csv.DictReader(io.StringIO(csv.render([replace(readout, metrics=metrics)]))))
    assert [row["metric"] for row in rows] == ["'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\tx", "fine", 'a,b\n"c"']
    assert all(not row["difference_low"].startswith("'") for row in rows)
    assert any(row["difference_low"].startswith("-") for row in rows)


def test_csv_of_hostile_names_has_one_record_per_row():
    rows = list(stdlib_csv.DictReader(io.StringIO(csv.render([hostile()]))))
    assert len(rows) == len(hostile().rows())
    assert "" not in {row["metric"] for row in rows}
