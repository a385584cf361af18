"""A folder of readouts: a page for each experiment, and an index over all of them."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from abcx.commands import outputs
from abcx.commands.options import DataOptions, RunOptions
from abcx.commands.running import exit_code, refuse_overwriting, run_each
from abcx.errors import COULD_NOT_RUN, DONE, AbcxError, UsageError
from abcx.formatting import clean
from abcx.results.readout import Results
from abcx.version import __version__

INDEX = "index"


def run(specs: Sequence[str], folder: Path, data: DataOptions, run: RunOptions, fail_on: list[str]) -> int:
    """Analyze the specs and write `index.html`, `index.md`, `index.csv`, and of each experiment NAME.html, NAME.md and
    NAME.json. One whose spec and data are those of its NAME.json is not analyzed again. Specs that cannot be analyzed
    are listed with the reason."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the folder {folder}: {error.strerror}") from None
    found: list[Results] = []
    failed: list[tuple[str, str]] = []
    unchanged: dict[str, Results] = {}

    def kept(spec: str) -> Results | None:
        if not _overridden(data, run) and (earlier := _unchanged(spec, folder)) is not None:
            unchanged[spec] = earlier
        return unchanged.get(spec)

    for spec, result in run_each(specs, data, run, kept):
        if isinstance(result, AbcxError):
            failed.append((clean(spec), clean(result.problems[0].message)))
            continue
        _refuse_twice(result, found)
        found.append(result)
        if spec not in unchanged:
            _write(result, folder, found)
        if not run.quiet:
            same = ", unchanged" if spec in unchanged else ""
            print(f"{result.experiment}: {result.verdict.verdict} ({result.verdict.arm}){same}", file=sys.stderr)
    _write_index(folder, found, failed)
    return exit_code(found, COULD_NOT_RUN if failed else DONE, fail_on)


def _overridden(data: DataOptions, run: RunOptions) -> bool:
    """Whether the command line says something that the JSON of an earlier run does not know."""
    return data != DataOptions() or any((run.engine, run.as_of, run.seed is not None, run.allow_outside, run.rejects))


def _unchanged(spec: str, folder: Path) -> Results | None:
    """The results of an earlier run, where its spec and all of its files have the hashes of today; else None."""
    from abcx.spec.load import load

    name = load(spec).experiment.name
    earlier = folder / f"{name}.json"
    if not earlier.is_file() or not (folder / f"{name}.html").is_file():
        return None
    try:
        results = Results.from_json(earlier)
    except AbcxError:
        return None
    base = Path(spec).parent
    hashes = [(Path(spec), results.setup.spec_sha256)]
    hashes += [(base / file.path, file.sha256) for file in results.data.files]
    same = results.abcx_version == __version__ and all(_hash(path) == sha and sha for path, sha in hashes)
    return results if same else None


def _hash(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _refuse_twice(results: Results, found: Sequence[Results]) -> None:
    if results.experiment == INDEX:
        raise UsageError("an experiment named 'index' would be written over the index", "give it another name")
    if any(results.experiment == earlier.experiment for earlier in found):
        message = f"two specs are named '{results.experiment}': their reports would share a file"
        raise UsageError(message, "give each spec its own name")


def _write(results: Results, folder: Path, found: Sequence[Results]) -> None:
    """The three files of an experiment; its JSON last, for it says that the others are there."""
    from abcx.report import html, json, markdown

    for ending, render in (("html", html.render), ("md", markdown.render), ("json", json.render)):
        path = str(folder / f"{results.experiment}.{ending}")
        refuse_overwriting(path, [], found)
        outputs.write(render(results), path)


def _not_analyzed(failed: Sequence[tuple[str, str]]) -> str:
    """Specs without a readout, as Markdown."""
    from abcx.report.markup import bullets, escape

    lines = [f"{escape(spec)}: {escape(reason)}" for spec, reason in failed]
    return f"\nNot analyzed:\n\n{bullets(lines)}\n" if lines else ""


def _write_index(folder: Path, found: Sequence[Results], failed: Sequence[tuple[str, str]]) -> None:
    from abcx.report import csv, portfolio, summary

    texts = {
        "html": portfolio.render(found, failed),
        "md": summary.render(found, "markdown") + _not_analyzed(failed),
        "csv": csv.render(found),
    }
    for ending, text in texts.items():
        path = str(folder / f"{INDEX}.{ending}")
        refuse_overwriting(path, [], found)
        outputs.write(text, path)
