"""The end of an experiment: what was declared decides, open windows wait, what comes later does not count."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import abcx
from abcx.report import reasons
from abcx.results.readout import Results
from tests.support.notes import texts
from tests.support.results import check, codes

START = datetime(2024, 3, 4)
DAYS = 14
ORDERS = {"type": "conversion", "event": "purchase", "role": "primary", "goal": "increase", "minimum_effect": "5%"}


def spec(**keys: Any) -> dict[str, Any]:
    base = {"schema_version": 1, "name": "test", "arms": {"a": {}, "b": {}}, "metrics": {"orders": ORDERS}}
    return {**base, **keys}


def units(per_day: int = 100, days: int = DAYS) -> pd.DataFrame:
    """Exposures spread over the days, arms in turn."""
    n = per_day * days
    times = [START + timedelta(days=i / per_day) for i in range(n)]
    return pd.DataFrame({"unit": [f"u{i}" for i in range(n)], "time": times, "arm": ["a", "b"] * (n // 2)})


def purchases(exposed: pd.DataFrame, shares: dict[str, float], delay: dict[str, timedelta]) -> pd.DataFrame:
    """A fixed share of the units of each arm buys, so long after exposure."""
    rows = []
    for arm, of_arm in exposed.groupby("arm"):
        chosen = of_arm[np.arange(len(of_arm)) % 1000 < 1000 * shares[str(arm)]]
        rows.append(pd.DataFrame({"unit": chosen.unit, "time": chosen.time + delay[str(arm)], "event": "purchase"}))
    return pd.concat(rows)


def visits(exposed: pd.DataFrame, until: datetime) -> pd.DataFrame:
    """Rows that go on to the end of the export."""
    last = pd.DataFrame({"unit": exposed.unit[:1], "time": [until], "event": "visit"})
    return last


def run(exposed: pd.DataFrame, bought: pd.DataFrame, until: datetime, **keys: Any) -> Results:
    bought = bought[bought.time <= until]
    return abcx.analyze(
        spec(**keys), exposures=exposed[exposed.time <= until], events=pd.concat([bought, visits(exposed, until)])
    )


ALIKE = {"a": 0.3, "b": 0.3}
HOUR = {"a": timedelta(hours=1), "b": timedelta(hours=1)}
PERIOD = {"start": "2024-03-04", "end": "2024-03-17"}


def test_a_variant_that_only_sells_sooner_wins_nothing_while_windows_are_open() -> None:
    """30 % buy in both arms, after 6 days or at once. As they stand, open windows would count as no purchase."""
    exposed = units(400)
    bought = purchases(exposed, ALIKE, {"a": timedelta(days=6), "b": timedelta(hours=1)})
    results = run(exposed, bought, START + timedelta(days=14), window="7d")
    found = results["orders"]
    assert found.comparisons[0].lift == pytest.approx(0, abs=0.02)
    assert [arm.units + arm.not_followed for arm in found.arms] == [2800, 2800]
    assert sum(arm.not_followed for arm in found.arms) == pytest.approx(2800, abs=10)
    assert sum(arm.missing for arm in found.arms) == 0
    assert results.verdict.verdict == "KEEP RUNNING"
    by_hand = dict.fromkeys("ab", 0)
    last = START + timedelta(days=14) - timedelta(days=7)
    for arm, of_arm in exposed[exposed.time <= last].groupby("arm"):
        by_hand[str(arm)] = int(of_arm.unit.isin(set(bought.unit)).sum())
    assert [arm.successes for arm in found.arms] == [by_hand["a"], by_hand["b"]]


@pytest.mark.parametrize(
    ("until", "verdict"),
    [("2024-03-17 20:00", "KEEP RUNNING"), ("2024-03-23 20:00", "KEEP RUNNING"), ("2024-03-24 01:00", "INCONCLUSIVE")],
)
def test_a_period_ends_with_the_window_of_its_last_units(until: str, verdict: str) -> None:
    exposed = units()
    bought = purchases(exposed, {"a": 0.3, "b": 0.32}, HOUR)
    results = run(exposed, bought, datetime.fromisoformat(until), window="7d", period=PERIOD)
    assert results.verdict.verdict == verdict
    if verdict == "KEEP RUNNING":
        assert results.verdict.end == "2024-03-24"
        assert codes(results)[0] == "too_early"


def test_retention_and_churn_of_guardrails_push_the_end_out() -> None:
    metrics = {
        "orders": ORDERS,
        "back": {
            "type": "retention",
            "event": "visit",
            "day": 7,
            "role": "guardrail",
            "goal": "increase",
            "margin": "9pp",
        },
    }
    exposed = units()
    results = run(exposed, purchases(exposed, ALIKE, HOUR), datetime(2024, 3, 18), period=PERIOD, metrics=metrics)
    assert results.verdict.end == "2024-03-25"  # the last day with exposures, and 8 days of follow-up


def test_a_declared_size_needs_followed_units_and_tells_its_day() -> None:
    exposed = units(100, 10)
    results = run(
        exposed, purchases(exposed, ALIKE, HOUR), START + timedelta(days=9.99), window="3d", plan={"units": 900}
    )
    assert (results.verdict.verdict, codes(results)[0]) == ("KEEP RUNNING", "too_early")
    # 900 units are exposed on the ninth day, the 12th, and followed three days later.
    assert results.verdict.end == "2024-03-15"
    assert results.verdict.missing_units == pytest.approx(900 - 699, abs=2)
    later = run(
        exposed, purchases(exposed, ALIKE, HOUR), START + timedelta(days=12.2), window="3d", plan={"units": 900}
    )
    assert later.verdict.verdict == "INCONCLUSIVE"


def test_a_metric_that_nobody_could_be_followed_in_yet_waits() -> None:
    exposed = units(100, 2)
    results = run(exposed, purchases(exposed, ALIKE, HOUR), START + timedelta(days=2), window="14d", period=PERIOD)
    assert results.verdict.verdict == "KEEP RUNNING"
    assert "follow_up_incomplete" in codes(results)
    assert check(results, "metric_missing").status == "pass"


def test_without_a_declaration_the_last_window_is_the_end_and_the_banner_says_read_once() -> None:
    exposed = units()
    bought = purchases(exposed, {"a": 0.3, "b": 0.4}, HOUR)
    early = run(exposed, bought, START + timedelta(days=15), window="7d")
    assert (early.verdict.verdict, early.verdict.end) == ("KEEP RUNNING", "2024-03-24")
    final = run(exposed, bought, START + timedelta(days=22), window="7d")
    assert final.verdict.verdict == "SHIP"
    warning = next(one for one in final.verdict.warnings if one.code == "peeking")
    assert "read once" in reasons.text(final, final.verdict, warning)


def test_files_without_times_take_a_period_as_over_and_say_so() -> None:
    frame = pd.DataFrame({"unit": [f"u{i}" for i in range(400)], "arm": ["a", "b"] * 200, "bought": [0, 1, 1, 0] * 100})
    metric = {"type": "conversion", "column": "bought", "role": "primary", "goal": "increase"}
    results = abcx.analyze(spec(metrics={"orders": metric}, period=PERIOD), units=frame)
    assert results.verdict.verdict == "INCONCLUSIVE"
    assert "no times, so it is taken as over" in check(results, "duration").message


def test_a_size_that_was_passed_is_replayed_on_its_day() -> None:
    """On the planned day the arms are alike; what comes after is better, and is only shown."""
    exposed = units(200, 20)
    bought = purchases(exposed[:2000], ALIKE, HOUR)
    after = exposed[2000:]
    bought = pd.concat([bought, purchases(after, {"a": 0.1, "b": 0.5}, HOUR)])
    results = run(exposed, bought, START + timedelta(days=20), window="1d", plan={"units": 2000})
    assert results.replay is not None
    assert results.replay.day == "2024-03-14"  # the 2,000th unit comes on the tenth day, its window ends a day later
    assert results["orders"].comparisons[0].status != "better"
    assert results.verdict.verdict == "INCONCLUSIVE"
    later = next(one for one in results.replay.later if one.metric == "orders")
    assert later.p_value is not None and later.p_value < 1e-6
    assert "replay" in [warning.code for warning in results.verdict.warnings]
    same_day = run(exposed, bought, START + timedelta(days=11), window="1d", plan={"units": 2000})
    assert same_day.replay is None


def test_a_size_that_was_passed_by_little_is_replayed_too() -> None:
    """Three daily looks within a tenth of the plan would have the whole alpha each."""
    exposed = units(200, 11)
    results = run(exposed, purchases(exposed, ALIKE, HOUR), START + timedelta(days=12), plan={"units": 2000})
    assert results.replay is not None and results.replay.day == "2024-03-13"
    assert sum(arm.units for arm in results.arms) == 2000
    on_the_day = run(exposed, purchases(exposed, ALIKE, HOUR), START + timedelta(days=9.9), plan={"units": 1990})
    assert on_the_day.replay is None


def orders_that_end(days: float, rows_a_day: int, exposed: pd.DataFrame) -> pd.DataFrame:
    """An orders export that is older than the exposures: half the units buy at once, as far as the export goes."""
    bought = exposed[exposed.time < START + timedelta(days=days)]
    step = max(1, round(len(exposed) / DAYS / rows_a_day))
    return pd.DataFrame({"unit": bought.unit[::step], "time": bought.time[::step], "event": "purchase"})


@pytest.mark.parametrize(
    ("ends", "rows_a_day", "moved"), [(11, 50, True), (13.5, 50, False), (11, 10, False), (14, 50, False)]
)
@pytest.mark.slow
def test_an_old_export_of_outcomes_moves_the_data_cut(ends: float, rows_a_day: int, moved: bool) -> None:
    exposed = units()
    results = abcx.analyze(spec(), exposures=exposed, events=orders_that_end(ends, rows_a_day, exposed))
    notes = [note for note in texts(results.data.notes) if "before the last exposure" in note]
    assert bool(notes) == moved
    total = sum(arm.units for arm in results.arms)
    assert total == pytest.approx(1100, abs=3) if moved else total == 1400
    if moved:
        assert "2024-03-14" in notes[0] and "events_0" in notes[0]
        assert {one.reason for one in results.data.exclusions} == {"after_as_of"}


def test_a_file_of_secondary_outcomes_never_moves_the_cut() -> None:
    exposed = units()
    calls = orders_that_end(5, 50, exposed).assign(event="call")
    metrics = {
        "orders": ORDERS,
        "calls": {"type": "conversion", "event": "call", "role": "secondary", "goal": "decrease"},
    }
    bought = orders_that_end(14, 50, exposed)
    results = abcx.analyze(spec(metrics=metrics), exposures=exposed, events=[bought, calls])
    assert sum(arm.units for arm in results.arms) == 1400


def test_counts_by_day_cannot_be_replayed_and_say_that_the_size_was_passed(tmp_path: Path) -> None:
    rows = ["arm,date,units,orders"]
    rows += [f"{arm},2024-03-{4 + day:02d},500,{50 + day}" for day in range(7) for arm in "ab"]
    (tmp_path / "c.csv").write_text("\n".join(rows) + "\n")
    metric = {"type": "conversion", "role": "primary", "goal": "increase", "minimum_effect": "5%"}
    counted = spec(metrics={"orders": metric}, data={"counts": str(tmp_path / "c.csv")}, plan={"units": 5000})
    results = abcx.analyze(counted, allow_outside=True)
    assert results.replay is None and sum(arm.units for arm in results.arms) == 7000
    assert "The planned size was passed by 40%" in check(results, "peeking").message


REFUNDS = {
    "type": "conversion",
    "event": "refund",
    "window": "28d",
    "role": "guardrail",
    "goal": "decrease",
    "margin": "9pp",
}


def read_with_a_slow_guardrail(day: int) -> Results:
    """2,000 units are planned and 200 come a day for 40 days; orders are followed for 7 days, refunds for 28."""
    exposed = units(200, 40)
    seen = exposed[exposed.time < START + timedelta(days=day)]
    bought = purchases(seen, {"a": 0.3, "b": 0.4}, HOUR)
    end = START + timedelta(days=day)
    metrics = {"orders": {**ORDERS, "window": "7d"}, "refunds": REFUNDS}
    refund = bought[:1].assign(event="refund")
    return run(seen, pd.concat([bought, refund]), end, metrics=metrics, plan={"units": 2000})


def test_a_size_is_read_on_the_day_on_which_the_longest_window_is_over_too() -> None:
    """The 2,000th unit comes on the tenth day; orders are known a week later, refunds on 2024-04-10."""
    assert read_with_a_slow_guardrail(20).verdict.verdict == "KEEP RUNNING"
    assert read_with_a_slow_guardrail(34).verdict.verdict == "KEEP RUNNING"
    on_time = read_with_a_slow_guardrail(39)
    assert (on_time.verdict.verdict, on_time.replay and on_time.replay.day) == ("SHIP", "2024-04-10")
    assert on_time["refunds"].arms[0].units + on_time["refunds"].arms[1].units == pytest.approx(2000, abs=200)


@pytest.mark.parametrize("late", [41, 60])
@pytest.mark.slow
def test_a_size_with_a_slow_guardrail_that_was_passed_is_never_told_to_keep_running(late: int) -> None:
    found = read_with_a_slow_guardrail(late)
    assert found.verdict.verdict == "SHIP"
    assert found.replay is not None and found.replay.day == "2024-04-10"


def test_a_declared_size_that_was_missed_is_said_beside_a_missing_minimum_effect() -> None:
    exposed = units(50, 10)
    plain = {key: value for key, value in ORDERS.items() if key != "minimum_effect"}
    results = run(
        exposed,
        purchases(exposed, ALIKE, HOUR),
        START + timedelta(days=30),
        window="1d",
        metrics={"orders": plain},
        plan={"units": 50_000},
        period={"start": "2024-03-04", "end": "2024-03-13"},
    )
    found = check(results, "sample_size")
    assert found.status == "warn" and "No smallest effect worth having" in found.message
    assert "50,000" in found.message and "500" in found.message


def test_a_passed_size_that_is_replayed_is_not_called_passed() -> None:
    """The day of the plan's end is read, with the units of that whole day: no look came after the plan."""
    exposed = units(300, 10)
    bought = purchases(exposed, ALIKE, HOUR)
    results = run(exposed, bought, START + timedelta(days=12), window="1d", plan={"units": 1000})
    assert results.replay is not None
    assert sum(arm.units for arm in results.arms) > 1100
    assert "was passed" not in check(results, "peeking").message


def test_the_data_stop_on_the_last_day_that_they_reach() -> None:
    """Events go on for two days after the last exposure: the last day of the data is theirs."""
    exposed = units(100, 8)
    results = run(exposed, purchases(exposed, ALIKE, HOUR), datetime(2024, 3, 14), period=PERIOD)
    assert "The data stop on 2024-03-13" in check(results, "duration").message


def test_where_nobody_could_be_followed_the_day_of_the_last_window_is_named() -> None:
    """Units come until the 17th and are followed for 30 days: the last window closes on April 16."""
    exposed = units()
    until = START + timedelta(days=DAYS)
    results = run(exposed, purchases(exposed, ALIKE, HOUR), until, window="30d", period=PERIOD)
    messages = [reasons.text(results, results.verdict, reason) for reason in results.verdict.reasons]
    assert results.verdict.verdict == "KEEP RUNNING" and results.verdict.end == "2024-04-16"
    said = "Nobody has been followed for the whole window of orders yet; the last window closes on 2024-04-16."
    assert said in messages, messages
