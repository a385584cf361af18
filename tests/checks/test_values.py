"""Few units that carry much: outliers, skewness, figures too good to be true."""

import numpy as np
import pytest
from scipy import stats

from abcx.checks import outliers, skewness, too_good
from abcx.stats.methods import Method
from abcx.stats.records import Categories, Moments
from tests.support.contexts import ORDER_VALUE, ORDERS, REVENUE, context, experiment, result, shares_of, values_of

SPEC = experiment(metrics={"orders": ORDERS, "revenue": REVENUE})
ZEROS = [0.0] * 700


def _outliers(control, variant, spec=SPEC, **rest):
    data = values_of(control, variant, **rest)
    units = (len(control), len(variant))
    return outliers.check(context(units, spec, {"revenue": data}))


def steady(mean, n=300, seed=0):
    return np.concatenate([np.random.default_rng(seed).normal(mean, 5, n), ZEROS])


def test_a_wholesale_order_is_found():
    control, variant = steady(50), np.concatenate([steady(50, seed=1), [40_000.0]])
    found = _outliers(control, variant)
    assert found.status == "warn"
    rest = found.details["metrics"]["revenue"]["variant"]
    assert rest["removed"] == 3
    both = np.sort(np.concatenate([control, variant]))[-3:]
    kept = [np.array([x for x in arm if x not in both]) for arm in (control, variant)]
    assert rest["lift_without"] == pytest.approx(kept[1].mean() / kept[0].mean() - 1, abs=1e-9)
    assert rest["p_value_without"] == pytest.approx(stats.ttest_ind(*kept, equal_var=False).pvalue, rel=1e-6)
    assert "without the 3 largest" in found.message and rest["fragility"] is None


def test_few_units_carry_a_significant_result():
    control = np.concatenate([[50.0] * 30, [0.0] * 970])
    variant = np.concatenate([[50.0] * 48, [0.0] * 952])
    found = _outliers(control, variant)
    fragile = found.details["metrics"]["revenue"]["variant"]["fragility"]
    assert found.status == "warn" and f"{fragile} visitors carry the result" in found.message
    assert found.message.startswith("A few large values carry Revenue: +60.0% with all visitors, ")
    assert found.message.endswith(". Do not quote it as the gain.")
    assert found.help == (
        "Look at these visitors one by one; cap the metric in the next spec (`cap: 99.9%`) and judge by Orders"
    )
    p = [stats.ttest_ind(control, variant[k:], equal_var=False).pvalue for k in range(fragile + 1)]
    assert p[-1] >= 0.05 > p[-2]


def test_a_robust_result_passes():
    found = _outliers(steady(50), steady(60, seed=1, n=400))
    assert found.status == "pass" and "with all visitors" in found.message
    assert found.details["metrics"]["revenue"]["variant"]["fragility"] > 50


def test_no_effect_on_quiet_data_passes():
    """A lift near 0 often changes its sign; within the margin of error that is no warning."""
    warned = 0
    for seed in range(40):
        warned += _outliers(steady(50, seed=seed), steady(50, seed=100 + seed)).status == "warn"
    assert warned <= 4  # about 5 % are significant by chance, and a chance result is fragile


def test_significance_that_hangs_on_the_top_units():
    """Alike but for large orders in the control: without them the variant is significantly better."""
    control = np.concatenate([steady(50), [9_000.0] * 2])
    found = _outliers(control, steady(60, seed=1, n=330))
    assert found.status == "warn" and "and only then is it clear" in found.message


def test_outliers_never_takes_more_than_a_tenth_of_the_buyers():
    variant = np.concatenate([[10.0] * 25, [0.0] * 49_975])
    found = _outliers(variant, variant)
    assert found.details["metrics"]["revenue"]["variant"]["removed"] == 4  # 5 are allowed: as many ties from each arm
    short = _outliers(variant, variant, top=2)
    assert short.details["metrics"]["revenue"]["variant"]["removed"] == 2


def test_outliers_of_a_ratio():
    items = {**ORDER_VALUE, "role": "secondary", "goal": "increase"}
    spec = experiment(metrics={"orders": ORDERS, "revenue": items})
    rng = np.random.default_rng(5)
    control, variant = (np.column_stack([rng.normal(50, 5, 400), np.ones(400)]) for _ in range(2))
    variant = np.vstack([variant, [[30_000.0, 1.0]]])
    found = _outliers(control, variant, spec)
    assert found.status == "warn"
    numbers = found.details["metrics"]["revenue"]["variant"]
    assert numbers["removed"] == 1 and numbers["lift"] > 1 and abs(numbers["lift_without"]) < 0.05
    assert "without the largest" in found.message


def test_outliers_with_three_arms():
    spec = experiment(arms={"control": {}, "variant": {}, "third": {}}, metrics={"orders": ORDERS, "revenue": REVENUE})
    data = values_of(steady(50), steady(50, seed=1), np.concatenate([steady(50, seed=2), [40_000.0]]))
    found = outliers.check(context((1000, 1000, 1001), spec, {"revenue": data}))
    assert found.status == "warn" and "Revenue in third" in found.message
    assert set(found.details["metrics"]["revenue"]) == {"variant", "third"}


