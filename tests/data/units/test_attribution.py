"""Random small experiments against the slow oracle: who is in, since when, what counts, and where every row went."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from abcx.data.units import assignment
from tests.support import log_oracle
from tests.support.log_oracle import Measure, Row, Test
from tests.support.logs import DAY, HOUR, Look, iso, look, micro, to_csv

START = micro("2024-03-04T00:00:00+00:00")
LABELS = {"A": "a", "Original": "a", "B": "b"}
METRICS = {
    "orders": (Measure("happened", "purchase"),),
    "big_orders": (Measure("happened", "purchase", "x", window=12 * HOUR),),
    "views": (Measure("count", "view"),),
    "revenue": (Measure("sum", "purchase"),),
    "value_per_view": (Measure("sum", "purchase", "x"), Measure("count", "view")),
    "buyers_per_view": (Measure("happened", "purchase"), Measure("count", "view")),
}
FIELDS = ("unit", "t", "arm", "event", "value", "id", "category")
LOST = ("crossover", "outside_period", "not_exposed", "no_arm")


def _rows(random: Random, size: int, timed: bool, labels: list[str], events: list[str] | None) -> list[Row]:
    """Rows of a file; some are copies of others, with the same id."""

    def one(n: int) -> Row:
        unit = random.choice([None, *(f"u{i}" for i in range(9))] if random.random() < 0.3 else ["u1", "u2", "u3"])
        home = "AB"[int(unit[1]) % 2] if unit else "A"
        t = START + random.randrange(-3, 20) * 6 * HOUR + random.choice([0, 0, 0, -1, 1])
        return Row(
            unit=unit,
            t=t if timed and random.random() < 0.95 else None,
            arm=(home if random.random() < 0.8 else random.choice(labels)) or None,
            event=random.choice(events) if events else None,
            value=random.randrange(-3, 9) / 4 if events else None,
            id=f"i{n}" if events and n % 3 else None,
            category=random.choice(["x", "y", None]),
            keep=random.random() < 0.9,
        )

    found = [one(n) for n in range(size)]
    return found + [random.choice(found) for _ in range(random.randrange(4))]


@st.composite
def experiments(draw: Any) -> Test:
    random, size = Random(draw(st.integers(0, 2**32))), draw(st.integers(1, 30))
    shape = draw(st.sampled_from(["events", "exposures", "units", "untimed exposures"]))
    exposure = draw(st.sampled_from([None, "view"]))
    timed = shape != "untimed exposures"
    window = random.choice([None, 6 * HOUR, DAY]) if timed or exposure else None
    labels = random.choice([["A", "B"], ["A", "Original", "C"], ["C"], [""]]) if shape == "events" else ["A", "B", "C"]
    metrics = {
        name: tuple(Measure(m.kind, m.event, m.category, m.window or window) for m in measures)
        for name, measures in METRICS.items()
        if timed or exposure or not any(m.window for m in measures)
    }
    periods = [(None, None), (START, None), (START, START + 2 * DAY), (None, START + 3 * DAY)]
    start, end = draw(st.sampled_from(periods))
    names = ["purchase", "purchase", "view", "view", "other"]
    return Test(
        LABELS,
        metrics,
        exposures=_rows(random, size, timed, labels, None) if "exposures" in shape else None,
        events=_rows(random, 2 * size, True, labels, names),
        units=_rows(random, size, True, labels, None) if shape == "units" else None,
        exposure=exposure,
        start=start,
        end=end,
        cut=random.choice([None, None, START + DAY, START + DAY + 1, START + 3 * DAY]),
        exposures_timed=timed,
    )


def write(test: Test) -> tuple[dict[str, str], dict[str, Any]]:
    """The test as files and a spec."""
    files, data = {}, {}
    for part in ("exposures", "events", "units"):
        found = getattr(test, part)
        if found is None:
            continue
        has_time = part != "exposures" or test.exposures_timed
        fields = [f for f in FIELDS if (part == "events" or f in ("unit", "t", "arm")) and (f != "t" or has_time)]
        lines = [
            [*(iso(row.t) if f == "t" and row.t is not None else getattr(row, f) for f in fields), row.keep]
            for row in found
        ]
        files[f"{part}.csv"] = to_csv([*fields, "keep"], lines)
        columns = {"time": "t"} if has_time else {}
        data[part] = {"file": f"{part}.csv", "columns": columns, "where": {"keep": True}}
        if part == "units":
            data[part]["duplicates"] = "first"
    spec: dict[str, Any] = {
        "schema_version": 1,
        "name": "random",
        "arms": {"a": {"labels": ["A", "Original"]}, "b": {"labels": ["B"]}},
        "data": data,
        "metrics": {name: _metric(measures) for name, measures in test.metrics.items()},
    }
    spec["metrics"]["orders"] |= {"role": "primary", "goal": "increase"}
    if test.exposure:
        spec["exposure"] = {"event": test.exposure}
    period = {k: iso(v) for k, v in (("start", test.start), ("end", test.end)) if v is not None}
    if period:
        spec["period"] = period
    if test.cut is not None:
        spec["analysis"] = {"as_of": iso(test.cut - 1)}
    return files, spec


def _metric(measures: tuple[Measure, ...]) -> dict[str, Any]:
    metric: dict[str, Any] = {"role": "descriptive"}
    windows = {measure.window for measure in measures}
    if window := windows.pop():
        metric["window"] = f"{window // HOUR}h"
    terms = []
    for measure in measures:
        term: dict[str, Any] = {"event": measure.event}
        term |= {"value": "value"} if measure.kind == "sum" else {}
        term |= {"where": {"category": measure.category}} if measure.category else {}
        terms.append(term | ({"count": "units"} if measure.kind == "happened" and len(measures) > 1 else {}))
    if len(terms) == 2:
        return metric | {"type": "ratio", "numerator": terms[0], "denominator": terms[1]}
    return metric | terms[0] | {"type": "conversion" if measures[0].kind == "happened" else "mean"}


@pytest.mark.slow
@given(experiments(), st.sampled_from([assignment.ROWS_PER_PASS, 5]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_random_experiments_agree_with_the_oracle(test: Test, together: int) -> None:
    """In whatever shares the rows are grouped by unit."""
    with tempfile.TemporaryDirectory() as folder, patch.object(assignment, "ROWS_PER_PASS", together):
        files, spec = write(test)
        found = look(Path(folder), files, spec)
    want = log_oracle.expected(test)
    arms = list(spec["arms"])
    assert {u["unit"]: arms[u["arm"]] for u in found.units} == want.arms
    assert {u["unit"]: u["t0"] for u in found.units} == want.t0
    assert found.observed.units == want.units
    for name in test.metrics:
        _same_moments(found, name, want, arms)
    _every_row_has_one_fate(test, found, want)


def _same_moments(found: Look, name: str, want: log_oracle.Found, arms: list[str]) -> None:
    for arm in arms:
        values = [value for unit, value in want.values[name].items() if want.arms[unit] == arm]
        summary = found[name][arm]
        if hasattr(summary, "successes"):
            assert (summary.successes, summary.n) == (sum(v for (v,) in values), len(values))
            continue
        parts = (summary.numerator, summary.denominator) if hasattr(summary, "numerator") else (summary,)
        for position, part in enumerate(parts):
            for key, value in log_oracle.moments([v[position] for v in values]).items():
                close = None if value is None else pytest.approx(value, rel=1e-12, abs=1e-12)
                assert getattr(part, key) == close, (name, arm, key)
        if len(parts) == 2:
            assert summary.covariance == pytest.approx(log_oracle.covariance(values), rel=1e-9, abs=1e-12)


def _every_row_has_one_fate(test: Test, found: Look, want: log_oracle.Found) -> None:
    """The oracle gives every row exactly one fate; what abcx left out must be the same rows under the same reasons."""
    for part in ("exposures", "events", "units"):
        if getattr(test, part) is not None:
            assert sum(n for (p, _), n in want.fates.items() if p == part) == len(getattr(test, part))
    kept = (log_oracle.USED, log_oracle.IGNORED, log_oracle.FILTERED)
    expected = Counter({fate: 0 for _, fate in want.fates if fate not in kept})
    for (_, fate), n in want.fates.items():
        if fate not in kept:
            expected[fate] += n
    told: Counter[str] = Counter()
    for one in found.observed.exclusions:
        told[one.reason] += one.rows or 0
    assert told - Counter({"duplicate_unit": told["duplicate_unit"]}) == expected
    units = {one.reason: one.units for one in found.observed.exclusions if one.reason in LOST}
    assert {reason: n for reason, n in units.items() if n} == {reason: n for reason, n in want.lost.items() if n}
