"""The methods and the limits that a readout names."""

from __future__ import annotations

from collections.abc import Sequence

from abcx.data.records import Observed
from abcx.notes import Note
from abcx.results.metric import MetricResult
from abcx.spec.model import Experiment
from abcx.stats.methods import Method


def methods_used(experiment: Experiment, metrics: Sequence[MetricResult]) -> tuple[Note, ...]:
    """The methods of all comparisons, and the correction for several comparisons with the families it is over."""
    used = {comparison.method for metric in metrics for comparison in metric.comparisons}
    methods = [Note("method", {"method": method.value}) for method in Method if method in used]
    variants, rule = len(experiment.variants), experiment.analysis.correction
    families = tuple(role for role in ("primary", "secondary") if sum(m.role == role for m in metrics) * variants > 1)
    if families and rule != "none":
        methods.append(Note("correction", {"rule": rule, "families": families, "by_variant": variants > 1}))
    return tuple(methods)


def limits_of(experiment: Experiment, observed: Observed) -> tuple[Note, ...]:
    """The limits of the analysis that follow from the spec and the data."""
    limits = {
        "exploratory_segments": bool(experiment.segments),
        "only_counts": observed.kind == "counts",
        "no_correction": experiment.analysis.correction == "none",
    }
    return tuple(Note(code) for code, applies in limits.items() if applies)
