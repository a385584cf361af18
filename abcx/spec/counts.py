"""Counts typed by hand: one mapping per arm, one value per metric."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, model_validator

from abcx.metrics.counts import TypedCount
from abcx.spec.forms import OrAs
from abcx.spec_types import Count, Model


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
        metrics = {key: value for key, value in raw.items() if key != "units"}
        return {"metrics": metrics, **({"units": raw["units"]} if "units" in raw else {})}

    @classmethod
    def __get_pydantic_json_schema__(cls, core: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler.resolve_ref_schema(handler(core))
        schema["additionalProperties"] = schema["properties"].pop("metrics")["additionalProperties"]
        return schema
