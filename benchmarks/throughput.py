"""How fast abcx reads events, beside the parser, hand-written SQL, pandas, Polars and tea-tasting, in one run.

    python benchmarks/throughput.py [--rows 10000 100000 1000000 10000000] [--only NAME ...] [--keep FOLDER] [--write]

Makes its own event files (simulated: seven columns, a tenth as many users as rows, skewed revenue), then runs every way
as a process of its own and prints wall time, CPU time and peak memory, and the ratio to DuckDB's bare count of all
columns of the same file. Ways whose library is missing are left out. 100 million rows need 7 GB of disk.
`--write` also runs small.py (in this Python, which must have abcx as users have it: not editable) and writes
docs/performance.md with its plots. Shared machines are noisy: ratios within one run are what counts.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from small import Ratio, measured, over_metrics

PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
PLOTS = {"rows": PAGE.with_name("performance-rows.svg"), "metrics": PAGE.with_name("performance-metrics.svg")}
SPEC = """\
schema_version: 1
name: throughput
unit: users
tags: [simulated]
arms: {control: , variant: }
period: {start: 2024-03-04, end: 2024-03-31}
data: {events: FILE, columns: {unit: user_id, time: timestamp, arm: variant, event: event, value: value}}
window: 7d
metrics:
  orders: {type: conversion, event: purchase, role: primary, goal: increase, minimum_effect: 5%}
  revenue: {type: mean, event: purchase, value: value, role: secondary, goal: increase}
  clicks: {type: mean, event: click, role: secondary, goal: increase}
  carts: {type: conversion, event: cart, role: guardrail, goal: increase, margin: 10%}
  order_value:
    type: ratio
    numerator: {event: purchase, value: value}
    denominator: {event: purchase}
    role: descriptive
"""
MAKE = """
COPY (
  SELECT 'u' || lpad(CAST(u AS VARCHAR), 9, '0') AS user_id,
         {time} AS timestamp,
         CASE WHEN hash(u, 7) % 2 = 0 THEN 'control' ELSE 'variant' END AS variant,
         CASE WHEN e < 60 THEN 'view' WHEN e < 85 THEN 'click' WHEN e < 95 THEN 'cart' ELSE 'purchase' END AS event,
         CASE WHEN e >= 95 THEN {value} END AS value,
         ['desktop', 'mobile', 'tablet'][1 + CAST(hash(u, 3) % 3 AS INTEGER)] AS device,
         ['de', 'fr', 'gb', 'us', 'br', 'in'][1 + CAST(hash(u, 5) % 6 AS INTEGER)] AS country
  FROM (SELECT CAST(hash(i, 1) % {users} AS BIGINT) AS u, hash(i, 2) % (28 * 86400) AS s, hash(i, 4) % 100 AS e,
               sqrt(-2 * ln((1 + hash(i, 8) % 1000000) / 1000001.0)) * cos(2 * pi() * (hash(i, 9) % 1000000) / 1e6) AS z
        FROM range({rows}) t(i))
) TO '{path}' ({form})
"""
MOMENT, AMOUNT = "TIMESTAMP '2024-03-04' + to_seconds(CAST(s AS BIGINT))", "round(exp(3 + 1.2 * z), 2)"
FORMS = {
    "csv": ("HEADER, DELIMITER ','", f"strftime({MOMENT}, '%Y-%m-%dT%H:%M:%SZ')", f"CAST({AMOUNT} AS VARCHAR)"),
    "parquet": ("FORMAT parquet", f"timezone('UTC', {MOMENT})", AMOUNT),
}
"""By format: how it is written, the time and the value. Parquet has typed columns, as `abcx pack` writes them."""
COLUMNS = ("user_id", "timestamp", "variant", "event", "value", "device", "country")
TRIED = (Path(__file__).parent / "tried.md").read_text(encoding="utf-8").strip()
BARE = """
import duckdb, sys
scan = f"read_csv('{sys.argv[1]}', all_varchar=true, delim=',', header=true, auto_detect=false, columns={{{cols}}})"
if sys.argv[1].endswith('.parquet'): scan = f"'{sys.argv[1]}'"
print(duckdb.sql(f"SELECT count(user_id), count(timestamp), count(variant), count(event), count(value), count(device), "
                 f"count(country) FROM {scan}").fetchall())
