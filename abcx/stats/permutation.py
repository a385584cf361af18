"""Permutation of a studentized statistic: Welch's and Fieller's statistics with critical values from relabeled units.

Under "the ratio is r" control's units times r and the variant's units have the same mean; under "the difference is d"
the same holds with r_d = 1 + d / mu_d, mu_d being control's value under that hypothesis (docs/methods.md,
"Permutation"). The units of this pool are relabeled at random, and the observed statistic is compared with those of the
relabeled arms. Because the statistic is divided by each arm's own standard error, the test is exact where the
hypothesis makes the arms' distributions equal, and right in large samples where it only makes their means equal
(Janssen 1997, Statistics and Probability Letters 36; Chung and Romano 2013, Annals of Statistics 41). Ratios use the
ratio of sums and its linearized variance of every relabeled arm. At d = 0 and r = 1 all statistics coincide, so p and
both intervals are one inversion.

Where values can be below 0 a difference may be larger than any factor can produce, and the pool's value may be 0. There
r_d is held between 1/10 and 10, and where the pool's value is not 5 standard errors above 0 it is held at 1; the rest
of a difference is always taken up by shifting (a ratio's numerator by a multiple of its denominator).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

from abcx.notes import Note
from abcx.stats import means, ratios
from abcx.stats.distributions import normal_quantile, t_tails
from abcx.stats.drawn_tails import tail, tail_serves
from abcx.stats.influence import nonzero
from abcx.stats.inversion import two_sided
from abcx.stats.methods import Method
from abcx.stats.permutation_draws import (
    Alignment,
    Array,
    Relabelings,
    draw,
    estimates,
    moments,
    shares_of_pool,
    statistics,
)
from abcx.stats.records import Contrast, Moments, Pivot, RatioMoments, Sample

METHOD, METHOD_TAIL = Method.PERMUTATION, Method.PERMUTATION_TAIL
ENOUGH = 30
"""Non-zero units that each arm must expect (docs/methods.md, "Non-zero units")."""
ASKED = Note("permuted_as_declared")
_LOPSIDED = 0.1
"""Skewness x difference of the arms' sizes, relative: permutation above it (see `needed`)."""
_HEAVY_RATIO = 0.3
"""Skewness of a ratio's parts over the root of the smaller arm's units: permutation above it, whatever the split."""
_FEWEST = 20_000
"""With fewer relabelings than this (3 v 2 units have 10) no tail is small enough to end an interval."""
_CLEAR = 5.0
"""Data with values below 0 are aligned by a factor where their pooled value is this number of standard errors above
0, ..."""
_LARGEST_FACTOR = 10.0
"""... and the factor is at most this."""


def contrast(
    control: Sample,
    variant: Sample,
    draws: int = 4000,
    seed: int = 0,
    relabeled: Relabelings | None = None,
    by_shift: bool = False,
) -> Contrast:
    """Variant against control with critical values from relabelings, in the value's own unit.

    Both samples hold means or both ratios; else TypeError is raised. `relabeled` are relabelings of these two samples
    that were drawn before (`permutation_draws.draw`); otherwise `draws` are drawn with `seed`. `by_shift` says that the
    zero of the values is arbitrary: differences are then aligned by shifting alone. Degenerate data get the result and
    the note of Welch's test.
    """
    control_moments, variant_moments = moments(control), moments(variant)
    if isinstance(control_moments, Moments) and isinstance(variant_moments, Moments):
        base, minimum = means.contrast(control_moments, variant_moments), _minimum(control_moments, variant_moments)
    elif isinstance(control_moments, RatioMoments) and isinstance(variant_moments, RatioMoments):
        base = ratios.contrast(control_moments, variant_moments)
        minimum = _minimum(
            control_moments.numerator,
            variant_moments.numerator,
            control_moments.denominator,
            variant_moments.denominator,
        )
    else:
        raise TypeError("a mean cannot be compared with a ratio")
    if base.difference_pivot is None:
        return replace(base, method=METHOD)
    relabelings = draw(control, variant, draws, seed) if relabeled is None else relabeled
    distance, error = (
        relabelings.variant.value - relabelings.control.value,
        math.hypot(relabelings.variant.error, relabelings.control.error),
    )
    left = relabelings.variant.low - relabelings.control.low
    difference = difference_pivot(
        relabelings,
        base.difference_pivot,
        minimum >= 0.0 and not by_shift,
        by_shift,
        lambda d, hypothesis: tails(relabelings, distance - d + left, error, statistics(relabelings, hypothesis)),
    )
    ratio = base.ratio_pivot
    return replace(
        base,
        method=METHOD_TAIL
        if tail_serves(statistics(relabelings, null(relabelings)), _quotient(distance + left, error))
        else METHOD,
        difference_pivot=difference,
        ratio_pivot=None if ratio is None else replace(ratio, tails=lambda r: _ratio_tails(relabelings, r)),
        p_value=two_sided(difference, 0.0),
    )


