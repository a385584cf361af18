"""The power of abcx beside other tools at the same true error rate.

    python -m benchmarks.calibration.power [--quick] [--family F ...] [--samples N] [--rows FILE] [--write]

A tool that raises too many false alarms has power for nothing. So each tool gets, from A/A samples of the same cell,
the critical p below which 2.5 % of its A/A p-values fall on each side, and its power is counted at that p. Peers run
where they are installed (see `python -m benchmarks.calibration`). Prints the part "Power" of docs/calibration.md as
Markdown; `--write` puts it there. `--rows` keeps every finished cell in a file, so that a run can be broken off and
taken up.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm  # type: ignore[import-untyped,unused-ignore]

from benchmarks.calibration import judge, page, parts, peers, plain
from benchmarks.calibration.__main__ import PAGE, keep, write
from benchmarks.calibration.cells import FAMILIES, Cell
from benchmarks.calibration.measure import OWN

Array = NDArray[np.float64]
SIDE = 0.025
"""The error rate of each side."""
DEAR = 5.0
"""Points of power at the same error rate that abcx should not cost against a tool that keeps the promise."""
RESAMPLES = 200
"""Bootstrap samples of the Monte Carlo error."""

CELLS = (
    Cell("shares", 5_000, "50:50", 0.15, share=0.1),
    Cell("shares", 5_000, "90:10", 0.6, share=0.02),
    Cell("revenue", 5_000, "50:50", 0.3, share=0.3, sigma=1.5, by="value"),
    Cell("revenue", 5_000, "50:50", 0.7, share=0.05, sigma=1.5, by="buyers"),
    Cell("revenue", 5_000, "90:10", 0.45, share=0.3, sigma=1.5, by="value"),
    Cell("revenue", 5_000, "90:10", -0.35, share=0.3, sigma=1.5, by="value"),
    Cell("revenue", 5_000, "90:10", 0.45, share=0.05, sigma=0.5, by="buyers"),
    Cell("clicks", 1_000, "50:50", 0.17, rate=0.1, shape=0.3),
    Cell("clicks", 1_000, "90:10", 0.35, rate=0.1, shape=0.3),
    Cell("clicks", 1_000, "90:10", -0.28, rate=0.1, shape=0.3),
    Cell("adjusted", 1_000, "50:50", 0.03, correlation=0.5, missing=0.2),
    Cell("adjusted", 1_000, "90:10", 0.03, correlation=0.9, missing=0.2),
    Cell("adjusted", 1_000, "90:10", 0.2, sigma=1.0, correlation=0.6, heavy=1.0),
    Cell("nps", 1_000, "50:50", 0.0, level=30.0, points=9.0),
    Cell("nps", 1_000, "90:10", 0.0, level=30.0, points=13.0),
    Cell("csat", 1_000, "50:50", 0.04, share=0.85),
    Cell("csat", 1_000, "90:10", 0.06, share=0.85),
    Cell("ces", 1_000, "50:50", 0.0, level=5.2, points=0.17),
    Cell("ces", 1_000, "90:10", 0.0, level=6.2, points=0.24),
    Cell("rmst", 1_000, "50:50", -0.09, times="lognormal"),
    Cell("rmst", 1_000, "90:10", -0.14, times="lognormal"),
    Cell("quantile", 1_000, "50:50", 0.14, q=0.5, of="units"),
    Cell("quantile", 1_000, "90:10", 0.25, q=0.9, of="events"),
    Cell("quantile", 2_000, "50:50", 0.14, q=0.9, of="units", grid="seconds"),
    Cell("quantile", 2_000, "90:10", 0.12, q=0.5, of="events", grid="orders"),
    Cell("churn", 5_000, "50:50", 0.18, share=0.1, followed="0.5 to 1.5"),
    Cell("churn", 5_000, "80:20", 0.34, share=0.1, followed="0 to 1.1"),
    Cell("retention", 5_000, "50:50", 0.1, share=0.3),
    Cell("retention", 5_000, "80:20", 0.4, share=0.05),
    Cell("refunds", 5_000, "50:50", 0.3, share=0.3, sigma=1.5),
    Cell("refunds", 5_000, "80:20", 0.4, share=0.05, sigma=0.5),
    Cell("orders", 1_000, "50:50", 0.2, share=0.3),
    Cell("orders", 5_000, "80:20", 0.25, share=0.05),
    Cell("heavy", 1_000, "50:50", 0.16, rate=0.1, sigma=1.0),
    Cell("heavy", 5_000, "80:20", 0.14, rate=0.1, sigma=2.0),
)
"""Typical cells of every family with an effect that abcx finds in 50 to 80 % of the samples."""

HEAD = """\
## Power: is safety bought with blindness?

