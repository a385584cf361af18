"""Ten experiments at the edges of what a readout must say, analyzed from made-up data, and a verdict for every reason
code; all numbers are invented."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

import abcx
from abcx.report import markdown_card, slack, terminal_card
from abcx.results.metric import ArmValue, Comparison, MetricResult, Size
from abcx.results.readout import Reason, Results, Verdict
from tests.support import made_results

Metrics = dict[str, dict[str, Any]]


def analyzed(name: str, arms: dict[str, dict[str, Any]], metrics: Metrics, **spec: Any) -> Results:
    """The results of typed counts."""
    whole = {
        "schema_version": 1,
        "name": name,
        "tags": ["simulated"],
        "unit": "visitors",
        "arms": {arm: {} for arm in arms},
        "data": {"counts": arms},
        "metrics": metrics,
        **spec,
    }
    return replace(abcx.analyze(whole), abcx_version="VERSION")


def conversion(role: str = "primary", goal: str = "increase", **keys: Any) -> dict[str, Any]:
    return {"type": "conversion", "role": role, "goal": goal, **keys}


def no_events() -> Results:
    arms = {"control": {"units": 5000, "orders": 0}, "variant": {"units": 5020, "orders": 0}}
    return analyzed("no-events", arms, {"orders": conversion(minimum_effect="5%")})


def forty_fold() -> Results:
    arms = {"control": {"units": 20_000, "orders": 20}, "variant": {"units": 20_000, "orders": 820}}
    plan = {"units": 40_000}
    return analyzed("forty-fold", arms, {"orders": conversion(minimum_effect="5%")}, plan=plan)


def twelve_arms() -> Results:
    arms = {"control": {"units": 4000, "orders": 400, "complaints": 80}}
    arms |= {f"variant_{i}": {"units": 4000, "orders": 380 + 14 * i, "complaints": 70 + 4 * i} for i in range(1, 12)}
    metrics = {
        "orders": conversion(minimum_effect="5%"),
        "complaints": conversion("guardrail", "decrease", margin="40%"),
    }
    return analyzed("twelve-arms", arms, metrics, plan={"units": 48_000})


def thirty_metrics() -> Results:
    names = [f"step_{i}_reached" for i in range(30)]
    arms = {
        arm: {"units": 9000, **{name: 900 + 20 * i + shift * i for i, name in enumerate(names)}}
        for arm, shift in (("control", 0), ("variant", 6))
    }
    roles = ["primary", *["secondary"] * 20, *["guardrail"] * 9]
    metrics: Metrics = {}
    for position, (name, role) in enumerate(zip(names, roles, strict=True)):
        family = ("engagement", "experience", "satisfaction")[position % 3]
        margin = {"margin": "10%"} if role == "guardrail" else {}
        metrics[name] = conversion(role, family=family, **margin)
    return analyzed("thirty-metrics", arms, metrics, plan={"units": 18_000})


def long_and_foreign_names() -> Results:
    titles = {
        "long": "Orders of shoppers who came back by mail",
        "kanji": "お問い合わせの解決までにかかった時間と満足度の割合",
        "arabic": "معدل التحويل من صفحة الدفع الجديدة",
        "emoji": "👩‍👩‍👧 family <b>plans</b> | [sold](x) @all",
    }
    control, variant = "control_with_the_name_of_forty_letters__", "variant_with_the_name_of_forty_letters__"
    arms = {
        control: {"units": 8000, "long": 800, "kanji": 4000, "arabic": 300, "emoji": 90},
        variant: {"units": 8000, "long": 900, "kanji": 4010, "arabic": 310, "emoji": 150},
    }
    roles = {"long": "primary", "kanji": "secondary", "arabic": "secondary", "emoji": "secondary"}
    metrics = {name: conversion(role, title=titles[name]) for name, role in roles.items()}
    return analyzed("long-names", arms, metrics, unit="visitantes", title="A" * 40 + " " + "日本語の題名" * 4)


def negative_values() -> Results:
    random = np.random.default_rng(7)
    arm = np.repeat(["control", "variant"], 3000)
    profit = random.normal(-4, 30, 6000) + 2.5 * (arm == "variant")
    frame = pd.DataFrame({"u": range(6000), "a": arm, "profit": profit.round(2)})
    spec = {
        "schema_version": 1,
        "name": "negative-values",
        "tags": ["simulated"],
        "unit": "customers",
        "currency": "EUR",
        "arms": {"control": {}, "variant": {}},
        "data": {"units": {"columns": {"unit": "u", "arm": "a"}}},
        "metrics": {
            "profit": {"type": "mean", "column": "profit", "role": "primary", "goal": "increase", "minimum_effect": 1}
        },
        "plan": {"units": 6000},
        "impact": {"units_per_month": 50_000, "metric": "profit"},
    }
    return replace(abcx.analyze(spec, units=frame), abcx_version="VERSION")


def hours_and_points() -> Results:
    random = np.random.default_rng(11)
    opened = pd.Timestamp("2024-05-06") + pd.to_timedelta(random.uniform(0, 10 * 24, 1600), unit="h")
    arm = np.repeat(["control", "variant"], 800)
    hours = random.exponential(np.where(arm == "control", 30, 22))
    score = np.clip(np.round(random.normal(np.where(arm == "control", 6.6, 7.6), 2.2)), 0, 10).astype(int)
    unit = np.arange(1600)

    def rows(event: str, times: Any, values: Any = None) -> pd.DataFrame:
        return pd.DataFrame({"unit": unit, "time": times, "arm": arm, "event": event, "value": values, "ticket": unit})

    frame = pd.concat(
        [
            rows("opened", opened),
            rows("solved", opened + pd.to_timedelta(hours, unit="h")),
            rows("asked", opened + pd.Timedelta("1h"), score),
        ]
    )
    spec = {
        "schema_version": 1,
        "name": "hours-and-points",
        "tags": ["simulated"],
        "unit": "customers",
        "arms": {"control": {}, "variant": {}},
        "period": {"start": "2024-05-06", "end": "2024-05-15"},
        "exposure": {"event": "opened"},
        "window": "5d",
        "data": {"events": {"timezone": "UTC"}},
        "metrics": {
            "wait": {
                "type": "resolution_time",
                "title": "Time to a solution",
                "start": "opened",
                "end": "solved",
                "key": "ticket",
                "horizon": "96h",
                "role": "primary",
                "goal": "decrease",
                "minimum_effect": "5%",
            },
            "nps": {
                "type": "nps",
                "event": "asked",
                "value": "value",
                "scale": [0, 10],
                "role": "guardrail",
                "goal": "increase",
                "margin": "10pt",
            },
        },
        "plan": {"units": 1600},
    }
    return replace(abcx.analyze(spec, events=frame), abcx_version="VERSION")


def rare_errors() -> Results:
    arms = {"control": {"units": 4_000_000, "errors": 210}, "variant": {"units": 4_000_000, "errors": 142}}
    metrics = {"errors": conversion(goal="decrease", minimum_effect="5%")}
    return analyzed("rare-errors", arms, metrics, plan={"units": 8_000_000}, unit="page views")


def large_money() -> Results:
    arms = {
        "control": {"units": 30_000, "revenue": {"mean": 1_234_567.0, "sd": 9_000_000.0}},
        "variant": {"units": 30_000, "revenue": {"mean": 1_254_567.0, "sd": 9_000_000.0}},
    }
    metrics: Metrics = {
        "revenue": {"type": "mean", "role": "primary", "goal": "increase", "unit": "$", "minimum_effect": "2%"}
    }
    impact = {"units_per_month": 10_000, "metric": "revenue"}
    return analyzed("large-money", arms, metrics, plan={"units": 60_000}, currency="$", impact=impact)


def broken_split() -> Results:
    arms = {"control": {"units": 9000, "orders": 900}, "variant": {"units": 10_000, "orders": 1100}}
    return analyzed("broken-split", arms, {"orders": conversion(minimum_effect="5%")})


EXTREMES: dict[str, Callable[[], Results]] = {
    "no_events": no_events,
    "forty_fold": forty_fold,
    "twelve_arms": twelve_arms,
    "thirty_metrics": thirty_metrics,
    "long_and_foreign_names": long_and_foreign_names,
    "negative_values": negative_values,
    "hours_and_points": hours_and_points,
    "rare_errors": rare_errors,
    "large_money": large_money,
    "broken_split": broken_split,
}

_REASONS: dict[str, tuple[str, str, str]] = {
    "primary_harm": ("DO NOT SHIP", "orders", "worse"),
    "guardrail_harm": ("DO NOT SHIP", "complaints", "harmed"),
    "win": ("SHIP", "orders", "better"),
    "win_noninferior": ("SHIP", "orders", "inconclusive"),
    "no_benefit": ("DO NOT SHIP", "orders", "inconclusive"),
    "below_minimum_effect": ("DO NOT SHIP", "orders", "small"),
    "underpowered": ("INCONCLUSIVE", "orders", "inconclusive"),
    "margin_open": ("INCONCLUSIVE", "orders", "open"),
    "guardrail_unresolved": ("INCONCLUSIVE", "complaints", "unresolved"),
}
"""Of every reason code about a metric: verdict, metric, and the status that it has then."""
_EFFECTS = {
    "worse": (-0.12, -0.19, -0.04),
    "harmed": (0.31, 0.16, 0.48),
    "better": (0.13, 0.04, 0.23),
    "small": (0.02, 0.004, 0.037),
    "open": (-0.02, -0.07, 0.03),
    "inconclusive": (0.01, -0.02, 0.04),
    "unresolved": (0.05, -0.06, 0.17),
}


def of_reason(code: str) -> Results:
    """A made-up readout whose verdict has this one reason."""
    word, name, status = _REASONS[code]
    base = made_results.clean()
    margin = Size("5%", 0.05, True)
    metrics = tuple(_moved(metric, status) if metric.name == name else metric for metric in base.metrics)
    if code in ("win_noninferior", "margin_open"):
        metrics = tuple(replace(metric, margin=margin) if metric.name == name else metric for metric in metrics)
    if name != "orders" and word == "INCONCLUSIVE":
        metrics = tuple(_moved(metric, "better") if metric.name == "orders" else metric for metric in metrics)
    size = {"new_run_units": 612_340, "new_run_days": 341} if word == "INCONCLUSIVE" else {}
    verdict = Verdict(word, "variant", (Reason(code, name),), **size)  # type: ignore[arg-type]
    return replace(base, verdict=verdict, verdicts=(verdict,), metrics=metrics)


def _moved(metric: MetricResult, status: str) -> MetricResult:
    """The metric with an effect that fits a status, in both arms, difference and lift."""
    lift, low, high = _EFFECTS[status]
    control = metric.arms[0]
    assert control.value is not None
    arms = (control, replace(metric.arms[1], value=control.value * (1 + lift), successes=None))
    shown = {"small": "better", "open": "inconclusive"}.get(status, status)
    moved = _with(metric.comparisons[0], control, (lift, low, high), shown)
    return replace(metric, arms=arms, comparisons=(moved,))


def _with(comparison: Comparison, control: ArmValue, effect: tuple[float, float, float], status: Any) -> Comparison:
    lift, low, high = effect
    assert control.value is not None
    return replace(
        comparison,
        lift=lift,
        lift_interval=(low, high),
        difference=lift * control.value,
        difference_interval=(low * control.value, high * control.value),
        margin_interval=None,
        status=status,
    )


REASONS = tuple(_REASONS)
NAMES = (*EXTREMES, *REASONS)


@cache
def results(name: str) -> Results:
    """An extreme by its name, or by a reason code."""
    return of_reason(name) if name in _REASONS else EXTREMES[name]()


def texts(name: str) -> str:
    """The short forms of a readout: terminal at 100 columns, at 80 in ASCII, Markdown, Slack."""
    found = results(name)
    parts = {
        "terminal, 100 columns": terminal_card.render(found, 100),
        "terminal, 80 columns, ASCII": terminal_card.render(found, 80, ascii=True),
        "Markdown": markdown_card.render(found),
        "Slack": slack.render(found),
    }
    return "\n".join(f"== {form}\n{text}" for form, text in parts.items())