def _minimum(*parts: Moments) -> float:
    return min(0.0 if part.minimum is None else part.minimum for part in parts)


def false_alarms(
    control: Sample,
    variant: Sample,
    alpha: float,
    method: Literal["Welch", "permutation"],
    draws: int = 4000,
    seed: int = 0,
    relabeled: Relabelings | None = None,
) -> tuple[float, float, float]:
    """Share of A/A comparisons of these units that `method` calls significant at two-sided `alpha`, as (share, low,
    high) with its 95 % interval.

    Each relabeling is one A/A comparison. Welch's test judges it by its own t and degrees of freedom. Permutation must
    not judge a relabeling by draws that contain it: the draws are split into halves, and each half is judged by the
    other. That share is near `alpha` by construction, so it checks the procedure, not the data. A comparison that
    cannot be tested is no false alarm. The interval is Wilson's (1927). Both arms must be testable (`contrast` has a
    pivot).
    """
    relabelings = draw(control, variant, draws, seed) if relabeled is None else relabeled
    if method == "Welch":
        alarms = sum(p < alpha for p in _welch_p(relabelings))
    else:
        alarms = alarms_of_halves(statistics(relabelings, null(relabelings)), alpha)
    return wilson(alarms, len(relabelings.from_control.x))


def alarms_of_halves(spread: Array, alpha: float) -> int:
    """How many of the relabeled statistics `spread` (draws,) are significant at `alpha` among those
    of the other half.
    """
    halves = spread[::2], spread[1::2]
    pairs = ((t, other_half) for half, other_half in (halves, halves[::-1]) for t in half.tolist() if math.isfinite(t))
    return sum(2.0 * min(tail(-other_half, -t), tail(other_half, t)) < alpha for t, other_half in pairs)


def _welch_p(relabelings: Relabelings) -> Iterator[float]:
    """Two-sided p of Welch's test of every relabeling that has one."""
    (m_c, v_c), (m_t, v_t) = estimates(relabelings, null(relabelings))
    return welch_p(m_t - m_c, (v_c, v_t), (relabelings.control.n, relabelings.variant.n))


def welch_p(distances: Array, variances: tuple[Array, Array], sizes: tuple[int, int]) -> Iterator[float]:
    """Two-sided p of Welch's test of each distance (B,), for those whose variance is above 0.

    `variances` are those of the two estimates, (B,) each; each has its arm's size in `sizes` less 1 degrees of freedom.
    """
    for distance, control, variant in zip(
        distances.tolist(), variances[0].tolist(), variances[1].tolist(), strict=True
    ):
        variance = control + variant
        if variance > 0.0:  # false for nan
            df = 1.0 / ((control / variance) ** 2 / (sizes[0] - 1) + (variant / variance) ** 2 / (sizes[1] - 1))
            yield 2.0 * min(t_tails(distance / math.sqrt(variance), df))


def wilson(successes: int, n: int) -> tuple[float, float, float]:
    """(share, low, high): a share with its 95 % interval by Wilson (1927), all in [0, 1]."""
    z = normal_quantile(0.975)
    share = successes / n
    center = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return share, max(0.0, center - reach), min(1.0, center + reach)


# --------------------------------------------------------------------------------------- when permutation is used


