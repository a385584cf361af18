"""The survival curve against R's published analysis, lifelines, statsmodels, and derivatives taken numerically."""

import math

import numpy as np
import pytest
from hypothesis import given, settings

from abcx.notes import Note
from abcx.report import note_texts
from abcx.stats import shares, survival
from abcx.stats.records import Lifetimes, Proportion
from tests.support.lifetimes import (
    MAINTAINED,
    NONE,
    NOT_MAINTAINED,
    arms,
    differentiated_error,
    greenwood,
    lifetimes,
    shuffled,
    staggered,
    weighted_share,
    weighted_survival,
)

# R's package survival, tests/doaml.Rout.save: summary(survfit(Surv(aml$time, aml$status) ~ aml$x)), time, survival,
# std.err
R_MAINTAINED = ((9, 0.909, 0.0867), (13, 0.818, 0.1163), (18, 0.716, 0.1397), (23, 0.614, 0.1526), (31, 0.491, 0.1642),
                (34, 0.368, 0.1627), (48, 0.184, 0.1535))  # fmt: skip
R_NOT_MAINTAINED = ((5, 0.8333, 0.1076), (8, 0.6667, 0.1361), (12, 0.5833, 0.1423), (23, 0.4861, 0.1481),
                    (27, 0.3889, 0.1470), (30, 0.2917, 0.1387), (33, 0.1944, 0.1219), (43, 0.0972, 0.0919))  # fmt: skip

# lifelines 0.30.3, KaplanMeierFitter: predict([20, 50.5, 90]) and median_survival_time_ of `staggered`
LIFELINES = (
    ((60, 37, 101, 7), (0.8618484170131113, 0.5929313077419142, 0.18003987077183634), 63.0),
    ((80, 53, 97, 3), (0.8435804992495237, 0.6095029343593308, 0.14838557461242372), 59.0),
)


@pytest.mark.parametrize(("arm", "published"), [(MAINTAINED, R_MAINTAINED), (NOT_MAINTAINED, R_NOT_MAINTAINED)])
def test_the_published_leukemia_curves(arm: Lifetimes, published: tuple[tuple[int, float, float], ...]) -> None:
    for time, level, error in published:
        assert survival.curve(arm).at(time) == pytest.approx(level, abs=6e-4)
        found = survival.ended(arm, time)
        assert found is not None and found.share == pytest.approx(1 - level, abs=6e-4)
        assert math.sqrt(found.share * (1 - found.share) / found.effective_n) == pytest.approx(error, abs=6e-5)
    assert survival.median(arm) == (31.0 if arm is MAINTAINED else 23.0)


@pytest.mark.parametrize(("recipe", "levels", "median"), LIFELINES)
def test_recorded_output_of_lifelines(
    recipe: tuple[int, int, int, int], levels: tuple[float, float, float], median: float
) -> None:
    arm = staggered(*recipe)
    assert [survival.curve(arm).at(time) for time in (20, 50.5, 90)] == pytest.approx(levels, rel=1e-12)
    assert survival.median(arm) == median


@pytest.mark.parametrize("seed", range(5))
def test_lifelines_itself(seed: int) -> None:
    lifelines = pytest.importorskip("lifelines", reason="lifelines needs pandas 2")
    rng = np.random.default_rng(seed)
    arm = lifetimes(rng.integers(0, 30, 200), rng.random(200) < 0.6)
    fitted = lifelines.KaplanMeierFitter().fit(arm.durations, arm.observed)
    found = survival.curve(arm)
    for time in range(30):
        assert found.at(time) == pytest.approx(float(fitted.predict(time)), rel=1e-12)
    median = survival.median(arm)
    assert fitted.median_survival_time_ == (math.inf if median is None else median)


