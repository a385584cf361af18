"""The page: where abcx breaks its promise, the summary by family, then every cell."""

from __future__ import annotations

import datetime
import importlib.metadata
import math
import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import get_args

import abcx
from benchmarks.calibration import cx, judge, peers
from benchmarks.calibration.cells import ENUMERATED, FAMILIES, LIFTLESS, Family
from benchmarks.calibration.measure import OWN, Coverage, Row

COLUMNS: dict[Family, str] = {
    "shares": "share of control",
    "revenue": "control",
    "clicks": "control",
    "adjusted": "covariate",
    "nps": "control",
    "csat": "control",
    "ces": "control",
    "rmst": "tickets",
    "quantile": "metric",
    "churn": "control",
    "retention": "control",
    "refunds": "control",
    "orders": "control",
    "heavy": "control",
}
SHOWN = ("numpy", "scipy", "pandas", "pyarrow", "tea-tasting", "gbstats", "spotify-confidence")

INTRO = """\
# Calibration: do 95 % intervals cover 95 %?

<!-- Written by `python -m benchmarks.calibration --write`: nothing here is typed in. -->

**All samples are simulated.** The truth is known because it was put in. Every tool sees the same samples: of {counts}
all outcomes of the two counts that have any weight (enumerated), of the other families random samples.

*below* is the share of intervals that lie wholly below the truth, *above* of those wholly above it; each should be near
2.5 %. The promise is about the lift, and about the difference in the families that have no lift ({liftless}): coverage
of at least 94 % and at most 4 % in each tail in every cell; where each arm expects enough events also coverage of at
most 97 % and at least 1 % in each tail. Other cells beyond these upper limits are *conservative*: with few events no
method has two tails. Limits are judged with two Monte Carlo standard errors. Samples for which a tool gives no interval
of what is promised are *refused*: they are neither covered nor missed, and the shares are of the rest. A cell is
refused when half of its samples are. An interval without width (-100 % to -100 % where the variant has no event) is an
interval. Where permutation is needed and an arm expects fewer than 30 units that are not zero (of ces: 30 answers other
than the commonest one; at the share of both arms together, so that the result has no say in it), abcx prints an
interval and warns that it cannot be trusted (the check `skewness`): those samples count as refused here, and a table of
their own shows what such intervals are worth.

Events enough are: {enough}."""

CALLS = """\
## How each tool was called

Peers were told the moments of the same units through their own lowest-level classes, at their defaults for the kind of
data (benchmarks/calibration/peers.py), with two-sided 95 % intervals.

- **abcx**: the method that it chooses itself for the sample (`stats.shares`; `stats.permutation` where `needed`, with
  {draws} relabelings instead of 4,000; `stats.covariates` and `stats.adjusted_permutation` with covariates; else
  Welch). Its intervals are inverted tests, so "covers" is "the test of the true lift accepts", without the search for
  the ends.
- **tea-tasting**: `Proportion(method="norm")` (its only method with intervals; by default pooled and continuity
  corrected), `Mean`, `RatioOfMeans`, and `Mean` with a covariate: `analyze_aggregates` on `Aggregates`.
- **gbstats** (GrowthBook's frequentist engine): `TwoSidedTTest(...).compute_result()` with `ProportionStatistic`,
  `SampleMeanStatistic`, `RatioStatistic` and `RegressionAdjustedStatistic`, once relative and once absolute; alarms are
  those of the relative test, its default.
- **spotify-confidence**: what `ZTest` (shares), `StudentsTTest` (revenue) and `ZTestLinreg` (covariate) compute for
  `difference(absolute=False)` and `(absolute=True)`, through its `confidence_computers` on a frame of many comparisons
  (the classes take a hundred times as long; a test compares the two). It has no ratios of sums.

A missing covariate is 0 to the peers (as after `coalesce(sum(...), 0)` in their SQL); abcx gives it the mean of the
others and, where the smaller arm expects 10 of either kind, a column that says where. Units without a covariate are
new customers, who spend less. A lognormal covariate (CUPED with a few units far off) has a correlation of .6 of its
logarithm with the outcome, or with that of a lognormal outcome."""

ALONE = """\
## Families of abcx alone

The peers have no NPS, no CSAT or CES, no resolution times with open tickets and no quantiles: {families} show abcx
alone, each by its own metric type. Units per arm are those that answered, or that have tickets, values or events.

{populations}"""


