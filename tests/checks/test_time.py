"""Weeks, periods, planned sizes, early looks, windows that are still open, and what was there before."""

import pytest
from scipy import stats

from abcx.checks import duration, follow_up, peeking, pre_period, sample_size, whole_weeks
from abcx.data.records import MetricData
from abcx.stats.records import Moments, Proportion
from tests.support.contexts import ORDERS, REVENUE, at, context, daily, experiment

MARCH = {"start": "2024-03-04", "end": "2024-03-31"}


def between(first, last, **rest):
    return {"first_exposure": at(first), "last_exposure": at(last), "as_of": at(last), **rest}


def test_whole_weeks():
    full = whole_weeks.check(context(**between("2024-03-04T00:00", "2024-03-31T23:59")))
    assert (full.status, full.message) == ("pass", "The test ran 4 whole weeks (2024-03-04 to 2024-03-31).")
    longer = experiment(period={"start": "2024-03-04", "end": "2024-04-07"})
    short = whole_weeks.check(context(spec=longer, **between("2024-03-04T09:00", "2024-03-30T08:00")))
    assert short.status == "warn" and short.details["days"] == 27
    assert short.message == (
        "The test ran 27 days (2024-03-04 to 2024-03-30): Sunday came 3 times, the other days 4 times. "
        "Weekday habits do not average out."
    )
    assert short.help is not None
    assert "Run to 2024-03-31" in short.help and "end the period on 2024-03-24" in short.help
    one = whole_weeks.check(context(spec=longer, **between("2024-03-04T09:00", "2024-03-04T10:00")))
    assert one.message.startswith("The test ran 1 day (2024-03-04): less than one week.")
    assert one.help == "Run to 2024-03-10, so that every weekday counts equally often"


def test_after_the_end_whole_weeks_are_planned_in_the_next_spec():
    spec = experiment(period={"start": "2024-03-04", "end": "2024-03-30"})
    over = whole_weeks.check(context(spec=spec, **between("2024-03-04T09:00", "2024-03-30T22:00")))
    assert over.status == "warn" and over.help == "Plan whole weeks in the next spec: `period: {start: ..., end: ...}`"


def test_whole_weeks_in_the_timezone_of_the_period():
    """23:30 UTC on the 31st is the 1st of April in Tokyo, and 16:00 UTC on the 3rd is the 4th of March."""
    spec = experiment(period={**MARCH, "timezone": "Asia/Tokyo"})
    found = whole_weeks.check(context(spec=spec, **between("2024-03-03T16:00", "2024-03-31T13:00")))
    assert (found.status, found.details["days"]) == ("pass", 28)
    assert whole_weeks.check(context(spec=spec, **between("2024-03-03T16:00", "2024-03-31T23:30"))).status == "warn"


def test_whole_weeks_without_times():
    assert whole_weeks.check(context()).status == "skipped"
    assert whole_weeks.check(context(spec=experiment(period={"start": "2024-03-04"}))).status == "skipped"
    typed = whole_weeks.check(context(spec=experiment(period=MARCH), kind="counts"))
    assert (typed.status, typed.message) == ("pass", "The period has 4 whole weeks (2024-03-04 to 2024-03-31).")
    by_day = whole_weeks.check(context(kind="counts", daily=daily("2024-03-04", *[(5, 5)] * 8)))
    assert by_day.status == "warn" and by_day.details["last"] == "2024-03-11"
    assert "Monday came twice, the other days once" in by_day.message


def test_duration():
    spec = experiment(period=MARCH)
    days = daily("2024-03-04", *[(5, 5)] * 28)
    full = duration.check(context(spec=spec, daily=days, **between("2024-03-04T00:00", "2024-03-31T22:00")))
    assert full.status == "pass" and "28 days, with exposures on 28 of them" in full.message
    early = duration.check(context(spec=spec, daily=days[:17], **between("2024-03-04T00:00", "2024-03-20T22:00")))
    assert early.status == "warn"
    assert early.message == (
        "The data stop on 2024-03-20, before the period ends on 2024-03-31. The last 11 days can change the result."
    )
    holes = [(5, 5)] * 20 + [(0, 0)] * 7 + [(5, 5)]
    outage = duration.check(
        context(spec=spec, daily=daily("2024-03-04", *holes), **between("2024-03-04T00:00", "2024-03-31T22:00"))
    )
    assert outage.status == "warn" and "only 21 of 28 declared days" in outage.message
    assert outage.help is not None and "outage" in outage.help


