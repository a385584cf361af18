"""What stands beside the numbers: adjustment, prior, permutation, files; and whether the verdict holds."""

import re
from dataclasses import replace

import pytest

from abcx import formatting
from abcx.notes import Note
from abcx.report import fragments, markdown, notes, sensitivity, sentences, terminal
from abcx.results.readout import Alternative
from abcx.stats.methods import Method
from tests.support.made_results import BAYES, SKEWED, adjusted, broken_split, clean, sensitive, skewed, three_arms
from tests.support.notes import texts
from tests.support.readouts import shown, tables, words

TEXT = "the metric in the 14d before exposure"


def test_the_adjusted_effect_has_the_unadjusted_beside_it():
    said = f"Adjusted for {TEXT}: variance -34%; unadjusted +5.1% (-0.2% to +10.6%), inconclusive."
    assert said in words(terminal.render(adjusted())) and said in shown(markdown.render(adjusted()))


def test_other_metrics_are_adjusted_likewise():
    said = "variance -21%; unadjusted +5.1% (-0.2% to +10.6%), inconclusive."
    assert f"Revenue per visitor, adjusted likewise: {said}" in words(terminal.render(adjusted()))
    assert f"Revenue per visitor, adjusted for {TEXT}: {said}" in shown(markdown.render(adjusted()))


def test_what_was_not_adjusted_is_called_so():
    text, full = words(terminal.render(adjusted())), shown(markdown.render(adjusted()))
    why = "Cart visits: Not adjusted for covariates: events are few, and the score test of shares has no adjusted form."
    assert why in text and why in full
    assert f"Cart visits: not adjusted for {TEXT}" not in text, "said once"
    assert f"Complaints: not adjusted for {TEXT} (too many units or covariates to relabel)." in text
    many = "Too many units to relabel with covariates: the interval does not adjust for them."
    assert f"pushes the t-test to one side. {many}" in full
    silent = replace(adjusted()["cart_visits"], role="primary")
    silent = replace(silent, comparisons=tuple(replace(c, notes=()) for c in silent.comparisons))
    assert notes.of_metric(adjusted(), silent) == [f"Not adjusted for {TEXT}."]


@pytest.mark.parametrize(("saved", "text"), [(0.34, "-34%"), (-0.02, "+2%"), (0.0, "unchanged"), (0.004, "unchanged")])
def test_the_change_of_the_variance(saved, text):
    metric = adjusted()["orders"]
    assert metric.adjustment is not None
    metric = replace(metric, adjustment=replace(metric.adjustment, saved={"variant": saved}))
    assert f": variance {text};" in notes.of_metric(adjusted(), metric)[0]


def test_several_variants_are_told_apart():
    readout = three_arms()
    left, top = (replace(c, method=Method.WELCH_ADJUSTED) for c in readout["orders"].comparisons)
    plain = adjusted()["orders"].adjustment
    assert plain is not None
    adjustment = replace(plain, saved={"filter_left": 0.3, "filter_top": 0.2}, unadjusted=(left, top))
    metric = replace(readout["orders"], comparisons=(left, top), adjustment=adjustment)
    (told,) = notes.of_metric(readout, metric)
    assert "variance -30% with filter_left, variance -20% with filter_top; unadjusted filter_left" in told
    assert "filter_left +20% (+5% to +34%), better; unadjusted filter_top +5% (-8% to +19%), inconclusive" in told
    part = replace(metric, comparisons=(left, replace(top, method=Method.PERMUTATION)))
    (told,) = notes.of_metric(readout, part)
    assert "only with filter_left; variance -30% with filter_left; unadjusted filter_left" in told
    assert "filter_top" not in told


def test_values_as_measured_are_not_the_adjusted_effect():
    metric = adjusted()["orders"]
    comparison = metric.comparisons[0]
    assert sentences.effect(adjusted(), metric, comparison) == "Orders rose by 13% (4% to 23%)."
    assert sentences.per_units(metric, comparison, "visitors") == ""
    plain = replace(comparison, method=Method.WELCH)
    assert sentences.effect(adjusted(), metric, plain).endswith(": 215 of 10,000 visitors instead of 190.")


