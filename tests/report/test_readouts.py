"""What holds for every readout: its length, its digits, its sums, and that the card alone answers a manager."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pandas as pd
import pytest
from rich.cells import cell_len

import abcx
from abcx.report import card as cards
from abcx.report import markdown, markdown_card, slack, terminal, terminal_card
from abcx.results.readout import Results
from tests.support import extremes, made_results, shipped

READOUTS = [
    *(f"shipped:{name}" for name in shipped.NAMES),
    *(f"extreme:{name}" for name in extremes.NAMES),
    *(f"made:{name}" for name in made_results.ALL),
]
EXPONENT = re.compile(r"(?<![\w.])\d+(\.\d+)?[eE][+-]?\d+")
FIVE_DECIMALS = re.compile(r"\d\.\d{5,}")
FINE_PERCENT = re.compile(r"\.\d{3,}(%| pp)")
NUMBER = re.compile(r"[-+]?[\d,]+(?:\.\d+)?")


def readout(name: str) -> Results:
    kind, _, of = name.partition(":")
    if kind == "shipped":
        return shipped.results(of)
    return extremes.results(of) if kind == "extreme" else made_results.ALL[of]()


def judged(results: Results) -> int:
    return sum(len(metric.comparisons) for metric in results.metrics if metric.role != "descriptive")


def short_forms(results: Results) -> Iterator[str]:
    yield terminal_card.render(results)
    yield markdown_card.render(results)
    yield slack.render(results)


@pytest.mark.parametrize("name", READOUTS)
def test_the_card_keeps_to_its_lines(name: str) -> None:
    results = readout(name)
    for ascii in (False, True):
        wide, narrow = (terminal_card.render(results, width, ascii=ascii) for width in (100, 80))
        assert wide.count("\n") <= min(22 + judged(results), 40)
        assert narrow.count("\n") <= 60
        assert max(map(cell_len, wide.splitlines())) <= 100
        assert max(map(cell_len, narrow.splitlines())) <= 80
        assert not ascii or set(re.sub(r"\w", "", wide)) & set("─│╭╮╰╯├┤●░▌") == set()
        assert "\x1b" not in wide
    summary = markdown_card.render(results)
    assert summary.count("\n") <= 25
    assert markdown.render(results).startswith(summary.rstrip("\n"))
    assert len(slack.render(results)) < 3000


@pytest.mark.parametrize("name", READOUTS)
def test_the_digits_of_every_form(name: str) -> None:
    results = readout(name)
    for text in (*short_forms(results), terminal.render(results), markdown.render(results)):
        hashed = re.sub(r"\b[0-9a-f]{64}\b", "", text)
        assert not EXPONENT.search(hashed)
        assert not FIVE_DECIMALS.search(hashed)
        assert not FINE_PERCENT.search(hashed)


@pytest.mark.parametrize("name", READOUTS)
def test_no_sentence_mixes_a_lift_and_a_difference(name: str) -> None:
    shown = cards.card(readout(name))
    for sentence in re.split(r"(?<=\.) |; ", " ".join([shown.sentence, *shown.others, *shown.steps])):
        assert not (re.search(r"\d%", sentence) and " pp" in sentence), sentence


@pytest.mark.parametrize("name", READOUTS)
def test_the_card_has_no_p_value_and_no_key(name: str) -> None:
    results = readout(name)
    shown = cards.card(results)
    ours = " ".join([shown.sentence, *shown.steps, shown.trust, *shown.worth, *shown.described])
    assert not re.search(r"\bp\s*[=<]", ours)
    if not name.startswith("made:"):  # made by hand, with messages of their own
        keys = [metric.name for metric in results.metrics if "_" in metric.name]
        ours += " ".join(concern.text for concern in shown.concerns)
        assert not re.search(r"\bp\s*[=<]", ours)
        assert not [key for key in keys if re.search(rf"\b{re.escape(key)}\b", ours)]


@pytest.mark.parametrize("name", READOUTS)
def test_what_a_reader_can_add_up_adds_up(name: str) -> None:
    """The value of the variant less that of the control is the difference, where the table shows one; a sentence that
    gives both in whole units gives the same ratio as its lift, within the rounding of the units."""
    for line in [line for group in cards.card(readout(name)).groups for line in group.lines]:
        texts = [line.control, line.variant, line.effect]
        if line.comparison.method.is_adjusted or line.effect.endswith("%") or "just" in line.effect or "-" in texts:
            continue
        control, variant, effect = (numbers(text)[0] for text in texts)
        assert variant - control == pytest.approx(effect, abs=1e-9), (name, texts)


def numbers(text: str) -> list[float]:
    cleaned = re.sub(r"([-+])[^\d\s]*[A-Z]{3} |([-+])[$€£¥]", lambda match: match[1] or match[2], text)
    return [float(found.replace(",", "")) for found in NUMBER.findall(cleaned)]


@pytest.mark.parametrize("name", shipped.NAMES)
def test_the_card_answers_the_six_questions(name: str) -> None:
    """Each answer in docs/report.md is a text of the card, which the terminal shows."""
    from docs.questions import QUESTIONS, answers

    results = shipped.results(name)
    shown = re.sub(r"[\s│]+", " ", terminal_card.render(results))
    found = answers(cards.card(results))
    assert len(found) == len(QUESTIONS) and all(found)
    happened, _, _, to_do, _, progress = found
    assert happened in shown and progress in shown
    assert to_do.partition(". ")[0] in shown


@pytest.mark.parametrize("name", [name for name in READOUTS if "shipped" in name or "extreme" in name])
def test_before_the_end_nothing_rose(name: str) -> None:
    results = readout(name)
    shown = cards.card(results)
    if shown.word == "KEEP RUNNING":
        assert "seen so far" in shown.sentence and not re.search(r"\b(rose|fell)\b", shown.sentence)
    if shown.word == "INVALID":
        assert not shown.groups and not shown.worth and "%" not in shown.sentence


def test_every_verdict_is_among_the_readouts() -> None:
    words = {readout(name).verdict.verdict for name in READOUTS}
    assert words == {"SHIP", "DO NOT SHIP", "KEEP RUNNING", "INCONCLUSIVE", "INVALID"}


def test_no_form_has_an_identifier_of_a_person() -> None:
    """Ids of units that are e-mail addresses, and an owner who is one: no form shows an address."""
    units = pd.DataFrame(
        {
            "unit": [f"someone.{i}@example.org" for i in range(400)],
            "arm": ["control", "variant"] * 200,
            "device": ["phone"] * 399 + ["other@example.org"],
            "ordered": [i % 3 == 0 for i in range(400)],
        }
    )
    spec = {
        "schema_version": 1,
        "name": "people",
        "owner": "Team lead <lead.name@example.org>",
        "arms": {"control": {}, "variant": {}},
        "segments": ["device"],
        "data": {"units": {"attributes": ["device"]}},
        "metrics": {"orders": {"type": "conversion", "column": "ordered", "role": "primary", "goal": "increase"}},
    }
    results = abcx.analyze(spec, units=units)
    forms = [*short_forms(results), terminal.render(results), markdown.render(results), results._repr_html_()]
    assert not [form for form in forms if "someone." in form or "lead.name@" in form]
    assert all("Team lead" in form for form in forms)
