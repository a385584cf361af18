"""Covariates and strata, known before exposure: their cross moments with every metric."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from abcx.data.records import MetricData
from abcx.data.summaries.moments import analyzed, before_values
from abcx.data.workspace import Workspace
from abcx.engines import sums
from abcx.errors import DataError
from abcx.problems import Problem
from abcx.spec.analysis import PrePeriod
from abcx.stats.records import CrossMoments


def with_adjustments(work: Workspace, data: Mapping[str, MetricData], timed: bool) -> dict[str, MetricData]:
    """The metrics' data, with cross moments by arm and stratum where covariates or strata are declared. `timed`:
    exposures have times. Raises DataError for pre-period covariates without times."""
    covariates, strata = work.plan.experiment.analysis.covariates, work.plan.experiment.analysis.stratify
    if covariates is None and not strata:
        return dict(data)
    if isinstance(covariates, PrePeriod) and not (
        timed and "events" in work.loading.parts and work.loading.parts["events"].has_time
    ):
        raise DataError(
            Problem(
                "error",
                "no-time",
                "covariates from the pre-period need events and exposures with times",
                help="remove analysis.covariates, or name the time columns",
            )
        )
    _known(work)
    plain = work.plan.plain()
    return {
        name: _adjusted(work, name, metric_data) if name in plain else metric_data for name, metric_data in data.items()
    }


def _known(work: Workspace) -> None:
    """Create the table `known`: for each unit the stratum, and the covariate columns `covariate_0`, ... or the values
    before exposure `before_0`, ..."""
    covariates = work.plan.experiment.analysis.covariates
    strata = [
        f"coalesce(a.segment_{work.plan.segments.index(name)}, '')" for name in work.plan.experiment.analysis.stratify
    ]
    stratum = " || chr(31) || ".join(strata) or "''"
    fields, joined = ["a.uid", f"{stratum} AS stratum"], ""
    if isinstance(covariates, PrePeriod):
        before = before_values(work.plan, covariates.pre_period.seconds * 1_000_000)
        fields += [f"b.{name}" for name in before]
        values = ", ".join(["e.uid", *(f"{sql} AS {name}" for name, sql in before.items())])
        joined = f"JOIN (SELECT {values} FROM outcome e GROUP BY e.uid) b ON b.uid = a.uid"
    elif covariates:
        fields += [f"u.ready_{work.plan.covariate(name)} AS covariate_{i}" for i, name in enumerate(covariates)]
        joined = "LEFT JOIN units_one u ON u.unit = a.unit"
    work.run(f"CREATE TABLE known AS SELECT {', '.join(fields)} FROM assigned a {joined}")


@dataclass(frozen=True)
class Columns:
    """The units of a metric with their covariates: a FROM item with `arm` and `stratum`, the SQL of the outcomes and of
    the covariates, and the largest absolute skewness of a covariate (None: none varies)."""

    table: str
    outcomes: list[str]
    covariates: list[str]
    skewness: float | None


def columns(work: Workspace, name: str, cap: float | None) -> Columns | None:
    """The columns of a metric's covariates and strata; None where it has neither. Needs the table `known`."""
    covariates = work.plan.experiment.analysis.covariates
    if isinstance(covariates, PrePeriod):
        names = [f"before_{value.position}" for value in work.plan.compared(name) if value.need.term.column is None]
    else:
        names = [f"covariate_{i}" for i in range(len(covariates or ()))]
    if not names and not work.plan.experiment.analysis.stratify:
        return None
    outcomes = analyzed(work.plan, name, cap)
    has_outcome = " AND ".join(f"{sql} IS NOT NULL" for sql in outcomes)
    table = f"(SELECT * FROM unit_table JOIN known USING (uid) WHERE {has_outcome})"
    return Columns(table, outcomes, *_filled(work, table, names))


def _adjusted(work: Workspace, name: str, data: MetricData) -> MetricData:
    unit_columns = columns(work, name, data.cap)
    if unit_columns is None:
        return data
    scaled = sums.grid(work.engine, unit_columns.table, [*unit_columns.outcomes, *unit_columns.covariates])
    by_arm: dict[str, dict[str, CrossMoments]] = {arm: {} for arm in work.plan.arms}
    for arm, stratum, *row in work.run(
        f"SELECT arm, stratum, {_aggregates(scaled)} FROM {scaled.table} GROUP BY ALL ORDER BY ALL"
    ):
        by_arm[work.plan.arms[arm]][str(stratum)] = _cross(scaled, arm, row)
    if not all(by_arm.values()):
        return data
    return replace(data, adjustment=by_arm, covariate_skewness=unit_columns.skewness)


def _filled(work: Workspace, table: str, names: list[str]) -> tuple[list[str], float | None]:
    """The SQL of the covariates, missing values replaced by the mean and marked by an indicator column, and the largest
    absolute skewness of the known values (None: none varies)."""
    if not names:
        return [], None
    row = work.run("SELECT " + ", ".join(f"favg({c}), count(*) - count({c})" for c in names) + f" FROM {table}")[0]
    means = [sums.short(float(mean or 0.0)) for mean in row[::2]]
    filled = []
    for column, mean, missing in zip(names, means, row[1::2], strict=True):
        filled.append(f"coalesce({column}, {mean!r})")
        if missing:
            filled.append(f"CAST({column} IS NULL AS DOUBLE)")
    # Centered, so that values near 1e9 keep their digits.
    powers = [
        f"fsum(power({column} - {mean!r}, {power}))"
        for column, mean in zip(names, means, strict=True)
        for power in (1, 2, 3)
    ]
    known = ", ".join(f"count({column})" for column in names)
    counts_and_sums = work.run(f"SELECT {known}, {', '.join(powers)} FROM {table}")[0]
    skewnesses = []
    for i, count in enumerate(counts_and_sums[: len(names)]):
        first, second, third = (Fraction(float(x or 0.0)) for x in counts_and_sums[len(names) + 3 * i :][:3])
        skewness = sums.skewness(int(count), (first, second, third))
        skewnesses += [] if skewness is None else [abs(skewness)]
    return filled, max((skewness for skewness in skewnesses if math.isfinite(skewness)), default=None)


def _aggregates(scaled: sums.Grid) -> str:
    width = range(len(scaled.values))
    totals = [scaled.total([i]) for i in width] + [scaled.total([i, j]) for i in width for j in width[i:]]
    return ", ".join(["count(*)", *(part for parts in totals for part in parts)])


def _cross(scaled: sums.Grid, arm: int, row: list[float | None]) -> CrossMoments:
    """Means and covariances, from the count and the two parts of every sum in the order of `_aggregates`."""
    count, *parts = row
    n, width = int(count or 0), len(scaled.values)
    totals = [sums.combined(pair) for pair in zip(parts[::2], parts[1::2], strict=True)]
    means, products = totals[:width], iter(totals[width:])
    matrix = [[0.0] * width for _ in range(width)]
    for i, one in enumerate(scaled.values):
        for j, other in enumerate(scaled.values[i:], i):
            matrix[i][j] = matrix[j][i] = sums.covariance(one, other, n, next(products), (means[i], means[j]))
    exact = [sums.mean(value, arm, n, total)[0] for value, total in zip(scaled.values, means, strict=True)]
    return CrossMoments(n, tuple(exact), tuple(map(tuple, matrix)))
