import pytest
from hypothesis import given
from hypothesis import strategies as st

from abcx.report.interval_bar import ASCII, UNICODE, bar, column, ruler


def test_every_thing_is_in_its_cell():
    #                                   -10 ......... 0 ......... 10, one cell per unit
    assert bar((-5, 2, 8), (-10, 10), 21) == "     ├────┼─●─────┤  "
    assert bar((3, 5, 8), (-10, 10), 21) == "          │  ├─●──┤  "
    assert bar((3, 5, 8), (-10, 10), 21, ascii=True) == "          |  [-o--]  "


def test_band_is_shaded_and_doubles_the_line_over_it():
    assert bar((3, 6, 8), (-10, 10), 21, band=(0, 5)) == "          │░░├══●─┤  "
    assert bar((-2, 6, 8), (-10, 10), 21, band=(0, 5), ascii=True) == "        [-+=====o-]  "


def test_marks_stay_visible_over_the_line_but_not_over_ends_and_estimate():
    assert bar((-5, 0, 3), (-10, 10), 21, marks=(-8,)) == "  ▌  ├────●──┤       "
    assert bar((-9, 0, 3), (-10, 10), 21, marks=(-8,)) == " ├▌───────●──┤       "
    assert bar((-8, 0, 3), (-10, 10), 21, marks=(-8,)) == "  ├───────●──┤       "


@pytest.mark.parametrize(
    ("low", "estimate", "high", "drawn"),
    [
        (None, 2, 8, "←─────────┼─●─────┤  "),
        (-5, 2, None, "     ├────┼─●───────→"),
        (None, None, None, "←─────────┼─────────→"),
        (-99, 2, 8, "←─────────┼─●─────┤  "),
        (-5, 2, 99, "     ├────┼─●───────→"),
        (-5, 99, 999, "     ├────┼─────────→"),
        (20, 30, 40, "          │         →"),
        (-40, -30, -20, "←         │          "),
        (4, 4, 4, "          │   ●      "),
        (4, None, 8, "          │   ├───┤  "),
        (float("nan"), float("nan"), 8, "←─────────┼───────┤  "),
        (2, float("inf"), float("inf"), "          │ ├───────→"),
    ],
)
def test_open_ends_and_ends_beyond_the_axis(low, estimate, high, drawn):
    assert bar((low, estimate, high), (-10, 10), 21) == drawn


def test_an_axis_needs_two_ends():
    with pytest.raises(ValueError, match="axis_low < axis_high"):
        bar((0, 1, 2), (5, 5), 20)


def test_without_a_zero_line_and_without_room():
    assert bar((2, 3, 4), (0, 10), 11, zero=None) == "  ├●┤      "
    assert bar((2, 3, 4), (1, 10), 10) == " ├●┤      "
    assert bar((2, 3, 4), (0, 10), 0) == ""


numbers = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))


@given(numbers, numbers, numbers, st.floats(-1e6, 0), st.floats(0.001, 1e6), st.integers(0, 120), st.booleans())
def test_a_bar_is_exactly_as_wide_as_asked(low, estimate, high, axis_low, axis_high, width, ascii):
    drawn = bar(
        (low, estimate, high), (axis_low, axis_high), width, band=(0.0, axis_high / 3), marks=(axis_low,), ascii=ascii
    )
    assert len(drawn) == width
    assert set(drawn) <= {" ", *(ASCII if ascii else UNICODE)}
    assert not ascii or drawn.isascii()


@given(st.integers(2, 200), st.data())
def test_columns_are_the_nearest_cells(width, data):
    place = data.draw(st.integers(0, width - 1))
    nudge = data.draw(st.floats(-0.49, 0.49))
    x = min(max(place + nudge, 0), width - 1)
    assert column(x, 0, width - 1, width) == place
    assert column(-1, 0, width - 1, width) is None
    assert column(width, 0, width - 1, width) is None


def test_ruler_gives_room_to_the_first_labels():
    assert ruler([(0, "0"), (5, "+5%"), (-10, "worse"), (10, "better")], -10, 10, 21) == "worse     0   +5%    "
    assert ruler([(0, "0"), (1, "+5%"), (-10, "worse")], -10, 10, 21) == "worse     0          "
    assert ruler([(0, "0"), (1, "too long for it")], -10, 10, 9) == "    0    "
