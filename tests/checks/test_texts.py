"""The texts of the checks: plain sentences with titles in place of keys, numbers without exponents, helps that can be
done."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from abcx.checks import CHECKS, TITLES, run_all
from abcx.checks.context import CheckContext
from abcx.data.records import Busiest, MetricData, MisspelledLabel, TicketTimes, Unfound
from abcx.results.metric import ArmValue
from abcx.results.readout import CheckResult, Exclusion
from abcx.stats.records import Categories, Moments, Proportion, RatioMoments
from tests.support import shipped
from tests.support.contexts import (
    ORDER_VALUE,
    ORDERS,
    REVENUE,
    at,
    context,
    daily,
    experiment,
    result,
    shares_of,
    values_of,
)
from tests.support.results import shares

METRICS: dict[str, Any] = {
    "thank_you_visits": ORDERS,
    "revenue_per_visitor": REVENUE,
    "order_value": ORDER_VALUE,
    "contact_rate": {
        **ORDERS,
        "event": "contact",
        "role": "guardrail",
        "goal": "decrease",
        "margin": "10%",
    },
}
TICKETS: dict[str, Any] = {
    **METRICS,
    "time_to_resolve": {
        "type": "resolution_time",
        "start": "opened",
        "end": "solved",
        "key": "ticket",
        "horizon": "30d",
        "role": "secondary",
        "goal": "decrease",
    },
}
SPEC = experiment(metrics=METRICS)
SIZES = {"control": 9000, "variant": 1000}
TIMES: dict[str, Any] = {
    "first_exposure": at("2024-03-04"),
    "last_exposure": at("2024-03-12"),
    "as_of": at("2024-03-13"),
    "before_exposure": {"control": 40, "variant": 160},
    "units_before": {"control": 40, "variant": 160},
}


def seen(
    units: tuple[int, ...], spec: Any = SPEC, metrics: dict[str, MetricData] | None = None, *more: Any, **rest: Any
) -> CheckContext:
    """A context in which metrics that are not given have data in which nothing is odd."""
    usual = Moments(500, 2.0, 1.0, 300)
    quiet = {
        "proportion": shares_of((50, 500), (51, 500)),
        "moments": MetricData(dict.fromkeys(SIZES, usual)),
        "ratio": MetricData(dict.fromkeys(SIZES, RatioMoments(usual, usual, 0.5))),
    }
    kinds = {name: metric.needs().summary for name, metric in spec.metrics.items()}
    base = {name: quiet[kind] for name, kind in kinds.items() if kind in quiet}
    return context(units, spec, {**base, **(metrics or {})}, *more, **rest)


def contexts() -> Iterator[CheckContext]:
    """Contexts in which every check has something to say, most of them several."""
    yield seen((9500, 10500), SPEC)
    yield from _of_losses()
    yield from _of_time()
    yield from _of_values()


def _of_losses() -> Iterator[CheckContext]:
    """Rows and units that are lost or in the data twice."""
    lost = {"thank_you_visits": shares_of((10, 980), (10, 940), missing={"control": 20, "variant": 60})}
    mostly_empty = {
        "revenue_per_visitor": MetricData({arm: Moments(500, 1.0, 1.0, 9) for arm in ("control", "variant")})
    }
    yield seen((1000, 1000), SPEC, lost, crossover=40, unknown_arm=7, unknown_labels=("B",), no_arm=3)
    yield seen(
        (1000, 1000),
        experiment(
            metrics={**METRICS, "revenue_per_visitor": {**REVENUE, "column": "spent", "event": None, "value": None}}
        ),
        {"revenue_per_visitor": replace(mostly_empty["revenue_per_visitor"], missing={"control": 500, "variant": 500})},
        crossover=4,
        unknown_arm=90,
        misspelled_labels=(MisspelledLabel("Variant", "variant", 90),),
        arm_rows=1000,
    )
    yield seen((1000, 0), SPEC)
    empty = shares_of((0, 1000), (0, 1000))
    absent = replace(empty, absent=("purchase",))
    tickets = {arm: TicketTimes(200, 9, 190, 30) for arm in ("control", "variant")}
    yield seen(
        (1000, 1000),
        experiment(metrics=TICKETS),
        {"thank_you_visits": absent, "contact_rate": empty, "time_to_resolve": MetricData({}, tickets=tickets)},
        misspelled_events=(("Contact", "contact"),),
        values_as_events=12,
    )
    unfound = (
        Unfound(
            "data.events.exclude.staff", "is_staff is 'true'", ("True",), "the cells say True; write {is_staff: true}"
        ),
        Unfound("metrics.thank_you_visits.where", "plan is 'gold'"),
    )
    yield seen(
        (1000, 1000),
        SPEC,
        nothing_found=unfound,
        misspelled_ids={"leading zeros": 12},
        spelled_twice=9,
        busiest=Busiest(5000, 40, 100_000),
        repeated_rows=5,
        removed_rows=4,
        repeated_ids=3,
        changed_ids=2,
        duplicate_units=1,
    )
    yield context(kind="counts", daily=daily("2024-03-04", *[(5, 5)] * 8), never_fall=8)
    alone = {"thank_you_visits": shares_of((100, 1000), (0, 1000)), "contact_rate": shares_of((100, 1000), (0, 1000))}
    yield seen((1000, 1000), SPEC, alone)
    full = {name: shares_of((50, 50), (50, 50)) for name in ("thank_you_visits", "contact_rate")}
    yield seen((50, 50), SPEC, full)
    yield seen((50, 50), SPEC, {**full, "thank_you_visits": shares_of((50, 50), (50, 50), all_at_exposure=True)})


def _of_time() -> Iterator[CheckContext]:
    """Days, windows, looks, and what was there before."""
    timed = experiment(
        metrics={**METRICS, "revenue_per_visitor": {**REVENUE, "window": "7d"}},
        window="3d",
        period={"start": "2024-03-04", "end": "2024-03-31"},
        plan={"units": 9000, "units_per_day": 200},
    )
    late = {
        "thank_you_visits": shares_of(
            (90, 900),
            (95, 890),
            not_followed={"control": 100, "variant": 110},
            before={"control": Proportion(100, 1000), "variant": Proportion(180, 1000)},
        ),
        "revenue_per_visitor": MetricData({}, not_followed={"variant": 300}),
    }
    strays = (Exclusion("stray_time", "rows", rows=3),)
    days = daily("2024-03-04", *[(100, 100)] * 5, (300, 0), (0, 300), (200, 100))
    yield seen((1000, 1000), timed, late, planned=9000, daily=days, exclusions=strays, by_day=tuple(METRICS), **TIMES)
    yield seen((1000, 1000), SPEC, daily=daily("2024-03-04", (900, 0), *[(0, 900)]), **TIMES)
    yield seen((1000, 1000), SPEC, planned=1500)
    quiet = {"thank_you_visits": shares_of((90, 900), (95, 900), before=shares_of((50, 900), (51, 900)).summaries)}
    long = experiment(metrics=METRICS, window="14d")
    yield seen((1000, 1000), long, quiet, by_day=("thank_you_visits",))
    yield context(kind="counts", daily=daily("2024-03-04", (5, 5), (4, 4)))
    cohorts = {
        f"2024-03-{4 + i:02d}": {"control": Proportion(100, 1000), "variant": Proportion(200 if i < 2 else 100, 1000)}
        for i in range(4)
    }
    yield seen((4000, 4000), timed, {"thank_you_visits": shares_of((400, 4000), (600, 4000), cohorts=cohorts)}, **TIMES)


def _of_values() -> Iterator[CheckContext]:
    """Few units that carry much, and figures that are too good."""
    rng = np.random.default_rng(1)
    steady, top = np.concatenate([rng.normal(50, 5, 300), [0.0] * 700]), [40_000.0]
    data = {
        "revenue_per_visitor": values_of(steady, np.concatenate([steady, top])),
        "order_value": values_of(np.column_stack([steady, np.ones(1000)]), np.column_stack([steady, np.ones(1000)])),
    }
    results = (
        result("thank_you_visits", 0.8, "better", SPEC),
        result("revenue_per_visitor", 1e-7, "better", SPEC),
        result("order_value", -0.4, "descriptive", SPEC, interval=(-0.6, 0.1)),
    )
    yield seen((1000, 1001), SPEC, data, results)
    tiny = (result("thank_you_visits", 1e-7, "inconclusive", SPEC),)
    yield seen((1000, 1001), SPEC, {"revenue_per_visitor": values_of(steady, steady + 1e-9)}, tiny)
    zero = result("thank_you_visits", None, spec=SPEC)
    values = (ArmValue("control", 500, 0.0, None), ArmValue("variant", 500, 0.02, None))
    yield seen((500, 500), SPEC, results=(replace(zero, arms=values),))
    skewed = {"revenue_per_visitor": MetricData({arm: Moments(n, 1.0, 1.0, skewness=90.0) for arm, n in SIZES.items()})}
    yield seen((9000, 1000), SPEC, skewed)
    question = {
        "type": "ces",
        "event": "survey",
        "value": "ease",
        "scale": [1, 7],
        "role": "secondary",
        "goal": "increase",
    }
    answers = {"fair_help": MetricData({arm: Categories(1, (0, 0, 1, 2, 3, 9, 20)) for arm in SIZES})}
    yield seen((35, 35), experiment(metrics={"thank_you_visits": ORDERS, "fair_help": question}), answers)


@cache
def results() -> tuple[CheckResult, ...]:
    made = [found for each in contexts() for found in run_all(each)]
    made += shares((2, 100), (2, 100)).checks  # more false alarms than the level
    for name in shipped.NAMES:
        made += shipped.results(name).checks
    return tuple(made)


def test_every_check_is_seen_to_pass_and_to_warn_or_fail() -> None:
    warned = {found.code for found in results() if found.status in ("warn", "fail")}
    assert warned == set(CHECKS)
    assert {found.code for found in results() if found.status == "pass"} == set(CHECKS)


def test_every_check_has_a_title_of_few_words() -> None:
    assert list(TITLES) == list(CHECKS)
    for title in TITLES.values():
        assert len(title.split()) <= 5 and title == title.lower() and "_" not in title
    assert len(set(TITLES.values())) == len(TITLES)


@pytest.mark.parametrize("code", CHECKS)
def test_messages_are_sentences_in_plain_words(code: str) -> None:
    for found in results():
        if found.code != code:
            continue
        text = found.message
        assert re.match(r"[A-Z0-9]", text) and text.endswith("."), text
        assert not re.search(r"\bp\s*[=<]|\de[+-]?\d", text), text
        assert "p-value" not in text and "Welch" not in text and "Twyman" not in text and "`" not in text, text
        for key in (*TICKETS, "fair_help"):
            assert "_" not in key or key not in text, text
        assert "None" not in text and ".." not in text and "  " not in text and ";;" not in text, text


@pytest.mark.parametrize("code", CHECKS)
def test_usual_messages_and_helps_are_short(code: str) -> None:
    """What warns for one reason says it in about 200 characters."""
    for found in (found for name in shipped.NAMES for found in shipped.results(name).checks):
        if found.code == code and found.status in ("warn", "fail"):
            assert len(found.message) <= 230 and len(found.help or "") <= 160, found


@pytest.mark.parametrize("code", CHECKS)
def test_helps_are_imperatives_or_needs(code: str) -> None:
    for found in results():
        if found.code == code and found.status == "skipped":
            assert found.help is not None and found.help.startswith("needs "), found
        elif found.code == code and found.help is not None:
            assert re.match(r"[A-Z][a-z]+ ", found.help) and "?" not in found.help, found
            assert found.help.count("`") % 2 == 0, found
