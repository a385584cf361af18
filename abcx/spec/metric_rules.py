"""Rules of a single metric: goal, margin, effect sizes, and what is counted."""

from __future__ import annotations

from collections.abc import Iterator

from abcx.metrics import MetricSpec
from abcx.metrics.ratio import Ratio
from abcx.spec.document import Loc
from abcx.spec.findings import Finding
from abcx.spec_types import EffectSizeValue, Term


def metric_rules(name: str, metric: MetricSpec) -> Iterator[Finding]:
    """Every broken rule of one metric."""
    loc: Loc = ("metrics", name)
    if metric.goal is None and metric.needs_goal:
        yield Finding(
            loc,
            "goal-missing",
            f"'{name}' has no goal",
            "say which direction is good: goal: increase or goal: decrease",
            key=True,
        )
    if metric.role == "guardrail" and metric.margin is None:
        yield Finding(
            loc,
            "margin-missing",
            f"the guardrail '{name}' has no margin",
            "say how much harm is tolerated: margin: 5%",
            key=True,
        )
    if metric.role in ("secondary", "descriptive") and metric.margin is not None:
        yield Finding(
            (*loc, "margin"),
            "margin-unused",
            f"a {metric.role} metric has no margin",
            "remove it, or give the metric the role guardrail",
            key=True,
        )
    for key in ("minimum_effect", "margin"):
        size: EffectSizeValue | None = getattr(metric, key)
        if size is not None:
            yield from _effect_size((*loc, key), size, metric)
    yield from _terms(name, metric)
    for rule in metric.rules():
        where: Loc = (*loc, rule.key) if rule.key else loc
        yield Finding(where, rule.code, rule.message, rule.help, key=rule.at_key)


def _effect_size(loc: Loc, size: EffectSizeValue, metric: MetricSpec) -> Iterator[Finding]:
    if size.relative:
        if metric.value_kind in ("points", "score"):
            yield Finding(
                loc,
                "effect-size-unit",
                f"'{size.text}' is relative, and a {metric.type} has no lift: its zero is arbitrary",
                "write points: 2pt",
            )
        elif loc[-1] == "margin" and size.value >= 1 and metric.goal == "increase":
            yield Finding(
                loc, "effect-size-unit", f"a margin of {size.text} tolerates anything", "write a margin below 100%"
            )
    elif metric.value_kind == "share":
        if size.unit != "pp":
            number = f"{100 * size.value:g}" if not size.unit and size.value < 1 else size.text.rstrip("mhdwpt ")
            yield Finding(
                loc,
                "effect-size-unit",
                f"'{size.text}' is ambiguous on a share",
                f"write {number}% (relative) or {number}pp (percentage points)",
            )
        elif size.value >= 1:
            yield Finding(loc, "effect-size-unit", f"a share cannot move by {size.text}", "write less than 100pp")
    elif size.unit and size.unit != {"points": "pt", "score": "pt", "hours": "h"}.get(metric.value_kind):
        form = {"points": "points: 2pt", "score": "points of the scale: 0.2", "hours": "5% (relative) or a time: 3h"}
        cure = form.get(metric.value_kind, "5% (relative) or a number in the metric's unit")
        yield Finding(loc, "effect-size-unit", f"'{size.text}' does not fit a {metric.type}", f"write {cure}")


def _terms(name: str, metric: MetricSpec) -> Iterator[Finding]:
    loc: Loc = ("metrics", name)
    if isinstance(metric, Ratio):
        for part, term in (("numerator", metric.numerator), ("denominator", metric.denominator)):
            if term is not None:
                yield from _term((*loc, part), term)
                if term.event is None and term.column is None:
                    yield Finding(
                        (*loc, part),
                        "term-empty",
                        f"the {part} names neither an event nor a column",
                        "write {event: purchase} or {column: orders}",
                    )
        if (metric.numerator is None) != (metric.denominator is None):
            yield Finding(
                loc, "term-empty", f"'{name}' has only one part of a ratio", "write numerator and denominator", key=True
            )
        kinds = {term.column is not None for term in (metric.numerator, metric.denominator) if term is not None}
        if metric.where and True in kinds:
            yield Finding(
                (*loc, "where"),
                "where-on-column",
                "`where` cannot filter a ready-made column",
                "filter the file: data.units.where",
                key=True,
            )
    elif columns := metric.needs().columns:
        yield from _term(loc, columns[0].term)


def _term(loc: Loc, term: Term) -> Iterator[Finding]:
    if term.event is not None and term.column is not None:
        yield Finding(
            (*loc, "column"),
            "event-and-column",
            "both an event and a column are named",
            "keep one: the event is summed per unit, the column is ready-made",
            key=True,
        )
    if term.column is not None:
        for key, given in (
            ("where", bool(term.where)),
            ("value", term.value),
            ("count", term.count),
            ("source", term.source),
        ):
            if given:
                yield Finding(
                    (*loc, key),
                    "where-on-column" if key == "where" else "event-key",
                    f"`{key}` belongs to events, not to a ready-made column",
                    "filter the file: data.units.where" if key == "where" else f"remove `{key}`",
                    key=True,
                )
    elif term.event is None and (term.value or term.source):
        yield Finding(
            loc, "event-missing", "a value is named but no event", "name the event whose values are summed", key=True
        )
    if term.at_least and (term.value or term.column or (loc[-1] in ("numerator", "denominator") and not term.count)):
        yield Finding(
            (*loc, "at_least"),
            "event-key",
            "`at_least` counts units by their number of events",
            "keep it beside `event` in a conversion, or beside `count: units` in a part of a ratio",
            key=True,
        )
    if term.value and term.count:
        yield Finding(
            (*loc, "count"), "value-and-count", "`value` sums and `count: units` counts", "keep one of them", key=True
        )
    if term.missing_value and not term.value and not term.column:
        yield Finding(
            (*loc, "missing_value"),
            "event-key",
            "`missing_value` needs a `value` or a `column`",
            "remove it, or name the value of the event",
            key=True,
        )
