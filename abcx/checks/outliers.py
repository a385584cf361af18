"""**Outliers**: do a few units carry the result?

Looks at: for every mean and ratio that is judged, the lift without the units with the largest values: the top 0.1 % of
all arms together, at least one, never more than a tenth of the units whose value is not 0 (those that the sensitivity
table leaves out, too). And, where the result is significant, how many top units of the leading arm would have to go
before it no longer is. Warns when the top units decide whether it is significant, when 10 or fewer carry it, or when
the lift moves by more than a third of itself without them and that is more than chance (a third of the margin of
error). A sign that flips is such a move.

Why it matters: revenue is made by few. One wholesale order in the variant can look like a better shop, and it will not
come again because of the change.

What to do now: look at these units one by one: resellers, test accounts, staff, a currency slip, a whole club's order.
Leave out what is no customer, by a rule for all arms. Cap the metric (`cap: 99.9%`) in the next spec, decided before
you look, and judge by the share of buyers, which no single order can tip.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from abcx import formatting
from abcx.checks.context import CheckContext
from abcx.checks.words import difference_text, lift_text, listed, sentences
from abcx.results.readout import CheckResult
from abcx.stats.records import Contrast, Moments, RatioMoments

MOVED = 1 / 3
FRAGILE = 10
SEARCHED = 500
"""Maximum number of top units of an arm that are removed, one after another, to see how many carry a result."""


@dataclass(frozen=True)
class _Influence:
    """One metric and variant with all units, and without the `removed` largest of all arms."""

    metric: str
    arm: str
    removed: int
    alpha: float
    full: Contrast
    rest: Contrast
    fragility: int | None

    @property
    def significant(self) -> tuple[bool, bool]:
        """With all units, and without the largest."""
        return _below(self.full.p_value, self.alpha), _below(self.rest.p_value, self.alpha)

    @property
    def moved(self) -> float:
        """How far the lift moves, as a fraction of itself (the difference, where there is no lift)."""
        old, new = self.full.lift, self.rest.lift
        if old is None or new is None:
            old, new = self.full.difference, self.rest.difference
        if old is None or new is None:
            return 0.0
        return abs(new - old) / abs(old) if old else math.inf if new else 0.0

    @property
    def by_chance(self) -> bool:
        """Whether the difference moves by no more than a third of its margin of error (two standard errors)."""
        pivot, old, new = self.full.difference_pivot, self.full.difference, self.rest.difference
        return pivot is None or old is None or new is None or abs(new - old) <= MOVED * 2 * pivot.scale

    @property
    def carried(self) -> bool:
        return self.fragility is not None and self.fragility <= FRAGILE

    @property
    def suspect(self) -> bool:
        first, second = self.significant
        return first != second or self.carried or (self.moved > MOVED and not self.by_chance)


def check(context: CheckContext) -> CheckResult:
    """Lifts without the top units, and how many units carry each significant result."""
    numbers = [
        name for name, m in context.experiment.metrics.items() if m.value_kind != "share" and m.role != "descriptive"
    ]
    if not numbers:
        message = "No metric that is judged is a mean or a ratio."
        return CheckResult("outliers", "skipped", message, help="needs a mean or ratio that is judged")
    influences = [
        influence
        for name in numbers
        for arm in context.experiment.variants
        if (influence := _influence(context, name, arm)) is not None
    ]
    if not influences:
        counts = context.observed.kind == "counts"
        message = "Counts do not hold single values." if counts else "There are no values other than 0."
        help = "needs one row per unit, not counts" if counts else "needs values that are not 0"
        return CheckResult("outliers", "skipped", message, help=help)
    details = {"metrics": {name: {i.arm: _as_json(i) for i in influences if i.metric == name} for name in numbers}}
    suspects = sorted((i for i in influences if i.suspect), key=lambda i: (not i.carried, -min(i.moved, 1e9)))
    if not suspects:
        most = max(influences, key=lambda i: i.moved)
        return CheckResult("outliers", "pass", sentences(_clause(context, most)), None, details)
    others = [context.title_in(influence.metric, influence.arm) for influence in suspects[1:]]
    also = f"the same holds for {listed(others)}" if others else ""
    effect = suspects[0].full.lift if suspects[0].full.lift is not None else suspects[0].full.difference or 0.0
    gain = (effect < 0) == (context.experiment.metrics[suspects[0].metric].goal == "decrease")
    what = "them as gains" if others else "it as the gain"
    quote = f"do not quote {what}" if gain else f"do not quote {'them' if others else 'it'} as the effect"
    message = sentences(_clause(context, suspects[0]), also, quote)
    return CheckResult("outliers", "warn", message, None, details, _help(context, suspects))


def _help(context: CheckContext, suspects: list[_Influence]) -> str:
    metrics = context.experiment.metrics
    could_cap = any(metrics[influence.metric].could_be_capped for influence in suspects)
    cap = ("cap them" if len({i.metric for i in suspects}) > 1 else "cap the metric") if could_cap else ""
    conversions = [name for influence in suspects if (name := context.conversion(influence.metric)) is not None]
    by = context.title(conversions[0]) if conversions else "the share that converts"
    ways = formatting.joined([*([f"{cap} in the next spec (`cap: 99.9%`)"] if cap else []), f"judge by {by}"])
    return f"Look at these {context.experiment.unit} one by one; {ways}"


def _influence(context: CheckContext, name: str, arm: str) -> _Influence | None:
    from abcx.stats import influence

    metric, data, control = context.experiment.metrics[name], context.data(name), context.experiment.control
    removed = influence.largest(data.summaries, data.top)
    before = data.summaries.get(control), data.summaries.get(arm)
    if not removed or not all(isinstance(summary, (Moments, RatioMoments)) for summary in before):
        return None
    old, new = before
    assert isinstance(old, (Moments, RatioMoments)) and isinstance(new, (Moments, RatioMoments))
    after = influence.shortened(old, removed.get(control, ())), influence.shortened(new, removed.get(arm, ()))
    comparison = context.comparison(name, arm)
    alpha = comparison.alpha if comparison else context.experiment.analysis.alpha
    tops = [data.top.get(side, ())[:SEARCHED] for side in (control, arm)]
    ranked: list[Any] = tops if isinstance(old, RatioMoments) else [[value for value, _ in top] for top in tops]
    return _Influence(
        metric=name,
        arm=arm,
        removed=sum(map(len, removed.values())),
        alpha=alpha,
        full=metric.contrast(old, new),
        rest=metric.contrast(*after),
        fragility=influence.fragility(old, new, ranked[0], ranked[1], alpha),
    )


def _below(p: float | None, alpha: float) -> bool:
    return p is not None and p < alpha


def _as_json(influence: _Influence) -> dict[str, Any]:
    return {
        "suspect": influence.suspect,
        "removed": influence.removed,
        "lift": influence.full.lift,
        "lift_without": influence.rest.lift,
        "difference": influence.full.difference,
        "difference_without": influence.rest.difference,
        "p_value": influence.full.p_value,
        "p_value_without": influence.rest.p_value,
        "fragility": influence.fragility,
    }


def _clause(context: CheckContext, influence: _Influence) -> str:
    """The effect with all units and without the largest, and who carries it."""
    name = context.title_in(influence.metric, influence.arm)
    lifts = influence.full.lift is not None and influence.rest.lift is not None
    contrasts = (influence.full, influence.rest)
    full, rest = (_effect(context, influence.metric, contrast, lifts) for contrast in contrasts)
    largest = "largest" if influence.removed == 1 else f"{formatting.count(influence.removed)} largest"
    ends = [abs((contrast.lift if lifts else contrast.difference) or 0.0) for contrast in contrasts]
    does = "carry" if influence.carried or ends[1] < ends[0] else "distort"
    how = f"A few large values {does}" if influence.suspect else "Large values do not carry"
    text = f"{how} {name}: {full} with all {context.experiment.unit}, {rest} without the {largest}"
    first, second = influence.significant
    if first and not second:
        text += ", and then it may be chance"
    elif second and not first:
        text += ", and only then is it clear"
    if influence.carried:
        carry = "carries" if influence.fragility == 1 else "carry"
        text += f"; {context.noun(influence.fragility or 0)} {carry} the result"
    return text


def _effect(context: CheckContext, name: str, contrast: Contrast, as_lift: bool) -> str:
    effect = contrast.lift if as_lift else contrast.difference
    if effect is None:
        return "unknown"
    return lift_text(effect) if as_lift else difference_text(effect, context.experiment.metrics[name].value_kind)
