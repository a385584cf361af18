"""The house stays tidy: imports point one way, start-up stays light, modules stay small, the API stays frozen."""

import ast
import subprocess
import sys

import pytest

import abcx
from tests.support import house
from tests.support.house import Module

HOUSE = house.modules()
MODULES = [module for name, module in HOUSE.items() if name != "abcx"]
ROOMS = (
    ("problems", "errors", "formatting", "notes", "spec_types", "currencies", "version", "stats"),
    ("metrics",),
    ("spec", "results"),
    ("engines",),
    ("files",),
    ("data.plan", "data.records"),
    ("data.reading",),
    ("data.clock", "data.workspace"),
    ("data.units",),
    ("data.summaries",),
    ("data", "data.pack"),
    ("planning",),
    ("checks", "drafting"),
    ("analysis",),
    ("report",),
    ("commands",),
    ("cli",),
    ("process",),
    ("__main__",),
)
"""Rooms from left to right: a file imports from rooms to the left of its own, or from its own."""
RANK = {room: rank for rank, rooms in enumerate(ROOMS) for room in rooms}
LIGHT = {"cli", "commands", "spec", "metrics", "spec_types", "errors", "problems", "notes", "__main__", "process"}
HEAVY = {"pandas", "numpy", "scipy", "statsmodels", "duckdb", "matplotlib", "polars", "pyarrow", "rich"}
LONGEST = 400


def rank(module: Module) -> int | None:
    """The place of a file among the rooms, by the narrowest that is named; None for the package itself."""
    parts = module.name.split(".")[1:]
    names = [".".join(parts[:n]) for n in range(len(parts), 0, -1)]
    return next((RANK[name] for name in names if name in RANK), None)


def shown(module: Module) -> str:
    return module.name


def test_every_file_has_a_room() -> None:
    assert [module.name for module in MODULES if rank(module) is None] == []


def test_no_import_climbs() -> None:
    """Imports in functions and those for types alone count, too."""
    climbing = []
    for name, targets in house.arrows(HOUSE).items():
        for target, line in targets.items():
            mine, other = rank(HOUSE[name]), rank(HOUSE[target])
            if mine is not None and (other is None or other > mine):
                climbing.append(f"{HOUSE[name].path}:{line} imports {target}, which lies to its right")
    assert climbing == []


def test_no_files_import_each_other() -> None:
    assert house.circles(house.arrows(HOUSE)) == []


def test_few_functions_take_an_engine() -> None:
    """What works on units takes a workspace, what works on a table its table: both know their engine."""
    assert sum(house.takes_engine(one) for module in MODULES for one in module.functions()) <= 40


def test_metric_types_own_their_branches() -> None:
    assert len(house.branches_on_metrics(HOUSE)) <= 3


def test_circles_are_found() -> None:
    graph = {"a": {"b": 1}, "b": {"c": 1}, "c": {"a": 1}, "d": {"a": 1}, "e": {}}
    assert house.circles(graph) == [["a", "b", "c"]] and house.circles({"a": {"b": 1}, "b": {}}) == []


@pytest.mark.parametrize("module", [one for one in MODULES if one.name.split(".")[1] in LIGHT], ids=shown)
def test_nothing_heavy_at_the_top(module: Module) -> None:
    top = ast.Module([node for node in module.tree.body if isinstance(node, (ast.Import, ast.ImportFrom))], [])
    names = [alias.name for node in ast.walk(top) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in ast.walk(top) if isinstance(node, ast.ImportFrom)]
    assert {name.partition(".")[0] for name in names} & HEAVY == set()


def test_only_one_file_imports_duckdb() -> None:
    """The engine can be exchanged because one file knows it."""
    found = {module.name for module in MODULES for _, name in module.imports() if name.partition(".")[0] == "duckdb"}
    assert found == {"abcx.engines.local"}


@pytest.mark.parametrize("module", MODULES, ids=shown)
def test_files_stay_small_and_say_what_they_are(module: Module) -> None:
    assert module.text.count("\n") <= LONGEST
    assert not module.text.strip() or ast.get_docstring(module.tree)


def test_the_public_names_are_frozen() -> None:
    assert abcx.__all__ == [
        "AbcxError",
        "DataError",
        "Experiment",
        "Problem",
        "Results",
        "SpecError",
        "UsageError",
        "__version__",
        "analyze",
        "counts",
        "load_spec",
        "validate",
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
        abcx.analyse  # noqa: B018


def test_star_import() -> None:
    code = "from abcx import *; print(sorted(n for n in dir() if not n.startswith('__')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ast.literal_eval(done.stdout) == [name for name in abcx.__all__ if name != "__version__"]


def test_types_are_shipped() -> None:
    assert (house.PACKAGE / "py.typed").exists()
