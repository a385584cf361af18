"""What `analyze` and `report` share: read every spec, run it, judge the exit code."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from abcx.commands import outputs
from abcx.commands.options import DataOptions, RunOptions
from abcx.errors import BLOCKED, COULD_NOT_RUN, DONE, AbcxError, UsageError
from abcx.formatting import clean, place
from abcx.problems import render_all

if TYPE_CHECKING:
    from abcx.engines.local import Engine
    from abcx.files.csv_errors import Reject
    from abcx.results.readout import Results
    from abcx.spec.load import LoadedSpec


def run_all(specs: Sequence[str], data: DataOptions, run: RunOptions) -> tuple[list[Results], int]:
    """The results of every spec that could be run, in order, and the worst exit code of those that could not."""
    ended = [result for _, result in run_each(specs, data, run)]
    found = [result for result in ended if not isinstance(result, AbcxError)]
    return found, DONE if len(found) == len(ended) else COULD_NOT_RUN


def run_each(
    specs: Sequence[str], data: DataOptions, run: RunOptions, kept: Callable[[str], Results | None] = lambda spec: None
) -> Iterator[tuple[str, Results | AbcxError]]:
    """Every spec with its results, or why it could not be run. `kept` gives results that need no new run.

    The problems of one spec go to stderr and do not stop the others. Rows that could not be read are written at the
    end, where that is asked for.
    """
    _refuse_rejects(specs, data, run)
    rejects: list[Reject] = []
    for number, spec in enumerate(specs):
        if len(specs) > 1 and not run.quiet and outputs.on_screen(sys.stderr):
            print(f"[{number + 1}/{len(specs)}] {clean(spec)}", file=sys.stderr)
        result: Results | AbcxError
        try:
            result = kept(spec) or _run(spec, data, run, rejects)
        except AbcxError as error:
            print(render_all(error.problems), file=sys.stderr)
            result = error
        yield spec, result
    if run.rejects is not None:
        outputs.write(_table(rejects), run.rejects)


def _table(rejects: Sequence[Reject]) -> str:
    """Rows that could not be read, as CSV that is safe to open in a spreadsheet."""
    import csv
    import io

    from abcx.report.csv import cell

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["file", "line", "column", "problem", "row"])
    writer.writerows([cell(x) for x in (one.file, one.line, one.column, one.problem, one.row)] for one in rejects)
    return out.getvalue()


def opened(spec: str, data: DataOptions, run: RunOptions) -> LoadedSpec:
    """A spec with what the command line says beside it; its warnings go to stderr."""
    from abcx.analysis import pipeline
    from abcx.data.reading.overrides import allow_outside, replace_files
    from abcx.spec.load import load

    loaded = load(spec)
    if loaded.warnings and not run.quiet:
        print("\n".join(f"warning: {clean(warning.message)}" for warning in loaded.warnings), file=sys.stderr)
    experiment = pipeline.override(loaded.experiment, run.as_of, run.seed)
    experiment = allow_outside(experiment) if run.allow_outside else experiment
    experiment = replace_files(experiment, loaded.base, data.events, data.exposures, data.units, data.arms)
    return replace(loaded, experiment=experiment)


def _run(spec: str, data: DataOptions, run: RunOptions, rejects: list[Reject]) -> Results:
    from abcx.analysis import pipeline
    from abcx.commands.progress import waiting
    from abcx.data.records import Inputs
    from abcx.engines.choose import chosen, open_engine

    loaded = opened(spec, data, run)
    inputs = Inputs(rejects=rejects if run.rejects is not None else None)
    name = chosen(loaded.experiment, run.engine, run.allow_outside)

    @contextmanager
    def opening() -> Iterator[Engine]:
        with (
            open_engine(name, run.memory, run.threads, run.verbose) as engine,
            waiting(engine, loaded.experiment.name, run.quiet),
        ):
            yield engine

    return pipeline.run(opening, loaded, inputs, _command(spec, data, run))


def _command(spec: str, data: DataOptions, run: RunOptions) -> str:
    """The command line that reproduces the report."""
    import shlex

    words = ["abcx", "report", place(spec)]
    for option, files in (("--events", data.events), ("--exposures", data.exposures), ("--units", data.units)):
        words += [word for file in files for word in (option, place(file))]
    for arm, file in data.arms:
        named = place(file)
        words += {"<control>": ["--control", named], "<variant>": ["--variant", named]}.get(
            arm, ["--arm", f"{arm}={named}"]
        )
    if run.engine:
        words += ["--engine", re.sub(r"(://[^:@/]*):[^@/]*@", r"\1@", run.engine)]  # never a password
    words += ["--allow-outside"] if run.allow_outside else []
    words += ["--as-of", run.as_of] if run.as_of else []
    words += ["--seed", str(run.seed)] if run.seed is not None else []
    return shlex.join([*words, "-o", "report.md"])


def refuse_overwriting(output: str | None, specs: Sequence[str], found: Sequence[Results]) -> None:
    """Raise UsageError where the report would be written over a spec or over data that it was made from."""
    folders = {results.setup.spec: Path(results.setup.spec or "").parent for results in found}
    data = [folders[results.setup.spec] / file.path for results in found for file in results.data.files]
    outputs.refuse_inputs(output, [*map(Path, specs), *data], "the report", "name another file with -o")


def _refuse_rejects(specs: Sequence[str], data: DataOptions, run: RunOptions) -> None:
    """Raise UsageError where the rows that cannot be read would be written over a spec, over data, or over any other
    file that is not such a table (the data of a spec that cannot be read are not known)."""
    place = Path(run.rejects or "-")
    if run.rejects is None or run.rejects in outputs.STREAMS or not place.is_file():
        return
    inputs = [path for spec in specs for path in (Path(spec), *_inputs(spec, data))]
    cure = "name another file with --rejects"
    outputs.refuse_inputs(place, inputs, "the rows that cannot be read", cure)
    with place.open("rb") as file:
        start = file.readline(200)
    if start and start.rstrip(b"\r\n") != _table([]).rstrip().encode():
        raise UsageError(f"{run.rejects} exists and is no table of rows that could not be read", cure)


def _inputs(spec: str, data: DataOptions) -> Iterator[Path]:
    """The files that a spec names, with those of the command line; none where it cannot be read."""
    import glob

    from abcx.data.reading.overrides import replace_files
    from abcx.spec.load import load
    from abcx.spec.model import CountsFile

    if spec == "-":  # standard input can be read once
        return
    try:
        loaded = load(spec)
        experiment = replace_files(loaded.experiment, loaded.base, data.events, data.exposures, data.units, data.arms)
    except AbcxError:
        return
    if experiment.data is None:
        return
    counts = [experiment.data.counts] if isinstance(experiment.data.counts, CountsFile) else []
    for ref in (ref for options in (*experiment.data.sources(), *counts) for ref in options.file):
        path = loaded.base / Path(ref.path).expanduser()
        if path.is_dir():
            yield from path.rglob("*")
        else:
            yield path
            yield from map(Path, glob.glob(str(path), recursive=True))


_FAILS: dict[str, Callable[[Results], bool]] = {
    "invalid": lambda results: any(v.verdict == "INVALID" for v in results.verdicts),
    "harm": lambda results: any(
        r.code in ("primary_harm", "guardrail_harm") for v in results.verdicts for r in v.reasons
    ),
    "no-benefit": lambda results: any(
        v.verdict == "DO NOT SHIP" and r.code in ("no_benefit", "below_minimum_effect")
        for v in results.verdicts
        for r in v.reasons
    ),
    "keep-running": lambda results: any(v.verdict == "KEEP RUNNING" for v in results.verdicts),
    "inconclusive": lambda results: any(v.verdict == "INCONCLUSIVE" for v in results.verdicts),
    "warning": lambda results: any(v.warnings for v in results.verdicts),
}


def exit_code(found: Sequence[Results], code: int, fail_on: Sequence[str]) -> int:
    """The worst of: could not run, a condition of `--fail-on` is met (an INVALID verdict by default), done."""
    conditions = [] if "none" in fail_on else [_FAILS[name] for name in fail_on or ["invalid"]]
    blocked = any(condition(results) for condition in conditions for results in found)
    return max(code, BLOCKED if blocked else DONE)
