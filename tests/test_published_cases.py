"""The published numbers kept beside the project, through the API and the command; skipped where they are not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import abcx
from abcx.results.readout import CheckResult, Results
from abcx.stats import power, shares
from abcx.stats.inversion import effect
from abcx.stats.records import Proportion

FILE = Path(__file__).parents[2] / "shared" / "cases" / "published.yaml"
CASES: dict[str, dict[str, Any]] = (
    {case["name"]: case for case in yaml.safe_load(FILE.read_text(encoding="utf-8"))} if FILE.is_file() else {}
)

pytestmark = pytest.mark.skipif(not CASES, reason="the published cases are not beside the project")


def analyzed(case: dict[str, Any]) -> Results:
    """The counts of a case as a spec with typed counts."""
    counts = {arm: {"units": n, "events": x} for arm, (x, n) in case["counts"].items()}
    return abcx.analyze(
        {
            "schema_version": 1,
            "name": "published",
            "arms": {arm: {"share": case["share"][arm]} if "share" in case else {} for arm in counts},
            "data": {"counts": counts},
            "metrics": {"events": {"type": "conversion", "role": "primary", "goal": "increase"}},
        }
    )


def srm(results: Results) -> CheckResult:
    return next(check for check in results.checks if check.code == "srm")


@pytest.mark.parametrize("name", ["cookie_cats_day7", "cookie_cats_day1", "landing_page_cleaned"])
def test_p_values(name: str) -> None:
    case = CASES[name]
    results, expected = analyzed(case), case["expect"]
    comparison = results["events"].comparisons[0]
    assert comparison.p_value == pytest.approx(expected["p_value"], rel=0.005)
    if "difference" in expected:
        assert comparison.difference == pytest.approx(expected["difference"], abs=5e-5)
    if "srm_p" in expected:
        assert srm(results).p_value == pytest.approx(expected["srm_p"], abs=5e-5)


def test_the_split_of_kohavi() -> None:
    units = CASES["kohavi_srm"]["units"]
    results = analyzed({"counts": {arm: (1000, n) for arm, n in units.items()}})
    assert srm(results).p_value == pytest.approx(CASES["kohavi_srm"]["expect"]["srm_p"], rel=0.05)
    assert results.verdict.verdict == "INVALID"


def test_p_and_interval_agree_where_others_contradict_themselves() -> None:
    comparison = analyzed(CASES["p_and_interval_disagree"])["events"].comparisons[0]
    low, high = comparison.difference_interval or (None, None)
    assert low is not None and high is not None and comparison.p_value is not None
    assert (comparison.p_value < 0.05) == (low > 0)


def test_nothing_in_control() -> None:
    case = CASES["nothing_in_control"]
    comparison = analyzed(case)["events"].comparisons[0]
    assert comparison.method == "binomial score" and comparison.lift is None
    assert comparison.p_value is not None and 0.1 < comparison.p_value / float(case["expect"]["fisher_p"]) < 10


def test_newcombe_by_miettinen_and_nurminen() -> None:
    case = CASES["newcombe_1998_a"]
    found = analyzed(case)["events"].comparisons[0].difference_interval
    assert found == pytest.approx(case["expect"]["miettinen_nurminen_difference_interval"], abs=5e-5)


def test_koopman_with_a_share_of_one() -> None:
    """The published end is that of the score statistic; with 26 non-events the readout is exact and lies near it."""
    case = CASES["koopman_share_of_one"]
    (x0, n0), (x1, n1) = case["counts"]["control"], case["counts"]["variant"]
    found = effect(shares.contrast(Proportion(x0, n0), Proportion(x1, n1)), 0.05).lift_interval
    assert found is not None and found[0] is not None
    assert 1 + found[0] == pytest.approx(case["expect"]["koopman_ratio_lower"], abs=0.02)


def test_the_size_of_a_popular_calculator() -> None:
    size = CASES["evan_miller_size"]["size"]
    assert power.size_shares(size["baseline"], size["minimum_effect"], 0.05, size["power"]) == size["per_arm"]
    weaker = power.power_shares(size["baseline"], size["minimum_effect"], 1030, 1030, 0.05)
    assert weaker == pytest.approx(0.777, abs=2e-3)  # the calculator's 1,030 per arm
