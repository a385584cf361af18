"""Quantiles of units or of events, with the order statistics around them; no row leaves the engine."""

from __future__ import annotations

from typing import Any

from abcx.data.engine import Engine, literal
from abcx.data.plan import Plan, Value
from abcx.data.units import Timing
from abcx.stats.records import Moments, Ranked, RatioMoments, Summary

Cell = tuple[str, int]
"""A group and an arm."""


def read(
    engine: Engine, plan: Plan, name: str, timing: Timing | None, table: str, by: str
) -> dict[str, dict[str, Summary]]:
    """The quantile of a metric with the ranks from which two arms are compared, by a SQL expression and by arm."""
    from abcx.stats import quantiles

    needs, value = plan.metrics[name].needs(), plan.of(name)[0]
    assert needs.q is not None
    if needs.of_events:
        values = _events(value, timing, by)
    else:
        values = (
            f"SELECT {by} AS grp, arm, uid, c{value.position} AS v FROM {table} WHERE c{value.position} IS NOT NULL"
        )
    engine.run(f"CREATE OR REPLACE TABLE ranked AS {values}")
    found = engine.run(f"SELECT grp, arm, count(*), quantile_cont(v, {needs.q}), min(v) FROM ranked GROUP BY ALL")
    cells = {(str(group), arm): (int(n), float(at), float(least)) for group, arm, n, at, least in found}
    errors: dict[Cell, float | None] = {cell: quantiles.rank_error(needs.q, n) for cell, (n, _, _) in cells.items()}
    units = {cell: n for cell, (n, _, _) in cells.items()}
    if needs.of_events:
        pairs = _pairs(engine, {cell: at for cell, (_, at, _) in cells.items()})
        errors = {cell: quantiles.clustered_rank_error(needs.q, pairs[cell]) for cell in cells}
        units = {cell: pairs[cell].n for cell in cells}
    z = quantiles.REACH
    wanted = {cell: quantiles.ranks(needs.q, n, errors[cell], z) for cell, (n, _, _) in cells.items()}
    values_at = _at(engine, wanted)
    engine.run("DROP TABLE ranked")
    result: dict[str, dict[str, Summary]] = {}
    for (group, arm), (_, at, least) in cells.items():
        low, high = (None if rank is None else values_at[group, arm, rank] for rank in wanted[group, arm])
        one = Ranked(units[group, arm], at, low, high, z, least)
        result.setdefault(group, {})[plan.arms[arm]] = one
    return result


def nothing() -> Ranked:
    """The quantile of an arm without values."""
    from abcx.stats import quantiles

    return Ranked(0, None, None, None, quantiles.REACH)


def _events(value: Value, timing: Timing | None, by: str) -> str:
    """The values of events inside the window; of all events where they have no times."""
    x = f"e.x{value.feed}"
    return (
        f"SELECT a.grp, e.arm, e.uid, {x} AS v FROM (SELECT uid, {by} AS grp FROM assigned) a "
        f"JOIN outcome e ON e.uid = a.uid WHERE {x} IS NOT NULL AND {timing.inside(value) if timing else 'TRUE'}"
    )


def _pairs(engine: Engine, at: dict[Cell, float]) -> dict[Cell, RatioMoments]:
    """Moments over units of (events at or below the quantile, events)."""
    if not at:
        return {}
    rows = ", ".join(f"({literal(group)}, {arm}, {value!r})" for (group, arm), value in at.items())
    per_unit = (
        "SELECT r.grp, r.arm, r.uid, CAST(count(*) FILTER (r.v <= q.quantile) AS DOUBLE) AS below, "
        f"CAST(count(*) AS DOUBLE) AS n FROM ranked r JOIN (VALUES {rows}) q(grp, arm, quantile) "
        "ON q.grp = CAST(r.grp AS VARCHAR) AND q.arm = r.arm GROUP BY ALL"
    )
    found: list[tuple[Any, ...]] = engine.run(
        "SELECT grp, arm, count(*), avg(below), var_samp(below), avg(n), var_samp(n), covar_samp(below, n) "
        f"FROM ({per_unit}) GROUP BY ALL"
    )
    pairs = {}
    for group, arm, n, below, below_variance, events, events_variance, covariance in found:
        top, bottom = (
            Moments(int(n), float(mean), float(variance or 0.0))
            for mean, variance in ((below, below_variance), (events, events_variance))
        )
        pairs[str(group), arm] = RatioMoments(top, bottom, float(covariance or 0.0))
    return pairs


def _at(engine: Engine, wanted: dict[Cell, tuple[int | None, int | None]]) -> dict[tuple[str, int, int], float]:
    """The values of single ranks, 1 being the smallest."""
    rows = [
        f"({literal(group)}, {arm}, {rank})"
        for (group, arm), ends in wanted.items()
        for rank in ends
        if rank is not None
    ]
    if not rows:
        return {}
    ordered = "SELECT grp, arm, v, row_number() OVER (PARTITION BY grp, arm ORDER BY v) AS r FROM ranked"
    found = engine.run(
        f"SELECT o.grp, o.arm, o.r, o.v FROM ({ordered}) o JOIN (VALUES {', '.join(rows)}) q(grp, arm, r) "
        "ON q.grp = CAST(o.grp AS VARCHAR) AND q.arm = o.arm AND q.r = o.r"
    )
    return {(str(group), arm, int(rank)): float(value) for group, arm, rank, value in found}