def enough(control: Moments | RatioMoments, variant: Moments | RatioMoments) -> bool:
    """Whether each arm expects at least 30 non-zero units, fewer than which no interval here covers as promised.

    The expected number is what the smaller arm would have at the pooled share of both arms. It must not depend on which
    arm has them: the samples in which a variant of 200 units has 30 are those in which it looks good, and their
    intervals miss on one side only (2 % clicks at 90:10: 0.0 % below, 4.7 % above; by this rule 1.7 and 2.3 %).
    """
    n, m = control.n, variant.n
    return (nonzero(control) + nonzero(variant)) * min(n, m) >= ENOUGH * (n + m)


def needed(control: Moments | RatioMoments, variant: Moments | RatioMoments) -> Note | None:
    """Why these data need permutation; None where Welch's test is as good or the skewness is unknown.

    By Edgeworth's expansion skewness g moves each tail of Welch's test from 2.5 % by 8.5 points times g |n_c - n_t| /
    sqrt(n_c n_t N). The limit is low, about one point, because the skewness of a sample is smaller than that of its
    population: in simulation (benchmarks/permutation.py --grid) Welch's tails first pass 4 % where this number is 0.17.
    With equal arms it is 0: there Welch and Fieller cover 94 to 98 % whatever the skewness (a lift of 100 % by more
    buyers, which skews the numerator, has 0.2 to 0.9 and 3.7 to 4.3 % in the tails at sigma 2), and permutation, closer
    to 95 % for most lifts, has 6 % on one side there (5 % buyers). Ratios are the exception, because the linearized
    variance of few clicking units is too small: Welch has 4.3 and 4.5 % in the tails where permutation has 2.8 and 3.1
    (10 % clicks, 100 units an arm, 0.47 here; at 0.2 both are right). Moments are pooled, so the choice does not depend
    on which arm leads. Raises TypeError for a mean against a ratio.
    """
    skewness = _skewness(control, variant)
    if skewness is None:
        return None
    n, m = control.n, variant.n
    if few_relabelings(n, m):
        return None
    if isinstance(control, RatioMoments) and skewness / math.sqrt(min(n, m)) > _HEAVY_RATIO:
        return Note("permuted_skewed_ratio", {"skewness": skewness, "units": min(n, m)})
    if not lopsided(skewness, n, m):
        return None
    return Note("permuted_skewed", {"skewness": skewness, "control": n, "variant": m})


def few_relabelings(n: int, m: int) -> bool:
    """Whether arms of `n` and `m` units have fewer than 20,000 relabelings, too few to end an interval."""
    return _log_relabelings(n, m) < math.log(_FEWEST)


def lopsided(skewness: float, n: int, m: int) -> bool:
    """Whether values with this absolute skewness push the t-test of arms of `n` and `m` units to one side (see
    `needed`).
    """
    return skewness * abs(n - m) / math.sqrt(float(n) * m * (n + m)) > _LOPSIDED


def _skewness(control: Moments | RatioMoments, variant: Moments | RatioMoments) -> float | None:
    """Absolute skewness of the pooled units; for a ratio the larger of numerator's and denominator's."""
    if isinstance(control, RatioMoments) and isinstance(variant, RatioMoments):
        parts = (control.numerator, variant.numerator), (control.denominator, variant.denominator)
        known = [skewness for skewness in (_pooled_skewness(*pair) for pair in parts) if skewness is not None]
        return max(known) if known else None
    if isinstance(control, Moments) and isinstance(variant, Moments):
        return _pooled_skewness(control, variant)
    raise TypeError("a mean cannot be compared with a ratio")


def _pooled_skewness(*arms: Moments) -> float | None:
    n = sum(arm.n for arm in arms)
    if any(arm.n < 2 or (arm.skewness is None and arm.variance > 0.0) for arm in arms):
        return None
    mean = sum(arm.n * arm.mean for arm in arms) / n
    deviation = math.sqrt(sum(arm.n * (arm.variance + (arm.mean - mean) ** 2) for arm in arms) / n)
    if not 0.0 < deviation < math.inf:
        return None
    cubes = 0.0
    for arm in arms:
        own, away = math.sqrt(arm.variance) / deviation, (arm.mean - mean) / deviation
        cubes += arm.n * ((arm.skewness or 0.0) * own**3 + 3.0 * own**2 * away + away**3)
    return abs(cubes) / n


