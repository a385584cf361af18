"""Ids of units that two files spell otherwise: what is lost by that is told, as a number and never by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.logs import look, spec

METRICS = {"orders": {"type": "mean", "event": "order", "role": "primary", "goal": "increase"}}
NFC, NFD = "\u00e9", "e\u0301"


def lost(folder: Path, exposed: list[str], bought: list[str], **more: str) -> dict[str, int]:
    """What is said of ids, where one file has the exposures and another the orders."""
    files = {
        "x.csv": "unit,time,arm\n"
        + "".join(f"{u},2024-03-04T08:00:00Z,{'ab'[i % 2]}\n" for i, u in enumerate(exposed)),
        "e.csv": "unit,time,event\n" + "".join(f"{u},2024-03-04T09:00:00Z,order\n" for u in bought),
        **more,
    }
    found = look(folder, files, spec({"exposures": "x.csv", "events": "e.csv"}, METRICS))
    assert not any(unit in str(found.observed) for unit in (*exposed, *bought) if len(unit) > 4)
    return dict(found.observed.misspelled_ids)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("exposed", "bought", "how"),
    [
        ("Ann@shop.example", "ann@shop.example", "upper and lower case"),
        ("0A4F", "0a4f", "upper and lower case"),
        ("00123", "123", "leading zeros"),
        ("1000", "1000.0", "a .0 at the end"),
        ("1f-2a", "{1f-2a}", "braces or quotes"),
        ("1f-2a", "1f2a", "dashes"),
        ("4711", "user_4711", "what stands before it"),
        ("4711", "#4711", "what stands before it"),
        ("81.12", "GA1.2.81.12", "what stands before it"),
        ("4711", "gid://shopify/Customer/4711", "what stands before it"),
        ("ann@shop.example", "mailto:ann@shop.example", "what stands before it"),
        ("4711", "cus-4711", "what stands before it"),
        ("ann@shop.example", "ann%40shop.example", "an @ that is written %40"),
        ("u00123", "u123", "leading zeros"),
        ("u00123", "00123", "letters before the digits"),
        ("AB 123", "AB123", "spaces"),
        (f"ren{NFC}", f"ren{NFD}", None),
        ("user7", "user7\u200b", None),
    ],
)
def test_two_spellings_of_one_id(tmp_path: Path, exposed: str, bought: str, how: str | None) -> None:
    """Whichever file has the plain one, of the units in the test and of orders; what is mended is not lost."""
    for number, (one, other) in enumerate(((exposed, bought), (bought, exposed))):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert lost(folder, [one, "zoe", "max"], [other, other, "zoe"]) == ({how: 1} if how else {})


def test_other_units_are_no_spellings(tmp_path: Path) -> None:
    """A shop has customers that are not in the test, and ids may differ by case on purpose."""
    assert lost(tmp_path, ["aB", "Ab", "x1"], ["ab1", "aB", "Ab", "y1"]) == {}
    (tmp_path / "all").mkdir()
    assert lost(tmp_path / "all", ["aB", "Ab", "x1"], ["aB", "Ab", "x1"]) == {}
    (tmp_path / "shops").mkdir()
    assert lost(tmp_path / "shops", ["north-1", "south-2", "east-3"], ["north-1", "south-1", "north-9"]) == {}


@pytest.mark.slow
def test_a_thousand_of_many(tmp_path: Path) -> None:
    """The number is that of ids, not of rows, and the spaces around an id are no spelling."""
    exposed = [f"User{i}" for i in range(3000)]
    bought = [f"user{i}" for i in range(0, 3000, 3)] * 2 + [" User1 "]
    assert lost(tmp_path, exposed, bought) == {"upper and lower case": 1000}


@pytest.mark.parametrize(
    ("header", "row", "swapped"),
    [
        ("unit,time,event", "order,2024-03-04T09:00:00Z,u{}", 3),  # unit and event
        ("unit,time,event,amount", "u{},2024-03-04T09:00:00Z,12.50,order", 3),  # event and amount
        ("unit,event,time", "u{},2024-03-04,2024-03-04T09:00:00Z", 3),  # two times
        ("unit,time,event", "u{},2024-03-04T09:00:00Z,page/{}", 0),  # an event that no metric uses
    ],
)
def test_rows_whose_columns_are_swapped(tmp_path: Path, header: str, row: str, swapped: int) -> None:
    good = {"unit": "u{}", "time": "2024-03-04T09:00:00Z", "event": "order", "amount": "5"}
    line = ",".join(good[name] for name in header.split(","))
    lines = [line.format(i) for i in range(6)] + [row.format(i, i) for i in range(6, 9)]
    exposed = "".join(f"u{i},2024-03-04T08:00:00Z,{'ab'[i % 2]}\n" for i in range(9))
    files = {"x.csv": "unit,time,arm\n" + exposed, "e.csv": "\n".join([header, *lines])}
    found = look(tmp_path, files, spec({"exposures": "x.csv", "events": "e.csv"}, METRICS))
    assert found.observed.values_as_events == swapped


def test_an_event_of_the_spec_with_a_space_is_found_in_swapped_rows(tmp_path: Path) -> None:
    """The spec may write the name with spaces around it: the name is the one of the data."""
    metrics = {"orders": {"type": "conversion", "event": "order ", "role": "primary", "goal": "increase"}}
    lines = [f"u{i},2024-03-04T09:00:00Z,order" for i in range(6)]
    lines += [f"order,2024-03-04T09:00:00Z,u{i}" for i in range(6, 9)]
    exposed = "".join(f"u{i},2024-03-04T08:00:00Z,{'ab'[i % 2]}\n" for i in range(9))
    files = {"x.csv": "unit,time,arm\n" + exposed, "e.csv": "\n".join(["unit,time,event", *lines])}
    found = look(tmp_path, files, spec({"exposures": "x.csv", "events": "e.csv"}, metrics))
    assert found.observed.values_as_events == 3 and found.successes("orders") == {"a": (3, 5), "b": (3, 4)}
