"""The share of wrong verdicts over simulated experiments, through abcx's own verdict.

    python -m benchmarks.calibration.verdicts [--quick] [--runs N] [--seed N] [--row TEXT ...] [--write]

Prints the section "Wrong verdicts" as Markdown; `--write` puts it into docs/calibration.md in place of the one there.
"""

from __future__ import annotations

import argparse
import sys
import time
import zlib

import numpy as np

from benchmarks.calibration import parts
from benchmarks.calibration.__main__ import PAGE, write
from benchmarks.calibration.verdicts import surveys, table
from benchmarks.calibration.verdicts.real import Found
from benchmarks.calibration.verdicts.table import Row, Run

POWER_RUNS, QUICK_POWER_RUNS = 2_000, 100


def main(arguments: list[str] | None = None) -> None:
    options = _options(arguments)
    start = time.process_time()
    wanted = [row for row in table.rows() if not options.row or any(text in row.name for text in options.row)]
    found = [(row, _measured(row, options)) for row in wanted]
    runs = options.runs or (QUICK_POWER_RUNS if options.quick else POWER_RUNS)
    powered = [(exposed, _power(exposed, runs, options.seed)) for exposed in ([] if options.row else surveys.EXPOSED)]
    text = table.section(found, powered, options.seed, time.process_time() - start)
    if options.write:
        write(parts.with_part(PAGE.read_text(encoding="utf-8"), "verdicts", text))
    else:
        print(text)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.calibration.verdicts", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--quick", action="store_true", help="few runs: two minutes")
    parser.add_argument("--runs", type=int, help="runs of every row (40,000 and fewer; files: 400)")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--row", action="append", help="only rows whose name holds this text; may be repeated")
    parser.add_argument("--write", action="store_true", help="write the section into docs/calibration.md")
    options = parser.parse_args(arguments)
    if options.row and options.write:
        parser.error("--write needs all rows")
    return options


def _measured(row: Row, options: argparse.Namespace) -> Found:
    return _run(row.name, row.run, options.runs or (row.quick if options.quick else row.runs), options.seed)


def _power(exposed: int, runs: int, seed: int) -> Found:
    return _run(f"power, {exposed} exposed", lambda n, rng: surveys.power(n, rng, exposed), runs, seed)


def _run(name: str, run: Run, runs: int, seed: int) -> Found:
    """The same numbers every time: by the seed and the row's name."""
    start = time.process_time()
    found = run(runs, np.random.default_rng(np.random.SeedSequence([seed, zlib.crc32(name.encode())])))
    seconds = time.process_time() - start
    shares = f"SHIP {100 * found.ship / runs:.2f} %, harm {100 * found.harm / runs:.2f} %"
    print(f"{name}: {shares}; {found.called:,} verdicts ({seconds:.0f} s)", file=sys.stderr, flush=True)
    return found


if __name__ == "__main__":
    main()
