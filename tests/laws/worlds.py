"""Small worlds in plain Python, written as the files that tools export: the shapes of data that a spec can name.

A world holds whole truth: units with their arm, first exposure and events. A shape writes it as tables of texts; what
is done to these tables before they reach the disk is the business of `damage`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

START = datetime(2024, 5, 6)
Row = list[str]


@dataclass
class Table:
    """A file before it is written: its header and rows of texts, and the columns that mean something to a damage."""

    header: Row
    rows: list[Row]
    unit: int | None = None
    time: int | None = None
    arm: int | None = None
    event: int | None = None
    number: int | None = None
    format: dict[str, Any] = field(default_factory=dict)


@dataclass
class World:
    """Files by name, and the spec that reads them."""

    files: dict[str, Table]
    spec: dict[str, Any]


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def people(rng: random.Random, n: int) -> list[tuple[str, str, datetime]]:
    """Units with an arm and a first exposure in the first ten days, to the second."""
    found = []
    for i in range(n):
        moment = START + timedelta(seconds=rng.randrange(10 * 86_400 - 1) + 1)
        found.append((f"cust{1000 + i}", "ab"[i % 2], moment))
    return found


def happenings(rng: random.Random, units: list[tuple[str, str, datetime]]) -> list[Row]:
    """(unit, time, event, value, ticket, id) of what the units did up to thirty days after the start."""
    rows: list[Row] = []

    def add(unit: str, moment: datetime, event: str, value: str = "", ticket: str = "") -> None:
        rows.append([unit, stamp(moment), event, value, ticket, f"ev{len(rows) + 1:05d}"])

    for i, (unit, arm, exposed) in enumerate(units):
        chance = 0.35 if arm == "b" else 0.25
        for _ in range(3):
            if rng.random() < chance:
                late = timedelta(seconds=rng.randrange(6 * 86_400))
                add(unit, exposed + late, "order", f"{rng.randrange(500, 9900) / 100:.2f}")
        if rng.random() < 0.4:
            add(unit, exposed + timedelta(days=4, seconds=rng.randrange(60_000)), "visit")
        if rng.random() < 0.2:
            add(unit, exposed + timedelta(seconds=rng.randrange(12 * 86_400)), "cancel")
        if rng.random() < 0.5:
            add(unit, exposed + timedelta(seconds=rng.randrange(5 * 86_400)), "answer", str(rng.randrange(11)))
        if rng.random() < 0.4:
            opened = exposed + timedelta(seconds=rng.randrange(4 * 86_400))
            add(unit, opened, "opened", "", f"T{i}")
            if rng.random() < 0.8:
                add(unit, opened + timedelta(seconds=rng.randrange(1, 60 * 3600)), "solved", "", f"T{i}")
    for day in range(30):  # the log goes on, so that all windows are over
        add(units[day % len(units)][0], START + timedelta(days=day, seconds=40_000 + day), "visit")
    return rows


def _metric(type: str, role: str = "secondary", goal: str = "increase", **keys: Any) -> dict[str, Any]:
    return {"type": type, "role": role, "goal": goal, **keys}


OF_EVENTS = {
    "orders": _metric("conversion", "primary", event="order", window="7d", minimum_effect="5%"),
    "revenue": _metric("mean", event="order", value="amount", window="7d"),
    "basket": _metric(
        "ratio",
        numerator={"event": "order", "value": "amount"},
        denominator={"event": "order"},
        window="7d",
    ),
    "typical": _metric("quantile", q=0.5, of="events", event="order", value="amount", window="7d"),
    "back": _metric("retention", event="visit", day=4),
    "lost": _metric("churn", goal="decrease", event="cancel", horizon="12d"),
    "nps": _metric("nps", event="answer", value="amount", scale=[0, 10], window="7d"),
    "happy": _metric("csat", event="answer", value="amount", scale=[0, 10], top=3, window="7d"),
    "effort": _metric("ces", event="answer", value="amount", scale=[0, 10], window="7d"),
    "wait": _metric(
        "resolution_time", goal="decrease", start="opened", end="solved", key="ticket", horizon="48h", window="5d"
    ),
}
"""A metric of every type, all of events."""
ARMS: dict[str, Any] = {"a": {}, "b": {}}
EVENTS = ["unit", "time", "event", "amount", "ticket", "id"]


def _spec(data: dict[str, Any], metrics: dict[str, Any], **keys: Any) -> dict[str, Any]:
    base = {"schema_version": 1, "name": "law", "arms": ARMS, "analysis": {"interval": "analytic"}}
    return {**base, "data": data, "metrics": metrics, **keys}


def _some(rng: random.Random) -> dict[str, Any]:
    """The primary metric and three others: all ten take a second."""
    names = rng.sample(sorted(OF_EVENTS.keys() - {"orders"}), 3)
    return {name: OF_EVENTS[name] for name in ("orders", *names)}


def exposures_and_events(rng: random.Random, n: int) -> World:
    units = people(rng, n)
    exposures = Table(["unit", "time", "arm"], [[u, stamp(t), a] for u, a, t in units], 0, 1, 2)
    events = Table(EVENTS, happenings(rng, units), 0, 1, None, 2, 3)
    data = {"exposures": {"file": "x.csv"}, "events": {"file": "e.csv"}}
    return World({"x.csv": exposures, "e.csv": events}, _spec(data, _some(rng)))


def one_log(rng: random.Random, n: int) -> World:
    """One event log that tells the arm on every row of a unit, and the exposure by an event."""
    units = people(rng, n)
    arm_of = {unit: arm for unit, arm, _ in units}
    rows = [[u, stamp(t), "seen", "", "", f"x{i}", a] for i, (u, a, t) in enumerate(units)]
    rows += [[*row, arm_of[row[0]]] for row in happenings(rng, units)]
    rows.sort(key=lambda row: row[1])
    events = Table([*EVENTS, "arm"], rows, 0, 1, 6, 2, 3)
    return World({"e.csv": events}, _spec({"events": {"file": "e.csv"}}, _some(rng), exposure={"event": "seen"}))


def per_arm_files(rng: random.Random, n: int) -> World:
    """Files of exposures, one for each arm, which tells it by its name."""
    world = exposures_and_events(rng, n)
    whole = world.files.pop("x.csv")
    for arm in "ab":
        rows = [row[:2] for row in whole.rows if row[2] == arm]
        world.files[f"x_{arm}.csv"] = Table(["unit", "time"], rows, 0, 1)
    world.spec["data"]["exposures"] = {"file": {"a": "x_a.csv", "b": "x_b.csv"}}
    return world


def wide(rng: random.Random, n: int) -> World:
    """A row per unit with ready-made columns."""
    rows = []
    for unit, arm, _ in people(rng, n):
        buys = rng.random() < (0.4 if arm == "b" else 0.3)
        spend = f"{rng.randrange(500, 9900) / 100:.2f}" if buys else "0"
        rows.append([unit, arm, spend, str(int(buys)), str(rng.randrange(11)), str(rng.randrange(1, 9))])
    table = Table(["unit", "arm", "spend", "bought", "score", "visits"], rows, 0, None, 1, None, 2)
    metrics = {
        "bought": _metric("conversion", "primary", column="bought", minimum_effect="5%"),
        "spend": _metric("mean", column="spend"),
        "per_visit": _metric("ratio", numerator={"column": "spend"}, denominator={"column": "visits"}),
        "typical": _metric("quantile", q=0.75, of="units", column="spend"),
        "nps": _metric("nps", column="score", scale=[0, 10]),
    }
    return World({"u.csv": table}, _spec({"units": {"file": "u.csv"}}, metrics))


def counted(rng: random.Random, n: int) -> World:
    """Counts by arm and day."""
    rows = []
    for day in range(10):
        for arm in "ab":
            units = n + rng.randrange(20)
            rows.append(
                [arm, (START + timedelta(days=day)).strftime("%Y-%m-%d"), str(units), str(rng.randrange(units // 3))]
            )
    table = Table(["arm", "date", "units", "orders"], rows, None, 1, 0, None, 2)
    return World(
        {"c.csv": table},
        _spec({"counts": {"file": "c.csv"}}, {"orders": _metric("conversion", "primary", minimum_effect="5%")}),
    )


SHAPES: dict[str, Callable[[random.Random, int], World]] = {
    "exposures and events": exposures_and_events,
    "one log": one_log,
    "a file for each arm": per_arm_files,
    "a row for each unit": wide,
    "counts": counted,
}
