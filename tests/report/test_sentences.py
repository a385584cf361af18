from dataclasses import replace

import pytest

from abcx.notes import Note
from abcx.report import sentences
from abcx.results.metric import Size
from abcx.results.readout import Reason, Verdict
from tests.support.made_results import (
    ALL,
    broken_split,
    clean,
    decrease,
    early_look,
    number,
    share,
    three_arms,
    unbounded,
)

TENTH = Size("10%", 0.1, True)


def only(metric, **changes):
    return replace(metric, comparisons=(replace(metric.comparisons[0], **changes),))


def said(metric, unit="visitors"):
    return sentences.effect(metric, metric.comparisons[0], unit)


orders = only(
    clean()["orders"],
    difference=0.0038,
    difference_interval=(0.0003, 0.0073),
    lift=0.063,
    lift_interval=(0.005, 0.124),
)
money = only(
    clean()["revenue_per_visitor"],
    difference=12.4,
    difference_interval=(1.2, 23.6),
    lift=0.1,
    lift_interval=(0.01, 0.2),
)


def test_headline_of_a_win_is_quotable():
    readout = replace(clean(), metrics=(orders,))
    assert sentences.headline(readout) == (
        "Ship variant: orders rose by 6.3% (0.50% to 12.4%), 38 more orders per 10,000 visitors (3 to 73 more)."
    )


@pytest.mark.parametrize(
    ("metric", "text"),
    [
        (money, "Revenue per visitor rose by 10.0% (1.0% to 20.0%), 12.4 higher (1.2 to 23.6 higher)."),
        (
            replace(money, name="spend"),
            "Spend rose by 10.0% (1.0% to 20.0%), 12.4 higher per visitor (1.2 to 23.6 higher).",
        ),
        (
            replace(money, unit="ratio", name="order_value"),
            "Order value rose by 10.0% (1.0% to 20.0%), 12.4 higher (1.2 to 23.6 higher).",
        ),
        (only(money, lift=None, lift_interval=None), "Revenue per visitor rose: 12.4 higher (1.2 to 23.6 higher)."),
        (
            only(
                orders,
                status="worse",
                difference=-0.0012,
                difference_interval=(-0.002, -0.0004),
                lift=-0.063,
                lift_interval=(-0.1, -0.02),
            ),
            "Orders fell by 6.3% (2.0% to 10.0%), 12 fewer orders per 10,000 visitors (4 to 20 fewer), which is worse.",
        ),
        (
            only(
                replace(orders, goal="decrease", name="complaints"),
                difference=-0.0012,
                difference_interval=(-0.002, -0.0004),
                lift=-0.063,
                lift_interval=(-0.1, -0.02),
            ),
            "Complaints fell by 6.3% (2.0% to 10.0%), 12 fewer complaints per 10,000 visitors (4 to 20 fewer), "
            "which is better.",
        ),
        (
            only(orders, status="inconclusive", lift_interval=(-0.012, 0.045)),
            "No clear effect on orders: the data fit anything from -1.2% to +4.5%.",
        ),
        (
            only(orders, status="inconclusive", lift_interval=(-0.012, None)),
            "No clear effect on orders: the data fit anything above -1.2%.",
        ),
        (
            only(orders, status="inconclusive", lift=None, lift_interval=None),
            "No clear effect on orders: the data fit anything from +0.0300 pp to +0.73 pp.",
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
            only(money, status="descriptive", p_value=None),
            "Revenue per visitor: 12.4 higher (1.2 to 23.6 higher), +10.0%; described, not tested.",
        ),
        (
            only(orders, lift_interval=(0.005, None), difference_interval=(0.0003, None)),
            "Orders rose by 6.3% (0.50% or more), 38 more orders per 10,000 visitors (at least 3 more).",
        ),
    ],
)
def test_one_sentence_per_status(metric, text):
    assert said(metric) == text


def test_no_effect_is_rounded_to_zero():
    tiny = only(
        orders,
        difference=0.00002,
        difference_interval=(0.000003, 0.00004),
        lift=0.00002,
        lift_interval=(0.000003, 0.00004),
    )
    text = said(tiny)
    assert "0.0003%" in text and "0.03" in text
    assert "(0 " not in text


def guarded(status, interval, goal="decrease", size=TENTH):
    metric = share(
        "complaints",
        {"control": 9, "variant": 9},
        status,
        0.5,
        role="guardrail",
        goal=goal,
        margin=size,
    )
    return only(metric, lift_interval=interval, difference_interval=interval)


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        (guarded("safe", (-0.05, 0.062)), ["safe", "a harm of more than 10% is excluded", "-5.0% to +6.2%"]),
        (guarded("safe", (0.01, 0.062)), ["safe", "worse than the control all the same"]),
        (
            guarded("unresolved", (-0.05, 0.14)),
            ["unresolved", "a harm of more than 10% is not excluded", "-5.0% to +14.0%"],
        ),
        (guarded("unresolved", (0.05, 0.14)), ["unresolved", "worse than the control"]),
        (guarded("unresolved", (-0.14, -0.05), "increase"), ["unresolved", "worse than the control"]),
        (guarded("harmed", (0.11, 0.3)), ["harmed", "by more than 10%", "+11.0% to +30.0%"]),
        (
            guarded("safe", (-0.001, 0.001), size=Size("0.4pp", 0.004, False)),
            ["more than 0.4pp", "-0.10 pp to +0.10 pp"],
        ),
        (guarded("unresolved", None), ["unresolved", "no interval could be computed"]),
    ],
)
def test_guardrails_name_their_margin(metric, words):
    text = said(metric)
    assert all(word in text for word in words), text


