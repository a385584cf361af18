"""Coverage with both tails and A/A rejection, abcx beside its peers on the same simulated samples.

    python -m benchmarks.calibration [--quick] [--family F ...] [--samples N] [--draws N] [--rows FILE] [--write]

Peers run where they are installed: `pip install -r benchmarks/requirements-peers.txt` into an environment of its own,
and this command with its Python from the root of the repository. Prints Markdown tables; `--write` writes
docs/calibration.md instead and keeps the parts of it that other commands write (parts.py). `--rows` keeps every
finished cell in a file, so that a run can be broken off and taken up, or done again with more samples (and another
--seed): first the cells in which chance may have broken some tool's promise, which is what 300 samples or fewer call
for. The page shows every cell with the most samples that it has.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import multiprocessing
import sys
from pathlib import Path
from typing import Any

from benchmarks.calibration import judge, page, parts
from benchmarks.calibration.cells import FAMILIES, Cell, grid
from benchmarks.calibration.measure import OWN, Coverage, Row, Size, Tally, measure

PAGE = Path(__file__).parents[2] / "docs" / "calibration.md"


def main(arguments: list[str] | None = None) -> None:
    options = _options(arguments)
    size = Size(options.samples or (300 if options.quick else 1_000), options.draws, options.seed, not options.no_peers)
    wanted = [cell for cell in grid(options.quick) if not options.family or cell.family in options.family]
    done = _kept(options.rows or [])
    left = [cell for cell in wanted if cell not in done or done[cell].size.samples < size.samples]
    if options.broken:
        left = [one for one in left if one in done and judge.judge(done[one], done[one].tallies[OWN]).word == "broken"]
    left.sort(key=lambda cell: (not (cell in done and judge.doubtful(done[cell])), cell.by == "buyers", -cell.cost))
    with multiprocessing.Pool(options.processes) as pool:
        for row in pool.imap_unordered(_Job(size), [] if options.only_kept else left):
            done[row.cell] = row
            if options.rows:
                keep(options.rows[0], row)
            finished = f"{sum(cell in done for cell in wanted)} of {len(wanted)}"
            print(f"{finished}: {row.cell.name} ({row.seconds:.0f} s)", file=sys.stderr, flush=True)
    text = page.render([done[cell] for cell in wanted if cell in done], len(wanted))
    if options.write:
        write(parts.carried(PAGE.read_text(encoding="utf-8"), text) if PAGE.exists() else text)
    else:
        print(text)


def write(text: str) -> None:
    """The page, whole or not at all."""
    unfinished = PAGE.with_suffix(".tmp")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(PAGE)
    print(f"{PAGE} written", file=sys.stderr)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m benchmarks.calibration", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="cells of 1,000 units per arm, 300 samples: two minutes")
    parser.add_argument("--family", action="append", choices=list(FAMILIES), help="only this family; may be repeated")
    parser.add_argument("--samples", type=int, help="samples of a cell (1,000; --quick: 300), a third at 10,000 units")
    parser.add_argument("--draws", type=int, default=999, help="relabelings of a sample (999)")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--no-peers", action="store_true", help="abcx alone")
    rows = "file of finished cells, read first; may be repeated: the first is added to"
    parser.add_argument("--rows", type=Path, action="append", help=rows)
    parser.add_argument("--only-kept", action="store_true", help="run nothing: the page of the cells in --rows")
    parser.add_argument("--broken", action="store_true", help="only cells in --rows in which abcx breaks its promise")
    parser.add_argument("--write", action="store_true", help="write docs/calibration.md")
    return parser.parse_args(arguments)


@dataclasses.dataclass(frozen=True)
class _Job:
    """What a process does with a cell."""

    size: Size

    def __call__(self, cell: Cell) -> Row:
        return measure(cell, self.size)


# ---------------------------------------------------------------------------------------- finished cells


def keep(path: Path, row: Any) -> None:
    """Add a finished row to the file of rows."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(dataclasses.asdict(row)) + "\n")


def _kept(paths: list[Path]) -> dict[Cell, Row]:
    """Finished cells, each with the most samples that it was run with; tools that were left out of the longer run keep
    their tallies of the shorter one, which say how many samples they are of."""
    found: dict[Cell, Row] = {}
    for line in (line for path in paths if path.exists() for line in path.read_text(encoding="utf-8").splitlines()):
        raw: dict[str, Any] = json.loads(line)
        cell, size = Cell(**raw["cell"]), Size(**raw["size"])
        tallies = {tool: _tally(tally) for tool, tally in raw["tallies"].items()}
        if cell not in found:
            found[cell] = Row(cell, raw["expected"], tallies, raw["seconds"], size)
        elif found[cell].size.samples < size.samples:
            found[cell] = Row(cell, raw["expected"], found[cell].tallies | tallies, raw["seconds"], size)
    return found


def _tally(raw: dict[str, Any]) -> Tally:
    coverages = {key: raw[key] and Coverage(**raw[key]) for key in ("lift", "difference", "with_warned")}
    return Tally(**(raw | coverages))


if __name__ == "__main__":
    main()