def test_outliers_skipped():
    found = outliers.check(context())
    assert found.help is not None and "mean or ratio" in found.help
    counts = values_of(steady(50), steady(60), top=0)
    counts = type(counts)(counts.summaries)
    found = outliers.check(context((1000, 1000), SPEC, {"revenue": counts}, kind="counts"))
    assert found.status == "skipped" and found.help is not None and "one row per unit" in found.help
    assert _outliers(np.zeros(50), np.zeros(50)).help == "needs values that are not 0"


def _skewness(n, skew, kind="events", m=1000, spec=SPEC):
    data = {arm: Moments(size, 1.0, 1.0, skewness=skew) for arm, size in (("control", n), ("variant", m))}
    return skewness.check(context((n, m), spec, {"revenue": type(shares_of())(data)}, kind=kind))


def test_skewness_doubts_welch_where_the_t_test_breaks():
    """The limit is skewness x |n_c - n_t| / sqrt(n_c n_t N) = .1: 3.75 at 9,000 v 1,000, none with equal arms."""
    assert _skewness(1000, 60.0).status == "pass"
    assert _skewness(9000, 3.7).status == "pass"
    found = _skewness(9000, -7.0)
    assert found.status == "warn"
    assert found.message == (
        "A few extreme values dominate Revenue, and the arms differ in size (9,000 and 1,000 visitors). "
        "Its 95% interval may be too narrow."
    )
    assert found.help is not None and "interval: analytic" not in found.help
    analytic = experiment(metrics={"orders": ORDERS, "revenue": REVENUE}, analysis={"interval": "analytic"})
    assert "remove `interval: analytic`" in str(_skewness(9000, -7.0, spec=analytic).help)


def _answers(control, variant, method=Method.PERMUTATION):
    spec = experiment(
        metrics={
            "orders": ORDERS,
            "ease": {
                "type": "ces",
                "event": "survey",
                "scale": [1, 7],
                "role": "secondary",
                "goal": "increase",
                "value": "ease",
            },
        }
    )
    data = {"control": Categories(1, control), "variant": Categories(1, variant)}
    found = result("ease", None, "inconclusive", spec, method=method)
    return skewness.check(context((1000, 1000), spec, {"ease": type(shares_of())(data)}, results=(found,)))


def test_skewness_doubts_few_answers_other_than_the_commonest():
    """Of 400 answers 150 are not a 7: an arm of 80 expects 30. Of 399 149: an arm of 79 expects 29.5."""
    control, variant = (15, 5, 10, 15, 25, 50, 200), (1, 0, 1, 3, 5, 20, 50)
    assert _answers(control, variant).status == "pass"
    few = _answers(control, (1, 0, 1, 3, 5, 19, 50))
    assert few.status == "warn" and few.message.startswith("An arm can expect fewer than 30 answers to Ease other than")
    assert _answers(control, (1, 0, 1, 3, 5, 19, 50), Method.WELCH).status == "pass"


def test_skewness_without_values():
    assert _skewness(1000, None, "counts").help == "needs one row per unit, not counts"
    assert skewness.check(context()).status == "skipped"


def test_too_good_primary():
    def run(lift, status, **rest):
        return too_good.check(context(results=(result("orders", lift, status, **rest),)))

    found = run(0.6476, "better")
    assert found.status == "warn" and "Orders moved by +64.8%, more than such changes usually bring." in found.message
    assert found.help is not None and "price-change" not in found.help
    assert run(0.6476, "inconclusive").status == "pass"
    assert run(0.49, "better").status == "pass"
    assert run(-0.7, "worse").status == "pass"
    assert run(None, "inconclusive").status == "skipped"
    assert too_good.check(context()).status == "skipped"


def test_too_good_order_value():
    def run(lift, interval, **keys):
        spec = experiment(metrics={"orders": ORDERS, "order_value": ORDER_VALUE}, **keys)
        results = (
            result("orders", 0.1, "better", spec),
            result("order_value", lift, "descriptive", spec, interval=interval),
        )
        return too_good.check(context(spec=spec, results=results))

    found = run(0.398, (0.1, 0.7))
    assert found.status == "warn" and "Order value moved by +39.8%, more than" in found.message
    assert found.help is not None and "`tags: [price-change]`" in found.help
    assert "may be chance" in run(-0.3, (-0.6, 0.1)).message
    assert run(0.19, (0.1, 0.3)).status == "pass"
    excused = run(0.398, (0.1, 0.7), tags=["price-change"])
    assert excused.status == "pass" and excused.details["price_change"] is True


def test_too_good_implied_order_value():
    """Revenue +76.1 % on conversions +26 % is an order value of 1.761 / 1.26 - 1 = +39.8 %."""
    results = (result("orders", 0.26, "better"), result("revenue", 0.761, "better", SPEC))
    found = too_good.check(context(spec=SPEC, results=results))
    assert found.status == "warn" and "Order value (Revenue / Orders) moved by +39.8%" in found.message
    other = {**REVENUE, "event": "refund"}
    spec = experiment(metrics={"orders": ORDERS, "revenue": other})
    assert too_good.check(context(spec=spec, results=results)).status == "pass"
    windowed = experiment(metrics={"orders": ORDERS, "revenue": {**REVENUE, "window": "7d"}})
    assert too_good.check(context(spec=windowed, results=results)).status == "pass"
