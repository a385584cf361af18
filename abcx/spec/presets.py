"""`preset: NAME` on a source: options of a known export, from a YAML file of the package or of the user.

The options of a source override those of its preset; `columns`, `where` and `exclude` are joined key by key.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from abcx.problems import Problem, Span
from abcx.spec.document import MAX_BYTES, Document, Loc, read
from abcx.spec.model import CountsFile, DataSpec, EventSource, ExposureSource, FileOptions, UnitSource
from abcx.spec_types import Model, Texts

FOLDER = Path(__file__).parent.parent / "presets"
PARTS = ("exposures", "events", "units", "counts")
Part = Literal["exposures", "events", "units", "counts"]
Translate = Callable[[Document, ErrorDetails, type[Model]], Problem]

_JOINED = ("columns", "where", "exclude")


def _entries(raw: Any) -> Any:
    """The options of a part, once or as a list; the file is the user's."""
    entries = raw if isinstance(raw, list) else [raw]
    for entry in entries:
        if isinstance(entry, dict) and {"file", "preset"} & set(entry):
            cure = "the spec names the file and the preset; here stand the options"
            raise PydanticCustomError("preset", "a preset names no file and no other preset", {"cure": cure})
    return [{"file": "-", **entry} if isinstance(entry, dict) else entry for entry in entries]


O = TypeVar("O", bound=FileOptions)  # noqa: E741
Entries = Annotated[tuple[O, ...], BeforeValidator(_entries), Field(min_length=1)]


class Preset(Model):
    """A preset file: a heading, and the options of every part of `data` that such an export can serve."""

    export: str = Field(description="what the export is and how it is made")
    documented: Texts = Field((), description="where the names of its columns come from: addresses")
    checked: str = Field(description="against what the preset was checked")
    notes: str | None = Field(None, description="what to know before its numbers are read")
    header: dict[Part, Texts] = Field(
        default_factory=dict, description="columns that tell such an export, for `abcx init`"
    )
    experiment: str | None = Field(None, description="column that names the experiment of an exposure")
    exposures: Entries[ExposureSource] | None = None
    events: Entries[EventSource] | None = None
    units: Entries[UnitSource] | None = None
    counts: Entries[CountsFile] | None = None
    metrics: dict[str, dict[str, Any]] = Field(default_factory=dict, description="first metrics, for `abcx init`")

    def entries(self, part: str) -> tuple[FileOptions, ...]:
        """The options of one part, one for each source that the file gives; empty where it does not serve it."""
        options: tuple[FileOptions, ...] | None = getattr(self, part)
        return options or ()

    def parts(self) -> list[str]:
        return [part for part in PARTS if self.entries(part)]


