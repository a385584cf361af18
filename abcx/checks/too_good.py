"""**Too good to be true**: is a figure more striking than changes of a page usually bring about?

Looks at: a primary metric that is significantly better with a lift above 50 %, or that is 0 in the control and not in a
variant, and an order value (the sum of an
event's values over the number of events or of buyers) that moves by more than 20 % either way although nothing says
that prices changed. The order value is read from a ratio metric, or worked out from a mean and a conversion on the same
event. Warns; it is never a veto.

Why it matters: any figure that looks interesting or different is usually wrong (Twyman's law). Real changes of a page
move conversions by a few per cent, and a filter or a button does not make people pay 20 % more. Lifts of another size
come from double tracking, a broken control, bots, a price change that ran at the same time as the test, or a few large
orders, far more often than from the change.

What to do now: look for the dull explanation first. Count a few orders by hand in the shop's own system, read the
checks `srm`, `duplicates` and `outliers`, and repeat the test before anybody quotes the figure. If prices did change,
say so in the spec: `tags: [price-change]`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from abcx.checks.context import CheckContext
from abcx.checks.words import SHOWN, lift_text, listed, sentences
from abcx.metrics import MetricSpec
from abcx.results.metric import Comparison, MetricResult
from abcx.results.readout import CheckResult
from abcx.spec_types import Term

LIFT = 0.5
ORDER_VALUE = 0.2
PRICE_TAG = "price-change"


@dataclass(frozen=True)
class _Move:
    """How far something moved in a variant; `chance` where its interval still contains no effect, `from_zero` where the
    control has none of it, so that there is no lift. `name` is made of keys, `title` for people."""

    name: str
    title: str
    arm: str
    lift: float
    suspect: bool
    chance: bool = False
    from_zero: bool = False


def check(context: CheckContext) -> CheckResult:
    """Lifts of primary metrics and moves of order values, against what changes usually do."""
    primaries, orders = _primaries(context), _order_values(context)
    moves = primaries + orders
    if not moves:
        message = "No metric that decides has a change in percent."
        return CheckResult("too_good", "skipped", message, help="needs a primary metric with a lift")
    details = {
        "primary": [_as_json(move) for move in primaries],
        "order_value": [_as_json(move) for move in orders],
        "price_change": _prices_changed(context),
    }
    suspects = [move for move in moves if move.suspect]
    if not suspects:
        most = max(moves, key=lambda move: abs(move.lift))
        message = (
            f"No change calls the data into question: the largest is {lift_text(most.lift)} ({_name(context, most)})."
        )
        return CheckResult("too_good", "pass", message, None, details)
    moved = [f"{_name(context, move)} moved by {lift_text(move.lift)}" for move in suspects if not move.from_zero]
    more = "more than such changes usually bring"
    more += ", which may be chance" if all(move.chance for move in suspects if not move.from_zero) else ""
    zero = [_from_zero_text(context, move) for move in suspects if move.from_zero]
    message = sentences(
        f"{listed(moved)}, {more}" if moved else "", *zero[:SHOWN], "errors of measurement are the more likely cause"
    )
    help = "Look for double tracking, a broken control, bots, price changes, a few large orders"
    if any(move in orders for move in suspects):
        help += "; if prices did change, write `tags: [price-change]`"
    return CheckResult("too_good", "warn", message, None, details, help)


def _primaries(context: CheckContext) -> list[_Move]:
    moves = []
    for result in context.metrics.values():
        for comparison in result.comparisons if result.role == "primary" else ():
            from_zero = _from_zero(result, comparison)
            if comparison.lift is not None or from_zero:
                striking = from_zero or (comparison.status == "better" and abs(comparison.lift or 0.0) > LIFT)
                lift, title = comparison.lift or 0.0, context.title(result.name)
                moves.append(_Move(result.name, title, comparison.arm, lift, striking, from_zero=from_zero))
    return moves


def _from_zero(result: MetricResult, comparison: Comparison) -> bool:
    """Whether the control has nothing and the variant has something."""
    values = {arm.name: arm.value for arm in result.arms}
    return (
        values.get(comparison.control) == 0 and bool(values.get(comparison.arm)) and result.unit in ("share", "value")
    )


def _order_values(context: CheckContext) -> list[_Move]:
    """Moves of order values: of ratio metrics, else of a mean divided by a conversion on the same event."""
    metrics = context.experiment.metrics
    excused = _prices_changed(context)
    moves_by_event: dict[tuple[str, str | None], list[_Move]] = {}
    for name, metric in metrics.items():
        sold = _sold(metric) if metric.value_kind == "ratio" else None
        if sold is not None:
            moves = [_of_ratio(context, name, arm, excused) for arm in context.experiment.variants]
            moves_by_event.setdefault((str(sold.event), sold.value), []).extend(move for move in moves if move)
    for name, metric in metrics.items():
        sold = _sold(metric) if metric.value_kind == "value" else None
        if sold is None or (str(sold.event), sold.value) in moves_by_event:
            continue
        buyers = next(
            (conversion for conversion, m in metrics.items() if metric.is_made_by(m, context.experiment.window)), None
        )
        if buyers is not None:
            moves = [_implied(context, name, buyers, arm, excused) for arm in context.experiment.variants]
            moves_by_event[str(sold.event), sold.value] = [move for move in moves if move]
    return [move for moves in moves_by_event.values() for move in moves]


def _sold(metric: MetricSpec) -> Term | None:
    """The term that sums an event's values, where the metric is made of it: per unit, or per such event."""
    first, *other_terms = (column.term for column in metric.needs().columns)
    if first.event is None or first.value is None:
        return None
    return first if all(_event(term) == _event(first) and term.value is None for term in other_terms) else None


def _event(term: Term) -> tuple[Any, ...]:
    return term.event, term.column, term.where, term.source


def _of_ratio(context: CheckContext, name: str, arm: str, excused: bool) -> _Move | None:
    comparison = context.comparison(name, arm)
    if comparison is None or comparison.lift is None:
        return None
    low, high = comparison.lift_interval or (None, None)
    chance = (low is None or low <= 0) and (high is None or high >= 0)
    striking = abs(comparison.lift) > ORDER_VALUE and not excused
    return _Move(name, context.title(name), arm, comparison.lift, striking, chance)


def _implied(context: CheckContext, mean: str, conversion: str, arm: str, excused: bool) -> _Move | None:
    """Value per buyer = value per unit / share of buyers; the name says how it was made."""
    total, share = context.comparison(mean, arm), context.comparison(conversion, arm)
    if total is None or share is None or total.lift is None or share.lift is None or share.lift <= -1:
        return None
    lift = (1 + total.lift) / (1 + share.lift) - 1
    title = f"order value ({context.title(mean)} / {context.title(conversion)})"
    return _Move(f"{mean} / {conversion}", title, arm, lift, abs(lift) > ORDER_VALUE and not excused)


def _prices_changed(context: CheckContext) -> bool:
    return PRICE_TAG in context.experiment.tags


def _as_json(move: _Move) -> dict[str, Any]:
    lift = None if move.from_zero else move.lift
    return {"metric": move.name, "arm": move.arm, "lift": lift, "suspect": move.suspect}


def _name(context: CheckContext, move: _Move) -> str:
    return move.title + (f" in {move.arm}" if len(context.experiment.variants) > 1 else "")


def _from_zero_text(context: CheckContext, move: _Move) -> str:
    return f"{move.title} is 0 in {context.experiment.control} and not in {move.arm}"
