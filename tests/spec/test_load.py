"""Loading: paths, dicts, the 1.2 core rules of YAML, and the exact place of every value."""

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from abcx.errors import SpecError
from abcx.metrics.conversion import Conversion
from abcx.problems import render
from abcx.spec.document import read
from abcx.spec.load import check, load, load_spec
from abcx.spec.model import CountsFile

POSITIVE = Path(__file__).parent / "positive"


def minimal() -> dict[str, Any]:
    orders = {"type": "conversion", "role": "primary", "goal": "increase", "minimum_effect": "5%"}
    return {"schema_version": 1, "name": "minimal", "arms": {"a": None, "b": {}}, "metrics": {"orders": orders}}


def code_of(path: Path | str) -> str:
    with pytest.raises(SpecError) as caught:
        load_spec(path)
    (problem,) = caught.value.problems
    return problem.code


def test_core_rules() -> None:
    spec = load_spec(POSITIVE / "yaml-core.yaml")
    assert (spec.owner, spec.title, spec.hypothesis, spec.description) == ("off", "12:30", "2024-03-04", "y")
    assert spec.tags == ("NO", "on", "Yes", "1_000", "0b11", "190:20:30")
    assert spec.shares() == {"off": 0.5, "on": 0.5}
    assert (spec.analysis.alpha, spec.analysis.seed) == (0.05, 16)
    orders = spec.metrics["orders"]
    assert isinstance(orders, Conversion) and orders.event == "NO"


@pytest.mark.parametrize(
    "text, value",
    [
        ("~", None), ("null", None), ("Null", None), ("", None),
        ("nUll", "nUll"),
        ("true", True), ("True", True), ("FALSE", False), ("yes", "yes"), ("on", "on"), ("n", "n"),
        ("12", 12), ("+12", 12), ("-0", 0), ("0o17", 15), ("0xfF", 255), ("017", 17), ("0b1", "0b1"),
        ("1_000", "1_000"),
        ("5e-2", 0.05), ("1.", 1.0), (".5", 0.5), ("-.5e+3", -500.0), ("1e3", 1000.0), ("1.2.3", "1.2.3"),
        ("12:30", "12:30"), ("2024-03-04", "2024-03-04"), ("=", "="), (".", "."),
        ("'12'", "12"), ('"true"', "true"), ("!!str 12", "12"),
    ],
)  # fmt: skip
def test_scalars(text: str, value: object) -> None:
    document = read(f"key: {text}\n".encode(), "spec.yaml")
    assert document.problems == []
    assert document.value == {"key": value}
    assert type(document.value["key"]) is type(value)


def test_defaults() -> None:
    spec = load_spec(minimal())
    assert (spec.control, spec.variants, spec.timezone, spec.unit) == ("a", ("b",), "UTC", "units")
    assert (spec.analysis.alpha, spec.analysis.monitoring, spec.analysis.correction) == (0.05, "fixed", "holm")
    assert (spec.analysis.interval, spec.analysis.seed, spec.plan.power) == ("auto", 0, 0.8)
    assert spec.shares() == {"a": 0.5, "b": 0.5}


def test_the_four_shapes() -> None:
    data = load_spec(POSITIVE / "sources.yaml").data
    assert data is not None
    assert [ref.path for source in data.events for ref in source.file] == [
        "events.csv", "calls.csv", "more/*.jsonl", "c1.csv", "c2.csv", "v.csv"
    ]  # fmt: skip
    assert [ref.arm for ref in data.events[3].file] == ["control", "control", "variant"]
    assert (data.exposures[0].columns["arm"], data.units[0].attributes) == ("variation_name", ("country", "device"))
    per_arm = load_spec(POSITIVE / "per-arm.yaml").data
    assert per_arm is not None and [ref.arm for ref in per_arm.events[0].file] == ["control", "variant", "variant"]
    assert [source.file[0].path for source in per_arm.exposures] == ["a.csv", "b.csv.gz"]


def test_counts() -> None:
    data = load_spec(POSITIVE / "counts.yaml").data
    assert data is not None and isinstance(data.counts, dict)
    assert (data.counts["control"].units, data.counts["control"].metrics["orders"].count) == (15640, 1847)
    assert data.counts["variant"].metrics["revenue"].units == 15000
    for name in ("counts-file", "counts-path"):
        data = load_spec(POSITIVE / f"{name}.yaml").data
        assert data is not None and isinstance(data.counts, CountsFile)
        assert data.counts.file[0].path == "counts.csv"


