"""Rules of single metric types: scales of questions, brackets of retention, what a quantile is taken of."""

from __future__ import annotations

from collections.abc import Iterator

from abcx.metrics import MetricSpec
from abcx.metrics.ces import Ces
from abcx.metrics.churn import Churn
from abcx.metrics.csat import Csat
from abcx.metrics.nps import SCALE, Nps
from abcx.metrics.quantile import Quantile
from abcx.metrics.resolution_time import ResolutionTime
from abcx.metrics.retention import Retention
from abcx.metrics.survey import SurveyOptions
from abcx.spec.document import Loc
from abcx.spec.findings import Finding


def type_rules(loc: Loc, metric: MetricSpec) -> Iterator[Finding]:
    """Every broken rule of the metric's own type."""
    if isinstance(metric, (Nps, Csat, Ces)):
        yield from _survey(loc, metric)
    if isinstance(metric, Nps) and metric.scale != SCALE:
        low, high = metric.scale
        yield Finding(
            (*loc, "scale"),
            "nps-scale",
            f"a question asked from {low} to {high} is not the NPS question, and its score is not comparable",
            "NPS is asked from 0 to 10: scale: [0, 10]; take type: csat for another scale",
        )
    if isinstance(metric, Csat) and metric.top > metric.scale[1] - metric.scale[0]:
        message = f"the top {metric.top} of {metric.scale[1] - metric.scale[0] + 1} answers are all of them, or more"
        yield Finding((*loc, "top"), "csat-top", message, "write fewer: top: 2")
    if isinstance(metric, Retention):
        yield from _retention(loc, metric)
    if isinstance(metric, Quantile) and metric.of == "events" and (metric.column or not metric.value):
        yield Finding(
            (*loc, "of"),
            "quantile-of",
            "a quantile of events needs the event and its value",
            "write event: page_load and value: seconds, or of: units",
        )
    if isinstance(metric, ResolutionTime) and metric.start == metric.end:
        yield Finding(
            (*loc, "end"), "same-event", "start and end are the same event", "name the event that resolves it"
        )
    if isinstance(metric, Churn) and metric.window is not None:
        yield Finding(
            (*loc, "window"),
            "window-unused",
            "churn has its own time",
            "remove `window`: the horizon says it",
            key=True,
        )


def _survey(loc: Loc, metric: SurveyOptions) -> Iterator[Finding]:
    if metric.event is not None and metric.column is None and metric.value is None:
        yield Finding(
            loc, "answer-missing", "an event is named but not where its answer stands", "add value: COLUMN", key=True
        )
    if metric.column is not None and metric.response != "first":
        message = "`response` belongs to events, not to a ready-made column"
        yield Finding((*loc, "response"), "event-key", message, "remove `response`", key=True)


def _retention(loc: Loc, metric: Retention) -> Iterator[Finding]:
    if (metric.day is None) == (metric.within is None):
        message = "both a day and a bracket are named" if metric.day else "neither a day nor a bracket is named"
        yield Finding(loc, "retention-when", message, "write day: 7, or within: [7d, 14d]", key=True)
    if metric.rolling and metric.day is None:
        yield Finding(
            (*loc, "rolling"), "retention-when", "`rolling` needs a day", "write day: 7 and rolling: true", key=True
        )
    if metric.window is not None:
        message, cure = "retention has its own time", "remove `window`: day or within says it"
        yield Finding((*loc, "window"), "window-unused", message, cure, key=True)
