"""Rewrites text in other encodings as UTF-8, which the engine reads. For text that is not UTF-8 the likely encoding is
named in the message, but not used unless the spec declares it."""

from __future__ import annotations

import codecs
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from abcx.errors import DataError
from abcx.files.compression import chunks, problem
from abcx.notes import Note
from abcx.problems import Problem, Span

BOMS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_PLAIN = (None, "utf-8")

_LATIN = {
    "German": "äöüß",
    "French": "éèêëàâçîïôûùüœæ",
    "Spanish": "áéíóúüñ",
    "Portuguese": "áâãàçéêíóôõú",
    "Italian": "àèéìòù",
    "Danish": "æøåé",
    "Swedish": "åäöé",
    "Icelandic": "áðéíóúýþæö",
}
_CENTRAL = {
    "Polish": "ąćęłńóśźż",
    "Czech": "áčďéěíňóřšťúůýž",
    "Slovak": "áäčďéíĺľňóôŕšťúýž",
    "Hungarian": "áéíóöőúüű",
    "Romanian": "ăâîşţ",
    "Croatian": "čćđšž",
}
_CYRILLIC = {
    "Russian": "абвгдежзийклмнопрстуфхцчшщъыьэюяё",
    "Ukrainian": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
    "Serbian": "абвгдђежзијклљмнњопрстћуфхцчџш",
}
_ARABIC = {"Arabic": "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگ"}
_LETTERS = {"cp1252": _LATIN, "cp1250": _CENTRAL, "cp1251": _CYRILLIC, "cp1256": _ARABIC}
"""The non-ASCII letters of the languages of an encoding; a tie goes to the first encoding."""


