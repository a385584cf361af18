"""The effect over time in text: cumulative by day of exposure, and by day since exposure."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from abcx import formatting
from abcx.formatting import clean
from abcx.report import fragments, quantities
from abcx.report.fragments import titled
from abcx.report.interval_bar import bar, ruler
from abcx.report.markup import block, escape, table
from abcx.results.metric import EffectSeries, MetricResult, Point
from abcx.results.readout import Results

WIDTH = 44
_TITLES = {
    "cumulative": "All units exposed up to each day",
    "since_exposure": "By day since exposure, the same {units} units on every day",
}


def line(results: Results, metric: MetricResult) -> list[str]:
    """`By day since exposure (8,812 visitors): +12.1% on day 1, +3.0% on day 7.`"""
    lines = []
    for course in metric.course:
        if course.kind != "since_exposure" or len(course.points) < 2:
            continue
        who = f" with {clean(course.arm)}" if len(metric.comparisons) > 1 else ""
        ends = [f"{_effect(metric, point)} on day {point.day}" for point in (course.points[0], course.points[-1])]
        units = formatting.plural(course.points[0].units, clean(results.setup.unit))
        lines.append(f"{fragments.titled(metric)}{who} by day since exposure ({units}): {formatting.joined(ends)}.")
    return lines


def _relative(course: EffectSeries) -> bool:
    return all(point.lift is not None for point in course.points[-1:])


def _effect(metric: MetricResult, point: Point) -> str:
    return formatting.lift(point.lift) if point.lift is not None else _form(metric)(point.difference)


def _form(metric: MetricResult) -> Callable[[float | None], str]:
    return quantities.form_of(metric).difference


def section(results: Results) -> Iterator[str]:
    """Charts in text, for Markdown."""
    series = [(metric, course) for metric in results.metrics for course in metric.course if len(course.points) > 1]
    if not series:
        return
    yield _caution(results)
    for metric, course in series:
        title = _TITLES[course.kind].format(units=formatting.count(course.points[0].units))
        yield f"### {escape(titled(metric))}, {escape(course.arm)}"
        yield f"{title}."
        yield block("\n".join(chart(metric, course)))


def _caution(results: Results) -> str:
    """How the intervals of single days are to be read."""
    level = fragments.level(results.setup.alpha)
    looks = "" if results.monitoring.rule == "fixed" else ", and it is not corrected for repeated looks"
    return (
        f"Each line is compared by itself, with its {level} interval by the analytic method{looks}; it decides nothing."
    )


def chart(metric: MetricResult, course: EffectSeries) -> Iterator[str]:
    """A line per day: day, units, effect, interval, bar. Good is on the right."""
    points = course.points
    relative = _relative(course)
    mirrored = metric.goal == "decrease"
    tracks = [_track(point, relative, mirrored) for point in points]
    # The first days of a cumulative course are wide; the axis belongs to the later half.
    shown = tracks[len(tracks) // 2 :] if course.kind == "cumulative" else tracks
    later = [x for low, at, high in shown for x in (low, at, high) if x is not None]
    low, high = min([*later, 0.0]), max([*later, 0.0])
    span = (high - low) or 1.0
    axis = low - span / 5, high + span / 5
    form: Callable[[float], str] = formatting.lift if relative else _form(metric)
    texts = [_texts(course, point, relative, form) for point in points]
    widths = [max(len(row[i]) for row in texts) for i in range(4)]
    head = ruler([(0.0, "0"), (axis[0], "worse"), (axis[1], "better")], *axis, WIDTH)
    yield f"{'':{sum(widths) + 8}}{head}".rstrip()
    for (first, at, last), row in zip(tracks, texts, strict=True):
        drawn = "" if at is None and first is None and last is None else bar((first, at, last), axis, WIDTH)
        cells = [f"{row[0]:<{widths[0]}}", *(f"{row[i]:>{widths[i]}}" for i in (1, 2)), f"{row[3]:<{widths[3]}}"]
        yield "  ".join([*cells, drawn]).rstrip()


def _texts(
    course: EffectSeries, point: Point, relative: bool, form: Callable[[float], str]
) -> tuple[str, str, str, str]:
    day = f"day {point.day}" if course.kind == "since_exposure" else point.day
    estimate, interval = (
        (point.lift, point.lift_interval) if relative else (point.difference, point.difference_interval)
    )
    return (
        day,
        formatting.count(point.units),
        fragments.shown(estimate, form),
        quantities.ends(interval, form),
    )


def _track(point: Point, relative: bool, mirrored: bool) -> tuple[float | None, float | None, float | None]:
    estimate, interval = (
        (point.lift, point.lift_interval) if relative else (point.difference, point.difference_interval)
    )
    low, high = interval or (estimate, estimate)
    if mirrored:
        low, estimate, high = (None if x is None else -x for x in (high, estimate, low))
    return low, estimate, high


def tables(results: Results) -> Iterator[str]:
    """The same as tables, for pages that draw the charts."""
    if any(len(course.points) > 1 for metric in results.metrics for course in metric.course):
        yield _caution(results)
    for metric in results.metrics:
        for course in (course for course in metric.course if len(course.points) > 1):
            yield f"### {escape(titled(metric))}, {escape(course.arm)}"
            yield f"{_TITLES[course.kind].format(units=formatting.count(course.points[0].units))}."
            relative = _relative(course)
            form: Callable[[float], str] = formatting.lift if relative else _form(metric)
            rows = [_texts(course, point, relative, form) for point in course.points]
            yield table(
                ("day", escape(results.setup.unit), "effect", "interval"), [[*map(escape, r)] for r in rows], "lrrl"
            )
