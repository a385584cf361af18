"""Many small files of one export: read in one statement, and what is found is what reading them one by one finds."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

import abcx
from abcx.engines.local import Engine
from abcx.errors import DataError
from abcx.files import opening
from tests.support.notes import texts

pytestmark = pytest.mark.slow

NAMES = ("unit", "time", "arm", "event", "value", "ok")
Row = tuple[Any, ...]
FORMATS = ["csv", "jsonl", "jsonl.gz", "parquet"]


def rows(file: int) -> list[Row]:
    """Forty rows an hour: every unit is seen, one in four buys for 10 more than its number."""
    found: list[Row] = []
    for i in range(20):
        unit, arm = 20 * (file % 3) + i, "control" if i % 2 else "variant"
        hour = f"2024-03-{4 + file // 24:02}T{file % 24:02}"
        ok = "no" if i % 7 == 0 else "yes"
        found.append((f"u{unit}", f"{hour}:00:{i:02}Z", arm, "view", None, ok))
        if (i + file) % 4 == 0:
            found.append((f"u{unit}", f"{hour}:30:{i:02}Z", arm, "purchase", f"{10 + unit}.5", ok))
    return found


def text(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", newline="") as out:
        csv.writer(out).writerows((NAMES, *rows))


def jsonl(path: Path, rows: Sequence[Row]) -> None:
    objects = [{name: cell for name, cell in zip(NAMES, row, strict=True) if cell is not None} for row in rows]
    path.write_text("".join(f"{json.dumps(one)}\n" for one in objects))


def packed(path: Path, rows: Sequence[Row]) -> None:
    jsonl(path, rows)
    path.write_bytes(gzip.compress(path.read_bytes()))


def parquet(path: Path, rows: Sequence[Row]) -> None:
    columns = ", ".join(f"{name} VARCHAR" for name in NAMES)
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t ({columns})")
        if rows:
            connection.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(NAMES))})", rows)
        connection.execute(f"COPY t TO '{path}' (FORMAT parquet)")


WRITE: dict[str, Callable[[Path, Sequence[Row]], None]] = {
    "csv": text,
    "jsonl": jsonl,
    "jsonl.gz": packed,
    "parquet": parquet,
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def analyzed(
    files: Any,
    arms: Sequence[str] = ("control", "variant"),
    value: str = "value",
    missing_value: str | None = None,
    **source: Any,
) -> abcx.Results:
    metric = {"event": "purchase", "goal": "increase"}
    revenue = {"value": value} | ({"missing_value": missing_value} if missing_value else {})
    return abcx.analyze(
        {
            "schema_version": 1,
            "name": "hours",
            "arms": {arm: {} for arm in arms},
            "data": {"events": {"file": files, **source}},
            "metrics": {
                "orders": {"type": "conversion", "role": "primary", **metric},
                "revenue": {"type": "mean", **revenue, "role": "secondary", **metric},
            },
        }
    )


def told(results: abcx.Results) -> dict[str, Any]:
    """All but the files, with one balance for each part; sums of threads may differ in their last digits."""
    found = json.loads(json.dumps(results.to_dict()), parse_float=lambda digits: float(f"{float(digits):.9g}"))
    del found["setup"], found["data"]["files"]
    rows: dict[str, Counter[str]] = {}
    for one in found["data"].pop("balance"):
        counts = {"read": one["read"], "used": one["used"], **one["left_out"]}
        rows.setdefault(one["part"], Counter()).update(counts)
    return {**found, "balance": rows}


Change = Callable[[int, list[Row]], list[Row]]


def hours(format: str, count: int = 6, change: Change = lambda file, rows: rows) -> list[list[Row]]:
    """Write a file for each hour."""
    found = [change(file, rows(file)) for file in range(count)]
    for file, one in enumerate(found):
        WRITE[format](Path(f"hour-{file:02}.{format}"), one)
    return found


def statements(monkeypatch: pytest.MonkeyPatch, read: Callable[[], object]) -> int:
    """How many statements a reading takes, without those that ask more where all units of an outcome have it."""
    asked: list[str] = []
    run = Engine.run

    def recorded(self: Engine, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return run(self, sql, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(Engine, "run", recorded)
        read()
    return sum("FROM outcome" not in sql for sql in asked)


@pytest.mark.parametrize("format", FORMATS)
def test_many_files_give_what_one_file_of_all_rows_gives(format: str) -> None:
    all_rows = [row for found in hours(format) for row in found]
    WRITE[format](Path(f"all.{format}"), all_rows)
    many, one = analyzed(f"hour-*.{format}"), analyzed(f"all.{format}")
    assert told(many) == told(one)
    assert [(file.path, file.rows) for file in many.data.files] == [
        (f"hour-{file:02}.{format}", len(rows(file))) for file in range(6)
    ]
    for file in many.data.files:
        assert file.sha256 == hashlib.sha256(Path(file.path).read_bytes()).hexdigest()


def all_naive(file: int, rows: list[Row]) -> list[Row]:
    return [(row[0], row[1].replace("Z", ""), *row[2:]) for row in rows]


def as_they_are(file: int, rows: list[Row]) -> list[Row]:
    return rows


def epoch(file: int, rows: list[Row]) -> list[Row]:
    return [(row[0], str(int(datetime.fromisoformat(row[1]).timestamp())), *row[2:]) for row in rows]


def basic(file: int, rows: list[Row]) -> list[Row]:
    return [(row[0], row[1].replace("-", "").replace(":", ""), *row[2:]) for row in rows]


def euros(file: int, rows: list[Row]) -> list[Row]:
    return [(*row[:4], row[4] and f"€1.0{row[4].replace('.', ',')}0", row[5]) for row in rows]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("change", "source"),
    [
        (as_they_are, {}),
        (all_naive, {"timezone": "Europe/Berlin"}),
        (epoch, {}),
        (basic, {}),
        (as_they_are, {"where": {"ok": True}}),
    ],
)
def test_further_files_take_no_further_statements(
    format: str, change: Change, source: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However times, numbers and booleans are written, where all files write them alike; the numbers are those of one
    file of all rows."""
    written = hours(format, 30, change)
    WRITE[format](Path(f"all.{format}"), [row for found in written for row in found])
    results: list[abcx.Results] = []
    few = statements(monkeypatch, lambda: analyzed(f"hour-0[0-4].{format}", **source))
    many = statements(monkeypatch, lambda: results.append(analyzed(f"hour-*.{format}", **source)))
    assert told(results[0])["metrics"] == told(analyzed(f"all.{format}", **source))["metrics"]
    assert many <= few


