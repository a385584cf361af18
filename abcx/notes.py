"""Facts that belong beside a number or a file, as codes with values: report/note_texts.py has the sentence of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = str | int | float | bool | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Note:
    """One fact: a stable code and what belongs into its sentence, by name. The values are plain data, so that a note
    can be written to JSON and read back."""

    code: str
    values: Mapping[str, Value] = field(default_factory=dict)
