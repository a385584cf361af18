"""Words for what a share counts: orders, answers in the top boxes, customers who came back."""

from __future__ import annotations

from abcx.formatting import clean
from abcx.report.fragments import named
from abcx.results.metric import MetricResult

_DONE = {
    "csat": ("in the top boxes", "are in the top boxes"),
    "retention": ("who came back", "came back"),
    "churn": ("lost", "were lost"),
}
"""Phrases for counted units: to follow a noun, and to follow a number."""


def done(metric: MetricResult) -> tuple[str, str] | None:
    """Phrases for counted units, where the name of the metric alone would not do."""
    return None if countable(metric) and metric.type != "csat" else _DONE.get(metric.type)


def counted(metric: MetricResult) -> str:
    """The phrase for counted units after a number: `orders`, `have click through`, `came back`."""
    phrases = done(metric)
    return phrases[1] if phrases else named(metric) if countable(metric) else f"have {named(metric)}"


def countable(metric: MetricResult) -> bool:
    """Whether a metric's name reads as things that can be counted: orders, not click through or retention 7."""
    return named(metric).endswith("s") and not named(metric).endswith("ss")


def noun(metric: MetricResult, unit: str) -> str:
    """`orders`; `visitors with click through` where the name is no plural; `customers who came back`."""
    if (phrases := done(metric)) is not None:
        return f"{clean(unit)} {phrases[0]}"
    return named(metric) if countable(metric) else f"{clean(unit)} with {named(metric)}"


def group(metric: MetricResult, unit: str) -> str:
    """What a share is a share of, in the plural."""
    return "answers" if metric.survey is not None else clean(unit)
