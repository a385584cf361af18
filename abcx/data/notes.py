"""The notes on the data, other than exclusions and checks."""

from __future__ import annotations

from dataclasses import replace

from abcx.data.reading.load import Loading
from abcx.data.units.attribution import Attributed
from abcx.data.workspace import Workspace
from abcx.notes import Note

_MAX_NOTES_APART = 3
"""Maximum number of files with a note each; more share one note."""


def of_data(work: Workspace, of_times: tuple[Note, ...], attributed: Attributed) -> tuple[Note, ...]:
    """All notes in the order of the report; `of_times` are the notes on the resolution of times."""
    cut = [work.clock.note] if work.clock.note else []
    return (*_of_reading(work.loading), *of_times, *_of_events(work.loading, attributed), *cut)


def _of_reading(loading: Loading) -> tuple[Note, ...]:
    """The notes of reading; equal notes on more than three files become one on the first, with the number of others."""
    groups: list[tuple[Note, list[Note]]] = []
    for note in loading.notes:
        common = replace(note, values={name: value for name, value in note.values.items() if name != "file"})
        group = next((notes for shared, notes in groups if shared == common), None)
        if group is None:
            groups.append((common, [note]))
        elif note not in group:
            group.append(note)
    return tuple(
        reported
        for _, notes in groups
        for reported in (notes if len(notes) <= _MAX_NOTES_APART else [_with_more(notes[0], len(notes) - 1)])
    )


def _with_more(note: Note, more_files: int) -> Note:
    return replace(note, values={**note.values, "more_files": more_files})


def _of_events(loading: Loading, attributed: Attributed) -> tuple[Note, ...]:
    named = attributed.named
    counts = {
        "unused_events": named.unnamed,
        "unfit_events": _unfit(loading, named.unfit),
        "shared_ids": attributed.shared_ids,
    }
    arms = {"arms": loading.arm_part == "events"}
    return tuple(
        Note(code, {"count": count, **(arms if code == "unused_events" else {})})
        for code, count in counts.items()
        if count
    )


def _unfit(loading: Loading, count: int) -> int:
    """The number of event rows that `where` leaves out, without those that `exclude` leaves out."""
    if not count:
        return 0
    reasons = {reason for source in loading.parts["events"].select.sources for reason in source.options.exclude}
    return count - sum(exclusion.rows or 0 for exclusion in loading.exclusions if exclusion.reason in reasons)
