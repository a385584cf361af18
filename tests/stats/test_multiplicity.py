"""Holm and Benjamini-Hochberg against statsmodels, and the three ways to say "rejected" against each other."""

import random
from collections.abc import Callable, Sequence
from statistics import NormalDist

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests  # type: ignore[import-untyped,unused-ignore]

from abcx.stats.multiplicity import Adjusted, benjamini_hochberg, holm, unadjusted

P_VALUES = st.lists(st.one_of(st.none(), st.floats(0, 1), st.sampled_from([0.0, 0.01, 0.0125, 0.025, 0.05, 1.0])))


Procedure = Callable[[Sequence[float | None], float], tuple[Adjusted, ...]]


@pytest.mark.slow
@pytest.mark.parametrize(("procedure", "name"), [(holm, "holm"), (benjamini_hochberg, "fdr_bh")])
def test_adjusted_p_values_match_statsmodels(procedure: Procedure, name: str) -> None:
    rng = random.Random(2)
    for _ in range(40):
        p = [rng.choice([rng.random(), rng.random() ** 4, 0.021]) for _ in range(rng.randint(1, 9))]
        rejected, expected, _, _ = multipletests(p, 0.05, name)
        found = procedure(p, 0.05)
        assert [one.p_value for one in found] == pytest.approx(list(expected), rel=1e-12)
        assert [one.rejected for one in found] == list(rejected)


@pytest.mark.parametrize("procedure", [holm, benjamini_hochberg])
@given(P_VALUES, st.sampled_from([0.01, 0.05, 0.1]))
def test_three_ways_to_say_rejected(procedure: Procedure, p_values: list[float | None], alpha: float) -> None:
    for raw, one in zip(p_values, procedure(p_values, alpha), strict=True):
        assert one.rejected == (raw is not None and raw < one.alpha)
        assert one.rejected == (one.p_value is not None and one.p_value < alpha)
        assert alpha / len(p_values) <= one.alpha <= alpha
        assert (one.p_value is None) == (raw is None)


@pytest.mark.parametrize("procedure", [holm, benjamini_hochberg])
@given(P_VALUES, st.randoms())
@pytest.mark.slow
def test_the_order_of_metrics_does_not_matter(
    procedure: Procedure, p_values: list[float | None], rng: random.Random
) -> None:
    order = list(range(len(p_values)))
    rng.shuffle(order)
    found, shuffled = procedure(p_values, 0.05), procedure([p_values[i] for i in order], 0.05)
    assert shuffled == tuple(found[i] for i in order)


def test_levels_by_hand() -> None:
    found = holm([0.04, 0.001, 0.03, None], 0.05)
    assert [one.rejected for one in found] == [False, True, False, False]
    # .001 < .05 / 4; then .03 >= .05 / 3 stops: the rest are judged at .05 / 3.
    assert [one.alpha for one in found] == pytest.approx([0.05 / 3, 0.05 / 4, 0.05 / 3, 0.05 / 3])
    assert [one.p_value for one in found[:3]] == pytest.approx([0.09, 0.004, 0.09])


def test_missing_p_values_count_in_the_family() -> None:
    assert not holm([0.03, None], 0.05)[0].rejected and holm([0.03], 0.05)[0].rejected
    assert [one.alpha for one in holm([None, 0.001], 0.05)] == pytest.approx([0.05, 0.025])
    assert [one.alpha for one in holm([None, None], 0.05)] == pytest.approx([0.025, 0.025])
    assert holm([], 0.05) == ()


def test_unadjusted() -> None:
    found = unadjusted([0.04, 0.05, None], 0.05)
    assert [one.rejected for one in found] == [True, False, False]
    assert [one.alpha for one in found] == [0.05] * 3
    assert [one.p_value for one in found] == [0.04, 0.05, None]


def test_intervals_keep_the_false_coverage_rate() -> None:
    """Benjamini and Yekutieli (2005): of the intervals of what was found, at most 5 % miss (20 % of metrics move)."""
    rng = random.Random(5)
    missed = selected = 0
    for _ in range(400):
        truth = [2.5 if i < 4 else 0.0 for i in range(20)]
        z = [rng.gauss(mean, 1) for mean in truth]
        found = benjamini_hochberg([2 * NormalDist().cdf(-abs(x)) for x in z], 0.05)
        for mean, x, one in zip(truth, z, found, strict=True):
            if one.rejected:
                selected += 1
                missed += abs(x - mean) > NormalDist().inv_cdf(1 - one.alpha / 2)
    assert selected > 500
    assert missed / selected < 0.05 + 3 * (0.05 * 0.95 / selected) ** 0.5
