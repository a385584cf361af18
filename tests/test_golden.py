"""The readouts of the documented experiments are those that were looked at last: `make golden` writes them anew.

No oracle of what is right: a change by accident shows here, and one that is meant shows in the diff of tests/golden.
"""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from tests.support import extremes
from tests.support.shipped import GOLDEN, NAMES, ROOT, changed, differences, readout, results

ENDINGS = ("txt", "md", "json")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("name", NAMES)
def test_the_readout_is_the_golden_one(name: str, ending: str) -> None:
    assert changed(name, ending) == [], "where this is meant: make golden, and read the diff"


@pytest.mark.parametrize("name", extremes.NAMES)
def test_the_extremes_read_as_before(name: str) -> None:
    golden = GOLDEN / "extremes" / f"{name}.txt"
    assert golden.read_text(encoding="utf-8") == extremes.texts(name), "where this is meant: make golden, read the diff"


def test_every_extreme_is_pinned() -> None:
    assert {path.stem for path in (GOLDEN / "extremes").iterdir()} == set(extremes.NAMES)


def test_every_experiment_has_its_readouts_and_no_other() -> None:
    found = {path.name for path in GOLDEN.iterdir() if path.suffix[1:] in ENDINGS}
    assert len(NAMES) == 8
    assert found == {f"{name}.{ending}" for name in NAMES for ending in ENDINGS}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_in_it_is_of_this_machine(name: str) -> None:
    for ending in ENDINGS:
        text = readout(name, ending)
        assert not [path for path in (ROOT, Path.home(), Path.cwd()) if len(path.parts) > 1 and str(path) in text]


def test_a_change_is_seen() -> None:
    whole = results(NAMES[0]).to_dict()
    other = copy.deepcopy(whole)
    assert differences(whole, other) == []
    comparison = other["metrics"][0]["comparisons"][0]
    comparison["p_value"] *= 1 + 2e-9
    comparison["lift"] *= 1 + 5e-10
    comparison["status"] = "?"
    del other["setup"]["seed"]
    other["arms"].pop()
    told = differences(whole, other)
    assert [line.partition(":")[0] for line in told] == [
        "$.arms",
        "$.metrics[0].comparisons[0].p_value",
        "$.metrics[0].comparisons[0].status",
        "$.setup.seed",
    ]
    assert differences({"n": 1}, {"n": True}) and differences({"n": 1.0}, {"n": None}) and differences([0.0], [1e-300])
