"""How a column writes its times, found by evidence over the whole column: since 1970 by magnitude, day and month in an
order that only one reading fits, months by name."""

from __future__ import annotations

from dataclasses import dataclass

from abcx.engines.local import Engine
from abcx.engines.quoting import literal
from abcx.notes import Note

_UNITS = {"seconds": 1e6, "milliseconds": 1e3, "microseconds": 1.0, "nanoseconds": 1e-3}
_SINCE, _UNTIL = 631_152_000e6, 4_102_444_800e6
"""Microseconds from 1990 to 2100: where a number of the right unit must lie."""
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_ORDERS = {"dmy": "%d/%m/%Y", "mdy": "%m/%d/%Y"}
_NAMED = ("%d %b %Y", "%d %B %Y", "%b %d %Y", "%B %d %Y", "%Y %b %d", "%Y %m %d")
_PLAIN = (
    (r"^((?:19|20)\d\d)(\d\d)(\d\d)[T ]?(\d\d)(\d\d)(\d\d)", r"\1-\2-\3T\4:\5:\6"),
    (r"^((?:19|20)\d\d)(\d\d)(\d\d)[T ](\d\d)(\d\d)", r"\1-\2-\3T\4:\5"),
    (r"^((?:19|20)\d\d)(\d\d)(\d\d)$", r"\1-\2-\3"),
    (r"(:\d\d),(\d)", r"\1.\2"),
    (r"\s*(?:UTC|GMT)\s*([+-]\d\d):?(\d\d)$", r"\1:\2"),
    (r"([+-]\d\d:?\d\d|Z) ?(\[[A-Za-z_/]+\]|UTC)$", r"\1"),
    (r"\s+Z$", "Z"),
    (r"\s*([+-]\d\d):?(\d\d)$", r"\1:\2"),
)
"""From ISO 8601 as the engine does not read it: without signs, with a decimal comma, a blank before the offset, or the
name of the zone behind it."""
ROUNDED = r"\s*\d([.,]\d+)?[eE]\+?\d+\s*"
"""What a spreadsheet makes of a long number: 1.23E+15. Its last digits are lost."""
_DATE = r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})(?:,?[ T]+|$)"
_HOURLY = r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])"
_DIGITS = r"^\s*\d{9,19}(\.\d+)?\s*$"


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """A way to write times: `epoch` (with its unit), `dmy`, `mdy`, `named` (or a year first, with AM and PM), or `iso`
    (as the engine does not read it)."""

    kind: str
    unit: str = ""

    @property
    def naive(self) -> bool | None:
        """Whether such times have no offset; None where each says for itself."""
        return None if self.kind == "iso" else self.kind != "epoch"

    @property
    def by_order(self) -> bool:
        """Whether the order of day and month is a matter of evidence."""
        return self.kind in _ORDERS

    def plain(self, text: str) -> str:
        """The text, of ISO 8601 as the engine reads it."""
        if self.kind != "iso":
            return text
        plain = f"trim({text})"
        for pattern, shown in _PLAIN:
            plain = f"regexp_replace({plain}, {literal(pattern)}, {literal(shown)})"
        return plain

    def sql(self, text: str, zone: str) -> str:
        """Microseconds since 1970; NULL for what is not written so."""
        if self.kind == "epoch":
            number = (
                f"CASE WHEN regexp_full_match({text}, {literal(_DIGITS)}) THEN try_cast({text} AS DECIMAL(38, 9)) END"
            )
            return f"CAST(round({number} * {_UNITS[self.unit]!r}) AS BIGINT)"
        if self.kind == "iso":
            return f"epoch_us(try_cast({self.plain(text)} AS TIMESTAMPTZ))"
        days = [_ORDERS[self.kind]] if self.kind in _ORDERS else _NAMED
        forms = ", ".join(literal(day + clock) for day in days for clock in _CLOCKS)
        parsed = f"epoch_us(timezone({literal(zone)}, try_strptime({_normal(text, self.kind)}, [{forms}])))"
        return (
            f"CASE WHEN regexp_matches(trim({text}), {literal(_DATE)}) THEN {parsed} END" if len(days) == 1 else parsed
        )


