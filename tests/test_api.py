"""The Python API: names, arguments, frames in place of files, records out."""

from __future__ import annotations

import inspect
import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import abcx
from abcx.report import json as as_json
from abcx.report import markdown
from tests.support import made_results, shipped
from tests.support.results import shares
from tests.support.shipped import ROOT

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
        "Problem",
        "Results",
        "SpecError",
        "UsageError",
        "__version__",
        "analyze",
        "counts",
        "load_spec",
        "validate",
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


def test_results_are_a_collection_of_metrics() -> None:
    results = abcx.analyze(SPEC, units=FRAME)
    assert len(results) == 2 and [metric.name for metric in results] == ["orders", "spend"]
    assert "orders" in results and results["spend"] in results and "revenue" not in results
    assert results._ipython_key_completions_() == ["orders", "spend"]


def test_the_repr_is_one_short_line() -> None:
    line = repr(abcx.counts(control=(90, 600), variant=(120, 610)))
    assert "\n" not in line and len(line) < 200
    assert line == "Results(counts: SHIP variant; Successes +31% (+2% to +68%); 1 metric)"
    broken = abcx.counts(control=(900, 9000), variant=(1100, 10_000))
    assert repr(broken) == "Results(counts: INVALID variant; 1 metric)"  # no effect where the data cannot be trusted


def test_typed_counts_are_those_of_the_command_line() -> None:
    results = abcx.counts(control=(288, 2400), variant=(90, 600), share=(0.8, 0.2), goal="increase", alpha=0.1)
    comparison = results["successes"].comparisons[0]
    assert comparison.difference == pytest.approx(90 / 600 - 288 / 2400)
    assert [arm.share for arm in results.arms] == [0.8, 0.2]
    assert results.setup.alpha == 0.1
    for arms in ({"control": (1, 2)}, {"control": (3, 2), "variant": (1, 2)}, {"control": (1.5, 2), "variant": (1, 2)}):
        with pytest.raises(abcx.AbcxError):
            abcx.counts(**arms)


def test_validate_gives_every_problem_and_reads_no_data() -> None:
    found = abcx.validate({**SPEC, "metrix": {}, "data": {"units": "no-such-file.csv"}})
    assert [problem.code for problem in found if problem.level == "error"] == ["unknown-key"]
    assert all(isinstance(problem, abcx.Problem) for problem in found)
    assert [problem.level for problem in abcx.validate(SPEC)] == ["warning"]  # no minimum effect
    assert abcx.validate("no-such-spec.yaml")[0].code == "spec-not-found"


@pytest.mark.parametrize("name", shipped.NAMES)
def test_results_are_read_back_from_their_json(name: str, tmp_path: Path) -> None:
    results = shipped.results(name)
    text = as_json.render(results)
    (tmp_path / "lift.json").write_text(text, encoding="utf-8")
    for source in (text, tmp_path / "lift.json", str(tmp_path / "lift.json")):
        again = abcx.Results.from_json(source)
        assert again.to_dict() == results.to_dict()
    assert markdown.render(again) == markdown.render(results)


def test_what_is_no_json_of_results_is_refused(tmp_path: Path) -> None:
    whole = abcx.analyze(SPEC, units=FRAME).to_dict()
    bad = {
        "{": "is no JSON",
        "{}": "holds no results",
        json.dumps({**whole, "schema_version": 1}): "has schema_version 1, not 2",
        json.dumps({**whole, "metrics": [{"name": "orders"}]}): "holds no results of an experiment: metrics.0",
    }
    for text, message in bad.items():
        with pytest.raises(abcx.UsageError, match=message):
            abcx.Results.from_json(text)
    with pytest.raises(abcx.UsageError, match="cannot read"):
        abcx.Results.from_json(tmp_path / "gone.json")


def test_the_tables_of_a_readout() -> None:
    results = shipped.results("buyakilt-product-filter")
    arms = results.to_frame("arms")
    assert list(arms["units"][:2]) == [9020, 9058] and set(arms["metric"]) == {metric.name for metric in results}
    checks = results.to_frame("checks")
    assert len(checks) == len(results.checks) and set(checks["status"]) >= {"pass", "warn"}
    segments = results.to_frame("segments")
    assert {"device", "channel"} == set(segments["segment"])
    for_desktop = segments[(segments["metric"] == "orders") & (segments["value"] == "desktop")].iloc[0]
    assert for_desktop["lift_low"] < for_desktop["lift"] < for_desktop["lift_high"]
    over_time = results.to_frame("over_time")
    assert set(over_time["kind"]) == {"cumulative", "since_exposure"}
    assert results.to_frame("metrics").equals(results.to_frame())
    with pytest.raises(KeyError, match="metrics, arms, checks, segments, over_time"):
        results.to_frame("rows")  # type: ignore[arg-type]


def test_markdown_of_results() -> None:
    results = shipped.results("buyakilt-product-filter")
    summary = results.to_markdown(summary=True)
    assert summary.count("\n") <= 25 and results.to_markdown().startswith(summary.rstrip("\n"))


def test_a_frame_with_other_column_names_needs_no_file() -> None:
    frame = FRAME.rename(columns={"unit": "u", "arm": "a"})
    spec = {**SPEC, "data": {"units": {"columns": {"unit": "u", "arm": "a"}}}}
    assert abcx.analyze(spec, units=frame)["orders"].arms == abcx.analyze(SPEC, units=FRAME)["orders"].arms
    with pytest.raises(abcx.DataError, match="the spec names no file of units"):
        abcx.analyze(spec)
    assert "no-file" in [problem.code for problem in abcx.validate(spec)]


def test_a_dict_may_hold_dates() -> None:
    period = {"start": date(2024, 3, 4), "end": datetime(2024, 3, 31, 18)}
    results = abcx.analyze({**SPEC, "period": period}, units=FRAME)
    assert results.setup.period == "2024-03-04 to 2024-03-31T18:00:00 (UTC)"


def test_it_works_in_a_kernel_without_widgets() -> None:
    """Run with ipykernel and nbclient; ipywidgets, which DuckDB asks for in a notebook, is not installed."""
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    code = f"import abcx\nresults = abcx.analyze({str(ROOT / 'experiments/buyakilt-product-filter/experiment.yaml')!r})"
    cells = [
        nbformat.v4.new_code_cell(text) for text in (code, "results", "print(results)", "results.to_frame('arms')")
    ]
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    card = notebook.cells[1].outputs[0]["data"]
    assert card["text/plain"].startswith("Results(buyakilt-product-filter: SHIP variant; Orders +26.0%")
    assert "<svg" in card["text/html"] and "SIMULATED DATA" in card["text/html"] and "<script" not in card["text/html"]
    assert notebook.cells[2].outputs[0]["text"].count("\n") == 1
    assert not [output for cell in notebook.cells for output in cell.outputs if output.get("name") == "stderr"]


def test_the_card_escapes_what_others_wrote() -> None:
    html = made_results.ALL["hostile"]()._repr_html_()
    assert "<script" not in html and "<h1>" not in html and "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert re.findall(r"<(\w+)", html) and set(re.findall(r"<(\w+)", html)) <= {
        *("div", "strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"),
        *("svg", "rect", "line", "g", "circle"),
    }
