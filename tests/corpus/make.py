"""Writes the corpus: small exports as tools write them, good ones and damaged ones, and what is right for each.

`python tests/corpus/make.py` writes folders beside this file, each with its files and a spec, and `expected.csv`. It
knows nothing of abcx: the truth is a list of forty units and their orders, and what is right is counted from it here.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import shutil
import zipfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

HOME = Path(__file__).resolve().parent
START = datetime(2024, 5, 6, 8, 0, 3)
UNITS = [(f"c{100 + i}", "ab"[i % 2], START + timedelta(hours=7 * i, seconds=i)) for i in range(40)]
ORDERS = [
    (unit, time + timedelta(hours=5, minutes=i), 12.5 + 3 * i, f"o{i}")
    for i, (unit, arm, time) in enumerate(UNITS)
    if i % 3 == 0 or (arm == "b" and i % 5 == 0)
]
ARM_OF = {unit: arm for unit, arm, _ in UNITS}
BUYERS = {arm: sum(ARM_OF[unit] == arm for unit, *_ in ORDERS) for arm in "ab"}
SPENT = {arm: sum(x for unit, _, x, _ in ORDERS if ARM_OF[unit] == arm) / 20 for arm in "ab"}
Rows = list[list[str]]
Quoting = Literal[0, 1]
"""`csv.QUOTE_MINIMAL` or `csv.QUOTE_ALL`."""
EXPOSURES, EVENTS = ["unit", "time", "arm"], ["unit", "time", "event", "amount", "id"]
METRICS: dict[str, Any] = {
    "orders": {"type": "conversion", "event": "order", "role": "primary", "goal": "increase", "minimum_effect": "5%"},
    "revenue": {"type": "mean", "event": "order", "value": "amount", "role": "secondary", "goal": "increase"},
}
CASES: list[tuple[str, dict[str, bytes], dict[str, Any], dict[str, Any]]] = []


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def exposures(time: Callable[[datetime], str] = stamp, arms: dict[str, str] | None = None) -> Rows:
    return [[unit, time(moment), (arms or {}).get(arm, arm)] for unit, arm, moment in UNITS]


def events(time: Callable[[datetime], str] = stamp, amount: Callable[[float], str] = "{:.2f}".format) -> Rows:
    return [[unit, time(moment), "order", amount(x), id] for unit, moment, x, id in ORDERS]


def text(
    header: list[str], rows: Rows, delimiter: str = ",", end: str = "\n", quoting: Quoting = csv.QUOTE_MINIMAL
) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows([header, *rows])
    return out.getvalue()


def json_lines(header: list[str], rows: Rows) -> bytes:
    return "".join(json.dumps(dict(zip(header, row, strict=True))) + "\n" for row in rows).encode()


def case(
    name: str, files: Mapping[str, bytes | str], data: dict[str, Any] | None = None, said: str = "", **keys: Any
) -> None:
    """A case with the truth as its numbers; `said` is a code that must be in the readout or in the error. `refused`
    cases have no numbers; `numbers` replaces some."""
    refused, numbers = keys.pop("refused", False), keys.pop("numbers", {})
    written = {path: content if isinstance(content, bytes) else content.encode() for path, content in files.items()}
    spec: dict[str, Any] = {
        "schema_version": 1,
        "name": name,
        "arms": {"a": {}, "b": {}},
        "data": data or {"exposures": "x.csv", "events": "e.csv"},
        "metrics": METRICS,
        **keys,
    }
    right: dict[str, Any] = {"case": name, "refused": int(refused), "said": said}
    if not refused:
        right |= {f"buyers_{arm}": BUYERS[arm] for arm in "ab"} | {f"units_{arm}": 20 for arm in "ab"}
        right |= {f"revenue_{arm}": round(SPENT[arm], 10) for arm in "ab"} | numbers
    CASES.append((name, written, spec, right))


X, E = text(EXPOSURES, exposures()), text(EVENTS, events())
BOTH = {"x.csv": X, "e.csv": E}


def of(part: str, **options: Any) -> dict[str, Any]:
    """The data section with options for one part."""
    data: dict[str, Any] = {"exposures": {"file": "x.csv"}, "events": {"file": "e.csv"}}
    data[part] |= options
    return data


def good() -> None:
    case("plain", BOTH)
    for name, delimiter in (("semicolons", ";"), ("tabs", "\t"), ("pipes", "|")):
        case(name, {"x.csv": text(EXPOSURES, exposures(), delimiter), "e.csv": text(EVENTS, events(), delimiter)})
    comma = text(EVENTS, events(amount=lambda x: f"{x:.2f}".replace(".", ",")), ";")
    case("german-spreadsheet", {"x.csv": text(EXPOSURES, exposures(), ";"), "e.csv": comma})
    case(
        "quoted-decimal-commas",
        {"x.csv": X, "e.csv": text(EVENTS, events(amount=lambda x: f"{x:.2f}".replace(".", ",")))},
    )
    case(
        "thousands",
        {"x.csv": X, "e.csv": text(EVENTS, events(amount=lambda x: f"{1000 * x:,.2f}"))},
        numbers={f"revenue_{arm}": round(1000 * SPENT[arm], 8) for arm in "ab"},
    )
    case("euro-signs", {"x.csv": X, "e.csv": text(EVENTS, events(amount=lambda x: f"€ {x:.2f}"))})
    case("utf-16", {"x.csv": X.encode("utf-16"), "e.csv": E.encode("utf-16")})
    case("byte-order-mark", {"x.csv": codecs.BOM_UTF8 + X.encode(), "e.csv": codecs.BOM_UTF8 + E.encode()})
    latin = text([*EVENTS, "city"], [[*row, "Köln"] for row in events()]).encode("cp1252")
    case("cp1252", {"x.csv": X, "e.csv": latin}, of("events", encoding="cp1252"))
    case("crlf", {"x.csv": text(EXPOSURES, exposures(), end="\r\n"), "e.csv": text(EVENTS, events(), end="\r\n")})
    case("mixed-line-ends", {"x.csv": X, "e.csv": E.replace("\n", "\r\n", 9)})
    case("no-last-line-end", {"x.csv": X.rstrip("\n"), "e.csv": E.rstrip("\n")})
    case(
        "quoted-throughout",
        {
            "x.csv": text(EXPOSURES, exposures(), quoting=csv.QUOTE_ALL),
            "e.csv": text(EVENTS, events(), quoting=csv.QUOTE_ALL),
        },
    )
    case(
        "gzip",
        {"x.csv": X, "e.csv.gz": gzip.compress(E.encode(), mtime=0)},
        {"exposures": "x.csv", "events": "e.csv.gz"},
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(zipfile.ZipInfo("export/e.csv", (2024, 6, 1, 0, 0, 0)), E)
    case("zip", {"x.csv": X, "e.zip": packed.getvalue()}, {"exposures": "x.csv", "events": "e.zip"})
    lines = {"x.jsonl": json_lines(EXPOSURES, exposures()), "e.jsonl": json_lines(EVENTS, events())}
    case("json-lines", lines, {"exposures": "x.jsonl", "events": "e.jsonl"})
    nested = "".join(
        json.dumps({"user": {"id": r[0]}, "ts": r[1], "event": r[2], "props": {"amount": float(r[3])}}) + "\n"
        for r in events()
    )
    case(
        "nested-json",
        {"x.csv": X, "e.jsonl": nested},
        {"exposures": "x.csv", "events": {"file": "e.jsonl", "columns": {"unit": "user.id", "time": "ts"}}},
        metrics={**METRICS, "revenue": {**METRICS["revenue"], "value": "props.amount"}},
    )
    case("title-above", {"x.csv": "# Experiment export\n\n" + X, "e.csv": "Orders May 2024\n" + E})
    renamed = {
        "x.csv": X.replace("unit,time,arm", "Customer ID,First seen,Variation"),
        "e.csv": E.replace("unit,time", "Customer ID,Created at"),
    }
    columns = {"unit": "Customer ID", "time": "First seen", "arm": "Variation"}
    case(
        "other-names",
        renamed,
        {
            "exposures": {"file": "x.csv", "columns": columns},
            "events": {"file": "e.csv", "columns": {"unit": "Customer ID", "time": "Created at"}},
        },
    )
    for name, factor in (("epoch-seconds", 1), ("epoch-milliseconds", 1000)):

        def epoch(moment: datetime, factor: int = factor) -> str:
            return str(int(moment.replace(tzinfo=UTC).timestamp()) * factor)

        case(name, {"x.csv": text(EXPOSURES, exposures(epoch)), "e.csv": text(EVENTS, events(epoch))})
    forms = {
        "american-times": "%m/%d/%Y %I:%M:%S %p",
        "german-times": "%d.%m.%Y %H:%M:%S",
        "named-months": "%d %b %Y %H:%M:%S",
    }
    for name, form in forms.items():

        def formed(moment: datetime, form: str = form) -> str:
            return moment.strftime(form)

        case(name, {"x.csv": text(EXPOSURES, exposures(formed)), "e.csv": text(EVENTS, events(formed))})
    odd = "%Y/%d/%m at %H:%M:%S"
    case(
        "time-format",
        {"x.csv": X, "e.csv": text(EVENTS, events(lambda t: t.strftime(odd)))},
        of("events", time_format=odd),
    )
    plus_two = lambda t: f"{t + timedelta(hours=2):%Y-%m-%dT%H:%M:%S}+02:00"  # noqa: E731
    case("offsets", {"x.csv": text(EXPOSURES, exposures(plus_two)), "e.csv": E})
    local = lambda t: f"{t + timedelta(hours=2):%Y-%m-%d %H:%M:%S}"  # noqa: E731
    case(
        "local-times",
        {"x.csv": text(EXPOSURES, exposures(local)), "e.csv": text(EVENTS, events(local))},
        period={"timezone": "Europe/Berlin"},
    )
    case(
        "one-file-in-local-time",
        {"x.csv": text(EXPOSURES, exposures(local)), "e.csv": E},
        of("exposures", timezone="Europe/Berlin"),
    )
    glued = E + text(EVENTS, [["c999", "2024-05-20T10:00:00Z", "order", "5", "o99"]])
    case("glued", {"x.csv": X, "e.csv": glued}, said="repeated_header")
    case(
        "glued-with-marks",
        {"x.csv": X, "e.csv": codecs.BOM_UTF8 + E.encode() + codecs.BOM_UTF8 + text(EVENTS, []).encode()},
        said="repeated_header",
    )
    days = {
        f"e/2024-05-{day:02d}.csv": text(EVENTS, [row for row in events() if row[1][8:10] == f"{day:02d}"])
        for day in range(6, 19)
    }
    case("a-file-for-each-day", {"x.csv": X, **days}, {"exposures": "x.csv", "events": "e/*.csv"})
    arms = {f"x_{arm}.csv": text(EXPOSURES[:2], [row[:2] for row in exposures() if row[2] == arm]) for arm in "ab"}
    case(
        "a-file-for-each-arm",
        {**arms, "e.csv": E},
        {"exposures": {"file": {"a": "x_a.csv", "b": "x_b.csv"}}, "events": "e.csv"},
    )
    labeled = {"a": {"labels": ["Original"]}, "b": {"labels": ["Variation #1", "V1"]}}
    case(
        "labels",
        {"x.csv": text(EXPOSURES, exposures(arms={"a": "Original", "b": "Variation #1"})), "e.csv": E},
        arms=labeled,
    )
    case(
        "yes-and-no",
        {"x.csv": text(EXPOSURES, exposures(arms={"a": "FALSE", "b": "True"})), "e.csv": E},
        arms={"a": {"labels": [False]}, "b": {"labels": [True]}},
    )
    case(
        "shuffled", {"x.csv": text(EXPOSURES, exposures()[::-1]), "e.csv": text(EVENTS, events()[1::2] + events()[::2])}
    )
    case("other-columns", {"x.csv": X, "e.csv": text([*EVENTS, "note"], [[*row, 'a "b",\nc'] for row in events()])})
    case("repeated-ids", {"x.csv": X, "e.csv": E + "".join(E.splitlines(True)[1:6])}, said="duplicate_event")
    case(
        "overlapping-exports",
        {"x.csv": X, "e1.csv": text(EVENTS, events()[:12]), "e2.csv": text(EVENTS, events()[8:])},
        {"exposures": "x.csv", "events": ["e1.csv", "e2.csv"]},
        said="duplicate_event",
    )
    staff = text(
        [*EXPOSURES, "staff"], [[*row, "no"] for row in exposures()] + [["s1", "2024-05-06T08:00:00Z", "a", "yes"]]
    )
    case(
        "staff-left-out",
        {"x.csv": staff, "e.csv": E},
        of("exposures", exclude={"staff": {"staff": True}}),
        said="staff",
    )
    tests = text(
        [*EXPOSURES, "test"],
        [[*row, "blue"] for row in exposures()]
        + [[f"z{i}", "2024-05-06T08:00:00Z", "ab"[i % 2], "red"] for i in range(9)],
    )
    case("one-of-two-tests", {"x.csv": tests, "e.csv": E}, of("exposures", where={"test": "blue"}))
    hidden = [
        [f'="{row[0]}"' if i % 3 == 0 else f"{row[0]}\u00a0" if i % 3 == 1 else f"\u200b{row[0]}", *row[1:]]
        for i, row in enumerate(events())
    ]
    case("ids-of-spreadsheets", {"x.csv": X, "e.csv": text(EVENTS, hidden)}, said="formulas")
    empty = text(EVENTS, events() + [["c100", "2024-05-07T08:00:00Z", "order", "", "o98"]])
    case(
        "orders-without-a-value",
        {"x.csv": X, "e.csv": empty},
        metrics={**METRICS, "revenue": {**METRICS["revenue"], "missing_value": "drop"}},
        said="no_value",
    )
    log = [[unit, stamp(t), "seen", "", f"s{unit}", arm] for unit, arm, t in UNITS] + [
        [*row, ARM_OF[row[0]]] for row in events()
    ]
    case(
        "one-log",
        {"e.csv": text([*EVENTS, "arm"], sorted(log, key=lambda row: row[1]))},
        {"events": "e.csv"},
        exposure={"event": "seen"},
    )
    wide = [
        [unit, arm, str(int(any(o[0] == unit for o in ORDERS))), f"{sum(o[2] for o in ORDERS if o[0] == unit):.2f}"]
        for unit, arm, _ in UNITS
    ]
    ready = {"orders": {**METRICS["orders"], "column": "bought"}, "revenue": {**METRICS["revenue"], "column": "spent"}}
    ready = {name: {k: v for k, v in metric.items() if k not in ("event", "value")} for name, metric in ready.items()}
    case(
        "a-row-for-each-unit",
        {"u.csv": text(["unit", "arm", "bought", "spent"], wide)},
        {"units": "u.csv"},
        metrics=ready,
    )
    case(
        "indian-groups",
        {
            "u.csv": text(
                ["unit", "arm", "bought", "spent"],
                [[*row[:3], "1,00,000.00" if row[2] == "1" else "0"] for row in wide],
            )
        },
        {"units": "u.csv"},
        metrics=ready,
        numbers={f"revenue_{arm}": 1e5 * BUYERS[arm] / 20 for arm in "ab"},
    )
    counted = {"orders": {k: v for k, v in METRICS["orders"].items() if k != "event"}}
    nothing = {"revenue_a": "", "revenue_b": ""}
    case(
        "counts",
        {"c.csv": text(["arm", "units", "orders"], [[arm, "20", str(BUYERS[arm])] for arm in "ab"])},
        {"counts": "c.csv"},
        metrics=counted,
        numbers=nothing,
    )
    by_day = [
        [arm, f"{6 + day:02d}.05.2024", "10", str(BUYERS[arm] // 2 + day * (BUYERS[arm] % 2))]
        for day in range(2)
        for arm in "ab"
    ]
    case(
        "counts-by-day",
        {"c.csv": text(["arm", "date", "units", "orders"], by_day)},
        {"counts": {"file": "c.csv", "date_order": "dmy"}},
        metrics=counted,
        numbers=nothing,
    )
    running = [
        [arm, f"2024-05-{6 + day:02d}", str(2 * day + 6), str(BUYERS[arm] * (day + 1) // 8)]
        for day in range(8)
        for arm in "ab"
    ]
    case(
        "running-totals",
        {"c.csv": text(["arm", "date", "units", "orders"], running)},
        {"counts": {"file": "c.csv", "cumulative": True}},
        metrics=counted,
        numbers=nothing,
    )
    case(
        "running-totals-asked",
        {"c.csv": text(["arm", "date", "units", "orders"], running)},
        {"counts": "c.csv"},
        metrics=counted,
        said="running_totals",
        numbers={
            **nothing,
            **{f"units_{arm}": sum(2 * d + 6 for d in range(8)) for arm in "ab"},
            **{f"buyers_{arm}": sum(BUYERS[arm] * (d + 1) // 8 for d in range(8)) for arm in "ab"},
        },
    )
    whole_days = lambda t: f"{t:%Y-%m-%d}"  # noqa: E731
    case("orders-by-date", {"x.csv": X, "e.csv": text(EVENTS, events(whole_days))}, said="compared by day")


def damaged() -> None:
    case("cut-off", {"x.csv": X, "e.csv": E[: E.rindex(",order,") - 4]}, said="ragged-row", refused=True)
    case("open-quote", {"x.csv": X, "e.csv": E.replace("c103", '"c103', 1)}, said="broken-quotes", refused=True)
    case("some-offsets", {"x.csv": X, "e.csv": E.replace("Z,order", ",order", 5)}, said="mixed-offsets", refused=True)
    wide = [[unit, arm, f"{i}.5"] for i, (unit, arm, _) in enumerate(UNITS)]
    spend = {"spend": {"type": "mean", "column": "spend", "role": "primary", "goal": "increase"}}
    of_units = {"data": {"units": "u.csv"}, "metrics": spend}

    def units(name: str, rows: Rows, said: str, **keys: Any) -> None:
        case(name, {"u.csv": text(["unit", "arm", "spend"], rows)}, said=said, refused=True, **{**of_units, **keys})

    units("totals-row", [*wide, ["Total", "a", f"{sum(float(r[2]) for r in wide)}"]], "totals-row")
    units("two-spellings-of-a-number", [*wide, ["7", "a", "1"], ["7.0", "b", "2"]], "unlike-ids")
    units("ids-that-are-null", [["NULL" if i % 9 == 0 else row[0], *row[1:]] for i, row in enumerate(wide)], "no-id")
    units("rounded-ids", [[f"1.{i % 3}3E+15", *row[1:]] for i, row in enumerate(wide)], "rounded-id")
    units(
        "dot-before-three-digits",
        [[*row[:2], f"{i % 9 + 1}.{100 + i}"] for i, row in enumerate(wide)],
        "ambiguous-number",
    )
    units(
        "several-currencies", [[*row[:2], f"{'$€'[i % 2]}{row[2]}"] for i, row in enumerate(wide)], "ambiguous-number"
    )
    units("words-for-numbers", [[*row[:2], "n.a." if i == 7 else row[2]] for i, row in enumerate(wide)], "bad-number")
    units("ten-unknown-columns", wide, "missing-column", metrics={"spend": {**spend["spend"], "column": "revenue"}})
    totals = [[arm, "20", str(BUYERS[arm])] for arm in "ab"] + [
        ["c", "20", "5"],
        ["Total", "60", str(sum(BUYERS.values()) + 5)],
    ]
    counted = {"orders": {k: v for k, v in METRICS["orders"].items() if k != "event"}}
    case(
        "total-of-counts",
        {"c.csv": text(["arm", "units", "orders"], totals)},
        {"counts": "c.csv"},
        metrics=counted,
        arms={"a": {}, "b": {}, "c": {}},
        said="totals-row",
        refused=True,
    )
    case(
        "more-than-all",
        {"c.csv": "arm,units,orders\na,20,5\nb,20,25\n"},
        {"counts": "c.csv"},
        metrics=counted,
        said="counts-range",
        refused=True,
    )
    case("no-such-zone", BOTH, said="EST", refused=True, period={"timezone": "EST"})
    case(
        "a-field-twice",
        {"x.csv": X, "e.jsonl": json_lines(EVENTS, events()).replace(b'"id"', b'"unit": "c1", "id"', 1)},
        {"exposures": "x.csv", "events": "e.jsonl"},
        said="repeated-field",
        refused=True,
    )
    case("no-header", {"x.csv": "".join(X.splitlines(True)[1:]), "e.csv": E}, said="missing-column", refused=True)
    case(
        "latin-1-unsaid",
        {"x.csv": X, "e.csv": text([*EVENTS, "city"], [[*row, "Köln"] for row in events()]).encode("cp1252")},
        said="encoding",
        refused=True,
    )
    case("not-a-table", {"x.csv": X, "e.csv": b"%PDF-1.7\n\x00\x01\x02"}, said="error", refused=True)
    case(
        "stray-future-row",
        {"x.csv": X, "e.csv": text(EVENTS, events() + [["c100", "2042-05-06T10:00:00Z", "order", "5", "o97"]])},
        said="stray_time",
    )
    case("exclude-fits-nothing", BOTH, of("events", exclude={"test": {"event": "Test"}}), said="nothing_found")
    case(
        "events-in-capitals",
        {"x.csv": X, "e.csv": E.replace(",order,", ",ORDER,", 0) + "c101,2024-05-08T10:00:00Z,ORDER,5,o96\n"},
        said="different spelling",
    )
    case(
        "ids-with-a-prefix",
        {"x.csv": X, "e.csv": E + "user_c101,2024-05-08T10:00:00Z,order,5,o95\n"},
        said="spelled differently",
    )
    case("labels-of-no-arm", {"x.csv": X + "z1,2024-05-06T10:00:00Z,holdout\n", "e.csv": E}, said="unknown_arm")
    case("rows-without-an-arm", {"x.csv": X + "z1,2024-05-06T10:00:00Z,\n", "e.csv": E}, said="no_arm")
    case(
        "a-unit-in-both-arms",
        {"x.csv": X + "z1,2024-05-06T10:00:00Z,a\nz1,2024-05-06T11:00:00Z,b\n", "e.csv": E},
        said="crossover",
    )
    case("orders-of-strangers", {"x.csv": X, "e.csv": E + "z1,2024-05-08T10:00:00Z,order,5,o94\n"}, said="not_in_test")
    case(
        "orders-before-exposure",
        {"x.csv": X, "e.csv": E + "c101,2024-05-01T10:00:00Z,order,5,o93\n"},
        said="before_exposure",
    )
    case(
        "bad-rows-that-are-tolerated",
        {"x.csv": X, "e.csv": E + "c101,yesterday,order,5,o92\n"},
        of("events", max_bad_rows=1),
        said="bad_row",
    )
    skipped = [
        [r[0], "2024-03-31 02:30:00" if r[0] == "c100" else f"2024-03-31 01:{10 + i}:00", r[2]]
        for i, r in enumerate(exposures())
    ]
    case(
        "an-hour-that-was-skipped",
        {"x.csv": text(EXPOSURES, skipped), "e.csv": text(EVENTS, events(lambda t: f"{t:%Y-%m-%d %H:%M:%S}"))},
        period={"timezone": "Europe/Berlin"},
        said="skip: are they",
    )


def write() -> None:
    for old in HOME.iterdir():
        if old.is_dir() and old.name != "__pycache__":
            shutil.rmtree(old)
    for name, files, spec, _ in CASES:
        for path, content in files.items():
            (HOME / name / path).parent.mkdir(parents=True, exist_ok=True)
            (HOME / name / path).write_bytes(content)
        (HOME / name / "s.yaml").write_text(json.dumps(spec, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    columns = ["case", "refused", "said", *(f"{what}_{arm}" for what in ("buyers", "units", "revenue") for arm in "ab")]
    with (HOME / "expected.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(right for *_, right in CASES)
    print(f"{len(CASES)} cases, {sum(len(files) for _, files, *_ in CASES)} files")


if __name__ == "__main__":
    good()
    damaged()
    write()
