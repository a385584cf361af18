"""Every shape of data and every way to write it down gives the same experiment."""

from __future__ import annotations

import gzip
import io
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from abcx.data.records import Inputs
from abcx.engines.local import Engine
from abcx.errors import DataError
from abcx.stats.records import Proportion
from tests.support.logs import CONVERSION, REVENUE, look, micro, spec, table
from tests.support.notes import texts

EVENTS = table("""
unit time                 arm event    value
u1   2024-03-04T10:00:00Z a   view     _
u1   2024-03-04T10:05:00Z a   purchase 12.5
u2   2024-03-04T11:00:00Z b   view     _
u2   2024-03-04T11:30:00Z b   purchase 30
u2   2024-03-04T11:40:00Z b   purchase 0.25
u3   2024-03-04T12:00:00Z b   view     _
""")
REVENUES = {"a": (12.5, 1), "b": (30.25, 2)}
ASSIGNED = table("""
unit time                 arm
u1   2024-03-04T10:00:00Z a
u2   2024-03-04T11:00:00Z b
u3   2024-03-04T12:00:00Z b
""")
BARE = table("""
unit time                 event    value
u1   2024-03-04T09:59:59Z purchase 99
u1   2024-03-04T10:05:00Z purchase 12.5
u2   2024-03-04T11:30:00Z purchase 30
u2   2024-03-04T11:40:00Z purchase 0.25
u9   2024-03-04T11:40:00Z purchase 7
""")


def without(header: str, column: str) -> str:
    frame = pd.read_csv(io.StringIO(header), dtype=str)
    return frame.drop(columns=column).to_csv(index=False)


def test_events_alone(tmp_path: Path) -> None:
    found = look(tmp_path, {"e.csv": EVENTS}, spec(metrics=REVENUE))
    assert found.sums() == REVENUES
    assert found.lost() == {}


def test_events_with_the_arm_on_some_rows_only(tmp_path: Path) -> None:
    text = EVENTS.replace("a,purchase", ",purchase").replace("b,purchase", ",purchase")
    assert look(tmp_path, {"e.csv": text}, spec(metrics=REVENUE)).sums() == REVENUES


def test_exposures_and_events(tmp_path: Path) -> None:
    data = {"exposures": "x.csv", "events": "e.csv"}
    found = look(tmp_path, {"x.csv": ASSIGNED, "e.csv": BARE}, spec(data, REVENUE))
    assert found.sums() == REVENUES
    assert found.lost() == {"before_exposure": (None, 1), "not_in_test": (None, 1)}
    assert found.observed.before_exposure == {"a": 1, "b": 0}


def test_exposures_events_and_attributes_of_units(tmp_path: Path) -> None:
    units = "unit,device,age\nu1,phone,\nu2,desk,40\nu3,phone,50\nu8,phone,60\n"
    data = {"exposures": "x.csv", "events": "e.csv", "units": {"file": "u.csv", "attributes": ["device"]}}
    metrics = {**REVENUE, "age": {"type": "mean", "column": "age", "role": "descriptive"}}
    files = {"x.csv": ASSIGNED, "e.csv": BARE, "u.csv": units}
    found = look(tmp_path, files, spec(data, metrics, segments=["device"]))
    assert found.sums() == REVENUES
    assert found.observed.segments == {"device": {"phone": {"a": 1, "b": 1}, "desk": {"a": 0, "b": 1}}}
    assert (found["age"]["a"].n, found["age"]["b"].n, found["age"]["b"].mean) == (0, 2, 45)
    assert found.observed.metrics["age"].missing == {"a": 1, "b": 0}
    assert found.lost()["not_in_test"] == (None, 1)  # the row of u8
    assert found.lost()["not_in_test 2"] == (None, 1)  # the event of u9


def test_units_alone(tmp_path: Path) -> None:
    units = "id,group,bought\n1,a,1\n2,a,0\n3,b,TRUE\n4,b,yes\n5,b,false\n6,b,\n7,b,1.0\n8,c,1\n"
    data = {"units": {"file": "u.csv", "columns": {"unit": "id", "arm": "group"}}}
    metrics = {"orders": {"type": "conversion", "column": "bought", "role": "primary", "goal": "increase"}}
    found = look(tmp_path, {"u.csv": units}, spec(data, metrics))
    assert found.successes() == {"a": (1, 2), "b": (3, 4)}
    assert found.observed.units == {"a": 2, "b": 5}
    assert found.observed.metrics["orders"].missing == {"a": 0, "b": 1}
    assert found.lost() == {"unknown_arm": (None, 1)}
    assert found.observed.unknown_labels == ("c",)