**All samples are simulated.** Of two tools that find an effect equally often, the one with fewer false alarms is
better; so powers are compared at the same true error rate. In each cell every tool judges the same A/A samples, which
give the critical p below which 2.5 % of its own p-values fall on each side, and the same samples with the effect: its
*power at equal error* is the share with a p below its critical p on the side of the effect. *Raw power* is the share
with p < .05 on that side. A tool *keeps the promise* where it raises at most 6 % false alarms, and at most 4 % on one
side (by two Monte Carlo standard errors); only that of p is judged here, not that of its intervals. *To abcx* is
power at equal error less abcx's, in points, with a Monte Carlo standard error (paired bootstrap over samples).

Peers are called as said above; csat and retention are told to them as shares, refunds and orders as means, and
successes per event as clicks. Other tools are plain tests of the same data (benchmarks/calibration/plain.py). Effects
on quantiles of values on a grid move the values before they are rounded. Tools with a star test another number than the
one asked for: what was seen of customers and tickets that were watched for unequal times, which is alike in both arms
where nothing differs, but whose difference depends on how long they were watched.
"""


@dataclass(frozen=True)
class Found:
    """One tool in one cell: shares of the A/A samples called smaller and larger, raw power, power at equal error, that
    less abcx's, and the standard error of this difference."""

    below: float
    above: float
    raw: float
    equal: float
    to_own: float
    error: float

    def keeps(self, samples: int) -> bool:
        total = 1.0 - judge.LEAST + judge.SLACK * judge.error(judge.LEAST, samples)
        side = judge.TAIL + judge.SLACK * judge.error(judge.TAIL, samples)
        return self.below + self.above <= total and max(self.below, self.above) <= side


@dataclass(frozen=True)
class Row:
    """One cell: its tools, abcx first, and how it was run."""

    cell: Cell
    tools: dict[str, Found]
    samples: int
    draws: int
    seed: int
    seconds: float
    later: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Of churn: shares of samples called smaller and larger by each tool where as many leave, but later."""


def main(arguments: list[str] | None = None) -> None:
    options = _options(arguments)
    samples = options.samples or (200 if options.quick else 1_000)
    wanted = [cell for cell in CELLS if not options.family or cell.family in options.family]
    done = _kept(options.rows) if options.rows else {}
    for cell in wanted:
        if cell in done and done[cell].samples >= samples:
            continue
        done[cell] = measure(cell, samples, options.draws, options.seed)
        if options.rows:
            keep(options.rows, done[cell])
        print(f"{cell.family} | {cell.name}: {done[cell].seconds:.0f} s", file=sys.stderr, flush=True)
    text = render([done[cell] for cell in wanted])
    if options.write:
        write(parts.with_part(PAGE.read_text(encoding="utf-8"), "power", text))
    else:
        print(text)


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m benchmarks.calibration.power", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--quick", action="store_true", help="200 samples: some minutes")
    parser.add_argument("--family", action="append", choices=list(FAMILIES), help="only this family; may be repeated")
    parser.add_argument("--samples", type=int, help="A/A samples of a cell, and as many with the effect (1,000)")
    parser.add_argument("--draws", type=int, default=499, help="relabelings of a sample (499)")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--rows", type=Path, help="file of finished cells, read first and added to")
    parser.add_argument("--write", action="store_true", help="write the part into docs/calibration.md")
    options = parser.parse_args(arguments)
    if options.write and options.family:
        parser.error("--write needs all families")
    return options


def _kept(path: Path) -> dict[Cell, Row]:
    found: dict[Cell, Row] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        raw = json.loads(line)
        tools = {tool: Found(**one) for tool, one in raw["tools"].items()}
        row = Row(**(raw | {"cell": Cell(**raw["cell"]), "tools": tools}))
        if row.cell not in found or found[row.cell].samples <= row.samples:
            found[row.cell] = row
    return found


# ---------------------------------------------------------------------------------------- one cell


def measure(cell: Cell, samples: int, draws: int, seed: int) -> Row:
    started = time.process_time()
    alike = dataclasses.replace(cell, lift=0.0, points=0.0)
    null, effect = (_evidence(one, cell.entropy, samples, draws, seed) for one in (alike, cell))
    if cell.lift + cell.points < 0.0:
        null, effect = ({tool: 1.0 - u for tool, u in one.items()} for one in (null, effect))
    # `found` below is evidence for the direction of the effect.
    rng = np.random.default_rng(np.random.SeedSequence([seed, cell.entropy, 2]))
    again = rng.integers(0, samples, (2, RESAMPLES, samples))
    powers = {tool: power_at(null[tool][None], effect[tool][None])[0] for tool in null}
    shaken = {tool: power_at(null[tool][again[0]], effect[tool][again[1]]) for tool in null}
    tools = {
        tool: Found(
            float((1.0 - u < SIDE).mean()),
            float((u < SIDE).mean()),
            float((effect[tool] < SIDE).mean()),
            float(powers[tool]),
            float(powers[tool] - powers[OWN]),
            float((shaken[tool] - shaken[OWN]).std()),
        )
        for tool, u in null.items()
    }
    later = _later(alike, cell.entropy, samples, seed) if cell.family == "churn" else {}
    return Row(cell, tools, samples, draws, seed, time.process_time() - started, later)


def power_at(null: Array, effect: Array, side: float = SIDE) -> Array:
    """Share of each row of `effect` (k, m) that ranks within the lowest `side` of the same row of `null` (k, n).

    An effect is found where its randomized rank p = (number of smaller + V (1 + number of equal)) / (n + 1), V uniform,
    is at most `side`. Under no effect that has the probability `side` for any n, with ties and without (smoothed
    conformal p; Vovk, Gammerman and Shafer 2005, section 2.4), so that discrete tests are compared at the same rate,
    too. The probability over V is counted, no V is drawn.
    """
    n, powers = null.shape[1], []
    for row, asked in zip(np.sort(null, axis=1), effect, strict=True):
        smaller = np.searchsorted(row, asked, "left")
        equal = np.searchsorted(row, asked, "right") - smaller
        powers.append(np.clip((side * (n + 1) - smaller) / (1.0 + equal), 0.0, 1.0).mean())
    return np.array(powers)


def own_error(level: float, samples: int) -> float:
    """Standard error of a power of about `level` at a critical value estimated from as many samples: of a normal
    statistic, by the delta method."""
    quantile = math.sqrt(SIDE * (1.0 - SIDE) / samples) / norm.pdf(norm.isf(SIDE))
    return math.hypot(quantile * float(norm.pdf(norm.isf(level))), judge.error(level, samples))


def _later(cell: Cell, entropy: int, samples: int, seed: int) -> dict[str, tuple[float, float]]:
    """How often each tool calls the same share by the horizon smaller and larger, because customers leave later."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, entropy, 3])))
    drawn = list(plain.later(cell, samples, rng))
    found = {name: np.array([one.plain[name] for one in drawn]) for name in drawn[0].plain}
    mine = np.array([plain.larger(one.own.p_value, one.own.difference) for one in drawn])
    called = {OWN: mine} | found
    return {tool: (float((1.0 - u < SIDE).mean()), float((u < SIDE).mean())) for tool, u in called.items()}


