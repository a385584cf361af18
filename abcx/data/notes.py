"""What is to be said of the data beside exclusions and checks."""

from __future__ import annotations

from abcx import formatting
from abcx.data.reading.load import Loading
from abcx.data.units.attribution import Attributed
from abcx.data.workspace import Workspace

_FEW = 3
"""Maximum number of files with a note each; more share one note."""


def of_data(work: Workspace, of_times: tuple[str, ...], attributed: Attributed) -> tuple[str, ...]:
    """All notes in the order of the report; `of_times` are those on the resolution of times."""
    cut = [work.clock.note] if work.clock.note else []
    return (*_of_reading(work.loading), *of_times, *_of_events(work.loading, attributed), *cut)


def _of_reading(loading: Loading) -> tuple[str, ...]:
    """The notes of reading; what holds for many files is said of the first."""
    names = sorted({file.path for file in loading.files}, key=len, reverse=True)
    alike: dict[str, list[str]] = {}
    for note in dict.fromkeys(loading.notes):
        name = next((name for name in names if name in note), "")
        alike.setdefault(note.replace(name, "\0") if name else note, []).append(note)
    return tuple(
        said
        for notes in alike.values()
        for said in (notes if len(notes) <= _FEW else [f"{notes[0]} (and so of {len(notes) - 1} more files)"])
    )


def _of_events(loading: Loading, attributed: Attributed) -> tuple[str, ...]:
    """What is to be said of the events."""
    named = attributed.named
    return (
        *_unused(named.unnamed, loading.arm_part == "events"),
        *_unfit(loading, named.unfit),
        *_shared(attributed.shared_ids),
    )


def _unused(count: int, has_arm: bool) -> tuple[str, ...]:
    """How many rows are of events that no metric names: they are not used, but for the arm where they name it."""
    told = f"{formatting.plural(count, 'rows')} hold{'s' if count == 1 else ''} events that no metric uses"
    return (f"{told}{': they only tell the arms of their units' if has_arm else ''}",) if count else ()


def _unfit(loading: Loading, count: int) -> tuple[str, ...]:
    """How many rows `where` leaves out of the events, beside those that `exclude` does."""
    if not count:
        return ()
    reasons = {reason for source in loading.parts["events"].select.sources for reason in source.options.exclude}
    others = count - sum(exclusion.rows or 0 for exclusion in loading.exclusions if exclusion.reason in reasons)
    return (f"{formatting.plural(others, 'rows')} of events do not fit the `where` of their source",) if others else ()


def _shared(count: int) -> tuple[str, ...]:
    """How many ids do not tell one event: two systems number theirs alike, or one event was given to two units."""
    told = f"{formatting.plural(count, 'ids')} of events stand at several units: an id counts once for each unit"
    return (told,) if count else ()
