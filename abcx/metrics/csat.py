"""**Customer satisfaction**: the share of answers in the top boxes.

Definition: units whose answer is among the `top` highest of the scale (default 2: "satisfied" and "very satisfied" on 1
to 5), divided by the units that answered. One answer per unit counts; repeats are counted. The interval is that of a
share; the mean answer stands beside it.

Unit of analysis: the unit that was randomized, of those that answered.

Use it for satisfaction after a contact or an order, fair help, promise kept, intention to buy again.

Trap: averages of answers hide who is unhappy, and shares hide how much: read both, and the table by answer. As with all
surveys, an effect among those who answer is not an effect on all: see `nps`.

```yaml
satisfied: {type: csat, event: survey, value: rating, scale: [1, 5], top: 2, role: secondary, goal: increase}
```
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from abcx.metrics.base import Rule
from abcx.metrics.counts import CountsRow, TypedCount
from abcx.metrics.survey import SurveyOptions, question
from abcx.stats.records import Categories, Contrast, Interval, Proportion, Summary


class Csat(SurveyOptions):
    """Share of top-box answers."""

    type: Literal["csat"] = Field(description="the metric type")
    top: Annotated[int, Field(strict=True, ge=1, le=100)] = Field(
        2, description="how many of the highest answers count as satisfied"
    )

    @property
    def value_kind(self) -> Literal["share"]:
        return "share"

    def definition(self, unit: str) -> str:
        first = self.scale[1] - self.top + 1
        boxes = f"{first} or more" if self.top > 1 else f"{self.scale[1]}"
        return f"share of {boxes} among {question(self)}"

    def rules(self) -> Iterator[Rule]:
        yield from super().rules()
        if self.top > self.scale[1] - self.scale[0]:
            message = f"the top {self.top} of {self.scale[1] - self.scale[0] + 1} answers are all of them, or more"
            yield Rule("top", "csat-top", message, "write fewer: top: 2")

    def successes(self, summary: Summary) -> int:
        return self.boxes(summary).successes

    def short_form(self, name: str, value: TypedCount) -> str | None:
        known = value.count is not None and value.units is not None
        return None if known else f"write {name}: {{count: 80, units: 100}} (top boxes of all answers), or answers"

    def of_short_counts(self, value: TypedCount, units: int) -> Proportion:
        return Proportion(value.count or 0, units)

    def counts_columns(self, name: str) -> list[str]:
        return [name, f"{name}_answers"]

    def of_counts_row(self, name: str, row: CountsRow, units: int) -> Proportion:
        return Proportion(row.whole(name), units)

    def groups(self, found: Summary) -> dict[str, float]:
        return {"top": self.boxes(found).successes / found.n}

    def graded(self, found: Summary) -> tuple[Categories, tuple[float, ...]]:
        boxes = self.boxes(found)
        return Categories(0, (boxes.n - boxes.successes, boxes.successes)), (0.0, 1.0)

    def scores(self, found: Categories) -> tuple[float, ...]:
        answers = range(found.low, found.low + len(found.counts))
        return tuple(1.0 if answer > self.scale[1] - self.top else 0.0 for answer in answers)

    def contrast(self, control: Summary, variant: Summary) -> Contrast:
        from abcx.stats import shares

        return shares.contrast(self.boxes(control), self.boxes(variant))

    def estimate(self, summary: Summary) -> float | None:
        from abcx.stats import shares

        return shares.value(self.boxes(summary))

    def interval(self, summary: Summary, alpha: float) -> Interval | None:
        from abcx.stats import shares

        return shares.interval(self.boxes(summary), alpha) if self.boxes(summary).n else None

    def boxes(self, summary: Summary) -> Proportion:
        """Answers in the top boxes, of all."""
        from abcx.stats import categorical

        return summary if isinstance(summary, Proportion) else categorical.top_box(_categories(summary), self.top)


def _categories(summary: Summary) -> Categories:
    assert isinstance(summary, Categories)
    return summary
