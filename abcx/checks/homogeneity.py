"""The test of whether something is equally common in all arms, which several checks use."""

from __future__ import annotations

from collections.abc import Sequence

MIN_EXPECTED = 5
"""Pearson's test is not used where an arm expects fewer units with it, or without it."""


def homogeneity_p_value(having: Sequence[int], without: Sequence[int]) -> float | None:
    """p of "the share of units that have it is the same in all arms"; None where there are too few for the test."""
    from abcx.stats import chi_square

    arms = [a + b for a, b in zip(having, without, strict=True) if a + b]
    if len(arms) < 2 or min(sum(having), sum(without)) * min(arms) < MIN_EXPECTED * sum(arms):
        return None
    return chi_square.homogeneity([having, without])
