"""Bounds under response that depends on treatment, against answers trimmed one by one and a numerical delta method."""

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import optimize, stats  # type: ignore[import-untyped,unused-ignore]

from abcx.stats import nps, shares, trimming
from abcx.stats.lee_bounds import Bounds, Surveyed, bounds, claim, critical_value
from abcx.stats.records import Answers, Categories, Proportion
from tests.support.notes import note_text

NPS = [-100.0, 0.0, 100.0]
Array = NDArray[np.float64]

Arms = tuple[tuple[int, Sequence[int]], tuple[int, Sequence[int]]]
CASES: list[tuple[Arms, list[float]]] = [
    (((100, (30, 20)), (100, (32, 48))), [0.0, 1.0]),
    (((400, (20, 30, 50)), (500, (40, 33, 80))), NPS),
    (((700, (40, 33, 80)), (333, (20, 30, 50))), NPS),
    (((91, (3, 0, 7, 11, 9)), (60, (8, 1, 4, 2, 14))), [1.0, 2.0, 3.0, 4.0, 5.0]),
    (((90, (3, 0, 7, 11, 9)), (60, (8, 1, 4, 2, 13))), [0.0, 0.0, 0.0, 1.0, 1.0]),
    (((900, (70, 90, 110)), (900, (71, 95, 130))), [3.0, -1.0, 3.0]),
]
"""((exposed, answers) of the control, of the variant), scores; no cut falls just between two scores."""


def surveyed(exposed: int, counts: Sequence[int]) -> Surveyed:
    return Surveyed(exposed, Categories(0, tuple(counts)))


def run(arms: Arms, scores: Sequence[float]) -> Bounds:
    return bounds(surveyed(*arms[0]), surveyed(*arms[1]), scores)


def critical(width: float, alpha: float) -> float:
    return float(
        optimize.brentq(lambda c: stats.norm.cdf(c + width) - stats.norm.cdf(-c) - 1 + alpha, 0, 10, xtol=1e-14)
    )


# ------------------------------------------------------------------------------------------------ the bounds


def test_hand_worked_example() -> None:
    """50 of 100 answer in the control, 80 of 100 in the variant: 30 of its 80 answers are not of always-responders.

    Of its 48 ones and 32 zeros the lowest 50 have 18 ones, the highest 48; the control has 20 of 50. The 50 and 20
    units that did not answer are set to 0 or 1.
    """
    found = run(((100, (30, 20)), (100, (32, 48))), [0.0, 1.0])
    assert (found.response_control, found.response_variant) == (0.5, 0.8)
    assert found.lee == pytest.approx((18 / 50 - 20 / 50, 48 / 50 - 20 / 50))
    assert found.manski == pytest.approx((0.48 - 0.70, 0.68 - 0.20))
    assert found.response_p_value == shares.contrast(Proportion(50, 100), Proportion(80, 100)).p_value
    assert found.contains_no_effect and not note_text(found)


