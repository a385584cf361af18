"""One row per unit -> counts and moments of every summed metric by arm, in one grouped query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from abcx.data.engine import Engine, literal
from abcx.data.plan import Plan, Value
from abcx.data.units import of_events
from abcx.errors import DataError
from abcx.metrics.mean import CapValue
from abcx.problems import Problem
from abcx.stats.records import Moments, Proportion, RatioMoments, Summary

LISTED = 500
"""How many of the largest units per arm are kept at least, for the search of those that carry a result."""


Rows = dict[str, dict[str, dict[str, Any]]]
"""Aggregates by group and arm."""


def read(
    engine: Engine,
    plan: Plan,
    caps: dict[str, float],
    table: str,
    by: str = "''",
    names: Sequence[str] | None = None,
) -> Rows:
    """The aggregates of the summed metrics (all, or those `names`), from a table with one row per unit, by a SQL
    expression and by arm."""
    centres = _centres(engine, plan, table)
    fields: list[str] = []
    for name in plan.summed() if names is None else names:
        values = plan.of(name)
        fields += _fields(name, [f"c{value.position}" for value in values], plan, centres, "")
        if name in caps:
            fields += _fields(name, analysed(plan, name, caps[name]), plan, centres, "capped")
            fields.append(
                f'count(*) FILTER (c{values[0].position} > {literal(caps[name])}) AS "{_key(plan, name)}_cut"'
            )
    found: Rows = {}
    columns = ", ".join([f"{by} AS grp", "arm", "count(*) AS units", *fields])
    for row in engine.records(f"SELECT {columns} FROM {table} GROUP BY grp, arm"):
        found.setdefault(str(row["grp"]), {})[plan.arms[row["arm"]]] = row
    return found


def summaries(plan: Plan, name: str, rows: dict[str, dict[str, Any]], capped: bool = False) -> dict[str, Summary]:
    """A metric's summary in every arm, from the aggregates by arm; after its cap where it is `capped`."""
    suffix = "capped" if capped else ""
    return {arm: _summary(plan, name, rows[arm], suffix) if arm in rows else empty(plan, name) for arm in plan.arms}


def cut(plan: Plan, name: str, rows: dict[str, dict[str, Any]]) -> dict[str, int]:
    """How many units are above the cap, by arm."""
    return {arm: int(row[f"{_key(plan, name)}_cut"]) for arm, row in rows.items()}


def _key(plan: Plan, name: str) -> str:
    return f"k{list(plan.metrics).index(name)}"


def caps(engine: Engine, plan: Plan, table: str) -> dict[str, float]:
    """The value of every cap: type-7 quantiles over all exposed units of all arms, fixed before arms are compared."""
    declared = {
        name: cap for name, metric in plan.metrics.items() if isinstance(cap := getattr(metric, "cap", None), CapValue)
    }
    quantiles = {name: cap for name, cap in declared.items() if cap.quantile is not None}
    found: dict[str, float] = {name: cap.value for name, cap in declared.items() if cap.value is not None}
    if quantiles:
        row = engine.run(
            "SELECT "
            + ", ".join(
                f"quantile_cont(c{plan.of(name)[0].position}, {cap.quantile})" for name, cap in quantiles.items()
            )
            + f" FROM {table}"
        )[0]
        for (name, cap), value in zip(quantiles.items(), row, strict=True):
            if value is not None and value <= 0:
                raise DataError(
                    Problem(
                        "error",
                        "cap-at-zero",
                        f"the cap {cap.text} of '{name}' falls at {value:g}: most units have no value, "
                        "so it would cut everything",
                        help="write a higher quantile, or the cap as a number",
                    )
                )
            if value is not None:
                found[name] = float(value)
    return found


def _capped(value: Value, cap: float) -> str:
    column = f"c{value.position}"
    return f"(CASE WHEN {column} > {literal(cap)} THEN {literal(cap)} ELSE {column} END)"


def analysed(plan: Plan, name: str, cap: float | None) -> list[str]:
    """The SQL of a metric's values per unit as they are compared: after the cap."""
    values = plan.of(name)
    return [f"c{value.position}" for value in values] if cap is None else [_capped(values[0], cap)]


def _centres(engine: Engine, plan: Plan, table: str) -> dict[int, float]:
    """The pooled mean of every value: moments are computed around it, so that values near 1e9 keep their digits."""
    positions = [value.position for name in plan.summed() for value in plan.of(name)]
    if not positions:
        return {}
    row = engine.run("SELECT " + ", ".join(f"favg(c{position})" for position in positions) + f" FROM {table}")[0]
    return {position: float(value or 0.0) for position, value in zip(positions, row, strict=True)}


def _fields(name: str, expressions: list[str], plan: Plan, centres: dict[int, float], suffix: str) -> list[str]:
    """The aggregates of one metric. A ratio's two values are taken from units that have both; a share is two counts."""
    is_share = plan.metrics[name].needs().summary == "proportion"
    key, both = _key(plan, name) + suffix, " AND ".join(f"{sql} IS NOT NULL" for sql in expressions)
    fields = []
    pairs = list(zip(expressions, plan.of(name), strict=True))
    around = [f"({sql} - {literal(centres[value.position])})" for sql, value in pairs]
    for part, ((sql, value), centred) in enumerate(zip(pairs, around, strict=True)):
        only = f" FILTER ({both})" if len(expressions) > 1 else ""  # aggregates leave NULL out by themselves
        aggregates = {"n": f"count({sql}){only}", "nonzero": f"count(*) FILTER ({both} AND {sql} <> 0)"}
        if not is_share:
            aggregates |= {
                "mean": f"favg({sql}){only}",
                "low": f"favg({centred}){only} - (favg({sql}){only} - {literal(centres[value.position])})",
                "var": f"var_samp({centred}){only}",
                "min": f"min({sql}){only}",
                "max": f"max({sql}){only}",
                "skew": f"skewness({centred}){only}",
            }
        fields += [f'{aggregate} AS "{key}_{part}_{label}"' for label, aggregate in aggregates.items()]
    if len(expressions) == 2:
        fields.append(f'covar_samp({around[0]}, {around[1]}) AS "{key}_cov"')
    return fields


