"""`abcx init`: whatever it writes passes `validate` at once, and runs where the file has all it takes."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import abcx
from abcx.commands import init, validate
from abcx.errors import AbcxError, DataError

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def written(data: Path, spec: Path) -> str:
    spec.unlink(missing_ok=True)
    assert init.run(str(data), output=str(spec), name=None) == 0
    assert validate.run([str(spec)], format="text") == 0
    return spec.read_text()


def test_one_row_per_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = ["user_id,variation,converted,revenue,device"]
    rows += [f"{i:05},{'B' if i % 2 else 'A'},{i % 3 == 0},{i / 10},{'phone' if i % 4 else 'desk'}" for i in range(400)]
    (tmp_path / "users.csv").write_text("\n".join(rows) + "\n")
    text = written(Path("users.csv"), Path("spec.yaml"))
    assert "units: {file: users.csv, columns: {unit: user_id, arm: variation}}" in text
    assert "# ?" in text
    results = abcx.analyze(tmp_path / "spec.yaml")
    assert [(arm.name, arm.units) for arm in results.arms] == [("a", 200), ("b", 200)]
    assert results["converted"].type == "conversion"
    assert results["revenue"].type == "mean"


@pytest.mark.slow
def test_an_event_log(tmp_path: Path) -> None:
    data = EXPERIMENTS / "uk-tool-centre-filter-menu" / "events.csv"
    text = written(data, tmp_path / "spec.yaml")
    assert "exposure: {event: category_view}" in text
    assert "--allow-outside" in text
    results = abcx.analyze(tmp_path / "spec.yaml", allow_outside=True)
    assert results["purchase"].role == "primary"


def test_exposures_alone_ask_for_the_events(tmp_path: Path) -> None:
    text = written(EXPERIMENTS / "archivesocial-resources-nav" / "exposures.csv", tmp_path / "spec.yaml")
    assert "exposures:" in text
    assert "events: events.csv     # ?" in text


def test_counts(tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text("arm,units,orders,spend_mean,spend_sd\nA,100,10,5,3\nB,100,12,6,4\n")
    written(tmp_path / "counts.csv", tmp_path / "spec.yaml")
    assert abcx.analyze(tmp_path / "spec.yaml")["spend"].arms[1].value == 6


def test_a_spec_that_is_there_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text("precious")
    (tmp_path / "x.csv").write_text(
        "user_id,arm,ordered\n" + "".join(f"{i},{'ab'[i % 2]},{i % 3 == 0}\n" for i in range(60))
    )
    with pytest.raises(AbcxError, match="exists already"):
        init.run(str(tmp_path / "x.csv"), output=str(tmp_path / "spec.yaml"), name=None)
    assert (tmp_path / "spec.yaml").read_text() == "precious"


def test_a_column_that_gives_the_arm_away_is_no_segment(tmp_path: Path) -> None:
    rows = [
        f"{i},{'ab'[i % 2]},{('old', 'new')[i % 2] if i % 50 else 'new'},{('m', 'd')[i % 3 == 0]},{i % 4 == 0}"
        for i in range(400)
    ]
    (tmp_path / "x.csv").write_text("user_id,arm,page,device,ordered\n" + "\n".join(rows) + "\n")
    assert "segments: [device]" in written(tmp_path / "x.csv", tmp_path / "spec.yaml")


def test_a_file_without_arms_is_refused_with_its_header(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("user_id,color\n1,red\n2,blue\n")
    with pytest.raises(DataError, match="the header is: user_id, color"):
        init.run(str(tmp_path / "x.csv"), output=None, name=None)


NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\r\n\0", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=8
)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    header=st.lists(NAMES, min_size=0, max_size=3, unique=True),
    arms=st.lists(NAMES, min_size=2, max_size=4, unique_by=str.strip),
    cells=st.data(),
)
def test_any_names_make_a_valid_spec(tmp_path: Path, header: list[str], arms: list[str], cells: st.DataObject) -> None:
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\n")
    table.writerow(["user_id", "arm", *header])
    for i in range(40):
        table.writerow([f"u{i}", arms[i % len(arms)], *[cells.draw(NAMES) if i < 2 else i % 2 for _ in header]])
    (tmp_path / "odd.csv").write_text(buffer.getvalue(), encoding="utf-8")
    try:
        written(tmp_path / "odd.csv", tmp_path / "spec.yaml")
    except AbcxError as error:
        assert {problem.code for problem in error.problems} <= {"no-arm", "duplicate-header", "no-unit"}


@pytest.mark.parametrize(
    "time", ["2024-03-{:02} 16:28:23 +0200", "{:02}/03/2024 16:28", "17{:02}000000000", "Mar {}, 2024"]
)
@pytest.mark.slow
def test_times_and_numbers_that_are_written_unusually_are_seen(tmp_path: Path, time: str) -> None:
    rows = [f"u{i};{time.format(10 + i % 18)};{'ab'[i % 2]};{i},50 €" for i in range(60)]
    (tmp_path / "users.csv").write_text("\n".join(["user_id;created_at;variant;revenue", *rows]) + "\n")
    text = written(tmp_path / "users.csv", tmp_path / "spec.yaml")
    assert "time: created_at" in text and "no column of times" not in text
    assert "revenue" in text and ("17" in time[:2] or "start: 2024-03-10" in text)


def test_any_name_is_made_one_of_a_spec(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("user_id,arm,bought\n" + "".join(f"u{i},{'ab'[i % 2]},1\n" for i in range(40)))
    assert init.run(str(tmp_path / "users.csv"), output=str(tmp_path / "s.yaml"), name="Neuer Checkout") == 0
    assert "name: neuer-checkout" in (tmp_path / "s.yaml").read_text()
    assert validate.run([str(tmp_path / "s.yaml")], format="text") == 0


@pytest.mark.parametrize(("empty", "asked"), [(30, True), (13, True), (12, False), (0, False)])
@pytest.mark.slow
def test_empty_cells_of_a_measure_are_asked_about(tmp_path: Path, empty: int, asked: bool) -> None:
    rows = [f"u{i},{'ab'[i % 2]},{'' if i < empty else i % 9}" for i in range(60)]
    (tmp_path / "u.csv").write_text("\n".join(["user_id,variant,spend", *rows]) + "\n")
    text = written(tmp_path / "u.csv", tmp_path / "s.yaml")
    question = f"# ? {empty} of 60 cells of spend are empty: do they mean 0 (missing_value: zero)"
    assert (question in text) == asked
