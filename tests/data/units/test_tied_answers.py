"""Different answers of one unit at one moment: an error that asks for the order, or the order of the rows."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from abcx.errors import DataError
from abcx.problems import render_all
from tests.support.logs import Look, look, spec, to_csv

HEADER = ["unit", "time", "arm", "event", "value", "id"]
Answer = tuple[str, int, int]
"""Unit (its first letter is its arm), minute, answer."""


def seen(tmp_path: Path, answers: list[Answer], response: str, ids: bool = False, **options: Any) -> Look:
    units = sorted({unit for unit, *_ in answers})
    rows: list[list[Any]] = [[unit, "2024-06-03T10:00Z", unit[0], "seen", None, None] for unit in units]
    rows += [
        [unit, f"2024-06-03T11:{minute:02d}Z", unit[0], "survey", value, i if ids else None]
        for i, (unit, minute, value) in enumerate(answers)
    ]
    rows += rows[-1:] if ids else []
    nps = {"type": "nps", "event": "survey", "value": "value", "scale": [0, 10], "response": response}
    metrics = {"nps": {**nps, "role": "primary", "goal": "increase"}}
    data = {"events": {"file": "e.csv", **options}}
    return look(tmp_path, {"e.csv": to_csv(HEADER, rows)}, spec(data, metrics))


@pytest.mark.parametrize("response", ["first", "last"])
def test_different_answers_at_the_moment_that_counts_are_refused(tmp_path: Path, response: str) -> None:
    answers = [("a1", 5, 9), ("a1", 5, 2), ("b1", 5, 3), ("b1", 5, 10), ("b2", 1, 4)]
    with pytest.raises(DataError) as error:
        seen(tmp_path, answers, response)
    said = render_all(error.value.problems)
    assert "tied-answers" in said and "e.csv" in said and "2 units" in said and response in said
    assert "ties: file_order" in said and "where" in said


def test_ties_that_tell_nothing_or_do_not_count_are_none(tmp_path: Path) -> None:
    alike = [("a1", 5, 9), ("a1", 5, 9), ("b1", 5, 3)]
    assert seen(tmp_path, alike, "last")["nps"]["a"].counts[9] == 1
    earlier = [("a1", 5, 9), ("a1", 5, 2), ("a1", 6, 7), ("b1", 5, 3)]
    assert seen(tmp_path, earlier, "last")["nps"]["a"].counts[7] == 1
    with pytest.raises(DataError, match="first one"):
        seen(tmp_path, earlier, "first")


@pytest.mark.parametrize("ids", [False, True], ids=["plain", "ids-that-repeat"])
@pytest.mark.parametrize("response", ["first", "last"])
@pytest.mark.slow
def test_rows_in_order_tell_the_answer(tmp_path: Path, response: str, ids: bool) -> None:
    rng = random.Random(7)
    answers = [(f"{rng.choice('ab')}{rng.randrange(60)}", rng.randrange(3), rng.randrange(11)) for _ in range(400)]
    found = seen(tmp_path, answers, response, ids, ties="file_order")
    for arm in "ab":
        expected = [0] * 11
        for unit in {unit for unit, *_ in answers if unit[0] == arm}:
            mine = sorted((row for row in answers if row[0] == unit), key=lambda row: row[1])  # stable
            expected[(mine[0] if response == "first" else mine[-1])[2]] += 1
        assert found["nps"][arm].counts == tuple(expected)
