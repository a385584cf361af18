"""The whole readout in a terminal (`--full`): the card, then everything else, at any width and without color."""

import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from abcx import formatting
from abcx.report import fragments, terminal, terminal_card
from abcx.results.readout import Reason
from tests.support.made_results import ALL, HOSTILE, clean, hostile, nothing, simulated, three_arms, unbounded
from tests.support.readouts import words

SECTIONS = (
    "Why this verdict",
    "Can these data be trusted?",
    "What was set up",
    "Primary metric: Orders (orders)",
    "All metrics",
    "Where the effect comes from",
    "What was done to the data",
    "Methods and limits",
)


def squeezed(text):
    """The letters alone: folding may break a long name anywhere."""
    return re.sub(r"[\s│╭╮╰╯─]+", "", text)


def numbers(results):
    """Every number of the metrics as it is printed, with whether it must show."""
    rule = results.monitoring.rule
    for metric in results.metrics:
        for arm in metric.arms if metric.role == "primary" else ():
            yield formatting.count(arm.units)
            yield fragments.value(arm.value, metric)
            yield from (part for part in fragments.value_interval(arm.interval, metric).split(" to "))
        for comparison in metric.comparisons:
            yield from fragments.effect(metric, comparison, rule=rule)[:1]
            yield from fragments.effect(metric, comparison, rule=rule)[1].split(" to ")
            yield fragments.p_value(comparison, rule)
            yield comparison.status


@pytest.mark.parametrize("name", ALL)
def test_the_card_comes_first_and_whole(name):
    for width in (80, 100):
        assert terminal.render(ALL[name](), width).startswith(terminal_card.render(ALL[name](), width, alone=False))


@pytest.mark.slow
@pytest.mark.parametrize("width", [60, 80, 100, 140])
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("ascii", [False, True])
def test_no_line_is_longer_than_the_width(name, width, ascii):
    text = terminal.render(ALL[name](), width, ascii=ascii)
    assert max(map(cell_len, text.splitlines())) <= width
    assert text.endswith("\n") and not text.endswith("\n\n")
    assert "…" not in text and ("~" not in text or name == "hostile"), "nothing is cut"


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("name", ALL)
@pytest.mark.slow
def test_every_number_is_there(name, width):
    text = squeezed(terminal.render(ALL[name](), width))
    for number in numbers(ALL[name]()):
        assert squeezed(number) in text, number


@pytest.mark.parametrize("name", [name for name in ALL if name != "hostile"])
@pytest.mark.slow
def test_nothing_is_lost_at_80(name):
    wide, narrow = (set(words(terminal.render(ALL[name](), width)).split()) for width in (100, 80))
    lost = {word for word in wide - narrow if not re.search("[─═░├┤●┼▌]", word)}
    squeezed_narrow = squeezed(terminal.render(ALL[name](), 80))
    assert {word for word in lost if word not in squeezed_narrow} <= {"worse", "better", "0"}


def test_sections_come_in_order():
    text = terminal.render(clean())
    places = [text.index(f"── {section} ─") for section in SECTIONS]
    assert places == sorted(places)
    assert text.index("SHIP") < places[0]


def card_of(text):
    """What stands before the first heading."""
    return words(text[: text.index("── Why this verdict")])


def test_the_card_says_it_without_color():
    card = card_of(terminal.render(clean()))
    assert "SHIP variant · Kilt filter" in card
    assert "Orders rose by 13% (4% to 23%): 215 of 10,000 visitors instead of 190." in card
    assert "Next Ship variant: expect orders to rise by 4% to 23%." in card
    assert "Trust 9 checks passed, 3 need care." in card
    assert all(fragments.sentence(check.message) in card for check in clean().checks if check.status == "warn")
    assert "89,420 visitors: control 44,700, variant 44,720 · planned size reached · cx-team" in card
    assert "SIMULATED" not in card


def test_why_is_said_with_codes():
    text = words(terminal.render(clean()))
    assert "because Orders improved: +13% (+4% to +23%), p = .0068. (win)" in text
    weeks = "The period of 27 days is not whole weeks: three Sundays, four of every other day."
    assert f"with care {weeks} (whole_weeks)" in text
    several = words(terminal.render(three_arms()))
    assert "filter_left, because Orders improved: +20% (+5% to +34%), p = .014. (win)" in several
    assert "filter_top, because Orders: no clear effect, the data fit anything from -8% to +19%." in several


def test_simulated_data_are_called_so_in_the_first_line():
    assert "SIMULATED DATA" in "".join(terminal.render(simulated()).splitlines()[:2])


def test_a_warning_without_a_check_is_said_in_full():
    readout = clean()
    verdict = replace(readout.verdict, warnings=(Reason("secondary_harm", "cart_visits"),))
    text = words(terminal.render(replace(readout, verdict=verdict, verdicts=(verdict,))))
    assert "with care Cart visits got worse: +2.0% (-2.2% to +6.2%), p = .360. (secondary_harm)" in text


