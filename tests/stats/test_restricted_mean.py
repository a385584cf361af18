"""The restricted mean against R, lifelines, the mean and ratio that it becomes without censoring, and simulations."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from abcx.stats import means, permutation, permutation_draws, ratios, restricted_mean, survival
from abcx.stats.inversion import effect
from abcx.stats.records import Effect, Lifetimes, Moments, RatioMoments, Sample
from tests.support.comparison_laws import ALPHAS, check_finite, check_mirror, check_one_inversion, check_scaled
from tests.support.lifetimes import (
    MAINTAINED,
    NONE,
    NOT_MAINTAINED,
    alone,
    comparisons,
    differentiated_error,
    lifetimes,
    scaled,
    shuffled,
    staggered,
    weighted_mean,
)
from tests.support.notes import lift_text, note_text

# As remembered, no printed source at hand (lifelines below agrees):
# print(survfit(Surv(time, status) ~ x, data = aml), print.rmean = TRUE, rmean = "individual") in R: rmean, se(rmean)
R_RESTRICTED = ((MAINTAINED, 161.0, 52.6, 19.83), (NOT_MAINTAINED, 45.0, 22.7, 4.18))

# lifelines 0.30.3, restricted_mean_survival_time of `staggered` at 20, 50.5 and 90
LIFELINES = (
    ((60, 37, 101, 7), (18.596738087623915, 41.09560667861057, 57.88372449518173)),
    ((80, 53, 97, 3), (18.42410105160032, 40.57174874157905, 55.71786741100893)),
)


def error(arm: Lifetimes, horizon: float) -> float:
    """The standard error without n / (n - 1), read off Student's interval."""
    from scipy import stats  # type: ignore[import-untyped,unused-ignore]

    low, high = restricted_mean.interval(arm, horizon, 0.05)
    assert low is not None and high is not None
    return float((high - low) / 2 / stats.t.ppf(0.975, arm.n - 1) * math.sqrt((arm.n - 1) / arm.n))


def moments(values: object) -> Moments:
    x = np.asarray(values, float)
    return Moments(x.size, float(x.mean()), float(x.var(ddof=1)), None, float(x.min()), float(x.max()))


@pytest.mark.parametrize(("arm", "horizon", "value", "se"), R_RESTRICTED)
def test_published_restricted_means(arm: Lifetimes, horizon: float, value: float, se: float) -> None:
    assert restricted_mean.value(arm, horizon) == pytest.approx(value, abs=0.05)
    assert error(arm, horizon) == pytest.approx(se, abs=0.005)


@pytest.mark.parametrize(("recipe", "values"), LIFELINES)
def test_recorded_output_of_lifelines(recipe: tuple[int, int, int, int], values: tuple[float, ...]) -> None:
    arm = staggered(*recipe)
    assert [restricted_mean.value(arm, h) for h in (20.0, 50.5, 90.0)] == pytest.approx(values, rel=1e-12)


@pytest.mark.parametrize("horizon", [10.0, 30.0, 44.9])
@pytest.mark.parametrize("arm", [MAINTAINED, NOT_MAINTAINED, staggered(60, 37, 101, 7), staggered(80, 53, 97, 3)])
def test_the_error_is_greenwoods_where_each_unit_has_one_lifetime(arm: Lifetimes, horizon: float) -> None:
    """Greenwood's form: sum over event times of (area from there to the horizon)^2 d / (Y (Y - d)), one by one."""
    total = 0.0
    for time in sorted({float(t) for t, done in zip(arm.durations, arm.observed, strict=True) if done and t < horizon}):
        area = weighted_mean(arm, np.ones(arm.n), horizon) - weighted_mean(arm, np.ones(arm.n), time)
        at_risk, ended = int(sum(arm.durations >= time)), int(sum((arm.durations == time) & arm.observed))
        total += area**2 * ended / (at_risk * (at_risk - ended))
    assert error(arm, horizon) == pytest.approx(math.sqrt(total), rel=1e-9)


@pytest.mark.parametrize("horizon", [5.0, 11.5, 18.0])
def test_the_error_of_clustered_lifetimes_by_numerical_derivatives(horizon: float) -> None:
    rng = np.random.default_rng(4)
    arm = lifetimes(rng.integers(1, 20, 60), rng.random(60) < 0.6, rng.integers(0, 12, 60))
    assert error(arm, horizon) == pytest.approx(differentiated_error(arm, weighted_mean, horizon), rel=1e-7)


