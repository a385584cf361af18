"""The units and moments of one comparison with covariates; strata become columns made from both arms."""

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
    """The cross moments of control and a variant, the kind of the outcome, whether it is never negative, and a note on
    the strata."""

    control: CrossMoments
    variant: CrossMoments
    kind: Kind
    nonnegative: bool
    note: Note | None


def known(metric: MetricSpec, data: MetricData, control: str, variant: str) -> Known:
    """The moments for the adjusted comparison of two arms, of a metric with an adjustment."""
    from abcx.stats import strata

    assert data.adjustment is not None
    adjusted = strata.as_covariates(data.adjustment[control], data.adjustment[variant])
    kinds: dict[str, Kind] = {"proportion": "share", "moments": "mean", "ratio": "ratio"}
    nonnegative = all(_nonnegative(summary) for summary in data.summaries.values())
    return Known(adjusted.control, adjusted.variant, kinds[metric.needs().summary], nonnegative, adjusted.note)


def units(data: MetricData, control: str, variant: str) -> tuple[Sample, Sample]:
    """The samples of two arms, with strata as columns, of a metric with samples."""
    from abcx.stats import strata

    assert data.samples is not None
    control_sample, variant_sample = data.samples[control], data.samples[variant]
    if data.adjustment is None or control_sample.strata is None:
        return control_sample, variant_sample
    names = sorted({name for of_arm in data.adjustment.values() for name in of_arm})
    places = strata.as_covariates(data.adjustment[control], data.adjustment[variant]).places
    return strata.with_columns(control_sample, names, places), strata.with_columns(variant_sample, names, places)


def _nonnegative(summary: Summary) -> bool:
    if isinstance(summary, RatioMoments):
        return _nonnegative(summary.numerator) and _nonnegative(summary.denominator)
    return not isinstance(summary, Moments) or summary.minimum is None or summary.minimum >= 0
