"""The card: as long as its room, as wide as the terminal, no p-value, no claim before the end, one scale a sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from rich.cells import cell_len

from abcx import formatting
from abcx.notes import Note
from abcx.report import card, markdown_card, slack, terminal_card
from abcx.report.fragments import inline
from abcx.results.metric import Size
from abcx.results.readout import Alternative, CheckResult, Impact, Reason, Results
from tests.support import extremes
from tests.support.made_results import (
    ALL,
    ARABIC,
    CJK,
    LONG,
    broken_split,
    clean,
    crowded,
    number,
    setup,
    simulated,
    three_arms,
)
from tests.support.readouts import tables, words

CROWDED: dict[str, Callable[[], Results]] = {
    "long": lambda: crowded(LONG),
    "cjk": lambda: crowded(CJK),
    "arabic": lambda: crowded(ARABIC),
    "many arms": lambda: crowded("m{:02}", 12, 2),
    "many metrics": lambda: crowded("m{:02}", 2, 30),
    "three arms of long names": lambda: crowded(LONG, 3, 4),
}
EVERY: dict[str, Callable[[], Results]] = {**ALL, **CROWDED}
EVERY |= {f"extreme {name}": partial(extremes.results, name) for name in (*extremes.EXTREMES, *extremes.REASONS)}


def judged(results: Results) -> int:
    """The comparisons that are judged, which a card lists."""
    if results.verdict.verdict == "INVALID":
        return 0
    return sum(len(metric.comparisons) for metric in results.metrics if metric.role != "descriptive")


def texts(results: Results) -> Iterator[str]:
    """Every sentence of the card, apart from the table and the messages of checks."""
    found = card.card(results)
    for text in (found.sentence, *found.others, *found.steps, *found.worth):
        yield from re.split(r"(?<=[.;]) ", text)


@pytest.mark.slow
@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("name", EVERY)
def test_a_card_fits_its_lines_and_its_width(name: str, width: int, ascii: bool) -> None:
    results = EVERY[name]()
    text = terminal_card.render(results, width, ascii=ascii)
    lines = text.splitlines()
    assert max(map(cell_len, lines)) <= width
    assert len(lines) <= (min(22 + judged(results), 40) if width == 100 else 60)
    assert text.endswith("\n") and not text.endswith("\n\n") and "\x1b" not in text
    assert "…" not in text and ("~" not in text or name == "hostile"), "nothing is cut"


@pytest.mark.parametrize("name", sorted(set(ALL) - {"hostile"}))
def test_an_ascii_card_is_ascii(name: str) -> None:
    assert terminal_card.render(ALL[name](), 100, ascii=True).isascii()


@pytest.mark.parametrize("name", EVERY)
def test_a_markdown_card_has_at_most_25_lines(name: str) -> None:
    text = markdown_card.render(EVERY[name]())
    assert len(text.splitlines()) <= 25
    for table in tables(text):
        assert {len(row) for row in table} == {len(table[0])}


@pytest.mark.parametrize("name", EVERY)
def test_a_card_has_no_p_value(name: str) -> None:
    """Whatever the messages of checks say, which have figures of their own."""
    results = EVERY[name]()
    results = replace(results, checks=tuple(replace(check, message="as it should not be") for check in results.checks))
    for text in (terminal_card.render(results), markdown_card.render(results), slack.render(results)):
        assert not re.search(r"\bp\s*[=<]|\bp-value|[^\d]\.\d{3,4}\b", words(text)), text


@pytest.mark.parametrize("make", [broken_split, lambda: extremes.results("broken_split"), ALL["nothing"]])
def test_invalid_states_no_effect(make: Callable[[], Results]) -> None:
    results = make()
    assert results.verdict.verdict == "INVALID"
    found = card.card(replace(results, impact=(Impact("orders", "variant", 1000, 12.0, (2.0, 22.0), 0.05),)))
    assert found.groups == () and found.described == () and found.worth == ()
    assert found.sentence == "No conclusion can be drawn from these data."
    for text in (terminal_card.render(results), markdown_card.render(results), slack.render(results)):
        assert not re.search(r"\b(rose|fell|better|worse|safe|harmed)\b|[-+]\d|\bpp\b", words(text)), text
        assert "●" not in text


@pytest.mark.parametrize("name", EVERY)
def test_a_run_that_goes_on_is_seen_so_far(name: str) -> None:
    results = EVERY[name]()
    if results.verdict.verdict != "KEEP RUNNING":
        return
    found = card.card(results)
    assert "seen so far" in found.sentence or "nothing can be compared so far" in found.sentence
    assert not any(re.search(r"\b(rose|fell)\b", text) for text in (found.sentence, *found.steps))
    assert found.steps[0].startswith("Keep the test running")
    others = [text for text in found.others if ": KEEP RUNNING." in text]
    assert all("seen so far" in text and not re.search(r"\b(rose|fell)\b", text) for text in others)


@pytest.mark.parametrize("name", EVERY)
def test_no_sentence_mixes_a_lift_and_a_difference(name: str) -> None:
    for text in texts(EVERY[name]()):
        level = re.sub(r": \S+% instead of \S+%", "", text)  # the shares themselves are no effect
        assert not ("%" in level and " pp" in level), text


@pytest.mark.parametrize("name", EVERY)
def test_figures_have_two_decimals_at_most_where_they_are_percentages(name: str) -> None:
    found = card.card(EVERY[name]())
    lines = [line for group in found.groups for line in group.lines]
    cells = [text for line in lines for text in (line.control, line.variant, line.effect, line.interval)]
    for text in [*texts(EVERY[name]()), *cells, *found.described]:
        assert not re.search(r"\.\d{3,}( pp|%)|\.\d{5,}|\d[eE][-+]?\d", text), text


@pytest.mark.parametrize("name", EVERY)
def test_figures_that_a_reader_can_add_up_add_up(name: str) -> None:
    """Where the effect is a difference, it is that of the two values of its line."""
    found = card.card(EVERY[name]())
    for line in (line for group in found.groups for line in group.lines):
        figures = [re.fullmatch(r"([-+]?)\D*?(\d[\d,]*\.?\d*)\D*", text.replace("10,000", "").replace("per ", ""))
                   for text in (line.control, line.variant, line.effect)]  # fmt: skip
        if line.effect.endswith("%") or not all(figures) or line.comparison.method.is_adjusted:
            continue
        control, variant, effect = (
            float((figure[1] if figure[1] == "-" else "") + figure[2].replace(",", "")) for figure in figures if figure
        )
        assert control == variant or control + effect == pytest.approx(variant, abs=1e-9), line


def test_the_words_of_a_card() -> None:
    """A SHIP in full, its numbers worked out by hand: 849 of 44,700 and 963 of 44,720, standard error of the lift
    .0496."""
    found = card.card(clean())
    assert (found.title, found.word, found.arm, found.simulated) == ("Kilt filter", "SHIP", "variant", False)
    assert found.sentence == "Orders rose by 13% (4% to 23%): 215 of 10,000 visitors instead of 190."
    assert found.steps == (
        "Ship variant: expect orders to rise by 4% to 23%.",
        "Before you quote an amount: look at the largest values one by one.",
    )
    assert found.trust == "9 checks passed, 3 need care."
    assert [concern.fails for concern in found.concerns] == [False] * 3
    assert found.facts[-3:] == (
        "89,420 visitors: control 44,700, variant 44,720",
        "planned size reached",
        "cx-team",
    )
    assert re.fullmatch(r"4( March)? to 30 March 2024", found.facts[0])
    assert [group.heading for group in found.groups] == ["Primary", "Secondary", "Guardrails"]
    lines = [line for group in found.groups for line in group.lines]
    assert [(line.label, line.control, line.variant, line.effect, line.interval, line.result) for line in lines] == [
        ("Orders", "1.90%", "2.15%", "+13%", "+4% to +23%", "better"),
        ("Revenue per visitor", "1.06", "1.20", "+13%", "+3% to +23%", "better"),
        ("Cart visits", "9.00%", "9.17%", "+2.0%", "-2.2% to +6.2%", "no clear effect"),
        ("Complaints", "4.03%", "4.01%", "-0.4%", "-6.8% to +6.0%", "safe"),
    ]
    assert found.described == ("Order value 56.0 with control, 55.7 with variant",)
    assert found.interval == "95% interval" and found.worth == ()


def test_other_variants_are_told_with_their_verdict() -> None:
    found = card.card(three_arms())
    assert found.arm == "filter_left"
    assert found.others == (
        "filter_top: KEEP RUNNING. Orders: +5% seen so far; anything from -8% to +19% still fits the data.",
    )
    text = words(terminal_card.render(three_arms()))
    assert "SHIP filter_left" in text and "filter_top: KEEP RUNNING" in text
    labels = [line.label for group in found.groups for line in group.lines]
    assert labels == [
        "Orders, filter_left",
        "Orders, filter_top",
        "Complaints, filter_left",
        "Complaints, filter_top",
    ]
    assert found.interval == "interval", "97.5% for orders, 95% for complaints"


def test_every_variant_of_many_is_named() -> None:
    """Of twelve arms the card has no room for a sentence each, but no verdict is lost."""
    results = crowded("m{:02}", 12, 2)
    text = words(" ".join(card.card(results).others))
    assert all(formatting.clean(verdict.arm) in text for verdict in results.verdicts[1:])
    assert "SHIP" in text and "KEEP RUNNING" in text


@pytest.mark.parametrize("name", ["long", "many metrics", "cjk"])
def test_what_has_no_room_is_counted(name: str) -> None:
    results = CROWDED[name]()
    lines = terminal_card.render(results).splitlines()
    listed = sum(
        bool(re.search(r"better$|worse$|no clear effect$|safe$|harmed$|not shown safe$", line)) for line in lines
    )
    (left,) = re.findall(r"And (\d+) more comparisons", words("\n".join(lines)))
    heading = any(line.endswith("better") and "●" not in line for line in lines)
    assert listed - heading + int(left) == judged(results)
    shown = markdown_card.render(results)
    (left,) = re.findall(r"And (\d+) more comparisons", shown)
    assert len(tables(shown)[0]) - 1 + int(left) == judged(results)


def test_simulated_data_are_called_so_in_the_first_lines() -> None:
    assert "SIMULATED DATA" in "".join(terminal_card.render(simulated()).splitlines()[:2])
    assert "SIMULATED DATA" in "".join(markdown_card.render(simulated()).splitlines()[:3])
    assert "SIMULATED DATA" in "".join(slack.render(simulated()).splitlines()[:2])
    for text in (terminal_card.render(clean()), markdown_card.render(clean()), slack.render(clean())):
        assert "SIMULATED" not in text


def test_what_failed_comes_first_and_what_has_no_room_is_named() -> None:
    found = card.card(broken_split())
    assert found.concerns[0].fails and found.concerns[0].text.startswith("The split of 44,700 to 46,120")
    assert found.trust == "8 checks passed, 1 failed, 3 need care."
    assert found.steps[0] == "Look for redirects, bots or a filter that hits one arm."
    text = words(terminal_card.render(broken_split()))
    assert text.index("! The split") < text.index("- Also to be looked at: whole weeks")


def test_a_warning_of_a_metric_is_told_with_its_title() -> None:
    """Metrics that have no title of their own are named by what is made from their key."""
    base = clean()
    verdict = replace(base.verdict, warnings=(*base.verdict.warnings, Reason("secondary_harm", "cart_visits")))
    found = card.card(replace(base, verdict=verdict, verdicts=(verdict,)))
    (concern,) = [concern for concern in found.concerns if concern.subject == "Cart visits"]
    assert concern.text.startswith("No clear effect on cart visits")  # its own sentence, whatever its status is


def with_status(results: Results, name: str, code: str, **changes: Any) -> Results:
    """A readout in which a metric of the headline's arm has other results, and a warning about it."""
    arm = results.verdict.arm
    metrics = tuple(
        metric
        if metric.name != name
        else replace(
            metric, comparisons=tuple(replace(c, **changes) if c.arm == arm else c for c in metric.comparisons)
        )
        for metric in results.metrics
    )
    verdict = replace(results.verdict, warnings=(Reason(code, name),))
    return replace(results, metrics=metrics, verdict=verdict, verdicts=(verdict,))