def test_without_censoring_it_is_welch_on_the_capped_durations() -> None:
    rng = np.random.default_rng(6)
    arms = [rng.exponential(scale, n) for scale, n in ((20, 30), (35, 45))]
    control, variant = (lifetimes(x, x >= 0) for x in arms)
    found = effect(restricted_mean.contrast(control, variant, 40.0), 0.05)
    expected = effect(means.contrast(*(moments(np.minimum(x, 40.0)) for x in arms)), 0.05)
    assert found.method == "RMST"
    assert found.p_value == pytest.approx(expected.p_value, rel=1e-9)
    assert found.difference_interval == pytest.approx(expected.difference_interval, rel=1e-9)
    assert found.lift_interval == pytest.approx(expected.lift_interval, rel=1e-9)


def test_tickets_without_censoring_are_a_ratio_of_sums_over_units() -> None:
    rng = np.random.default_rng(7)
    arms, pairs = [], []
    for units, scale in ((25, 20.0), (40, 30.0)):
        unit = np.concatenate((np.arange(units), rng.integers(0, units, 3 * units)))
        hours = rng.exponential(scale, unit.size)
        arms.append(lifetimes(hours, hours >= 0, unit))
        top, bottom = np.bincount(unit, np.minimum(hours, 40.0)), np.bincount(unit).astype(float)
        pairs.append(RatioMoments(moments(top), moments(bottom), float(np.cov(top, bottom)[0, 1])))
    found = effect(restricted_mean.contrast(arms[0], arms[1], 40.0), 0.05)
    expected = effect(ratios.contrast(pairs[0], pairs[1]), 0.05)
    assert found.p_value == pytest.approx(expected.p_value, rel=1e-9)
    assert found.difference_interval == pytest.approx(expected.difference_interval, rel=1e-9)
    assert found.lift_interval == pytest.approx(expected.lift_interval, rel=1e-9)


# ------------------------------------------------------------------------------------------------ pseudo-values


def uneven(rng: np.random.Generator, cut: float, few: int = 16) -> tuple[Lifetimes, Lifetimes]:
    """Lognormal tickets, about three a unit, of 144 and `few` units, followed for up to `cut` hours."""
    arms = []
    for units in (144, few):
        unit = np.concatenate((np.arange(units), rng.integers(0, units, 2 * units)))
        hours = rng.lognormal(2.5, 1.2, unit.size)
        followed = rng.uniform(50.0, cut, unit.size)
        arms.append(lifetimes(np.minimum(hours, followed), hours <= followed, unit))
    return arms[0], arms[1]


@pytest.mark.parametrize("interval", ["auto", "permutation"])
def test_without_censoring_units_are_relabeled_as_those_of_a_ratio(interval: str) -> None:
    control, variant = uneven(np.random.default_rng(11), 1e9)
    found = restricted_mean.compared(control, variant, 72.0, interval, 999, 5)  # type: ignore[arg-type]
    samples = []
    for arm in (control, variant):
        top = np.bincount(arm.clusters, np.minimum(arm.durations, 72.0))
        samples.append(Sample(arm.n, np.column_stack([top, np.bincount(arm.clusters)]).astype(float)))
    expected = permutation.contrast(samples[0], samples[1], 999, 5)
    assert found.method.startswith("permutation") and note_text(found)
    assert note_text(found).startswith("Interval by permutation. The s")
    assert found.difference_pivot is not None and expected.difference_pivot is not None
    for at in (-9.0, 0.0, 4.0):
        assert found.difference_pivot.tails(at) == pytest.approx(expected.difference_pivot.tails(at), abs=1e-9)
    ours, theirs = effect(found, 0.05), effect(expected, 0.05)
    assert ours.lift_interval == pytest.approx(theirs.lift_interval, rel=1e-6)


def test_pseudo_values_have_the_mean_and_the_error_of_the_curve() -> None:
    for arm in uneven(np.random.default_rng(12), 150.0):
        assert not arm.observed.all()
        pairs = permutation_draws.moments(restricted_mean.pseudo_values(arm, 60.0))
        assert isinstance(pairs, RatioMoments)
        found = ratios.estimate(pairs)
        assert found is not None and found.value == pytest.approx(restricted_mean.value(arm, 60.0), rel=1e-9)
        assert found.error == pytest.approx(error(arm, 60.0) * math.sqrt(arm.n / (arm.n - 1)), rel=1e-9)


