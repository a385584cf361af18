"""How the numbers of a metric are written: one rule for digits, units and money.

The interval decides: two significant digits of its width, at most two decimals of a percentage point, four of other
numbers. Rates below .1 % are given per 10,000 or per million. Nothing is in scientific notation, no rounding turns an
effect that is not 0 into 0 without saying so, and no rounding carries an end of an interval across 0 or across a
declared size where one more decimal avoids it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from abcx import formatting
from abcx.currencies import SIGNS
from abcx.results.metric import Comparison, MetricResult, Size
from abcx.results.readout import Impact
from abcx.stats.records import Interval

NOTHING = "-"
MOST_OF_PERCENT = 2
"""Decimals of a percentage and of a percentage point, at most."""
MOST = 4
"""Decimals of other numbers, at most."""
_LARGEST = 1e15


@dataclass(frozen=True, slots=True)
class Form:
    """How numbers on one scale are written: they are multiplied by `scale`, rounded to `decimals` (below 0: to tens,
    hundreds), and stand between `before` and `after`; a difference has `change` after it."""

    scale: float
    decimals: int
    before: str = ""
    after: str = ""
    change: str = ""

    def value(self, x: float | None) -> str:
        """A value: 2.17%, EUR 4.39, 26.5 h; a dash where there is none."""
        return NOTHING if x is None else self._written(x, self.after, "-" if self._number(x) < 0 else "")

    def size(self, x: float) -> str:
        """A difference without its sign: 0.56 pp, 26%; `less than 0.01%` where it rounds to 0 and is not."""
        if self._number(x) == 0 and x != 0:
            return f"less than {self.before}{10.0**-self.decimals:.{max(0, self.decimals)}f}{self.change}"
        return self._written(abs(x), self.change, "")

    def difference(self, x: float | None) -> str:
        """A difference with its sign: +0.56 pp, -26%; `just above 0%` where it rounds to 0 and is not."""
        if x is None:
            return NOTHING
        number = self._number(x)
        if number == 0 and x != 0:
            return f"just {'above' if x > 0 else 'below'} {self.before}0{self.change}"
        return self._written(x, self.change, "+" if number >= 0 else "-")

    def values(self, interval: Interval | None) -> str:
        """The interval of a value."""
        return ends(interval, self.value, self.after, self.before)

    def differences(self, interval: Interval | None, joint: str = " to ") -> str:
        """The interval of a difference, with signs: `+0.11 to +1.02 pp`, `at least +5%`."""
        return ends(interval, self.difference, self.change, self.before, joint)

    def sizes(self, interval: Interval | None, up: bool) -> str:
        """The interval of a rise, or of a fall if not `up`, without signs: `5% to 52%`; with them where it has both."""
        if interval is None or interval == (None, None):
            return NOTHING
        low, high = interval if up else (_minus(interval[1]), _minus(interval[0]))
        if (low is not None and low < 0) or (high is not None and high < 0):
            return self.differences(interval)
        return ends((low, high), self.size, self.change, self.before)

    def _number(self, x: float) -> float:
        return round(self.scale * x, self.decimals) + 0.0

    def _written(self, x: float, after: str, sign: str) -> str:
        number = abs(self._number(x))
        if number >= _LARGEST:
            return f"{sign}{self.before}{_LARGEST:,.0f}{after} or more"
        return f"{sign}{self.before}{number:,.{max(0, self.decimals)}f}{after}"


def ends(
    interval: Interval | None, form: Callable[[float], str], unit: str = "", before: str = "", joint: str = " to "
) -> str:
    """`a to b`; `at least a`, `at most b` where an end is open. A unit behind (` pp`) or before (`EUR `) is written
    once."""
    if interval is None:
        return NOTHING
    low, high = interval
    if low is None:
        return "not bounded" if high is None else f"at most {form(high)}"
    if high is None:
        return f"at least {form(low)}"
    first, last = form(low), form(high)
    if unit.startswith(" ") and last.endswith(unit):
        first = first.removesuffix(unit)
    if before.endswith(" "):
        last = last.replace(before, "", 1)
    return f"{first}{joint}{last}"


def lift_form(metric: MetricResult, comparison: Comparison | None = None, most: int = MOST_OF_PERCENT) -> Form:
    """The form of a metric's lifts, by the interval of a comparison; by the sizes of numbers where it has none."""
    numbers = [] if comparison is None else [comparison.lift, *(comparison.lift_interval or ())]
    return lifts(numbers, _sizes(metric, relative=True), most)


