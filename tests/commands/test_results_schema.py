"""The JSON Schema of results is the committed one, and what is written keeps to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import jsonschema
import pytest

from abcx.commands import schema
from abcx.results import metric, readout
from abcx.stats.methods import Method
from tests.support import made_results, shipped

SCHEMA = schema.results_schema()
RECORDS = {name: one for name, one in SCHEMA["$defs"].items() if "enum" not in one}
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
    assert SCHEMA["properties"]["schema_version"] == {"const": readout.SCHEMA_VERSION}
    records = {n: r for m in (metric, readout) for n, r in vars(m).items() if isinstance(r, type) and is_dataclass(r)}
    assert records.keys() == {"Results", *RECORDS}
    for name, record in records.items():
        names = [field.name for field in fields(record)]
        found = RECORDS[name] if name != "Results" else SCHEMA
        head = ["schema_version"] if name == "Results" else []
        assert list(found["properties"]) == found["required"] == head + names
        assert found["additionalProperties"] is False
        said = found["description"]
        assert said.endswith(".") and " ".join((record.__doc__ or "").split()).startswith(said)


def test_the_words_of_a_method_are_those_of_the_code() -> None:
    assert SCHEMA["$defs"]["Method"]["enum"] == list(Method)


@pytest.mark.parametrize("name", shipped.NAMES)
@pytest.mark.slow
def test_the_documented_experiments_keep_to_it(name: str) -> None:
    found = shipped.results(name).to_dict()
    assert broken(found) == []
    assert broken(json.loads(json.dumps(found, allow_nan=False))) == []


@pytest.mark.parametrize("name", made_results.ALL)
def test_results_made_by_hand_keep_to_it(name: str) -> None:
    """Looks, covariates, priors, more than two arms: what the documented experiments do not have."""
    assert broken(made_results.ALL[name]().to_dict()) == []


def records_of(value: Any, inside: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every record in a value with its name: a mapping with the keys of one, and not the numbers of a check."""
    if isinstance(value, list):
        for item in value:
            yield from records_of(item)
    elif isinstance(value, dict):
        if inside != "details":
            yield from ((n, value) for n, found in RECORDS.items() if list(value) == found["required"])
        for key, item in value.items():
            yield from records_of(item, key)


@cache
def examples() -> dict[str, dict[str, Any]]:
    """One of each record, by its name."""
    wholes = [*map(shipped.results, shipped.NAMES), *(make() for make in made_results.ALL.values())]
    return {name: record for whole in wholes for name, record in records_of(whole.to_dict())}


@pytest.mark.parametrize("name", RECORDS)
def test_a_key_that_comes_or_goes_or_changes_its_type_is_seen(name: str) -> None:
    validator = jsonschema.Draft202012Validator({"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]})
    record = examples()[name]
    assert validator.is_valid(record)
    assert not validator.is_valid(record | {"new": 1})
    for key in record:
        assert not validator.is_valid({k: v for k, v in record.items() if k != key}), key
        assert not validator.is_valid(record | {key: object()}), key
