"""Exports glued together by `cat`: headers and byte order marks between the rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from abcx.errors import DataError
from tests.support.logs import look, spec
from tests.support.notes import texts

BOM = b"\xef\xbb\xbf"
HEADER = b"unit,time,arm,event\n"
ROWS = [
    f"{arm}{i},2024-06-{i + 1:02d}T10:0{i}:30Z,{arm},{event}\n".encode()
    for i in range(8)
    for arm in "ab"
    for event in ("seen", "purchase")[: 1 + (i % 3 == 0)]
]


def quoted(text: bytes) -> bytes:
    lines = text.splitlines()
    return b"".join(b",".join(b'"' + cell + b'"' for cell in line.split(b",")) + b"\n" for line in lines)


@pytest.mark.parametrize("mark", [b"", BOM], ids=["plain", "mark"])
@pytest.mark.parametrize("form", [lambda text: text, quoted], ids=["bare", "quoted"])
@pytest.mark.parametrize("pieces", [2, 4])
@pytest.mark.slow
def test_glued_exports_are_read_without_false_notes(tmp_path: Path, mark: bytes, form, pieces: int) -> None:
    size = -(-len(ROWS) // pieces)
    parts = [b"".join(ROWS[i : i + size]) for i in range(0, len(ROWS), size)]
    glued = b"".join(mark + form(HEADER + part) for part in parts)
    found = look(tmp_path, {"e.csv": glued}, spec())
    assert found.successes() == {"a": (3, 8), "b": (3, 8)}
    assert found.lost() == {"repeated_header": (None, pieces - 1)}
    assert not [note for note in texts(found.observed.notes) if "timezone" in note]
    assert found.observed.files[0].rows == len(ROWS)


def test_rows_without_a_zone_are_still_told(tmp_path: Path) -> None:
    naive = b"".join(ROWS).replace(b"Z,", b",")
    found = look(
        tmp_path, {"e.csv": HEADER + naive + BOM + HEADER + naive.replace(b"a", b"c")}, spec(arms={"a": {}, "b": {}})
    )
    assert [note for note in texts(found.observed.notes) if "no timezone" in note]


@pytest.mark.parametrize("form", [lambda text: text, quoted], ids=["bare", "quoted"])
def test_a_mark_before_a_row_is_no_part_of_its_unit(tmp_path: Path, form) -> None:
    """Later pieces without a header: the mark stands before a row."""
    middle = 8
    glued = BOM + form(HEADER + b"".join(ROWS[:middle])) + BOM + form(b"".join(ROWS[middle:]))
    found = look(tmp_path, {"e.csv": glued}, spec())
    assert found.observed.units == {"a": 8, "b": 8} and found.successes() == {"a": (3, 8), "b": (3, 8)}
    assert {one["unit"] for one in found.units} == {f"{arm}{i}" for arm in "ab" for i in range(8)}


@pytest.mark.parametrize("order", [(0, 1, 3, 2), (1, 0, 2, 3), (3, 2, 1, 0)])
def test_a_header_with_its_columns_in_another_order_stops_the_run(tmp_path: Path, order: tuple[int, ...]) -> None:
    """What follows such a header would be read by the wrong columns."""
    lines = [HEADER, *ROWS]
    moved = [b",".join(line.strip().split(b",")[i] for i in order) + b"\n" for line in lines]
    with pytest.raises(DataError) as error:
        look(tmp_path, {"e.csv": b"".join([*lines, *moved])}, spec())
    (problem,) = error.value.problems
    assert problem.code == "reordered-header" and problem.span is not None and problem.span.line == len(lines) + 1
