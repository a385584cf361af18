"""Values of single units, for permutation methods: only nonzero units are fetched from the engine.

With covariates a unit is zero where its value and all its covariates are; with strata every unit is fetched.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from abcx.data.plan import Plan
from abcx.data.records import MetricData
from abcx.data.summaries.covariates import columns
from abcx.data.summaries.moments import analyzed
from abcx.data.workspace import Workspace
from abcx.engines.quoting import literal
from abcx.stats.records import Moments, RatioMoments, Sample

MOST_FOR_CHECK = 200_000
"""The same limit where only the calibration check needs the units: above it the check would take longer than the
analysis."""
MAX_NONZERO = 2_000_000
"""Maximum number of nonzero units, all arms together, of a metric that is permuted: more would take minutes."""

MOST_COLUMNS = 20
"""Maximum columns of covariates and strata with which units are permuted."""
_COLUMNS = 10
"""Number of products whose cost is small compared with drawing a permutation; with c times as many, the limits on units
are divided by c."""


def with_samples(work: Workspace, data: Mapping[str, MetricData]) -> dict[str, MetricData]:
    """The metrics' data, with samples where the interval is by permutation, or where the calibration check (primary and
    guardrail metrics) is affordable. Samples of adjusted metrics include their covariates, unless units are too
    many."""
    return {
        name: _with_covariates(work, name, metric_data) or _relabeled(work, name, metric_data)
        for name, metric_data in data.items()
    }


def _wanted(plan: Plan, name: str, data: MetricData, nonzero: int) -> bool:
    """Whether a metric with this number of units with a nonzero value or covariate is permuted."""
    from abcx.stats import adjusted_permutation, permutation

    arms = [s for s in data.summaries.values() if isinstance(s, (Moments, RatioMoments))]
    interval = plan.experiment.analysis.interval
    if nonzero > MAX_NONZERO or not (len(arms) == len(data.summaries) or data.adjustment):
        return False
    if len(arms) == len(data.summaries):
        skewness = data.covariate_skewness if data.adjustment else None
        called = any(
            permutation.needed(arms[0], arm) or adjusted_permutation.needed(skewness, arms[0].n, arm.n)
            for arm in arms[1:]
        )
        if interval == "permutation" or (interval == "auto" and called):
            return True
    return plan.metrics[name].role in ("primary", "guardrail") and nonzero <= MOST_FOR_CHECK


def _nonzero(data: MetricData) -> int:
    """The number of units with a nonzero value; for a ratio the sum over both parts, an upper bound."""
    count = 0
    for arm in data.summaries.values():
        parts = (arm.numerator, arm.denominator) if isinstance(arm, RatioMoments) else (arm,)
        count += sum((part.nonzero or 0) for part in parts if isinstance(part, Moments))
    return count


def _with_covariates(work: Workspace, name: str, data: MetricData) -> MetricData | None:
    """The metric with samples that carry covariates and strata; None where there are none, or units are too many."""
    unit_columns = columns(work, name, data.cap) if data.adjustment is not None else None
    if unit_columns is None or data.adjustment is None:
        return None
    strata = sorted({name for arm in data.adjustment.values() for name in arm})
    values = [*unit_columns.outcomes, *unit_columns.covariates]
    k = len(unit_columns.covariates) + len(strata) - 1
    products = 3 + 2 * k + k * (k + 1) // 2
    filled = " OR ".join(f"{sql} <> 0" for sql in values) if len(strata) == 1 else "TRUE"
    nonzero = int(work.run(f"SELECT count(*) FROM {unit_columns.table} WHERE {filled}")[0][0])
    if k > MOST_COLUMNS or not _wanted(work.plan, name, data, nonzero * max(1, products // _COLUMNS)):
        return None
    labels = " ".join(f"WHEN {literal(stratum)} THEN {i}" for i, stratum in enumerate(strata))
    fields = [f"{sql} AS v{i}" for i, sql in enumerate(values)]
    rows = work.engine.arrays(
        f"SELECT arm, CASE stratum {labels} END AS label, {', '.join(fields)} FROM {unit_columns.table} WHERE {filled} "
        f"ORDER BY {', '.join(str(i + 1) for i in range(2 + len(values)))}"
    )
    return replace(
        data, samples=_by_arm(work.plan, data, rows, len(unit_columns.outcomes), len(values), len(strata) > 1)
    )


def _relabeled(work: Workspace, name: str, data: MetricData) -> MetricData:
    """The metric, with samples if it is permuted."""
    if any(not isinstance(summary, (Moments, RatioMoments)) for summary in data.summaries.values()):
        return data
    if not _wanted(work.plan, name, data, _nonzero(data)):
        return data
    import numpy as np

    values = analyzed(work.plan, name, data.cap)
    has_outcome = " AND ".join(f"{sql} IS NOT NULL" for sql in values)
    nonzero = " OR ".join(f"{sql} <> 0" for sql in values)
    select = ", ".join(f"{sql} AS v{i}" for i, sql in enumerate(values))
    rows = work.engine.arrays(
        f"SELECT arm, {select}, count(*) AS times FROM unit_table WHERE {has_outcome} AND ({nonzero}) "
        f"GROUP BY ALL ORDER BY {', '.join(str(i + 1) for i in range(1 + len(values)))}"
    )
    times = np.asarray(rows.pop("times"), np.int64)  # values travel once, with their number
    repeated = {name: np.repeat(np.asarray(column), times) for name, column in rows.items()}
    return replace(data, samples=_by_arm(work.plan, data, repeated, len(values), len(values), False))


def _by_arm(
    plan: Plan, data: MetricData, rows: Mapping[str, Any], outcomes: int, width: int, stratified: bool
) -> dict[str, Sample]:
    """The sample of each arm, from rows with `outcomes` columns of values, then covariates, `width` columns in all."""
    import numpy as np

    samples = {}
    for position, arm in enumerate(plan.arms):
        of_arm = rows["arm"] == position
        matrix = np.stack([np.asarray(rows[f"v{i}"][of_arm], np.float64) for i in range(width)], axis=1)
        samples[arm] = Sample(
            data.summaries[arm].n,
            np.ascontiguousarray(matrix[:, 0] if outcomes == 1 else matrix[:, :outcomes]),
            np.ascontiguousarray(matrix[:, outcomes:]) if width > outcomes or stratified else None,
            np.asarray(rows["label"][of_arm], np.int64) if stratified else None,
        )
    return samples
