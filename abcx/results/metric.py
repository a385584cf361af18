"""The result of one metric as frozen records: its arms, its comparisons and its exploratory results.

Units, unless a record says otherwise: values and differences are in the metric's own unit (`MetricResult.unit`; shares
are fractions), lifts are fractions (0.05 is +5 %), and p-values are two-sided and in [0, 1]. An interval is None where
it does not exist, and an end of it is None where the data do not bound it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from abcx.formatting import Unit
from abcx.notes import Note
from abcx.stats.methods import Method
from abcx.stats.records import Interval

if TYPE_CHECKING:
    from abcx.stats.records import Effect

Status = Literal["better", "worse", "inconclusive", "safe", "harmed", "unresolved", "not_judged", "descriptive"]
"""better, worse, inconclusive: primaries and secondaries; safe, harmed, unresolved: guardrails; not_judged: before the
end.
"""
MarginState = Literal["inside", "beyond", "open"]
"""Where the interval lies against the non-inferiority margin: inside (harm beyond it is excluded), beyond, or open
(neither).
"""
Role = Literal["primary", "secondary", "guardrail", "descriptive"]
Goal = Literal["increase", "decrease"]
RESPONSE_BIAS_NOTE = Note("response_bias")
"""The note of a comparison of answers that no verdict may rest on, because the bounds do not confirm it."""


@dataclass(frozen=True, slots=True)
class ArmValue:
    """One metric in one arm: `units` is the number of units used, `value` in the metric's own unit, `interval` at 1 -
    alpha.

    `successes` counts the units that converted (shares only), `missing` the exposed units without a value, `capped` the
    units whose value was cut at the cap. `not_followed` counts the units whose window was not over at the data cut:
    they have no value yet and count neither as used nor as missing.
    """

    name: str
    units: int
    value: float | None
    interval: Interval | None
    successes: int | None = None
    missing: int = 0
    capped: int = 0
    not_followed: int = 0


@dataclass(frozen=True, slots=True)
class Bayes:
    """The posterior of the lift under the prior N(0, `lift_sd`^2).

    `lift` is the posterior mean and `interval` the central interval at 1 - alpha. `chance_to_beat` is the probability,
    in [0, 1], that the variant is better in the goal's direction, and `expected_loss` >= 0 the lift lost on average by
    shipping it (docs/methods.md, "Prior on the lift").
    """

    lift_sd: float
    lift: float
    interval: Interval
    chance_to_beat: float
    expected_loss: float


@dataclass(frozen=True, slots=True)
class HarmWatch:
    """Harm before the end of a test without planned looks, by intervals that hold at every time, at the two-sided level
    `alpha`.

    `p_value` is corrected within the family, `margin_interval` on the scale of the margin; None where nothing can be
    tested yet (docs/methods.md, "Harm before the end").
    """

    alpha: float
    p_value: float | None
    difference_interval: Interval | None
    lift_interval: Interval | None
    margin_interval: Interval | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One variant against control on one metric.

    `alpha` is the level after correction: `p_value` < `alpha`, `p_value_adjusted` < the declared alpha and "the
    interval excludes no effect" are the same statement. Metrics with a non-inferiority margin: `margin_interval` is at
    the declared alpha, uncorrected, on the scale the margin was declared in; `margin_state` says where it lies against
    the margin; `p_value_margin` is one-sided, for "the harm is at least the margin". `watch` is set before the end of a
    test without planned looks: then the status is `not_judged`, unless the watch shows harm. `held_back` says that the
    answers of a survey show an effect that the bounds do not confirm. `note` and `lift_note` give the reason for
    missing numbers.
    """

    arm: str
    control: str
    method: Method
    difference: float | None
    difference_interval: Interval | None
    lift: float | None
    lift_interval: Interval | None
    p_value: float | None
    p_value_adjusted: float | None
    alpha: float
    status: Status
    p_value_margin: float | None = None
    margin_interval: Interval | None = None
    margin_state: MarginState | None = None
    watch: HarmWatch | None = None
    held_back: bool = False
    notes: tuple[Note, ...] = ()
    lift_note: Note | None = None
    bayes: Bayes | None = None