@pytest.mark.parametrize("arms, scores", CASES)
def test_trimming_one_answer_at_a_time(arms: Arms, scores: list[float]) -> None:
    """Every answer is cut in as many pieces as the other arm has exposed units: a whole number of them is kept."""
    answered = [sum(counts) for _, counts in arms]
    high = int(answered[1] * arms[0][0] > answered[0] * arms[1][0])
    pieces = arms[1 - high][0]
    trimmed = np.sort(np.repeat(scores, [count * pieces for count in arms[high][1]]))
    kept = arms[high][0] * answered[1 - high]
    low_end, high_end = trimmed[:kept].mean(), trimmed[-kept:].mean()
    other = np.repeat(scores, arms[1 - high][1]).mean()
    expected = (low_end - other, high_end - other) if high else (other - high_end, other - low_end)
    assert run(arms, scores).lee == pytest.approx(expected, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("arms, scores", CASES)
def test_worst_case_fills_in_every_unit(arms: Arms, scores: list[float]) -> None:
    filled = [
        [
            np.concatenate([np.repeat(scores, counts), np.full(exposed - sum(counts), by)])
            for by in (min(scores), max(scores))
        ]
        for exposed, counts in arms
    ]
    low = filled[1][0].mean() - filled[0][1].mean()
    high = filled[1][1].mean() - filled[0][0].mean()
    found = run(arms, scores)
    assert found.manski == pytest.approx((low, high), rel=1e-12)
    error_low = math.sqrt(filled[1][0].var() / arms[1][0] + filled[0][1].var() / arms[0][0])
    error_high = math.sqrt(filled[1][1].var() / arms[1][0] + filled[0][0].var() / arms[0][0])
    c = critical((high - low) / max(error_low, error_high), 0.05)
    assert found.manski_interval == pytest.approx((low - c * error_low, high + c * error_high), rel=1e-9)


# ------------------------------------------------------------------------------------------------ their errors


def lowest_mean(masses: Array, scores: Sequence[float], mass: float) -> float:
    """The mean score of the lowest `mass` among groups that have these masses."""
    order = np.argsort(scores)
    sorted_masses = masses[order]
    before = np.concatenate([[0.0], np.cumsum(sorted_masses)[:-1]])
    kept = np.clip(mass - before, 0.0, sorted_masses)
    return float((kept * np.asarray(scores)[order]).sum() / kept.sum())


def delta_method(of: Callable[[Array, Array], float], n: tuple[int, int], masses: tuple[Array, Array]) -> float:
    """The standard error of a function of two arms' answer shares among the exposed, by differences of the function."""
    variance = 0.0
    for arm, (size, p) in enumerate(zip(n, masses, strict=True)):
        gradient = np.zeros(len(p))
        for i in range(len(p)):
            ends = []
            for step in (1e-6, -1e-6):
                moved = [one.copy() for one in masses]
                moved[arm][i] += step
                ends.append(of(moved[0], moved[1]))
            gradient[i] = (ends[0] - ends[1]) / 2e-6
        variance += float(gradient**2 @ p - (gradient @ p) ** 2) / size
    return math.sqrt(variance)


@pytest.mark.parametrize("arms, scores", CASES)
@pytest.mark.parametrize("alpha", [0.05, 0.2])
def test_interval_has_the_errors_of_the_delta_method(arms: Arms, scores: list[float], alpha: float) -> None:
    masses = tuple(np.array(counts) / exposed for exposed, counts in arms)
    n = arms[0][0], arms[1][0]

    def bound(side: int) -> Callable[[Array, Array], float]:
        def of(p0: Array, p1: Array) -> float:
            """side 1: the least effect, with the variant's lowest and the control's highest answers."""
            mass, by = min(p0.sum(), p1.sum()), [side * score for score in scores]
            back = [-score for score in by]
            return side * (lowest_mean(p1, by, mass) + lowest_mean(p0, back, mass))

        return of

    errors = [delta_method(bound(side), n, (masses[0], masses[1])) for side in (1, -1)]
    found = bounds(surveyed(*arms[0]), surveyed(*arms[1]), scores, alpha)
    assert found.lee is not None and found.lee_interval is not None
    low, high = found.lee
    c = critical((high - low) / max(errors), alpha)
    reach = max(scores) - min(scores)
    expected = max(-reach, low - c * errors[0]), min(reach, high + c * errors[1])
    assert found.lee_interval == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_critical_value_solves_its_equation(alpha: float) -> None:
    for width in (0.0, 0.1, 0.7, 2.0, 5.0, 40.0):
        assert critical_value(width, alpha) == pytest.approx(critical(width, alpha), rel=1e-12)
    assert critical_value(0.0, 0.05) == pytest.approx(1.959964, abs=1e-6)
    assert critical_value(math.inf, 0.05) == pytest.approx(1.644854, abs=1e-6)


# ------------------------------------------------------------------------------------------------ equal shares


def test_everybody_answers_is_the_plain_difference_with_its_error() -> None:
    control, variant = (20, 30, 50), (40, 30, 80)
    found = run(((100, control), (150, variant)), NPS)
    x, y = np.repeat(NPS, control), np.repeat(NPS, variant)
    difference, error = y.mean() - x.mean(), math.sqrt(x.var() / 100 + y.var() / 150)
    plain = (difference - stats.norm.isf(0.025) * error, difference + stats.norm.isf(0.025) * error)
    assert found.lee == pytest.approx((difference, difference)) == found.manski
    assert found.lee_interval == pytest.approx(plain, rel=1e-9) == found.manski_interval
    assert found.response_p_value == 1.0


def test_equal_shares_are_the_plain_difference_with_at_least_its_error() -> None:
    """A third in both arms, in different sizes: that the shares are equal is itself an estimate."""
    control, variant = (20, 30, 50), (70, 50, 80)
    found = run(((300, control), (600, variant)), NPS)
    x, y = np.repeat(NPS, control), np.repeat(NPS, variant)
    difference, error = y.mean() - x.mean(), math.sqrt(x.var() / 100 + y.var() / 200)
    assert found.lee == pytest.approx((difference, difference)) and found.lee_interval is not None
    assert found.lee_interval[0] < difference - 1.96 * error and found.lee_interval[1] > difference + 1.96 * error


def test_equal_shares_have_the_wider_interval_of_their_neighbors() -> None:
    """One answer more or less in millions decides which arm is trimmed, and hardly moves anything else."""
    found, fewer, more = (
        run(((3_000_000, (200_000, 300_000, 500_000)), (6_000_000, (700_000, 500_000 + extra, 800_000))), NPS)
        for extra in (0, -1, 1)
    )
    assert found.lee is not None and found.lee_interval and fewer.lee_interval and more.lee_interval
    for end, side in enumerate((-1, 1)):
        reaches = [side * (one[end] - found.lee[0]) for one in (fewer.lee_interval, more.lee_interval)]
        assert side * (found.lee_interval[end] - found.lee[0]) == pytest.approx(max(reaches), rel=5e-3)
        assert min(reaches) < 0.9 * max(reaches)


@pytest.mark.parametrize("share, beyond", [(Fraction(3, 10), 2.0), (Fraction(1, 2), 5.0), (Fraction(1), 5.0)])
def test_a_cut_between_two_scores_has_the_larger_error(share: Fraction, beyond: float) -> None:
    """Three answers of 1, two of 2, five of 5: 3/10 and 1/2 of them end just between two scores."""
    values, counts = [1.0, 2.0, 5.0], [3, 2, 5]
    found = trimming.lowest(values, counts, share, 0.01)
    tiny = Fraction(1, 10**9)
    near = [trimming.lowest(values, counts, other, 0.01) for other in (share - tiny, min(Fraction(1), share + tiny))]
    assert found.mean == pytest.approx(near[0].mean, abs=1e-7) == near[1].mean
    assert found.variance == pytest.approx(max(near[0].variance, near[1].variance), rel=1e-6)
    kept = np.sort(np.repeat(values, counts))[: int(share * 10)]
    away2 = (beyond - kept.mean()) ** 2
    assert found.variance == pytest.approx((kept.var() + away2 * (1 - float(share))) / len(kept) + away2 * 0.01)


# ------------------------------------------------------------------------------------------------ degenerate


def test_without_answers_only_the_worst_case_is_left() -> None:
    found = run(((50, (0, 0, 0)), (60, (0, 0, 0))), NPS)
    assert found.lee is None and found.lee_interval is None and found.contains_no_effect
    assert found.manski == found.manski_interval == (-200.0, 200.0)
    assert found.response_control == 0.0 and "no answers" in note_text(found)
    half = run(((50, (0, 0, 0)), (60, (3, 4, 5))), NPS)
    assert half.lee is None and half.contains_no_effect and half.manski_interval is not None
    one = run(((50, (0, 1, 0)), (60, (3, 4, 5))), NPS)
    assert one.lee is None and one.contains_no_effect and "only one answer" in note_text(one)


def test_nobody_exposed() -> None:
    found = run(((0, (0, 0, 0)), (60, (3, 4, 5))), NPS)
    assert found == Bounds(None, 12 / 60, None, None, None, None, None, True, found.note) and found.note


def test_answers_that_do_not_vary_have_no_measurable_error() -> None:
    found = run(((9, (0, 9, 0)), (7, (0, 0, 7))), NPS)
    assert found.lee == found.manski == (100.0, 100.0)
    assert (
        found.lee_interval is None and found.manski_interval is None and found.contains_no_effect and note_text(found)
    )
    # kept are detractors only, or promoters only: 30 of 100 exposed of each, the control's 20 all passive
    split = run(((100, (0, 20, 0)), (100, (30, 0, 30))), NPS)
    assert split.lee == (-100.0, 100.0) and split.lee_interval is None and split.contains_no_effect and note_text(split)
    varied = run(((9, (0, 9, 0)), (7, (0, 1, 6))), NPS)
    assert varied.lee_interval is not None and not varied.contains_no_effect and not note_text(varied)


def test_what_does_not_fit_together_is_refused() -> None:
    with pytest.raises(ValueError, match="same scale"):
        bounds(Surveyed(9, Categories(0, (1, 1))), Surveyed(9, Categories(1, (1, 1))), [0.0, 1.0])
    with pytest.raises(ValueError, match="3 scores for 2 answers"):
        run(((9, (1, 1)), (9, (1, 1))), NPS)
    with pytest.raises(ValueError, match="3 answers from 2 exposed"):
        run(((2, (1, 2)), (9, (1, 1))), [0.0, 1.0])


# ------------------------------------------------------------------------------------------------ simulation


def samples(seed: int, n: int, masses: Sequence[float], many: int) -> list[list[int]]:
    drawn = np.random.default_rng(seed).multinomial(n, [*masses, 1 - sum(masses)], many)
    kept: list[list[int]] = drawn[:, :-1].tolist()
    return kept


@pytest.mark.parametrize(
    "n, extra, true",
    [
        (500, (0.03, 0.0, 0.0), 10.0),  # the truth is the upper bound: all extra answers are the lowest
        (500, (0.0, 0.0, 0.05), 10.0),  # the lower bound
        (2000, (0.03, 0.01, 0.01), 10.0),
        (500, (0.0, 0.0, 0.0), 10.0),
    ],
)
@pytest.mark.slow
def test_interval_holds_the_effect_on_always_responders(n: int, extra: tuple[float, ...], true: float) -> None:
    """20 % always answer, 11 % of all are promoters and 4 % detractors then, 10 % and 5 % in the control.

    Where the truth is a bound, the interval is meant to miss it in 5 % of the samples.
    """
    always = np.array([0.04, 0.05, 0.11])
    control = samples(1, n, (0.05, 0.05, 0.10), 800)
    variant = samples(2, n, tuple(always + extra), 800)
    covered = 0
    for x, y in zip(control, variant, strict=True):
        found = run(((n, x), (n, y)), NPS).lee_interval
        assert found is not None
        covered += found[0] <= true <= found[1]
    assert covered / 800 >= 0.95 - 2 * math.sqrt(0.05 * 0.95 / 800)


def test_a_change_that_only_makes_unhappy_people_answer() -> None:
    """No effect on anybody: 20.0 % always answer (NPS 25), and the variant makes 0.8 % more answer, all detractors.

    The plain NPS test calls this a difference in 78 % of the samples: 4.81 points are 2.73 standard errors. No effect
    is the upper bound itself, so that Lee's interval is meant to contain it in 95 %, not in more.
    """
    n, many = 22_200, 1000
    control, variant = samples(3, n, (0.05, 0.05, 0.10), many), samples(4, n, (0.058, 0.05, 0.10), many)
    rejected = contained = 0
    for x, y in zip(control, variant, strict=True):
        p = nps.contrast(Answers(*reversed(x)), Answers(*reversed(y))).p_value
        rejected += p is not None and p < 0.05
        contained += run(((n, x), (n, y)), NPS).contains_no_effect
    assert rejected / many == pytest.approx(stats.norm.sf(1.96 - 2.73), abs=2 * math.sqrt(0.78 * 0.22 / many))
    assert contained / many >= 0.95


# ------------------------------------------------------------------------------------------------ laws

some = st.one_of(st.integers(0, 5), st.integers(0, 400), st.just(0))
arms = st.builds(
    lambda counts, silent: surveyed(sum(counts) + silent, counts), st.lists(some, min_size=4, max_size=4), some
)
scores = st.lists(st.integers(-3, 3).map(float), min_size=4, max_size=4)


def ranges(found: Bounds) -> list[tuple[float, float] | None]:
    return [found.lee, found.lee_interval, found.manski, found.manski_interval]


def check_same(found: Bounds, other: Bounds, by: float) -> None:
    """`other` is `found` with all effects multiplied by `by`."""
    assert found.contains_no_effect == other.contains_no_effect and note_text(found) == note_text(other)
    for one, two in zip(ranges(found), ranges(other), strict=True):
        assert (one is None) == (two is None)
        if one is not None and two is not None:
            assert sorted(end * by for end in one) == pytest.approx(two, rel=1e-9, abs=1e-11 * abs(by))


@given(arms, arms, scores)
def test_no_nan_and_no_end_beyond_the_scale(control: Surveyed, variant: Surveyed, by: list[float]) -> None:
    found, reach = bounds(control, variant, by), max(by) - min(by)
    for one in ranges(found):
        if one is not None:
            assert -reach - 1e-9 <= one[0] <= one[1] + 1e-9 and one[1] <= reach + 1e-9
    for inner, outer in (found.lee, found.lee_interval), (found.manski, found.manski_interval):
        if inner is not None and outer is not None:
            assert outer[0] <= inner[0] + 1e-9 and outer[1] >= inner[1] - 1e-9
    everybody = all(arm.exposed == arm.answers.n for arm in (control, variant))
    assert not (everybody and found.lee) or found.lee == pytest.approx(found.manski, abs=1e-12)
    for number in dataclasses.astuple(found)[:3]:
        assert number is None or 0 <= number <= 1
    assert found.lee_interval is not None or note_text(found)


@given(arms, arms, scores)
def test_swapped_arms_are_the_mirror_image(control: Surveyed, variant: Surveyed, by: list[float]) -> None:
    found, other = bounds(control, variant, by), bounds(variant, control, by)
    assert (found.response_control, found.response_variant) == (other.response_variant, other.response_control)
    check_same(found, other, -1.0)


@given(arms, arms, scores, st.sampled_from([0.5, 100.0, -1.0, 3.7e-6]))
def test_scores_in_another_unit(control: Surveyed, variant: Surveyed, by: list[float], unit: float) -> None:
    check_same(bounds(control, variant, by), bounds(control, variant, [score * unit for score in by]), unit)


@given(arms, arms, scores, st.permutations(range(4)))
def test_the_order_of_the_answers_is_that_of_their_scores(
    control: Surveyed, variant: Surveyed, by: list[float], order: list[int]
) -> None:
    def moved(arm: Surveyed) -> Surveyed:
        return surveyed(arm.exposed, [arm.answers.counts[i] for i in order])

    check_same(bounds(control, variant, by), bounds(moved(control), moved(variant), [by[i] for i in order]), 1.0)


def test_more_trimming_is_wider() -> None:
    """The more the response shares differ, the less is known."""
    widths = []
    for extra in range(0, 60, 6):
        found = run(((400, (20, 30, 50)), (400, (20 + extra, 30 + extra, 50 + extra))), NPS).lee
        assert found is not None
        widths.append(found[1] - found[0])
    assert widths[0] == pytest.approx(0.0, abs=1e-12)
    assert all(a < b for a, b in itertools.pairwise(widths))


@pytest.mark.parametrize("relative", [False, True])
def test_a_claim_covers_either_bound_with_its_own_tail(relative: bool) -> None:
    """Extra answers of the variant are all at the bottom: the upper Lee bound is the truth (no effect). A claim of harm
    may then be made in at most 2.5 % of the samples, whatever the scale."""
    rng = np.random.default_rng(5)
    wrong, runs = 0, 400
    scores = (0.0, 1.0)
    for _ in range(runs):
        always = rng.multinomial(4000, [0.05, 0.15, 0.8])
        extra = rng.multinomial(4000, [0.05, 0.15, 0.05, 0.75])
        control = Surveyed(4000, Categories(0, (int(always[0]), int(always[1]))))
        variant = Surveyed(4000, Categories(0, (int(extra[0] + extra[2]), int(extra[1]))))
        high = claim(control, variant, scores, (0.05, 0.05), relative)[1]
        wrong += high is not None and high < 0.0
    assert wrong / runs <= 0.025 + 2 * (0.025 * 0.975 / runs) ** 0.5


def test_a_claim_at_equal_response_is_the_plain_interval() -> None:
    """Nothing is trimmed: the difference of means -+ z standard errors (divisor n), and Fieller's ratio."""
    control, variant = Surveyed(1000, Categories(0, (60, 140))), Surveyed(1000, Categories(0, (50, 150)))
    z = stats.norm.isf(0.025)
    p, q = 0.7, 0.75
    error = (p * (1 - p) / 200 + q * (1 - q) / 200) ** 0.5
    found = claim(control, variant, (0.0, 1.0), (0.05, 0.05), relative=False)
    # Lee's variance adds the error of the share that is trimmed: the interval is never narrower than the plain one.
    assert found[0] is not None and found[1] is not None
    assert found[0] <= q - p - z * error + 1e-12 and found[1] >= q - p + z * error - 1e-12
    ratio = claim(control, variant, (0.0, 1.0), (0.05, 0.05), relative=True)
    assert ratio[0] is not None and ratio[1] is not None and ratio[0] < q / p - 1 < ratio[1]


def test_swapped_arms_claim_the_mirror_image() -> None:
    one, other = Surveyed(1000, Categories(0, (60, 140))), Surveyed(900, Categories(0, (90, 150)))
    forth = claim(one, other, (0.0, 1.0), (0.05, 0.01), relative=False)
    back = claim(other, one, (0.0, 1.0), (0.01, 0.05), relative=False)
    assert forth[0] is not None and back[1] is not None and forth[1] is not None and back[0] is not None
    assert (forth[0], forth[1]) == pytest.approx((-back[1], -back[0]), rel=1e-12)
    lift = claim(one, other, (0.0, 1.0), (0.05, 0.01), relative=True)
    turned = claim(other, one, (0.0, 1.0), (0.01, 0.05), relative=True)
    assert lift[0] is not None and lift[1] is not None and turned[0] is not None and turned[1] is not None
    assert 1 + lift[0] == pytest.approx(1 / (1 + turned[1]), rel=1e-9)
    assert 1 + lift[1] == pytest.approx(1 / (1 + turned[0]), rel=1e-9)


def test_an_open_level_leaves_its_end_open_and_too_few_answers_claim_nothing() -> None:
    one, other = Surveyed(1000, Categories(0, (60, 140))), Surveyed(900, Categories(0, (90, 150)))
    assert claim(one, other, (0.0, 1.0), (0.0, 0.05), relative=False)[0] is None
    few = Surveyed(1000, Categories(0, (1, 0)))
    assert claim(few, other, (0.0, 1.0), (0.05, 0.05), relative=False) == (None, None)
