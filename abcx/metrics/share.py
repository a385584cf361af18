"""What shares of units have in common: units with something out of all, compared by the score test."""

from __future__ import annotations

from typing import Literal

from abcx.metrics.base import MetricOptions
from abcx.stats.records import Contrast, Interval, Proportion, Summary


class ShareOptions(MetricOptions):
    """A metric whose summary is a `Proportion`."""

    @property
    def value_kind(self) -> Literal["share"]:
        return "share"

    def contrast(self, control: Summary, variant: Summary) -> Contrast:
        from abcx.stats import shares

        assert isinstance(control, Proportion) and isinstance(variant, Proportion)
        return shares.contrast(control, variant)

    def estimate(self, summary: Summary) -> float | None:
        from abcx.stats import shares

        assert isinstance(summary, Proportion)
        return shares.value(summary)

    def interval(self, summary: Summary, alpha: float) -> Interval | None:
        from abcx.stats import shares

        assert isinstance(summary, Proportion)
        return shares.interval(summary, alpha) if summary.n else None
