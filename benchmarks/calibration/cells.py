"""The grid: which families of data, which sizes, splits and effects (issues 3 and 4, decisions.md 7)."""

from __future__ import annotations

import itertools
import zlib
from dataclasses import dataclass
from typing import Literal

Family = Literal["shares", "revenue", "clicks", "adjusted", "nps", "csat", "ces", "rmst", "quantile"]

FAMILIES: dict[Family, str] = {
    "shares": "Shares (conversion)",
    "revenue": "Revenue per visitor (lognormal orders of few buyers)",
    "clicks": "Clicks per view (gamma-Poisson, heavy users)",
    "adjusted": "Means adjusted for a covariate (CUPED)",
    "nps": "Net Promoter Score",
    "csat": "CSAT (share of top-box answers)",
    "ces": "CES (mean answer from 1 to 7)",
    "rmst": "Resolution time (restricted mean, open tickets)",
    "quantile": "Quantiles (of units, of events in units)",
}
ENUMERATED = ("shares", "csat")
"""Families of two counts: all their outcomes are gone through."""
LIFTLESS = ("nps", "ces")
"""Families without a relative lift: their promise is about the difference."""
SPLITS = {"50:50": (1.0, 1.0), "90:10": (1.8, 0.2)}
"""Parts of control and variant, times the units per arm: 90:10 splits the same 2n units."""
PARTS = {**SPLITS, "80:20": (1.6, 0.4)}
"""80:20 is for covariates with far-off units alone, where the arms' sizes matter most."""
SIZES = (100, 1_000, 10_000)
ANSWERS = (50, 200, 1_000, 5_000)


@dataclass(frozen=True)
class Cell:
    """One row of the table. `lift` is the true lift, `points` the true difference of a family without lifts.

    `by` says how revenue rises: larger orders, or more buyers.
    """

    family: Family
    n: int
    split: str
    lift: float
    share: float = 0.0  # of units with an event
    sigma: float = 0.0  # of log order values; of the log covariate
    shape: float = 0.0  # of the gamma distribution of users' activity; small is heavy
    rate: float = 0.0  # clicks per view
    correlation: float = 0.0
    missing: float = 0.0  # share of units without covariate
    heavy: float = 0.0  # sigma of log outcomes that are adjusted; 0: normal outcomes
    by: Literal["", "value", "buyers"] = ""
    level: float = 0.0  # NPS, or mean answer, of control
    points: float = 0.0
    times: Literal["", "lognormal", "exponential"] = ""
    q: float = 0.0
    of: Literal["", "units", "events"] = ""

    @property
    def sizes(self) -> tuple[int, int]:
        """Units of control and variant."""
        control, variant = (round(self.n * part) for part in PARTS[self.split])
        return control, variant

    @property
    def ratio(self) -> float:
        return 1.0 + self.lift

    @property
    def null(self) -> bool:
        """Whether the arms are alike: an A/A test."""
        return self.lift == self.points == 0.0

    @property
    def name(self) -> str:
        """The cell in words: the first columns of its row, and the seed."""
        of_family = {
            "shares": f"{100 * self.share:g} %",
            "revenue": f"{100 * self.share:g} % buyers, sigma {self.sigma:g}",
            "clicks": f"{100 * self.rate:g} % clicks, shape {self.shape:g}",
            "adjusted": f"correlation {self.correlation:g}, {100 * self.missing:g} % missing"
            if not self.sigma
            else f"lognormal, sigma {self.sigma:g}, {'lognormal' if self.heavy else 'normal'} outcome",
            "nps": f"NPS {self.level:g}",
            "csat": f"{100 * self.share:g} % in the top boxes",
            "ces": f"mean {self.level:g}",
            "rmst": f"{self.times} times",
            "quantile": f"{self.q:g} quantile of {self.of}",
        }[self.family]
        lift = f"{100 * self.lift:+.0f} %" if self.lift else f"{self.points:+g} points" if self.points else "0"
        return f"{of_family} | {self.n:,} | {self.split} | {lift}{' by buyers' if self.by == 'buyers' else ''}"

    @property
    def entropy(self) -> int:
        """What makes this cell's random numbers its own, whatever else is run."""
        return zlib.crc32(f"{self.family} {self.name}".encode())

    @property
    def cost(self) -> float:
        """Roughly how long it takes: dear cells are started first."""
        a_unit = {"shares": 1e-3, "revenue": self.share, "clicks": 1.0, "adjusted": 0.2, "rmst": 0.5, "quantile": 0.2}
        return self.n * a_unit.get(self.family, 1e-3)


