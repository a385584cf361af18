"""Net Promoter Scores against the published example, Rocks's formula written out, scipy's Welch and the four laws."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from abcx.stats import nps
from abcx.stats.inversion import effect, one_sided, two_sided
from abcx.stats.records import Answers, Categories, Effect, Interval
from tests.support.notes import note_text

CONTROL, VARIANT = Answers(40, 30, 30), Answers(55, 25, 20)
"""Published case nps_two_samples: z = 2.178 as it is, 2.151 with the adjustment."""

some = st.one_of(st.integers(0, 12), st.integers(0, 700), st.just(0))
arms = st.builds(Answers, some, some, some)
alphas = st.sampled_from([0.001, 0.01, 0.05, 0.1, 0.2])


def scored(answers: Answers, extra: bool) -> tuple[float, float]:
    """(mean, variance of the mean) of the scores by numpy's weighted mean, with Rocks's three answers or without."""
    scores = np.array([100.0, 0.0, -100.0])
    weights = np.array([answers.promoters, answers.passives, answers.detractors], float)
    if extra:
        weights = weights + [0.75, 1.5, 0.75]
    mean = np.average(scores, weights=weights)
    return float(mean), float(np.average((scores - mean) ** 2, weights=weights) / weights.sum())


def times(answers: Answers, by: int) -> Answers:
    return Answers(answers.promoters * by, answers.passives * by, answers.detractors * by)


@pytest.mark.parametrize("by, z", [(1, 2.151), (10, 2.178)])
def test_published_example(by: int, z: float) -> None:
    """Ten times the answers are enough not to be adjusted, and make z larger by the root of ten."""
    found = nps.contrast(times(CONTROL, by), times(VARIANT, by))
    assert found.method == ("Welch (adjusted NPS)" if by == 1 else "Welch (NPS)")
    assert found.difference == pytest.approx(25.0) and found.p_value is not None
    v0, v1 = (scored(one, by == 1)[1] for one in (CONTROL, VARIANT))
    df = (v0 + v1) ** 2 / (v0**2 + v1**2) * (100 * by - 1)
    assert stats.t.isf(found.p_value / 2, df) / math.sqrt(by) == pytest.approx(z, abs=5e-4)


def expanded(answers: Answers) -> NDArray[np.float64]:
    return np.repeat([100.0, 0.0, -100.0], [answers.promoters, answers.passives, answers.detractors])


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_many_answers_are_welch_on_the_scores(alpha: float) -> None:
    """scipy's Welch has divisor n - 1: the standard error is larger by the root of n / (n - 1) in each arm."""
    control, variant = times(CONTROL, 30), times(VARIANT, 30)
    expected = stats.ttest_ind(expanded(variant), expanded(control), equal_var=False)
    found = effect(nps.contrast(control, variant), alpha)
    assert found.method == "Welch (NPS)" and found.difference == pytest.approx(25.0)
    t = expected.statistic * math.sqrt(3000 / 2999)
    assert found.p_value == pytest.approx(2 * stats.t.sf(t, expected.df), rel=1e-9)
    bounds = expected.confidence_interval(1 - alpha)
    half = (bounds.high - bounds.low) / 2 * math.sqrt(2999 / 3000)
    assert found.difference_interval == pytest.approx((25.0 - half, 25.0 + half), rel=1e-9)


def test_one_arm_below_500_adjusts_both() -> None:
    few, many = Answers(200, 150, 149), Answers(900, 300, 300)
    found = effect(nps.contrast(few, many), 0.05)
    (m0, v0), (m1, v1) = scored(few, True), scored(many, True)
    df = (v0 + v1) ** 2 / (v0**2 / 498 + v1**2 / 1499)
    assert found.p_value == pytest.approx(2 * stats.t.sf((m1 - m0) / math.sqrt(v0 + v1), df), rel=1e-9)
    reach = stats.t.ppf(0.975, df) * math.sqrt(v0 + v1)
    assert found.difference_interval == pytest.approx((m1 - m0 - reach, m1 - m0 + reach), rel=1e-9)
    assert found.difference == pytest.approx(100 * (600 / 1500 - 51 / 499), rel=1e-12)
    one_more = nps.contrast(Answers(201, 150, 149), many)
    assert one_more.method == "Welch (NPS)"