def render(rows: Sequence[Row], asked: int) -> str:
    families = [family for family in FAMILIES if any(row.cell.family == family for row in rows)]
    parts = [_intro(families), _provenance(rows, asked), *_broken(rows), "## Summary\n", *_summary(rows, families)]
    parts += ["", CALLS.format(draws=" or ".join(sorted({str(row.size.draws) for row in rows}))), *_warned(rows)]
    alone = [family for family in families if family not in get_args(peers.Kind)]
    if alone:
        populations = (cx.__doc__ or "").split("\n\n", 1)[1].strip()
        parts += ["", ALONE.format(families=", ".join(alone), populations=populations)]
    for family in families:
        parts += ["", *_tables([row for row in rows if row.cell.family == family], family)]
    return "\n".join(parts) + "\n"


def _intro(families: Sequence[Family]) -> str:
    enough = [f"{family}: {count} {what}" for family, (count, what) in judge.ENOUGH.items() if family in families]
    return INTRO.format(counts=" and ".join(ENUMERATED), liftless=", ".join(LIFTLESS), enough="; ".join(enough))


def _provenance(rows: Sequence[Row], asked: int) -> str:
    run = f"{len(rows)} of the grid's {asked} cells" if len(rows) < asked else f"all {asked} cells of the grid"
    counts = Counter(row.cell.family for row in rows)
    families = ", ".join(f"{count} of {family}" for family, count in counts.items())
    third = " (a third of them at 10,000 units per arm)"
    sizes = sorted({(row.size.samples, row.size.draws, row.size.seed) for row in rows})
    parts = [
        f"{sum((row.size.samples, row.size.draws, row.size.seed) == one for row in rows)} cells with {one[0]:,} "
        f"samples{third}, {one[1]} relabelings and seed {one[2]}"
        for one in sizes
    ]
    minutes = sum(row.seconds for row in rows) / 60
    errors = [
        f"{100 * judge.error(0.95, n):.2f} and {100 * judge.error(0.025, n):.2f} points with {n:,} samples"
        for n in sorted({row.size.of(row.cell) for row in rows if row.cell.family not in ENUMERATED})
    ]
    again = (
        " Cells with more samples than others were done again with another seed, because chance may have broken a "
        "promise there: those in which some tool's was broken by two standard errors but not by four, or abcx's at all "
        "(then for abcx alone; the other tools keep their figures)."
    )
    return (
        f"\nWritten on {datetime.date.today()}: {run} ({families}); {'; '.join(parts)}. {minutes:.0f} minutes of CPU "
        f"time. Random numbers: PCG64 from SeedSequence([seed, CRC-32 of the cell's name]).\n\nVersions: "
        f"{', '.join(versions())}.\n\nOne Monte Carlo standard error of a coverage of 95 % and of a tail of 2.5 %: "
        f"{'; '.join(errors)}. What abcx enumerates ({', '.join(ENUMERATED)}) has none, nor have shares by peers in "
        f"cells with no more outcomes than samples.{again if len(sizes) > 1 else ''}\n"
    )


def versions(names: Sequence[str] = SHOWN) -> Iterator[str]:
    yield f"abcx {abcx.__version__}"
    yield f"Python {platform.python_version()}"
    for name in names:
        try:
            yield f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            yield f"{name} not installed"


def _broken(rows: Sequence[Row]) -> Iterator[str]:
    found = [(row, verdict) for row in rows if (verdict := judge.judge(row, row.tallies[OWN])).word == "broken"]
    yield f"## Where abcx does not keep it: {len(found)} of {len(rows)} cells\n"
    if not found:
        yield "In no cell of this grid.\n"
        return
    yield "| family | cell | units per arm | split | effect | what is promised covers % (below / above) | why |"
    yield "|---|---|---:|---|---|---:|---|"
    for row, verdict in found:
        shown = _coverage(judge.promised(row.cell, row.tallies[OWN]))
        yield f"| {row.cell.family} | {row.cell.name} | {shown} | {', '.join(verdict.reasons)} |"
    yield ""


def _summary(rows: Sequence[Row], families: Sequence[Family]) -> Iterator[str]:
    yield (
        "| family | tool | cells | kept | broken | conservative (few events) | refused | lowest coverage of what is "
        "promised % | heaviest tail % | most false alarms in A/A % | lowest coverage of the difference % |"
    )
    yield "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
    for family in families:
        within = [row for row in rows if row.cell.family == family]
        for tool in tools(within):
            yield f"| {FAMILIES[family]} | {tool} | {_summarized(within, tool)} |"


