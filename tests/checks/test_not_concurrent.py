"""Arms that did not run at the same time: before and after, alternating days; never honest ramps and small tests."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from abcx.checks import not_concurrent
from tests.support.contexts import arms, context, daily, experiment

BEFORE_AFTER = [(100, 0)] * 7 + [(0, 100)] * 7
ALTERNATING = [(100, 0), (0, 100)] * 7
SMALL = [(3, 0)] * 20 + [(0, 3)] * 20


@pytest.mark.parametrize("days", [BEFORE_AFTER, ALTERNATING, SMALL, [(50, 50)] * 3 + [(100, 0)] * 5 + [(0, 100)] * 5])
def test_days_of_one_arm_alone_fail(days: list[tuple[int, int]]) -> None:
    found = not_concurrent.check(context(daily=daily("2024-03-04", *days)))
    assert (found.status, found.arms) == ("fail", ("variant",))
    alone = sum(sum(day) for day in days if 0 in day) / sum(map(sum, days))
    assert found.details["share_alone"] == {"variant": pytest.approx(alone)}
    assert found.message.startswith(f"{alone:.0%} of the visitors of control and variant came on days when only one")


@pytest.mark.parametrize(
    "days",
    [
        [(100, 100)] * 14,
        [(200, 0)] + [(100, 100)] * 14,  # the control was logged earlier
        [(99, 1), (98, 2), (95, 5), (90, 10)] + [(50, 50)] * 10,  # a ramp
        [(1, 0), (0, 1), (0, 2), (1, 0)] * 10,  # chance, where few come
        [],
    ],
)
def test_honest_days_pass(days: list[tuple[int, int]]) -> None:
    found = not_concurrent.check(context(daily=daily("2024-03-04", *days)))
    assert found.status == ("pass" if days else "skipped")


@pytest.mark.parametrize("days", [[(200, 0)] * 4 + [(100, 100)] * 14, [(200, 0)] * 7 + [(100, 100)] * 7])
def test_a_variant_that_started_later_is_warned_of(days: list[tuple[int, int]]) -> None:
    found = not_concurrent.check(context(daily=daily("2024-03-04", *days)))
    alone = sum(sum(day) for day in days if 0 in day) / sum(map(sum, days))
    assert (found.status, found.arms) == ("warn", ()) and f"{alone:.0%} of the" in found.message
    first = f"2024-03-{4 + sum(0 in day for day in days):02d}"
    assert "same days" not in found.message and f"`period: {{start: {first}}}`" in (found.help or "")


def test_a_day_of_the_control_alone_is_said() -> None:
    found = not_concurrent.check(context(daily=daily("2024-03-04", (200, 0), *[(100, 100)] * 14)))
    assert found.status == "pass" and "6.7% of the" in found.message


@pytest.mark.slow
def test_random_tests_of_any_size_pass() -> None:
    """1,000 tests of 30 days with 1 to 200 units a day, at splits from 50:50 to 95:5: none fails, at most 5 warn."""
    rng, statuses = np.random.default_rng(1), Counter[str]()
    for _ in range(1000):
        share = rng.choice([0.5, 0.5, 0.8, 0.95])
        variants = rng.binomial(sizes := rng.poisson(rng.choice([1, 5, 20, 200]), 30), 1 - share)
        days = [(int(n - v), int(v)) for n, v in zip(sizes, variants, strict=True)]
        spec = experiment(arms=arms(float(share), float(1 - share)))
        statuses[not_concurrent.check(context(spec=spec, daily=daily("2024-03-04", *days))).status] += 1
    assert not statuses["fail"] and statuses["warn"] <= 5


def test_one_of_two_variants_ran_later() -> None:
    spec = experiment(arms={"control": {}, "variant": {}, "third": {}})
    days = [(100, 100, 0)] * 7 + [(0, 0, 100)] * 7
    found = not_concurrent.check(context((700, 700, 700), spec, daily=daily("2024-03-04", *days)))
    assert (found.status, found.arms) == ("fail", ("third",))
