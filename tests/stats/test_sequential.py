"""Monitoring: level and p-value are inverse, error rates hold under looks, harm and win are judged apart."""

import math
import time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped,unused-ignore]

from abcx.stats import inversion, means, shares
from abcx.stats.always_valid import AlwaysValid
from abcx.stats.records import Contrast, Moments, Proportion
from abcx.stats.sequential import Fixed, GroupSequential, Monitoring, NoDecisionYet, TwoSidedRule, sided
from abcx.stats.spending import Spending
from tests.support.notes import lift_text
from tests.support.paths import z_paths

FAMILIES: tuple[Spending, ...] = ("obrien_fleming", "pocock", "hwang_shih_decani")
TWENTY = tuple((k + 1) / 20 for k in range(20))

LOOKS = st.lists(st.floats(0.01, 1.3), min_size=1, max_size=6, unique=True).map(sorted).map(tuple)
LEVELS = st.one_of(st.floats(1e-6, 0.999), st.floats(-60, -1).map(lambda x: 10**x))


@st.composite
def monitorings(draw: st.DrawFn) -> Monitoring:
    kind = draw(st.integers(0, 3))
    if kind == 0:
        return Fixed() if draw(st.booleans()) else NoDecisionYet()
    if kind == 1:
        return AlwaysValid(draw(st.floats(1, 1e7)), draw(st.floats(10, 1e7)), draw(st.floats(0.001, 0.5)))
    looks = draw(LOOKS)
    assume(all(t < 1 for t in looks[:-1]))
    return GroupSequential(looks, draw(st.sampled_from(FAMILIES)), draw(st.sampled_from([-8.0, -4.0, 0.0, 2.0])))


@settings(deadline=None, max_examples=50)
@given(monitorings(), LEVELS, LEVELS)
def test_significant_at_this_look_means_significant_over_all(rule: Monitoring, alpha: float, p: float) -> None:
    """p_value(p) < alpha exactly when p < level(alpha), but for rounding."""
    level = rule.level(alpha)
    assert 0.0 <= level <= alpha
    for nominal in (p, level * (1 - 1e-9), level * (1 + 1e-9), 0.0, 1.0):
        if nominal <= 1.0 and (abs(nominal - level) > 1e-10 * level or level == nominal == 0.0):
            assert (rule.p_value(nominal) < alpha) == (nominal < level), (nominal, level)
    if level > 0.0:
        assert rule.p_value(level) == pytest.approx(alpha, rel=1e-9)


@settings(deadline=None, max_examples=60)
@given(monitorings(), LEVELS, st.floats(1e-6, 1.0))
def test_levels_rise_and_repeated_p_values_rise(rule: Monitoring, alpha: float, more: float) -> None:
    larger = alpha * (1 + more)
    assume(larger < 1.0)
    low, high = rule.level(alpha), rule.level(larger)
    assert low < high or low == high == 0.0 or isinstance(rule, NoDecisionYet)
    assert alpha <= rule.p_value(alpha) <= rule.p_value(larger) * (1 + 1e-12) <= 1.0 + 1e-12


@pytest.mark.parametrize("spending", FAMILIES)
def test_false_alarms_under_twenty_looks(spending: Spending) -> None:
    """The level is kept, and used up (within three standard errors of 20,000 runs)."""
    p = 2 * stats.norm.sf(np.abs(z_paths(TWENTY, 20_000, 11)))
    levels = [GroupSequential(TWENTY[: k + 1], spending).level(0.05) for k in range(20)]
    assert (p < levels).any(axis=1).mean() == pytest.approx(0.05, abs=3 * 0.00154)
    assert (p < 0.05).any(axis=1).mean() > 0.2  # what looking without paying does


def test_repeated_p_values_are_valid_at_every_level() -> None:
    """The smallest repeated p of five looks is uniform: alpha is kept for all alpha, not for .05 alone."""
    looks = (0.2, 0.4, 0.6, 0.8, 1.0)
    p = 2 * stats.norm.sf(np.abs(z_paths(looks, 20_000, 12)))
    grid = np.array([0.01, 0.05, 0.2, 0.5])
    for spending in ("obrien_fleming", "pocock"):
        levels = np.array([[GroupSequential(looks[: k + 1], spending).level(a) for k in range(5)] for a in grid])
        found = np.array([(p < row).any(axis=1).mean() for row in levels])
        assert found == pytest.approx(grid, abs=3.5 * 0.0035)


def test_looks_may_be_unplanned_and_the_end_overrun() -> None:
    for looks in ((0.13, 0.2, 0.77, 1.0), (0.4, 0.9, 1.4)):
        p = 2 * stats.norm.sf(np.abs(z_paths(looks, 40_000, 13)))
        levels = [GroupSequential(looks[: k + 1], "pocock").level(0.05) for k in range(len(looks))]
        assert (p < levels).any(axis=1).mean() == pytest.approx(0.05, abs=3 * 0.0011)
    assert GroupSequential((0.4, 0.9, 1.4)).final and not GroupSequential((0.4, 0.9)).final


def test_repeated_p_by_scanning() -> None:
    """The smallest alpha on a grid at which the ordinary p of .01 is significant at the third of five looks."""
    rule = GroupSequential((0.2, 0.4, 0.6), "pocock")
    grid = np.arange(0.0005, 0.2, 0.0005)
    smallest = next(alpha for alpha in grid if rule.level(float(alpha)) > 0.01)
    assert smallest - 0.0005 <= rule.p_value(0.01) <= smallest


