"""Answers on a scale as the summaries that shares and means compare: top boxes (csat) and moments (ces).

`Categories.counts` cover the whole declared scale, including answers that nobody gave: the end of the scale decides
which answers are its top boxes. All sums are of whole numbers, so nothing is rounded before the last division.
"""

from __future__ import annotations

import math

from abcx.stats.records import Categories, Moments, Proportion


def top_box(categories: Categories, top: int) -> Proportion:
    """Units that gave one of the `top` highest answers of the scale, out of the units that answered.

    Raises ValueError unless 1 <= top <= number of answers on the scale.
    """
    if not 1 <= top <= len(categories.counts):
        raise ValueError(f"top must be between 1 and {len(categories.counts)}, not {top}")
    return Proportion(sum(categories.counts[-top:]), categories.n)


def moments(categories: Categories) -> Moments:
    """Moments of the answers, in points of the scale.

    `skewness` is G1 (Joanes, Gill 1998), None below three answers or where all answers are equal.
    """
    n = categories.n
    given = [(step, count) for step, count in enumerate(categories.counts) if count]
    if not given:
        return Moments(0, 0.0, 0.0, 0)
    first, second, third = (sum(count * step**power for step, count in given) for power in (1, 2, 3))
    # n^2 and n^3 times the second and third central moment, which do not depend on where the scale starts.
    spread = n * second - first * first
    lean = n * n * third - 3 * n * first * second + 2 * first**3
    at_zero = -categories.low
    zeros = categories.counts[at_zero] if 0 <= at_zero < len(categories.counts) else 0
    return Moments(
        n=n,
        mean=(categories.low * n + first) / n,
        variance=spread / (n * (n - 1)) if n > 1 else 0.0,
        nonzero=n - zeros,
        minimum=float(categories.low + given[0][0]),
        maximum=float(categories.low + given[-1][0]),
        skewness=lean / spread**1.5 * math.sqrt(n * (n - 1)) / (n - 2) if n > 2 and spread else None,
    )