def test_units_with_arms_and_events(tmp_path: Path) -> None:
    found = look(tmp_path, {"u.csv": ASSIGNED, "e.csv": BARE}, spec({"units": "u.csv", "events": "e.csv"}, REVENUE))
    assert found.sums() == REVENUES


def test_exposure_event_with_the_arm_elsewhere(tmp_path: Path) -> None:
    events = table("""
unit time                 event    value
u1   2024-03-04T10:00:00Z purchase 99
u1   2024-03-04T11:00:00Z view     _
u1   2024-03-04T11:00:00Z purchase 12.5
u2   2024-03-04T11:00:00Z view     _
u2   2024-03-04T12:00:00Z purchase 30.25
u3   2024-03-04T12:00:00Z purchase 5
u4   2024-03-04T12:00:00Z view     _
""")
    units = "unit,arm\nu1,a\nu2,b\nu3,b\nu4,b\n"
    data = {"units": "u.csv", "events": "e.csv"}
    found = look(tmp_path, {"u.csv": units, "e.csv": events}, spec(data, REVENUE, exposure={"event": "view"}))
    assert found.sums() == REVENUES
    assert found.lost() == {"not_exposed": (1, 1), "not_in_test": (None, 1), "before_exposure": (None, 1)}


def test_several_event_files_of_different_shape(tmp_path: Path) -> None:
    calls = "visitor,call_start,minutes\nu1,2024-03-04 12:00,3\nu1,2024-03-04 12:10,4\nu3,2024-03-04 13:00,1\n"
    columns = {"unit": "visitor", "time": "call_start", "value": "minutes"}
    data = {
        "exposures": "x.csv",
        "events": ["e.csv", {"file": "calls.csv", "columns": columns, "event": "call", "timezone": "UTC"}],
    }
    metrics = {
        **REVENUE,
        "minutes": {"type": "mean", "event": "call", "value": "minutes", "role": "descriptive"},
        "calls": {"type": "mean", "event": "call", "role": "descriptive", "source": "calls.csv"},
        "by_name": {"type": "mean", "event": "call", "value": "value", "role": "descriptive"},
    }
    found = look(tmp_path, {"x.csv": ASSIGNED, "e.csv": BARE, "calls.csv": calls}, spec(data, metrics))
    assert found.sums() == REVENUES
    assert found.sums("minutes") == {"a": (7, 1), "b": (1, 2)} == found.sums("by_name")
    assert found.sums("calls") == {"a": (2, 1), "b": (1, 2)}
    assert [file.rows for file in found.observed.files] == [3, 5, 3]
    assert texts(found.observed.notes) == ["the times of calls.csv have no timezone: they are read as UTC"]


def test_an_event_in_a_file_without_its_value_is_refused(tmp_path: Path) -> None:
    data = {"exposures": "x.csv", "events": ["e.csv", "f.csv"]}
    other = "unit,time,event\nu1,2024-03-04T12:00:00Z,view\nu2,2024-03-04T12:00:00Z,purchase\n"
    with pytest.raises(DataError) as error:
        look(tmp_path, {"x.csv": ASSIGNED, "e.csv": BARE, "f.csv": other}, spec(data, REVENUE))
    assert [(p.code, p.span and p.span.line) for p in error.value.problems] == [("missing-column", 3)]


def test_one_file_serves_exposures_and_events(tmp_path: Path) -> None:
    text = table("""
who time                 event    value
u1  2024-03-04T10:00:00Z exposure a
u1  2024-03-04T10:05:00Z purchase 12.5
u2  2024-03-04T11:00:00Z exposure b
u2  2024-03-04T11:30:00Z purchase 30.25
u3  2024-03-04T12:00:00Z exposure b
u3  2024-03-04T12:00:00Z page     home
""")
    where = {"event": "exposure"}
    data = {
        "exposures": {"file": "e.csv", "columns": {"unit": "who", "arm": "value"}, "where": where},
        "events": {"file": "e.csv", "columns": {"unit": "who"}},
    }
    found = look(tmp_path, {"e.csv": text}, spec(data, REVENUE))
    assert found.sums() == REVENUES
    assert found.lost() == {}