QUICK = {"adjusted": 0.3, "csat": 0.05, "rmst": -0.2, "quantile": 0.3}
"""The lift beside 0 that `--quick` runs; 1.0 in other families."""


def grid(quick: bool) -> list[Cell]:
    """All cells, or with `quick` those of 1,000 units per arm, and fewer of the settings between the extremes."""
    families = (_shares, _revenue, _clicks, _adjusted, _nps, _csat, _ces, _rmst, _quantile)
    cells = [cell for family in families for cell in family()]
    if not quick:
        return cells
    return [
        cell
        for cell in cells
        if cell.n == 1_000
        and cell.lift in (0.0, QUICK.get(cell.family, 1.0))
        and cell.share not in (0.002, 0.05, 0.6, 0.95)
        and cell.sigma != 1.5
        and cell.correlation != 0.5
        and cell.missing != 0.2
        and cell.points != 5.0
        and (cell.level in (0.0, 30.0) or cell.family == "ces")
        and cell.times != "exponential"
    ]


def _shares() -> list[Cell]:
    combined = itertools.product((0.002, 0.005, 0.02, 0.1, 0.5), SIZES, SPLITS, (0.0, 0.3, 1.0))
    return [
        Cell("shares", n, split, lift, share=share)
        for share, n, split, lift in combined
        if share * (1.0 + lift) < 1.0  # a share of exactly 1 has no other outcome
    ]


def _revenue() -> list[Cell]:
    combined = itertools.product((0.02, 0.05, 0.3), (0.5, 1.5, 2.0), SIZES, SPLITS, (0.0, 0.3, 1.0, -1.0))
    return [
        Cell("revenue", n, split, abs(lift), share=share, sigma=sigma, by="buyers" if lift < 0 else "value")
        for share, sigma, n, split, lift in combined
    ]


def _clicks() -> list[Cell]:
    combined = itertools.product((0.02, 0.1), (1.0, 0.3), SIZES, SPLITS, (0.0, 0.3, 1.0))
    return [Cell("clicks", n, split, lift, rate=rate, shape=shape) for rate, shape, n, split, lift in combined]


def _adjusted() -> list[Cell]:
    combined = itertools.product((0.0, 0.5, 0.9), (0.0, 0.2, 0.6), SIZES, SPLITS, (0.0, 0.3))
    return [
        Cell("adjusted", n, split, lift, correlation=correlation, missing=missing)
        for correlation, missing, n, split, lift in combined
    ] + _leverage()


def _leverage() -> list[Cell]:
    """CUPED with heavy covariates: a few units far off could fit themselves."""
    combined = itertools.product((1.0, 1.5, 2.5), (0.0, 1.0), (1_000, 10_000), PARTS, (0.0, 0.3))
    return [
        Cell("adjusted", n, split, lift, sigma=sigma, correlation=0.6, heavy=heavy)
        for sigma, heavy, n, split, lift in combined
    ]


def _nps() -> list[Cell]:
    combined = itertools.product((-20.0, 30.0, 70.0), ANSWERS, SPLITS, (0.0, 5.0, 20.0))
    return [Cell("nps", n, split, 0.0, level=level, points=points) for level, n, split, points in combined]


def _csat() -> list[Cell]:
    combined = itertools.product((0.6, 0.85, 0.95), ANSWERS, SPLITS, (0.0, 0.05, 0.15))
    return [
        Cell("csat", n, split, lift, share=share) for share, n, split, lift in combined if share * (1.0 + lift) < 1.0
    ]


def _ces() -> list[Cell]:
    combined = itertools.product((5.2, 6.2), ANSWERS, SPLITS, (0.0, 0.3))
    return [Cell("ces", n, split, 0.0, level=level, points=points) for level, n, split, points in combined]


def _rmst() -> list[Cell]:
    times: tuple[Literal["lognormal", "exponential"], ...] = ("lognormal", "exponential")
    combined = itertools.product(times, (30, 100, 300, 1_000, 3_000), SPLITS, (0.0, -0.2))
    return [Cell("rmst", n, split, lift, times=one) for one, n, split, lift in combined]


def _quantile() -> list[Cell]:
    kinds: tuple[Literal["units", "events"], ...] = ("units", "events")
    combined = itertools.product(kinds, (0.5, 0.9), (100, 400, 1_000, 4_000, 10_000), SPLITS, (0.0, 0.3))
    return [Cell("quantile", n, split, lift, q=q, of=of) for of, q, n, split, lift in combined]
