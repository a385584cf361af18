"""Funnels against an oracle in plain Python and one in SQL, on random logs with repeats, ties, skipped steps and steps
before the exposure or after the window; from events, counts and files."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
import scipy.stats

import abcx
from abcx.errors import AbcxError
from abcx.report import markdown, terminal
from abcx.results.readout import Results
from abcx.spec.load import load_spec
from tests.support.logs import iso, micro
from tests.support.results import check, conclude

START = micro("2024-03-04T00:00:00Z")
MINUTE = 60_000_000
Row = tuple[str, int, str, float]
"""Unit, minutes since the start, event, amount."""


def funnel(events: list[str], **keys: Any) -> dict[str, Any]:
    steps = [{"event": event} for event in events]
    return {"type": "funnel", "steps": steps, "role": "primary", "goal": "increase", **keys}


def log(seed: int, units: int, steps: int, arms: int) -> tuple[dict[str, int], list[Row]]:
    """Exposures by unit (its first letter is its arm) and events at few different minutes, so that many are tied."""
    rng = random.Random(seed)
    exposed = {f"{'abcde'[i % arms]}{i}": rng.randrange(60) for i in range(units)}
    rows = [
        (unit, t + rng.randrange(-20, 240), f"s{rng.randrange(steps)}", float(rng.randrange(3)))
        for unit, t in exposed.items()
        for _ in range(rng.randrange(3 * steps))
    ]
    return exposed, rows


def reached(exposed: int, rows: list[tuple[int, str]], steps: list[str], window: int, strict: bool) -> int:
    """How many steps one unit reaches: at every step the earliest event that is not before the last one."""
    inside = sorted((t, event) for t, event in rows if exposed <= t < exposed + window)
    number, now = 0, exposed
    for step in steps:
        times = [t for t, event in inside if event == step and (t >= now or not strict)]
        if not times:
            return number
        number, now = number + 1, min(times)
    return number


def counted(exposed: dict[str, int], rows: list[Row], steps: list[str], window: int, strict: bool) -> dict[str, Any]:
    """(units, units by step) of every arm."""
    by_unit: dict[str, list[tuple[int, str]]] = {unit: [] for unit in exposed}
    for unit, t, event, _ in rows:
        by_unit[unit].append((t, event))
    arms: dict[str, list[int]] = {}
    for unit, t in exposed.items():
        arms.setdefault(unit[0], []).append(reached(t, by_unit[unit], steps, window, strict))
    return {arm: (len(far), tuple(sum(n > i for n in far) for i in range(len(steps)))) for arm, far in arms.items()}


def in_sql(exposed: dict[str, int], rows: list[Row], steps: list[str], window: int) -> dict[str, tuple[int, ...]]:
    """Units by step and arm: a unit reaches the steps for which some choice of rows is in order, found by joins."""
    x = pd.DataFrame(list(exposed.items()), columns=["unit", "t0"])  # noqa: F841
    e = pd.DataFrame(rows, columns=["unit", "t", "event", "amount"])  # noqa: F841
    counts = []
    for last in range(1, len(steps) + 1):
        joined = "FROM x"
        for i in range(last):
            before = f"e{i - 1}.t" if i else "x.t0"
            joined += f" JOIN e e{i} ON e{i}.unit = x.unit AND e{i}.event = '{steps[i]}' AND e{i}.t >= {before}"
            joined += f" AND e{i}.t < x.t0 + {window}"
        sql = f"SELECT left(x.unit, 1), count(DISTINCT x.unit) {joined} GROUP BY 1"
        counts.append(dict(duckdb.execute(sql).fetchall()))
    return {arm: tuple(count.get(arm, 0) for count in counts) for arm in sorted({unit[0] for unit in exposed})}


def analyzed(exposed: dict[str, int], rows: list[Row], metric: dict[str, Any], **keys: Any) -> Results:
    """The readout; one late event keeps every window closed."""
    arms: dict[str, Any] = {arm: {} for arm in sorted({unit[0] for unit in exposed})}
    spec = {"schema_version": 1, "name": "f", "arms": arms, "metrics": {"checkout": metric}, **keys}
    times = [(unit, iso(START + t * MINUTE), unit[0]) for unit, t in exposed.items()]
    events = [(unit, iso(START + t * MINUTE), event, amount) for unit, t, event, amount in rows]
    events.append(("nobody", iso(START + 3000 * MINUTE), "other", 0.0))
    return abcx.analyze(
        spec,
        exposures=pd.DataFrame(times, columns=["unit", "time", "arm"]),
        events=pd.DataFrame(events, columns=["unit", "time", "event", "amount"]),
    )


def steps_of(results: Results) -> dict[str, tuple[int, tuple[int, ...]]]:
    found = results["checkout"].funnel
    assert found is not None
    units = {arm.name: arm.units for arm in results["checkout"].arms}
    return {arm: (n, tuple(step.reached[arm] for step in found.steps)) for arm, n in units.items()}


@pytest.mark.parametrize(
    ("seed", "steps", "arms"), [(1, 2, 2), (2, 3, 2), (3, 4, 2), (4, 5, 3), (5, 12, 2), (6, 4, 5), (7, 3, 2)]
)
@pytest.mark.parametrize("strict", [True, False])
def test_random_logs_agree_with_a_slow_count(seed: int, steps: int, arms: int, strict: bool) -> None:
    exposed, rows = log(seed, 300, steps, arms)
    names = [f"s{i}" for i in range(steps)]
    results = analyzed(exposed, rows, funnel(names, window="2h", strict=strict))
    expected = counted(exposed, rows, names, 120, strict)
    assert steps_of(results) == expected
    if strict and steps <= 4:
        assert {arm: by_step for arm, (_, by_step) in expected.items()} == in_sql(exposed, rows, names, 120)
    assert [(arm.units, arm.successes) for arm in results["checkout"].arms] == [
        (n, by_step[-1]) for n, by_step in expected.values()
    ]


def test_the_steps_by_hand() -> None:
    """Repeated visits, a step at the same minute, before the exposure, after the window, skipped, in another order."""
    exposed = {f"a{i}": 10 for i in range(8)} | {f"b{i}": 10 for i in range(8)}
    unit_rows: dict[str, list[tuple[int, str]]] = {
        "a0": [(11, "view"), (12, "add"), (13, "buy")],  # all
        "a1": [(11, "view"), (11, "add"), (11, "buy")],  # all at the same minute: reached
        "a2": [(9, "view"), (12, "add"), (13, "buy")],  # the first step before the exposure: nothing
        "a3": [(11, "view"), (12, "add"), (200, "buy")],  # the last after the window
        "a4": [(11, "view"), (13, "buy")],  # skips a step
        "a5": [(11, "buy"), (12, "add"), (13, "view")],  # backwards
        "a6": [(11, "view"), (12, "view"), (13, "add"), (14, "view"), (15, "buy")],  # comes back
        "a7": [(11, "add"), (12, "view"), (13, "add"), (14, "buy")],  # a stray step first
    }
    rows = [(unit, t, event, 1.0) for unit, some in unit_rows.items() for t, event in some]
    rows += [(f"b{unit[1]}", t, event, 1.0) for unit, t, event, _ in rows]
    metric = funnel(["view", "add", "buy"], window="1h")
    assert steps_of(analyzed(exposed, rows, metric))["a"] == (8, (7, 5, 4))
    loose = steps_of(analyzed(exposed, rows, {**metric, "strict": False}))["a"]
    assert loose == (8, (7, 6, 5)), "a5 has done all three"


def test_conditions_of_steps() -> None:
    exposed = {"a0": 0, "a1": 0, "b0": 0, "b1": 0}
    rows = [(unit, 1, "view", 0.0) for unit in exposed] + [("a0", 2, "buy", 2.0), ("a1", 2, "buy", 1.0)]
    rows += [("b0", 2, "buy", 1.0), ("b1", 2, "buy", 1.0)]
    steps = [{"event": "view"}, {"event": "buy", "where": {"amount": {"min": 2}}, "title": "Large order"}]
    results = analyzed(exposed, rows, {**funnel([]), "steps": steps, "window": "1h"})
    assert steps_of(results) == {"a": (2, (2, 1)), "b": (2, (2, 0))}
    assert results["checkout"].funnel is not None and results["checkout"].funnel.steps[1].name == "Large order"


COUNTS: dict[str, Any] = {
    "control": {"units": 10_000, "checkout": {"steps": [9000, 4100, 2300, 1200]}},
    "variant": {"units": 10_000, "checkout": {"steps": [9010, 4700, 2320, 1190]}},
}
CHECKOUT = funnel(["cart", "address", "payment", "purchase"])


def test_counts_are_judged_as_the_conversion_of_the_last_step() -> None:
    results = conclude(COUNTS, {"checkout": CHECKOUT})
    last = {arm: {"units": 10_000, "checkout": n} for arm, n in (("control", 1200), ("variant", 1190))}
    alone = conclude(last, {"checkout": {"type": "conversion", "role": "primary", "goal": "increase"}})
    one, other = results["checkout"].comparisons[0], alone["checkout"].comparisons[0]
    assert (one.p_value, one.lift_interval, one.difference_interval) == (
        other.p_value,
        other.lift_interval,
        other.difference_interval,
    )


def test_where_units_are_lost_is_corrected_for_looking_at_all_steps() -> None:
    """Lost at the steps, of 10,000: 1000 and 990, 4900 and 4310, 1800 and 2380, 1100 and 1130. p by the score test
    with its factor n / (n - 1) (Miettinen and Nurminen 1985), by Holm over four steps."""
    found = conclude(COUNTS, {"checkout": CHECKOUT})["checkout"].funnel
    assert found is not None and found.largest == {"variant": "address"}
    lost = [(1000, 990), (4900, 4310), (1800, 2380), (1100, 1130)]
    p_values = []
    for a, b in lost:
        pooled = (a + b) / 20_000
        z = (b - a) / 10_000 / (pooled * (1 - pooled) * 2 / 10_000 * 20_000 / 19_999) ** 0.5
        p_values.append(2 * scipy.stats.norm.sf(abs(z)))
    corrected, largest = {}, 0.0
    for rank, i in enumerate(sorted(range(4), key=lambda i: p_values[i])):
        largest = max(largest, min(1.0, (4 - rank) * p_values[i]))
        corrected[i] = largest
    for i, step in enumerate(found.steps):
        comparison = step.comparisons["variant"]
        assert comparison.difference == pytest.approx((lost[i][1] - lost[i][0]) / 10_000)
        assert comparison.p_value == pytest.approx(corrected[i], rel=1e-6)
    assert sum(step.comparisons["variant"].difference or 0 for step in found.steps) == pytest.approx(0.001)


def test_no_step_stands_out_where_the_arms_are_alike() -> None:
    alike = dict.fromkeys(("control", "variant"), COUNTS["control"])
    text = terminal.render(conclude(alike, {"checkout": CHECKOUT}))
    assert "No step stands out" in text and "corrected for 4 steps" in " ".join(text.split())


@pytest.mark.parametrize(
    ("steps", "cure"),
    [([9000, 4100], "one number for each of the 4 steps"), ([9000, 4100, 4200, 1200], "than the step before it")],
)
def test_counts_that_are_no_funnel_are_refused(steps: list[int], cure: str) -> None:
    arms = {arm: {"units": 10_000, "checkout": {"steps": steps}} for arm in ("control", "variant")}
    with pytest.raises(AbcxError) as error:
        conclude(arms, {"checkout": CHECKOUT})
    assert cure in str(error.value)


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([{"event": "a"}, {"event": "a"}], "funnel-steps"),
        ([{"event": "a"}, {"event": "b", "title": "a"}], "funnel-steps"),
        ([{"event": "a"}], "from 2 to 30"),
    ],
)
def test_steps_that_are_none_are_refused(steps: list[dict[str, str]], code: str) -> None:
    spec = {"schema_version": 1, "name": "f", "arms": {"a": {}, "b": {}}, "data": {"events": "e.csv"}}
    with pytest.raises(AbcxError) as error:
        load_spec({**spec, "metrics": {"checkout": {**CHECKOUT, "steps": steps}}})
    assert code in str(error.value)


def test_a_file_of_counts(tmp_path: Path) -> None:
    lines = ["arm,units,checkout_1,checkout_2,checkout_3,checkout_4"]
    for arm, row in COUNTS.items():
        lines.append(",".join(map(str, (arm, row["units"], *row["checkout"]["steps"]))))
    (tmp_path / "c.csv").write_text("\n".join(lines))
    spec = tmp_path / "experiment.yaml"
    spec.write_text(
        "schema_version: 1\nname: f\narms: {control: {}, variant: {}}\ndata: {counts: {file: c.csv}}\nmetrics:\n"
        "  checkout: {type: funnel, role: primary, goal: increase,\n"
        "    steps: [{event: cart}, {event: address}, {event: payment}, {event: purchase}]}\n"
    )
    assert abcx.analyze(spec)["checkout"].funnel == conclude(COUNTS, {"checkout": CHECKOUT})["checkout"].funnel


def test_an_empty_step_is_named() -> None:
    exposed = {f"{arm}{i}": 0 for arm in "ab" for i in range(100)}
    events = ("view", "add", "buy")
    rows = [(unit, 1, event, 1.0) for unit in exposed for event in events if (unit[0], event) != ("b", "add")]
    one_sided = check(analyzed(exposed, rows, funnel(["view", "add", "buy"], window="1h")), "one_sided")
    assert one_sided.status == "fail" and "its step 2" in one_sided.message
    missing = check(analyzed(exposed, rows, funnel(["view", "ad", "buy"], window="1h")), "metric_missing")
    assert missing.status == "fail" and "'ad'" in missing.message


@pytest.mark.parametrize(
    "keys",
    [
        {"analysis": {"covariates": {"pre_period": "1h"}}},
        {
            "analysis": {"monitoring": {"looks": 4, "spending": "obrien_fleming"}},
            "plan": {"baseline": {"checkout": {"share": 0.5}}},
            "period": {"start": "2024-03-04", "end": "2024-03-10"},
        },
    ],
)
def test_covariates_monitoring_and_sizes_are_those_of_a_conversion(keys: dict[str, Any]) -> None:
    """Every unit views at its exposure, so that the funnel is the conversion of its second step, in all comparisons."""
    exposed, rows = log(11, 800, 3, 2)
    rows += [(unit, t, "view", 1.0) for unit, t in exposed.items()]
    rows += [(unit, t - 30, "view", 1.0) for unit, t in exposed.items()]
    keys = {"window": "2h", **keys}
    shared = {"role": "primary", "goal": "increase", "minimum_effect": "10%"}
    conversion = {"type": "conversion", "event": "s1", **shared}
    one, other = (
        analyzed(exposed, rows, metric, **keys) for metric in ({**funnel(["view", "s1"]), **shared}, conversion)
    )
    assert one.setup.planned_units == other.setup.planned_units and one.monitoring == other.monitoring
    assert one["checkout"].comparisons == other["checkout"].comparisons
    assert one.verdict.verdict == other.verdict.verdict
    assert [row.lift for row in one.sensitivity] == [row.lift for row in other.sensitivity]


def test_every_report_has_the_funnel() -> None:
    results = conclude(COUNTS, {"checkout": CHECKOUT})
    text, page = terminal.render(results), markdown.render(results)
    assert "arms differ most at address" in " ".join(text.split()) and "<summary>Funnels</summary>" in page
    assert "step by step" in text and page.count("| address |") == 2
    assert terminal.render(results, ascii=True).isascii()
    assert results.to_dict()["metrics"][0]["funnel"]["steps"][3]["reached"] == {"control": 1200, "variant": 1190}


def test_a_log_as_analytics_exports_it(tmp_path: Path) -> None:
    """GA4's events in BigQuery as CSV: microseconds since 1970, names of events, parameters as columns."""
    lines = ["event_date,event_timestamp,event_name,user_pseudo_id,variant,ecommerce_purchase_revenue"]
    start = micro("2024-03-04T10:00:00Z")
    names = ("session_start", "view_item", "add_to_cart", "begin_checkout", "purchase")
    expected = {"control": [0, 0, 0], "variant": [0, 0, 0]}
    for i in range(600):
        arm, far = ("control", "variant")[i % 2], (i * 7) % 6
        for number, name in enumerate(names[: far + 1]):
            revenue = "19.9" if name == "purchase" else ""
            time = start + i * MINUTE + number * 1_000_000
            lines.append(f"20240304,{time},{name},{i}.{i + 9},{arm},{revenue}")
        for number in range(3):
            expected[arm][number] += far >= number + 2
    (tmp_path / "ga4.csv").write_text("\n".join(lines))
    spec = tmp_path / "experiment.yaml"
    spec.write_text(
        "schema_version: 1\nname: f\narms: {control: {}, variant: {}}\nexposure: {event: session_start}\n"
        "data:\n  events: {file: ga4.csv, columns: {unit: user_pseudo_id, time: event_timestamp, event: event_name,"
        " arm: variant}}\n"
        "metrics:\n  checkout: {type: funnel, role: primary, goal: increase,\n"
        "    steps: [{event: add_to_cart}, {event: begin_checkout}, {event: purchase}]}\n"
    )
    found = abcx.analyze(spec)["checkout"].funnel
    assert found is not None
    assert {arm: [step.reached[arm] for step in found.steps] for arm in expected} == expected


