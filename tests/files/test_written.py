"""How numbers and times are written is found by evidence over the column, said, or asked for. Through the command."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from abcx.commands import analyze
from abcx.commands.options import DataOptions, RunOptions
from tests.support.hostile import EXPECTED, GOOD, HEADER, LINES, ROWS, Ran, notes, refused, run
from tests.support.notes import texts

pytestmark = pytest.mark.slow

T = "2024-03-04T10:00:00Z"
SUM = {"x": {"type": "mean", "column": "x", "role": "primary", "goal": "increase"}}


def column(tmp_path: Path, cells: Sequence[str], delimiter: str = ",", **options: Any) -> Ran:
    """Units 0, 1, 2, ... in the arms a, b, a, ... with a column of numbers."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(["unit", "arm", "x"])
    writer.writerows([i, "ab"[i % 2], cell] for i, cell in enumerate(cells))
    (tmp_path / "u.csv").write_text(out.getvalue())
    return run(tmp_path, None, data={"units": {"file": "u.csv", **options}}, metrics=SUM)


def means(ran: Ran) -> tuple[float | None, float | None]:
    assert ran.code < 2, ran.err
    return tuple(value for _, value in ran.values()["x"].values())  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("cells", "values", "said"),
    [
        (["12,5", "7,25"], (12.5, 7.25), "a decimal comma"),
        (["1,234.50", "12.5"], (1234.5, 12.5), "commas between thousands"),
        (["1.234,50", "12,5"], (1234.5, 12.5), "a decimal comma, dots between thousands"),
        (["1.234.567", "3"], (1234567, 3), "dots between thousands"),
        (["1,234", "12.75"], (1234, 12.75), "commas between thousands"),
        (["1 234,5", "7"], (1234.5, 7), "a decimal comma, spaces between thousands"),
        (["1\u00a0234,5", "1\u202f000"], (1234.5, 1000), "spaces between thousands"),
        (["1'234.50", "2’000"], (1234.5, 2000), "apostrophes between thousands"),
        (["$5", "$1,234.56"], (5, 1234.56), "a currency (USD)"),
        (["5,00 €", "EUR 7"], (5, 7), "a currency (EUR)"),
        (["100 kr", "5,50 kr."], (100, 5.5), "a currency (KR)"),
        (["12 PLN", "-3 pln"], (12, -3), "a currency (PLN)"),
        (["(12.50)", "3"], (-12.5, 3), "brackets for minus"),
        (["($1,234.50)", "-$3.00"], (-1234.5, -3), "a currency (USD), brackets for minus"),
        (["\u221212.5", "3"], (-12.5, 3), "signs or digits"),
        (["12.5-", "3"], (-12.5, 3), "signs or digits"),
        (["5%", "12.5 %", "0"], (0.025, 0.125), "percent (5% is 0.05)"),
        (["١٢٫٥", "٣"], (12.5, 3), "signs or digits of other scripts"),
        (["۱۲", "۳٬۰۰۰"], (12, 3000), "apostrophes"),
        (["1:30:00", "00:45:00"], (1.5, 0.75), "as durations, in hours"),
        (["100:00:36", "0:00:00"], (100.01, 0), "as durations, in hours"),
        (["2 hrs", "30 min"], (2, 0.5), "as durations, in hours"),
        (["1h 30m", "1 day, 2 hours"], (1.5, 26), "as durations, in hours"),
        (["0 days 01:30:00", "1 day, 2:00:00"], (1.5, 26), "as durations, in hours"),
        (["PT1H30M", "P1DT2H"], (1.5, 26), "as durations, in hours"),
        (["1,5 h", "90 s"], (1.5, 0.025), "as durations, in hours"),
    ],
)
def test_numbers(tmp_path: Path, cells: list[str], values: tuple[float, float], said: str) -> None:
    ran = column(tmp_path, cells)
    assert means(ran) == pytest.approx(values, rel=1e-12)
    assert any(said in note and "'x' of u.csv is read as " in note for note in notes(ran)), notes(ran)


@pytest.mark.parametrize("cells", [["1", "2.5"], ["1e3", "-2.5"], ["1.234", "2.3456"], ["", "5"]])
def test_plain_numbers_need_no_words(tmp_path: Path, cells: list[str]) -> None:
    ran = column(tmp_path, cells)
    assert ran.code < 2 and not any("is read as" in note for note in notes(ran))