def test_many_units_and_even_arms_keep_students_t() -> None:
    control, variant = uneven(np.random.default_rng(13), 150.0)
    same = restricted_mean.compared(control, control, 60.0)
    assert same.method == restricted_mean.compared(control, variant, 60.0, "analytic").method == "RMST"
    assert restricted_mean.compared(control, variant, 60.0).method.startswith("permutation")


def test_an_arm_of_few_skewed_units_is_not_tested() -> None:
    control, variant = uneven(np.random.default_rng(13), 150.0, few=14)
    found = restricted_mean.compared(control, variant, 60.0)
    assert found.p_value is None and found.difference_pivot is None and found.ratio_pivot is None
    assert note_text(found).startswith("An arm has only 14 units with lifetimes")
    assert found.difference == restricted_mean.contrast(control, variant, 60.0).difference
    assert restricted_mean.compared(control, control, 60.0).p_value == pytest.approx(1.0)


@settings(max_examples=60, deadline=None)
@given(comparisons(), ALPHAS)
def test_the_laws_of_relabeled_lifetimes(drawn: tuple[Lifetimes, Lifetimes, float], alpha: float) -> None:
    control, variant, horizon = drawn
    contrast = restricted_mean.compared(control, variant, horizon, "permutation", 199)
    found, plain = effect(contrast, alpha), restricted_mean.contrast(control, variant, horizon)
    check_finite(found)
    assert (found.difference, found.lift) == (plain.difference, plain.lift)
    assert (found.p_value is None) == (plain.p_value is None)
    other = restricted_mean.compared(shuffled(control, 1), shuffled(variant, 2), horizon, "permutation", 199)
    if contrast.p_value is not None:
        assert other.p_value == pytest.approx(contrast.p_value, rel=1e-6)
    for interval, estimate in ((found.difference_interval, found.difference), (found.lift_interval, found.lift)):
        if interval is not None and found.p_value is not None:
            low, high = interval
            outside = (low is not None and low > 0.0) or (high is not None and high < 0.0)
            assert outside == (found.p_value < alpha)
            assert estimate is None or low is None or low <= estimate + 1e-9 * horizon


# ------------------------------------------------------------------------------------------------ simulations


def seen_until_the_cut(hours: object, rng: np.random.Generator, entry: float, unit: object = None) -> Lifetimes:
    """Tickets opened evenly over the last `entry` hours before the data cut; those still open are censored there."""
    true = np.asarray(hours, float)
    followed = rng.uniform(0.0, entry, true.size)
    return lifetimes(np.minimum(true, followed), true <= followed, unit)


def test_dropping_open_tickets_reverses_the_sign_and_the_restricted_mean_does_not() -> None:
    """A quarter of the variant's tickets take very long; most of these are still open at the cut.

    True means up to 72 h: 27.3 h for the control (exponential, mean 30 h), .75 x 19.5 h + .25 x 64.0 h = 30.6 h for the
    variant (mean 20 h, or 300 h). Of the tickets that are closed at the cut the variant's look faster.
    """
    rng, n = np.random.default_rng(8), 4000
    control = seen_until_the_cut(rng.exponential(30.0, n), rng, 120.0)
    variant = seen_until_the_cut(rng.exponential(np.where(rng.random(n) < 0.75, 20.0, 300.0)), rng, 120.0)
    closed = [moments(np.minimum(arm.durations[arm.observed], 72.0)) for arm in (control, variant)]
    naive = effect(means.contrast(*closed), 0.05)
    assert naive.p_value is not None and naive.p_value < 1e-6
    assert naive.difference is not None and naive.difference < -1.0
    found = effect(restricted_mean.contrast(control, variant, 72.0), 0.05)
    truth = 0.75 * 20 * (1 - math.exp(-3.6)) + 0.25 * 300 * (1 - math.exp(-0.24)) - 30 * (1 - math.exp(-2.4))
    assert found.p_value is not None and found.p_value < 1e-3
    assert found.difference_interval is not None
    low, high = found.difference_interval
    assert low is not None and high is not None and 0 < low < truth < high


