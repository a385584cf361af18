"""What every metric has: the keys that all types share, and what a metric asks of the data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from abcx.formatting import Unit
from abcx.metrics.calendar import CalendarSpec
from abcx.metrics.counts import CountsRow, TypedCount
from abcx.spec_types import Duration, DurationValue, EffectSize, Model, Term, Where
from abcx.stats.records import Contrast, Interval, Moments, Proportion, Summary

Role = Literal["primary", "secondary", "guardrail", "descriptive"]
Goal = Literal["increase", "decrease"]
Title = Annotated[str, Field(max_length=80)]
IntervalMethod = Literal["auto", "analytic", "permutation"]
Kind = Literal["happened", "count", "sum", "flag", "column", "first", "last", "until", "reached"]


@dataclass(frozen=True, slots=True)
class UnitColumn:
    """One value per unit.

    `kind`: whether an event `happened` (0/1), the `count` of events, the `sum` of their values, a ready-made `column`,
    a `flag` (a column of 0/1, true/false), the value of the `first` or `last` event, or the time `until` the first
    event. `window` is the metric's own; None means the experiment's. Events count from `since` after exposure on; a
    unit that was not `followed` for so long has no value. `scale` holds the least and the greatest answer of a
    question; all whole numbers between them are allowed. `reached`: whether the event and those `after` which it must
    come happened, in this order where they are `ordered`.
    """

    kind: Kind
    term: Term
    window: DurationValue | None = None
    since: DurationValue | None = None
    followed: DurationValue | None = None
    scale: tuple[int, int] | None = None
    after: tuple[Term, ...] = ()
    ordered: bool = True


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
class DataNeeds:
    """What a metric asks of the data: values per unit (or tickets), and the summary it is compared by.

    `quantile` asks for the quantile `q` of per-unit values, or with `of_events` of the values of the events themselves.
    """

    columns: tuple[UnitColumn, ...]
    summary: Literal["proportion", "moments", "ratio", "categories", "lifetimes", "quantile"]
    tickets: Tickets | None = None
    q: float | None = None
    of_events: bool = False

    @property
    def terms(self) -> tuple[Term, ...]:
        """Every event or column that the metric reads, those of tickets included."""
        of_tickets = (self.tickets.start, self.tickets.end) if self.tickets else ()
        return (*(column.term for column in self.columns), *of_tickets)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a metric's own type that is broken: which `key` of the YAML it concerns (None: the metric as a whole),
    what is wrong, and the cure. `at_key` points at the key instead of its value."""

    key: str | None
    code: str
    message: str
    help: str
    at_key: bool = False


@dataclass(frozen=True, slots=True)
class Companion:
    """What must be read beside a metric: a mean of `term` per exposed unit, called `stem`_per_UNIT."""

    stem: str
    term: Term
    goal: Goal | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """How long times to an event are watched, and the time within which a service is promised."""

    horizon: DurationValue
    service_level: DurationValue | None = None


@dataclass(frozen=True, slots=True)
class CapValue:
    """Where values are cut: at a `quantile` of the pooled per-unit values, or at an absolute `value`."""

    text: str
    quantile: float | None = None
    value: float | None = None


