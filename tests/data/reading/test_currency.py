"""Currencies that the data name are held against the one of the spec, and never added up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import abcx

SPEC: dict[str, Any] = {
    "schema_version": 1,
    "name": "money",
    "arms": {"a": {}, "b": {}},
    "metrics": {
        "revenue": {"type": "mean", "event": "buy", "value": "amount", "role": "primary", "goal": "increase"},
    },
}


def run(folder: Path, heads: str, amounts: list[str], column: str = "amount", **spec: Any) -> abcx.Results:
    rows = [f"u{i},2024-05-{1 + i % 9:02},{'ab'[i % 2]},buy,{cell}" for i, cell in enumerate(amounts)]
    (folder / "e.csv").write_text("\n".join([f"unit,time,arm,event,{heads}", *rows]) + "\n")
    metrics = {"revenue": {**SPEC["metrics"]["revenue"], "value": column}}
    data = {"events": str(folder / "e.csv")}
    return abcx.analyze({**SPEC, "metrics": metrics, "data": data, **spec}, allow_outside=True)


def refused(*args: Any, **spec: Any) -> str:
    with pytest.raises(abcx.DataError) as error:
        run(*args, **spec)
    return " ".join(f"{problem.code} {problem.message} {problem.help}" for problem in error.value.problems)


def test_a_sign_in_the_cells(tmp_path: Path) -> None:
    assert run(tmp_path, "amount", ["€5", "€7"] * 20, currency="EUR")["revenue"].currency == "EUR"
    message = refused(tmp_path, "amount", ["$5", "$7"] * 20, currency="EUR")
    assert "other-currency" in message and "`currency: USD`" in message
    assert run(tmp_path, "amount", ["$5", "$7"] * 20, currency="$")["revenue"].currency == "$"


def test_a_currency_in_the_header(tmp_path: Path) -> None:
    given = tmp_path, "amount_usd", ["5", "7"] * 20, "amount_usd"
    assert "is in USD, and the spec declares `currency: EUR`" in refused(*given, currency="EUR")
    assert run(*given, currency="USD")["revenue"].currency == "USD"


def test_a_column_of_currencies(tmp_path: Path) -> None:
    given = tmp_path, "amount,currency", ["5,EUR", "7,USD", "2,EUR"] * 20
    assert "20 rows in USD" in refused(*given, currency="EUR")
    assert "added up over currencies" in refused(*given)  # also where the spec declares none
    assert run(tmp_path, "amount,currency", ["5,eur", "7,EUR "] * 20, currency="EUR")["revenue"].currency == "EUR"
    assert "is in CHF" in refused(tmp_path, "amount,currency", ["5,CHF", "7,CHF"] * 20, currency="EUR")
    free = run(tmp_path, "amount,currency", ["5,EUR", "0,USD"] * 20, currency="EUR")  # nothing is 0 in every currency
    assert free["revenue"].currency == "EUR"


@pytest.mark.parametrize("name", ["amount", "order_value", "cartRevenue", "Umsatz", "total_price"])
def test_names_of_money(name: str) -> None:
    from abcx.currencies import is_money

    assert is_money(name)
    assert not is_money("minutes", "score", "items", "discount_count", "value")
