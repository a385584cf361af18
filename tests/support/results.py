"""Specs and typed counts for tests of the rooms that need no files."""

from __future__ import annotations

from typing import Any

from abcx.analysis.conclude import conclude as results_of
from abcx.data.counts import typed
from abcx.results.readout import CheckResult, Results
from abcx.spec.load import load


def spec(counts: dict[str, dict[str, Any]], metrics: dict[str, dict[str, Any]], **keys: Any) -> dict[str, Any]:
    """A spec of typed counts: `counts` by arm, control first."""
    arms = keys.pop("arms", {arm: {} for arm in counts})
    return {"schema_version": 1, "name": "test", "arms": arms, "data": {"counts": counts}, "metrics": metrics, **keys}


def conclude(counts: dict[str, dict[str, Any]], metrics: dict[str, dict[str, Any]], **keys: Any) -> Results:
    """The results of typed counts."""
    loaded = load(spec(counts, metrics, **keys))
    data = loaded.experiment.data
    assert data is not None and isinstance(data.counts, dict)
    return results_of(loaded, typed(loaded.experiment, data.counts))


def shares(control: tuple[int, int], variant: tuple[int, int], **metric: Any) -> Results:
    """One conversion as the primary metric: (successes, units) of two arms."""
    counts = {
        "control": {"units": control[1], "orders": control[0]},
        "variant": {"units": variant[1], "orders": variant[0]},
    }
    keys = {key: metric.pop(key) for key in ("plan", "analysis", "period") if key in metric}
    return conclude(counts, {"orders": {"type": "conversion", "role": "primary", "goal": "increase", **metric}}, **keys)


def codes(results: Results) -> list[str]:
    """The reason codes of the headline verdict."""
    return [reason.code for reason in results.verdict.reasons]


def check(results: Results, code: str) -> CheckResult:
    """The check of that code."""
    return next(found for found in results.checks if found.code == code)
