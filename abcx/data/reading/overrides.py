"""Data that the caller gives in place of the spec's files: paths, one file per arm, or frames."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from abcx.data.records import Inputs
from abcx.errors import UsageError
from abcx.spec.model import (
    CountsFile,
    DataSpec,
    EventSource,
    Experiment,
    ExposureSource,
    FileOptions,
    GivenFile,
    UnitSource,
)


def split(value: Any) -> tuple[tuple[str, ...], tuple[object, ...]]:
    """An argument of the API (a path, a frame, or a list of either) as paths and frames."""
    items = [] if value is None else list(value) if isinstance(value, (list, tuple)) else [value]
    paths = tuple(os.fspath(item) for item in items if isinstance(item, (str, os.PathLike)))
    frames = tuple(item for item in items if not isinstance(item, (str, os.PathLike)))
    if paths and frames:
        raise UsageError(f"{len(paths)} paths and {len(frames)} frames are given for one part", "give either")
    return paths, frames


def replace_files(
    experiment: Experiment,
    base: Path,
    events: tuple[str, ...] = (),
    exposures: tuple[str, ...] = (),
    units: tuple[str, ...] = (),
    arms: tuple[tuple[str, str], ...] = (),
) -> Experiment:
    """The experiment with its files replaced. Paths are relative to the working folder; the options of the replaced
    sources (columns, format, ...) are kept."""
    data = experiment.data or DataSpec()
    changes: dict[str, Any] = {}
    for part, paths in (("events", events), ("exposures", exposures), ("units", units)):
        if paths:
            changes[part] = _with_files(data, part, tuple(GivenFile(path=_from(base, path)) for path in paths))
    if arms:
        refs = tuple(GivenFile(path=_from(base, path), arm=_arm(experiment, name)) for name, path in arms)
        part = _part_of_arms(experiment, data)
        changes[part] = _with_files(data, part, refs, together=True)
    if changes:
        changes["counts"] = None
    return experiment.model_copy(update={"data": data.model_copy(update=changes)}) if changes else experiment


def allow_outside(experiment: Experiment) -> Experiment:
    """The experiment with all its files treated as given by the caller: they may lie outside the spec's folder."""
    data = experiment.data
    if data is None:
        return experiment

    def trusted(source: FileOptions) -> FileOptions:
        return source.model_copy(update={"file": tuple(GivenFile(path=ref.path, arm=ref.arm) for ref in source.file)})

    changes: dict[str, Any] = {
        part: tuple(map(trusted, getattr(data, part))) for part in ("exposures", "events", "units")
    }
    changes["counts"] = trusted(data.counts) if isinstance(data.counts, CountsFile) else data.counts
    return experiment.model_copy(update={"data": data.model_copy(update=changes)})


def without_counts(experiment: Experiment, inputs: Inputs) -> Experiment:
    """The experiment without the counts that frames replace."""
    if experiment.data is None or not inputs:
        return experiment
    return experiment.model_copy(update={"data": experiment.data.model_copy(update={"counts": None})})


def by_file(sources: Sequence[FileOptions], given: int) -> list[tuple[FileOptions, ...]]:
    """For each of the `given` files (or frames), the sources that it replaces: by position where the spec names as many
    files, else those of the first file, if all files are read in the same way. Raises UsageError otherwise."""
    groups: dict[object, list[FileOptions]] = {}
    for source in sources:
        groups.setdefault(source.file, []).append(source)
    file_groups = [tuple(group) for group in groups.values()]
    if len(file_groups) == given:
        return file_groups
    readings = [[source.model_copy(update={"file": ()}) for source in group] for group in file_groups]
    if any(reading != readings[0] for reading in readings):
        help = "give as many files, in the order of the spec, or name the files in the spec"
        raise UsageError(
            f"the spec reads {len(file_groups)} files in different ways, and {given} stand in their place", help
        )
    return file_groups[:1] * given


def _with_files(
    data: DataSpec, part: str, refs: tuple[GivenFile, ...], together: bool = False
) -> tuple[FileOptions, ...]:
    """The sources of a part with given files; with `together` the files are one source with a file per arm."""
    existing: tuple[FileOptions, ...] = getattr(data, part)
    if existing:
        groups = by_file(existing, 1 if together else len(refs))
        if all(group == groups[0] for group in groups):
            return tuple(source.model_copy(update={"file": refs}) for source in groups[0])
        each = zip(groups, refs, strict=True)
        return tuple(source.model_copy(update={"file": (ref,)}) for group, ref in each for source in group)
    kinds: dict[str, type[FileOptions]] = {"events": EventSource, "exposures": ExposureSource, "units": UnitSource}
    return (kinds[part](file=refs),)


def _from(base: Path, path: str) -> str:
    if path == "-" or Path(path).is_absolute():
        return path
    return os.path.relpath(path, base or ".")


def _arm(experiment: Experiment, name: str) -> str:
    arms = list(experiment.arms)
    name = {"<control>": arms[0], "<variant>": arms[1]}.get(name, name)
    if name not in arms:
        raise UsageError(f"'{name}' is not an arm of {experiment.name}", f"the arms are: {', '.join(arms)}")
    return name


def _part_of_arms(experiment: Experiment, data: DataSpec) -> str:
    """The part that a file per arm replaces: the one with a file per arm in the spec, else events if a metric needs
    them, else units."""
    for part in ("exposures", "events", "units"):
        if any(ref.arm is not None for source in getattr(data, part) for ref in source.file):
            return part
    needs_events = any(
        column.term.event is not None for metric in experiment.metrics.values() for column in metric.needs().columns
    )
    return "events" if needs_events else "units"
