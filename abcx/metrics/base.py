"""What every metric has: the keys that all types share, and what a metric asks of the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import Field

from abcx.stats.records import Contrast, Interval, Summary
from abcx.terms import Duration, DurationValue, EffectSize, EffectSizeValue, Model, Term, Where

Role = Literal["primary", "secondary", "guardrail", "descriptive"]
Goal = Literal["increase", "decrease"]
Kind = Literal["any", "count", "sum", "flag", "column"]


@dataclass(frozen=True, slots=True)
class UnitColumn:
    """One value per unit: `any` such event (0/1), `count` of events, `sum` of their values, or a ready-made `column`.

    `flag` is a column of 0/1, true/false. `window` is the metric's own; None means the experiment's.
    """

    kind: Kind
    term: Term
    window: DurationValue | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """What a metric asks of the data: one or two values per unit, and the summary it is compared by."""

    columns: tuple[UnitColumn, ...]
    summary: Literal["proportion", "moments", "ratio"]


class MetricOptions(Model):
    """The keys that every metric type has."""

    role: Role = Field(
        description="primary decides, secondary supports, guardrail must not be harmed, descriptive is shown"
    )
    goal: Goal | None = Field(None, description="the good direction; required unless the role is descriptive")
    window: Duration | None = Field(
        None, description="time after first exposure that counts; default: the experiment's"
    )
    where: Where = Field(default_factory=dict, description="plain conditions on the event's columns")
    minimum_effect: EffectSize | None = Field(None, description="smallest effect worth having: 5% or, absolute, 0.4pp")
    margin: EffectSize | None = Field(None, description="harm that a guardrail tolerates: 5% or, absolute, 0.4pp")


class Metric(Protocol):
    """A metric as the other rooms see it. Its file's docstring is its documentation."""

    @property
    def type(self) -> str: ...
    @property
    def role(self) -> Role: ...
    @property
    def goal(self) -> Goal | None: ...
    @property
    def window(self) -> DurationValue | None: ...
    @property
    def minimum_effect(self) -> EffectSizeValue | None: ...
    @property
    def margin(self) -> EffectSizeValue | None: ...
    @property
    def unit(self) -> Literal["share", "value", "ratio"]: ...
    def needs(self) -> Needs: ...
    def definition(self, unit: str) -> str:
        """One line for readers; `unit` is the plural noun of the units."""
        ...

    def contrast(self, control: Summary, variant: Summary) -> Contrast: ...
    def estimate(self, summary: Summary) -> float | None:
        """The arm's value in the metric's own unit; None where it does not exist."""
        ...

    def interval(self, summary: Summary, alpha: float) -> Interval | None: ...


def described(term: Term) -> str:
    """A term in words: `sum of amount over purchase`, `click events`, `column retention_7`."""
    if term.column is not None:
        return f"column {term.column}"
    if term.count == "units":
        words = f"units with {term.event}"
    else:
        words = f"sum of {term.value} over {term.event}" if term.value else f"{term.event} events"
    return f"{words} (filtered)" if term.where else words
