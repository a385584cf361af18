"""Pearson's chi-square tests: fit of a split to its planned shares, and homogeneity of counts between arms."""

from __future__ import annotations

import math
from collections.abc import Sequence

from abcx.stats.distributions import chi_square_tail


def chi_square(counts: Sequence[int], expected_shares: Sequence[float]) -> float:
    """The p-value of "units were split by `expected_shares`", for a sample ratio mismatch (Pearson 1900).

    `counts` and `expected_shares` have one entry per arm; shares are at least 0 and need not sum to 1 exactly. The
    statistic is the sum of (observed - expected)^2 / expected on k - 1 degrees of freedom over the k arms with a share.
    0.0 where an arm with a share of 0 has units; 1.0 where nothing can be tested (no units, or fewer than two arms with
    a share).
    """
    total, whole = sum(counts), math.fsum(expected_shares)
    if any(count and not share for count, share in zip(counts, expected_shares, strict=True)):
        return 0.0
    arms = [(count, total * share / whole) for count, share in zip(counts, expected_shares, strict=True) if share]
    if total == 0 or len(arms) < 2:
        return 1.0
    return chi_square_tail(math.fsum((count - mean) ** 2 / mean for count, mean in arms), len(arms) - 1)


def homogeneity(table: Sequence[Sequence[int]]) -> float | None:
    """The p-value of "all columns (arms) have the same distribution over the rows"; None with fewer than two rows or
    columns.

    `table` holds counts, rows of equal length; empty rows and columns are dropped first. Pearson's test without
    continuity correction on (rows - 1)(columns - 1) degrees of freedom.
    """
    rows = [row for row in table if sum(row)]
    columns = [sum(column) for column in zip(*rows, strict=True)]
    nonempty = [j for j, size in enumerate(columns) if size]
    if len(rows) < 2 or len(nonempty) < 2:
        return None
    total = sum(columns)
    cells = ((row[j], sum(row) * (columns[j] / total)) for row in rows for j in nonempty)
    statistic = math.fsum((count - mean) ** 2 / mean for count, mean in cells)
    return chi_square_tail(statistic, (len(rows) - 1) * (len(nonempty) - 1))