TIMES = """user_id,variant,entered,viewed_at,added_at,paid_at
a1,a,2024-03-04T10:00:00Z,2024-03-04T10:05:00Z,2024-03-04T10:06:00Z,2024-03-04T10:07:00Z
a2,a,2024-03-04T10:00:00Z,2024-03-04T10:05:00Z,2024-03-04T10:04:00Z,2024-03-04T10:07:00Z
a3,a,2024-03-04T10:00:00Z,2024-03-04T10:05:00Z,,
a4,a,2024-03-04T10:00:00Z,2024-03-04T09:05:00Z,2024-03-04T10:06:00Z,2024-03-04T10:07:00Z
b1,b,2024-03-04T10:00:00Z,2024-03-04T10:05:00Z,2024-03-04T10:05:00Z,2024-03-04T10:05:00Z
b2,b,2024-03-04T10:00:00Z,2024-03-04T10:05:00Z,2024-03-04T10:06:00Z,2024-03-09T10:07:00Z
b3,b,2024-03-04T10:00:00Z,,,
"""


@pytest.mark.parametrize("with_times", [True, False])
@pytest.mark.parametrize("as_frame", [True, False])
def test_columns_of_times_of_units(tmp_path: Path, with_times: bool, as_frame: bool) -> None:
    """By hand: a2 adds before it views, a4 views before it enters, b1 does all at once, b2 pays after the window. Where
    the units have no time of entry, nothing is before it and no window ends."""
    steps = [{"column": name} for name in ("viewed_at", "added_at", "paid_at")]
    columns = {"unit": "user_id", "arm": "variant", **({"time": "entered"} if with_times else {})}
    metric = {**funnel([]), "steps": steps, **({"window": "1d"} if with_times else {})}
    spec = {"schema_version": 1, "name": "f", "arms": {"a": {}, "b": {}}, "metrics": {"checkout": metric}}
    spec["data"] = {"units": {"file": str(tmp_path / "u.csv"), "columns": columns}}
    (tmp_path / "u.csv").write_text(TIMES)
    frame = pd.read_csv(tmp_path / "u.csv") if as_frame else None
    results = abcx.analyze(spec, allow_outside=True, units=frame)
    expected = {"a": (4, (3, 1, 1)), "b": (3, (2, 2, 1))}
    if not with_times:
        expected = {"a": (4, (4, 2, 2)), "b": (3, (2, 2, 2))}
    assert steps_of(results) == expected