def test_duration_of_short_and_undeclared_periods():
    assert duration.check(context(**between("2024-03-04T00:00", "2024-03-31T22:00"))).status == "skipped"
    short = experiment(period={"start": "2024-03-04", "end": "2024-03-06"})
    found = duration.check(context(spec=short, **between("2024-03-04T00:00", "2024-03-06T22:00")))
    assert found.status == "warn" and found.message.startswith("The period has 3 days, less than one week. ")
    typed = duration.check(context(spec=experiment(period=MARCH), kind="counts"))
    assert typed.status == "pass" and "no times" in typed.message
    end_only = experiment(period={"end": "2024-03-10"})
    found = duration.check(context(spec=end_only, **between("2024-03-01T00:00", "2024-03-10T01:00")))
    assert found.status == "pass" and found.details["declared_days"] == 10
    assert duration.check(context(spec=end_only)).status == "skipped"
    counted = context(spec=experiment(period=MARCH), kind="counts", daily=daily("2024-03-04", *[(5, 5)] * 8))
    assert duration.check(counted).message.startswith("The data stop on 2024-03-11")


SIZED = {"orders": {**ORDERS, "minimum_effect": "5%"}}


def test_sample_size():
    spec = experiment(metrics=SIZED)
    found = sample_size.check(context(spec=spec))
    assert found.status == "skipped" and found.help is not None and "plan.units" in found.help
    assert sample_size.check(context((900, 1100), spec, planned=2000)).status == "pass"
    short = sample_size.check(context((900, 1099), spec, planned=2000))
    assert short.message == (
        "1,999 of 2,000 planned visitors are followed: 1 visitor is missing. "
        "With too few, real effects are missed and those that show are overstated."
    )
    late = {"orders": MetricData({}, not_followed={"control": 100, "variant": 200})}
    waiting = sample_size.check(context((1000, 1000), spec, late, planned=2000))
    assert waiting.message.startswith("1,700 of 2,000 planned visitors are followed")
    spec = experiment(plan={"units": 18_000, "units_per_day": 640}, metrics=SIZED)
    found = sample_size.check(context((4000, 4000), spec, planned=18_000))
    assert found.status == "warn"
    assert "10,000 visitors are missing, about 16 days at the planned traffic. " in found.message
    slow = experiment(plan={"units_per_day": 1e-300}, metrics=SIZED)
    assert "visitors are missing. " in sample_size.check(context((1, 1), slow, planned=18_000)).message


def test_a_period_that_ended_before_the_declared_size_is_reported():
    spec = experiment(metrics=SIZED, period=MARCH)
    found = sample_size.check(context(spec=spec, planned=5000, as_of=at("2024-03-31T20:00")))
    assert (
        found.status == "warn"
        and "of 5,000 planned visitors are followed" in found.message
        and "and the declared end has come" in found.message
    )


def test_a_primary_without_a_smallest_effect_is_warned_of():
    found = sample_size.check(context(planned=2000))
    assert found.status == "warn" and "No smallest effect worth having is declared for Orders." in found.message
    with_margin = experiment(metrics={"orders": {**ORDERS, "margin": "5%"}})
    assert sample_size.check(context(spec=with_margin, planned=2000)).status == "pass"


@pytest.mark.parametrize(
    ("last", "planned", "status", "said"),
    [
        ("2024-03-31T20:00", None, "pass", "The declared period is over"),
        ("2024-03-20T20:00", None, "warn", "the declared end is 2024-03-31"),
        ("2024-03-31T20:00", 5000, "pass", "The declared period is over"),  # the period counts, whatever the size
        ("2024-03-20T20:00", 2000, "warn", "the declared end is 2024-03-31"),
        (None, 5000, "warn", "2,000 of 5,000 planned visitors are followed"),
        (None, 2000, "pass", "The planned size is reached"),
        (None, 1819, "pass", "The planned size is reached"),
        (None, 1800, "warn", "The planned size was passed by 11%: the test was to be read at 1,800 visitors."),
        (None, None, "warn", "No end was declared"),
    ],
)
def test_peeking(last, planned, status, said):
    spec = experiment(period=MARCH) if last else None
    found = peeking.check(context(spec=spec, planned=planned, as_of=at(last) if last else None))
    assert found.status == status
    assert said in found.message
    assert planned is None or "plan: {units" not in str(found.help)  # it is declared