def test_bayes_is_labeled_with_its_prior():
    said = (
        "With a prior of lifts N(0, 5%): lift +3.1% (-0.4% to +6.7%), 96% chance to beat control, expected loss 0.02%."
    )
    assert said in words(terminal.render(adjusted())) and said in shown(markdown.render(adjusted()))
    assert "Same prior, revenue per visitor: lift" in words(terminal.render(adjusted()))
    assert "more than 99.9% chance to beat control, expected loss below 0.01%." in words(terminal.render(adjusted()))
    assert "**Prior**" in markdown.render(adjusted())


def test_without_a_prior_nothing_bayesian_is_printed():
    for text in (terminal.render(clean()), markdown.render(clean())):
        assert not re.search("prior|chance to beat|expected loss", text, re.IGNORECASE)


def test_a_metric_without_a_goal_has_no_chance_to_beat():
    assert "order value" not in "".join(re.findall("prior[^:]*:", words(terminal.render(adjusted()))))


def test_broken_data_get_no_chance_to_beat():
    readout = broken_split()
    orders = readout["orders"]
    orders = replace(orders, comparisons=(replace(orders.comparisons[0], bayes=BAYES),))
    assert "chance to beat" not in terminal.render(replace(readout, metrics=(orders,)))


@pytest.mark.parametrize(
    ("p", "text"),
    [
        (0.5, "50%"),
        (0.964, "96%"),
        (0.994, "99.4%"),
        (0.99999, "more than 99.9%"),
        (0.004, "0.4%"),
        (0, "less than 0.1%"),
    ],
)
def test_a_chance_is_never_certain(p, text):
    assert formatting.chance(p) == text


def test_a_small_loss_is_never_nothing():
    assert formatting.small_percent(0.0002) == "0.02%" and formatting.small_percent(1e-9) == "below 0.01%"


def test_permutation_is_said_once_in_the_terminal_and_in_full_in_markdown():
    text, full = words(terminal.render(sensitive())), shown(markdown.render(sensitive()))
    why = "values too skewed and arms too uneven for the t-test; approximate: Order value"
    assert f"Interval by permutation: Revenue per visitor, Order value ({why})." in text
    assert "Interval by permutation: Cart visits (the spec asks for it)." in text
    assert "skewness of the values" not in text and text.count("by permutation") == 2
    assert f"Revenue per visitor: {SKEWED}" in full and f"Order value: {SKEWED.replace('41', '44')}" in full
    methods = {row[-2] for table in tables(markdown.render(sensitive())) if "method" in table[0] for row in table[1:]}
    assert {"permutation", "permutation, approximate (fitted tail)"} <= methods


def test_adjusted_permutation_names_its_method_and_the_covariates():
    readout = sensitive()
    name = "revenue_per_visitor"
    why = Note("permuted_skewed_covariate", {"skewness": 31.0, "control": 900, "variant": 100})
    told = replace(
        readout[name].comparisons[0],
        method=Method.PERMUTATION_TAIL_ADJUSTED,
        notes=(why,),
    )
    changed = replace(readout[name], comparisons=(told,))
    readout = replace(readout, metrics=tuple(changed if m.name == name else m for m in readout.metrics))
    said = "Revenue per visitor (covariates too skewed and arms too uneven for the t-test; approximate)"
    assert said in words(terminal.render(readout))
    assert fragments.method(changed.comparisons[0]) == "permutation, adjusted, approximate (fitted tail)"
    assert (
        fragments.method(replace(changed.comparisons[0], method=Method.PERMUTATION_ADJUSTED)) == "permutation, adjusted"
    )


def test_another_note_beside_permutation_is_kept():
    readout = sensitive()
    metric = readout["revenue_per_visitor"]
    notes_ = (Note("strata_merged", {"strata": 3}), skewed(41))
    metric = replace(metric, cap=None, comparisons=(replace(metric.comparisons[0], notes=notes_),))
    assert notes.in_short(readout, [metric]) == [
        "Revenue per visitor: 3 strata with few units in an arm were taken together."
    ]


def test_a_note_of_many_metrics_is_said_once():
    readout = clean()
    found = [
        replace(m, comparisons=(replace(m.comparisons[0], notes=(Note("strata_merged", {"strata": 2}),)),), cap=None)
        for m in (readout["cart_visits"], readout["complaints"])
    ]
    assert notes.in_short(readout, found) == [
        "Cart visits and complaints: 2 strata with few units in an arm were taken together."
    ]