""".replace("{cols}", ", ".join(f"'{column}': 'VARCHAR'" for column in COLUMNS))
SQL = """
import duckdb, sys
source = f"read_csv('{sys.argv[1]}')" if sys.argv[1].endswith('.csv') else f"'{sys.argv[1]}'"
con = duckdb.connect(); con.execute("SET preserve_insertion_order = false")
con.execute(f"CREATE TABLE e AS SELECT user_id, CAST(timestamp AS TIMESTAMP) AS t, variant, event, "
            f"CAST(value AS DOUBLE) AS value FROM {source}")
con.execute("CREATE TABLE a AS SELECT user_id, min(t) AS t0, arg_min(variant, t) AS arm FROM e GROUP BY user_id")
con.execute('''CREATE TABLE u AS SELECT a.user_id, any_value(a.arm) AS arm,
    CAST(count(*) FILTER (event = 'purchase') > 0 AS INT) AS orders,
    coalesce(sum(value) FILTER (event = 'purchase'), 0) AS revenue, count(*) FILTER (event = 'click') AS clicks,
    CAST(count(*) FILTER (event = 'cart') > 0 AS INT) AS carts, count(*) FILTER (event = 'purchase') AS n
    FROM a LEFT JOIN e ON e.user_id = a.user_id AND e.t >= a.t0 AND e.t < a.t0 + INTERVAL 7 DAY GROUP BY a.user_id''')
print(con.execute('''SELECT arm, count(*), avg(orders), avg(revenue), var_samp(revenue), avg(clicks), var_samp(clicks),
    avg(carts), sum(revenue) / sum(n), covar_samp(revenue, n) FROM u GROUP BY arm''').fetchall())
"""
TUNED = """
import duckdb, sys
con = duckdb.connect(); con.execute("SET preserve_insertion_order = false")
types = dict.fromkeys({columns}, 'VARCHAR') | {'timestamp': 'TIMESTAMP', 'value': 'DOUBLE'}
print(con.execute(f'''WITH
  e AS MATERIALIZED (SELECT hash(user_id) AS u, timestamp AS t, value,
    CASE variant WHEN 'control' THEN 0::TINYINT WHEN 'variant' THEN 1::TINYINT END AS arm,
    CASE event WHEN 'purchase' THEN 1::TINYINT WHEN 'click' THEN 2::TINYINT WHEN 'cart' THEN 3::TINYINT END AS code
    FROM read_csv('{sys.argv[1]}', delim=',', header=true, auto_detect=false, nullstr='', columns={types})),
  a AS MATERIALIZED (SELECT u, min(t) AS t0, min(arm) AS arm FROM e GROUP BY u),
  units AS (SELECT a.u, any_value(a.arm) AS arm, CAST(count(*) FILTER (code = 1) > 0 AS INT) AS orders,
    coalesce(sum(value) FILTER (code = 1), 0) AS revenue, count(*) FILTER (code = 2) AS clicks,
    CAST(count(*) FILTER (code = 3) > 0 AS INT) AS carts, count(*) FILTER (code = 1) AS n
    FROM a LEFT JOIN e ON e.u = a.u AND e.t >= a.t0 AND e.t < a.t0 + INTERVAL 7 DAY AND code IS NOT NULL GROUP BY a.u)
  SELECT arm, count(*), avg(orders), avg(revenue), var_samp(revenue), avg(clicks), var_samp(clicks),
    avg(carts), sum(revenue) / sum(n), covar_samp(revenue, n) FROM units GROUP BY arm''').fetchall())
""".replace("{columns}", str(COLUMNS))
PANDAS = """
import pandas as pd, sys
e = pd.read_csv(sys.argv[1]) if sys.argv[1].endswith('.csv') else pd.read_parquet(sys.argv[1])
e['timestamp'] = pd.to_datetime(e['timestamp']); e['value'] = pd.to_numeric(e['value'])
first = e.sort_values('timestamp').groupby('user_id').agg(t0=('timestamp', 'first'), arm=('variant', 'first'))
e = e.join(first, on='user_id')
e = e[(e.timestamp >= e.t0) & (e.timestamp < e.t0 + pd.Timedelta(days=7))]
bought = e[e.event == 'purchase'].groupby('user_id')['value'].agg(['sum', 'count'])
units = first.join(bought).join(e[e.event == 'click'].groupby('user_id').size().rename('clicks'))
units = units.join((e[e.event == 'cart'].groupby('user_id').size() > 0).rename('carts'))
units[['sum', 'count', 'clicks']] = units[['sum', 'count', 'clicks']].fillna(0)
units['carts'] = units['carts'].eq(True).astype(float)
print(units.groupby('arm')[['sum', 'count', 'clicks', 'carts']].agg(['mean', 'var']))
"""
POLARS = """
import polars as pl, sys
e = pl.scan_csv(sys.argv[1]) if sys.argv[1].endswith('.csv') else pl.scan_parquet(sys.argv[1])
e = e.with_columns(pl.col('timestamp').str.to_datetime('%Y-%m-%dT%H:%M:%SZ'),
                   pl.col('value').cast(pl.Float64, strict=False))
