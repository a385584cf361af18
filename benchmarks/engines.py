"""What travels from a Spark cluster at 1, 10 and 100 times the units, and whether the numbers are those of DuckDB.

    python benchmarks/engines.py [--rows 500000 5000000 50000000] [--quick]

Starts a standalone cluster on loopback (a master and two workers, by PySpark's own spark-class) and ends it. The events
are simulated Parquet files, ten to a unit: views, carts, purchases with a value in cents, answers of 0 to 10. abcx
computes a conversion, revenue, a ratio, an NPS and a funnel. Needs PySpark and Java. A cell is 8 bytes or a short text.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

PORT = 17_077
SPEC = """\
schema_version: 1
name: engines
unit: users
tags: [simulated]
arms: {control: , variant: }
period: {start: 2024-03-04, end: 2024-03-31}
data: {events: EVENTS, columns: {unit: user_id, time: at, arm: variant, event: event, value: value}}
window: 7d
metrics:
  orders: {type: conversion, event: purchase, role: primary, goal: increase, minimum_effect: 5%}
  revenue: {type: mean, event: purchase, value: value, role: secondary, goal: increase}
  order_value:
    type: ratio
    numerator: {event: purchase, value: value}
    denominator: {event: purchase}
    role: descriptive
  nps: {type: nps, event: answer, value: value, scale: [0, 10], role: secondary, goal: increase}
  path: {type: funnel, steps: [{event: view}, {event: cart}, {event: purchase}], role: secondary, goal: increase}
"""
EVENTS = """
COPY (
  SELECT 'u' || u AS user_id, timezone('UTC', TIMESTAMP '2024-03-04' + to_seconds(CAST(s AS BIGINT))) AS at,
         CASE WHEN hash(u, 7) % 2 = 0 THEN 'control' ELSE 'variant' END AS variant,
         CASE WHEN e < 70 THEN 'view' WHEN e < 85 THEN 'cart' WHEN e < 95 THEN 'purchase' ELSE 'answer' END AS event,
         CASE WHEN e >= 95 THEN CAST(hash(u, 5) % 11 AS DOUBLE)
              WHEN e >= 85 THEN round(exp(3 + 1.2 * z), 2) END AS value
  FROM (SELECT CAST(hash(i, 1) % {users} AS BIGINT) AS u, hash(i, 2) % (28 * 86400) AS s, hash(i, 4) % 100 AS e,
               sqrt(-2 * ln((1 + hash(i, 8) % 1000000) / 1000001.0)) * cos(2 * pi() * (hash(i, 9) % 1000000) / 1e6) AS z
        FROM range({rows}) t(i))
) TO '{path}' (FORMAT parquet)
"""
CODE = """
import json, resource, sys, time
import abcx
from abcx.engines import remote
engines = []
begin = remote.Remote.__init__
def kept(self, *rest): begin(self, *rest); engines.append(self)
remote.Remote.__init__ = kept
started = time.perf_counter()
results = abcx.analyze(sys.argv[1], engine=sys.argv[2], allow_outside=True).to_dict()
figures = {"seconds": time.perf_counter() - started, "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
if engines: figures |= {"rows": engines[0].rows_fetched, "cells": engines[0].cells_fetched}
print(json.dumps({"figures": figures, "results": results}))
"""
APART = ("/setup", "/data/files", "/data/notes", "/data/balance")
"""What says how the data were read."""


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """The address of a standalone cluster of a master and two workers, which ends with the block."""
    import pyspark

    spark_class = Path(pyspark.__file__).parent / "bin" / "spark-class"
    conf = folder / "conf"
    conf.mkdir()
    (conf / "spark-defaults.conf").write_text("spark.executor.memory 5g\nspark.driver.host 127.0.0.1\n")
    os.environ |= {"SPARK_CONF_DIR": str(conf), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_WORKER_DIR": str(folder / "work")}
    address = f"spark://127.0.0.1:{PORT}"
    master = ["org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", str(PORT), "--webui-port", "0"]
    worker = ["org.apache.spark.deploy.worker.Worker", "--cores", "1", "--memory", "6g", "--webui-port", "0", address]
    with (folder / "cluster.log").open("w") as log:
        running = []
        for command in (master, worker, worker):
            running.append(subprocess.Popen([str(spark_class), *command], stdout=log, stderr=log))
            time.sleep(6)
        try:
            yield address
        finally:
            for process in reversed(running):
                process.terminate()
                process.wait()


def run(spec: Path, engine: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The figures and the results of one analysis in a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(spec), engine], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    most = 0.0
    while process.poll() is None:
        most = max(most, _java(process.pid))
        time.sleep(0.5)
    assert process.stdout is not None and process.stderr is not None
    text = process.stdout.read()
    if process.returncode != 0:
        raise SystemExit(f"{engine} failed:\n{process.stderr.read()[-3000:]}")
    found = json.loads(text.strip().splitlines()[-1])
    return found["figures"] | {"driver_mb": most}, found["results"]


def _java(parent: int) -> float:
    """Megabytes of resident memory of the JVM that a process started, at its peak so far."""
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        except OSError:  # it has ended
            continue
        if lines.get("PPid", "").strip() == str(parent) and lines["Name"].strip() == "java":
            return float(lines["VmHWM"].split()[0]) / 1024
    return 0.0


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two readouts differ by more than a relative 1e-9."""
    if path in APART:
        return []
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return [found for key in one for found in differences(one[key], other[key], f"{path}/{key}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [f for i, pair in enumerate(zip(one, other, strict=True)) for f in differences(*pair, f"{path}/{i}")]
    same = one == other
    if isinstance(one, float) and isinstance(other, float):
        same = math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return [] if same else [f"{path}: {one!r} and {other!r}"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[500_000, 5_000_000, 50_000_000])
    parser.add_argument("--quick", action="store_true", help="500,000 and 5 million rows")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, cluster(Path(scratch)) as address:
        heads = ("rows", "units", "rows fetched", "cells", "s", "Python MB", "JVM MB")
        print("".join(f"{head:>13}" for head in heads))
        first = 0
        for rows in chosen.rows[:2] if chosen.quick else chosen.rows:
            events = Path(scratch, f"events_{rows}.parquet")
            duckdb.sql(EVENTS.format(rows=rows, users=rows // 10, path=events))
            spec = Path(scratch, f"{rows}.yaml")
            spec.write_text(SPEC.replace("EVENTS", str(events)), encoding="utf-8")
            _, expected = run(spec, "duckdb")
            figures, found = run(spec, address)
            first = first or figures["rows"]
            differ = differences(expected, found)
            numbers = (figures[name] for name in ("rows", "cells", "seconds", "mb", "driver_mb"))
            print("".join(f"{number:>13,.0f}" for number in (rows, rows // 10, *numbers)))
            print(
                f"  {figures['rows'] / first:.2f} of the first rows; JSON of DuckDB: {differ[:3] or 'the same'}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