def lifts(numbers: Iterable[float | None], borders: Iterable[float] = (), most: int = MOST_OF_PERCENT) -> Form:
    """The form of lifts: an estimate and the two ends of its interval, as far as they exist."""
    return _fitted(Form(100.0, 0, after="%", change="%"), list(numbers), list(borders), most)


def form_of(metric: MetricResult, comparison: Comparison | None = None) -> Form:
    """The form of a metric's values and differences, by the interval of a comparison (its widest, by default)."""
    comparisons = [comparison] if comparison is not None else list(metric.comparisons)
    numbers = max(([c.difference, *(c.difference_interval or ())] for c in comparisons), key=_width, default=[])
    values = [abs(arm.value) for arm in metric.arms if arm.value is not None]
    form = _units(metric, max(values, default=0.0), _width(numbers))
    most = MOST_OF_PERCENT if form.scale > 1 or form.after == "%" else MOST
    fitted = _fitted(form, numbers or [max(values, default=None)], _sizes(metric, relative=False), most)
    if fitted.before and fitted.decimals == 1:  # no price has one decimal
        return replace(fitted, decimals=2)
    return fitted


def same_scale(metric: MetricResult, comparison: Comparison, relative: bool) -> Form:
    """The form of effects as lifts, or as differences."""
    return lift_form(metric, comparison) if relative else form_of(metric, comparison)


def of_total(metric: MetricResult, impact: Impact) -> Form:
    """The form of a sum over the units of a month: two significant digits of the width of its interval."""
    numbers = [impact.change, *impact.interval]
    unit = metric.unit_text if metric.unit != "share" and metric.currency is None else None
    after = f" {formatting.clean(unit)}" if unit else ""
    before = metric.currency or ""
    form = Form(1.0, 0, before if before in SIGNS or not before else f"{before} ", after, after)
    width = _width(numbers)
    reach = width if 0 < width < math.inf else max((abs(x) for x in numbers if x), default=1.0)
    fitted = replace(form, decimals=min(2, 1 - math.floor(math.log10(reach))))
    while fitted.decimals < 2 and not all(_keeps(fitted, x, 0.0) for x in numbers if x is not None):
        fitted = replace(fitted, decimals=fitted.decimals + 1)
    return fitted


def declared(metric: MetricResult, size: Size) -> str:
    """A declared size (minimum effect, margin) as the metric's numbers are written: 5%, 4 pp, EUR 2."""
    if size.relative:
        return _shortest(lifts([size.value]), size.value)
    return _shortest(form_of(metric), size.value)


def rounded_sum(control: float, variant: float, form: Form) -> float:
    """The difference of two values as a reader would compute it from what is written."""
    return round(form._number(variant) - form._number(control), max(form.decimals, 0)) / form.scale


def agreeing(metric: MetricResult, comparison: Comparison) -> float | None:
    """The difference of a comparison; where it is that of the values of the arms, rounded so that it agrees with them
    as they are written."""
    values = {arm.name: arm.value for arm in metric.arms}
    control, variant = values.get(comparison.control), values.get(comparison.arm)
    if comparison.difference is None or control is None or variant is None or comparison.method.is_adjusted:
        return comparison.difference
    form = form_of(metric, comparison)
    summed = rounded_sum(control, variant, form)
    near = abs(form.scale * (summed - comparison.difference)) <= 1.01 * 10.0**-form.decimals
    same_side = (summed > 0) == (comparison.difference > 0) and (summed < 0) == (comparison.difference < 0)
    return summed if near and same_side else comparison.difference