@pytest.mark.parametrize("answers, extra", [(CONTROL, True), (times(CONTROL, 5), False)])
def test_interval_of_one_arm(answers: Answers, extra: bool) -> None:
    mean, variance = scored(answers, extra)
    reach = stats.t.ppf(0.95, answers.n - 1) * math.sqrt(variance)
    assert nps.interval(answers, 0.1) == pytest.approx((mean - reach, mean + reach), rel=1e-9)
    assert nps.value(answers) == pytest.approx(10.0)


def test_answers_are_grouped_by_the_usual_kinds() -> None:
    assert nps.grouped(Categories(0, (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11))) == Answers(10 + 11, 8 + 9, 28)
    assert nps.grouped(Categories(6, (5, 4, 3, 2))) == Answers(2, 7, 5)
    assert [nps.score(answer) for answer in range(11)] == [-100.0] * 7 + [0.0] * 2 + [100.0] * 2
    for low, counts in ((0, (0,) * 12), (-1, (1, 2))):
        with pytest.raises(ValueError, match="between 0 and 10"):
            nps.grouped(Categories(low, counts))


def test_without_answers() -> None:
    nobody = Answers(0, 0, 0)
    assert nps.value(nobody) is None and nps.interval(nobody, 0.05) == (None, None)
    for pair in ((nobody, CONTROL), (CONTROL, nobody), (nobody, nobody)):
        found = effect(nps.contrast(*pair), 0.05)
        assert (found.difference, found.p_value, found.difference_interval) == (None, None, None)
        assert note_text(found) == "An arm has no answers."


def test_one_answer_shows_its_value_and_tests_nothing() -> None:
    one = Answers(1, 0, 0)
    assert nps.value(one) == 100.0 and nps.interval(one, 0.05) == (None, None)
    found = effect(nps.contrast(CONTROL, one), 0.05)
    assert found.difference == pytest.approx(90.0) and "one answer" in note_text(found)
    assert (found.p_value, found.difference_interval) == (None, None)


@pytest.mark.parametrize("sizes", [(2, 2), (10, 499), (499, 10), (600, 600), (600, 90_000)])
@pytest.mark.parametrize("kind", ["promoters", "passives", "detractors"])
def test_arms_of_one_kind_only_do_not_differ_and_are_not_certain(sizes: tuple[int, int], kind: str) -> None:
    control, variant = (dataclasses.replace(Answers(0, 0, 0), **{kind: n}) for n in sizes)
    for alpha in (0.001, 0.05, 0.2):
        found = effect(nps.contrast(control, variant), alpha)
        assert found.method == "Welch (adjusted NPS)"
        assert found.p_value == 1.0 and found.difference == 0.0 and found.difference_interval is not None
        low, high = found.difference_interval
        assert low is not None and high is not None and low <= 0 <= high and low < high


def test_promoters_only_against_detractors_only() -> None:
    found = effect(nps.contrast(Answers(0, 0, 800), Answers(800, 0, 0)), 0.05)
    assert found.difference == 200.0 and found.p_value is not None and found.p_value < 1e-100
    assert found.difference_interval is not None and found.difference_interval[1] == 200.0
    low = found.difference_interval[0]
    assert low is not None and 197.5 < low < 199
    # two answers each: nothing is excluded at 1 %
    assert effect(nps.contrast(Answers(0, 0, 2), Answers(2, 0, 0)), 0.01).difference_interval == (-200.0, 200.0)


def test_an_arm_of_promoters_may_have_others() -> None:
    """Ten of ten: the lower end is Rocks's, the upper one is the end of the scale."""
    low, high = nps.interval(Answers(10, 0, 0), 0.05)
    mean, variance = scored(Answers(10, 0, 0), True)
    assert high == 100.0 and low == pytest.approx(mean - stats.t.ppf(0.975, 9) * math.sqrt(variance))
    assert nps.interval(Answers(10_000, 0, 0), 0.05)[0] == pytest.approx(99.93, abs=0.02)