@dataclass(frozen=True, slots=True)
class Size:
    """A declared effect size: `value` is a lift (a fraction) when `relative`, else in the metric's unit; `text` as
    written.
    """

    text: str
    value: float
    relative: bool


def interval_on(comparison: Comparison | Effect, size: Size | None) -> Interval | None:
    """The interval on the scale of a size: of the lift where the size is relative, else of the difference."""
    return comparison.lift_interval if size is not None and size.relative else comparison.difference_interval


@dataclass(frozen=True, slots=True)
class Cap:
    """The cap of a metric: values above `value` were cut to it before the arms were compared.

    `text` is the cap as written, `uncapped` the comparisons without it.
    """

    text: str
    value: float
    uncapped: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class Adjustment:
    """The adjustment of the comparisons for what was known before exposure.

    `covariates` and `strata` are names of columns, `pre_period` the length of time before exposure in which the metric
    itself is known. `saved` is the fraction of the variance removed, by variant, None where
    nothing was adjusted; `unadjusted` holds the comparisons without adjustment.
    """

    covariates: tuple[str, ...]
    pre_period: str | None
    strata: tuple[str, ...]
    saved: Mapping[str, float | None]
    unadjusted: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class Response:
    """The response of one arm: units that were `exposed`, `invited` (None: not known) and that `answered`, and the
    answers beyond the first per unit (`repeats`).
    """

    exposed: int
    invited: int | None
    answered: int
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class SurveyComparison:
    """The answers of a variant against control, in addition to the comparison of the metric itself.

    `higher` is the probability that a unit of the variant answers higher than a unit of the control, ties counted half,
    in [0, 1], with its interval and p-value (Brunner and Munzel 2000). `response_p_value` is that of equal response.
    `bounds` contain the effect on those who answer in either arm (Lee 2009) and `worst_case` that on all exposed units
    (Horowitz, Manski 2000), with their intervals, in the unit of the metric. `binds` says that response may differ (p
    below .2): every claim must then also hold for the bounds with their error, which are the `claim_*` intervals of the
    difference, of the lift and on the scale of the margin, at the metric's own level. `note` gives the reason for
    missing bounds.
    """

    higher: float | None
    higher_interval: Interval | None
    higher_p_value: float | None
    response_p_value: float | None
    bounds: Interval | None
    bounds_interval: Interval | None
    worst_case: Interval | None
    worst_case_interval: Interval | None
    binds: bool
    claim_interval: Interval | None = None
    claim_lift_interval: Interval | None = None
    claim_margin_interval: Interval | None = None
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """The answers to the question of a survey metric, by arm, with the comparisons of the variants.

    `answers[arm][i]` units gave the answer `low` + i; `responses` says who was asked and who answered; `means` is the
    mean answer; `groups` gives the shares of answers by group (promoters, passives, detractors; or the top boxes).
    `comparisons` are by variant.
    """

    low: int
    answers: Mapping[str, tuple[int, ...]]
    responses: Mapping[str, Response]
    means: Mapping[str, float | None]
    groups: Mapping[str, Mapping[str, float]]
    comparisons: Mapping[str, SurveyComparison]


@dataclass(frozen=True, slots=True)
class StepComparison:
    """The share of all exposed units that is lost at a step, variant minus control, with an interval that holds for all
    steps together; `p_value` is corrected over the steps."""

    difference: float | None
    difference_interval: Interval | None
    p_value: float | None


@dataclass(frozen=True, slots=True)
class StepResult:
    """One step of a funnel, by arm: units that `reached` it and their `share` of all exposed units; `lost` is the share
    of those at the step before (of all at the first) that did not reach it. Intervals are at 1 - alpha."""

    name: str
    reached: Mapping[str, int]
    share: Mapping[str, float | None]
    share_interval: Mapping[str, Interval | None]
    lost: Mapping[str, float | None]
    lost_interval: Mapping[str, Interval | None]
    comparisons: Mapping[str, StepComparison]


