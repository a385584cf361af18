"""What notes say in words, for tests that look at what a reader is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from abcx.notes import Note
from abcx.report import note_texts


def note_text(found: Any) -> str:
    """The notes of a comparison, or the note of anything else, in words; empty where there is none."""
    notes = found.notes if hasattr(found, "notes") else [found.note]
    return " ".join(note_texts.text(note) for note in notes if note is not None)


def lift_text(found: Any) -> str:
    """Why a comparison has no lift, or no interval of it, in words; empty where it has."""
    note: Note | None = found.lift_note
    return "" if note is None else note_texts.text(note)


def texts(notes: Iterable[Note]) -> list[str]:
    """Notes in words."""
    return [note_texts.text(note) for note in notes]


def of_json(readout: dict[str, Any]) -> list[str]:
    """The notes on the data of a readout in JSON, in words."""
    return texts(Note(note["code"], note["values"]) for note in readout["data"]["notes"])
