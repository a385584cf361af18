"""Experiments on shares that are read once, at the end: nothing works, or a margin is just missed."""

from __future__ import annotations

import numpy as np

from abcx.stats.distributions import normal_quantile
from benchmarks.calibration.verdicts import real
from benchmarks.calibration.verdicts.real import NEAR, Counts, Found

UNITS, SHARE = 10_000, 0.1
BETTER = 1.3
"""The ratio of a primary that is truly better: it wins in practically every run."""
MARGIN = 0.1
ALPHA = 0.05


def null(runs: int, rng: np.random.Generator, primaries: int = 1, variants: int = 1) -> Found:
    """No variant changes anything; the metrics of a unit are independent."""
    arms = ["control", *(f"variant{i + 1}" for i in range(variants))]
    names = [f"orders{i + 1}" for i in range(primaries)]
    loaded = real.spec({name: real.conversion(name) for name in names}, arms, plan={"units": UNITS * len(arms)})
    drawn: Counts = rng.binomial(UNITS, SHARE, (runs, primaries, len(arms)))
    z = real.z(drawn[:, :, :1], drawn[:, :, 1:], UNITS)
    critical = normal_quantile(1 - ALPHA / 2 / (primaries * variants))
    near = np.asarray((np.abs(z) > critical - NEAR).any(axis=(1, 2)))

    def judge(run: int) -> tuple[bool, bool]:
        return real.words(loaded, real.shares(arms, UNITS, dict(zip(names, drawn[run].tolist(), strict=True))))

    return real.once(near, judge, rng)


def guardrails(runs: int, rng: np.random.Generator, at_margin: int = 1, safe: int = 0) -> Found:
    """A primary is truly better; guardrails lie exactly at their margin (10 % more complaints), others have no effect
    and a margin that they clear in practically every run."""
    names = [f"complaints{i + 1}" for i in range(at_margin + safe)]
    margins = {name: f"{100 * MARGIN:g}%" if i < at_margin else "40%" for i, name in enumerate(names)}
    loaded = real.spec(
        {"orders": real.conversion("orders")}
        | {name: real.conversion(name, "guardrail", "decrease", margin=margin) for name, margin in margins.items()},
        plan={"units": 2 * UNITS},
    )
    orders = _pair(runs, BETTER, rng)
    each = {name: _pair(runs, 1 + MARGIN if i < at_margin else 1.0, rng) for i, name in enumerate(names)}
    z = np.stack([real.z_ratio(each[name][:, 0], each[name][:, 1], UNITS, 1 + MARGIN) for name in names[:at_margin]])
    critical = normal_quantile(1 - ALPHA / 2) - NEAR
    near = np.asarray((z < -critical).all(axis=0) | (z > critical).any(axis=0))

    def judge(run: int) -> tuple[bool, bool]:
        seen = {"orders": orders[run], **{name: drawn[run] for name, drawn in each.items()}}
        return real.words(loaded, real.shares(("control", "variant"), UNITS, seen))

    return real.once(near, judge, rng)


def margin(runs: int, rng: np.random.Generator, first: bool = False) -> Found:
    """A primary lies exactly at its non-inferiority margin, 10 % fewer orders: alone, or beside a first primary without
    a margin that is truly better. The variant is worse, so a verdict of harm is right."""
    metrics = {"orders": real.conversion("orders", margin=f"{100 * MARGIN:g}%")}
    if first:
        metrics = {"signups": real.conversion("signups")} | metrics
    loaded = real.spec(metrics, plan={"units": 2 * UNITS})
    orders, signups = _pair(runs, 1 - MARGIN, rng), _pair(runs, BETTER, rng)
    near = real.z_ratio(orders[:, 0], orders[:, 1], UNITS, 1 - MARGIN) > normal_quantile(1 - ALPHA / 2) - NEAR

    def judge(run: int) -> tuple[bool, bool]:
        seen = {"signups": signups[run], "orders": orders[run]} if first else {"orders": orders[run]}
        return real.words(loaded, real.shares(("control", "variant"), UNITS, seen))[0], False

    return real.once(near, judge, rng)


def _pair(runs: int, ratio: float, rng: np.random.Generator) -> Counts:
    drawn: Counts = rng.binomial(UNITS, [SHARE, SHARE * ratio], (runs, 2))
    return drawn