def test_a_variant_that_ships_although_another_metric_got_worse() -> None:
    lifts = {
        "lift": -0.3,
        "lift_interval": (-0.34, -0.26),
        "difference": -0.03,
        "difference_interval": (-0.034, -0.026),
    }
    results = with_status(clean(), "cart_visits", "secondary_harm", status="worse", **lifts)
    found = card.card(results)
    assert found.word == "SHIP"
    (concern,) = [concern for concern in found.concerns if concern.subject == "Cart visits"]
    assert concern.text.startswith("Cart visits fell by 30.0% (26.0% to 34.0%)")
    assert "Before that: decide whether you accept that cart visits got worse." in found.steps
    for text in (terminal_card.render(results), markdown_card.render(results), slack.render(results)):
        assert not re.search(r"\bp\s*[=<]", words(text))


def test_a_primary_that_got_worse_within_its_margin() -> None:
    base = clean()
    metrics = tuple(replace(m, margin=Size("5%", 0.05, True)) if m.name == "orders" else m for m in base.metrics)
    lifts = {
        "lift": -0.02,
        "lift_interval": (-0.03, -0.01),
        "difference": -0.002,
        "difference_interval": (-0.003, -0.001),
    }
    results = with_status(
        replace(base, metrics=metrics), "orders", "worse_within_margin", status="worse", margin_state="inside", **lifts
    )
    (concern,) = [concern for concern in card.card(results).concerns if concern.subject == "Orders"]
    assert concern.text.startswith("Orders fell by 2.0% (1.0% to 3.0%), within the tolerated 5%")