def test_a_guardrail_on_the_good_side_is_not_called_worse():
    assert "worse" not in said(guarded("safe", (-0.14, -0.05)))
    assert "worse" not in said(guarded("unresolved", (-0.05, 0.14)))


def test_keep_running_says_how_long():
    assert "About 12 more days to go (21,600 visitors at 1,800 a day)." in sentences.headline(unbounded())
    verdict = Verdict("KEEP RUNNING", "variant", (), missing_units=21_600)
    setup = clean().setup
    assert sentences.more_needed(verdict, setup) == "About 21,600 more visitors to go."
    seen = replace(verdict, missing_days=1, units_per_day=21_600.0)
    assert sentences.more_needed(seen, replace(setup, units_per_day=None)) == (
        "About 1 more day to go (21,600 visitors at 21,600 a day, the rate seen so far)."
    )
    assert sentences.more_needed(Verdict("KEEP RUNNING", "variant", ()), setup) == ""


def test_headlines_of_the_other_verdicts():
    assert sentences.headline(broken_split()).startswith("No conclusion about variant: the split of 44,700 to 46,120")
    assert sentences.headline(decrease()) == (
        "Keep running variant: complaints: -11.7% seen so far (the data fit -18.0% to -5.5%)."
    )
    left, top = three_arms().verdicts
    assert sentences.headline(three_arms()).startswith("Ship filter_left: orders rose")
    assert sentences.headline(three_arms(), top).startswith("Keep running filter_top: orders: +5.5% seen so far")


def test_a_run_that_goes_on_claims_no_effect_whatever_its_figures():
    for running in (decrease(), early_look(), unbounded()):
        text = sentences.headline(running)
        assert "rose by" not in text and "fell by" not in text


def test_an_inconclusive_end_says_what_a_new_run_would_need():
    open_end = Verdict("INCONCLUSIVE", "variant", (), new_run_units=61_000, new_run_days=31)
    flat = only(clean()["orders"], status="inconclusive", lift=0.01, lift_interval=(-0.01, 0.08))
    found = replace(clean(), verdict=open_end, verdicts=(open_end,), metrics=(flat,))
    assert sentences.headline(found) == (
        "No conclusion about variant: no clear effect on orders: the data fit anything from -1.0% to +8.0%. "
        "A new run would need about 61,000 visitors, 31 days at this traffic."
    )
    assert sentences.new_run(replace(open_end, new_run_days=400), clean().setup).endswith("more than a year.")
    assert sentences.new_run(replace(open_end, new_run_days=None), clean().setup).endswith("61,000 visitors.")
    assert sentences.new_run(replace(open_end, new_run_units=None), clean().setup) == ""


def test_no_benefit_names_the_minimum_effect():
    none = Verdict("DO NOT SHIP", "variant", (Reason("no_benefit", "orders"),))
    flat = only(clean()["orders"], status="inconclusive", lift=0.01, lift_interval=(-0.01, 0.021))
    text = sentences.headline(replace(clean(), verdict=none, verdicts=(none,), metrics=(flat,)))
    assert text == (
        "Do not ship variant: an improvement of orders of at least 5%, the minimum effect, is excluded: "
        "the data fit -1.0% to +2.1%."
    )


def test_harm_to_a_guardrail_leads():
    harm = Verdict("DO NOT SHIP", "variant", (Reason("guardrail_harm", "complaints"),))
    readout = replace(
        clean(), verdict=harm, verdicts=(harm,), metrics=(clean()["orders"], guarded("harmed", (0.11, 0.3)))
    )
    assert sentences.headline(readout).startswith("Do not ship variant: complaints: harmed, by more than 10%")


def test_quote_is_in_absolute_numbers():
    metric = clean()["orders"]
    assert sentences.quote(metric, metric.comparisons[0], "visitors") == (
        "Out of 10,000 visitors, 190 orders with control and 215 with variant: 25 more (7 to 44 more)."
    )
    metric = clean()["revenue_per_visitor"]
    assert sentences.quote(metric, metric.comparisons[0], "visitors").startswith(
        "Revenue per visitor: 1.064 with control and 1.199 with variant: 0.135 higher"
    )


def test_a_fall_is_never_a_negative_improvement():
    longer = number(
        "minutes", {"control": 4.1, "variant": 4.4}, {"control": 0.05, "variant": 0.05}, "worse", 0.001, goal="decrease"
    )
    assert said(longer).startswith("Minutes rose by 7.3%")
    assert said(longer).endswith("which is worse.")


@pytest.mark.parametrize("name", ALL)
def test_every_fixture_has_words(name):
    readout = ALL[name]()
    texts = [sentences.headline(readout, verdict) for verdict in readout.verdicts]
    for metric in readout.metrics:
        for comparison in metric.comparisons:
            texts += [
                sentences.effect(metric, comparison, readout.setup.unit),
                sentences.quote(metric, comparison, readout.setup.unit),
            ]
    for text in texts:
        assert text.endswith(".")
        assert "None" not in text and "nan" not in text and "--" not in text.replace("<!-- &lt; -->", "")
