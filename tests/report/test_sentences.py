"""The sentences of a readout: one for each verdict, role and status, with numbers that fit the values of the arms."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from abcx.notes import Note
from abcx.report import reasons, sentences
from abcx.results.metric import MetricResult, Size, Status
from abcx.results.readout import Reason, Results, Verdict, VerdictWord
from abcx.stats.methods import Method
from abcx.stats.records import Interval
from tests.support.made_results import (
    ALL,
    between_looks,
    broken_split,
    clean,
    decrease,
    early_look,
    hybrid,
    nothing,
    number,
    share,
    stopped,
    three_arms,
    unbounded,
)

TENTH = Size("10%", 0.1, True)


def only(metric: MetricResult, **changes: Any) -> MetricResult:
    """The metric with changes of its one comparison."""
    return replace(metric, comparisons=(replace(metric.comparisons[0], **changes),))


def valued(metric: MetricResult, control: float, variant: float, interval: Interval, **changes: Any) -> MetricResult:
    """The metric with these values, whose difference and lift follow; the interval is that of the difference."""
    low, high = interval
    lifts = tuple(None if end is None else end / control for end in (low, high))
    arms = tuple(replace(arm, value=x) for arm, x in zip(metric.arms, (control, variant), strict=True))
    effect = {"difference": variant - control, "difference_interval": interval}
    effect |= {"lift": variant / control - 1, "lift_interval": lifts}
    return only(replace(metric, arms=arms), **{**effect, **changes})


def said(metric: MetricResult, results: Results | None = None) -> str:
    return sentences.effect(results or clean(), metric, metric.comparisons[0])


def judged(word: VerdictWord, *metrics: MetricResult, codes: tuple[tuple[str, str | None], ...] = ()) -> str:
    """What is found about these metrics under a verdict with these reasons."""
    verdict = Verdict(word, "variant", tuple(Reason(code, name) for code, name in codes))
    results = replace(clean(), verdict=verdict, verdicts=(verdict,), metrics=metrics)
    return sentences.finding(results, verdict)


orders = valued(clean()["orders"], 0.06, 0.0638, (0.0003, 0.0073))
fallen = valued(orders, 0.06, 0.0588, (-0.002, -0.0004), status="worse")
money = valued(clean()["revenue_per_visitor"], 124.0, 136.4, (1.2, 23.6))


@pytest.mark.parametrize(
    ("metric", "text"),
    [
        # lifts .0633 (.005 to .1217), 11.7 wide: a whole percent would round .5 to 1 and 0
        (orders, "Orders rose by 6.3% (0.5% to 12.2%): 638 of 10,000 visitors instead of 600."),
        (
            replace(orders, title="Orders with VAT"),
            "Orders with VAT rose by 6.3% (0.5% to 12.2%): 638 of 10,000 visitors instead of 600.",
        ),
        (money, "Revenue per visitor rose by 10% (1% to 19%): 136 instead of 124."),
        (replace(money, name="spend"), "Spend rose by 10% (1% to 19%): 136 instead of 124 per visitor."),
        (replace(money, currency="EUR"), "Revenue per visitor rose by 10% (1% to 19%): EUR 136 instead of EUR 124."),
        (
            replace(money, unit="ratio", type="ratio", name="order_value"),
            "Order value rose by 10% (1% to 19%): 136 instead of 124.",
        ),
        # without a lift the difference: 136 - 124 as they are written
        (
            only(money, lift=None, lift_interval=None),
            "Revenue per visitor rose by 12 (1 to 24): 136 instead of 124.",
        ),
        (
            only(orders, lift=None, lift_interval=None),
            "Orders rose by 0.38 pp (0.03 to 0.73 pp): 638 of 10,000 visitors instead of 600.",
        ),
        (fallen, "Orders fell by 2.0% (0.7% to 3.3%): 588 of 10,000 visitors instead of 600."),
        (
            only(replace(fallen, goal="decrease", name="complaints"), status="better"),
            "Complaints fell by 2.0% (0.7% to 3.3%), which is better: 588 of 10,000 visitors instead of 600.",
        ),
        (
            only(replace(orders, goal="decrease", name="complaints"), status="worse"),
            "Complaints rose by 6.3% (0.5% to 12.2%), which is worse: 638 of 10,000 visitors instead of 600.",
        ),
        (
            valued(orders, 0.06, 0.061, (-0.0007, 0.0027), status="inconclusive"),
            "No clear effect on orders: anything from -1.2% to +4.5% fits these data.",
        ),
        (
            valued(orders, 0.06, 0.061, (-0.00072, None), status="inconclusive"),
            "No clear effect on orders: anything above -1.2% fits these data.",
        ),
        (
            valued(orders, 0.06, 0.061, (None, 0.0027), status="inconclusive"),
            "No clear effect on orders: anything below +4.5% fits these data.",
        ),
        (
            valued(orders, 0.06, 0.063, (-0.0003, 0.0063), status="inconclusive", lift=None, lift_interval=None),
            "No clear effect on orders: anything from -0.03 to +0.63 pp fits these data.",
        ),
        (
            only(orders, status="inconclusive", lift=None, lift_interval=None, difference_interval=(None, None)),
            "No clear effect on orders: anything at all fits these data.",
        ),
        (
            only(
                orders,
                difference=None,
                difference_interval=None,
                lift=None,
                status="inconclusive",
                notes=(Note("no_units"),),
            ),
            "No answer for orders: an arm has no units.",
        ),
        (
            valued(orders, 0.06, 0.0638, (0.0003, None)),
            "Orders rose by 6.3% (at least 0.5%): 638 of 10,000 visitors instead of 600.",
        ),
        # what is adjusted is not the difference of the values of the arms
        (only(orders, method=Method.WELCH_ADJUSTED), "Orders rose by 6.3% (0.5% to 12.2%)."),
        (
            only(orders, status="inconclusive", held_back=True),
            "No judgment on orders, because the arms may differ in who answers: anything from +0.5% to +12.2% fits "
            "these data.",
        ),
        (
            only(orders, status="not_judged"),
            "Orders: +6.3% seen so far; anything from +0.5% to +12.2% still fits the data.",
        ),
    ],
)
def test_one_sentence_per_status(metric: MetricResult, text: str) -> None:
    assert said(metric) == text


def test_what_is_described_is_not_tested() -> None:
    text = said(only(replace(money, role="descriptive"), status="descriptive", p_value=None))
    assert text.startswith("Revenue per visitor") and text.endswith("not tested.")
    assert "136 instead of 124" in text and "+10%" in text
    assert text.count(":") == 1, "a colon after a colon is hard to read"


def test_a_lift_whose_interval_does_not_exist_is_no_number_of_points() -> None:
    """The interval of the difference exists: the sentence speaks of the difference, or of the lift on its scale."""
    for interval in (None, (None, None)):
        moved = said(only(orders, lift_interval=interval))
        assert moved.startswith(("Orders rose by 0.38 pp (0.03 to 0.73 pp)", "Orders rose by 6.3%")), moved
        open_text = said(only(orders, lift_interval=interval, status="not_judged"))
        assert open_text.startswith(("Orders: +0.38 pp seen so far", "Orders: +6.3% seen so far")), open_text


def test_no_effect_is_rounded_to_zero() -> None:
    tiny = valued(orders, 0.06, 0.0600012, (0.0000006, 0.0000018))  # lifts of .002% (.001% to .003%)
    text = said(tiny)
    assert not re.search(r"by 0(\.0+)?%", text) and not re.search(r"\(0(\.0+)?% to 0(\.0+)?%\)", text), text


def guarded(
    status: Status,
    effect: float,
    interval: Interval | None,
    goal: str = "decrease",
    size: Size | None = TENTH,
) -> MetricResult:
    """A guardrail with this effect, as lift and as difference alike."""
    hits = {"control": 1800, "variant": 1800}
    metric = share("complaints", hits, status, 0.5, role="guardrail", goal=goal, margin=size)
    return only(metric, lift=effect, difference=effect, lift_interval=interval, difference_interval=interval)


HARM = "Harm to complaints beyond the tolerated 10%"


@pytest.mark.parametrize(
    ("metric", "text"),
    [
        (guarded("safe", 0.006, (-0.05, 0.062)), f"{HARM} is ruled out (-5% to +6%)."),
        (
            guarded("safe", 0.036, (0.01, 0.062)),
            "Complaints rose by 3.6% (1.0% to 6.2%): worse, but within the tolerated 10%.",
        ),
        (guarded("unresolved", 0.044, (-0.05, 0.14)), f"{HARM} is not ruled out (-5% to +14%)."),
        (
            guarded("unresolved", 0.09, (0.05, 0.14)),
            f"{HARM} is not ruled out (+5.0% to +14.0%); it got worse, by how much is open.",
        ),
        (
            guarded("unresolved", -0.09, (-0.14, -0.05), "increase"),
            f"{HARM} is not ruled out (-14.0% to -5.0%); it got worse, by how much is open.",
        ),
        (guarded("unresolved", 0.044, None), f"{HARM} is not ruled out."),
        (guarded("unresolved", 0.044, (None, None)), f"{HARM} is not ruled out."),
        (
            guarded("harmed", 0.2, (0.11, 0.3)),
            "Complaints rose by 20% (11% to 30%), more than the tolerated 10%.",
        ),
        (
            guarded("harmed", -0.2, (-0.3, -0.11), "increase"),
            "Complaints fell by 20% (11% to 30%), more than the tolerated 10%.",
        ),
        (
            guarded("safe", 0.0001, (-0.001, 0.001), size=Size("0.4pp", 0.004, False)),
            "Harm to complaints beyond the tolerated 0.4 pp is ruled out (-0.10 to +0.10 pp).",
        ),
        (
            guarded("safe", 0.006, (-0.05, 0.0996)),  # two decimals: one would round the end to the margin
            f"{HARM} is ruled out (-5.00% to +9.96%).",
        ),
    ],
)
def test_guardrails_name_their_margin(metric: MetricResult, text: str) -> None:
    assert said(metric) == text


def test_a_guardrail_on_the_good_side_is_not_called_worse() -> None:
    assert "worse" not in said(guarded("safe", -0.09, (-0.14, -0.05)))
    assert "worse" not in said(guarded("unresolved", 0.04, (-0.05, 0.14)))


def test_a_guardrail_without_a_margin_has_words() -> None:
    text = said(guarded("unresolved", 0.044, (-0.05, 0.14), size=None))
    assert text == "Harm to complaints beyond what is tolerated is not ruled out (-5 to +14 pp)."


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"missing_units": 21_600, "missing_days": 12}, "for about 21,600 more visitors and 12 more days"),
        ({"missing_units": 134_130, "missing_days": 75}, "for about 135,000 more visitors and 75 more days"),
        ({"missing_units": 21_600}, "for about 21,600 more visitors"),
        ({"missing_units": 1, "missing_days": 1}, "for about 1 more visitor and 1 more day"),
        ({"missing_days": 3}, "for about 3 more days"),
        ({"end": "2024-10-06", "missing_units": 9, "missing_days": 18}, "until 6 October 2024 (18 more days)"),
        ({"end": "2024-10-06"}, "until 6 October 2024"),
        ({}, ""),
    ],
)
def test_keep_running_says_how_long(changes: dict[str, Any], text: str) -> None:
    assert sentences.more_needed(Verdict("KEEP RUNNING", "variant", (), **changes), clean().setup) == text


def test_findings_of_the_verdicts() -> None:
    assert sentences.finding(clean(), clean().verdict) == (
        "Orders rose by 13% (4% to 23%): 215 of 10,000 visitors instead of 190."
    )
    assert sentences.finding(broken_split(), broken_split().verdict) == "No conclusion can be drawn from these data."
    assert sentences.finding(nothing(), nothing().verdict) == "No conclusion can be drawn from these data."
    assert sentences.finding(decrease(), decrease().verdict) == (
        "Complaints: -12% seen so far; anything from -18% to -6% still fits the data."
    )
    assert sentences.finding(unbounded(), unbounded().verdict) == (
        "Margin per visitor: +0.29 seen so far; anything from -0.03 to +0.61 still fits the data."
    )
    left, top = three_arms().verdicts
    assert sentences.finding(three_arms(), left) == (
        "Orders rose by 20% (5% to 34%): 240 of 10,000 visitors instead of 200."
    )
    assert sentences.finding(three_arms(), top) == (
        "Orders: +5% seen so far; anything from -8% to +19% still fits the data."
    )
    assert sentences.finding(stopped(), stopped().verdict) == (
        "Orders rose by 13% (4% to 23%): 215 of 10,000 visitors instead of 190. "
        "Decided at 40% of the planned size, corrected for repeated looks."
    )
    assert judged("SHIP") == "There is no comparison of the primary metric."


@pytest.mark.parametrize("make", [decrease, early_look, unbounded, hybrid, between_looks])
def test_a_run_that_goes_on_claims_no_effect_whatever_its_figures(make: Any) -> None:
    text = sentences.finding(make(), make().verdict)
    assert "seen so far" in text and not re.search(r"\b(rose|fell|improved|better|worse)\b", text)


def test_what_is_seen_between_looks_is_a_lift() -> None:
    text = sentences.finding(between_looks(), between_looks().verdict)
    assert re.fullmatch(
        r"Orders: \+13(\.4)?% seen so far, not judged yet, because this run is between the planned looks\.", text
    ), text


def test_a_run_without_any_figure_says_so() -> None:
    none = only(orders, difference=None, difference_interval=None, lift=None, lift_interval=None, status="not_judged")
    assert judged("KEEP RUNNING", none) == "Orders: nothing can be compared so far."


def test_an_inconclusive_end_says_what_the_data_fit_and_what_a_new_run_would_need() -> None:
    flat = valued(clean()["orders"], 0.06, 0.0606, (-0.0006, 0.0048), status="inconclusive")
    assert judged("INCONCLUSIVE", flat) == "No clear effect on orders: anything from -1.0% to +8.0% fits these data."
    verdict, setup = Verdict("INCONCLUSIVE", "variant", (), new_run_units=60_927, new_run_days=31), clean().setup
    about = "A new test would need about 61,000 visitors"
    assert sentences.new_run(verdict, setup) == f"{about}, 31 days at this traffic."
    assert sentences.new_run(replace(verdict, new_run_days=365), setup) == f"{about}, 365 days at this traffic."
    assert sentences.new_run(replace(verdict, new_run_days=400), setup) == f"{about}: at this traffic more than a year."
    assert sentences.new_run(replace(verdict, new_run_days=None), setup) == f"{about}."
    assert sentences.new_run(replace(verdict, new_run_units=None), setup) == ""


def test_an_open_guardrail_beside_a_win() -> None:
    open_guardrail = guarded("unresolved", 0.044, (-0.05, 0.14))
    assert judged("INCONCLUSIVE", orders, open_guardrail, codes=(("guardrail_unresolved", "complaints"),)) == (
        "Orders rose by 6.3% (0.5% to 12.2%): 638 of 10,000 visitors instead of 600. But harm to complaints beyond the "
        "tolerated 10% is not ruled out (-5% to +14%)."
    )


@pytest.mark.parametrize(("status", "did"), [("inconclusive", "did not improve"), ("better", "improved, but not")])
def test_no_benefit_names_the_minimum_effect(status: Status, did: str) -> None:
    flat = valued(clean()["orders"], 0.06, 0.0606, (-0.0006, 0.00126), status=status)
    assert judged("DO NOT SHIP", flat, codes=(("no_benefit", "orders"),)) == (
        f"Orders {did} by the 5% that would be worth having: the effect lies between -1.0% and +2.1%."
    )
    points = replace(flat, minimum_effect=Size("0.4pp", 0.004, False))
    assert judged("DO NOT SHIP", points, codes=(("no_benefit", "orders"),)) == (
        f"Orders {did} by the 0.4 pp that would be worth having: the effect lies between -0.06 and +0.13 pp."
    )


def test_no_benefit_with_an_open_end_is_a_sentence() -> None:
    flat = valued(clean()["orders"], 0.06, 0.0606, (None, 0.00126), status="inconclusive")
    text = judged("DO NOT SHIP", flat, codes=(("no_benefit", "orders"),))
    assert text.startswith("Orders did not improve by the 5% that would be worth having")
    assert "+2.1%" in text and "between at" not in text and "between -." not in text, text


def test_reasons_of_intervals_that_do_not_exist_name_no_none() -> None:
    """The interval of the lift may be open at both ends where that of the difference is not."""
    base = clean()
    for lifts in ((None, None), None):
        metric = only(orders, lift_interval=lifts, status="inconclusive", difference_interval=(-0.0007, 0.0083))
        results = replace(base, metrics=(metric,))
        for code in ("underpowered", "win", "no_benefit", "below_minimum_effect", "secondary_harm"):
            text = reasons.text(results, base.verdict, Reason(code, "orders"))
            assert "None" not in text and "no interval" not in text and "unbounded" not in text, text


def test_a_win_by_not_being_worse_names_the_margin() -> None:
    same = replace(valued(orders, 0.06, 0.0606, (-0.0006, 0.00126), status="inconclusive"), margin=TENTH)
    assert judged("SHIP", same, codes=(("win_noninferior", "orders"),)) == (
        "Harm to orders beyond the tolerated 10% is ruled out (-1.0% to +2.1%)."
    )


def test_harm_to_a_guardrail_is_said_with_the_win() -> None:
    harmed = guarded("harmed", 0.2, (0.11, 0.3))
    assert judged("DO NOT SHIP", clean()["orders"], harmed, codes=(("guardrail_harm", "complaints"),)) == (
        "Orders rose by 13% (4% to 23%): 215 of 10,000 visitors instead of 190. "
        "But complaints rose by 20% (11% to 30%), more than the tolerated 10%."
    )
    flat = valued(orders, 0.06, 0.061, (-0.0007, 0.0027), status="inconclusive")
    assert judged("DO NOT SHIP", flat, harmed, codes=(("guardrail_harm", "complaints"),)) == (
        "No clear effect on orders: anything from -1.2% to +4.5% fits these data. "
        "And complaints rose by 20% (11% to 30%), more than the tolerated 10%."
    )


def test_harm_to_a_primary_metric_leads() -> None:
    assert judged("DO NOT SHIP", orders, replace(fallen, name="sales"), codes=(("primary_harm", "sales"),)) == (
        "Sales fell by 2.0% (0.7% to 3.3%): 588 of 10,000 visitors instead of 600."
    )


def test_a_name_keeps_its_capitals_within_a_sentence() -> None:
    nps = replace(guarded("harmed", 0.2, (0.11, 0.3)), name="nps")
    text = judged("DO NOT SHIP", clean()["orders"], nps, codes=(("guardrail_harm", "nps"),))
    assert "But NPS rose by 20%" in text
    assert said(replace(guarded("safe", 0.006, (-0.05, 0.062)), title="Calls to EU support")).startswith(
        "Harm to Calls to EU support beyond"
    )


def test_shares_are_in_whole_units_of_a_size_that_shows_the_effect() -> None:
    metric = valued(clean()["orders"], 0.2, 0.25, (0.001, 0.099))
    comparison = metric.comparisons[0]
    assert sentences.per_units(metric, comparison, "visitors") == "250 of 1,000 visitors instead of 200"
    wide = replace(comparison, difference_interval=(0.0, 0.1))
    assert sentences.per_units(metric, wide, "visitors") == "25 of 100 visitors instead of 20"
    small = valued(clean()["orders"], 0.0002, 0.00025, (0.00001, 0.00009))
    assert sentences.per_units(small, small.comparisons[0], "visitors") == "25 of 100,000 visitors instead of 20" or (
        sentences.per_units(small, small.comparisons[0], "visitors") == "250 of 1,000,000 visitors instead of 200"
    )
    alike = valued(clean()["orders"], 0.2, 0.20001, (-0.05, 0.06))
    assert sentences.per_units(alike, alike.comparisons[0], "visitors") == ""


def test_what_is_expected_is_the_interval_of_a_shown_effect() -> None:
    assert sentences.expected(orders, orders.comparisons[0]) == "orders to rise by 0.5% to 12.2%"
    assert sentences.expected(fallen, fallen.comparisons[0]) == "orders to fall by 0.7% to 3.3%"
    half_open = valued(orders, 0.06, 0.0638, (0.0003, None))
    assert sentences.expected(half_open, half_open.comparisons[0]) == "orders to rise by at least 0.5%"
    crossing = valued(orders, 0.06, 0.061, (-0.0007, 0.0027))
    assert sentences.expected(crossing, crossing.comparisons[0]) == ""
    none = only(orders, lift=None, lift_interval=None, difference_interval=None)
    assert sentences.expected(none, none.comparisons[0]) == ""


def test_a_rise_of_what_should_fall_is_called_worse() -> None:
    longer = number(
        "minutes", {"control": 4.1, "variant": 4.4}, {"control": 0.05, "variant": 0.05}, "worse", 0.001, goal="decrease"
    )
    assert said(longer) == "Minutes rose by 7.3% (3.9% to 10.7%), which is worse: 4.40 instead of 4.10 per visitor."


@pytest.mark.parametrize("name", ALL)
def test_every_fixture_has_words(name: str) -> None:
    results = ALL[name]()
    texts = [sentences.finding(results, verdict) for verdict in results.verdicts]
    for metric in results.metrics:
        texts += [sentences.effect(results, metric, comparison) for comparison in metric.comparisons]
    for text in texts:
        assert text.endswith(".") and not text.endswith("..")
        assert "None" not in text and "nan" not in text and "--" not in text.replace("<!-- &lt; -->", "")
        assert "  " not in text and " ." not in text and "()" not in text
        assert not re.search(r"\d[eE][-+]?\d", text)


STATUSES: dict[str, tuple[Status, ...]] = {
    "primary": ("better", "worse", "inconclusive", "not_judged"),
    "secondary": ("better", "worse", "inconclusive", "not_judged"),
    "guardrail": ("safe", "harmed", "unresolved", "not_judged"),
    "descriptive": ("descriptive",),
}


@pytest.mark.parametrize("role", STATUSES)
@pytest.mark.parametrize("goal", ["increase", "decrease"])
@pytest.mark.parametrize("size", [None, TENTH, Size("0.4pp", 0.004, False)])
@pytest.mark.parametrize("lift", ["bounded", "unbounded", "missing"])
def test_no_sentence_mixes_a_lift_and_a_difference(role: Any, goal: Any, size: Size | None, lift: str) -> None:
    """The levels of a share after a colon are no effect."""
    changes: dict[str, dict[str, Any]] = {
        "bounded": {},
        "unbounded": {"lift_interval": (None, None)},
        "missing": {"lift": None, "lift_interval": None},
    }
    for status in STATUSES[role]:
        for base in (orders, fallen):
            metric = replace(
                only(base, status=status, **changes[lift]), role=role, goal=goal, margin=size, minimum_effect=size
            )
            text = said(metric)
            assert not ("%" in text and " pp" in text), text
            if lift == "missing" and not (size and size.relative and role == "guardrail"):
                assert "%" not in text, text
