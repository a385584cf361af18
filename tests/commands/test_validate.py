"""`abcx validate`: which files are checked, what is said in each format, and the exit code."""

import io
import json
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from abcx.commands import validate
from abcx.commands.options import RunOptions
from abcx.errors import UsageError
from abcx.problems import Problem, Span
from abcx.report import findings as formats
from abcx.report.findings import Checked

VALID = """\
schema_version: 1
name: good
arms: {a: , b: }
metrics:
  orders: {type: conversion, role: primary, goal: increase, minimum_effect: 5%}
"""
WARNED = VALID.replace(", minimum_effect: 5%", "")
BROKEN = VALID.replace("conversion", "convertion").replace("name: good", "name: Not Good\ntitel: x")
OTHER = "version: 2\njobs: {build: {schema_version: 3}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "good/experiment.yaml": VALID,
        "bad/experiment.yml": BROKEN,
        "flat.yaml": WARNED,
        "workflow.yaml": OTHER,
        "notes.txt": VALID,
        ".hidden/experiment.yaml": BROKEN,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def told(
    capsys: pytest.CaptureFixture[str], *paths: Path | str, format: str = "text", **more: Any
) -> tuple[int, str, str]:
    code = validate.run([str(path) for path in paths], format=format, **more)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def problem(message: str = "m", level: Any = "error", **place: Any) -> Problem:
    return Problem(level, "some-code", message, Span("a.yaml", **place), "the cure")


def test_a_folder_is_searched(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(capsys, folder)
    assert code == 1
    assert out.splitlines()[-1] == "3 specs: 2 valid, 1 with 3 errors, 1 warning (1 other YAML file skipped)"
    assert err == ""
    assert out.count("-->") == 4 and "unknown metric type 'convertion'" in out


def test_several_paths_and_each_file_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = folder / "good" / "experiment.yaml"
    code, out, _ = told(capsys, good, folder / "good", good)
    assert (code, out) == (0, "1 spec: 1 valid\n")


def test_a_named_file_is_checked_whatever_it_looks_like(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, folder / "workflow.yaml")
    assert code == 1 and "unknown key 'jobs'" in out


def test_warnings_are_allowed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, folder / "flat.yaml")
    assert code == 0
    assert out.startswith("warning[no-minimum-effect]") and out.endswith("1 spec: 1 valid, 1 warning\n")


def test_a_missing_path_does_not_hide_findings(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = told(capsys, folder / "none.yaml", folder / "bad")
    assert code == 2
    assert out.endswith("1 spec: 1 with 3 errors\n")
    assert err.startswith("error[spec-not-found]: there is no file")


def test_a_folder_without_specs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "workflow.yaml").write_text(OTHER)
    code, out, err = told(capsys, tmp_path)
    assert (code, out) == (2, "")
    assert err.startswith(f"error[no-specs]: there is no spec in {tmp_path}")


def test_a_folder_named_beside_one_of_its_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = told(capsys, folder / "good" / "experiment.yaml", folder / "good")
    assert (code, err) == (0, "")


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(BROKEN.encode())))
    code, out, _ = told(capsys, "-", "-", format="concise")
    assert code == 1
    assert out.splitlines()[0] == "<stdin>:2:7: error[bad-value] name cannot be 'Not Good'"
    assert len(out.splitlines()) == 3


def test_quiet_and_verbose(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, folder / "good", run=RunOptions(quiet=True)) == (0, "", "")
    _, _, err = told(capsys, folder, run=RunOptions(verbose=True))
    assert err == f"skipped {folder / 'workflow.yaml'}: not a spec\n"


def test_color_only_when_asked(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "\x1b" not in told(capsys, folder)[1]
    assert "\x1b[1;31merror[" in told(capsys, folder, run=RunOptions(color="always"))[1]


def test_output_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = told(capsys, folder / "bad", format="json", output=str(folder / "found.json"))
    assert (code, out) == (1, "")
    assert json.loads((folder / "found.json").read_text())["summary"]["errors"] == 3
    with pytest.raises(UsageError):
        validate.run([str(folder)], format="json", output=str(folder / "none" / "found.json"))


def test_nothing_found_is_nothing_or_an_empty_document(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = folder / "good"
    assert [told(capsys, good, format=name)[1] for name in ("concise", "github")] == ["", ""]
    assert json.loads(told(capsys, good, format="json")[1])["specs"][0]["valid"] is True
    assert json.loads(told(capsys, good, format="sarif")[1])["runs"][0]["results"] == []
    assert ElementTree.fromstring(told(capsys, good, format="junit")[1]).attrib["failures"] == "0"


@pytest.mark.parametrize(
    "text, wanted",
    [
        (VALID, True),
        ("metrics: {}\narms: {}\n", True),
        ("arms: {}\n", False),
        (OTHER, False),
        ("{\n  \"schema_version\": 1\n}\n", True),
        ("# schema_version: 1\nkey: value\n", False),
        ("schema_version: 1\nbroken: [\n", True),
    ],
)  # fmt: skip
def test_looks_like_spec(text: str, wanted: bool) -> None:
    assert validate.looks_like_spec(text.encode()) is wanted


def test_github_escapes() -> None:
    files = [Checked("a.yaml", (problem("50% of\r\nall: ::warning::x", line=3, column=5, width=4),))]
    assert formats.github(files) == (
        "::error file=a.yaml,line=3,col=5,endColumn=9,title=some-code::50%25 of%0D%0Aall: ::warning::x%0Athe cure"
    )
    odd = Problem("warning", "c", "m", Span("a,b:100%.yaml"))
    assert formats.github([Checked("x", (odd,))]) == "::warning file=a%2Cb%3A100%25.yaml,title=c::m"


def test_sarif() -> None:
    files = [Checked("a b.yaml", (Problem("error", "c", "m", Span("a b.yaml", 3, 5, 4)), problem(level="warning")))]
    run = json.loads(formats.sarif(files))["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["c", "some-code"]
    first, second = run["results"]
    place = first["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "a%20b.yaml"},
        "region": {"startLine": 3, "startColumn": 5, "endColumn": 9},
    }
    assert (first["level"], first["ruleId"], first["message"]["text"]) == ("error", "c", "m")
    assert second["level"] == "warning" and "region" not in second["locations"][0]["physicalLocation"]


def test_junit_survives_control_characters() -> None:
    files = [
        Checked("a\x00.yaml", (problem("bad \x1b[0m\ufffe\ud800 <&>"), problem(level="warning"))),
        Checked("b.yaml"),
    ]
    root = ElementTree.fromstring(formats.junit(files))
    assert root.attrib == {"name": "abcx validate", "tests": "2", "failures": "1", "errors": "0"}
    first, second = root.iter("testcase")
    failure = first.find("failure")
    assert failure is not None and failure.attrib["message"] == "bad \ufffd[0m\ufffd\ufffd <&>"
    assert first.find("system-out") is not None and list(second) == []


def test_concise_is_one_line_a_finding() -> None:
    files = [Checked("a.yaml", (problem("two\nlines", line=3), problem("far", line=2, column=7)))]
    assert formats.concise(files) == "a.yaml:3: error[some-code] two lines\na.yaml:2:7: error[some-code] far"
