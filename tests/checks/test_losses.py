"""What was lost or counted twice: crossover, early events, duplicates, missing, unknown and missing arms, metrics."""

import pytest
from scipy import stats

from abcx.checks import (
    crossover,
    duplicates,
    exposure_before_event,
    metric_missing,
    missing,
    missing_arm,
    unknown_arm,
)
from abcx.data.records import MetricData
from abcx.stats.records import Moments, Proportion, RatioMoments
from tests.support.contexts import ORDER_VALUE, ORDERS, REVENUE, context, experiment, shares_of


@pytest.mark.parametrize(
    ("both", "units", "status", "shown"),
    [
        (None, (500, 500), "skipped", None),
        (0, (500, 500), "pass", "No visitor was seen in several arms (1,000 in all)"),
        (1, (500, 500), "pass", "1 of 1,001 visitors (0.10%) was seen in several arms"),
        (1895, (144_300, 144_389), "warn", "1,895 of 290,584 visitors (0.65%) were seen in several arms"),
        (10, (495, 495), "warn", "10 of 1,000 visitors (1.00%)"),
        (11, (495, 495), "fail", "11 of 1,001 visitors (1.10%)"),
        (1001, (49_400, 49_600), "fail", "1,001 of 100,001 visitors (1.001%)"),
        (5, (0, 0), "fail", "5 of 5 visitors (100.00%)"),
    ],
)
def test_crossover(both, units, status, shown):
    found = crossover.check(context(units, crossover=both))
    assert found.status == status
    if shown:
        assert found.message.startswith(shown)
    assert (found.help is None) == (status == "pass")


def test_exposure_before_event():
    def run(early, units=(1000, 1000)):
        names = ("control", "variant")
        by_arm = dict(zip(names, early, strict=True))
        events = {arm: 2 * n for arm, n in by_arm.items()}
        return exposure_before_event.check(context(units, before_exposure=events, units_before=by_arm))

    alike = run((50, 60))
    assert alike.status == "pass" and "220 events" in alike.message
    assert "About as many visitors have one in every arm: 5.0% in control and 6.0% in variant" in alike.message
    oracle = stats.chi2_contingency([[50, 60], [950, 940]], correction=False).pvalue
    assert alike.p_value == pytest.approx(oracle)
    off = run((50, 120))
    assert off.status == "warn" and off.help and "timezones" in off.help
    assert off.message.startswith("Of all visitors, 5.0% in control and 12.0% in variant have events from before")
    none = run((0, 0))
    assert none.status == "pass" and none.message == "No event came before exposure."
    few = run((0, 6))
    assert few.status == "pass" and few.p_value is None and few.message.startswith("12 events")
    assert exposure_before_event.check(context()).status == "skipped"


def test_duplicates():
    assert duplicates.check(context()).status == "skipped"
    assert duplicates.check(context(repeated_rows=0)).status == "pass"
    found = duplicates.check(context(repeated_rows=969))
    assert (
        found.status == "warn"
        and "969 events look like copies of another (same visitor, time, event and value)" in found.message
        and found.help is not None
        and "id" in found.help
    )
    both = duplicates.check(context(repeated_ids=3, repeated_rows=1, duplicate_units=1))
    assert both.message == (
        "1 event looks like copies of another (same visitor, time, event and value). "
        "It counts all the same, so sums such as revenue may be too high. "
        "3 events repeat an id: only the earliest of each counts. "
        "1 visitor has several rows, which count as the spec says."
    )
    assert both.details == {"ids": 3, "rows": 1, "removed": None, "units": 1, "changed": 0}
    dropped = duplicates.check(context(repeated_rows=0, removed_rows=2))
    assert dropped.status == "warn" and dropped.help is not None and "export that was run twice" in dropped.help
    assert (
        dropped.message
        == "2 events look like copies of another (same visitor, time, event and value) and were left out."
    )
    assert duplicates.check(context(repeated_rows=0, removed_rows=0)).status == "pass"


