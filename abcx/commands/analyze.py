"""`abcx analyze`: read the data, test, check, judge, print."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from abcx.commands import outputs
from abcx.commands.options import DataOptions, RunOptions, wants_color
from abcx.commands.running import exit_code, refuse_overwriting, run_all

if TYPE_CHECKING:
    from abcx.results.readout import Results

WIDTH = 100
"""Columns where the output is not a terminal."""


def run(
    specs: list[str], *, format: str, output: str | None, data: DataOptions, run: RunOptions, fail_on: list[str]
) -> int:
    """Analyze every spec, print the readouts (with a summary table for several) and return the exit code."""
    found, code = run_all(specs, data, run)
    refuse_overwriting(output, specs, found)
    if found:
        outputs.write(render(found, by_ending(format, output), run, output), output)
    return exit_code(found, code, fail_on)


ENDINGS = {".md": "markdown", ".markdown": "markdown", ".json": "json", ".csv": "csv", ".txt": "terminal"}


def by_ending(format: str, output: str | None) -> str:
    """The format of a file by its ending, where none was asked for."""
    return ENDINGS.get(Path(output).suffix.lower(), format) if output and format == "terminal" else format


def render(found: Sequence[Results], format: str, run: RunOptions, output: str | None = None) -> str:
    """The results in one format, as text that ends with a line break."""
    if format == "json":
        from abcx.report import json

        return json.render(found[0]) if len(found) == 1 else json.render_all(found)
    if format == "csv":
        from abcx.report import csv

        return csv.render(found)
    from abcx.report import markdown, summary, terminal

    if format == "markdown":
        parts = [markdown.render(results) for results in found]
        return "\n".join([summary.render(found, "markdown"), *parts] if len(found) > 1 else parts)
    width, color, ascii = layout(run, output)
    parts = [terminal.render(results, width, color, ascii) for results in found]
    return "\n".join([*parts, summary.render(found, "terminal", width, color, ascii)] if len(found) > 1 else parts)


def layout(run: RunOptions, output: str | None) -> tuple[int, bool, bool]:
    """Width, color and whether only ASCII can be shown. A file or a pipe has a stable width and no color."""
    screen = output is None and outputs.on_screen(sys.stdout)
    width = max(60, min(120, shutil.get_terminal_size((WIDTH, 24)).columns)) if screen else WIDTH
    try:
        "─█●".encode((None if output else getattr(sys.stdout, "encoding", None)) or "utf-8")
        ascii = False
    except UnicodeEncodeError:
        ascii = True
    return width, run.color == "always" or (output is None and wants_color(run.color)), ascii
