"""Three real experiments with known results. The files are not part of the project: the tests skip without them."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
import yaml

import abcx
from abcx.data.observe import observe
from abcx.data.reading.overrides import allow_outside
from abcx.data.records import Inputs
from abcx.engines.local import Engine
from abcx.engines.quoting import literal
from abcx.results.readout import CheckResult, Results
from abcx.spec.load import load

HERE = Path(__file__).parent / "real"
SHARED = Path(__file__).parents[2] / "shared" / "data"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the real experiments are not beside the project"),
]


def check(results: Results, code: str) -> CheckResult:
    return next(check for check in results.checks if check.code == code)


def test_cookie_cats_is_harm_on_day_7_and_its_split_is_warned() -> None:
    results = abcx.analyze(HERE / "cookie-cats.yaml", allow_outside=True)
    day7, day1 = results["day7"], results["day1"]
    assert [(arm.successes, arm.units) for arm in day7.arms] == [(8502, 44700), (8279, 45489)]
    # Published: z = 3.164 by the pooled test; the score test with N / (N - 1) is the same to four digits here.
    assert day7.comparisons[0].p_value == pytest.approx(0.00155, abs=5e-6)
    assert day1.comparisons[0].p_value == pytest.approx(0.0744, abs=5e-5)
    assert results.verdict.verdict == "DO NOT SHIP"
    assert [reason.code for reason in results.verdict.reasons] == ["primary_harm"]
    srm = check(results, "srm")
    assert srm.status == "warn"
    assert srm.p_value == pytest.approx(0.0086, abs=5e-5)
    outliers = check(results, "outliers")
    assert outliers.status == "warn"
    assert "Rounds" in outliers.message


def test_cookie_cats_rounds_by_welch_with_and_without_the_whale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(HERE)
    spec = yaml.safe_load((HERE / "cookie-cats.yaml").read_text())
    with_him = abcx.analyze(spec, allow_outside=True)["rounds"].comparisons[0]  # he has 49,854 rounds
    assert with_him.method == "Welch" and with_him.p_value == pytest.approx(0.376, abs=5e-4)
    frame = pd.read_csv(SHARED / "cookie_cats" / "cookie_cats.csv.gz")
    without = abcx.analyze(spec, units=frame[frame.sum_gamerounds < 49854])["rounds"].comparisons[0]
    assert without.p_value == pytest.approx(0.949, abs=5e-4)


def test_optimizely_log_gives_the_known_results() -> None:
    results = abcx.analyze(HERE / "messaging.yaml", allow_outside=True)
    purchases = results["purchases"]
    assert [f"{100 * (arm.value or 0):.2f}" for arm in purchases.arms] == ["4.93", "5.02", "6.70"]
    second = purchases.comparisons[1]
    assert second.p_value == pytest.approx(0.0021, abs=5e-5)
    assert second.p_value_adjusted == pytest.approx(0.0043, abs=5e-5)
    assert [f"{arm.value:.3f}" for arm in results["detail_views"].arms] == ["0.544", "0.717", "0.871"]
    assert [f"{arm.value:.2f}" for arm in results["electronics_revenue"].arms] == ["4388.57", "4443.07", "5977.70"]
    assert sum(arm.units for arm in results.arms) == 10_000
    assert check(results, "follow_up").status == "pass"


STEPS = """
    WITH first AS (
        SELECT visitor_id, min(variation_name) AS arm, min(CAST("timestamp" AS TIMESTAMP)) AS t0
        FROM read_csv('{folder}/decisions.csv.gz', all_varchar = true) GROUP BY visitor_id
    ), rows AS (
        SELECT f.visitor_id, f.arm, e.event_name, CAST(e."timestamp" AS TIMESTAMP) AS t
        FROM first f JOIN read_csv('{folder}/events.csv.gz', all_varchar = true) e USING (visitor_id)
        WHERE CAST(e."timestamp" AS TIMESTAMP) >= f.t0 AND CAST(e."timestamp" AS TIMESTAMP) < f.t0 + INTERVAL '48 hours'
    )
    SELECT v.arm, count(DISTINCT v.visitor_id), count(DISTINCT a.visitor_id), count(DISTINCT p.visitor_id)
    FROM (SELECT * FROM rows WHERE event_name = 'detail_page_view') v
    LEFT JOIN rows a ON a.visitor_id = v.visitor_id AND a.event_name = 'add_to_cart' AND a.t >= v.t
    LEFT JOIN rows p ON p.visitor_id = v.visitor_id AND p.event_name = 'purchase' AND p.t >= a.t
    GROUP BY v.arm ORDER BY v.arm
