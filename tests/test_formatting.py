"""Numbers in words: shares, lifts, p-values, days, nouns; no exponent, and no rounding to nothing or across a level."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abcx import formatting


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.0628, "+6.3%"),
        (0.124, "+12.4%"),
        (1.0168, "+101.7%"),
        (-0.0051, "-0.51%"),
        (0.0004, "+0.04%"),
        (0.000003, "just above 0%"),
        (-0.000003, "just below 0%"),
        (0.00005, "+0.01%"),
        (0.0, "+0.00%"),
        (-0.0, "+0.00%"),
        (9.99, "+999.0%"),
        (12.5, "+1,250%"),
    ],
)
def test_lift(fraction, text):
    assert formatting.lift(fraction) == text


@given(st.floats(min_value=-10, max_value=10).filter(lambda x: abs(x) > 1e-12))
def test_no_effect_is_rounded_to_nothing(x):
    """What is too small for its decimals is said to be above or below 0."""
    side = "above" if x > 0 else "below"
    for text in (formatting.lift(x), formatting.difference(x, "share"), formatting.difference(x, "value")):
        figure = float(text.removesuffix("%").removesuffix(" pp").replace(",", "")) if text[0] in "+-" else 0.0
        assert figure != 0 and (figure > 0) == (x > 0) or text.startswith(f"just {side} 0"), text


UNITS = ["share", "value", "ratio", "points", "score", "hours"]


@given(st.floats(min_value=-1e12, max_value=1e12), st.sampled_from(UNITS))
def test_no_number_has_an_exponent(x, unit):
    texts = (formatting.value(x, unit), formatting.difference(x, unit), formatting.lift(x), formatting.number(x))
    assert not any(re.search(r"\d[eE][-+]?\d", text) for text in texts)
    decimals = [len(part) for text in texts for part in re.findall(r"\.(\d+)", text)]
    assert max(decimals, default=0) <= 4


@pytest.mark.parametrize(
    ("p", "alpha", "text"),
    [
        (0.0021, 0.05, ".0021"),
        (0.0496, None, ".050"),
        (0.0496, 0.05, ".0496"),
        (0.04999, 0.05, ".0499"),
        (0.049999, 0.05, ".0499"),
        (0.05, 0.05, ".050"),
        (0.050001, 0.05, ".050"),
        (0.0001, 0.05, ".0001"),
        (0.000099, 0.05, "< .0001"),
        (0.31, 0.05, ".310"),
        (2.2e-22, 0.05, "< .0001"),
        (0.0, None, "< .0001"),
        (0.99999, 0.05, "1"),
    ],
)
def test_p_value(p, alpha, text):
    assert formatting.p_value(p, alpha) == text


@given(st.floats(min_value=1e-12, max_value=1), st.sampled_from([0.01, 0.025, 0.05, 0.05 / 3, 0.1]))
def test_p_value_stays_on_its_side_of_alpha(p, alpha):
    text = formatting.p_value(p, alpha)
    assert re.fullmatch(r"\.\d{3,4}|1|< \.0001", text), "at most four decimals, no exponent"
    if abs(p - alpha) > 1e-9:
        assert (float(text.removeprefix("< ")) < alpha) == (p < alpha)


@pytest.mark.parametrize(
    ("p", "text"), [(0.0021, "p = .0021"), (0.31, "p = .310"), (1e-9, "p < .0001"), (1.0, "p = 1")]
)
def test_a_p_value_in_a_sentence(p, text):
    assert formatting.p_words(p) == text


@pytest.mark.parametrize(
    ("x", "text"),
    [(0, "0"), (1234.5678, "1,235"), (12.345, "12.35"), (0.123456, "0.1235"), (0.00002, "0.0000"), (-3e-9, "-0.0000")],
)
def test_a_number_without_an_interval_has_four_digits_and_at_most_four_decimals(x, text):
    assert formatting.number(x) == text


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("orders", "Orders"),
        ("revenue_per_visitor", "Revenue per visitor"),
        ("nps", "NPS"),
        ("csat_of_calls", "CSAT of calls"),
        ("aov", "AOV"),
        ("day_1", "Day 1"),
        ("iPhone", "IPhone"),
        ("معدل التحويل", "معدل التحويل"),
        ("_", "_"),
    ],
)
def test_a_title_is_made_from_a_key(name, title):
    assert formatting.title_of(name) == title


def test_days_are_written_for_people():
    assert formatting.day("2024-10-06") == formatting.day("2024-10-06T23:10:00+01:00") == "6 October 2024"
    assert formatting.day("soon") == "soon"
    assert formatting.days("2024-04-08", "2024-05-05") == "8 April to 5 May 2024"
    assert formatting.days("2023-12-28", "2024-01-03") == "28 December 2023 to 3 January 2024"
    assert formatting.days("2024-05-05", "2024-05-05") == "5 May 2024"


@pytest.mark.parametrize(
    ("noun", "one"),
    [
        ("visitors", "visitor"),
        ("companies", "company"),
        ("people", "person"),
        ("searches", "search"),
        ("staff", "staff"),
        ("purchases", "purchase"),
    ],
)
def test_singular(noun, one):
    assert formatting.singular(noun) == one
    assert formatting.plural(1, noun) == f"1 {one}"
    assert formatting.plural(2000, noun) == f"2,000 {noun}"
