"""Computes counts and moments of every summed metric by arm from the unit table, in one grouped query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Any

from abcx.data.plan import Plan, Value
from abcx.data.units.attribution import of_events
from abcx.data.workspace import Workspace
from abcx.engines import sums
from abcx.engines.quoting import literal
from abcx.errors import CapAtZero
from abcx.problems import Problem
from abcx.stats.records import Moments, Proportion, RatioMoments, Steps, Summary

LISTED = 500
"""Minimum number of largest units per arm that are kept, to find units that carry a result."""


Records = dict[str, dict[str, dict[str, Any]]]
"""Aggregates by group and arm."""


def read(work: Workspace, caps: Mapping[str, float], table: str, by: str = "''") -> Records:
    """The aggregates of the summed metrics of the plan, from a table with one row per unit, by a SQL expression on
    units and by arm; in two statements: centers and scales, then sums."""
    return read_each(work, caps, table, {"": by})[""]


def read_each(
    work: Workspace, caps: Mapping[str, float], table: str, expressions: Mapping[str, str]
) -> dict[str, Records]:
    """As `read`, by each of several SQL expressions on units, which have names. All in one pass over the units."""
    names = work.plan.summed()
    caps = {name: cap for name, cap in caps.items() if name in names}
    numbers = [name for name in names if work.plan.metrics[name].needs().summary != "proportion"]
    values = [sql for name in numbers for sql in _paired(work.plan, name, None)]
    values += [_paired(work.plan, name, cap)[0] for name, cap in caps.items()]
    scaled = sums.grid(work.engine, table, values)
    scaled_by_sql = {sql: scaled.values[i] for i, sql in enumerate(values)}
    fields: list[str] = []
    for name in names:
        fields += _numbers(name, work.plan, None, scaled, values) if name in numbers else _shares(name, work.plan)
        if name in caps:
            fields += _numbers(name, work.plan, caps[name], scaled, values)
            first = f"value_{work.plan.of(name)[0].position}"
            fields.append(f'count(*) FILTER ({first} > {literal(caps[name])}) AS "{_key(work.plan, name)}_cut"')
    groups = [f"group_{i}" for i in range(len(expressions))]
    grouped = ", ".join(f"{by} AS {group}" for by, group in zip(expressions.values(), groups, strict=True))
    chosen = " ".join(f"WHEN grouping({group}) = 0 THEN {i}" for i, group in enumerate(groups))
    columns = ", ".join([f"CASE {chosen} END AS place", *groups, "arm", "count(*) AS units", *fields])
    sets = ", ".join(f"({group}, arm)" for group in groups)
    records: dict[str, Records] = {name: {} for name in expressions}
    for row in work.engine.records(
        f"SELECT {columns} FROM (SELECT *, {grouped} FROM {scaled.table}) GROUP BY GROUPING SETS ({sets})"
    ):
        row["scaled"] = scaled_by_sql
        of_place = records[list(expressions)[row["place"]]]
        of_place.setdefault(str(row[groups[row["place"]]]), {})[work.plan.arms[row["arm"]]] = row
    return records


def summaries(plan: Plan, name: str, rows: dict[str, dict[str, Any]], cap: float | None = None) -> dict[str, Summary]:
    """A metric's summary in every arm, from the aggregates by arm; after its cap where one is given."""
    return {arm: _summary(plan, name, rows[arm], cap) if arm in rows else empty(plan, name) for arm in plan.arms}


def cut(plan: Plan, name: str, rows: dict[str, dict[str, Any]]) -> dict[str, int]:
    """How many units are above the cap, by arm."""
    return {arm: int(row[f"{_key(plan, name)}_cut"]) for arm, row in rows.items()}


def _key(plan: Plan, name: str) -> str:
    return f"metric_{list(plan.metrics).index(name)}"


def caps(work: Workspace, table: str) -> dict[str, float]:
    """The value of every cap by metric: a number, or a type-7 quantile over all exposed units of all arms. Raises
    CapAtZero where a quantile is not positive."""
    caps = {name: metric.declared_cap for name, metric in work.plan.metrics.items()}
    declared = {name: cap for name, cap in caps.items() if cap is not None}
    quantiles = {name: cap for name, cap in declared.items() if cap.quantile is not None}
    values: dict[str, float] = {name: cap.value for name, cap in declared.items() if cap.value is not None}
    if quantiles:
        row = work.run(
            "SELECT "
            + ", ".join(
                f"quantile_cont(value_{work.plan.of(name)[0].position}, {cap.quantile})"
                for name, cap in quantiles.items()
            )
            + f" FROM {table}"
        )[0]
        for (name, cap), value in zip(quantiles.items(), row, strict=True):
            if value is not None and value <= 0:
                raise CapAtZero(
                    Problem(
                        "error",
                        "cap-at-zero",
                        f"the cap {cap.text} of '{name}' falls at {value:g}: most units have no value, "
                        "so it would cut everything",
                        help="write a higher quantile, or the cap as a number",
                    )
                )
            if value is not None:
                values[name] = float(value)
    return values


