"""The laws of statistics.md for answers, times, retention and quantiles, through the metrics themselves: one
inversion, mirror images, no unit, no NaN; and what degenerate data get."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import abcx
from abcx.metrics import MetricSpec
from abcx.report import markdown, terminal
from abcx.report.json import render as to_json
from abcx.spec.load import load_spec
from abcx.stats import mid_distribution
from abcx.stats.inversion import effect
from abcx.stats.records import Answers, Categories, Lifetimes, Proportion, Summary
from tests.support.comparison_laws import ALPHAS, check_finite, check_mirror, check_one_inversion
from tests.support.notes import note_text

pytestmark = pytest.mark.slow

KINDS: dict[str, dict[str, Any]] = {
    "nps": {"type": "nps", "scale": [0, 10], "event": "e", "value": "v"},
    "csat": {"type": "csat", "scale": [1, 5], "event": "e", "value": "v"},
    "ces": {"type": "ces", "scale": [1, 7], "event": "e", "value": "v"},
    "retention": {"type": "retention", "event": "e", "day": 7},
    "churn": {"type": "churn", "event": "e", "horizon": "10h"},
    "resolution_time": {"type": "resolution_time", "start": "s", "end": "e", "key": "k", "horizon": "10h"},
    "quantile": {"type": "quantile", "q": 0.6, "of": "units", "event": "e", "value": "v"},
}


def metric(**keys: Any) -> MetricSpec:
    written = {"role": "primary", "goal": "increase", **keys}
    spec = {"schema_version": 1, "name": "laws", "arms": {"a": {}, "b": {}}, "metrics": {"m": written}}
    return load_spec(spec).metrics["m"]


METRICS = {kind: metric(**keys) for kind, keys in KINDS.items()}


@st.composite
def categories(draw: st.DrawFn, low: int, size: int) -> Categories:
    counts = st.one_of(st.integers(0, 3), st.just(0), st.integers(0, 300))
    return Categories(low, tuple(draw(st.lists(counts, min_size=size, max_size=size))))


@st.composite
def lifetimes(draw: st.DrawFn, clustered: bool) -> Lifetimes:
    n = draw(st.integers(0, 25))
    hours = st.one_of(st.integers(0, 14).map(float), st.floats(0.01, 30), st.just(10.0))
    units = st.integers(0, max(n // 2, 1)) if clustered else st.just(0)
    numbers = draw(st.lists(units, min_size=n, max_size=n)) if clustered else list(range(n))
    return Lifetimes(
        n + 3,
        np.array(draw(st.lists(hours, min_size=n, max_size=n)), float),
        np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n)), bool),
        np.array(numbers, np.int64),
    )


@st.composite
def proportions(draw: st.DrawFn) -> Proportion:
    n = draw(st.integers(0, 400))
    return Proportion(draw(st.one_of(st.integers(0, n), st.sampled_from([0, n]))), n)


def values() -> st.SearchStrategy[list[float]]:
    some = st.one_of(st.floats(0, 100, allow_subnormal=False), st.sampled_from([0.0, 1.0, 5.0]))
    return st.lists(some, min_size=0, max_size=60)


def around_quantile(found: list[float], factor: float = 1.0) -> Summary:
    return mid_distribution.summary(factor * np.array(found, float), 0.6)


SUMMARIES: dict[str, st.SearchStrategy[Summary]] = {
    "nps": st.one_of(
        categories(0, 11), st.builds(Answers, st.integers(0, 900), st.integers(0, 500), st.integers(0, 900))
    ),
    "csat": categories(1, 5),
    "ces": categories(1, 7),
    "retention": proportions(),
    "churn": lifetimes(clustered=False),
    "resolution_time": lifetimes(clustered=True),
    "quantile": values().map(around_quantile),
}


@pytest.mark.parametrize("kind", KINDS)
@given(st.data(), ALPHAS)
@settings(max_examples=40, deadline=None)
def test_one_inversion_and_its_mirror(kind: str, data: st.DataObject, alpha: float) -> None:
    one, control, variant = METRICS[kind], data.draw(SUMMARIES[kind]), data.draw(SUMMARIES[kind])
    contrast = one.contrast(control, variant)
    found, swapped = effect(contrast, alpha), effect(one.contrast(variant, control), alpha)
    for some in (found, swapped):
        check_one_inversion(some)
        check_finite(some)
    pivot = contrast.difference_pivot
    check_mirror(found, swapped, pivot.scale if pivot else 1.0, 1e-6)
    for summary in (control, variant):
        value, interval = one.estimate(summary), one.interval(summary, 0.05)
        low, high = interval or (None, None)
        assert value is None or math.isfinite(value)
        assert value is None or low is None or low <= value + 1e-9
        assert value is None or high is None or high >= value - 1e-9


@given(lifetimes(True), lifetimes(True), st.sampled_from([2, 7, 60]))
@settings(max_examples=40, deadline=None)
def test_a_longer_hour_changes_nothing(control: Lifetimes, variant: Lifetimes, factor: int) -> None:
    for kind in ("resolution_time", "churn"):
        longer = metric(**{**KINDS[kind], "horizon": f"{10 * factor}h"})
        stretched = [Lifetimes(x.units, factor * x.durations, x.observed, x.clusters) for x in (control, variant)]
        one, other = METRICS[kind].contrast(control, variant), longer.contrast(*stretched)
        assert (one.p_value is None) == (other.p_value is None)
        assert other.p_value == (None if one.p_value is None else pytest.approx(one.p_value, rel=1e-7))
        unit = factor if kind == "resolution_time" else 1
        assert other.difference == (
            None if one.difference is None else pytest.approx(unit * one.difference, rel=1e-9, abs=1e-9)
        )


@given(values(), values(), st.sampled_from([0.001, 3.0, 1e6]))
@settings(max_examples=40, deadline=None)
def test_the_unit_of_a_quantile_changes_nothing(control: list[float], variant: list[float], factor: float) -> None:
    one = METRICS["quantile"].contrast(around_quantile(control), around_quantile(variant))
    other = METRICS["quantile"].contrast(around_quantile(control, factor), around_quantile(variant, factor))
    assert other.p_value == (None if one.p_value is None else pytest.approx(one.p_value, rel=1e-6))
    assert other.lift == (None if one.lift is None else pytest.approx(one.lift, rel=1e-9, abs=1e-12))


# ------------------------------------------------------------------------------------------------ degenerate data

START = pd.Timestamp("2024-03-04", tz="UTC")


def analyzed(keys: dict[str, Any], *events: tuple[str, float, str, Any], n: int = 20, **rest: Any) -> abcx.Results:
    """Units a0.. and b0.. exposed at the start; events as (unit, hours later, event, value); it ends after 30 h."""
    units = [f"{arm}{i}" for arm in "ab" for i in range(n)]
    rows = [(unit, START + pd.Timedelta(hours=hours), event, value, value) for unit, hours, event, value in events]
    rows.append(("nobody", START + pd.Timedelta(hours=30), "other", 1, 1))
    spec = {
        "schema_version": 1,
        "name": "degenerate",
        "arms": {"a": {}, "b": {}},
        "metrics": {"m": {"role": "primary", "goal": "increase", **keys}},
        **rest,
    }
    return abcx.analyze(
        spec,
        exposures=pd.DataFrame({"unit": units, "time": START, "arm": [unit[0] for unit in units]}),
        events=pd.DataFrame(rows, columns=["unit", "time", "event", "v", "k"]),
    )


def refused(results: abcx.Results) -> str:
    """The note of a comparison that could not be made; the reports say it and print no NaN."""
    comparison = results["m"].comparisons[0]
    assert comparison.p_value is None or comparison.p_value >= 0.5  # two answers say nothing
    assert comparison.status in ("inconclusive", "not_judged")
    assert results.verdict.verdict in ("KEEP RUNNING", "INCONCLUSIVE", "INVALID")
    json.loads(to_json(results), parse_constant=lambda name: pytest.fail(name))
    for text in (terminal.render(results), terminal.render(results, 80), markdown.render(results)):
        assert not re.search(r"\bnan\b|\binf\b|\bNone\b(?! of)", text)
    return note_text(comparison) or ""


def everybody(event: str, hours: float, value: Any = 1, n: int = 20) -> list[tuple[str, float, str, Any]]:
    return [(f"{arm}{i}", hours, event, value) for arm in "ab" for i in range(n)]


@pytest.mark.parametrize("kind", ["nps", "csat", "ces", "quantile"])
def test_nobody_or_one_or_all_the_same(kind: str) -> None:
    keys = KINDS[kind]
    quiet = analyzed(keys, ("a0", 40, "e", 3))  # after all that counts: the log ends with it
    refused(analyzed(keys, ("a0", -1, "e", 3)))
    refused(quiet) if kind != "quantile" else None
    refused(analyzed(keys, ("a0", 1, "e", 3)))
    refused(analyzed(keys, ("a0", 1, "e", 3), ("b0", 1, "e", 5)))
    refused(analyzed(keys, *everybody("e", 2, 4)))


def tickets(*found: tuple[str, float, float | None]) -> list[tuple[str, float, str, Any]]:
    rows: list[tuple[str, float, str, Any]] = []
    for number, (unit, opened, ended) in enumerate(found):
        rows.append((unit, opened, "s", number))
        if ended is not None:
            rows.append((unit, ended, "e", number))
    return rows


def test_tickets_of_nobody_one_and_all_open() -> None:
    keys = {**KINDS["resolution_time"], "goal": "decrease"}
    assert "no lifetimes" in refused(analyzed(keys, ("a0", -5, "s", 1), ("a0", -4, "e", 1)))
    refused(analyzed(keys, *tickets(("a0", 1, 2.0))))
    refused(analyzed(keys, *tickets(("a0", 1, 2.0), ("b0", 1, 4.0))))
    every = [(f"{arm}{i}", 1.0, None) for arm in "ab" for i in range(9)]
    assert "Nothing ended before the horizon" in refused(analyzed(keys, *tickets(*every), ("c", 1, "e", 99)))


@pytest.mark.parametrize(
    ("kind", "horizon", "told"),
    [
        ("churn", "40h", "30h"),
        ("churn", "3d", "30h"),
        ("churn", "1w", "30h"),
        ("resolution_time", "40h", "29.75h"),
        ("resolution_time", "2d", "29.75h"),
        ("resolution_time", "2400m", "29.75h"),
    ],
)
def test_a_horizon_that_is_too_long_is_refused_with_the_longest_that_works(kind: str, horizon: str, told: str) -> None:
    keys = {**KINDS[kind], "goal": "decrease"}
    rows = [("a1", 2.0, "e", 1), ("b1", 3.0, "e", 1)]
    if kind == "resolution_time":
        rows = tickets(("a0", 0.25, None), ("a1", 1, 3.0), ("b0", 0.25, None), ("b1", 2, 4.0))
    found = analyzed({**keys, "horizon": horizon}, *rows)
    note = refused(found)
    assert f"the largest usable horizon is {told}." in note
    assert told in terminal.render(found) and told in markdown.render(found)
    usable = analyzed({**keys, "horizon": told}, *rows)
    assert usable["m"].comparisons[0].difference is not None


def test_a_quantile_beyond_the_data_has_no_interval() -> None:
    keys = {**KINDS["quantile"], "q": 0.99}
    found = analyzed(keys, *[(f"{arm}{i}", 1.0, "e", i + 1) for arm in "ab" for i in range(20)])
    assert "too few values to bound the difference" in refused(found)
    assert found["m"].arms[0].value == 20  # 20 values hold no share of 1 %: the largest is nearest
    comparison = found["m"].comparisons[0]
    assert comparison.difference_interval == (None, None)


def test_retention_of_nobody_who_was_followed() -> None:
    found = analyzed(KINDS["retention"], ("a0", 2, "e", 1))  # the log ends before day 7
    refused(found)
    assert [arm.not_followed for arm in found["m"].arms] == [20, 20]


def test_answers_whose_window_is_open_are_followed_up() -> None:
    rows = [(f"{arm}{i}", 1.0, "e", 7 * i % 11) for arm in "ab" for i in range(20)]
    found = analyzed({**KINDS["nps"], "window": "7d"}, *rows)
    check = next(check for check in found.checks if check.code == "follow_up")
    assert check.status == "warn" and "40 units" in check.message


def test_churn_of_units_that_came_late_can_be_judged() -> None:
    """Most are not watched to the horizon: they are censored, so nothing is incomplete and a clear effect decides."""
    units = [f"{arm}{i}" for arm in "ab" for i in range(300)]
    at = [START + pd.Timedelta(hours=0 if i % 3 == 0 else 15) for _ in "ab" for i in range(300)]
    lost = [
        (u, t + pd.Timedelta(hours=5)) for u, t in zip(units, at, strict=True) if u[0] == "a" or int(u[1:]) % 4 == 0
    ]
    events = pd.DataFrame(lost, columns=["unit", "time"]).assign(event="e")
    last: list[Any] = ["nobody", START + pd.Timedelta(hours=24), "other"]
    events.loc[len(events)] = last
    spec = {
        "schema_version": 1,
        "name": "late",
        "arms": {"a": {}, "b": {}},
        "metrics": {"m": {"type": "churn", "event": "e", "horizon": "20h", "role": "primary", "goal": "decrease"}},
    }
    found = abcx.analyze(
        spec, exposures=pd.DataFrame({"unit": units, "time": at, "arm": [u[0] for u in units]}), events=events
    )
    assert found.verdict.verdict == "SHIP"
