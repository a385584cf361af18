"""Keys in other dress: the same rows with clean keys give the same numbers, in every shape of data.

The oracle is the file with clean keys, whose numbers are computed by hand in test_hostile.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from abcx.data.reading import keys
from abcx.engines.local import Engine
from abcx.engines.quoting import literal
from abcx.files import cell_text
from tests.support.hostile import EXPECTED, GOOD, Ran, refused, run
from tests.support.logs import to_csv
from tests.support.notes import of_json

HEAD, *LINES = (line.split(",") for line in GOOD.splitlines())
SHAPES = ("csv", "jsonl", "parquet")
DRESS: dict[str, tuple[Callable[[str], str], str]] = {
    "formula": (lambda v: f'="{v}"', "formulas"),
    "formula of a function": (lambda v: f'=T("{v}")', "formulas"),
    "quotes": (lambda v: f'"{v}"', "in quotes"),
    "single quotes": (lambda v: f"'{v}'", "in quotes"),
    "typographic quotes": (lambda v: f"\u201c{v}\u201d", "in quotes"),
    "delete": (lambda v: f"\x7f{v}\x7f", "do not show"),
    "no-break space": (lambda v: f"\u00a0{v}", "do not show"),
    "thin space": (lambda v: f"{v}\u2009", "do not show"),
    "ideographic space": (lambda v: f"\u3000{v}\u3000", "do not show"),
    "zero width": (lambda v: f"{v[:1]}\u200b{v[1:]}", "do not show"),
    "byte order mark": (lambda v: f"\ufeff{v}", "do not show"),
    "soft hyphen": (lambda v: f"{v}\u00ad", "do not show"),
    "control": (lambda v: f"{v}\x07", "do not show"),
    "carriage return": (lambda v: f"{v}\r", "do not show"),
}


def content(rows: list[list[str]], shape: str) -> bytes:
    """The rows as a file; empty cells are missing."""
    if shape == "csv":
        return to_csv(HEAD, rows).encode()
    records = [dict(zip(HEAD, row, strict=True)) for row in rows]
    if shape == "jsonl":
        return "".join(json.dumps({k: v or None for k, v in one.items()}) + "\n" for one in records).encode()
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([{k: v or None for k, v in one.items()} for one in records]), out)
    return out.getvalue()


def dressed(column: str, dress: Callable[[str], str], every: int = 2) -> list[list[str]]:
    """The good rows with every second filled cell of a column in other dress, beginning with the second."""
    at = HEAD.index(column)
    return [[*r[:at], dress(r[at]) if i % every and r[at] else r[at], *r[at + 1 :]] for i, r in enumerate(LINES)]


def notes(ran: Ran) -> str:
    return " ".join(of_json(json.loads(ran.out)))


TURNS = [
    pytest.param(name, column, shape, marks=() if (i + j + k) % 4 == 0 else pytest.mark.slow)
    for i, name in enumerate(DRESS)
    for j, column in enumerate(("unit", "event", "arm"))
    for k, shape in enumerate(SHAPES)
    if (name, shape) != ("carriage return", "csv")  # there it is the end of a line
]


@pytest.mark.parametrize(("name", "column", "shape"), TURNS)
@pytest.mark.slow
def test_keys_in_other_dress(tmp_path: Path, name: str, column: str, shape: str) -> None:
    dress, words = DRESS[name]
    rows = dressed(column, dress)
    file = f"e.{shape}"
    plain = run(tmp_path, content(LINES, shape), name=file)
    ran = run(tmp_path, content(rows, shape), name=file)
    assert plain.values() == EXPECTED and words not in notes(plain)
    assert ran.code < 2, ran.err
    assert ran.values() == EXPECTED
    changed = sum(a != b for a, b in zip(rows, LINES, strict=True))
    what = {"unit": "ids of", "event": "names of events of", "arm": "labels of arms of"}[column]
    assert f"{changed} {what} {file} ('{column}') were" in notes(ran) and words in notes(ran)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.slow
def test_accents_apart_from_their_letters(tmp_path: Path, shape: str) -> None:
    named = [[r[0].replace("u3", "j\u00fcrgen" if i % 2 else "ju\u0308rgen"), *r[1:]] for i, r in enumerate(LINES)]
    ran = run(tmp_path, content(named, shape), name=f"e.{shape}")
    assert ran.values() == EXPECTED and "(Unicode NFC)" in notes(ran)


def test_the_names_of_the_spec_are_read_alike(tmp_path: Path) -> None:
    metrics = {"orders": {"type": "conversion", "event": "\u00a0achat\u0301", "role": "primary", "goal": "increase"}}
    ran = run(tmp_path, GOOD.replace("purchase", "achat\u0301\u200b"), metrics=metrics)
    assert ran.values()["orders"] == EXPECTED["orders"], ran.err


@pytest.mark.parametrize("shape", ["csv", "parquet"])
@pytest.mark.slow
def test_ids_of_events_and_tickets(tmp_path: Path, shape: str) -> None:
    """A double export in other dress is a double, and a ticket that ends in other dress has ended."""
    exposed = "unit,time,arm\n" + "".join(f"u{i},2024-03-04T08:00:00Z,{'ab'[i % 2]}\n" for i in range(4))
    rows = []
    for i in range(4):
        rows.append([f"u{i}", "2024-03-04T09:00:00Z", "opened", f"7{i}", f"e{i}"])
        rows += [[f"u{i}", "2024-03-04T11:00:00Z", "solved", f'="7{i}"', id] for id in (f"f{i}", f'="f{i}"')]
    header = ["unit", "time", "event", "case", "id"]
    metric = {"type": "resolution_time", "start": "opened", "end": "solved", "key": "case", "horizon": "1d"}
    metrics = {"m": {**metric, "role": "primary", "goal": "decrease"}}
    (tmp_path / "x.csv").write_text(exposed)
    out = io.BytesIO()
    pd.DataFrame(rows, columns=header).to_parquet(out)
    file, written = ("e.csv", to_csv(header, rows).encode()) if shape == "csv" else ("e.parquet", out.getvalue())
    data = {"exposures": "x.csv", "events": {"file": file, "columns": {"id": "id"}}}
    ran = run(tmp_path, written, name=file, data=data, metrics=metrics)
    assert ran.code < 2, ran.err
    assert {arm: value for arm, (_, value) in ran.values()["m"].items()} == {"a": 2.0, "b": 2.0}
    lost = {one["reason"]: one["rows"] for one in json.loads(ran.out)["data"]["exclusions"]}
    assert lost == {"duplicate_event": 4}


LABELS: dict[str, tuple[list[Any], list[Any], dict[str, tuple[str, ...]]]] = {
    "booleans": ([False], [True], {"a": ("FALSE", "no", "0"), "b": ("TRUE", "yes", "1.0")}),
    "numbers": ([0], [1], {"a": ("0.0", "0", "00"), "b": ("1.0", "1", "1.00")}),
    "decimals": ([1.0], [2.5], {"a": ("1", "1.0", "1.00"), "b": ("2.5", "2.50", "02.5")}),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.slow
def test_labels_that_are_no_texts(tmp_path: Path, kind: str, shape: str) -> None:
    """As `where` compares them; the same label in quotes is a text, and fits no other spelling."""
    first, second, spelled = LABELS[kind]
    at = HEAD.index("arm")
    rows = [[*r[:at], spelled[r[at]][i % 3], *r[at + 1 :]] for i, r in enumerate(LINES)]
    file = f"e.{shape}"
    found = run(tmp_path, content(rows, shape), name=file, arms={"a": {"labels": first}, "b": {"labels": second}})
    assert found.values() == EXPECTED, found.err
    texts = {"a": {"labels": [str(first[0]).lower()]}, "b": {"labels": [str(second[0]).lower()]}}
    assert run(tmp_path, content(rows, shape), name=file, arms=texts).values() != EXPECTED


@pytest.mark.parametrize("kind", ["bool", "float"])
@pytest.mark.slow
def test_labels_in_columns_with_types(tmp_path: Path, kind: Literal["bool", "float"]) -> None:
    frame = pd.DataFrame([[v or None for v in row] for row in LINES], columns=HEAD)
    frame["arm"] = (frame["arm"] == "b").astype(kind)
    frame.to_parquet(tmp_path / "e.parquet")
    labels = ([False], [True]) if kind == "bool" else ([0], [1])
    arms = {"a": {"labels": labels[0]}, "b": {"labels": labels[1]}}
    assert run(tmp_path, None, name="e.parquet", arms=arms).values() == EXPECTED


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.slow
def test_two_spellings_of_a_number_in_one_file(tmp_path: Path, shape: str) -> None:
    numbered = [[r[0].replace("u", "").removesuffix(".0"), *r[1:]] for r in LINES]
    assert run(tmp_path, content(numbered, shape), name=f"e.{shape}").values() == EXPECTED
    last = max(i for i, row in enumerate(numbered) if row[0] == "3")
    mixed = [[f"{r[0]}.0" if i == last else r[0], *r[1:]] for i, r in enumerate(numbered)]
    whole, place = "3", {"csv": 2}.get(shape, 1) + last
    ran = run(tmp_path, content(mixed, shape), name=f"e.{shape}")
    refused(ran, "unlike-ids", f"e.{shape}:{place} (unit)", f"'{whole}.0' ends in .0", f"others do not ('{whole}')")


def test_decimal_ids_are_no_two_spellings(tmp_path: Path) -> None:
    """Sections 1, 1.0 and 1.1 are three."""
    rows = [[{"u1": "1", "u2": "1.0", "u3": "1.1", "u4": "2"}[r[0]], *r[1:]] for r in LINES]
    assert run(tmp_path, content(rows, "csv")).values() == EXPECTED


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "word",
    ["<NA>", "NA", "nil", "anonymous", "guest", "(none)", "[object Object]", "00000000-0000-0000-0000-000000000000"]
    + ["NaT", "#REF!", "unknown"],
)
@pytest.mark.slow
def test_words_for_no_id(tmp_path: Path, word: str, shape: str) -> None:
    rows = [*LINES, *[[word, *LINES[-1][1:]]] * 2]
    file = f"e.{shape}"
    place = {"csv": f"{file}:{len(LINES) + 2}"}.get(shape, file)
    refused(run(tmp_path, content(rows, shape), name=file), "no-id", place, f"'{word}' is no id", "write null:")
    assert run(tmp_path, content(rows, shape), name=file, options={"null": [word]}).values() == EXPECTED


@pytest.mark.parametrize(
    "text",
    [
        '="00000123"',
        '"a"',
        "'a'",
        "'0012",
        "\u00a0a b\u00a0",
        "a\u200db",
        "e\u0301",
        "O'Brien",
        "=a",
        '"a',
        "",
        "\u201ea\u201c",
        "#1",
        "a\tb",
        "\x7fa",
        "a\x7f",
        "`a`",
        "~~~",
    ],
)
@pytest.mark.slow
def test_the_spec_and_the_data_have_one_canonical_form(text: str) -> None:
    with Engine() as engine:
        cell = f"(SELECT {literal(text)} AS v)"
        found, unclean = engine.run(f"SELECT {cell_text.canonical('v')}, {keys.is_unclean('v')} FROM {cell}")[0]
    assert found == cell_text.canonical_text(text)
    assert unclean == (found != text)


def test_what_is_left_as_it_is() -> None:
    for text in ("O'Brien", "=a", '"a', "00123", "a b", "user_1", "#1", "ju\u00dfe"):
        assert cell_text.canonical_text(text) == text