def false_alarms(samples: int, units: int, seed: int) -> tuple[float, float]:
    """A/A tests of tickets of customers who are quick or slow throughout: (alone, within units), p < .05."""
    rng = np.random.default_rng(seed)
    alarms = np.zeros(2)
    for _ in range(samples):
        arms = []
        for _arm in range(2):
            unit = np.concatenate((np.arange(units), rng.integers(0, units, 3 * units)))
            hours = np.exp(0.7 * rng.normal(size=units))[unit] * rng.exponential(30.0, unit.size)
            arms.append(seen_until_the_cut(hours, rng, 240.0, unit))
        for way, pair in enumerate(([alone(arm) for arm in arms], arms)):
            p = restricted_mean.contrast(pair[0], pair[1], 72.0).p_value
            assert p is not None
            alarms[way] += p < 0.05
    ignoring, within = alarms / samples
    return float(ignoring), float(within)


def test_tickets_of_one_customer_are_not_independent() -> None:
    ignoring, within = false_alarms(samples=600, units=60, seed=9)
    assert ignoring > 0.10
    assert 0.03 < within < 0.07


def test_few_units_need_students_t() -> None:
    """Ten units an arm, one ticket each: t keeps 5 %, the normal does not."""
    rng, tested, alarms, normal = np.random.default_rng(10), 0, 0, 0
    for _ in range(1500):
        arms = [seen_until_the_cut(rng.exponential(30.0, 10), rng, 240.0) for _arm in range(2)]
        contrast = restricted_mean.contrast(arms[0], arms[1], 72.0)
        if contrast.difference_pivot is None or contrast.difference is None or contrast.p_value is None:
            continue  # the last one of an arm is still open, before the horizon
        tested += 1
        alarms += contrast.p_value < 0.05
        normal += abs(contrast.difference) > 1.96 * contrast.difference_pivot.scale
    assert tested > 1200
    assert 0.035 < alarms / tested < 0.06 < normal / tested


# ------------------------------------------------------------------------------------------------ degenerate


def nothing_tested(found: Effect) -> bool:
    return (found.p_value, found.difference_interval, found.lift_interval) == (None, None, None)


def test_arms_without_lifetimes() -> None:
    for arms in ((NONE, MAINTAINED), (MAINTAINED, NONE), (NONE, NONE)):
        found = effect(restricted_mean.contrast(*arms, 30.0), 0.05)
        assert nothing_tested(found) and found.difference is None and "no lifetimes" in note_text(found)
    assert restricted_mean.value(NONE, 1.0) is None
    assert restricted_mean.interval(NONE, 1.0, 0.05) == (None, None)


def test_one_unit() -> None:
    one = lifetimes([3, 9, 20], [1, 1, 1], [5, 5, 5])
    found = effect(restricted_mean.contrast(one, MAINTAINED, 30.0), 0.05)
    assert nothing_tested(found) and "one unit" in note_text(found)
    assert found.difference is not None and found.lift is not None
    assert restricted_mean.interval(one, 30.0, 0.05) == (None, None)
    assert restricted_mean.value(one, 10.0) == pytest.approx(22 / 3)


def test_a_horizon_beyond_the_follow_up_is_refused() -> None:
    short = lifetimes([3, 9, 20.5], [1, 1, 0])
    found = effect(restricted_mean.contrast(short, MAINTAINED, 21.0), 0.05)
    assert nothing_tested(found) and found.difference is None and found.lift is None
    assert "control arm" in note_text(found) and "20.5" in note_text(found)
    assert restricted_mean.value(short, 21.0) is None and restricted_mean.value(short, 20.5) is not None
    assert restricted_mean.contrast(short, MAINTAINED, 20.5).p_value is not None
    done = lifetimes([3, 9, 20.5], [1, 1, 1])  # everything has ended: nothing is unknown beyond
    assert restricted_mean.value(done, 1e6) == pytest.approx(32.5 / 3)