def _lost(role, control, variant, units=1000):
    orders = {**ORDERS, "role": role} if role == "primary" else {**ORDERS, "role": role, "column": "c", "event": None}
    spec = experiment(metrics={"orders": orders} if role == "primary" else {"first": ORDERS, "orders": orders})
    data = shares_of((10, units - control), (10, units - variant), missing={"control": control, "variant": variant})
    return missing.check(context((units, units), spec, {"orders": data}))


@pytest.mark.parametrize(
    ("role", "control", "variant", "status"),
    [
        ("primary", 0, 0, "pass"),
        ("primary", 50, 60, "pass"),
        ("primary", 20, 60, "fail"),
        ("primary", 30, 54, "warn"),
        ("primary", 0, 9, "pass"),
        ("secondary", 20, 60, "warn"),
        ("secondary", 40, 60, "pass"),
    ],
)
def test_missing(role, control, variant, status):
    found = _lost(role, control, variant)
    assert found.status == status
    if control and variant:
        table = [[control, variant], [1000 - control, 1000 - variant]]
        assert found.p_value == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    assert found.details.get("reason") == ("data_loss" if status == "fail" else None)
    if status == "fail":
        assert found.message == (
            "Orders has no value for 2.00% of the visitors in control and 6.00% in variant. "
            "The visitors that are left cannot be compared between the arms."
        )


def test_missing_says_how_many():
    assert _lost("primary", 0, 0).message == "No value of a metric is missing (2,000 visitors)."
    assert _lost("primary", 50, 60).message == (
        "Orders has no value for 110 of 2,000 visitors, about as many in every arm."
    )
    assert _lost("primary", 0, 9).message == "Orders has no value for 9 of 2,000 visitors."


@pytest.mark.parametrize(("role", "status"), [("primary", "fail"), ("secondary", "warn")])
def test_missing_asks_whether_empty_is_a_no(role, status):
    """1 where somebody bought and nothing elsewhere: taken as missing, everybody would have bought."""
    first = {"first": ORDERS} if role != "primary" else {}
    spec = experiment(metrics={**first, "orders": {**ORDERS, "role": role}})
    found = missing.check(
        context((5, 5), spec, {"orders": shares_of((2, 2), (3, 3), missing={"control": 3, "variant": 2})})
    )
    assert found.status == status and "missing_value: zero" in (found.help or "")
    assert found.message.startswith("Orders is yes wherever it is filled, and empty for 5 visitors. ")
    zero = shares_of((2, 3), (3, 3), missing={"control": 2, "variant": 2})
    assert missing.check(context((5, 5), spec, {"orders": zero})).status == "pass"
    assert missing.check(context((2, 3), spec, {"orders": shares_of((2, 2), (3, 3))})).status == "pass"


def test_unknown_arm():
    assert unknown_arm.check(context()).status == "skipped"
    assert unknown_arm.check(context(unknown_arm=0)).status == "pass"
    found = unknown_arm.check(context(unknown_arm=3893, unknown_labels=("B ", "hold-out")))
    assert found.status == "warn"
    assert found.message == (
        "3,893 rows match no arm and were left out ('B ' and 'hold-out'). If they belong to an arm, it lost visitors."
    )
    assert found.help is not None and "labels" in found.help
    ruled = experiment(arms={"control": {"where": {"page": "old"}}, "variant": {"where": {"page": "new"}}})
    found = unknown_arm.check(context(spec=ruled, unknown_arm=1))
    assert found.help is not None and "where" in found.help
    many = unknown_arm.check(context(unknown_arm=9, unknown_labels=tuple("abcdefg")))
    assert "('a', 'b', 'c', 'd' and 'e' and 2 more)" in many.message


