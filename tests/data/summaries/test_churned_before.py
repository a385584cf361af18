"""Units that were lost before their exposure cannot be lost after it: counted by arm, and left out of churn."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

import abcx
from abcx.results.readout import Results
from tests.support.logs import DAY, iso, look, micro, spec, to_csv
from tests.support.notes import note_text
from tests.support.results import check, codes

START = micro("2024-05-06T00:00:00+00:00")
CHURN: dict[str, Any] = {
    "type": "churn",
    "event": "cancel",
    "horizon": "10d",
    "role": "primary",
    "goal": "decrease",
    "minimum_effect": "5%",
}
VISITS = {"type": "mean", "event": "visit", "role": "secondary", "goal": "increase"}


def files(seed: int, n: int = 300, early: float = 0.2) -> tuple[dict[str, str], dict[str, tuple[int, int]]]:
    """Exposures on 14 days and cancellations around them; by arm the units that cancel before and at all after it."""
    rng = random.Random(seed)
    exposures, events = [], []
    counts = {"a": (0, 0), "b": (0, 0)}
    for i in range(n):
        arm, exposed = "ab"[i % 2], START + rng.randrange(14 * DAY)
        exposures.append([f"u{i}", iso(exposed), arm])
        events.append([f"u{i}", iso(exposed + DAY), "visit"])
        before, after = rng.random() < early, rng.random() < 0.3
        events += [[f"u{i}", iso(exposed - rng.randrange(1, 5 * DAY)), "cancel"]] if before else []
        events += [[f"u{i}", iso(exposed + rng.randrange(10 * DAY)), "cancel"]] if after else []
        gone, lost = counts[arm]
        counts[arm] = (gone + before, lost + (after and not before))
    events.append(["nobody", iso(START + 40 * DAY), "visit"])
    found = {
        "x.csv": to_csv(["unit", "time", "arm"], exposures),
        "e.csv": to_csv(["unit", "time", "event"], events),
    }
    return found, counts


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.slow
def test_they_are_an_exclusion_of_the_metric(tmp_path: Path, seed: int) -> None:
    written, counts = files(seed)
    metrics = {"churn": CHURN, "visits": VISITS}
    found = look(tmp_path, written, spec({"exposures": "x.csv", "events": "e.csv"}, metrics))
    (left_out,) = (one for one in found.observed.exclusions if one.reason == "churned_before")
    assert left_out.by_arm == {arm: gone for arm, (gone, _) in counts.items()}
    assert "'cancel'" in left_out.message and "churn" in left_out.message
    for arm, (gone, lost) in counts.items():
        life = found["churn"][arm]
        assert (life.units, int(life.observed.sum())) == (150 - gone, lost)
        assert found.observed.units[arm] == 150  # they stay in the experiment, and in the other metrics
        assert found["visits"][arm].n == 150


def test_nobody_lost_before_is_no_exclusion(tmp_path: Path) -> None:
    written, _ = files(3, early=0.0)
    found = look(tmp_path, written, spec({"exposures": "x.csv", "events": "e.csv"}, {"churn": CHURN}))
    assert "churned_before" not in {one.reason for one in found.observed.exclusions}


def analyzed(folder: Path, **keys: Any) -> Results:
    written, _ = files(4, early=0.0)
    for name, text in written.items():
        (folder / name).write_text(text)
    data = {"exposures": str(folder / "x.csv"), "events": str(folder / "e.csv")}
    return abcx.analyze(spec(data, {"churn": {**CHURN, **keys}}), allow_outside=True)


def test_a_horizon_that_nobody_was_watched_up_to_waits_and_is_no_missing_tracking(tmp_path: Path) -> None:
    """The data end 40 days after the start; with a horizon of 90 days the last one ends 104 days after it."""
    results = analyzed(tmp_path, horizon="90d")
    assert results.verdict.verdict == "KEEP RUNNING" and "follow_up_incomplete" in codes(results)
    assert results.verdict.end == "2024-08-17"
    assert check(results, "metric_missing").status == "pass"
    assert [arm.not_followed for arm in results["churn"].arms] == [150, 150]
    assert "largest usable horizon" in note_text(results["churn"].comparisons[0])
    assert check(analyzed(tmp_path), "metric_missing").status == "pass"
