"""Looks and corrections in words: both levels, open ends, boundaries, what is not judged."""

from dataclasses import replace

import pytest

from abcx.report import fragments, markdown, monitoring, sentences, summary, terminal
from abcx.results.monitoring import silent, unjudged
from abcx.results.readout import Monitoring
from tests.support.made_results import ALL, between_looks, clean, early_look, hybrid, share, stopped, three_arms
from tests.support.readouts import shown, tables, words


def test_one_look_says_nothing_about_looks():
    assert (
        monitoring.facts(clean()) == []
        and monitoring.in_short(clean()) == ""
        and monitoring.levels(clean(), clean()["orders"]) == []
    )
    text = terminal.render(clean()) + markdown.render(clean())
    assert "look" not in text.replace("looking", "").replace("look at the largest", "") and "Boundar" not in text


def test_the_set_up_card_has_rule_information_and_boundary():
    text = words(terminal.render(early_look()))
    assert "looks Group sequential, obrien-fleming spending (Lan and DeMets 1983) · now 40% of the planned size" in text
    assert "boundary now z = 3.357 (p below .0008; level .05 overall)" in text


def test_markdown_has_a_table_of_boundaries():
    (found,) = [table for table in tables(markdown.render(early_look())) if table[0][0] == "look"]
    assert found[1:] == [["1", "20%", "4.877", "< .0001"], ["2", "40%", "3.357", ".0008"]]
    facts = {row[0]: row[1] for table in tables(markdown.render(early_look())) for row in table if len(row) == 2}
    assert facts["Information now"] == "40% of the planned size"
    assert facts["Boundary now"].startswith("z = 3.357 (p below .0008;")


def test_a_boundary_below_what_is_printed_reads_well():
    """z = 4.877 is p = .0000011."""
    readout = replace(early_look(), monitoring=Monitoring("group_sequential", 0.2, ((0.2, 4.877),), "obrien_fleming"))
    text = words(terminal.render(readout)) + shown(markdown.render(readout))
    assert "below <" not in text and "= <" not in text and ", < " not in text
    assert "z = 4.877 (p below .0001; level .05 overall)" in text


def test_a_boundary_that_nothing_reaches():
    readout = replace(
        early_look(), monitoring=Monitoring("group_sequential", 0.004, ((0.004, float("inf")),), "obrien_fleming")
    )
    assert monitoring.boundaries(readout) == [("1", "0.4%", "out of reach", "none")]
    assert "now 0.4% of the planned size · boundary now out of reach" in monitoring.in_short(readout)
    assert "inf" not in terminal.render(readout).replace("information", "")


def test_p_is_said_to_be_paid_for_with_both_levels():
    text = words(terminal.render(early_look()))
    assert "p at this look, corrected for repeated looks." in text
    assert "Intervals likewise, at 95%: level .05 overall, .0008 at this look." in text
    assert "Secondary intervals: 97.5% after Holm for 2 comparisons; level .05 overall." in text
    assert "Secondary intervals: 97.5% after Holm for 2 comparisons; level .05 overall." in shown(
        markdown.render(early_look())
    )


def test_looks_and_correction_together():
    readout = replace(three_arms(), monitoring=stopped().monitoring)
    assert monitoring.levels(readout, readout["orders"]) == [
        "p at this look, corrected for repeated looks. Intervals likewise, at 97.5% after Holm for 2 comparisons: "
        "level .05 overall."
    ]


def test_levels_of_their_own_are_named():
    readout = three_arms()
    left, top = readout["orders"].comparisons
    orders = replace(readout["orders"], comparisons=(left, replace(top, alpha=0.05)))
    readout = replace(readout, metrics=(orders,))
    (told,) = monitoring.levels(readout, orders)
    assert told == (
        "Intervals of difference and lift: 97.5% for filter_left and 95% for filter_top after Holm for 2 comparisons; "
        "level .05 overall."
    )
    changed = replace(readout, setup=replace(readout.setup, correction="bh"))
    assert "after Benjamini-Hochberg for 2 comparisons" in monitoring.levels(changed, orders)[0]