def test_a_column_of_times_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "u.csv").write_text(TIMES)
    metric = {**funnel([]), "steps": [{"column": "viewed_at"}, {"column": "pay_at"}]}
    spec = {"schema_version": 1, "name": "f", "arms": {"a": {}, "b": {}}, "metrics": {"checkout": metric}}
    columns = {"unit": "user_id", "arm": "variant"}
    with pytest.raises(AbcxError) as error:
        abcx.analyze(
            {**spec, "data": {"units": {"file": str(tmp_path / "u.csv"), "columns": columns}}}, allow_outside=True
        )
    assert "pay_at" in str(error.value) and "paid_at" in str(error.value)


def test_columns_of_times_are_packed_with_their_units(tmp_path: Path) -> None:
    (tmp_path / "u.csv").write_text(TIMES)
    spec = tmp_path / "experiment.yaml"
    spec.write_text(
        "schema_version: 1\nname: f\narms: {a: {}, b: {}}\n"
        "data:\n  units: {file: u.csv, columns: {unit: user_id, arm: variant, time: entered}}\nmetrics:\n"
        "  checkout: {type: funnel, role: primary, goal: increase, window: 1d,\n"
        "    steps: [{column: viewed_at}, {column: added_at}, {column: paid_at}]}\n"
    )
    command = [sys.executable, "-m", "abcx"]
    packed = subprocess.run([*command, "pack", "-q", str(spec)], capture_output=True, text=True, check=False)
    assert packed.returncode == 0, packed.stderr
    assert abcx.analyze(tmp_path / "packed" / "experiment.yaml")["checkout"] == abcx.analyze(spec)["checkout"]
    sql = subprocess.run([*command, "sql", str(spec)], capture_output=True, text=True, check=True).stdout
    assert "viewed_at" in sql
