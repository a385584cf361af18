"""Infers the number format of a column from all its cells: which formats read every cell, and do they agree? Decimal
and thousands separators, currencies, percent, minus signs, digits of other scripts, durations."""

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
"""Currency codes before or after a number; other words: kr, Kč, zł, Ft, lei, Fr., Rs, R$, US$, A$, C$, euro."""
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
"""Below this share of cells a decimal comma is taken for a mistake."""


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """The number format of a column. `rich`: with signs, currencies or percent around numbers; `hours`: durations, read
    in hours; `of`: the currency in the cells, or % where every cell has it."""

    decimal: str = "."
    thousands: str | None = None
    rich: bool = False
    hours: bool = False
    of: str = ""

    def sql(self, text: str) -> str:
        """The SQL of a text in this format as a DOUBLE; NULL for other texts."""
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
    """The number format that the spec declares; plain numbers by default."""
    return NumberFormat(options.decimal or ("," if options.thousands == "." else "."), options.thousands)


def _cell(text: str) -> str:
    """The SQL of a cell's parts as a struct: open, sign, currency, sign, number, percent, currency, minus, close."""
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
    """The inferred format of a column with a note on it (both None for plain numbers), or `doubt`: why it cannot be
    read, with `help`; `differs` is the SQL condition of the ambiguous cells."""

    form: NumberFormat | None = None
    note: Note | None = None
    doubt: str = ""
    help: str = ""
    differs: str = ""


def find(engine: Engine, text: str, rows: str, options: FileOptions, commas: bool) -> Inference:
    """Infer the format from the nonempty cells of a column; `rows` is the FROM and WHERE. Where the file has or may
    have decimal `commas`, a dot before three digits is ambiguous."""
    forms = _candidates(options)
    plain, cell = declared(options).sql("v"), _cell("v")
    values = ", ".join(f"{form.sql('v')} AS v{i}" for i, form in enumerate(forms))
    pairs = [(a, b) for b in range(len(forms)) for a in range(b)]
    differences = ", ".join(f"count(*) FILTER (v{a} <> v{b}) AS d{a}_{b}" for a, b in pairs) or "0 AS d"
    counts = ", ".join(f"count(v{i}) AS n{i}, count(*) FILTER (p AND v{i} IS NULL) AS l{i}" for i in range(len(forms)))
    money = "nullif(trim(coalesce((cell).k, '') || ' ' || coalesce((cell).l, '')), '')"
    evidence = engine.record(
        f"SELECT count(*) AS n, count(*) FILTER (p) AS plain, count(h) AS hours, {counts}, {differences}, "
        f"list(DISTINCT {money}) FILTER ({money} IS NOT NULL) AS money, count({money}) AS n_money, "
        "count(*) FILTER ((cell).p <> '') AS percent, "
        "count(*) FILTER ((cell).p = '' AND (cell).n <> '' AND v0 IS DISTINCT FROM 0) AS no_percent, "
        "count(*) FILTER ((cell).o <> '') AS brackets "
        f"FROM (SELECT v, {plain} IS NOT NULL AS p, {_hours('v')} AS h, {cell} AS cell, {values} "
        f"FROM (SELECT {text} AS v {rows}) WHERE v IS NOT NULL)"
    )
    return _judge(evidence, forms, pairs, options, commas)


def _candidates(options: FileOptions) -> list[NumberFormat]:
    if options.decimal or options.thousands:
        return [replace(declared(options), rich=True)]
    pairs = [(".", None), (",", None), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'")]
    return [NumberFormat(decimal, thousands, rich=True) for decimal, thousands in pairs]


def _judge(
    evidence: dict[str, Any],
    forms: list[NumberFormat],
    pairs: list[tuple[int, int]],
    options: FileOptions,
    commas: bool,
) -> Inference:
    total = evidence["n"]
    if not total or (evidence["plain"] == total and not commas):
        return Inference()
    if evidence["hours"] == total:
        return Inference(NumberFormat(hours=True), Note("durations"))
    most = max(evidence[f"n{i}"] for i in range(len(forms)))
    best = [i for i in range(len(forms)) if evidence[f"n{i}"] == most and not evidence[f"l{i}"]]
    if most < 0.95 * total or not best:
        return Inference()
    for a, b in pairs:
        if a in best and b in best and evidence[f"d{a}_{b}"]:
            one, other = forms[a].sql("v"), forms[b].sql("v")
            return Inference(
                doubt="is ambiguous: it may be two different numbers, and no cell of this column tells which",
                help=f"say how the file writes numbers: {_declared(forms[a])} or {_declared(forms[b])}",
                differs=f"{one} <> {other}",
            )
    form = forms[best[0]]
    if most == evidence["plain"]:
        return Inference()
    if (
        form.decimal == ","
        and options.decimal is None
        and form.thousands is None
        and most - evidence["plain"] < _RARE * total
    ):
        return Inference()
    currencies = sorted(
        {_SAME.get(word.upper(), word.upper()) for words in evidence["money"] or () for word in words.split()}
    )
    if len(currencies) > 1:
        cure = "convert them to one currency first, or keep one by `where`"
        return Inference(
            doubt=f"stands in a column of several currencies ({', '.join(currencies)})", help=cure, differs="TRUE"
        )
    if evidence["percent"] and evidence["no_percent"]:
        cure = "write all cells of the column in one way"
        return Inference(doubt="stands in a column that has cells with % and without", help=cure, differs="TRUE")
    of = currencies[0] if currencies else "%" if evidence["percent"] else ""
    return Inference(replace(form, of=of), _as_note(form, evidence, currencies))


def _declared(form: NumberFormat) -> str:
    """The spec option that declares a format: `thousands: '.'`, or `decimal: ','`."""
    return f"thousands: '{form.thousands}'" if form.thousands in (",", ".") else f"decimal: '{form.decimal}'"


def _as_note(form: NumberFormat, evidence: dict[str, Any], currencies: list[str]) -> Note:
    values = {"decimal": form.decimal, "thousands": form.thousands, "currency": currencies[0] if currencies else None}
    return Note("numbers", {**values, **{name: bool(evidence[name]) for name in ("percent", "brackets")}})
