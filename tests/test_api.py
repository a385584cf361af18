"""The Python API: names, arguments, frames in place of files, records out."""

from __future__ import annotations

import inspect
import json
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import abcx
from tests.support.results import shares

SPEC: dict[str, Any] = {
    "schema_version": 1,
    "name": "frames",
    "arms": {"control": {}, "variant": {}},
    "metrics": {
        "orders": {"type": "conversion", "column": "ordered", "role": "primary", "goal": "increase"},
        "spend": {"type": "mean", "column": "spent", "role": "secondary", "goal": "increase"},
    },
}
FRAME = pd.DataFrame(
    {
        "unit": range(8),
        "arm": ["control", "variant"] * 4,
        "ordered": [True, True, False, True, False, False, False, True],
        "spent": [1.5, 2.0, 0.0, 4.0, None, 0.0, 0.0, 8.0],
    }
)


def test_the_names_are_frozen() -> None:
    assert sorted(abcx.__all__) == [
        "AbcxError",
        "DataError",
        "Experiment",
        "Results",
        "SpecError",
        "__version__",
        "analyze",
        "load_spec",
    ]
    parameters = inspect.signature(abcx.analyze).parameters
    assert list(parameters) == ["spec", "events", "exposures", "units", "as_of", "seed", "allow_outside", "engine"]
    assert [p for p in parameters if parameters[p].kind is inspect.Parameter.KEYWORD_ONLY] == [
        "events",
        "exposures",
        "units",
        "as_of",
        "seed",
        "allow_outside",
        "engine",
    ]
    assert list(inspect.signature(abcx.load_spec).parameters) == ["spec"]


@pytest.mark.parametrize(
    "convert", [lambda frame: frame, pl.from_pandas, pa.Table.from_pandas], ids=["pandas", "polars", "arrow"]
)
@pytest.mark.slow
def test_frames_stand_in_for_files(convert: Any) -> None:
    results = abcx.analyze(SPEC, units=convert(FRAME))
    assert [(arm.successes, arm.units) for arm in results["orders"].arms] == [(1, 4), (3, 4)]
    control, variant = results["spend"].arms
    assert (control.units, control.value, control.missing) == (3, 0.5, 1)  # an empty value is missing, not zero
    assert (variant.units, variant.value, variant.missing) == (4, 3.5, 0)


def test_a_loaded_spec_is_taken_too() -> None:
    assert abcx.analyze(abcx.load_spec(SPEC), units=FRAME).arms == abcx.analyze(SPEC, units=FRAME).arms


def test_event_and_exposure_frames_with_times() -> None:
    spec = {
        **SPEC,
        "window": "1d",
        "metrics": {"orders": {"type": "conversion", "event": "purchase", "role": "primary", "goal": "increase"}},
    }
    exposures = pd.DataFrame(
        {"unit": ["a", "b"], "arm": ["control", "variant"], "time": pd.to_datetime(["2024-03-04 10:00"] * 2)}
    )
    events = pd.DataFrame(
        {
            "unit": ["a", "b", "b"],
            "event": "purchase",
            "time": pd.to_datetime(["2024-03-05 10:00:00", "2024-03-05 09:59:59", "2024-03-09 00:00:00"]),
        }
    )
    results = abcx.analyze(spec, exposures=exposures, events=events)
    assert [arm.successes for arm in results["orders"].arms] == [0, 1]


def test_results_are_looked_up_by_metric() -> None:
    results = abcx.analyze(SPEC, units=FRAME)
    assert results["orders"].comparisons[0].lift_interval is not None
    with pytest.raises(KeyError, match="there are: orders, spend"):
        results["revenue"]


def test_the_dict_is_json_and_keeps_the_contract() -> None:
    found = abcx.analyze(SPEC, units=FRAME).to_dict()
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text) == found
    assert found["schema_version"] == 2
    assert {"abcx_version", "experiment", "verdict", "arms", "checks", "metrics", "data"} <= set(found)
    assert {"verdict", "reasons", "arm"} <= set(found["verdict"])
    assert {"name", "units", "share"} == set(found["arms"][0])
    assert {"code", "status", "message", "p_value", "details"} <= set(found["checks"][0])
    metric = found["metrics"][0]
    assert {"name", "type", "role", "goal", "arms", "comparisons"} <= set(metric)
    assert {"name", "units", "value", "interval"} <= set(metric["arms"][0])
    contract = (
        "arm control method difference difference_interval lift lift_interval p_value p_value_adjusted alpha status"
    )
    assert set(contract.split()) <= set(metric["comparisons"][0])
    assert {"files", "exclusions"} <= set(found["data"])


def test_the_frame_has_a_row_per_comparison() -> None:
    frame = abcx.analyze(SPEC, units=FRAME).to_frame()
    assert list(frame["metric"]) == ["orders", "spend"]
    assert frame.loc[0, "arm_value"] == 0.75


def test_a_notebook_shows_a_table_with_names_escaped() -> None:
    results = shares((10, 100), (20, 100))
    assert "<table" in results._repr_html_()
    spec = {**SPEC, "metrics": {"<b>": SPEC["metrics"]["orders"]}}
    assert "<b>" not in abcx.analyze(spec, units=FRAME)._repr_html_()


def test_errors_name_what_is_wrong() -> None:
    with pytest.raises(abcx.SpecError, match="unknown-key"):
        abcx.load_spec({**SPEC, "metrix": {}})
    with pytest.raises(abcx.DataError, match="no column 'spent'"):
        abcx.analyze(SPEC, units=FRAME.drop(columns="spent"))
    with pytest.raises(abcx.DataError, match="pass a pandas, Polars or Arrow table"):
        abcx.analyze(SPEC, units=object())
    with pytest.raises(abcx.DataError, match="the spec names no data files"):
        abcx.analyze(SPEC)
    with pytest.raises(abcx.DataError, match="'orders' needs units, and no units file is named"):
        abcx.analyze(SPEC, exposures=FRAME)


def test_as_of_and_seed_replace_those_of_the_spec() -> None:
    results = abcx.analyze({**SPEC, "analysis": {"seed": 1}}, units=FRAME, seed=7)
    assert results.setup.seed == 7
    with pytest.raises(abcx.AbcxError, match="not a date or time: 'yesterday'"):
        abcx.analyze(SPEC, units=FRAME, as_of="yesterday")