@pytest.mark.parametrize("seed", range(3))
def test_statsmodels(seed: int) -> None:
    from statsmodels.duration.survfunc import SurvfuncRight  # type: ignore[import-untyped,unused-ignore]

    rng = np.random.default_rng(seed)
    arm = lifetimes(np.round(rng.exponential(20, 300), 1), rng.random(300) < 0.7)
    expected = SurvfuncRight(arm.durations, arm.observed)
    found = survival.curve(arm)
    assert found.times == pytest.approx(expected.surv_times[expected.n_events > 0])
    assert found.survival == pytest.approx(expected.surv_prob[expected.n_events > 0], rel=1e-12)
    for time, error in zip(expected.surv_times[:-1:20], expected.surv_prob_se[:-1:20], strict=True):
        ended = survival.ended(arm, time)
        assert ended is not None
        assert math.sqrt(ended.share * (1 - ended.share) / ended.effective_n) == pytest.approx(error, rel=1e-9)


@settings(max_examples=150)
@given(arms())
@pytest.mark.slow
def test_the_curve_by_counting(arm: Lifetimes) -> None:
    times, levels = weighted_survival(arm, np.ones(arm.durations.size))
    found = survival.curve(arm)
    assert found.times.tolist() == times and found.n == arm.durations.size
    assert found.survival == pytest.approx(levels, rel=1e-12)
    assert found.at(-1.0) == 1.0


def test_the_error_is_greenwoods_where_each_unit_has_one_lifetime() -> None:
    for arm in (MAINTAINED, NOT_MAINTAINED, staggered(60, 37, 101, 7), staggered(80, 53, 97, 3)):
        for time in survival.curve(arm).times[:-1]:
            level = survival.curve(arm).at(time)
            error, units = survival.influence_error(
                arm, survival.curve(arm), np.full(survival.curve(arm).upto(time), level)
            )
            assert units == arm.durations.size
            assert error == pytest.approx(level * math.sqrt(greenwood(arm, time)), rel=1e-9)


def test_the_error_of_clustered_lifetimes_by_numerical_derivatives() -> None:
    rng = np.random.default_rng(4)
    arm = lifetimes(rng.integers(1, 20, 40), rng.random(40) < 0.6, rng.integers(0, 9, 40))
    for time in (3.0, 7.0, 12.0):
        found = survival.ended(arm, time)
        assert found is not None
        expected = differentiated_error(arm, weighted_share, time)
        assert math.sqrt(found.share * (1 - found.share) / found.effective_n) == pytest.approx(expected, rel=1e-7)


def test_the_median_where_the_curve_just_reaches_one_half() -> None:
    for n in (2, 24, 28, 30, 38, 94, 1000):  # products of 1 - 1 / Y that are one half up to rounding, some above it
        assert survival.median(lifetimes(np.arange(1, n + 1), np.ones(n))) == n / 2
    assert survival.median(lifetimes([1, 2, 3, 4], [1, 0, 0, 0])) is None
    assert survival.median(NONE) is None


def test_the_largest_horizon() -> None:
    assert survival.largest_horizon(MAINTAINED) == 161.0
    assert survival.largest_horizon(NOT_MAINTAINED) == math.inf
    assert survival.largest_horizon(MAINTAINED, NOT_MAINTAINED) == 161.0
    assert survival.largest_horizon(lifetimes([2, 5, 5], [1, 1, 0])) == 5.0
    assert survival.largest_horizon(lifetimes([2, 5, 5], [0, 1, 1])) == math.inf
    assert survival.largest_horizon(NONE) == math.inf


def test_a_refusal_names_a_horizon_that_is_usable() -> None:
    for last in (71.54999, 0.00123456, 123456.7, 3.0, 0.3, 9999.96, 1e-7, 0.0):
        control, variant = lifetimes([last], [0]), lifetimes([last / 3], [1])
        for arms_, name in (((control, variant), "control"), ((variant, control), "variant")):
            note = survival.refusal(*arms_, last * 1.01 + 1.0)
            assert note is not None and note.values["arm"] == name
            usable = note_texts.text(note).split("horizon is ")[1].rstrip(".")
            named = float(usable[:-1]) * {"h": 1, "d": 24}[usable[-1]]
            assert last * 0.999 <= named <= last
            assert survival.refusal(*arms_, last) is None
    assert survival.refusal(NONE, MAINTAINED, 1.0) == Note("no_lifetimes", {"arm": "control"})
    assert survival.refusal(MAINTAINED, NONE, 1.0) == Note("no_lifetimes", {"arm": "variant"})