def _capped(value: Value, cap: float) -> str:
    column = f"value_{value.position}"
    return f"(CASE WHEN {column} > {literal(cap)} THEN {literal(cap)} ELSE {column} END)"


def analyzed(plan: Plan, name: str, cap: float | None) -> list[str]:
    """The SQL of a metric's values per unit as they are compared: after the cap, if one is given."""
    values = plan.compared(name)
    return [f"value_{value.position}" for value in values] if cap is None else [_capped(values[0], cap)]


def _paired(plan: Plan, name: str, cap: float | None) -> list[str]:
    """The SQL of a metric's values per unit; those of a ratio are NULL in units that lack one of the two. So aggregates
    need no FILTER, which is slow."""
    values = analyzed(plan, name, cap)
    if len(values) == 1:
        return values
    top, bottom = values
    return [f"CASE WHEN {bottom} IS NOT NULL THEN {top} END", f"CASE WHEN {top} IS NOT NULL THEN {bottom} END"]


def _shares(name: str, plan: Plan) -> list[str]:
    """The aggregates of a share, or of the shares of several steps, in the units that have all values."""
    key, values = _key(plan, name), [f"value_{value.position}" for value in plan.of(name)]
    if len(values) > 1:
        every = " AND ".join(f"{sql} IS NOT NULL" for sql in values)
        values = [f"CASE WHEN {every} THEN {sql} END" for sql in values]
    fields = [f'count(nullif({sql}, 0)) AS "{key}_{step}_nonzero"' for step, sql in enumerate(values)]
    return [f'count({values[0]}) AS "{key}_0_n"', *fields]


def _numbers(name: str, plan: Plan, cap: float | None, scaled: sums.Grid, expressions: list[str]) -> list[str]:
    """The aggregates of a mean or a ratio."""
    key, values = _key(plan, name) + ("" if cap is None else "capped"), _paired(plan, name, cap)
    fields: dict[str, str] = {}
    for part, sql in enumerate(values):
        fields |= {f"{part}_n": f"count({sql})", f"{part}_nonzero": f"count(nullif({sql}, 0))"}
        fields |= {f"{part}_min": f"min({sql})", f"{part}_max": f"max({sql})"}
        position = expressions.index(sql)
        for power in (1, 2, 3):
            fields |= _parts(f"{part}_{power}", scaled.total([position] * power))
    if len(values) == 2:
        fields |= _parts("product", scaled.total([expressions.index(sql) for sql in values]))
        fields["part"] = f"bool_and({values[0]} BETWEEN 0 AND {values[1]})"
    return [f'{aggregate} AS "{key}_{label}"' for label, aggregate in fields.items()]


def _parts(label: str, total: tuple[str, str]) -> dict[str, str]:
    return {f"{label}_high": total[0], f"{label}_low": total[1]}


def _summary(plan: Plan, name: str, row: dict[str, Any], cap: float | None = None) -> Summary:
    key = _key(plan, name) + ("" if cap is None else "capped")
    kind = plan.metrics[name].needs().summary
    if kind == "proportion":
        n, steps = int(row[f"{key}_0_n"] or 0), len(plan.of(name))
        last, *earlier = (int(row[f"{key}_{step}_nonzero"] or 0) for step in range(steps))
        return Steps(last, n, (*reversed(earlier), last)) if earlier else Proportion(last, n)
    values = [row["scaled"][sql] for sql in _paired(plan, name, cap)]
    parts = [_moments(row, f"{key}_{part}", value) for part, value in enumerate(values)]
    if kind == "moments":
        return parts[0]
    totals = _total(row, f"{key}_0_1"), _total(row, f"{key}_1_1")
    products = _total(row, f"{key}_product")
    constant = parts[0].variance == 0.0 or parts[1].variance == 0.0
    covariance = 0.0 if constant else sums.covariance(values[0], values[1], parts[0].n, products, totals)
    return RatioMoments(parts[0], parts[1], covariance, bool(row[f"{key}_part"]))


