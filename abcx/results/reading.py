"""Results read back from their JSON."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from abcx.errors import UsageError
from abcx.results.readout import SCHEMA_VERSION, Results

_CURE = "give what `abcx analyze --format json` wrote for one experiment"


@cache
def _adapter() -> TypeAdapter[Results]:
    return TypeAdapter(Results)


def read(source: str | Path) -> Results:
    """The results in a JSON file, or in JSON text that starts with a brace.

    Raises UsageError where it holds something else.
    """
    is_text = isinstance(source, str) and source.lstrip().startswith("{")
    name = "the text" if is_text else str(source)
    try:
        data: Any = json.loads(str(source) if is_text else Path(source).read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"cannot read {name}: {error.strerror}", _CURE) from None
    except ValueError:
        raise UsageError(f"{name} is no JSON", _CURE) from None
    if not isinstance(data, dict) or "verdicts" not in data:
        raise UsageError(f"{name} holds no results of an experiment", _CURE)
    version = data.pop("schema_version", None)
    if version != SCHEMA_VERSION:
        raise UsageError(f"{name} has schema_version {version}, not {SCHEMA_VERSION}", "analyze the experiment again")
    try:
        return _adapter().validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise UsageError(f"{name} holds no results of an experiment: {place}: {first['msg']}", _CURE) from None
