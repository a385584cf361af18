"""`abcx report`: write the readout for people, as a file or one file per spec in a folder."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

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
    if output != "-" and (not suffix or Path(output).is_dir()):
        from abcx.commands import portfolio

        return portfolio.run(specs_in(specs), Path(output), data, run, fail_on)
    if suffix not in (*ENDINGS, ".png") and output != "-":
        cure = "end the name with .html, .md, .png, .json, .csv or .txt, or name a folder"
        raise UsageError(f"cannot tell the format of {output}", cure)
    format = ENDINGS.get(suffix, "markdown")
    run = replace(run, full=format == "terminal")  # a file holds everything
    refuse_unfit(format, run)
    specs = specs_in(specs)
    found, code = run_all(specs, data, run)
    refuse_overwriting(output, specs, found)
    if found:
        _write(found, format if suffix != ".png" else "png", output, run)
    if found and output != "-" and not run.quiet:
        for results in found:
            print(f"{results.experiment}: {results.verdict.verdict} ({results.verdict.arm})", file=sys.stderr)
    return exit_code(found, code, fail_on)


def _write(found: list[Results], format: str, output: str, run: RunOptions) -> None:
    """Write one file; beside Markdown of one experiment the SVG files of its figures."""
    if format == "png":
        from abcx.report.figures import effects

        if len(found) > 1:
            cure = "write one at a time, or a folder with an index: abcx report SPEC... -o site"
            raise UsageError(f"a picture is of one experiment, and there are {len(found)}", cure)
        outputs.write(effects.picture(found[0]), output)
        return
    text = render(found, format, run, output)
    if format == "markdown" and output != "-" and len(found) == 1 and not run.summary:
        from abcx.report import figures, markdown

        stem = Path(output).with_suffix("")
        drawings = {f"{stem.name}-{drawing.name}.svg": drawing for drawing in figures.all_of(found[0])}
        for name, drawing in drawings.items():
            refuse_overwriting(str(stem.with_name(name)), [], found)
            outputs.write(drawing.file(), str(stem.with_name(name)))
        text = markdown.render(found[0], images={name: drawing.label for name, drawing in drawings.items()})
    outputs.write(text, None if output == "-" else output)
