"""Rows left out by reason, `{not: ...}` in conditions, ids of a file that is several sources, inner JSON objects, and
counts files with names of their own. Through the command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.hostile import EXPECTED, GOOD, METRICS, ROWS, Ran, refused, run

EXTRA = (
    "u9,2024-03-04T12:00:00Z,a,seen,\n"
    "u3,2024-03-04T12:10:00Z,b,purchase,900\n"
    "u1,2024-03-04T12:20:00Z,a,purchase,\n"
    "u9,2024-03-04T12:30:00Z,a,purchase,950\n"
)
EXCLUDE = {
    "robot": {"unit": ["u9", "u10"]},
    "too_large": {"amount": {"min": 500}},
    "free": {"event": "purchase", "amount": None},
}


def exclusions(ran: Ran) -> dict[str, int]:
    return {found["reason"]: found["rows"] for found in json.loads(ran.out)["data"]["exclusions"]}


def test_rows_are_left_out_by_reason_and_counted(tmp_path: Path) -> None:
    ran = run(tmp_path, GOOD + EXTRA, options={"exclude": EXCLUDE})
    assert ran.values() == EXPECTED, ran.err
    assert exclusions(ran) == {"robot": 2, "too_large": 1, "free": 1}  # u9's 950 is a robot's first
    messages = [found["message"] for found in json.loads(ran.out)["data"]["exclusions"]]
    assert "rows of e.csv that the spec leaves out: too large" in messages


def test_reasons_that_leave_nothing_out_are_not_told(tmp_path: Path) -> None:
    ran = run(tmp_path, GOOD, options={"exclude": EXCLUDE})
    assert ran.values() == EXPECTED and exclusions(ran) == {}


def test_only_rows_that_where_keeps_are_counted(tmp_path: Path) -> None:
    options = {"where": {"unit": {"not": "u9"}}, "exclude": EXCLUDE}
    ran = run(tmp_path, GOOD + EXTRA, options=options)
    assert ran.values() == EXPECTED and exclusions(ran) == {"too_large": 1, "free": 1}


def test_a_column_of_a_reason_must_be_there(tmp_path: Path) -> None:
    ran = run(tmp_path, GOOD, options={"exclude": {"test": {"amounts": {"not": None}}}})
    refused(ran, "missing-column", "e.csv", "no column 'amounts' (where)", "did you mean amount or")


@pytest.mark.parametrize(
    ("where", "values"),
    [
        ({"amount": {"not": None}}, (1.0, 1.0)),
        ({"amount": {"not": 30}}, (1.0, 0.0)),
        ({"amount": {"not": [30, None]}}, (1.0, 0.0)),
        ({"amount": {"not": [12.5, 30]}}, (0.0, 0.0)),
        ({"unit": {"not": ["u1", "u2"]}}, (0.0, 1.0)),
    ],
)
@pytest.mark.slow
def test_anything_but(tmp_path: Path, where: dict[str, Any], values: tuple[float, float]) -> None:
    counted = {"bought": {"type": "mean", "event": "purchase", "where": where, "role": "primary", "goal": "increase"}}
    ran = run(tmp_path, GOOD, metrics=counted)
    assert ran.values() == {"bought": {"a": (2, values[0] / 2), "b": (2, values[1] / 2)}}


@pytest.mark.parametrize(
    "where", [{"amount": {"not": []}}, {"amount": {"not": {"min": 1}}}, {"amount": {"not": 1, "min": 2}}]
)
def test_what_cannot_be_excepted(tmp_path: Path, where: dict[str, Any]) -> None:
    refused(run(tmp_path, GOOD, options={"where": where}), "bad-value", str(tmp_path))


def test_an_id_counts_once_for_every_event_of_a_file(tmp_path: Path) -> None:
    orders = "id,unit,ordered,paid\n1,u1,2024-03-04T10:00:00Z,2024-03-04T10:01:00Z\n"
    orders += orders.splitlines(keepends=True)[1] + "2,u3,2024-03-04T11:30:00Z,\n"
    (tmp_path / "orders.csv").write_text(orders)
    (tmp_path / "e.csv").write_text(GOOD)
    columns = {"unit": "unit", "id": "id"}
    sources = [
        {"file": "orders.csv", "event": "ordered", "columns": {**columns, "time": "ordered"}},
        {
            "file": "orders.csv",
            "event": "paid",
            "columns": {**columns, "time": "paid"},
            "exclude": {"open": {"paid": None}},
        },
    ]
    seen = {"file": "e.csv", "where": {"event": "seen"}}
    metrics = {e: {"type": "mean", "event": e, "role": "primary", "goal": "increase"} for e in ("ordered", "paid")}
    ran = run(tmp_path, None, data={"exposures": seen, "events": sources}, metrics=metrics)
    assert ran.values() == {"ordered": {"a": (2, 0.5), "b": (2, 0.5)}, "paid": {"a": (2, 0.5), "b": (2, 0.0)}}
    assert exclusions(ran) == {"open": 1, "duplicate_event": 2}


def test_fields_of_inner_objects(tmp_path: Path) -> None:
    rows = [
        {
            "event": event,
            "props": {"who": unit, "time": time, "arm": arm, "a/b~": amount or None},
            "list": [1, {"x": 2}],
        }
        for unit, time, arm, event, amount in ROWS
    ]
    rows[0]["props"] = {**rows[0]["props"], "late": {"deep": 1}}  # type: ignore[dict-item]
    content = "".join(json.dumps(row) + "\n" for row in rows)
    columns = {"unit": "props.who", "time": "props.time", "arm": "props.arm"}
    metrics = {
        name: {**metric, "value": "props.a/b~"} if "value" in metric else metric for name, metric in METRICS.items()
    }
    ran = run(tmp_path, content, "e.jsonl", options={"columns": columns}, metrics=metrics)
    assert ran.values() == EXPECTED, ran.err
    ran = run(tmp_path, content, "e.jsonl", options={"columns": {**columns, "unit": "props.whom"}}, metrics=metrics)
    refused(ran, "missing-column", "e.jsonl", "no column 'props.whom'", "did you mean props.who")


def test_counts_with_names_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "c.csv").write_text(
        'Group,People,Bought,Total_mean,Total_sd\na,"1,000",50,3,2\nb,1000,60,4,2\nall,2000,110,0,0\n'
    )
    counts = {
        "file": "c.csv",
        "columns": {"arm": "Group", "unit": "People"},
        "thousands": ",",
        "exclude": {"total": {"Group": "all"}},
    }
    metrics = {
        "orders": {
            "type": "conversion",
            "column": "Bought",
            "role": "primary",
            "goal": "increase",
            "minimum_effect": "5%",
        },
        "spend": {"type": "mean", "column": "Total", "role": "secondary", "goal": "increase"},
    }
    ran = run(tmp_path, None, data={"counts": counts}, metrics=metrics)
    assert ran.values() == {"orders": {"a": (1000, 0.05), "b": (1000, 0.06)}, "spend": {"a": (1000, 3), "b": (1000, 4)}}
    assert exclusions(ran) == {"total": 1}
