"""Surveys that only a part of the exposed units answers, when nobody's opinion changes but who answers may.

Of the exposed units 20 % answer in either arm, with a Net Promoter Score of 30. In one arm response is 4 % higher
(20.8 %): the units that answer in that arm only are all detractors (extreme selection), or their score is 40 points
lower (moderate selection). Where they sit in the variant it looks worse than it is (harm is counted), where they sit in
the control it looks better (SHIP is counted). A guardrail stands beside a primary that is truly better, with the margin
that the plain test clears in 90 % of harmless runs: SHIP is counted where opinions truly fell by the margin, harm where
they did not fall (at equal response: fell by the margin).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from abcx.analysis.conclude import conclude
from abcx.data.records import MetricData, Observed
from abcx.results.metric import Response
from abcx.spec.load import LoadedSpec
from abcx.stats.distributions import normal_quantile
from abcx.stats.records import Categories, Proportion
from benchmarks.calibration import cx
from benchmarks.calibration.verdicts import real
from benchmarks.calibration.verdicts.real import Array, Counts, Found

RESPONSE, MORE, SCORE, LOWER = 0.2, 0.04, 30.0, 40.0
POWER = 0.9
EXPOSED = (2_000, 10_000, 50_000)
NEAR = 0.4
"""As `real.NEAR`, wider for the adjusted test of few answers."""
ANSWERS = (6, 8, 10)
Selection = Literal["none", "moderate", "extreme"]


@dataclass(frozen=True)
class Arm:
    """Shares of exposed units that are detractors, passives, promoters, or do not answer."""

    score: float
    selection: Selection = "none"

    def shares(self) -> Array:
        promoters, passives, detractors = cx.kinds(self.score)
        of_all = RESPONSE * np.array([detractors, passives, promoters])
        lower = cx.kinds(self.score - LOWER)[::-1]
        extra = {"none": np.zeros(3), "moderate": lower, "extreme": np.array([1.0, 0.0, 0.0])}[self.selection]
        of_all = of_all + RESPONSE * MORE * extra
        return np.append(of_all, 1.0 - of_all.sum())


def margin(exposed: int) -> float:
    """The margin, in points, that the plain test clears in 90 % of harmless runs at equal response."""
    promoters, _, detractors = cx.kinds(SCORE)
    variance = 100.0**2 * (promoters + detractors) - SCORE**2
    z = normal_quantile(0.975) + normal_quantile(POWER)
    return round(float(z * np.sqrt(2.0 * variance / (RESPONSE * exposed))), 1)


def primary(runs: int, rng: np.random.Generator, exposed: int, selection: Selection = "none") -> Found:
    """The score as the primary; nobody's opinion changes. SHIP is counted where the control has the additional answers,
    harm where the variant has them."""
    loaded = real.spec({"nps": _nps("primary")}, plan={"units": 2 * exposed})
    return _both(
        loaded, exposed, (Arm(SCORE, selection), Arm(SCORE)), (Arm(SCORE), Arm(SCORE, selection)), 0.0, runs, rng
    )


def guardrail(runs: int, rng: np.random.Generator, exposed: int, selection: Selection = "none") -> Found:
    """The score as a guardrail beside a primary that is truly better. SHIP is counted where opinions truly fell by the
    margin (and the control has the additional answers), harm where nobody's changed and the variant has them; at equal
    response where they fell by the margin exactly."""
    size = margin(exposed)
    fallen = Arm(SCORE, selection), Arm(SCORE - size)
    worse = (Arm(SCORE), Arm(SCORE, selection)) if selection != "none" else fallen
    return _both(_guarded(exposed), exposed, fallen, worse, -size, runs, rng)


def power(runs: int, rng: np.random.Generator, exposed: int) -> Found:
    """The share of harmless runs at equal response that clear the margin: by the plain test, and by the verdict."""
    loaded, drawn = _guarded(exposed), _drawn(exposed, (Arm(SCORE), Arm(SCORE)), runs, rng)
    plain = safe = ship = harm = 0
    for run in range(runs):
        found = conclude(loaded, _seen(loaded, exposed, drawn[run], rng))
        one = found["nps"].comparisons[0]
        low = (one.margin_interval or (None, None))[0]
        plain += low is not None and low > -margin(exposed)
        safe += one.status == "safe"
        told = real.told(found.verdicts)
        ship, harm = ship + told[0], harm + told[1]
    return Found(runs, ship, harm, runs, (plain / runs, safe / runs))


def _nps(role: str, **keys: Any) -> dict[str, Any]:
    return {
        "type": "nps",
        "event": "survey",
        "value": "score",
        "scale": [0, 10],
        "role": role,
        "goal": "increase",
        **keys,
    }


def _guarded(exposed: int) -> LoadedSpec:
    guard = _nps("guardrail", margin=f"{margin(exposed)}pt")
    return real.spec({"orders": real.conversion("orders"), "nps": guard}, plan={"units": 2 * exposed})


def _both(
    loaded: LoadedSpec,
    exposed: int,
    better: tuple[Arm, Arm],
    worse: tuple[Arm, Arm],
    at: float,
    runs: int,
    rng: np.random.Generator,
) -> Found:
    """SHIP over runs of the arms `better`, harm over runs of `worse`; claims are about the difference `at`."""
    found = []
    for side, arms in enumerate((better, worse)):
        drawn, sign = _drawn(exposed, arms, runs, rng), (1, -1)[side]
        near = sign * _z(drawn, at) > normal_quantile(0.975) - NEAR  # bounds only hold claims back

        def judge(run: int, drawn: Counts = drawn, side: int = side) -> tuple[bool, bool]:
            told = real.words(loaded, _seen(loaded, exposed, drawn[run], rng))
            return (told[0], False) if side == 0 else (False, told[1])

        found.append(real.once(near, judge, rng))
    return Found(runs, found[0].ship, found[1].harm, found[0].called + found[1].called)


def _drawn(exposed: int, arms: tuple[Arm, Arm], runs: int, rng: np.random.Generator) -> Counts:
    """(run, arm, detractors, passives, promoters)"""
    found: Counts = np.stack([rng.multinomial(exposed, arm.shares(), runs)[:, :3] for arm in arms], axis=1)
    return found


def _z(drawn: Counts, at: float) -> Array:
    """About the z of the plain test that the difference is `at`."""
    answers = drawn.sum(axis=2)
    mean = 100.0 * (drawn[:, :, 2] - drawn[:, :, 0]) / answers
    variance = (100.0**2 * (drawn[:, :, 2] + drawn[:, :, 0]) / answers - mean**2) / answers
    found: Array = (mean[:, 1] - mean[:, 0] - at) / np.sqrt(variance.sum(axis=1))
    return found


def _seen(loaded: LoadedSpec, exposed: int, counts: Counts, rng: np.random.Generator) -> Observed:
    """Answers by arm; a primary on shares, where there is one, is far better in the variant."""
    arms = ("control", "variant")
    answers = {arm: Categories(0, _scale(each)) for arm, each in zip(arms, counts, strict=True)}
    asked = {arm: Response(exposed, None, one.n) for arm, one in answers.items()}
    found = {"nps": MetricData(answers, responses=asked)}
    if "orders" in loaded.experiment.metrics:
        each = zip(arms, rng.binomial(exposed, [0.2, 0.3]).tolist(), strict=True)
        found = {"orders": MetricData({arm: Proportion(x, exposed) for arm, x in each})} | found
    return Observed("events", dict.fromkeys(arms, exposed), found)


def _scale(counts: Counts) -> tuple[int, ...]:
    found = [0] * 11
    for answer, count in zip(ANSWERS, counts.tolist(), strict=True):
        found[answer] = count
    return tuple(found)
