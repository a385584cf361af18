"""Exports as tools write them, good and damaged: the numbers that are right, or the word that must be said.

The folders and `expected.csv` are written by make.py, which knows nothing of abcx.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.laws.runs import run

HOME = Path(__file__).resolve().parent
EXPECTED = list(csv.DictReader((HOME / "expected.csv").read_text(encoding="utf-8").splitlines()))


@pytest.mark.slow
@pytest.mark.parametrize("right", EXPECTED, ids=lambda right: right["case"])
def test_it_is_right_or_said(right: dict[str, str]) -> None:
    found = run(HOME / right["case"])
    if right["refused"] == "1":
        assert found.error and right["said"] in found.error, found
        return
    assert not found.error, found.error
    for arm in "ab":
        units, share = found.numbers["orders", arm]
        assert units == int(right[f"units_{arm}"])
        assert share == pytest.approx(int(right[f"buyers_{arm}"]) / units, rel=1e-11)
        if right[f"revenue_{arm}"]:
            assert found.numbers["revenue", arm][1] == pytest.approx(float(right[f"revenue_{arm}"]), rel=1e-9)
    assert right["said"] in " ".join(found.told), found.told


def test_the_corpus_is_whole() -> None:
    """At least sixty cases, a folder for each, and none that nothing is said of."""
    assert len(EXPECTED) >= 60
    assert {right["case"] for right in EXPECTED} == {path.parent.name for path in HOME.glob("*/s.yaml")}
    assert all(right["said"] or right["refused"] == "0" for right in EXPECTED)