def test_a_loaded_spec_knows_where_it_came_from(tmp_path: Path) -> None:
    path = tmp_path / "experiment.yaml"
    path.write_text(json.dumps(minimal()))
    loaded = load(path)
    assert (loaded.base, loaded.path) == (tmp_path, str(path))
    assert loaded.sha256 is not None and len(loaded.sha256) == 64


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(json.dumps(minimal()).encode())))
    loaded = load("-")
    assert (loaded.experiment.name, loaded.path, loaded.base) == ("minimal", "<stdin>", Path())


def test_a_dict_is_not_changed_and_its_problems_have_paths() -> None:
    spec = minimal()
    spec["metrics"]["orders"] |= {"goal": "up", "extra": 1}
    spec["metrics"]["score"] = {"type": "npss"}
    before = json.dumps(spec)
    with pytest.raises(SpecError) as caught:
        load_spec(spec)
    assert json.dumps(spec) == before
    assert {problem.span.path for problem in caught.value.problems if problem.span} == {
        "metrics.orders.goal", "metrics.orders.extra", "metrics.score.type"
    }  # fmt: skip


def test_warnings_do_not_refuse(tmp_path: Path) -> None:
    spec = minimal()
    del spec["metrics"]["orders"]["minimum_effect"]
    assert [problem.code for problem in load(spec).warnings] == ["no-minimum-effect"]


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    assert code_of(tmp_path / "none.yaml") == "spec-not-found"
    assert code_of(tmp_path) == "spec-is-folder"
    assert code_of("a\0b.yaml") == "spec-unreadable"
    (tmp_path / "loop.yaml").symlink_to(tmp_path / "loop.yaml")
    assert code_of(tmp_path / "loop.yaml") == "spec-unreadable"


def test_places_of_keys_and_values() -> None:
    arms = "arms: {a: , b: {shar: 1, labels: ['é', [1]]}}"
    text = f"schema_version: 1\nname: x\n{arms}\nmetrics:\n  m:\n    type: mean\n    role: chief\n"
    _, problems = check(read(text.encode(), "s.yaml"))
    shown = {str(p.span): p.span.text[p.span.column - 1 :][: p.span.width] for p in problems if p.span}
    assert shown == {
        "s.yaml:3:17 (arms.b.shar)": "shar",
        "s.yaml:3:40 (arms.b.labels.1)": "[1]",
        "s.yaml:7:11 (metrics.m.role)": "chief",
    }


def test_the_message_of_the_contract() -> None:
    """The example of the design, to the letter of its shape."""
    head = "schema_version: 1\nname: k\narms: {a: , b: }\nmetrics:\n"
    text = f"{head}  revenue:\n    type: meen\n    role: primary\n"
    _, problems = check(read(text.encode(), "experiments/kilt/experiment.yaml"))
    assert render(problems[0]) == (
        "error[unknown-metric-type]: unknown metric type 'meen'\n"
        " --> experiments/kilt/experiment.yaml:6:11 (metrics.revenue.type)\n"
        "  |\n"
        "6 |     type: meen\n"
        "  |           ^^^^\n"
        "  = help: did you mean 'mean'? One of: conversion, mean, ratio, quantile, nps, csat, ces, retention, churn, "
        "resolution_time, funnel"
    )


def test_every_line_ending_gives_the_same_places() -> None:
    text = "schema_version: 1\nname: x\narms: {a: , b: }\nmetrics: 5\nalfa: 1\n"
    found = []
    for ending in ("\n", "\r\n", "\r"):
        _, problems = check(read(text.replace("\n", ending).encode(), "s.yaml"))
        found.append([(p.code, p.span.line, p.span.column, p.span.text) for p in problems if p.span])
    assert found[0] == found[1] == found[2]
    assert [line for _, line, _, _ in found[0]] == [4, 5]


@pytest.mark.parametrize("effect", ["1e-300%", 1e-60, "1e60"])
def test_effects_beyond_all_sense_are_refused(effect: Any) -> None:
    orders = {"type": "conversion", "role": "primary", "goal": "increase", "minimum_effect": effect}
    spec = {"schema_version": 1, "name": "t", "arms": {"a": {}, "b": {}}, "metrics": {"orders": orders}}
    with pytest.raises(SpecError) as found:
        load(spec)
    assert "not a size of effect" in found.value.problems[0].message


@pytest.mark.parametrize("delimiter", ['"', "\n", "\r"])
def test_a_delimiter_that_cannot_part_cells_is_refused(delimiter: str) -> None:
    orders = {"type": "conversion", "event": "o", "role": "primary", "goal": "increase", "minimum_effect": "5%"}
    spec = {"schema_version": 1, "name": "t", "arms": {"a": {}, "b": {}}, "metrics": {"orders": orders}}
    with pytest.raises(SpecError) as found:
        load({**spec, "data": {"events": {"file": "e.csv", "delimiter": delimiter}}})
    (problem,) = found.value.problems
    assert problem.code == "bad-value" and "no line break" in (problem.help or "")
