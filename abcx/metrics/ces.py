"""**Customer effort score**: how easy was it?

Definition: the mean answer of the units that answered, on the declared scale. One answer per unit counts; repeats are
counted. Beside the mean stands the chance that a variant unit answers higher than a control unit (ties halved). Where
answers are skewed and the arms differ in size the interval is by permutation.

Unit of analysis: the unit that was randomized, of those that answered.

Use it for the effort of getting help, returning goods, finding an answer.

Trap: some ask "how easy" (more is better), others "how much effort" (less is better). The `goal` must say which, for
every role. A mean of answers has no natural zero, so there is no relative lift: give `minimum_effect` and `margin` in
points of the scale.

```yaml
ease: {type: ces, event: survey, value: ease, scale: [1, 7], role: secondary, goal: increase, minimum_effect: 0.2}
```
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import Field

from abcx.metrics.base import moments_of
from abcx.metrics.counts import CountsRow, TypedCount
from abcx.metrics.survey import SurveyOptions, question
from abcx.notes import Note
from abcx.stats.records import Categories, Contrast, Interval, Moments, Summary

NO_LIFT = Note("no_lift_of_scores")


class Ces(SurveyOptions):
    """Mean effort score."""

    type: Literal["ces"] = Field(description="the metric type")

    @property
    def value_kind(self) -> Literal["score"]:
        return "score"

    def definition(self, unit: str) -> str:
        return f"mean of {question(self)}"

    @property
    def needs_goal(self) -> bool:
        """Some ask how easy it was, others how much effort it took."""
        return True

    def short_form(self, name: str, value: TypedCount) -> str | None:
        low, high = self.scale
        if value.mean is not None and not low <= value.mean <= high:
            return f"a mean answer lies from {low} to {high}"
        known = value.mean is not None and value.sd is not None and value.units is not None
        return None if known else f"write {name}: {{mean: 5.1, sd: 1.2, units: 100}} (of the answers), or answers"

    def of_short_counts(self, value: TypedCount, units: int) -> Moments:
        return moments_of(value.mean or 0.0, value.sd or 0.0, units)

    def counts_columns(self, name: str) -> list[str]:
        return [f"{name}_mean", f"{name}_sd", f"{name}_answers"]

    def of_counts_row(self, name: str, row: CountsRow, units: int) -> Moments:
        return moments_of(row.number(f"{name}_mean"), row.number(f"{name}_sd"), units)

    def scores(self, found: Categories) -> tuple[float, ...]:
        return tuple(map(float, range(found.low, found.low + len(found.counts))))

    def contrast(self, control: Summary, variant: Summary) -> Contrast:
        return self.compared(control, variant)

    def compared(
        self,
        control: Summary,
        variant: Summary,
        interval: Literal["auto", "analytic", "permutation"] = "auto",
        draws: int = 4000,
        seed: int = 0,
    ) -> Contrast:
        """`contrast` by the method that a spec asks for, or that these answers need."""
        from abcx.stats import mean_scores, means

        if isinstance(control, Categories) and isinstance(variant, Categories):
            found = mean_scores.contrast(control, variant, interval, draws, seed)
        else:
            found = means.contrast(_moments(control), _moments(variant))
        return replace(found, lift=None, ratio_pivot=None, lift_note=NO_LIFT)

    def estimate(self, summary: Summary) -> float | None:
        from abcx.stats import means

        return means.value(_moments(summary))

    def interval(self, summary: Summary, alpha: float) -> Interval | None:
        from abcx.stats import means

        moments = _moments(summary)
        return means.interval(moments, alpha) if moments.n > 1 else None


def _moments(summary: Summary) -> Moments:
    from abcx.stats import categorical

    if isinstance(summary, Moments):
        return summary
    assert isinstance(summary, Categories)
    return categorical.moments(summary)
