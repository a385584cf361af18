"""Units themselves, for the methods that relabel them: only values that are not zero leave the engine.

With covariates a unit is zero where its value and all its covariates are; with strata every unit leaves it.
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
"""The same where only the calibration check wants them: above it that check would cost more than the analysis."""
MOST = 2_000_000
"""Maximum number of nonzero units, all arms together, of a metric that is relabeled: more would take minutes."""

MOST_COLUMNS = 20
"""With more columns of covariates and strata than this units are not relabeled with them."""
_COLUMNS = 10
"""Products of a relabeling that cost little beside drawing it; with c times as many a limit holds for 1 / c units."""


def with_samples(work: Workspace, data: Mapping[str, MetricData]) -> dict[str, MetricData]:
    """The metrics' data, with samples for those that ask for them: where the interval is by permutation, or the check
    of the analysis on these units (primaries and guardrails) can be had. Metrics that are adjusted get their covariates
    with them, unless units are too many for that."""
    return {name: _with_covariates(work, name, found) or _relabeled(work, name, found) for name, found in data.items()}


def _wanted(plan: Plan, name: str, data: MetricData, nonzero: int) -> bool:
    """Whether a metric with this number of units whose value or covariates are nonzero is relabeled."""
    from abcx.stats import adjusted_permutation, permutation

    arms = [s for s in data.summaries.values() if isinstance(s, (Moments, RatioMoments))]
    interval = plan.experiment.analysis.interval
    if nonzero > MOST or not (len(arms) == len(data.summaries) or data.adjustment):
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
    """Units with a value that is not zero; of a ratio, at most those of both parts."""
    found = 0
    for arm in data.summaries.values():
        parts = (arm.numerator, arm.denominator) if isinstance(arm, RatioMoments) else (arm,)
        found += sum((part.nonzero or 0) for part in parts if isinstance(part, Moments))
    return found


def _with_covariates(work: Workspace, name: str, data: MetricData) -> MetricData | None:
    """The metric with samples that carry covariates and strata; None where there are none, or units are too many."""
    found = columns(work, name, data.cap) if data.adjustment is not None else None
    if found is None or data.adjustment is None:
        return None
    strata = sorted({name for arm in data.adjustment.values() for name in arm})
    values = [*found.outcomes, *found.covariates]
    k = len(found.covariates) + len(strata) - 1
    products = 3 + 2 * k + k * (k + 1) // 2
    some = " OR ".join(f"{sql} <> 0" for sql in values) if len(strata) == 1 else "TRUE"
    nonzero = int(work.run(f"SELECT count(*) FROM {found.table} WHERE {some}")[0][0])
    if k > MOST_COLUMNS or not _wanted(work.plan, name, data, nonzero * max(1, products // _COLUMNS)):
        return None
    labels = " ".join(f"WHEN {literal(one)} THEN {i}" for i, one in enumerate(strata))
    fields = [f"{sql} AS v{i}" for i, sql in enumerate(values)]
    rows = work.engine.arrays(
        f"SELECT arm, CASE stratum {labels} END AS label, {', '.join(fields)} FROM {found.table} WHERE {some} "
        f"ORDER BY {', '.join(str(i + 1) for i in range(2 + len(values)))}"
    )
    return replace(data, samples=_by_arm(work.plan, data, rows, len(found.outcomes), len(values), len(strata) > 1))


def _relabeled(work: Workspace, name: str, data: MetricData) -> MetricData:
    """The metric with samples, where it is relabeled."""
    if any(not isinstance(one, (Moments, RatioMoments)) for one in data.summaries.values()):
        return data
    if not _wanted(work.plan, name, data, _nonzero(data)):
        return data
    values = analyzed(work.plan, name, data.cap)
    known = " AND ".join(f"{sql} IS NOT NULL" for sql in values)
    nonzero = " OR ".join(f"{sql} <> 0" for sql in values)
    select = ", ".join(f"{sql} AS v{i}" for i, sql in enumerate(values))
    rows = work.engine.arrays(
        f"SELECT arm, {select} FROM unit_table WHERE {known} AND ({nonzero}) ORDER BY arm, {', '.join(values)}"
    )
    return replace(data, samples=_by_arm(work.plan, data, rows, len(values), len(values), False))


def _by_arm(
    plan: Plan, data: MetricData, rows: Mapping[str, Any], outcomes: int, width: int, stratified: bool
) -> dict[str, Sample]:
    """The rows of each arm: `outcomes` columns of values, then covariates up to `width` columns."""
    import numpy as np

    samples = {}
    for position, arm in enumerate(plan.arms):
        of_arm = rows["arm"] == position
        found = np.stack([np.asarray(rows[f"v{i}"][of_arm], np.float64) for i in range(width)], axis=1)
        samples[arm] = Sample(
            data.summaries[arm].n,
            np.ascontiguousarray(found[:, 0] if outcomes == 1 else found[:, :outcomes]),
            np.ascontiguousarray(found[:, outcomes:]) if width > outcomes or stratified else None,
            np.asarray(rows["label"][of_arm], np.int64) if stratified else None,
        )
    return samples
