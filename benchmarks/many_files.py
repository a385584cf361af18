"""What it costs that an export lies in many small files: wall time as a ratio to one file of the same rows, in one run.

    python benchmarks/many_files.py [--files 300] [--quick]

Writes simulated events (200 rows a file) as CSV, JSON lines (gzip) and Parquet, once as many files and once as one, and
runs `abcx analyze` on each in turn; the median of three runs is shown. Shared machines are noisy: the ratio counts.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import duckdb

ROWS = 200
"""Rows of a file."""
FORMS = {"csv": "HEADER", "jsonl.gz": "FORMAT json, COMPRESSION gzip", "parquet": "FORMAT parquet"}
SPEC = """\
schema_version: 1
name: many-files
tags: [simulated]
arms: {control: , variant: }
data: {events: "FILES"}
metrics:
  orders: {type: conversion, event: purchase, role: primary, goal: increase, minimum_effect: 5%}
  revenue: {type: mean, event: purchase, value: value, role: secondary, goal: increase}
"""
EVENTS = """
CREATE TABLE events AS SELECT i // {rows} AS file, 'u' || u AS unit,
    strftime(TIMESTAMP '2024-03-04' + to_seconds(i * 10), '%Y-%m-%dT%H:%M:%SZ') AS time,
    ['control', 'variant'][1 + u % 2] AS arm,
    ['view', 'click', 'purchase'][1 + CAST(hash(i, 1) % 3 AS INTEGER)] AS event,
    round(1 + hash(i, 2) % 9000 / 100, 2) AS value
FROM (SELECT i, CAST(hash(i, 3) % {units} AS INTEGER) AS u FROM range({rows} * {files}) t(i))
"""


def write(folder: Path, files: int) -> None:
    """The events in every form, as one file and as many."""
    with duckdb.connect() as connection:
        connection.execute(EVENTS.format(rows=ROWS, files=files, units=ROWS * files // 10))
        for ending, form in FORMS.items():
            many = folder / ending / "many"
            many.mkdir(parents=True)
            copies = {folder / ending / f"one.{ending}": "TRUE"}
            copies |= {many / f"{file:05}.{ending}": f"file = {file}" for file in range(files)}
            for path, which in copies.items():
                rows = f"SELECT * EXCLUDE (file) FROM events WHERE {which}"
                connection.execute(f"COPY ({rows}) TO '{path}' ({form})")
            for name, named in (("one", f"one.{ending}"), ("many", f"many/*.{ending}")):
                (folder / ending / f"{name}.yaml").write_text(SPEC.replace("FILES", named), encoding="utf-8")


def seconds(spec: Path) -> float:
    """Wall time of one readout."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "abcx", "analyze", str(spec), "--quiet", "--format", "json", "--fail-on", "none"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--quick", action="store_true", help="30 files, one run")
    chosen = parser.parse_args()
    files, runs = (30, 1) if chosen.quick else (chosen.files, 3)
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), files)
        print(f"abcx analyze, {files:,} files of {ROWS} rows (simulated), median of {runs}\n")
        print(f"{'format':<12}{'one file, s':>14}{'many files, s':>16}{'ratio':>8}")
        for ending in FORMS:
            taken: dict[str, list[float]] = {"one": [], "many": []}
            for _ in range(runs):
                for name, found in taken.items():
                    found.append(seconds(Path(folder, ending, f"{name}.yaml")))
            one, many = (statistics.median(taken[name]) for name in ("one", "many"))
            print(f"{ending:<12}{one:>14.2f}{many:>16.2f}{many / one:>8.1f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