"""


def test_optimizely_log_as_a_funnel_by_hand_written_sql() -> None:
    spec = yaml.safe_load((HERE / "messaging.yaml").read_text())
    spec["analysis"] = {"as_of": "2020-09-17"}
    events = ("detail_page_view", "add_to_cart", "purchase")
    spec["metrics"] = {
        "shopping": {"type": "funnel", "steps": [{"event": e} for e in events], "role": "primary", "goal": "increase"}
    }
    folder = SHARED / "optimizely_messaging"
    exposures, log = (pd.read_csv(folder / f"{name}.csv.gz") for name in ("decisions", "events"))
    found = abcx.analyze(spec, exposures=exposures, events=log)["shopping"].funnel
    assert found is not None
    expected = {arm: steps for arm, *steps in duckdb.execute(STEPS.format(folder=folder)).fetchall()}
    assert {arm: [step.reached[arm] for step in found.steps] for arm in expected} == expected


def test_optimizely_log_of_66_minutes_waits_for_its_windows_of_48_hours() -> None:
    spec = yaml.safe_load((HERE / "messaging.yaml").read_text())
    del spec["analysis"]
    folder = SHARED / "optimizely_messaging"
    exposures, events = (pd.read_csv(folder / f"{name}.csv.gz") for name in ("decisions", "events"))
    results = abcx.analyze(spec, exposures=exposures, events=events)
    assert results.verdict.verdict == "KEEP RUNNING"
    assert "follow_up_incomplete" in [reason.code for reason in results.verdict.reasons]
    assert [arm.not_followed for arm in results["purchases"].arms] == [arm.units for arm in results.arms]


def test_optimizely_log_agrees_per_visitor_with_the_expected_file() -> None:
    with (SHARED / "optimizely_messaging" / "expected_observations.csv").open(newline="") as handle:
        expected = {
            row["visitor_id"]: (
                row["variation_name"],
                float(row["purchase_conversion_rate"]),
                float(row["product_detail_page_views_per_visitor"]),
                float(row["electronics_revenue_per_visitor"]),
            )
            for row in csv.DictReader(handle)
        }
    loaded = load(HERE / "messaging.yaml")
    visitors = ", ".join(f"({literal(visitor)})" for visitor in expected)
    with Engine() as engine:
        observe(engine, allow_outside(loaded.experiment), loaded.base, Inputs())
        rows = engine.run(
            "SELECT v, u.arm, u.value_0, u.value_1, u.value_2 FROM unit_table u JOIN assigned a USING (uid) "
            f"LEFT JOIN (VALUES {visitors}) named(v) ON hash(v) = a.unit"
        )
    arms = list(loaded.experiment.arms)
    found = {unit: (arms[arm], purchase, views, revenue) for unit, arm, purchase, views, revenue in rows}
    assert len(expected) == 10_000
    assert found == expected


def test_landing_page_by_labels_is_warned_for_crossover() -> None:
    results = abcx.analyze(HERE / "landing-page-labels.yaml", allow_outside=True)
    crossover = check(results, "crossover")
    assert crossover.status == "warn"
    assert "1,895" in crossover.message
    assert "0.65%" in crossover.message


def test_landing_page_by_rules_drops_the_mismatched_rows() -> None:
    results = abcx.analyze(HERE / "landing-page-rules.yaml", allow_outside=True)
    assert [(arm.successes, arm.units) for arm in results["converted"].arms] == [(17489, 145274), (17264, 145310)]
    excluded = {item.reason: item for item in results.data.exclusions}
    assert excluded["unknown_arm"].rows == 3893
    assert excluded["duplicate_unit"].units == 1
    # z = -1.311 by the pooled test, p = .190.
    assert results["converted"].comparisons[0].p_value == pytest.approx(0.190, abs=5e-4)


# The log has whole hours: a call is compared by the end of its hour, so one in the hour of exposure comes after it.
CALLS = """
    WITH first AS (
        SELECT visitor_id, min(variation_name) AS arm, min(CAST("timestamp" AS TIMESTAMP)) AS t0
        FROM read_csv('{folder}/decisions.csv.gz', all_varchar = true) GROUP BY visitor_id
    ), calls AS (
        SELECT visitor_id, strptime(call_start, '%m/%d/%Y %H:%M:%S') + INTERVAL '59 minutes 59 seconds' AS at,
            CAST(call_duration_min AS DOUBLE) AS minutes
        FROM read_csv('{folder}/call_data.csv', all_varchar = true)
    ), visitors AS (
        SELECT f.arm, f.visitor_id, count(c.at) AS calls, coalesce(sum(c.minutes), 0) AS minutes,
            coalesce(sum(c.minutes) FILTER (c.at < f.t0 + INTERVAL 20 HOUR), 0) AS early
        FROM first f LEFT JOIN calls c
            ON c.visitor_id = f.visitor_id AND c.at >= f.t0 AND c.at < f.t0 + INTERVAL 48 HOUR
        GROUP BY ALL
    )
    SELECT arm, count(*), avg(calls), avg(minutes), avg(CAST(calls > 0 AS INT)), avg(early) FROM visitors
    GROUP BY arm ORDER BY arm
"""


def test_support_calls_of_the_optimizely_log_agree_with_sql_by_hand() -> None:
    results = abcx.analyze(HERE / "calls.yaml", allow_outside=True)
    answer = duckdb.sql(CALLS.format(folder=SHARED / "optimizely_messaging"))
    assert answer is not None
    rows = answer.fetchall()
    assert [row[0] for row in rows] == ["control", "message_1", "message_2"]
    assert sum(row[1] for row in rows) == 10_000
    for position, name in enumerate(("calls", "minutes", "callers", "early_minutes"), 2):
        for arm, row in zip(results[name].arms, rows, strict=True):
            assert (arm.name, arm.units) == row[:2]
            assert arm.value == pytest.approx(row[position], rel=1e-12)
    assert 0 < rows[0][5] < rows[0][3]  # the shorter window leaves calls out
    frame = pd.read_csv(SHARED / "optimizely_messaging" / "call_data.csv")
    arms = pd.read_csv(SHARED / "optimizely_messaging" / "decisions.csv.gz")[["visitor_id", "variation_name"]]

    # Times without ties: the mid-distribution's quantile is Hazen's.
    def hazen(times: pd.Series) -> float:
        return float(np.quantile(times, 0.9, method="hazen"))

    p90 = frame.merge(arms).groupby("variation_name").call_duration_min.apply(hazen)
    assert [arm.value for arm in results["p90_call"].arms] == pytest.approx(list(p90), rel=1e-12)
