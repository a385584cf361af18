"""**Funnel**: where people drop out on the way to the last of several steps.

Definition: for every step the share of exposed units that did this step and all before it, in this order, within their
window; each step at or after the one before (steps of the same second count as reached, because the order of rows is
not known). With `strict: false` the order does not matter. The last step is judged, as a conversion is; the others are
described, with the units that are lost between steps.

Unit of analysis: the unit that was randomized. A unit counts once per step however often it comes back: it has reached
a step if any of its events fit. A unit that skips a step has not reached the steps after it.

Use it for checkouts, sign-ups, forms, onboarding and help flows: a conversion says that fewer people finish, a funnel
says where they are lost.

Trap: a variant that lets more people into the second step seems to lose more of them at the third, because those who
come in addition are the least determined. Differences are therefore shares of all exposed units, who were randomized;
shares of those who reached the step before are shown and not compared. Looking at every step finds a difference by
chance: the step that is named has a p-value that is corrected for all of them.

```yaml
checkout:
  type: funnel
  steps: [{event: cart_view, title: Cart}, {event: address}, {event: payment}, {event: purchase}]
  role: secondary
  goal: increase
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from abcx.metrics.base import DataNeeds, Rule, UnitColumn
from abcx.metrics.counts import CountsRow, TypedCount
from abcx.metrics.share import ShareOptions
from abcx.spec_types import Model, Term, Text, Where
from abcx.stats.records import Steps

MOST_STEPS = 30


class Step(Model):
    """One step of a funnel: an event, or a column of `units` with its time."""

    event: Text | None = Field(None, description="the event that a unit must have to reach the step")
    column: Text | None = Field(None, description="instead of an event, column of `units` with the time of the step")
    title: Text | None = Field(None, description="the step's name in reports; default: that of the event or column")
    where: Where = Field(default_factory=dict, description="plain conditions on the event's columns")
    source: str | None = Field(None, description="name of the only event file to look in")

    @property
    def name(self) -> str:
        """The step as reports call it."""
        return self.title or self.happening

    @property
    def happening(self) -> str:
        """The event of the step, or the column that holds its time."""
        return self.event or self.column or ""


class Funnel(ShareOptions):
    """Units that reach the last of several steps."""

    type: Literal["funnel"] = Field(description="the metric type")
    steps: tuple[Step, ...] = Field(description="the steps in order, each an event with conditions of its own")
    strict: bool = Field(True, description="false: a unit may do the steps in any order")

    @property
    def time_columns(self) -> tuple[str, ...]:
        return tuple(step.column for step in self.steps if step.column)

    @property
    def step_names(self) -> tuple[str, ...]:
        return tuple(step.name for step in self.steps)

    @property
    def is_per_exposed_unit(self) -> bool:
        return True

    def needs(self) -> DataNeeds:
        terms = [
            Term(event=step.happening, where={**self.where, **step.where}, source=step.source) for step in self.steps
        ]
        columns = [
            UnitColumn("reached", term, self.window, after=tuple(terms[:i]), ordered=self.strict)
            for i, term in enumerate(terms)
        ]
        return DataNeeds(tuple(reversed(columns)), "proportion")

    def rules(self) -> Iterator[Rule]:
        if not 2 <= len(self.steps) <= MOST_STEPS:
            message = f"a funnel has from 2 to {MOST_STEPS} steps, not {len(self.steps)}"
            yield Rule("steps", "funnel-steps", message, "one step alone is a conversion: type: conversion")
        for step in self.steps:
            if (step.event is None) == (step.column is None) or (step.column and (step.where or step.source)):
                message = "a step is an event, with conditions, or a column of `units` with the time of the step"
                yield Rule("steps", "funnel-steps", message, "write {event: cart_view} or {column: cart_viewed_at}")
                return
        for first, second in zip(self.steps, self.steps[1:], strict=False):
            if (first.happening, first.where, first.source) == (second.happening, second.where, second.source):
                message = (
                    f"two steps in a row are the same event '{first.happening}': whoever reaches one has reached both"
                )
                yield Rule("steps", "funnel-steps", message, "give them different conditions (`where`), or remove one")
                return
        names = self.step_names
        if twice := next((name for name in names if names.count(name) > 1), None):
            yield Rule("steps", "funnel-steps", f"two steps are called '{twice}'", "give each a `title` of its own")

    def definition(self, unit: str) -> str:
        order = "in this order" if self.strict else "in any order"
        return f"share of {unit} with {', then '.join(self.step_names)} ({order})"

    def counts_form(self, name: str, value: TypedCount) -> str | None:
        steps = len(self.steps)
        if len(value.steps) != steps:
            numbers = ", ".join(str(1000 - 100 * i) for i in range(min(steps, 4)))
            return f"write {name}: {{steps: [{numbers}]}}, one number for each of the {steps} steps"
        falls = all(a >= b for a, b in zip(value.steps, value.steps[1:], strict=False))
        return None if falls else "no step can be reached by more units than the step before it"

    def of_counts(self, value: TypedCount, units: int) -> Steps:
        return Steps(value.steps[-1], units, value.steps)

    def counts_columns(self, name: str) -> list[str]:
        return [f"{name}_{number}" for number in range(1, len(self.steps) + 1)]

    def of_counts_row(self, name: str, row: CountsRow, units: int) -> Steps:
        reached = tuple(row.whole(column) for column in self.counts_columns(name))
        return Steps(reached[-1], units, reached)
