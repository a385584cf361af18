"""Units themselves, for the methods that relabel them: only values that are not zero leave the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from abcx.data.engine import Engine
from abcx.data.moments import analysed
from abcx.data.plan import Plan
from abcx.data.records import MetricData
from abcx.stats.records import Moments, RatioMoments, Sample

MOST_FOR_CHECK = 200_000
"""The same where only the calibration check wants them: above it that check would cost more than the analysis."""
MOST = 2_000_000
"""Above so many units that are not zero, all arms together, a metric is not relabelled: it would take minutes."""


def with_samples(engine: Engine, plan: Plan, data: Mapping[str, MetricData]) -> dict[str, MetricData]:
    """The metrics' data, with samples for those that ask for them: where the interval is by permutation, or the check
    of the analysis on these units (primaries and guardrails) can be had."""
    return {
        name: replace(found, samples=_samples(engine, plan, name, found)) if _wanted(plan, name, found) else found
        for name, found in data.items()
    }


def _wanted(plan: Plan, name: str, data: MetricData) -> bool:
    from abcx.stats import permutation

    arms = [summary for summary in data.summaries.values() if isinstance(summary, (Moments, RatioMoments))]
    if len(arms) < len(data.summaries) or sum(_nonzero(arm) for arm in arms) > MOST:
        return False
    interval = plan.experiment.analysis.interval
    if interval == "permutation" or (interval == "auto" and any(permutation.needed(arms[0], arm) for arm in arms[1:])):
        return True
    judged = plan.metrics[name].role in ("primary", "guardrail")
    return judged and sum(_nonzero(arm) for arm in arms) <= MOST_FOR_CHECK


def _nonzero(arm: Moments | RatioMoments) -> int:
    """Units with a value that is not zero; of a ratio, at most those of both parts."""
    if isinstance(arm, RatioMoments):
        return (arm.numerator.nonzero or 0) + (arm.denominator.nonzero or 0)
    return arm.nonzero or 0


def _samples(engine: Engine, plan: Plan, name: str, data: MetricData) -> dict[str, Sample]:
    import numpy as np

    columns = analysed(plan, name, data.cap)
    known = " AND ".join(f"{sql} IS NOT NULL" for sql in columns)
    nonzero = " OR ".join(f"{sql} <> 0" for sql in columns)
    select = ", ".join(f"{sql} AS v{i}" for i, sql in enumerate(columns))
    found = engine.arrays(
        f"SELECT arm, {select} FROM unit_table WHERE {known} AND ({nonzero}) ORDER BY arm, {', '.join(columns)}"
    )
    samples = {}
    for position, arm in enumerate(plan.arms):
        of_arm = found["arm"] == position
        values = np.stack([found[f"v{i}"][of_arm] for i in range(len(columns))], axis=1)
        samples[arm] = Sample(
            data.summaries[arm].n, np.ascontiguousarray(values[:, 0] if len(columns) == 1 else values)
        )
    return samples
