"""Ids of units and events: rounded ones, words that stand for none, numbers that two systems give alike."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.hostile import EXPECTED, GOOD, refused, run
from tests.support.logs import look, spec
from tests.support.notes import texts

pytestmark = pytest.mark.slow

EXPOSED = "unit,time,arm\n" + "".join(f"u{i},2024-03-04T08:00:00Z,{'ab'[i % 2]}\n" for i in range(4))


def shop(name: str, first: int, ids: str = "0123") -> str:
    """Four events, one for each unit from u`first` on, whose ids begin at the same number everywhere."""
    rows = (f"{id},u{(first + i) % 4},2024-03-04T09:00:00Z,{name}\n" for i, id in enumerate(ids))
    return "id,unit,time,event\n" + "".join(rows)


def metrics(*events: str) -> dict[str, object]:
    return {e: {"type": "mean", "event": e, "role": "primary", "goal": "increase"} for e in events}


@pytest.mark.parametrize("word", ["NULL", "nan", "None", "n/a", "#N/A", "(not set)", "\\N", "undefined"])
def test_words_that_stand_for_no_unit(tmp_path: Path, word: str) -> None:
    """Rows without a unit, taken for one, would be the largest unit of the test."""
    more = GOOD + f"{word},2024-03-04T12:30:00Z,a,purchase,70\n" * 3
    refused(run(tmp_path, more), "no-id", "e.csv:8 (unit)", f"'{word}' is no id of a unit (3 such rows)", "write null:")
    missing = run(tmp_path, more, options={"null": [word]})
    assert missing.values() == EXPECTED and '"rows": 3' in missing.out
    assert run(tmp_path, more, options={"null": []}).values()["revenue"]["a"] == (3, float(f"{222.5 / 3:.12g}"))


@pytest.mark.parametrize("id", ["1,2346E+15", "1.23E+15"])
def test_a_rounded_id_of_an_event(tmp_path: Path, id: str) -> None:
    files = {"x.csv": EXPOSED, "e.csv": shop("order", 0).replace("\n0,", f'\n"{id}",')}
    (tmp_path / "x.csv").write_text(files["x.csv"])
    data = {"exposures": "x.csv", "events": {"file": "e.csv", "columns": {"id": "id"}}}
    ran = run(tmp_path, files["e.csv"], data=data, metrics=metrics("order"))
    refused(ran, "rounded-id", "e.csv:2 (id)", f"'{id}' is an id that was rounded")
    german = GOOD.replace("u3", '"1,2346E+15"')
    refused(run(tmp_path, german), "rounded-id", "e.csv:5 (unit)", "(2 such rows)")


def test_an_id_tells_apart_the_events_of_one_unit(tmp_path: Path) -> None:
    """Two shops number their orders alike, and tickets have numbers of their own; a double export is still found."""
    files = {"x.csv": EXPOSED, "one.csv": shop("order", 0), "two.csv": shop("order", 1), "t.csv": shop("ticket", 0)}
    orders = {"file": ["one.csv", "two.csv"], "event": "order", "columns": {"id": "id"}}
    tickets = {"file": "t.csv", "event": "ticket", "columns": {"id": "id"}}
    found = look(tmp_path, files, spec({"exposures": "x.csv", "events": [orders, tickets]}, metrics("order", "ticket")))
    assert {a: s.mean for a, s in found["order"].items()} == {"a": 2, "b": 2}
    assert {a: s.mean for a, s in found["ticket"].items()} == {"a": 1, "b": 1}
    assert (
        found.lost() == {}
        and "4 ids of events belong to several units: an id counts once for each unit"
        in " ".join(texts(found.observed.notes))
    )
    twice = files | {"two.csv": files["one.csv"]}
    found = look(tmp_path, twice, spec({"exposures": "x.csv", "events": [orders, tickets]}, metrics("order", "ticket")))
    assert {a: s.mean for a, s in found["order"].items()} == {"a": 1, "b": 1}
    assert found.lost() == {"duplicate_event": (None, 4)}


def parquet(frame: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(frame, out)
    return out.getvalue()


def test_a_missing_id_among_numbers_of_parquet(tmp_path: Path) -> None:
    frame = pd.read_csv(io.StringIO(EXPOSED.replace("u", "", 0).replace("\nu", "\n")))
    table = pa.Table.from_pandas(frame.assign(unit=[0.0, 1.0, 2.0, float("nan")]), preserve_index=False)
    events = shop("order", 0).replace("u", "").replace("nit,", "unit,")
    found = look(
        tmp_path,
        {"x.parquet": parquet(table), "e.csv": events},
        spec({"exposures": "x.parquet", "events": "e.csv"}, metrics("order")),
    )
    assert {a: s.n for a, s in found["order"].items()} == {"a": 2, "b": 1}
    assert {a: s.mean for a, s in found["order"].items()} == {"a": 1, "b": 1}


@pytest.mark.parametrize("space", ["\t", " ", "\u00a0", "\u2009"])
def test_spaces_around_events_and_texts_do_not_count(tmp_path: Path, space: str) -> None:
    spaced = GOOD.replace("u3,2024-03-04T11:10", f"{space}u3{space},2024-03-04T11:10")
    if space != "\t":
        spaced = spaced.replace(",purchase,", f",purchase{space},")
    found = run(tmp_path, spaced, options={"where": {"event": ["seen", "purchase"]}})
    assert found.values() == EXPECTED, found.err


@pytest.mark.parametrize(
    ("first", "second", "events"), [("o1", "o1 ", 1), ("o1", " o1\t", 1), ("  ", " ", 2), ("", "", 2)]
)
def test_spaces_around_the_id_of_an_event(tmp_path: Path, first: str, second: str, events: int) -> None:
    rows = "".join(f'u0,2024-03-0{4 + i}T09:00:00Z,order,"{id}"\n' for i, id in enumerate((first, second)))
    files = {"x.csv": EXPOSED, "e.csv": f"unit,time,event,id\n{rows}"}
    found = look(
        tmp_path,
        files,
        spec({"exposures": "x.csv", "events": {"file": "e.csv", "columns": {"id": "id"}}}, metrics("order")),
    )
    assert found["order"]["a"].mean == events / 2


@pytest.mark.parametrize("apart", [False, True])
def test_an_id_of_an_event_that_no_metric_reads(tmp_path: Path, apart: bool) -> None:
    """A checkout has the number of the order that follows: no reason to leave the order out."""
    arm = [",arm", ",a"] if not apart else ["", ""]
    rows = "".join(
        f"u0,2024-03-04T0{9 + 0 * i}:0{i}:00Z,{name},7{arm[1]}\n" for i, name in enumerate(("checkout", "order"))
    )
    files = {"x.csv": EXPOSED, "e.csv": f"unit,time,event,id{arm[0]}\n{rows}"}
    data = {"events": {"file": "e.csv", "columns": {"id": "id"}}} | ({"exposures": "x.csv"} if apart else {})
    found = look(tmp_path, files, spec(data, metrics("order")))
    assert found["order"]["a"].mean == (0.5 if apart else 1.0) and found.lost() == {}


@pytest.mark.parametrize("role", ["unit", "case"])
def test_ids_that_one_file_writes_as_decimals(tmp_path: Path, role: str) -> None:
    """A column with gaps becomes 1001.0 in some tools; the ids of two files would never meet."""
    head = "unit,case,id,time,event\n"
    opened = "".join(f"1{i},77{i},50{i},2024-03-04T09:0{i}:00Z,opened\n" for i in range(4))
    solved = "".join(f"1{i},77{i},60{i},2024-03-04T11:0{i}:00Z,solved\n" for i in range(4))
    cells = {"unit": r"^(1\d),", "case": r",(77\d),"}
    decimal = re.sub(cells[role], lambda found: found[0].replace(found[1], f"{found[1]}.0"), solved, flags=re.MULTILINE)
    metric = {"type": "resolution_time", "start": "opened", "end": "solved", "key": "case", "horizon": "1d"}
    metrics = {"m": {**metric, "role": "primary", "goal": "decrease"}}
    events = [{"file": name, "columns": {"id": "id"}} for name in ("e.csv", "solved.csv")]
    (tmp_path / "x.csv").write_text("unit,time,arm\n" + "".join(f"1{i},2024-03-04,{'ab'[i % 2]}\n" for i in range(4)))
    for content, is_good in ((solved, True), (decimal, False)):
        (tmp_path / "solved.csv").write_text(head + content)
        ran = run(tmp_path, head + opened, data={"exposures": "x.csv", "events": events}, metrics=metrics)
        if is_good:
            assert ran.code < 2, ran.err
            assert ran.values()["m"]["a"][1] == 2.0
        else:
            refused(ran, "unlike-ids", f"solved.csv:2 ({role})", "ends in .0, but the ids of e.csv do not")
