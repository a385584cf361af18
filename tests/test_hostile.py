"""Files that are not what they should be: exit code 2 with a message that helps, or the right number. Never a
traceback, never a wrong number."""

from __future__ import annotations

import gzip
import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from tests.support.hostile import (
    EXPECTED,
    GOOD,
    LINES,
    cut,
    drop,
    flip,
    insert,
    line,
    parquet,
    refused,
    run,
)

pytestmark = pytest.mark.slow


def xlsx() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("xl/worksheets/sheet1.xml", "<worksheet/>")
    return out.getvalue()


HTML = "<!DOCTYPE html><html><body>Please log in</body></html>"
LATIN = GOOD.replace("u1", "J\u00fcrgen").encode("latin-1")
PACKED = gzip.compress(GOOD.encode() * 50, mtime=0)


REFUSED: list[tuple[str, str | bytes, str, str, Sequence[str]]] = [
    ("empty file", b"", "data-empty", "e.csv", ["e.csv is empty"]),
    ("blank lines only", "\n\n\n", "no-header", "e.csv:1", []),
    ("header only", LINES[0], "no-rows", "e.csv", ["has a header and no rows"]),
    (
        "missing column",
        GOOD.replace("amount", "amounts"),
        "missing-column",
        "e.csv:1",
        ["'amount'", "did you mean amounts", "the header is: unit, time"],
    ),
    ("no header", "".join(LINES[1:]), "no-arm", "e.csv:1", ["the header is: u1,"]),
    ("web page", HTML, "not-text", "e.csv", ["is a web page, not a table"]),
    ("web page after blanks", "\ufeff \n" + HTML, "not-text", "e.csv", ["web page"]),
    ("Excel", xlsx(), "not-text", "e.csv", ["an Excel or other office file", "save the sheet as CSV"]),
    ("old Excel", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(500), "not-text", "e.csv", ["an old Excel file"]),
    ("PDF", b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n", "not-text", "e.csv", ["a PDF file"]),
    ("binary", bytes(range(256)) * 20, "not-text", "e.csv", ["is a binary file"]),
    ("Latin-1", LATIN, "encoding", "e.csv:2", ["it looks like cp1252", "Jürgen", "write encoding: cp1252"]),
    (
        "Latin-1 far down",
        (GOOD + "".join(LINES[1:]) * 2000).encode() + b"u\xfc,2024-03-04T10:00:00Z,a,x,\n",
        "encoding",
        "e.csv:12008",
        [],
    ),
    (
        "open quote",
        line(3, 'u1,2024-03-04T10:05:00Z,a,"purchase,12.5'),
        "broken-quotes",
        "e.csv:3",
        ["close the quote"],
    ),
    ("text after a quote", line(3, 'u1,2024-03-04T10:05:00Z,a,"pur"chase,12.5'), "broken-quotes", "e.csv:3", []),
    ("short row", line(4, "u2,2024-03-04T11:00:00Z,b"), "ragged-row", "e.csv:4", ["too few cells: the header has 5\n"]),
    ("long row", line(4, "u2,2024-03-04T11:00:00Z,b,seen,1,2"), "ragged-row", "e.csv:4", ["too many cells"]),
    ("cut in a row", GOOD[:-22], "ragged-row", "e.csv:7", ["too few cells", "was the file cut"]),
    ("comma in a number", line(6, "u3,2024-03-04T11:30:00Z,b,purchase,1,234"), "ragged-row", "e.csv:6", []),
    (
        "mixed times",
        line(4, "u2,04/03/2024 11:00,b,seen,"),
        "bad-time",
        "e.csv:4 (time)",
        ["'04/03/2024 11:00' is not a time", "time_format"],
    ),
    ("impossible day", line(4, "u2,2024-02-30,b,seen,"), "bad-time", "e.csv:4 (time)", []),
    (
        "seconds since 1970",
        line(4, "u2,1709546400,b,seen,"),
        "bad-time",
        "e.csv:4 (time)",
        ["'1709546400'", "write ISO 8601"],
    ),
    (
        "two currencies",
        line(3, "u1,2024-03-04T10:05:00Z,a,purchase,$5").replace(",30", ",30 EUR"),
        "ambiguous-number",
        "e.csv:3 (amount)",
        ["'$5'", "several currencies (EUR, USD)"],
    ),
    (
        "thousands",
        line(3, 'u1,2024-03-04T10:05:00Z,a,purchase,"1,234"'),
        "ambiguous-number",
        "e.csv:3 (amount)",
        ["'1,234'", "thousands: ','"],
    ),
    ("dash", line(6, "u3,2024-03-04T11:30:00Z,b,purchase,-"), "bad-value", "e.csv:6 (amount)", ["'-'", "null: ['-']"]),
    ("NaN", line(6, "u3,2024-03-04T11:30:00Z,b,purchase,NaN"), "bad-value", "e.csv:6 (amount)", ["'NaN'"]),
    ("infinity", line(6, "u3,2024-03-04T11:30:00Z,b,purchase,inf"), "bad-value", "e.csv:6 (amount)", ["'inf'"]),
    ("overflow", line(6, "u3,2024-03-04T11:30:00Z,b,purchase,1e308"), "bad-value", "e.csv:6 (amount)", ["'1e308'"]),
    (
        "empty value",
        line(6, "u3,2024-03-04T11:30:00Z,b,purchase,"),
        "bad-value",
        "e.csv:6 (amount)",
        ["has no value", "missing_value: zero or drop"],
    ),
    ("null as text", line(6, "u3,2024-03-04T11:30:00Z,b,purchase,null"), "bad-value", "e.csv:6 (amount)", ["'null'"]),
    (
        "columns twice",
        GOOD.replace("event,amount", "event,event"),
        "duplicate-header",
        "e.csv:1",
        ["two columns named 'event'"],
    ),
    ("cut gzip", PACKED[: len(PACKED) // 2], "gzip-broken", "e.csv", ["was the download cut?"]),
    ("gzip cut at its end", PACKED[:-3], "gzip-broken", "e.csv", []),
    ("gzip with a wrong checksum", PACKED[:-8] + bytes(4) + PACKED[-4:], "gzip-broken", "e.csv", []),
    ("gzip of a web page", gzip.compress(HTML.encode()), "not-text", "e.csv", ["web page"]),
    ("gzip of nothing", gzip.compress(b""), "data-empty", "e.csv", []),
    ("cut Parquet", parquet()[:-100], "parquet-broken", "e.csv", ["is a cut Parquet file"]),
    ("fake Parquet", b"PAR1" + b"x" * 500 + b"PAR1", "parquet-broken", "e.csv", []),
    ("huge line", line(3, "u1,2024-03-04T10:05:00Z,a,purchase," + "9" * 3_000_000), "line-too-long", "e.csv:3", []),
    ("a list in JSON", "[1, 2]\n", "no-arm", "e.csv:1", []),
]


@pytest.mark.parametrize(
    ("content", "code", "place", "words"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_what_cannot_be_read_is_told(
    tmp_path: Path, content: str | bytes, code: str, place: str, words: Sequence[str]
) -> None:
    refused(run(tmp_path, content), code, place, *words)


@pytest.mark.parametrize(
    ("name", "content", "code", "words"),
    [
        ("e.csv.gz", GOOD.encode(), None, []),  # told by its bytes, not by its name
        ("e.parquet", GOOD.encode(), "not-parquet", ["name its format: format: csv"]),
        ("e.csv", parquet(), None, []),
        ("e.jsonl", GOOD.encode(), "bad-json", ["one JSON object on every line"]),
        ("e.jsonl", b"[1, 2]\n3\n", "bad-json", ["has no line that is a JSON object"]),
        ("e.json", b'[{"unit": 1}, {"unit": 2}]', "not-text", ["is a JSON document, not JSON lines", "jq -c"]),
        ("e.json", b'{\n  "unit": 1\n}\n', "not-text", ["is a JSON document"]),
        ("e.zst", b"\x28\xb5\x2f\xfd" + GOOD.encode(), "zstd-broken", []),
        ("e.tsv", GOOD.encode(), "no-arm", []),
    ],
)
def test_names_that_lie(tmp_path: Path, name: str, content: bytes, code: str | None, words: list[str]) -> None:
    ran = run(tmp_path, content, name)
    if code is None:
        assert ran.values() == EXPECTED
    else:
        refused(ran, code, name, *words)


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (GOOD.replace(",", ";"), {}),
        (GOOD.replace(",", "\t"), {}),
        ("\ufeff" + GOOD, {}),
        (GOOD.replace("\n", "\r\n"), {}),
        (GOOD.replace("\n", "\r"), {}),
        (GOOD.rstrip("\n"), {}),
        (GOOD + "\n\n", {}),
        (GOOD.encode("utf-16"), {"encoding": "utf-16"}),
        (LATIN.decode("latin-1").replace("J\u00fcrgen", "u1 \u00fc").encode("latin-1"), {"encoding": "latin-1"}),
        (GOOD.replace("seen", '"se\nen, ""x"""'), {}),
        (GOOD.replace(",seen,", ",seen,null"), {"null": ["null"]}),
        (GOOD.replace("12.5", '"12,5"'), {"decimal": ","}),
        (GOOD.replace("12.5", '"0,012.5"'), {"thousands": ","}),
        ("".join([LINES[0].strip() + ",,\n", *(row.strip() + ",x,y\n" for row in LINES[1:])]), {}),  # empty names
        (
            GOOD.replace("amount", "amount,Amount")
            .replace(",12.5", ",12.5,99")
            .replace(",30", ",30,99")
            .replace(",seen,", ",seen,,"),
            {},
        ),
        (
            "".join(
                [
                    LINES[0].strip() + "".join(f",z{i}" for i in range(3000)) + "\n",
                    *(row.strip() + "," * 3000 + "\n" for row in LINES[1:]),
                ]
            ),
            {},
        ),
        (GOOD + "," * 4 + "\n" + " ,2024-03-04T12:00:00Z,b,purchase,5\n", {}),  # rows without a unit
        (GOOD + "u9,2024-03-04T09:00:00Z,,purchase,5\nu2,2024-03-04T09:00:00Z,,purchase,5\n", {}),  # before exposure
        (GOOD + "u8,2024-03-04T12:00:00Z,C,purchase,7\n", {}),  # an arm that is none
        (GOOD + "u7,2024-03-04T12:00:00Z,a,purchase,7\nu7,2024-03-04T12:00:00Z,b,purchase,7\n", {}),  # in two arms
    ],
)
def test_odd_files_give_the_same_numbers(tmp_path: Path, content: str | bytes, options: dict[str, Any]) -> None:
    ran = run(tmp_path, content, options=options)
    assert ran.values() == EXPECTED, ran.err
    assert ran.code in (0, 1)  # 1 where a check blocks: a third of the units in two arms


def test_files_that_are_not_there(tmp_path: Path) -> None:
    refused(
        run(tmp_path, GOOD, file="events.csv"),
        "data-not-found",
        "events.csv",
        "there is no file events.csv",
        "In that folder: e.csv",
    )
    refused(
        run(tmp_path, GOOD, name="evnts.csv", file="events.csv"),
        "data-not-found",
        "events.csv",
        "did you mean evnts.csv?",
    )
    refused(run(tmp_path, None, file="nowhere/e.csv"), "data-not-found", "nowhere/e.csv", "starts at the spec's folder")
    refused(run(tmp_path, None, file="*.parquet"), "data-not-found", "*.parquet", "no file matches *.parquet")
    (tmp_path / "folder").mkdir()
    refused(run(tmp_path, None, file="folder"), "data-is-folder", "folder", "folder is a folder", "events/*.csv")
    refused(run(tmp_path, None, file="x" * 5000), "data-not-found", "xxx")
    refused(run(tmp_path, None, file="a\0b"), "data-not-found", "a")
    refused(run(tmp_path, None, file="~nobody-of-this-name/e.csv"), "data-not-found", "~nobody")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text(GOOD)
    (tmp_path / "e.csv").chmod(0)
    refused(run(tmp_path, None), "data-unreadable", "e.csv", "permissions")


def test_all_problems_of_all_files_at_once(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "page.csv").write_text(HTML)
    (tmp_path / "short.csv").write_text("unit,time\nu1,2024-03-04\n")
    ran = run(tmp_path, GOOD, data={"events": ["e.csv", "empty.csv", "none.csv"], "exposures": "page.csv"})
    assert ran.code == 2
    assert [code for code in ("data-empty", "data-not-found", "not-text") if f"error[{code}]" in ran.err] == [
        "data-empty",
        "data-not-found",
        "not-text",
    ]
    ran = run(tmp_path, GOOD, data={"events": "e.csv", "exposures": "short.csv"})
    assert (ran.code, ran.err.count("error[missing-column]")) == (2, 1)
    ran = run(tmp_path, line(3, "u1,soon,a,purchase,5").replace(",30", ",30,1"))
    assert (ran.code, ran.err.count("error[")) == (2, 2)


def test_a_label_that_nobody_has(tmp_path: Path) -> None:
    """Nothing is in any arm: no effect is shown, the verdict is INVALID, and the labels that are there are named."""
    ran = run(tmp_path, GOOD.replace(",a,", ",Control,").replace(",b,", ",Variant,"))
    assert ran.code == 1
    assert ran.values()["orders"] == {"a": (0, None), "b": (0, None)}
    assert "'Variant'" in ran.out and "'Control'" in ran.out
    assert json.loads(ran.out)["verdict"]["verdict"] == "INVALID"


@pytest.mark.parametrize("arm", ["a", "b"])
def test_an_arm_without_units(tmp_path: Path, arm: str) -> None:
    ran = run(tmp_path, "".join(row for row in LINES if f",{arm}," not in row))
    assert ran.code == 1
    assert ran.values()["orders"][arm] == (0, None)
    assert json.loads(ran.out)["verdict"]["verdict"] == "INVALID"


def test_everybody_in_two_arms(tmp_path: Path) -> None:
    ran = run(
        tmp_path,
        GOOD + "".join(row.replace(",a,", ",x,").replace(",b,", ",a,").replace(",x,", ",b,") for row in LINES[1:]),
    )
    assert ran.code == 1
    assert ran.values()["revenue"] == {"a": (0, None), "b": (0, None)}
    assert "crossover" in ran.out


@given(st.binary(max_size=300) | st.text(alphabet="ab,;\"\n\r\t'\\ 01.-", max_size=200).map(str.encode))
@settings(max_examples=40, deadline=None)
def test_random_bytes_end_in_a_message(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ran = run(Path(folder), content)
    assert ran.code == 2  # no random bytes hold the columns
    assert ran.err.startswith("error[") and "= help: " in ran.err


def _repeat(content: bytearray, at: int, byte: int) -> None:
    lines = bytes(content).splitlines(keepends=True)
    content += lines[at % len(lines)]


edits = st.tuples(
    st.sampled_from([flip, flip, flip, cut, drop, insert, _repeat]),
    st.integers(0, 10_000),
    st.integers(0, 255) | st.sampled_from(list(b',;"\n\r0 9ab')),
)


@given(st.lists(edits, min_size=1, max_size=3), st.sampled_from(["csv", "csv", "csv.gz", "parquet"]))
@settings(max_examples=70, deadline=None)
def test_random_damage_ends_in_a_message_or_a_readout(
    damage: list[tuple[Callable[[bytearray, int, int], None], int, int]], form: str
) -> None:
    content = bytearray(
        {"csv": GOOD.encode(), "csv.gz": gzip.compress(GOOD.encode(), mtime=0), "parquet": parquet()}[form]
    )
    for edit, at, byte in damage:
        if content:
            edit(content, at, byte)
    with tempfile.TemporaryDirectory() as folder:
        ran = run(Path(folder), bytes(content), f"e.{form}")
    assert ran.code in (0, 1, 2)
    if ran.code == 2:
        assert ran.err.startswith("error[") and "Traceback" not in ran.err
    else:
        assert all(units <= 8 for arms in ran.values().values() for units, _ in arms.values())
