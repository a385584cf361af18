"""Counts typed by hand: one mapping per arm, one value per metric."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, model_validator

from abcx.spec.forms import OrAs
from abcx.spec_types import Count, Model, Number


class Spread(Model):
    """Mean and standard deviation of one value per unit."""

    mean: Number = Field(description="mean over the units")
    sd: Annotated[Number, Field(ge=0)] = Field(description="standard deviation over the units")


class TypedCount(Model):
    """A metric of one arm, typed by hand: `count` successes; mean and sd; both parts of a ratio; answers to a
    question."""

    count: Count | None = Field(None, description="units that converted")
    mean: Number | None = Field(None, description="mean over the units")
    sd: Annotated[Number, Field(ge=0)] | None = Field(None, description="standard deviation over the units")
    numerator: Spread | None = Field(None, description="the part above the line, per unit")
    denominator: Spread | None = Field(None, description="the part below the line, per unit")
    correlation: Annotated[Number, Field(ge=-1, le=1)] | None = Field(None, description="of both parts over the units")
    promoters: Count | None = Field(None, description="answers 9 and 10 of an NPS question")
    passives: Count | None = Field(None, description="answers 7 and 8")
    detractors: Count | None = Field(None, description="answers 0 to 6")
    answers: dict[Annotated[int, Field(ge=-1000, le=1000)], Count] = Field(
        default_factory=dict, description="units by answer of a question: {5: 40, 4: 31, 3: 9}"
    )
    invited: Count | None = Field(None, description="units that were asked, where that is known")
    units: Count | None = Field(
        None, description="units of this metric, where not all have a value; of a question, those that answered"
    )


def _typed(raw: Any) -> Any:
    return {"count": raw} if isinstance(raw, int) and not isinstance(raw, bool) else raw


CountValue = Annotated[TypedCount, BeforeValidator(_typed), OrAs({"type": "integer", "minimum": 0})]


class ArmCounts(Model):
    """Counts of one arm: its units, and a value for each metric."""

    units: Count = Field(description="exposed units of the arm")
    metrics: dict[str, CountValue] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _split(cls, raw: Any) -> Any:
        if not isinstance(raw, dict) or isinstance(raw.get("metrics"), dict):
            return raw
        rest = {key: value for key, value in raw.items() if key != "units"}
        return {"metrics": rest, **({"units": raw["units"]} if "units" in raw else {})}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler.resolve_ref_schema(handler(core))
        schema["additionalProperties"] = schema["properties"].pop("metrics")["additionalProperties"]
        return schema