def names() -> list[str]:
    """The presets of the package."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


@cache
def named(name: str) -> Preset:
    """A preset of the package."""
    path = FOLDER / f"{name}.yaml"
    return Preset.model_validate(read(path.read_bytes(), path.name).value)


def expand(
    document: Document, data: DataSpec, folder: Path, translate: Translate
) -> tuple[DataSpec | None, list[Problem]]:
    """The data with the options of their presets written out, or the problems of those presets."""
    problems: list[Problem] = []
    changes: dict[str, Any] = {}
    for part in ("exposures", "events", "units"):
        sources: tuple[FileOptions, ...] = getattr(data, part)
        if not any(source.preset for source in sources):
            continue
        expanded: list[FileOptions] = []
        for number, source in enumerate(sources):
            loc: Loc = ("data", part, number, "preset")
            options, preset_problems = _expanded(document, data, part, source, loc, folder, translate)
            expanded += options
            problems += preset_problems
        changes[part] = tuple(expanded)
    if isinstance(data.counts, CountsFile) and data.counts.preset:
        loc = ("data", "counts", "preset")
        options, preset_problems = _expanded(document, data, "counts", data.counts, loc, folder, translate)
        problems += preset_problems
        changes["counts"] = options[0] if options else data.counts
    return (None, problems) if problems else (data.model_copy(update=changes), [])


def _expanded(
    document: Document,
    data: DataSpec,
    part: str,
    source: FileOptions,
    loc: Loc,
    folder: Path,
    translate: Translate,
) -> tuple[list[FileOptions], list[Problem]]:
    if source.preset is None:
        return [source], []
    preset = _find(document, source.preset, loc, folder, translate)
    if not isinstance(preset, Preset):
        return [], preset
    entries = preset.entries(part)
    if not entries:
        help = f"it serves: {', '.join(preset.parts()) or 'nothing'}"
        return [], [document.problem("preset-part", f"the preset '{source.preset}' has no {part}", loc, help)]
    event = source.event if isinstance(source, EventSource) else None
    if event is not None and len(entries) > 1:
        of_event = [entry for entry in entries if isinstance(entry, EventSource) and entry.event == event]
        if not of_event:
            events = ", ".join(str(entry.event) for entry in entries if isinstance(entry, EventSource))
            message = f"the preset '{source.preset}' has no event '{event}'"
            place = (*loc[:-1], "event")
            return [], [document.problem("preset-part", message, place, f"it gives: {events}; without `event` all")]
        entries = tuple(of_event)
    conflicts = _conflicts(document, data, source, entries, loc)
    return ([], conflicts) if conflicts else ([_merged(entry, source, data) for entry in entries], [])


def _conflicts(
    document: Document, data: DataSpec, source: FileOptions, entries: tuple[FileOptions, ...], loc: Loc
) -> list[Problem]:
    """Columns that the spec names once for several sources of a preset which read different ones: an order and its
    refund have values of their own."""
    problems = []
    for canonical, written in ({} | data.columns | source.columns).items():
        read = {entry.columns.get(canonical) for entry in entries}
        if len(read) == 1 or read == {written}:
            continue
        event_columns = [
            (entry.event, entry.columns.get(canonical)) for entry in entries if isinstance(entry, EventSource)
        ]
        listed = ", ".join(f"{event}: {column or 'none'}" for event, column in event_columns)
        message = f"'{canonical}' cannot be {written} in all that the preset '{source.preset}' reads ({listed})"
        help = (
            f"name the event whose column it is: {{preset: {source.preset}, event: ..., columns: {{{canonical}: ...}}}}"
        )
        problems.append(document.problem("preset-part", message, loc, f"{help}, and the file once more for the others"))
    return problems


def _merged(entry: FileOptions, source: FileOptions, data: DataSpec) -> FileOptions:
    own = {name: getattr(source, name) for name in source.model_fields_set}
    for name in _JOINED:
        shared = data.columns if name == "columns" else {}
        own[name] = {**getattr(entry, name), **shared, **getattr(source, name)}
    return entry.model_copy(update=own)


def _find(document: Document, name: str, loc: Loc, folder: Path, translate: Translate) -> Preset | list[Problem]:
    if "/" in name or "\\" in name or name.endswith((".yaml", ".yml")):
        return _of_user(document, name, loc, folder, translate)
    known = names()
    if name in known:
        return named(name)
    close = difflib.get_close_matches(name.lower(), known, 1, 0.5)
    hint = f"did you mean '{close[0]}'? " if close else ""
    help = f"{hint}The presets are: {', '.join(known)}; or a file of yours: ./my-preset.yaml"
    return [document.problem("unknown-preset", f"unknown preset '{name}'", loc, help)]


def _of_user(document: Document, name: str, loc: Loc, folder: Path, translate: Translate) -> Preset | list[Problem]:
    """A preset file below the spec's folder, links followed."""
    path = folder / name
    try:
        if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder)):
            help = "copy the file below the folder of the spec"
            return [document.problem("preset-file", f"{name} is not below the spec's folder", loc, help)]
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        help = "a path to a preset starts at the spec's folder"
        return [document.problem("preset-file", f"cannot read the preset {name}: {reason}", loc, help)]
    written = read(raw, str(path))
    if written.problems and raw.strip():
        return written.problems
    try:
        return Preset.model_validate(written.value)
    except ValidationError as error:
        return list(_problems_of(written, error, translate))


def _problems_of(written: Document, error: ValidationError, translate: Translate) -> Iterator[Problem]:
    if not isinstance(written.value, dict):
        help = "start from a preset of abcx: docs/presets.md says where they are"
        yield Problem("error", "preset-file", "a preset is a mapping of keys", Span(written.file, 1), help)
        return
    yield from (translate(written, detail, Preset) for detail in error.errors())
