"""Every preset reads a small export of its kind through the command, to the numbers worked out by hand; an export
without a column that it needs is refused with the nearest name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import abcx
from abcx.commands import init, validate
from abcx.spec import presets
from tests.support.hostile import Ran, refused, run
from tests.support.preset_cases import CASES, HERE, NPS, analyzed, count, exposures, total


@pytest.mark.parametrize("name", CASES)
@pytest.mark.slow
def test_good(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    ran = analyzed(tmp_path, name)
    assert ran.code < 2, ran.err
    wanted: dict[str, Any] = {
        metric: {arm: (units, pytest.approx(mean, rel=1e-11)) for arm, (units, mean) in arms.items()}
        for metric, arms in case.values.items()
    }
    assert ran.values() == wanted
    found: dict[str, int] = {}
    for exclusion in json.loads(ran.out)["data"]["exclusions"]:
        found[exclusion["reason"]] = found.get(exclusion["reason"], 0) + exclusion["rows"]
    assert found == case.excluded


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_missing_column(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    ran = analyzed(tmp_path, name, case.missing)
    refused(
        ran, "missing-column", case.file.format(name), f"no column '{case.missing}'", f"did you mean {case.missing}s"
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_init_writes_a_spec_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """As soon as the arms are named and the files that it asks for are there."""
    monkeypatch.chdir(tmp_path)
    case = CASES[name]
    file = case.file.format(name)
    shutil.copy(HERE / file, file)
    assert init.run(file, output="spec.yaml", name=None) == 0
    assert validate.run(["spec.yaml"], format="text") == 0
    text = Path("spec.yaml").read_text()
    assert f"{case.part}: {{file: {file}, preset: {name}" in text and "# ?" in text
    assert "the file has no column" not in text
    Path("spec.yaml").write_text(text.replace("[control]", "[control, a]").replace("[variant]", "[variant, b]"))
    Path("exposures.csv").write_text(exposures(case.unit))
    Path("events.csv").write_text("unit,time,event\nu1,2024-03-04T10:00:00Z,purchase\n")
    results = abcx.analyze(Path("spec.yaml"))
    assert sum(arm.units for arm in results.arms) >= 3  # one is in two arms of two tests until `where` names one


@pytest.mark.slow
def test_init_names_the_columns_that_are_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (HERE / "shopify_orders.csv").read_text()
    Path("o.csv").write_text(text.replace("Email", "Customer Email").replace("Cancelled at", "Cancelled"))
    assert init.run("o.csv", output="spec.yaml", name=None) == 0
    assert validate.run(["spec.yaml"], format="text") == 0
    found = Path("spec.yaml").read_text()
    assert "# ? the file has no column Email: write columns: {unit: the one that it has}" in found
    assert '# ? the file has no column "Cancelled at", by which the preset leaves rows out' in found


def test_init_asks_for_the_question_of_a_survey(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("t.csv").write_text((HERE / "typeform.csv").read_text().replace("Q1", '"How likely, from 0 to 10?"'))
    assert init.run("t.csv", output="spec.yaml", name=None) == 0
    assert "# ? which column has the answers? there is no Q1" in Path("spec.yaml").read_text()


def test_init_takes_no_event_of_exposures_for_a_metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copy(HERE / "segment_exposures.csv", "seen.csv")
    assert init.run("seen.csv", output="spec.yaml", name=None) == 0
    text = Path("spec.yaml").read_text()
    assert "exposures: {file: seen.csv, preset: segment}" in text and "event: experiment_viewed" not in text
    assert validate.run(["spec.yaml"], format="text") == 0


@pytest.mark.slow
def test_a_file_named_at_the_call_is_all_the_sources_of_its_preset(tmp_path: Path) -> None:
    shutil.copy(HERE / "shopify_orders.csv", tmp_path / "other.csv")
    case = CASES["shopify_orders"]
    (tmp_path / "exposures.csv").write_text(exposures(case.unit))
    spec = {
        "schema_version": 1,
        "name": "x",
        "arms": {"a": None, "b": None},
        "data": {"exposures": "exposures.csv", "events": {"file": "gone.csv", "preset": "shopify_orders"}},
        "metrics": {"orders": {**count("order"), "minimum_effect": "5%"}, "refunded": total("refund")},
    }
    (tmp_path / "spec.yaml").write_text(json.dumps(spec))
    for given in (tmp_path / "other.csv", pd.read_csv(tmp_path / "other.csv")):
        results = abcx.analyze(tmp_path / "spec.yaml", events=given)
        assert [arm.value for arm in results["refunded"].arms] == [0.0, 10.0]
        assert [arm.value for arm in results["orders"].arms] == [0.5, 1.0]


def test_answers_are_not_taken_for_names(tmp_path: Path) -> None:
    """A survey export that somebody has cleaned of its second and third header row would lose two answers."""
    lines = (HERE / "qualtrics.csv").read_text().splitlines(keepends=True)
    (tmp_path / "cleaned.csv").write_text("".join([lines[0], *lines[4:]]))
    (tmp_path / "exposures.csv").write_text(exposures())
    data = {"exposures": "exposures.csv", "events": {"file": "cleaned.csv", "preset": "qualtrics"}}
    refused(run(tmp_path, None, data=data, metrics={"nps": NPS}), "header-rows", "cleaned.csv:2", "header_rows: 1")
    data["events"] = {"file": "cleaned.csv", "preset": "qualtrics", "header_rows": 1}
    assert run(tmp_path, None, data=data, metrics={"nps": NPS}).values() == CASES["qualtrics"].values


def test_every_preset_has_a_case() -> None:
    assert set(presets.names()) == set(CASES)


def survey(folder: Path, text: str, **source: Any) -> Ran:
    (folder / "exposures.csv").write_text(exposures())
    (folder / "q.csv").write_text(text)
    data = {"exposures": "exposures.csv", "events": {"file": "q.csv", "preset": "qualtrics", **source}}
    return run(folder, None, data=data, metrics={"nps": NPS})


@pytest.mark.slow
@pytest.mark.parametrize("status", ["1", "2", "8", "9", "12", "17", "Spam", "Survey Test", "Survey Preview Spam"])
def test_qualtrics_answers_that_nobody_gave(tmp_path: Path, status: str) -> None:
    lines = (HERE / "qualtrics.csv").read_text().splitlines(keepends=True)
    real = next(line for line in lines if ",0,192.0.2.2," in line)
    more = real.replace(",0,", f",{status},", 1).replace("R_2", "R_77")
    assert more not in lines
    ran = survey(tmp_path, "".join([*lines, more]))
    assert ran.values() == CASES["qualtrics"].values
    told = json.loads(ran.out)["data"]["exclusions"]
    whole = sum(CASES["qualtrics"].excluded.values())
    assert sum(found["rows"] for found in told) == whole + 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("zone", "read"), [("America/Denver", "America/Denver"), ("Z", "UTC"), ("Mars/Olympus", "UTC")]
)
def test_the_header_of_qualtrics_tells_the_zone(tmp_path: Path, zone: str, read: str) -> None:
    """Hours count: an answer before the exposure is none."""
    text = (HERE / "qualtrics.csv").read_text()
    assert text.count('""endDate"",""timeZone"":""UTC""') == 1
    text = text.replace('""endDate"",""timeZone"":""UTC""', f'""endDate"",""timeZone"":""{zone}""')
    notes = json.loads(survey(tmp_path, text).out)["data"]["notes"]
    told = {"code": "zone_of_header", "values": {"file": "q.csv", "zone": read}}
    assert (told in notes) == (zone != "Mars/Olympus")
    assert any(note["code"] == "no_timezone" for note in notes) == (zone == "Mars/Olympus")
    early = text.replace("2024-03-04 10:05:00", "2024-03-04 02:05:00")  # 09:05 in UTC, after the exposure at 8
    assert early != text
    values = survey(tmp_path, early).values()
    assert (values == CASES["qualtrics"].values) == (zone == "America/Denver")
    said = survey(tmp_path, early, timezone="UTC").values()
    assert said != CASES["qualtrics"].values


@pytest.mark.slow
def test_one_column_for_events_that_read_several(tmp_path: Path) -> None:
    """The subtotal of an order is not what was refunded; named by event, both are read."""
    case = CASES["shopify_orders"]
    shutil.copy(HERE / "shopify_orders.csv", tmp_path / "o.csv")
    (tmp_path / "exposures.csv").write_text(exposures(case.unit))

    def analyzed(*events: dict[str, Any]) -> Ran:
        sources = [{"file": "o.csv", "preset": "shopify_orders", **event} for event in events]
        data = {"exposures": "exposures.csv", "events": sources}
        return run(tmp_path, None, data=data, metrics=case.metrics)

    one = {"columns": {"value": "Subtotal"}}
    refused(analyzed(one), "preset-part", "", "'value' cannot be Subtotal", "(order: Total, refund: Refunded Amount)")
    ran = analyzed({"event": "order", **one}, {"event": "refund"})
    assert ran.values()["refunded"] == case.values["refunded"] and ran.values()["revenue"] != case.values["revenue"]
    assert analyzed({"columns": {"unit": "Email"}}).values() == case.values


def test_one_id_of_two_events(tmp_path: Path) -> None:
    """Mixpanel's $insert_id need only be different among events of one name."""
    (tmp_path / "exposures.csv").write_text(exposures())
    event = {"distinct_id": "u1", "time": 1709542800, "$insert_id": "order-1"}
    names = ("Order Placed", "Order Paid", "Order Paid", "null")
    lines = [json.dumps({"event": name, "properties": event}) for name in names]
    (tmp_path / "m.jsonl").write_text("\n".join(lines))
    data = {"exposures": "exposures.csv", "events": {"file": "m.jsonl", "preset": "mixpanel"}}
    ran = run(tmp_path, None, data=data, metrics={"placed": count(names[0]), "paid": count(names[1])})
    assert ran.values() == {"placed": {"a": (2, 0.5), "b": (2, 0.0)}, "paid": {"a": (2, 0.5), "b": (2, 0.0)}}
    assert [(e["reason"], e["rows"]) for e in json.loads(ran.out)["data"]["exclusions"]] == [("duplicate_event", 1)]
    placeholder = [line.replace("order-1", "null") for line in lines]
    (tmp_path / "m.jsonl").write_text("\n".join(placeholder))
    refused(
        run(tmp_path, None, data=data, metrics={"placed": count(names[0]), "paid": count(names[1])}), "no-id", "m.jsonl"
    )


@pytest.mark.slow
def test_init_leaves_out_events_that_the_file_does_not_give(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = (HERE / "shopify_orders.csv").read_text()
    Path("o.csv").write_text(text.replace("Refunded Amount", "Refunds"))
    Path("exposures.csv").write_text(exposures(CASES["shopify_orders"].unit))
    assert init.run("o.csv", output="spec.yaml", name=None) == 0
    found = Path("spec.yaml").read_text()
    assert "    - {file: o.csv, preset: shopify_orders, event: order}" in found and "event: refund" not in found
    assert '# ? without refund, for which the file has no column "Refunded Amount"' in found
    Path("spec.yaml").write_text(found.replace("[control]", "[a]").replace("[variant]", "[b]"))
    assert abcx.analyze(Path("spec.yaml"))["orders"].arms[1].value == 1.0
