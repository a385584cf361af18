"""Files, specs and looks at what `observe` made of them, for the tests of the data room."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from abcx.data.observe import observe
from abcx.data.records import Inputs, Observed
from abcx.engines.local import Engine
from abcx.engines.quoting import literal
from abcx.spec.load import load_spec

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = 3_600_000_000
DAY = 24 * HOUR


def micro(text: str) -> int:
    """Microseconds since 1970 of an ISO 8601 time with an offset (or `Z`)."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def iso(t: int) -> str:
    """An ISO 8601 time in UTC, exact to the microsecond."""
    return (EPOCH + timedelta(microseconds=t)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def table(text: str, delimiter: str = ",") -> str:
    """A CSV text from lines of blank-separated cells; `_` is an empty cell."""
    rows = [["" if cell == "_" else cell for cell in line.split()] for line in text.strip().splitlines()]
    return to_csv(rows[0], rows[1:], delimiter)


def to_csv(header: Sequence[str], rows: Iterable[Sequence[Any]], delimiter: str = ",") -> str:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(["" if cell is None else cell for cell in row] for row in rows)
    return out.getvalue()


CONVERSION = {"orders": {"type": "conversion", "event": "purchase", "role": "primary", "goal": "increase"}}
REVENUE = {"revenue": {"type": "mean", "event": "purchase", "value": "value", "role": "primary", "goal": "increase"}}
ARMS: dict[str, Any] = {"a": {}, "b": {}}


def spec(data: Any = None, metrics: Mapping[str, Any] = CONVERSION, **rest: Any) -> dict[str, Any]:
    """A spec with the arms a and b; the events file is e.csv unless `data` says otherwise."""
    return {
        "schema_version": 1,
        "name": "test",
        "arms": ARMS,
        "data": {"events": "e.csv"} if data is None else data,
        "metrics": dict(metrics),
        **rest,
    }


class Look:
    """What was observed, and the tables that it was made of."""

    def __init__(self, observed: Observed, units: list[dict[str, Any]]) -> None:
        self.observed = observed
        self.units = units

    def __getitem__(self, metric: str) -> Any:
        """The summaries of a metric by arm."""
        return self.observed.metrics[metric].summaries

    def successes(self, metric: str = "orders") -> dict[str, tuple[int, int]]:
        return {arm: (summary.successes, summary.n) for arm, summary in self[metric].items()}

    def sums(self, metric: str = "revenue") -> dict[str, tuple[float, int]]:
        return {arm: (round(summary.mean * summary.n, 9), summary.n) for arm, summary in self[metric].items()}

    def lost(self) -> dict[str, tuple[int | None, int | None]]:
        """(units, rows) of every exclusion by reason; a reason that stands twice has a number."""
        found: dict[str, tuple[int | None, int | None]] = {}
        for one in self.observed.exclusions:
            found[f"{one.reason} 2" if one.reason in found else one.reason] = (one.units, one.rows)
        assert len(found) == len(self.observed.exclusions)
        return found


def look(folder: Path, files: Mapping[str, str | bytes], written: dict[str, Any], inputs: Inputs | None = None) -> Look:
    """Write the files, observe them, and fetch one row per unit: unit, arm, t0, values c0, c1, ..."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with Engine(threads=2) as engine:
        observed = observe(engine, load_spec(written), folder, inputs or Inputs())
        units = []
        if observed.kind != "counts":
            units = engine.records("SELECT a.unit, u.* FROM unit_table u JOIN assigned a ON a.uid = u.uid")
            names = _by_key(engine, files.values())
            units = sorted(({**one, "unit": names.get(one["unit"])} for one in units), key=lambda one: str(one["unit"]))
    return Look(observed, units)


def _by_key(engine: Engine, contents: Iterable[str | bytes]) -> dict[int, str]:
    """Every text of the files (but of packed ones) by its key in the engine's tables."""
    texts = {"none"} | {
        cell.strip() for content in contents for cell in re.split(r"[,;:|{}\t\r\n\"]", _text(content)) if cell.strip()
    }
    listed = ", ".join(f"({literal(text)})" for text in texts)
    return dict(engine.run(f"SELECT hash(v), v FROM (VALUES {listed}) t(v)"))


def _text(content: str | bytes) -> str:
    return content if isinstance(content, str) else content.decode("utf-8", "replace")
