"""benchmarks/calibration/verdicts: its shortcuts lead to the verdicts of the long way round; the page keeps it."""

from __future__ import annotations

import datetime

import numpy as np
import pandas as pd
import pytest

import abcx
from benchmarks.calibration import cx
from benchmarks.calibration.verdicts import __main__ as command
from benchmarks.calibration.verdicts import files, looks, real, shares, surveys, table
from benchmarks.calibration.verdicts.real import Found
from benchmarks.calibration.verdicts.table import Row

pytestmark = pytest.mark.slow


def rng(seed: int = 7) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("kind", ["null", "guardrails", "margin"])
def test_runs_that_are_screened_out_have_no_wrong_verdict(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All runs through the verdict give what those near a critical value give."""
    screened = getattr(shares, kind)(300, rng())
    monkeypatch.setattr(shares, "NEAR", 99.0)
    whole = getattr(shares, kind)(300, rng())
    assert screened.called < whole.called == 300
    assert (screened.ship, screened.harm) == (whole.ship, whole.harm)
    assert whole.ship > 0


def test_looks_that_are_screened_out_have_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = {"looks": 4, "spending": "pocock"}
    screened = looks.daily(15, rng(), {}), looks.sequential(100, rng(), 4, rule)
    monkeypatch.setattr(looks, "CLOSE", 99.0)
    whole = looks.daily(15, rng(), {}), looks.sequential(100, rng(), 4, rule)
    for one, other in zip(screened, whole, strict=True):
        assert (one.ship, one.harm) == (other.ship, other.harm) and one.ship + one.harm > 0
        assert one.called < other.called


def test_daily_reading_of_an_undeclared_test_is_as_wrong_as_published() -> None:
    """Armitage, McPherson, Rowe (1969, table 2): 24.8 % after 20 looks at 5 %, 26.6 % after 25, 28.0 % after 30."""
    found = looks.daily(1_000, rng(), {})
    assert (found.ship + found.harm) / found.runs == pytest.approx(0.274, abs=3 * 0.0141)


@pytest.mark.parametrize(("early", "late", "ships"), [(6, 1, True), (2, 9, False)])
def test_past_the_planned_end_the_counts_of_the_planned_day_give_the_verdict_of_the_files(
    early: int, late: int, ships: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 10 units an arm and day 2 order in the control, `early` or `late` in the variant up to day 28 and later."""
    monkeypatch.setattr(looks, "UNITS", 280)
    until, per_day = 42, 10
    steps = [(2, early if day < looks.DAYS else late) for day in range(until)]
    path = tuple(np.cumsum(steps, axis=0).tolist())
    loaded = real.spec({"orders": real.conversion("orders")}, plan=looks.plan())
    course = looks.Course(loaded, tuple(per_day * day for day in range(1, until + 1)), daily=True)
    exposed, ordered = [], []
    for day, counts in enumerate(steps):
        at = datetime.datetime.combine(looks.START, datetime.time(9), datetime.UTC) + datetime.timedelta(days=day)
        for arm, count in zip(looks.ARMS, counts, strict=True):
            units = [f"{arm}-{day}-{i}" for i in range(per_day)]
            exposed += [(unit, arm, at) for unit in units]
            ordered += [(unit, "orders", at + datetime.timedelta(hours=1)) for unit in units[:count]]
    asked = {
        "schema_version": 1,
        "name": "simulated",
        "arms": {"control": {}, "variant": {}},
        "metrics": {"orders": real.conversion("orders")},
        "plan": looks.plan(),
        "analysis": {"as_of": (looks.START + datetime.timedelta(days=until)).isoformat()},
    }
    results = abcx.analyze(
        asked,
        exposures=pd.DataFrame(exposed, columns=["unit", "arm", "time"]),
        events=pd.DataFrame(ordered, columns=["unit", "event", "time"]),
    )
    assert results.replay is not None
    assert real.told(results.verdicts) == looks.verdict(course, until - 1, path) == (ships, False)


def test_buying_sooner_gains_and_loses_nothing() -> None:
    drawn = [files.frames(np.random.default_rng(i), 28.0, 7, sooner=True) for i in range(10)]
    exposures, orders = (pd.concat(part) for part in zip(*(map(_numbered, range(10), drawn)), strict=True))
    joined = exposures.merge(orders, on="unit", how="left", suffixes=("", "_ordered"))
    days = (joined["time_ordered"] - joined["time"]) / pd.Timedelta(days=1)
    assert 0 <= days.min() and days.max() <= 7
    by_arm = days.groupby(joined["arm"])
    assert (by_arm.count() / by_arm.size()).to_dict() == pytest.approx({"control": 0.3, "variant": 0.3}, abs=0.01)
    assert by_arm.mean().to_dict() == pytest.approx({"control": 7 / 3, "variant": 1.0}, rel=0.04)


def _numbered(i: int, pair: tuple[pd.DataFrame, pd.DataFrame]) -> list[pd.DataFrame]:
    return [frame.assign(unit=frame["unit"] + f"-{i}") for frame in pair]


def test_only_those_who_answer_differ_in_surveys() -> None:
    plain, moderate, extreme = (surveys.Arm(30.0, kind).shares() for kind in ("none", "moderate", "extreme"))
    assert plain.sum() == moderate.sum() == extreme.sum() == pytest.approx(1.0)
    assert (1 - plain[3], 1 - moderate[3], 1 - extreme[3]) == pytest.approx((0.2, 0.208, 0.208))
    added = (moderate - plain)[:3]
    assert 100 * (added[2] - added[0]) / 0.008 == pytest.approx(-10.0)
    assert (extreme - plain)[:3] == pytest.approx([0.008, 0.0, 0.0])
    promoters, _, detractors = cx.kinds(30.0)
    error = np.sqrt((promoters + detractors - 0.09) * 2 / 2_000) * 100
    assert surveys.margin(10_000) == pytest.approx((1.959964 + 1.281552) * error, abs=0.05)


def test_a_promise_is_kept_up_to_two_standard_errors() -> None:
    row = Row("", shares.null, 1, 1)
    assert table.word(row, Found(40_000, 1_103, 900, 1)) == "kept"  # .026 + 2 sqrt(.026 .974 / 40,000) = .02759
    assert table.word(row, Found(40_000, 1_104, 900, 1)) == "broken"
    assert table.word(row, Found(40_000, 900, 1_104, 1)) == "broken"
    assert table.word(Row("", shares.null, 1, 1, harm=None), Found(100, 0, 90, 1)) == "kept"
    assert table.word(Row("", shares.null, 1, 1, promise=table.NOT), Found(100, 90, 0, 1)) == "not promised"


def test_the_command_prints_its_rows_and_repeats_itself(capsys: pytest.CaptureFixture[str]) -> None:
    run = ["--runs", "4", "--row", "nothing works, one primary", "--row", "sooner, exposures with times"]
    printed = []
    for _ in range(2):
        command.main(run)
        printed.append([line for line in capsys.readouterr().out.splitlines() if line.startswith("| ")])
    assert printed[0] == printed[1] and len([line for line in printed[0] if "window of" in line]) == 3
    assert any(line.startswith("| nothing works, one primary |") for line in printed[0])
    with pytest.raises(SystemExit):
        command.main(["--row", "one", "--write"])


def test_names_of_rows_are_their_seeds() -> None:
    names = [row.name for row in table.rows()]
    assert len(set(names)) == len(names)
    assert all(row.quick <= row.runs for row in table.rows())