def bad_number(file: int, rows: list[Row]) -> list[Row]:
    return [*rows, ("u1", "2024-03-04T12:00:00Z", "control", "purchase", "ten", "yes")] if file == 3 else rows


def rounded_id(file: int, rows: list[Row]) -> list[Row]:
    return [*rows, ("1.5E+12", "2024-03-04T12:00:00Z", "control", "view", None, "yes")] if file == 3 else rows


def no_id(file: int, rows: list[Row]) -> list[Row]:
    return [*rows, ("NULL", "2024-03-04T12:00:00Z", "control", "view", None, "yes")] if file == 3 else rows


def pointed_ids(file: int, rows: list[Row]) -> list[Row]:
    return [(f"{row[0][1:]}.0" if file == 3 else row[0][1:], *row[1:]) for row in rows]


def bad_time(file: int, rows: list[Row]) -> list[Row]:
    return [*rows, ("u1", "yesterday", "control", "view", None, "yes")] if file == 3 else rows


def ambiguous_day(file: int, rows: list[Row]) -> list[Row]:
    """The others tell the order of day and month; this one does not."""
    day = 4 if file == 3 else 14
    return [(row[0], f"03/{day:02}/2024 {row[1][11:19]}", *row[2:]) for row in rows]


def unclear_zone(file: int, rows: list[Row]) -> list[Row]:
    return [(row[0], row[1].replace("T", " ").replace("Z", " BST"), *row[2:]) for row in rows] if file == 3 else rows


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("change", [bad_number, rounded_id, no_id, pointed_ids, bad_time, ambiguous_day, unclear_zone])
def test_what_is_wrong_is_told_of_its_file(format: str, change: Change, monkeypatch: pytest.MonkeyPatch) -> None:
    hours(format, 6, change)
    with pytest.raises(DataError) as together:
        analyzed(f"hour-*.{format}")
    assert f"hour-03.{format}" in str(together.value) and f"hour-02.{format}:" not in str(together.value)
    monkeypatch.setattr(opening, "_BATCH_MAX_BYTES", 0)  # as large files are read
    with pytest.raises(DataError) as apart:
        analyzed(f"hour-*.{format}")
    assert str(together.value) == str(apart.value)


def thousands(file: int, rows: list[Row]) -> list[Row]:
    return [(*row[:4], row[4] and f"$1,0{row[4]}", row[5]) for row in rows] if file == 3 else rows