def difference_pivot(
    found: Relabelings,
    base: Pivot,
    non_negative: bool,
    by_shift: bool,
    judged: Callable[[float, Alignment], tuple[float, float]],
) -> Pivot:
    """The tests of differences d: `judged(d, alignment)` gives both tails under the alignment that belongs to d.

    `base` is Welch's pivot. Non-negative data bound the differences where one arm's value would be 0.
    """
    control, variant = found.control, found.variant
    distance = variant.value - control.value
    of_pool = shares_of_pool(found)
    pooled = of_pool[0] * control.value + of_pool[1] * variant.value
    spread = math.hypot(of_pool[0] * control.error, of_pool[1] * variant.error)

    def factors(d: float) -> tuple[float, float]:
        # r_d is the quotient of the two arms' values under the hypothesis, here as parts of `pooled`.
        if by_shift or (not non_negative and pooled <= _CLEAR * spread):
            return 1.0, 1.0
        of_variant = max(0.0, 1.0 + of_pool[0] * d / pooled)
        of_control = max(0.0, 1.0 - of_pool[1] * d / pooled)
        if not non_negative:
            of_variant, of_control = (
                max(of_variant, of_control / _LARGEST_FACTOR),
                max(of_control, of_variant / _LARGEST_FACTOR),
            )
        return of_variant, of_control

    def at(d: float) -> tuple[float, float]:
        of_variant, of_control = factors(d)
        # After the factors the two arms' values still differ by the distance that the hypothesis leaves.
        return judged(d, Alignment((of_variant, of_control), distance - d, (of_control, of_variant)))

    if not non_negative:
        return replace(base, tails=at)
    low, high = -pooled / of_pool[0], pooled / of_pool[1]
    estimate = distance if base.estimate is None else base.estimate  # an arm of zeros lies on the bound, up to rounding
    return replace(base, low=min(low, estimate), high=max(high, estimate), tails=at)


def _ratio_tails(relabelings: Relabelings, ratio: float) -> tuple[float, float]:
    unit = max(1.0, abs(ratio))
    on_variant, on_control = 1.0 / unit, ratio / unit
    distance = on_variant * relabelings.variant.value - on_control * relabelings.control.value
    left = on_variant * relabelings.variant.low - on_control * relabelings.control.low
    error = math.hypot(on_variant * relabelings.variant.error, on_control * relabelings.control.error)
    hypothesis = Alignment((on_control, on_variant), distance, (1.0, 1.0))
    return tails(relabelings, distance + left, error, statistics(relabelings, hypothesis))


def null(found: Relabelings) -> Alignment:
    """The alignment of the hypothesis of no difference."""
    return Alignment((1.0, 1.0), found.variant.value - found.control.value, (1.0, 1.0))


def tails(found: Relabelings, distance: float, error: float, spread: Array) -> tuple[float, float]:
    """(P(T* <= t), P(T* >= t)) for t = distance / error among the relabeled statistics `spread` (draws,).

    Neither is below 1 / (number of possible relabelings).
    """
    if distance == 0.0 and error == 0.0:
        return 1.0, 1.0
    statistic = _quotient(distance, error)
    least = _smallest_tail(found)
    return max(least, tail(-spread, -statistic)), max(least, tail(spread, statistic))


def _quotient(distance: float, error: float) -> float:
    return distance / error if error > 0.0 else math.copysign(math.inf, distance)


def _smallest_tail(relabelings: Relabelings) -> float:
    """The probability of the observed relabeling among all possible ones: no tail is smaller."""
    return math.exp(-_log_relabelings(relabelings.control.n, relabelings.variant.n))


def _log_relabelings(n: int, m: int) -> float:
    """The logarithm of the number of relabelings of arms of `n` and `m` units."""
    return math.lgamma(n + m + 1) - math.lgamma(n + 1) - math.lgamma(m + 1)