def test_a_guardrail_without_an_event_is_neither_harmed_nor_called_open() -> None:
    base = clean()
    guardrail = next(metric for metric in base.metrics if metric.role == "guardrail")
    results = with_status(base, guardrail.name, "guardrail_unresolved", status="unresolved")
    reasons = (Reason("guardrail_unresolved", guardrail.name, {"no_events": True}),)
    verdict = replace(results.verdict, verdict="INCONCLUSIVE", reasons=reasons, warnings=())
    found = card.card(replace(results, verdict=verdict, verdicts=(verdict,)))
    assert f"there is no event for {inline(guardrail)}" in found.sentence
    assert "a gap in the logging" in found.sentence and "ruled out" not in found.sentence


def test_a_verdict_that_does_not_hold_is_a_concern() -> None:
    other = Alternative(Note("without_cap"), "KEEP RUNNING", "variant", 0.1, (-0.01, 0.2), 0.06, False)
    texts = [concern.text for concern in card.card(replace(clean(), sensitivity=(other,))).concerns]
    assert "Without the cap the verdict would be KEEP RUNNING." in texts


def test_no_check_and_a_check_that_the_spec_does_not_let_run() -> None:
    quiet = replace(clean(), verdict=replace(clean().verdict, warnings=()))
    assert card.card(replace(quiet, checks=())).trust == "No checks were run."
    skipped = CheckResult("sample_size", "skipped", "no plan", help="declare a plan")
    one = CheckResult("srm", "pass", "fits")
    care = CheckResult("outliers", "warn", "a few large values")
    assert card.card(replace(quiet, checks=(one, skipped))).trust == (
        "1 check passed, 1 could not run (the spec has no plan)."
    )
    assert card.card(replace(quiet, checks=(care,))).trust == "No check passed, 1 needs care."


