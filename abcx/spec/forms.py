"""Short forms of the spec in its JSON Schema: a path in place of a mapping, a percentage in place of a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import GetJsonSchemaHandler

PATH: dict[str, Any] = {"type": "string", "minLength": 1}
PATHS: dict[str, Any] = {"type": "array", "items": PATH, "minItems": 1}
BY_ARM: dict[str, Any] = {
    "type": "object",
    "not": {"required": ["file"]},
    "minProperties": 1,
    "propertyNames": {"minLength": 1},
    "additionalProperties": {"anyOf": [PATH, PATHS]},
}
SHARE: dict[str, Any] = {
    "anyOf": [
        {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
        {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*%\s*$"},
    ]
}


@dataclass(frozen=True, eq=False)
class OrAs:
    """JSON Schema of a short form that is allowed in addition to the full one."""

    short: dict[str, Any]

    def __get_pydantic_json_schema__(self, core: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [self.short, handler(core)]}


class SourceForms:
    """JSON Schema of a list of sources in all the forms that a spec may use."""

    def __get_pydantic_json_schema__(self, core: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        options = handler(core)["items"]
        many = {"type": "array", "minItems": 1, "items": {"anyOf": [PATH, options]}}
        return {"anyOf": [PATH, many, options, BY_ARM]}
