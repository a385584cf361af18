"""The grid: which families of data, which sizes, splits and effects (docs/methods.md, "The promise")."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Family = Literal[
    "shares",
    "revenue",
    "clicks",
    "adjusted",
    "nps",
    "csat",
    "ces",
    "rmst",
    "quantile",
    "churn",
    "retention",
    "refunds",
    "orders",
    "heavy",
]

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
    "churn": "Churn with staggered entry",
    "retention": "Retention with windows (units that came too late are left out)",
    "refunds": "Revenue per visitor with refunds",
    "orders": "Orders per visitor (0, 1 or 2)",
    "heavy": "Successes per event where few units hold most events",
}
ENUMERATED = ("shares", "csat")
"""Families of two counts: all their outcomes are gone through."""
LIFTLESS = ("nps", "ces")
"""Families without a relative lift: their promise is about the difference."""
SPLITS = {"50:50": (1.0, 1.0), "80:20": (1.6, 0.4), "90:10": (1.8, 0.2)}
"""Parts of control and variant, times the units per arm: 90:10 splits the same 2n units."""
COMMON = ("50:50", "90:10")
"""The splits of most families."""
FOLLOWED: dict[str, tuple[float, float]] = {"0 to 1.1": (0.0, 1.1), "0.5 to 1.5": (0.5, 1.5)}
"""How long units are watched, in horizons: evenly between these."""
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
    followed: str = ""
    grid: Literal["", "seconds", "minutes", "orders"] = ""  # on which the values of a quantile lie

    @property
    def sizes(self) -> tuple[int, int]:
        """Units of control and variant."""
        control, variant = (round(self.n * part) for part in SPLITS[self.split])
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
            "churn": f"{100 * self.share:g} %, followed {self.followed} horizons",
            "retention": f"{100 * self.share:g} %",
            "refunds": f"{100 * self.share:g} % buyers, sigma {self.sigma:g}",
            "orders": f"{100 * self.share:g} % buyers",
            "heavy": f"{100 * self.rate:g} %, sigma {self.sigma:g} of events",
            "quantile": f"{self.q:g} quantile of {self.of}{', whole ' if self.grid else ''}{self.grid}",
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


QUICK = {
    "adjusted": 0.3,
    "csat": 0.05,
    "rmst": -0.2,
    "quantile": 0.3,
    "churn": 0.3,
    "retention": 0.3,
    "refunds": 0.3,
    "orders": 0.3,
    "heavy": 0.3,
}
"""The lift beside 0 that `--quick` runs; 1.0 in other families."""


def grid(quick: bool) -> list[Cell]:
    """All cells, or with `quick` those of 1,000 units per arm (quantiles on grids: 500), and fewer of the settings
    between the extremes."""
    families: list[Callable[[], list[Cell]]] = [_shares, _revenue, _clicks, _adjusted, _nps, _csat, _ces, _rmst]
    families += [_quantile, _churn, _retention, _refunds, _orders, _heavy]
    cells = [cell for family in families for cell in family()]
    if not quick:
        return cells
    return [
        cell
        for cell in cells
        if cell.n == (500 if cell.grid else 1_000)
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
    combined = itertools.product((0.002, 0.005, 0.02, 0.1, 0.5), SIZES, COMMON, (0.0, 0.3, 1.0))
    return [
        Cell("shares", n, split, lift, share=share)
        for share, n, split, lift in combined
        if share * (1.0 + lift) < 1.0  # a share of exactly 1 has no other outcome
    ]


def _revenue() -> list[Cell]:
    combined = itertools.product((0.02, 0.05, 0.3), (0.5, 1.5, 2.0), SIZES, COMMON, (0.0, 0.3, 1.0, -1.0))
    return [
        Cell("revenue", n, split, abs(lift), share=share, sigma=sigma, by="buyers" if lift < 0 else "value")
        for share, sigma, n, split, lift in combined
    ]


def _clicks() -> list[Cell]:
    combined = itertools.product((0.02, 0.1), (1.0, 0.3), SIZES, COMMON, (0.0, 0.3, 1.0))
    return [Cell("clicks", n, split, lift, rate=rate, shape=shape) for rate, shape, n, split, lift in combined]


def _adjusted() -> list[Cell]:
    combined = itertools.product((0.0, 0.5, 0.9), (0.0, 0.2, 0.6), SIZES, COMMON, (0.0, 0.3))
    return [
        Cell("adjusted", n, split, lift, correlation=correlation, missing=missing)
        for correlation, missing, n, split, lift in combined
    ] + _leverage()


def _leverage() -> list[Cell]:
    """CUPED with heavy covariates: a few units far off could fit themselves."""
    combined = itertools.product((1.0, 1.5, 2.5), (0.0, 1.0), (1_000, 10_000), SPLITS, (0.0, 0.3))
    return [
        Cell("adjusted", n, split, lift, sigma=sigma, correlation=0.6, heavy=heavy)
        for sigma, heavy, n, split, lift in combined
    ]


def _nps() -> list[Cell]:
    combined = itertools.product((-20.0, 30.0, 70.0), ANSWERS, COMMON, (0.0, 5.0, 20.0))
    return [Cell("nps", n, split, 0.0, level=level, points=points) for level, n, split, points in combined]


def _csat() -> list[Cell]:
    combined = itertools.product((0.6, 0.85, 0.95), ANSWERS, COMMON, (0.0, 0.05, 0.15))
    return [
        Cell("csat", n, split, lift, share=share) for share, n, split, lift in combined if share * (1.0 + lift) < 1.0
    ]


def _ces() -> list[Cell]:
    combined = itertools.product((5.2, 6.2), ANSWERS, COMMON, (0.0, 0.3))
    return [Cell("ces", n, split, 0.0, level=level, points=points) for level, n, split, points in combined]


def _rmst() -> list[Cell]:
    times: tuple[Literal["lognormal", "exponential"], ...] = ("lognormal", "exponential")
    combined = itertools.product(times, (30, 100, 300, 1_000, 3_000), COMMON, (0.0, -0.2))
    return [Cell("rmst", n, split, lift, times=one) for one, n, split, lift in combined]


def _quantile() -> list[Cell]:
    kinds: tuple[Literal["units", "events"], ...] = ("units", "events")
    combined = itertools.product(kinds, (0.5, 0.9), (100, 400, 1_000, 4_000, 10_000), COMMON, (0.0, 0.3))
    smooth = [Cell("quantile", n, split, lift, q=q, of=of) for of, q, n, split, lift in combined]
    grids: tuple[Literal["seconds", "minutes", "orders"], ...] = ("seconds", "minutes", "orders")
    on_grids = itertools.product(kinds, grids, (0.5, 0.9), (500, 2_000, 10_000), COMMON)
    return smooth + [Cell("quantile", n, split, 0.0, q=q, of=of, grid=grid) for of, grid, q, n, split in on_grids]


EVEN = ("50:50", "80:20")


def _churn() -> list[Cell]:
    combined = itertools.product((0.05, 0.1, 0.3), FOLLOWED, (300, 1_000, 5_000), EVEN, (0.0, 0.3))
    return [
        Cell("churn", n, split, lift, share=share, followed=followed) for share, followed, n, split, lift in combined
    ]


def _retention() -> list[Cell]:
    combined = itertools.product((0.05, 0.3), (300, 1_000, 5_000), EVEN, (0.0, 0.3))
    return [Cell("retention", n, split, lift, share=share) for share, n, split, lift in combined]


def _refunds() -> list[Cell]:
    combined = itertools.product((0.05, 0.3), (0.5, 1.5), (1_000, 5_000), EVEN, (0.0, 0.3))
    return [Cell("refunds", n, split, lift, share=share, sigma=sigma) for share, sigma, n, split, lift in combined]


def _orders() -> list[Cell]:
    combined = itertools.product((0.05, 0.3), (300, 1_000, 5_000), EVEN, (0.0, 0.3))
    return [Cell("orders", n, split, lift, share=share) for share, n, split, lift in combined]


def _heavy() -> list[Cell]:
    combined = itertools.product((0.02, 0.1), (1.0, 2.0), (300, 1_000, 5_000), EVEN, (0.0, 0.3))
    return [Cell("heavy", n, split, lift, rate=rate, sigma=sigma) for rate, sigma, n, split, lift in combined]
