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
        (0.000003, "+0.0003%"),
        (-0.000003, "-0.0003%"),
        (0.0, "+0.00%"),
        (-0.0, "+0.00%"),
        (12.5, "+1,250.0%"),
    ],
)
def test_lift(fraction, text):
    assert formatting.lift(fraction) == text


@given(st.floats(min_value=-10, max_value=10).filter(lambda x: abs(x) > 1e-12))
def test_no_effect_is_rounded_to_nothing(x):
    def number(text):
        return float(text.removesuffix("%").removesuffix(" pp").replace(",", ""))

    assert number(formatting.lift(x)) != 0
    assert number(formatting.difference(x, "share")) != 0
    assert number(formatting.difference(x, "value")) != 0


@pytest.mark.parametrize(
    ("p", "alpha", "text"),
    [
        (0.0021, 0.05, ".0021"),
        (0.0496, None, ".050"),
        (0.0496, 0.05, ".0496"),
        (0.04999, 0.05, ".04999"),
        (0.05, 0.05, ".050"),
        (0.31, 0.05, ".310"),
        (2.2e-22, 0.05, "2.2e-22"),
        (0.99999, 0.05, "1"),
    ],
)
def test_p_value(p, alpha, text):
    assert formatting.p_value(p, alpha) == text


@given(st.floats(min_value=1e-12, max_value=1), st.sampled_from([0.01, 0.025, 0.05, 0.05 / 3, 0.1]))
def test_p_value_stays_on_its_side_of_alpha(p, alpha):
    if abs(p - alpha) > 1e-9:
        assert (float(formatting.p_value(p, alpha)) < alpha) == (p < alpha)


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
