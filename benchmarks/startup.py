"""What it costs to start abcx: CPU time of whole commands as a ratio to `python -c pass`, measured in one run.

    python benchmarks/startup.py [RUNS]

CPU time (user and system, of the child process) varies less than wall time. Commands take turns, so that a busy
moment of the machine falls on all of them; the median of the runs is shown. Not a test: shared machines are too noisy.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

SPEC = """\
schema_version: 1
name: startup
arms: {control: , variant: }
data: {counts: {control: {units: 2400, orders: 288}, variant: {units: 2400, orders: 330}}}
metrics:
  orders: {type: conversion, role: primary, goal: increase, minimum_effect: 5%}
"""
LIMITS = {
    "abcx --help": 8,
    "abcx validate SPEC": 18,
    "abcx analyze SPEC (counts)": 60,
    "abcx counts 288/2400 330/2400": 60,
}


def cpu_seconds(command: list[str]) -> float:
    """User and system time of one run; stops where the command could not run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stderr}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder, "experiment.yaml")
        spec.write_text(SPEC, encoding="utf-8")
        python, abcx = [sys.executable, "-c", "pass"], [sys.executable, "-m", "abcx"]
        commands = dict(
            zip(
                LIMITS,
                (
                    [*abcx, "--help"],
                    [*abcx, "validate", str(spec)],
                    [*abcx, "analyze", str(spec)],
                    [*abcx, "counts", "288/2400", "330/2400"],
                ),
                strict=True,
            )
        )
        commands = {"python -c pass": python} | commands
        seconds: dict[str, list[float]] = {name: [] for name in commands}
        for turn in range(runs + 1):  # the first turn warms the file cache and writes bytecode
            for name, command in commands.items():
                taken = cpu_seconds(command)
                seconds[name] += [taken] if turn else []
    show({name: statistics.median(taken) for name, taken in seconds.items()}, runs)
    return 0


def show(seconds: dict[str, float], runs: int) -> None:
    """One row per command: CPU time, ratio, limit."""
    base = seconds["python -c pass"]
    print(
        f"CPU time of a whole command, median of {runs} runs, Python {sys.version.split()[0]}, {os.cpu_count()} CPUs\n"
    )
    print(f"{'command':<32}{'ms':>8}{'ratio':>8}{'limit':>8}")
    for name, taken in seconds.items():
        limit = LIMITS.get(name)
        mark = "  above" if limit and taken / base > limit else ""
        print(f"{name:<32}{1000 * taken:>8.0f}{taken / base:>8.1f}{limit or '':>8}{mark}")


if __name__ == "__main__":
    raise SystemExit(main())
