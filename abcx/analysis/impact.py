"""What shipping a variant to all units is worth a month, for the metrics that the spec names under `impact`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from abcx.results.metric import MetricResult
from abcx.results.readout import Impact, Verdict
from abcx.spec.model import Experiment


def impacts(experiment: Experiment, metrics: Sequence[MetricResult], verdicts: Sequence[Verdict]) -> Iterator[Impact]:
    """The difference of a metric per unit times the declared units a month, with its interval at the metric's level.

    Nothing for a comparison that is not judged, whose bounds say nothing, or whose verdict is INVALID.
    """
    declared = experiment.impact
    if declared is None:
        return
    valid = {verdict.arm for verdict in verdicts if verdict.verdict != "INVALID"}
    by_name = {metric.name: metric for metric in metrics}
    for name in declared.metric:
        for comparison in by_name[name].comparisons:
            interval = comparison.difference_interval
            unjudged = comparison.status in ("not_judged", "descriptive") or comparison.held_back
            if unjudged or comparison.difference is None or interval is None or comparison.arm not in valid:
                continue
            scale = declared.units_per_month
            low, high = (None if end is None else scale * end for end in interval)
            change = scale * comparison.difference
            yield Impact(name, comparison.arm, scale, change, (low, high), comparison.alpha)
