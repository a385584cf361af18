"""The rows with what is promised of them, the words, and the section of docs/calibration.md."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.calibration import judge, page
from benchmarks.calibration.verdicts import files, looks, real, shares, surveys
from benchmarks.calibration.verdicts.real import Found

Run = Callable[[int, np.random.Generator], Found]
TAIL = 0.026
"""False SHIP and false harm at most: half of alpha, and a tenth of a point for counts that come in steps."""
NOT, NOT_YET = "not promised", "not promised yet"
SHOWN = ("numpy", "scipy", "pandas", "duckdb")


@dataclass(frozen=True)
class Row:
    """A kind of experiment and how many are simulated. `harm` is the promised share of it at most, None where it would
    be right; of SHIP it is `TAIL`. `promise` is empty where the figures are promised, else it names them as not."""

    name: str
    run: Run
    runs: int
    quick: int
    harm: float | None = TAIL
    promise: str = ""


def rows() -> list[Row]:
    return [*_shares(), *_looks(), *_surveys(), *_files()]


def _shares() -> Iterator[Row]:
    yield Row("nothing works, one primary", shares.null, 40_000, 2_000)
    yield Row("nothing works, three primaries (Holm)", functools.partial(shares.null, primaries=3), 40_000, 2_000)
    two = functools.partial(shares.null, primaries=2, variants=2)
    yield Row("nothing works, two variants x two primaries (Holm), either variant counts", two, 40_000, 2_000)
    yield Row("one guardrail exactly at its margin, the primary better", shares.guardrails, 40_000, 1_000)
    three = functools.partial(shares.guardrails, at_margin=3)
    yield Row("three guardrails exactly at their margins, the primary better", three, 10_000, 300, harm=3 * TAIL)
    one = functools.partial(shares.guardrails, safe=2)
    yield Row("one of three guardrails exactly at its margin, the primary better", one, 10_000, 400)
    yield Row("a primary exactly at its non-inferiority margin", shares.margin, 40_000, 2_000, harm=None)
    second = functools.partial(shares.margin, first=True)
    yield Row("a second primary exactly at its margin, the first better", second, 40_000, 2_000, harm=None)


def _looks() -> Iterator[Row]:
    for rule in ("obrien_fleming", "pocock"):
        run = functools.partial(looks.sequential, looks=4, rule={"looks": 4, "spending": rule})
        yield Row(f"nothing works, 4 planned looks ({rule.replace('_', '-')})", run, 40_000, 2_000)
    always = functools.partial(looks.sequential, looks=200, rule="always_valid")
    yield Row("nothing works, always valid, 200 looks", always, 40_000, 2_000)
    fixed = functools.partial(looks.daily, plan=looks.plan())
    yield Row("nothing works, `fixed`, read daily for 28 days to the planned end", fixed, 40_000, 2_000)
    past = functools.partial(looks.daily, plan=looks.plan(), until=42)
    yield Row("nothing works, `fixed`, read daily for 42 days, the planned end is day 28", past, 40_000, 1_000)
    once = functools.partial(looks.daily, plan={}, since=looks.DAYS)
    yield Row("nothing works, nothing declared, read once", once, 40_000, 2_000)
    often = functools.partial(looks.daily, plan={})
    yield Row("nothing works, nothing declared, read daily for 28 days", often, 10_000, 300, promise=NOT)


def _surveys() -> Iterator[Row]:
    kinds: tuple[tuple[surveys.Selection, str], ...] = (
        ("none", "equal response"),
        ("moderate", "4 % more response, moderate selection"),
        ("extreme", "4 % more response, extreme selection"),
    )
    for selection, told in kinds:
        for exposed in surveys.EXPOSED:
            for what, run in (("primary", surveys.primary), ("guardrail", surveys.guardrail)):
                name = f"NPS as {what}, {exposed:,} exposed an arm, {told}"
                asked = functools.partial(run, exposed=exposed, selection=selection)
                equal = selection == "none"
                yield Row(name, asked, 20_000 if equal else 4_000, 500 if equal else 200, promise="" if equal else NOT)


def _files() -> Iterator[Row]:
    yield Row("files: customers buy sooner, 36 % of the windows of 14 days are open", files.open_windows, 400, 8)
    for sooner, what in ((False, "nothing works"), (True, "customers buy sooner")):
        name = f"files: {what}, orders exported {files.OLD} days before the exposures, window of 3 days"
        old = functools.partial(files.old_export, sooner=sooner)
        yield Row(name, old, 400, 8)
    still = functools.partial(files.dates, window=7, sooner=False)
    yield Row("files: nothing works, exposures with times, orders with dates, window of 7 days", still, 400, 8)
    for window in (3, 7, 14):
        name = f"files: customers buy sooner, exposures with times, orders with dates, window of {window} days"
        yield Row(name, functools.partial(files.dates, window=window, sooner=True), 200, 8, promise=NOT_YET)


def word(row: Row, found: Found) -> str:
    """`kept` or `broken`, by two Monte Carlo standard errors; or the row's own word where nothing is promised."""
    if row.promise:
        return row.promise
    return "kept" if all(_within(n, found.runs, most) for n, most in _sides(row, found)) else "broken"


