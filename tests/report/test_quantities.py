"""How numbers are written: digits by the width of an interval, units, money, small rates, and figures that add up."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from abcx.report import quantities
from abcx.results.metric import ArmValue, Comparison, MetricResult, Size
from abcx.results.readout import Impact
from abcx.stats.methods import Method
from abcx.stats.records import Interval


def metric(
    control: float, variant: float, interval: Interval, lifts: Interval | None = None, **changes: Any
) -> MetricResult:
    """A metric of two arms with the interval of the difference; the lift follows from the values."""
    comparison = Comparison(
        arm="variant",
        control="control",
        method=Method.WELCH,
        difference=variant - control,
        difference_interval=interval,
        lift=variant / control - 1 if control else None,
        lift_interval=lifts,
        p_value=0.04,
        p_value_adjusted=0.04,
        alpha=0.05,
        status="inconclusive",
    )
    arms = (ArmValue("control", 1000, control, None), ArmValue("variant", 1000, variant, None))
    base = MetricResult("m", "mean", "primary", "increase", "value", "", arms, (comparison,))
    return replace(base, **changes)


def share(control: float, variant: float, interval: Interval, **changes: Any) -> MetricResult:
    return metric(control, variant, interval, type="conversion", unit="share", **changes)


def written(found: MetricResult) -> tuple[str, str, str, str]:
    """Both values, the difference and its interval, as a table shows them."""
    form, comparison = quantities.form_of(found), found.comparisons[0]
    values = [form.value(arm.value) for arm in found.arms]
    return (
        values[0],
        values[1],
        form.difference(quantities.agreeing(found, comparison)),
        form.differences(comparison.difference_interval),
    )


def lift(estimate: float, low: float | None, high: float | None, *borders: float) -> tuple[str, str]:
    form = quantities.lifts([estimate, low, high], borders)
    return form.difference(estimate), form.differences((low, high))


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        ((0.2634, 0.0521, 0.4746), ("+26%", "+5% to +47%")),  # 42 wide: whole percents
        ((0.0634, 0.0121, 0.1147), ("+6%", "+1% to +11%")),  # 10.3 wide
        ((0.0634, 0.0184, 0.1084), ("+6.3%", "+1.8% to +10.8%")),  # 9.0 wide: one decimal
        ((0.0063, 0.0018, 0.0108), ("+0.63%", "+0.18% to +1.08%")),  # .90 wide: two decimals
        ((0.00631, 0.00602, 0.0066), ("+0.63%", "+0.60% to +0.66%")),  # .058 wide: never three
        ((-0.2634, -0.4746, -0.0521), ("-26%", "-47% to -5%")),
        ((12.5, 9.1, 15.9), ("+1,250%", "+910% to +1,590%")),
    ],
)
def test_the_width_of_the_interval_gives_the_digits_of_a_lift(
    numbers: tuple[float, float, float], texts: tuple[str, str]
) -> None:
    assert lift(*numbers) == texts


@pytest.mark.parametrize(
    ("numbers", "texts"),
    [
        ((0.1, 0.004, 0.196), ("+10.0%", "+0.4% to +19.6%")),
        ((0.1, 0.0004, 0.1996), ("+10.00%", "+0.04% to +19.96%")),
        ((-0.1, -0.196, -0.004), ("-10.0%", "-19.6% to -0.4%")),
        ((0.1, 0.0, 0.2), ("+10%", "+0% to +20%")),
        ((0.1, -0.004, 0.204), ("+10.0%", "-0.4% to +20.4%")),
    ],
)
def test_an_end_near_0_stays_on_its_side(numbers: tuple[float, float, float], texts: tuple[str, str]) -> None:
    assert lift(*numbers) == texts


def test_an_end_that_no_decimal_tells_from_0_is_said_in_words() -> None:
    low, high = lift(0.1, 0.00004, 0.19996)[1].split(" to ")
    assert low.startswith("just above 0") and low.endswith("%") and high.startswith("+20")
    low, high = lift(-0.1, -0.19996, -0.00004)[1].split(" to ")
    assert low.startswith("-20") and high.startswith("just below 0")


@pytest.mark.parametrize(
    ("end", "text"),
    [
        (0.0949, "+9%"),
        (0.0963, "+9.6%"),
        (0.0996, "+9.96%"),
        (0.1, "+10%"),
        (0.1004, "+10.04%"),
        (0.1042, "+10.4%"),
        (0.106, "+11%"),
    ],
)
def test_an_end_near_a_declared_size_stays_on_its_side(end: float, text: str) -> None:
    """The intervals are 15 to 17 wide, so that whole percents would do, were it not for the margin of 10 %."""
    assert lift(0.02, -0.06, end, 0.1, -0.1)[1].split(" to ")[1] == text


def test_a_declared_margin_of_the_metric_gives_decimals() -> None:
    near = metric(1.0, 0.98, (-0.0996, 0.06), (-0.0996, 0.06), margin=Size("10%", 0.1, True))
    assert quantities.lift_form(near, near.comparisons[0]).differences((-0.0996, 0.06)) == "-9.96% to +6.00%"
    good = metric(
        1.0, 1.02, (-0.06, 0.0996), (-0.06, 0.0996), margin=Size("10%", 0.1, True)
    )  # 10 % better is no border
    assert quantities.lift_form(good, good.comparisons[0]).differences((-0.06, 0.0996)) == "-6% to +10%"
    far = replace(near, margin=Size("0.1", 0.1, False))
    assert quantities.lift_form(far, far.comparisons[0]).differences((-0.0996, 0.06)) == "-10% to +6%"
    assert quantities.form_of(far).differences((-0.0996, 0.06)) == "-0.0996 to +0.0600"


def test_shares_are_percentages_and_their_differences_percentage_points() -> None:
    assert written(share(0.0217, 0.0274, (0.0011, 0.0102))) == ("2.17%", "2.74%", "+0.57 pp", "+0.11 to +1.02 pp")
    assert written(share(0.217, 0.274, (0.011, 0.102))) == ("21.7%", "27.4%", "+5.7 pp", "+1.1 to +10.2 pp")
    assert written(share(0.217, 0.274, (-0.05, 0.16))) == ("22%", "27%", "+5 pp", "-5 to +16 pp")
    assert written(share(0.274, 0.217, (-0.102, -0.011))) == ("27.4%", "21.7%", "-5.7 pp", "-10.2 to -1.1 pp")
    ratio = metric(0.0217, 0.0274, (0.0011, 0.0102), unit="ratio", is_percent=True)
    assert written(ratio) == ("2.17%", "2.74%", "+0.57 pp", "+0.11 to +1.02 pp")


@pytest.mark.parametrize(
    ("control", "variant", "interval", "texts"),
    [
        (0.0004, 0.0005, (0.00002, 0.00018), ("4.0", "5.0", "+1.0", "+0.2 to +1.8", " per 10,000")),
        (0.0004, 0.0006, (-0.0005, 0.0009), ("4", "6", "+2", "-5 to +9", " per 10,000")),
        (4e-6, 6e-6, (5e-7, 3.5e-6), ("4.0", "6.0", "+2.0", "+0.5 to +3.5", " per million")),
        (6e-6, 4e-6, (-3.5e-6, -5e-7), ("6.0", "4.0", "-2.0", "-3.5 to -0.5", " per million")),
    ],
)
def test_rates_below_a_tenth_of_a_percent_are_per_10000_or_per_million(
    control: float, variant: float, interval: Interval, texts: tuple[str, str, str, str, str]
) -> None:
    first, last, difference, ends, per = texts
    assert written(share(control, variant, interval)) == (first + per, last + per, difference + per, ends + per)


def test_a_rate_of_a_tenth_of_a_percent_is_a_percentage() -> None:
    assert written(share(0.001, 0.0012, (-0.0001, 0.0005)))[0] == "0.10%"


@pytest.mark.parametrize(
    ("changes", "texts"),
    [
        ({"currency": "EUR"}, ("EUR 4.39", "EUR 4.95", "+EUR 0.56", "+EUR 0.11 to +1.02")),
        ({"currency": "€"}, ("€4.39", "€4.95", "+€0.56", "+€0.11 to +€1.02")),
        ({"currency": "$", "unit_text": "USD"}, ("$4.39", "$4.95", "+$0.56", "+$0.11 to +$1.02")),
        ({"unit": "hours"}, ("4.39 h", "4.95 h", "+0.56 h", "+0.11 to +1.02 h")),
        ({"unit_text": "s"}, ("4.39 s", "4.95 s", "+0.56 s", "+0.11 to +1.02 s")),
        ({"unit": "points"}, ("4.39", "4.95", "+0.56 points", "+0.11 to +1.02 points")),
        ({"unit": "score"}, ("4.39", "4.95", "+0.56", "+0.11 to +1.02")),
        ({}, ("4.39", "4.95", "+0.56", "+0.11 to +1.02")),
    ],
)
def test_units_are_written_with_their_numbers(changes: dict[str, Any], texts: tuple[str, str, str, str]) -> None:
    assert written(metric(4.39, 4.95, (0.11, 1.02), **changes)) == texts


def test_negative_values_and_falls_have_one_sign_in_front() -> None:
    loss = metric(-1.25, -3.75, (-4.5, -0.5), currency="EUR")
    assert written(loss) == ("-EUR 1.25", "-EUR 3.75", "-EUR 2.50", "-EUR 4.50 to -0.50")
    assert written(replace(loss, currency=None, unit="hours")) == ("-1.2 h", "-3.8 h", "-2.6 h", "-4.5 to -0.5 h")
    form = quantities.form_of(loss)
    assert form.size(-2.5) == "EUR 2.50"
    assert form.sizes((-4.5, -0.5), up=False) == "EUR 0.50 to 4.50"
    assert form.sizes((-4.5, 0.5), up=False) == "-EUR 4.50 to +0.50"


def test_no_price_has_one_decimal() -> None:
    narrow = metric(56.03, 58.67, (0.6, 4.7), currency="EUR")  # 4.1 wide: one decimal
    assert written(narrow) == ("EUR 56.03", "EUR 58.67", "+EUR 2.64", "+EUR 0.60 to +4.70")
    wide = metric(115.2, 160.4, (10.4, 80.0), currency="EUR")
    assert written(wide) == ("EUR 115", "EUR 160", "+EUR 45", "+EUR 10 to +80")
    assert quantities.declared(wide, Size("2.5", 2.5, False)) == "EUR 2.50"


def test_small_numbers_have_four_decimals_at_most_and_no_exponent() -> None:
    narrow = written(metric(0.01234567, 0.02345678, (0.0111, 0.0112)))
    assert narrow == ("0.0123", "0.0235", "+0.0112", "+0.0111 to +0.0112")
    tiny = written(metric(3e-9, 5e-9, (1e-9, 3e-9)))
    assert not any("e" in text.replace("per million", "").replace("above", "") for text in tiny), tiny
    huge = written(metric(2e15, 4e15, (1e15, 3e15)))
    assert huge[0] == "1,000,000,000,000,000 or more"


def test_a_unit_of_percent_keeps_the_rule_of_percentages() -> None:
    """Two decimals at most; a difference of percentages is in percentage points and never looks like a lift."""
    off = metric(10.1234, 12.3456, (2.2011, 2.2433), unit_text="%")
    assert written(off) == ("10.12%", "12.35%", "+2.23 pp", "+2.20 to +2.24 pp")


def test_an_open_end_is_said() -> None:
    assert lift(0.13, None, 0.25)[1] == "at most +25%"
    assert lift(-0.02, -0.123, None)[1] == "at least -12%"
    form = quantities.lifts([0.1, 0.05, 0.15])
    assert form.differences((None, None)) == "not bounded" and form.differences(None) == "-"
    assert form.sizes((0.05, None), up=True) == "at least 5%"
    assert form.sizes((None, -0.05), up=False) == "at least 5%"
    assert form.sizes((None, None), up=True) == form.sizes(None, up=True) == "-"
    assert form.value(None) == form.difference(None) == "-"
    assert form.values((0.05, 0.15)) == "5% to 15%"


def test_a_rise_and_a_fall_have_sizes_without_signs() -> None:
    form = quantities.lifts([0.1, 0.05, 0.18])
    assert form.sizes((0.05, 0.18), up=True) == "5% to 18%"
    assert form.sizes((-0.18, -0.05), up=False) == "5% to 18%"
    assert form.sizes((-0.05, 0.18), up=True) == "-5% to +18%"


@pytest.mark.parametrize(
    ("changes", "size", "text"),
    [
        ({"unit": "share"}, Size("5%", 0.05, True), "5%"),
        ({"unit": "share"}, Size("2.5%", 0.025, True), "2.5%"),
        ({"unit": "share"}, Size("0.4pp", 0.004, False), "0.4 pp"),
        ({"unit": "points"}, Size("3", 3.0, False), "3 points"),
        ({"unit": "hours"}, Size("30m", 0.5, False), "0.5 h"),
        ({"currency": "EUR"}, Size("2", 2.0, False), "EUR 2"),
        ({"currency": "€"}, Size("1200", 1200.0, False), "€1,200"),
        ({}, Size("0.25", 0.25, False), "0.25"),
    ],
)
def test_a_declared_size_is_written_as_it_was_declared(changes: dict[str, Any], size: Size, text: str) -> None:
    assert quantities.declared(metric(0.3, 0.31, (-0.1, 0.1), **changes), size) == text


@pytest.mark.parametrize("size", [0.002, 0.0001, 0.05])
@pytest.mark.parametrize(
    ("control", "interval"), [(0.0005, (-0.0002, 0.0004)), (0.05, (-0.004, 0.006)), (0.05, (-0.00005, 0.00008))]
)
def test_a_declared_size_has_the_unit_of_the_interval_that_is_held_against_it(
    size: float, control: float, interval: Interval
) -> None:
    """Nobody can compare 0.2 pp with 4 per 10,000."""
    found = share(control, control + 0.00005, interval, margin=Size("x", size, False))
    declared = quantities.declared(found, Size("x", size, False))
    ends = quantities.form_of(found).differences(interval)
    assert re.sub(r"^[-+.,\d]+", "", declared) == re.sub(r"^.* to [-+][.,\d]+", "", ends)


def test_a_sum_of_a_month_has_two_digits_of_its_interval() -> None:
    worth = Impact("m", "variant", 120_000, 12_434.0, (2_118.0, 22_750.0), 0.05)
    money = metric(4.39, 4.49, (0.02, 0.19), currency="EUR")
    form = quantities.of_total(money, worth)
    assert (form.difference(worth.change), form.differences(worth.interval)) == ("+EUR 12,000", "+EUR 2,000 to +23,000")
    orders = replace(worth, change=112.0, interval=(21.4, 202.6))
    form = quantities.of_total(share(0.02, 0.021, (0.0002, 0.0018)), orders)
    assert (form.difference(orders.change), form.differences(orders.interval)) == ("+110", "+20 to +200")
    hours = metric(26.5, 24.1, (-4.1, -0.7), unit="hours", unit_text="h")
    few = replace(worth, change=-24.1, interval=(-41.2, -7.0))
    assert quantities.of_total(hours, few).difference(few.change) == "-24 h"
    open_end = replace(worth, change=112.0, interval=(21.4, None))
    assert quantities.of_total(money, open_end).differences(open_end.interval) == "at least +EUR 20"


def test_an_adjusted_effect_is_not_made_to_agree_with_the_values() -> None:
    found = share(0.0217, 0.0274, (0.0011, 0.0102))
    (comparison,) = found.comparisons
    adjusted = replace(comparison, method=Method.WELCH_ADJUSTED, difference=0.0049)
    assert quantities.agreeing(found, adjusted) == 0.0049
    assert quantities.agreeing(found, replace(comparison, difference=None)) is None
    assert quantities.rounded_sum(0.0217, 0.0274, quantities.form_of(found)) == pytest.approx(0.0057)


NUMBER = re.compile(r"(?P<sign>[-+]?)(?:EUR |€)?(?P<digits>\d[\d,]*(?:\.\d+)?)")


def number(text: str) -> Decimal:
    """The number that a reader sees in a text; exact."""
    if text.startswith("just"):
        return Decimal(0)
    match = NUMBER.match(text)
    assert match is not None, text
    return Decimal(match["sign"] + match["digits"].replace(",", ""))


UNITS: tuple[dict[str, Any], ...] = (
    {},
    {"unit": "share", "type": "conversion"},
    {"unit": "points"},
    {"unit": "hours"},
    {"currency": "EUR"},
    {"currency": "€"},
    {"unit_text": "s"},
    {"unit": "ratio", "is_percent": True},
)


@given(
    st.sampled_from(UNITS),
    st.floats(1e-6, 0.9),
    st.floats(-0.9, 2.0),
    st.floats(0.001, 3.0),
    st.sampled_from([0, 1, 2, 3]),
)
@example({"unit": "share", "type": "conversion"}, 0.0216, 0.257, 0.8, 0)
def test_what_a_reader_adds_up_adds_up(
    changes: dict[str, Any], control: float, change: float, half: float, power: int
) -> None:
    """The written value of the control and the written difference make the written value of the variant."""
    base = 1.0 if "share" in changes.values() or "is_percent" in changes else 10.0**power
    control *= base
    variant = control * (1 + change)
    assume("share" not in changes.values() and "is_percent" not in changes or variant <= 1)
    reach = half * control * max(abs(change), 0.01)
    difference = variant - control
    before, after, shown, _ = written(metric(control, variant, (difference - reach, difference + reach), **changes))
    if before != after:
        assert number(before) + number(shown) == number(after), (before, after, shown)
    else:  # both are written alike: then at most the last digit differs
        finest = Decimal(1).scaleb(number(before).as_tuple().exponent)  # type: ignore[arg-type]
        assert abs(number(shown)) <= finest, (before, after, shown)


@given(st.sampled_from(UNITS), st.floats(-5, 5), st.floats(1e-9, 3.0), st.floats(0, 1))
def test_no_text_breaks_the_rule_of_digits(
    changes: dict[str, Any], difference: float, width: float, part: float
) -> None:
    """At most 2 decimals of percentages and rates, 4 of other numbers; no exponent; ends in order and on their side."""
    low, high = difference - part * width, difference + (1 - part) * width
    found = metric(0.4, 0.4 + difference, (low, high), (low / 0.4, high / 0.4), **changes)
    comparison = found.comparisons[0]
    for form, interval, estimate in (
        (quantities.form_of(found), (low, high), difference),
        (quantities.lift_form(found, comparison), (low / 0.4, high / 0.4), difference / 0.4),
    ):
        texts = [form.difference(estimate), form.value(estimate), form.size(estimate), form.differences(interval)]
        most = 2 if re.search(r"%| pp| per | points", " ".join(texts)) and " points" not in texts[0] else 4
        for text in texts:
            assert not re.search(r"\d[eE][-+]?\d|nan|inf|--|\+-", text), text
            assert all(len(decimals) <= most for decimals in re.findall(r"\.(\d+)", text)), text
        first, last = (form.difference(end) for end in interval)
        assert number(first) <= number(last)
        for end, text in zip(interval, (first, last), strict=True):
            assert not (end > 0 and text.startswith("-")) and not (end < 0 and text.startswith("+")), text
            assert end == 0 or number(text) != 0 or text.startswith("just"), text


@given(st.floats(0.0005, 5.0), st.floats(0, 1))
def test_the_width_keeps_two_digits_where_two_decimals_allow(width: float, part: float) -> None:
    """The last digit is at most a tenth of the width, and with two decimals no finer digit exists."""
    form = quantities.lifts([0.2, 0.2 - part * width, 0.2 + (1 - part) * width])
    last = 10.0**-form.decimals
    assert last <= 100 * width / 10 * 1.0000001 or form.decimals == 2 or (form.decimals == 0 and 100 * width >= 10)
