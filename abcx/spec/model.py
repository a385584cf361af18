"""The spec as typed, frozen records: every key of the YAML contract (schema_version 1) that abcx understands."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from abcx.metrics import MetricSpec
from abcx.terms import Count, Duration, Model, Number, Share, Text, Texts, Where, parse_share

CANONICAL = ("unit", "time", "arm", "event", "value", "id")
Canonical = Literal["unit", "time", "arm", "event", "value", "id"]
NAME = r"[a-z0-9][a-z0-9_-]*"


class ArmSpec(Model):
    """One arm: its planned share, and how the data spell it (by labels, or by a rule on columns)."""

    share: Share | None = Field(None, description="planned share of units; all arms or none; they sum to 1")
    labels: Texts = Field((), description="how the data spell this arm; default: its own name")
    where: Where | None = Field(None, description="rule on columns that tells this arm, in place of labels")


def _no_settings(raw: Any) -> Any:
    return {} if raw is None else raw


def _timezone(raw: Any) -> Any:
    if isinstance(raw, str):
        try:
            ZoneInfo(raw)
        except (OSError, ValueError, KeyError):
            raise PydanticCustomError("timezone", "unknown timezone '{raw}'", {"raw": raw, "cure": "write a name such as Europe/London or UTC"}) from None
    return raw


def _time(raw: Any) -> Any:
    if isinstance(raw, str):
        try:
            datetime.fromisoformat(raw)
        except ValueError:
            raise PydanticCustomError("time", "not a date or time: '{raw}'", {"raw": raw, "cure": "write 2024-03-04 or 2024-03-04T09:30 or 2024-03-04T09:30+01:00"}) from None
    return raw


Timezone = Annotated[str, BeforeValidator(_timezone)]
Time = Annotated[str, BeforeValidator(_time)]


def is_date(text: str) -> bool:
    """Whether a time of the spec is a whole day."""
    return re.fullmatch(r"\d{4}-?\d{2}-?\d{2}|\d{4}-?W\d{2}(-?\d)?", text) is not None


def instant(text: str, timezone: str, end: bool = False) -> datetime:
    """A time of the spec as an aware datetime; with `end`, a date means the end of that day."""
    if is_date(text):
        day = date.fromisoformat(text) + timedelta(days=1 if end else 0)
        return datetime.combine(day, time(), ZoneInfo(timezone))
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(timezone))


class Period(Model):
    """When units were exposed: from `start`, a date or time, to `end` (a date includes that day)."""

    start: Time | None = None
    end: Time | None = None
    timezone: Timezone = "UTC"

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


def _files(raw: Any) -> Any:
    if isinstance(raw, str):
        return [{"path": raw}]
    if isinstance(raw, dict):
        return [item if arm is None else {**item, "arm": arm} for arm, paths in raw.items() for item in _paths(paths)]
    return _paths(raw)


def _paths(raw: Any) -> list[Any]:
    items = raw if isinstance(raw, (list, tuple)) else [raw]
    return [{"path": item} if isinstance(item, str) else item if isinstance(item, (dict, FileRef)) else {"path": item} for item in items]


_PATHS_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
        {"type": "object", "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}},
    ],
    "description": "a path, a list of paths, a glob, or {arm: path}; relative to the spec",
}
Files = Annotated[tuple[FileRef, ...], BeforeValidator(_files), Field(min_length=1), WithJsonSchema(_PATHS_SCHEMA)]


class FileOptions(Model):
    """How a file is read."""

    file: Files
    columns: dict[Canonical, str] = Field(default_factory=dict, description="canonical name: the file's header name")
    where: Where = Field(default_factory=dict, description="rows to keep, by plain conditions on columns")
    format: Literal["csv", "tsv", "jsonl", "parquet"] | None = Field(None, description="default: by the file's name")
    delimiter: Annotated[str, Field(min_length=1, max_length=1)] | None = None
    decimal: Literal[".", ","] | None = Field(None, description="decimal separator of numbers")
    thousands: Literal[",", ".", " "] | None = Field(None, description="thousands separator of numbers")
    encoding: Literal["utf-8", "utf-16", "latin-1"] | None = None
    skip: Count | None = Field(None, description="lines to skip before the header")
    null: Texts | None = Field(None, description="texts that mean a missing value, beside the empty one")
    time_format: str | None = Field(None, description="strptime format of `time`: %m/%d/%Y %H:%M:%S")
    timezone: Timezone | None = Field(None, description="zone of times without an offset; default: the period's")


class ExposureSource(FileOptions):
    """One row is one unit seeing an arm."""


class EventSource(FileOptions):
    """One row is one thing that a unit did."""

    event: Text | None = Field(None, description="the name of the event of every row, where no column tells it")


class UnitSource(FileOptions):
    """One row is one unit."""

    attributes: Texts = Field((), description="columns that describe units, known at exposure")
    duplicates: Literal["first", "last", "sum"] | None = Field(None, description="what a unit on several rows means")


class CountsFile(FileOptions):
    """One row is one arm, or one arm on one day (`date`)."""


class Spread(Model):
    """Mean and standard deviation of one value per unit."""

    mean: Number
    sd: Annotated[Number, Field(ge=0)]


class TypedCount(Model):
    """A metric of one arm, typed by hand: `count` successes; or mean and sd; or both parts of a ratio."""

    count: Count | None = None
    mean: Number | None = None
    sd: Annotated[Number, Field(ge=0)] | None = None
    numerator: Spread | None = None
    denominator: Spread | None = None
    correlation: Annotated[Number, Field(ge=-1, le=1)] | None = None
    units: Count | None = Field(None, description="units of this metric, where not all have a value")


def _typed(raw: Any) -> Any:
    return {"count": raw} if isinstance(raw, int) and not isinstance(raw, bool) else raw


CountValue = Annotated[TypedCount, BeforeValidator(_typed)]


class ArmCounts(Model):
    """Counts of one arm: its units, and a value for each metric."""

    units: Count
    metrics: dict[str, CountValue] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _split(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or isinstance(raw.get("metrics"), dict):
            return raw
        rest = {key: value for key, value in raw.items() if key != "units"}
        return {"metrics": rest, **({"units": raw["units"]} if "units" in raw else {})}


def _counts_kind(raw: Any) -> str:
    return "<file>" if isinstance(raw, (str, CountsFile)) or (isinstance(raw, dict) and "file" in raw) else "<inline>"


def _counts_file(raw: Any) -> Any:
    return {"file": raw} if isinstance(raw, str) else raw


Counts = Annotated[
    Annotated[Annotated[CountsFile, BeforeValidator(_counts_file)], Tag("<file>")] | Annotated[dict[str, ArmCounts], Tag("<inline>")],
    Discriminator(_counts_kind),
]


def _sources(raw: Any) -> Any:
    """A path, a list, a glob, {arm: path} or a mapping with options, all as a list of mappings with `file`."""
    if raw is None:
        return raw
    if isinstance(raw, (list, tuple)):
        return [{"file": item} if isinstance(item, str) else item for item in raw]
    return [raw] if isinstance(raw, dict) and "file" in raw else [{"file": raw}]


def _source_schema(model: str) -> dict[str, Any]:
    options = {"$ref": f"#/$defs/{model}"}
    many = {"type": "array", "minItems": 1, "items": {"anyOf": [{"type": "string"}, options]}}
    return {"anyOf": [{"type": "string"}, many, options, {"type": "object", "additionalProperties": {"type": "string"}}]}


class DataSpec(Model):
    """Where the data are: exposures, events, units and counts, mixed as needed."""

    exposures: Annotated[tuple[ExposureSource, ...], BeforeValidator(_sources)] = ()
    events: Annotated[tuple[EventSource, ...], BeforeValidator(_sources)] = ()
    units: Annotated[tuple[UnitSource, ...], BeforeValidator(_sources)] = ()
    counts: Counts | None = None
    columns: dict[Canonical, str] = Field(default_factory=dict, description="canonical: theirs, for all files")

    def sources(self) -> tuple[FileOptions, ...]:
        """All files but the counts."""
        return (*self.exposures, *self.events, *self.units)


class Exposure(Model):
    """What counts as seeing the change: units without this event are not analysed."""

    event: Text
    where: Where = Field(default_factory=dict)


class Analysis(Model):
    """How the data are analysed."""

    alpha: Annotated[Number, Field(ge=1e-6, le=0.5)] = 0.05
    monitoring: Literal["fixed"] = "fixed"
    correction: Literal["holm", "none"] = "holm"
    interval: Literal["auto", "analytic"] = "auto"
    as_of: Time | None = Field(None, description="later rows are left out; default: the latest time in the data")
    seed: Count = 0


def _baseline(raw: Any) -> Any:
    value = parse_share(raw) if isinstance(raw, str) else raw
    return {"share": value} if isinstance(value, (int, float)) and not isinstance(value, bool) else value


class Baseline(Model):
    """What the control is expected to show: a `share`, or mean and sd per unit.

    For a ratio `sd` is that of the linearised ratio per unit: (numerator - R denominator) / mean denominator.
    """

    share: Annotated[Number, Field(gt=0, lt=1)] | None = None
    mean: Number | None = None
    sd: Annotated[Number, Field(gt=0)] | None = None


class Plan(Model):
    """What the team planned: power, traffic, size."""

    power: Annotated[Number, Field(gt=0.5, lt=1)] = 0.8
    units_per_day: Annotated[Number, Field(gt=0)] | None = None
    units: Annotated[int, Field(strict=True, gt=0)] | None = Field(None, description="planned units, all arms together")
    baseline: dict[str, Annotated[Baseline, BeforeValidator(_baseline)]] = Field(default_factory=dict)


class Experiment(Model):
    """An experiment spec that has passed every rule."""

    schema_version: Literal[1]
    name: Annotated[str, Field(pattern=rf"^{NAME}$", max_length=100)]
    title: str | None = None
    description: str | None = None
    hypothesis: str | None = None
    owner: str | None = None
    tags: Texts = ()
    links: Texts = ()
    unit: Annotated[str, Field(max_length=40)] = Field("units", description="what is randomised, as a plural noun: visitors")
    arms: Annotated[dict[str, Annotated[ArmSpec, BeforeValidator(_no_settings)]], Field(min_length=2)]
    period: Period | None = None
    data: DataSpec | None = None
    exposure: Exposure | None = None
    window: Duration | None = None
    metrics: Annotated[dict[str, MetricSpec], Field(min_length=1)]
    segments: Texts = ()
    analysis: Analysis = Analysis()
    plan: Plan = Plan()

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