def naive(file: int, rows: list[Row]) -> list[Row]:
    return [(row[0], row[1].replace("Z", ""), *row[2:]) for row in rows] if file == 3 else rows


def empty(file: int, rows: list[Row]) -> list[Row]:
    return [] if file == 3 else rows


def repeated(file: int, rows: list[Row]) -> list[Row]:
    return [*rows, *rows[:4]] if file == 3 else rows


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("change", [thousands, euros, naive, all_naive, empty, repeated])
def test_the_result_is_that_of_files_read_one_by_one(
    format: str, change: Change, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours(format, 6, change)
    together = analyzed(f"hour-*.{format}")
    monkeypatch.setattr(opening, "_BATCH_MAX_BYTES", 0)
    apart = analyzed(f"hour-*.{format}")
    assert together.data.files == apart.data.files
    assert told(together)["metrics"] == told(apart)["metrics"]
    assert bool(texts(together.data.notes)) == bool(texts(apart.data.notes))
    if change is naive:
        assert any(f"the times of hour-03.{format} have no timezone" in note for note in texts(together.data.notes))
    if change is all_naive:
        assert any("hour-00" in note and "5 more files" in note for note in texts(together.data.notes))
    if change is empty:
        assert any(f"hour-03.{format}" in note for note in texts(together.data.notes))


@pytest.mark.parametrize("format", FORMATS)
def test_rows_that_are_left_out_are_counted_over_all_files(format: str) -> None:
    hours(format)
    results = analyzed(f"hour-*.{format}", exclude={"small": {"unit": ["u1", "u2"]}})
    left = sum(row[0] in ("u1", "u2") for file in range(6) for row in rows(file))
    assert sum(one.rows or 0 for one in results.data.exclusions if one.reason == "small") == left
    assert sum(file.rows for file in results.data.files) == sum(len(rows(file)) for file in range(6))


@pytest.mark.parametrize("format", FORMATS)
def test_a_row_too_many_is_tolerated_where_it_stands(format: str) -> None:
    hours(format, 6, bad_number)
    results = analyzed(f"hour-*.{format}", max_bad_rows=1)
    (bad,) = [one for one in results.data.exclusions if one.reason == "bad_row"]
    assert bad.rows == 1 and f"hour-03.{format}" in bad.message


def crlf(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def unix(text: bytes) -> bytes:
    return text.replace(b"\r\n", b"\n")


def epochs(text: bytes) -> bytes:
    """The times in seconds since 1970."""

    def seconds(found: re.Match[bytes]) -> bytes:
        return str(int(datetime.fromisoformat(found[0].decode()).timestamp())).encode()

    return re.sub(rb"2024-[0-9T:-]+Z", seconds, unix(text))


WRITTEN: dict[str, tuple[Callable[[int, bytes], bytes], bool]] = {
    "crlf": (lambda file, text: crlf(text), True),
    "no final line end": (lambda file, text: unix(text).rstrip(b"\n"), True),
    "empty lines": (lambda file, text: unix(text).replace(b"u4,", b"\nu4,") + b"\n\n", True),
    "byte order marks": (lambda file, text: b"\xef\xbb\xbf" + unix(text), True),
    "quoted cells": (lambda file, text: unix(text).replace(b",view,", b',"view",'), True),
    "line ends in cells": (lambda file, text: unix(text).replace(b",yes", b',"yes\n and\n more"'), True),
    "semicolons": (lambda file, text: unix(text).replace(b",", b";"), True),
    "other line ends in one": (lambda file, text: crlf(text) if file == 3 else unix(text), False),
    "a blank in one header": (
        lambda file, text: unix(text).replace(b"unit,", b"unit ,", 1) if file == 3 else unix(text),
        False,
    ),
    "other columns in one": (
        lambda file, text: unix(text).replace(b"unit,time", b"unit,when", 1) if file == 3 else unix(text),
        False,
    ),
    "a title in one": (lambda file, text: b"# made by a tool\n" + unix(text) if file == 3 else unix(text), False),
    "an open quote in two": (
        lambda file, text: unix(text).replace(b",view,", b',"view,', 1) if file in (2, 3) else unix(text),
        False,
    ),
    "a quote that spans files": (
        lambda file, text: unix(text) + b'u1,"' if file == 2 else b'"' + unix(text) if file == 3 else unix(text),
        False,
    ),
    "an accent in another encoding": (
        lambda file, text: epochs(text).replace(b",yes", b",\xe9", 1) if file == 3 else epochs(text),
        False,
    ),
    "days alone in one": (
        lambda file, text: re.sub(rb"T[0-9:]+Z", b"", text) if file == 3 else text,
        False,
    ),
    "whole minutes in one": (
        lambda file, text: re.sub(rb":[0-9]{2}Z", b":00Z", text) if file == 3 else text,
        False,
    ),
    "a row too short in one": (lambda file, text: unix(text) + b"u1,2024\n" if file == 3 else unix(text), False),
    "a header again in one": (
        lambda file, text: unix(text) + unix(text).splitlines(True)[0] if file == 3 else unix(text),
        False,
    ),
}
"""How the bytes of every file are changed, by number and text; whether all files are still read in one statement."""


@pytest.mark.parametrize("how", WRITTEN)
def test_csv_files_however_they_are_written(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read together or not, the numbers or the problems are those of files that are read one by one."""
    change, together = WRITTEN[how]
    hours("csv", 6)
    for file in range(6):
        path = Path(f"hour-{file:02}.csv")
        path.write_bytes(change(file, path.read_bytes()))

    def outcome() -> object:
        try:
            results = analyzed("hour-*.csv")
            codes = {note.code for note in results.data.notes}
            return told(results)["metrics"], codes, results.data.as_of
        except DataError as error:
            return str(error)

    asked = statements(monkeypatch, outcome)
    found = outcome()
    monkeypatch.setattr(opening, "_BATCH_MAX_BYTES", 0)
    assert found == outcome()
    assert (asked < statements(monkeypatch, outcome) / 2) == together


def test_packed_csv_files_are_read_together(monkeypatch: pytest.MonkeyPatch) -> None:
    hours("csv", 6)
    expected = told(analyzed("hour-*.csv"))["metrics"]
    for path in Path().glob("hour-*.csv"):
        Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
    assert told(analyzed("hour-*.csv.gz"))["metrics"] == expected
    few = statements(monkeypatch, lambda: analyzed("hour-0[0-1].csv.gz"))
    assert statements(monkeypatch, lambda: analyzed("hour-*.csv.gz")) <= few


def test_folders_tell_columns_of_files_that_are_read_together() -> None:
    for file in range(6):
        folder = Path(f"events/country={'de' if file % 2 else 'at'}/hour={file}")
        folder.mkdir(parents=True)
        parquet(folder / "part.parquet", rows(file))
    results = analyzed("events", where={"country": "de"})
    Path("odd").mkdir()
    for file in (1, 3, 5):
        parquet(Path(f"odd/{file}.parquet"), rows(file))
    assert told(results)["metrics"] == told(analyzed("odd"))["metrics"]


def test_fields_that_only_some_files_have() -> None:
    """The first hours sold nothing: no object has a value."""
    hours("jsonl", 6, lambda file, found: [row for row in found if row[3] == "view"] if file < 3 else found)
    text(Path("all.csv"), [row for file in range(6) for row in rows(file) if file >= 3 or row[3] == "view"])
    assert told(analyzed("hour-*.jsonl"))["metrics"] == told(analyzed("all.csv"))["metrics"]


def test_parquet_files_of_different_types_are_read_apart() -> None:
    hours("parquet", 4)
    with duckdb.connect() as connection:
        typed = "SELECT * REPLACE (CAST(time AS TIMESTAMPTZ) AS time, CAST(value AS DOUBLE) AS value) FROM"
        connection.execute(f"COPY ({typed} 'hour-02.parquet') TO 'hour-02.typed' (FORMAT parquet)")
    Path("hour-02.typed").rename("hour-02.parquet")
    text(Path("all.csv"), [row for file in range(4) for row in rows(file)])
    assert told(analyzed("hour-*.parquet"))["metrics"] == told(analyzed("all.csv"))["metrics"]


def test_what_is_wrong_with_many_files_is_told_of_three() -> None:
    hours("csv", 9, lambda file, rows: [*rows, ("u1", "2024-03-04T12:00:00Z", "control", "purchase", "ten", "yes")])
    with pytest.raises(DataError) as refused:
        analyzed("hour-*.csv")
    assert [problem.span.file for problem in refused.value.problems if problem.span] == [
        "hour-00.csv",
        "hour-01.csv",
        "hour-02.csv",
    ]
    assert [("6 more files" in problem.message) for problem in refused.value.problems] == [False, False, True]


@pytest.mark.parametrize("format", FORMATS[1:])
def test_a_cut_file_is_told(format: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hours(format)
    path = Path(f"hour-03.{format}")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError) as together:
        analyzed(f"hour-*.{format}")
    assert path.name in str(together.value)
    monkeypatch.setattr(opening, "_BATCH_MAX_BYTES", 0)
    with pytest.raises(DataError) as apart:
        analyzed(f"hour-*.{format}")
    assert str(together.value) == str(apart.value)


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_named_twice_is_refused(format: str) -> None:
    hours(format)
    with pytest.raises(DataError, match=f"hour-02.{format} is named twice"):
        analyzed([f"hour-*.{format}", f"hour-02.{format}"])


def test_an_open_quote_among_many_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more files than threads the engine itself would lose what follows it."""
    hours("csv", 9)
    lines = Path("hour-03.csv").read_text().splitlines(keepends=True)
    Path("hour-03.csv").write_text("".join([*lines[:9], lines[9].replace(",view", ',"view'), *lines[10:]]))
    with pytest.raises(DataError, match=r"broken-quotes[^$]*hour-03.csv:10"):
        analyzed("hour-*.csv")


@pytest.mark.parametrize("format", FORMATS[1:])
@pytest.mark.parametrize(("zone", "said"), [(" BST", "has an ambiguous time zone"), ("", "have no timezone")])
def test_every_file_says_its_zone(format: str, zone: str, said: str) -> None:
    """However long the files before it are."""
    found = [(f"u{i}", "2024-03-04 10:00:00 UTC", "ab"[i % 2], "purchase", "1", "yes") for i in range(9_000)]
    WRITE[format](Path(f"a.{format}"), found)
    WRITE[format](Path(f"b.{format}"), [(row[0], row[1].replace(" UTC", zone), *row[2:]) for row in found[:50]])
    try:
        told = " ".join(texts(analyzed(f"?.{format}", arms=("a", "b")).data.notes))
    except DataError as error:
        told = str(error)
    assert said in told and f"b.{format}" in told


def test_the_first_of_several_rows_tells_the_segment() -> None:
    """Where exposures have no time, their order does."""
    for file, (device, count) in enumerate((("desktop", 4_000), ("mobile", 400), ("tablet", 300))):
        rows = [f"u{i},{'ab'[i % 2]},{device}\n" for i in range(count)]
        Path(f"{file}.csv").write_text("unit,arm,device\n" + "".join(rows))
        with duckdb.connect() as connection:
            connection.execute(f"COPY (FROM read_csv('{file}.csv')) TO '{file}.parquet'")
    Path("e.csv").write_text("unit,event\nu1,purchase\nu2,purchase\n")
    for format in ("csv", "parquet"):
        results = abcx.analyze(
            {
                "schema_version": 1,
                "name": "devices",
                "arms": {"a": {}, "b": {}},
                "data": {"exposures": f"[0-2].{format}", "events": "e.csv"},
                "segments": ["device"],
                "metrics": {
                    "orders": {"type": "conversion", "event": "purchase", "role": "primary", "goal": "increase"}
                },
            }
        )
        assert [value.value for one in results["orders"].segments for value in one.values] == ["desktop"]


def test_a_field_and_an_inner_field_of_one_name() -> None:
    """Each file for itself tells which of the two it has."""
    rows = [
        {"unit": f"u{i}", "time": "2024-03-04T10:00:00Z", "arm": "ab"[i % 2], "event": "purchase"} for i in range(20)
    ]
    for file, value in (("a", {"e": {"value": 5}}), ("b", {"e.value": 5})):
        Path(f"{file}.jsonl").write_text("".join(f"{json.dumps({**row, **value})}\n" for row in rows))
    results = analyzed("?.jsonl", arms=("a", "b"), value="e.value", missing_value="zero")
    assert [arm.value for arm in results["revenue"].arms] == [10, 10]


@pytest.mark.parametrize("line", ["oops", '{"unit": "u1", "ti', '{"unit": 1} {"unit": 2}', '"a', "[1]"])
def test_a_broken_line_among_many_files(line: str) -> None:
    hours("jsonl", 9)
    lines = Path("hour-03.jsonl").read_text().splitlines(keepends=True)
    for place in (0, 9, len(lines)):
        Path("hour-03.jsonl").write_text("".join([*lines[:place], f"{line}\n", *lines[place:]]))
        with pytest.raises(DataError, match=rf"bad-json[^$]*hour-03.jsonl:{place + 1}\b"):
            analyzed("hour-*.jsonl")