@pytest.mark.parametrize(
    ("cells", "code", "line", "words"),
    [
        (["5", "1,234"], "ambiguous-number", 3, "decimal: ','"),
        (["$1.234", "$2.345"], "ambiguous-number", 2, "thousands"),
        (["€5", "$5"], "ambiguous-number", 2, "several currencies (EUR, USD)"),
        (["5%", "0.05"], "ambiguous-number", 2, "with % and without"),
        (["12,5", "12.5"], "bad-number", 2, "'12,5'"),
        (["12:30", "11:00"], "bad-number", 2, "'12:30'"),
        (["1:30:00", "1.5"], "bad-number", 2, "'1:30:00'"),
        (["1,23", *["4"] * 200], "bad-number", 2, "decimal: ','"),  # one in two hundred: rather a slip
        (["1,2,3456", "3"], "bad-number", 2, "'1,2,3456'"),
        (["(5", "3"], "bad-number", 2, "'(5'"),
        (["--5", "3"], "bad-number", 2, "'--5'"),
        (["1 2", "3"], "bad-number", 2, "'1 2'"),
        (["12 apples", "3"], "bad-number", 2, "'12 apples'"),
        (["1_000", "3"], "bad-number", 2, "'1_000'"),
    ],
)
def test_numbers_in_doubt(tmp_path: Path, cells: list[str], code: str, line: int, words: str) -> None:
    refused(column(tmp_path, cells), code, f"u.csv:{line} (x)", words)


def test_dots_in_a_file_of_semicolons_are_in_doubt(tmp_path: Path) -> None:
    """1.234 is a thousand and more to whoever writes semicolons for commas."""
    refused(column(tmp_path, ["1.234", "2.000"], ";"), "ambiguous-number", "u.csv:2 (x)", "thousands")
    assert means(column(tmp_path, ["1.234", "2.000"], ";", thousands=".")) == (1234, 2000)
    assert means(column(tmp_path, ["1.234", "2.000"], ";", decimal=".")) == (1.234, 2)
    assert means(column(tmp_path, ["1.234", "2.5"], ";")) == (1.234, 2.5)
    assert means(column(tmp_path, ["1", "2"], ";")) == (1, 2)


def test_what_the_spec_says_goes_before_evidence(tmp_path: Path) -> None:
    assert means(column(tmp_path, ["1,234", "5"], decimal=",")) == (1.234, 5)
    assert means(column(tmp_path, ["1,234", "5"], thousands=",")) == (1234, 5)
    assert means(column(tmp_path, ["1,234 €", "5"], thousands=",")) == (1234, 5)
    assert means(column(tmp_path, ["1'234", "5"], thousands="'")) == (1234, 5)
    refused(column(tmp_path, ["12,5", "7,25"], thousands=","), "bad-number", "u.csv:2 (x)")


def events(change: Any) -> str:
    rows = [(unit, change(datetime.fromisoformat(time)), *rest) for unit, time, *rest in ROWS]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([HEADER, *rows])
    return out.getvalue()


def since(scale: int) -> Any:
    return lambda time: str(round(time.timestamp() * scale))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (since(1), "as seconds since 1970"),
        (since(1000), "as milliseconds since 1970"),
        (since(1_000_000), "as microseconds since 1970"),
        (lambda t: f"{t.timestamp():.3f}", "as seconds since 1970"),
        (lambda t: t.replace(day=24).strftime("%d/%m/%Y %H:%M"), "as day/month/year"),
        (lambda t: t.replace(day=24).strftime("%d.%m.%Y, %H:%M:%S"), "as day/month/year"),
        (lambda t: t.replace(day=24).strftime("%m/%d/%Y %I:%M %p"), "as month/day/year"),
        (lambda t: t.replace(day=24).strftime("%m/%d/%Y %I:%M:%S%p").lower(), "as month/day/year"),
        (lambda t: t.strftime("%d %b %Y %H:%M"), "with the month's name"),
        (lambda t: t.strftime("%B %d, %Y, %I:%M:%S %p"), "with the month's name"),
        (lambda t: t.strftime("%d-%b-%Y %H:%M:%S"), "with the month's name"),
        (lambda t: t.strftime("%Y-%m-%d %H:%M:%S +0000"), ""),
        (lambda t: t.strftime("%Y-%m-%dT%H:%M:%S+0000"), ""),
        (lambda t: t.strftime("%Y-%m-%d %H:%M:%S UTC"), ""),
        (lambda t: t.strftime("%Y/%m/%d %H:%M"), ""),
    ],
)
def test_times(tmp_path: Path, change: Any, said: str) -> None:
    ran = run(tmp_path, events(change))
    assert ran.values() == EXPECTED, ran.err
    first = datetime.fromisoformat(json.loads(ran.out)["data"]["first_exposure"]).astimezone(UTC)
    assert (first.month, first.hour, first.minute) == (3, 10, 0)
    assert not said or any(f"the times of e.csv are read {said}" in note for note in notes(ran)), notes(ran)
    naive = any("have no timezone" in note for note in notes(ran))
    assert naive == ("month" in said or "%Y/" in str(change) or "/" in events(change))


