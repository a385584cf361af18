import re
from dataclasses import replace

import pytest
from rich.cells import cell_len

from abcx import formatting
from abcx.report import fragments, terminal
from abcx.results.readout import Reason
from tests.support.made_results import ALL, HOSTILE, clean, hostile, nothing, simulated, three_arms, unbounded
from tests.support.readouts import words

SECTIONS = (
    "Can these data be trusted?",
    "What was set up",
    "Primary metric: orders",
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


@pytest.mark.parametrize("make", [clean, simulated, ALL["early_look"], ALL["hybrid"]])
def test_the_story_fits_one_page(make):
    assert len(terminal.render(make(), 100).splitlines()) <= 60


@pytest.mark.slow
@pytest.mark.parametrize("width", [60, 80, 100, 140])
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("ascii", [False, True])
def test_no_line_is_longer_than_the_width(name, width, ascii):
    text = terminal.render(ALL[name](), width, ascii=ascii)
    assert max(map(cell_len, text.splitlines())) <= width
    assert text.endswith("\n") and not text.endswith("\n\n")
    assert "…" not in text


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


def test_the_banner_says_it_without_color():
    lines = terminal.render(clean()).splitlines()
    banner = words("\n".join(lines[: next(i for i, line in enumerate(lines) if line.startswith("──"))]))
    assert "SHIP variant" in banner
    assert "Orders rose by 13.4% (3.7% to 23.1%), 25 more orders per 10,000 visitors (7 to 44 more)." in banner
    assert "Why: Orders improved: +" in banner
    assert "Read with care: whole_weeks, outliers, follow_up" in banner
    assert "2024-03-04 to 2024-03-30 (Europe/London) · 89,420 visitors: control 44,700, variant 44,720" in banner
    assert "SIMULATED" not in banner


def test_simulated_data_are_called_so_in_the_first_line():
    assert "SIMULATED DATA" in "".join(terminal.render(simulated()).splitlines()[:2])


def test_a_warning_without_a_check_is_said_in_full():
    readout = clean()
    verdict = replace(readout.verdict, warnings=(Reason("secondary_harm", "cart_visits"),))
    text = words(terminal.render(replace(readout, verdict=verdict, verdicts=(verdict,))))
    assert "Read with care: Cart visits got worse: " in text


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
    text = terminal.render(hostile(), 700)
    folded = terminal.render(hostile(), 80)
    for name in HOSTILE:
        assert formatting.clean(name) in text
        assert all(word[:15] in folded for word in formatting.clean(name).split())
    assert "\x1b" not in terminal.render(hostile())


def test_each_variant_is_told():
    text = words(terminal.render(three_arms()))
    assert "SHIP filter_left Orders rose by 19.8%" in text
    assert "KEEP RUNNING filter_top Orders: +5.5% seen so far" in text
    assert "About 12 more days to go (21,600 visitors at 1,800 a day)." in text
    assert "Intervals of difference and lift: 97.5% after Holm for 2 comparisons; level .05 overall." in text
    assert "p = .0071, adjusted .014" in text
    assert "Complaints with filter_top: unresolved" in text


def test_why_there_is_no_lift():
    text = words(terminal.render(unbounded()))
    assert (
        "Margin per visitor: The lift cannot be bounded above: the control value is not distinguishable from 0." in text
    )
    assert "-12.0% or more" in text


def test_invalid_is_not_quotable():
    text = terminal.render(ALL["broken_split"]())
    assert "Not to be quoted" in text and "All metrics, not to be quoted" in text
    assert "Out of 10,000" not in text


def test_good_is_right():
    """Of a metric whose goal is a decrease a fall is drawn on the right."""
    lines = terminal.render(ALL["decrease"]()).splitlines()
    start = next(i for i, line in enumerate(lines) if "All metrics" in line)
    fell, rose = (next(line for line in lines[start:] if line.startswith(f"  {name}")) for name in ("comp", "hand"))
    assert max(fell.index("│"), 0) < fell.index("●")
    assert rose.index("●") < rose.index("│")
    assert "complaints and handling minutes mirrored (less is better)" in words("\n".join(lines))


def test_nothing_known_is_said_not_crashed():
    text = words(terminal.render(nothing()))
    assert "No checks were run." in text
    assert "no p-value" in text
    assert "Filter used is not compared: control -." in text
