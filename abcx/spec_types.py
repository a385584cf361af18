"""The small words of the YAML that many rooms share: durations, effect sizes, `where`, event terms."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError


class Model(BaseModel):
    """Configuration shared by everything that is read from YAML: frozen, unknown keys refused, no NaN."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, str_min_length=1, defer_build=True)


Number = Annotated[float, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=0)]

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(m|h|d|w)")
_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_LONGEST = 100 * 366 * 86400
_EFFECT = re.compile(r"(\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|\.\d+)\s*(%|pp|pt|m|h|d|w)?")


@dataclass(frozen=True, slots=True)
class DurationValue:
    """A length of time: `text` as written, `seconds` as a whole number. `14d` is 14 x 24 hours."""

    text: str
    seconds: int


@dataclass(frozen=True, slots=True)
class EffectSizeValue:
    """A size of effect: relative (`5%` is 0.05 of the control) or absolute in the metric's own unit.

    `unit` is `%`, `pp` (the value is then a fraction: `0.4pp` is 0.004), `pt`, `h` (the value is in hours) or empty.
    """

    text: str
    value: float
    relative: bool
    unit: str = ""


def parse_duration(raw: Any) -> DurationValue:
    """`30m`, `48h`, `14d`, `2w` as a DurationValue; anything else is an error that names the form."""
    if isinstance(raw, DurationValue):
        return raw
    match = _DURATION.fullmatch(raw.strip()) if isinstance(raw, str) else None
    seconds = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if not 1 <= seconds <= _LONGEST:
        raise PydanticCustomError(
            "duration",
            "not a length of time: {raw}",
            {"raw": shown(raw), "cure": "write a number with m, h, d or w: 30m, 48h, 14d, 2w"},
        )
    return DurationValue(text=raw.strip(), seconds=round(seconds))


def parse_effect_size(raw: Any) -> EffectSizeValue:
    """`5%`, `0.4pp`, `2pt`, `3h` or a bare positive number as an EffectSizeValue."""
    if isinstance(raw, EffectSizeValue):
        return raw
    text = str(raw).strip() if isinstance(raw, (str, int, float)) and not isinstance(raw, bool) else ""
    match = _EFFECT.fullmatch(text)
    if match is None or not 1e-50 <= float(match[1]) <= 1e50:
        raise PydanticCustomError(
            "effect_size",
            "not a size of effect: {raw}",
            {
                "raw": shown(raw),
                "cure": "write 5% (relative), 0.4pp (absolute, on shares), 3h, 2pt, or a positive number in the "
                "metric's unit",
            },
        )
    amount, unit = float(match[1]), match[2] or ""
    if unit in _SECONDS:
        return EffectSizeValue(text=text, value=amount * _SECONDS[unit] / 3600, relative=False, unit="h")
    return EffectSizeValue(
        text=text,
        value=float(Decimal(match[1]) / 100) if unit in ("%", "pp") else amount,
        relative=unit == "%",
        unit=unit,
    )


def parse_share(raw: Any) -> Any:
    """A share between 0 and 1, written as a number or as `50%`."""
    if isinstance(raw, str):
        match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*%", raw.strip())
        if match is None:
            raise PydanticCustomError(
                "share",
                "not a share: {raw}",
                {"raw": shown(raw), "cure": "write a number between 0 and 1, or a percentage: 0.5 or 50%"},
            )
        return float(Decimal(match[1]) / 100)
    return raw


def as_text(raw: Any) -> Any:
    """Numbers and booleans of the YAML as the text that data files hold; other values unchanged."""
    if isinstance(raw, bool):
        return "true" if raw else "false"
    return str(raw) if isinstance(raw, (int, float)) else raw


def as_list(raw: Any) -> Any:
    """A single value where a list is allowed."""
    return [raw] if isinstance(raw, (str, int, float)) else raw


def shown(raw: Any) -> str:
    """A value of the YAML as a message names it."""
    if raw is None:
        return "nothing"
    if isinstance(raw, (list, tuple, dict)):
        return f"{'a' if raw else 'an empty'} {'mapping' if isinstance(raw, dict) else 'list'}"
    text = f"'{raw}'" if isinstance(raw, str) else str(as_text(raw))
    return text if len(text) <= 60 else text[:57] + "..."


