"""Effects on one axis: every bar has its good side on the right, guardrails carry their margin."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from abcx import formatting
from abcx.report import fragments, quantities
from abcx.report.interval_bar import bar, ruler
from abcx.results.metric import Comparison, MetricResult
from abcx.results.readout import Results


@dataclass(frozen=True, slots=True)
class Track:
    """One effect as it is drawn: turned so that right is good, on the lift's scale or on that of the difference."""

    low: float | None
    estimate: float | None
    high: float | None
    relative: bool
    mirrored: bool
    band: tuple[float, float] | None
    mark: float | None


@dataclass(frozen=True, slots=True)
class Place:
    """An effect on a line from 0 to 1: its interval (an end may be open or beyond the line), its estimate, no effect
    (`zero`), the band below the minimum effect, and the margin (`mark`)."""

    low: float
    estimate: float | None
    high: float
    open_low: bool
    open_high: bool
    zero: float
    band: tuple[float, float] | None
    mark: float | None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the forest: texts and its bar, empty where there is nothing to draw."""

    metric: MetricResult
    comparison: Comparison
    estimate: str
    interval: str
    bar: str
    p: str
    own_scale: bool


@dataclass(frozen=True, slots=True)
class Forest:
    """All effects of a readout: a heading for the column of bars, a row each, what the signs mean."""

    heading: str
    rows: tuple[Row, ...]
    legend: tuple[str, ...]


Axis = tuple[float, float]


def track(metric: MetricResult, comparison: Comparison, relative: bool) -> Track | None:
    """The effect as a lift or as a difference; None where nothing is known on that scale."""
    if relative:
        estimate, interval = comparison.lift, comparison.lift_interval
    else:
        estimate, interval = comparison.difference, comparison.difference_interval
    if interval == (None, None) or (estimate is None and interval is None):
        return None
    low, high = interval if interval is not None else (estimate, estimate)
    mirrored = metric.goal == "decrease"
    if mirrored:
        low, estimate, high = _minus(high), _minus(estimate), _minus(low)
    least, margin = metric.minimum_effect, metric.margin
    band = (0.0, least.value) if least is not None and least.relative == relative else None
    mark = -margin.value if margin is not None and margin.relative == relative else None
    return Track(low, estimate, high, relative, mirrored, band, mark)


def of_metric(metric: MetricResult, width: int, ascii: bool = False) -> tuple[list[str], str]:
    """A bar for each variant on one metric, on the scale of its declared size, and the ruler below them."""
    size = metric.margin if metric.role == "guardrail" else metric.minimum_effect
    relative = all(map(fragments.has_lift, metric.comparisons)) if size is None else size.relative
    tracks = [track(metric, comparison, relative) for comparison in metric.comparisons]
    if not any(tracks):
        relative = not relative
        tracks = [track(metric, comparison, relative) for comparison in metric.comparisons]
    known = [drawn for drawn in tracks if drawn is not None]
    if not known:
        return [], ""
    axis = _axis(known, known)
    lines = ["" if drawn is None else _draw(drawn, axis, width, ascii) for drawn in tracks]
    labels, first = [(0.0, "0")], known[0]
    for x, declared in ((first.band and first.band[1], metric.minimum_effect), (first.mark, metric.margin)):
        if x is not None and declared is not None:
            labels.append((x, _signed(quantities.declared(metric, declared), x, first)))
    labels += [(axis[0], "worse"), (axis[1], "better")]
    return lines, ruler(labels, *axis, width).rstrip()


def forest(results: Results, width: int, ascii: bool = False) -> Forest:
    """Every comparison of every metric by role, all lifts on one axis; others on a scale of their own with the same
    zero."""
    pairs = [(m, c) for _, metrics in fragments.by_role(results) for m in metrics for c in m.comparisons]
    return of_lines(results, pairs, width, ascii)


def of_lines(
    results: Results, pairs: Sequence[tuple[MetricResult, Comparison]], width: int, ascii: bool = False
) -> Forest:
    """The same for some comparisons."""
    effects, axis = _tracks(pairs)
    rule = results.monitoring.rule
    lines = []
    for metric, comparison, drawn in effects:
        relative = drawn is None or drawn.relative
        texts = fragments.effect(metric, comparison, relative, rule)
        line = "" if drawn is None else _draw(drawn, axis if relative else _stretched_axis(drawn, axis), width, ascii)
        lines.append(Row(metric, comparison, *texts, line, fragments.p_value(comparison, rule), not relative))
    heading = ruler([(0.0, "0"), (axis[0], "worse"), (axis[1], "better")], *axis, width)
    legend = (*notes(pairs, any(row.bar for row in lines)), *_signs(lines, ascii))
    return Forest(heading, tuple(lines), legend)


def placed(pairs: Sequence[tuple[MetricResult, Comparison]]) -> list[Place | None]:
    """The same comparisons as places on a line of length 1, for drawings; None where there is nothing to draw."""
    effects, axis = _tracks(pairs)
    return [
        None if track is None else _place(track, axis if track.relative else _stretched_axis(track, axis))
        for _, _, track in effects
    ]


def scale(pairs: Sequence[tuple[MetricResult, Comparison]]) -> list[tuple[float, str]]:
    """Places from 0 to 1 on the line that lifts share, with their labels: 0 and two or three round lifts."""
    effects, axis = _tracks(pairs)
    if not any(track is not None and track.relative for _, _, track in effects):
        return [(-axis[0] / (axis[1] - axis[0]), "0")]
    span = axis[1] - axis[0]
    step = min((x for x in _STEPS if span / x <= 4), default=span)
    marks = [k * step for k in range(math.ceil(axis[0] / step), math.floor(axis[1] / step) + 1)]
    places = [((x - axis[0]) / span, x) for x in marks]
    return [(at, f"{100 * x:+,g}%" if x else "0") for at, x in places if x == 0 or 0.04 < at < 0.96]


_STEPS = [m * 10.0**e for e in range(-4, 4) for m in (1, 2, 5)]


def _tracks(
    pairs: Sequence[tuple[MetricResult, Comparison]],
) -> tuple[list[tuple[MetricResult, Comparison, Track | None]], Axis]:
    """What is drawn of some comparisons, and the axis that their lifts share."""
    effects = [(metric, comparison, _forest_track(metric, comparison)) for metric, comparison in pairs]
    lifts = [(metric, drawn) for metric, _, drawn in effects if drawn is not None and drawn.relative]
    core = [drawn for metric, drawn in lifts if metric.role in ("primary", "guardrail")]
    return effects, _axis([drawn for _, drawn in lifts], core)


def _place(drawn: Track, axis: Axis) -> Place:
    def at(x: float | None) -> float | None:
        return None if x is None else (x - axis[0]) / (axis[1] - axis[0])

    def inside(x: float | None, beyond: float) -> float:
        share = at(x)
        return beyond if share is None else min(max(share, 0.0), 1.0)

    low, high = at(drawn.low), at(drawn.high)
    return Place(
        low=inside(drawn.low, 0.0),
        estimate=inside(drawn.estimate, 0.5) if drawn.estimate is not None else None,
        high=inside(drawn.high, 1.0),
        open_low=low is None or low < 0,
        open_high=high is None or high > 1,
        zero=inside(0.0, 0.0),
        band=None if drawn.band is None else (inside(drawn.band[0], 0.0), inside(drawn.band[1], 1.0)),
        mark=at(drawn.mark),
    )


def notes(pairs: Sequence[tuple[MetricResult, Comparison]], drawn: bool = True) -> list[str]:
    """What must be said of some comparisons in words: where less is better, and whose bar has a scale of its own."""
    texts = []
    if mirrored := _names(metric for metric, _ in pairs if metric.goal == "decrease"):
        less = f"{mirrored}: less is better"
        texts.append(f"Right is good everywhere ({less})." if drawn else f"{less[:1].upper()}{less[1:]}.")
    tracks, _ = _tracks(pairs)
    own = _names(metric for metric, _, track in tracks if track is not None and not track.relative)
    return [*texts, f"On its own scale: {own}."] if own and drawn else texts


def _signs(lines: list[Row], ascii: bool) -> list[str]:
    """What the signs mean that occur in the bars, in a sentence."""
    drawn = [row for row in lines if row.bar]
    signs = []
    if any(_shows_margin(row) for row in drawn):
        signs.append(f"{'#' if ascii else '▌'} tolerated harm")
    if any(row.metric.minimum_effect and row.metric.minimum_effect.relative != row.own_scale for row in drawn):
        signs.append(f"{'. =' if ascii else '░ ═'} below minimum effect")
    return [f"{', '.join(signs)}."] if signs else []


def _shows_margin(row: Row) -> bool:
    return row.metric.margin is not None and row.metric.margin.relative != row.own_scale


def _forest_track(metric: MetricResult, comparison: Comparison) -> Track | None:
    """In the forest a guardrail is drawn on the scale of its margin, everything else as a lift where it has one."""
    relative = fragments.shown_as_lift(metric, comparison)
    return track(metric, comparison, relative) or track(metric, comparison, not relative)


def _draw(drawn: Track, axis: Axis, width: int, ascii: bool) -> str:
    marks = () if drawn.mark is None else (drawn.mark,)
    return bar((drawn.low, drawn.estimate, drawn.high), axis, width, band=drawn.band, marks=marks, ascii=ascii)


def _axis(tracks: list[Track], core: list[Track]) -> Axis:
    """Room for all ends, but at most twice as far as the core effects reach; both sides of zero are seen."""
    ends = [x for drawn in tracks for x in _points(drawn)]
    reach = 2 * max((abs(x) for drawn in core for x in _points(drawn)), default=0.0)
    if reach:
        ends = [max(-reach, min(reach, x)) for x in ends]
    low, high = min(ends, default=0.0), max(ends, default=0.0)
    low, high = min(low, 0.0), max(high, 0.0)
    span = high - low or 1.0
    return min(low - 0.05 * span, -0.15 * span), max(high + 0.05 * span, 0.15 * span)


def _stretched_axis(drawn: Track, axis: Axis) -> Axis:
    """The shared axis stretched so that this effect fits it, its zero in the same cell."""
    scale = max((x / (axis[1] if x > 0 else axis[0]) for x in _points(drawn) if x), default=1.0) * 1.05
    return axis[0] * scale, axis[1] * scale


def _points(drawn: Track) -> list[float]:
    known = [drawn.low, drawn.estimate, drawn.high, drawn.mark, drawn.band[1] if drawn.band else None]
    return [x for x in known if x is not None]


def _signed(text: str, x: float, drawn: Track) -> str:
    """The text of a declared size, with the sign that it has in the metric's own direction."""
    up = (x > 0) != drawn.mirrored
    return ("+" if up else "-") + text


def _names(metrics: Iterable[MetricResult]) -> str:
    return formatting.joined(list(dict.fromkeys(fragments.inline(metric) for metric in metrics)))


def _minus(x: float | None) -> float | None:
    return None if x is None else -x
