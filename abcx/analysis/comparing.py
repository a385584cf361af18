"""The choice of the method that compares two arms on a metric, by the spec, the units and the known covariates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from abcx.data.records import MetricData, Observed
from abcx.data.summaries import adjusted_samples
from abcx.metrics import MetricSpec
from abcx.notes import Note
from abcx.spec.model import Experiment
from abcx.stats.records import Contrast, Moments, RatioMoments

if TYPE_CHECKING:
    from abcx.stats.permutation_draws import Relabelings

Key = tuple[str, str]
"""(metric, variant)."""

_TOO_MANY = Note("too_many_to_relabel")
DRAWS = 4000
"""Number of relabelings for one comparison."""


def relabelings(experiment: Experiment, observed: Observed) -> dict[Key, Relabelings]:
    """Random relabelings of every comparison whose units were read, drawn once for all their uses with the seed of the
    spec.

    Comparisons without a test are left out.
    """
    from abcx.stats import permutation_draws

    drawn: dict[Key, Relabelings] = {}
    for name, data in observed.metrics.items():
        metric = experiment.metrics[name]
        for arm in experiment.variants if data.samples else ():
            contrast = metric.contrast(data.summaries[experiment.control], data.summaries[arm])
            if contrast.difference_pivot is not None:
                drawn[name, arm] = permutation_draws.draw(
                    *adjusted_samples.units(data, experiment.control, arm), DRAWS, experiment.analysis.seed
                )
    return drawn


def chosen(
    experiment: Experiment, data: MetricData, key: Key, relabeled: Mapping[Key, Relabelings], adjust: bool = True
) -> Contrast:
    """The comparison `key` (metric, variant) by the method that the spec requires, or that these units need.

    `relabeled` holds relabelings drawn before, by key; without `adjust` covariates and strata are ignored. A note gives
    the reason for a permutation test.
    """
    from abcx.stats import permutation

    metric, (name, arm) = experiment.metrics[key[0]], key
    control, variant = data.summaries[experiment.control], data.summaries[arm]
    interval = experiment.analysis.interval
    reason: Note | None = None
    own = metric.compared(control, variant, interval, DRAWS, experiment.analysis.seed)
    if own is not None:
        return own
    summed = (Moments, RatioMoments)
    if data.samples is not None and isinstance(control, summed) and isinstance(variant, summed):
        declared = permutation.ASKED if interval == "permutation" else None
        reason = permutation.needed(control, variant) if interval == "auto" else declared
    if adjust and data.adjustment is not None:
        return _adjusted(experiment, metric, data, key, reason, relabeled)
    if data.samples is None or reason is None:
        return metric.contrast(control, variant)
    samples = adjusted_samples.units(data, experiment.control, arm)
    permuted = permutation.contrast(*samples, DRAWS, relabeled=relabeled.get((name, arm)))
    return replace(permuted, notes=(*permuted.notes, reason))


def _adjusted(
    experiment: Experiment,
    metric: MetricSpec,
    data: MetricData,
    key: Key,
    reason: Note | None,
    relabeled: Mapping[Key, Relabelings],
) -> Contrast:
    """The comparison adjusted for covariates and strata, by permutation where the outcomes (`reason`) or the covariates
    need it.
    """
    from abcx.stats import adjusted_permutation, covariates

    known = adjusted_samples.known(metric, data, experiment.control, key[1])
    of_strata = () if known.note is None else (known.note,)
    contrast = covariates.contrast(known.control, known.variant, known.kind, known.nonnegative)
    of_values, possible = reason is not None, contrast.method == covariates.METHOD and known.kind != "share"
    if possible and experiment.analysis.interval == "auto":
        sizes = known.control.n, known.variant.n
        reason = reason or adjusted_permutation.needed(data.covariate_skewness, *sizes)
    samples = data.samples and adjusted_samples.units(data, experiment.control, key[1])
    if samples and reason and samples[0].covariates is not None:
        deals = relabeled.get(key)
        contrast = adjusted_permutation.contrast(*samples, known.kind, known.nonnegative, DRAWS, relabeled=deals)
        return replace(contrast, notes=(*contrast.notes, *of_strata, reason))
    if of_values:  # there are too many units, or covariates, to relabel them together
        contrast = chosen(experiment, data, key, relabeled, adjust=False)
        return replace(contrast, notes=(*contrast.notes, _TOO_MANY))
    return replace(contrast, notes=(*contrast.notes, *of_strata))


def saved(metric: MetricSpec, data: MetricData, control: str, variant: str) -> float | None:
    """The fraction of the variance that covariates and strata remove, below 1; None where the comparison is not
    adjusted.
    """
    from abcx.stats import covariates

    known = adjusted_samples.known(metric, data, control, variant)
    return covariates.saved(known.control, known.variant, known.kind, known.nonnegative)