Duration = Annotated[
    DurationValue,
    BeforeValidator(parse_duration),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*[mhdw]\s*$", "description": "30m, 48h, 14d, 2w"}),
]
EffectSize = Annotated[
    EffectSizeValue,
    BeforeValidator(parse_effect_size),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0},
                {"type": "string", "pattern": r"^\s*(\d+(\.\d*)?([eE][+-]?\d+)?|\.\d+)\s*(%|pp|pt|m|h|d|w)?\s*$"},
            ],
            "description": "relative: 5%; absolute: 0.4pp on shares, 3h, 2pt or a bare number in the metric's unit",
        }
    ),
]
Share = Annotated[
    Number,
    Field(gt=0, lt=1),
    BeforeValidator(parse_share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
                {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$"},
            ]
        }
    ),
]
Text = Annotated[str, BeforeValidator(as_text), WithJsonSchema({"type": ["string", "number", "boolean"]})]
Texts = Annotated[
    tuple[Text, ...],
    BeforeValidator(as_list),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["string", "number", "boolean"]},
                {"type": "array", "items": {"type": ["string", "number", "boolean"]}},
            ]
        }
    ),
]


def _is_label(raw: Any) -> Any:
    if not isinstance(raw, (str, bool, int, float)) or (isinstance(raw, float) and not math.isfinite(raw)):
        raise PydanticCustomError(
            "label", "a label is a text, a number, true or false", {"cure": "write labels: [A, B]"}
        )
    return raw


Label = Annotated[str | bool | int | float, BeforeValidator(_is_label)]
Labels = Annotated[
    tuple[Label, ...],
    BeforeValidator(as_list),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["string", "number", "boolean"]},
                {"type": "array", "items": {"type": ["string", "number", "boolean"]}},
            ]
        }
    ),
]

Scalar = str | bool | int | float | None


class Range(Model):
    """Values from `min` to `max`, both included; either may be left out."""

    min: Number | None = Field(None, description="smallest value, included")
    max: Number | None = Field(None, description="largest value, included")


@dataclass(frozen=True, slots=True)
class Not:
    """All values but these; `{not: null}` is any value that is filled."""

    values: tuple[Scalar, ...]


def _is_plain(item: Any) -> bool:
    return item is None or isinstance(item, (str, int)) or (isinstance(item, float) and math.isfinite(item))


def _where_value(raw: Any) -> Any:
    if isinstance(raw, (list, tuple)):
        if not raw or not all(_is_plain(item) for item in raw):
            raise PydanticCustomError(
                "where", "a list in `where` holds plain values", {"cure": "write column: [first, second]"}
            )
        return tuple(raw)
    if isinstance(raw, dict):
        if list(raw) == ["not"] and not isinstance(raw["not"], dict):
            values = _where_value(raw["not"])
            return Not(values if isinstance(values, tuple) else (values,))
        unknown = sorted(set(map(str, raw)) - {"min", "max"})
        if unknown or not raw or None in raw.values():
            raise PydanticCustomError(
                "where",
                "a mapping in `where` has `min`/`max`, or the key `not`",
                {"cure": "write column: {min: 1, max: 10}, or column: {not: [test, null]}"},
            )
        return Range.model_validate(raw)
    if not _is_plain(raw) and not isinstance(raw, (Range, Not)):
        raise PydanticCustomError(
            "where",
            "`where` cannot compare with {raw}",
            {"raw": str(raw), "cure": "write a plain value, a list, or {min: 1, max: 10}"},
        )
    return raw


_PLAIN = {"type": ["string", "number", "boolean", "null"]}
WhereValue = Annotated[
    Scalar | tuple[Scalar, ...] | Range | Not,
    BeforeValidator(_where_value),
    WithJsonSchema(
        {
            "anyOf": [
                _PLAIN,
                {"type": "array", "minItems": 1, "items": _PLAIN},
                {
                    "type": "object",
                    "properties": {"min": {"type": "number"}, "max": {"type": "number"}},
                    "additionalProperties": False,
                    "minProperties": 1,
                },
                {
                    "type": "object",
                    "properties": {
                        "not": {
                            "anyOf": [_PLAIN, {"type": "array", "minItems": 1, "items": _PLAIN}],
                            "description": "anything but this value, or these; null is missing",
                        }
                    },
                    "additionalProperties": False,
                    "required": ["not"],
                },
            ]
        }
    ),
]
Where = dict[str, WhereValue]


class Term(Model):
    """What is counted or summed per unit: rows of an event in the window, or a ready-made column of `units`."""

    event: Text | None = Field(None, description="name of the event, as the data spell it")
    column: str | None = Field(None, description="column of `units` that holds the value of each unit")
    value: str | None = Field(None, description="column that is summed; without it events are counted")
    where: Where = Field(default_factory=dict, description="plain conditions on the event's columns")
    count: Literal["units"] | None = Field(None, description="`units`: a unit counts once however many events it has")
    at_least: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] | None = Field(
        None, description="minimum number of events of a unit that counts: 2 for repurchase; default 1"
    )
    source: str | None = Field(None, description="name of the only event file to look in")
    missing_value: Literal["zero", "drop"] | None = Field(
        None, description="what an empty `value` or cell of `column` means; else an empty `value` is an error"
    )
