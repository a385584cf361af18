"""A spec may come from a pull request: it reads what lies below its folder, and nothing else."""

from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

import abcx
from abcx.commands import analyze, pack
from abcx.commands.options import DataOptions, RunOptions
from abcx.engines.local import Engine
from abcx.errors import DataError, SpecError
from tests.support.hostile import EXPECTED, GOOD, METRICS, Ran, parquet, refused, run

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for the spec, with a good file beside it."""
    (tmp_path / "secret.csv").write_text(GOOD)
    inner = tmp_path / "spec"
    inner.mkdir()
    return inner


def given(folder: Path, data: DataOptions, **options: Any) -> Ran:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = analyze.run(
            [str(folder / "experiment.yaml")],
            format="json",
            output=None,
            data=data,
            run=RunOptions(quiet=True, threads=2, **options),
            fail_on=[],
        )
    return Ran(code, out.getvalue(), err.getvalue())


@pytest.mark.parametrize(
    "path",
    [
        "../secret.csv",
        "/etc/passwd",
        "/etc/pass*",
        "../*.csv",
        "x/../../secret.csv",
        "*/../../*.csv",
        "~/.bashrc",
        "/proc/self/environ",
        "/no/such/file",
    ],
)
def test_what_lies_outside_is_refused(folder: Path, path: str) -> None:
    ran = run(folder, None, file=path)
    refused(ran, "data-outside", path, "--allow-outside")
    assert "root" not in ran.err and "purchase" not in ran.err


def test_links_that_lead_outside_are_refused(folder: Path) -> None:
    (folder / "link.csv").symlink_to("../secret.csv")
    (folder / "passwd.csv").symlink_to("/etc/passwd")
    (folder / "up").symlink_to("..")
    for path in ("link.csv", "passwd.csv", "up/secret.csv", "*.csv", "*/secret.csv", "l*k.csv"):
        refused(run(folder, None, file=path), "data-outside", path if "*" not in path else "", "--allow-outside")
    (folder / "e.csv").write_text(GOOD)
    (folder / "inner.csv").symlink_to("e.csv")
    assert run(folder, None, file="inner.csv").values() == EXPECTED


def test_the_user_may_name_any_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(folder, None, file="../secret.csv")
    assert given(folder, DataOptions(), allow_outside=True).values() == EXPECTED
    secret = str(folder.parent / "secret.csv")
    assert given(folder, DataOptions(events=(secret,))).values() == EXPECTED
    monkeypatch.chdir(folder.parent)
    assert given(Path("spec"), DataOptions(events=("secret.csv",))).values() == EXPECTED
    results = abcx.analyze(folder / "experiment.yaml", allow_outside=True)
    assert results["orders"].arms[0].units == 2
    assert abcx.analyze(folder / "experiment.yaml", events=secret)["orders"].arms[0].units == 2
    spec = json.loads((folder / "experiment.yaml").read_text())
    with pytest.raises(DataError, match="not below the spec's folder"):
        abcx.analyze(spec)
    spec["data"] = {"events": "secret.csv"}
    assert abcx.analyze(spec)["orders"].arms[0].units == 2


@pytest.mark.parametrize(
    "text",
    ["' UNION SELECT * FROM read_text('/etc/passwd') --", "read_text('/etc/passwd')", "') FROM '/etc/passwd' --"],
)
def test_names_and_values_read_nothing(folder: Path, text: str) -> None:
    (folder / "e.csv").write_text(GOOD)
    places: list[dict[str, Any]] = [
        {"options": {"where": {"event": text}}},
        {"options": {"where": {text: 1}}},
        {"options": {"columns": {"unit": text}}},
        {"options": {"null": [text]}},
        {"options": {"time_format": text}},
        {"segments": [text]},
        {"file": text},
        {"exposure": {"event": text}},
        {"arms": {"a": {"labels": [text]}, "b": {}}},
        {"metrics": {"orders": {**METRICS["orders"], "event": text}}},
    ]
    for place in places:
        ran = run(folder, None, **place)
        assert ran.code in (0, 1, 2) and "root:" not in ran.out + ran.err, place


@pytest.mark.parametrize("link", ["parts", "parts/inner"])
def test_folders_of_parquet_that_are_links(folder: Path, link: str) -> None:
    """A partitioned folder, or one inside it, that leads outside."""
    (folder.parent / "outer").mkdir()
    (folder.parent / "outer" / "secret.parquet").write_bytes(parquet())
    if "/" in link:
        (folder / "parts").mkdir()
        (folder / "parts" / "e.parquet").symlink_to("../../outer/secret.parquet")
    else:
        (folder / "parts").symlink_to("../outer")
    ran = run(folder, None, file="parts")
    refused(ran, "data-outside", "parts", "--allow-outside")


@pytest.mark.parametrize("preset", ["/etc/passwd", "../secret.yaml", "./link.yaml", "up/secret.yaml", "' OR 1 --"])
def test_presets_from_outside_are_refused(folder: Path, preset: str) -> None:
    (folder.parent / "secret.yaml").write_text("export: purchase\n")
    (folder / "link.yaml").symlink_to("/etc/passwd")
    (folder / "up").symlink_to("..")
    (folder / "e.csv").write_text(GOOD)
    with pytest.raises(SpecError) as error:
        run(folder, None, options={"preset": preset})
        abcx.load_spec(folder / "experiment.yaml")
    assert "root:" not in str(error.value) and ("not below the spec's folder" in str(error.value)) == ("/" in preset)


@pytest.mark.parametrize("path", ["../secret.csv", "/etc/passwd", "link.csv"])
def test_pack_reads_nothing_outside(folder: Path, path: str) -> None:
    (folder / "link.csv").symlink_to("/etc/passwd")
    run(folder, None, file=path)
    with pytest.raises(DataError, match="not below the spec's folder"):
        pack.run(str(folder / "experiment.yaml"), output=None, overwrite=False, run=RunOptions(quiet=True))
    assert sorted(os.listdir(folder)) == ["experiment.yaml", "link.csv"]


def test_the_engine_reads_nothing_but_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x\n1\n")
    (tmp_path / "b.csv").write_text("x\n1\n")
    with Engine() as engine:
        engine.restrict_to([tmp_path / "a.csv"])
        assert engine.run(f"SELECT * FROM read_csv('{tmp_path}/a.csv')") == [(1,)]
        for sql in (
            f"SELECT * FROM read_csv('{tmp_path}/b.csv')",
            "SELECT * FROM read_text('/etc/passwd')",
            "SELECT * FROM '/etc/passwd'",
            f"COPY (SELECT 1) TO '{tmp_path}/c.csv'",
            f"ATTACH '{tmp_path}/d.db'",
            "SET enable_external_access = true",
            "SET allowed_paths = ['/etc/passwd']",
        ):
            with pytest.raises(Exception, match="disabled|annot|does not exist"):
                engine.run(sql)
    assert sorted(os.listdir(tmp_path)) == ["a.csv", "b.csv"]


def test_the_engine_still_spills(tmp_path: Path) -> None:
    with Engine(memory="60MB", threads=1) as engine:
        engine.restrict_to([])
        engine.run("CREATE TABLE t AS SELECT range AS i, hash(range)::VARCHAR AS h FROM range(2000000)")
        assert engine.run("SELECT count(*) FROM (SELECT h FROM t ORDER BY h LIMIT 1500000 OFFSET 10)") == [(1500000,)]


@pytest.mark.parametrize("id", ["1.23E+15", "1.2345e+12", "9007199254740992.0", "100000000000000140.0"])
def test_ids_that_were_rounded(tmp_path: Path, id: str) -> None:
    ran = run(tmp_path, GOOD.replace("u3", id), options={"max_bad_rows": 9})
    refused(ran, "rounded-id", "e.csv:5 (unit)", f"'{id}' is an id that was rounded (2 such rows)")


@pytest.mark.parametrize("id", ["007", "1E5", "E+", '"0""1"', "=007", "1e+", "+49 123"])
def test_ids_are_text(tmp_path: Path, id: str) -> None:
    plain = id.strip('"').replace('""', '"')
    assert run(tmp_path, GOOD.replace("u3,", f"{id},").replace("u1,", "7,")).values() == EXPECTED, plain


def test_an_id_with_a_point_beside_whole_ones(tmp_path: Path) -> None:
    """It keeps its digits, and it never meets the id that a whole number is."""
    assert run(tmp_path, GOOD.replace("u3,", "1234567890123456.0,")).values() == EXPECTED
    mixed = run(tmp_path, GOOD.replace("u3,", "1234567890123456.0,").replace("u1,", "7,"))
    refused(mixed, "unlike-ids", "e.csv:5 (unit)", "'1234567890123456.0' ends in .0, but others do not ('7')")
