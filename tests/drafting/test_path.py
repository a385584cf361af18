"""`abcx init` proposes a funnel where the events of a file are a path, and nothing where they are not."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from abcx.drafting.profile import profile
from abcx.engines.local import Engine
from tests.support.logs import iso, micro, to_csv

START = micro("2024-03-04T00:00:00Z")


def path_of(folder: Path, rows: list[tuple[int, int, str]]) -> tuple[str, ...]:
    """The path in a log of (unit, minute, event)."""
    lines = [[f"u{unit}", iso(START + minute * 60_000_000), "ab"[unit % 2], event] for unit, minute, event in rows]
    (folder / "e.csv").write_text(to_csv(["user_id", "time", "variant", "event"], lines))
    with Engine() as engine:
        return profile(engine, str(folder / "e.csv")).path


@pytest.mark.parametrize(("names", "steps"), [(("view", "add", "pay", "buy"), 4), (("view", "buy"), 0)])
def test_events_one_after_the_other_are_a_path(tmp_path: Path, names: tuple[str, ...], steps: int) -> None:
    rows = [(unit, 10 * i, name) for unit in range(400) for i, name in enumerate(names) if unit % 7 >= i]
    assert path_of(tmp_path, rows) == names[:steps]


def test_a_last_step_that_everybody_takes_is_part_of_the_path(tmp_path: Path) -> None:
    rows = [
        (unit, 10 * i, name) for unit in range(90) for i, name in enumerate(("view", "add", "buy")) if unit % 3 or not i
    ]
    assert path_of(tmp_path, rows) == ("view", "add", "buy")


def test_events_in_any_order_are_none(tmp_path: Path) -> None:
    rng = random.Random(1)
    rows = [
        (unit, rng.randrange(600), name)
        for unit in range(400)
        for name, share in (("view", 0.9), ("add", 0.6), ("buy", 0.3))
        if rng.random() < share
    ]
    assert path_of(tmp_path, rows) == ()
