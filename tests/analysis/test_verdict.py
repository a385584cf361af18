"""The verdict table, row by row: first match wins."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from scipy.optimize import brentq
from scipy.stats import norm

from abcx.notes import Note
from abcx.report import reasons, terminal
from abcx.results.readout import Results
from tests.support.results import check, codes, conclude, shares

PRIMARY = {"type": "conversion", "role": "primary", "goal": "increase"}
GUARD = {"type": "conversion", "role": "guardrail", "goal": "decrease", "margin": "10%"}


def reasons_of(results: Results) -> list[str]:
    """Why the headline's verdict is what it is, in words."""
    return [reasons.text(results, results.verdict, reason) for reason in results.verdict.reasons]


def guarded(control: int, variant: int, won: int = 2060, units: int = 15640, **guard: Any) -> Any:
    counts = {
        "control": {"units": units, "orders": 1847, "complaints": control},
        "variant": {"units": units, "orders": won, "complaints": variant},
    }
    return conclude(counts, {"orders": PRIMARY, "complaints": {**GUARD, **guard}})


def test_ship_when_the_primary_wins_and_nothing_was_planned() -> None:
    results = shares((1847, 15640), (2060, 15640))
    assert results.verdict.verdict == "SHIP"
    assert codes(results) == ["win"]
    assert check(results, "peeking").status == "warn"  # no end was declared: read once
    assert check(results, "sample_size").status == "warn"  # no smallest effect worth having


def test_split_that_cannot_be_is_invalid_whatever_the_effect() -> None:
    results = shares((1847, 15640), (2260, 16840))
    assert results.verdict.verdict == "INVALID"
    assert codes(results) == ["srm"]


def test_an_arm_without_units_is_invalid() -> None:
    results = shares((18, 156), (0, 0))
    assert results.verdict.verdict == "INVALID"
    assert "missing_arm" in codes(results)


def test_harm_of_the_primary_is_do_not_ship() -> None:
    results = shares((8502, 44700), (8279, 45489))
    assert results.verdict.verdict == "DO NOT SHIP"
    assert codes(results) == ["primary_harm"]
    assert [warning.code for warning in results.verdict.warnings][0] == "srm"


def test_clear_harm_beats_too_early() -> None:
    results = shares((2060, 15640), (1647, 15640), plan={"units": 100_000})
    assert codes(results) == ["primary_harm"]
    assert results["orders"].comparisons[0].status == "worse"


def test_a_low_p_before_the_end_is_neither_harm_nor_a_win() -> None:
    """.043 the wrong way at a tenth of the plan, and its mirror image: both wait."""
    worse = shares((220, 2000), (182, 2000), plan={"units": 40_000})
    better = shares((182, 2000), (220, 2000), plan={"units": 40_000})
    for results in (worse, better):
        comparison = results["orders"].comparisons[0]
        assert comparison.p_value is not None and comparison.p_value < comparison.alpha
        assert comparison.status == "not_judged"
        assert (results.verdict.verdict, codes(results)) == ("KEEP RUNNING", ["too_early"])


def test_the_watch_for_harm_is_a_confidence_sequence_at_a_fifth_of_alpha() -> None:
    """Robbins' normal mixture in closed form (Waudby-Smith et al. 2021, theorem 2.2), tuned to the planned size."""
    comparison = shares((2060, 15640), (1847, 15640), plan={"units": 100_000})["orders"].comparisons[0]
    alpha = 0.05 / 5
    tuned = brentq(lambda x: x - math.log(x + 1) + 2 * math.log(alpha), 1, 100)  # n rho^2 at the planned size
    time = 31_280 / 100_000 * tuned
    assert comparison.p_value is not None
    z = norm.isf(comparison.p_value / 2)
    p = math.exp(0.5 * (math.log1p(time) - z * z * time / (time + 1)))
    assert comparison.watch is not None
    assert comparison.watch.alpha == alpha
    assert comparison.watch.p_value == pytest.approx(p, rel=1e-6)


def test_a_lower_value_is_better_where_the_goal_is_decrease() -> None:
    results = shares((2060, 15640), (1847, 15640), goal="decrease")
    assert results.verdict.verdict == "SHIP"
    assert results["orders"].comparisons[0].status == "better"


