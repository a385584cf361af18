"""The experiments in experiments/, analyzed once in a process as `abcx analyze` does it at the root of the project, and
their readouts."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from abcx.commands.options import DataOptions, RunOptions
from abcx.commands.running import run_all
from abcx.report import markdown, terminal
from abcx.results.readout import Results

ROOT = Path(__file__).resolve().parents[2]
GOLDEN = ROOT / "tests" / "golden"
NAMES = tuple(sorted(path.parent.name for path in (ROOT / "experiments").glob("*/experiment.yaml")))
DIGITS = 12
"""Significant digits of the numbers in the golden JSON: the last of them differ between versions of libraries, and
rounding to them stays far below the 1e-9 to which they are compared."""


@cache
def results(name: str) -> Results:
    """What `abcx analyze experiments/NAME/experiment.yaml` finds. The version of abcx is no part of what is pinned."""
    with contextlib.chdir(ROOT):
        found, code = run_all([f"experiments/{name}/experiment.yaml"], DataOptions(), RunOptions(quiet=True))
    assert code == 0
    return replace(found[0], abcx_version="VERSION")


def readout(name: str, ending: str) -> str:
    """The readout of an experiment as text: `txt` (terminal), `md` or `json`."""
    found = results(name)
    if ending == "txt":
        return terminal.render(found, width=100)
    if ending == "md":
        return markdown.render(found)
    return json.dumps(_rounded(found.to_dict()), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def differences(golden: Any, found: Any, place: str = "$") -> list[str]:
    """Where two values of JSON differ: numbers by more than 1e-9 of the larger, all else at all."""
    if isinstance(golden, dict) and isinstance(found, dict):
        told = [f"{place}.{key}: {'new' if key in found else 'gone'}" for key in golden.keys() ^ found.keys()]
        for key in golden.keys() & found.keys():
            told += differences(golden[key], found[key], f"{place}.{key}")
        return sorted(told)
    if isinstance(golden, list) and isinstance(found, list) and len(golden) == len(found):
        pairs = enumerate(zip(golden, found, strict=True))
        return [line for i, (old, new) in pairs for line in differences(old, new, f"{place}[{i}]")]
    if isinstance(golden, float) and isinstance(found, (int, float)) and not isinstance(found, bool):
        same = abs(golden - found) <= 1e-9 * max(abs(golden), abs(found))
    else:
        same = type(golden) is type(found) and golden == found
    return [] if same else [f"{place}: {golden!r} is now {found!r}"]


def changed(name: str, ending: str) -> list[str]:
    """What differs between the golden readout and that of today; empty where nothing does."""
    path, text = GOLDEN / f"{name}.{ending}", readout(name, ending)
    if not path.exists():
        return [f"there is no {path.name}"]
    golden = path.read_text(encoding="utf-8")
    if ending == "json":
        return differences(json.loads(golden), json.loads(text))
    old, new = golden.split("\n"), text.split("\n")
    told = [f"line {i + 1}: {a!r} is now {b!r}" for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b]
    return told + [f"{len(old)} lines are now {len(new)}"] * (len(old) != len(new))