def test_days_and_months_in_doubt(tmp_path: Path) -> None:
    content = events(lambda t: t.strftime("%d/%m/%Y %H:%M"))
    refused(run(tmp_path, content), "ambiguous-time", "e.csv:2 (time)", "date_order: dmy")
    for order, month in (("dmy", 3), ("mdy", 4)):
        ran = run(tmp_path, content, options={"date_order": order})
        assert ran.values() == EXPECTED
        assert json.loads(ran.out)["data"]["first_exposure"][5:7] == f"{month:02}"
    both = content + "u9,25/03/2024 10:00,a,seen,\nu9,03/25/2024 10:00,a,seen,\n"
    refused(run(tmp_path, both), "bad-time", "e.csv:2 (time)")
    assert run(tmp_path, events(lambda t: t.strftime("03/03/2024 %H:%M"))).values() == EXPECTED
    refused(run(tmp_path, events(lambda t: t.strftime("%d/%m/%y"))), "bad-time", "e.csv:2 (time)")


def test_times_that_are_none(tmp_path: Path) -> None:
    two = events(since(1)).replace("1709546400", "1709546400000")
    refused(run(tmp_path, two), "bad-time", "e.csv:2 (time)")
    rounded = events(lambda t: f"{t.timestamp() * 1e6:.4E}")
    refused(run(tmp_path, rounded), "ambiguous-time", "e.csv:2 (time)", "a spreadsheet has rounded")


def test_glued_exports(tmp_path: Path) -> None:
    content = "".join([*LINES[:3], LINES[0], *LINES[3:5], LINES[0], *LINES[5:]])
    for text in (content, content.replace("time", "day"), "\ufeff".join(["", content])):
        ran = run(tmp_path, text, options={"columns": {"time": "day"}} if "day" in text else {})
        assert ran.values() == EXPECTED, ran.err
        data = json.loads(ran.out)["data"]
        assert [(e["reason"], e["rows"]) for e in data["exclusions"]] == [("repeated_header", 2)]
        assert data["files"][0]["rows"] == 6
    refused(run(tmp_path, content.replace(",30", ",x")), "bad-value", "e.csv:8 (amount)")
    units = "unit,arm,x\nu1,a,1\nunit,arm,x\nu2,b,2\n"
    (tmp_path / "u.csv").write_text(units)
    assert means(run(tmp_path, None, data={"units": "u.csv"}, metrics=SUM)) == (1, 2)


def test_bad_rows_within_the_limit_are_left_out_and_counted(tmp_path: Path) -> None:
    content = GOOD + "u7,soon,a,seen,\nu8,2024-03-04T12:00:00Z,b,purchase,much\nu9,2024-03-04T12:00:00Z\n"
    ran = run(tmp_path, content)
    assert ran.code == 2 and ran.err.count("error[") == 3
    ran = run(tmp_path, content, options={"max_bad_rows": 2})
    assert ran.code == 2 and "max_bad_rows is 2, and 3 rows are bad" in ran.err
    ran = run(tmp_path, content, options={"max_bad_rows": 3})
    assert ran.values() == EXPECTED, ran.err
    data = json.loads(ran.out)["data"]
    assert [(e["reason"], e["rows"]) for e in data["exclusions"]] == [("bad_row", 1)] * 3
    assert "e.csv:9" in data["exclusions"][-1]["message"] + data["exclusions"][0]["message"] + str(data["exclusions"])
    assert data["files"][0]["rows"] == 9
    refused(run(tmp_path, GOOD.replace("seen", '"seen', 1), options={"max_bad_rows": 99}), "broken-quotes", "e.csv:2")
    latin = GOOD + "u\xfc,2024-03-04T12:00:00Z,a,seen,\n"
    refused(run(tmp_path, latin.encode("latin-1"), options={"max_bad_rows": 99}), "encoding", "e.csv:8")


