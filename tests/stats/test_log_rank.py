"""The log-rank test against R's published result, lifelines, statsmodels, and a simulation with clustered tickets."""

import numpy as np
import pytest
from hypothesis import given, settings

from abcx.stats import log_rank
from abcx.stats.records import Lifetimes
from tests.support.lifetimes import (
    MAINTAINED,
    NONE,
    NOT_MAINTAINED,
    alone,
    comparisons,
    lifetimes,
    scaled,
    shuffled,
    staggered,
)

R_SURVDIFF = 0.0653
"""R's package survival, tests/doaml.Rout.save: survdiff(Surv(aml$time, aml$status) ~ aml$x), chisq 3.4, p 0.0653."""
LIFELINES = 0.3599648307011506
"""logrank_test of lifelines 0.30.3 on the two `staggered` arms below."""


def test_published_and_recorded_values() -> None:
    assert log_rank.p_value(NOT_MAINTAINED, MAINTAINED) == pytest.approx(R_SURVDIFF, abs=5e-5)
    first, second = staggered(60, 37, 101, 7), staggered(80, 53, 97, 3)
    assert log_rank.p_value(first, second) == pytest.approx(LIFELINES, rel=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_statsmodels(seed: int) -> None:
    from statsmodels.duration.survfunc import survdiff  # type: ignore[import-untyped,unused-ignore]

    rng = np.random.default_rng(seed)
    arms = [lifetimes(rng.integers(1, 40, n), rng.random(n) < 0.7) for n in (60, 90)]
    expected = survdiff(
        np.concatenate([arm.durations for arm in arms]),
        np.concatenate([arm.observed for arm in arms]),
        np.repeat([0, 1], [60, 90]),
    )[1]
    assert log_rank.p_value(*arms) == pytest.approx(expected, rel=1e-9)


def by_hand(control: Lifetimes, variant: Lifetimes) -> float:
    """Chi-square with the squared sums within units, lifetime by lifetime and event time by event time."""
    both = [(arm, i) for arm in (control, variant) for i in range(arm.durations.size)]
    times = sorted({float(arm.durations[i]) for arm, i in both if arm.observed[i]})
    score: dict[tuple[bool, int], float] = {}
    for time in times:
        at_risk = [(arm, i) for arm, i in both if arm.durations[i] >= time]
        share = sum(arm is variant for arm, _ in at_risk) / len(at_risk)
        ended = [(arm, i) for arm, i in at_risk if arm.durations[i] == time and arm.observed[i]]
        for arm, i in at_risk:
            came = float(arm.durations[i] == time and bool(arm.observed[i]))
            unit = (arm is variant, int(arm.clusters[i]))
            part = ((arm is variant) - share) * (came - len(ended) / len(at_risk))
            score[unit] = score.get(unit, 0.0) + part
    return sum(score.values()) ** 2 / sum(part**2 for part in score.values())


def test_clustered_lifetimes_by_hand() -> None:
    from scipy import stats  # type: ignore[import-untyped,unused-ignore]

    rng = np.random.default_rng(3)
    arms = [lifetimes(rng.integers(1, 15, n), rng.random(n) < 0.7, rng.integers(0, n // 3, n)) for n in (30, 42)]
    assert log_rank.p_value(*arms) == pytest.approx(float(stats.chi2.sf(by_hand(*arms), 1)), rel=1e-9)


def test_tickets_of_one_customer_are_not_independent() -> None:
    rng, samples, alarms = np.random.default_rng(4), 400, np.zeros(2)
    for _ in range(samples):
        arms = []
        for _arm in range(2):
            unit = np.concatenate((np.arange(60), rng.integers(0, 60, 180)))
            hours = np.exp(0.7 * rng.normal(size=60))[unit] * rng.exponential(30.0, unit.size)
            followed = rng.uniform(0.0, 240.0, unit.size)
            arms.append(lifetimes(np.minimum(hours, followed), hours <= followed, unit))
        for way, pair in enumerate(([alone(arm) for arm in arms], arms)):
            p = log_rank.p_value(pair[0], pair[1])
            assert p is not None
            alarms[way] += p < 0.05
    ignoring, within = alarms / samples
    assert ignoring > 0.10
    assert 0.03 < within < 0.08


def test_no_event_that_tells_the_arms_apart() -> None:
    still = lifetimes([5, 6], [0, 0])
    assert log_rank.p_value(still, still) is None
    assert log_rank.p_value(NONE, MAINTAINED) is None and log_rank.p_value(MAINTAINED, NONE) is None
    # The only event comes when the variant alone is left at risk.
    assert log_rank.p_value(lifetimes([1, 2], [0, 0]), lifetimes([3, 4], [1, 0])) is None
    assert log_rank.p_value(lifetimes([3, 3], [1, 1]), lifetimes([3, 3], [1, 1])) is None


@settings(max_examples=150)
@given(comparisons())
@pytest.mark.slow
def test_it_depends_on_nothing_but_the_ranks(drawn: tuple[Lifetimes, Lifetimes, float]) -> None:
    control, variant, _ = drawn
    found = log_rank.p_value(control, variant)
    others = (
        log_rank.p_value(variant, control),
        log_rank.p_value(scaled(control, 4.0), scaled(variant, 4.0)),
        log_rank.p_value(shuffled(control, 1), shuffled(variant, 2)),
    )
    assert found is None or 0.0 <= found <= 1.0
    for other in others:
        assert (found is None) == (other is None)
        assert found is None or other == pytest.approx(found, rel=1e-6)
