"""`python -m tests.laws`: damaged files for a while, with new seeds; what became of them, and each law that broke.

--seconds 120     how long
--seed 1          the first seed; the same seeds draw the same files
--honest 200      so many files to which nothing is done, before the damaged ones
--write           write the table of docs/reliability.md
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from datetime import date
from pathlib import Path

from tests.laws.damage import SAME, TOLD
from tests.laws.runs import analyzed, damaged, same, warnings_of_nothing, world_of
from tests.laws.worlds import SHAPES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
DAMAGES = {one.__name__: one for one in (*SAME, *TOLD)}
CLASSES = ("right", "reported", "refused", "silent")
MARK = "<!-- damage -->"


def once(task: tuple[str, str, int]) -> tuple[str, str, int, str]:
    """What became of one damaged world: (shape, damage, seed, one of the classes or `nothing to damage`)."""
    shape, name, seed = task
    world = world_of(shape, seed)
    changed = damaged(world, DAMAGES[name], seed)
    if changed is None:
        return shape, name, seed, "nothing to damage"
    with tempfile.TemporaryDirectory() as folder:
        before, after = analyzed(Path(folder) / "before", world), analyzed(Path(folder) / "after", changed)
    if same(before, after):
        return shape, name, seed, "right"
    if after.error:
        return shape, name, seed, "refused"
    return shape, name, seed, "reported" if after.told - before.told else "silent"


def warned_of(number: int) -> bool:
    """Whether a file to which nothing was done is warned of."""
    with tempfile.TemporaryDirectory() as folder:
        return bool(warnings_of_nothing(Path(folder) / "world", number))


def tasks(seed: int, seconds: float) -> list[tuple[str, str, int]]:
    """An endless supply would not end: so many as no machine does in the time."""
    rng = random.Random(seed)
    many = int(seconds * 20) + 1
    return [(rng.choice(list(SHAPES)), rng.choice(list(DAMAGES)), rng.randrange(10**9)) for _ in range(many)]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--honest", type=int, default=0)
    parser.add_argument("--processes", type=int, default=None)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    found, broken = Counter[tuple[str, str]](), []
    with multiprocessing.Pool(options.processes) as pool:
        warned = sum(pool.imap_unordered(warned_of, range(options.honest)))
        honest = (
            f"Of {options.honest} files to which nothing was done, {warned} were warned of.\n" if options.honest else ""
        )
        until = time.monotonic() + options.seconds
        for shape, name, seed, kind in pool.imap_unordered(once, tasks(options.seed, options.seconds)):
            found[name, kind] += 1
            if kind == "silent" or (kind != "right" and DAMAGES[name] in SAME and kind != "nothing to damage"):
                broken.append((shape, name, seed, kind))
                print(f"{kind}: {name} of {shape}, seed {seed}", file=sys.stderr, flush=True)
            if time.monotonic() > until:
                pool.terminate()
                break
    text = table(found) + ("\n" + honest if honest else "")
    print(text)
    if options.write:
        write(text, options.seed)
    return bool(broken) or 200 * warned > options.honest


def table(found: Counter[tuple[str, str]]) -> str:
    rows = ["| what happens to a file | tried | right | reported | refused | silent |", "| --- |" + " ---: |" * 5]
    for name in DAMAGES:
        counts = [found[name, kind] for kind in CLASSES]
        rows.append(f"| {name.replace('_', ' ')} | {sum(counts)} | " + " | ".join(map(str, counts)) + " |")
    totals = [sum(found[name, kind] for name in DAMAGES) for kind in CLASSES]
    rows.append(f"| all | {sum(totals)} | " + " | ".join(map(str, totals)) + " |")
    return "\n".join(rows) + "\n"


def write(text: str, seed: int) -> None:
    """Put the table into its place on the page."""
    head, _, rest = PAGE.read_text(encoding="utf-8").partition(MARK)
    _, _, tail = rest.partition(MARK)
    said = f"Written by `python -m tests.laws --write` on {date.today().isoformat()}, first seed {seed}."
    PAGE.write_text(f"{head}{MARK}\n{said}\n\n{text}{MARK}{tail}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