@pytest.mark.parametrize(
    "n, control, variant, least",
    [
        ((40, 40), (0.5, 0.3, 0.2), (0.8, 0.15, 0.05), 0.94),
        ((60, 15), (0.8, 0.15, 0.05), (0.8, 0.15, 0.05), 0.94),
        ((60, 15), (0.92, 0.06, 0.02), (0.92, 0.06, 0.02), 0.94),
    ],
)
@pytest.mark.slow
def test_intervals_hold_the_true_difference(
    n: tuple[int, int], control: tuple[float, ...], variant: tuple[float, ...], least: float
) -> None:
    """Unadjusted Welch covers 82.6 % in the last case (all tables of both arms enumerated)."""
    rng = np.random.default_rng(3)
    true = 100 * (variant[0] - variant[2] - control[0] + control[2])
    samples = [rng.multinomial(size, shares, 1500).tolist() for size, shares in zip(n, (control, variant), strict=True)]
    pivots = [nps.contrast(Answers(*c), Answers(*v)).difference_pivot for c, v in zip(*samples, strict=True)]
    covered = np.mean([pivot is not None and two_sided(pivot, true) >= 0.05 for pivot in pivots])
    assert covered >= least


# ------------------------------------------------------------------------------------------------ laws


def check_finite(found: Effect) -> None:
    for value in dataclasses.astuple(found):
        for number in value if isinstance(value, tuple) else (value,):
            assert not isinstance(number, float) or math.isfinite(number), found


def mirrored(interval: Interval) -> Interval:
    low, high = interval
    assert low is not None and high is not None
    return -high, -low


@given(arms, arms, alphas)
def test_one_inversion(control: Answers, variant: Answers, alpha: float) -> None:
    contrast = nps.contrast(control, variant)
    found = effect(contrast, alpha)
    check_finite(found)
    assert found.lift is None and found.lift_interval is None and found.lift_note == nps.LIFT_NOTE
    if min(control.n, variant.n) < 2:
        assert found.p_value is None and found.difference_interval is None and note_text(found)
        return
    assert found.p_value is not None and 0 <= found.p_value <= 1
    assert found.difference is not None and found.difference_interval is not None
    low, high = found.difference_interval
    assert low is not None and high is not None and -200 <= low <= found.difference <= high <= 200
    assert (low > 0 or high < 0) == (found.p_value < alpha)
    for margin in (-7.0, 3.0):
        assert contrast.difference_pivot is not None
        if min(abs(margin - low), abs(margin - high)) > 1e-6:
            assert (one_sided(contrast.difference_pivot, margin, "above") < alpha / 2) == (high < margin)
            assert (one_sided(contrast.difference_pivot, margin, "below") < alpha / 2) == (low > margin)


@given(arms, arms, alphas)
def test_swapped_arms_are_the_mirror_image(control: Answers, variant: Answers, alpha: float) -> None:
    found, other = (effect(nps.contrast(*pair), alpha) for pair in ((control, variant), (variant, control)))
    assert found.p_value == other.p_value and found.method == other.method
    assert found.difference is None or found.difference == -(other.difference or 0.0)
    if found.difference_interval and other.difference_interval:
        assert found.difference_interval == mirrored(other.difference_interval)


@given(arms, arms, alphas)
def test_promoters_and_detractors_exchanged_change_the_sign(control: Answers, variant: Answers, alpha: float) -> None:
    """A scale read backwards: the only other unit that an NPS can have."""
    turned = [Answers(one.detractors, one.passives, one.promoters) for one in (control, variant)]
    found, other = effect(nps.contrast(control, variant), alpha), effect(nps.contrast(*turned), alpha)
    assert found.p_value == other.p_value
    if found.difference_interval and other.difference_interval:
        assert found.difference_interval == mirrored(other.difference_interval)


@example(Answers(0, 0, 400), 0.2)  # the adjusted interval alone would end short of -100
@example(Answers(400, 0, 0), 0.2)
@given(arms, alphas)
def test_intervals_of_arms_are_finite_and_hold_the_value(answers: Answers, alpha: float) -> None:
    value, (low, high) = nps.value(answers), nps.interval(answers, alpha)
    if answers.n < 2:
        assert (low, high) == (None, None)
    else:
        assert value is not None and low is not None and high is not None
        assert -100 <= low <= value <= high <= 100 and low < high
