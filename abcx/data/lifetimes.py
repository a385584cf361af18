"""Times to an event: of units (churn) and of tickets (resolution time), with those still open censored at `as_of`."""

from __future__ import annotations

from typing import Any

from abcx.data.engine import Engine
from abcx.data.plan import Pairs, Plan
from abcx.data.units import Timing
from abcx.data.working_time import worked
from abcx.stats.records import Lifetimes, Summary

_HOUR = 3_600_000_000


def read(engine: Engine, plan: Plan, name: str, span: Timing, table: str, by: str) -> dict[str, dict[str, Summary]]:
    """The lifetimes of a metric in hours, by a SQL expression on units and by arm."""
    pairs = next((pairs for pairs in plan.tickets if pairs.metric == name), None)
    sizes: dict[str, dict[int, int]] = {}
    for group, arm, count in engine.run(f"SELECT {by} AS grp, arm, count(*) FROM {table} GROUP BY ALL"):
        sizes.setdefault(str(group), {})[arm] = int(count)
    if pairs is None:
        rows = _of_units(engine, plan, name, span, table, by)
    else:
        rows = _of_tickets(engine, plan, pairs, span, by)
    found: dict[str, dict[str, Summary]] = {}
    for group, by_arm in sizes.items():
        inside = rows["grp"] == group
        for position, units in by_arm.items():
            mine = inside & (rows["arm"] == position)
            lifetimes = Lifetimes(units, rows["hours"][mine], rows["observed"][mine], rows["uid"][mine])
            found.setdefault(group, {})[plan.arms[position]] = lifetimes
    return found


def _of_units(engine: Engine, plan: Plan, name: str, span: Timing, table: str, by: str) -> dict[str, Any]:
    """One lifetime a unit: from exposure to the event, or to the data cut."""
    import numpy as np

    column = f"c{plan.of(name)[0].position}"
    rows = engine.arrays(
        f"SELECT {by} AS grp, arm, uid, coalesce({column}, {span.clock.as_of} - t0) / {_HOUR} AS hours, "
        f"{column} IS NOT NULL AS observed FROM {table} WHERE t0 <= {span.clock.as_of}"
    )
    return {**rows, "hours": np.asarray(rows["hours"], float), "grp": rows["grp"].astype(str)}


def _of_tickets(engine: Engine, plan: Plan, pairs: Pairs, span: Timing, by: str) -> dict[str, Any]:
    """One lifetime a ticket, by the first end at or after its start."""
    import numpy as np

    key = f"e.k{pairs.key}"
    units = f"(SELECT uid, {by} AS grp FROM assigned)"
    opened = (
        f"SELECT a.grp, e.arm, e.uid, {key} AS key, min(e.t) AS opened FROM {units} a JOIN outcome e ON e.uid = a.uid "
        f"WHERE e.x{pairs.start} IS NOT NULL AND {span.inside(pairs)} GROUP BY ALL"
    )
    ended = f"SELECT e.uid, {key} AS key, e.t FROM outcome e WHERE e.x{pairs.end} IS NOT NULL"
    rows = engine.arrays(
        "SELECT grp, arm, uid, opened, coalesce(ended, cut) AS ended, ended IS NOT NULL AS observed FROM ("
        f"SELECT o.grp, o.arm, o.uid, o.key, o.opened, {span.clock.as_of}::BIGINT AS cut, min(c.t) AS ended "
        f"FROM ({opened}) o "
        f"LEFT JOIN ({ended}) c ON c.uid = o.uid AND c.key = o.key AND c.t >= o.opened GROUP BY ALL)"
    )
    calendar = pairs.need.calendar
    since, until = (np.asarray(rows[column], np.int64) for column in ("opened", "ended"))
    micros = until - since if calendar is None else worked(since, until, calendar, plan.experiment.timezone)
    return {**rows, "hours": micros / _HOUR, "grp": rows["grp"].astype(str)}


def nothing() -> Lifetimes:
    """The lifetimes of an arm without units."""
    import numpy as np

    return Lifetimes(0, np.zeros(0), np.zeros(0, bool), np.zeros(0, np.int64))
