"""What is forwarded tells of no machine and no person, and moves no terminal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from abcx.commands import analyze
from abcx.commands.options import DataOptions, RunOptions
from abcx.commands.running import run_all
from abcx.report import json as json_report
from abcx.report import markdown, terminal
from tests.support.hostile import UNSEEN
from tests.support.logs import spec as spec_of
from tests.support.logs import to_csv

SPEND = {"spend": {"type": "mean", "column": "spend", "role": "primary", "goal": "increase", "minimum_effect": "5%"}}
EVIL = "ev\x1b[31mil\u202eX\x07\x85 \u2066 \r::error::boo"


def written(folder: Path, rows: list[list[Any]], header: list[str] | None = None, **keys: Any) -> str:
    (folder / "u.csv").write_text(to_csv(header or ["unit", "arm", "spend"], rows), newline="")
    (folder / "s.yaml").write_text(json.dumps(spec_of({"units": "u.csv"}, SPEND, **keys)))
    return str(folder / "s.yaml")


ROWS = [[f"u{i}", "ab"[i % 2], i % 7] for i in range(80)]


def test_no_absolute_path_stands_in_a_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = written(tmp_path, ROWS)
    data = json.loads((tmp_path / "s.yaml").read_text())
    data["data"] = {"units": str(tmp_path / "u.csv")}
    (tmp_path / "s.yaml").write_text(json.dumps(data))
    for folder, path in ((tmp_path.parent, f"{tmp_path.name}/s.yaml"), (Path("/"), "s.yaml")):
        monkeypatch.chdir(folder)
        run = RunOptions(quiet=True, allow_outside=True)
        (results,), code = run_all([spec], DataOptions(units=(str(tmp_path / "u.csv"),)), run)
        assert code == 0 and f"abcx report {path}" in (results.setup.command or "")
        for text in (markdown.render(results), terminal.render(results)):
            assert str(tmp_path).lstrip("/") not in text


@pytest.mark.parametrize("where", ["cell", "label", "header", "title"])
@pytest.mark.slow
def test_no_stream_moves_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str], where: str) -> None:
    rows: list[list[Any]] = [*ROWS, ["u99", "a", EVIL]] if where == "cell" else [*ROWS]
    rows += [[f"v{i}", EVIL, 3] for i in range(9)] if where == "label" else []
    header = ["unit", "arm", EVIL if where == "header" else "spend"]
    spec = written(tmp_path, rows, header, **({"title": EVIL} if where == "title" else {}))
    for form in ("terminal", "markdown", "json", "csv"):
        analyze.run([spec], data=DataOptions(), run=RunOptions(), format=form, output=None, fail_on=[])
        shown = capsys.readouterr()
        for text in (shown.out, shown.err):
            assert not UNSEEN.search(text)
            assert not any(line.startswith("::") for line in text.splitlines())


def test_json_writes_what_does_not_show_as_escapes(tmp_path: Path) -> None:
    (results,), _ = run_all([written(tmp_path, ROWS, title=EVIL)], DataOptions(), RunOptions(quiet=True))
    text = json_report.render(results)
    assert json.loads(text)["setup"]["title"] == json.loads(json.dumps(results.to_dict()))["setup"]["title"]
    assert not UNSEEN.search(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("u1,a,5\nu2,b,ann@shop.example,secret\n", "ragged-row"),
        ("u1,a,5\nu2,b,ann@shop.example x y secret\n", "bad-number"),
        ('u1,a,5\nu2,"b,"secret"\n', "broken-quotes"),
    ],
)
def test_an_error_shows_at_most_the_cell_that_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    spec = written(tmp_path, ROWS)
    (tmp_path / "u.csv").write_text("unit,arm,spend\n" + text)
    assert run_all([spec], DataOptions(), RunOptions(quiet=True)) == ([], 2)
    shown = capsys.readouterr().err
    assert said in shown and "u.csv:3" in shown
    assert ("secret" in shown) == (said == "bad-number")


@pytest.mark.parametrize(("labels", "named"), [(3, True), (20, True), (21, False)])
@pytest.mark.slow
def test_labels_of_no_arm_are_shown_where_they_are_few(tmp_path: Path, labels: int, named: bool) -> None:
    rows = [*ROWS, *([f"v{i}", f"label {i % labels}", 3] for i in range(60))]
    (results,), _ = run_all([written(tmp_path, rows)], DataOptions(), RunOptions(quiet=True))
    (check,) = (one for one in results.checks if one.code == "unknown_arm")
    assert "60 rows match no arm" in check.message and ("label 0" in check.message) == named


def test_addresses_of_people_are_no_labels_to_show(tmp_path: Path) -> None:
    rows = [*ROWS, ["v1", "ann@shop.example", 3], ["v2", "x", 3]]
    (results,), _ = run_all([written(tmp_path, rows)], DataOptions(), RunOptions(quiet=True))
    assert "ann@" not in json_report.render(results)
