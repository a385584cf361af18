"""Finds the units that did the steps of a funnel in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from abcx.data.plan import Value
from abcx.data.workspace import Workspace


def reached(
    work: Workspace, named_values: Sequence[tuple[str, Value]], inside: Callable[[Value], str]
) -> dict[str, str]:
    """The tables of the units that reached a step (uid, and `t`, the earliest time at which it did), by the name of the
    value that the step is; `inside` gives the SQL condition of events that count for a value.

    A step is looked for at or after the earliest time of the step before: whoever can reach it at all can reach it so.
    """
    by_steps: dict[tuple[Any, ...], str] = {}
    by_value: dict[str, str] = {}
    for name, value in sorted(named_values, key=lambda item: len(item[1].after)):
        if value.need.kind != "reached" or not value.need.ordered:
            continue
        funnel = (value.metric, value.window, value.since)
        before = by_steps.get((*funnel, value.after))
        joined = f"outcome e JOIN {before} r ON r.uid = e.uid AND e.t >= r.t" if before else "outcome e"
        table = by_value[name] = by_steps[(*funnel, (*value.after, value.source_index))] = f"reached_{name}"
        where = f"e.term_{value.source_index} IS NOT NULL AND {inside(value)}"
        work.run(f"CREATE TABLE {table} AS SELECT e.uid, min(e.t) AS t FROM {joined} WHERE {where} GROUP BY e.uid")
    return by_value
