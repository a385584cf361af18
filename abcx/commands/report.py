"""`abcx report`: write the readout for people, as a file or one file per spec in a folder."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from abcx import formatting
from abcx.commands import outputs
from abcx.commands.analyze import ENDINGS, refuse_unfit, render
from abcx.commands.options import DataOptions, RunOptions
from abcx.commands.running import exit_code, refuse_overwriting, run_all
from abcx.commands.validate import specs_in
from abcx.errors import UsageError

if TYPE_CHECKING:
    from abcx.results.readout import Results


def run(specs: list[str], *, output: str, data: DataOptions, run: RunOptions, fail_on: list[str]) -> int:
    """Write the report of a spec to `output` (.html, .md, .png, .json, .csv or .txt), or of all specs to a folder, with
    an index."""
    suffix = Path(output).suffix.lower()
    specs = specs_in(specs)
    if output != "-" and (not suffix or Path(output).is_dir()):
        from abcx.commands import portfolio

        refuse_unfit("folder", run)
        return portfolio.run(specs, Path(output), data, run, fail_on)
    if suffix not in ENDINGS and output != "-":
        cure = f"end the name with {formatting.joined(sorted(ENDINGS), 'or')}, or name a folder"
        raise UsageError(f"cannot tell the format of {output}", cure)
    format = ENDINGS.get(suffix, "markdown")
    run = replace(run, full=format == "terminal")  # a file holds everything
    refuse_unfit(format, run, len(specs))
    found, code = run_all(specs, data, run)
    refuse_overwriting(output, specs, found)
    if found:
        _write(found, format, output, run)
    if found and output != "-" and not run.quiet:
        for results in found:
            print(f"{results.experiment}: {results.verdict.verdict} ({results.verdict.arm})", file=sys.stderr)
    return exit_code(found, code, fail_on)


def _write(found: list[Results], format: str, output: str, run: RunOptions) -> None:
    """Write one file; with Markdown of one experiment the SVG files of its figures."""
    if format == "markdown" and output != "-" and len(found) == 1 and not run.summary:
        outputs.write(_illustrated(found[0], Path(output)), output)
    else:
        outputs.write(render(found, format, run, output), output)


def _illustrated(results: Results, output: Path) -> str:
    """The Markdown of an experiment, after the SVG files that it names are written next to it."""
    from abcx.report import figures, markdown

    drawings = {f"{output.stem}-{drawing.name}.svg": drawing for drawing in figures.all_of(results)}
    for name, drawing in drawings.items():
        refuse_overwriting(str(output.with_name(name)), [], [results])
        outputs.write(drawing.file(), str(output.with_name(name)))
    return markdown.render(results, images={name: drawing.label for name, drawing in drawings.items()})
