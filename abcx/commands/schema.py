"""`abcx schema`: the JSON Schema (2020-12) of the spec, for editors and CI."""

from __future__ import annotations

import json
from typing import Any

from abcx import errors
from abcx.commands import outputs


def run(output: str | None) -> int:
    """Write the schema to a file, or to standard output."""
    outputs.write(json.dumps(spec_schema(), indent=2) + "\n", output)
    return errors.DONE


def spec_schema() -> dict[str, Any]:
    """The JSON Schema of a spec, made from the models that read it."""
    from abcx.spec.model import Experiment

    schema = _plain(Experiment.model_json_schema())
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "abcx experiment spec, schema_version 1",
    }
    return {**head, **{key: value for key, value in schema.items() if key != "title"}}


def _plain(schema: Any, names: bool = False) -> Any:
    """The schema without titles made from key names, and without `discriminator`, which JSON Schema does not know.

    `names` is true where the keys of a mapping are names (of properties, of definitions) and none may go.
    """
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _plain(value, not names and key in ("properties", "$defs"))
        for key, value in schema.items()
        if names or key not in ("title", "discriminator")
    }
