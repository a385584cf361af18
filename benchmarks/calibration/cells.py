"""The grid: which families of data, which sizes, splits and lifts (issue 3, decisions.md 7)."""

from __future__ import annotations

import itertools
import zlib
from dataclasses import dataclass
from typing import Literal

Family = Literal["shares", "revenue", "clicks", "adjusted"]

FAMILIES: dict[Family, str] = {
    "shares": "Shares (conversion)",
    "revenue": "Revenue per visitor (lognormal orders of few buyers)",
    "clicks": "Clicks per view (gamma-Poisson, heavy users)",
    "adjusted": "Means adjusted for a covariate (CUPED)",
}
SPLITS = {"50:50": (1.0, 1.0), "90:10": (1.8, 0.2)}
"""Parts of control and variant, times the units per arm: 90:10 splits the same 2n units."""
SIZES = (100, 1_000, 10_000)


@dataclass(frozen=True)
class Cell:
    """One row of the table. `lift` is the true lift; `by` says how revenue rises: larger orders, or more buyers."""

    family: Family
    n: int
    split: str
    lift: float
    share: float = 0.0  # of units with an event
    sigma: float = 0.0  # of log order values
    shape: float = 0.0  # of the gamma distribution of users' activity; small is heavy
    rate: float = 0.0  # clicks per view
    correlation: float = 0.0
    missing: float = 0.0  # share of units without covariate
    by: Literal["", "value", "buyers"] = ""

    @property
    def sizes(self) -> tuple[int, int]:
        """Units of control and variant."""
        control, variant = (round(self.n * part) for part in SPLITS[self.split])
        return control, variant

    @property
    def ratio(self) -> float:
        return 1.0 + self.lift

    @property
    def name(self) -> str:
        """The cell in words: the first columns of its row, and the seed."""
        of_family = {
            "shares": f"{100 * self.share:g} %",
            "revenue": f"{100 * self.share:g} % buyers, sigma {self.sigma:g}",
            "clicks": f"{100 * self.rate:g} % clicks, shape {self.shape:g}",
            "adjusted": f"correlation {self.correlation:g}, {100 * self.missing:g} % missing",
        }[self.family]
        lift = f"{100 * self.lift:+.0f} %" if self.lift else "0"
        return f"{of_family} | {self.n:,} | {self.split} | {lift}{' by buyers' if self.by == 'buyers' else ''}"

    @property
    def entropy(self) -> int:
        """What makes this cell's random numbers its own, whatever else is run."""
        return zlib.crc32(f"{self.family} {self.name}".encode())

    @property
    def cost(self) -> float:
        """Roughly how long it takes: dear cells are started first."""
        return self.n * {"shares": 1e-3, "revenue": self.share, "clicks": 1.0, "adjusted": 0.2}[self.family]


def grid(quick: bool) -> list[Cell]:
    """All cells, or with `quick` those of 1,000 units per arm, and fewer of the settings between the extremes."""
    cells = [*_shares(), *_revenue(), *_clicks(), *_adjusted()]
    if not quick:
        return cells
    return [
        cell
        for cell in cells
        if cell.n == 1_000
        and cell.lift in (0.0, 1.0 if cell.family != "adjusted" else 0.3)
        and cell.share not in (0.002, 0.05)
        and cell.sigma != 1.5
        and cell.correlation != 0.5
        and cell.missing != 0.2
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
    ]
