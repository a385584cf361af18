"""Shares against published intervals, numerical likelihoods and brute-force enumeration."""

import math
import random
import time

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped,unused-ignore]
from statsmodels.stats import proportion as sm  # type: ignore[import-untyped,unused-ignore]

from abcx.stats import miettinen_nurminen, shares
from abcx.stats.inversion import effect
from abcx.stats.records import Contrast, Effect, Proportion
from abcx.stats.shares import BINOMIAL
from tests.support import oracles
from tests.support.notes import lift_text, note_text


def contrast(x0: int, n0: int, x1: int, n1: int) -> Contrast:
    return shares.contrast(Proportion(x0, n0), Proportion(x1, n1))


def result(x0: int, n0: int, x1: int, n1: int, alpha: float = 0.05) -> Effect:
    return effect(contrast(x0, n0, x1, n1), alpha)


# ------------------------------------------------------------------------------------------------ published


def test_miettinen_nurminen_published() -> None:
    found = result(*oracles.NEWCOMBE_A)
    assert found.method == "score"
    assert found.difference_interval == pytest.approx(oracles.MIETTINEN_NURMINEN_A, abs=5e-5)


def test_ratio_published_with_a_share_of_one() -> None:
    """Non-events are few here, so the readout is exact; the published end belongs to the score statistic itself."""
    x0, n0, x1, n1 = oracles.KOOPMAN_SHARE_OF_ONE
    z = stats.norm.isf(0.025)
    assert float(miettinen_nurminen.score_ratio(x0, n0, x1, n1, oracles.KOOPMAN_LOWER - 5e-4)) > z
    assert float(miettinen_nurminen.score_ratio(x0, n0, x1, n1, oracles.KOOPMAN_LOWER + 5e-4)) < z
    found = result(*oracles.KOOPMAN_SHARE_OF_ONE).lift_interval
    assert found is not None and found[0] is not None
    assert 1 + found[0] == pytest.approx(oracles.KOOPMAN_LOWER, abs=0.02)


@pytest.mark.parametrize(
    ("counts", "published"),
    [
        (oracles.COOKIE_CATS_DAY_7, oracles.COOKIE_CATS_DAY_7_P),
        (oracles.COOKIE_CATS_DAY_1, oracles.COOKIE_CATS_DAY_1_P),
        (oracles.LANDING_PAGE, oracles.LANDING_PAGE_P),
    ],
)
def test_published_p_values(counts: tuple[int, int, int, int], published: float) -> None:
    assert contrast(*counts).p_value == pytest.approx(published, rel=0.005)


def test_p_is_the_pooled_z_test_with_n_over_n_minus_1() -> None:
    for x0, n0, x1, n1 in (oracles.COOKIE_CATS_DAY_7, oracles.NEWCOMBE_A, (288, 2400, 90, 600)):
        z = sm.proportions_ztest([x1, x0], [n1, n0])[0] * math.sqrt((n0 + n1 - 1) / (n0 + n1))
        assert contrast(x0, n0, x1, n1).p_value == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)


def test_p_and_intervals_agree_where_wald_disagrees() -> None:
    found = result(288, 2400, 90, 600)
    assert found.p_value is not None and found.difference_interval is not None and found.lift_interval is not None
    assert found.p_value < 0.05 and found.difference_interval[0] > 0 and found.lift_interval[0] > 0  # type: ignore[operator]


def test_nothing_in_control() -> None:
    found = result(0, 1000, 25, 1000)
    assert found.method == "binomial score" and found.p_value is not None and 1e-9 < found.p_value < 1e-6
    assert found.lift is None and "no events in the control arm" in lift_text(found)
    assert found.lift_interval is not None and found.lift_interval[0] is not None and found.lift_interval[1] is None
    assert found.lift_interval[0] > 0


# ------------------------------------------------------------------------------------------------ oracles


def random_counts(rng: random.Random, most: int) -> tuple[int, int, int, int]:
    n0, n1 = rng.randint(1, most), rng.randint(1, most)
    return rng.choice([0, n0, rng.randint(0, n0)]), n0, rng.choice([0, n1, rng.randint(0, n1)]), n1