@pytest.mark.parametrize(
    ("control", "variant", "status", "verdict", "reason"),
    [
        (3000, 3000, "safe", "SHIP", "win"),
        (3000, 3900, "harmed", "DO NOT SHIP", "guardrail_harm"),
        (50, 50, "unresolved", "INCONCLUSIVE", "guardrail_unresolved"),
        (3000, 3250, "unresolved", "INCONCLUSIVE", "guardrail_unresolved"),
    ],
)
def test_guardrails(control: int, variant: int, status: str, verdict: str, reason: str) -> None:
    results = guarded(control, variant)
    assert results["complaints"].comparisons[0].status == status
    assert results.verdict.verdict == verdict
    assert codes(results)[0] == reason


def test_the_margin_p_value_and_the_interval_agree() -> None:
    for variant in range(2900, 3900, 50):
        comparison = guarded(3000, variant)["complaints"].comparisons[0]
        low, high = comparison.lift_interval
        assert (comparison.p_value_margin < 0.025) == (high < 0.10)


def test_a_guardrail_that_falls_is_safe_whatever_its_size() -> None:
    assert guarded(3000, 2000)["complaints"].comparisons[0].status == "safe"


def test_absolute_margins_are_read_on_the_difference() -> None:
    results = guarded(3000, 3000, margin="1pp")
    low, high = results["complaints"].comparisons[0].difference_interval
    assert high < 0.01
    assert results["complaints"].comparisons[0].status == "safe"
    assert guarded(3000, 3000, margin="0.5pp")["complaints"].comparisons[0].status == "unresolved"


def test_a_win_before_the_planned_size_is_too_early() -> None:
    results = shares((1847, 15640), (2060, 15640), plan={"units": 40_000, "units_per_day": 1_800})
    assert results.verdict.verdict == "KEEP RUNNING"
    assert codes(results) == ["too_early"]
    assert results.verdict.missing_units == 40_000 - 31_280
    assert results.verdict.missing_days == 5  # 8,720 / 1,800 = 4.84


def test_no_benefit_when_the_minimum_effect_is_excluded() -> None:
    results = shares((18470, 156400), (18480, 156400), minimum_effect="5%")
    assert results.verdict.verdict == "DO NOT SHIP"
    assert codes(results) == ["no_benefit"]


def test_a_size_that_nobody_declared_informs_and_never_vetoes() -> None:
    # R: power.prop.test(p1 = .2, p2 = .25, power = .8) says 1,094 per group.
    small = shares((200, 1000), (280, 1000), minimum_effect="25%")
    assert (small.setup.needed_units, small.setup.needed_from) == (2188, Note("size_as_observed", {"margin_of": None}))
    assert (small.setup.planned_units, small.setup.planned_from) == (None, None)
    assert small.verdict.verdict == "SHIP"
    declared = shares((100, 1000), (180, 1000), minimum_effect="25%", plan={"baseline": {"orders": "20%"}})
    assert (declared.setup.planned_units, declared.setup.planned_from) == (
        2188,
        Note("size_of_baseline", {"margin_of": None}),
    )
    assert codes(declared) == ["too_early"]


@pytest.mark.parametrize(("control", "variant", "units"), [(63, 82, 10_000), (600, 640, 64_000), (30, 33, 1000)])
def test_deleting_the_minimum_effect_never_changes_what_a_finished_test_may_ship(
    control: int, variant: int, units: int
) -> None:
    """An effect that is worth having keeps a win a win: the observed control sets no bar."""
    with_effect = shares((control, units), (variant, units), minimum_effect="1%")
    without = shares((control, units), (variant, units))
    assert with_effect.verdict.verdict == without.verdict.verdict


def test_no_benefit_needs_a_minimum_effect() -> None:
    results = shares((18470, 156400), (18480, 156400))
    assert results.verdict.verdict == "INCONCLUSIVE"
    assert codes(results) == ["underpowered"]


@pytest.mark.parametrize(
    ("variant", "better", "reason"),
    [(187_000, True, "below_minimum_effect"), (184_800, False, "no_benefit"), (184_000, False, "no_benefit")],
)
def test_an_excluded_minimum_effect_is_do_not_ship_on_either_side_of_zero(
    variant: int, better: bool, reason: str
) -> None:
    results = shares((184_700, 1_564_000), (variant, 1_564_000), minimum_effect="5%")
    low, high = results["orders"].comparisons[0].lift_interval or (None, None)
    assert low is not None and high is not None and high < 0.05 and (low > 0) == better
    assert (results.verdict.verdict, codes(results)) == ("DO NOT SHIP", [reason])


def test_worse_within_a_cleared_margin_is_reported_and_no_harm() -> None:
    results = shares((18_470, 156_400), (18_100, 156_400), margin="5%")
    comparison = results["orders"].comparisons[0]
    assert (comparison.status, comparison.margin_state) == ("worse", "inside")
    assert (results.verdict.verdict, codes(results)) == ("SHIP", ["win_noninferior"])
    assert "worse_within_margin" in [warning.code for warning in results.verdict.warnings]


