"""How a column writes its numbers, found by evidence over the whole column: which readings read every cell, and do they
agree? Decimal and thousands separators, currencies, percent, minus signs, digits of other scripts, durations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from abcx.engines.local import Engine
from abcx.engines.quoting import literal
from abcx.notes import Note
from abcx.spec.model import FileOptions

WORDS = (
    "AED|ARS|AUD|BGN|BRL|CAD|CHF|CLP|CNY|COP|CZK|DKK|EGP|EUR|GBP|HKD|HUF|IDR|ILS|INR|ISK|JPY|KES|KRW|KWD|MAD|MXN|MYR|"
    "NGN|NOK|NZD|PEN|PHP|PKR|PLN|QAR|RON|RUB|SAR|SEK|SGD|THB|TRY|TWD|UAH|USD|VND|ZAR"
)
"""Currency codes that may stand beside a number; other words: kr, Kč, zł, Ft, lei, Fr., Rs, R$, US$, A$, C$, euro."""
_CURRENCY = rf"(?:(?:US|A|C|R|NZ|HK|S)?\$|\p{{Sc}}|{WORDS}|kr\.?|Kč|zł|Ft|lei|Fr\.?|Rs\.?|euros?)"
_SAME = {"€": "EUR", "EURO": "EUR", "EUROS": "EUR", "£": "GBP", "US$": "USD", "$": "USD", "KR.": "KR", "FR.": "FR"}
_SHAPE = (
    rf"^\s*(\()?\s*([-+])?\s*({_CURRENCY})?\s*([-+])?\s*(\.?\d[\d.,' ]*(?:E[+-]?\d+)?)\s*(%)?\s*({_CURRENCY})?\s*"
    r"(-)?\s*(\))?\s*$"
)
_FROM = "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹−\u00a0\u202f\u2009٫٬’´"
_TO = "01234567890123456789-   .'''"
_GROUPS = r"^\s*(?:(\d+(?:[.,]\d+)?)\s*d(?:ays?)?\.?,?\s*)?(?:(\d+(?:[.,]\d+)?)\s*(?:h|hrs?|hours?)\.?,?\s*)?"
_SPANS = (
    _GROUPS
    + r"(?:(\d+(?:[.,]\d+)?)\s*(?:m|mins?|minutes?)\.?,?\s*)?(?:(\d+(?:[.,]\d+)?)\s*(?:s|secs?|seconds?)\.?)?\s*$"
)
_CLOCK = r"^\s*(?:(\d+)\s*days?,?\s+)?(\d+):([0-5]\d):([0-5]\d(?:\.\d+)?)\s*$"
_ISO = r"^\s*p(\d+d)?t"
"""The start of a duration of ISO 8601: P1DT2H30M, PT34M9S."""
_RARE = 0.01
"""A decimal comma that fewer cells show is taken for a slip."""


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """How a column writes numbers. `rich`: with what stands around them; `hours`: durations, read in hours; `of`: the
    currency that stands there, or % where every cell has it."""

    decimal: str = "."
    thousands: str | None = None
    rich: bool = False
    hours: bool = False
    of: str = ""

    def sql(self, text: str) -> str:
        """The text as a DOUBLE, NULL for what is not written so."""
        if self.hours:
            return _hours(text)
        if not self.rich:
            return _as_number(text, self.decimal, self.thousands)
        cell = _cell(text)
        number = _as_number(f"({cell}).n", self.decimal, self.thousands)
        signs = " + ".join(f"(({cell}).{part} <> '')::INT" for part in ("o", "s", "t", "m"))
        minus = f"({cell}).o <> '' OR ({cell}).s = '-' OR ({cell}).t = '-' OR ({cell}).m = '-'"
        return (
            f"CASE WHEN ({cell}).n <> '' AND {signs} <= 1 AND ({cell}).o = replace(({cell}).c, ')', '(') "
            f"THEN {number} * (CASE WHEN {minus} THEN -1 ELSE 1 END) "
            f"/ (CASE WHEN ({cell}).p <> '' THEN 100 ELSE 1 END) END"
        )


def declared(options: FileOptions) -> NumberFormat:
    """How the spec says that numbers are written; plain numbers by default."""
    return NumberFormat(options.decimal or ("," if options.thousands == "." else "."), options.thousands)


def _cell(text: str) -> str:
    """The parts of a cell as a struct: open, sign, currency, sign, number, percent, currency, minus, close."""
    clean = f"translate({text}, {literal(_FROM)}, {literal(_TO)})"
    return f"regexp_extract({clean}, {literal('(?i)' + _SHAPE)}, ['o','s','k','t','n','p','l','m','c'])"


def _as_number(text: str, point: str, thousands: str | None) -> str:
    escaped = {".": r"\.", ",": ",", " ": " ", "'": "'"}
    if thousands:
        group = escaped[thousands]
        indian = r"|\d{1,2}(,\d\d)+,\d{3}" if thousands == "," else ""  # 12,34,567: lakh and crore
        shape = rf"\s*[+-]?(\d{{1,3}}({group}\d{{3}})+{indian}|\d+)({escaped[point]}\d*)?([eE][+-]?\d+)?\s*"
        plain = f"replace({text}, {literal(thousands)}, '')"
        plain = f"replace({plain}, ',', '.')" if point == "," else plain
        return f"CASE WHEN regexp_full_match({text}, {literal(shape)}) THEN try_cast({plain} AS DOUBLE) END"
    if point == ",":
        swapped = _plain_number(f"replace({text}, ',', '.')")
        return f"CASE WHEN NOT contains({text}, '.') THEN {swapped} END"
    return _plain_number(text)


def _plain_number(text: str) -> str:
    return f"CASE WHEN NOT contains({text}, '_') THEN try_cast({text} AS DOUBLE) END"  # DuckDB takes 1_000 for 1000


def _hours(text: str) -> str:
    clock, spans = (
        f"regexp_extract(lower({text}), {literal(_CLOCK)}, ['d','h','m','s'])",
        f"regexp_extract(regexp_replace(lower({text}), '{_ISO}', '\\1 '), {literal(_SPANS)}, ['d','h','m','s'])",
    )

    def part(struct: str, name: str) -> str:
        return f"coalesce(try_cast(replace(({struct}).{name}, ',', '.') AS DOUBLE), 0)"

    def hours(struct: str) -> str:
        days = f"{part(struct, 'd')} * 24 + {part(struct, 'h')}"
        return f"{days} + {part(struct, 'm')} / 60 + {part(struct, 's')} / 3600"

    words = f"({spans}).d || ({spans}).h || ({spans}).m || ({spans}).s"
    return f"CASE WHEN ({clock}).h <> '' THEN {hours(clock)} WHEN {words} <> '' THEN {hours(spans)} END"


@dataclass(frozen=True, slots=True)
class Inference:
    """What the column shows: its form and what to say of it, or `doubt`: why it cannot be read; `differs` is the SQL
    condition of the cells that are in doubt."""

    form: NumberFormat | None = None
    note: Note | None = None
    doubt: str = ""
    help: str = ""
    differs: str = ""


def find(engine: Engine, text: str, rows: str, options: FileOptions, commas: bool) -> Inference:
    """Judge the filled cells of a column; `rows` is the FROM and WHERE. Where the file has decimal `commas`, or may
    have them, a dot before three digits is in doubt."""
    forms = _candidates(options)
    plain, cell = declared(options).sql("v"), _cell("v")
    values = ", ".join(f"{form.sql('v')} AS v{i}" for i, form in enumerate(forms))
    pairs = [(a, b) for b in range(len(forms)) for a in range(b)]
    unlike = ", ".join(f"count(*) FILTER (v{a} <> v{b}) AS d{a}_{b}" for a, b in pairs) or "0 AS d"
    counts = ", ".join(f"count(v{i}) AS n{i}, count(*) FILTER (p AND v{i} IS NULL) AS l{i}" for i in range(len(forms)))
    money = "nullif(trim(coalesce((cell).k, '') || ' ' || coalesce((cell).l, '')), '')"
    seen = engine.record(
        f"SELECT count(*) AS n, count(*) FILTER (p) AS plain, count(h) AS hours, {counts}, {unlike}, "
        f"list(DISTINCT {money}) FILTER ({money} IS NOT NULL) AS money, count({money}) AS n_money, "
        "count(*) FILTER ((cell).p <> '') AS percent, "
        "count(*) FILTER ((cell).p = '' AND (cell).n <> '' AND v0 IS DISTINCT FROM 0) AS no_percent, "
        "count(*) FILTER ((cell).o <> '') AS brackets "
        f"FROM (SELECT v, {plain} IS NOT NULL AS p, {_hours('v')} AS h, {cell} AS cell, {values} "
        f"FROM (SELECT {text} AS v {rows}) WHERE v IS NOT NULL)"
    )
    return _judge(seen, forms, pairs, options, commas)


def _candidates(options: FileOptions) -> list[NumberFormat]:
    if options.decimal or options.thousands:
        return [replace(declared(options), rich=True)]
    pairs = [(".", None), (",", None), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'")]
    return [NumberFormat(decimal, thousands, rich=True) for decimal, thousands in pairs]


def _judge(
    seen: dict[str, Any], forms: list[NumberFormat], pairs: list[tuple[int, int]], options: FileOptions, commas: bool
) -> Inference:
    total = seen["n"]
    if not total or (seen["plain"] == total and not commas):
        return Inference()
    if seen["hours"] == total:
        return Inference(NumberFormat(hours=True), Note("durations"))
    most = max(seen[f"n{i}"] for i in range(len(forms)))
    best = [i for i in range(len(forms)) if seen[f"n{i}"] == most and not seen[f"l{i}"]]
    if most < 0.95 * total or not best:
        return Inference()
    for a, b in pairs:
        if a in best and b in best and seen[f"d{a}_{b}"]:
            one, other = forms[a].sql("v"), forms[b].sql("v")
            return Inference(
                doubt="is ambiguous: it may be two different numbers, and no cell of this column tells which",
                help=f"say how the file writes numbers: {_declared(forms[a])} or {_declared(forms[b])}",
                differs=f"{one} <> {other}",
            )
    form = forms[best[0]]
    if most == seen["plain"]:
        return Inference()
    if (
        form.decimal == ","
        and options.decimal is None
        and form.thousands is None
        and most - seen["plain"] < _RARE * total
    ):
        return Inference()
    currencies = sorted(
        {_SAME.get(word.upper(), word.upper()) for words in seen["money"] or () for word in words.split()}
    )
    if len(currencies) > 1:
        cure = "convert them to one currency first, or keep one by `where`"
        return Inference(
            doubt=f"stands in a column of several currencies ({', '.join(currencies)})", help=cure, differs="TRUE"
        )
    if seen["percent"] and seen["no_percent"]:
        cure = "write all cells of the column in one way"
        return Inference(doubt="stands in a column that has cells with % and without", help=cure, differs="TRUE")
    of = currencies[0] if currencies else "%" if seen["percent"] else ""
    return Inference(replace(form, of=of), _as_note(form, seen, currencies))


def _declared(form: NumberFormat) -> str:
    """How a spec says that numbers are written so: `thousands: '.'`, or `decimal: ','`."""
    return f"thousands: '{form.thousands}'" if form.thousands in (",", ".") else f"decimal: '{form.decimal}'"


def _as_note(form: NumberFormat, seen: dict[str, Any], currencies: list[str]) -> Note:
    values = {"decimal": form.decimal, "thousands": form.thousands, "currency": currencies[0] if currencies else None}
    return Note("numbers", {**values, **{name: bool(seen[name]) for name in ("percent", "brackets")}})
