"""The forest: one axis, zero in one column, right is good."""

from dataclasses import replace

from abcx.report.forest import forest, of_metric, track
from abcx.report.interval_bar import UNICODE
from tests.support.made_results import ALL, clean, decrease, three_arms, unbounded


def test_zero_is_in_one_column():
    for make in ALL.values():
        drawn = forest(make(), 40)
        zero = drawn.heading.index("0")
        assert all(len(row.bar) in (0, 40) for row in drawn.rows)
        for row in drawn.rows:
            if row.bar:
                assert row.bar[zero] in (UNICODE.zero, UNICODE.crossing, UNICODE.estimate, "├", "┤", "→", "←")


def test_a_goal_of_decrease_is_mirrored():
    metric = decrease()["complaints"]
    comparison = metric.comparisons[0]
    drawn = track(metric, comparison, relative=True)
    assert drawn is not None and drawn.mirrored
    assert comparison.lift is not None and comparison.lift_interval is not None
    low, high = comparison.lift_interval
    assert low is not None and high is not None
    assert (drawn.low, drawn.estimate, drawn.high) == (-high, -comparison.lift, -low)


def test_margins_are_on_the_left_and_minimum_effects_on_the_right():
    complaints, orders = clean()["complaints"], clean()["orders"]
    guarded = track(complaints, complaints.comparisons[0], True)
    assert guarded is not None and guarded.mark == -0.1
    lift, difference = (track(orders, orders.comparisons[0], relative) for relative in (True, False))
    assert lift is not None and lift.band == (0.0, 0.05)
    assert difference is not None and difference.band is None


def test_an_open_end_is_an_arrow():
    rows = {row.metric.name: row for row in forest(unbounded(), 40).rows}
    assert rows["orders"].bar.endswith("→")
    assert rows["margin_per_visitor"].own_scale
    assert not rows["orders"].own_scale


def test_variants_of_a_metric_share_axis_and_scale():
    bars, ruler = of_metric(three_arms()["orders"], 60)
    assert len(bars) == 2
    zero = ruler.index("0")
    assert bars[0][zero] == "│" and bars[1][zero] == "┼"
    assert "+0.2 pp" in ruler and ruler.startswith("worse") and ruler.endswith("better")


def test_the_ruler_of_a_decrease_has_the_sign_of_the_metric():
    assert "-5%" in of_metric(decrease()["complaints"], 60)[1]
    assert "+10%" in of_metric(clean()["complaints"], 60)[1]


def test_one_wild_metric_does_not_flatten_the_rest():
    readout = clean()
    wild = replace(readout["cart_visits"].comparisons[0], lift=9.0, lift_interval=(-0.9, 40.0))
    metric = replace(readout["cart_visits"], comparisons=(wild,))
    rows = forest(replace(readout, metrics=(readout["orders"], metric)), 60).rows
    assert rows[0].bar.index("┤") - rows[0].bar.index("├") > 8
    assert rows[1].bar.endswith("→")


def test_nothing_to_draw():
    assert of_metric(ALL["nothing"]()["orders"], 60) == ([], "")
    assert all(row.bar == "" for row in forest(ALL["nothing"](), 40).rows)