def test_worse_and_a_margin_that_is_not_cleared_is_harm() -> None:
    assert codes(shares((18_470, 156_400), (17_900, 156_400), margin="4%")) == ["primary_harm"]


def test_every_declared_margin_must_be_cleared() -> None:
    """A win on one primary does not carry another whose margin is open."""
    counts = {
        "control": {"units": 20_000, "orders": 2000, "signups": 1000},
        "variant": {"units": 20_000, "orders": 2300, "signups": 960},
    }
    metrics = {"orders": {**PRIMARY}, "signups": {**PRIMARY, "margin": "5%"}}
    results = conclude(counts, metrics)
    assert (results.verdict.verdict, codes(results)) == ("INCONCLUSIVE", ["margin_open"])
    counts["variant"]["signups"] = 1080
    assert conclude(counts, metrics).verdict.verdict == "SHIP"


def test_the_margin_of_a_primary_is_judged_uncorrected() -> None:
    """With two primaries Holm widens the interval of the test, not that of the margin."""
    counts = {
        "control": {"units": 20_000, "orders": 2000, "signups": 1000},
        "variant": {"units": 20_000, "orders": 2010, "signups": 1000},
    }
    two = conclude(counts, {"orders": {**PRIMARY, "margin": "5%"}, "signups": {**PRIMARY, "margin": "9%"}})
    without = {arm: {key: n for key, n in of_arm.items() if key != "signups"} for arm, of_arm in counts.items()}
    alone = conclude(without, {"orders": {**PRIMARY, "margin": "5%"}})
    found, single = two["orders"].comparisons[0], alone["orders"].comparisons[0]
    assert found.margin_interval == pytest.approx(single.lift_interval, rel=1e-9)
    assert found.lift_interval != pytest.approx(single.lift_interval, rel=1e-3)


def test_a_secondary_that_got_worse_stands_on_the_card_and_decides_nothing() -> None:
    counts = {
        "control": {"units": 20_000, "orders": 2000, "refunds": 300},
        "variant": {"units": 20_000, "orders": 2300, "refunds": 900},
    }
    refunds = {"type": "conversion", "role": "secondary", "goal": "decrease"}
    results = conclude(counts, {"orders": {**PRIMARY}, "refunds": refunds})
    assert results.verdict.verdict == "SHIP"
    warning = next(warning for warning in results.verdict.warnings if warning.code == "secondary_harm")
    assert "Refunds got worse" in reasons.text(results, results.verdict, warning)


def test_a_primary_with_a_margin_may_ship_as_not_worse() -> None:
    results = shares((18470, 156400), (18480, 156400), margin="5%")
    assert results.verdict.verdict == "SHIP"
    assert codes(results) == ["win_noninferior"]


def test_several_variants_are_judged_one_by_one_and_the_best_is_the_headline() -> None:
    counts = {
        "control": {"units": 10_000, "orders": 1000},
        "worse": {"units": 10_000, "orders": 850},
        "good": {"units": 10_000, "orders": 1150},
        "best": {"units": 10_000, "orders": 1200},
    }
    results = conclude(counts, {"orders": PRIMARY})
    assert [(v.arm, v.verdict) for v in results.verdicts] == [
        ("worse", "DO NOT SHIP"),
        ("good", "SHIP"),
        ("best", "SHIP"),
    ]
    assert results.verdict.arm == "best"


def test_several_primaries_ship_if_one_is_better_and_none_worse() -> None:
    counts = {
        "control": {"units": 20_000, "orders": 2000, "signups": 1000},
        "variant": {"units": 20_000, "orders": 2300, "signups": 1000},
    }
    metrics = {"orders": {**PRIMARY}, "signups": {**PRIMARY}}
    assert conclude(counts, metrics).verdict.verdict == "SHIP"
    counts["variant"]["signups"] = 800
    assert codes(conclude(counts, metrics)) == ["primary_harm"]


