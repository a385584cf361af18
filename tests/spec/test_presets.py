"""`preset:` in a spec: what the source says goes before it, one export can be several sources, users' own files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from abcx.errors import SpecError
from abcx.spec import presets
from abcx.spec.document import read
from abcx.spec.load import check, load
from abcx.spec.model import DataSpec
from abcx.spec_types import Not

MINE = """\
export: orders of our own shop
checked: against the export of 4 March
events: {columns: {unit: who, time: when}, event: order, delimiter: ";"}
"""


def data(folder: Path, **parts: Any) -> DataSpec:
    """The data of a spec in `folder`, with the presets written out."""
    spec = {
        "schema_version": 1,
        "name": "x",
        "arms": {"a": None, "b": None},
        "data": parts,
        "metrics": {
            "m": {"type": "conversion", "event": "order", "role": "primary", "goal": "increase", "minimum_effect": "5%"}
        },
    }
    (folder / "spec.yaml").write_text(json.dumps(spec))
    found = load(folder / "spec.yaml").experiment.data
    assert found is not None
    return found


def test_one_file_is_two_sources(tmp_path: Path) -> None:
    orders, refunds = data(tmp_path, events={"file": "o.csv", "preset": "shopify_orders"}).events
    assert (orders.event, refunds.event) == ("order", "refund")
    assert orders.file == refunds.file and orders.file[0].path == "o.csv"
    assert orders.columns == {"unit": "Email", "time": "Created at", "value": "Total", "id": "Name"}
    assert list(refunds.exclude) == ["line_item", "voided", "cancelled"]
    assert refunds.exclude["cancelled"] == {"Cancelled at": Not((None,))}


def test_what_the_source_says_goes_first(tmp_path: Path) -> None:
    given = {
        "file": "o.csv",
        "preset": "shopify_orders",
        "event": "refund",
        "columns": {"unit": "Customer"},
        "where": {"Currency": "EUR"},
        "exclude": {"voided": {"Tags": "test"}},
        "timezone": "Europe/Berlin",
    }
    (refunds,) = data(tmp_path, events=given, columns={"unit": "Id", "time": "Paid at"}).events
    assert refunds.columns == {"unit": "Customer", "time": "Paid at", "value": "Refunded Amount", "id": "Name"}
    assert list(refunds.where) == ["Refunded Amount", "Currency"]
    assert refunds.exclude["voided"] == {"Tags": "test"} and "cancelled" in refunds.exclude
    assert refunds.timezone == "Europe/Berlin"


def test_a_single_event_can_be_renamed(tmp_path: Path) -> None:
    (answers,) = data(tmp_path, events={"file": "a.csv", "preset": "qualtrics", "event": "answer"}).events
    assert answers.event == "answer" and answers.header_rows == 3


def test_a_preset_of_the_users_own(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(MINE)
    (orders,) = data(tmp_path, events={"file": "o.csv", "preset": "./mine.yaml"}).events
    assert (orders.event, orders.delimiter, orders.columns["unit"]) == ("order", ";", "who")


@pytest.mark.parametrize(
    ("written", "code", "line", "words"),
    [
        (MINE.replace("delimiter", "delimeter"), "unknown-key", 3, "did you mean 'delimiter'"),
        (MINE.replace("event: order", "event: order, file: x.csv"), "bad-value", 3, "a preset names no file"),
        (MINE.replace("checked", "tested"), "unknown-key", 2, "the keys here are: export"),
        (MINE.replace('";"', '";'), "yaml-syntax", 4, "not valid YAML"),
        ("[1, 2]", "preset-file", 1, "a mapping of keys"),
        ("", "preset-file", 1, "a mapping of keys"),
    ],
)
def test_a_broken_preset_is_told_in_its_own_file(
    tmp_path: Path, written: str, code: str, line: int, words: str
) -> None:
    (tmp_path / "mine.yaml").write_text(written)
    with pytest.raises(SpecError) as caught:
        data(tmp_path, events={"file": "o.csv", "preset": "./mine.yaml"})
    problem = next(problem for problem in caught.value.problems if problem.code == code)
    assert problem.span is not None and problem.span.file.endswith("mine.yaml")
    assert problem.span.line == line
    assert words in f"{problem.message} {problem.help}"


def test_a_preset_is_read_below_the_folder_of_the_spec_only(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "mine.yaml").write_text(MINE)
    (inside / "link.yaml").symlink_to(tmp_path / "mine.yaml")
    for name in ("../mine.yaml", "./link.yaml", str(tmp_path / "mine.yaml"), "/etc/passwd", "./\0.yaml"):
        with pytest.raises(SpecError) as caught:
            data(inside, events={"file": "o.csv", "preset": name})
        assert [problem.code for problem in caught.value.problems] == ["preset-file"]


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    raw = b"schema_version: 1\nname: x\narms: {a: , b: }\ndata: {events: {file: o.csv, preset: Zendesk}}\n"
    raw += b"metrics: {m: {type: conversion, event: order, role: primary, goal: increase, minimum_effect: 5%}}\n"
    _, (problem,) = check(read(raw, "spec.yaml"))
    assert problem.message == "unknown preset 'Zendesk'"
    assert problem.help is not None and problem.help.startswith("did you mean 'zendesk_tickets'? The presets are: ")


@pytest.mark.parametrize("name", presets.names())
def test_every_preset_says_where_it_comes_from(name: str) -> None:
    preset = presets.named(name)
    assert preset.parts() and preset.export and preset.checked
    assert all(address.startswith("http") for address in preset.documented)
    assert preset.header and set(preset.header) <= set(preset.parts())
