"""Ids that stand for one unit twice, or for many units."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from abcx.checks import unit_ids
from abcx.data.records import Busiest
from tests.support.contexts import context
from tests.support.logs import look, spec


def test_ids_that_are_spelled_otherwise() -> None:
    found = unit_ids.check(context(misspelled_ids={"upper and lower case": 1200, "leading zeros": 1}))
    assert found.status == "warn" and found.help and "alike" in found.help
    assert found.message.startswith("Ids of visitors are spelled differently from the exposures, ")
    assert found.message.endswith("What these visitors did is not counted.")
    assert "at least 1,200 by upper and lower case and at least 1 by leading zeros" in found.message


@pytest.mark.parametrize(("twice", "status"), [(0, "pass"), (2, "pass"), (4, "warn")])
def test_two_spellings_in_the_test(twice: int, status: str) -> None:
    """Of 2,000 units 2 are 0.1 %."""
    found = unit_ids.check(context((1000, 1000), spelled_twice=twice))
    assert found.status == status and ("4 visitors" in found.message) == (twice == 4)


@pytest.mark.parametrize(
    ("busiest", "status"),
    [
        (Busiest(5000, 40, 100_000), "warn"),
        (Busiest(5000, 600, 100_000), "pass"),  # one of several
        (Busiest(900, 40, 100_000), "pass"),  # less than 1 %
        (Busiest(99, 1, 300), "pass"),  # too few to say
        (None, "pass"),
    ],
)
def test_a_unit_with_most_of_the_rows(busiest: Busiest | None, status: str) -> None:
    found = unit_ids.check(context(busiest=busiest))
    assert found.status == status and ("5,000 of 100,000 rows (5%)" in found.message) == (status == "warn")


def twice(folder: Path, ids: list[str]) -> int:
    exposed = "".join(f"{unit},2024-03-04T08:00:00Z,{'ab'[i % 2]}\n" for i, unit in enumerate(ids))
    metrics = {"orders": {"type": "mean", "event": "order", "role": "primary", "goal": "increase"}}
    folder.mkdir(exist_ok=True)
    files = {"x.csv": "unit,time,arm\n" + exposed, "e.csv": "unit,time,event\nu,2024-03-04T09:00:00Z,order\n"}
    return look(folder, files, spec({"exposures": "x.csv", "events": "e.csv"}, metrics)).observed.spelled_twice


@pytest.mark.parametrize(
    ("ids", "count"),
    [
        (["Ann@shop.example", "ann@shop.example", "bob@shop.example"], 2),
        (["007", "7", "07", "8"], 3),
        (["u007", "u7", "u8"], 2),
        (["0A4F1B22-0000-4000-8000-00000000000A", "{0a4f1b22-0000-4000-8000-00000000000a}", "x"], 2),
        (["0a4f1b2200004000800000000000000a", "0a4f1b22-0000-4000-8000-00000000000a", "x"], 2),
        (["1-12", "11-2", "1 12", "112"], 0),  # numbers of a store and its customer
        (["0", "10", "100", "1000"], 0),
        (["a1", "1", "b1"], 0),
    ],
)
def test_units_with_two_spellings_are_counted(tmp_path: Path, ids: list[str], count: int) -> None:
    assert twice(tmp_path, ids) == count


@pytest.mark.slow
def test_honest_ids_seldom_warn(tmp_path: Path) -> None:
    """200 files of 500 honest ids (numbers from 0, stores and customers, words of eight letters, hexadecimal): at most
    one has two ids that differ by spelling alone."""
    rng, letters = random.Random(4), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    kinds = [
        lambda i: str(i),
        lambda i: f"{i // 37}-{i % 37}",
        lambda i: "".join(rng.choices(letters, k=8)),
        lambda i: f"{rng.getrandbits(64):016x}",
    ]
    found = [twice(tmp_path / str(n), [kinds[n % 4](i) for i in range(500)]) for n in range(200)]
    assert sum(count > 0.5 for count in found) <= 1
