"""JSON lines that are damaged: the place of every bad line, how many are tolerated, and what is left."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
from pathlib import Path

import pytest

from abcx.commands import analyze
from abcx.commands.options import DataOptions, RunOptions
from tests.support.hostile import EXPECTED, HEADER, METRICS, ROWS, refused, run
from tests.support.notes import of_json
from tests.support.same import same

pytestmark = pytest.mark.slow

LINES = [json.dumps({k: v for k, v in zip(HEADER, row, strict=True) if v}) for row in ROWS]
NONE = ['{"unit": "u9", "ti', "[1, 2]", "null", '{"unit": 1} [2]', '"text"', "5", "oops"]


def text(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("line", NONE)
@pytest.mark.parametrize("before", [0, 3, len(LINES)])
def test_a_line_that_is_no_object(tmp_path: Path, line: str, before: int) -> None:
    """Lines without text count for the address, and for nothing else."""
    blank = ["", "  "]
    content = text([*LINES[:before], *blank, line, *blank, *LINES[before:]])
    place = f"e.jsonl:{before + 3}"
    refused(
        run(tmp_path, content, "e.jsonl"), "bad-json", place, "a line is no JSON object", "one JSON object on every"
    )
    ran = run(tmp_path, content, "e.jsonl", options={"max_bad_rows": 1})
    assert ran.values() == EXPECTED, ran.err
    data = json.loads(ran.out)["data"]
    assert data["files"][0]["rows"] == len(ROWS) + 1
    told = f"rows of e.jsonl that cannot be read ({place}: a line is no JSON object)"
    assert [(e["reason"], e["rows"], e["message"]) for e in data["exclusions"]] == [("bad_row", 1, told)]


def test_a_cut_file(tmp_path: Path) -> None:
    """Of a download that broke off, the last line is no object; of a packed one, the checksum is missing."""
    whole = text([*LINES, LINES[0]]).encode()
    ran = run(tmp_path, whole[:-20], "e.jsonl")
    refused(ran, "bad-json", f"e.jsonl:{len(LINES) + 1}")
    refused(run(tmp_path, gzip.compress(whole)[:-10], "e.jsonl.gz", options={"max_bad_rows": 9}), "gzip-broken", "")


def test_bad_lines_and_bad_cells_together(tmp_path: Path) -> None:
    """Both have their lines, one limit holds for both, and what was packed remembers them."""
    much = LINES[-2].replace(ROWS[-2][0], "u8").replace('"30"', '"much"')
    assert "much" in much
    content = text([NONE[0], *LINES, "", much, NONE[-1]])
    refused(run(tmp_path, content, "e.jsonl", options={"max_bad_rows": 2}), "bad-json", "e.jsonl:1", "(2 such lines)")
    ran = run(tmp_path, content, "e.jsonl", options={"max_bad_rows": 3})
    assert ran.values() == EXPECTED, ran.err
    assert f"e.jsonl:{len(LINES) + 3} (amount)" in ran.out
    same(tmp_path / "experiment.yaml", tmp_path / "packed")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        options = RunOptions(quiet=True, threads=2, rejects=str(tmp_path / "bad.csv"))
        specs = [str(tmp_path / "experiment.yaml")]
        assert analyze.run(specs, format="json", output=None, data=DataOptions(), run=options, fail_on=[]) == 0
    found = list(csv.DictReader((tmp_path / "bad.csv").open(newline="")))
    assert [(row["line"], row["column"]) for row in found] == [
        ("1", ""), (str(len(LINES) + 3), "amount"), (str(len(LINES) + 4), ""),
    ]  # fmt: skip
    assert found[0]["row"] == NONE[0] and "much" in found[1]["row"]


@pytest.mark.parametrize("empty", [False, True])
def test_small_files_may_lack_a_field(tmp_path: Path, empty: bool) -> None:
    """An object leaves out what it has no value of: files of one export have the fields of all."""
    hours = {str(hour): [line for line in LINES if f"T{hour}" in line] for hour in (10, 11, 12)}
    assert all(hours.values()) and not any("amount" in line for line in hours["12"])
    for hour, lines in hours.items():
        (tmp_path / f"{hour}.jsonl").write_text(text([*lines, *([] if hour != "11" else ["oops"])]))
    if empty:
        (tmp_path / "13.jsonl").write_text("\n")
    ran = run(tmp_path, None, "e.jsonl", file="1*.jsonl", options={"max_bad_rows": 1})
    assert ran.values() == EXPECTED, ran.err
    files = json.loads(ran.out)["data"]["files"]
    assert [file["rows"] for file in files] == [2, 4, 1] + [0] * empty
    (tmp_path / "13.jsonl").write_text("\n")
    refused(run(tmp_path, None, "e.jsonl", file="13.jsonl"), "no-header", "13.jsonl:1", "has no fields")
    misspelled = {"metrics": {**METRICS, "m": METRICS["revenue"] | {"value": "amuont"}}, "options": {"max_bad_rows": 1}}
    refused(run(tmp_path, None, "e.jsonl", file="1*.jsonl", **misspelled), "missing-column", "10.jsonl", "mean amount")


def test_a_zone_that_is_clear(tmp_path: Path) -> None:
    """A second look that finds nothing to tell has no line to name."""
    times = [line.replace("2024-03-04T", "2024-03-04 ").replace('Z"', ' EST"') for line in LINES]
    assert "EST" in times[0] and run(tmp_path, text(times), "e.jsonl").values() == EXPECTED
    refused(run(tmp_path, text(times).replace("EST", "BST"), "e.jsonl"), "ambiguous-time", "e.jsonl:1 (time)")


def test_what_holds_for_many_files_is_said_once(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"{number}.jsonl").write_text(text([line.replace("Z", "") for line in LINES[number : number + 1]]))
    ran = run(tmp_path, None, "e.jsonl", file=[f"{number}.jsonl" for number in range(6)])
    (note,) = (note for note in of_json(json.loads(ran.out)) if "timezone" in note)
    assert note.startswith("the times of 0.jsonl and 5 more files have no timezone")
    (tmp_path / "4.jsonl").write_text(text(LINES[4:5]))  # with an offset: each file for itself
    for others, shown in ((range(3), 3), ((0, 1, 2, 3, 5), 1)):
        ran = run(tmp_path, None, "e.jsonl", file=[f"{number}.jsonl" for number in (4, *others)])
        notes = [note for note in of_json(json.loads(ran.out)) if "timezone" in note]
        assert len(notes) == shown and notes[0].startswith("the times of 0.jsonl have no timezone")
        assert ("(and so of 4 more files)" in notes[0]) == (shown == 1)


@pytest.mark.parametrize("between", ["", " ", ", "])
def test_several_objects_on_one_line(tmp_path: Path, between: str) -> None:
    """As streams of some clouds write them: how many are lost is not known, so none is left out."""
    joined = between.join(LINES[1:4])
    for content in (text([LINES[0], joined, *LINES[4:]]), between.join(LINES)):
        place = "e.jsonl:2" if "\n" in content else "e.jsonl:1"
        ran = run(tmp_path, content, "e.jsonl", options={"max_bad_rows": 20})
        refused(ran, "bad-json", place, "a line holds several JSON objects", "jq -c . FILE")


def test_objects_that_come_late(tmp_path: Path) -> None:
    """Rows in the order of their names: for a long time no event has an object with its value."""
    views = [
        {"unit": f"u{i % 40}", "time": "2024-03-04T10:00:00Z", "arm": "ab"[i % 2], "event": "a"} for i in range(12_000)
    ]
    bought = {"unit": "u1", "time": "2024-03-04T11:00:00Z", "arm": "b", "event": "purchase", "cart": {"value": "8"}}
    content = text([json.dumps(one) for one in [{**view, "cart": None} for view in views] + [bought]])
    revenue = {"type": "mean", "event": "purchase", "value": "cart.value", "role": "primary", "goal": "increase"}
    ran = run(tmp_path, content, "e.jsonl", metrics={"revenue": revenue})
    assert ran.values()["revenue"] == {"a": (20, 0.0), "b": (20, 0.4)}


@pytest.mark.parametrize("number", [0, 3, len(LINES) - 1])
def test_a_field_that_stands_twice_is_refused(tmp_path: Path, number: int) -> None:
    """The engine takes the first of the two, Python and most others the last: one value would be lost unseen."""
    twice = [line[:-1] + ', "unit": "u9"}' if i == number else line for i, line in enumerate(LINES)]
    refused(run(tmp_path, text(["", *twice]), "e.jsonl"), "repeated-field", f"e.jsonl:{number + 2}", "'unit' twice")
    (tmp_path / "f.jsonl").write_text(text(twice))
    (tmp_path / "e.jsonl").write_text(text(LINES))
    ran = run(tmp_path, None, data={"events": {"file": ["e.jsonl", "f.jsonl"]}})
    refused(ran, "repeated-field", f"f.jsonl:{number + 1}", "once")
