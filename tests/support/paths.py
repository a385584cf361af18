"""Simulated paths of test statistics over the looks of a sequential test."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def z_paths(information: tuple[float, ...], reps: int, seed: int, drift: float = 0.0) -> NDArray[np.float64]:
    """Standardized Brownian motion at the looks, one path a row."""
    t = np.array(information)
    steps = np.diff(t, prepend=0.0)
    walk: NDArray[np.float64] = np.cumsum(
        np.random.default_rng(seed).normal(size=(reps, len(t))) * np.sqrt(steps), axis=1
    )
    z: NDArray[np.float64] = (walk + drift * t) / np.sqrt(t)
    return z