PER_ARM = {
    "control.csv": without("\n".join(line for line in EVENTS.splitlines() if ",b," not in line) + "\n", "arm"),
    "variant.csv": without("\n".join(line for line in EVENTS.splitlines() if ",a," not in line) + "\n", "arm"),
}


@pytest.mark.parametrize(
    ("data", "files"),
    [
        ({"events": {"a": "control.csv", "b": "variant.csv"}}, PER_ARM),
        ({"events": {"file": {"a": "control.csv", "b": ["variant.csv"]}}}, PER_ARM),
        ({"events": ["1.csv", "2.csv"]}, "halves"),
        ({"events": "day-*.csv"}, "days"),
        ({"events": "**/part?.csv"}, "deep"),
    ],
)
@pytest.mark.slow
def test_per_arm_files_lists_and_globs(tmp_path: Path, data: Any, files: Any) -> None:
    lines = EVENTS.splitlines(keepends=True)
    first, second = "".join(lines[:3]), lines[0] + "".join(lines[3:])
    named = {"halves": ("1.csv", "2.csv"), "days": ("day-1.csv", "day-2.csv"), "deep": ("x/y/part1.csv", "part2.csv")}
    if isinstance(files, str):
        files = dict(zip(named[files], (first, second), strict=True))
    found = look(tmp_path, files, spec(data, REVENUE))
    assert found.sums() == REVENUES
    assert {file.path for file in found.observed.files} == set(files)


def parquet(text: str = EVENTS) -> bytes:
    out = io.BytesIO()
    frame = pd.read_csv(io.StringIO(text), parse_dates=["time"])
    pq.write_table(pa.Table.from_pandas(frame), out)
    return out.getvalue()


def jsonl() -> str:
    frame = pd.read_csv(io.StringIO(EVENTS))
    return frame.to_json(orient="records", lines=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("e.csv.gz", gzip.compress(EVENTS.encode()), {}),
        ("e.csv", gzip.compress(EVENTS[:100].encode()) + gzip.compress(EVENTS[100:].encode()), {}),
        ("e.parquet", parquet(), {}),
        ("e.csv", parquet(), {}),  # told by its first bytes
        ("e.tsv", EVENTS.replace(",", "\t"), {}),
        ("e.txt", EVENTS.replace(",", "\t"), {}),
        ("e.csv", EVENTS.replace(",", ";"), {}),
        ("e.csv", EVENTS.replace(",", "|"), {}),
        ("e.csv", EVENTS.replace(",", "^"), {"delimiter": "^"}),
        ("e.jsonl", jsonl(), {}),
        ("e.jsonl.gz", gzip.compress(jsonl().encode()), {}),
        ("e.log", jsonl(), {"format": "jsonl"}),
        ("e.json", jsonl(), {}),  # told by its first bytes, too
        ("e.csv.gz", gzip.compress(b"\xef\xbb\xbf" + jsonl().encode()), {}),
        ("e.csv", "\ufeff" + EVENTS, {}),
        ("e.csv", EVENTS.replace("\n", "\r\n"), {}),
        ("e.csv", EVENTS.replace("\n", "\r"), {}),
        ("e.csv", EVENTS.rstrip("\n"), {}),
        ("e.csv", EVENTS.encode("utf-16"), {"encoding": "utf-16"}),
        ("e.csv", EVENTS.encode("latin-1"), {"encoding": "latin-1"}),
        ("e.csv", "made by us\n\n" + EVENTS, {"skip": 2}),
        ("e.csv", EVENTS.replace(",view,", ",view,n/a"), {"null": "n/a"}),
        ("e.csv", EVENTS.replace(".", ",").replace("12,5", '"12,5"').replace("0,25", '"0,25"'), {"decimal": ","}),
        ("e.csv", EVENTS.replace(",30\n", ',"0,000,030.00"\n'), {"thousands": ","}),
    ],
)
def test_formats(tmp_path: Path, name: str, content: Any, options: Any) -> None:
    found = look(tmp_path, {name: content}, spec({"events": {"file": name, **options}}, REVENUE))
    assert found.sums() == REVENUES
    assert found.observed.files[0].rows == 6