def test_missing_arm():
    assert missing_arm.check(context((5, 1))).status == "pass"
    found = missing_arm.check(context((5, 0)))
    assert (found.status, found.message) == ("fail", "No visitors are in variant. There is nothing to compare.")
    assert missing_arm.check(context(())).message.startswith("No visitors are in control or variant.")
    of_counts = missing_arm.check(context((5, 0), kind="counts"))
    assert "labels" in (found.help or "") and "labels" not in (of_counts.help or "")


def _metrics(**data):
    spec = experiment(metrics={"orders": ORDERS, "revenue": REVENUE, "order_value": ORDER_VALUE})
    zero, some = Moments(5, 0.0, 0.0, 0), Moments(5, 2.0, 1.0, 3)
    base = {
        "orders": shares_of((1, 5), (0, 5)),
        "revenue": MetricData({"control": some, "variant": zero}),
        "order_value": MetricData({arm: RatioMoments(some, some, 0.5) for arm in ("control", "variant")}),
    }
    return metric_missing.check(context((5, 5), spec, {**base, **data}))


def test_metric_missing():
    assert _metrics().message == "All 3 metrics have values in every arm."
    nowhere = _metrics(orders=shares_of((0, 5), (0, 5), absent=("order",)))
    assert nowhere.status == "fail" and nowhere.message == (
        "Orders has no value: its event 'order' occurs nowhere. The test cannot be judged by it."
    )
    lost = _metrics(orders=shares_of((0, 5), (0, 5)))  # they occur: of other units, or at other times
    assert lost.status == "fail" and lost.help and "ids of visitors" in lost.help
    assert lost.message.startswith("Orders is zero in every arm: its events are in the data, and none of them counts. ")
    assert _metrics(orders=shares_of((0, 0), (0, 5))).message.startswith("Orders has no value in control. ")
    assert _metrics(orders=shares_of((0, 0), (0, 5))).status == "fail"
    secondary = _metrics(revenue=MetricData({"control": Moments(5, 1.0, 1.0), "variant": Moments(0, 0.0, 0.0)}))
    assert (secondary.status, secondary.message) == ("warn", "Revenue has no value in variant. It cannot be compared.")
    zero, some = Moments(5, 0.0, 0.0, 0), Moments(5, 2.0, 1.0, 3)
    no_orders = {"control": RatioMoments(zero, zero, 0.0), "variant": RatioMoments(some, some, 0.0)}
    ratio = _metrics(order_value=MetricData(no_orders), orders=shares_of((0, 0), (0, 0)))
    assert ratio.status == "fail"
    assert ratio.message == (
        "Orders has no value in control and variant. Order value has no value in control. "
        "The test cannot be judged by them."
    )


def test_a_variant_without_values_leaves_the_others_to_be_judged():
    """Three arms: what only one variant lacks says nothing about the other; what the control lacks concerns both."""
    spec = experiment(arms={"control": {}, "variant": {}, "third": {}})

    def found(*shares):
        data = {arm: Proportion(*pair) for arm, pair in zip(("control", "variant", "third"), shares, strict=True)}
        return metric_missing.check(context((9, 9, 9), spec, {"orders": MetricData(data)}))

    alone = found((1, 9), (2, 9), (0, 0))
    assert (alone.status, alone.arms) == ("fail", ("third",))
    assert (found((0, 0), (2, 9), (1, 9)).status, found((0, 0), (2, 9), (1, 9)).arms) == ("fail", ())
    assert found((1, 9), (0, 0), (0, 0)).arms == ("variant", "third")


def test_metric_missing_leaves_empty_arms_to_missing_arm():
    found = metric_missing.check(context((5, 0), metrics={"orders": shares_of((1, 5), (0, 0))}))
    assert found.status == "pass"


def test_events_that_are_spelled_otherwise():
    seen = context((5, 5), metrics={"orders": shares_of((1, 5), (2, 5))}, misspelled_events=(("Order", "order"),))
    found = metric_missing.check(seen)
    assert found.status == "warn" and "were ignored: 'Order' (the spec has 'order')" in found.message
