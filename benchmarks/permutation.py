"""Permutation tests: what a million units cost, and how often their intervals cover.

    python benchmarks/permutation.py [--quick] [--grid [--samples N] [--draws N]]

Without options: CPU time and peak memory of 4,000 relabelings of 1,000,000 units with 50,000 buyers, and of both
intervals (limit: 3 s of CPU, 1 GB). `--quick` takes a tenth of the units. `--grid` prints coverage of the lift and of
the difference with both tails, beside Welch and Fieller, over revenue with lognormal order values: a lift by value
multiplies the orders, a lift by buyers adds orders. Samples in which an arm expects fewer than 30 buyers are refused.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import math
import multiprocessing
import os
import resource
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # the CPU time of waiting threads is not the work's

import numpy as np

from abcx.stats import means, permutation, permutation_draws
from abcx.stats.inversion import effect
from abcx.stats.records import Moments, Pivot, Sample

Cell = tuple[int, float, float, str, float]
"""Units per arm, share of buyers, sigma, split, size of the lift (by value if positive, by buyers if negative)."""
SPLITS = {"50:50": (1.0, 1.0), "90:10": (1.8, 0.2)}


def cost(units: int) -> None:
    rng = np.random.default_rng(1)
    for split, (control_part, variant_part) in SPLITS.items():
        sizes = [round(units / 2 * part) for part in (control_part, variant_part)]
        control, variant = (Sample(n, rng.lognormal(3, 1.5, round(0.05 * n))) for n in sizes)
        started = time.process_time()
        contrast = permutation.contrast(control, variant)
        drawn = time.process_time()
        effect(contrast, 0.05)
        done = time.process_time()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{units:,} units {split}, {units // 20:,} buyers, 4,000 relabelings: {drawn - started:.2f} s CPU, "
            f"both intervals {done - drawn:.2f} s, peak {peak:.0f} MB"
        )


def described(sample: Sample) -> Moments:
    """The moments of an arm with their skewness, as a readout has them."""
    found, zeros = permutation_draws.moments(sample), sample.n - len(sample.values)
    assert isinstance(found, Moments)
    if found.variance == 0.0:
        return found
    cubes = float(((sample.values - found.mean) ** 3).sum()) - zeros * found.mean**3
    return dataclasses.replace(found, skewness=cubes / sample.n / found.variance**1.5)


def covered(cell: Cell, samples: int, draws: int) -> tuple[Cell, int, list[tuple[float, ...]]]:
    """Both tails of the true lift (Welch, permutation) and of the true difference (Welch, permutation)."""
    n, share, sigma, split, lift = cell
    sizes = [round(n * part) for part in SPLITS[split]]
    shares = share, share * (1 - min(lift, 0.0))
    rng = np.random.default_rng([n, round(1000 * share), round(10 * sigma), len(SPLITS[split]), round(100 + 10 * lift)])
    truth = abs(lift) * share * math.exp(sigma**2 / 2)
    found: list[tuple[float, ...]] = []
    refused = 0
    for i in range(samples):
        control, variant = (
            Sample(size, rng.lognormal(0, sigma, rng.binomial(size, p))) for size, p in zip(sizes, shares, strict=True)
        )
        variant = Sample(variant.n, variant.values * (1 + max(lift, 0.0)))
        one, other = described(control), described(variant)
        if not permutation.enough(one, other):
            refused += 1
            continue
        welch, permuted = means.contrast(one, other), permutation.contrast(control, variant, draws, i)
        row: list[float] = []
        for contrast in (welch, permuted):
            ratio, difference = contrast.ratio_pivot, contrast.difference_pivot
            assert isinstance(ratio, Pivot) and isinstance(difference, Pivot)
            row += [*ratio.tails(1 + abs(lift)), *difference.tails(truth)]
        found.append((*row, float(permutation.needed(one, other) is not None)))
    return cell, refused, found


def shown(cell: Cell, refused: int, rows: list[tuple[float, ...]]) -> str:
    n, share, sigma, split, lift = cell
    by = "" if lift == 0 else " by value" if lift > 0 else " by buyers"
    name = f"{n:6,} {100 * share:3.0f} % {sigma:3.1f} {split} {100 * abs(lift):+4.0f} %{by:10}"
    if refused >= len(rows):
        return f"{name} refused {refused}"
    table = np.array(rows)
    texts = []
    for column in (0, 4, 2, 6):
        low, high = (100 * float((table[:, column + side] < 0.025).mean()) for side in (0, 1))
        texts.append(f"{low:4.1f}/{high:4.1f} = {100 - low - high:5.1f}")
    return f"{name} {len(rows):4} | {' | '.join(texts)} | {100 * float(table[:, 8].mean()):3.0f}"


def grid(samples: int, draws: int, quick: bool) -> None:
    ns = (1000,) if quick else (100, 1000, 10000)
    cells = itertools.product(ns, (0.02, 0.05, 0.3), (0.5, 1.5, 2.0), SPLITS, (0.0, 0.3, 1.0, -1.0))
    print("     n buyers sigma split lift      samples | lift: Welch below/above = covers | permutation |")
    print("     difference: Welch | permutation | % of samples for which permutation is chosen")
    with multiprocessing.Pool() as pool:
        jobs = [pool.apply_async(covered, (c, samples // 3 if c[0] == 10000 else samples, draws)) for c in cells]
        for job in jobs:
            print(shown(*job.get()), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--grid", action="store_true")
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--draws", type=int, default=499)
    options = parser.parse_args()
    if options.grid:
        grid(options.samples, options.draws, options.quick)
    else:
        cost(100_000 if options.quick else 1_000_000)


if __name__ == "__main__":
    main()