@dataclass(frozen=True, slots=True)
class FunnelResult:
    """The steps of a funnel, and by variant the one at which the shares of exposed units that are lost differ most."""

    steps: tuple[StepResult, ...]
    largest: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LifetimesResult:
    """Times to an event by arm, with the log-rank test of each variant.

    `lifetimes` is their number and `open` the number that is censored; `medians` in hours, None where the curve stays
    above one half; `within` the share ended within the service level. `curve` holds (hours, share not ended, lifetimes
    still at risk). `log_rank` holds p-values by variant; they are reported and never judged.
    """

    horizon: str
    lifetimes: Mapping[str, int]
    open: Mapping[str, int]
    medians: Mapping[str, float | None]
    service_level: str | None
    within: Mapping[str, float | None]
    curve: Mapping[str, tuple[tuple[float, float, int], ...]]
    log_rank: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class SegmentValue:
    """A metric among the units of one value of a segment; `withheld` where an arm has too few units to be shown."""

    value: str
    arms: tuple[ArmValue, ...]
    comparisons: tuple[Comparison, ...]
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Interaction:
    """Whether the effect of the variant `arm` differs between the values of a segment.

    `p_value` is that of Cochran's (1954) Q over the `values` compared, `p_value_adjusted` corrected over segments and
    variants (Holm). `reversed_in` names the values in which the effect is clearly opposite to the effect over all
    units; `simpson` says that the effect is opposite in every one of at least two values.
    """

    arm: str
    p_value: float | None
    p_value_adjusted: float | None
    values: int
    reversed_in: tuple[str, ...] = ()
    simpson: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A metric by the values of one column known at exposure. Exploratory: it decides nothing."""

    name: str
    values: tuple[SegmentValue, ...]
    interactions: tuple[Interaction, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One day of an effect over time: units of both arms, difference and lift with intervals at the declared level.

    Each day is compared separately, without correction; there are no intervals where events are few. `day` is a date
    (ISO 8601) in cumulative series and the number of the day, from 1, in those since exposure.
    """

    day: str
    units: int
    difference: float | None
    difference_interval: Interval | None
    lift: float | None
    lift_interval: Interval | None


@dataclass(frozen=True, slots=True)
class EffectSeries:
    """The effect of a variant over time.

    `cumulative` series cover the units exposed up to each day, `since_exposure` series the same units on every day
    after their exposure.
    """

    arm: str
    kind: Literal["cumulative", "since_exposure"]
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class LargestValues:
    """The upper end of the distribution of a sum per unit, by arm: the largest `values` (at most 50, largest first),
    and how many of them (`influential`) the check of outliers leaves out to see what the result hangs on."""

    values: Mapping[str, tuple[float, ...]]
    influential: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MetricResult:
    """One metric: its definition, its value per arm, its comparisons.

    `unit` is the unit of values: `share` (a fraction), `value`, `ratio`, `points`, `score` or `hours`. `beside` names
    the metric whose companion this one is, so that it is never read alone. `title` is its name for people, `family`
    the group in which it is shown, `unit_text` the unit that the spec declares (EUR, s), and `currency` that of money;
    `is_percent` says that a ratio is a part of a whole, written as percent. `after_exposure` says that the denominator
    counts what units did after exposure. `course` holds the effects over time.
    """

    name: str
    type: str
    role: Role
    goal: Goal | None
    unit: Unit
    definition: str
    arms: tuple[ArmValue, ...]
    comparisons: tuple[Comparison, ...]
    minimum_effect: Size | None = None
    margin: Size | None = None
    cap: Cap | None = None
    adjustment: Adjustment | None = None
    beside: str | None = None
    after_exposure: bool = False
    survey: Survey | None = None
    lifetimes: LifetimesResult | None = None
    funnel: FunnelResult | None = None
    title: str = ""
    family: str | None = None
    unit_text: str | None = None
    currency: str | None = None
    is_percent: bool = False
    largest: LargestValues | None = None
    segments: tuple[Segment, ...] = ()
    course: tuple[EffectSeries, ...] = ()
