"""Encodings, packed files and line ends, through the command: the same numbers, or a message that helps."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import json
import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from abcx.files import compression
from abcx.files.encodings import likely
from tests.support.hostile import EXPECTED, GOOD, notes, refused, run

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytestmark = pytest.mark.slow

TEXTS = {
    "cp1252": "Jürgen Größe, déjà vu, señor",
    "cp1250": "Łukasz Żółć, příliš žluťoučký kůň",
    "cp1251": "Иван Петров из Москвы",
    "cp1256": "محمد العربي",
}


def text(of: str) -> str:
    """The good file with a segment in some language."""
    rows = GOOD.splitlines()
    return "\n".join([rows[0] + ",who", *(f'{row},"{of}"' for row in rows[1:])]) + "\n"


@pytest.mark.parametrize("encoding", [*TEXTS, "latin-1", "utf-16-le", "utf-16-be", "utf-16", "utf-8"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress])
def test_declared_encodings(tmp_path: Path, encoding: str, pack: Any) -> None:
    who = TEXTS.get(encoding, TEXTS["cp1252"])
    raw = pack(text(who).encode(encoding))
    ran = run(tmp_path, raw, options={"encoding": encoding}, segments=["who"])
    assert ran.values() == EXPECTED, ran.err
    data = json.loads(ran.out)["data"]
    assert data["files"][0]["sha256"] == hashlib.sha256(raw).hexdigest()  # of the file as it is, not as it was read


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_a_byte_order_mark_is_evidence(tmp_path: Path, mark: bytes) -> None:
    encoding = "utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be"
    ran = run(tmp_path, mark + GOOD.encode(encoding))
    assert ran.values() == EXPECTED
    assert f"e.csv is read as {encoding.upper()}, by its byte order mark" in notes(ran)
    refused(run(tmp_path, mark + GOOD.encode(encoding), options={"encoding": "cp1252"}), "encoding", "e.csv", encoding)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark_is_named(tmp_path: Path, encoding: str) -> None:
    refused(run(tmp_path, GOOD.encode(encoding)), "encoding", "e.csv", f"write encoding: {encoding}")


@pytest.mark.parametrize("encoding", TEXTS)
def test_the_likely_encoding_is_named_and_a_word_is_shown(tmp_path: Path, encoding: str) -> None:
    raw = (GOOD + text(TEXTS[encoding]).split("\n", 1)[1]).encode(encoding)
    ran = run(tmp_path, raw)
    refused(ran, "encoding", "e.csv:8", f"looks like {encoding}", f"write encoding: {encoding}")
    first = next(word for word in re.split(r"[\s,;]+", TEXTS[encoding]) if not word.isascii())
    assert f"8 | {first}\n" in ran.err  # so much that a reader knows, and no more of the row


@pytest.mark.parametrize(
    ("encoding", "word"),
    [
        ("cp1252", "Ação no coração é São Paulo"),
        ("cp1252", "Où êtes-vous, François ? à Nîmes"),
        ("cp1252", "Søren går på café i Århus"),
        ("cp1252", "“smart quotes” – and €5"),
        ("cp1252", "1.234,50 €"),
        ("cp1250", "Győző erdőt ült és őrült fűnyíró"),
        ("cp1250", "Ştefan şi ţara"),
        ("cp1251", "Київ, Україна — їжа"),
        ("cp1251", "МОСКВА"),
    ],
)
def test_likely(encoding: str, word: str) -> None:
    assert likely(word.encode(encoding)) == encoding


def test_a_wrong_declaration_is_told(tmp_path: Path) -> None:
    plain = text("Jürgen").encode()
    refused(run(tmp_path, plain, options={"encoding": "cp1252"}), "encoding", "e.csv", "is UTF-8 text, not cp1252")
    refused(run(tmp_path, GOOD.encode(), options={"encoding": "utf-16"}), "encoding", "e.csv", "remove encoding")
    undefined = GOOD.replace("u3", "u\x81").encode("latin-1")
    refused(run(tmp_path, undefined, options={"encoding": "cp1252"}), "encoding", "e.csv:5", "0x81")
    cut = GOOD.encode("utf-16")[:-1]
    refused(run(tmp_path, cut), "encoding", "e.csv:7", "is it cut")
    mixed = text("Jürgen").encode() + b"u9,2024-03-04T12:00:00Z,a,seen,,J\xfcrgen\n"
    refused(run(tmp_path, mixed), "encoding", "e.csv:8", "glued together or damaged")


def test_lines_are_those_of_the_original(tmp_path: Path) -> None:
    broken = text("Jürgen\nMüller").replace("12.5", "x")
    ran = run(tmp_path, broken.encode("cp1252"), options={"encoding": "cp1252"})
    refused(ran, "bad-value", "e.csv:4 (amount)")
    ran = run(tmp_path, text("Jürgen").replace("seen", "seen,x", 1).encode("utf-16"))
    refused(ran, "ragged-row", "e.csv:2")


def zipped(members: dict[str, str | bytes], **options: Any) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content, **options)
    return out.getvalue()


@pytest.mark.parametrize(
    "members",
    [
        {"events.csv": GOOD},
        {"deep/": "", "deep/events.tsv": GOOD.replace(",", "\t")},
        {"e.csv": GOOD.encode("utf-16")},
        {"e[*].csv": GOOD, "__MACOSX/._e.csv": b"\0\1", ".DS_Store": b"\0"},
        {"../../x": GOOD},
    ],
)
def test_a_zip_file_with_one_member(tmp_path: Path, members: dict[str, str | bytes]) -> None:
    ran = run(tmp_path, zipped(members), "e.csv.zip")
    assert ran.values() == EXPECTED, ran.err
    assert list(tmp_path.iterdir()) and not (tmp_path.parent / "x").exists()


def test_zip_files_that_are_refused(tmp_path: Path) -> None:
    two = zipped({"a.csv": GOOD, "b.csv": GOOD})
    refused(run(tmp_path, two), "zip-members", "e.csv", "holds 2 files: a.csv, b.csv")
    refused(run(tmp_path, zipped({})), "zip-members", "e.csv", "holds no file")
    refused(run(tmp_path, zipped({"a.csv.gz": gzip.compress(GOOD.encode())})), "zip-members", "e.csv", "packed file")
    locked = bytearray(zipped({"a.csv": GOOD}))
    locked[6] |= 1
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    refused(run(tmp_path, bytes(locked)), "zip-encrypted", "e.csv", "unpack it with its password")
    good = zipped({"a.csv": GOOD})
    refused(run(tmp_path, good[:-30]), "zip-broken", "e.csv", "was the download cut?")
    refused(run(tmp_path, good[:60] + b"xxxxx" + good[65:]), "zip-broken", "e.csv")
    refused(run(tmp_path, zipped({"a.csv": ""})), "data-empty", "e.csv")


@pytest.mark.parametrize("how", ["gzip", "zip", "zstd"])
def test_decompression_bombs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    monkeypatch.setattr(compression, "UNPACKED", 1 << 24)
    rows = GOOD.encode() + b"u1,2024-03-04T10:00:00Z,a,seen,\n" * 2_000_000
    bomb = {"gzip": gzip.compress, "zip": lambda rows: zipped({"e.csv": rows}), "zstd": zstd.compress}[how](rows)
    refused(run(tmp_path, bomb), "packed-bomb", "e.csv", "unpacks to more than 200 times its size")


@pytest.mark.parametrize("pack", [gzip.compress, zstd.compress])
def test_a_packed_file_cut_where_a_row_ends(tmp_path: Path, pack: Any) -> None:
    """What is left is a sound table, and only the packing tells that rows are missing."""
    cut = pack(GOOD.encode()) + pack(b"u9,2024-03-04T10:00:00Z,a,buy,9\n")[:5]
    refused(run(tmp_path, cut), "gzip-broken" if pack is gzip.compress else "zstd-broken", "e.csv", "cut?")


def with_checksum(content: bytes) -> bytes:
    """zstd as its own command writes it."""
    return zstd.compress(content, options={zstd.CompressionParameter.checksum_flag: 1})


@pytest.mark.parametrize("pack", [gzip.compress, with_checksum])
def test_a_packed_file_with_a_flipped_byte(tmp_path: Path, pack: Any) -> None:
    rows = GOOD + "".join(f"v{i},2024-03-04T10:00:{i % 60:02d}Z,a,seen,\n" for i in range(20_000))
    flipped = bytearray(pack(rows.encode()))
    flipped[len(flipped) // 2] ^= 0xFF
    refused(run(tmp_path, bytes(flipped)), "gzip-broken" if pack is gzip.compress else "zstd-broken", "e.csv", "cut?")


def test_a_zstd_file_is_placed_and_decoded_like_any_other(tmp_path: Path) -> None:
    bad = GOOD.encode().replace(b"2024-03-04T10:00:00Z", b"someday", 1)
    line = bad[: bad.index(b"someday")].count(b"\n") + 1
    refused(run(tmp_path, zstd.compress(bad)), "bad-time", f"e.csv:{line}", "someday")


def test_a_row_of_100_mb(tmp_path: Path) -> None:
    huge = GOOD.encode() + b"u1,2024-03-04T10:00:00Z,a,seen," + b"9" * 100_000_000 + b"\n"
    refused(run(tmp_path, huge), "line-too-long", "e.csv", "longer than 2 MB")
    refused(run(tmp_path, gzip.compress(huge, 1)), "line-too-long", "e.csv")
    refused(run(tmp_path, zstd.compress(huge)), "line-too-long", "e.csv")
    middle = GOOD.encode().replace(b"12.5", b"1" * 40_000_000)
    refused(run(tmp_path, middle), "line-too-long", "e.csv")
    refused(run(tmp_path, b'{"unit": "' + b"x" * 100_000_000 + b'"}\n', "e.jsonl"), "line-too-long", "e.jsonl")


MIXED = [
    GOOD.replace("\n", "\r\n", 3),
    "\r\n".join(GOOD.split("\n", 3)),
    GOOD.replace("\n", "\r", 2),
    "\ufeff" + GOOD.replace("u2", '"u\n2"').replace("\n", "\r\n", 2),
]


@pytest.mark.parametrize("content", MIXED)
@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd.compress])
def test_mixed_line_ends(tmp_path: Path, content: str, pack: Any) -> None:
    ran = run(tmp_path, pack(content.encode()))
    assert ran.values() == EXPECTED, ran.err
    assert any("end in different ways" in note for note in notes(ran))


def test_errors_in_mixed_lines_have_their_line(tmp_path: Path) -> None:
    refused(run(tmp_path, MIXED[0].replace(",30", ",x")), "bad-value", "e.csv:6 (amount)")
    refused(run(tmp_path, MIXED[0].replace("purchase,12.5", '"pur"chase,12.5')), "broken-quotes", "e.csv:3")
