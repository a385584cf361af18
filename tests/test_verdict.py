"""The verdict table, row by row: first match wins."""

from __future__ import annotations

from typing import Any

import pytest

from tests.builders import check, codes, conclude, shares

PRIMARY = {"type": "conversion", "role": "primary", "goal": "increase"}
GUARD = {"type": "conversion", "role": "guardrail", "goal": "decrease", "margin": "10%"}


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
    assert check(results, "sample_size").status == "skipped"


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


def test_harm_beats_too_early() -> None:
    results = shares((2060, 15640), (1847, 15640), plan={"units": 1_000_000})
    assert codes(results) == ["primary_harm"]


def test_a_lower_value_is_better_where_the_goal_is_decrease() -> None:
    results = shares((2060, 15640), (1847, 15640), goal="decrease")
    assert results.verdict.verdict == "SHIP"
    assert results["orders"].comparisons[0].status == "better"


@pytest.mark.parametrize(
    ("control", "variant", "status", "verdict", "reason"),
    [
        (3000, 3000, "safe", "SHIP", "win"),
        (3000, 3900, "harmed", "DO NOT SHIP", "guardrail_harm"),
        (50, 50, "unresolved", "KEEP RUNNING", "guardrail_unresolved"),
        (3000, 3250, "unresolved", "KEEP RUNNING", "guardrail_unresolved"),
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


def test_the_size_comes_from_the_minimum_effect_where_no_plan_says() -> None:
    # R: power.prop.test(p1 = .2, p2 = .25, power = .8) says 1,094 per group.
    small = shares((200, 1000), (280, 1000), minimum_effect="25%")
    assert (small.setup.planned_units, small.setup.planned_from) == (2188, "minimum_effect and the control as observed")
    assert codes(small) == ["too_early"]
    assert shares((220, 1100), (310, 1100), minimum_effect="25%").verdict.verdict == "SHIP"
    declared = shares((100, 1000), (180, 1000), minimum_effect="25%", plan={"baseline": {"orders": "20%"}})
    assert (declared.setup.planned_units, declared.setup.planned_from) == (2188, "plan.baseline and minimum_effect")


def test_no_benefit_needs_a_minimum_effect() -> None:
    results = shares((18470, 156400), (18480, 156400))
    assert results.verdict.verdict == "KEEP RUNNING"
    assert codes(results) == ["underpowered"]


def test_a_win_below_the_minimum_effect_ships_with_a_warning() -> None:
    results = shares((184700, 1564000), (187000, 1564000), minimum_effect="5%")
    low, high = results["orders"].comparisons[0].lift_interval or (None, None)
    assert low is not None and high is not None and 0 < low < high < 0.05
    assert results.verdict.verdict == "SHIP"
    assert [warning.code for warning in results.verdict.warnings] == ["below_minimum_effect"]


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
    assert results.verdict.verdict == "KEEP RUNNING"
    assert "cannot answer" in " ".join(reason.message for reason in results.verdict.reasons)