def test_tiny_levels_and_p_values() -> None:
    early = GroupSequential((0.05,))
    assert early.level(0.05) == pytest.approx(4 * stats.norm.sf(2.2414027276 / math.sqrt(0.05)), rel=1e-6)
    assert early.level(0.05) < 1e-22
    assert 1e-5 < early.p_value(1e-60) < 1e-2  # z of 16.4 counts as about 3.7 after a twentieth of the units
    assert early.p_value(0.01) == 1.0
    late = GroupSequential((0.05, 0.5, 1.0))
    assert late.p_value(1e-250) == pytest.approx(1e-250, rel=0.01)
    assert 0.0 < late.p_value(0.0) < 1e-280
    assert GroupSequential((0.001,)).level(0.05) == 0.0 and GroupSequential((0.001,)).p_value(0.0) > 0.05


def test_inversion_is_fast() -> None:
    start = time.process_time()
    for nominal in (0.2, 0.02, 1e-5):
        GroupSequential((0.21, 0.4, 0.6, 0.8, 1.0)).p_value(nominal)
    assert time.process_time() - start < 3 * 0.3


def test_what_cannot_be_monitored() -> None:
    with pytest.raises(ValueError, match="must increase"):
        GroupSequential((0.5, 0.2))
    with pytest.raises(ValueError, match="no level is left"):
        GroupSequential((1.0, 1.2))
    with pytest.raises(ValueError, match="gamma"):
        GroupSequential((0.5,), "hwang_shih_decani", 1000.0)


# ---------------------------------------------------------------------------------------- effects, harm and win

BUYERS = shares.contrast(Proportion(500, 10_000), Proportion(580, 10_000))
LOSERS = shares.contrast(Proportion(580, 10_000), Proportion(500, 10_000))
SIGNED = means.contrast(Moments(400, 10.0, 100.0), Moments(400, 13.0, 120.0))


@pytest.mark.parametrize("contrast", [BUYERS, LOSERS, SIGNED])
def test_without_monitoring_nothing_changes(contrast: Contrast) -> None:
    assert sided(Fixed()).effect(contrast, 0.05) == inversion.effect(contrast, 0.05)


def test_repeated_interval_is_the_ordinary_one_at_the_nominal_level() -> None:
    rule = GroupSequential((0.25, 0.5))
    found, ordinary = sided(rule).effect(BUYERS, 0.05), inversion.effect(BUYERS, rule.level(0.05))
    assert found.difference_interval == ordinary.difference_interval
    assert found.lift_interval == ordinary.lift_interval
    assert found.alpha == 0.05 and found.p_value == rule.p_value(ordinary.p_value or 0.0)


def test_silence_opens_both_ends() -> None:
    found = sided(NoDecisionYet()).effect(SIGNED, 0.05)
    assert found.difference_interval == found.lift_interval == (None, None)
    assert found.p_value == 1.0 and found.lift == pytest.approx(0.3) and not lift_text(found)


def test_harm_at_any_time_and_win_at_the_end() -> None:
    harm = AlwaysValid(20_000, 40_000)
    running, ended = TwoSidedRule(above=NoDecisionYet(), below=harm), TwoSidedRule(above=Fixed(), below=harm)
    win = running.effect(BUYERS, 0.05)
    assert win.p_value == 1.0
    assert win.difference_interval is not None and win.difference_interval[0] is None
    assert win.difference_interval[1] == sided(harm).effect(BUYERS, 0.05).difference_interval[1]  # type: ignore[index]
    won = ended.effect(BUYERS, 0.05)
    assert won.p_value == BUYERS.p_value and won.difference_interval is not None
    assert won.difference_interval[0] == inversion.effect(BUYERS, 0.05).difference_interval[0]  # type: ignore[index]
    lost = running.effect(LOSERS, 0.05)
    assert lost.p_value == harm.p_value(LOSERS.p_value or 0.0)


COUNTS = st.tuples(st.integers(20, 80), st.integers(200, 500))


@settings(deadline=None, max_examples=60)
@given(COUNTS, COUNTS, monitorings(), monitorings(), st.sampled_from([0.01, 0.05, 0.2]))
def test_p_and_both_intervals_agree(
    control: tuple[int, int], variant: tuple[int, int], above: Monitoring, below: Monitoring, alpha: float
) -> None:
    """The first law under monitoring: p < alpha, 0 outside the difference, 0 outside the lift are one statement."""
    contrast = shares.contrast(Proportion(*control), Proportion(*variant))
    found = TwoSidedRule(above, below).effect(contrast, alpha)
    assert found.p_value is not None
    for interval in (found.difference_interval, found.lift_interval):
        if interval is not None:
            low, high = interval
            outside = (low is not None and low > 0.0) or (high is not None and high < 0.0)
            assert outside == (found.p_value < alpha)


def test_the_margin_of_a_guardrail_follows_its_side() -> None:
    harm = AlwaysValid(20_000, 40_000)
    rule = TwoSidedRule(above=NoDecisionYet(), below=harm)
    assert rule.one_sided(1e-9, "above") == 0.5
    assert rule.one_sided(1e-9, "below") == 0.5 * harm.p_value(2e-9)
    assert sided(Fixed()).one_sided(0.3, "above") == 0.3 and sided(Fixed()).one_sided(0.8, "below") == 0.8
    assert sided(rule) is rule


def test_hybrid_keeps_alpha_over_both_sides() -> None:
    z = z_paths(TWENTY, 20_000, 14)
    p = 2 * stats.norm.sf(np.abs(z))
    harm = [AlwaysValid(t, 1.0).level(0.05) for t in TWENTY]
    harmed = ((p < harm) & (z < 0)).any(axis=1)
    won = (p[:, -1] < 0.05) & (z[:, -1] > 0)
    assert (harmed | won).mean() < 0.05
    assert won.mean() == pytest.approx(0.025, abs=3 * 0.0011)
