"""Infers the time format of a column from all its cells: time since 1970 with the unit by magnitude, day and month in
the only order that fits, months by name."""

from __future__ import annotations

from dataclasses import dataclass

from abcx.engines.local import Engine
from abcx.engines.quoting import literal
from abcx.notes import Note

_UNITS = {"seconds": 1e6, "milliseconds": 1e3, "microseconds": 1.0, "nanoseconds": 1e-3}
_SINCE, _UNTIL = 631_152_000e6, 4_102_444_800e6
"""1990 and 2100 in microseconds since 1970: the range of times for which a unit is plausible."""
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
"""Replacements that turn ISO 8601 without separators, with a decimal comma, a blank before the offset or a zone name
behind it into the form that the engine reads."""
ROUNDED = r"\s*\d([.,]\d+)?[eE]\+?\d+\s*"
"""A long number as a spreadsheet writes it, 1.23E+15: its last digits are lost."""
_DATE = r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})(?:,?[ T]+|$)"
_HOURLY = r"(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])([01]\d|2[0-3])"
_DIGITS = r"^\s*\d{9,19}(\.\d+)?\s*$"


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """The time format of a column: `epoch` (with its unit), `dmy`, `mdy`, `named` (months by name, or the year first),
    or `iso` (in a form that the engine does not read itself)."""

    kind: str
    unit: str = ""

    @property
    def naive(self) -> bool | None:
        """Whether times of this format have no offset; None where it depends on the cell."""
        return None if self.kind == "iso" else self.kind != "epoch"

    @property
    def by_order(self) -> bool:
        """Whether the format fixes the order of day and month."""
        return self.kind in _ORDERS

    def plain(self, text: str) -> str:
        """The SQL of the text, of ISO 8601 in the form that the engine reads."""
        if self.kind != "iso":
            return text
        plain = f"trim({text})"
        for pattern, shown in _PLAIN:
            plain = f"regexp_replace({plain}, {literal(pattern)}, {literal(shown)})"
        return plain

    def sql(self, text: str, zone: str) -> str:
        """The SQL of microseconds since 1970 (times without an offset are in `zone`); NULL for texts of another
        format."""
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
    """The inferred time format of a column with a note on it, or `doubt`: why it cannot be read, with `help`, and
    `differs`, the SQL condition of the ambiguous cells. `plain`: all nonempty cells are ISO 8601."""

    written: TimeFormat | None = None
    note: Note | None = None
    doubt: str = ""
    help: str = ""
    differs: str = ""
    plain: bool = False


def find(engine: Engine, text: str, rows: str, zone: str) -> Inference:
    """Infer the format from the nonempty cells of a column; `rows` is the FROM and WHERE."""
    cells = f"(SELECT {text} AS v {rows})"
    digits = f"CASE WHEN regexp_full_match(v, {literal(_DIGITS)}) THEN try_cast(v AS DOUBLE) END"
    evidence = engine.record(
        "SELECT count(*) AS n, count(iso) AS iso, "
        "count(digits) AS digits, min(digits) AS low, max(digits) AS high, "
        f"count(*) FILTER (regexp_full_match(v, {literal(ROUNDED)})) AS rounded, "
        f"count(*) FILTER (regexp_full_match(v, {literal(_HOURLY)})) AS hourly "
        f"FROM (SELECT v, try_cast(v AS TIMESTAMPTZ) AS iso, {digits} AS digits FROM {cells} WHERE v IS NOT NULL)"
    )
    total, enough = evidence["n"], 0.95 * evidence["n"]
    if not total or evidence["iso"] == total:
        return Inference(plain=True)
    if evidence["rounded"]:
        cure = "export the times as text, or format the column as a number without exponent"
        return Inference(
            doubt="is a time that a spreadsheet has rounded",
            help=cure,
            differs=f"regexp_full_match(v, {literal(ROUNDED)})",
        )
    if evidence["hourly"] >= enough:
        return Inference(
            doubt="may be seconds since 1970, or year, month, day and hour",
            help="say how it is written: time_format: '%Y%m%d%H'",
            differs=f"regexp_full_match(v, {literal(_HOURLY)})",
        )
    if evidence["digits"] >= enough:
        units = [
            unit
            for unit, size in _UNITS.items()
            if _SINCE <= evidence["low"] * size and evidence["high"] * size < _UNTIL
        ]
        if units:
            return Inference(TimeFormat("epoch", units[0]), Note("times_since_1970", {"unit": units[0]}))
    plain = TimeFormat("iso")
    read = f"coalesce(epoch_us(try_cast(v AS TIMESTAMPTZ)), {plain.sql('v', zone)})"
    if engine.run(f"SELECT count({read}) FROM {cells}")[0][0] >= enough:
        return Inference(plain)
    return Inference() if evidence["iso"] else _by_days(engine, cells, zone, enough)


def _by_days(engine: Engine, cells: str, zone: str, enough: float) -> Inference:
    """Infer the order of day and month in a column without ISO times; `enough` is the minimum number of readable cells.
    Many formats are tried, which takes long."""
    formats = {kind: TimeFormat(kind) for kind in ("dmy", "mdy", "named")}
    columns = ", ".join(f"{time_format.sql('v', zone)} AS {kind}" for kind, time_format in formats.items())
    evidence = engine.record(
        f"SELECT {', '.join(f'count({kind}) AS {kind}' for kind in formats)}, count(*) FILTER (dmy <> mdy) AS unlike "
        f"FROM (SELECT {columns} FROM {cells} WHERE v IS NOT NULL)"
    )
    most = max(formats, key=lambda kind: int(evidence[kind]))
    if evidence[most] < enough:
        return Inference()
    if most in _ORDERS and evidence["dmy"] == evidence["mdy"] and evidence["unlike"]:
        return Inference(
            doubt="may be two different days, and no row of this column tells which",
            help="say which comes first: date_order: dmy (day/month/year) or date_order: mdy",
            differs=f"{formats['dmy'].sql('v', zone)} <> {formats['mdy'].sql('v', zone)}",
        )
    return Inference(formats[most], Note(f"times_{most}"))
