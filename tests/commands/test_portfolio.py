"""`abcx report FOLDER -o site`: a page for each experiment and an index; what is unchanged is kept."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pytest

from abcx.commands import analyze, report
from abcx.commands.options import DataOptions, RunOptions
from abcx.errors import AbcxError, UsageError

QUIET = RunOptions(quiet=True)


def spec(folder: Path, name: str, orders: int = 120, **keys: object) -> Path:
    whole = {
        "schema_version": 1,
        "name": name,
        "title": f"Title of {name}",
        "owner": "shop team",
        "arms": {"control": {}, "variant": {}},
        "data": {"counts": {"control": {"units": 1000, "orders": 100}, "variant": {"units": 1000, "orders": orders}}},
        "metrics": {"orders": {"type": "conversion", "role": "primary", "goal": "increase", "minimum_effect": "5%"}},
        "plan": {"units": 2000},
        **keys,
    }
    path = folder / name / "experiment.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(whole))
    return path


def run(*paths: Path, output: Path) -> int:
    return report.run([*map(str, paths)], output=str(output), data=DataOptions(), run=QUIET, fail_on=["invalid"])


def test_a_folder_becomes_a_site(tmp_path: Path) -> None:
    for number in range(3):
        spec(tmp_path / "all", f"test-{number}", 100 + 40 * number)
    spec(tmp_path / "all", "bad", metrics={})
    site = tmp_path / "site"
    assert run(tmp_path / "all", output=site) == 2  # one could not be analyzed
    names = {path.name for path in site.iterdir()}
    assert {"index.html", "index.md", "index.csv", "test-0.html", "test-0.md", "test-0.json"} <= names
    page = (site / "index.html").read_text(encoding="utf-8")
    assert page.count('href="test-') == 3 and "Title of test-2" in page and "shop team" in page
    assert "Not analyzed" in page and "bad/experiment.yaml" in page
    rows = list(csv.DictReader((site / "index.csv").open()))
    assert [row["experiment"] for row in rows] == ["test-0", "test-1", "test-2"]
    listed = (site / "index.md").read_text()
    assert listed.count("| test-") == 3 and "Not analyzed" in listed and "bad/experiment" in listed


def test_what_is_unchanged_is_kept(tmp_path: Path) -> None:
    first, second = spec(tmp_path / "all", "first"), spec(tmp_path / "all", "second")
    site = tmp_path / "site"
    run(first, second, output=site)
    before = {path.name: path.stat().st_mtime_ns for path in site.iterdir()}
    spec(tmp_path / "all", "second", 300)
    run(first, second, output=site)
    after = {path.name: path.stat().st_mtime_ns for path in site.iterdir()}
    assert after["first.html"] == before["first.html"] and after["first.json"] == before["first.json"]
    assert after["second.html"] > before["second.html"] and after["index.html"] > before["index.html"]
    (site / "first.json").write_text("{}")  # no results: analyzed again
    run(first, second, output=site)
    assert json.loads((site / "first.json").read_text())["experiment"] == "first"


def test_a_changed_data_file_is_read_again(tmp_path: Path) -> None:
    path = spec(tmp_path, "files", data={"units": "u.csv"}, metrics={"orders": {"type": "conversion", "column": "o"}})
    whole = json.loads(path.read_text())
    whole["metrics"]["orders"] |= {"role": "primary", "goal": "increase", "minimum_effect": "5%"}
    path.write_text(json.dumps(whole))

    def write(step: int) -> None:
        rows = [f"{i},{'control' if i % 2 else 'variant'},{int(i % step == 0)}" for i in range(400)]
        (path.parent / "u.csv").write_text("unit,arm,o\n" + "\n".join(rows) + "\n")

    write(3)
    run(path, output=tmp_path / "site")
    first = (tmp_path / "site" / "files.json").read_text()
    run(path, output=tmp_path / "site")
    assert (tmp_path / "site" / "files.json").read_text() == first
    write(5)
    run(path, output=tmp_path / "site")
    assert (tmp_path / "site" / "files.json").read_text() != first


def test_names_are_text_and_twice_is_refused(tmp_path: Path) -> None:
    hostile = spec(tmp_path, "hostile", title="<script>alert(1)</script>", owner="<img src=x>")
    run(hostile, output=tmp_path / "site")
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert page.count("<script>") == 1 and "<img" not in page
    twin = spec(tmp_path / "other", "hostile")
    with pytest.raises(UsageError, match="two specs are named 'hostile'"):
        run(hostile, twin, output=tmp_path / "site")
    with pytest.raises(UsageError, match="over the index"):
        run(spec(tmp_path, "index"), output=tmp_path / "site")


def test_analyze_takes_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3):
        spec(tmp_path, f"test-{number}")
    code = analyze.run(
        [str(tmp_path)], format="terminal", output=None, data=DataOptions(), run=QUIET, fail_on=["invalid"]
    )
    told = capsys.readouterr().out
    assert code == 0 and all(f"test-{number}" in told for number in range(3)) and "Next" not in told
    (tmp_path / "empty").mkdir()
    with pytest.raises(AbcxError, match="there is no spec in"):
        analyze.run(
            [str(tmp_path / "empty")], format="json", output=None, data=DataOptions(), run=QUIET, fail_on=["none"]
        )


def test_pages_and_pictures_are_of_one_experiment(tmp_path: Path) -> None:
    one, two = spec(tmp_path, "one"), spec(tmp_path, "two")
    assert run(one, output=tmp_path / "one.html") == 0
    assert "<!doctype html>" in (tmp_path / "one.html").read_text(encoding="utf-8")
    assert run(one, output=tmp_path / "card.png") == 0
    assert (tmp_path / "card.png").read_bytes().startswith(b"\x89PNG")
    assert run(one, output=tmp_path / "lift.md") == 0
    text = (tmp_path / "lift.md").read_text(encoding="utf-8")
    assert "](lift-effects.svg)" in text and (tmp_path / "lift-effects.svg").read_text().startswith("<svg")
    for name in ("all.html", "all.png"):
        with pytest.raises(UsageError, match="is of one experiment"):
            run(one, two, output=tmp_path / name)


def test_a_folder_that_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the refusal of the system is made up."""
    spec(tmp_path, "one")
    locked = tmp_path / "locked"
    locked.mkdir()
    scandir = os.scandir

    def refusing(path: str) -> object:
        if Path(path) == locked:
            raise PermissionError(13, "Permission denied", str(locked))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(AbcxError, match="cannot read the folder: Permission denied"):
        run(tmp_path, output=tmp_path / "site")
