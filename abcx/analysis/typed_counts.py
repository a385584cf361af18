"""The analysis of counts that are typed by hand: successes and units of each arm, control first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from abcx.errors import UsageError
from abcx.results.readout import Results
from abcx.spec.load import load


def counts(
    *,
    share: Sequence[float] | None = None,
    goal: Literal["increase", "decrease"] = "increase",
    alpha: float = 0.05,
    **arms: tuple[int, int],
) -> Results:
    """Compare shares: `counts(control=(90, 600), variant=(120, 610))`, each (successes, units), the control first.

    `share` is the planned share of each arm (equal by default), `goal` the good direction, `alpha` the two-sided level.
    Raises UsageError for counts that cannot be, and SpecError for options that cannot be used.
    """
    for name, pair in arms.items():
        if not _is_pair(pair):
            raise UsageError(f"{name}={pair} is not (successes, units)", "write control=(90, 600)")
    title = " v ".join(f"{successes}/{units}" for successes, units in arms.values())
    return analyzed(arms, title, share, goal, alpha)


def _is_pair(pair: Any) -> bool:
    """Whether it is (successes, units), whole numbers that can be."""
    whole = isinstance(pair, (tuple, list)) and len(pair) == 2 and all(isinstance(n, int) and n >= 0 for n in pair)
    return whole and pair[0] <= pair[1]


def analyzed(
    arms: Mapping[str, tuple[int, int]], title: str, shares: Sequence[float] | None, goal: str, alpha: float
) -> Results:
    """The results of (successes, units) by arm, control first."""
    from abcx.analysis.conclude import conclude
    from abcx.data.counts import typed

    if shares is not None and len(shares) != len(arms):
        raise UsageError(f"{len(shares)} shares do not fit {len(arms)} arms", "write one share for each arm")
    settings = [{} if shares is None else {"share": share} for share in shares or (None,) * len(arms)]
    loaded = load(_spec(arms, title, settings, goal, alpha))
    inline = loaded.experiment.data.counts if loaded.experiment.data else None
    assert isinstance(inline, dict)
    return conclude(loaded, typed(loaded.experiment, inline))


def _spec(
    arms: Mapping[str, tuple[int, int]], title: str, settings: Sequence[Mapping[str, Any]], goal: str, alpha: float
) -> dict[str, Any]:
    """The spec that typed counts stand for."""
    return {
        "schema_version": 1,
        "name": "counts",
        "title": title,
        "arms": {name: dict(of_arm) for name, of_arm in zip(arms, settings, strict=True)},
        "data": {"counts": {name: {"units": units, "successes": x} for name, (x, units) in arms.items()}},
        "metrics": {"successes": {"type": "conversion", "role": "primary", "goal": goal}},
        "analysis": {"alpha": alpha},
    }
