"""docs/spec.md: tables are those of the models, every key is named, and every full spec on the page is valid."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from abcx.metrics import METRIC_TYPES
from abcx.metrics.base import MetricOptions
from abcx.spec.document import read
from abcx.spec.load import check

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = (DOCS / "spec.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
INTERNAL = {"FileRef": {"path", "arm"}, "GivenFile": {"path", "arm"}, "ArmCounts": {"metrics"}}  # not written by users


@pytest.fixture(scope="module")
def keys() -> ModuleType:
    found = importlib.util.spec_from_file_location("docs_keys", DOCS / "keys.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_tables_are_up_to_date(keys: ModuleType) -> None:
    assert PAGE == keys.page(PAGE), "run: python docs/keys.py"


def test_every_type_of_a_metric_has_a_table_of_keys() -> None:
    for metric in METRIC_TYPES.values():
        tables = [f"<!-- keys: {parent.__name__} -->" for parent in metric.__mro__ if parent is not MetricOptions]
        assert any(table in PAGE for table in tables), metric.__name__


def test_every_key_is_named(keys: ModuleType) -> None:
    from pydantic import BaseModel

    from abcx.spec import model

    models = {found for found in vars(model).values() if isinstance(found, type) and issubclass(found, BaseModel)}
    for found in models | set(keys.MODELS.values()):
        names = set(found.model_fields) - INTERNAL.get(found.__name__, set())
        assert [name for name in names if not re.search(rf"`{name}`", PAGE)] == [], found.__name__


def test_every_block_is_a_full_spec() -> None:
    assert len(BLOCKS) >= 6 and all(block.startswith("schema_version: 1\n") for block in BLOCKS)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[1])
def test_every_spec_is_valid(block: str) -> None:
    _, problems = check(read(block.encode(), "docs/spec.md"))
    assert problems == []