def _normal(text: str, kind: str) -> str:
    spaced = f"regexp_replace(trim({text}), '[\\x{{00A0}}\\x{{202F}}]', ' ', 'g')"  # browsers put one before AM
    clock = f"regexp_replace({spaced}, '\\s*([AaPp])\\.?[Mm]\\.?$', ' \\1M')"
    if kind == "named":
        return f"regexp_replace(regexp_replace({clock}, '[,\\s]+', ' ', 'g'), '(\\d)-(\\w+)-(\\d)', '\\1 \\2 \\3')"
    return f"trim(regexp_replace({clock}, {literal(_DATE)}, '\\1/\\2/\\3 '))"


@dataclass(frozen=True, slots=True)
class Inference:
    """The way that times are written, or `doubt` about it with the SQL condition of the cells in doubt. `plain`: every
    one is ISO 8601, if there is any."""

    written: TimeFormat | None = None
    note: Note | None = None
    doubt: str = ""
    help: str = ""
    differs: str = ""
    plain: bool = False


def find(engine: Engine, text: str, rows: str, zone: str) -> Inference:
    """Judge the filled cells of a column; `rows` is the FROM and WHERE."""
    cells = f"(SELECT {text} AS v {rows})"
    digits = f"CASE WHEN regexp_full_match(v, {literal(_DIGITS)}) THEN try_cast(v AS DOUBLE) END"
    seen = engine.record(
        "SELECT count(*) AS n, count(iso) AS iso, "
        "count(digits) AS digits, min(digits) AS low, max(digits) AS high, "
        f"count(*) FILTER (regexp_full_match(v, {literal(ROUNDED)})) AS rounded, "
        f"count(*) FILTER (regexp_full_match(v, {literal(_HOURLY)})) AS hourly "
        f"FROM (SELECT v, try_cast(v AS TIMESTAMPTZ) AS iso, {digits} AS digits FROM {cells} WHERE v IS NOT NULL)"
    )
    total, enough = seen["n"], 0.95 * seen["n"]
    if not total or seen["iso"] == total:
        return Inference(plain=True)
    if seen["rounded"]:
        cure = "export the times as text, or format the column as a number without exponent"
        return Inference(
            doubt="is a time that a spreadsheet has rounded",
            help=cure,
            differs=f"regexp_full_match(v, {literal(ROUNDED)})",
        )
    if seen["hourly"] >= enough:
        return Inference(
            doubt="may be seconds since 1970, or year, month, day and hour",
            help="say how it is written: time_format: '%Y%m%d%H'",
            differs=f"regexp_full_match(v, {literal(_HOURLY)})",
        )
    if seen["digits"] >= enough:
        units = [unit for unit, size in _UNITS.items() if _SINCE <= seen["low"] * size and seen["high"] * size < _UNTIL]
        if units:
            return Inference(TimeFormat("epoch", units[0]), Note("times_since_1970", {"unit": units[0]}))
    plain = TimeFormat("iso")
    read = f"coalesce(epoch_us(try_cast(v AS TIMESTAMPTZ)), {plain.sql('v', zone)})"
    if engine.run(f"SELECT count({read}) FROM {cells}")[0][0] >= enough:
        return Inference(plain)
    return Inference() if seen["iso"] else _by_days(engine, cells, zone, enough)


def _by_days(engine: Engine, cells: str, zone: str, enough: float) -> Inference:
    """Judge a column without ISO times by the order of its days and months; many forms are tried, which takes long."""
    ways = {kind: TimeFormat(kind) for kind in ("dmy", "mdy", "named")}
    columns = ", ".join(f"{way.sql('v', zone)} AS {kind}" for kind, way in ways.items())
    seen = engine.record(
        f"SELECT {', '.join(f'count({kind}) AS {kind}' for kind in ways)}, count(*) FILTER (dmy <> mdy) AS unlike "
        f"FROM (SELECT {columns} FROM {cells} WHERE v IS NOT NULL)"
    )
    most = max(ways, key=lambda kind: int(seen[kind]))
    if seen[most] < enough:
        return Inference()
    if most in _ORDERS and seen["dmy"] == seen["mdy"] and seen["unlike"]:
        return Inference(
            doubt="may be two different days, and no row of this column tells which",
            help="say which comes first: date_order: dmy (day/month/year) or date_order: mdy",
            differs=f"{ways['dmy'].sql('v', zone)} <> {ways['mdy'].sql('v', zone)}",
        )
    return Inference(ways[most], Note(f"times_{most}"))
