"""Small exports of the tools that have a preset, and their readouts."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.hostile import Ran, run

HERE = Path(__file__).parents[1] / "presets"


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


def analyzed(folder: Path, name: str, spoil: str = "") -> Ran:
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
