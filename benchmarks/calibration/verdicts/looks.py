"""Experiments in which nothing works and that somebody reads again and again, up to the first SHIP or harm.

Units come in equal steps, each converts at once or never. A run ends with its first verdict SHIP or DO NOT SHIP by
harm; every look that comes near a boundary of the look's own rule (as `monitoring` makes it) goes through the real
verdict.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from abcx.analysis import monitoring
from abcx.data.records import Observed
from abcx.planning.planned_end import PlannedEnd, planned_end
from abcx.planning.sample_size import planned
from abcx.spec.load import LoadedSpec
from abcx.stats.distributions import normal_quantile
from abcx.stats.records import Proportion
from benchmarks.calibration.verdicts import real
from benchmarks.calibration.verdicts.real import Array, Counts, Found

UNITS, SHARE = 10_000, 0.1
"""Planned units of an arm, and their true share."""
DAYS = 28
START = datetime.date(2026, 1, 5)
ARMS = ("control", "variant")
CLOSE, FEW = 0.02, 100
"""The screen is the score statistic itself, but for sqrt((N - 1) / N); below so many events exact tests differ."""


@dataclass(frozen=True)
class Course:
    """A spec and the units of an arm at each look; `daily`: looks are days, and the data have times."""

    loaded: LoadedSpec
    sizes: tuple[int, ...]
    daily: bool

    def seen(self, look: int, successes: tuple[int, int]) -> Observed:
        n = self.sizes[look]
        counts = {"orders": {arm: Proportion(x, n) for arm, x in zip(ARMS, successes, strict=True)}}
        return real.observed(dict.fromkeys(ARMS, n), counts, **(self._times(look) if self.daily else {}))

    def _times(self, look: int) -> dict[str, Any]:
        steps = np.diff([0, *self.sizes[: look + 1]]).tolist()
        days = [(START + datetime.timedelta(days=i)).isoformat() for i in range(look + 1)]
        first = int(datetime.datetime.combine(START, datetime.time(), datetime.UTC).timestamp()) * 1_000_000
        over = first + (look + 1) * 86_400_000_000
        daily = tuple((day, dict.fromkeys(ARMS, step)) for day, step in zip(days, steps, strict=True))
        return {"daily": daily, "first_exposure": first, "last_exposure": over - 1_000_000, "as_of": over}

    def decides(self, look: int) -> int:
        """The look whose counts decide: where the planned size was passed it is the one at which
        it was reached, as `run` reads the data again up to that day."""
        day = self._end(self.seen(look, (0, 0))).overrun_day
        return look if day is None else (day - START).days

    def critical(self, look: int) -> tuple[float, float]:
        """z below and above which the rule of this look lets a claim be made; infinite where it lets none."""
        enough = self.sizes[look] // 2  # a rule that is silent for want of events may speak in some runs
        experiment, seen = self.loaded.experiment, self.seen(look, (enough, enough))
        end, key = self._end(seen), ("orders", "variant")
        watch, alpha = monitoring.harm_watch(experiment, seen, end), experiment.analysis.alpha
        if not watch:
            lower, upper = monitoring.decision_rules(experiment, seen, end)[key].levels(alpha)
            return -_z(upper), _z(lower)
        return -_z(watch[key].levels(alpha / monitoring.HARM_SHARE)[1]), np.inf

    def _end(self, seen: Observed) -> PlannedEnd:
        return planned_end(self.loaded.experiment, seen, planned(self.loaded.experiment))


def _z(level: float) -> float:
    return normal_quantile(1 - level / 2) if level else np.inf


def sequential(runs: int, rng: np.random.Generator, looks: int, rule: Any) -> Found:
    """Looks at equal steps up to the planned size, paid for by the monitoring `rule`."""
    keys: dict[str, Any] = {"plan": plan(), "window": "7d", "analysis": {"monitoring": rule}}
    loaded = real.spec({"orders": real.conversion("orders")}, **keys)
    sizes = tuple(round(UNITS * (k + 1) / looks) for k in range(looks))
    return _read(Course(loaded, sizes, daily=False), runs, rng)


def daily(runs: int, rng: np.random.Generator, plan: Mapping[str, Any], until: int = DAYS, since: int = 1) -> Found:
    """Read every evening from day `since` up to day `until`, with a `plan` or none; the planned size comes with day
    28."""
    loaded = real.spec({"orders": real.conversion("orders")}, plan=dict(plan))
    sizes = tuple(UNITS * day // DAYS for day in range(1, until + 1))
    return _read(Course(loaded, sizes, daily=True), runs, rng, since - 1)


def plan() -> dict[str, int]:
    """The declared size: that of day 28 exactly."""
    return {"units": 2 * UNITS}


def _read(course: Course, runs: int, rng: np.random.Generator, first: int = 0) -> Found:
    """The first verdict of every run, by chunks that fit into memory."""
    parts = [_chunk(course, size, rng, first) for size in _chunks(runs, len(course.sizes))]
    return Found(runs, *(sum(getattr(one, key) for one in parts) for key in ("ship", "harm", "called")))


def _chunks(runs: int, looks: int) -> list[int]:
    most = max(1, 1_000_000 // looks)
    return [min(most, runs - start) for start in range(0, runs, most)]


def _chunk(course: Course, runs: int, rng: np.random.Generator, first: int) -> Found:
    steps = np.diff([0, *course.sizes])
    paths: Counts = rng.binomial(steps, SHARE, (runs, 2, len(steps))).cumsum(axis=2)
    sizes = np.asarray(course.sizes, dtype=float)
    z: Array = real.z(paths[:, 0], paths[:, 1], sizes)
    slack = np.where(SHARE * sizes < FEW, real.NEAR, CLOSE)
    bounds = np.array([course.critical(look) for look in range(len(steps))])
    near = (z <= bounds[:, 0] + slack) | (z >= bounds[:, 1] - slack)
    near = near[:, [course.decides(look) for look in range(len(steps))]]
    near[:, :first] = False
    ship = harm = called = 0
    for run in np.flatnonzero(near.any(axis=1)):
        for look in np.flatnonzero(near[run]):
            called += 1
            found = verdict(course, int(look), tuple(paths[run, :, : look + 1].T.tolist()))
            if any(found):
                ship, harm = ship + found[0], harm + found[1]
                break
    called += _spot(course, paths, near, rng, first)
    return Found(runs, ship, harm, called)


def _spot(course: Course, paths: Counts, near: Any, rng: np.random.Generator, first: int) -> int:
    """Some looks that are not near go the same way; a verdict there stops the benchmark."""
    far = np.argwhere(~near[:, first:])
    picked = far[rng.choice(len(far), min(real.SPOT, len(far)), replace=False)]
    for run, look in picked:
        if any(verdict(course, int(look) + first, tuple(paths[run, :, : look + first + 1].T.tolist()))):
            raise AssertionError(f"a verdict at look {look + first + 1} far from every boundary")
    return len(picked)


def verdict(course: Course, look: int, path: tuple[list[int], ...]) -> tuple[bool, bool]:
    """The real verdict at a look; `path` holds both arms' successes at every look so far."""
    decides = course.decides(look)
    control, variant = path[decides]
    return real.words(course.loaded, course.seen(decides, (control, variant)))