@pytest.mark.parametrize(
    ("metric", "change", "interval", "text"),
    [
        (
            "revenue_per_visitor",
            12_434.0,
            (2_118.0, 22_750.0),
            "+EUR 12,000 a month (95% interval: +EUR 2,000 to +23,000)",
        ),
        ("orders", 112.0, (21.4, 202.6), "+110 orders a month (95% interval: +20 to +200)"),
        ("orders", 112.0, (21.4, None), "+110 orders a month (95% interval: at least +20)"),
        ("orders", -112.0, (-202.6, -21.4), "-110 orders a month (95% interval: -200 to -20)"),
    ],
)
def test_what_it_is_worth_has_its_interval(
    metric: str, change: float, interval: tuple[float | None, float | None], text: str
) -> None:
    base = replace(clean(), verdict=replace(clean().verdict, warnings=()))
    metrics = tuple(replace(m, currency="EUR") if m.name == "revenue_per_visitor" else m for m in base.metrics)
    quiet = tuple(check for check in base.checks if check.code != "outliers")
    impact = (Impact(metric, "variant", 120_000, change, interval, 0.05),)
    (worth,) = card.card(replace(base, metrics=metrics, checks=quiet, impact=impact)).worth
    assert worth == f"Shipping to all 120,000 visitors of a month: {text}."
    details = {"metrics": {"revenue_per_visitor": {"variant": {"suspect": True}}, "orders": {}}}
    warning = tuple(replace(check, details=details) if check.code == "outliers" else check for check in base.checks)
    (cared,) = card.card(replace(base, metrics=metrics, checks=warning, impact=impact)).worth
    assert ("carried by a few large values" in cared) == (metric == "revenue_per_visitor")
    for rendered in (terminal_card.render, markdown_card.render, slack.render):
        shown = words(rendered(replace(base, metrics=metrics, checks=quiet, impact=impact))).replace("\\", "")
        assert text in shown
        assert shown.index("Orders rose by") < shown.index(text), "what it is worth never leads"


