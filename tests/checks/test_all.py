"""What holds for every check, whatever the data."""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abcx import checks
from abcx.checks import CHECKS, run_all
from abcx.data.records import MetricData
from abcx.results.readout import CheckResult
from abcx.stats.records import Moments, Proportion, RatioMoments
from tests.support.contexts import NAMES, ORDER_VALUE, ORDERS, REVENUE, at, context, daily, experiment, result

MAY_FAIL = {
    "srm",
    "not_concurrent",
    "crossover",
    "missing_arm",
    "metric_missing",
    "missing",
    "one_sided",
    "no_variation",
}
METRICS = {
    "orders": ORDERS,
    "revenue": REVENUE,
    "order_value": ORDER_VALUE,
    "clicks_per_view": {
        "type": "ratio",
        "numerator": {"event": "click"},
        "denominator": {"event": "view"},
        "role": "guardrail",
        "goal": "increase",
        "margin": "5%",
    },
}
FOLDER = Path(checks.__file__).parent
HELPERS = {"__init__", "context", "words", "homogeneity"}


def test_codes_are_file_names():
    assert set(CHECKS) == {path.stem for path in FOLDER.glob("*.py")} - HELPERS
    for code, found in zip(CHECKS, run_all(context()), strict=True):
        assert found.code == code


def test_heavy_imports_stay_inside_functions():
    for path in FOLDER.glob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                heavy = name.startswith(("numpy", "scipy", "abcx.stats")) and name != "abcx.stats.records"
                assert not heavy, f"{path.name} imports {name}"


def valid(found: CheckResult) -> None:
    assert found.status in ("pass", "warn", "fail", "skipped")
    assert found.status != "fail" or found.code in MAY_FAIL
    assert "None" not in found.message and not re.search(r"\bnan\b", found.message)
    assert re.match(r"[A-Z0-9].*\.$", found.message) and not re.search(
        r"\bp [=<]|\de[+-]?\d|[a-z]_[a-z]", found.message
    )
    assert found.status == "skipped" or not found.help or re.match(r"[A-Z].*[^.]$", found.help)
    assert (found.help is None) == (found.status == "pass")
    assert found.p_value is None or 0 <= found.p_value <= 1
    json.dumps(found.details, allow_nan=False)


def empty_metrics():
    zero = Moments(0, 0.0, 0.0, 0)
    return {
        "orders": MetricData({arm: Proportion(0, 0) for arm in NAMES[:2]}),
        "revenue": MetricData(dict.fromkeys(NAMES[:2], zero)),
        "order_value": MetricData({arm: RatioMoments(zero, zero, 0.0) for arm in NAMES[:2]}),
        "clicks_per_view": MetricData({arm: RatioMoments(zero, zero, 0.0) for arm in NAMES[:2]}),
    }


SPECS = {
    "plain": experiment(metrics=METRICS),
    "full": experiment(
        metrics=METRICS,
        window="14d",
        period={"start": "2024-03-04", "end": "2024-03-31", "timezone": "Europe/London"},
        plan={"units": 4000, "units_per_day": 100},
    ),
}


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
@pytest.mark.parametrize("units", [(), (0, 0), (0, 7), (7, 0), (1, 1)])
@pytest.mark.parametrize("data", [{}, empty_metrics()], ids=["unknown", "empty"])
@pytest.mark.parametrize("code", CHECKS)
def test_nothing_at_all(code, data, units, spec):
    valid(CHECKS[code](context(units, spec, data, planned=spec.plan.units)))
    times: dict[str, Any] = {
        "as_of": at("2024-03-05"),
        "daily": (),
        "crossover": 0,
        "unknown_arm": 0,
        "repeated_ids": 0,
    }
    zero = dict.fromkeys(NAMES[:2], 0)
    valid(CHECKS[code](context(units, spec, data, before_exposure=zero, units_before=zero, **times)))


