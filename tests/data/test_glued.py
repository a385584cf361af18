"""Exports glued together by `cat`: headers and byte order marks between the rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.data.build import look, spec

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
    assert not [note for note in found.observed.notes if "timezone" in note]
    assert found.observed.files[0].rows == len(ROWS)


def test_rows_without_a_zone_are_still_told(tmp_path: Path) -> None:
    naive = b"".join(ROWS).replace(b"Z,", b",")
    found = look(
        tmp_path, {"e.csv": HEADER + naive + BOM + HEADER + naive.replace(b"a", b"c")}, spec(arms={"a": {}, "b": {}})
    )
    assert [note for note in found.observed.notes if "no timezone" in note]


@pytest.mark.parametrize("form", [lambda text: text, quoted], ids=["bare", "quoted"])
def test_a_mark_before_a_row_is_no_part_of_its_unit(tmp_path: Path, form) -> None:
    """Later pieces without a header: the mark stands before a row."""
    middle = 8
    glued = BOM + form(HEADER + b"".join(ROWS[:middle])) + BOM + form(b"".join(ROWS[middle:]))
    found = look(tmp_path, {"e.csv": glued}, spec())
    assert found.observed.units == {"a": 8, "b": 8} and found.successes() == {"a": (3, 8), "b": (3, 8)}
    assert {one["unit"] for one in found.units} == {f"{arm}{i}" for arm in "ab" for i in range(8)}
