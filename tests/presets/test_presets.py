"""Every preset reads a small export of its kind through the command, to the numbers worked out by hand; an export
without a column that it needs is refused with the nearest name."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import abcx
from abcx.commands import init, validate
from abcx.spec import presets
from tests.test_hostile import Ran, refused, run

HERE = Path(__file__).parent
ROLE = {"role": "primary", "goal": "increase"}


def exposures(unit: str = "{}") -> str:
    """Units u1 to u4, exposed on 4 March: u1 and u2 see a, u3 and u4 see b."""
    arms = {"u1": "a", "u2": "a", "u3": "b", "u4": "b"}
    rows = [f"{unit.format(name)},2024-03-04T08:00:00Z,{arm}" for name, arm in arms.items()]
    return "\n".join(["unit,time,arm", *rows]) + "\n"


@dataclass(frozen=True)
class Case:
    """An export: `values` are (units, value) by metric and arm; `missing` is a column whose name is spoilt."""

    metrics: dict[str, dict[str, Any]]
    values: dict[str, dict[str, tuple[int, float | None]]]
    missing: str
    excluded: dict[str, int] = field(default_factory=dict)
    part: str = "events"
    file: str = "{}.csv"
    unit: str = "{}"
    arms: dict[str, Any] = field(default_factory=lambda: {"a": {}, "b": {}})
    more: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)


def count(event: str, **keys: Any) -> dict[str, Any]:
    return {"type": "mean", "event": event, **ROLE, **keys}


def total(event: str, **keys: Any) -> dict[str, Any]:
    return {"type": "mean", "event": event, "value": "value", **ROLE, **keys}


NPS = {"type": "nps", "event": "response", "value": "Q1", "scale": [0, 10], **ROLE}

CASES = {
    # a: u1 ordered once for 35, u2's order is void; b: u3 60 with 20 refunded, u4 10 (exported twice; one cancelled)
    "shopify_orders": Case(
        {"orders": count("order"), "revenue": total("order"), "refunded": total("refund")},
        {
            "orders": {"a": (2, 0.5), "b": (2, 1.0)},
            "revenue": {"a": (2, 17.5), "b": (2, 35.0)},
            "refunded": {"a": (2, 0.0), "b": (2, 10.0)},
        },
        "Financial Status",
        # cancelled: once as an order, once as a refund
        {"line_item": 3, "voided": 1, "cancelled": 2, "duplicate_event": 1},
        unit="{}@shop.example",
    ),
    "ga4_bigquery": Case(
        {"buyers": {"type": "conversion", "event": "purchase", **ROLE}, "revenue": total("purchase")},
        {"buyers": {"a": (2, 0.5), "b": (2, 0.5)}, "revenue": {"a": (2, 10.0), "b": (2, 15.0)}},
        "user_pseudo_id",
    ),
    # u1 bought for 12.5 and 7.5, u3 for 30 (exported twice), somebody unknown for 99
    "amplitude": Case(
        {"revenue": total("purchase", value="event_properties.revenue")},
        {"revenue": {"a": (2, 10.0), "b": (2, 15.0)}},
        "user_id",
        {"no_unit": 1, "duplicate_event": 1},
        file="{}.jsonl",
    ),
    # a: u1 for 20; b: u3 for 8, u4 for 4 (exported twice)
    "mixpanel": Case(
        {
            "buyers": {"type": "conversion", "event": "Purchase", **ROLE},
            "spent": total("Purchase", value="properties.Amount"),
        },
        {"buyers": {"a": (2, 0.5), "b": (2, 1.0)}, "spent": {"a": (2, 10.0), "b": (2, 6.0)}},
        "properties.distinct_id",
        {"duplicate_event": 1},
        file="{}.jsonl",
        more={
            "exposures": {
                "file": "mixpanel.jsonl",
                "preset": "mixpanel",
                "where": {"properties.Experiment name": "checkout"},
            }
        },
    ),
    "segment": Case(
        {"orders": count("order_completed")},
        {"orders": {"a": (2, 0.5), "b": (2, 1.0)}},
        "anonymous_id",
        {"duplicate_event": 1},
        more={
            "exposures": {
                "file": "segment_exposures.csv",
                "preset": "segment",
                "where": {"experiment_name": "checkout"},
            }
        },
    ),
    "posthog": Case(
        {"paid": count("signed up", where={"properties.plan": "paid"}), "signups": count("signed up")},
        {"paid": {"a": (2, 0.0), "b": (2, 0.5)}, "signups": {"a": (2, 0.5), "b": (2, 1.0)}},
        "distinct_id",
        file="{}.jsonl",
        more={
            "exposures": {
                "file": "posthog.jsonl",
                "preset": "posthog",
                "where": {"properties.$feature_flag": "checkout"},
            }
        },
    ),
    # u1: two visits, one with two goals; u2: one; u3: one with one goal, exported twice
    "matomo": Case(
        {
            "visits": count("visit"),
            "converted": {"type": "conversion", "event": "converted_visit", **ROLE},
            "goals": total("converted_visit"),
        },
        {
            "visits": {"a": (2, 1.5), "b": (2, 0.5)},
            "converted": {"a": (2, 0.5), "b": (2, 0.5)},
            "goals": {"a": (2, 1.0), "b": (2, 0.5)},
        },
        "visitorId",
        {"duplicate_event": 2},
    ),
    "zendesk_tickets": Case(
        {
            "tickets": count("ticket_created"),
            "solved": count("ticket_solved"),
            "wait": count("ticket_created", value="First reply time in minutes", missing_value="drop"),
        },
        {
            "tickets": {"a": (2, 1.5), "b": (2, 0.0)},
            "solved": {"a": (2, 1.0), "b": (2, 0.0)},
            "wait": {"a": (2, 45.0), "b": (2, 0.0)},
        },
        "Requester id",
        {"not_solved": 1, "not_in_test": 2, "no_value": 1},
    ),
    "freshdesk_tickets": Case(
        {
            "tickets": count("ticket_created"),
            "replied": count("ticket_replied"),
            "resolved": count("ticket_resolved"),
        },
        {
            "tickets": {"a": (2, 1.0), "b": (2, 1.0)},
            "replied": {"a": (2, 1.0), "b": (2, 0.5)},
            "resolved": {"a": (2, 0.5), "b": (2, 0.5)},
        },
        "Contact ID",
        {"not_replied": 1, "not_resolved": 2},
    ),
    # u1: closed; u2: no reply; u3: replied, open; one of u1's has two more messages
    "intercom": Case(
        {
            "started": count("conversation_started"),
            "replied": count("conversation_replied"),
            "closed": count("conversation_closed"),
        },
        {
            "started": {"a": (2, 1.0), "b": (2, 0.5)},
            "replied": {"a": (2, 0.5), "b": (2, 0.5)},
            "closed": {"a": (2, 0.5), "b": (2, 0.0)},
        },
        "conversation_first_response_at",
        {"further_message": 2, "not_replied": 1, "still_open": 2},
    ),
    # a: 9 and 3; b: 10 and 10; somebody without an id
    "surveymonkey": Case({"nps": NPS}, {"nps": {"a": (2, 0.0), "b": (2, 100.0)}}, "Custom Data 1", {"no_unit": 1}),
    # a: 10 and 8; b: 2 and 9
    "typeform": Case({"nps": NPS}, {"nps": {"a": (2, 50.0), "b": (2, 0.0)}}, "Submit Date (UTC)", {"not_submitted": 1}),
    # a: 10 and 10; b: 5 and 7
    "questionpro": Case(
        {"nps": NPS}, {"nps": {"a": (2, 100.0), "b": (2, -50.0)}}, "External Reference", {"not_finished": 1}
    ),
    # a: u1 2,500 and 1,500 cents; b: u3 1,000
    "optimizely": Case(
        {"revenue": total("purchase", value="revenue")},
        {"revenue": {"a": (2, 2000.0), "b": (2, 500.0)}},
        "visitor_id",
        {"holdback": 1, "duplicate_event": 1},
        more={
            "exposures": {
                "file": "optimizely_exposures.csv",
                "preset": "optimizely",
                "where": {"experiment_id": "12345678"},
            }
        },
    ),
    "vwo_report": Case(
        {"conversions": {"type": "conversion", "column": "Conversions", **ROLE, "minimum_effect": "5%"}},
        {"conversions": {"a": (1200, 0.1), "b": (1180, 141 / 1180)}},
        "Visitors",
        {"total": 1},
        part="counts",
        arms={"a": {"labels": ["Control"]}, "b": {"labels": ["Variation-1"]}},
    ),
    # a: 10 and 6, one promoter and one detractor; b: 9 and 7
    "qualtrics": Case(
        {"nps": NPS}, {"nps": {"a": (2, 0.0), "b": (2, 50.0)}}, "ExternalReference", {"preview": 1, "not_finished": 1}
    ),
}


def analysed(folder: Path, name: str, spoil: str = "") -> Ran:
    case = CASES[name]
    file = case.file.format(name)
    for other in HERE.glob(f"{name}*.*"):
        shutil.copy(other, folder / other.name)
    if spoil:
        raw = (folder / file).read_bytes()
        encoding = "utf-16" if raw.startswith(b"\xff\xfe") else "utf-8"
        text, times = raw.decode(encoding), -1 if file.endswith("l") else 1
        column = spoil.removeprefix("properties.")
        assert column in text
        (folder / file).write_bytes(text.replace(column, f"{column}s", times).encode(encoding))
    source = {"file": file, "preset": name, **case.options}
    data = {"exposures": "exposures.csv", case.part: source, **case.more}
    if case.part in ("counts", "exposures"):
        data = {case.part: source, **case.more}
    (folder / "exposures.csv").write_text(exposures(case.unit))
    return run(folder, None, data=data, metrics=case.metrics, arms=case.arms)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.slow
def test_good(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    ran = analysed(tmp_path, name)
    assert ran.code < 2, ran.err
    assert ran.values() == {
        metric: {arm: (units, pytest.approx(mean, rel=1e-11)) for arm, (units, mean) in arms.items()}
        for metric, arms in case.values.items()
    }
    found: dict[str, int] = {}
    for exclusion in json.loads(ran.out)["data"]["exclusions"]:
        found[exclusion["reason"]] = found.get(exclusion["reason"], 0) + exclusion["rows"]
    assert found == case.excluded


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_a_missing_column(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    ran = analysed(tmp_path, name, case.missing)
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
    assert (f"the times of q.csv are in {read}, as its header says" in notes) == (zone != "Mars/Olympus")
    assert any("have no timezone" in note for note in notes) == (zone == "Mars/Olympus")
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

    def analysed(*events: dict[str, Any]) -> Ran:
        sources = [{"file": "o.csv", "preset": "shopify_orders", **event} for event in events]
        data = {"exposures": "exposures.csv", "events": sources}
        return run(tmp_path, None, data=data, metrics=case.metrics)

    one = {"columns": {"value": "Subtotal"}}
    refused(analysed(one), "preset-part", "", "'value' cannot be Subtotal", "(order: Total, refund: Refunded Amount)")
    ran = analysed({"event": "order", **one}, {"event": "refund"})
    assert ran.values()["refunded"] == case.values["refunded"] and ran.values()["revenue"] != case.values["revenue"]
    assert analysed({"columns": {"unit": "Email"}}).values() == case.values


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
