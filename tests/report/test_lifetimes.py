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
from abcx.report.sentences import effect, quote

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


UNIT = {
    "nps": "points",
    "csat": " pp",
    "ces": "",
    "retention": " pp",
    "churn": " pp",
    "resolution_time": " h",
    "quantile": "",
}
MORE = dict.fromkeys(TYPES, ("higher", "lower"))
MORE |= dict.fromkeys(("csat", "retention", "churn"), ("more", "fewer"))
MORE["resolution_time"] = ("longer", "shorter")
ODD = re.compile(
    r"\bnan\b|\binf\b|\bNone\b(?! of)|-[\d.]+%? (improvement|more|fewer|higher|lower|longer|shorter)|--|\+-"
)


def told(results: abcx.Results, kind: str) -> tuple[str, str, str]:
    metric = results[NAMES[kind]]
    comparison = metric.comparisons[0]
    return comparison.status, effect(metric, comparison, "customers"), quote(metric, comparison, "customers")


@pytest.mark.slow
@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("goal", ["increase", "decrease"])
def test_moves_are_told_in_their_unit_and_direction(kind: str, goal: str) -> None:
    up, down = MORE[kind]
    for shift, word, moved in ((1.0, up, "rose"), (-1.0, down, "fell")):
        status, sentence, quoted = told(analyzed(kind, shift, goal), kind)
        assert status == ("better" if (shift > 0) == (goal == "increase") else "worse")
        assert moved in sentence and word in sentence and word in quoted
        assert ("worse" in sentence) == (status == "worse")
        assert kind != "resolution_time" or re.search(r"\d h (longer|shorter)", sentence)
        assert kind != "nps" or re.search(r"\d points (higher|lower)", sentence)
        assert not ODD.search(sentence) and not ODD.search(quoted)
    status, sentence, quoted = told(analyzed(kind, 0.0, goal), kind)
    assert status == "inconclusive" and sentence.startswith("No clear effect on")
    assert not ODD.search(sentence) and not ODD.search(quoted)


@pytest.mark.slow
@pytest.mark.parametrize("kind", TYPES)
def test_guardrails_are_told_against_their_margin(kind: str) -> None:
    _, wide, narrow = TYPES[kind]
    for shift, tight, expected in ((0.0, False, "safe"), (0.0, True, "unresolved"), (-1.0, True, "harmed")):
        status, sentence, _ = told(analyzed(kind, shift, "increase", "guardrail", tight), kind)
        assert (status, f": {expected}, " in sentence) == (expected, True)
        assert (narrow if tight else wide) in sentence
        assert UNIT[kind] in sentence.partition("fit ")[2] and not ODD.search(sentence)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("shift", [1.0, 0.0, -1.0])
@pytest.mark.slow
def test_readouts_keep_their_width_and_print_no_nonsense(kind: str, shift: float) -> None:
    results = analyzed(kind, shift, "increase")
    for width in (80, 100):
        text = terminal.render(results, width)
        assert max(map(len, text.splitlines())) <= width
        assert not ODD.search(text.replace("──", "").replace("--events", "").replace("--", ""))
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
    assert "<b>" not in written and "<y>" not in written
    rows = [line for line in written.splitlines() if line.startswith("|") and "x" in line]
    assert all(len(set(re.findall(r"(?<!\\)\|", row))) == 1 for row in rows)
