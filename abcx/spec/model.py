"""The spec as typed, frozen records: every key of the YAML contract (schema_version 1) that abcx understands."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from abcx.currencies import Currency
from abcx.metrics import MetricSpec
from abcx.spec.analysis import Analysis
from abcx.spec.counts import ArmCounts
from abcx.spec.forms import BY_ARM, PATH, PATHS, SHARE, OrAs, SourceForms
from abcx.spec.times import Time, Timezone, instant
from abcx.spec_types import Count, Duration, Labels, Model, Number, Share, Text, Texts, Where, parse_share, shown

Canonical = Literal["unit", "time", "arm", "event", "value", "id"]
NAME = r"[a-z0-9][a-z0-9_-]*"


class ArmSpec(Model):
    """One arm: its planned share, and how the data spell it (by labels, or by a rule on columns)."""

    share: Share | None = Field(None, description="planned share of units; all arms or none; they sum to 1")
    labels: Labels = Field((), description="how the data spell this arm; default: its own name")
    where: Where | None = Field(None, description="rule on columns that tells this arm, in place of labels")


def _no_boolean(raw: Any) -> Any:
    return str(raw).lower() if isinstance(raw, bool) else raw  # True equals 1 in Python


def _no_settings(raw: Any) -> Any:
    return {} if raw is None else raw


ArmValue = Annotated[ArmSpec, BeforeValidator(_no_settings), OrAs({"type": "null"})]


class Period(Model):
    """When units were exposed: from `start`, a date or time, to `end` (a date includes that day)."""

    start: Time | None = Field(None, description="first day, or first moment: 2024-03-04, 2024-03-04T09:30")
    end: Time | None = Field(None, description="last day (included), or the moment after the last")
    timezone: Timezone = Field("UTC", description="zone of the days, and of times without one: Europe/London")

    @model_validator(mode="after")
    def _in_order(self) -> Period:
        start, end = self.start_instant(), self.end_instant()
        if start and end and end <= start:
            raise PydanticCustomError("period", "the period ends before it starts", {"cure": "swap start and end"})
        return self

    def start_instant(self) -> datetime | None:
        return instant(self.start, self.timezone) if self.start else None

    def end_instant(self) -> datetime | None:
        """The first moment after the period."""
        return instant(self.end, self.timezone, end=True) if self.end else None


class FileRef(Model):
    """A path or glob as written, and the arm that all its rows belong to, where the spec says so."""

    path: str
    arm: str | None = None


class GivenFile(FileRef):
    """A file that is named at the call, not written in the spec: it may lie anywhere."""


def _files(raw: Any) -> Any:
    if isinstance(raw, dict):
        return [FileRef(path=path, arm=arm) for arm, paths in raw.items() for path in _paths(paths)]
    return [path if isinstance(path, FileRef) else FileRef(path=path) for path in _paths(raw)]


def _paths(raw: Any) -> list[Any]:
    items = list(raw) if isinstance(raw, (list, tuple)) else [raw]
    if not items or not all(isinstance(item, FileRef) or (isinstance(item, str) and item) for item in items):
        raise PydanticCustomError(
            "file",
            "not a file: {raw}",
            {"raw": shown(raw), "cure": "write a path, a list of paths, a glob, or {arm: path}"},
        )
    return items


Files = Annotated[
    tuple[FileRef, ...],
    BeforeValidator(_files),
    Field(min_length=1, description="a path, a list of paths, a glob, or {arm: path}; relative to the spec"),
    WithJsonSchema({"anyOf": [PATH, PATHS, BY_ARM]}),
]


Encoding = Literal["utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "cp1250", "cp1251", "cp1252", "cp1256"]


class FileOptions(Model):
    """How a file is read."""

    file: Files = Field((), description="a path, a list of paths, a glob, or {arm: path}; relative to the spec")
    preset: str | None = Field(None, description="a known export, by its name, or a file of yours: ./my-preset.yaml")
    columns: dict[Canonical, str] = Field(default_factory=dict, description="canonical name: the file's header name")
    where: Where = Field(default_factory=dict, description="rows to keep, by plain conditions on columns")
    exclude: dict[str, Where] = Field(
        default_factory=dict, description="rows to leave out, by reason: {voided: {Status: voided}}; counted by reason"
    )
    format: Literal["csv", "tsv", "jsonl", "parquet"] | None = Field(None, description="default: by the file's name")
    delimiter: Annotated[str, Field(min_length=1, max_length=1, pattern=r'[^"\r\n]')] | None = Field(
        None, description="separator of columns, one character"
    )
    decimal: Literal[".", ","] | None = Field(None, description="decimal separator of numbers")
    thousands: Literal[",", ".", " ", "'"] | None = Field(None, description="thousands separator of numbers")
    encoding: Encoding | None = Field(
        None, description="how the text is encoded; default: utf-8, or utf-16 by its mark"
    )
    skip: Count | None = Field(None, description="lines to skip before the header; default: comments and titles")
    header_rows: Literal[1, 2, 3] | None = Field(None, description="rows that name the columns, as in survey exports")
    null: Texts | None = Field(None, description="texts that mean a missing value, beside the empty one")
    time_format: str | None = Field(None, description="strptime format of `time`: %m/%d/%Y %H:%M:%S")
    date_order: Literal["dmy", "mdy"] | None = Field(None, description="of times like 03/04/2024: day or month first")
    timezone: Timezone | None = Field(None, description="zone of times without an offset; default: the period's")
    max_bad_rows: Annotated[int, Field(strict=True, ge=0, le=9_999)] = Field(
        0, description="rows that cannot be read and are left out and counted, at most; more stop the run"
    )

    @model_validator(mode="after")
    def _two_separators(self) -> FileOptions:
        if self.decimal is not None and self.decimal == self.thousands:
            cure = "write the two as the file does: decimal: ',' and thousands: '.', or the other way round"
            raise PydanticCustomError("separators", "decimal and thousands are the same", {"cure": cure})
        return self


class ExposureSource(FileOptions):
    """One row is one unit seeing an arm."""


class EventSource(FileOptions):
    """One row is one thing that a unit did."""

    event: Text | None = Field(None, description="the name of the event of every row, where no column tells it")
    duplicates: Literal["drop"] | None = Field(
        None, description="`drop`: rows like another in unit, time and all that is read count once; default: all count"
    )
    ties: Literal["file_order"] | None = Field(
        None, description="`file_order`: of answers of a unit at one moment the rows' order tells which was first"
    )


class UnitSource(FileOptions):
    """One row is one unit."""

    attributes: Texts = Field((), description="columns that describe units, known at exposure")
    duplicates: Literal["first", "last", "sum"] | None = Field(None, description="what a unit on several rows means")


class CountsFile(FileOptions):
    """One row is one arm, or one arm on one day (`date`)."""

    cumulative: Annotated[bool, Field(strict=True)] = Field(
        False, description="the rows of each day hold all counts so far: the last row of each arm counts"
    )


def _counts_kind(raw: Any) -> str:
    return "<file>" if isinstance(raw, (str, CountsFile)) or (isinstance(raw, dict) and "file" in raw) else "<inline>"


def _counts_file(raw: Any) -> Any:
    return {"file": raw} if isinstance(raw, str) else raw


_TypedCounts = Annotated[dict[str, ArmCounts], Tag("<inline>")]
_FileCounts = Annotated[CountsFile, BeforeValidator(_counts_file), OrAs(PATH), Tag("<file>")]
Counts = Annotated[_FileCounts | _TypedCounts, Discriminator(_counts_kind)]


def _sources(raw: Any) -> Any:
    """A path, a list, a glob, {arm: path} or a mapping with options, all as a list of mappings with `file`."""
    if isinstance(raw, (list, tuple)):
        return [{"file": item} if isinstance(item, str) else item for item in raw]
    is_options = isinstance(raw, dict) and ("file" in raw or (raw and raw.keys() <= _OPTIONS))
    return [raw] if is_options else [{"file": raw}]


_OPTIONS = frozenset(
    name for kind in (ExposureSource, EventSource, UnitSource) for name in kind.model_fields if name != "file"
)
"""Keys of a source without a file, which is given when it is read."""
S = TypeVar("S")
Sources = Annotated[tuple[S, ...], BeforeValidator(_sources), Field(min_length=1), SourceForms()]


ENGINES = r"^(duckdb|spark|spark://\S+|postgres(ql)?://\S+)$"
Engine = Annotated[str, Field(pattern=ENGINES)]


class DataSpec(Model):
    """Where the data are: exposures, events, units and counts, mixed as needed."""

    exposures: Sources[ExposureSource] = Field((), description="one row: one unit seeing an arm")
    events: Sources[EventSource] = Field((), description="one row: one thing that a unit did")
    units: Sources[UnitSource] = Field((), description="one row: one unit")
    counts: Counts | None = Field(None, description="{arm: {units: 2400, METRIC: 288}}, or a file with one row per arm")
    columns: dict[Canonical, str] = Field(default_factory=dict, description="canonical: theirs, for all files")
    engine: Engine | None = Field(
        None, description="what reads them: duckdb (default), spark, spark://HOST:PORT, postgresql://HOST/DATABASE"
    )

    def sources(self) -> tuple[FileOptions, ...]:
        """All files but the counts."""
        return (*self.exposures, *self.events, *self.units)


class Exposure(Model):
    """What counts as seeing the change: units without this event are not analyzed."""

    event: Text = Field(description="the event that marks the exposure")
    where: Where = Field(default_factory=dict, description="plain conditions on the event's columns")


def _baseline(raw: Any) -> Any:
    value = parse_share(raw) if isinstance(raw, str) else raw
    return {"share": value} if isinstance(value, (int, float)) and not isinstance(value, bool) else value


class Baseline(Model):
    """What the control is expected to show: a `share`, mean and sd per unit, or of a quantile its value with the 95 %
    interval that so many `units` gave. Surveys may add the share of units that answers.

    For a ratio `sd` is that of the linearized ratio per unit: (numerator - R denominator) / mean denominator.
    """

    share: Annotated[Number, Field(gt=0, lt=1)] | None = Field(None, description="share of units that convert")
    mean: Number | None = Field(None, description="mean over the units")
    sd: Annotated[Number, Field(gt=0)] | None = Field(None, description="standard deviation over the units")
    value: Number | None = Field(None, description="of a quantile: its value")
    interval: tuple[Number, Number] | None = Field(None, description="of a quantile: its 95 % interval, [low, high]")
    units: Annotated[int, Field(strict=True, gt=1)] | None = Field(
        None, description="of a quantile: how many units gave that interval"
    )
    response: Annotated[Share, Field(gt=0)] | None = Field(
        None, description="of a survey: the share of exposed units that answers"
    )

    @property
    def center(self) -> float | None:
        """The value that an effect is measured against."""
        return next((x for x in (self.share, self.mean, self.value) if x is not None), None)

    @property
    def spread(self) -> float:
        """The standard deviation per unit; 0 where it is not known."""
        if self.interval is not None and self.units is not None:
            return (self.interval[1] - self.interval[0]) / (2 * 1.959964) * math.sqrt(self.units)
        return self.sd or 0.0


BaselineValue = Annotated[Baseline, BeforeValidator(_baseline), OrAs(SHARE)]


class Plan(Model):
    """What the team planned: power, traffic, size."""

    power: Annotated[Number, Field(gt=0.5, lt=1)] = Field(
        0.8, description="chance to find the minimum effect if it is there"
    )
    units_per_day: Annotated[Number, Field(gt=0)] | None = Field(
        None, description="expected units a day, all arms together"
    )
    units: Annotated[int, Field(strict=True, gt=0)] | None = Field(None, description="planned units, all arms together")
    baseline: dict[str, BaselineValue] = Field(
        default_factory=dict, description="what the control is expected to show: {METRIC: 2%}"
    )


class Impact(Model):
    """What shipping a variant to all units would be worth a month."""

    units_per_month: Annotated[Number, Field(gt=0)] = Field(
        description="units a month that would see the change if it is shipped"
    )
    metric: Texts = Field(min_length=1, description="the metric that is added up over them, or a list")


class Experiment(Model):
    """An experiment spec that has passed every rule."""

    schema_version: Annotated[Literal[1], BeforeValidator(_no_boolean)] = Field(description="version of this contract")
    name: Annotated[str, Field(pattern=rf"^{NAME}$", max_length=100)] = Field(
        description="lower-case letters, digits, - and _"
    )
    title: str | None = Field(None, description="heading of the report; default: the name")
    description: str | None = Field(None, description="free text")
    hypothesis: str | None = Field(None, description="what was changed, and why it should help")
    owner: str | None = Field(None, description="who answers questions")
    tags: Texts = Field((), description="free words")
    links: Texts = Field((), description="tickets, designs, dashboards")
    unit: Annotated[str, Field(max_length=40)] = Field(
        "units", description="what is randomized, as a plural noun: visitors"
    )
    arms: Annotated[dict[str, ArmValue], Field(min_length=2, description="two or more; the first is the control")]
    period: Period | None = Field(None, description="when units were exposed")
    data: DataSpec | None = Field(None, description="where the data are; the command line can override it")
    exposure: Exposure | None = Field(
        None, description="what counts as seeing the change; default: the first row in an arm"
    )
    window: Duration | None = Field(
        None, description="time after first exposure that counts; default: to the end of the period"
    )
    metrics: Annotated[dict[str, MetricSpec], Field(min_length=1, description="what is measured, by name")]
    segments: Texts = Field((), description="columns known at exposure: device, channel")
    analysis: Analysis = Field(Analysis(), description="how the data are analyzed")
    plan: Plan = Field(Plan(), description="what the team planned: size, traffic, power")
    currency: Currency | None = Field(
        None, description="currency of values named as money (EUR): shown with them; data that name another are refused"
    )
    impact: Impact | None = Field(None, description="what shipping to all is worth a month, shown with its interval")

    @property
    def control(self) -> str:
        return next(iter(self.arms))

    @property
    def variants(self) -> tuple[str, ...]:
        return tuple(self.arms)[1:]

    @property
    def timezone(self) -> str:
        return self.period.timezone if self.period else "UTC"

    def shares(self) -> dict[str, float]:
        """Planned share of every arm; equal where none is declared."""
        return {name: arm.share or 1 / len(self.arms) for name, arm in self.arms.items()}
