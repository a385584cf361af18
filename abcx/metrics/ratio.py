"""**Ratio**: a sum divided by another sum, with the unit as the cluster.

Definition: numerator and denominator are summed per unit first; the arm's value is the sum of the numerators divided by
the sum of the denominators. The variance is that of the linearized ratio over units (delta method; Deng, Knoblich, Lu
2018), because the events of one unit are not independent: a per-view z-test on clicks fires on 12 % of A/A tests.

Unit of analysis: the unit that was randomized, never the event.

Use it for clicks per view, average order value, items per order, cost per retained customer.

Trap: a denominator that the change itself moves (orders, tickets) makes the ratio hard to read: fewer small orders
raise the order value while revenue falls. Give such a ratio the role `descriptive` and judge by the value per exposed
unit. `count: units` counts a unit once, however many events it has.

```yaml
order_value:
  type: ratio
  numerator: {event: purchase, value: amount}
  denominator: {event: purchase}
  role: descriptive
```
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from pydantic import Field

from abcx.currencies import is_money
from abcx.metrics.base import Companion, DataNeeds, Kind, MetricOptions, UnitColumn, described, moments_of
from abcx.metrics.counts import TypedCount
from abcx.spec_types import Term
from abcx.stats.records import Contrast, Interval, RatioMoments, Summary


class Ratio(MetricOptions):
    """Sum over sum; the unit is the cluster."""

    type: Literal["ratio"] = Field(description="the metric type")
    numerator: Term | None = Field(None, description="what is summed above the line")
    denominator: Term | None = Field(None, description="what is summed below the line")
    format: Literal["percent", "number"] | None = Field(
        None, description="how values are written; default: percent where the numerator is a part of the denominator"
    )

    @property
    def value_kind(self) -> Literal["ratio"]:
        return "ratio"

    def needs(self) -> DataNeeds:
        terms = (self.numerator or Term(), self.denominator or Term())
        joined = [term.model_copy(update={"where": {**self.where, **term.where}}) for term in terms]
        return DataNeeds(tuple(UnitColumn(_kind(term), term, self.window) for term in joined), "ratio")

    def definition(self, unit: str) -> str:
        if self.numerator is None or self.denominator is None:
            return "ratio of two sums"
        return f"{described(self.numerator)} / {described(self.denominator)}"

    def chosen_after(self, exposure: str | None) -> bool:
        if self.denominator is None or self.denominator.event is None:
            return False
        return not (self.denominator.event == exposure and self.denominator.count == "units")

    def companion(self, name: str, exposure: str | None) -> Companion | None:
        """Units may choose its denominator after exposure (orders, tickets), and move the ratio by that alone."""
        term = self.needs().columns[0].term
        alone = not self.chosen_after(exposure) or term.event is None or term.count is not None
        return None if alone else Companion(name, term, self.goal)

    @property
    def value_names(self) -> tuple[str, ...]:
        """The numerator's column; none where the denominator is of the same kind, for then the ratio has no unit."""
        if self.numerator is None or self.denominator is None:
            return ()
        above, below = ((term.value or term.column) for term in (self.numerator, self.denominator))
        return (above,) if above and not (below and is_money(below)) else ()

    def is_percent(self, summaries: Iterable[Summary]) -> bool:
        """As declared; else where the numerator counts some of the denominator's events, or where it exceeds the
        denominator in no unit and is of the same kind."""
        if self.format is not None or self.unit is not None or self.numerator is None or self.denominator is None:
            return self.format == "percent"
        above, below = self.numerator, self.denominator
        if above.event is not None and _without_conditions(above) == _without_conditions(below):
            return below.where.items() <= above.where.items()
        alike = (above.value or above.column) == (below.value or below.column) or not is_money(
            above.value or above.column
        )
        return alike and all(isinstance(s, RatioMoments) and s.numerator.n > 0 and s.is_part for s in summaries)

    def counts_form(self, name: str, value: TypedCount) -> str | None:
        parts = "{numerator: {mean: 5, sd: 9}, denominator: {mean: 2, sd: 3}, correlation: 0.4}"
        known = value.numerator is not None and value.denominator is not None and value.correlation is not None
        return None if known else f"write {name}: {parts}"

    def of_counts(self, value: TypedCount, units: int) -> Summary:
        assert value.numerator is not None and value.denominator is not None
        covariance = (value.correlation or 0.0) * value.numerator.sd * value.denominator.sd
        above, below = (moments_of(part.mean, part.sd, units) for part in (value.numerator, value.denominator))
        return RatioMoments(above, below, covariance)

    def contrast(self, control: Summary, variant: Summary) -> Contrast:
        from abcx.stats import ratios

        assert isinstance(control, RatioMoments) and isinstance(variant, RatioMoments)
        return ratios.contrast(control, variant)

    def estimate(self, summary: Summary) -> float | None:
        from abcx.stats import ratios

        assert isinstance(summary, RatioMoments)
        return ratios.value(summary)

    def interval(self, summary: Summary, alpha: float) -> Interval | None:
        from abcx.stats import ratios

        assert isinstance(summary, RatioMoments)
        return ratios.interval(summary, alpha)


def _without_conditions(term: Term) -> Term:
    return term.model_copy(update={"where": {}})


def _kind(term: Term) -> Kind:
    if term.column is not None:
        return "column"
    if term.count == "units":
        return "happened"
    return "sum" if term.value else "count"