@pytest.mark.parametrize("code", CHECKS)
def test_skipped_on_nothing_says_what_would_enable_it(code):
    found = CHECKS[code](context(()))
    assert found.status != "skipped" or (found.help is not None and found.help.startswith("needs "))


counts = st.integers(min_value=0, max_value=10**7)
numbers = st.one_of(st.just(0.0), st.floats(-1e9, 1e9, allow_subnormal=False))


@st.composite
def proportions(draw):
    n = draw(counts)
    return Proportion(draw(st.integers(0, min(n, 10**6))), n)


@st.composite
def moments(draw, n=None):
    n = draw(counts) if n is None else n
    if n == 0:
        return Moments(0, 0.0, 0.0, 0)
    variance = draw(st.floats(0, 1e12, allow_subnormal=False)) if n > 1 else 0.0
    skewness = draw(st.one_of(st.none(), st.floats(-1e4, 1e4)))
    nonzero = draw(st.one_of(st.none(), st.integers(0, n)))
    return Moments(n, draw(numbers), variance, nonzero, draw(st.one_of(st.none(), st.just(0.0))), None, skewness)


@st.composite
def ratios(draw):
    top = draw(moments())
    bottom = draw(moments(top.n))
    return RatioMoments(top, bottom, draw(st.floats(-1, 1)) * (top.variance * bottom.variance) ** 0.5)


@st.composite
def metric_data(draw, summaries):
    by_arm = {arm: draw(summaries) for arm in NAMES[:2]}
    tops = {arm: sorted(draw(st.lists(numbers, max_size=min(12, s.n))), reverse=True) for arm, s in by_arm.items()}
    per_arm = st.dictionaries(st.sampled_from(NAMES[:2]), counts)
    return MetricData(
        by_arm,
        missing=draw(per_arm),
        not_followed=draw(per_arm),
        top={arm: tuple((value, 1.0) for value in top) for arm, top in tops.items() if top},
        before=draw(st.one_of(st.none(), st.just(by_arm))),
        absent=draw(st.sampled_from([(), ("order",), ("order", "visit")])),
    )


@st.composite
def contexts(draw):
    spec = draw(st.sampled_from(list(SPECS.values())))
    kinds = {"orders": proportions(), "revenue": moments(), "order_value": ratios(), "clicks_per_view": ratios()}
    data = {name: draw(metric_data(summaries)) for name, summaries in kinds.items()}
    units = draw(st.tuples(counts, counts))
    lifts = st.one_of(st.none(), st.floats(-1, 1e6))
    results = tuple(
        result(name, draw(lifts), draw(st.sampled_from(["better", "worse"])), spec) for name in spec.metrics
    )
    maybe = st.one_of(st.none(), counts)
    times = sorted(draw(st.lists(st.integers(at("2024-01-01"), at("2024-12-31")), min_size=3, max_size=3)))
    days = draw(st.one_of(st.none(), st.lists(st.tuples(counts, counts), max_size=9)))
    before = draw(st.one_of(st.none(), st.tuples(counts, counts)))
    by_arm = None if before is None else dict(zip(NAMES, before, strict=False))
    return context(
        units,
        spec,
        data,
        results,
        planned=draw(st.one_of(st.none(), st.integers(1, 10**9))),
        daily=None if days is None else daily("2024-03-04", *days),
        segments={"device": {"": dict(zip(NAMES, units, strict=False))}},
        crossover=draw(maybe),
        unknown_arm=draw(maybe),
        unknown_labels=tuple(draw(st.lists(st.sampled_from(["B", "[x]", ""]), max_size=7))),
        before_exposure=by_arm,
        units_before=by_arm,
        repeated_ids=draw(maybe),
        repeated_rows=draw(maybe),
        duplicate_units=draw(maybe),
        first_exposure=times[0],
        last_exposure=times[1],
        as_of=times[2],
    )


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(contexts())
def test_no_data_make_a_check_raise(made):
    for found in run_all(made):
        valid(found)
