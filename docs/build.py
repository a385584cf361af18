"""Writes docs/checks.md and docs/metrics.md from the docstrings of the checks and of the metric types.

python docs/build.py
"""

from __future__ import annotations

import inspect
import re
import sys
from pathlib import Path

from abcx.checks import CHECKS
from abcx.metrics import METRIC_TYPES

FOLDER = Path(__file__).parent
NOTE = "<!-- Written by docs/build.py from the docstrings of {folder}: change them, then run it again. -->"

CHECKS_INTRO = """\
# Trust checks

Before any effect is judged, abcx asks whether the data can be believed. Every report lists the outcome of every check:

- **pass**: nothing is wrong; the report names the deciding number.
- **warn**: read the result with care. The verdict stands, with the warning beside it.
- **fail**: these data forbid a conclusion, and the verdict is INVALID.
- **skipped**: the data or the spec do not tell; the report says what would enable the check.

Thresholds are fixed, so that the same data are judged alike in every team. The JSON report holds all that a check
looked at, under `checks[].details`."""

METRICS_INTRO = """\
# Metric types

Each metric has a `type`, a `role` and, unless it is descriptive, a `goal`. [spec.md](spec.md) lists all keys."""


def pages() -> dict[str, str]:
    """File name: the page as it should be."""
    checks = {code: _docstring(check.__module__) for code, check in CHECKS.items()}
    types = {name: _docstring(metric.__module__) for name, metric in METRIC_TYPES.items()}
    return {
        "checks.md": _page(CHECKS_INTRO, "abcx/checks", "what it asks", checks),
        "metrics.md": _page(METRICS_INTRO, "abcx/metrics", "what it is", types),
    }


def _docstring(module: str) -> str:
    text = inspect.getdoc(sys.modules[module])
    assert text, f"{module} has no docstring"
    return text


def _page(intro: str, folder: str, heading: str, sections: dict[str, str]) -> str:
    rows = [f"| [`{name}`](#{name}) | {_first_sentence(text)} |" for name, text in sections.items()]
    table = "\n".join([f"| name | {heading} |", "|---|---|", *rows])
    parts = [f"## {name}\n\n{text}" for name, text in sections.items()]
    return "\n\n".join([NOTE.format(folder=folder), intro, table, *parts]) + "\n"


def _first_sentence(text: str) -> str:
    """The first line of a docstring, without the bold name at its head."""
    return re.sub(r"^\*\*.*?\*\*: ", "", " ".join(text.split("\n\n")[0].split()))


if __name__ == "__main__":
    for name, page in pages().items():
        (FOLDER / name).write_text(page, encoding="utf-8")