def test_zstd(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text(EVENTS)
    with Engine() as engine:
        engine.run(
            f"COPY (SELECT * FROM read_csv('{tmp_path}/e.csv', all_varchar=true)) "
            f"TO '{tmp_path}/e.csv.zst' (HEADER, COMPRESSION zstd)"
        )
    assert look(tmp_path, {}, spec({"events": "e.csv.zst"}, REVENUE)).sums() == REVENUES


def test_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for content in (EVENTS.encode(), gzip.compress(EVENTS.encode()), parquet()):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        found = look(tmp_path, {}, spec({"events": "-"}, REVENUE))
        assert found.sums() == REVENUES
        assert found.observed.files[0].path == "standard input"


def frames() -> list[tuple[str, object]]:
    frame = pd.read_csv(io.StringIO(EVENTS))
    times = pd.to_datetime(frame["time"])
    values: list[Any] = [None, 12.5, None, 30, 0.25, None]
    return [
        ("pandas text", frame),
        ("pandas times", frame.assign(time=times)),
        ("pandas naive", frame.assign(time=times.dt.tz_localize(None))),
        ("pandas categories", frame.astype({"arm": "category", "event": "category"})),
        ("pandas objects", frame.astype(object).where(frame.notna(), None)),
        (
            "polars",
            pl.DataFrame({name: list(column) for name, column in frame.assign(value=values).items()}),
        ),
        ("polars times", pl.from_pandas(frame.assign(time=times))),
        ("arrow", pa.Table.from_pandas(frame.assign(time=times))),
    ]


@pytest.mark.parametrize(("kind", "frame"), frames(), ids=[name for name, _ in frames()])
@pytest.mark.slow
def test_frames(tmp_path: Path, kind: str, frame: object) -> None:
    found = look(tmp_path, {}, spec(metrics=REVENUE), Inputs(events=(frame,)))
    assert found.sums() == REVENUES
    assert min(unit["t0"] for unit in found.units) == 1_709_546_400_000_000
    assert ("have no timezone" in "".join(texts(found.observed.notes))) == (kind == "pandas naive")


def test_numeric_ids_of_frames_match_across_types(tmp_path: Path) -> None:
    """An integer column with a gap is a float column in pandas: 7 and 7.0 are one unit and one label."""
    exposures = pd.DataFrame({"unit": [1, 2, 3], "arm": [0.0, 1.0, 1.0]})
    events = pd.DataFrame({"unit": [1.0, 3.0, None], "event": ["purchase"] * 3})
    arms = {"a": {"labels": [0]}, "b": {"labels": [1]}}
    data = {"exposures": "x.csv", "events": "e.csv"}
    found = look(tmp_path, {}, {**spec(data), "arms": arms}, Inputs(exposures=(exposures,), events=(events,)))
    assert found.successes() == {"a": (1, 1), "b": (1, 2)}
    assert found.lost() == {"no_unit": (None, 1)}


def test_nan_in_a_float_column_is_missing_whatever_the_frame(tmp_path: Path) -> None:
    gap = {"unit": ["u", "v"], "arm": ["a", "b"], "x": [1.0, float("nan")]}
    metrics = {"x": {"type": "mean", "column": "x", "role": "primary", "goal": "increase"}}
    for frame in (pd.DataFrame(gap), pl.DataFrame(gap), pa.table(gap)):
        found = look(tmp_path, {}, spec({"units": "u.csv"}, metrics), Inputs(units=(frame,)))
        assert found.observed.metrics["x"].missing == {"a": 0, "b": 1}
    endless = pl.DataFrame({**gap, "x": [1.0, float("inf")]})
    with pytest.raises(DataError, match="'inf' is not a usable number"):
        look(tmp_path, {}, spec({"units": "u.csv"}, metrics), Inputs(units=(endless,)))


@pytest.mark.parametrize("frame", [3, "text", {"a": [1]}, object(), pd.DataFrame()])
def test_what_is_no_frame_is_refused(tmp_path: Path, frame: object) -> None:
    with pytest.raises(DataError):
        look(tmp_path, {}, spec(metrics=REVENUE), Inputs(events=(frame,)))


CASES: dict[str, list[Any]] = {
    "unit": ["u1", "u2"],
    "arm": ["a", "b"],
    "Value": [1, 2],
    "value": [10, 20],
    "VALUE": [100, 200],
}


@pytest.mark.parametrize("name", ["Value", "value", "VALUE"])
@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl", "frame"])
@pytest.mark.slow
def test_columns_that_differ_in_case_are_different(tmp_path: Path, name: str, form: str) -> None:
    frame = pd.DataFrame(CASES)
    metrics = {"x": {"type": "mean", "column": name, "role": "primary", "goal": "increase"}}
    out = io.BytesIO()
    pq.write_table(pa.table(CASES), out)
    content: dict[str, str | bytes] = {
        "csv": frame.to_csv(index=False),
        "parquet": out.getvalue(),
        "jsonl": frame.to_json(orient="records", lines=True),
    }
    inputs = Inputs(units=(frame,)) if form == "frame" else Inputs()
    files = {} if form == "frame" else {f"u.{form}": content[form]}
    found = look(tmp_path, files, spec({"units": f"u.{form}"}, metrics), inputs)
    assert {arm: s.mean for arm, s in found["x"].items()} == dict(zip("ab", CASES[name], strict=True))


def test_nested_parquet_columns_do_not_shift_the_others(tmp_path: Path) -> None:
    nested = {"deep": [{"x": 1, "y": {"z": [1]}}] * 2, **CASES, "tail": [[1, 2], []]}
    out = io.BytesIO()
    pq.write_table(pa.table(nested), out)
    metrics = {"x": {"type": "mean", "column": "VALUE", "role": "primary", "goal": "increase"}}
    found = look(tmp_path, {"u.parquet": out.getvalue()}, spec({"units": "u.parquet"}, metrics))
    assert found["x"]["b"].mean == 200


def test_jsonl_values_stay_as_they_are(tmp_path: Path) -> None:
    """Ids are not guessed to be numbers or dates; fields may be missing; a field name may hold anything."""
    lines = [
        '{"unit": 1, "arm": "a", "a/b~c\\"d": 1}',
        '{"arm": "a", "unit": "2024-01-01", "a/b~c\\"d": true}',
        '{"unit": "01", "arm": "b", "a/b~c\\"d": "no", "more": {"x": [1]}}',
        '{"unit": "x", "arm": "b", "a/b~c\\"d": null}',
    ]
    metrics = {"orders": {"type": "conversion", "column": 'a/b~c"d', "role": "primary", "goal": "increase"}}
    found = look(tmp_path, {"u.jsonl": "\n".join(lines)}, spec({"units": "u.jsonl"}, metrics))
    assert [unit["unit"] for unit in found.units] == ["01", "1", "2024-01-01", "x"]
    assert found.successes() == {"a": (2, 2), "b": (0, 1)}


NASTY = [
    "'; DROP TABLE events; --",
    'say "hi"',
    "a b  c",
    "é漢字🙂",
    "[x]*?",
    "{}",
    "c0",
    "unit_table",
    "NULL",
    "\\n",
    "--",
]


@pytest.mark.parametrize("nasty", NASTY)
@pytest.mark.slow
def test_names_and_values_are_only_text(tmp_path: Path, nasty: str) -> None:
    frame = pd.DataFrame(
        {
            nasty: ["u1", "u2", "u3"],
            "arm " + nasty: [nasty, "b", nasty],
            "time": "2024-03-04T10:00:00Z",
            "event": ["pay " + nasty] * 3,
            "amount " + nasty: [1, 2, 4],
            "group " + nasty: [nasty, nasty, "other"],
        }
    )
    file, columns = f"{nasty.strip('-')}.csv", {"unit": nasty, "arm": "arm " + nasty}
    metrics = {
        "m": {
            "type": "mean",
            "event": "pay " + nasty,
            "value": "amount " + nasty,
            "where": {"group " + nasty: [nasty, "zzz"]},
            "role": "primary",
            "goal": "increase",
        }
    }
    written = spec(
        {"events": {"file": file, "columns": columns, "delimiter": ","}}, metrics, segments=["group " + nasty]
    )
    written["arms"] = {"a": {"labels": [nasty]}, "b": {}}
    found = look(tmp_path, {file: frame.to_csv(index=False)}, written)
    assert found.sums("m") == {"a": (1, 2), "b": (2, 1)}
    assert found.observed.segments["group " + nasty] == {nasty: {"a": 1, "b": 1}, "other": {"a": 1, "b": 0}}


def test_a_file_name_that_looks_like_a_glob_is_that_file(tmp_path: Path) -> None:
    other = EVENTS.replace("12.5", "999")
    files = {"e[1].csv": EVENTS, "e1.csv": other, "d*.csv": EVENTS, "d1.csv": other}
    assert look(tmp_path, files, spec({"events": "e[1].csv"}, REVENUE)).sums() == REVENUES
    assert look(tmp_path, files, spec({"events": "d*.csv"}, REVENUE)).sums() == REVENUES
    inside = tmp_path / "[x]"
    assert look(inside, {"e1.csv": EVENTS}, spec({"events": "e?.csv"}, REVENUE)).sums() == REVENUES


def test_labels(tmp_path: Path) -> None:
    text = "unit,arm,bought\n1,Original,1\n2, A ,0\n3,0,1\n4,true,1\n5,original,1\n6,B,0\n7,,1\n"
    written = spec({"units": "u.csv"}, {"orders": {**CONVERSION["orders"], "event": None, "column": "bought"}})
    del written["metrics"]["orders"]["event"]
    written["arms"] = {"a": {"labels": ["Original", "A", 0]}, "b": {"labels": ["B", True]}}
    found = look(tmp_path, {"u.csv": text}, written)
    assert found.successes() == {"a": (2, 3), "b": (1, 2)}
    assert found.lost() == {"unknown_arm": (None, 1), "no_arm": (1, 1)}
    assert found.observed.unknown_labels == ("original",)


def test_arms_told_by_rules(tmp_path: Path) -> None:
    text = table("""
user group     page value bought
1    control   old  1     1
2    control   new  1     1
3    treatment new  5     0
4    treatment new  50    1
5    treatment new  _     1
6    treatment new  10    1
""")
    written = spec({"units": {"file": "u.csv", "columns": {"unit": "user"}}})
    written["metrics"] = {"orders": {"type": "conversion", "column": "bought", "role": "primary", "goal": "increase"}}
    written["arms"] = {
        "a": {"where": {"group": "control", "page": "old"}},
        "b": {"where": {"group": ["treatment", "t"], "page": "new", "value": {"min": 5, "max": 10}}},
    }
    found = look(tmp_path, {"u.csv": text}, written)
    assert found["orders"] == {"a": Proportion(1, 1), "b": Proportion(1, 2)}
    assert found.lost() == {"unknown_arm": (None, 3)}
    assert found.observed.unknown_labels == ()


def test_arms_told_by_rules_on_events_with_another_file(tmp_path: Path) -> None:
    """Rows of a file that lacks the columns of the rules say nothing about arms."""
    views = "unit,time,event,group\nu1,2024-03-04T10:00:00Z,view,x\nu2,2024-03-04T10:00:00Z,view,y\n"
    calls = "unit,time\nu1,2024-03-04T11:00:00Z\nu3,2024-03-04T11:00:00Z\n"
    metrics = {"orders": {"type": "conversion", "event": "call", "role": "primary", "goal": "increase"}}
    data = {"events": ["v.csv", {"file": "c.csv", "event": "call"}]}
    written = {**spec(data, metrics), "arms": {"a": {"where": {"group": "x"}}, "b": {"where": {"group": "y"}}}}
    found = look(tmp_path, {"v.csv": views, "c.csv": calls}, written)
    assert found.successes() == {"a": (1, 1), "b": (0, 1)}
    assert found.lost() == {"no_arm": (1, 1)}


def test_a_file_without_times_beside_one_with_times_is_refused(tmp_path: Path) -> None:
    files = {"x.csv": ASSIGNED, "e.csv": BARE, "f.csv": "unit,event\nu1,call\n"}
    with pytest.raises(DataError, match=r"f\.csv has no column 'time'"):
        look(tmp_path, files, spec({"exposures": "x.csv", "events": ["e.csv", "f.csv"]}))


@pytest.mark.parametrize("data", [{"exposures": "x.csv", "events": "e.csv"}, {"events": "e.csv"}])
def test_a_misspelled_segment_is_refused(tmp_path: Path, data: Any) -> None:
    with pytest.raises(DataError, match=r"has no column 'devise' \(segments\)"):
        look(tmp_path, {"x.csv": ASSIGNED, "e.csv": EVENTS}, spec(data, segments=["devise"]))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.slow
def test_parquet_times_with_a_zone_say_it(tmp_path: Path, unit: str) -> None:
    """In any unit; in autumn one hour of New York comes twice."""
    frame = pd.read_csv(io.StringIO(EVENTS))
    shift = pd.Timestamp("2024-11-03T05:30Z") - pd.Timestamp(frame["time"].min())
    times = pa.array((pd.to_datetime(frame["time"]) + shift).dt.tz_convert("UTC"), pa.timestamp(unit, "UTC"))
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(frame.drop(columns="time")).append_column("time", times), out)
    written = spec({"events": {"file": "e.parquet", "timezone": "America/New_York"}}, REVENUE)
    found = look(tmp_path, {"e.parquet": out.getvalue()}, written)
    assert found.sums() == REVENUES
    assert found.observed.first_exposure == micro("2024-11-03T05:30Z")
    assert "timezone" not in " ".join(texts(found.observed.notes))


