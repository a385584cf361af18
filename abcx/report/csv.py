"""CSV: one row per experiment, metric and comparison, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable
from typing import Any

from abcx.results.readout import Results

COLUMNS = (
    *("experiment", "verdict", "metric", "type", "role", "goal", "control", "arm", "control_units", "arm_units"),
    *("control_value", "arm_value", "difference", "difference_low", "difference_high", "lift", "lift_low", "lift_high"),
    *("p_value", "p_value_adjusted", "alpha", "status", "method", "simulated"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def render(results: Iterable[Results]) -> str:
    """The rows of all results under one header, which is written even without rows."""
    rows = [row for result in results for row in result.rows()]
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]) if rows else COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: cell(value) for key, value in row.items()} for row in rows)
    return out.getvalue()


def cell(value: Any) -> Any:
    """Text that a spreadsheet would run as a formula gets a leading apostrophe; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return None if isinstance(value, float) and not math.isfinite(value) else value
