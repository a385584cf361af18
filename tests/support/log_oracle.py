"""What the data room must find, recomputed slowly and plainly: Python loops, numpy for moments, no SQL, no abcx.

Every row gets exactly one fate, so the counts of fates are a conservation law: they sum to the rows of the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

USED, IGNORED, FILTERED = "used", "ignored", "filtered"


@dataclass(frozen=True)
class Row:
    """One row of a file. `t` is in microseconds; None is an empty cell; `keep` is false where the source's `where`
    leaves the row out."""

    unit: str | None
    t: int | None = None
    arm: str | None = None
    event: str | None = None
    value: float | None = None
    id: str | None = None
    category: str | None = None
    keep: bool = True


@dataclass(frozen=True)
class Measure:
    """A value per unit: `any`, `count` or `sum` of the events that fit."""

    kind: str
    event: str
    category: str | None = None
    window: int | None = None

    def fits(self, row: Row) -> bool:
        return row.keep and row.event == self.event and self.category in (None, row.category)


@dataclass(frozen=True)
class Test:
    """A small experiment: what was promised, and the rows. A part that is None is not there."""

    __test__ = False
    labels: dict[str, str]
    metrics: dict[str, tuple[Measure, ...]]
    exposures: list[Row] | None = None
    events: list[Row] | None = None
    units: list[Row] | None = None
    exposure: str | None = None
    start: int | None = None
    end: int | None = None
    cut: int | None = None
    """First moment that as_of leaves out."""
    exposures_timed: bool = True


@dataclass
class Found:
    """`fates` counts rows by (part, fate), `units` counts units of the analysis by arm, `lost` units by fate."""

    fates: Counter[tuple[str, str]] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    units: dict[str, int] = field(default_factory=dict)
    arms: dict[str, str] = field(default_factory=dict)
    t0: dict[str, int | None] = field(default_factory=dict)
    values: dict[str, dict[str, tuple[float, ...]]] = field(default_factory=dict)
    """metric -> unit -> its one or two values"""


def expected(test: Test) -> Found:
    found = Found()
    part = "exposures" if test.exposures is not None else "units" if test.units is not None else "events"
    timed = part == "events" or test.exposures_timed
    told = _first_look(test, part, timed, found)
    _assign(test, part, timed, told, found)
    nameless = _nameless(test, part, timed)
    found.lost["no_arm"] = len(nameless)
    kept = _fates_of_events(test, part, nameless, found)
    for name, measures in test.metrics.items():
        found.values[name] = {}
        for unit in found.arms:
            mine = [row for row in kept if row.unit == unit]
            if all(_followed(test, m, found.t0[unit]) for m in measures):
                found.values[name][unit] = tuple(_measure(test, m, mine, found.t0[unit]) for m in measures)
    found.units = {arm: sum(1 for a in found.arms.values() if a == arm) for arm in test.labels.values()}
    return found


def _first_look(test: Test, part: str, timed: bool, found: Found) -> list[Row]:
    """Rows of the part that tells the arms which can be used at all."""
    usable = []
    for row in getattr(test, part):
        fate = _unusable(test, row, timed)
        if fate is None and (row.arm is not None or part != "events") and row.arm not in test.labels:
            fate = "no_arm" if row.arm is None else "unknown_arm"
        if fate is None and part != "events" and timed and not _inside(test, row):
            fate = "outside_period"
        if fate is not None:
            found.fates[part, fate] += 1
        if fate in (None, "outside_period"):
            usable.append(row)
    return usable


def _unusable(test: Test, row: Row, timed: bool) -> str | None:
    if not row.keep:
        return FILTERED
    if row.unit is None:
        return "no_unit"
    if timed and row.t is None:
        return "no_time"
    if timed and test.cut is not None and row.t is not None and row.t >= test.cut:
        return "after_as_of"
    return None


def _inside(test: Test, row: Row) -> bool:
    return (test.start is None or row.t >= test.start) and (test.end is None or row.t < test.end)  # type: ignore[operator]


def _assign(test: Test, part: str, timed: bool, told: list[Row], found: Found) -> None:
    for unit in sorted({str(row.unit) for row in told}):
        rows = [row for row in told if row.unit == unit]
        inside = [row for row in rows if not timed or _inside(test, row)]
        about = rows if part == "events" else inside
        arms = {test.labels[row.arm] for row in about if row.arm is not None}
        if part == "events" and not arms:
            continue  # such a unit is in no arm: what it did is looked at below
        if part == "events" and test.exposure is not None:
            shown, ever = ([row for row in some if row.event == test.exposure] for some in (inside, rows))
        else:
            shown, ever = ([row for row in some if row.arm is not None] for some in (inside, rows))
        fate = None
        if ever and not shown:
            fate = "outside_period"
        elif len(arms) > 1:
            fate = "crossover"
        elif not shown:
            fate = "not_exposed"
        t0 = min((row.t for row in shown if row.t is not None), default=None)
        if fate is None and part != "events" and test.exposure is not None:
            seen = [
                row.t
                for row in test.events or []
                if _unusable(test, row, True) is None and row.unit == unit and row.event == test.exposure
                if _inside(test, row) and (t0 is None or row.t >= t0)  # type: ignore[operator]
            ]
            t0 = min((t for t in seen if t is not None), default=None)
            fate = None if seen else "not_exposed"
        if fate is not None:
            found.lost[fate] += 1
            found.fates[part, fate] += len(rows if part == "events" else inside)
        else:
            found.arms[unit] = arms.pop()
            found.t0[unit] = t0
            if part != "events":
                found.fates[part, USED] += len(inside)


def _nameless(test: Test, part: str, timed: bool) -> set[str]:
    """Units of which no row names an arm, whichever."""
    known = [row for row in getattr(test, part) if _unusable(test, row, timed) is None]
    return {row.unit for row in known} - {row.unit for row in known if row.arm is not None}


def _fates_of_events(test: Test, part: str, nameless: set[str], found: Found) -> list[Row]:
    """The events that count for the units of the analysis; every event gets a fate."""
    measures = [measure for pair in test.metrics.values() for measure in pair]
    told = {row.unit for row in test.events or [] if row.arm is not None and _fit(test, row)}
    kept: list[Row] = []
    read: set[tuple[str, str]] = set()
    for row in sorted(test.events or [], key=lambda row: float("inf") if row.t is None else row.t):
        relevant = any(measure.fits(row) for measure in measures)
        if part == "events":
            if _unusable(test, row, True) is not None or (row.arm is not None and row.arm not in test.labels):
                continue  # counted in the first look
            if row.unit in told and row.unit not in found.arms:
                continue  # counted with its unit
            if row.unit in nameless:
                found.fates["events", "no_arm"] += 1
                continue
        elif not relevant and row.event != test.exposure:
            found.fates["events", IGNORED if row.keep else FILTERED] += 1
            continue
        elif (fate := _unusable(test, row, True)) is not None:
            found.fates["events", fate] += 1
            continue
        if row.unit not in found.arms:
            fate = "not_in_test" if relevant else IGNORED
        elif row.id is not None and (row.unit, row.id) in read:
            fate = "duplicate_event"
        else:
            read |= {(row.unit, row.id)} if row.id is not None else set()
            kept.append(row)
            t0 = found.t0[row.unit]
            since = t0 if t0 is not None else test.start
            if not relevant:
                fate = IGNORED
            elif since is not None and row.t < since:  # type: ignore[operator]
                fate = "before_exposure"
            elif any(m.fits(row) and _in_window(test, m, row, t0) for m in measures):
                fate = USED
            else:
                fate = "after_window"
        found.fates["events", fate] += 1
    return kept


def _fit(test: Test, row: Row) -> bool:
    return _unusable(test, row, True) is None and row.arm in test.labels


def _in_window(test: Test, measure: Measure, row: Row, t0: int | None) -> bool:
    assert row.t is not None
    since = t0 if t0 is not None else test.start
    if since is not None and row.t < since:
        return False
    if measure.window is not None:
        assert t0 is not None
        return row.t < t0 + measure.window
    return test.end is None or row.t < test.end


def _followed(test: Test, measure: Measure, t0: int | None) -> bool:
    """Whether the data reach the end of the unit's window: a unit whose window is open has no value yet."""
    if measure.window is None or t0 is None:
        return True
    times = [row.t for part in (test.exposures, test.events) for row in part or [] if row.t is not None]
    return t0 + measure.window <= (max(times) if test.cut is None else test.cut - 1)


def _measure(test: Test, measure: Measure, rows: list[Row], t0: int | None) -> float:
    mine = [row for row in rows if measure.fits(row) and _in_window(test, measure, row, t0)]
    if measure.kind == "happened":
        return 1.0 if mine else 0.0
    if measure.kind == "count":
        return float(len(mine))
    return float(sum(row.value for row in mine if row.value is not None))


def moments(values: list[float]) -> dict[str, Any]:
    """n, mean, variance with divisor n - 1, and the rest, by numpy."""
    x = np.array(values, dtype=float)
    return {
        "n": len(x),
        "mean": float(x.mean()) if len(x) else 0.0,
        "variance": float(x.var(ddof=1)) if len(x) > 1 else 0.0,
        "nonzero": int(np.count_nonzero(x)),
        "minimum": float(x.min()) if len(x) else None,
        "maximum": float(x.max()) if len(x) else None,
    }


def covariance(pairs: Sequence[tuple[float, ...]]) -> float:
    return float(np.cov(np.array(pairs, dtype=float), rowvar=False)[0, 1]) if len(pairs) > 1 else 0.0


def quantile(values: list[float], q: float) -> float:
    """Type 7, numpy's default."""
    return float(np.quantile(np.array(values, dtype=float), q, method="linear"))
