"""Mean answers and resolution times obey `analysis.interval`, and say where they are by permutation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import abcx
from abcx.results.metric import Comparison
from tests.support.notes import lift_text, note_text
from tests.support.results import conclude

NOTE = "Interval by permutation. "


def ease(control: list[int], variant: list[int]) -> Comparison:
    counts = {
        arm: {"units": sum(given), "ease": {"answers": dict(enumerate(given, 1))}}
        for arm, given in (("control", control), ("variant", variant))
    }
    metric = {"type": "ces", "role": "primary", "goal": "increase", "scale": [1, 7], "event": "survey", "value": "ease"}
    return conclude(counts, {"ease": metric})["ease"].comparisons[0]


def test_mean_answers() -> None:
    many, few = [18, 4, 6, 12, 35, 90, 195], [1, 0, 1, 1, 3, 9, 25]
    found = ease(many, few)
    assert found.method == "permutation" and note_text(found).startswith(NOTE + "The skewness")
    assert found.lift is None and lift_text(found)
    assert ease(many, many).method == "Welch"


@pytest.mark.parametrize(
    ("interval", "method"), [("auto", "permutation"), ("analytic", "Welch"), ("permutation", "permutation")]
)
def test_mean_answers_of_units(interval: str, method: str) -> None:
    answers = np.random.default_rng(1).choice([1.0, 5.0, 6.0, 7.0], 220, p=[0.06, 0.14, 0.3, 0.5])
    units = pd.DataFrame({"unit": range(220), "arm": ["control"] * 200 + ["variant"] * 20, "ease": answers})
    metric = {"type": "ces", "column": "ease", "scale": [1, 7], "role": "primary", "goal": "increase"}
    spec = {
        "schema_version": 1,
        "name": "desk",
        "arms": {"control": {}, "variant": {}},
        "metrics": {"ease": metric},
        "analysis": {"interval": interval},
    }
    found = abcx.analyze(spec, units=units)["ease"].comparisons[0]
    assert found.method == method and found.difference == pytest.approx(answers[200:].mean() - answers[:200].mean())


def tickets(units: int, small: int) -> pd.DataFrame:
    """Two tickets of each unit, lognormal hours; the first `small` units are the variant."""
    rng = np.random.default_rng(2)
    unit = np.repeat(np.arange(units), 2)
    opened = pd.Timestamp("2026-03-02", tz="UTC") + pd.to_timedelta(rng.uniform(0, 200, 2 * units), "h")
    closed = opened + pd.to_timedelta(rng.lognormal(2.5, 1.2, 2 * units), "h")
    arm = np.where(unit < small, "variant", "control")
    both = [
        pd.DataFrame({"unit": unit, "arm": arm, "time": time, "event": event, "ticket": range(2 * units)})
        for event, time in (("opened", opened), ("solved", closed))
    ]
    frame = pd.concat(both, ignore_index=True)
    return frame[frame["time"] < pd.Timestamp("2026-03-14", tz="UTC")]


@pytest.mark.parametrize(
    ("small", "interval", "method"),
    [(20, "auto", "permutation"), (12, "analytic", "RMST"), (60, "auto", "RMST"), (60, "permutation", "permutation")],
)
@pytest.mark.slow
def test_resolution_times(small: int, interval: str, method: str) -> None:
    metric = {"type": "resolution_time", "start": "opened", "end": "solved", "key": "ticket", "horizon": "72h"}
    spec = {
        "schema_version": 1,
        "name": "desk",
        "arms": {"control": {}, "variant": {}},
        "metrics": {"time_to_solve": {**metric, "role": "primary", "goal": "decrease"}},
        "analysis": {"interval": interval},
    }
    found = abcx.analyze(spec, events=tickets(120, small))["time_to_solve"].comparisons[0]
    assert found.method == method
    assert note_text(found).startswith(NOTE) == (method == "permutation")
    assert found.lift_interval is not None and found.p_value is not None
    assert (found.p_value < 0.05) == ((found.lift_interval[0] or -1.0) > 0 or (found.lift_interval[1] or 1.0) < 0)
