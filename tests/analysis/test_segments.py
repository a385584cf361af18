"""Effects by segment through the whole tool: the interaction test, reversals, small cells, refusals, corrections."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.meta_analysis import combine_effects
from statsmodels.stats.multitest import multipletests

import abcx
from abcx.errors import DataError
from abcx.problems import render_all
from abcx.report import markdown, terminal
from abcx.report.json import render as to_json
from abcx.stats import interaction
from abcx.stats import shares as share_tests
from abcx.stats.records import Proportion

pytestmark = pytest.mark.slow


def spec(metric: dict[str, Any], *segments: str, arms: tuple[str, ...] = ("control", "variant"), **rest: Any) -> Any:
    return {
        "schema_version": 1,
        "name": "segments",
        "arms": {arm: {} for arm in arms},
        "metrics": {"m": {"role": "primary", "goal": "increase", **metric}},
        "segments": list(segments),
        **rest,
    }


def frame(n: int = 1200, seed: int = 1, arms: tuple[str, ...] = ("control", "variant")) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    arm, device = rng.choice(arms, n), rng.choice(["phone", "desk", "tablet"], n, p=[0.5, 0.4, 0.1])
    effect = np.where(arm == arms[0], 0.0, np.where(device == "phone", 2.0, -0.5))
    channel = rng.choice(["mail", "ad"], n)
    x = rng.normal(5 + effect, 4, n)
    return pd.DataFrame(
        {
            "unit": np.arange(n),
            "arm": arm,
            "device": device,
            "channel": channel,
            "x": x,
            "y": np.exp(x / 5),
            "z": (x > 6) * 1,
        }
    )


def interactions(results: abcx.Results) -> list[tuple[float, float]]:
    return [(one.p_value or 0.0, one.p_value_adjusted or 0.0) for s in results["m"].segments for one in s.interactions]


def moments(data: pd.DataFrame, column: str) -> dict[str, dict[str, tuple[float, float]]]:
    """Mean and its variance by device and arm."""
    return {
        str(device): {
            str(arm): (float(x[column].mean()), float(x[column].var(ddof=1)) / len(x)) for arm, x in some.groupby("arm")
        }
        for device, some in data.groupby("device")
    }


def test_the_interaction_of_differences_is_the_q_of_a_meta_analysis() -> None:
    data = frame().assign(x=lambda found: found.x - 20)  # negative means: there is no ratio
    some = [
        (by["variant"][0] - by["control"][0], by["variant"][1] + by["control"][1]) for by in moments(data, "x").values()
    ]
    q = combine_effects(*map(np.array, zip(*some, strict=True)), method_re="dl").test_homogeneity()
    results = abcx.analyze(spec({"type": "mean", "column": "x"}, "device"), units=data)
    assert q.pvalue < 0.01
    assert interactions(results)[0][0] == pytest.approx(q.pvalue, rel=1e-6)


def test_the_interaction_of_positive_values_is_the_q_of_log_ratios() -> None:
    data = frame(seed=2)
    some = [
        (
            np.log(by["variant"][0] / by["control"][0]),
            by["variant"][1] / by["variant"][0] ** 2 + by["control"][1] / by["control"][0] ** 2,
        )
        for by in moments(data, "y").values()
    ]
    q = combine_effects(*map(np.array, zip(*some, strict=True)), method_re="dl").test_homogeneity()
    results = abcx.analyze(spec({"type": "mean", "column": "y"}, "device"), units=data)
    assert interactions(results)[0][0] == pytest.approx(q.pvalue, rel=1e-6)


def test_the_interaction_of_answers_is_the_q_of_differences() -> None:
    """By hand: 50 v 60 points with 200 answers a side, and 50 v 40: each kind of answer told."""
    cells = {("a", "control"): (120, 60, 20), ("a", "variant"): (140, 40, 20)}
    cells |= {("b", "control"): (120, 60, 20), ("b", "variant"): (100, 80, 20)}
    rows = [
        (device, arm, answer)
        for (device, arm), counts in cells.items()
        for answer, count in zip((10, 7, 0), counts, strict=True)
        for _ in range(5 * count)
    ]
    data = pd.DataFrame(rows, columns=["device", "arm", "answer"]).assign(unit=range(len(rows)))
    results = abcx.analyze(spec({"type": "nps", "column": "answer", "scale": [0, 10]}, "device"), units=data)
    effects = [10.0, -10.0]
    variances = [1e4 * (0.45 + v) / 1000 for v in (0.80 - 0.36, 0.60 - 0.16)]
    q = combine_effects(np.array(effects), np.array(variances), method_re="dl").test_homogeneity()
    assert interactions(results)[0][0] == pytest.approx(q.pvalue, rel=0.01)


def test_interactions_are_corrected_over_segments_and_variants() -> None:
    arms = ("control", "one", "two")
    results = abcx.analyze(
        spec({"type": "mean", "column": "y"}, "device", "channel", arms=arms), units=frame(2000, 5, arms)
    )
    found = interactions(results)
    assert len(found) == 4
    expected = multipletests([p for p, _ in found], method="holm")[1]
    assert [adjusted for _, adjusted in found] == pytest.approx(list(expected), rel=1e-12)


def test_values_of_a_segment_are_compared_as_if_alone() -> None:
    data = frame()
    for metric in (
        {"type": "mean", "column": "y"},
        {"type": "conversion", "column": "z"},
        {"type": "quantile", "column": "y", "q": 0.5, "of": "units"},
    ):
        results = abcx.analyze(spec(metric, "device"), units=data)
        for value in results["m"].segments[0].values:
            level = 0.05 / 3
            alone = abcx.analyze(
                spec(metric, analysis={"alpha": level, "interval": "analytic"}), units=data[data.device == value.value]
            )
            one, other = value.comparisons[0], alone["m"].comparisons[0]
            assert one.difference == pytest.approx(other.difference, rel=1e-12)
            assert one.p_value == pytest.approx(other.p_value, rel=1e-9)
            assert one.difference_interval == pytest.approx(other.difference_interval, rel=1e-9)
            assert [arm.value for arm in value.arms] == pytest.approx([arm.value for arm in alone["m"].arms])


def shares(cells: dict[tuple[str, str], tuple[int, int]]) -> pd.DataFrame:
    """(device, arm) -> (converted, units)."""
    rows = [(d, a, int(i < hits)) for (d, a), (hits, n) in cells.items() for i in range(n)]
    return pd.DataFrame(rows, columns=["device", "arm", "z"]).assign(unit=range(len(rows)))


def test_a_simpson_reversal_is_pointed_out() -> None:
    """Kidney stones (Charig et al. 1986): better in both sizes, worse over all."""
    data = shares(
        {
            ("small", "control"): (234, 270),
            ("large", "control"): (55, 80),
            ("small", "variant"): (81, 87),
            ("large", "variant"): (192, 263),
        }
    )
    results = abcx.analyze(spec({"type": "conversion", "column": "z"}, "device"), units=data)
    assert (results["m"].comparisons[0].difference or 0) < 0
    assert all((v.comparisons[0].difference or 0) > 0 for v in results["m"].segments[0].values)
    assert results["m"].segments[0].interactions[0].simpson
    for text in (terminal.render(results), markdown.render(results)):
        assert "Simpson reversal" in text
    plain = abcx.analyze(spec({"type": "conversion", "column": "z"}, "device"), units=frame())
    assert not plain["m"].segments[0].interactions[0].simpson


def test_small_cells_are_withheld_everywhere() -> None:
    cells = {(d, a): (100, 311) for d in ("phone", "desk") for a in ("control", "variant")}
    cells |= {("rare", "control"): (7, 9), ("rare", "variant"): (6, 40)}
    cells |= {("ten", "control"): (5, 10), ("ten", "variant"): (7, 10)}
    results = abcx.analyze(spec({"type": "conversion", "column": "z"}, "device"), units=shares(cells))
    values = {value.value: value for value in results["m"].segments[0].values}
    assert values["rare"].withheld and not values["ten"].withheld
    written = json.loads(to_json(results))["metrics"][0]["segments"][0]["values"]
    rare = next(value for value in written if value["value"] == "rare")
    assert rare["comparisons"] == []
    assert all(arm[key] is None for arm in rare["arms"] for key in ("value", "interval", "successes"))
    for text in (terminal.render(results), markdown.render(results)):
        assert "ithheld" in text and "rare" in text
        assert "78%" not in text and "77.8%" not in text and "15%" not in text  # 7 of 9, 6 of 40
    assert "70%" in markdown.render(results)
    assert results["m"].segments[0].interactions[0].values == 3


def test_units_without_a_value_are_a_value_of_their_own() -> None:
    data = frame().assign(device=lambda x: x.device.where(x.index % 3 > 0, None))
    results = abcx.analyze(spec({"type": "conversion", "column": "z"}, "device"), units=data)
    empty = next(value for value in results["m"].segments[0].values if value.value == "")
    assert sum(arm.units for arm in empty.arms) == 400
    assert "(none)" in terminal.render(results)


LOG = "unit,time,event,page\nu1,2024-03-05,buy,home\n"
SEEN = "unit,time,arm,device\nu1,2024-03-04,control,phone\nu2,2024-03-04,variant,desk\n"


def test_a_column_that_is_not_known_at_exposure_is_refused(tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text(LOG)
    (tmp_path / "x.csv").write_text(SEEN)
    files: dict[str, Any] = {"events": str(tmp_path / "e.csv"), "exposures": str(tmp_path / "x.csv")}
    with pytest.raises(DataError) as error:
        abcx.analyze(spec({"type": "conversion", "event": "buy"}, "page"), **files)
    told = render_all(error.value.problems)
    assert "page" in told and "known at exposure" in told and "e.csv" in told and "units" in told
    with pytest.raises(DataError) as error:
        abcx.analyze(spec({"type": "conversion", "event": "buy"}, "devise"), **files)
    told = render_all(error.value.problems)
    assert "x.csv" in told and "did you mean device" in told


@pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
def test_the_interaction_of_shares_keeps_its_level(share: float) -> None:
    """1,000 experiments without interaction, two segments of 1,000 units an arm each: 5 % of the tests are below .05,
    within three standard errors of the simulation. Before, common conversions had 0 to 1 %."""
    rng = np.random.default_rng(5)
    counts = rng.binomial(1000, share, (1000, 2, 2))
    found = [
        interaction.of_contrasts([share_tests.contrast(*(Proportion(int(x), 1000) for x in pair)) for pair in segments])
        for segments in counts
    ]
    alarms = np.mean([p is not None and p < 0.05 for p in found])
    assert 0.05 - 3 * 0.0069 < alarms < 0.05 + 3 * 0.0069


def test_the_error_of_a_log_ratio_of_shares_is_that_of_the_delta_method() -> None:
    """Q of two segments by 1 / x - 1 / n in each arm (Katz and others 1978), as far as intervals are symmetric."""
    segments = [((500, 1000), (520, 1000)), ((300, 1000), (390, 1000))]
    logs, errors = [], []
    for (x, n), (y, m) in segments:
        logs.append(math.log(y / m / (x / n)))
        errors.append(math.sqrt(1 / x - 1 / n + 1 / y - 1 / m))
    expected = interaction.heterogeneity(logs, errors)
    found = interaction.of_contrasts([share_tests.contrast(*(Proportion(*arm) for arm in pair)) for pair in segments])
    assert found == pytest.approx(expected, rel=0.02)
