"""`abcx schema`: the JSON Schema (2020-12) of the spec, for editors and CI; with `--results` that of the results."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from abcx import errors
from abcx.commands import outputs

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def run(output: str | None, results: bool = False) -> int:
    """Write the schema of the spec, or of the results, to a file or to standard output."""
    _refuse_other_files(output)
    schema = results_schema() if results else spec_schema()
    outputs.write(json.dumps(schema, indent=2) + "\n", output)
    return errors.DONE


def _refuse_other_files(output: str | None) -> None:
    """Only a JSON Schema is replaced: a name that was mistyped may be that of a spec, or of data."""
    place = Path(output or "-")
    if output is None or output in outputs.STREAMS or not place.is_file() or not place.stat().st_size:
        return
    with place.open("rb") as file:
        start = file.read(200)
    if b'"$schema"' not in start:
        cure = "name another file with -o, or remove it first"
        raise errors.UsageError(f"{output} exists and is no JSON Schema", cure, "file-exists")


def spec_schema() -> dict[str, Any]:
    """The JSON Schema of a spec, made from the models that read it."""
    from abcx.spec.model import Experiment

    schema = _without_titles(Experiment.model_json_schema())
    head = {"$schema": _DIALECT, "title": "abcx experiment spec, schema_version 1"}
    return {**head, **{key: value for key, value in schema.items() if key != "title"}}


def results_schema() -> dict[str, Any]:
    """The JSON Schema of `Results.to_dict()`, made from the type hints of its records.

    Every record is closed and every key of it required: a key that comes, goes or changes its type changes the schema.
    """
    from pydantic import TypeAdapter

    from abcx.results.readout import SCHEMA_VERSION, Results

    schema = TypeAdapter(Results).json_schema(mode="serialization")
    records = {name: _closed(record) for name, record in schema["$defs"].items()}
    whole = _closed({key: value for key, value in schema.items() if key != "$defs"})
    whole["properties"] = {"schema_version": {"const": SCHEMA_VERSION}, **whole["properties"]}
    whole["required"] = list(whole["properties"])
    head = {"$schema": _DIALECT, "title": f"abcx results, schema_version {SCHEMA_VERSION}"}
    return {**head, **whole, "$defs": records}


def _closed(record: dict[str, Any]) -> dict[str, Any]:
    """The schema of a record or of a set of words: the first sentence that is said of it, all keys required, none
    beside them. Defaults go: what is written always has every key."""
    described = re.split(r"(?<=\.)\s", record["description"], maxsplit=1)[0]
    if "enum" in record:
        return {"description": " ".join(described.split()), "enum": record["enum"]}
    keys = {name: {k: v for k, v in key.items() if k != "default"} for name, key in record["properties"].items()}
    return {
        "description": " ".join(described.split()),
        "type": "object",
        "properties": _without_titles(keys, names=True),
        "required": list(keys),
        "additionalProperties": False,
    }


def _without_titles(schema: Any, names: bool = False) -> Any:
    """The schema without titles made from key names, and without `discriminator`, which JSON Schema does not know.

    `names` is true where the keys of a mapping are names (of properties, of definitions) and none may go.
    """
    if isinstance(schema, list):
        return [_without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_titles(value, not names and key in ("properties", "$defs"))
        for key, value in schema.items()
        if names or key not in ("title", "discriminator")
    }
