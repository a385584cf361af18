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
from abcx.errors import UsageError

if TYPE_CHECKING:
    from abcx.results.readout import Results


def run(specs: list[str], *, output: str, data: DataOptions, run: RunOptions, fail_on: list[str]) -> int:
    """Write the report to `output` (.md, .json, .csv or .txt), or `<name>.md` for each spec to a folder."""
    suffix = Path(output).suffix.lower()
    folder = output != "-" and (not suffix or Path(output).is_dir())
    if suffix in (".html", ".htm"):
        raise UsageError("HTML reports are not supported yet", "write Markdown: -o report.md")
    if suffix not in ENDINGS and not folder and output != "-":
        raise UsageError(
            f"cannot tell the format of {output}", "end the name with .md, .json, .csv or .txt, or name a folder"
        )
    format = ENDINGS.get(suffix, "markdown")
    run = replace(run, full=format == "terminal")  # a file holds everything
    refuse_unfit(format, run)
    found, code = run_all(specs, data, run)
    refuse_overwriting(output, specs, found)
    if found and folder:
        _write_folder(Path(output), found, run)
    elif found:
        outputs.write(render(found, format, run, output), None if output == "-" else output)
    if found and output != "-" and not run.quiet:
        for results in found:
            print(f"{results.experiment}: {results.verdict.verdict} ({results.verdict.arm})", file=sys.stderr)
    return exit_code(found, code, fail_on)


def _write_folder(folder: Path, found: list[Results], run: RunOptions) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {folder}: {error.strerror}") from None
    names = [results.experiment for results in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(
            f"two specs are named '{twice}': their reports would share a file", "give each spec its own name"
        )
    for results in found:
        refuse_overwriting(str(folder / f"{results.experiment}.md"), [], found)
        outputs.write(render([results], "markdown", run, str(folder)), str(folder / f"{results.experiment}.md"))
    if len(found) > 1:
        from abcx.report import summary

        outputs.write(summary.render(found, "markdown"), str(folder / "abcx-summary.md"))
