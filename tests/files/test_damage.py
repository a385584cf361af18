"""Good files damaged at random: the right numbers with the damage told, or an error; never a silent wrong number.

The oracle reads the damaged file strictly, in Python. Where it can, the numbers must be its own; where it cannot, the
run stops, or says what it left out or how it read the file.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import Phase, given, settings

from tests.support.hostile import HEADER, cut, drop, flip, insert, run
from tests.support.notes import of_json

pytestmark = pytest.mark.slow

ROWS = [
    (f"u{i % 23:02}", f"2024-03-{4 + i % 20:02}T{10 + i % 9}:{i % 60:02}:00Z", "ab"[i % 23 % 2], event, value)
    for i in range(60)
    for event, value in [("purchase", f"{i * 7 % 50 + 1}.{i % 90 + 10}") if i % 4 == 3 else ("seen", "")]
]
GOOD = "".join(",".join(row) + "\n" for row in (HEADER, *ROWS)).encode()
TIME = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})[T ](\d{1,2}):(\d{1,2}):(\d{1,2})Z")
USUAL = re.compile(r"rows? holds? events that no metric uses")

Values = dict[str, dict[str, tuple[int, float | None]]]


def strictly(content: bytes) -> Values | None:
    """The numbers of a file without any fault; None where it has one."""
    try:
        text = content.decode().replace("\r\n", "\n").replace("\r", "\n")
        if '"' in text:
            return None
        rows = list(csv.reader(io.StringIO(text), strict=True))
        if tuple(rows[0]) != HEADER or any(len(row) != 5 for row in rows):
            return None
        events = [_event(row) for row in rows[1:]]
    except (UnicodeDecodeError, csv.Error, ValueError, IndexError):
        return None
    return _values([event for event in events if event[0]])


def _event(row: list[str]) -> tuple[str, datetime, str, str, float]:
    unit, time, arm, event, value = row
    parts = TIME.fullmatch(time)
    if parts is None or not 1900 <= int(time[:4]) < 2200:
        raise ValueError
    year, month, day, hour, minute, second = map(int, parts.groups())
    number = 0.0
    if event == "purchase":
        if not re.fullmatch(r"\d+(\.\d*)?|\.\d+", value):
            raise ValueError
        number = float(value)
    return unit.strip(), datetime(year, month, day, hour, minute, second), arm.strip(), event, number


def _values(events: list[tuple[str, datetime, str, str, float]]) -> Values:
    arms: dict[str, set[str]] = defaultdict(set)
    first: dict[str, datetime] = {}
    stray = [arm not in ("a", "b", "") for _, _, arm, _, _ in events]
    kept = [event for event, odd in zip(events, stray, strict=True) if not odd]
    for unit, time, arm, _, _ in kept:
        if arm:
            arms[unit].add(arm)
            first[unit] = min(time, first.get(unit, time))
    spent: dict[str, list[float]] = {unit: [] for unit, found in arms.items() if len(found) == 1}
    for unit, time, _, event, number in kept:
        if unit in spent and event == "purchase" and time >= first[unit]:
            spent[unit].append(number)
    found: Values = {"orders": {}, "revenue": {}}
    for arm in "ab":
        units = [spent[unit] for unit in spent if arms[unit] == {arm}]
        n = len(units)
        found["orders"][arm] = (n, sum(map(bool, units)) / n if n else None)
        found["revenue"][arm] = (n, sum(map(sum, units)) / n if n else None)
    return found


def close(one: Values, other: Values) -> bool:
    return all(
        one[metric][arm][0] == other[metric][arm][0]
        and (
            one[metric][arm][1] == other[metric][arm][1]
            or math.isclose(one[metric][arm][1] or 0, other[metric][arm][1] or 0, rel_tol=1e-9, abs_tol=1e-12)
        )
        for metric in other
        for arm in "ab"
    )


def _delimiters(content: bytearray, at: int, byte: int) -> None:
    """One row, or from one row on all rows, with another delimiter."""
    lines = bytes(content).splitlines(keepends=True)
    last = at % len(lines) + 1 if byte % 2 else len(lines)
    for i in range(at % len(lines), last):
        lines[i] = lines[i].replace(b",", b";\t|"[byte % 3 : byte % 3 + 1])
    content[:] = b"".join(lines)


def _row(content: bytearray, at: int, byte: int) -> None:
    lines = bytes(content).splitlines(keepends=True)
    new = [lines[byte % len(lines)], lines[0], b"Total,,,,123.45\n", b"\n", b",,,,\n", b"# a comment\n", b"u1;x\n"]
    lines.insert(at % (len(lines) + 1), new[byte % len(new)])
    content[:] = b"".join(lines)


def _ends(content: bytearray, at: int, byte: int) -> None:
    lines = bytes(content).splitlines(keepends=True)
    i = at % len(lines)
    lines[i] = lines[i].replace(b"\n", b"\r\n" if byte % 2 else b"\r")
    content[:] = b"".join(lines)


edits = st.tuples(
    st.sampled_from([flip, flip, flip, cut, drop, insert, _delimiters, _row, _row, _ends]),
    st.integers(0, 10_000),
    st.integers(0, 255) | st.sampled_from(list(b',;"\n\r0 9ab.-\xc3')),
)


def told(ran: Any) -> bool:
    """Whether the readout says that something was odd."""
    readout = json.loads(ran.out)
    return bool(readout["data"]["exclusions"]) or any(not USUAL.search(note) for note in of_json(readout))


def test_the_oracle_agrees_on_the_good_file() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ran = run(Path(folder), GOOD)
    expected = strictly(GOOD)
    assert expected is not None and close(ran.values(), expected) and not told(ran)


@given(st.lists(edits, min_size=1, max_size=3), st.sampled_from([0, 0, 3]))
@settings(max_examples=80, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_damage_is_told_or_stops_the_run(
    damage: list[tuple[Callable[[bytearray, int, int], None], int, int]], bad: int
) -> None:
    content = bytearray(GOOD)
    for edit, at, byte in damage:
        if content:
            edit(content, at, byte)
    with tempfile.TemporaryDirectory() as folder:
        ran = run(Path(folder), bytes(content), options={"max_bad_rows": bad})
    assert ran.code in (0, 1, 2)
    if ran.code == 2:
        assert ran.err.startswith("error[") and "= help: " in ran.err and "Traceback" not in ran.err
        return
    expected = strictly(bytes(content))
    if expected is None:
        assert told(ran), bytes(content)
    else:
        assert close(ran.values(), expected), (bytes(content), ran.values(), expected)
