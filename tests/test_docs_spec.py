"""docs/spec.md: tables are those of the models, every key is named, and every full spec on the page is valid."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from abcx.spec import unbuilt
from abcx.spec.document import read
from abcx.spec.load import check

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = (DOCS / "spec.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
INTERNAL = {"GivenFile": {"path", "arm"}, "FileRef": {"path", "arm"}, "ArmCounts": {"metrics"}}  # not written by users


@pytest.fixture(scope="module")
def keys() -> ModuleType:
    found = importlib.util.spec_from_file_location("docs_keys", DOCS / "keys.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_tables_are_up_to_date(keys: ModuleType) -> None:
    assert PAGE == keys.page(PAGE), "run: python docs/keys.py"


def test_every_key_is_named(keys: ModuleType) -> None:
    from pydantic import BaseModel

    from abcx.spec import model

    models = {found for found in vars(model).values() if isinstance(found, type) and issubclass(found, BaseModel)}
    for found in models | set(keys.MODELS.values()):
        names = set(found.model_fields) - INTERNAL.get(found.__name__, set())
        assert [name for name in names if not re.search(rf"`{name}`", PAGE)] == [], found.__name__


def test_every_unbuilt_word_is_named() -> None:
    section = PAGE.partition("## Not built yet")[2]
    assert [word for word in unbuilt.METRIC_TYPES if word not in section] == []


def test_every_block_is_a_full_spec() -> None:
    assert len(BLOCKS) >= 6 and all(block.startswith("schema_version: 1\n") for block in BLOCKS)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.splitlines()[1])
def test_every_spec_is_valid(block: str) -> None:
    _, problems = check(read(block.encode(), "docs/spec.md"))
    assert problems == []