def _evidence(cell: Cell, entropy: int, samples: int, draws: int, seed: int) -> dict[str, Array]:
    """Of each tool: half of p where the variant looks larger, else 1 less that half (`plain.larger`)."""
    rng = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, entropy, int(cell.null)])))
    drawn = list(plain.trials(cell, samples, draws, rng))
    found = {OWN: [plain.larger(one.own.p_value, one.own.difference) for one in drawn]}
    told = [one.told for one in drawn if one.told is not None]
    for name, peer in (peers.installed() if told else {}).items():
        answers = peers.quietly(peer, plain.KINDS[cell.family], told)
        if answers:
            found[name] = [plain.larger(one.p_value, one.difference and sum(one.difference)) for one in answers]
    found |= {name: [one.plain[name] for one in drawn] for name in drawn[0].plain}
    return {name: np.array(values) for name, values in found.items()}


# ---------------------------------------------------------------------------------------- the part of the page


def render(rows: Sequence[Row]) -> str:
    return "\n".join(
        [HEAD, *_provenance(rows), "", *_summary(rows), "", *_dear(rows), "", *_asked(rows), *_table(rows)]
    )


def _provenance(rows: Sequence[Row]) -> Iterator[str]:
    counts, draws, seeds = (_listed({getattr(row, name) for row in rows}) for name in ("samples", "draws", "seed"))
    error = 100 * own_error(0.65, min(row.samples for row in rows))
    yield (
        f"Written on {datetime.date.today()} by `python -m benchmarks.calibration.power --write`: {len(rows)} cells, "
        f"{counts} A/A samples and as many with the effect in each, {draws} relabelings where abcx relabels (instead "
        f"of 4,000), seed {seeds}; {sum(row.seconds for row in rows) / 60:.0f} minutes of CPU time. Random numbers: "
        "PCG64 from SeedSequence([seed, CRC-32 of the cell's name, 1 for A/A, else 0]).\n\n"
        f"Versions: {', '.join(page.versions())}.\n\n"
        "One Monte Carlo standard error of a power at equal error of 65 % itself, most of which the tools of a cell "
        f"share (their critical p come from the same A/A samples): {error:.1f} points."
    )