class MetricOptions(Model):
    """A metric as the other rooms see it: the keys that every type has, and what a type says of itself where it differs
    from most. A type's file has its documentation as docstring."""

    if TYPE_CHECKING:
        type: str

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
    title: Title | None = Field(None, description="its name in readouts; default: made from the key")
    unit: Annotated[str, Field(max_length=20)] | None = Field(
        None, description="what its values are in, shown beside every number: EUR, s, pages"
    )
    family: Title | None = Field(
        None, description="group within its role in readouts: engagement, experience, satisfaction, or your own word"
    )
    zero_is_real: bool = Field(
        False, description="somebody looked at the logging of an arm that has no event: the zero is real"
    )

    @property
    def needs_goal(self) -> bool:
        """Whether the good direction must be said."""
        return self.role != "descriptive"

    @property
    def answer_scale(self) -> tuple[int, int] | None:
        """The least and the greatest answer of a question; None of other metrics."""
        return None

    @property
    def declared_cap(self) -> CapValue | None:
        """Where its values are cut; None where they are not."""
        return None

    @property
    def time_columns(self) -> tuple[str, ...]:
        """Columns of `units` that hold the time of an event named like the column."""
        return ()

    @property
    def step_names(self) -> tuple[str, ...]:
        """The names of its steps; none of a metric that has no steps."""
        return ()

    @property
    def could_be_capped(self) -> bool:
        """Whether a cap is a cure for few large values."""
        return False

    @property
    def is_per_exposed_unit(self) -> bool:
        """Whether its value is per exposed unit, so that it can be added up over the units of a month."""
        return False

    @property
    def value_names(self) -> tuple[str, ...]:
        """Names of the columns whose values it adds up, of which the first says whether it is money."""
        return tuple(name for term in self.needs().terms for name in (term.value, term.column) if name is not None)[:1]

    def is_percent(self, summaries: Iterable[Summary]) -> bool:
        """Whether its value is a part of a whole though it is no share of units, so that it is written as percent."""
        return False

    @property
    def watch(self) -> Watch | None:
        """How long its times to an event are watched; None of other metrics."""
        return None

    def rules(self) -> Iterator[Rule]:
        """Every rule of the type that is broken."""
        return iter(())

    def successes(self, summary: Summary) -> int | None:
        """How many units have what a share counts; None where nothing is counted."""
        return summary.successes if isinstance(summary, Proportion) else None

    def compared(
        self, control: Summary, variant: Summary, interval: IntervalMethod, draws: int, seed: int
    ) -> Contrast | None:
        """The comparison by a method that the type chooses for itself; None where the method is that of its summary."""
        return None

    def chosen_after(self, exposure: str | None) -> bool:
        """Whether its denominator is made of what units did after the exposure (the event that marks it)."""
        return False

    def companion(self, name: str, exposure: str | None) -> Companion | None:
        """What must be read beside it; None where it can be read alone."""
        return None

    def counts_form(self, name: str, value: TypedCount) -> str | None:
        """How typed counts of this type are written; None where `value` is written so."""
        if self.needs().summary == "proportion":
            return None if value.count is not None else f"write {name}: 1847"
        if self.needs().summary == "moments":
            known = value.mean is not None and value.sd is not None
            return None if known else f"write {name}: {{mean: 12.3, sd: 40.1}}"
        return "counts do not hold times or ranks: give events"

    def of_counts(self, value: TypedCount, units: int) -> Summary:
        """The summary of typed counts that have the right form, of `units` units."""
        if self.needs().summary == "proportion":
            return Proportion(value.count or 0, units)
        return moments_of(value.mean or 0.0, value.sd or 0.0, units)

    def counts_columns(self, name: str) -> list[str]:
        """The columns of this metric in a counts file; none where a file cannot hold it."""
        kind = self.needs().summary
        return [name] if kind == "proportion" else [f"{name}_mean", f"{name}_sd"] if kind == "moments" else []

    def of_counts_row(self, name: str, row: CountsRow, units: int) -> Summary:
        """The summary of one row of a counts file, of `units` units."""
        if self.needs().summary == "proportion":
            return Proportion(row.whole(name), units)
        return moments_of(row.number(f"{name}_mean"), row.number(f"{name}_sd"), units)

    @property
    def value_kind(self) -> Unit:
        """What values are in: a share (0 to 1), the value's own unit, a ratio, NPS points, a score, or hours."""
        raise NotImplementedError

    def needs(self) -> DataNeeds:
        """What the metric asks of the data."""
        raise NotImplementedError

    def definition(self, unit: str) -> str:
        """One line for readers; `unit` is the plural noun of the units."""
        raise NotImplementedError

    def contrast(self, control: Summary, variant: Summary) -> Contrast:
        """The comparison of two arms."""
        raise NotImplementedError

    def estimate(self, summary: Summary) -> float | None:
        """The arm's value in the metric's own unit; None where it does not exist."""
        raise NotImplementedError

    def interval(self, summary: Summary, alpha: float) -> Interval | None:
        """The 1 - alpha interval of an arm's value; None where it does not exist."""
        raise NotImplementedError

    def is_made_by(self, other: MetricOptions, window: DurationValue | None) -> bool:
        """Whether `other` counts exactly the units whose values this metric sums (`window` is the experiment's)."""
        return False


def moments_of(mean: float, sd: float, n: int) -> Moments:
    """The moments of n values with this mean and standard deviation."""
    return Moments(n, mean, sd * sd if n > 1 else 0.0)


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