def test_progress_says_whether_the_plan_was_kept() -> None:
    assert "68% of the planned 88,000 visitors" in card.card(three_arms()).facts  # 60,000
    assert "no size was planned" in card.card(replace(clean(), setup=setup(planned_units=None))).facts
    assert "still running for about 135,000 more visitors and 75 more days" in card.card(ALL["early_look"]()).facts


def test_a_guardrail_is_on_the_scale_of_its_margin() -> None:
    base = clean()
    guardrail = replace(base["complaints"], margin=Size("0.4pp", 0.004, False))
    found = card.card(replace(base, metrics=(base["orders"], guardrail)))
    line = found.groups[1].lines[0]
    # 4.0313 % and 4.0139 %, standard error .1314 pp
    assert (line.control, line.variant, line.effect) == ("4.03%", "4.01%", "-0.02 pp")
    assert line.interval == "-0.28 to +0.24 pp"


def test_families_have_headings() -> None:
    base = clean()
    metrics = tuple(replace(m, family="sales" if m.name == "cart_visits" else None) for m in base.metrics)
    headings = [group.heading for group in card.card(replace(base, metrics=metrics)).groups]
    assert headings == ["Primary", "Secondary", "Secondary: sales", "Guardrails"]
    assert "Secondary: sales" in terminal_card.render(replace(base, metrics=metrics))


def test_a_title_and_a_unit_are_shown_in_place_of_the_key() -> None:
    base = clean()
    seconds = number(
        "t_load", {"control": 4.1, "variant": 4.4}, {"control": 0.05, "variant": 0.05}, "worse", 0.001, goal="decrease"
    )
    found = replace(base, metrics=(base["orders"], replace(seconds, title="Time to load", unit_text="s")))
    for rendered in (terminal_card.render, markdown_card.render, slack.render):
        text = words(rendered(found))
        assert "Time to load" in text and "4.40 s" in text if rendered is not slack.render else "Time to load" in text
        assert "t_load" not in text
