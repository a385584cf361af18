"""`abcx pack`: the files of a spec as typed Parquet, and a copy of the spec that reads them."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from abcx.commands import outputs
from abcx.commands.options import DataOptions, RunOptions
from abcx.commands.running import opened
from abcx.errors import DONE, UsageError
from abcx.formatting import clean, plural

if TYPE_CHECKING:
    from abcx.data.pack.write import Packed
    from abcx.spec.load import LoadedSpec

FOLDER = "packed"
"""Where the files go, beside the spec, where no folder is named."""


def run(spec: str, *, output: str | None, overwrite: bool, run: RunOptions) -> int:
    """Read everything as `analyze` does, then write it down; the folder gets all files or none."""
    loaded = opened(spec, DataOptions(), run)
    if spec == "-" and output is None:
        raise UsageError("a spec from standard input has no folder", "name one: -o FOLDER")
    if loaded.experiment.data is None or not loaded.experiment.data.sources():
        help = "name events, exposures or units in it; counts are summed already"
        raise UsageError("the spec names no files to pack", help, "nothing-to-pack")
    if loaded.experiment.data.engine not in (None, "duckdb"):
        raise UsageError("the spec's data are in another engine", "pack is for files that the default engine reads")
    folder = loaded.base / FOLDER if output is None else Path(output)
    name = "experiment.yaml" if spec == "-" else Path(spec).name
    _refuse_existing(folder, [name], overwrite)
    with outputs.drafted(folder) as draft:
        packed = _packed(loaded, folder, draft, name, overwrite, run)
        outputs.put(draft, folder, [*(file.name for file in packed.files), name])
    if not run.quiet:
        _tell(folder / name, packed)
    return DONE


def _packed(loaded: LoadedSpec, folder: Path, draft: Path, name: str, overwrite: bool, run: RunOptions) -> Packed:
    """Write the Parquet files and the spec into the draft."""
    from abcx.analysis.companions import with_companions
    from abcx.commands.progress import waiting
    from abcx.data import observe
    from abcx.data.pack import write
    from abcx.data.plan import plan
    from abcx.data.reading.read_parts import read_parts
    from abcx.data.records import Inputs
    from abcx.engines.local import Engine
    from abcx.spec.rewrite import with_sources

    experiment, _ = with_companions(loaded.experiment)
    with Engine(run.memory, run.threads, run.verbose) as engine, waiting(engine, experiment.name, run.quiet):
        engine.allow_output(draft)
        loading = read_parts(engine, plan(experiment), loaded.base, Inputs(), apart=True)
        observe.observed(loading)  # for what can be refused there only; its numbers are not needed
        files = [source.table.file for part in loading.parts.values() for source in part.sources]
        read = [file.original for file in files if file is not None]
        _refuse_existing(folder, write.names(loading), overwrite)
        _refuse_sources(folder, [*write.names(loading), name], [*read, Path(loaded.path or "")])
        packed = write.pack(loading, draft)
    assert loaded.document is not None
    note = f"Packed by abcx from {loaded.path} (SHA-256 {loaded.sha256}). Its data were:"
    text = with_sources(loaded.raw, loaded.document, loaded.experiment, packed.sources, note)
    outputs.write(text, str(draft / name))
    return packed


def _refuse_existing(folder: Path, names: Iterable[str], overwrite: bool) -> None:
    there = next((folder / name for name in names if (folder / name).exists()), None)
    if there is not None and not overwrite:
        raise UsageError(f"{there} exists already", "name another folder with -o, or say --overwrite", "file-exists")


def _refuse_sources(folder: Path, names: Iterable[str], read: Iterable[Path]) -> None:
    """What is read is never written over."""
    inputs = [path for path in read if path.is_file()]
    for name in names:
        outputs.refuse_inputs(folder / name, inputs, "the packed files", "name another folder with -o")


def _tell(spec: Path, packed: Packed) -> None:
    files, rows = packed.files, sum(file.rows for file in packed.files)
    print(f"wrote {clean(spec)} and {plural(len(files), 'Parquet files')} with {plural(rows, 'rows')}", file=sys.stderr)
    for file in files:
        print(f"  {clean(file.name)}: {plural(file.rows, 'rows')} of {clean(file.shown)}", file=sys.stderr)
