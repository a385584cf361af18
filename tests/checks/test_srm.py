"""The split against scipy.stats.chisquare and published cases."""

import numpy as np
import pytest
from scipy import stats

from abcx.checks.srm import check
from tests.support.contexts import arms, context, daily, experiment

COOKIE_CATS = (44700, 45489)
KOHAVI = (821588, 815482)


def test_cookie_cats_warns_and_names_the_arm():
    found = check(context(COOKIE_CATS))
    assert found.status == "warn"
    assert found.message == (
        "45,489 visitors are in variant where 45,095 were expected: chance seldom does that. "
        "Visitors may be lost or counted twice in one arm, which would distort every result."
    )
    assert found.p_value == pytest.approx(stats.chisquare(COOKIE_CATS).pvalue, rel=1e-9)
    assert found.help is not None and "declare `share`" in found.help


def test_kohavi_fails():
    found = check(context(KOHAVI, experiment(arms=arms(0.5, 0.5))))
    assert found.status == "fail"
    assert found.p_value == pytest.approx(1.8e-6, rel=0.03)
    assert "are in variant where 818,535 were expected: chance does not explain that." in found.message
    assert "the arms cannot be compared" in found.message
    assert found.help is not None and "share" not in found.help


@pytest.mark.parametrize(
    ("units", "planned", "status"),
    [
        ((2400, 600), (0.8, 0.2), "pass"),
        ((2400, 600), (0.5, 0.5), "fail"),
        ((2340, 660), (0.8, 0.2), "warn"),
        ((1000, 1003, 998), (1 / 3, 1 / 3, 1 / 3), "pass"),
        ((1000, 1000, 800), (1 / 3, 1 / 3, 1 / 3), "fail"),
        ((5005, 2490, 2505), (0.5, 0.25, 0.25), "pass"),
        ((0, 0), (0.5, 0.5), "skipped"),
        ((5, 4), (0.5, 0.5), "skipped"),
        ((0, 100), (0.5, 0.5), "fail"),
    ],
)
def test_against_scipy(units, planned, status):
    found = check(context(units, experiment(arms=arms(*planned))))
    assert found.status == status
    if status == "skipped":
        assert found.p_value is None and found.help is not None and "5 expected" in found.help
    else:
        expected = [sum(units) * share for share in planned]
        assert found.p_value == pytest.approx(stats.chisquare(units, expected).pvalue, rel=1e-9)


def test_the_arm_that_is_off_is_named_among_three():
    found = check(context((1000, 800, 1000), experiment(arms=arms(1 / 3, 1 / 3, 1 / 3))))
    assert found.message.startswith("800 visitors are in variant where 933 were expected")
    residuals = {arm["name"]: arm["residual"] for arm in found.details["arms"]}
    e = 2800 / 3
    assert residuals["variant"] == pytest.approx((800 - e) / np.sqrt(e * 2 / 3))


def test_a_pass_says_the_split():
    found = check(context((2405, 595), experiment(arms=arms(0.8, 0.2))))
    assert found.message == "2,405 and 595 visitors fit the planned split of 80% and 20%."
    assert "assumed split" in check(context((50, 50))).message


def test_a_day_that_is_off_is_named():
    days = daily("2024-03-04", (100, 102), (3, 2), (100, 200), (98, 101))
    found = check(context((301, 405), experiment(arms=arms(0.43, 0.57)), daily=days))
    assert found.status == "pass"
    days = daily("2024-03-04", (200, 102), (3, 2), (100, 200), (98, 101))
    found = check(context((401, 405), daily=days))
    assert found.status == "warn" and found.p_value == pytest.approx(stats.chisquare([401, 405]).pvalue)
    assert found.message == (
        "On 2024-03-06, 200 visitors are in variant where 150 were expected, and 1 more day is off. "
        "Over all visitors the split fits the plan."
    )
    assert found.details["days"]["left_out"] == 1
    tested = found.details["days"]["tested"]
    assert [part["name"] for part in tested] == ["2024-03-04", "2024-03-06", "2024-03-07"]
    assert tested[0]["p_value_adjusted"] == pytest.approx(3 * stats.chisquare([200, 102]).pvalue)
    assert tested[2]["p_value_adjusted"] == 1.0


def test_a_segment_value_that_is_off_is_named():
    by_device = {
        "mobile": {"control": 400, "variant": 520},
        "desktop": {"control": 600, "variant": 480},
        "": {"control": 1, "variant": 0},
    }
    found = check(context((1001, 1000), segments={"device": by_device}))
    assert found.status == "warn"
    assert found.message.startswith(
        "For device mobile, 520 visitors are in variant where 460 were expected, and 1 more group is off."
    )
    assert found.details["segments"]["left_out"] == 1
    assert found.help is not None and found.help.startswith("Find out what happened there")


def test_an_overall_failure_hides_nothing():
    days = daily("2024-03-04", (500, 700), (500, 500))
    segments = {"device": {"mobile": {"control": 500, "variant": 700}}}
    found = check(context((1000, 1200), daily=days, segments=segments))
    assert found.status == "fail"
    assert "1,200" in found.message and "2024-03-04" in found.message and "device mobile" in found.message


@pytest.mark.slow
def test_random_equal_splits_warn_once_in_a_hundred():
    """A/A: 3,000 experiments; one in a hundred warns, one in a thousand fails."""
    draws = np.random.default_rng(20240304).binomial(20_000, 0.5, 3000)
    statuses = [check(context((int(n), 20_000 - int(n)))).status for n in draws]
    warned = sum(status in ("warn", "fail") for status in statuses)
    assert 0.005 < warned / 3000 < 0.016
    assert statuses.count("fail") <= 10
