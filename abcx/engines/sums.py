"""Sums of values and of their products by arm, independent of the order of rows and of threads.

Addition of floating-point numbers is not associative: a variance over a million units in another order, or by another
number of threads, differs in its 14th digit, and a p-value in its 12th. So each value is taken less a center of its
arm and scaled to lie within -1 and 1, and each summand t is split as t = h + (t - h) with h = (t + m) - m, which rounds
it to a multiple of the last digit of m. For m = 1.5 x 2^k and fewer than 2^k rows every partial sum of the h is exact,
in any order; the rest is smaller by as much as the rounding of m, and is added up with compensation (Demmel, Nguyen
2013, "Fast reproducible floating-point summation", ARITH 21). Both sums are then combined as fractions in Python.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from abcx.engines.local import Engine
from abcx.engines.quoting import literal
from abcx.errors import DataError
from abcx.problems import Problem

_DIGITS = 24
"""Binary digits of a center: few enough that the order of rows changes them once in a billion, and squares are
exact."""
SMALLEST = 1e-150
"""Minimum difference of values: the squares of smaller ones are 0."""
_NOISE = Fraction(1, 1 << 50)
"""A variance below this fraction of the mean square of the summed values is rounding error."""


@dataclass(frozen=True, slots=True)
class Scaled:
    """Values as (value - center of the arm) x 2^-power, a column of the grid's table."""

    column: str
    centers: Mapping[int, float]
    power: int


@dataclass(frozen=True, slots=True)
class Grid:
    """Scaled values: `table` is the FROM item with their columns, `step` the constant m that splits a summand."""

    table: str
    values: tuple[Scaled, ...]
    step: float

    def total(self, factors: Sequence[int]) -> tuple[str, str]:
        """The SQL of the two parts of the sum of a product of values, by position."""
        term = " * ".join(self.values[position].column for position in factors)
        high = f"(({term} + {literal(self.step)}) - {literal(self.step)})"
        return f"sum({high})", f"fsum({term} - {high})"


def grid(engine: Engine, table: str, expressions: Sequence[str]) -> Grid:
    """The SQL `expressions` on the rows of a table that has a column `arm`, scaled. Raises DataError for values that
    differ by less than 1e-150."""
    fields = [f"favg({sql}), min({sql}), max({sql})" for sql in expressions]
    rows = engine.run(f"SELECT {', '.join(['arm', 'count(*)', *fields])} FROM {table} GROUP BY arm ORDER BY arm")
    values, columns = [], []
    for i, sql in enumerate(expressions):
        aggregates = {row[0]: row[2 + 3 * i : 5 + 3 * i] for row in rows}
        ends = {
            arm: tuple(float(x) for x in mean_min_max)
            for arm, mean_min_max in aggregates.items()
            if mean_min_max[0] is not None
        }
        centers = {arm: short(mean) for arm, (mean, *_) in ends.items()}
        reach = max(
            (abs(end - centers[arm]) for arm, mean_min_max in ends.items() for end in mean_min_max[1:]), default=0.0
        )
        if 0.0 < reach < SMALLEST:  # its squares would be 0
            message = f"values that differ by less than {SMALLEST:g} cannot be told apart"
            raise DataError(
                Problem("error", "small-values", message, None, "give them in a smaller unit: larger numbers")
            )
        power = math.frexp(reach)[1] + 1 if reach else 0
        cases = " ".join(f"WHEN {arm} THEN {literal(center)}" for arm, center in centers.items())
        centered = f"({sql} - CASE arm {cases} END)" if cases else f"({sql})"
        columns.append(f"{centered} * {literal(math.ldexp(1.0, -power))} AS scaled{i}")
        values.append(Scaled(f"scaled{i}", centers, power))
    bits = sum(int(row[1]) for row in rows).bit_length() + 2
    return Grid(f"(SELECT {', '.join(['*', *columns])} FROM {table})", tuple(values), math.ldexp(1.5, bits))


def short(x: float) -> float:
    """x rounded to 24 binary digits, so that it does not depend on its last digits."""
    digits, power = math.frexp(x)
    return math.ldexp(round(digits * (1 << _DIGITS)), power - _DIGITS)


def combined(parts: tuple[Any, Any]) -> Fraction:
    """A sum from its two parts; NULL parts are 0."""
    return sum((Fraction(float(part)) for part in parts if part is not None), Fraction(0))


def mean(value: Scaled, arm: int, n: int, total: Fraction) -> tuple[float, float]:
    """The mean of n > 0 values of an arm from the sum of the scaled ones, and its rounding error."""
    exact = Fraction(value.centers.get(arm, 0.0)) + total / n * Fraction(2) ** value.power
    near = float(exact)
    return near, float(exact - Fraction(near))


def covariance(one: Scaled, other: Scaled, n: int, products: Fraction, totals: tuple[Fraction, Fraction]) -> float:
    """The covariance (of a value with itself: the variance) with divisor n - 1; 0.0 for n < 2."""
    if n < 2:
        return 0.0
    left = products - totals[0] * totals[1] / n
    if one is other and left <= _NOISE * products:
        return 0.0
    return float(left / (n - 1) * Fraction(2) ** (one.power + other.power))


def skewness(n: int, totals: tuple[Fraction, Fraction, Fraction]) -> float | None:
    """The sample skewness, G1 of Joanes and Gill (1998), from sums of first, second and third powers; None for n < 3 or
    without spread."""
    if n < 3:
        return None
    first, second, third = (total / n for total in totals)
    spread, cubes = second - first**2, third - 3 * first * second + 2 * first**3
    if spread <= _NOISE * second:
        return None
    deviation = math.sqrt(spread)
    return float(cubes) / (deviation * float(spread)) * (math.sqrt(n * (n - 1)) / (n - 2))