def test_holm_gives_levels_adjusted_p_and_intervals_that_agree() -> None:
    counts = {"control": {"units": 10_000}, "variant": {"units": 10_000}}
    names = [f"m{i}" for i in range(6)]
    for i, name in enumerate(names):
        counts["control"][name], counts["variant"][name] = 1000, 1000 + 30 * i
    metrics = {name: {"type": "conversion", "role": "secondary", "goal": "increase"} for name in names}
    counts["control"]["orders"] = counts["variant"]["orders"] = 500
    results = conclude(counts, {"orders": PRIMARY, **metrics})
    found = [results[name].comparisons[0] for name in names]
    assert any(c.status == "better" for c in found) and any(c.status == "inconclusive" for c in found)
    for comparison in found:
        low, high = comparison.difference_interval or (None, None)
        assert (
            low is not None
            and high is not None
            and comparison.p_value is not None
            and comparison.p_value_adjusted is not None
        )
        assert (comparison.p_value < comparison.alpha) == (comparison.p_value_adjusted < 0.05) == (low > 0 or high < 0)


def test_descriptive_metrics_have_intervals_and_no_p() -> None:
    counts = {"control": {"units": 100, "orders": 10, "menu": 40}, "variant": {"units": 100, "orders": 12, "menu": 0}}
    results = conclude(counts, {"orders": PRIMARY, "menu": {"type": "conversion", "role": "descriptive"}})
    comparison = results["menu"].comparisons[0]
    assert comparison.status == "descriptive"
    assert comparison.p_value is None and comparison.p_value_adjusted is None
    assert comparison.difference_interval is not None


def test_traffic_that_cannot_answer_is_told_so() -> None:
    results = shares((10, 500), (11, 500), minimum_effect="1%", plan={"units_per_day": 10})
    assert results.verdict.verdict == "INCONCLUSIVE"
    assert results.verdict.new_run_units == results.setup.needed_units
    assert (results.verdict.new_run_days or 0) > 365
    waiting = shares((10, 500), (11, 500), plan={"units_per_day": 10, "units": 38_400})
    assert waiting.verdict.verdict == "KEEP RUNNING"
    assert "cannot answer" in " ".join(reasons_of(waiting))


Told = tuple[float, float, float, set[str]]


def told(sentence: str, bound: str) -> Told:
    """Effect and ends in a sentence's last brackets, open ends infinite; and the units of the three and of `bound`."""
    number = r"([+-][\d.]+)(%| pp)"
    first_end = r"([+-][\d.]+)(%| pp)?"  # a unit is written once
    found = re.search(rf": {number} \((?:(at least|at most) )?{first_end}(?: to {number})?\)", sentence)
    assert found is not None, sentence
    effect, unit, word, first, first_unit, second, second_unit = found.groups()
    low, high = (
        -math.inf if word == "at most" else float(first),
        math.inf if word == "at least" else float(second or first),
    )
    return float(effect), low, high, {unit, first_unit or unit, second_unit or unit, bound.lstrip("0123456789.")}


@pytest.mark.parametrize("bound", ["10%", "1.2 pp"])
def test_sentences_show_the_interval_that_is_held_against_the_bound(bound: str) -> None:
    """Of 11.8 %, 10 % and 1.2 pp are about alike. Each end that is shown lies on the side that the sentence claims."""
    size = float(bound.rstrip("% p"))
    harmed = guarded(1847, 2260, margin=bound)
    primary = {**PRIMARY, "margin": bound}
    cases = {
        "guardrail_harm": harmed,
        "margin_open": shares((1847, 15640), (1750, 15640), **primary, analysis={}),
        "win_noninferior": shares((1847, 15640), (1860, 15640), **primary),
        "no_benefit": shares((1847, 15640), (1830, 15640), minimum_effect=bound),
        "below_minimum_effect": shares((18470, 156400), (18900, 156400), minimum_effect=bound),
    }
    for code, results in cases.items():
        (sentence,) = (
            reasons.text(results, results.verdict, reason) for reason in results.verdict.reasons if reason.code == code
        )
        effect, low, high, units = told(sentence, bound)
        assert len(units) == 1 and low < effect < high
        assert {
            "guardrail_harm": low > size,
            "margin_open": low < -size < high,
            "win_noninferior": low > -size,
            "no_benefit": high < size,
            "below_minimum_effect": 0 < low and high < size,
        }[code]


def test_the_data_fit_anything_between_two_ends_and_no_more_than_one() -> None:
    """Of a control without orders there is no lift: then the difference is bounded."""
    found = [shares((182, 2000), (190, 2000)), shares((0, 2000), (2, 2000))]
    (both,), (one,) = (reasons_of(results) for results in found)
    assert re.search(r"the data fit anything from -[\d.]+% to \+[\d.]+%\.$", both)
    assert re.search(r"the data fit anything from -[\d.]+ pp to \+[\d.]+ pp\.$", one)
    for results, text in zip(found, (both, one), strict=True):
        assert text.partition("the data fit ")[2] in terminal.render(results).replace("\n", " ")
