"""**Conversion**: the share of exposed units that did something at least once.

Definition: units with at least one such event in their window, divided by all exposed units of the arm. A unit counts
once however often it acts; a unit without the event is a zero, not a missing value.

Unit of analysis: the unit that was randomized (visitor, account). Never page views: those belong to one visitor.

Use it for orders, sign-ups, click-through, thank-you visits, complaints, unsubscribes; with `at_least: 2` for
repurchase (two purchases or more).

Trap: a share of *those who came further* (buyers among cart visitors) has a denominator that the change itself moved;
write it as a `ratio` with the role `descriptive` instead.

```yaml
orders: {type: conversion, event: purchase, role: primary, goal: increase, minimum_effect: 5%}
```
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from abcx.metrics.base import DataNeeds, UnitColumn, described
from abcx.metrics.share import ShareOptions
from abcx.spec_types import Term, Text


class Conversion(ShareOptions):
    """Share of exposed units with at least one such event."""

    type: Literal["conversion"] = Field(description="the metric type")
    event: Text | None = Field(None, description="the event that makes a unit a success")
    column: str | None = Field(None, description="column of `units` holding 0/1 or true/false")
    source: str | None = Field(None, description="name of the only event file to look in")
    at_least: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = Field(
        None, description="minimum number of events for a success: 2 for repurchase; default 1"
    )

    missing_value: Literal["zero", "drop"] | None = Field(
        None, description="what an empty cell of `column` means: a no, or nothing"
    )

    @property
    def is_per_exposed_unit(self) -> bool:
        return True

    def needs(self) -> DataNeeds:
        term = Term(
            event=self.event,
            column=self.column,
            where=self.where,
            source=self.source,
            at_least=self.at_least,
            missing_value=self.missing_value,
        )
        return DataNeeds((UnitColumn("flag" if self.column else "happened", term, self.window),), "proportion")

    def definition(self, unit: str) -> str:
        what = self.needs().columns[0].term
        return f"share of {unit} with {described(what)}" if self.event or self.column else f"share of {unit}"