def test_files_without_zones_share_a_sentence():
    said = "The times of a.csv and b, c.csv have no timezone: they are read as Europe/London."
    assert said in words(terminal.render(sensitive())) and said in shown(markdown.render(sensitive()))
    many = [Note("no_timezone", {"file": f"{i}.csv", "zone": "UTC"}) for i in range(9)]
    assert notes.of_data(many, 4) == [
        "the times of 0.csv, 1.csv, 2.csv and 6 more files have no timezone: they are read as UTC"
    ]
    assert "8.csv have" in notes.of_data(many)[0]
    paris = Note("no_timezone", {"file": "x.csv", "zone": "Europe/Paris"})
    three = [many[0], Note("json_lines", {"file": "y"}), paris]
    assert notes.of_data(three) == texts(three)


def test_the_terminal_says_what_the_verdict_survives():
    assert (
        "The verdict holds without the cap, without the top 0.1% of units (9 of 9,000) and with analytic intervals; "
        "not without covariates (KEEP RUNNING)."
    ) in words(terminal.render(sensitive()))


def test_what_the_verdict_does_not_survive_is_in_the_card():
    said = "Without covariates the verdict would be KEEP RUNNING."
    text = terminal.render(sensitive())
    card = words(text[: text.index("── Why this verdict")])
    assert said in card or "More: the verdict itself" in card, "three concerns are told, the others named"
    assert said in shown(markdown.render(sensitive(), summary=True))
    alone = replace(sensitive(), verdict=replace(sensitive().verdict, warnings=()), checks=clean().checks[:1])
    text = terminal.render(alone)
    assert said in words(text[: text.index("── Why this verdict")])
    assert f"Read with care: {said}" in shown(markdown.render(sensitive()))


def test_a_verdict_that_always_holds_or_never():
    readout = sensitive()
    good = tuple(one for one in readout.sensitivity if one.holds)
    firm = replace(readout, sensitivity=good)
    assert sensitivity.care(firm) == []
    assert sensitivity.line(firm) == [
        "The verdict holds without the cap, without the top 0.1% of units (9 of 9,000) and with analytic intervals."
    ]
    weak = replace(readout, sensitivity=tuple(replace(one, holds=False, verdict="INVALID") for one in good[:2]))
    assert sensitivity.line(weak) == [
        "The verdict does not hold without the cap (INVALID) or without the top 0.1% of units (9 of 9,000) (INVALID)."
    ]
    assert sensitivity.care(weak) == [
        "Without the cap or without the top 0.1% of units (9 of 9,000) the verdict would be INVALID."
    ]
    several = replace(firm, verdicts=three_arms().verdicts)
    assert sensitivity.line(several)[0].startswith("The verdict on variant holds")


def test_nothing_about_sensitivity_where_nothing_was_tried():
    assert sensitivity.line(clean()) == [] == sensitivity.care(clean())
    assert "verdict hold" not in terminal.render(clean()) + markdown.render(clean())


def test_the_table_of_other_analyses():
    """One rule of digits in one table: the intervals are 18 to 24 percent wide."""
    text = markdown.render(sensitive())
    assert "<summary>Does the verdict hold?</summary>" in text
    (found,) = [table for table in tables(text) if table[0][0] == "what was changed"]
    assert found[1:] == [
        ["as declared", "SHIP", "+13% (+4% to +23%)", ".0068", "-"],
        ["without the cap", "SHIP", "+11% (+2% to +20%)", ".020", "yes"],
        ["without covariates", "KEEP RUNNING", "+11% (-3% to +21%)", ".140", "no"],
        ["without the top 0.1% of units (9 of 9,000)", "SHIP", "+11% (+2% to +20%)", ".020", "yes"],
        ["with analytic intervals", "SHIP", "+11% (+2% to +20%)", ".020", "yes"],
    ]


def test_an_open_end_of_another_analysis_is_said_as_everywhere():
    open_end = Alternative(Note("without_cap"), "SHIP", "variant", 0.1, (None, 0.2), 0.2, False)
    assert sensitivity.rows(replace(sensitive(), sensitivity=(open_end,)))[1][2] == "+10% (at most +20%)"


def test_an_alternative_without_a_lift():
    readout = replace(
        sensitive(),
        sensitivity=(Alternative(Note("interval", {"by": "analytic"}), "SHIP", "variant", None, None, None, True),),
    )
    assert sensitivity.rows(readout)[1] == ("with analytic intervals", "SHIP", "-", "-", "yes")
