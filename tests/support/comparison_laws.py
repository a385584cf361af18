"""Laws that hold for every comparison: one inversion, mirror images, finite figures, scale."""

from __future__ import annotations

import dataclasses
import math

from hypothesis import strategies as st

from abcx.stats.records import Effect, Interval
from tests.support.notes import lift_text, note_text

ALPHAS = st.sampled_from([0.001, 0.01, 0.025, 0.05, 0.1, 0.2])


@st.composite
def columns(draw: st.DrawFn, n: int) -> list[float]:
    """One arm's values: zeros and whales, negatives, constants, clock times, few distinct values."""
    kind = draw(st.sampled_from(["orders", "signed", "epoch", "constant", "small", "counts"]))
    some = {
        "orders": st.one_of(st.just(0.0), st.floats(0.01, 1e4)),
        "signed": st.floats(-100, 100, allow_subnormal=False),  # half of the least one is 0: no longer the same data
        "epoch": st.floats(1.6e9, 1.6e9 + 1e5),
        "constant": st.just(draw(st.sampled_from([0.0, 0.1, 1.0, -3.0, 1e9 + 0.3]))),
        "small": st.floats(1e-9, 1e-8),
        "counts": st.integers(0, 5).map(float),
    }[kind]
    return draw(st.lists(some, min_size=n, max_size=n))


def excludes(interval: Interval, value: float) -> bool:
    low, high = interval
    return (low is not None and low > value) or (high is not None and high < value)


def check_one_inversion(found: Effect) -> None:
    if found.p_value is None:
        assert found.difference_interval is None and found.lift_interval is None and note_text(found)
        return
    significant = found.p_value < found.alpha
    if found.difference_interval is None:
        assert not significant and note_text(found)
    else:
        assert excludes(found.difference_interval, 0.0) == significant
        assert found.difference is not None
        low, high = found.difference_interval
        assert note_text(found) or (low is not None and high is not None)
        assert (low is None or low <= found.difference) and (high is None or found.difference <= high)
    if found.lift_interval is None:
        assert lift_text(found) or note_text(found)
    else:
        assert excludes(found.lift_interval, 0.0) == significant
        low, high = found.lift_interval
        assert low is not None
        if found.lift is not None:
            assert low <= found.lift and (high is None or found.lift <= high)
    if found.lift is None:
        assert lift_text(found) or note_text(found)


def check_finite(found: Effect) -> None:
    for value in dataclasses.astuple(found):
        for number in value if isinstance(value, tuple) else (value,):
            assert not isinstance(number, float) or math.isfinite(number), found
    assert found.p_value is None or 0 <= found.p_value <= 1


def close(a: float, b: float, slack: float) -> bool:
    return abs(a - b) <= slack * max(abs(a), abs(b)) + slack


def check_mirror(found: Effect, swapped: Effect, unit: float, slack: float) -> None:
    """`unit` is the size of the difference's error; `slack` what rounding of the data allows."""
    assert (found.p_value is None) == (swapped.p_value is None)
    if found.p_value is not None and swapped.p_value is not None:
        assert close(math.log(found.p_value + 1e-300), math.log(swapped.p_value + 1e-300), max(slack, 1e-8))
    if found.difference is not None and swapped.difference is not None:
        assert found.difference == -swapped.difference
    if found.difference_interval and swapped.difference_interval:
        for end, other in zip(found.difference_interval, reversed(swapped.difference_interval), strict=True):
            assert (end is None) == (other is None)
            assert end is None or other is None or close(end / unit, -other / unit, slack)
    if found.lift is not None and swapped.lift is not None and found.lift_interval and swapped.lift_interval:
        check_reciprocal(found.lift, swapped.lift, 1e-12)
        for end, other in zip(found.lift_interval, reversed(swapped.lift_interval), strict=True):
            check_reciprocal(end, other, slack)


def check_reciprocal(end: float | None, other: float | None, slack: float) -> None:
    if end is None or other is None:
        assert end is None or 1 + end < 1e-100
        assert other is None or 1 + other < 1e-100
    else:
        small, large = sorted((1 + end, 1 + other))
        assert close(small, 1 / large, slack)


def check_scaled(found: Effect, other: Effect, by: float, unit: float, slack: float) -> None:
    assert (found.p_value is None) == (other.p_value is None)
    if found.p_value and other.p_value:
        assert close(math.log(found.p_value), math.log(other.p_value), slack)
    if found.difference_interval and other.difference_interval:
        for a, b in zip(found.difference_interval, other.difference_interval, strict=True):
            assert (a is None) == (b is None)
            assert a is None or b is None or close(a / unit, b / by / unit, slack)
    assert (found.lift_interval is None) == (other.lift_interval is None)
    if found.lift_interval and other.lift_interval:
        for a, b in zip(found.lift_interval, other.lift_interval, strict=True):
            assert (a is None) == (b is None)
            assert a is None or b is None or close(a, b, slack)
