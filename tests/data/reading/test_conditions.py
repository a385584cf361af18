"""What `where` and `exclude` ask of cells: numbers as the column writes them, and answers to yes or no."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.hostile import EXPECTED, GOOD, HEADER, METRICS, Ran, refused, run
from tests.support.logs import to_csv

pytestmark = pytest.mark.slow

SENT = "unit,time,arm,event,n,amount\n"


def analyzed(folder: Path, cells: list[str], where: Any, delimiter: str = ",", **changes: Any) -> Ran:
    """Two purchases of u1 and u2, a, with the first two cells in `n`, and one of u3 and u4, b, with the others."""
    rows = [f"u{i // 2 + 1};2024-03-04T1{i}:00:00Z;{'ab'[i // 4]};purchase;{cell};1" for i, cell in enumerate(cells)]
    text = "\n".join([SENT.strip().replace(",", ";"), *rows]) + "\n"
    content = text.replace(";", delimiter) if delimiter != ";" else text
    count = {"type": "mean", "event": "purchase", "role": "primary", "goal": "increase", "where": where}
    return run(folder, content, metrics={"m": count}, **changes)


def means(ran: Ran) -> list[float | None]:
    assert ran.code < 2, ran.err
    return [value for _, value in ran.values()["m"].values()]


@pytest.mark.parametrize(
    ("cells", "value"),
    [
        (["1,200", "7", "1,200", "1,200", "7", "7", "7", "1,200,000"], 1200),
        (["1.200,00", "7,5", "1.200,00", "1.200,00", "7", "7", "7", "1"], 1200),
        (["1 200", "7", "1 200", "1200", "7", "7", "7", "1 200 000"], 1200),
        (["€ 0.50", "7", "€ .5", "€ 0.5", "7", "7", "7", "€ 5"], 0.5),
        (["50%", "7%", "50 %", "50%", "7%", "7%", "7%", "5%"], 0.5),
        (["1200", "7", "1200.0", "1.2e3", "7", "7", "", "12"], 1200),
    ],
)
@pytest.mark.parametrize("form", ["one", "list", "not"])
def test_a_number_is_one_however_it_is_written(tmp_path: Path, cells: list[str], value: float, form: str) -> None:
    """Whether another metric reads the column or not."""
    where = {"one": value, "list": [value, 99], "not": {"not": value}}[form]
    expected = [0.5, 2.0] if form == "not" else [1.5, 0.0]
    assert means(analyzed(tmp_path, cells, {"n": where}, "|")) == expected


def test_a_number_is_asked_of_texts(tmp_path: Path) -> None:
    """Words are no number, and digits that are none are in doubt."""
    cells = ["1", "trial", "1", "1", "2", "2", "A1", ""]
    for where in (1, "1", [1, 99]):
        assert means(analyzed(tmp_path, cells, {"n": where})) == [1.5, 0.0]
    assert means(analyzed(tmp_path, cells, {"n": [1, "trial"]})) == [2.0, 0.0]
    cells[1] = "1-2"
    refused(analyzed(tmp_path, cells, {"n": 1}), "bad-number", "e.csv:3 (n)", "'1-2' is not a number")
    assert means(analyzed(tmp_path, cells, {"n": 1}, options={"null": ["1-2"]})) == [1.5, 0.0]
    assert means(analyzed(tmp_path, cells, {"n": "1"})) == [1.5, 0.0]


@pytest.mark.parametrize(
    ("yes", "no"), [("WAHR", "FALSCH"), ("Oui", "non"), ("VERDADERO", "FALSO"), ("Tak", "nie"), ("T", "F"), ("1", "0")]
)
def test_yes_and_no_in_other_languages(tmp_path: Path, yes: str, no: str) -> None:
    cells = [yes, no, yes, yes, no, no, "", no]
    assert means(analyzed(tmp_path, cells, {"n": True})) == [1.5, 0.0]
    assert means(analyzed(tmp_path, cells, {"n": {"not": False}})) == [1.5, 0.5]


def test_a_yes_is_asked_of_texts(tmp_path: Path) -> None:
    """One that has neither yes nor no is written in words that are not known."""
    cells = ["true", "perhaps", "true", "true", "false", "false", "false", ""]
    assert means(analyzed(tmp_path, cells, {"n": True})) == [1.5, 0.0]
    said = ["истина", "ложь", "истина", "истина", "ложь", "ложь", "ложь", ""]
    refused(analyzed(tmp_path, said, {"n": True}), "bad-flag", "e.csv", "none of its values is boolean", "['истина']")
    assert means(analyzed(tmp_path, said, {"n": ["истина"]})) == [1.5, 0.0]
    only = {"where": {"event": "purchase"}, "exclude": {"bots": {"n": True}}}
    assert means(analyzed(tmp_path, cells, {}, options=only)) == [1.0, 2.0]
    refused(analyzed(tmp_path, said, {}, options=only), "bad-flag", "e.csv")


def test_an_exposure_that_one_file_cannot_hold(tmp_path: Path) -> None:
    """A condition on a column that a file lacks asks nothing of it, as long as it has no such event."""
    lines = [line.split(",") for line in GOOD.splitlines()]
    seen = [",".join([*line[:4], "shop" if i else "page"]) for i, line in enumerate(lines) if line[3] != "purchase"]
    bought = [",".join(line) for line in lines if line[3] != "seen"]
    (tmp_path / "seen.csv").write_text("\n".join(seen) + "\n")
    changes: dict[str, Any] = {"file": ["seen.csv", "e.csv"], "exposure": {"event": "seen", "where": {"page": "shop"}}}
    assert run(tmp_path, "\n".join(bought) + "\n", **changes).values() == EXPECTED
    bought.append(f"u5,2024-03-04T10:00:00Z,a,seen,{''}")
    ran = run(tmp_path, "\n".join(bought) + "\n", **changes)
    refused(ran, "missing-column", "e.csv:4 (event)", "'seen' is in this file too, which has no column 'page'")
    changes["exposure"] = {"event": "seen", "where": {"pgae": "shop"}}
    refused(run(tmp_path, "\n".join(bought[:-1]) + "\n", **changes), "missing-column", "seen.csv", "did you mean page")


@pytest.mark.parametrize("delimiter", ["\t", "|", ","])
def test_columns_of_one_file_are_written_alike(tmp_path: Path, delimiter: str) -> None:
    """Where one column shows a decimal comma, a dot before three digits in another is in doubt."""
    lines = [line.split(",") for line in GOOD.splitlines()]
    written = {"12.5": "1.234,50", "30": "5,00"}
    rows = [[*line[:4], written.get(line[4], line[4]), "1.200" if i else "qty"] for i, line in enumerate(lines)]
    text = to_csv(rows[0], rows[1:], delimiter)
    metrics = {**METRICS, "pieces": {**METRICS["revenue"], "value": "qty"}}
    refused(run(tmp_path, text, metrics=metrics), "ambiguous-number", "e.csv:3 (qty)", "'1.200' is ambiguous")
    ran = run(tmp_path, text, metrics=metrics, options={"decimal": ",", "thousands": "."})
    assert ran.values()["pieces"] == {"a": (2, 600.0), "b": (2, 600.0)}, ran.err
    assert ran.values()["revenue"]["a"] == (2, 617.25)


def test_delimiters_inside_quotes_are_none(tmp_path: Path) -> None:
    rows = [f'{line},"a|b, c|d"' if i else f"{line},note" for i, line in enumerate(GOOD.splitlines())]
    assert run(tmp_path, "\n".join(rows) + "\n").values() == EXPECTED
    assert HEADER[0] == "unit"


def test_a_cap_that_half_the_window_cannot_hold(tmp_path: Path) -> None:
    """The cap is sound; where events have half the time it would fall at zero, and only that look is left out."""
    header = "unit,time,arm,event,amount"
    rows = [header, *(f"u{i},2024-03-04T10:00:00Z,{'ab'[i % 2]},seen," for i in range(100))]
    rows += [f"u{i},2024-03-09T10:00:00Z,{'ab'[i % 2]},purchase,{i + 1}" for i in range(10)]
    rows += ["u0,2024-03-11T10:00:00Z,a,purchase,1"]  # the window of everybody is over
    metrics = {"revenue": {**METRICS["revenue"], "role": "primary", "cap": "95%"}}
    ran = run(tmp_path, "\n".join(rows) + "\n", metrics=metrics, window="7d")
    assert ran.code < 2, ran.err
    assert json.loads(ran.out)["metrics"][0]["arms"][0]["units"] == 50
