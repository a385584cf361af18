"""`analysis`: the level, when to look, what to correct for, how intervals are computed, what is adjusted for."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError

from abcx.spec.times import Time, parse_time
from abcx.spec_types import Count, Duration, EffectSize, EffectSizeValue, Model, Number, Texts, shown

Spending = Literal["obrien_fleming", "pocock", "hwang_shih_decani"]


def _looks(raw: Any) -> Any:
    if isinstance(raw, int) and not isinstance(raw, bool) and 2 <= raw <= 100:
        return raw
    if isinstance(raw, (list, tuple)) and len(raw) >= 2 and all(isinstance(item, str) for item in raw):
        return tuple(parse_time(item) for item in raw)
    raise PydanticCustomError(
        "looks",
        "`looks` must be a number from 2 to 100 or a list of dates, not {raw}",
        {"raw": shown(raw), "cure": "write a number from 2 to 100, or a list of dates"},
    )


Looks = Annotated[
    int | tuple[str, ...],
    BeforeValidator(_looks),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "integer", "minimum": 2, "maximum": 100},
                {"type": "array", "minItems": 2, "items": {"type": "string"}},
            ]
        }
    ),
]


class GroupSequential(Model):
    """Planned looks: at each the boundary of an alpha-spending function holds at the information reached."""

    looks: Looks = Field(description="number of planned looks, or their dates")
    spending: Spending = Field("obrien_fleming", description="how alpha is spent over the looks")


class Hybrid(Model):
    """Harm is watched all the time, a win is declared at the planned end only."""

    harm: Literal["always_valid"] = Field(description="when harm may be found")
    win: Literal["at_end"] = Field(description="when a win may be declared")


def _monitoring_kind(raw: Any) -> str:
    if isinstance(raw, (GroupSequential, Hybrid)):
        return "<looks>" if isinstance(raw, GroupSequential) else "<hybrid>"
    if isinstance(raw, dict):
        return "<hybrid>" if {"harm", "win"} & set(raw) else "<looks>"
    return "<word>"


Monitoring = Annotated[
    Annotated[Literal["fixed", "always_valid"], Tag("<word>")]
    | Annotated[GroupSequential, Tag("<looks>")]
    | Annotated[Hybrid, Tag("<hybrid>")],
    Discriminator(_monitoring_kind),
]


class PrePeriod(Model):
    """The same metric in so long a time before exposure."""

    pre_period: Duration = Field(description="how long before exposure")


def _covariates_kind(raw: Any) -> str:
    return "<pre_period>" if isinstance(raw, (dict, PrePeriod)) else "<columns>"


Covariates = Annotated[
    Annotated[PrePeriod, Tag("<pre_period>")] | Annotated[Texts, Field(min_length=1), Tag("<columns>")],
    Discriminator(_covariates_kind),
]


class Prior(Model):
    """What was believed before: lifts are normal around 0 with this standard deviation."""

    @field_validator("lift_sd")
    @classmethod
    def _relative(cls, size: EffectSizeValue) -> EffectSizeValue:
        if not size.relative:
            raise PydanticCustomError("prior", "lift_sd is a lift", {"cure": "write a percentage: lift_sd: 5%"})
        return size

    lift_sd: EffectSize = Field(description="standard deviation of lifts, as a percentage")


class Analysis(Model):
    """How the data are analyzed."""

    alpha: Annotated[Number, Field(ge=1e-6, le=0.5)] = Field(0.05, description="two-sided level of tests and intervals")
    monitoring: Monitoring = Field(
        "fixed", description="`fixed`: judged once; `always_valid`; `{looks: 4, spending: ...}`; `{harm, win}`"
    )
    correction: Literal["holm", "bh", "none"] = Field(
        "holm", description="for several primaries, secondaries, variants"
    )
    interval: Literal["auto", "analytic", "permutation"] = Field("auto", description="how intervals are computed")
    covariates: Covariates | None = Field(None, description="`{pre_period: 14d}` or columns of `units` to adjust for")
    stratify: Texts = Field((), description="columns whose strata are weighted alike in all arms")
    prior: Prior | None = Field(None, description="`{lift_sd: 5%}`: adds Bayesian figures, labeled so")
    as_of: Time | None = Field(None, description="later rows are left out; default: the latest time in the data")
    seed: Count = Field(0, description="seed of everything random")
