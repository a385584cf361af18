"""Counts of rows that the spec leaves out (`exclude`), by reason."""

from __future__ import annotations

from collections.abc import Iterator

from abcx.data.reading.source import Source
from abcx.results.readout import Exclusion
from abcx.spec.model import EventSource


def excluded(source: Source) -> Iterator[Exclusion]:
    """An exclusion for every reason that leaves out some row of the source. A row counts for the first that applies."""
    conditions = source.excluded()
    if not conditions:
        return
    counts_sql = ", ".join(f"count(*) FILTER ({condition})" for condition in conditions)
    counts_found = source.table.engine.run(f"SELECT {counts_sql} FROM {source.table.scan()}")[0]
    for reason, rows in zip(source.options.exclude, counts_found, strict=True):
        if rows:
            yield Exclusion(reason, told(source, reason), rows=int(rows))


def told(source: Source, reason: str) -> str:
    """The message of an exclusion of a source's rows for a reason."""
    event = source.options.event if isinstance(source.options, EventSource) else None
    of_event = f" (as '{event}')" if event else ""
    return f"rows of {source.table.named}{of_event} that the spec leaves out: {reason.replace('_', ' ')}"
