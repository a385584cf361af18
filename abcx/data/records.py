"""What the data room hands on: per-arm summaries of every metric, and counts of all that was seen and left out."""

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
    """Frames (pandas, Polars, Arrow) given at the call, in place of the files of the spec. Where `rejects` is a list,
    every row that cannot be read is added to it."""

    events: tuple[object, ...] = ()
    exposures: tuple[object, ...] = ()
    units: tuple[object, ...] = ()
    rejects: list[Reject] | None = None

    def __bool__(self) -> bool:
        return bool(self.events or self.exposures or self.units)


@dataclass(frozen=True, slots=True)
class TicketTimes:
    """What the times of tickets show: tickets opened in the units' windows, those of them whose only ends are before
    they start (left out), ends after exposure, and those of them whose ticket has no start, was opened outside its
    unit's window, or has another end that counts."""

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
    """A metric by day since exposure, of the same units: those followed for all the days.

    `summaries` are the values of each day by arm; `change` holds the moments of what a unit did in the later half of
    the days less what it did in the earlier half, by arm, None for ratios.
    """

    units: Mapping[str, int]
    summaries: tuple[Mapping[str, Summary], ...]
    change: Mapping[str, Moments] | None = None


@dataclass(frozen=True, slots=True)
class MetricData:
    """One metric as observed. All mappings are by arm.

    `summaries` is what is compared (after the cap, if any) and `uncapped` the same without the cap. `missing` counts
    exposed units without a value, `not_followed` those whose window is not over, who have none yet. `top` holds the
    largest values of units, largest first (pairs of numerator and denominator for ratios). `before` is the same metric
    before exposure. `samples` are the units themselves, where a method relabels them; `adjustment` the cross moments
    with covariates, by stratum ("" where there is one), and `covariate_skewness` the largest absolute skewness of a
    covariate over all units. `responses` says who was asked and who answered. `segments`
    are the summaries by segment column, then value; `cohorts` those of the units first exposed on each day; `days` the
    same units by day since exposure. `tickets` says what the times of tickets show. `all_at_exposure`: every unit has
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
    """A label in the data that is `meant` but for case, spaces or punctuation, and how many rows have it."""

    written: str
    meant: str
    rows: int


@dataclass(frozen=True, slots=True)
class Busiest:
    """The unit with the most rows of the part that says the arms: its `rows`, those of the `next` one, and of `all`."""

    rows: int
    next: int
    all: int


@dataclass(frozen=True, slots=True)
class Unfound:
    """What the spec asks of a column and no row has: `where` names the condition in the spec (`data.events.exclude
    .staff`), `asked` what it asks for in words (`is_staff is 'true'`). `seen` holds up to five values that are there,
    most frequent first (none of a column of ids), and `cure` how to write what is likely meant."""

    where: str
    asked: str
    seen: tuple[str, ...] = ()
    cure: str | None = None


@dataclass(frozen=True, slots=True)
class Shift:
    """What was changed of the windows of metrics: `half_windows`, `without_first_day` (where metrics are compared by
    day), or `typical_window`: the `length` that half of the units had, for metrics without a window."""

    code: Literal["half_windows", "without_first_day", "typical_window"]
    length: str | None = None


WITHOUT_FIRST_DAY = Shift("without_first_day")


@dataclass(frozen=True, slots=True)
class Observed:
    """Everything the other rooms know about the data. Times are microseconds since 1970 in UTC.

    `daily` and `segments` are None where the data have no times or no such columns. `crossover` counts units seen
    in several arms (they are not in `units`); `unknown_arm` rows that fit no arm; `no_arm` units that were exposed
    and of which no row names an arm; `before_exposure` events of the metrics that precede exposure, by arm;
    `units_before`: units with such an event, by arm. `shifted` holds the metrics with other windows, by what was
    changed. `misspelled_events` are names of events that no metric reads, each with the name in the spec from which it
    differs by case alone; `misspelled_ids` counts ids of units that are not in the analysis and differ from one that is
    by their spelling alone, by what tells them apart; `spelled_twice` units of the analysis whose id is another's but
    for its spelling; `values_as_events` rows whose columns seem to be swapped, that of the event's name and another;
    `changed_ids` ids of events that stand on rows with another time or value. `by_day`
    names the metrics whose events or exposures are written as dates. `never_fall`: the number of days in which the
    counts of no arm fall, as running totals never do; None where some fall, or the data are no counts by day.
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
