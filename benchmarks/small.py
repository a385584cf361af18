"""What people wait for every day: small runs, wide specs, and a busy machine; ratios measured in one run.

    python benchmarks/small.py [--quick] [--only start wide busy] [--json FILE]

`start`: CPU time of whole commands over `python -c pass`, in an environment without editable installs (made anew in a
temporary folder, unless `--python` names one). `wide`: 1 million rows with 15 metrics, 3 arms and 6 segments over the
same rows with one metric and 2 arms. `busy`: 1 million rows with intervals by permutation, beside six processes that
compute all the time, over the same run on an idle machine. All data are simulated.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SPEC = """\
schema_version: 1
name: {name}
unit: users
tags: [simulated]
arms: {{{arms}}}
period: {{start: 2024-03-04, end: 2024-03-31}}
data: {{events: {file}, {units}columns: {{unit: user_id, time: timestamp, arm: variant, event: event, value: value}}}}
window: 7d
{segments}{analysis}metrics:
  orders: {{type: conversion, event: purchase, role: primary, goal: increase, minimum_effect: 5%}}
{metrics}"""
EVENTS = """
COPY (
  SELECT 'u' || lpad(CAST(u AS VARCHAR), 9, '0') AS user_id,
         strftime(TIMESTAMP '2024-03-04' + to_seconds(CAST(s AS BIGINT)), '%Y-%m-%dT%H:%M:%SZ') AS timestamp,
         ['control', 'variant', 'third'][1 + CAST(hash(u, 7) % {arms} AS INTEGER)] AS variant,
         CASE WHEN e < 60 THEN 'view' WHEN e < 85 THEN 'click' WHEN e < 95 THEN 'cart' ELSE 'purchase' END AS event,
         CASE WHEN e >= 95 THEN CAST(round(exp(3 + {spread} * z), 2) AS VARCHAR) END AS value
  FROM (SELECT CAST(hash(i, 1) % {users} AS BIGINT) AS u, hash(i, 2) % (28 * 86400) AS s, hash(i, 4) % 100 AS e,
               sqrt(-2 * ln((1 + hash(i, 8) % 1000000) / 1000001.0)) * cos(2 * pi() * (hash(i, 9) % 1000000) / 1e6) AS z
        FROM range({rows}) t(i))
) TO '{path}' (HEADER)
"""
UNITS = """
COPY (
  SELECT 'u' || lpad(CAST(u AS VARCHAR), 9, '0') AS user_id, {columns}
  FROM range({users}) t(u)
) TO '{path}' (HEADER)
"""
PARTS = ("start", "wide", "busy")
SEGMENTS = 6
BUSY = 6
"""Processes that compute beside the one that is measured."""
GOALS = {
    "abcx --help": 8,
    "abcx validate SPEC": 22,
    "abcx counts 288/2400 330/2400": 55,
    "abcx analyze, 1,000 rows": 80,
    "abcx analyze, 26,000 rows": 90,
    "wide": 2.0,
    "busy": 4.0,
}


@dataclass(frozen=True)
class Ratio:
    """One figure: seconds of both sides, their ratio, and the goal."""

    name: str
    seconds: float
    base: float
    goal: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.base


@dataclass(frozen=True)
class Taken:
    """Seconds of one run of a command."""

    wall: float
    cpu: float


def run(command: list[str], folder: Path) -> Taken:
    """Run a command; stops where it fails. Compiled bytecode is used, as it is by everybody."""
    compiled = {
        name: text for name, text in os.environ.items() if name not in ("PYTHONDONTWRITEBYTECODE", "PYTHONPATH")
    }
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(
        command, cwd=folder, env=compiled, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return Taken(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def in_turns(commands: Mapping[str, list[str]], folder: Path, runs: int) -> dict[str, Taken]:
    """The medians of commands that take turns: a busy moment of the machine falls on all of them. The first turn, which
    fills caches, does not count."""
    taken: dict[str, list[Taken]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, command in commands.items():
            one = run(command, folder)
            taken[name] += [one] if turn else []
    return {
        name: Taken(statistics.median(one.wall for one in of_name), statistics.median(one.cpu for one in of_name))
        for name, of_name in taken.items()
    }


def environment(folder: Path) -> str:
    """A Python with abcx installed as users have it: not editable."""
    subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
    python = str(folder / "env" / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, str(ROOT)], check=True)
    return python


def analyze(python: str, spec: Path) -> list[str]:
    """The command that analyzes a spec, without a report."""
    return [python, "-m", "abcx", "analyze", spec.name, "-q", "--format", "json", "-o", os.devnull, "--fail-on", "none"]


def write(
    folder: Path, name: str, rows: int, *, arms: int, wide: bool, spread: float, analysis: str = "", more: int = 0
) -> Path:
    """A spec with its simulated files: of one metric and `more`, or with `wide` of all and with segments."""
    import duckdb

    users = max(10, rows // 10)
    labels = ["control", "variant", "third"][:arms]
    events = folder / f"{name}.csv"
    duckdb.sql(EVENTS.format(arms=arms, users=users, rows=rows, path=events, spread=spread))
    segments, units = "", ""
    if wide:
        columns = [f"s{i}" for i in range(SEGMENTS)]
        values = ", ".join(f"'v' || CAST(hash(u, {20 + i}) % {3 + i} AS VARCHAR) AS {c}" for i, c in enumerate(columns))
        duckdb.sql(UNITS.format(columns=values, users=users, path=folder / f"{name}_units.csv"))
        segments, units = f"segments: [{', '.join(columns)}]\n", f"units: {name}_units.csv, "
    metrics = "".join(list(_metrics())[: None if wide else more])
    spec = folder / f"{name}.yaml"
    text = SPEC.format(
        name=name, arms=", ".join(f"{label}: " for label in labels), file=events.name, units=units, segments=segments,
        analysis=analysis, metrics=metrics,
    )  # fmt: skip
    spec.write_text(text, encoding="utf-8")
    return spec


def _metrics() -> Iterator[str]:
    """14 more metrics of every kind that events have: shares, counts, sums, ratios, with windows of their own."""
    for i, event in enumerate(("click", "cart", "view", "purchase", "cart", "click")):
        yield f"  c{i}: {{type: conversion, event: {event}, role: secondary, goal: increase, window: {i + 2}d}}\n"
    for i, event in enumerate(("click", "cart", "view", "purchase")):
        yield f"  m{i}: {{type: mean, event: {event}, role: secondary, goal: increase, window: {i + 3}d}}\n"
    for i in range(2):
        value = "{type: mean, event: purchase, value: value, role: secondary, goal: increase"
        yield f"  r{i}: {value}, window: {i + 5}d}}\n"
    for i, event in enumerate(("purchase", "cart")):
        parts = f"numerator: {{event: {event}}}, denominator: {{event: view}}"
        yield f"  q{i}: {{type: ratio, {parts}, role: descriptive}}\n"


def over_metrics(python: str, folder: Path, rows: int = 1_000_000, runs: int = 3) -> dict[int, float]:
    """Wall time of a run by its number of metrics."""
    commands = {}
    for count in (1, 5, 10, 15):
        name = f"metrics_{count}"
        spec = write(folder, name, rows, arms=2, wide=False, spread=1.2, more=count - 1)
        commands[name] = analyze(python, spec)
    taken = in_turns(commands, folder, runs)
    return {int(name.partition("_")[2]): one.wall for name, one in taken.items()}


def measured(python: str, folder: Path, quick: bool = False, only: Sequence[str] = PARTS) -> list[Ratio]:
    """All figures, or those of some parts."""
    rows, runs = (100_000, 1) if quick else (1_000_000, 5)
    found: list[Ratio] = []
    if "start" in only:
        found += start(python, folder, 2 if quick else 11)
    if "wide" in only:
        found += wide(python, folder, rows, runs)
    if "busy" in only:
        found += busy(python, folder, rows, max(1, runs // 2))
    return found


def line(one: Ratio) -> str:
    """A figure as a line of text."""
    mark = "reached" if one.ratio <= one.goal else "not reached"
    return f"{one.name:<72}{one.seconds:>7.2f} s{one.ratio:>8.2f}  goal {one.goal:g}: {mark}"


def start(python: str, folder: Path, runs: int) -> list[Ratio]:
    """CPU time of small commands over that of bare Python."""
    counts = folder / "counts.yaml"
    counts.write_text(
        "schema_version: 1\nname: small\narms: {control: , variant: }\n"
        "data: {counts: {control: {units: 2400, orders: 288}, variant: {units: 2400, orders: 330}}}\nmetrics:\n"
        "  orders: {type: conversion, role: primary, goal: increase, minimum_effect: 5%}\n",
        encoding="utf-8",
    )
    abcx = [python, "-m", "abcx"]
    commands = {
        "python -c pass": [python, "-c", "pass"],
        "abcx --help": [*abcx, "--help"],
        "abcx validate SPEC": [*abcx, "validate", counts.name],
        "abcx counts 288/2400 330/2400": [*abcx, "counts", "288/2400", "330/2400"],
    }
    for rows in (1_000, 26_000):
        spec = write(folder, f"rows_{rows}", rows, arms=2, wide=False, spread=1.2)
        commands[f"abcx analyze, {rows:,} rows"] = analyze(python, spec)
    taken = in_turns(commands, folder, runs)
    base = taken.pop("python -c pass").cpu
    return [Ratio(name, one.cpu, base, GOALS[name]) for name, one in taken.items()]


def wide(python: str, folder: Path, rows: int, runs: int) -> list[Ratio]:
    """Wall time with many metrics, arms and segments over that with one metric."""
    specs = {
        "one": write(folder, "one", rows, arms=2, wide=False, spread=1.2),
        "many": write(folder, "many", rows, arms=3, wide=True, spread=1.2),
    }
    taken = in_turns({name: analyze(python, spec) for name, spec in specs.items()}, folder, runs)
    name = f"{rows:,} rows, 15 metrics, 3 arms, 6 segments over 1 metric, 2 arms"
    return [Ratio(name, taken["many"].wall, taken["one"].wall, GOALS["wide"])]


def busy(python: str, folder: Path, rows: int, runs: int) -> list[Ratio]:
    """Wall time with intervals by permutation beside busy processes over that without them."""
    spec = write(folder, "busy", rows, arms=2, wide=False, spread=2.0, analysis="analysis: {interval: permutation}\n")
    with spec.open("a", encoding="utf-8") as file:
        file.write("  revenue: {type: mean, event: purchase, value: value, role: secondary, goal: increase}\n")
    command = {"busy": analyze(python, spec)}
    idle = in_turns(command, folder, runs)["busy"]
    with processes(BUSY):
        beside = in_turns(command, folder, runs)["busy"]
    return [
        Ratio(f"{rows:,} rows with permutation, beside {BUSY} busy processes", beside.wall, idle.wall, GOALS["busy"])
    ]


@contextmanager
def processes(count: int) -> Iterator[None]:
    """Processes that compute until the block ends."""
    running = [subprocess.Popen([sys.executable, "-c", "while True: sum(range(10000))"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="100,000 rows, one run")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--python", help="a Python with abcx; default: an environment that is made for it")
    parser.add_argument("--json", type=Path, help="write the figures to a file, too")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        python = chosen.python or environment(folder)
        found = measured(python, folder, chosen.quick, chosen.only)
    for one in found:
        print(line(one))
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(one) for one in found]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
