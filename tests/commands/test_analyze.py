"""`abcx analyze` and `abcx report`: formats, files, several specs, exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from abcx.commands import analyze, outputs, report
from abcx.commands.options import DataOptions, RunOptions
from abcx.errors import UsageError
from tests.support.readouts import words

UNITS = "\n".join(
    ["unit,arm,ordered"] + [f"u{i},{'control' if i % 2 else 'variant'},{int(i % 10 in (0, 1, 2))}" for i in range(2000)]
)
SPEC = """\
schema_version: 1
name: {name}
tags: [simulated]
arms: {{control: {{}}, variant: {{}}}}
data: {{units: units.csv}}
metrics:
  orders: {{type: conversion, column: ordered, role: primary, goal: {goal}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "units.csv").write_text(UNITS + "\n")
    for name, goal in (("first", "increase"), ("second", "decrease")):
        (tmp_path / f"{name}.yaml").write_text(SPEC.format(name=name, goal=goal))
    return tmp_path


def run(
    specs: list[Path],
    format: str = "terminal",
    fail_on: tuple[str, ...] = (),
    data: DataOptions | None = None,
    output: Path | None = None,
    **options: bool,
) -> int:
    written = str(output) if output else None
    return analyze.run(
        [str(s) for s in specs],
        format=format,
        output=written,
        data=data or DataOptions(),
        run=RunOptions(**options),  # type: ignore[arg-type]
        fail_on=list(fail_on),
    )


@pytest.mark.parametrize("format", ["terminal", "markdown", "json", "csv", "slack"])
def test_every_format_says_the_verdict_and_that_data_are_simulated(
    folder: Path, capsys: pytest.CaptureFixture[str], format: str
) -> None:
    assert run([folder / "first.yaml"], format) == 0
    out = capsys.readouterr().out
    assert "SHIP" in out
    assert "simulated" in out.lower()


def test_one_spec_is_a_card_and_in_full_the_card_and_the_rest(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Orders are 200 of 1,000 in control (ids that end in 1) and 400 of 1,000 in the variant (0 and 2)."""
    run([folder / "first.yaml"])
    card = capsys.readouterr().out
    assert len(card.splitlines()) <= 23 and "── " not in card
    said = re.search(r"Orders rose by 100% \((\d+)% to (\d+)%\): 400 of 1,000 \w+ instead of 200\.", words(card))
    assert said and int(said[1]) < 100 < int(said[2])
    run([folder / "first.yaml"], full=True)
    whole = capsys.readouterr().out
    assert whole.startswith(card.rpartition("abcx ")[0]) and "── Methods and limits ──" in whole
    assert "control" in whole and "p < .0001" in whole and "p = <" not in whole


def test_a_summary_in_markdown_is_the_card(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run([folder / "first.yaml"], "markdown")
    whole = capsys.readouterr().out
    run([folder / "first.yaml"], "markdown", summary=True)
    card = capsys.readouterr().out
    assert len(card.splitlines()) <= 25 and "<details>" not in card
    assert whole.startswith(card.rstrip("\n")) and "<details>" in whole


def test_several_specs_are_a_table_and_in_full_each_readout_too(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    specs = [folder / "first.yaml", folder / "second.yaml"]
    run(specs)
    table = capsys.readouterr().out
    assert table.split()[:2] == ["experiment", "verdict"]
    assert "first" in table and "second" in table and "╭" not in table and "Trust" not in table
    run(specs, full=True)
    whole = capsys.readouterr().out
    assert whole.endswith(table) and whole.count("── Methods and limits ──") == 2
    run(specs, "slack")
    messages = capsys.readouterr().out
    assert messages.count("Trust: ") == 2 and "<" not in messages


@pytest.mark.slow
def test_several_specs_are_summarized_and_the_worst_exit_code_wins(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "broken.yaml").write_text("schema_version: 1\nname: broken\n")
    assert run([folder / "first.yaml", folder / "broken.yaml", folder / "second.yaml"], fail_on=("harm",)) == 2
    captured = capsys.readouterr()
    assert "missing-key" in captured.err
    summary = captured.out[captured.out.rindex("first") :]
    assert "second" in summary
    assert run([folder / "first.yaml", folder / "second.yaml"], fail_on=("harm",)) == 1
    assert run([folder / "first.yaml", folder / "second.yaml"]) == 0


def test_json_of_one_is_an_object_and_of_several_a_list(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run([folder / "first.yaml"], "json")
    assert json.loads(capsys.readouterr().out)["experiment"] == "first"
    run([folder / "first.yaml", folder / "second.yaml"], "json")
    assert [found["experiment"] for found in json.loads(capsys.readouterr().out)] == ["first", "second"]


def test_csv_has_one_header(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run([folder / "first.yaml", folder / "second.yaml"], "csv")
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["experiment"] for row in rows] == ["first", "second"]


@pytest.mark.parametrize(
    ("fail_on", "spec", "code"),
    [
        ("harm", "second", 1),
        ("harm", "first", 0),
        ("no-benefit", "first", 0),
        ("keep-running", "first", 0),
        ("none", "second", 0),
        ("invalid", "first", 0),
    ],
)
@pytest.mark.slow
def test_fail_on(folder: Path, fail_on: str, spec: str, code: int) -> None:
    assert run([folder / f"{spec}.yaml"], fail_on=(fail_on,)) == code


def test_files_of_the_command_line_replace_those_of_the_spec(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = UNITS.splitlines()
    for arm in ("control", "variant"):
        (folder / f"{arm}.csv").write_text(
            "unit,ordered\n" + "".join(f"{u},{x}\n" for u, a, x in (row.split(",") for row in rows[1:]) if a == arm)
        )
    monkeypatch.chdir(folder)
    run([folder / "first.yaml"], "json")
    whole = json.loads(capsys.readouterr().out)
    run(
        [folder / "first.yaml"],
        "json",
        data=DataOptions(arms=(("<control>", "control.csv"), ("<variant>", "variant.csv"))),
    )
    parts = json.loads(capsys.readouterr().out)
    assert parts["metrics"] == whole["metrics"]
    assert [file["path"] for file in parts["data"]["files"]] == ["control.csv", "variant.csv"]
    assert parts["setup"]["command"].endswith("--control control.csv --variant variant.csv -o report.md")


def test_the_same_input_gives_the_same_bytes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run([folder / "first.yaml"], "json")
    first = capsys.readouterr().out
    run([folder / "first.yaml"], "json")
    assert capsys.readouterr().out == first


def test_report_by_ending_and_into_a_folder(folder: Path) -> None:
    def written(output: str, *specs: str) -> int:
        return report.run(
            [str(folder / spec) for spec in specs],
            output=str(folder / output),
            data=DataOptions(),
            run=RunOptions(quiet=True),
            fail_on=[],
        )

    assert written("lift.md", "first.yaml") == 0
    assert (folder / "lift.md").read_text().startswith("#")
    assert written("lift.json", "first.yaml") == 0
    assert json.loads((folder / "lift.json").read_text())["experiment"] == "first"
    assert written("reports/", "first.yaml", "second.yaml") == 0
    names = {f"{name}.{ending}" for name in ("index", "first", "second") for ending in ("html", "md")}
    names |= {"index.csv", "first.json", "second.json"}
    assert {path.name for path in (folder / "reports").iterdir()} == names
    assert written("lift.html", "first.yaml") == 0
    assert (folder / "lift.html").read_text().startswith("<!doctype html>")
    with pytest.raises(UsageError, match="format"):
        written("lift.docx", "first.yaml")


def test_a_failing_run_leaves_the_old_report(folder: Path) -> None:
    target = folder / "lift.md"
    target.write_text("old")
    (folder / "units.csv").write_text("unit,arm\n")
    assert run([folder / "first.yaml"], "markdown", output=target) == 2
    assert target.read_text() == "old"


@pytest.mark.parametrize("name", ["first.yaml", "units.csv"])
def test_a_report_is_not_written_over_its_own_input(folder: Path, name: str) -> None:
    before = (folder / name).read_text()
    with pytest.raises(UsageError, match="written over"):
        run([folder / "first.yaml"], "csv", output=folder / name)
    assert (folder / name).read_text() == before


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_killed_run_leaves_no_half_report(folder: Path) -> None:
    target = folder / "lift.md"
    script = (
        "import sys, time, os\n"
        "from abcx.commands import outputs\n"
        "replace = os.replace\n"
        "os.replace = lambda *a: (print('written', flush=True), time.sleep(60), replace(*a))\n"
        f"outputs.write('x' * 1000000, {str(target)!r})\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    assert process.stdout is not None and process.stdout.readline() == b"written\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.1)
    assert not target.exists()
    outputs.write("whole", str(target))
    assert target.read_text() == "whole"
