"""From simulated counts to the verdict that abcx gives, and what is counted as wrong.

Every verdict is that of `conclude`, with all checks. Wrong verdicts need a statistic near or beyond a
critical value, so `conclude` is called for those runs only in which a z-value comes within `NEAR` of one; a sample of
the others (`spot`) goes the same way, and a wrong verdict among them stops the benchmark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from abcx.analysis.conclude import conclude
from abcx.data.records import MetricData, Observed
from abcx.results.readout import Verdict
from abcx.spec.load import LoadedSpec, load
from abcx.stats.records import Proportion, Summary

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

NEAR = 0.2
"""z-values so far below a critical value go through the real verdict, too: the screen is a normal approximation."""
SPOT = 60
"""Runs of a row that the screen leaves out and that go through the real verdict all the same."""
HARM = ("primary_harm", "guardrail_harm")


@dataclass(frozen=True, slots=True)
class Found:
    """Of so many runs: verdicts SHIP, verdicts DO NOT SHIP by harm, and how often `conclude` was called. `power`: the
    share of runs in which a true statement was made, by the plain test and by the verdict."""

    runs: int
    ship: int
    harm: int
    called: int
    power: tuple[float, float] | None = None


def spec(
    metrics: Mapping[str, Mapping[str, Any]], arms: Sequence[str] = ("control", "variant"), **keys: Any
) -> LoadedSpec:
    """A spec of files that are never read: the summaries are simulated."""
    data = {"exposures": "exposures.csv", "events": "events.csv"}
    return load(
        {"schema_version": 1, "name": "simulated", "arms": {a: {} for a in arms}, "data": data, **keys}
        | {"metrics": {name: dict(metric) for name, metric in metrics.items()}}
    )


def conversion(event: str, role: str = "primary", goal: str = "increase", **keys: Any) -> dict[str, Any]:
    return {"type": "conversion", "event": event, "role": role, "goal": goal, **keys}


def observed(units: Mapping[str, int], summaries: Mapping[str, Mapping[str, Summary]], **keys: Any) -> Observed:
    """An experiment without times, or with those in `keys`; `summaries` by metric and arm."""
    return Observed("events", units, {name: MetricData(by_arm) for name, by_arm in summaries.items()}, **keys)


def shares(arms: Sequence[str], n: int, successes: Mapping[str, Sequence[int]]) -> Observed:
    """`successes` by metric, one number for each arm of `n` units."""
    counted = {
        name: {arm: Proportion(int(x), n) for arm, x in zip(arms, each, strict=True)}
        for name, each in successes.items()
    }
    return observed(dict.fromkeys(arms, n), counted)


def words(loaded: LoadedSpec, seen: Observed) -> tuple[bool, bool]:
    """Whether some variant may SHIP, and whether some variant is harmed, by the real verdict."""
    return told(conclude(loaded, seen).verdicts)


def told(verdicts: Iterable[Verdict]) -> tuple[bool, bool]:
    found = list(verdicts)
    ship = any(one.verdict == "SHIP" for one in found)
    return ship, any(one.verdict == "DO NOT SHIP" and any(r.code in HARM for r in one.reasons) for one in found)


def once(near: NDArray[np.bool_], judge: Callable[[int], tuple[bool, bool]], rng: np.random.Generator) -> Found:
    """Runs that are read once: `judge(run)` for those that are `near` a critical value and for some of the others."""
    close, far = np.flatnonzero(near), np.flatnonzero(~near)
    found = [judge(int(run)) for run in close]
    spot = rng.choice(far, min(SPOT, len(far)), replace=False) if len(far) else far
    if any(any(judge(int(run))) for run in spot):
        raise AssertionError("a wrong verdict far from every critical value: the screen is too narrow")
    ship, harm = (sum(one[side] for one in found) for side in (0, 1))
    return Found(len(near), ship, harm, len(close) + len(spot))


def z(x0: Array | Counts, x1: Array | Counts, n: float | Array) -> Array:
    """The pooled z of two shares with `n` units each; 0 where nobody or everybody succeeded."""
    pooled = (x0 + x1) / (2.0 * n)
    error = np.sqrt(2.0 * pooled * (1.0 - pooled) / n)
    return np.where(error > 0.0, (x1 - x0) / n / np.where(error > 0.0, error, 1.0), 0.0)


def z_ratio(x0: Counts, x1: Counts, n: int, ratio: float) -> Array:
    """About the z of share1 = ratio x share0."""
    p0, p1 = x0 / n, x1 / n
    return (p1 - ratio * p0) / np.sqrt((p1 * (1 - p1) + ratio**2 * p0 * (1 - p0)) / n)
