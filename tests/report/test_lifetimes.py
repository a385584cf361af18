"""How metrics of service are told: units, words of direction, widths, names that look like markup."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

import abcx
from abcx.report import markdown, terminal
from abcx.report.card import line_of
from abcx.report.sentences import effect
from tests.support.readouts import tokens

START = pd.Timestamp("2024-03-04", tz="UTC")
ANSWERS = {"event": "answer", "value": "v"}
TYPES: dict[str, tuple[dict[str, Any], str, str]] = {
    "nps": ({"type": "nps", "scale": [0, 10], **ANSWERS}, "60pt", "0.1pt"),
    "csat": ({"type": "csat", "scale": [0, 10], "top": 3, **ANSWERS}, "40pp", "0.1pp"),
    "ces": ({"type": "ces", "scale": [0, 10], **ANSWERS}, "4", "0.01"),
    "retention": ({"type": "retention", "event": "visit", "day": 1}, "40pp", "0.1pp"),
    "churn": ({"type": "churn", "event": "cancel", "horizon": "48h"}, "40pp", "0.1pp"),
    "resolution_time": (
        {"type": "resolution_time", "start": "opened", "end": "solved", "key": "k", "horizon": "24h"},
        "12h",
        "3m",
    ),
    "quantile": ({"type": "quantile", "q": 0.5, "of": "events", "event": "answer", "value": "v"}, "4", "0.01"),
}
NAMES = {
    "nps": "recommend",
    "csat": "satisfied",
    "ces": "ease",
    "retention": "day_1",
    "churn": "cancellations",
    "resolution_time": "time_to_resolve",
    "quantile": "median_score",
}


def log(shift: float, n: int = 150) -> dict[str, Any]:
    """Everything that units do is likelier, larger or longer in the variant by `shift`."""
    rng = np.random.default_rng(3)
    units = []
    rows: list[tuple[str, float, str, int | None, int | None]] = []
    for i in range(2 * n):
        arm, unit = ("control", "variant")[i % 2], f"u{i}"
        up = shift * (i % 2)
        units.append((unit, START, arm))
        rows.append((unit, 1.0, "answer", int(np.clip(round(rng.normal(6 + 3 * up, 2)), 0, 10)), None))
        if rng.random() < 0.4 + 0.25 * up:
            rows += [(unit, 30.0, "visit", None, None), (unit, 20 + 20 * rng.random(), "cancel", None, None)]
        opened = rng.random()
        rows.append((unit, opened, "opened", None, i))
        if rng.random() < 0.95:
            rows.append((unit, opened + rng.exponential(6 * 2.0**up), "solved", None, i))
    rows.append(("nobody", 90.0, "other", None, None))
    frame = pd.DataFrame(rows, columns=["unit", "hours", "event", "v", "k"])
    frame["time"] = START + pd.to_timedelta(frame.hours, unit="h")
    return {"exposures": pd.DataFrame(units, columns=["unit", "time", "arm"]), "events": frame.drop(columns="hours")}


@cache
def analyzed(kind: str, shift: float, goal: str, role: str = "primary", tight: bool = False) -> abcx.Results:
    keys, wide, narrow = TYPES[kind]
    metric = {
        **keys,
        "role": role,
        "goal": goal,
        **({"margin": narrow if tight else wide} if role == "guardrail" else {}),
    }
    orders = {"orders": {"type": "conversion", "event": "visit", "role": "primary", "goal": "increase"}}
    spec = {
        "schema_version": 1,
        "name": "service",
        "unit": "customers",
        "arms": {"control": {}, "variant": {}},
        "metrics": {NAMES[kind]: metric, **(orders if role == "guardrail" else {})},
    }
    return abcx.analyze(spec, **log(shift))


TITLES = {
    "nps": "Recommend",
    "csat": "Satisfied",
    "ces": "Ease",
    "retention": "Day 1",
    "churn": "Cancellations",
    "resolution_time": "Time to resolve",
    "quantile": "Median score",
}
MOVED = {
    "nps": r"\d+ points \(\d+ to \d+ points\)",  # NPS and scores have no lift
    "ces": r"\d\.\d+ \(\d\.\d+ to \d\.\d+\)",
}
LIFT = r"\d+% \(\d+% to \d+%\)"
LEVELS = {
    "nps": r"-?\d+ instead of -?\d+",
    "csat": r"[\d,]+ of 1[0,]* answers instead of [\d,]+",
    "ces": r"\d\.\d+ instead of \d\.\d+",
    "retention": r"[\d,]+ of 1[0,]* customers instead of [\d,]+",
    "churn": r"[\d,]+ of 1[0,]* customers instead of [\d,]+",
    "resolution_time": r"\d+\.\d h instead of \d+\.\d h",
    "quantile": r"\d\.\d+ instead of \d\.\d+",
}
ENDS = {
    "nps": r"-?\d+ to \+\d+ points",
    "csat": r"-\d+ to \+\d+ pp",
    "ces": r"-0\.\d+ to \+0\.\d+",
    "retention": r"-\d+ to \+\d+ pp",
    "churn": r"-\d+ to \+\d+ pp",
    "resolution_time": r"-\d\.\d to \+\d\.\d h",
    "quantile": r"-0\.\d+ to \+0\.\d+",
}
MARGINS = {
    "nps": ("60 points", "0.1 points"),
    "csat": ("40 pp", "0.1 pp"),
    "ces": ("4", "0.01"),
    "retention": ("40 pp", "0.1 pp"),
    "churn": ("40 pp", "0.1 pp"),
    "resolution_time": ("12 h", "0.05 h"),  # 3 minutes
    "quantile": ("4", "0.01"),
}
ODD = re.compile(r"\bnan\b|\binf\b|\bNone\b(?! of)|\bby -|\d[eE][-+]?\d|--|\+-")


def told(results: abcx.Results, kind: str) -> tuple[str, str]:
    metric = results[NAMES[kind]]
    comparison = metric.comparisons[0]
    return comparison.status, effect(results, metric, comparison)


@pytest.mark.slow
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("goal", ["increase", "decrease"])
def test_moves_are_told_in_their_unit_and_direction(kind: str, goal: str) -> None:
    for shift, moved in ((1.0, "rose"), (-1.0, "fell")):
        status, sentence = told(analyzed(kind, shift, goal), kind)
        assert status == ("better" if (shift > 0) == (goal == "increase") else "worse")
        judged = f", which is {status}" if goal == "decrease" else ""  # a rise of what should fall needs the word
        size = MOVED.get(kind, LIFT)
        assert re.fullmatch(f"{TITLES[kind]} {moved} by {size}{judged}: {LEVELS[kind]}\\.", sentence), sentence
        assert not ODD.search(sentence)
    status, sentence = told(analyzed(kind, 0.0, goal), kind)
    assert status == "inconclusive"
    name = TITLES[kind][:1].lower() + TITLES[kind][1:]
    assert sentence.startswith(f"No clear effect on {name}: anything from -")
    assert sentence.endswith("fits these data.") and not ODD.search(sentence)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["nps", "ces", "resolution_time", "quantile"])
def test_the_effect_is_the_difference_of_the_values_as_they_are_written(kind: str) -> None:
    for shift in (1.0, -1.0):
        role = "guardrail" if kind in ("resolution_time", "quantile") else "primary"  # with a margin: no lift
        results = analyzed(kind, shift, "increase", role)
        metric = results[NAMES[kind]]
        line = line_of(results, metric, metric.comparisons[0])
        control, variant, moved = (
            float(re.sub(r" (points|h)$", "", text)) for text in (line.control, line.variant, line.effect)
        )
        assert variant - control == pytest.approx(moved, abs=1e-9), line


@pytest.mark.slow
@pytest.mark.parametrize("kind", TYPES)
def test_guardrails_are_told_against_their_margin(kind: str) -> None:
    wide, narrow = MARGINS[kind]
    name = TITLES[kind][:1].lower() + TITLES[kind][1:]
    status, sentence = told(analyzed(kind, 0.0, "increase", "guardrail", False), kind)
    assert status == "safe" and not ODD.search(sentence)
    start = f"Harm to {name} beyond the tolerated "
    assert sentence.startswith(f"{start}{wide} ")
    assert re.search(rf"ruled out \({ENDS[kind]}\)\.$", sentence), sentence
    status, sentence = told(analyzed(kind, 0.0, "increase", "guardrail", True), kind)
    assert status == "unresolved" and not ODD.search(sentence)
    assert sentence.startswith(f"{start}{narrow} ")
    assert re.search(rf"not ruled out \({ENDS[kind]}\)\.$", sentence), sentence
    status, sentence = told(analyzed(kind, -1.0, "increase", "guardrail", True), kind)
    assert status == "harmed" and not ODD.search(sentence)
    assert sentence.startswith(f"{TITLES[kind]} fell by ") and f"more than the tolerated {narrow}." in sentence
    assert "%" not in sentence, "the margin is a difference"


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("shift", [1.0, 0.0, -1.0])
@pytest.mark.slow
def test_readouts_keep_their_width_and_print_no_nonsense(kind: str, shift: float) -> None:
    results = analyzed(kind, shift, "increase")
    for width in (80, 100):
        text = terminal.render(results, width)
        assert max(map(len, text.splitlines())) <= width
        assert not ODD.search(re.sub("──|--+", "", text))
    assert not re.search(r"\bnan\b|\bNone\b(?! of)", markdown.render(results))


def test_names_with_markup_stay_text() -> None:
    spec = {
        "schema_version": 1,
        "name": "markup",
        "unit": "customers",
        "arms": {"[red]a[/red]": {"labels": ["control"]}, "<b>|b": {"labels": ["variant"]}},
        "segments": ["se|g"],
        "metrics": {"[bold]*x*|": {**TYPES["nps"][0], "role": "primary", "goal": "increase"}},
    }
    data = log(1.0)
    data["exposures"]["se|g"] = np.where(np.arange(300) % 4 < 2, "[i]x", "<y>|")
    results = abcx.analyze(spec, **data)
    text = terminal.render(results)
    assert all(name in text for name in ("[red]a[/red]", "<b>|b", "[bold]*x*|", "[i]x", "<y>|"))
    written = markdown.render(results)
    assert not {token.type for token in tokens(written)} & {"html_inline", "link_open"}
    html = [token.content for token in tokens(written) if token.type == "html_block"]
    assert not any("<b>" in block or "<y>" in block for block in html)
    rows = [line for line in written.splitlines() if line.startswith("|") and "x" in line]
    assert all(len(set(re.findall(r"(?<!\\)\|", row))) == 1 for row in rows)