def test_nothing_ended_and_everything_at_once() -> None:
    still = lifetimes([50, 60, 70], [0, 0, 0])
    found = effect(restricted_mean.contrast(still, still, 30.0), 0.05)
    assert found.p_value == 1.0 and found.difference == 0.0 and "Nothing ended" in note_text(found)
    at_once, later = lifetimes([7, 7, 7], [1, 1, 1]), lifetimes([9, 9], [1, 1])
    found = effect(restricted_mean.contrast(at_once, later, 30.0), 0.05)
    assert nothing_tested(found) and found.difference == pytest.approx(2.0) and note_text(found)
    assert effect(restricted_mean.contrast(at_once, at_once, 30.0), 0.05).p_value == 1.0
    at_zero = lifetimes([0, 0], [1, 1])
    found = effect(restricted_mean.contrast(at_zero, MAINTAINED, 30.0), 0.05)
    assert found.lift is None and lift_text(found) and found.p_value is not None


def test_units_of_the_same_make_up_do_not_vary() -> None:
    """The sums within units are rounding of zero and must not pass for an error."""
    same = lifetimes([8.41, 0.67, 3.44, 4.3] * 2, [1] * 8, [0] * 4 + [1] * 4)
    found = effect(restricted_mean.contrast(same, same, 8.0), 0.05)
    assert found.p_value == 1.0 and found.difference_interval is None and note_text(found)


# ------------------------------------------------------------------------------------------------ the four laws


def slack_of(control: Lifetimes, variant: Lifetimes, horizon: float, scale: float) -> float:
    sizes = [restricted_mean.value(arm, horizon) or 0.0 for arm in (control, variant)]
    return 1e-9 + 1e-12 * max(sizes) / scale


@pytest.mark.slow
@settings(max_examples=250)
@given(comparisons(), ALPHAS)
def test_one_inversion_and_its_mirror(drawn: tuple[Lifetimes, Lifetimes, float], alpha: float) -> None:
    control, variant, horizon = drawn
    contrast = restricted_mean.contrast(control, variant, horizon)
    found = effect(contrast, alpha)
    check_one_inversion(found)
    check_finite(found)
    if contrast.difference_pivot is not None:
        slack = slack_of(control, variant, horizon, contrast.difference_pivot.scale)
        assume(slack < 1e-3)
        swapped = effect(restricted_mean.contrast(variant, control, horizon), alpha)
        check_mirror(found, swapped, contrast.difference_pivot.scale, slack)


@settings(max_examples=100)
@given(comparisons(), st.sampled_from([0.5, 3.7e-9, 3600.0, 8.1e8]))
@pytest.mark.slow
def test_the_unit_of_time_does_not_matter(drawn: tuple[Lifetimes, Lifetimes, float], by: float) -> None:
    control, variant, horizon = drawn
    contrast = restricted_mean.contrast(control, variant, horizon)
    other = restricted_mean.contrast(scaled(control, by), scaled(variant, by), horizon * by)
    assert (not note_text(contrast)) == (not note_text(other))
    if contrast.difference_pivot is not None:
        slack = slack_of(control, variant, horizon, contrast.difference_pivot.scale)
        assume(slack < 1e-3)
        check_scaled(effect(contrast, 0.05), effect(other, 0.05), by, contrast.difference_pivot.scale, slack)


@settings(max_examples=100)
@given(comparisons(), st.integers(0, 99))
@pytest.mark.slow
def test_the_order_of_lifetimes_does_not_matter(drawn: tuple[Lifetimes, Lifetimes, float], seed: int) -> None:
    control, variant, horizon = drawn
    contrast = restricted_mean.contrast(control, variant, horizon)
    other = restricted_mean.contrast(shuffled(control, seed), shuffled(variant, seed + 1), horizon)
    assert (note_text(contrast), contrast.difference) == (note_text(other), other.difference)
    if contrast.difference_pivot is not None and other.difference_pivot is not None:
        assert other.difference_pivot.scale == pytest.approx(contrast.difference_pivot.scale, rel=1e-9)
        assert other.p_value == pytest.approx(contrast.p_value, rel=1e-6)


@settings(max_examples=100)
@given(comparisons())
def test_the_value_lies_between_0_and_the_horizon(drawn: tuple[Lifetimes, Lifetimes, float]) -> None:
    control, _, horizon = drawn
    found = restricted_mean.value(control, horizon)
    if found is None:
        assert not control.durations.size or horizon > survival.largest_horizon(control)
    else:
        assert 0.0 <= found <= horizon * (1 + 1e-12)
        assert found == pytest.approx(weighted_mean(control, np.ones(control.durations.size), horizon), rel=1e-9)