def _summarized(rows: Sequence[Row], tool: str) -> str:
    tallies = [row.tallies[tool] for row in rows]
    words = [judge.judge(row, row.tallies[tool]).word for row in rows]
    counts = [str(words.count(word)) for word in ("kept", "broken", "conservative", "refused")]
    pairs = [(row.cell, row.tallies[tool]) for row in rows]
    covered, tail = judge.worst(pairs)
    alarms = [one.alarms for one in tallies if one.alarms is not None]
    difference = judge.worst(pairs, of_difference=True)[0]
    numbers = (covered, tail, max(alarms, default=math.nan), difference)
    return " | ".join([str(len(rows)), *counts, *(_percent(number) for number in numbers)])


def tools(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(tool for row in rows for tool in row.tallies))


def _warned(rows: Sequence[Row]) -> Iterator[str]:
    """What the intervals are worth that abcx prints with a warning."""
    found = [row for row in rows if row.tallies[OWN].warned >= 0.5]
    if not found:
        return
    yield "\n## Intervals that abcx prints with a warning\n"
    yield "Cells in which half of the samples or more carry it; here they count like any other.\n"
    yield "| family | cell | units per arm | split | lift | warned % | covers % (below / above), all samples |"
    yield "|---|---|---:|---|---|---:|---:|"
    for row in found:
        tally = row.tallies[OWN]
        if tally.with_warned is not None:
            shown = _coverage(tally.with_warned)
            yield f"| {row.cell.family} | {row.cell.name} | {100 * tally.warned:.0f} | {shown} |"


def _tables(rows: Sequence[Row], family: Family) -> Iterator[str]:
    names = tools(rows)
    promised = "Difference" if family in LIFTLESS else "Lift"
    yield f"## {FAMILIES[family]}\n"
    yield f"### {promised}: coverage % (below / above)\n"
    yield f"{_head(family, names)} fewest events expected | samples | abcx's promise |"
    yield f"|---|---:|---|---|{'---:|' * len(names)}---:|---:|---|"
    for row in rows:
        shown = [_shown(row, tool) for tool in names]
        verdict = judge.judge(row, row.tallies[OWN])
        few = "" if judge.enough(row) else ", few"
        yield f"| {row.cell.name} | {' | '.join(shown)} | {row.expected:.0f}{few} | {_samples(row)} | {verdict.word} |"
    if family not in LIFTLESS:
        yield "\n### Difference: coverage % (below / above)\n"
        yield _head(family, names)
        yield f"|---|---:|---|---|{'---:|' * len(names)}"
        for row in rows:
            shown = [_coverage(row.tallies[tool].difference) if tool in row.tallies else "-" for tool in names]
            yield f"| {row.cell.name} | {' | '.join(shown)} |"
    yield "\n### A/A: false alarms % at p < .05\n"
    yield _head(family, names)
    yield f"|---|---:|---|---|{'---:|' * len(names)}"
    for row in rows:
        if row.cell.null:
            alarms = [row.tallies[tool].alarms if tool in row.tallies else None for tool in names]
            yield f"| {row.cell.name} | {' | '.join('-' if a is None else _percent(a) for a in alarms)} |"


def _samples(row: Row) -> str:
    """By how many samples peers were judged, and abcx too except where it was enumerated."""
    counts = [tally.samples for tally in row.tallies.values()]
    return f"{max(counts):,}" if max(counts) else "all"


def _head(family: Family, names: Sequence[str]) -> str:
    effect = "difference" if family in LIFTLESS else "lift"
    return f"| {COLUMNS[family]} | units per arm | split | {effect} | {' | '.join(names)} |"


def _shown(row: Row, tool: str) -> str:
    return _coverage(judge.promised(row.cell, row.tallies[tool])) if tool in row.tallies else "-"


def _coverage(found: Coverage) -> str:
    if found.refused >= 0.5:
        return f"refused {100 * found.refused:.0f} %"
    refused = f", refused {100 * found.refused:.1f} %" if found.refused >= 0.0005 else ""
    return f"{100 * found.covered:.1f} ({100 * found.below:.1f} / {100 * found.above:.1f}){refused}"


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.1f}"
