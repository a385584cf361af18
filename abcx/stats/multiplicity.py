"""Correction for multiple comparisons by Holm or Benjamini-Hochberg, with a level for each metric's interval that
matches its decision.

Holm (1979). Sorted p-values are compared with alpha / m, alpha / (m - 1), ...; the first that is not below its level
stops the procedure. Intervals follow docs/methods.md, "Multiplicity and margins": at alpha / (m - rank + 1) where
rejected, else at alpha / (m - k + 1) with k the first step not rejected. Then "raw p < alpha_i", "adjusted p < alpha"
and "rejected" are the same statement.

Benjamini and Hochberg (1995) control the false discovery rate; Benjamini and Yekutieli (2005) give the intervals with
the matching guarantee (false coverage rate): all at max(R, 1) alpha / m, R the number of rejections.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Adjusted:
    """One member of a family: its adjusted p-value (None without a test), the level of its own interval, and the
    decision.
    """

    p_value: float | None
    alpha: float
    rejected: bool


def unadjusted(p_values: Sequence[float | None], alpha: float) -> tuple[Adjusted, ...]:
    """The decision on each p-value at the full level `alpha`, without correction, in the order given."""
    return tuple(Adjusted(p, alpha, p is not None and p < alpha) for p in p_values)


def holm(p_values: Sequence[float | None], alpha: float) -> tuple[Adjusted, ...]:
    """Holm's (1979) decisions at the family-wise level `alpha`, in the order given.

    A missing p-value (None) counts in the family and is never rejected. Equal p-values share the strictest level among
    them, so the order in which metrics are written does not matter.
    """
    m = len(p_values)
    ranked = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    results: dict[int, Adjusted] = {}
    running, previous, divisor, stopped_at = 0.0, None, m, None
    for rank0, (p, index) in enumerate(ranked):
        if p != previous:
            divisor = m - rank0
        previous = p
        running = max(running, min(1.0, p * divisor))
        if stopped_at is None and p < alpha / divisor:
            # p * divisor and alpha / divisor round differently: the adjusted p follows the decision.
            adjusted = min(running, math.nextafter(alpha, 0.0))
            results[index] = Adjusted(adjusted, alpha / divisor, True)
        else:
            stopped_at = stopped_at or divisor
            running = max(running, alpha)
            results[index] = Adjusted(running, alpha / stopped_at, False)
    last = alpha / (stopped_at or max(m - len(ranked), 1))
    return tuple(results.get(index, Adjusted(None, last, False)) for index in range(m))


def benjamini_hochberg(p_values: Sequence[float | None], alpha: float) -> tuple[Adjusted, ...]:
    """Benjamini and Hochberg's (1995) decisions at the false discovery rate `alpha`, in the order given.

    A missing p-value (None) counts in the family and is never rejected.
    """
    m = len(p_values)
    ranked = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    levels = [min(alpha, rank * alpha / m) for rank in range(1, m + 1)]
    rejections = max((rank for rank, (p, _) in enumerate(ranked, 1) if p < levels[rank - 1]), default=0)
    level = levels[max(rejections, 1) - 1] if m else alpha
    results: dict[int, Adjusted] = {}
    running = 1.0
    for rank, (p, index) in reversed(list(enumerate(ranked, 1))):
        running = min(running, p * m / rank)
        # As in `holm`: the adjusted p follows the decision in spite of rounding.
        adjusted = min(running, math.nextafter(alpha, 0.0)) if rank <= rejections else max(running, alpha)
        results[index] = Adjusted(adjusted, level, rank <= rejections)
    return tuple(results.get(index, Adjusted(None, level, False)) for index in range(m))


CORRECTIONS: dict[str, Callable[[Sequence[float | None], float], tuple[Adjusted, ...]]] = {
    "holm": holm,
    "bh": benjamini_hochberg,
    "none": unadjusted,
}
"""The functions by the value of `analysis.correction` in the spec."""
