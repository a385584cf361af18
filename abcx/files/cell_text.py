"""The one form in which ids, names of events and labels of arms are compared (docs/methods.md, "Keys")."""

from __future__ import annotations

import re
import unicodedata

from abcx.engines.quoting import literal

_HIDDEN = r"[\x{00AD}\x{061C}\x{180E}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{2069}\x{FEFF}]"
"""Characters that do not show: soft hyphens, joiners, marks of direction and of byte order."""


_AROUND = r"^[\pZ\p{Cc}]+|[\pZ\p{Cc}]+$"


FORMULA = r"^=\s*(?:[Tt]\(\s*)?(\x22.*\x22)\s*\)?$"
"""A cell that a spreadsheet reads as a text: ="00123" and =T("00123")."""


QUOTES = (
    r"^\x22+([^\x22]*)\x22+$",
    r"^'+([^']*)'+$",
    r"^'+(\d+)$",  # as spreadsheets mark a text
    r"^[\x{201C}-\x{201F}]([^\x{201C}-\x{201F}]*)[\x{201C}-\x{201F}]$",
    r"^[\x{2018}-\x{201B}]([^\x{2018}-\x{201B}]*)[\x{2018}-\x{201B}]$",
    r"^[\x{00AB}\x{00BB}]([^\x{00AB}\x{00BB}]*)[\x{00AB}\x{00BB}]$",
)
"""Quotes around a whole cell, with what stands between them."""


def canonical(text: str) -> str:
    """The SQL of a text in the form in which keys are compared: without spaces, control and hidden characters around
    it or (hidden ones) in it, without the formula or the quotes that a spreadsheet puts around a text, and with
    accents composed (Unicode NFC)."""
    found = _replaced(_replaced(text, _HIDDEN, ""), _AROUND, "")
    for wrapped in (FORMULA, *QUOTES):
        found = _replaced(found, wrapped, r"\1")
    return f"nfc_normalize({_replaced(found, _AROUND, '')})"


def canonical_text(text: str) -> str:
    """As `canonical`, of a text of the spec."""
    found = re.sub(_python(_HIDDEN), "", text)
    found = _stripped(found)
    for wrapped in (FORMULA, *QUOTES):
        found = re.sub(_python(wrapped), r"\1", found)
    return unicodedata.normalize("NFC", _stripped(found))


def _replaced(text: str, pattern: str, by: str) -> str:
    return f"regexp_replace({text}, {literal(pattern)}, {literal(by)}, 'g')"


def _python(pattern: str) -> str:
    """A pattern of the engine in Python's words."""
    return re.sub(r"\\x\{([0-9A-F]{4})\}", r"\\u\1", pattern)


def _stripped(text: str) -> str:
    kinds = [unicodedata.category(character) for character in text]
    kept = [i for i, kind in enumerate(kinds) if kind[0] != "Z" and kind != "Cc"]
    return text[kept[0] : kept[-1] + 1] if kept else ""


def skeleton(text: str) -> str:
    """A text without what may tell two spellings of one word apart: case, spaces, punctuation."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", text).casefold() if letter.isalnum())
