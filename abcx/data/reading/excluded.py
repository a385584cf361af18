"""Rows that the spec leaves out on purpose (`exclude`), counted by their reason."""

from __future__ import annotations

from collections.abc import Iterator

from abcx.data.reading.source import Source
from abcx.results.readout import Exclusion
from abcx.spec.model import EventSource


def excluded(source: Source) -> Iterator[Exclusion]:
    """Every reason that some row of the source is left out for. A row counts for the first reason that fits."""
    conditions = source.excluded()
    if not conditions:
        return
    counts = ", ".join(f"count(*) FILTER ({condition})" for condition in conditions)
    found = source.table.engine.run(f"SELECT {counts} FROM {source.table.scan()}")[0]
    for reason, rows in zip(source.options.exclude, found, strict=True):
        if rows:
            yield Exclusion(reason, told(source, reason), rows=int(rows))


def told(source: Source, reason: str) -> str:
    """What is said of the rows of a source that are left out by a reason."""
    event = source.options.event if isinstance(source.options, EventSource) else None
    of_event = f" (as '{event}')" if event else ""
    return f"rows of {source.table.named}{of_event} that the spec leaves out: {reason.replace('_', ' ')}"