def test_constrained_shares_maximize_the_likelihood() -> None:
    rng = random.Random(11)
    for _ in range(300):
        counts = random_counts(rng, 200)
        d, r = rng.uniform(-0.999, 0.999), math.exp(rng.gauss(0, 2))
        for kind, h, fit in (
            ("difference", d, miettinen_nurminen.for_difference),
            ("ratio", r, miettinen_nurminen.for_ratio),
        ):
            p0, p1 = (float(p) for p in fit(*counts, h))
            found, _ = oracles.maximized(kind, *counts, h)  # type: ignore[arg-type]
            ours = oracles.log_likelihood(kind, p0, *counts, h)  # type: ignore[arg-type]
            best = oracles.log_likelihood(kind, found, *counts, h)  # type: ignore[arg-type]
            assert 0 <= p0 <= 1 and 0 <= p1 <= 1
            assert p1 == pytest.approx(p0 + h if kind == "difference" else p0 * h, abs=1e-12)
            assert ours >= best - 1e-9 * (1 + abs(best)) or p0 == pytest.approx(found, abs=1e-9)


@pytest.mark.parametrize("counts", [(3, 10**6, 1, 10**5), (0, 10**6, 3, 10**6), (10**6 - 3, 10**6, 10**6, 10**6)])
@pytest.mark.parametrize("h", [1e-9, 1e-6, -3e-6, 0.3, -0.3])
def test_constrained_shares_keep_their_digits_when_events_are_rare(counts: tuple[int, int, int, int], h: float) -> None:
    expected = oracles.climbed("difference", *counts, h)
    assert [float(p) for p in miettinen_nurminen.for_difference(*counts, h)] == pytest.approx(expected, rel=1e-12)
    expected = oracles.climbed("ratio", *counts, 1 + h)
    assert [float(p) for p in miettinen_nurminen.for_ratio(*counts, 1 + h)] == pytest.approx(expected, rel=1e-12)


def test_statistics_match_the_second_derivation() -> None:
    rng = random.Random(12)
    for _ in range(300):
        counts = random_counts(rng, 500)
        d, r = rng.uniform(-0.999, 0.999), math.exp(rng.gauss(0, 2))
        found = (
            float(miettinen_nurminen.score_difference(*counts, d)),
            float(miettinen_nurminen.score_ratio(*counts, r)),
        )
        expected = oracles.score("difference", *counts, d), oracles.score("ratio", *counts, r)
        assert found == pytest.approx(expected, rel=1e-8, abs=1e-9), (counts, d, r)


def test_the_statistic_grows_with_the_variant_and_falls_with_the_control() -> None:
    """What the bisection over outcomes in exact.py relies on."""
    rng = np.random.default_rng(1)
    for _ in range(400):
        n0, n1 = (int(n) for n in rng.integers(1, 50, 2))
        i, j = np.meshgrid(np.arange(n0 + 1.0), np.arange(n1 + 1.0), indexing="ij")
        d, r = float(rng.uniform(-1, 1)), float(np.exp(rng.normal(0, 2)))
        for t in (
            miettinen_nurminen.score_difference(i, n0, j, n1, d),
            miettinen_nurminen.score_ratio(i, n0, j, n1, r),
        ):
            assert not np.isnan(t).any()
            t = np.clip(t, -1e6, 1e6)
            assert np.diff(t, axis=1).min() > -1e-9 and np.diff(t, axis=0).max() < 1e-9


@pytest.mark.slow
def test_exact_tails_match_enumeration() -> None:
    rng = random.Random(13)
    for _ in range(80):
        counts = random_counts(rng, 9)
        found = contrast(*counts)
        assert found.method == "binomial score" and found.difference_pivot is not None
        for d in (0.0, rng.uniform(-0.98, 0.98)):
            expected = oracles.exact_tails("difference", *counts, d)
            assert found.difference_pivot.tails(d) == pytest.approx(expected, abs=1e-10), (counts, d)
        if found.ratio_pivot is not None:
            for r in (1.0, math.exp(rng.gauss(0, 1))):
                expected = oracles.exact_tails("ratio", *counts, r)
                assert found.ratio_pivot.tails(r) == pytest.approx(expected, abs=1e-10), (counts, r)


def test_exact_tails_with_very_unequal_arms() -> None:
    found = contrast(2, 4, 3, 90)
    assert found.difference_pivot is not None and found.ratio_pivot is not None
    for h in (0.0, 0.07, -0.2):
        expected = oracles.exact_tails("difference", 2, 4, 3, 90, h)
        assert found.difference_pivot.tails(h) == pytest.approx(expected, abs=1e-10)
    expected = oracles.exact_tails("ratio", 90, 90, 1, 3, 0.4)
    pivot = contrast(90, 90, 1, 3).ratio_pivot
    assert pivot is not None and pivot.tails(0.4) == pytest.approx(expected, abs=1e-10)