def _listed(numbers: set[int]) -> str:
    return " or ".join(f"{number:,}" for number in sorted(numbers))


def _summary(rows: Sequence[Row]) -> Iterator[str]:
    """Each family by the cell in which abcx does worst beside a tool that keeps the promise."""
    yield "### Each family where abcx does worst\n"
    yield (
        "Beside the tool that has the most power at equal error of those that keep the promise in that cell, tests of "
        "another number (with a star) left out.\n"
    )
    yield "| family | cell | units per arm | split | effect | abcx % | best other tool | its power % | to abcx |"
    yield "|---|---|---:|---|---|---:|---|---:|---:|"
    for family in dict.fromkeys(row.cell.family for row in rows):
        within = _rivals([row for row in rows if row.cell.family == family])
        rivals = [one for one in within if one[1] not in plain.ANOTHER_NUMBER]
        if rivals:
            yield _beside(*max(rivals, key=lambda one: one[2].to_own))
        else:
            yield f"| {family} | no other tool keeps it | | | | | | | |"


def _dear(rows: Sequence[Row]) -> Iterator[str]:
    """Every tool that keeps the promise and has clearly more power."""
    found = [one for one in _rivals(rows) if 100.0 * one[2].to_own > DEAR]
    yield f"### Where abcx costs more than {DEAR:g} points\n"
    yield "Beside any tool whose A/A tests keep the promise, those with a star too.\n"
    if not found:
        yield "Nowhere in these cells, beside a tool that keeps the promise."
        return
    yield "| family | cell | units per arm | split | effect | abcx % | other tool | its power % | to abcx |"
    yield "|---|---|---:|---|---|---:|---|---:|---:|"
    yield from (_beside(*one) for one in found)


def _asked(rows: Sequence[Row]) -> Iterator[str]:
    """What tests of another number than the one asked for do where that one is alike."""
    found = [row for row in rows if row.later]
    if not found:
        return
    yield "### What the star is about\n"
    yield (
        "The same cells of churn without an effect on the share that leaves by the horizon: customers of the variant "
        f"leave as often, but later within it (Weibull times of shape {plain.LATER:g}; control's are exponential). "
        "What is called smaller or larger here is a false alarm about that share.\n"
    )
    yield "| family | cell | units per arm | split | effect | tool | called smaller / larger % |"
    yield "|---|---|---:|---|---|---|---:|"
    for row in found:
        cell = dataclasses.replace(row.cell, lift=0.0)
        for tool, (below, above) in row.later.items():
            yield f"| churn | {cell.name} | {_starred(tool)} | {100 * below:.1f} / {100 * above:.1f} |"
    yield ""


def _rivals(rows: Sequence[Row]) -> list[tuple[Row, str, Found]]:
    """Tools other than abcx, in the cells in which they keep the promise."""
    return [
        (row, tool, found)
        for row in rows
        for tool, found in row.tools.items()
        if tool != OWN and found.keeps(row.samples)
    ]


def _beside(row: Row, tool: str, found: Found) -> str:
    return (
        f"| {row.cell.family} | {row.cell.name} | {100 * row.tools[OWN].equal:.1f} | {_starred(tool)} "
        f"| {100 * found.equal:.1f} | {_points(found)} |"
    )


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield "### Every cell\n"
    yield (
        "| family | cell | units per arm | split | effect | tool | A/A % (below / above) | keeps the promise "
        "| raw power % | power at equal error % | to abcx |"
    )
    yield "|---|---|---:|---|---|---|---:|---|---:|---:|---:|"
    for row in rows:
        down = row.cell.lift + row.cell.points < 0.0
        for tool, one in row.tools.items():
            below, above = (one.above, one.below) if down else (one.below, one.above)
            alarms = f"{100 * (below + above):.1f} ({100 * below:.1f} / {100 * above:.1f})"
            yield (
                f"| {row.cell.family} | {row.cell.name} | {_starred(tool)} | {alarms} "
                f"| {'yes' if one.keeps(row.samples) else 'no'} | {100 * one.raw:.1f} | {100 * one.equal:.1f} "
                f"| {'' if tool == OWN else _points(one)} |"
            )


def _starred(tool: str) -> str:
    return f"{tool} *" if tool in plain.ANOTHER_NUMBER else tool


def _points(found: Found) -> str:
    return f"{round(100 * found.to_own, 1) + 0.0:+.1f} ± {100 * found.error:.1f}"


if __name__ == "__main__":
    main()
