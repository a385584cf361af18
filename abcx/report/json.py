"""JSON: the whole result as data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from abcx.results.readout import Results

_UNSEEN = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that move or end the text of a terminal, and halves of characters; JSON may write them as escapes."""


def render(results: Results) -> str:
    """One result as a JSON object: the contract of `Results.to_dict()`, without NaN."""
    return _text(results.to_dict())


def render_all(results: Iterable[Results]) -> str:
    """Several results as a JSON list, also when there is one or none."""
    return _text([result.to_dict() for result in results])


def _text(data: Any) -> str:
    text = json.dumps(data, allow_nan=False, indent=2, ensure_ascii=False)
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text) + "\n"
