"""What `make test-fast` leaves out is little enough: every folder of abcx/ has tests in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
PACKAGE = TESTS.parent / "abcx"
FOLDERS = sorted(path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__")
SLOW = "pytest.mark.slow"


def quick_tests(source: str) -> list[str]:
    """The tests of a module that are not marked slow, by the module or each for itself."""
    body = ast.parse(source).body
    for node in body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark" and SLOW in ast.unparse(node):
            return []
    tests = [node for node in body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return [test.name for test in tests if SLOW not in map(ast.unparse, test.decorator_list)]


def names(source: str, folder: str) -> bool:
    """Whether a module imports from a folder of abcx; where that holds no Python, the module of its name that reads
    it."""
    home = "" if any((PACKAGE / folder).glob("*.py")) else r"\.\w+"
    pattern = rf"^from abcx\.{folder}\b|^from abcx{home} import .*\b{folder}\b"
    return re.search(pattern, source, re.MULTILINE) is not None


def quick_modules(folder: str) -> list[str]:
    sources = {path: path.read_text(encoding="utf-8") for path in sorted(TESTS.rglob("test_*.py"))}
    own = Path(__file__).resolve()
    return [p.name for p, text in sources.items() if p != own and names(text, folder) and quick_tests(text)]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_folder_has_tests_that_are_quick(folder: str) -> None:
    assert quick_modules(folder)


def test_the_top_has_tests_that_are_quick() -> None:
    """Modules that stand in no folder: analysis, verdict, results and others."""
    top = "|".join(path.stem for path in PACKAGE.glob("*.py") if not path.stem.startswith("_"))
    named = re.compile(rf"^import abcx$|^from abcx\.({top})\b|^from abcx import .*\b({top})\b", re.MULTILINE)
    sources = (path.read_text(encoding="utf-8") for path in TESTS.glob("test_*.py"))
    assert any(quick_tests(text) for text in sources if named.search(text))
    assert set(FOLDERS) >= {"checks", "commands", "data", "metrics", "presets", "report", "spec", "stats"}


def test_a_mark_is_seen() -> None:
    quick, slow = "def test_a(): ...\n", f"@{SLOW}\ndef test_b(): ...\n"
    assert quick_tests(quick + slow) == ["test_a"]
    assert quick_tests(slow) == []
    for mark in (SLOW, f"[{SLOW}, pytest.mark.skipif(True, reason='x')]"):
        assert quick_tests(f"import pytest\npytestmark = {mark}\n" + quick) == []
    assert quick_tests("import pytest\npytestmark = [pytest.mark.skipif(False, reason='x')]\n" + quick) == ["test_a"]
    assert names("from abcx.stats import means\n", "stats") and names("from abcx import checks, stats\n", "stats")
    assert not names("from abcx.statistics import means\n", "stats") and not names("import abcx\n", "stats")
    assert not names("from abcx.spec import stats\n", "stats") and names("from abcx.spec import presets\n", "presets")