def test_tiny_exact_p_is_not_cut_off() -> None:
    """Outcomes are cut at a mass of 1e-12; a tail far below that still has its digits."""
    expected = oracles.exact_p("difference", 8, 8, 2, 400, 0.0)
    assert 0 < expected < 1e-12
    assert contrast(8, 8, 2, 400).p_value == pytest.approx(expected, rel=1e-6)
    assert contrast(2, 400, 8, 8).p_value == pytest.approx(expected, rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("counts", [(18, 40, 29, 44), (60, 300, 20, 70), (40, 90, 88, 160)])
def test_score_intervals_match_a_scan(counts: tuple[int, int, int, int]) -> None:
    found = result(*counts, alpha=0.1)
    assert found.method == "score" and found.lift_interval is not None
    step = 0.002
    differences = [k * step for k in range(-499, 500)]
    assert found.difference_interval == pytest.approx(
        oracles.scanned(lambda d: oracles.score_p("difference", *counts, d), differences, 0.1), abs=1.01 * step
    )
    ratios = [math.exp(k * step) for k in range(-1000, 1000)]
    low, high = oracles.scanned(lambda r: oracles.score_p("ratio", *counts, r), ratios, 0.1)
    assert found.lift_interval[0] is not None and found.lift_interval[1] is not None
    assert math.log1p(found.lift_interval[0]) == pytest.approx(math.log(low), abs=1.01 * step)
    assert math.log1p(found.lift_interval[1]) == pytest.approx(math.log(high), abs=1.01 * step)


@pytest.mark.slow
@pytest.mark.parametrize("counts", [(1, 7, 5, 8), (0, 6, 3, 9), (8, 8, 5, 9)])
def test_exact_intervals_match_a_scan(counts: tuple[int, int, int, int]) -> None:
    found = result(*counts, alpha=0.1)
    assert found.method == "binomial score" and found.lift_interval is not None
    step = 0.01
    differences = [k * step for k in range(-99, 100)]
    assert found.difference_interval == pytest.approx(
        oracles.scanned(lambda d: oracles.exact_p("difference", *counts, d), differences, 0.1), abs=1.01 * step
    )
    ratios = [math.exp(k * 0.04) for k in range(-125, 125)]
    low, high = oracles.scanned(lambda r: oracles.exact_p("ratio", *counts, r), ratios, 0.1)
    assert found.lift_interval[0] is not None
    assert math.log1p(found.lift_interval[0]) == pytest.approx(math.log(low), abs=0.041)
    if found.lift_interval[1] is not None:
        assert math.log1p(found.lift_interval[1]) == pytest.approx(math.log(high), abs=0.041)


def test_wilson_matches_statsmodels() -> None:
    for x, n in ((0, 10), (10, 10), (3, 10), (1, 10**6), (8502, 44700)):
        for alpha in (0.05, 0.2):
            expected = sm.proportion_confint(x, n, alpha, method="wilson")
            assert shares.interval(Proportion(x, n), alpha) == pytest.approx(expected, rel=1e-9, abs=1e-15)
    assert shares.interval(Proportion(0, 10), 0.05)[0] == 0.0
    assert shares.interval(Proportion(10, 10), 0.05)[1] == 1.0
    assert shares.interval(Proportion(0, 0), 0.05) == (None, None)


# ------------------------------------------------------------------------------------------------ edges


def test_no_events_at_all() -> None:
    found = result(0, 50, 0, 80)
    assert found.p_value == 1.0 and found.difference == 0.0
    assert found.lift is None and found.lift_interval is None
    assert "no events in the control arm" in lift_text(found)
    assert found.difference_interval is not None
    # With nothing seen, d > 0 is rejected once (1 - d)^80 < .025, d < 0 once (1 + d)^50 < .025.
    assert found.difference_interval[1] == pytest.approx(1 - 0.025 ** (1 / 80), rel=1e-9)
    assert found.difference_interval[0] == pytest.approx(0.025 ** (1 / 50) - 1, rel=1e-9)


def test_everybody_everywhere() -> None:
    found = result(50, 50, 80, 80)
    assert found.p_value == 1.0 and found.lift == 0.0 and found.lift_interval is not None
    assert found.lift_interval[0] < 0 < found.lift_interval[1]  # type: ignore[operator]


def test_nothing_in_variant() -> None:
    found = result(25, 1000, 0, 1000)
    assert found.lift == -1.0 and found.lift_interval is not None and found.lift_interval[0] == -1.0
    assert found.lift_interval[1] is not None and found.lift_interval[1] < 0


@pytest.mark.parametrize("counts", [(0, 0, 5, 10), (5, 10, 0, 0), (0, 0, 0, 0)])
def test_an_empty_arm(counts: tuple[int, int, int, int]) -> None:
    found = result(*counts)
    assert note_text(found)
    assert (found.difference, found.lift, found.p_value) == (None, None, None)
    assert (found.difference_interval, found.lift_interval) == (None, None)
    assert shares.value(Proportion(0, 0)) is None and shares.value(Proportion(1, 4)) == 0.25


def test_few_events_is_blind_to_the_arm() -> None:
    def few(x0: int, n0: int, x1: int, n1: int) -> bool:
        return shares.few_events(Proportion(x0, n0), Proportion(x1, n1))

    assert not few(0, 1000, 30, 1000) and not few(30, 1000, 0, 1000)
    assert few(0, 1000, 29, 1000) and few(29, 1000, 0, 1000)
    assert few(1000, 1000, 971, 1000)  # non-events count too
    assert few(1485, 99_000, 14, 1000) and not few(1485, 99_000, 15, 1000)  # the smaller arm expects 15


@pytest.mark.parametrize("counts", [(5, 1000, 8, 1000), (14, 1000, 1485, 100_000), (10, 100, 10**5, 10**6)])
def test_exact_is_fast(counts: tuple[int, int, int, int]) -> None:
    start = time.process_time()
    assert result(*counts).method == "binomial score"
    assert time.process_time() - start < 2.0


def test_huge_counts_stay_finite() -> None:
    found = result(15, 10**9, 3, 10**9)
    assert found.p_value is not None and 0 < found.p_value < 0.05
    found = result(5 * 10**8, 10**9, 5 * 10**8 + 10**6, 10**9)
    assert found.p_value is not None and 0 <= found.p_value < 1e-300


# ------------------------------------------------------------------------------------------------ few events


def test_few_events_are_counted_at_the_share_that_is_most_likely() -> None:
    """0 of 1,000 against 6 of 1,000: p at the pooled share .003 by scipy's binomial, below the largest over shares."""
    counts = np.arange(0.0, 60.0)
    t = miettinen_nurminen.score_difference(counts[:, None], 1000, counts[None, :], 1000, 0.0)
    reached = np.abs(t) >= float(miettinen_nurminen.score_difference(0, 1000, 6, 1000, 0.0)) - 1e-9

    def at(share: float) -> float:
        mass = stats.binom.pmf(counts, 1000, share)
        return float(mass @ reached @ mass)

    found = contrast(0, 1000, 6, 1000)
    assert found.method == BINOMIAL == "binomial score"
    assert found.p_value == pytest.approx(at(0.003), rel=1e-6)
    assert max(at(share) for share in np.linspace(0.001, 0.02, 100)) > 1.4 * at(0.003)


@pytest.mark.parametrize("sizes", [(200, 200), (500, 125)])
@pytest.mark.slow
def test_false_alarms_are_as_promised_whatever_the_share(sizes: tuple[int, int]) -> None:
    """All outcomes, shares up to 12 %, at which the normal distribution takes over: each tail at most 4 %."""
    shares_ = np.linspace(0.002, 0.12, 60)
    most = [int(stats.binom.isf(1e-9, n, shares_[-1])) for n in sizes]
    control, variant = (np.arange(top + 1) for top in most)
    n0, n1 = sizes
    p = np.array([[contrast(x0, n0, x1, n1).p_value for x1 in variant.tolist()] for x0 in control.tolist()])
    rises = variant[None, :] / sizes[1] > control[:, None] / sizes[0]
    for share in shares_:
        mass = np.outer(*(stats.binom.pmf(x, n, share) for x, n in zip((control, variant), sizes, strict=True)))
        above, below = mass[(p < 0.05) & rises].sum(), mass[(p < 0.05) & ~rises].sum()
        assert max(above, below) < 0.04 and above + below < 0.06


@pytest.mark.parametrize(
    ("events", "n"), [((10**6, 10**6 + 7), (2 * 10**8, 10**8)), ((2 * 10**10, 2 * 10**10), (3 * 10**12, 3 * 10**12))]
)
def test_false_alarms_of_more_units_than_can_be_counted_one_by_one(events: tuple[int, int], n: tuple[int, int]) -> None:
    """Of trillions of units: where single counts no longer show the test has its level."""
    found = shares.false_alarms(Proportion(events[0], n[0]), Proportion(events[1], n[1]), 0.05)
    assert found == pytest.approx(0.05, abs=2e-4)
    few = shares.false_alarms(Proportion(4 * 10**5, 8 * 10**7), Proportion(10**5, 19 * 10**6), 0.05)
    more = shares.false_alarms(Proportion(4 * 10**5, 8 * 10**7), Proportion(10**5, 21 * 10**6), 0.05)
    assert few == pytest.approx(more, abs=4e-4)  # below and above the limit