def test_shares_ended_without_censoring_are_counts() -> None:
    arm = lifetimes([1, 2, 2, 3, 8, 9], [1, 1, 1, 1, 0, 1])
    found = survival.ended(arm, 3.0)
    assert found is not None and found.share == pytest.approx(4 / 6) and found.effective_n == pytest.approx(6)
    expected = shares.interval(Proportion(4, 6), 0.05)
    assert survival.share_interval(arm, 3.0, 0.05) == pytest.approx(expected, rel=1e-9)


def test_shares_ended_at_the_ends() -> None:
    nothing = survival.ended(lifetimes([1, 2, 6, 7], [0, 0, 0, 1]), 5.0)
    assert nothing is not None and (nothing.share, nothing.effective_n) == (0.0, 2.0)
    everything = survival.ended(lifetimes([1, 2, 3, 3], [1, 1, 1, 1]), 5.0)
    assert everything is not None and everything.share == 1.0 and everything.effective_n == pytest.approx(4)
    # One censored on the way: the last two at risk come after half of the four had ended (1 - 1/4, then 1 - 1/3).
    late = survival.ended(lifetimes([1, 2, 2.5, 3, 3], [1, 1, 0, 1, 1]), 5.0)
    assert late is not None and late.share == 1.0 and late.effective_n == pytest.approx(2 / (4 / 5 * 3 / 4))
    # Two units of the same make-up: nothing varies, and two units are all there is.
    same = survival.ended(lifetimes([1, 9, 1, 9], [1, 1, 1, 1], [0, 0, 1, 1]), 5.0)
    assert same is not None and (same.share, same.effective_n) == (0.5, 2.0)
    assert survival.ended(NONE, 1.0) is None and survival.ended(lifetimes([1, 2], [1, 0]), 3.0) is None
    assert survival.share_interval(NONE, 1.0, 0.05) == (None, None)


@pytest.mark.slow
@settings(max_examples=200)
@given(arms())
def test_shares_ended_of_any_lifetimes(arm: Lifetimes) -> None:
    for level in (0.0, 1.0, 3.0, *(float(t) for t in arm.durations[:3])):
        found = survival.ended(arm, level)
        if not arm.durations.size or level > survival.largest_horizon(arm):
            assert found is None
            continue
        assert found is not None and 0.0 <= found.share <= 1.0 and 0.0 < found.effective_n < math.inf
        low, high = survival.share_interval(arm, level, 0.05)
        assert low is not None and high is not None
        assert -1e-12 <= low <= found.share + 1e-12 and found.share - 1e-12 <= high <= 1 + 1e-12
        other = survival.ended(shuffled(arm, 3), level)
        assert other is not None and other.share == found.share
        assert other.effective_n == pytest.approx(found.effective_n, rel=1e-9)


@pytest.mark.slow
def test_a_million_lifetimes_are_quick_and_right() -> None:
    """Exponential lifetimes, each censored at random: the curve is exp(-t) wherever it is asked."""
    rng = np.random.default_rng(5)
    life, open_until = rng.exponential(1.0, 1_000_000), rng.uniform(0.0, 3.0, 1_000_000)
    arm = lifetimes(np.minimum(life, open_until), life <= open_until)
    found = survival.curve(arm)
    for time in (0.1, 0.7, 2.0):
        assert found.at(time) == pytest.approx(math.exp(-time), abs=5 * math.sqrt(greenwood_of(found, time)))


def greenwood_of(found: survival.Curve, time: float) -> float:
    upto = found.times <= time
    at_risk, events = found.at_risk[upto], found.events[upto]
    return float(found.at(time) ** 2 * (events / (at_risk * (at_risk - events))).sum())
