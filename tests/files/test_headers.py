"""What stands above and in a header: delimiters, titles, comments, survey rows. Through the command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.hostile import EXPECTED, GOOD, LINES, notes, refused, run

pytestmark = pytest.mark.slow

SURVEY = "".join(
    [
        LINES[0],
        '"User, as\nasked",When,Arm,What,How much\n',
        ",".join(f'"{{""ImportId"":""QID{i}""}}"' for i in range(5)) + "\n",
        *LINES[1:],
    ]
)
MONKEY = "unit,time,arm,event,What did you pay?,,\n,,,,Open-Ended Response,Other,More\n" + "".join(
    row.strip() + ",,\n" for row in LINES[1:]
)


@pytest.mark.parametrize(
    ("above", "line"),
    [
        ("# Report\n# 2024-03-04, 2024-03-31\n\n", 4),
        ("# ---------------\n#a,b,c\n", 3),
        ("Orders by day\n\n", 3),
        ("\n\n", 3),
        ("Orders by day,,,,\n,,,,\n", 3),
        ('"A title, with ""quotes"""\n', 2),
    ],
)
@pytest.mark.parametrize(("delimiter", "end"), [(",", "\n"), (";", "\r\n"), ("\t", "\n"), ("|", "\n")])
def test_lines_above_the_header(tmp_path: Path, above: str, line: int, delimiter: str, end: str) -> None:
    ran = run(tmp_path, (above + GOOD).replace(",", delimiter).replace("\n", end))
    assert ran.values() == EXPECTED, ran.err
    assert f"the header of e.csv is line {line}: what stands above it is skipped" in notes(ran)
    word = {";": "semicolon", "\t": "tab", "|": "pipe"}.get(delimiter)
    assert (f"e.csv is read with the delimiter {word}" in notes(ran)) == (word is not None)


def test_lines_of_errors_below_a_title(tmp_path: Path) -> None:
    refused(run(tmp_path, "Orders\n\n" + GOOD.replace("12.5", "x")), "bad-value", "e.csv:5 (amount)")
    refused(run(tmp_path, "Orders\n\n" + GOOD.replace("12.5", "x,1")), "ragged-row", "e.csv:5")
    refused(run(tmp_path, SURVEY.replace("12.5", "x"), options={"header_rows": 3}), "bad-value", "e.csv:6 (amount)")


def test_a_title_with_other_delimiters(tmp_path: Path) -> None:
    ran = run(tmp_path, "Orders by day\nMade, by us, on Monday\n" + GOOD.replace(",", ";"))
    assert ran.values() == EXPECTED, ran.err


@pytest.mark.parametrize("content", [GOOD.replace("unit,", "#,", 1), GOOD.replace("unit,", "#unit,", 1)])
def test_a_header_may_start_with_a_hash(tmp_path: Path, content: str) -> None:
    unit = content.split(",")[0]
    assert run(tmp_path, content, options={"columns": {"unit": unit}}).values() == EXPECTED


def test_rows_may_start_with_a_hash(tmp_path: Path) -> None:
    assert run(tmp_path, GOOD.replace("u1,", "#u1,")).values() == EXPECTED


@pytest.mark.parametrize(("content", "rows"), [(SURVEY, 3), (MONKEY, 2)])
def test_survey_headers_are_asked_for_and_read(tmp_path: Path, content: str, rows: int) -> None:
    refused(run(tmp_path, content), "header-rows", f"e.csv:{rows}", f"write header_rows: {rows}")
    options: dict[str, Any] = {"header_rows": rows}
    metrics_name = "amount" if rows == 3 else "What did you pay?"
    ran = run(tmp_path, content.replace("amount", metrics_name).replace(metrics_name, "amount"), options=options)
    assert ran.values() == EXPECTED, ran.err


def test_an_empty_first_name_takes_the_name_below(tmp_path: Path) -> None:
    twice = "unit,time,arm,event,Paid,Paid\n,,,,first,again\n" + "".join(row.strip() + ",\n" for row in LINES[1:])
    options = {"header_rows": 2, "columns": {"value": "Paid / first"}}
    ran = run(tmp_path, twice, options=options, metrics=None or _metrics("Paid / first"))
    assert ran.values()["revenue"] == EXPECTED["revenue"], ran.err


def _metrics(value: str) -> dict[str, Any]:
    return {"revenue": {"type": "mean", "event": "purchase", "value": value, "role": "primary", "goal": "increase"}}
