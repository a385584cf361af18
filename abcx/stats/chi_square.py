"""Goodness of fit: does the split fit the plan, and do two counts go together? Pearson's chi-square tests."""

from __future__ import annotations

import math
from collections.abc import Sequence

from abcx.stats.distributions import chi_square_tail


def chi_square(counts: Sequence[int], expected_shares: Sequence[float]) -> float:
    """p of "units were split by `expected_shares`" (which need not sum to 1 exactly); 1.0 where nothing can be tested.

    Pearson (1900): sum of (observed - expected)^2 / expected on k - 1 degrees of freedom. An arm with an expected share
    of 0 must be empty, else p is 0.
    """
    total, whole = sum(counts), math.fsum(expected_shares)
    if any(count and not share for count, share in zip(counts, expected_shares, strict=True)):
        return 0.0
    arms = [(count, total * share / whole) for count, share in zip(counts, expected_shares, strict=True) if share]
    if total == 0 or len(arms) < 2:
        return 1.0
    return chi_square_tail(math.fsum((count - mean) ** 2 / mean for count, mean in arms), len(arms) - 1)


def homogeneity(table: Sequence[Sequence[int]]) -> float | None:
    """p of "all columns (arms) have the same distribution over the rows"; None where fewer than two of either are left.

    `table` holds counts, rows of equal length; empty rows and columns are dropped. Pearson's test without continuity
    correction on (rows - 1)(columns - 1) degrees of freedom.
    """
    rows = [row for row in table if sum(row)]
    columns = [sum(column) for column in zip(*rows, strict=True)]
    kept = [j for j, size in enumerate(columns) if size]
    if len(rows) < 2 or len(kept) < 2:
        return None
    total = sum(columns)
    cells = ((row[j], sum(row) * (columns[j] / total)) for row in rows for j in kept)
    statistic = math.fsum((count - mean) ** 2 / mean for count, mean in cells)
    return chi_square_tail(statistic, (len(rows) - 1) * (len(kept) - 1))