first = e.group_by('user_id').agg(pl.col('timestamp').min().alias('t0'),
                                  pl.col('variant').sort_by('timestamp').first().alias('arm'))
w = e.join(first, on='user_id').filter((pl.col('timestamp') >= pl.col('t0'))
                                       & (pl.col('timestamp') < pl.col('t0') + pl.duration(days=7)))
units = w.group_by('user_id').agg(
    pl.col('arm').first(), pl.col('value').filter(pl.col('event') == 'purchase').sum().alias('revenue'),
    (pl.col('event') == 'purchase').sum().alias('n'), (pl.col('event') == 'click').sum().alias('clicks'),
    (pl.col('event') == 'cart').any().alias('carts'))
print(units.group_by('arm').agg(pl.col('revenue').mean(), pl.col('revenue').var().alias('v'),
                                pl.col('clicks').mean(), pl.col('carts').mean()).collect(engine='streaming'))
"""
TEA = (
    PANDAS
    + """
import tea_tasting as tt
units = units.reset_index().rename(columns={'arm': 'variant', 'sum': 'revenue', 'count': 'n'})
units['variant'] = (units['variant'] == 'variant').astype(int); units['orders'] = (units['n'] > 0).astype(int)
print(tt.Experiment(orders=tt.Mean('orders'), revenue=tt.Mean('revenue'), clicks=tt.Mean('clicks'),
                    carts=tt.Mean('carts'), order_value=tt.RatioOfMeans('revenue', 'n')).analyze(units))
