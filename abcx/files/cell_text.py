"""The canonical form in which ids, event names and arm labels are compared (docs/methods.md, "Keys")."""

from __future__ import annotations

import re
import unicodedata

from abcx.engines.quoting import literal

_HIDDEN = r"[\x{00AD}\x{061C}\x{180E}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2064}\x{2066}-\x{2069}\x{FEFF}]"
"""Invisible characters: soft hyphens, joiners, direction marks and byte order marks."""


_AROUND = r"^[\pZ\p{Cc}]+|[\pZ\p{Cc}]+$"


FORMULA = r"^=\s*(?:[Tt]\(\s*)?(\x22.*\x22)\s*\)?$"
"""A formula by which a spreadsheet keeps a text: ="00123" and =T("00123")."""


QUOTES = (
    r"^\x22+([^\x22]*)\x22+$",
    r"^'+([^']*)'+$",
    r"^'+(\d+)$",  # spreadsheets mark a text so
    r"^[\x{201C}-\x{201F}]([^\x{201C}-\x{201F}]*)[\x{201C}-\x{201F}]$",
    r"^[\x{2018}-\x{201B}]([^\x{2018}-\x{201B}]*)[\x{2018}-\x{201B}]$",
    r"^[\x{00AB}\x{00BB}]([^\x{00AB}\x{00BB}]*)[\x{00AB}\x{00BB}]$",
)
"""Quotes around a whole cell; the group is the text between them."""


def canonical(text: str) -> str:
    """The SQL of a text in canonical form: without invisible characters, without spaces and control characters around
    it, without the formula or the quotes that a spreadsheet puts around a text, and with accents composed (Unicode
    NFC)."""
    cleaned = _replaced(_replaced(text, _HIDDEN, ""), _AROUND, "")
    for wrapped in (FORMULA, *QUOTES):
        cleaned = _replaced(cleaned, wrapped, r"\1")
    return f"nfc_normalize({_replaced(cleaned, _AROUND, '')})"


def canonical_text(text: str) -> str:
    """The canonical form of a text of the spec."""
    cleaned = re.sub(_python(_HIDDEN), "", text)
    cleaned = _stripped(cleaned)
    for wrapped in (FORMULA, *QUOTES):
        cleaned = re.sub(_python(wrapped), r"\1", cleaned)
    return unicodedata.normalize("NFC", _stripped(cleaned))


def _replaced(text: str, pattern: str, by: str) -> str:
    return f"regexp_replace({text}, {literal(pattern)}, {literal(by)}, 'g')"


def _python(pattern: str) -> str:
    """A pattern of the engine in Python's syntax."""
    return re.sub(r"\\x\{([0-9A-F]{4})\}", r"\\u\1", pattern)


def _stripped(text: str) -> str:
    kinds = [unicodedata.category(character) for character in text]
    kept = [i for i, kind in enumerate(kinds) if kind[0] != "Z" and kind != "Cc"]
    return text[kept[0] : kept[-1] + 1] if kept else ""


def skeleton(text: str) -> str:
    """The letters and digits of a text, case-folded (NFKC): equal for different spellings of one word."""
    return "".join(letter for letter in unicodedata.normalize("NFKC", text).casefold() if letter.isalnum())
