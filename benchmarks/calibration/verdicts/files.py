"""Experiments as files: exposures and events as frames through `abcx.analyze`, from rows to the verdict.

2,000 units of an arm come at any moment of four weeks (of 38.9 days where windows are open, of two weeks where the
orders are old); 30 % of them order once within the window. The delay is the window times a Beta(1, 2), a third of it on
average. Where the variant's customers buy sooner, just as many of them buy, and the delay is the window times a
Beta(1, 6), a seventh of it on average: nothing is gained or lost.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import abcx
from benchmarks.calibration.verdicts import real
from benchmarks.calibration.verdicts.real import Found

UNITS, SHARE = 2_000, 0.3
START = pd.Timestamp("2026-01-05", tz="UTC")
OLD = 3
"""Days by which the export of orders is older than that of exposures."""


def spec(window: int, plan: int | None) -> dict[str, Any]:
    """One conversion in a window of so many days, with a declared size or none."""
    arms: dict[str, dict[str, Any]] = {"control": {}, "variant": {}}
    metrics = {"orders": real.conversion("order")}
    rest = {"plan": {"units": plan}} if plan else {}
    return {"schema_version": 1, "name": "simulated", "arms": arms, "window": f"{window}d", "metrics": metrics, **rest}


def frames(rng: np.random.Generator, days: float, window: int, sooner: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Exposures, and orders up to the last moment that anybody could order."""
    variant = np.repeat([False, True], UNITS)
    unit = np.char.add("u", np.arange(2 * UNITS).astype(str))
    exposed = rng.uniform(0, days, 2 * UNITS)
    buys = rng.random(2 * UNITS) < SHARE
    delay = window * rng.beta(1, np.where(variant & sooner, 6, 2))
    arms = np.where(variant, "variant", "control")
    exposures = pd.DataFrame({"unit": unit, "arm": arms, "time": START + pd.to_timedelta(exposed, unit="D")})
    ordered = START + pd.to_timedelta((exposed + delay)[buys], unit="D")
    return exposures, pd.DataFrame({"unit": unit[buys], "event": "order", "time": ordered})


def open_windows(runs: int, rng: np.random.Generator) -> Found:
    """Customers buy sooner; the declared size is followed while 36 % of the windows of 14 days are open."""
    days, asked = 38.9, spec(14, 2 * round(0.61 * UNITS))

    def one() -> tuple[bool, bool]:
        exposures, orders = frames(rng, days, 14, sooner=True)
        return _words(asked, exposures, orders[orders["time"] < START + pd.Timedelta(days=days)])

    return _all(runs, one)


def old_export(runs: int, rng: np.random.Generator, sooner: bool) -> Found:
    """Exposures of 14 days, and orders that were exported three days before them: the declared size is followed for the
    window of 3 days by the clock of the orders."""
    days, window = 14.0, 3
    asked = spec(window, 2 * round(0.55 * UNITS))

    def one() -> tuple[bool, bool]:
        exposures, orders = frames(rng, days, window, sooner)
        return _words(asked, exposures, orders[orders["time"] < START + pd.Timedelta(days=days - OLD)])

    return _all(runs, one)


def dates(runs: int, rng: np.random.Generator, window: int, sooner: bool) -> Found:
    """Exposures have times and orders have dates; all windows are closed."""
    days, asked = 28.0, spec(window, None)
    asked["analysis"] = {"as_of": str((START + pd.Timedelta(days=days + window + 1)).date())}

    def one() -> tuple[bool, bool]:
        exposures, orders = frames(rng, days, window, sooner)
        return _words(asked, exposures, orders.assign(time=orders["time"].dt.date.astype(str)))

    return _all(runs, one)


def _words(asked: dict[str, Any], exposures: pd.DataFrame, orders: pd.DataFrame) -> tuple[bool, bool]:
    return real.told(abcx.analyze(asked, exposures=exposures, events=orders).verdicts)


def _all(runs: int, one: Any) -> Found:
    found = [one() for _ in range(runs)]
    return Found(runs, sum(ship for ship, _ in found), sum(harm for _, harm in found), runs)