"""
)


BARE_COUNT, OWN = "bare count (the parser)", "abcx analyze"
TUNED_WAY = "the same, tuned (one statement, hashed units, codes)"
REPEATS = 5
"""How often the two run up to 10 million rows; the median counts."""
LARGE = 10_000_000
"""Above so many rows only the bare count and abcx run, which keeps to 2 GB."""


@dataclass(frozen=True)
class Case:
    """One file, and the limit of memory that abcx is given."""

    rows: int
    parquet: bool
    memory: str | None

    @property
    def title(self) -> str:
        limit = f", abcx with --memory {self.memory}" if self.memory else ""
        return f"{self.rows:,} events ({'Parquet' if self.parquet else 'CSV'}){limit}"


@dataclass(frozen=True)
class Run:
    """One way on one file."""

    way: str
    rows: int
    wall: float
    cpu: float
    peak_mb: float


def ways(file: Path, spec: Path) -> dict[str, list[str]]:
    """The command of every way; those whose library is missing are left out."""
    python = [sys.executable, "-c"]
    found = {
        BARE_COUNT: [*python, BARE, str(file)],
        OWN: [
            sys.executable,
            "-m",
            "abcx",
            "analyze",
            str(spec),
            "-q",
            "--format",
            "json",
            "-o",
            os.devnull,
        ],
        "DuckDB SQL by hand": [*python, SQL, str(file)],
        TUNED_WAY: [*python, TUNED, str(file)],
    }
    for name, module, code in (
        ("Polars", "polars", POLARS),
        ("pandas", "pandas", PANDAS),
        ("tea-tasting", "tea_tasting", TEA),
    ):
        if subprocess.run([*python, f"import {module}"], capture_output=True).returncode == 0:
            found[name] = [*python, code, str(file)]
    return found


def measure(way: str, command: list[str], rows: int) -> Run:
    """Wall and CPU seconds and the peak of resident memory of one process."""
    started = time.perf_counter()
    compiled = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=compiled)
    assert process.stderr is not None
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        raise SystemExit(f"{way} failed: {errors.decode()[-400:]}")
    wall = time.perf_counter() - started
    return Run(way, rows, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def make(folder: Path, rows: int, parquet: bool) -> Path:
    """The event file, made once."""
    import duckdb

    kind = "parquet" if parquet else "csv"
    path = folder / f"events_{rows}.{kind}"
    if not path.exists():
        form, time, value = FORMS[kind]
        duckdb.sql(MAKE.format(users=max(10, rows // 10), rows=rows, path=path, form=form, time=time, value=value))
    return path


def table(runs: list[Run]) -> str:
    """The runs of one file, with the ratio to the bare count."""
    bare = runs[0]
    lines = ["| way | wall s | CPU s | peak MB | wall, bare count = 1 |", "|---|---:|---:|---:|---:|"]
    for run in runs:
        ratio = run.wall / bare.wall
        lines.append(f"| {run.way} | {run.wall:.1f} | {run.cpu:.1f} | {run.peak_mb:,.0f} | {ratio:.2f} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000, 10_000_000])
    parser.add_argument("--only", nargs="+", help="ways whose name contains one of these words (the bare count always)")
    parser.add_argument("--keep", type=Path, help="folder for the event files; default: a temporary one")
    parser.add_argument("--memory", help="--memory of abcx, such as 2GB; above 10 million rows it is 2GB")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        found: dict[Case, list[Run]] = {}
        for rows in options.rows:
            memory = options.memory or ("2GB" if rows > LARGE else None)
            formats = (False, True) if rows <= LARGE else (False,)
            found |= runs([Case(rows, parquet, memory) for parquet in formats], folder, options.only)
        ratios, seconds = (
            (measured(sys.executable, Path(scratch)), over_metrics(sys.executable, Path(scratch)))
            if (options.write)
            else ([], {})
        )
    text = page(found, ratios)
    if options.write:
        PAGE.write_text(text, encoding="utf-8")
        plot(found, seconds)
    else:
        print(text)


def runs(cases: list[Case], folder: Path, only: list[str] | None) -> dict[Case, list[Run]]:
    """Every way on the files of so many rows. Of Parquet, and above 10 million rows, only the bare count and abcx.

    Where these run several times they take turns, on both files: the machine may be slow for a minute.
    """
    commands = {}
    for case in cases:
        file = make(folder, case.rows, case.parquet)
        spec = folder / f"spec_{file.name}.yaml"
        spec.write_text(SPEC.replace("FILE", file.name), encoding="utf-8")
        more = ["--memory", case.memory] if case.memory else []
        for way, command in ways(file, spec).items():
            apt = way in (BARE_COUNT, OWN) or (case.rows <= LARGE and not case.parquet)
            asked = not only or way == BARE_COUNT or any(word in way for word in only)
            if apt and asked:
                commands[case, way] = command + (more if way == OWN else [])
    times = REPEATS if cases[0].rows <= LARGE else 1
    measured: dict[tuple[Case, str], list[Run]] = {key: [] for key in commands}
    for turn in range(times):
        for (case, way), command in commands.items():
            if turn == 0 or way in (BARE_COUNT, OWN, TUNED_WAY) or case.rows < 1_000_000:
                measured[case, way].append(measure(way, command, case.rows))
                print(f"{case.title}, {way}: {measured[case, way][-1].wall:.1f} s", file=sys.stderr, flush=True)
    found: dict[Case, list[Run]] = {case: [] for case in cases}
    for (case, _), done in measured.items():
        found[case].append(sorted(done, key=lambda run: run.wall)[len(done) // 2])
    return found


def plot(found: Mapping[Case, list[Run]], over_metrics: Mapping[int, float]) -> None:
    """Wall time over rows of CSV, and over the number of metrics of a million rows."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "abcx"
    from matplotlib import pyplot

    lines: dict[str, list[tuple[int, float]]] = {}
    for case, of_case in found.items():
        for run in of_case if not case.parquet else ():
            lines.setdefault(run.way, []).append((case.rows, run.wall))
    figure, axes = pyplot.subplots(figsize=(7, 4.2), layout="constrained")
    for way, points in lines.items():
        places, walls = zip(*sorted(points), strict=True)
        axes.plot(places, walls, marker="o", linewidth=3 if way == OWN else 1.2, label=way.partition(" (")[0])
    axes.set(xscale="log", yscale="log", xlabel="events (simulated)", ylabel="seconds, whole process")
    axes.legend(fontsize="small", frameon=False)
    figure.savefig(PLOTS["rows"], metadata={"Date": None})
    figure, axes = pyplot.subplots(figsize=(7, 3.4), layout="constrained")
    axes.plot(list(over_metrics), list(over_metrics.values()), marker="o", linewidth=3)
    axes.set(xlabel="metrics, on 1 million events (simulated)", ylabel="seconds, whole process", ylim=(0, None))
    figure.savefig(PLOTS["metrics"], metadata={"Date": None})