def _sides(row: Row, found: Found) -> tuple[tuple[int, float | None], tuple[int, float | None]]:
    return (found.ship, TAIL), (found.harm, row.harm)


def _within(count: int, runs: int, most: float | None) -> bool:
    return most is None or count / runs <= most + judge.SLACK * judge.error(most, runs)


INTRO = """\
## Wrong verdicts

**All experiments are simulated**, and every verdict is abcx's own: `conclude` with all checks, for files
`abcx.analyze`. Wrong is SHIP for a variant that does nothing or whose harm lies exactly at a margin, and DO NOT SHIP by
harm for a variant that does no harm, or no more than its margin. Each is promised to be at most {most} % (with k
guardrails exactly at their margins harm is at most k times that), judged with two Monte Carlo standard errors. "-":
nothing is promised, or the variant is worse and harm is the right word.

Shares are of {units:,} units an arm, 10 % of them with the event; metrics of a unit are independent. A run of counts
goes to `conclude` where a z-value lies beyond a critical value or near it: within {near} for shares that are read once,
{surveyed} for surveys, {looked} for looks, where z is the test's own ({near} below {few} events). Of the other runs
{spot} or more in each row go the same way, and the benchmark stops where one of them gives a wrong verdict. Runs that
are read again and again end with their first SHIP or harm. Past the planned end `run` reads the data
again up to the planned day; here it is handed the counts of that day.

Surveys: {surveys}

Files: {files}
"""


def section(found: Sequence[tuple[Row, Found]], powered: Sequence[tuple[int, Found]], seed: int, seconds: float) -> str:
    """The section without its markers and without a line break at the end; `powered` by exposed units of an arm."""
    parts = [_intro(), _provenance(seed, seconds), *_broken(found), *_table(found), *_power(powered)]
    return "\n".join(parts)


def _intro() -> str:
    told, filed = (_prose(module.__doc__) for module in (surveys, files))
    return INTRO.format(
        most=f"{100 * TAIL:.1f}",
        units=shares.UNITS,
        near=real.NEAR,
        surveyed=surveys.NEAR,
        looked=looks.CLOSE,
        few=looks.FEW,
        spot=real.SPOT,
        surveys=told,
        files=filed,
    )


def _prose(text: str | None) -> str:
    """What a module says after its first line."""
    return (text or "").split("\n\n", 1)[1].strip()


def _provenance(seed: int, seconds: float) -> str:
    return (
        f"Written on {datetime.date.today()} by `python -m benchmarks.calibration.verdicts --write`, seed {seed}, "
        f"{seconds:,.0f} seconds of CPU time. {', '.join(page.versions(SHOWN))}. "
        "Random numbers: PCG64 from SeedSequence([seed, CRC-32 of the row's name]).\n"
    )


def _broken(found: Sequence[tuple[Row, Found]]) -> Iterator[str]:
    promised = [row for row, _ in found if not row.promise]
    broken = [row.name for row, one in found if word(row, one) == "broken"]
    told = "it is kept in all of them" if not broken else f"it is broken in {len(broken)}: {'; '.join(broken)}"
    yield f"Promised in {len(promised)} of {len(found)} rows: {told}.\n"


def _table(found: Sequence[tuple[Row, Found]]) -> Iterator[str]:
    heads = ("experiment", "SHIP %", "DO NOT SHIP by harm %", "promised at most %", "runs", "two Monte Carlo errors")
    yield f"| {' | '.join(heads)} | promise |"
    yield "|---|---:|---:|---:|---:|---:|---|"
    for row, one in found:
        shown = [_percent(count, one.runs, most) for count, most in _sides(row, one)]
        limits = "-" if row.promise else " / ".join("-" if m is None else f"{100 * m:.1f}" for m in (TAIL, row.harm))
        slack = 2 * 100 * max(_error(count, one.runs) for count, most in _sides(row, one) if most is not None)
        name = [row.name, *shown, limits, f"{one.runs:,}", f"{slack:.2f}", word(row, one)]
        yield f"| {' | '.join(name)} |"
    yield ""


def _percent(count: int, runs: int, most: float | None) -> str:
    return "-" if most is None else f"{100 * count / runs:.2f}"


def _error(count: int, runs: int) -> float:
    """Of the observed share, and no smaller than that of half of alpha."""
    return judge.error(min(max(count / runs, 0.025), 0.975), runs)


POWERED = """\
What the bounds of surveys cost at equal response: a harmless guardrail is safe in so many runs.

| exposed an arm | margin, points | inside it by the plain test % | safe by verdict % | runs | two Monte Carlo errors |
|---:|---:|---:|---:|---:|---:|"""


def _power(powered: Sequence[tuple[int, Found]]) -> Iterator[str]:
    yield POWERED
    for exposed, one in powered:
        assert one.power is not None
        plain, safe = (f"{100 * share:.1f}" for share in one.power)
        slack = f"{200 * judge.error(one.power[1], one.runs):.1f}"
        yield f"| {exposed:,} | {surveys.margin(exposed):g} | {plain} | {safe} | {one.runs:,} | {slack} |"
    yield ""