def by_mark(shown: str, head: bytes, declared: str | None) -> tuple[str | None, Note | None]:
    """(encoding, note): the declared encoding, or UTF-16 where there is a byte order mark. Raises DataError where the
    first bytes contradict the spec."""
    marked = next((name for mark, name in BOMS.items() if head.startswith(mark)), None)
    wide = (declared or "").startswith("utf-16")
    if marked is not None:
        if declared is not None and declared not in ("utf-16", marked):
            raise problem(shown, "encoding", f"{shown} is {marked.upper()} text", f"write encoding: {marked}")
        return "utf-16", None if declared else Note("encoding", {"file": shown, "encoding": marked.upper()})
    if b"\0" in head and not wide:
        zeros = [head[start::2].count(0) / max(1, len(head) // 2) for start in (0, 1)]
        if max(zeros) > 0.4 and min(zeros) < 0.1:
            likely = "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
            raise problem(shown, "encoding", f"{shown} looks like {likely.upper()} text", f"write encoding: {likely}")
    if wide and b"\0" not in head:
        raise problem(shown, "encoding", f"{shown} is not UTF-16 text", f"remove encoding: {declared}")
    return ("utf-16-le" if declared == "utf-16" else declared), None


def is_plain(encoding: str | None) -> bool:
    """Whether the engine reads this encoding by itself."""
    return encoding in _PLAIN


def rewrite(shown: str, path: Path, compression: str, encoding: str | None, scratch: Path, ends: bool = False) -> Path:
    """Write the text of a file as UTF-8 to `scratch`, line for line; with `ends` every line end becomes LF. Returns the
    path. Raises DataError for text in another encoding."""
    target = Path(tempfile.mkdtemp(dir=scratch)) / "text"
    decoder = codecs.getincrementaldecoder(encoding or "utf-8-sig")()
    unicode = codecs.getincrementaldecoder("utf-8")()
    lines, beyond, is_utf8, held = 1, False, not is_plain(encoding) and not str(encoding).startswith("utf-16"), ""
    try:
        with target.open("wb") as out:
            for chunk in _with_end(chunks(shown, path, compression)):
                beyond = beyond or not chunk.isascii()
                is_utf8 = is_utf8 and _continues_utf8(unicode, chunk)
                try:
                    text = decoder.decode(chunk, final=not chunk)
                except UnicodeDecodeError as error:
                    lines += error.object[: error.start].count(b"\n")
                    raise _undecodable(shown, lines, encoding or "utf-8", error) from None
                lines += text.count("\n")
                if ends:
                    text, held = held + text, ""
                    if text.endswith("\r") and chunk:
                        text, held = text[:-1], "\r"
                    text = text.replace("\r\n", "\n").replace("\r", "\n")
                out.write(text.encode())
    except OSError as error:
        reason = error.strerror or str(error)
        raise problem(shown, "unpacking", f"cannot rewrite {shown} as UTF-8: {reason}", "free disk space") from None
    if beyond and is_utf8:
        cure = f"remove encoding: {encoding}; with it letters such as é would be read as two"
        raise problem(shown, "encoding", f"{shown} is UTF-8 text, not {encoding}", cure)
    return target


def _with_end(pieces: Iterable[bytes]) -> Iterator[bytes]:
    yield from pieces
    yield b""


def _continues_utf8(decoder: codecs.IncrementalDecoder, chunk: bytes) -> bool:
    try:
        decoder.decode(chunk, final=not chunk)
    except UnicodeDecodeError:
        return False
    return True


def _undecodable(shown: str, line: int, encoding: str, error: UnicodeDecodeError) -> DataError:
    byte = error.object[error.start : error.start + 1].hex()
    message = f"{shown} is not {encoding} text: the byte 0x{byte} means nothing there"
    cure = "is it cut, or in another encoding? `encoding:` names it"
    return DataError(Problem("error", "encoding", message, Span(shown, line), cure))


def not_utf8(shown: str, path: Path, compression: str) -> Problem:
    """The problem of a file that is not UTF-8: its first such line, and the encoding that reads it best."""
    strange, first, good = _strange_lines(shown, path, compression)
    if not strange:
        return Problem("error", "encoding", f"{shown} is not UTF-8 text", Span(shown), "save the file as UTF-8")
    encoding = likely(b"\n".join(strange))
    if good or encoding is None:
        message = f"{shown} is not UTF-8 text from this line on"
        why = "other lines are: it was glued together or damaged" if good else "no known encoding reads it"
        return Problem("error", "encoding", message, Span(shown, first), f"{why}; save the whole file as UTF-8")
    words = re.findall(r"[^\s,;|\"]*[^\x00-\x7f][^\s,;|\"]*", strange[0].decode(encoding, "replace"))
    text = words[0][:60] if words else ""
    cure = f"if this word reads right, write encoding: {encoding}; else find out how it was saved, or save it as UTF-8"
    message = f"{shown} is not UTF-8 text; it looks like {encoding}"
    return Problem("error", "encoding", message, Span(shown, first, text=text), cure)


def _strange_lines(shown: str, path: Path, compression: str) -> tuple[list[bytes], int, bool]:
    """Up to 500 lines that are not UTF-8, the number of the first, and whether other lines are UTF-8 beyond ASCII."""
    strange: list[bytes] = []
    first, number, good, unfinished = 0, 0, False, b""
    for chunk in _with_end(chunks(shown, path, compression)):
        *lines, unfinished = (unfinished + chunk).split(b"\n") if chunk else (unfinished, b"")
        for line in lines:
            number += 1
            if line.isascii():
                continue
            try:
                line.decode()
                good = True
            except UnicodeDecodeError:
                first = first or number
                strange.append(line)
        if len(strange) >= 500 or number > 2_000_000 and strange:
            break
    return strange[:500], first, good


def likely(raw: bytes) -> str | None:
    """The encoding in which most non-ASCII bytes are letters of one language; None where none fits."""
    scores = {name: _score(raw, name, languages) for name, languages in _LETTERS.items()}
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] > 0 else None


def _score(raw: bytes, encoding: str, languages: dict[str, str]) -> float:
    """The share of non-ASCII characters that are letters of the best language, less the share of implausible ones; -1
    where the bytes cannot be decoded."""
    try:
        written = raw.decode(encoding)
    except UnicodeDecodeError:
        return -1.0
    text = written.lower()
    if len(text) != len(written):
        return -1.0
    beyond = [(i, c) for i, c in enumerate(text) if not c.isascii()]
    letters = [(i, c) for i, c in beyond if c.isalpha()]
    if not letters:
        return 0.5 if encoding == "cp1252" else 0.0  # quotation marks and currency signs only
    fit = max(sum(c in alphabet for _, c in letters) for alphabet in languages.values()) / len(beyond)
    if encoding in ("cp1252", "cp1250"):
        return fit
    mixed = sum(any(c.isascii() and c.isalpha() for c in text[max(0, i - 1) : i + 2]) for i, _ in letters)
    mixed += sum(not (text[i - 1 : i].isalpha() or text[i + 1 : i + 2].isalpha()) for i, _ in letters)  # alone
    mixed += sum(written[i - 1 : i].islower() and written[i].isupper() for i, _ in letters)  # a capital inside a word
    return fit - mixed / len(letters)
