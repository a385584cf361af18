"""A last row that sums up the others is an error that names the line."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from abcx.errors import DataError
from abcx.problems import render_all
from tests.support.logs import look, spec, to_csv

SPEND: dict[str, Any] = {"spend": {"type": "mean", "column": "amount", "role": "primary", "goal": "increase"}}
TWO: dict[str, Any] = {**SPEND, "visits": {"type": "mean", "column": "visits", "role": "secondary", "goal": "increase"}}
HEADER = ["unit", "arm", "amount", "visits"]


def told(tmp_path: Path, rows: list[list[Any]], metrics: dict[str, Any] = TWO, **rest: Any) -> str:
    """What is wrong with a file of units; nothing where it is read."""
    data = {"units": {"file": "u.csv", **rest}}
    try:
        look(tmp_path, {"u.csv": to_csv(HEADER, rows)}, spec(data, metrics))
    except DataError as error:
        return render_all(error.problems)
    return ""


def units(n: int, seed: int = 1) -> list[list[Any]]:
    rng = random.Random(seed)
    return [
        [f"c{i}", "ab"[i % 2], rng.choice([0, 0, rng.randrange(1, 9999) / 100]), rng.randrange(5)] for i in range(n)
    ]


def summed(rows: list[list[Any]], name: str) -> list[Any]:
    return [name, "a", round(sum(row[2] for row in rows), 2), sum(row[3] for row in rows)]


@pytest.mark.parametrize("n", [8, 50, 400])
@pytest.mark.parametrize("name", ["x9", "Total", "all customers"])
@pytest.mark.slow
def test_a_row_of_sums_is_refused_with_its_line(tmp_path: Path, n: int, name: str) -> None:
    rows = units(n)
    assert sum(row[2] > 0 for row in rows) > 1 and told(tmp_path, rows) == ""
    said = told(tmp_path, [*rows, summed(rows, name)])
    assert "totals-row" in said and f"u.csv:{n + 2}" in said and f"'{name}'" in said and f"{n} rows above" in said


@pytest.mark.parametrize(
    "name", ["Total a", "TOTALS", "sum", "Gesamtsumme", "Grand total", "Summe:", "grand", "total_b"]
)
@pytest.mark.slow
def test_a_row_named_like_a_total_is_refused(tmp_path: Path, name: str) -> None:
    rows = units(30)
    said = told(tmp_path, [*rows, [name, "b", 1e6, None]])
    assert "totals-row" in said and "u.csv:32" in said and "exclude" in said
    cure = {"totals": {"unit": name}}
    assert told(tmp_path, [*rows, [name, "b", 1e6, None]], exclude=cure) == ""


@pytest.mark.parametrize("name", ["summer7", "grandma", "totally", "sumo", "granderson"])
@pytest.mark.slow
def test_ids_that_only_begin_alike_are_units(tmp_path: Path, name: str) -> None:
    assert told(tmp_path, [*units(30), [name, "b", 1e6, 3]]) == ""


@pytest.mark.slow
def test_what_could_be_a_unit_is_one(tmp_path: Path) -> None:
    assert told(tmp_path, [["c1", "a", 0, 1], ["c2", "b", 0, 0], ["c3", "a", 7, 0], ["c4", "b", 7, 1]]) == ""
    assert told(tmp_path, [["c1", "a", 5, 1], ["c2", "b", 6, 1], ["c3", "a", 11, 2]]) == ""  # two rows above
    several = [[f"total {i}", "ab"[i % 2], 10 + i, 1] for i in range(9)]
    assert told(tmp_path, several) == ""
    rows = units(30)
    assert told(tmp_path, [*rows, [*summed(rows, "c99")[:3], 1]]) == ""  # one column alone
    assert told(tmp_path, [*rows, ["Grand", "a", 0, 0]]) == ""  # no total is smaller than what it sums up


COUNTS = {"orders": {"type": "conversion", "event": "o", "role": "primary", "goal": "increase"}}


@pytest.mark.parametrize(
    ("last", "code"),
    [(["Total", 4000, 430], "totals-row"), (["Gesamt", 4000, ""], "totals-row"), (["d", 4000, 430], "totals-row")],
)
def test_a_total_of_counts_is_refused_with_its_line(tmp_path: Path, last: list[Any], code: str) -> None:
    rows = [["a", 1000, 100], ["b", 1000, 110], ["c", 2000, 220]]
    written = spec({"counts": "c.csv"}, COUNTS, arms=dict.fromkeys("abcd", {}))
    with pytest.raises(DataError) as error:
        look(tmp_path, {"c.csv": to_csv(["arm", "units", "orders"], [*rows, last])}, written)
    said = render_all(error.value.problems)
    assert code in said and "c.csv:5" in said
    rows += [["d", 1500, 150]]
    assert look(tmp_path, {"c.csv": to_csv(["arm", "units", "orders"], rows)}, written).observed.units["d"] == 1500


@pytest.mark.parametrize("last", ["total", "Summe"])
def test_an_arm_of_this_name_is_no_total(tmp_path: Path, last: str) -> None:
    """An arm that the spec declares is an arm, even where it is called Total; written with a hard space too."""
    rows = [["a", 100, 10], ["c", 90, 12], ["d", 110, 9], [f"{last}\u00a0", 150, 31]]
    metric = {"orders": {"type": "conversion", "role": "primary", "goal": "increase"}}
    arms: dict[str, dict[str, Any]] = {name: {} for name in ("a", "c", "d", last)}
    written = spec({"counts": "c.csv"}, metric, arms=arms)
    found = look(tmp_path, {"c.csv": to_csv(["arm", "units", "orders"], rows)}, written)
    assert found.observed.units[last] == 150