def _followed(late, **keys):
    spec = experiment(metrics={"orders": ORDERS, "revenue": {**REVENUE, "window": "7d"}}, **keys)
    data = {name: MetricData({}, not_followed=counts) for name, counts in late.items()}
    times = between("2024-03-04T00:00", "2024-03-20T12:00")
    return follow_up.check(context((5000, 5000), spec, data, **times))


def test_follow_up():
    late = _followed({"orders": {"control": 200, "variant": 210}, "revenue": {"variant": 3}}, window="14d")
    assert late.status == "warn"
    assert late.message == (
        "410 visitors (4.10%) came too late to be followed for the full 14 days of Orders and "
        "3 visitors (0.03%) for the full 7 days of Revenue. They are not counted yet, so the figures can still change."
    )
    assert "from 2024-04-04 on" in late.help  # the last window closes some time on the day before
    assert late.details["metrics"]["orders"] == {
        "window": "14d",
        "units": {"control": 200, "variant": 210},
        "total": 410,
        "share": 0.041,
    }
    full = _followed({"orders": {"control": 0}}, window="14d")
    assert full.status == "pass" and "whole window of 14 days" in full.message
    only_one = _followed({"orders": {"control": 9}})
    assert only_one.status == "pass" and list(only_one.details["metrics"]) == ["revenue"]
    assert follow_up.check(context()).help == "needs a window"
    assert follow_up.check(context(spec=experiment(window="14d"))).help == "needs exposures with times"


def _before(orders, revenue=None, role="secondary"):
    metrics = {"orders": ORDERS, "revenue": {**REVENUE, "role": role}}
    data = {"orders": MetricData({}, before={arm: Proportion(*pair) for arm, pair in orders.items()})}
    if revenue:
        data["revenue"] = MetricData({}, before=revenue)
    return pre_period.check(context(spec=experiment(metrics=metrics), metrics=data))


def test_pre_period():
    assert pre_period.check(context()).status == "skipped"
    alike = _before({"control": (100, 1000), "variant": (110, 1000)})
    assert alike.status == "pass" and "alike before exposure" in alike.message and " p " not in alike.message
    pooled = 210 / 2000
    z = 0.01 / (pooled * (1 - pooled) * 2 / 1000 * 2000 / 1999) ** 0.5
    assert alike.p_value == pytest.approx(2 * stats.norm.sf(z), rel=1e-6)
    off = _before({"control": (100, 1000), "variant": (160, 1000)})
    assert off.status == "warn" and off.message.startswith(
        "The arms differed before anything was changed: Orders was 10.00% in control and 16.00% in variant. "
    )


def test_pre_period_corrects_for_the_number_of_tests():
    alone = _before({"control": (100, 1000), "variant": (138, 1000)})
    revenue = {"control": Moments(1000, 5.0, 4.0, 900), "variant": Moments(1000, 5.0, 4.0, 900)}
    both = _before({"control": (100, 1000), "variant": (138, 1000)}, revenue)
    assert both.p_value == pytest.approx(2 * alone.p_value)
    assert (alone.status, both.status) == ("warn", "pass")
    descriptive = _before({"control": (100, 1000), "variant": (138, 1000)}, revenue, role="descriptive")
    assert descriptive.p_value == alone.p_value


def test_pre_period_with_an_empty_arm():
    assert _before({"control": (1, 10), "variant": (0, 0)}).status == "skipped"


def test_a_declared_data_cut_is_to_be_moved_not_the_export():
    late = _followed({"orders": {"control": 200}}, window="14d", analysis={"as_of": "2024-03-20T12:00"})
    assert late.help == "Set `as_of: 2024-04-04` or later in `analysis`, when every window has closed"
