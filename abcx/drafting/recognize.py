"""The preset that an export matches, by its header."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from abcx.engines.local import Engine
from abcx.errors import DataError
from abcx.files import opening
from abcx.files.paths import resolve
from abcx.spec import presets
from abcx.spec.model import EventSource, FileOptions, GivenFile
from abcx.spec.presets import Preset


@dataclass(frozen=True, slots=True)
class PresetMatch:
    """An export that a preset knows: the preset's name, the part of `data` that it is, how its file is read, and the
    columns that the preset reads but this file does not have, with what they are read as. `tells_arms`: the same file
    can be read as exposures too. Where the file can give some of the preset's events and not others, `events` are the
    ones that it can, and `without` the others with the column that they need."""

    name: str
    preset: Preset
    part: str
    options: FileOptions
    missing: tuple[tuple[str, str], ...]
    tells_arms: bool = False
    events: tuple[str, ...] = ()
    without: tuple[tuple[str, str], ...] = ()


def recognize(engine: Engine, path: str) -> PresetMatch | None:
    """The preset whose signature columns are all present; of several the one with the most."""
    headers: dict[object, tuple[str, ...]] = {}
    best, most = None, 0
    for name in presets.names():
        preset = presets.named(name)
        for part, signature in preset.header.items():
            options = preset.entries(part)[0].model_copy(update={"file": (GivenFile(path=path),)})
            reading = (options.format, options.delimiter, options.encoding, options.skip, options.header_rows)
            if reading not in headers:
                headers[reading] = _header(engine, options)
            if len(signature) > most and set(signature) <= set(headers[reading]):
                header, most = headers[reading], len(signature)
                events, without = _given(preset, part, header)
                missing = () if events else _missing(preset.entries(part), header)
                tells_arms = _tells_arms(preset, part, header)
                best = PresetMatch(name, preset, part, options, missing, tells_arms, events, without)
    return best


def _tells_arms(preset: Preset, part: str, header: tuple[str, ...]) -> bool:
    """Whether a file of events has the columns of the preset's exposures; a part with a header of its own is another
    file."""
    has_no_own_header = part == "events" and preset.exposures is not None and "exposures" not in preset.header
    return has_no_own_header and not _missing(preset.entries("exposures"), header)


def _given(preset: Preset, part: str, header: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[tuple[str, str], ...]]:
    """The events that a file can give, and the others with a column that they need; nothing where it can give all, or
    none."""
    entries = [entry for entry in preset.entries(part) if isinstance(entry, EventSource) and entry.event]
    lacking = {str(entry.event): _missing((entry,), header) for entry in entries}
    events = tuple(event for event, missing in lacking.items() if not missing)
    if len(events) in (0, len(lacking)):
        return (), ()
    return events, tuple((event, missing[0][1]) for event, missing in lacking.items() if missing)


def _header(engine: Engine, options: FileOptions) -> tuple[str, ...]:
    """The names of the columns, none where the file cannot be read in this way."""
    try:
        return opening.open_file(engine, resolve(options, Path(), engine.scratch)[0], options, "UTC").header
    except DataError:
        return ()


def _missing(entries: tuple[FileOptions, ...], header: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    wanted: dict[str, str] = {}
    for entry in entries:
        wanted |= {column: canonical for canonical, column in entry.columns.items()}
        for where in (entry.where, *entry.exclude.values()):
            wanted |= {column: "where" for column in where if column not in wanted}
    return tuple((use, column) for column, use in wanted.items() if column not in header)