@pytest.mark.parametrize("most", [0, 9])
def test_rejected_rows_are_written_to_a_file(tmp_path: Path, most: int) -> None:
    content = GOOD.replace("seen", '"se\nen"', 1) + "u7,soon,a,seen,\nu8,2024-03-04T12:00:00Z,b,purchase,much\nu9,x\n"
    run(tmp_path, content, options={"max_bad_rows": most})
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        code = analyze.run(
            [str(tmp_path / "experiment.yaml")],
            format="json",
            output=None,
            data=DataOptions(),
            run=RunOptions(quiet=True, threads=2, rejects=str(tmp_path / "bad.csv")),
            fail_on=[],
        )
    assert (code == 2) == (most == 0)
    found = list(csv.DictReader((tmp_path / "bad.csv").open(newline="")))
    assert [(row["line"], row["column"]) for row in found] == [("9", "time"), ("10", "amount"), ("11", "")]
    assert found[0]["row"] == "u7,soon,a,seen," and found[1]["row"] == "u8,2024-03-04T12:00:00Z,b,purchase,much"


def test_times_are_judged_where_a_range_reads_numbers_that_are_written_unusually(tmp_path: Path) -> None:
    """No row is in the range before the numbers are read: then there seemed to be no time to judge either."""
    rows = GOOD.replace("T1", " 1").replace("Z,", " -0500,").replace("12.5", "$12.50").replace(",30", ",$30.00")
    ran = run(tmp_path, rows, options={"exclude": {"tiny": {"amount": {"max": 0.1}}}})
    assert ran.values() == EXPECTED, ran.err


@pytest.mark.parametrize(
    ("earlier", "later", "place", "cure"),
    [
        ('"1.234,50"', "1.234", "b.csv:3 (amount)", "thousands: '.'"),
        ("1.234", '"1.234,50"', "a.csv:3 (amount)", "thousands: '.'"),
        ("€12.50", "$30", "b.csv:3 (amount)", "one currency"),
        ("5%", "5", "b.csv:3 (amount)", "name the files apart"),
        ("30", "1:30:00", "a.csv:3 (amount)", "name the files apart"),
        ('"12,5"', "30", "", ""),
        ("12.5", '"1,230.5"', "", ""),
        ("€12.50", "30.5", "", ""),
    ],
)
def test_one_export_in_several_files_is_written_in_one_way(
    tmp_path: Path, earlier: str, later: str, place: str, cure: str
) -> None:
    """What one month shows of its numbers holds for the others; files that are named apart stand for themselves."""
    (tmp_path / "a.csv").write_text("".join(LINES[:3]).replace("12.5", earlier))
    (tmp_path / "b.csv").write_text(LINES[0] + "".join(LINES[4:6]).replace("30\n", f"{later}\n"))
    ran = run(tmp_path, None, file="?.csv")
    said = [{"decimal": "."} if content == "1.234" else {} for content in (earlier, later)]
    apart = run(
        tmp_path, None, data={"events": [{"file": "a.csv", **said[0]}, {"file": "b.csv", "timezone": "UTC", **said[1]}]}
    )
    assert apart.code < 2, apart.err
    if place:
        refused(ran, "ambiguous-number", place, cure)
    else:
        assert ran.values() == apart.values(), ran.err


@pytest.mark.parametrize(
    ("old", "new", "cure"),
    [
        ("2024-03-04T11:10:00Z", "-", "null: ['-']"),
        ("2024-03-04T11:10:00Z", "NULL", "null: ['NULL']"),
        (",30", ",10 - Extremely likely", "the number alone"),
        (",30", ',"[1, 2]"', "the number alone"),
        ("unit,", "user_id,", "is it user_id? columns: {unit: user_id}"),
    ],
)
def test_cures_that_help(tmp_path: Path, old: str, new: str, cure: str) -> None:
    ran = run(tmp_path, GOOD.replace(old, new))
    assert ran.code == 2 and cure in ran.err, ran.err


def test_years_of_two_digits_ask_for_a_format(tmp_path: Path) -> None:
    short = GOOD.replace("2024-03-04T", "04.03.24 ").replace("Z,", ",")
    ran = run(tmp_path, short)
    assert ran.code == 2 and "time_format ('%d.%m.%y')" in ran.err, ran.err
    assert run(tmp_path, short, options={"time_format": "%d.%m.%y %H:%M:%S"}).values() == EXPECTED


