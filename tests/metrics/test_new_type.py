"""A new metric type is one file and one line of the registry: it goes all the way, from files, frames and counts to the
three reports."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.house import PACKAGE

STREAK = '''"""**Streak**: events per unit, at most three of them, averaged over all exposed units."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from abcx.metrics.base import MetricOptions, DataNeeds, UnitColumn
from abcx.spec_types import Term, Text
from abcx.stats.records import Contrast, Interval, Moments, Summary


class Streak(MetricOptions):
    """Events per unit."""

    type: Literal["streak"] = Field(description="the metric type")
    event: Text | None = Field(None, description="the event that is counted")

    @property
    def value_kind(self) -> Literal["value"]:
        return "value"

    def needs(self) -> DataNeeds:
        return DataNeeds((UnitColumn("count", Term(event=self.event, where=self.where), self.window),), "moments")

    def definition(self, unit: str) -> str:
        return f"streak of {self.event} per exposed unit"

    def contrast(self, control: Summary, variant: Summary) -> Contrast:
        from abcx.stats import means

        assert isinstance(control, Moments) and isinstance(variant, Moments)
        return means.contrast(control, variant)

    def estimate(self, summary: Summary) -> float | None:
        assert isinstance(summary, Moments)
        return summary.mean if summary.n else None

    def interval(self, summary: Summary, alpha: float) -> Interval | None:
        from abcx.stats import means

        assert isinstance(summary, Moments)
        return means.interval(summary, alpha)
'''
METRICS = {"visits": {"type": "streak", "event": "visit", "role": "primary", "goal": "increase"}}
BASE: dict[str, Any] = {"schema_version": 1, "name": "toy", "arms": {"a": {}, "b": {}}}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of abcx with the new type."""
    root = tmp_path_factory.mktemp("toy")
    shutil.copytree(PACKAGE, root / "abcx", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "abcx" / "metrics" / "streak.py").write_text(STREAK)
    registry = root / "abcx" / "metrics" / "__init__.py"
    line = '    "conversion": "Conversion",\n'
    text = registry.read_text()
    assert text.count(line) == 1
    registry.write_text(text.replace(line, f'{line}    "streak": "Streak",\n'))
    exposed = "".join(f"{arm}{i},2024-03-04T08:00:00Z,{arm}\n" for i in range(40) for arm in "ab")
    visits = "".join(
        f"{arm}{i},2024-03-04T{9 + n:02d}:00:00Z,visit\n"
        for i in range(40)
        for arm in "ab"
        for n in range(i % 3 + (arm == "b"))
    )
    (root / "x.csv").write_text(f"unit,time,arm\n{exposed}")
    (root / "e.csv").write_text(f"unit,time,event\n{visits}")
    spread = {
        "a": {"units": 40, "visits": {"mean": 0.975, "sd": 0.8}},
        "b": {"units": 40, "visits": {"mean": 2, "sd": 1}},
    }
    specs = {"files": {"exposures": "x.csv", "events": "e.csv"}, "counts": {"counts": spread}}
    for name, data in specs.items():
        (root / f"{name}.yaml").write_text(json.dumps({**BASE, "data": data, "metrics": METRICS}))
    return root


def ran(tree: Path, *command: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1) and "Traceback" not in done.stderr, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("data", ["files", "counts"])
@pytest.mark.parametrize("format", ["terminal", "markdown", "json"])
def test_a_new_type_reaches_every_report(tree: Path, data: str, format: str) -> None:
    """By hand: unit i visits i % 3 times, and once more in b: 39 of 40 and 79 of 40."""
    full = ["--full"] if format == "terminal" else []
    told = ran(tree, sys.executable, "-m", "abcx", "analyze", f"{data}.yaml", "--format", format, *full)
    if format == "json":
        values = [arm["value"] for arm in json.loads(told)["metrics"][0]["arms"]]
        assert values == ([39 / 40, 79 / 40] if data == "files" else [0.975, 2])
    else:
        assert "treak of visit per exposed unit" in told


@pytest.mark.slow
def test_a_new_type_is_read_from_frames(tree: Path) -> None:
    code = (
        "import abcx, json, pandas as pd\n"
        f"spec = {BASE | {'metrics': METRICS}!r}\n"
        "found = abcx.analyze(spec, exposures=pd.read_csv('x.csv'), events=pd.read_csv('e.csv'))\n"
        "print([arm.value for arm in found['visits'].arms])"
    )
    assert ran(tree, sys.executable, "-c", code).strip() == f"[{39 / 40}, {79 / 40}]"
