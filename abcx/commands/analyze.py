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
from abcx.commands.validate import specs_in
from abcx.errors import UsageError

if TYPE_CHECKING:
    from abcx.results.readout import Results

WIDTH = 100
"""Columns where the output is not a terminal."""


def run(
    specs: list[str], *, format: str, output: str | None, data: DataOptions, run: RunOptions, fail_on: list[str]
) -> int:
    """Analyze every spec and print the readout, of several a table (with `full` each readout, too); the exit code."""
    specs, format = specs_in(specs), by_ending(format, output)
    refuse_unfit(format, run, len(specs), output)
    found, code = run_all(specs, data, run)
    refuse_overwriting(output, specs, found)
    if found:
        outputs.write(render(found, format, run, output), output)
    return exit_code(found, code, fail_on)


def refuse_unfit(format: str, run: RunOptions, specs: int = 1, output: str | None = None) -> None:
    """Raise UsageError, before anything is read, where an option says nothing in this format, the format holds one
    experiment alone, or the ending of a file is that of a format which abcx does not write."""
    if run.summary and format != "markdown":
        raise UsageError("--summary is of Markdown", "abcx analyze SPEC --format markdown --summary")
    if run.full and format != "terminal":
        raise UsageError(f"--full is of the terminal: {format} holds everything", "leave it out")
    if specs > 1 and format in ("html", "png"):
        what = "a page" if format == "html" else "a picture"
        cure = "write a folder with an index: abcx report SPEC... -o site"
        raise UsageError(f"{what} is of one experiment, and there are {specs}", cure)
    if output and Path(output).suffix.lower() in (".pdf", ".svg", ".docx", ".xlsx"):
        raise UsageError(f"{output} is no format of abcx", "write a page, and print it: -o lift.html")


ENDINGS = {
    ".html": "html",
    ".htm": "html",
    ".md": "markdown",
    ".markdown": "markdown",
    ".png": "png",
    ".json": "json",
    ".csv": "csv",
    ".txt": "terminal",
}


def by_ending(format: str, output: str | None) -> str:
    """The format of a file by its ending, where none was asked for."""
    return ENDINGS.get(Path(output).suffix.lower(), format) if output and format == "terminal" else format


def render(found: Sequence[Results], format: str, run: RunOptions, output: str | None = None) -> str | bytes:
    """The results in one format: text that ends with a line break, or the bytes of a picture."""
    if format == "json":
        from abcx.report import json

        return json.render(found[0]) if len(found) == 1 else json.render_all(found)
    if format == "csv":
        from abcx.report import csv

        return csv.render(found)
    if format == "html":
        from abcx.report import html

        return html.render(found[0])
    if format == "png":
        from abcx.report.figures import effects

        return effects.picture(found[0])
    if format == "slack":
        from abcx.report import slack

        return "\n".join(map(slack.render, found))
    from abcx.report import markdown, summary, terminal, terminal_card

    if format == "markdown":
        parts = [markdown.render(results, run.summary) for results in found]
        return "\n".join([summary.render(found, "markdown"), *parts] if len(found) > 1 else parts)
    width, color, ascii = layout(run, output)
    if run.full:
        parts = [terminal.render(results, width, color, ascii) for results in found]
    else:  # of several experiments the table says it all
        parts = [terminal_card.render(results, width, color, ascii) for results in found[:1] if len(found) == 1]
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
