"""`python -m tests.support.same_numbers TREE`: do readouts hold the same numbers as those of another tree of abcx?

Runs `abcx analyze` of both trees on every shipped experiment, and on the real data beside the project where they are
there; compares all numbers of the JSON (relative 1e-9), and lists keys that came or went and texts that changed.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
Leaf = tuple[str, Any]


def leaves(value: Any, path: str = "") -> Iterator[Leaf]:
    """Every value that is no list and no object, by its path; checks by their code."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}/{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            name = item.get("code", number) if isinstance(item, dict) and path.endswith("/checks") else number
            yield from leaves(item, f"{path}/{name}")
    else:
        yield path, value


def differences(before: Any, after: Any) -> dict[str, list[str]]:
    """What differs between two readouts: `numbers`, `texts`, `gone` and `new` paths."""
    one, other = dict(leaves(before)), dict(leaves(after))
    found: dict[str, list[str]] = {"numbers": [], "texts": []}
    for path in one.keys() & other.keys():
        a, b = one[path], other[path]
        numbers = [isinstance(value, (int, float)) for value in (a, b)]
        if all(numbers):
            if not math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12):
                found["numbers"].append(f"{path}: {a} and {b}")
        elif any(numbers):  # one is a number, the other none
            found["numbers"].append(f"{path}: {a} and {b}")
        elif a != b:
            found["texts"].append(f"{path}: {a!r} and {b!r}")
    return found | {"gone": sorted(one.keys() - other.keys()), "new": sorted(other.keys() - one.keys())}


def specs() -> list[Path]:
    """The shipped experiments, and the specs of real data."""
    return sorted([*ROOT.glob("experiments/*/experiment.yaml"), *(ROOT / "tests" / "real").glob("*.yaml")])


def readout(tree: Path, spec: Path) -> Any:
    """The JSON of a spec by one tree; None where its data are not there."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "r.json"
        command = [sys.executable, "-m", "abcx", "analyze", str(spec), "-o", str(out), "--quiet", "--allow-outside"]
        environment = {**os.environ, "PYTHONPATH": str(tree)}
        subprocess.run([*command, "--format", "json"], cwd=folder, env=environment, check=False, capture_output=True)
        return json.loads(out.read_text(encoding="utf-8")) if out.exists() else None


def main(tree: Path) -> int:
    """1 where a number differs, a key is gone, or one of the trees alone gives a readout."""
    assert (tree / "abcx" / "__init__.py").is_file(), f"{tree} is no checkout of abcx"
    wrong = 0
    for spec in specs():
        before, after = readout(tree, spec), readout(ROOT, spec)
        if before is None or after is None:
            print(f"{spec.parent.name}/{spec.name}: no readout")
            wrong += (before is None) != (after is None) or spec.name == "experiment.yaml"
            continue
        found = differences(before, after)
        counts = ", ".join(f"{len(items)} {kind}" for kind, items in found.items())
        print(f"{spec.parent.name}/{spec.name}: {sum(1 for _ in leaves(after))} values; differ: {counts}")
        for items in found.values():
            print(*(f"    {item}" for item in items[:10]), sep="\n", end="\n" if items else "")
        wrong += len(found["numbers"]) + len(found["gone"])
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
