"""The log in a packed file: how its columns were read and what was left out when `abcx pack` wrote it. It is stored in
the metadata of the Parquet file, so that every readout can repeat it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from abcx.engines.local import Engine
from abcx.engines.quoting import literal
from abcx.notes import Note, Value
from abcx.results.readout import Exclusion

KEY = "abcx"
"""The key in the metadata of a Parquet file."""


@dataclass(frozen=True, slots=True)
class Log:
    """The log of one reading of a file, by the part of `data` and the constant event name, if any: notes, exclusions,
    and the number of excluded rows that count as rows of the file."""

    part: str = ""
    event: str | None = None
    notes: tuple[Note, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    left_out: int = field(default=0)


def written(logs: Iterable[Log]) -> str:
    """Logs as JSON text."""
    return json.dumps([asdict(log) for log in logs], ensure_ascii=False)


def read(text: str) -> tuple[Log, ...]:
    """Logs from JSON text; empty where the text is not of logs."""
    try:
        return tuple(map(_log, json.loads(text)))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ()


def kept(engine: Engine, path: Path) -> tuple[Log, ...]:
    """The logs of a Parquet file; empty where `abcx pack` did not write it."""
    value = f"SELECT try(decode(value)) FROM parquet_kv_metadata({literal(str(path))})"
    rows = engine.run(f"{value} WHERE key = encode({literal(KEY)})")
    return read(str(rows[0][0])) if rows else ()


def is_kept(engine: Engine, paths: str) -> bool:
    """Whether one of several Parquet files (a SQL list) has logs."""
    return bool(engine.run(f"SELECT 1 FROM parquet_kv_metadata({paths}) WHERE key = encode({literal(KEY)}) LIMIT 1"))


def of(logs: Iterable[Log], part: str, event: str | None) -> Log:
    """The log of a reading by part and event; an empty log where there is none."""
    return next((log for log in logs if (log.part, log.event) == (part, event)), Log(part, event))


def _log(raw: Any) -> Log:
    event = None if raw["event"] is None else str(raw["event"])
    exclusions = tuple(_exclusion(exclusion) for exclusion in raw["exclusions"])
    return Log(str(raw["part"]), event, tuple(map(_note, raw["notes"])), exclusions, _count(raw["left_out"]) or 0)


def _note(raw: Any) -> Note:
    return Note(str(raw["code"]), {str(name): _value(value) for name, value in raw["values"].items()})


def _value(raw: Any) -> Value:
    return raw if isinstance(raw, (bool, int, float)) or raw is None else str(raw)


def _exclusion(raw: Any) -> Exclusion:
    return Exclusion(str(raw["reason"]), str(raw["message"]), _count(raw["units"]), _count(raw["rows"]))


def _count(raw: Any) -> int | None:
    if raw is not None and (not isinstance(raw, int) or isinstance(raw, bool) or raw < 0):
        raise ValueError(raw)
    return raw