@pytest.mark.parametrize("width", [80, 100])
def test_between_looks_nothing_is_judged(width):
    text = words(terminal.render(between_looks(), width))
    assert "Orders: +13.4% seen so far, not judged yet, because this run is between the planned looks." in text
    assert "No p and no interval at this look: this run is between the planned looks (level .05 overall)." in text
    assert "not judged now" in text
    assert "No judgment on orders now, because this run is between the planned looks." in text
    assert "No judgment on calls now, because this run is between the planned looks." in text
    assert "not bounded" not in text and "p = 1" not in text


def test_between_looks_no_table_has_a_p_of_1():
    for table in tables(markdown.render(between_looks())):
        if "adjusted p" in table[0]:
            p = table[0].index("p")
            assert {row[p] for row in table[1:]} == {"-"} == {row[p + 1] for row in table[1:]}
    row = words(summary.render([between_looks()], width=140))
    assert "not judged" in row and " 1 " not in row


def test_too_few_events_is_another_reason():
    readout = replace(between_looks(), monitoring=stopped().monitoring)
    text = sentences.finding(readout, readout.verdict)
    assert text.endswith("not judged yet, because there are too few units or events so far.")


def test_hybrid_tells_harm_from_a_win():
    text = words(terminal.render(hybrid()))
    assert "Orders: +13% seen so far; anything below +25% still fits the data." in text
    assert "Harm to orders is not shown: anything below +25% fits these data. A gain is judged at the end only." in text
    assert "at most +25% inconclusive" in text and "not judged before the end" in text
    assert (
        "Harm at this look, corrected for repeated looks; a win at the end. Intervals at 95%: level .05 overall."
        in text
    )
    assert "Harm to calls beyond the tolerated 5% is not ruled out (at least -12%); it is judged at the end." in text
    assert "p = 1" not in text
    assert "at most +0.47 pp" in text


def test_harm_found_under_hybrid_reads_as_harm():
    metric = share("orders", {"control": 963, "variant": 749}, "worse", 0.0001)
    found = replace(metric.comparisons[0], difference_interval=(None, -0.002), lift_interval=(None, -0.09))
    assert not unjudged(found, "hybrid")
    text = sentences.effect(hybrid(), replace(metric, comparisons=(found,)), found)
    # 963 of 44,700 and 749 of 44,720: 2.154 % and 1.675 %
    assert text == "Orders fell by 22% (at least 9%): 167 of 10,000 visitors instead of 215."


def test_an_open_end_without_monitoring_is_not_unjudged():
    comparison = replace(clean()["orders"].comparisons[0], difference_interval=(None, None), p_value=1.0)
    assert not unjudged(comparison, "fixed") and not silent(comparison, "fixed")
    assert unjudged(comparison, "always_valid") and silent(comparison, "always_valid")
    assert fragments.effect(clean()["orders"], comparison, relative=False)[1] == "not bounded"
    assert fragments.effect(clean()["orders"], comparison, relative=False, rule="hybrid")[1] == "not judged"


def test_a_p_of_1_that_was_judged_is_shown():
    comparison = replace(clean()["orders"].comparisons[0], p_value=1.0)
    assert fragments.p_value(comparison, "group_sequential") == "1"


def test_an_early_verdict_says_when():
    assert "Decided at 40% of the planned size, corrected for repeated looks." in words(terminal.render(stopped()))
    assert "Decided" not in terminal.render(clean()) and "Decided" not in terminal.render(early_look())
    late = replace(stopped(), monitoring=replace(stopped().monitoring, information=1.02))
    assert "Decided" not in terminal.render(late)
    card = words(markdown.render(stopped(), summary=True))
    assert "instead of 190. Decided at 40% of the planned size, corrected for repeated looks." in card


def test_the_glossary_explains_looks_only_where_there_are_some():
    assert "**Looks**" in markdown.render(stopped()) and "**Looks**" not in markdown.render(clean())


@pytest.mark.parametrize("name", ALL)
def test_both_levels_or_none(name):
    """Wherever a level other than the overall one is printed, the overall one stands in the same line."""
    for line in [*words(terminal.render(ALL[name]())).split(". "), *markdown.render(ALL[name]()).splitlines()]:
        if " after Holm for " in line:
            assert "level .05 overall" in line
