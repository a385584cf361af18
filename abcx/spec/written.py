"""Plain values as YAML, on one line."""

from __future__ import annotations

import json
import re
from typing import Any


def flow(value: Any) -> str:
    """A value in flow style: {file: a.csv, columns: {unit: id}}."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(str(key))}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(flow, value))}]"
    plain = isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?(%|pp|pt|[mhdw])", value)
    return value if plain else quoted(value) if isinstance(value, str) else json.dumps(value)


def quoted(text: str) -> str:
    """Text as YAML: plain where that is surely text, else in double quotes."""
    plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_./-]*", text) and text.lower() not in ("true", "false", "null")
    return text if plain else json.dumps(text, ensure_ascii=False)
