"""Means of trimmed answers of one arm, of which bounds on effects among always-responders are made.

Answers are a histogram of scores. Trimming the highest or the lowest answers takes a fraction of the answers that are
tied at the cut, so the result does not depend on an order among equal answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Part:
    """The mean of the answers that are kept, in the unit of the scores, and the variance of that
    mean as an estimate.
    """

    mean: float
    variance: float


def whole(scores: Sequence[float], counts: Sequence[int]) -> Part:
    """The mean of all answers (at least one), with the answers' variance (divisor n) over n as its variance.

    `scores` and `counts` have one entry per answer of the scale.
    """
    n = sum(counts)
    mean, spread = _moments(scores, counts)
    return Part(mean, spread / n)


def lowest(scores: Sequence[float], counts: Sequence[int], share: Fraction, share_error2: float) -> Part:
    """The mean of the lowest `share` of the answers, 0 < share <= 1, with its variance (Lee 2009, Proposition 3).

    `share_error2` is the variance of log(share) as an estimate. The variance of the mean is the sum of three: that of
    the kept answers, (y - mean)^2 (1 - share) / kept for the estimated quantile y at which the answers are cut, and (y
    - mean)^2 share_error2 for the estimated share itself, because d mean / d log(share) is y - mean. With ties y is the
    score of the group that is cut, and the formula holds: what varies is the shortfall max(y - score, 0), which is 0
    for the tied answers. Where the cut falls between two scores, the formula could take either; y is the one beyond the
    cut, which gives the larger variance.
    """
    left = share * sum(counts)
    n_kept = float(left)
    kept, cut = [0.0] * len(scores), 0.0
    for i in sorted((i for i, count in enumerate(counts) if count), key=lambda i: scores[i]):
        cut = scores[i]
        if left < counts[i]:
            kept[i] = float(left)
            break
        kept[i], left = float(counts[i]), left - counts[i]
    mean, spread = _moments(scores, kept)
    away2 = (cut - mean) ** 2
    return Part(mean, (spread + away2 * float(1 - share)) / n_kept + away2 * share_error2)


def highest(scores: Sequence[float], counts: Sequence[int], share: Fraction, share_error2: float) -> Part:
    """The mean of the highest `share` of the answers, the mirror image of `lowest`."""
    mirrored = lowest([-score for score in scores], counts, share, share_error2)
    return Part(-mirrored.mean, mirrored.variance)


def _moments(scores: Sequence[float], weights: Sequence[float]) -> tuple[float, float]:
    """Mean and variance (divisor: the sum of the weights)."""
    used = [(score, weight) for score, weight in zip(scores, weights, strict=True) if weight > 0]
    total = sum(weight for _, weight in used)
    center = used[0][0]  # exact for equal scores
    mean = center + sum(weight * (score - center) for score, weight in used) / total
    return mean, sum(weight * (score - mean) ** 2 for score, weight in used) / total
