"""Conversion of records to plain values, which are the JSON contract."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import StrEnum
from typing import Any

DIGITS = 12
"""Significant digits of numbers in JSON."""


def record(found: Any) -> dict[str, Any]:
    """A dataclass record as plain dicts, lists, strings and finite numbers with 12 significant digits.

    Numbers that are not finite become None.
    """
    return {f.name: _as_plain_data(getattr(found, f.name)) for f in fields(found)}


def _as_plain_data(value: Any) -> Any:
    if is_dataclass(value):
        return record(value)
    if isinstance(value, Mapping):
        return {str(key): _as_plain_data(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_as_plain_data(item) for item in value]
    if isinstance(value, StrEnum):
        return value.value
    return _rounded(value) if isinstance(value, float) else value


def _rounded(x: float) -> float | None:
    """The number with 12 significant digits, beyond which the order of rows and of threads can show; None if not
    finite.
    """
    return float(f"{x:.{DIGITS}g}") if math.isfinite(x) else None
