"""The house stays tidy: imports point one way, start-up stays light, modules stay small, the API stays frozen."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import abcx

PACKAGE = Path(abcx.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
RANKS = (
    ("problems", "errors", "terms", "stats", "wording"),
    ("metrics",),
    ("spec",),
    ("data", "results", "plain", "measured"),
    ("planning", "planned_end", "claims", "decision"),
    ("checks", "verdict", "decomposition"),
    (
        *("monitoring", "effects", "sensitivity", "analysis", "simulation"),
        *("beside", "companions", "comparing", "course", "segments"),
    ),
    ("report",),
    ("commands",),
    ("cli",),
    ("ending",),
    ("__main__",),
)
RANK = {room: rank for rank, rooms in enumerate(RANKS) for room in rooms}
LIGHT = ("cli", "commands", "spec", "metrics", "terms", "errors", "problems", "__init__", "__main__", "ending")
HEAVY = {"pandas", "numpy", "scipy", "statsmodels", "duckdb", "matplotlib", "polars", "pyarrow", "rich"}
LONGEST = 500


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every absolute import; `from abcx import x` counts as abcx.x."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names = (f"abcx.{alias.name}" for alias in node.names) if node.module == "abcx" else (node.module or "",)
            yield from ((node.lineno, name) for name in names)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def test_every_room_has_a_rank() -> None:
    assert {room(path) for path in MODULES} - {"__init__"} <= set(RANK)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    """A file imports from rooms to the left of its own, or from its own."""
    if room(path) == "__init__":
        return
    mine = RANK[room(path)]
    for line, name in imported(parsed(path)):
        package, _, rest = name.partition(".")
        target = rest.partition(".")[0]
        if package == "abcx" and target in RANK:
            assert RANK[target] <= mine, f"{path}:{line} imports {name}, which lies to its right"


@pytest.mark.parametrize("path", [path for path in MODULES if room(path) in LIGHT], ids=str)
def test_nothing_heavy_at_the_top(path: Path) -> None:
    top = ast.Module([node for node in parsed(path).body if isinstance(node, (ast.Import, ast.ImportFrom))], [])
    assert {name.partition(".")[0] for _, name in imported(top)} & HEAVY == set()


def test_only_one_file_imports_duckdb() -> None:
    """The engine can be exchanged because one file knows it."""
    found = {
        str(path.relative_to(PACKAGE))
        for path in MODULES
        for _, name in imported(parsed(path))
        if name.partition(".")[0] == "duckdb"
    }
    assert found <= {"data/engine.py"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_stay_small_and_say_what_they_are(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= LONGEST
    assert not text.strip() or ast.get_docstring(parsed(path))


def test_the_public_names_are_frozen() -> None:
    assert abcx.__all__ == [
        "AbcxError",
        "DataError",
        "Experiment",
        "Results",
        "SpecError",
        "__version__",
        "analyze",
        "load_spec",
    ]
    assert dir(abcx) == sorted(abcx.__all__)


@pytest.mark.parametrize("name", abcx.__all__)
def test_every_public_name_is_there(name: str) -> None:
    found = getattr(abcx, name)
    assert isinstance(found, str) if name == "__version__" else callable(found)


def test_public_names_are_what_they_say() -> None:
    from abcx.errors import SpecError
    from abcx.spec.load import load_spec

    assert abcx.SpecError is SpecError and issubclass(abcx.SpecError, abcx.AbcxError)
    assert abcx.load_spec is load_spec
    with pytest.raises(AttributeError, match="no attribute 'analyse'"):
        abcx.analyse  # type: ignore[attr-defined]  # noqa: B018


def test_star_import() -> None:
    code = "from abcx import *; print(sorted(n for n in dir() if not n.startswith('__')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout) == [name for name in abcx.__all__ if name != "__version__"]


def test_types_are_shipped() -> None:
    assert (PACKAGE / "py.typed").exists()
