"""The JSON Schema agrees with what `load` accepts: for every example, for every key, for random specs."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from abcx.commands import schema
from abcx.metrics import METRIC_TYPES
from abcx.spec.document import read
from abcx.spec.load import check
from abcx.spec.model import Experiment

ROOT = Path(__file__).resolve().parent.parent.parent
SPECS = ROOT / "tests" / "spec"
VALID = [*sorted((SPECS / "positive").glob("*.yaml")), *sorted((ROOT / "experiments").glob("*/experiment.yaml"))]
SCHEMA = schema.spec_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

# Mistakes within one section, which a schema can see; those between sections are for `abcx validate` alone.
SEEN = [
    "misspelled-keys", "missing-keys", "wrong-types", "empty-values", "empty-metrics", "one-arm", "numbers", "files",
    "odd-keys", "list", "text", "number", "counts-types", "all-at-once",
]  # fmt: skip


def accepted(value: Any) -> bool:
    """Whether JSON Schema accepts a value read by YAML's rules; NaN is no JSON."""
    return bool(VALIDATOR.is_valid(json.loads(json.dumps(value))))


def value_of(path: Path) -> Any:
    return read(path.read_bytes(), path.name).value


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["required"] == ["schema_version", "name", "arms", "metrics"]


@pytest.mark.parametrize("path", VALID, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_valid_specs_pass(path: Path) -> None:
    errors = [f"{error.json_path}: {error.message}" for error in VALIDATOR.iter_errors(value_of(path))]
    assert errors == []


@pytest.mark.parametrize("name", SEEN)
def test_broken_specs_fail(name: str) -> None:
    assert not VALIDATOR.is_valid(value_of(SPECS / "negative" / f"{name}.yaml"))


def models_of(model: type[BaseModel]) -> list[type[BaseModel]]:
    """The model and every model behind its fields."""
    found = [model]
    for candidate in found:
        for info in candidate.model_fields.values():
            found += [inner for inner in inner_models(info.rebuild_annotation()) if inner not in found]
    return found


def inner_models(annotation: Any) -> list[type[BaseModel]]:
    from typing import get_args

    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for argument in get_args(annotation) for model in inner_models(argument)]


def objects_of(part: Any) -> list[dict[str, Any]]:
    """Every schema of an object with named keys."""
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    found = [item for value in inner for item in objects_of(value)]
    return [part, *found] if isinstance(part, dict) and isinstance(part.get("properties"), dict) else found


def test_every_key_of_the_models_is_in_it() -> None:
    """FileRef and Range have their own short forms and stand in the schema by those."""
    inside = {"FileRef": set[str](), "ArmCounts": {"units"}}
    for model in models_of(Experiment):
        keys = inside.get(model.__name__, set(model.model_fields))
        assert any(keys <= set(found["properties"]) for found in objects_of(SCHEMA)), model.__name__
    assert {"Experiment", "FileRef", "Term", "Plan", *(m.__name__ for m in METRIC_TYPES.values())} <= {
        model.__name__ for model in models_of(Experiment)
    }


def test_every_object_is_closed_and_every_key_described() -> None:
    for found in objects_of(SCHEMA):
        assert found["additionalProperties"] is False or "units" in found["properties"]
        for name, key in found["properties"].items():
            assert "description" in key or "$ref" in key or set(found["properties"]) == {"min", "max"}, name


def test_written_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert schema.run(str(tmp_path / "spec.json")) == 0
    assert json.loads((tmp_path / "spec.json").read_text()) == SCHEMA
    assert schema.run(None) == 0
    assert json.loads(capsys.readouterr().out) == SCHEMA


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.sampled_from([0.5, 1e9, "", "x", "5%", "50%", "0.4pp", "7d", "99.9%", "mean", "increase", "2024-03-04"]),
    st.just([]),
    st.just({}),
    st.lists(st.sampled_from(["x", 1, None, ""]), max_size=2),
    st.dictionaries(st.sampled_from(["x", "file", "units", "event", "min", "mean"]), st.sampled_from(["x", 1, None])),
)


@pytest.mark.slow
@settings(deadline=None, max_examples=300, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(VALID), st.data())
def test_what_load_accepts_the_schema_accepts(path: Path, data: st.DataObject) -> None:
    """One value of a valid spec is replaced: whatever `load` takes, an editor must not underline."""
    spec = copy.deepcopy(value_of(path))
    holder, key = data.draw(st.sampled_from(places_of(spec)))
    holder[key] = data.draw(JUNK)
    document = read(json.dumps(spec).encode(), "spec.json")
    experiment, _ = check(document)
    if experiment is not None:
        assert [error.message for error in VALIDATOR.iter_errors(spec)] == []


def places_of(value: Any) -> list[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in items for place in [(value, key), *places_of(inner)]]
