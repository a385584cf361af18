"""The map of the package, read from its sources: rooms, imports, circles, functions. `make map` prints it."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "abcx"
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """One file of the package, by its dotted name."""

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    @property
    def room(self) -> str:
        """The folder below the package; a file that stands in none is a room of its own."""
        parts = self.name.split(".")[1:]
        if self.path.name == "__init__.py":
            return ".".join(parts) or "__init__"
        return ".".join(parts[:-1]) or parts[0]

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and dotted name of every import, wherever it stands; `from abcx import x` counts as abcx.x."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{self.path}: imports are absolute"
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)

    def functions(self) -> Iterator[Function]:
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))


def modules(package: Path = PACKAGE) -> dict[str, Module]:
    """Every file of the package by its dotted name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = (package.name, *path.relative_to(package).with_suffix("").parts)
        name = ".".join(part for part in parts if part != "__init__")
        found[name] = Module(name, path)
    return found


def arrows(house: Mapping[str, Module]) -> dict[str, dict[str, int]]:
    """For every module the modules that it imports, each with the first line of the import."""
    found: dict[str, dict[str, int]] = {name: {} for name in house}
    for name, module in house.items():
        for line, target in module.imports():
            whole = target if target in house else target.rpartition(".")[0]
            if whole in house and whole != name:
                found[name].setdefault(whole, line)
    return found


def circles(graph: Mapping[str, Mapping[str, int]]) -> list[list[str]]:
    """The groups of modules that import each other, by Tarjan's algorithm."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for target in graph[name]:
            if target not in index:
                visit(target)
                low[name] = min(low[name], low[target])
            elif target in stack:
                low[name] = min(low[name], index[target])
        if low[name] == index[name]:
            group: list[str] = []
            while not group or group[-1] != name:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for name in graph:
        if name not in index:
            visit(name)
    return sorted(found)


def code_lines(module: Module) -> int:
    """Lines without docstrings, comments and blank ones."""
    docs: set[int] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            docs.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(module.text).readline):
        if token.type not in skipped:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docs)


def length(function: Function) -> int:
    """Lines of a function without its docstring."""
    doc = ast.get_docstring(function, clean=False)
    return (function.end_lineno or function.lineno) - function.lineno + 1 - (doc.count("\n") + 1 if doc else 0)


def takes_engine(function: Function) -> bool:
    arguments = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
    return any(argument.arg == "engine" for argument in arguments)


def metric_classes(house: Mapping[str, Module]) -> set[str]:
    """The names of classes in metrics/."""
    return {
        node.name
        for module in house.values()
        if module.room.partition(".")[0] == "metrics"
        for node in module.tree.body
        if isinstance(node, ast.ClassDef)
    }


def branches_on_metrics(house: Mapping[str, Module]) -> list[str]:
    """`file:line` of every isinstance of a metric class outside metrics/, whatever the variable is called."""
    classes = metric_classes(house)
    found = []
    for module in house.values():
        if module.room.partition(".")[0] == "metrics":
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
                named = {one.id for one in ast.walk(node.args[1]) if isinstance(one, ast.Name)}
                named |= {one.attr for one in ast.walk(node.args[1]) if isinstance(one, ast.Attribute)}
                if named & classes:
                    found.append(f"{module.path.relative_to(PACKAGE.parent)}:{node.lineno}")
    return found


def report() -> str:
    """The figures of the house, as text."""
    house = modules()
    graph = arrows(house)
    rooms = Counter(module.room for module in house.values())
    between: dict[str, set[str]] = defaultdict(set)
    for name, targets in graph.items():
        for target in targets:
            if house[name].room != house[target].room:
                between[house[name].room].add(house[target].room)
    functions = [(length(one), module, one) for module in house.values() for one in module.functions()]
    longest = sorted(functions, key=lambda item: -item[0])[:3]
    largest = sorted(house.values(), key=lambda module: -module.text.count("\n"))[:3]
    engines = sum(takes_engine(one) for _, _, one in functions)
    lines = ["rooms (files; rooms that they import from):"]
    for room, files in sorted(rooms.items()):
        lines.append(f"  {room}: {files}; {', '.join(sorted(between[room])) or '-'}")
    found, loose = circles(graph), sum("." not in room and n == 1 for room, n in rooms.items())
    lines += [
        f"files: {len(house)} in {len(rooms)} rooms; loose files at the top: {loose}",
        f"imports between files: {sum(map(len, graph.values()))}, between rooms: {sum(map(len, between.values()))}",
        f"circles: {len(found)} {found or ''}".rstrip(),
        "longest functions: " + ", ".join(f"{m.path.name} {f.name} {n}" for n, m, f in longest),
        "largest files: " + ", ".join(f"{m.path.relative_to(PACKAGE)} {m.text.count(chr(10))}" for m in largest),
        f"functions: {len(functions)}, that take an engine: {engines}",
        f"isinstance of metric classes outside metrics: {len(branches_on_metrics(house))}",
        f"code lines: {sum(map(code_lines, house.values()))}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(report())
