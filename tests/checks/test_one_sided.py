"""Events that one arm alone has, shares of 100 %, metrics without a window."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

import abcx
from abcx.checks import no_variation, no_window, one_sided, srm, too_good
from abcx.data.records import MetricData
from abcx.results.metric import ArmValue
from abcx.stats.records import Categories, Lifetimes, Moments, RatioMoments
from tests.support.contexts import ORDERS, at, context, experiment, result, shares_of
from tests.support.results import check, codes, conclude

GUARD = {"type": "conversion", "event": "complaint", "role": "guardrail", "goal": "decrease", "margin": "10%"}
PRIMARY = {"type": "conversion", "role": "primary", "goal": "increase"}


def fewest(share: float) -> int:
    """The least number of units that chance puts all into the arm of that share less than once in a million."""
    return next(k for k in range(1, 500) if binom.pmf(k, k, share) < 1e-6)


@pytest.mark.parametrize(("control", "variant"), [(1000, 1000), (1000, 9000), (9000, 1000), (4000, 1000)])
def test_it_fails_from_the_number_that_chance_cannot_put_on_one_side(control: int, variant: int) -> None:
    limit = fewest(control / (control + variant))
    for hits, status in ((limit - 1, "pass"), (limit, "fail")):
        found = one_sided.check(
            context((control, variant), metrics={"orders": shares_of((hits, control), (0, variant))})
        )
        assert found.status == status


def test_the_limits_at_usual_splits() -> None:
    assert (fewest(0.5), fewest(0.1), fewest(0.9)) == (20, 7, 132)


@pytest.mark.parametrize(
    ("role", "goal", "pairs", "status"),
    [
        ("primary", "increase", ((0, 1000), (100, 1000)), "fail"),
        ("primary", "increase", ((100, 1000), (0, 1000)), "fail"),
        ("primary", "decrease", ((100, 1000), (0, 1000)), "warn"),
        ("primary", "decrease", ((0, 1000), (100, 1000)), "fail"),
        ("guardrail", "decrease", ((100, 1000), (0, 1000)), "warn"),
        ("guardrail", "increase", ((100, 1000), (0, 1000)), "fail"),
        ("secondary", "increase", ((100, 1000), (0, 1000)), "warn"),
        ("descriptive", None, ((100, 1000), (0, 1000)), "pass"),
        ("primary", "increase", ((0, 1000), (0, 1000)), "pass"),
    ],
)
def test_what_an_empty_arm_means_hangs_on_role_and_direction(role: str, goal: Any, pairs: Any, status: str) -> None:
    margin = {"margin": "10%"} if role == "guardrail" else {}
    others = {} if role == "primary" else {"first": {**ORDERS}}
    metric = {"type": "conversion", "event": "x", "role": role, "goal": goal, **margin}
    spec = experiment(metrics={**others, "orders": {k: v for k, v in metric.items() if v is not None}})
    assert one_sided.check(context(spec=spec, metrics={"orders": shares_of(*pairs)})).status == status


def lifetimes(ended: int, n: int = 100) -> Lifetimes:
    observed = np.arange(n) < ended
    return Lifetimes(n, np.ones(n), observed, np.arange(n))


@pytest.mark.parametrize(
    ("has", "lacks"),
    [
        (Moments(100, 2.0, 1.0, 50), Moments(100, 0.0, 0.0, 0)),
        (Categories(0, (0,) * 9 + (30, 10)), Categories(0, (0,) * 11)),
        (lifetimes(40), lifetimes(0)),
        (
            RatioMoments(Moments(100, 1.0, 1.0, 40), Moments(100, 3.0, 1.0, 90), 0.0),
            RatioMoments(Moments(100, 0.0, 0.0, 0), Moments(100, 3.0, 1.0, 90), 0.0),
        ),
    ],
)
def test_units_count_whatever_the_metric_is_made_of(has: Any, lacks: Any) -> None:
    data = {"orders": MetricData({"control": has, "variant": lacks})}
    found = one_sided.check(context((100, 100), metrics=data))
    assert found.status == "fail" and found.arms == ("variant",)
    assert re.search(
        r"Only control has Orders.*: \d+ visitors there, and none of 100 visitors in variant\.", found.message
    )


def test_the_verdict_is_invalid_for_that_variant_alone() -> None:
    counts = {
        "control": {"units": 2000, "orders": 200},
        "silent": {"units": 2000, "orders": 0},
        "good": {"units": 2000, "orders": 300},
    }
    results = conclude(counts, {"orders": PRIMARY})
    verdicts = {one.arm: one.verdict for one in results.verdicts}
    assert verdicts == {"silent": "INVALID", "good": "SHIP"}
    assert [reason.code for reason in results.verdicts[0].reasons] == ["data_loss"]
    assert "one_sided" in [warning.code for warning in results.verdict.warnings]


def test_a_guardrail_without_events_is_not_shown_safe_until_somebody_looked() -> None:
    counts = {
        "control": {"units": 3086, "orders": 600, "complaints": 80},
        "variant": {"units": 2914, "orders": 760, "complaints": 0},
    }
    guard = {"type": "conversion", "role": "guardrail", "goal": "decrease", "margin": "10%"}
    results = conclude(counts, {"orders": PRIMARY, "complaints": guard})
    assert results["complaints"].comparisons[0].status == "unresolved"
    assert (results.verdict.verdict, codes(results)) == ("INCONCLUSIVE", ["guardrail_unresolved"])
    assert "one_sided" in [warning.code for warning in results.verdict.warnings]
    looked = conclude(counts, {"orders": PRIMARY, "complaints": {**guard, "zero_is_real": True}})
    assert looked.verdict.verdict == "SHIP"
    assert "The spec says that this zero is real." in check(looked, "one_sided").message


def everybody(role: str = "primary", at_exposure: bool = True, n: int = 50) -> Any:
    spec = experiment(
        metrics={"orders": {**ORDERS, "role": role}} if role == "primary" else {"a": ORDERS, "orders": GUARD}
    )
    return no_variation.check(context((n, n), spec, {"orders": shares_of((n, n), (n, n), all_at_exposure=at_exposure)}))


def test_a_share_of_100_percent_from_the_start_is_no_outcome() -> None:
    assert everybody().status == "fail" and everybody().message.startswith(
        "100% of the visitors in every arm have Orders"
    )
    assert everybody(at_exposure=False).status == "warn"
    assert everybody("guardrail").status == "warn"
    assert everybody(n=19).status == "pass"
    assert no_variation.check(context(metrics={"orders": shares_of((50, 50), (49, 50))})).status == "pass"


def test_an_exposure_on_the_outcome_is_invalid_and_a_late_100_percent_is_warned_of() -> None:
    units = [f"u{i}" for i in range(60)]
    day, arms = pd.Timestamp("2024-03-04 10:00:07"), ["a", "b"] * 30
    spec = {
        "schema_version": 1,
        "name": "t",
        "arms": {"a": {}, "b": {}},
        "metrics": {"orders": {**ORDERS, "event": "purchase"}},
    }
    exposed = pd.DataFrame({"unit": units, "time": day, "arm": arms})
    for minutes, verdict in ((0, "INVALID"), (5, "INCONCLUSIVE")):
        events = exposed.assign(time=day + pd.Timedelta(minutes=minutes), event="purchase").drop(columns="arm")
        results = abcx.analyze(spec, exposures=exposed, events=events)
        assert results.verdict.verdict == verdict
        assert check(results, "no_variation").status == ("fail" if minutes == 0 else "warn")


def test_a_judged_metric_of_events_without_a_window_is_warned_of() -> None:
    timed: dict[str, Any] = {"first_exposure": at("2024-03-04T00:00"), "before_exposure": {"control": 0}}
    found = no_window.check(context(**timed))
    assert found.status == "warn" and "because Orders has no time limit" in found.message
    assert no_window.check(context(spec=experiment(window="7d"), **timed)).status == "pass"
    assert no_window.check(context()).status == "skipped"
    ready = experiment(metrics={"orders": {"type": "conversion", "column": "o", "role": "primary", "goal": "increase"}})
    assert no_window.check(context(spec=ready, **timed)).status == "skipped"


def test_a_control_of_zero_is_too_good() -> None:
    values = {"control": 0.0, "variant": 0.02}
    arms = tuple(ArmValue(arm, 500, value, None) for arm, value in values.items())
    spec = experiment()
    found = too_good.check(context(spec=spec, results=(replace(result("orders", None, spec=spec), arms=arms),)))
    assert found.status == "warn"
    assert found.message.startswith("Orders is 0 in control and not in variant. Errors of measurement")
    both = tuple(replace(arm, value=0.0) for arm in arms)
    nothing = too_good.check(context(spec=spec, results=(replace(result("orders", None, spec=spec), arms=both),)))
    assert nothing.status == "skipped"


def test_the_split_is_judged_on_the_units_that_are_followed_too() -> None:
    spec = experiment(window="7d")
    data = {"orders": MetricData({}, not_followed={"control": 100, "variant": 600})}
    found = srm.check(context((5000, 5000), spec, data))
    assert found.status == "fail"
    assert found.message.startswith(
        "Among visitors followed long enough for Orders, 4,400 visitors are in variant where 4,650 were expected: "
        "chance does not explain that. "
    )
    assert "share" not in str(found.help).replace("shares were changed", "")
    even = {"orders": MetricData({}, not_followed={"control": 300, "variant": 310})}
    assert srm.check(context((5000, 5000), spec, even)).status == "pass"