def _total(row: dict[str, Any], key: str) -> Fraction:
    return sums.combined((row[f"{key}_high"], row[f"{key}_low"]))


def _moments(row: dict[str, Any], key: str, value: sums.Scaled) -> Moments:
    n = int(row[f"{key}_n"] or 0)
    if n == 0:
        return Moments(0, 0.0, 0.0, 0)
    nonzero, least, most = int(row[f"{key}_nonzero"] or 0), float(row[f"{key}_min"]), float(row[f"{key}_max"])
    if least == most:
        return Moments(n, least, 0.0, nonzero, least, most)
    first, second, third = (_total(row, f"{key}_{power}") for power in (1, 2, 3))
    mean, low = sums.mean(value, row["arm"], n, first)
    variance = sums.covariance(value, value, n, second, (first, first))
    return Moments(n, mean, variance, nonzero, least, most, sums.skewness(n, (first, second, third)), low)


def empty(plan: Plan, name: str) -> Summary:
    """The summary of an arm without units."""
    zero = Moments(0, 0.0, 0.0, 0)
    kind = plan.metrics[name].needs().summary
    if kind == "proportion":
        steps = len(plan.of(name))
        return Steps(0, 0, (0,) * steps) if steps > 1 else Proportion(0, 0)
    return zero if kind == "moments" else RatioMoments(zero, zero, 0.0)


def tops(work: Workspace, caps: dict[str, float], table: str) -> dict[str, dict[str, tuple[tuple[float, float], ...]]]:
    """The largest units of every mean and ratio, by arm, as analyzed (after the cap): one in a thousand units of all
    arms, and at least 500."""
    pairs: dict[str, tuple[Value, ...]] = {
        name: work.plan.of(name)
        for name in work.plan.summed()
        if work.plan.metrics[name].needs().summary != "proportion"
    }
    if not pairs:
        return {}
    from abcx.stats import influence

    present = [int(row[0]) for row in work.run(f"SELECT DISTINCT arm FROM {table} ORDER BY arm")]
    listed = max(LISTED, influence.most(int(work.run(f"SELECT count(*) FROM {table}")[0][0])))
    largest_units: dict[str, dict[str, tuple[tuple[float, float], ...]]] = {}
    for name, values in pairs.items():
        first = _capped(values[0], caps[name]) if name in caps else f"value_{values[0].position}"
        second = f"value_{values[1].position}" if len(values) > 1 else "1e0"
        # One statement per arm: the engine then skips rows below the current limit, unlike in a grouped query.
        largest = f"SELECT {first} AS a, {second} AS b FROM {table} WHERE arm = {{}}"
        largest += f" AND {first} IS NOT NULL AND {second} IS NOT NULL ORDER BY a DESC, b LIMIT {listed}"
        largest_units[name] = {
            work.plan.arms[arm]: tuple((float(a), float(b)) for a, b in work.run(largest.format(arm)))
            for arm in present
        }
    return largest_units


def before_exposure(work: Workspace) -> dict[str, dict[str, Summary]]:
    """The summaries of metrics of events over as long a time before exposure as their window after it, by arm, from the
    table `outcome`."""
    keys = [
        name
        for name in work.plan.plain()
        if work.plan.metrics[name].role != "descriptive"
        and all(value.need.term.column is None for value in work.plan.of(name))
    ]
    fields = [
        _before(value, value.window) + f" AS value_{value.position}" for name in keys for value in work.plan.of(name)
    ]
    if not keys:
        return {}
    work.run(
        f"CREATE TABLE before_table AS SELECT any_value(e.arm) AS arm, {', '.join(fields)} "
        f"FROM outcome e GROUP BY e.uid"
    )
    plan = work.plan.only(keys)
    rows = read(replace(work, plan=plan), {}, "before_table").get("", {})
    work.run("DROP TABLE before_table")
    return {name: summaries(plan, name, rows) for name in keys}


def before_values(plan: Plan, span: int) -> dict[str, str]:
    """The SQL of every event value in the `span` microseconds before exposure, by its column before_0, before_1, ..."""
    plain = plan.plain()
    values = [value for value in plan.values if value.need.term.column is None and value.metric in plain]
    return {f"before_{value.position}": _before(value, span) for value in values}


def _before(value: Value, span: int | None) -> str:
    """The SQL of a unit's value before its exposure, in the last `span` microseconds (None: without limit)."""
    since = f" AND e.t >= e.t0 - {span}" if span is not None else ""
    return of_events(value, f"e.t < e.t0{since}")
