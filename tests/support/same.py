"""Whether two readouts say the same."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import abcx
from abcx.commands import pack
from abcx.commands.options import RunOptions

QUIET = RunOptions(quiet=True, threads=2)


def packed(spec: Path, folder: Path, overwrite: bool = False, options: RunOptions = QUIET) -> Path:
    assert pack.run(str(spec), output=str(folder), overwrite=overwrite, run=options) == 0
    assert [path.name for path in folder.glob(".*")] == []
    return folder / spec.name


def said(spec: Path) -> dict[str, Any]:
    """The JSON of an analysis without names and hashes of files."""
    found = json.loads(json.dumps(abcx.analyze(spec).to_dict()))
    for key in ("spec", "spec_sha256", "command"):
        del found["setup"][key]
    found["data"]["notes"].sort(key=json.dumps)  # the notes of a packed file come together
    for file in found["data"]["files"]:
        del file["path"], file["sha256"]
    for part in found["data"]["balance"]:
        del part["file"]
    for one in found["data"]["exclusions"]:
        one["message"] = re.sub(r"^rows of \S+", "rows of FILE", one["message"])
    return found


def without_unfound(found: dict[str, Any]) -> dict[str, Any]:
    """The exclusions of a preset stand in the packed spec as its own, and of those it is said that no row fits."""
    for verdict in (found["verdict"], *found["verdicts"]):
        verdict["warnings"] = [one for one in verdict["warnings"] if one["code"] != "nothing_found"]
    found["checks"] = [one for one in found["checks"] if one["code"] != "nothing_found"]
    return found


def same(original: Path, folder: Path) -> Path:
    """Pack, and compare the JSON of both specs key by key."""
    copy = packed(original, folder)
    before, after = without_unfound(said(original)), without_unfound(said(copy))
    assert before.keys() == after.keys()
    for key in before:
        assert alike(before[key], after[key]), (key, before[key], after[key])
    return copy


def alike(a: Any, b: Any) -> bool:
    """Whether two results hold the same; sums of threads may differ in their last digit."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(alike, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
    return bool(a == b)
