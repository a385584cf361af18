"""What every metric has: the keys that all types share, and what a metric asks of the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from pydantic import Field

from abcx.formatting import Unit
from abcx.metrics.calendar import CalendarSpec
from abcx.spec_types import Duration, DurationValue, EffectSize, EffectSizeValue, Model, Term, Where
from abcx.stats.records import Contrast, Interval, Summary

Role = Literal["primary", "secondary", "guardrail", "descriptive"]
Goal = Literal["increase", "decrease"]
Kind = Literal["any", "count", "sum", "flag", "column", "first", "last", "until"]


@dataclass(frozen=True, slots=True)
class UnitColumn:
    """One value per unit: `any` such event (0/1), `count` of events, `sum` of their values, or a ready-made `column`.

    `flag` is a column of 0/1, true/false; `first` and `last` are the value of one event; `until` is the time to the
    first such event. `window` is the metric's own; None means the experiment's. Events count from `since` after
    exposure on; a unit that was not `followed` for so long has no value. `scale` holds the least and the greatest
    answer of a question, all whole numbers between them allowed.
    """

    kind: Kind
    term: Term
    window: DurationValue | None = None
    since: DurationValue | None = None
    followed: DurationValue | None = None
    scale: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Tickets:
    """Pairs of events that the column `key` joins: from `start` (inside the window) to the first `end` at or after it.

    `horizon` is how long a ticket is watched; durations are calendar time, or working time by a `calendar`. Of a ticket
    that was exported again with another end the `reexported` one counts.
    """

    start: Term
    end: Term
    key: str
    window: DurationValue | None
    horizon: DurationValue
    calendar: CalendarSpec | None = None
    reexported: Literal["first", "last"] | None = None


@dataclass(frozen=True, slots=True)
class Needs:
    """What a metric asks of the data: values per unit (or tickets), and the summary it is compared by.

    `quantile` asks for the quantile `q` of per-unit values, or with `of_events` of the values of the events themselves.
    """

    columns: tuple[UnitColumn, ...]
    summary: Literal["proportion", "moments", "ratio", "categories", "lifetimes", "quantile"]
    tickets: Tickets | None = None
    q: float | None = None
    of_events: bool = False


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
    margin: EffectSize | None = Field(None, description="harm that is tolerated: 5% or, absolute, 0.4pp")
    zero_is_real: bool = Field(
        False, description="somebody looked at the logging of an arm that has no event: the zero is real"
    )

    def is_made_by(self, other: Metric, window: DurationValue | None) -> bool:
        """Whether `other` counts exactly the units whose values this metric sums (`window` is the experiment's)."""
        return False


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
    def zero_is_real(self) -> bool: ...
    @property
    def unit(self) -> Unit:
        """What values are in: a share (0 to 1), the value's own unit, a ratio, NPS points, a score, or hours."""
        ...

    def needs(self) -> Needs: ...
    def definition(self, unit: str) -> str:
        """One line for readers; `unit` is the plural noun of the units."""
        ...

    def contrast(self, control: Summary, variant: Summary) -> Contrast: ...
    def estimate(self, summary: Summary) -> float | None:
        """The arm's value in the metric's own unit; None where it does not exist."""
        ...

    def interval(self, summary: Summary, alpha: float) -> Interval | None: ...
    def is_made_by(self, other: Metric, window: DurationValue | None) -> bool: ...


def described(term: Term) -> str:
    """A term in words: `sum of amount over purchase`, `click events`, `column retention_7`."""
    if term.column is not None:
        return f"column {term.column}"
    times = f"at least {term.at_least} " if term.at_least and term.at_least > 1 else ""
    if term.count == "units":
        words = f"units with {times}{term.event}"
    elif times:
        words = f"{times}{term.event} events"
    else:
        words = f"sum of {term.value} over {term.event}" if term.value else f"{term.event} events"
    return f"{words} (filtered)" if term.where else words


def as_written(span: DurationValue) -> Callable[[float], str]:
    """Hours in the unit in which a length of time is written, never rounded up: 2140.5 beside `90d` are 89.18d."""
    unit = span.text.strip()[-1]
    hours = {"m": 1 / 60, "h": 1.0, "d": 24.0, "w": 168.0}[unit]

    def told(found: float) -> str:
        from abcx.stats.survival import rounded_down

        return f"{rounded_down(found / hours)}{unit}"

    return told
