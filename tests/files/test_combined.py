"""One export written in any combination of the ways that are read: always the same numbers, nothing lost.

The other tests of this folder change one thing at a time; real exports change several. The oracle is the list that the
file was written from.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal

import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis import given, settings

from tests.support.hostile import HEADER, run

pytestmark = pytest.mark.slow

START = datetime(2024, 3, 1, 9, 5, tzinfo=UTC)
AMOUNTS = [0.5, 7.25, 1234.5, 12.0, 98765.43, 310.1, 4000.75, 61.99]


@dataclass(frozen=True)
class Event:
    """A row: amounts stand on purchases only."""

    unit: str
    time: datetime
    arm: str
    amount: float | None


EVENTS = [
    Event(
        f"{i % 17:03}",
        START + timedelta(minutes=613 * i),
        "ab"[i % 17 % 2],
        AMOUNTS[i % len(AMOUNTS)] * (-1) ** (i % 11 == 3) if i % 3 == 0 else None,
    )
    for i in range(68)
]


def expected() -> dict[str, dict[str, tuple[int, float]]]:
    """Units and mean per unit, by metric and arm."""
    orders, revenue = {}, {}
    for arm in "ab":
        units = {event.unit for event in EVENTS if event.arm == arm}
        sold = [event for event in EVENTS if event.arm == arm and event.amount is not None]
        orders[arm] = (len(units), len({event.unit for event in sold}) / len(units))
        revenue[arm] = (len(units), sum(event.amount or 0 for event in sold) / len(units))
    return {"orders": orders, "revenue": revenue}


def grouped(thousands: str, decimal: str) -> Callable[[float], str]:
    return lambda x: f"{x:,.2f}".replace(",", "\0").replace(".", decimal).replace("\0", thousands)


def arabic(x: float) -> str:
    return f"{x:.2f}".translate({**{ord("0") + d: 0x660 + d for d in range(10)}, ord("."): 0x66B})


NUMBERS: dict[str, Callable[[float], str]] = {
    "plain": lambda x: f"{x:.2f}",
    "comma": grouped("", ","),
    "1,234.50": grouped(",", "."),
    "1.234,50": grouped(".", ","),
    "1 234,50": grouped(" ", ","),
    "nbsp": grouped("\u00a0", ","),
    "1'234.50": grouped("'", "."),
    "$": lambda x: ("-" if x < 0 else "") + "$" + grouped(",", ".")(abs(x)),
    "EUR": lambda x: grouped(".", ",")(x) + " EUR",
    "euro sign": lambda x: "€ " + grouped(".", ",")(x),
    "brackets": lambda x: f"({-x:.2f})" if x < 0 else f"{x:.2f}",
    "minus sign": lambda x: f"{x:.2f}".replace("-", "\u2212"),
    "arabic": arabic,
}
OFFSET = timezone(timedelta(hours=5, minutes=30))
TIMES: dict[str, Callable[[datetime], str]] = {
    "Z": lambda t: f"{t:%Y-%m-%dT%H:%M:%SZ}",
    "naive": lambda t: f"{t:%Y-%m-%d %H:%M:%S}",
    "offset": lambda t: t.astimezone(OFFSET).isoformat(),
    "zoned": lambda t: f"{t.astimezone(OFFSET):%Y-%m-%d %H:%M:%S %z}",
    "seconds": lambda t: str(int(t.timestamp())),
    "milliseconds": lambda t: str(int(t.timestamp() * 1000)),
    "microseconds": lambda t: str(int(t.timestamp() * 1_000_000)),
    "d.m.y": lambda t: f"{t:%d.%m.%Y %H:%M}",
    "d/m/y": lambda t: f"{t:%d/%m/%Y %H:%M:%S}",
    "m/d/y": lambda t: f"{t:%m/%d/%Y %I:%M %p}",
    "named": lambda t: f"{t:%d %b %Y %H:%M}",
    "Mar 1, 2024": lambda t: f"{t:%b} {t.day}, {t:%Y %H:%M}",
}
ENCODINGS = {
    "utf-8": ("utf-8", b"", {}),
    "utf-8 mark": ("utf-8", codecs.BOM_UTF8, {}),
    "utf-16 mark": ("utf-16-le", codecs.BOM_UTF16_LE, {}),
    "utf-16 mark, big": ("utf-16-be", codecs.BOM_UTF16_BE, {}),
    **{name: (name, b"", {"encoding": name}) for name in ("cp1250", "cp1251", "cp1252", "cp1256", "utf-16-le")},
}
NOTES = {"cp1250": "Žluťoučký kůň", "cp1251": "Москва", "cp1252": "Größe, señor", "cp1256": "محمد"}
ABOVE = {
    "nothing": "",
    "comments": "# exported by a tool\n# 2024-04-01\n",
    "title": "Report of March\n\n",
    "blank": "\n",
}


def zipped(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("export.csv", content)
    return out.getvalue()


def zstd(content: bytes) -> bytes:
    return bytes(pa.compress(content, codec="zstd", asbytes=True))


PACKED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "plain": ("e.csv", bytes),
    "gzip": ("e.csv.gz", gzip.compress),
    "zip": ("e.zip", zipped),
    "zstd": ("e.csv.zst", zstd),
}


@dataclass(frozen=True)
class Way:
    """How the file is written."""

    number: str
    time: str
    encoding: str
    above: str
    packed: str
    delimiter: str
    end: str
    quoted: bool
    glued: bool
    missing: str

    def content(self) -> bytes:
        encoding, mark, _ = ENCODINGS[self.encoding]
        out = io.StringIO(newline="")
        quoting: Literal[0, 1] = csv.QUOTE_ALL if self.quoted else csv.QUOTE_MINIMAL
        writer = csv.writer(out, delimiter=self.delimiter, lineterminator=self.end, quoting=quoting)
        note = NOTES.get(self.encoding, "Größe 漢字")
        header = [*HEADER, "note"]
        out.write(ABOVE[self.above].replace("\n", self.end))
        writer.writerow(header)
        for number, event in enumerate(EVENTS):
            if self.glued and number in (20, 40):
                writer.writerow(header)
            writer.writerow(self._row(event, note))
        return PACKED[self.packed][1](mark + out.getvalue().encode(encoding))

    def _row(self, event: Event, note: str) -> Sequence[str]:
        what, amount = (
            ("seen", self.missing) if event.amount is None else ("purchase", NUMBERS[self.number](event.amount))
        )
        return [event.unit, TIMES[self.time](event.time), event.arm, what, amount, note]

    def options(self) -> dict[str, Any]:
        null = {"null": [self.missing]} if self.missing else {}
        return {**ENCODINGS[self.encoding][2], **null}


def ways() -> st.SearchStrategy[Way]:
    def writable(way: Way) -> bool:
        encoding = ENCODINGS[way.encoding][0]
        try:
            NUMBERS[way.number](-1234.5).encode(encoding)
        except UnicodeEncodeError:
            return False
        return True

    return st.builds(
        Way,
        number=st.sampled_from(sorted(NUMBERS)),
        time=st.sampled_from(sorted(TIMES)),
        encoding=st.sampled_from(sorted(ENCODINGS)),
        above=st.sampled_from(sorted(ABOVE)),
        packed=st.sampled_from(sorted(PACKED)),
        delimiter=st.sampled_from(",;\t|"),
        end=st.sampled_from(["\n", "\r\n"]),
        quoted=st.booleans(),
        glued=st.booleans(),
        missing=st.sampled_from(["", "NULL", "n/a", "-"]),
    ).filter(writable)


@settings(max_examples=25, deadline=None)
@given(ways())
def test_any_combination_gives_the_same_numbers(way: Way) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ran = run(Path(folder), way.content(), PACKED[way.packed][0], options=way.options())
    assert ran.code < 2, f"{way}\n{ran.err}"
    found, told = ran.values(), json.loads(ran.out)["data"]
    for metric, arms in expected().items():
        for arm, (units, value) in arms.items():
            counted, seen = found[metric][arm]
            assert counted == units and seen == pytest.approx(value, rel=1e-12), way
    removed = {item["reason"]: item["rows"] for item in told["exclusions"]}
    assert removed.get("repeated_header", 0) == 2 * way.glued, way
    assert not set(removed) - {"repeated_header"}, way