def test_trust_checks_each_with_their_message():
    text = words(terminal.render(clean()))
    for check in clean().checks:
        assert check.code in text
        if check.status == "warn":
            assert check.help is not None
            assert f"warn {check.code}: {fragments.sentence(check.message)} {fragments.sentence(check.help)}" in text
    assert "skipped pre_period (needs events from before the exposure); segments" in text


def test_color_only_where_wanted():
    plain, colored = terminal.render(clean()), terminal.render(clean(), color=True)
    assert "\x1b" not in plain
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored).split() == plain.split()


@pytest.mark.parametrize("name", ["GITHUB_ACTIONS", "FORCE_COLOR", "TTY_COMPATIBLE", "CLICOLOR_FORCE"])
def test_the_environment_changes_nothing(monkeypatch, name):
    plain, colored = terminal.render(clean()), terminal.render(clean(), color=True)
    monkeypatch.setenv(name, "1")
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    assert terminal.render(clean()) == plain
    assert terminal.render(clean(), color=True) == colored


def test_ascii_is_ascii():
    for name in set(ALL) - {"hostile"}:
        assert terminal.render(ALL[name](), ascii=True).isascii()


def test_names_survive():
    """As titles: an underscore is a space, the first letter a capital."""
    text = terminal.render(hostile(), 700)
    folded = terminal.render(hostile(), 80)
    for name in HOSTILE:
        title = formatting.title_of(name)
        assert title in text
        assert all(word[:15] in folded for word in title.split())
    assert "([csat])" in text, "the key of a primary metric stands in its heading"
    assert "\x1b" not in terminal.render(hostile())


def test_a_title_is_shown_in_place_of_the_key():
    readout = clean()
    titled = tuple(replace(metric, title=f"{metric.name.capitalize()} of 2024") for metric in readout.metrics)
    text = words(terminal.render(replace(readout, metrics=titled)))
    assert "── Primary metric: Orders of 2024 (orders) ──" in text
    assert "Harm to complaints of 2024 beyond the tolerated 10% is ruled out" in text
    assert "Complaints of 2024 4.03% 4.01%" in text


def test_each_variant_is_told():
    text = words(terminal.render(three_arms()))
    assert "SHIP filter_left" in card_of(terminal.render(three_arms()))
    assert "filter_top: KEEP RUNNING. Orders: +5% seen so far; anything from -8% to +19% still fits the data." in text
    assert "Orders rose by 20% (5% to 34%): 240 of 10,000 visitors instead of 200." in text
    assert "No clear effect on orders: anything from -8% to +19% fits these data." in text
    assert "Intervals of difference and lift: 97.5% after Holm for 2 comparisons; level .05 overall." in text
    assert "p = .0071, adjusted .014" in text
    assert "filter_top: Harm to complaints beyond the tolerated 10% is not ruled out (-2% to +17%)." in text


def test_values_and_differences_of_the_primary_metric_add_up():
    text = words(terminal.render(clean()))
    # 849 of 44,700 and 963 of 44,720; standard error of the difference .094 pp
    assert "control 44,700 849 1.90% 1.77% to 2.03%" in text
    assert "variant 44,720 963 2.15% 2.02% to 2.29%" in text
    assert "difference +0.25 pp +0.07 to +0.44 pp p = .0068" in text
    assert "lift +13% +4% to +23% better" in text


def test_why_there_is_no_lift():
    text = words(terminal.render(unbounded()))
    assert (
        "Margin per visitor: The lift cannot be bounded above: the control value is not distinguishable from 0." in text
    )
    assert "+200% at least -12%" in text


def test_invalid_is_not_quotable():
    text = terminal.render(ALL["broken_split"]())
    assert "Not to be quoted" in text and "All metrics, not to be quoted" in text
    assert "rose by" not in text and "instead of" not in text


def test_good_is_right():
    """Of a metric whose goal is a decrease a fall is drawn on the right."""
    lines = terminal.render(ALL["decrease"]()).splitlines()
    start = next(i for i, line in enumerate(lines) if "All metrics" in line)
    fell, rose = (next(line for line in lines[start:] if line.startswith(f"  {name}")) for name in ("Comp", "Hand"))
    assert max(fell.index("│"), 0) < fell.index("●")
    assert rose.index("●") < rose.index("│")
    assert "Right is good everywhere (complaints and handling minutes: less is better)." in words("\n".join(lines))


def test_nothing_known_is_said_not_crashed():
    text = words(terminal.render(nothing()))
    assert "No checks were run." in text
    assert "no p-value" in text
    assert "Filter used is not compared: control -." in text