def _summary(plan: Plan, name: str, row: dict[str, Any], suffix: str = "") -> Summary:
    key = _key(plan, name) + suffix
    kind = plan.metrics[name].needs().summary
    if kind == "proportion":
        return Proportion(int(row[f"{key}_0_nonzero"] or 0), int(row[f"{key}_0_n"] or 0))
    if kind == "moments":
        return _moments(row, f"{key}_0")
    return RatioMoments(_moments(row, f"{key}_0"), _moments(row, f"{key}_1"), float(row[f"{key}_cov"] or 0.0))


def _moments(row: dict[str, Any], key: str) -> Moments:
    n = int(row[f"{key}_n"] or 0)
    skew = row[f"{key}_skew"]
    return Moments(
        n,
        float(row[f"{key}_mean"] or 0.0),
        float(row[f"{key}_var"] or 0.0),
        int(row[f"{key}_nonzero"] or 0),
        None if n == 0 else float(row[f"{key}_min"]),
        None if n == 0 else float(row[f"{key}_max"]),
        None if skew is None else float(skew),
        float(row[f"{key}_low"] or 0.0),
    )


def empty(plan: Plan, name: str) -> Summary:
    """The summary of an arm without units."""
    zero = Moments(0, 0.0, 0.0, 0)
    kind = plan.metrics[name].needs().summary
    return Proportion(0, 0) if kind == "proportion" else zero if kind == "moments" else RatioMoments(zero, zero, 0.0)


def tops(
    engine: Engine, plan: Plan, caps: dict[str, float], table: str
) -> dict[str, dict[str, tuple[tuple[float, float], ...]]]:
    """The largest units of every mean and ratio, by arm, as analysed (after the cap): one in a thousand units of all
    arms, and at least 500."""
    pairs: dict[str, tuple[Value, ...]] = {
        name: plan.of(name) for name in plan.summed() if plan.metrics[name].needs().summary != "proportion"
    }
    if not pairs:
        return {}
    from abcx.stats import influence

    present = [int(row[0]) for row in engine.run(f"SELECT DISTINCT arm FROM {table} ORDER BY arm")]
    listed = max(LISTED, influence.most(int(engine.run(f"SELECT count(*) FROM {table}")[0][0])))
    found: dict[str, dict[str, tuple[tuple[float, float], ...]]] = {}
    for name, values in pairs.items():
        first = _capped(values[0], caps[name]) if name in caps else f"c{values[0].position}"
        second = f"c{values[1].position}" if len(values) > 1 else "1e0"
        # One short statement an arm: the engine skips what is below the last so far, which a grouped one does not.
        largest = f"SELECT {first} AS a, {second} AS b FROM {table} WHERE arm = {{}}"
        largest += f" AND {first} IS NOT NULL AND {second} IS NOT NULL ORDER BY a DESC, b LIMIT {listed}"
        found[name] = {
            plan.arms[arm]: tuple((float(a), float(b)) for a, b in engine.run(largest.format(arm))) for arm in present
        }
    return found


def before_exposure(engine: Engine, plan: Plan) -> dict[str, dict[str, Summary]]:
    """The same metrics over as long a time before exposure as their window after it, from the table `outcome`."""
    keys = [
        name
        for name in plan.plain()
        if plan.metrics[name].role != "descriptive" and all(value.need.term.column is None for value in plan.of(name))
    ]
    fields = [_before(value, value.window) + f" AS c{value.position}" for name in keys for value in plan.of(name)]
    if not keys:
        return {}
    centres = dict.fromkeys(range(len(plan.values)), 0.0)
    aggregates = [
        field
        for name in keys
        for field in _fields(name, [f"c{value.position}" for value in plan.of(name)], plan, centres, "")
    ]
    engine.run(
        f"CREATE TABLE before_table AS SELECT any_value(e.arm) AS arm, {', '.join(fields)} "
        f"FROM outcome e GROUP BY e.uid"
    )
    rows = engine.records(f"SELECT arm, {', '.join(aggregates)} FROM before_table GROUP BY arm")
    engine.run("DROP TABLE before_table")
    by_arm = {plan.arms[row["arm"]]: row for row in rows}
    return {
        name: {arm: _summary(plan, name, by_arm[arm]) if arm in by_arm else empty(plan, name) for arm in plan.arms}
        for name in keys
    }


def before_values(plan: Plan, span: int) -> dict[str, str]:
    """The SQL of every event value in the `span` microseconds before exposure, by its column b0, b1, ..."""
    plain = plan.plain()
    values = [value for value in plan.values if value.need.term.column is None and value.metric in plain]
    return {f"b{value.position}": _before(value, span) for value in values}


def _before(value: Value, span: int | None) -> str:
    """What a value of a unit was before its exposure, in the last `span` microseconds or ever."""
    since = f" AND e.t >= e.t0 - {span}" if span is not None else ""
    return of_events(value, f"e.t < e.t0{since}")
