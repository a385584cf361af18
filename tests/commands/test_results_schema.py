"""The JSON Schema of results is the committed one, and what is written keeps to it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import jsonschema
import pytest

from abcx import measured, results
from abcx.commands import schema
from tests import shipped
from tests.report import fixtures

SCHEMA = schema.results_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
COMMITTED = shipped.ROOT / "docs" / "results.schema.json"


def broken(value: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(value)]


def test_it_is_the_committed_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert schema.run(None, results=True) == 0
    printed = capsys.readouterr().out
    assert printed == COMMITTED.read_text(encoding="utf-8"), (
        "the JSON of results has changed: say so in CHANGELOG.md, then "
        "python -m abcx schema --results -o docs/results.schema.json"
    )


def test_it_is_a_schema_of_every_record_whole_and_closed() -> None:
    """Against the fields of the records, which pydantic had no part in."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["schema_version"] == {"const": results.SCHEMA_VERSION}
    records = {n: r for m in (measured, results) for n, r in vars(m).items() if isinstance(r, type) and is_dataclass(r)}
    assert records.keys() == {"Results", *SCHEMA["$defs"]}
    for name, record in records.items():
        names = [field.name for field in fields(record)]
        found = SCHEMA["$defs"][name] if name != "Results" else SCHEMA
        head = ["schema_version"] if name == "Results" else []
        assert list(found["properties"]) == found["required"] == head + names
        assert found["additionalProperties"] is False
        said = found["description"]
        assert said.endswith(".") and " ".join((record.__doc__ or "").split()).startswith(said)


@pytest.mark.parametrize("name", shipped.NAMES)
def test_the_documented_experiments_keep_to_it(name: str) -> None:
    found = shipped.results(name).to_dict()
    assert broken(found) == []
    assert broken(json.loads(json.dumps(found, allow_nan=False))) == []


@pytest.mark.parametrize("name", fixtures.ALL)
def test_results_made_by_hand_keep_to_it(name: str) -> None:
    """Looks, covariates, priors, more than two arms: what the documented experiments do not have."""
    assert broken(fixtures.ALL[name]().to_dict()) == []


def records_of(value: Any, inside: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a value whose keys are those of a record, and not names of arms or numbers of a check."""
    if isinstance(value, list):
        for item in value:
            yield from records_of(item, None)
    elif isinstance(value, dict):
        if inside != "details" and any(value.keys() == set(found["required"]) for found in SCHEMA["$defs"].values()):
            yield value
        for key, item in value.items():
            yield from records_of(item, key)


def test_a_key_that_comes_or_goes_or_changes_its_type_is_seen() -> None:
    whole = copy.deepcopy(shipped.results("support-desk-faster-replies").to_dict())
    seen = {}
    for record in [whole, *records_of(whole, None)]:
        seen.setdefault(tuple(record), record)
    assert len(seen) >= 15
    for record in seen.values():
        record["new"] = 1
        assert not VALIDATOR.is_valid(whole)
        del record["new"]
        for key, value in list(record.items()):
            del record[key]
            assert not VALIDATOR.is_valid(whole), key
            record[key] = object()
            assert not VALIDATOR.is_valid(whole), key
            record[key] = value
    assert broken(whole) == []