def page(found: dict[Case, list[Run]], ratios: list[Ratio]) -> str:
    """docs/performance.md: what was measured, where and when."""
    import duckdb

    head = f"""\
# Performance

<!-- Written by `python benchmarks/throughput.py --write`: no figure of the tables is typed in. What was tried is in
     benchmarks/tried.md. -->

**The event files are simulated**: seven columns (user, ISO time, variant, event, value, device, country), a tenth as
many users as rows, skewed revenue. Every way is a process of its own, started cold; all in one run. abcx analyses five
metrics of three types in a window of seven days, with every check; the others compute the metrics alone. Up to
{LARGE:,} rows the bare count, the tuned SQL and abcx took turns {REPEATS} times (below a million rows all ways did),
and the median by wall time stands here. Parquet files have typed times and values, as `abcx pack` writes them.

Measured on {date.today().isoformat()} with DuckDB {duckdb.__version__}, Python {platform.python_version()},
{os.cpu_count()} CPUs. Machines differ: the last column is what carries over."""
    parts = [f"## {case.title}\n\n{table(of_case)}" for case, of_case in found.items()]
    plots = [
        "![Seconds over events for every way](performance-rows.svg)",
        "![Seconds over the number of metrics](performance-metrics.svg)",
    ]
    return "\n\n".join([head, *wanted(found, ratios), *(plots if ratios else []), TRIED, *parts]) + "\n"


def wanted(found: dict[Case, list[Run]], ratios: list[Ratio]) -> list[str]:
    """What abcx should reach, and what it does."""
    walls = {case: {run.way: run for run in of_case} for case, of_case in found.items()}
    bare = {(case.rows, case.parquet): ways[BARE_COUNT].wall for case, ways in walls.items() if BARE_COUNT in ways}
    own = {(case.rows, case.parquet): ways[OWN] for case, ways in walls.items() if OWN in ways}
    lines = []
    for rows, most in ((1_000_000, 3.6), (LARGE, 3.5)):
        if (rows, False) in own:
            ratio = own[rows, False].wall / bare[rows, False]
            lines.append(_line(f"{rows:,} events, wall over the bare count", ratio, most))
    csv = {case.rows: of_case for case, of_case in walls.items() if not case.parquet}
    if LARGE in csv and TUNED_WAY in csv[LARGE]:
        ratio = csv[LARGE][OWN].wall / csv[LARGE][TUNED_WAY].wall
        lines.append(_line(f"{LARGE:,} events, wall over the tuned SQL without checks", ratio, 1.9))
    if (LARGE, False) in own:
        lines.append(_line(f"{LARGE:,} events, peak GB", own[LARGE, False].peak_mb / 1024, 1.0))
    if (LARGE, False) in own and (LARGE, True) in own:
        lines.append(_line("Parquet over CSV", own[LARGE, True].wall / own[LARGE, False].wall, 0.65))
    large = next((rows for rows, _ in own if rows > LARGE), None)
    if large and (LARGE, False) in own:
        growth = own[large, False].wall / large / (own[LARGE, False].wall / LARGE)
        lines.append(_line(f"{large:,} events with --memory 2GB, time a row over that at {LARGE:,}", growth, 1.25))
        lines.append(_line(f"{large:,} events with --memory 2GB, peak GB", own[large, False].peak_mb / 1024, 2.3))
    for rows, least in ((10_000, 1.5), (100_000, 2.0), (1_000_000, 3.0), (LARGE, 6.0)):
        if "tea-tasting" in csv.get(rows, {}):
            ratio = csv[rows]["tea-tasting"].wall / csv[rows][OWN].wall
            reached = "reached" if ratio >= least else "not reached"
            lines.append(f"| {rows:,} events, tea-tasting over abcx | {ratio:.2f} | at least {least:g} | {reached} |")
    lines += [_line(one.name, one.ratio, one.goal) for one in ratios]
    return ["\n".join(["| abcx | measured | goal: at most | |", "|---|---:|---:|---|", *lines])] if lines else []


def _line(what: str, value: float, most: float) -> str:
    return f"| {what} | {value:.2f} | {most:g} | {'reached' if value <= most else 'not reached'} |"


if __name__ == "__main__":
    main()
