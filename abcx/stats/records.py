"""The records that statistical functions take and return, without numpy: metrics and results import
them at start-up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from abcx.notes import Note
from abcx.stats.methods import Method

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Interval = tuple[float | None, float | None]
"""Lower and upper end, both included; None is an end that the data do not bound."""


@dataclass(frozen=True, slots=True)
class Proportion:
    """`successes` of `n` units (0 <= successes <= n)."""

    successes: int
    n: int


@dataclass(frozen=True, slots=True)
class Steps(Proportion):
    """A share of units that reach the last of several steps; `reached` counts units by step, first to last, and never
    rises."""

    reached: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Moments:
    """Moments of one value per unit in one arm.

    `variance` has divisor n - 1 and is 0.0 for n < 2; `mean` is 0.0 for n = 0, and `low` is what its rounding left out
    (values near 1e15 with a spread of 1 need it); `skewness` is the sample skewness, None where it does not exist or is
    not known; `nonzero` counts units whose value is not 0; `minimum` and `maximum` are None for n = 0 or where not
    known (typed counts).
    """

    n: int
    mean: float
    variance: float
    nonzero: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    skewness: float | None = None
    low: float = 0.0


@dataclass(frozen=True, slots=True)
class RatioMoments:
    """Moments of two values per unit in one arm, of the units that have both; `covariance` has divisor n - 1.

    `is_part`: in no unit is the numerator below 0 or above the denominator (False where that is not known).
    """

    numerator: Moments
    denominator: Moments
    covariance: float
    is_part: bool = False

    @property
    def n(self) -> int:
        """Units that have both values."""
        return self.numerator.n


@dataclass(frozen=True, slots=True)
class CrossMoments:
    """Means and covariances of several values per unit in one arm, of the `n` units that have an outcome.

    The outcome comes first (one column, or numerator and denominator of a ratio), then the covariates, in the same
    order in both arms. `covariance` has divisor n - 1 and is all 0.0 for n < 2; `means` are 0.0 for n = 0.
    """

    n: int
    means: tuple[float, ...]
    covariance: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The units of one arm themselves, for methods that relabel them.

    `values` holds the units that are not zero, in any order: shape (k,) for a mean, (k, 2) for a ratio (numerator,
    denominator; a unit with both 0 is left out). The other `n` - k units are exactly 0. `covariates` (k, c) belong to
    the same units; then a unit is left out only where they are 0, too. `strata` (k,) numbers each unit's stratum; then
    no unit is left out.
    """

    n: int
    values: NDArray[np.float64]
    covariates: NDArray[np.float64] | None = None
    strata: NDArray[np.int64] | None = None


@dataclass(frozen=True, slots=True)
class Categories:
    """Answers of one arm on a scale of whole numbers, one answer per unit: `counts[i]` units answered `low` + i."""

    low: int
    counts: tuple[int, ...]

    @property
    def n(self) -> int:
        """Units that answered."""
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers of one arm to the NPS question by kind, one answer per unit."""

    promoters: int
    passives: int
    detractors: int

    @property
    def n(self) -> int:
        """Units that answered."""
        return self.promoters + self.passives + self.detractors


@dataclass(frozen=True, slots=True, eq=False)
class Lifetimes:
    """Times to an event in one arm, right-censored: one per unit (customers), or several per unit (tickets).

    `durations` (k,) are at least 0, all in the same unit of time; `observed` (k,) says whether the event occurred then
    (False: censored, still open when last seen); `clusters` (k,) numbers the unit that each belongs to. `units` are the
    exposed units of the arm, with a lifetime or without.
    """

    units: int
    durations: NDArray[np.float64]
    observed: NDArray[np.bool_]
    clusters: NDArray[np.int64]

    @property
    def n(self) -> int:
        """Units with at least one lifetime."""
        import numpy

        return len(numpy.unique(self.clusters))


@dataclass(frozen=True, slots=True, eq=False)
class QuantileSummary:
    """The values of one arm around a quantile, and how well shares of them are known.

    `q` is the share below the quantile, 0 < q < 1; `n` the units (clusters) with values; `total` the values. `values`
    (k,) are distinct and ascending, with how many values lie below and at each (`below`, `equal`, whole numbers): all
    of them near the quantile, farther away some, always the smallest and the largest. At the shares `levels` (m,),
    ascending, the variance of a share of the values is `design` (m,) times that of `total` independent values, with
    `df` (m,) degrees of freedom. Without values k = 0 and n = total = 0.
    """

    q: float
    n: int
    total: int
    values: NDArray[np.float64]
    below: NDArray[np.float64]
    equal: NDArray[np.float64]
    levels: NDArray[np.float64]
    design: NDArray[np.float64]
    df: NDArray[np.float64]

    @property
    def minimum(self) -> float | None:
        """The smallest value."""
        return float(self.values[0]) if len(self.values) else None


Summary = Proportion | Moments | RatioMoments | Categories | Answers | Lifetimes | QuantileSummary


@dataclass(frozen=True, slots=True)
class Pivot:
    """A family of tests of "the parameter is h", one for each h in [low, high].

    `estimate` is None where the estimate is infinite or does not exist; `null` is the value of no effect (0 for a
    difference, 1 for a ratio); `scale` is a positive length of the order of the standard error, the first step of a
    search; `tails(h)` gives (P(T* <= t), P(T* >= t)) under h. `error` is the standard error of the estimate, None where
    the method has none.
    """

    estimate: float | None
    null: float
    low: float
    high: float
    scale: float
    tails: Callable[[float], tuple[float, float]]
    error: float | None = None


@dataclass(frozen=True, slots=True)
class Contrast:
    """Variant against control before any level is chosen: the point estimates and the tests to invert.

    `difference` is variant minus control, `lift` is variant / control - 1. A pivot is None where no test exists; then
    `notes` (or `lift_note`, for the lift alone) give the reason.
    """

    method: Method
    difference: float | None
    lift: float | None
    difference_pivot: Pivot | None
    ratio_pivot: Pivot | None
    p_value: float | None
    notes: tuple[Note, ...] = ()
    lift_note: Note | None = None


def no_comparison(method: Method, note: Note) -> Contrast:
    """A contrast that does not exist, neither as a difference nor as a lift, for one reason."""
    return Contrast(method, None, None, None, None, None, (note,), note)


@dataclass(frozen=True, slots=True)
class Effect:
    """A contrast at the two-sided level `alpha`: p and the intervals of the difference and of the lift, from one
    inversion.

    `difference` is in the unit of the metric, `lift` a fraction; None where a value or an interval does not exist, with
    the reason in `note` or `lift_note`.
    """

    method: Method
    difference: float | None
    difference_interval: Interval | None
    lift: float | None
    lift_interval: Interval | None
    p_value: float | None
    alpha: float
    notes: tuple[Note, ...] = ()
    lift_note: Note | None = None