def _units(metric: MetricResult, largest: float, width: float) -> Form:
    """The scale and the unit of a metric's values; small rates per 10,000 or per million."""
    if metric.unit == "share" or metric.is_percent:
        rate = _rate(largest, width)
        return Form(100.0, 0, after="%", change=" pp") if rate is None else rate
    if metric.currency is not None:
        return Form(1.0, 0, before=metric.currency if metric.currency in SIGNS else f"{metric.currency} ")
    if metric.unit == "points":
        return Form(1.0, 0, change=" points")
    if metric.unit_text == "%":
        return Form(1.0, 0, after="%", change=" pp")
    if unit := "h" if metric.unit == "hours" else metric.unit_text:
        return Form(1.0, 0, after=f" {formatting.clean(unit)}", change=f" {formatting.clean(unit)}")
    return _rate(largest, math.inf) or Form(1.0, 0)


def _rate(largest: float, width: float) -> Form | None:
    """Per 10,000 below .1 %, per million where that would be too coarse; None for larger rates."""
    if not 0 < largest < 0.001 and not 0 < width < 0.0002:
        return None
    of = 10_000 if largest >= 1e-5 and width >= 1e-6 else 1_000_000
    per = f" per {of:,}" if of == 10_000 else " per million"
    return Form(float(of), 0, after=per, change=per)


def _fitted(form: Form, numbers: list[float | None], borders: list[float], most: int) -> Form:
    """The form with the decimals of an estimate and its interval."""
    known = [x for x in numbers if x is not None and math.isfinite(x)]
    width = form.scale * _width(numbers)
    if 0 < width < math.inf:
        decimals = 1 - math.floor(math.log10(width))
    else:
        reach = form.scale * max((abs(x) for x in known), default=1.0)
        decimals = 2 - math.floor(math.log10(reach)) if reach > 0 else 0
    tried = [replace(form, decimals=places) for places in range(max(0, min(decimals, most)), most + 1)]

    def kept(one: Form) -> int:
        return sum(_keeps(one, x, border) for x in known for border in (0.0, *borders))

    return max(tried, key=kept)  # the first of those that keep most: no decimal that does not help


def _keeps(form: Form, x: float, border: float) -> bool:
    """Whether a number lies on the same side of a border as it is written; one that is equal to it is written so."""
    written, limit = form._number(x), form.scale * border
    if math.isclose(x, border, rel_tol=1e-9, abs_tol=1e-15):
        return True
    return (written > limit) == (x > border) and not math.isclose(written, limit, rel_tol=1e-9)


def _width(numbers: list[float | None]) -> float:
    """The width of the interval of an (estimate, low, high); twice the open side where one end is open, else inf."""
    if len(numbers) < 3:
        return math.inf
    estimate, low, high = numbers[:3]
    if low is not None and high is not None:
        return high - low
    end = high if low is None else low
    return math.inf if end is None or estimate is None else 2 * abs(end - estimate)


def _sizes(metric: MetricResult, relative: bool) -> list[float]:
    """The declared sizes on a scale, on their side of 0: the minimum effect on the good one, the margin opposite."""
    good = -1.0 if metric.goal == "decrease" else 1.0
    sizes = ((good, metric.minimum_effect), (-good, metric.margin))
    return [sign * size.value for sign, size in sizes if size is not None and size.relative == relative]


def _shortest(form: Form, x: float) -> str:
    """A declared number with as many decimals as it was declared with."""
    places = next((d for d in range(7) if math.isclose(round(form.scale * x, d), form.scale * x, rel_tol=1e-9)), 6)
    return replace(form, decimals=2 if form.before and places == 1 else places).size(x)


def _minus(x: float | None) -> float | None:
    return None if x is None else -x