@pytest.mark.parametrize("cell", ['"say \\"hi\\", you"', "left\\,right"])
def test_backslashes_in_place_of_quotes(tmp_path: Path, cell: str) -> None:
    """As Spark and some warehouses write by default: refused, with the cure."""
    text = f"unit,time,arm,event,amount\nu1,2024-03-04,a,x,\nu2,2024-03-04,b,x,{cell}\n"
    refused(run(tmp_path, text), "ragged-row", "e.csv:3", "export it with quoted cells and doubled quotes")


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,24,570.00", "12,345.50"], (124570.0, 12345.5)),
        (["12,34,567", "3"], (1234567, 3)),
        (["₹1,00,00,000", "₹99"], (1e7, 99)),
    ],
)
def test_indian_groups_of_digits(tmp_path: Path, cells: list[str], values: tuple[float, float]) -> None:
    ran = column(tmp_path, cells)
    assert means(ran) == values and "commas between thousands" in "".join(notes(ran))
    assert means(column(tmp_path, [cell.lstrip("₹") for cell in cells], thousands=",")) == values


def test_groups_that_no_country_writes_are_no_numbers(tmp_path: Path) -> None:
    refused(column(tmp_path, ["1,2345,678.00", "5.50"]), "bad-number", "u.csv:2")


@pytest.mark.parametrize("cells", [["1.234", "2.500"], ["1.234", "250"], ["12", "7"] * 500 + ["100.000", "-3.141"]])
def test_a_dot_before_three_digits_throughout_is_asked_about(tmp_path: Path, cells: list[str]) -> None:
    refused(column(tmp_path, cells), "ambiguous-number", "u.csv:", "decimal: '.' or thousands: '.'")
    plain = [float(cell) for cell in cells]
    pairs = means(column(tmp_path, cells, decimal="."))
    assert pairs == pytest.approx([sum(plain[k::2]) / len(plain[k::2]) for k in (0, 1)], rel=1e-11)
    grouped = [float(cell.replace(".", "")) for cell in cells]
    pairs = means(column(tmp_path, cells, thousands="."))
    assert pairs == pytest.approx([sum(grouped[k::2]) / len(grouped[k::2]) for k in (0, 1)], rel=1e-11)


@pytest.mark.parametrize(
    "cells",
    [
        ["1.234", "2.5"],  # another number of digits
        ["1.234", "0.500"],  # no group begins with 0
        ["1.234", "1500"],  # a thousand without a dot
        ["12.345", "1e3"],
        ["12", "7"],
    ],
)
def test_what_is_decimal_by_evidence_is_not_asked_about(tmp_path: Path, cells: list[str]) -> None:
    assert means(column(tmp_path, cells)) == tuple(float(cell) for cell in cells)


def test_a_long_cell_of_commas_costs_no_columns(tmp_path: Path) -> None:
    """18 kB in quotes are one cell: taken for 9,000 columns it took twelve seconds to refuse."""
    from abcx.files.csv_header import _width
    from abcx.files.paths import DataFile
    from abcx.spec.model import UnitSource

    (tmp_path / "u.csv").write_text('unit,arm,x\nu1,a,"' + "1," * 9_000 + '1"\nu2,b,"say ""1,2""",\n')
    file = DataFile("u.csv", tmp_path / "u.csv", "csv", tmp_path / "u.csv")
    assert _width(file, UnitSource.model_validate({"file": "u.csv", "delimiter": ","})) == 4
    refused(column(tmp_path, ["1," * 9_000 + "1", "5"]), "bad-number", "u.csv:2")


@pytest.mark.parametrize("kind", ["interval", "time of day"])
def test_columns_of_durations_are_read_in_hours(tmp_path: Path, kind: str) -> None:
    """As the same durations written as texts: 1.5 h and 2 h."""
    import datetime as dt

    import pandas as pd

    import abcx

    spans = [dt.timedelta(hours=1.5), dt.timedelta(hours=2)] * 10
    values = spans if kind == "interval" else [(dt.datetime(2024, 1, 1) + span).time() for span in spans]
    frame = pd.DataFrame({"unit": [f"u{i}" for i in range(20)], "arm": ["a", "b"] * 10, "x": values})
    spec = {"schema_version": 1, "name": "t", "arms": {"a": {}, "b": {}}, "metrics": SUM}
    results = abcx.analyze(spec, units=frame)
    assert [arm.value for arm in results["x"].arms] == pytest.approx([1.5, 2.0])
    assert any("durations, in hours" in note for note in texts(results.data.notes))


def test_a_pipe_that_a_spec_names_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "u.csv")
    ran = run(tmp_path, None, data={"units": {"file": "u.csv"}}, metrics=SUM)
    refused(ran, "data-unreadable", "u.csv", "pipe", "--events -")
