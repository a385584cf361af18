"""The results of reading data: summaries of every metric by arm, and counts of rows used and left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from abcx.files.csv_errors import Reject
from abcx.notes import Note
from abcx.results.metric import Response
from abcx.results.readout import Balance, Exclusion, FileRecord
from abcx.stats.records import CrossMoments, Moments, Sample, Summary


@dataclass(frozen=True, slots=True)
class Inputs:
    """Frames (pandas, Polars, Arrow) that the caller gives in place of the spec's files. Where `rejects` is a list,
    every row that cannot be read is added to it."""

    events: tuple[object, ...] = ()
    exposures: tuple[object, ...] = ()
    units: tuple[object, ...] = ()
    rejects: list[Reject] | None = None

    def __bool__(self) -> bool:
        return bool(self.events or self.exposures or self.units)


@dataclass(frozen=True, slots=True)
class TicketTimes:
    """Counts of tickets and their ends: `tickets` opened in the units' windows; those of them with all ends before
    their start (left out); `ends` after exposure; and ends whose ticket has no start, was opened outside its unit's
    window, or has another end that counts."""

    tickets: int
    ends_before_start: int
    ends: int
    ends_without_start: int
    ends_outside: int = 0
    other_ends: int = 0


Groups = Mapping[str, Mapping[str, Summary]]
"""Summaries by group (a value of a segment, a day) and arm."""


@dataclass(frozen=True, slots=True)
class Days:
    """A metric by day since exposure, for the units that were followed on all these days.

    `units` are their numbers by arm; `summaries` the summaries of each day by arm; `change` the moments, by arm, of a
    unit's value in the later half of the days minus that in the earlier half, None for ratios.
    """

    units: Mapping[str, int]
    summaries: tuple[Mapping[str, Summary], ...]
    change: Mapping[str, Moments] | None = None


@dataclass(frozen=True, slots=True)
class MetricData:
    """One metric as observed. All mappings are by arm.

    `summaries` are compared (after the cap, if any); `uncapped` are those without the cap. `missing` counts exposed
    units without a value, `not_followed` those whose window is not over, who have no value yet. `top` holds the largest
    values of units, largest first (pairs of numerator and denominator). `before` is the same metric before exposure.
    `samples` are the values of units, for methods that permute them; `adjustment` the cross moments with covariates, by
    stratum ("" where there is only one), and `covariate_skewness` the largest absolute skewness of a covariate over all
    units. `responses` counts units that were invited and that answered. `segments` are the summaries by segment column,
    then value; `cohorts` those of the units first exposed on each day; `days` those by day since exposure. `tickets`
    counts tickets and their ends. `occurs`: the metric's events occur in the data. `all_at_exposure`: every unit has
    the event at its exposure or before.
    """

    summaries: Mapping[str, Summary]
    uncapped: Mapping[str, Summary] | None = None
    cap: float | None = None
    capped: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    not_followed: Mapping[str, int] = field(default_factory=dict)
    top: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    before: Mapping[str, Summary] | None = None
    samples: Mapping[str, Sample] | None = None
    adjustment: Mapping[str, Mapping[str, CrossMoments]] | None = None
    covariate_skewness: float | None = None
    responses: Mapping[str, Response] = field(default_factory=dict)
    tickets: Mapping[str, TicketTimes] = field(default_factory=dict)
    segments: Mapping[str, Groups] = field(default_factory=dict)
    cohorts: Groups = field(default_factory=dict)
    days: Days | None = None
    absent: tuple[str, ...] = ()
    all_at_exposure: bool = False


@dataclass(frozen=True, slots=True)
class MisspelledLabel:
    """A label in the data that differs from the label `meant` only by case, spaces or punctuation, and its rows."""

    written: str
    meant: str
    rows: int


@dataclass(frozen=True, slots=True)
class Busiest:
    """The unit with the most rows in the part that assigns the arms: its `rows`, those of the `next` unit, and of
    `all`."""

    rows: int
    next: int
    all: int


@dataclass(frozen=True, slots=True)
class Unfound:
    """A condition that no row meets: `where` is its place in the spec (`data.events.exclude.staff`), `asked` the
    condition in words (`is_staff is 'true'`). `seen` holds up to five values of the column, most frequent first (none
    of a column of ids), and `cure` says how to write the value that is likely meant."""

    where: str
    asked: str
    seen: tuple[str, ...] = ()
    cure: str | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """A change of the metrics' windows: `half_windows`, `without_first_day` (where metrics are compared by day), or
    `typical_window`: the `length` (`14d`, `6h`) that half of the units had, for metrics without a window."""

    code: Literal["half_windows", "without_first_day", "typical_window"]
    length: str | None = None


WITHOUT_FIRST_DAY = Shift("without_first_day")


@dataclass(frozen=True, slots=True)
class Observed:
    """The observed data, for all later steps. Times are microseconds since 1970 in UTC.

    `daily` is None where exposures have no times; `segments` is empty without segments. `crossover` counts units in
    several arms (they are not in `units`); `unknown_arm` rows that match no arm; `no_arm` exposed units without a row
    that names an arm; `before_exposure` events of the metrics before exposure, by arm; `units_before` units with such
    an event, by arm. `shifted` holds the metrics with other windows, by the change. `misspelled_events` are event names
    that no metric reads, each with the name in the spec from which it differs only by case; `misspelled_ids` counts ids
    outside the analysis that differ from one in it only by spelling, by the difference; `spelled_twice` counts units of
    the analysis whose id is another's in another spelling; `values_as_events` rows in which the event name seems to be
    swapped with another column; `changed_ids` event ids whose rows differ in time or value. `by_day` names the metrics
    whose events or exposures are written as dates. `never_fall` is the number of days of counts that never fall in any
    arm, as in running totals; None where some fall, or where the data are not daily counts.
    """

    kind: str
    units: Mapping[str, int]
    metrics: Mapping[str, MetricData]
    files: tuple[FileRecord, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    balance: tuple[Balance, ...] = ()
    notes: tuple[Note, ...] = ()
    daily: tuple[tuple[str, Mapping[str, int]], ...] | None = None
    segments: Mapping[str, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)
    crossover: int | None = None
    unknown_arm: int | None = None
    no_arm: int | None = None
    unknown_labels: tuple[str, ...] = ()
    misspelled_labels: tuple[MisspelledLabel, ...] = ()
    arm_rows: int | None = None
    nothing_found: tuple[Unfound, ...] = ()
    misspelled_events: tuple[tuple[str, str], ...] = ()
    misspelled_ids: Mapping[str, int] = field(default_factory=dict)
    spelled_twice: int = 0
    busiest: Busiest | None = None
    values_as_events: int = 0
    changed_ids: int = 0
    before_exposure: Mapping[str, int] | None = None
    units_before: Mapping[str, int] | None = None
    repeated_ids: int | None = None
    repeated_rows: int | None = None
    removed_rows: int | None = None
    duplicate_units: int | None = None
    never_fall: int | None = None
    shifted: Mapping[Shift, Mapping[str, MetricData]] = field(default_factory=dict)
    first_exposure: int | None = None
    last_exposure: int | None = None
    as_of: int | None = None
    by_day: tuple[str, ...] = ()