@pytest.mark.parametrize("options", [{"thousands": "."}, {"thousands": ".", "decimal": ","}])
def test_a_dot_for_thousands_means_a_decimal_comma(tmp_path: Path, options: dict[str, str]) -> None:
    german = EVENTS.replace("12.5", '"0.012,5"').replace("0.25", '"0,25"')
    assert look(tmp_path, {"e.csv": german}, spec({"events": {"file": "e.csv", **options}}, REVENUE)).sums() == REVENUES


def test_events_in_other_case_are_told(tmp_path: Path) -> None:
    name = REVENUE["revenue"]["event"]
    found = look(tmp_path, {"e.csv": EVENTS.replace(name, name.upper(), 1)}, spec({"events": "e.csv"}, REVENUE))
    assert found.observed.misspelled_events == ((name.upper(), name),)


@pytest.mark.slow
def test_an_export_in_parts_may_have_empty_ones(tmp_path: Path) -> None:
    """A day on which nothing happened is no fault; an export of nothing is."""
    header = EVENTS.splitlines(keepends=True)[0]
    files = {"days/1.csv": header, "days/2.csv": EVENTS, "days/3.csv": "", "days/4.csv": header}
    found = look(tmp_path, files, spec({"events": "days/*.csv"}, REVENUE))
    assert found.sums() == REVENUES
    assert "days/3.csv is empty" in texts(found.observed.notes)
    assert "days/1.csv has a header and no rows" in texts(found.observed.notes)
    with pytest.raises(DataError, match="no file of events has a row"):
        look(tmp_path, {"days/2.csv": header}, spec({"events": "days/*.csv"}, REVENUE))
    with pytest.raises(DataError, match=r"3\.csv is empty"):
        look(tmp_path, {}, spec({"events": ["days/2.csv", "days/3.csv"]}, REVENUE))
    parts = {"a": "days/2.csv", "b": "days/1.csv"}
    with pytest.raises(DataError, match=r"1\.csv has a header and no rows"):
        look(tmp_path, {"days/2.csv": EVENTS}, spec({"events": parts}, REVENUE))


def test_a_file_that_is_named_twice_is_refused(tmp_path: Path) -> None:
    """Its rows would count twice."""
    files = {"days/1.csv": EVENTS}
    with pytest.raises(DataError, match=r"1\.csv is named twice"):
        look(tmp_path, files, spec({"events": ["days/*.csv", "days/1.csv"]}, REVENUE))
    (tmp_path / "link.csv").symlink_to(tmp_path / "days/1.csv")
    with pytest.raises(DataError, match=r"1\.csv is named twice \(as link\.csv, too\)"):
        look(tmp_path, files, spec({"events": ["link.csv", "days/1.csv"]}, REVENUE))
