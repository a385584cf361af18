"""One comparison's units and moments with what was known of them: strata as the columns that the two arms make."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from abcx.data.records import MetricData
from abcx.metrics import MetricSpec
from abcx.notes import Note
from abcx.stats.records import CrossMoments, Moments, RatioMoments, Sample, Summary

if TYPE_CHECKING:
    from abcx.stats.covariates import Kind


@dataclass(frozen=True, slots=True)
class Known:
    """Control's and a variant's cross moments, what kind of outcome theirs is, whether it is never below 0, and what is
    to be said of the strata."""

    control: CrossMoments
    variant: CrossMoments
    kind: Kind
    nonnegative: bool
    note: Note | None


def known(metric: MetricSpec, data: MetricData, control: str, variant: str) -> Known:
    """The moments that the adjusted comparison of two arms is made of; the metric has an adjustment."""
    from abcx.stats import strata

    assert data.adjustment is not None
    found = strata.as_covariates(data.adjustment[control], data.adjustment[variant])
    kinds: dict[str, Kind] = {"proportion": "share", "moments": "mean", "ratio": "ratio"}
    nonnegative = all(_nonnegative(summary) for summary in data.summaries.values())
    return Known(found.control, found.variant, kinds[metric.needs().summary], nonnegative, found.note)


def units(data: MetricData, control: str, variant: str) -> tuple[Sample, Sample]:
    """The units of two arms, of a metric that has samples."""
    from abcx.stats import strata

    assert data.samples is not None
    one, other = data.samples[control], data.samples[variant]
    if data.adjustment is None or one.strata is None:
        return one, other
    names = sorted({name for of_arm in data.adjustment.values() for name in of_arm})
    places = strata.as_covariates(data.adjustment[control], data.adjustment[variant]).places
    return strata.with_columns(one, names, places), strata.with_columns(other, names, places)


def _nonnegative(summary: Summary) -> bool:
    if isinstance(summary, RatioMoments):
        return _nonnegative(summary.numerator) and _nonnegative(summary.denominator)
    return not isinstance(summary, Moments) or summary.minimum is None or summary.minimum >= 0
