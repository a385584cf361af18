"""Text interval bars: an interval, its estimate, the zero line, a shaded band and marks on one line of text."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple


class Glyphs(NamedTuple):
    """What a bar is drawn with, one cell each."""

    line: str
    shaded: str
    left: str
    right: str
    estimate: str
    zero: str
    crossing: str
    band: str
    mark: str
    open_left: str
    open_right: str


UNICODE = Glyphs("─", "═", "├", "┤", "●", "│", "┼", "░", "▌", "←", "→")
ASCII = Glyphs("-", "=", "[", "]", "o", "|", "+", ".", "#", "<", ">")


def bar(
    interval: tuple[float | None, float | None, float | None],
    axis: tuple[float, float],
    width: int,
    zero: float | None = 0.0,
    band: tuple[float, float] | None = None,
    marks: Sequence[float] = (),
    ascii: bool = False,
) -> str:
    """An `interval` (low, estimate, high) on an axis of `width` cells, from its low end to its high end.

    An end that is None is open; open ends and ends beyond the axis are arrows at its edge. Where the interval lies over
    the band its line is double. Of two things in one cell the estimate wins, then the ends, the marks, the zero line,
    the interval's line, the band.
    """
    (low, estimate, high), (axis_low, axis_high) = interval, axis
    if not axis_low < axis_high:
        raise ValueError(f"an axis needs axis_low < axis_high, not {axis_low} and {axis_high}")
    if width < 1:
        return ""
    glyphs = ASCII if ascii else UNICODE
    cells = [" "] * width
    if band is not None:
        _fill(cells, glyphs.band, max(min(band), axis_low), min(max(band), axis_high), axis)
    low, high = _finite(low), _finite(high)
    start, end = axis_low if low is None else low, axis_high if high is None else high
    _fill(cells, glyphs.line, max(start, axis_low), min(end, axis_high), axis, {glyphs.band: glyphs.shaded})
    if zero is not None:
        place = column(zero, *axis, width)
        crossed = place is not None and cells[place] in (glyphs.line, glyphs.shaded)
        _put(cells, glyphs.crossing if crossed else glyphs.zero, zero, axis)
    for mark in marks:
        _put(cells, glyphs.mark, mark, axis)
    _ends(cells, low, high, axis, glyphs)
    if (estimate := _finite(estimate)) is not None:
        _put(cells, glyphs.estimate, estimate, axis)
    return "".join(cells)


def ruler(labels: Iterable[tuple[float, str]], axis_low: float, axis_high: float, width: int) -> str:
    """Labels centered under their places on the axis, the first ones first; a label that finds no room is left out."""
    cells = [" "] * width
    for x, text in labels:
        place = column(x, axis_low, axis_high, width)
        if place is None or len(text) > width:
            continue
        start = min(max(place - len(text) // 2, 0), width - len(text))
        around = cells[max(start - 1, 0) : start + len(text) + 1]
        if all(cell == " " for cell in around):
            cells[start : start + len(text)] = text
    return "".join(cells)


def column(x: float, axis_low: float, axis_high: float, width: int) -> int | None:
    """The cell of `x`, from 0 to width - 1; None beyond the axis."""
    share = (x - axis_low) / (axis_high - axis_low)
    if not -1e-9 <= share <= 1 + 1e-9:
        return None
    return math.floor(min(max(share, 0.0), 1.0) * (width - 1) + 0.5)


def _finite(x: float | None) -> float | None:
    return x if x is not None and math.isfinite(x) else None


def _fill(
    cells: list[str],
    glyph: str,
    low: float,
    high: float,
    axis: tuple[float, float],
    over: Mapping[str, str] | None = None,
) -> None:
    first, last = column(low, *axis, len(cells)), column(high, *axis, len(cells))
    if low <= high and first is not None and last is not None:
        cells[first : last + 1] = [(over or {}).get(cell, glyph) for cell in cells[first : last + 1]]


def _put(cells: list[str], glyph: str, x: float, axis: tuple[float, float]) -> None:
    place = column(x, *axis, len(cells))
    if place is not None:
        cells[place] = glyph


def _ends(cells: list[str], low: float | None, high: float | None, axis: tuple[float, float], glyphs: Glyphs) -> None:
    """Ends inside the axis as brackets, others as arrows; an interval wholly beyond is one arrow."""
    width = len(cells)
    first = None if low is None else column(low, *axis, width)
    last = None if high is None else column(high, *axis, width)
    beyond_right = low is not None and first is None and low > axis[1]
    beyond_left = high is not None and last is None and high < axis[0]
    if first is not None:
        cells[first] = glyphs.left
    elif not beyond_right:
        cells[0] = glyphs.open_left
    if last is not None:
        cells[last] = glyphs.right
    elif not beyond_left:
        cells[-1] = glyphs.open_right
