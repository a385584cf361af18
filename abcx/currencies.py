"""Currencies: how a spec names one, which names mean money, and which currency the header of a column names."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

SIGNS = {"€": ("EUR",), "£": ("GBP",), "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN"), "¥": ("JPY", "CNY")}
"""Signs that a spec may use in place of a code, with the codes that they may mean; the first is the usual one."""
_CODE = re.compile(r"[A-Z]{3}")
_MONEY = frozenset(
    (
        *("amount", "aov", "arpu", "cost", "costs", "earnings", "fee", "fees", "gmv", "income", "ltv", "money"),
        *("price", "prices", "profit", "revenue", "revenues", "sales", "spend", "spending", "spent", "turnover"),
        *("basket_value", "cart_value", "customer_value", "order_value", "umsatz", "preis", "betrag"),
    )
)
_HEADER_CODES = frozenset(
    (
        *("EUR", "USD", "GBP", "CHF", "JPY", "CNY", "CAD", "AUD", "NZD", "SEK"),
        *("NOK", "DKK", "PLN", "CZK", "HUF", "INR", "BRL", "MXN", "ZAR", "TRY"),
    )
)


def parse_currency(raw: Any) -> str:
    """An ISO 4217 code such as EUR, or one of the signs €, £, $, ¥."""
    text = raw.strip() if isinstance(raw, str) else ""
    if text not in SIGNS and not _CODE.fullmatch(text):
        raise PydanticCustomError("currency", "not a currency", {"cure": "write its code in capital letters: EUR, USD"})
    return text


Currency = Annotated[
    str,
    BeforeValidator(parse_currency),
    WithJsonSchema({"type": "string", "pattern": f"^([A-Z]{{3}}|[{''.join(SIGNS)}])$"}),
]


def same(declared: str, code: str) -> bool:
    """Whether a declared currency (a code or a sign) may be the one with this code."""
    return code in SIGNS.get(declared, (declared,))


def is_money(*names: str | None) -> bool:
    """Whether one of these names of columns or metrics means an amount of money: `amount`, `revenue_per_visitor`."""
    return any(_says_money(name) for name in names if name)


def _says_money(name: str) -> bool:
    words = _words(name)
    return any("_".join(words[i:j]) in _MONEY for i in range(len(words)) for j in (i + 1, i + 2) if j <= len(words))


def in_header(name: str) -> str | None:
    """The currency that the name of a column says: `amount_eur`, `Revenue (USD)`; None where it says none."""
    return next((word.upper() for word in _words(name) if word.upper() in _HEADER_CODES), None)


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name))]
