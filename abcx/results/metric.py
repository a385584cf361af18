"""What was measured, as frozen records: one metric with its arms, its comparisons and its exploratory results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from abcx.formatting import Unit
from abcx.notes import Note
from abcx.stats.methods import Method
from abcx.stats.records import Interval

Status = Literal["better", "worse", "inconclusive", "safe", "harmed", "unresolved", "not_judged", "descriptive"]
MarginState = Literal["inside", "beyond", "open"]
Role = Literal["primary", "secondary", "guardrail", "descriptive"]
Goal = Literal["increase", "decrease"]
HELD_BACK = Note("response_bias")
"""The note of a comparison of answers whose statement no verdict may rest on."""


@dataclass(frozen=True, slots=True)
class ArmValue:
    """One metric in one arm: `units` is the n used, `value` in the metric's own unit, `interval` at 1 - alpha; units
    that converted (shares only), exposed units without a value, units whose value was cut at the cap, units whose
    window was not over when the data end (they have no value yet and count neither as used nor as missing)."""

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
    """The lift under a prior of N(0, `lift_sd`^2): shrunk lift, the chance to beat the control in the
    goal's direction, and the lift lost on average by shipping a variant that is worse."""

    lift_sd: float
    lift: float
    interval: Interval
    chance_to_beat: float
    expected_loss: float


@dataclass(frozen=True, slots=True)
class HarmWatch:
    """Before the end of a test without planned looks: harm by intervals that hold at every look, at level `alpha`.

    `p_value` is corrected within the family, `margin_interval` on the scale of the margin; None where nothing can be
    said yet.
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
    interval excludes no effect" are the same statement. Metrics with a margin: `margin_interval` at the declared alpha,
    uncorrected, on the scale the margin was declared in; `margin_state` says where it lies (inside: harm beyond the
    margin is excluded); `p_value_margin` is one-sided. `watch` is there before the end of a test without planned looks:
    then the status is `not_judged`, unless the watch finds harm. `held_back` says that the answers of a survey show
    something that the bounds of the effect do not.
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
    """A declared effect size: `value` is a lift when `relative`, else in the metric's unit; `text` as written."""

    text: str
    value: float
    relative: bool


@dataclass(frozen=True, slots=True)
class Cap:
    """Values above `value` were cut to it before the arms were compared; `uncapped` shows the result without."""

    text: str
    value: float
    uncapped: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class Adjustment:
    """The comparisons were adjusted for what was known before exposure; `unadjusted` shows the result without. `saved`
    is the fraction of the variance taken away, by variant; None where nothing was adjusted."""

    text: str
    saved: Mapping[str, float | None]
    unadjusted: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True)
class Response:
    """Units of one arm that were exposed, that were asked (None: not known), that answered; answers beyond one a
    unit."""

    exposed: int
    invited: int | None
    answered: int
    repeats: int = 0


@dataclass(frozen=True, slots=True)
class SurveyComparison:
    """Answers of a variant against control, beside the metric itself.

    `higher` is the chance that a variant unit answers higher than a control unit, ties halved, with its interval and p
    (Brunner and Munzel 2000). `response_p_value` is that of equal response. `bounds` hold the effect on those who
    answer in either arm (Lee 2009) and `worst_case` that on all exposed units, with their intervals. `binds` says that
    response may differ (p below .2): every claim must then hold for the bounds with their error, too, which are the
    `claim_*` intervals, of the difference and of the lift at the metric's own level and on the scale of its margin.
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
    """Answers behind a survey metric, by arm: how many gave each answer from `low` on, who was asked, the mean answer,
    shares of groups (promoters, passives, detractors; or the top boxes), and by variant what is beside the metric."""

    low: int
    answers: Mapping[str, tuple[int, ...]]
    responses: Mapping[str, Response]
    means: Mapping[str, float | None]
    groups: Mapping[str, Mapping[str, float]]
    comparisons: Mapping[str, SurveyComparison]


@dataclass(frozen=True, slots=True)
class LifetimesResult:
    """Times to an event by arm: how many there are and still open, the median in hours, the share within the service
    level with its interval, the share left at some times (`curve`: hours, share,
    lifetimes still watched); by variant the log-rank p."""

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
    """Whether a variant's effect differs between the values of a segment: the test over all of them, its p corrected
    over segments and variants; `reversed_in` names values in which the effect points the other way than over all."""

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
    """One day of a course: units of both arms, difference and lift with intervals at the declared level, each day by
    itself; no intervals where events are few."""

    day: str
    units: int
    difference: float | None
    difference_interval: Interval | None
    lift: float | None
    lift_interval: Interval | None


@dataclass(frozen=True, slots=True)
class EffectSeries:
    """The effect of a variant over time: `cumulative` over the units exposed up to each day, or `since_exposure`,
    day by day after exposure, of the same units."""

    arm: str
    kind: Literal["cumulative", "since_exposure"]
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class MetricResult:
    """One metric: what it is, its value per arm, its comparisons.

    `unit` says what values are in: `share`, `value`, `ratio`, `points`, `score` or `hours`. `beside` names the metric
    that this one was added to, so that it is never read alone. `after_exposure` says that the denominator is made of
    what units did after exposure.
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
    segments: tuple[Segment, ...] = ()
    course: tuple[EffectSeries, ...] = ()
